//! How well it predicts: forecasts, warnings and rules, held to what came.

use maud::{Markup, html};

use crate::{
    model::units::grouped,
    web::{
        inert::inert,
        json::{RuleRecord, Status},
        words::{age, held, warned},
    },
};

/// Rules that are shown.
const MOST_RULES: usize = 12;

pub(super) fn section(status: &Status) -> Markup {
    let record = &status.record;
    let lines = [held(&record.bands), warned(&record.warnings)];
    html! {
        section aria-labelledby="record" {
            h2 id="record" { "How well it predicts" }
            @if lines.iter().all(Option::is_none) {
                p.quiet { "No forecast has been held to what came yet: that takes some hours." }
            } @else {
                ul.rows { @for line in lines.iter().flatten() { li { span.what { (line) } } } }
            }
            @if !record.rules.is_empty() {
                ul.rows { @for rule in record.rules.iter().take(MOST_RULES) { (row(rule)) } }
            }
        }
    }
}

fn row(rule: &RuleRecord) -> Markup {
    let open = if rule.open == 0 {
        String::new()
    } else {
        format!(", {} open", rule.open)
    };
    #[expect(clippy::cast_precision_loss, reason = "incidents that are kept")]
    let incidents = grouped(rule.incidents as f64);
    html! {
        li {
            span.what { code { (inert(&rule.rule)) } ": " (incidents) " incidents" (open) }
            span.sub {
                (rule.refused) " with refused requests"
                @if let Some(minutes) = rule.median_minutes { "; they lasted " (age(60 * minutes)) " by the median" }
            }
        }
    }
}
