//! How well it does, over all quotas and rules.

use std::{cmp::Reverse, collections::BTreeMap};

use super::View;
use crate::{
    model::{
        card::{Card, Coverage, Outcomes},
        ids::RuleName,
        incident::Incident,
    },
    web::json::{BandRecord, Record, RuleRecord, WarningRecord},
};

impl View<'_> {
    /// Forecasts and warnings of all pools together, and each rule.
    pub(super) fn record(&self) -> Record {
        let cards = self.health.outlooks.values().map(|it| &it.card);
        let (coverage, outcomes) = Card::sum(cards);
        let mut by_rule: BTreeMap<&RuleName, Vec<&Incident>> = BTreeMap::new();
        for incident in self.book.incidents.values() {
            let mut rules: Vec<&RuleName> = incident.members.keys().map(|it| &it.rule).collect();
            rules.dedup(); // one rule's pools lie together
            for rule in rules {
                by_rule.entry(rule).or_default().push(incident);
            }
        }
        let mut rules: Vec<RuleRecord> = by_rule
            .iter()
            .map(|(rule, all)| of_rule(rule, all))
            .collect();
        rules.sort_by_key(|it| Reverse(it.incidents));
        Record {
            bands: bands(&coverage),
            warnings: warnings(&outcomes),
            rules,
        }
    }
}

fn of_rule(rule: &RuleName, incidents: &[&Incident]) -> RuleRecord {
    let ended = incidents.iter().filter(|it| !it.is_open());
    let ended = ended.map(|it| it.bad_minutes());
    let mut lasted: Vec<i64> = ended.collect();
    lasted.sort_unstable();
    let count = |is: fn(&Incident) -> bool| incidents.iter().map(|it| u64::from(is(it))).sum();
    RuleRecord {
        rule: rule.to_string(),
        incidents: count(|_| true),
        open: count(Incident::is_open),
        refused: count(|it| 0.0 < it.lost),
        median_minutes: lasted.get(lasted.len() / 2).copied(),
    }
}

/// The bands of these counts.
pub(super) fn bands(coverage: &[Coverage]) -> Vec<BandRecord> {
    let band = |it: &Coverage| BandRecord {
        hours_ahead: it.hours,
        inside: it.share(),
        compared: it.compared,
    };
    coverage.iter().map(band).collect()
}

/// What these warnings came to.
pub(super) fn warnings(outcomes: &Outcomes) -> WarningRecord {
    WarningRecord {
        right: outcomes.right,
        wrong: outcomes.wrong,
        moot: outcomes.moot,
        missed: outcomes.missed,
        lead_minutes: outcomes.lead(),
    }
}
