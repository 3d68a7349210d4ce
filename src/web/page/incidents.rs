//! Open and ended incidents.

use maud::{Markup, html};

use super::elements::when;
use crate::{
    model::units::grouped,
    web::{
        inert::inert,
        json::{IncidentBrief, Status},
        words::{age, said},
    },
};

pub(super) fn open(status: &Status) -> Markup {
    html! {
        section aria-labelledby="incidents" {
            h2 id="incidents" { "Open incidents" }
            @if status.incidents.is_empty() { p.quiet { "None." } }
            @for incident in &status.incidents { (card(incident)) }
            (super::left_out(status, "incidents"))
        }
    }
}

fn card(incident: &IncidentBrief) -> Markup {
    html! {
        article id=(inert(&incident.id)) class={ "card severity-" (incident.severity) } {
            h3 {
                (severity(&incident.severity)) " " (inert(&incident.title))
            }
            p.sub {
                @if let Some(seconds) = incident.age_seconds { "open for " (age(seconds)) ", " }
                "bad from " (when(&incident.began)) " to " (when(&incident.last_bad))
                @if let Some(scenario) = &incident.scenario { ", " (scenario.replace('-', " ")) }
                @if incident.lost > 0.0 { ", " (grouped(incident.lost)) " requests throttled" }
            }
            @for line in said(incident) { p.sub { (inert(&line)) } }
            div.pair {
                div { h4 { "Why" } (list(&incident.reasons, "No reason was recorded.")) }
                div { h4 { "What was done" } (list(&incident.done, "Nothing yet.")) }
            }
            @if !incident.hints.is_empty() { h4 { "What probably lies behind it" } (list(&incident.hints, "")) }
            p.command { code { "bedrock-ops-alert explain " (inert(&incident.id)) } }
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
pub(super) fn silences(status: &Status) -> Markup {
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
                                "bad from " (when(&incident.began)) " to " (when(&incident.last_bad))
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
