//! The headroom table.

use maud::{Markup, html};

use super::elements::number;
use crate::web::{
    inert::inert,
    json::{Headroom, Status},
    words::{clock, expected, odds, percent, place},
};

/// Rows that stand open; the rest is one click away.
const OPEN_ROWS: usize = 12;

pub(super) fn section(status: &Status) -> Markup {
    let is_limited = |row: &&Headroom| row.source != "absent";
    let (limited, absent): (Vec<&Headroom>, Vec<&Headroom>) =
        status.headroom.iter().partition(is_limited);
    let first = limited.iter().take(OPEN_ROWS).copied();
    let rest: Vec<&Headroom> = limited.iter().skip(OPEN_ROWS).copied().collect();
    html! {
        section aria-labelledby="headroom" {
            h2 id="headroom" { "Headroom" }
            @if status.headroom.is_empty() {
                p.quiet { "No pool was discovered yet, so there is nothing to measure." }
            } @else {
                (table("Use and quota, least headroom first", first))
            }
            @if !rest.is_empty() {
                details {
                    summary { (rest.len()) " more with more headroom, or without a number" }
                    (table("Further quotas", rest.into_iter()))
                }
            }
            @if !absent.is_empty() {
                details {
                    summary { (absent.len()) " not limited: the account lists no such quota" }
                    ul.plain {
                        @for row in absent {
                            li { (row.kind.to_uppercase()) " of " (name(row)) }
                        }
                    }
                }
            }
            (super::left_out(status, "headroom"))
        }
    }
}

fn table<'a>(caption: &str, rows: impl Iterator<Item = &'a Headroom>) -> Markup {
    html! {
        table role="table" {
            caption.heard { (caption) }
            thead role="rowgroup" {
                tr role="row" {
                    @for head in ["Pool", "Quota", "Used", "Limit", "Share", "Runs out", "State"] {
                        th role="columnheader" scope="col" { (head) }
                    }
                }
            }
            tbody role="rowgroup" { @for row in rows { (line(row)) } }
        }
    }
}

/// Whether the limit is the upper end of what it may be.
fn is_range(row: &Headroom) -> bool {
    row.unit == "usd" && row.limit.is_some()
}

/// The unit, where it is not plain.
fn unit(row: &Headroom, value: Option<f64>) -> &'static str {
    if row.unit == "usd" && value.is_some() {
        " USD"
    } else {
        ""
    }
}

fn line(row: &Headroom) -> Markup {
    html! {
        tr role="row" {
            th.pool role="rowheader" scope="row" {
                span.model { (inert(&row.model)) }
                span.sub { (row.family) " · " (place(row.account_name.as_deref(), &row.account, &row.region)) }
            }
            td role="cell" data-label="Quota" {
                span.kind { (row.kind.to_uppercase()) }
                @if let Some(code) = &row.quota_code { span.sub { (inert(code)) } }
            }
            td.number role="cell" data-label="Used" {
                @if row.used_is_lower_bound && row.used.is_some() { span.sub-inline { "at least " } }
                (number(row.used)) (unit(row, row.used))
                @if let Some(at) = &row.used_at { span.sub { (time_of(at)) } }
                @if let Some(coverage) = row.coverage { span.sub { (percent(coverage)) " observed" } }
            }
            td.number role="cell" data-label="Limit" {
                @if is_range(row) { span.sub-inline { "at most " } }
                (number(row.limit)) (unit(row, row.limit))
                span.sub { (row.source) }
            }
            td.share role="cell" data-label="Share" { (share(row)) }
            td role="cell" data-label="Runs out" { (runs_out(row)) }
            td role="cell" data-label="State" {
                (state(&row.state))
                // A row in order is told in a line; what is not in order says at once why.
                @if matters(row) {
                    @if is_plain(row) { details.sub { summary { "note" } (inert(&row.note)) } }
                    @else { span.sub { (inert(&row.note)) } }
                }
            }
        }
    }
}

/// The note is shown where the row is not plain; proofs of ordinary mappings are for `explain`.
fn matters(row: &Headroom) -> bool {
    let words = ["shared", "older value", "no newer", "max_tokens reserved"];
    !is_plain(row) || is_range(row) || words.iter().any(|word| row.note.contains(word))
}

fn is_plain(row: &Headroom) -> bool {
    matches!(row.source.as_str(), "applied" | "default")
}

fn name(row: &Headroom) -> String {
    let place = place(row.account_name.as_deref(), &row.account, &row.region);
    format!("{} ({}), {place}", inert(&row.model), row.family)
}

fn time_of(at: &str) -> String {
    let clock = clock(at);
    clock
        .split_once(' ')
        .map_or(clock.clone(), |(_, time)| time.to_owned())
}

/// The share in digits, and as a bar for the eye.
fn share(row: &Headroom) -> Markup {
    let Some(share) = row.share else {
        return number(None);
    };
    let width = format!("{:.1}", (100.0 * share).clamp(0.0, 100.0));
    let class = match share {
        ..0.8 => "bar low",
        0.8..1.0 => "bar near",
        _ => "bar over",
    };
    html! {
        span.digits { (percent(share)) }
        svg class=(class) viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect.rail width="100" height="6" {}
            rect.fill width=(width) height="6" {}
        }
    }
}

/// When the quota is exhausted, by the forecast.
fn runs_out(row: &Headroom) -> Markup {
    let Some(ahead) = &row.ahead else {
        return html! { span.quiet { "not known yet" } };
    };
    html! {
        (expected(ahead))
        span.sub { (odds(ahead)) }
    }
}

/// A state as symbol and word.
fn state(name: &str) -> Markup {
    let (symbol, word) = match name {
        "normal" => ("●", "normal"),
        "pending" => ("◆", "pending"),
        "alerting" => ("▲", "alerting"),
        "recovering" => ("◇", "recovering"),
        "no-data" => ("◌", "no data"),
        "error" => ("✕", "cannot be judged"),
        _ => ("◌", "not judged"),
    };
    html! { span class={ "state state-" (name) } { span aria-hidden="true" { (symbol) } " " (word) } }
}
