//! The minutes of one pool in the window of an incident, with its use of every quota per minute.

use std::collections::BTreeMap;

use super::Evidence;
use crate::{
    engine::strip::Strip,
    model::{
        catalog::{Mapping, Pool},
        ids::QuotaCode,
        incident::Incident,
        quota::Limit,
        series::{Sample, Signal},
        time::{HOUR, Minute},
        units::{Amount, QuotaKind},
    },
};

/// Minutes before the window that patterns compare it with.
const BEFORE_MINUTES: i64 = HOUR;

/// One pool, and the window that is looked at.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) evidence: &'a Evidence<'a>,
    pub(super) pool: &'a Pool,
    pub(super) from: Minute,
    /// From here on it was bad, as far as is looked at; at least `from`.
    pub(super) bad_from: Minute,
    /// Exclusive.
    pub(super) until: Minute,
    strip: Strip,
    /// Charged tokens and requests of everybody who drains each quota, from `from` on.
    uses: Vec<(Line<'a>, Vec<Option<f64>>)>,
    /// Whether every quota per minute of the pool is known.
    has_all_lines: bool,
}

/// A quota of the pool with its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) code: &'a QuotaCode,
    pub(super) quota: Amount,
    pub(super) is_default: bool,
}

/// One minute with its refused requests, and the share of the fullest quota.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) at: Minute,
    pub(super) refused: f64,
    pub(super) through: f64,
    /// Of all quotas per minute, each known.
    pub(super) highest: f64,
}

impl<'a> Scene<'a> {
    pub(super) fn of(
        evidence: &'a Evidence<'a>,
        pool: &'a Pool,
        incident: &Incident,
        (from, until): (Minute, Minute),
    ) -> Self {
        let first = from.plus(-BEFORE_MINUTES);
        let signals = Signal::ALL.map(|signal| {
            let samples = (evidence.samples)(&pool.id, signal, first, until);
            (signal, samples)
        });
        let mut scene = Self {
            evidence,
            pool,
            from,
            bad_from: incident.began.clamp(from, until),
            until,
            strip: Strip::of(first, BTreeMap::from(signals)),
            uses: Vec::new(),
            has_all_lines: true,
        };
        for (kind, signal) in [
            (QuotaKind::Tpm, Signal::ChargedTokens),
            (QuotaKind::Rpm, Signal::Invocations),
        ] {
            match scene.line(pool, kind) {
                Some(line) => {
                    let used = scene.drained(line.code, signal, from, until);
                    scene.uses.push((line, used));
                }
                // A quota that does not exist refuses nothing; one that is not known may refuse everything.
                None => scene.has_all_lines &= *pool.mapping(kind) == Mapping::Absent,
            }
        }
        scene
    }

    /// The quota of this kind, where it is mapped and has a value.
    pub(super) fn line<'p>(&self, pool: &'p Pool, kind: QuotaKind) -> Option<Line<'p>> {
        let code = pool.mapping(kind).code()?;
        let key = (pool.id.scope.clone(), code.clone());
        let quota = self.evidence.book.quotas.get(&key)?;
        let limit = quota.limit_for(pool);
        let quota = limit.amount()?;
        let is_default = matches!(limit, Limit::Default(_));
        Some(Line {
            code,
            quota,
            is_default,
        })
    }

    /// What all pools of the account and Region that this quota limits used of it, minute by minute; `None` where that of
    /// any of them is not known. A complete answer without a datapoint adds nothing.
    pub(super) fn drained(
        &self,
        code: &QuotaCode,
        signal: Signal,
        from: Minute,
        until: Minute,
    ) -> Vec<Option<f64>> {
        let length = usize::try_from(until.since(from)).unwrap_or(0);
        let mut total = vec![Some(0.0); length];
        for pool in self.evidence.book.pools_in(&self.pool.id.scope) {
            let mut mappings = pool.mappings.values();
            if !mappings.any(|mapping| mapping.code() == Some(code)) {
                continue;
            }
            let samples = (self.evidence.samples)(&pool.id, signal, from, until);
            for (total, sample) in total.iter_mut().zip(samples) {
                *total = match sample {
                    Sample::Value(value) => total.map(|sum| sum + value),
                    Sample::NoData => *total,
                    Sample::Unobserved => None,
                };
            }
        }
        total
    }

    /// The TPM quota.
    pub(super) fn tpm(&self) -> Option<Line<'a>> {
        self.line(self.pool, QuotaKind::Tpm)
    }

    /// All minutes of the window.
    pub(super) fn minutes(&self) -> impl Iterator<Item = Minute> + use<> {
        self.from.until(self.until)
    }

    pub(super) fn value(&self, signal: Signal, at: Minute) -> Option<f64> {
        self.strip.value(signal, at)
    }

    /// As [`Strip::failures`]: none where the minute is known and nothing was published.
    pub(super) fn failures(&self, signal: Signal, at: Minute) -> Option<f64> {
        self.strip.failures(signal, at)
    }

    pub(super) fn demand(&self, at: Minute) -> Option<f64> {
        self.strip.demand(at)
    }

    /// The share of the fullest quota per minute; `None` unless each of them, and its use, is known.
    pub(super) fn highest(&self, at: Minute) -> Option<f64> {
        let index = usize::try_from(at.since(self.from)).ok()?;
        if !self.has_all_lines || self.uses.is_empty() {
            return None;
        }
        let shares = self.uses.iter().map(|(line, used)| {
            let used = used.get(index).copied().flatten()?;
            Some(used / line.quota.get())
        });
        shares.reduce(|a, b| Some(a?.max(b?)))?
    }

    /// The minutes of the window with refused requests of which all is known.
    pub(super) fn refusals(&self) -> Vec<Refusal> {
        let refusal = |at| {
            Some(Refusal {
                at,
                refused: self
                    .failures(Signal::Throttles, at)
                    .filter(|it| 0.0 < *it)?,
                through: self.value(Signal::Invocations, at)?,
                highest: self.highest(at)?,
            })
        };
        self.minutes().filter_map(refusal).collect()
    }

    /// Refused requests of the window, as far as known.
    pub(super) fn refused(&self) -> f64 {
        self.sum(Signal::Throttles)
    }

    /// The sum of a count over the window, as far as known.
    pub(super) fn sum(&self, signal: Signal) -> f64 {
        let values = self.minutes().filter_map(|at| self.value(signal, at));
        values.sum()
    }

    /// The minutes with refused requests in which no quota explains them, and how many of all refused requests they
    /// hold; `None` while these are fewer than the rules ask for.
    pub(super) fn unexplained(&self) -> Option<(Vec<Refusal>, f64)> {
        let rules = self.evidence.rules;
        let mut far = self.refusals();
        far.retain(|it| it.highest < rules.far_below.factor());
        let refused: f64 = far.iter().map(|it| it.refused).sum();
        (rules.least_refused <= refused).then(|| (far, refused / self.refused()))
    }
}

/// The highest share among these minutes.
pub(super) fn highest_of(refusals: &[Refusal]) -> f64 {
    refusals.iter().map(|it| it.highest).fold(0.0, f64::max)
}

/// Refused requests in these minutes.
pub(super) fn refused_in(refusals: &[Refusal]) -> f64 {
    refusals.iter().map(|it| it.refused).sum()
}
