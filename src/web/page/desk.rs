//! What waits for a person, what lies on AWS's desk, and what AWS was asked.

use maud::{Markup, html};

use super::{elements::when, incidents::link};
use crate::{
    model::units::grouped,
    web::{
        decide::Deciding,
        inert::inert,
        json::{Action, Ask, Case, Status},
        words::age,
    },
};

/// Proposals and held actions; nothing at all when none wait.
pub(super) fn waiting(status: &Status, deciding: &Deciding) -> Markup {
    html! {
        @if !status.proposals.is_empty() {
            section aria-labelledby="proposals" {
                h2 id="proposals" { "Waiting for your approval" }
                @for action in &status.proposals { (proposal(action, deciding)) }
                (super::left_out(status, "proposals"))
            }
        }
        @if !status.held.is_empty() {
            section aria-labelledby="held" {
                h2 id="held" { "Given up, and in need of a person" }
                ul.rows {
                    @for action in &status.held {
                        li {
                            span.what { (inert(&action.what)) }
                            span.sub { (inert(&action.detail)) " · " code { "bedrock-ops-alert explain " (inert(&action.id)) } }
                            @if *deciding == Deciding::Here {
                                span.sub { (link(&action.id, "Try it once more, or settle it…", &action.what)) }
                            } @else { span.sub { code { "bedrock-ops-alert approve " (inert(&action.id)) } " tries once more, " code { "reject" } " settles it" } }
                        }
                    }
                }
                (super::left_out(status, "held"))
            }
        }
    }
}

fn proposal(action: &Action, deciding: &Deciding) -> Markup {
    html! {
        article.card {
            h3 { (inert(&action.what)) }
            p.sub {
                @if let Some(seconds) = action.age_seconds { "proposed " (age(seconds)) " ago" }
                @if let Some(expires) = &action.expires { ", expires " (when(expires)) }
            }
            @if !action.reasons.is_empty() {
                ul { @for reason in &action.reasons { li { (inert(reason)) } } }
            }
            @if *deciding == Deciding::Here {
                p.command { (link(&action.id, "Read what AWS reads, and approve or reject it…", &action.what)) }
            } @else {
                p.command { code { "bedrock-ops-alert approve " (inert(&action.id)) } }
                p.command { code { "bedrock-ops-alert reject " (inert(&action.id)) } }
            }
        }
    }
}

/// Quota requests and cases.
pub(super) fn desk(status: &Status) -> Markup {
    html! {
        section aria-labelledby="desk" {
            h2 id="desk" { "On AWS's desk" }
            @if status.asks.is_empty() && status.cases.is_empty() { p.quiet { "No quota request and no support case." } }
            ul.rows {
                @for ask in &status.asks { (request(ask)) }
                @for case in &status.cases { (support_case(case)) }
            }
            (super::left_out(status, "asks"))
            (super::left_out(status, "cases"))
        }
    }
}

fn request(ask: &Ask) -> Markup {
    let outcome = match (ask.end.as_deref(), ask.granted) {
        (Some("partly-granted"), Some(value)) => format!("granted in part: {}", grouped(value)),
        (Some(end), Some(value)) => format!("{end}: {}", grouped(value)),
        (Some(end), None) => end.to_owned(),
        (None, _) => inert(&ask.status).to_lowercase().replace('_', " "),
    };
    html! {
        li {
            span.what {
                (ask.kind.to_uppercase()) " quota " (inert(&ask.quota_code)) " from " (grouped(ask.before)) " to "
                (grouped(ask.desired)) ": " strong { (outcome) }
                @if ask.awaits_us { " " strong { "· AWS waits for your answer" } }
            }
            span.sub {
                (inert(&ask.account)) " " (inert(&ask.region))
                @if let Some(seconds) = ask.age_seconds { ", filed " (age(seconds)) " ago" }
                @if let Some(display) = &ask.display_id { ", case " (inert(display)) }
                " · request " code { (inert(&ask.request)) }
            }
        }
    }
}

fn support_case(case: &Case) -> Markup {
    html! {
        li {
            span.what {
                "Support case " (inert(case.display_id.as_deref().unwrap_or(&case.case))) ": "
                strong { (inert(&case.status).replace('-', " ")) }
                @if case.awaits_us { " " strong { "· AWS waits for your answer" } }
            }
            span.sub {
                (inert(&case.account)) " " (inert(&case.region))
                @if let Some(seconds) = case.age_seconds { ", opened " (age(seconds)) " ago" }
                " · marker " code { (inert(&case.marker)) }
            }
        }
    }
}

/// Calls and their cost.
pub(super) fn aws(status: &Status) -> Markup {
    let calls: u64 = status.aws.calls.values().sum();
    html! {
        section aria-labelledby="aws" {
            h2 id="aws" { "AWS calls and their cost" }
            p {
                (calls) " calls and " (status.aws.metrics) " billed metrics since the start: "
                strong { (format!("{:.2} USD", status.aws.cost_usd)) } " at list price."
            }
            @if let Some(month) = &status.aws.month {
                p {
                    "This month " strong { (format!("{:.2} USD", month.so_far.usd)) }
                    @if let Some(projected) = &month.projected {
                        (format!(", {:.2} USD if it goes on like this", projected.usd))
                    }
                    (format!("; budget {:.2} USD.", month.budget_usd))
                    @if 1.0 < month.stretch {
                        (format!(" Pools without an incident are read {:.1} times less often for the budget.", month.stretch))
                    }
                }
            }
            @if !status.aws.calls.is_empty() {
                details.quiet {
                    summary { "By operation" }
                    ul.plain {
                        @for (operation, count) in &status.aws.calls { li { (inert(operation)) ": " (count) } }
                    }
                }
            }
        }
    }
}
