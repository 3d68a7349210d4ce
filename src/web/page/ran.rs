//! Where requests ran: the record of processing of a period, as people read it.

use maud::{DOCTYPE, Markup, html};

use super::elements::{number, when};
use crate::{
    model::units::grouped,
    web::{
        inert::inert,
        json::{Level, Ran, RanRead, RanRow, Status},
        words::{self, age, percent},
    },
};

/// Rows on the page; the files have all of them.
const MOST_ROWS: usize = 1_000;

/// A period that is one click away: its name, the first and the last day.
pub(in crate::web) type Period = (&'static str, String, String);

/// The whole page. It stays still: a record is read, not watched.
pub(in crate::web) fn render(status: &Status, told: &Ran, periods: &[Period]) -> Markup {
    let (level, said) = verdict(told);
    let (symbol, word) = words::level(level);
    let days = format!("from={}&to={}", told.from, told.to);
    html! {
        (DOCTYPE)
        html lang="en" {
            (super::head(&format!("{word}: {said}"), status.is_simulated, true))
            body class={ "level-" (level.name()) } {
                (super::masthead(status))
                main id="main" {
                    section.verdict aria-labelledby="verdict" {
                        h1 id="verdict" {
                            span.badge { span aria-hidden="true" { (symbol) } " " (word) }
                            " " span.said { (said) }
                        }
                        p.fresh {
                            "Where requests ran from " (told.from) " to " (told.to)
                            ", by the log of model invocations. "
                            @if told.rules.is_empty() { "No " code { "[[residency]]" } " says where they may." }
                            @else { "Held against " (list(&told.rules)) "." }
                        }
                        (choose(told, periods))
                    }
                    (ways(told))
                    (read(told))
                    section aria-labelledby="not-covered" {
                        h2 id="not-covered" { "What this does not cover" }
                        ul { @for what in &told.not_covered { li { (what) } } }
                    }
                }
                footer {
                    p {
                        a href={ "/api/v1/ran.csv?" (days) } { "CSV to be filed" }
                        " · " a href={ "/api/v1/ran?" (days) } { "JSON" }
                        " · " a href="/" { "Status" }
                    }
                }
            }
        }
    }
}

/// How it stands, in a sentence.
fn verdict(told: &Ran) -> (Level, String) {
    let outside = told.rows.iter().filter(|it| !it.outside.is_empty());
    let outside: u64 = outside.map(|it| it.requests).sum();
    let missing: u64 = told.read.iter().map(|it| it.missing).sum();
    let untold = told.rows.iter().filter(|it| it.ran_in.is_none());
    let untold: u64 = untold.map(|it| it.requests).sum();
    let is_whole = missing == 0 && untold == 0;
    let mut but = match untold {
        0 => String::new(),
        1 => "; of one it is not told where".to_owned(),
        more => format!("; of {} it is not told where", grouped_count(more)),
    };
    but += &match missing {
        0 => String::new(),
        1 => "; an hour of log was not read".to_owned(),
        more => format!("; {} hours of log were not read", grouped_count(more)),
    };
    if told.read.is_empty() {
        let said = "No log of model invocations is named, so it is not known where requests ran";
        return (Level::Attention, said.to_owned());
    }
    if 0 < outside {
        let what = if outside == 1 { "request" } else { "requests" };
        let said = format!(
            "{} {what} ran outside of a rule{but}",
            grouped_count(outside)
        );
        return (Level::Warning, said);
    }
    if told.rules.is_empty() {
        return (
            Level::Attention,
            format!("No rule says where requests may run{but}"),
        );
    }
    let said = format!("No request that was read ran outside of a rule{but}");
    let level = if is_whole {
        Level::Ok
    } else {
        Level::Attention
    };
    (level, said)
}

/// Other periods: a click away, or by their days.
fn choose(told: &Ran, periods: &[Period]) -> Markup {
    html! {
        p {
            @for (index, (name, from, to)) in periods.iter().enumerate() {
                @if 0 < index { " · " }
                a href={ "/ran?from=" (from) "&to=" (to) } { (name) }
            }
        }
        form method="get" action="/ran" {
            label { "From " input type="date" name="from" value=(told.from) required; }
            " "
            label { "to " input type="date" name="to" value=(told.to) required; }
            " "
            button type="submit" { "Show" }
        }
    }
}

fn ways(told: &Ran) -> Markup {
    html! {
        section aria-labelledby="ways" {
            h2 id="ways" { "Where requests ran" }
            @if told.rows.is_empty() {
                p.quiet { "No request is in what was read." }
            } @else {
                table role="table" {
                    caption.heard { "By account, Region that was called, profile and Region where it ran" }
                    thead role="rowgroup" {
                        tr role="row" {
                            @for head in ["Profile", "Ran in", "Requests", "Failed", "Share", "Tokens", "Rule"] {
                                th role="columnheader" scope="col" { (head) }
                            }
                        }
                    }
                    tbody role="rowgroup" { @for row in told.rows.iter().take(MOST_ROWS) { (line(row)) } }
                }
            }
            @if MOST_ROWS < told.rows.len() {
                p.quiet { "… and " (told.rows.len() - MOST_ROWS) " more rows, which are in the files below." }
            }
        }
    }
}

fn line(row: &RanRow) -> Markup {
    let tokens = [
        ("in", row.input_tokens),
        ("out", row.output_tokens),
        ("from a cache", row.cache_read_tokens),
        ("to a cache", row.cache_write_tokens),
    ];
    html! {
        tr role="row" {
            th.pool role="rowheader" scope="row" {
                span.model { (inert(&row.target)) }
                span.sub { "called in " (inert(&row.called_in)) " · " (inert(&row.account)) }
            }
            td role="cell" data-label="Ran in" {
                @match &row.ran_in {
                    Some(region) => { (inert(region)) }
                    None => { span.quiet { "not told" } }
                }
            }
            td.number role="cell" data-label="Requests" { (grouped_count(row.requests)) }
            td.number role="cell" data-label="Failed" { (grouped_count(row.failed)) }
            td.share role="cell" data-label="Share" {
                @match row.share {
                    Some(share) => { span.digits { (percent(share)) } }
                    None => { (number(None)) }
                }
                span.sub { (row.first) @if row.first != row.last { " to " (row.last) } }
            }
            td role="cell" data-label="Tokens" {
                @for (what, count) in tokens.iter().filter(|(_, count)| 0 < *count) {
                    span.sub { (grouped_count(*count)) " " (what) }
                }
            }
            td role="cell" data-label="Rule" {
                @if row.ran_in.is_none() { span.quiet { "not held" } }
                @else if row.outside.is_empty() { span.quiet { "–" span.heard { " none broken" } } }
                @else {
                    span.state.state-alerting { span aria-hidden="true" { "▲" } " outside" }
                    @for rule in &row.outside { span.sub { (inert(rule)) } }
                }
            }
        }
    }
}

fn read(told: &Ran) -> Markup {
    html! {
        section aria-labelledby="read" {
            h2 id="read" { "How much of the log was read" }
            @if told.read.is_empty() {
                p.quiet { "None: " code { "invocation_logs" } " of an " code { "[[account]]" } " names the log group." }
            }
            ul.plain { @for it in &told.read { li { (one_read(it)) } } }
        }
    }
}

fn one_read(it: &RanRead) -> Markup {
    html! {
        (inert(&it.region)) " · " (inert(&it.account)) ": "
        (grouped_count(it.hours)) " of " (grouped_count(it.of)) " hours"
        @if 0 < it.missing { ", " strong { (grouped_count(it.missing)) " missing" } }
        @match (&it.read_until, it.age_seconds) {
            (Some(until), Some(seconds)) => { ", read until " (when(until)) " (" (age(seconds)) " ago)" }
            (Some(until), None) => { ", read until " (when(until)) }
            (None, _) => { ", nothing read yet" }
        }
    }
}

fn list(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|it| inert(it)).collect();
    names.join(", ")
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn grouped_count(count: u64) -> String {
    grouped(count as f64)
}
