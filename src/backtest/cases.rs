//! Unit tests of rules: a case as a book of one pool, walked through, and what did not come as expected.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use super::{By, Past, Replay};
use crate::{
    config::{Case, Expectation},
    model::{
        alert::Verdict,
        book::Book,
        calendar::Calendar,
        catalog::{Catalog, LifeCycle, Mapping, Pool, PoolId},
        ids::QuotaCode,
        policy::Policy,
        quota::Quota,
        reason::Reason,
        rule::{Rule, Rules},
        series::{PoolSeries, Reading, Sample, Signal},
        time::{HOUR, after},
        units::QuotaKind,
        worth::Worth,
    },
};

/// Minutes shown on either side of what did not come.
const AROUND: i64 = 5;

/// One expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Miss {
    /// The file.
    pub file: String,
    /// The line of the expectation, from 1.
    pub line: usize,
    /// The name of the test.
    pub test: String,
    /// So many minutes had been read.
    pub at_minutes: i64,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub came: Vec<String>,
    /// The states in the minutes around.
    pub around: Vec<String>,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}:{}: {}", self.file, self.line, self.test)?;
        writeln!(f, "  at        {}m", self.at_minutes)?;
        writeln!(f, "  expected  {}", self.expected)?;
        let lists = [("came", &self.came), ("around", &self.around)];
        for (label, lines) in lists {
            let mut shown = label;
            for line in lines {
                writeln!(f, "  {shown:<8}  {line}")?;
                shown = "";
            }
        }
        Ok(())
    }
}

/// Judges the case as the daemon would, and tells every expectation that was not met.
#[must_use]
pub fn run(case: &Case, rules: &Rules, policy: &Policy) -> Vec<Miss> {
    let only = |it: &Rule| case.rules.is_empty() || case.rules.contains(&it.name);
    let by = By {
        rules: rules.only(only),
        calendar: Calendar::default(),
        policy: policy.clone(),
    };
    let past = Past {
        book: book_of(case),
        changes: Vec::new(),
    };
    let wanted: BTreeSet<i64> = case.expectations.iter().map(|it| it.at).collect();
    let is_near = |minute: i64| {
        let mut around = wanted.range(minute - AROUND..minute + AROUND + 1);
        around.next().is_some()
    };
    let mut seen: BTreeMap<i64, Vec<Verdict>> = BTreeMap::new();
    let mut replay = Replay::new(past, by, case.start);
    replay.run(
        case.start,
        case.start.plus(case.minutes),
        |_, hour| {
            let first = hour.since(case.start);
            (first..=first + HOUR).any(is_near)
        },
        |until, step, _| {
            let minute = until.since(case.start);
            if is_near(minute) {
                seen.insert(minute, step.verdicts.clone());
            }
        },
    );
    let missed = case.expectations.iter().filter(|it| {
        let verdicts = seen.get(&it.at);
        !verdicts.is_some_and(|verdicts| is_met(it, verdicts))
    });
    missed.map(|it| miss(case, it, &seen)).collect()
}

fn is_met(expected: &Expectation, verdicts: &[Verdict]) -> bool {
    let mut of_rule = about(expected, verdicts);
    let is_state = expected
        .state
        .is_none_or(|state| of_rule.any(|it| it.state == state));
    let mut of_rule = about(expected, verdicts);
    let is_silent = !expected.is_silent || !of_rule.any(|it| it.state.is_on());
    let mut of_rule = about(expected, verdicts);
    let is_why = expected.reason.as_ref().is_none_or(|text| {
        of_rule.any(|it| it.reasons.iter().any(|why| why.to_string().contains(text)))
    });
    is_state && is_silent && is_why
}

fn about<'v>(expected: &Expectation, verdicts: &'v [Verdict]) -> impl Iterator<Item = &'v Verdict> {
    let rule = expected.rule.clone();
    let verdicts = verdicts.iter();
    verdicts.filter(move |it| rule.as_ref().is_none_or(|rule| it.rule == *rule))
}

fn miss(case: &Case, expected: &Expectation, seen: &BTreeMap<i64, Vec<Verdict>>) -> Miss {
    let nothing = Vec::new();
    let verdicts = seen.get(&expected.at).unwrap_or(&nothing);
    let mut came: Vec<String> = about(expected, verdicts)
        .filter(|it| expected.rule.is_some() || !it.reasons.is_empty())
        .map(|it| {
            let reasons = it.reasons.iter().map(Reason::to_string);
            let reasons: Vec<String> = std::iter::once(it.state.name().to_owned())
                .chain(reasons)
                .collect();
            format!("{} {}", it.rule, reasons.join(": "))
        })
        .collect();
    if came.is_empty() {
        came.push(match &expected.rule {
            Some(rule) => format!(
                "{rule} does not judge this pool: it is off here, or the pool has no quota of its kind, or its endpoint does not publish what it needs"
            ),
            None => "all rules normal".to_owned(),
        });
    }
    let shown = |it: &Verdict| {
        about(expected, std::slice::from_ref(it)).next().is_some()
            && (expected.rule.is_some() || it.state.is_on())
    };
    let near = seen.range(expected.at - AROUND..=expected.at + AROUND);
    let around = near.map(|(minute, verdicts)| {
        let states = verdicts.iter().filter(|it| shown(it));
        let states = states.map(|it| match &expected.rule {
            Some(_) => it.state.name().to_owned(),
            None => format!("{} {}", it.rule, it.state.name()),
        });
        let states: Vec<String> = states.collect();
        let states = if states.is_empty() {
            "silent".to_owned()
        } else {
            states.join(", ")
        };
        format!("{minute}m {states}")
    });
    Miss {
        file: case.file.clone(),
        line: expected.line,
        test: case.name.clone(),
        at_minutes: expected.at,
        expected: in_words(expected),
        came,
        around: around.collect(),
    }
}

fn in_words(expected: &Expectation) -> String {
    let rule = expected.rule.as_ref().map_or("all rules", |it| it.as_str());
    let mut parts = Vec::new();
    parts.extend(expected.state.map(|it| it.name().to_owned()));
    parts.extend(expected.is_silent.then(|| "silent".to_owned()));
    parts.extend(
        expected
            .reason
            .as_ref()
            .map(|it| format!("with a reason that has \"{it}\" in it")),
    );
    format!("{rule} {}", parts.join(", "))
}

/// What the tokens of a quota are worth that counts by price: as many units, so that a case says both in one.
const WORTH: Worth = Worth {
    low: 1.0,
    high: 1.0,
    passed: None,
    stopped: None,
};

/// A book with the pool of the case, its quotas and all of its minutes.
fn book_of(case: &Case) -> Book {
    let mut book = Book::default();
    let scope = &case.pool.scope;
    let mut mappings = BTreeMap::new();
    for kind in QuotaKind::ALL {
        let code = QuotaCode::new(format!("L-{}", kind.name().to_uppercase()));
        let Some(value) = case.quotas.get(&kind) else {
            mappings.insert(kind, Mapping::Absent);
            continue;
        };
        let quota = Quota {
            scope: scope.clone(),
            code: code.clone(),
            name: format!("{} of the test", kind.unit()),
            applied: Some(*value),
            default: None,
            adjustable: true,
            read_at: case.start.start(),
            stale: None,
        };
        book.quotas.insert((scope.clone(), code.clone()), quota);
        let proof = "given by the test".to_owned();
        mappings.insert(kind, Mapping::Mapped { code, proof });
    }
    let pool = Pool {
        id: case.pool.clone(),
        burndown: case.burndown,
        worth: Some(WORTH),
        mappings,
    };
    book.pools.insert(case.pool.clone(), pool);
    if let Some(minutes) = case.ends_in {
        let life = LifeCycle {
            status: "ACTIVE".to_owned(),
            legacy: None,
            extended: None,
            end: Some(after(case.start.start(), minutes)),
        };
        let lives = BTreeMap::from([(case.pool.model.clone(), life)]);
        let catalog = Catalog {
            lives,
            ..Catalog::default()
        };
        book.catalogs.insert(scope.clone(), catalog);
    }
    let mut series = PoolSeries::default();
    series.absorb(&reading(case));
    book.series.insert(case.pool.clone(), series);
    book
}

/// What the case leaves out, or ends early, has no datapoint.
fn reading(case: &Case) -> Reading {
    let length = |minutes| usize::try_from(minutes).unwrap_or(0); // none is below 0
    let (before, minutes) = (length(case.past.minutes), length(case.minutes));
    let published = Signal::ALL.into_iter();
    let published = published.filter(|it| it.depth(case.pool.family).is_some());
    let signals = published.map(|signal| {
        let mut all = case.past.series.get(&signal).cloned().unwrap_or_default();
        all.resize(before, Sample::NoData);
        all.extend(case.series.get(&signal).into_iter().flatten());
        all.resize(before + minutes, Sample::NoData);
        (signal, all)
    });
    Reading {
        pool: PoolId::clone(&case.pool),
        from: case.start.plus(-case.past.minutes),
        signals: signals.collect(),
        by_target: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests;
