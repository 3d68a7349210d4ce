//! Throttling, caused: what a pool's targets want in a minute, held against the quotas of that minute.
//!
//! Model: fixed one-minute windows. Requests above RPM, and requests whose charged tokens (input + cache writes +
//! output x burndown) go above TPM, are refused, in proportion over the pool's targets. A share of the refused ones
//! comes again in the next minute. That makes minutes depend on the ones before, so a pool is computed in order from
//! the start of its history and kept.

use super::{
    hash,
    quotas::QuotaBook,
    traffic::{self, Demand, Source},
    world::{Target, World},
};
use crate::model::{ids::QuotaCode, time::Minute};

/// What really happened at a target in one minute, whether published yet or not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TargetMinute {
    /// Requests accepted, those that failed later included.
    pub invocations: f64,
    /// Requests refused by a quota.
    pub throttles: f64,
    /// Accepted requests that failed by the caller's fault.
    pub client_errors: f64,
    /// Accepted requests that failed by AWS's fault.
    pub server_errors: f64,
    /// Input tokens, cache tokens excluded.
    pub input: f64,
    /// Output tokens, unweighted.
    pub output: f64,
    /// Tokens read from the cache.
    pub cache_read: f64,
    /// Tokens written to the cache.
    pub cache_write: f64,
    /// Tokens charged to the TPM quota.
    pub charged: f64,
    /// Mean latency of the requests that succeeded, milliseconds; 0 where none did.
    pub latency_ms: f64,
}

impl TargetMinute {
    /// Adds what happened at another target in the same minute. Latencies have no sum.
    pub(crate) fn add(&mut self, other: &Self) {
        self.invocations += other.invocations;
        self.throttles += other.throttles;
        self.client_errors += other.client_errors;
        self.server_errors += other.server_errors;
        self.input += other.input;
        self.output += other.output;
        self.cache_read += other.cache_read;
        self.cache_write += other.cache_write;
        self.charged += other.charged;
    }

    /// Requests that ended well.
    #[must_use]
    pub fn successes(&self) -> f64 {
        (self.invocations - self.client_errors - self.server_errors).max(0.0)
    }
}

/// One pool's past, minute by minute.
#[derive(Debug)]
pub(crate) struct PoolHistory {
    first: Minute,
    /// Per target of the pool, in the order of the pool's list.
    rows: Vec<Vec<TargetMinute>>,
    /// Per target, requests that come again in the next minute.
    carry: Vec<f64>,
}

/// The limits of one minute; `None` where there is no such quota.
#[derive(Clone, Copy, Debug)]
struct Limits {
    rpm: Option<f64>,
    tpm: Option<f64>,
}

impl PoolHistory {
    pub(crate) fn new(first: Minute, targets: usize) -> Self {
        Self {
            first,
            rows: vec![Vec::new(); targets],
            carry: vec![0.0; targets],
        }
    }

    /// What happened at the `slot`-th target of the pool, minute by minute from the first one of the history.
    pub(crate) fn rows(&self, slot: usize) -> Option<(Minute, &[TargetMinute])> {
        Some((self.first, self.rows.get(slot)?))
    }

    /// First minute that is not computed yet.
    pub(crate) fn end(&self) -> Minute {
        let done = self.rows.first().map_or(0, Vec::len);
        self.first.plus(i64::try_from(done).unwrap_or(i64::MAX))
    }

    /// Computes all minutes before `end`.
    pub(crate) fn compute(&mut self, end: Minute, view: &PoolView<'_>) {
        if self.rows.is_empty() {
            return;
        }
        for minute in self.end().until(end) {
            let limits = Limits {
                rpm: view.limit(view.rpm, minute),
                tpm: view.limit(view.tpm, minute),
            };
            self.step(minute, limits, view);
        }
    }

    fn step(&mut self, minute: Minute, limits: Limits, view: &PoolView<'_>) {
        let mut wanted = Vec::with_capacity(view.targets.len());
        for ((target, source), carry) in view.targets.iter().zip(&mut self.carry) {
            let mut demand = source.demand(&target.traffic, minute);
            if *carry > 0.0 {
                if demand.requests <= 0.0 {
                    demand.input = target.traffic.input_tokens;
                    demand.output = target.traffic.output_tokens;
                }
                demand.requests += std::mem::take(carry);
            }
            wanted.push(demand);
        }
        let share = accepted_share(&wanted, limits, view);
        let slots = view
            .targets
            .iter()
            .zip(&wanted)
            .zip(self.rows.iter_mut().zip(&mut self.carry));
        for (((target, source), demand), (rows, carry)) in slots {
            let row = outcome(minute, *demand, share, target, source, view.burndown);
            *carry = (row.throttles * view.retry_share).floor();
            rows.push(row);
        }
    }
}

/// What a pool's computation needs to see.
#[derive(Debug)]
pub(crate) struct PoolView<'a> {
    /// The pool's targets and their demand.
    pub(crate) targets: Vec<(&'a Target, &'a Source)>,
    /// The quotas of the pool's account and Region.
    pub(crate) quotas: &'a QuotaBook,
    /// The index of the pool's account and Region in the book.
    pub(crate) scope: usize,
    pub(crate) rpm: Option<&'a QuotaCode>,
    pub(crate) tpm: Option<&'a QuotaCode>,
    pub(crate) burndown: f64,
    pub(crate) retry_share: f64,
}

impl<'a> PoolView<'a> {
    pub(crate) fn new(
        world: &'a World,
        sources: &'a [Source],
        quotas: &'a QuotaBook,
        pool: &'a super::world::Pool,
    ) -> Self {
        let targets = pool.targets.iter();
        Self {
            targets: targets
                .filter_map(|index| world.targets.get(*index).zip(sources.get(*index)))
                .collect(),
            quotas,
            scope: quotas.scope_index(&pool.id.scope),
            rpm: pool.rpm.as_ref(),
            tpm: pool.tpm.as_ref(),
            burndown: pool.burndown,
            retry_share: world.retry_share,
        }
    }

    fn limit(&self, code: Option<&QuotaCode>, minute: Minute) -> Option<f64> {
        self.quotas.value_at(self.scope, code?, minute.start())
    }
}

fn accepted_share(wanted: &[Demand], limits: Limits, view: &PoolView<'_>) -> f64 {
    let requests: f64 = wanted.iter().map(|demand| demand.requests).sum();
    let charged: f64 = wanted
        .iter()
        .zip(&view.targets)
        .map(|(demand, (target, _))| {
            let writes = demand.input * target.traffic.cache_write_share;
            demand.requests * (demand.input + writes + demand.output * view.burndown)
        })
        .sum();
    let share = |limit: Option<f64>, load: f64| match limit {
        Some(limit) if load > limit => (limit / load).max(0.0),
        Some(_) | None => 1.0,
    };
    share(limits.rpm, requests).min(share(limits.tpm, charged))
}

fn outcome(
    minute: Minute,
    demand: Demand,
    share: f64,
    target: &Target,
    source: &Source,
    burndown: f64,
) -> TargetMinute {
    if demand.requests <= 0.0 {
        return TargetMinute::default();
    }
    let traffic = &target.traffic;
    // Rounded down, so that a pool never gets more than its quota.
    let invocations = if share < 1.0 {
        (demand.requests * share).floor()
    } else {
        demand.requests
    };
    let failed = |usual: f64, spans, purpose: u64| {
        let share = traffic::highest(spans, minute, usual);
        hash::round(invocations * share, source.chance(minute, purpose)).min(invocations)
    };
    let server_errors = failed(traffic.server_error_share, &traffic.server_errors, 5);
    let client_errors = failed(traffic.client_error_share, &traffic.client_errors, 6)
        .min(invocations - server_errors);
    let successes = invocations - server_errors - client_errors;
    let input = (successes * demand.input).round();
    let output = (successes * demand.output).round();
    let cache_write = (input * traffic.cache_write_share).round();
    let noise = 1.0 + 0.5 * hash::normal(source.chance(minute, 7)) / successes.max(1.0).sqrt();
    let usual_ms = traffic.first_token_ms + traffic.token_ms * demand.output;
    let slow = traffic::product(&traffic.slow, minute);
    TargetMinute {
        invocations,
        throttles: demand.requests - invocations,
        client_errors,
        server_errors,
        input,
        output,
        cache_read: (input * traffic.cache_read_share).round(),
        cache_write,
        charged: input + cache_write + (output * burndown).round(),
        latency_ms: if successes > 0.0 {
            usual_ms * slow * noise.clamp(0.3, 3.0)
        } else {
            0.0
        },
    }
}
