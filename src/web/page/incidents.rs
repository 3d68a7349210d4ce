//! Open and ended incidents.

use maud::{Markup, html};

use super::elements::{number, when};
use crate::{
    model::units::grouped,
    web::{
        decide::Deciding,
        inert::inert,
        json::{Elsewhere, IncidentBrief, Status},
        words::{age, in_stretches, percent, said},
    },
};

pub(super) fn open(status: &Status, deciding: &Deciding) -> Markup {
    html! {
        section aria-labelledby="incidents" {
            h2 id="incidents" { "Open incidents" }
            @if status.incidents.is_empty() { p.quiet { "None." } }
            @for incident in &status.incidents { (card(incident, deciding)) }
            (super::left_out(status, "incidents"))
        }
    }
}

fn card(incident: &IncidentBrief, deciding: &Deciding) -> Markup {
    html! {
        article id=(inert(&incident.id)) class={ "card severity-" (incident.severity) } {
            h3 {
                (severity(&incident.severity)) " " (inert(&incident.title))
            }
            p.sub {
                @if let Some(seconds) = incident.age_seconds { "open for " (age(seconds)) ", " }
                "bad from " (when(&incident.began)) " to " (when(&incident.last_bad)) (in_stretches(incident))
                @if let Some(scenario) = &incident.scenario { ", " (scenario.replace('-', " ")) }
                @if incident.lost > 0.0 { ", " (grouped(incident.lost)) " requests throttled" }
            }
            @for line in said(incident) { p.sub { (inert(&line)) } }
            div.pair {
                div { h4 { "Why" } (list(&incident.reasons, "No reason was recorded.")) }
                div { h4 { "What was done" } (list(&incident.done, "Nothing yet.")) }
            }
            @if !incident.hints.is_empty() { h4 { "What probably lies behind it" } (list(&incident.hints, "")) }
            @if !incident.elsewhere.is_empty() { (room(&incident.elsewhere)) }
            p.command { code { "bedrock-ops-alert explain " (inert(&incident.id)) } }
            @if *deciding == Deciding::Here {
                p.command { (link(&incident.id, "Look after, snooze or silence it…", &incident.title)) }
            }
        }
    }
}

/// A link to where a person decides; who hears it hears about what, too.
pub(super) fn link(id: &str, text: &str, about: &str) -> Markup {
    html! { a href={ "/decide/" (inert(id)) } { (text) span.heard { " " (inert(about)) } } }
}

/// Where its traffic could go.
fn room(ways: &[Elsewhere]) -> Markup {
    html! {
        h4 { "Room for this model elsewhere" }
        table role="table" {
            caption.heard { "Room for this model elsewhere, most of it first, by the p95 of the last day" }
            thead role="rowgroup" {
                tr role="row" {
                    @for head in ["Way", "Used", "Limit", "Price", "Latency", "Note"] {
                        th role="columnheader" scope="col" { (head) }
                    }
                }
            }
            tbody role="rowgroup" { @for way in ways { (way_out(way)) } }
        }
    }
}

fn way_out(way: &Elsewhere) -> Markup {
    html! {
        tr role="row" {
            th.pool role="rowheader" scope="row" {
                @for target in &way.targets { span.model { (inert(target)) } " " }
                span.sub { (inert(&way.pool)) }
            }
            td.number role="cell" data-label="Used" { (number(Some(way.p95.round()))) }
            td.number role="cell" data-label="Limit" {
                (number(Some(way.quota))) span.sub { "tokens a minute" }
                @if let Some(requests) = way.requests_quota { span.sub { (grouped(requests)) " requests a minute" } }
            }
            td role="cell" data-label="Price" {
                @match way.price_factor {
                    Some(factor) => { (percent(factor)) " of what it costs now" }
                    None => { (number(None)) }
                }
            }
            td.number role="cell" data-label="Latency" {
                @match way.latency_p50 {
                    Some(millis) => { (grouped(millis.round())) " ms" }
                    None => { (number(None)) }
                }
            }
            td role="cell" data-label="Note" {
                @if way.is_unused { "Nobody uses it yet: its latency and throttles are not known." }
                @else { (grouped(way.refused)) " requests refused there" }
                @if !way.is_ruled { span.sub { "whether data may go there, no rule of residency says" } }
                @if let Some(callers) = &way.callers { span.sub { (inert(callers)) } }
            }
        }
    }
}

fn list(lines: &[String], none: &str) -> Markup {
    html! {
        @if lines.is_empty() { p.quiet { (none) } }
        @else { ul { @for line in lines { li { (inert(line)) } } } }
    }
}

/// A severity as symbol and word.
fn severity(name: &str) -> Markup {
    let symbol = match name {
        "critical" => "■",
        "warning" => "▲",
        _ => "◆",
    };
    html! { span class={ "state severity severity-" (name) } { span aria-hidden="true" { (symbol) } " " (name) } }
}

/// Who holds messages back, why and until when.
pub(super) fn silences(status: &Status, deciding: &Deciding) -> Markup {
    html! {
        @if !status.silences.is_empty() {
            section aria-labelledby="silences" {
                h2 id="silences" { "Silences" }
                ul.rows {
                    @for it in &status.silences {
                        li {
                            span.what { (it.state) ": " (inert(&it.matches)) }
                            span.sub {
                                (inert(&it.by)) ": " (inert(&it.reason)) ", " (when(&it.from)) " to " (when(&it.until))
                                @if it.hold_requests { ", nothing is asked of AWS" }
                                " · " code { (inert(&it.id)) }
                                @if *deciding == Deciding::Here { " · " (link(&it.id, "end it…", &it.matches)) }
                            }
                        }
                    }
                }
                (super::left_out(status, "silences"))
            }
        }
    }
}

pub(super) fn ended(status: &Status) -> Markup {
    html! {
        section aria-labelledby="ended" {
            h2 id="ended" { "Ended lately" }
            @if status.ended.is_empty() { p.quiet { "None." } }
            @else {
                ul.rows {
                    @for incident in &status.ended {
                        li id=(inert(&incident.id)) {
                            span.what { (severity(&incident.severity)) " " (inert(&incident.title)) }
                            span.sub {
                                @if let Some(seconds) = incident.age_seconds { "ended " (age(seconds)) " ago, " }
                                "bad from " (when(&incident.began)) " to " (when(&incident.last_bad)) (in_stretches(incident))
                                " · " code { (inert(&incident.id)) }
                            }
                            @for line in said(incident) { span.sub { (inert(&line)) } }
                        }
                    }
                }
            }
            (super::left_out(status, "ended"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_that_nobody_uses_says_what_is_not_known_of_it() {
        let way = Elsewhere {
            text: String::new(),
            pool: "111122223333/us-east-1/global/anthropic.claude-sonnet-4-6".to_owned(),
            targets: vec!["global.anthropic.<b>".to_owned()],
            is_ruled: false,
            quota: 5_000_000.0,
            is_unused: true,
            requests_quota: Some(2_000.0),
            p95: 0.0,
            refused: 0.0,
            callers: Some("the role `app` may call it".to_owned()),
            price_factor: Some(0.9),
            latency_p50: None,
            latency_p50_here: None,
        };
        let said = room(&[way]).into_string();
        for part in [
            "5,000,000",
            "2,000 requests a minute",
            "90 % of what it costs now",
            "Nobody uses it yet",
            "no rule of residency says",
            "the role `app` may call it",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("<b>"), "{said}");
    }
}
