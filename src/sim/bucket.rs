//! Throttling, caused: what a pool's targets want in a minute, held against the quotas of that minute.
//!
//! Model: fixed one-minute windows. Requests above RPM, and requests whose charged tokens (input + cache writes +
//! output x burndown) go above TPM, are refused, in proportion over the pool's targets; at the mantle endpoint those
//! whose input or output tokens go above the quota of each. Once the tokens charged on a UTC day have reached the
//! model's daily quota, everything is refused until the next one (`day`). A share of the refused ones
//! comes again in the next minute. That makes minutes depend on the ones before, so a pool is computed in order from
//! the start of its history and kept.

use super::{
    day::DayCount,
    hash,
    quotas::{QuotaBook, Values},
    traffic::{self, Demand, Source},
    world::{Pool, TokenWeights, Traffic, World},
};
use crate::model::{quota, time::Minute, units::QuotaKind};

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
    /// What the latest day has taken of the model's daily quota.
    day: DayCount,
}

impl PoolHistory {
    pub(crate) fn new(first: Minute, targets: usize) -> Self {
        Self {
            first,
            rows: vec![Vec::new(); targets],
            carry: vec![0.0; targets],
            day: DayCount::default(),
        }
    }

    /// What happened at the `slot`-th target of the pool, minute by minute from the first one of the history.
    pub(crate) fn rows(&self, slot: usize) -> Option<(Minute, &[TargetMinute])> {
        Some((self.first, self.rows.get(slot)?))
    }

    /// What the latest minute took of a quota that weighs tokens like this.
    pub(crate) fn weigh_last(&self, weights: &TokenWeights) -> f64 {
        let rows = self.rows.iter().filter_map(|rows| rows.last());
        let taken = rows.map(|row| {
            row.input * weights.input
                + row.output * weights.output
                + row.cache_read * weights.cache_read
                + row.cache_write * weights.cache_write
        });
        taken.sum()
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
            let turn = self.ask(minute, view);
            self.settle(minute, view, &turn);
        }
    }

    /// What the pool's callers want in its next minute, and how much of that its own quotas let through.
    /// [`Self::settle`] must follow.
    pub(crate) fn ask(&mut self, minute: Minute, view: &PoolView<'_>) -> Turn {
        let mut wanted = Vec::with_capacity(view.targets.len());
        for ((traffic, source), carry) in view.targets.iter().zip(&mut self.carry) {
            let mut demand = source.demand(traffic, minute);
            if *carry > 0.0 {
                if demand.requests <= 0.0 {
                    demand.input = traffic.input_tokens;
                    demand.output = traffic.output_tokens;
                }
                demand.requests += std::mem::take(carry);
            }
            wanted.push(demand);
        }
        let mut turn = Turn {
            share: view.minute_share(&wanted, minute),
            uses_up: false,
            wanted,
        };
        if let Some((quota, times)) = &view.per_day {
            self.day.begin(minute, quota.at(minute.start()) * times);
            let load = view.load(QuotaKind::Tpd, &turn.wanted) * turn.share;
            let share = self.day.share(load);
            turn.share *= share;
            turn.uses_up = share < 1.0;
        }
        turn
    }

    /// What happened in the minute that was asked about.
    pub(crate) fn settle(&mut self, minute: Minute, view: &PoolView<'_>, turn: &Turn) {
        if turn.uses_up {
            self.day.close();
        }
        let slots = view
            .targets
            .iter()
            .zip(&turn.wanted)
            .zip(self.rows.iter_mut().zip(&mut self.carry));
        for (((traffic, source), demand), (rows, carry)) in slots {
            let row = outcome(minute, *demand, turn.share, traffic, source, view.burndown);
            *carry = (row.throttles * view.retry_share).floor();
            self.day.take(row.charged);
            rows.push(row);
        }
    }
}

/// A minute of a pool that is still to be decided.
#[derive(Debug)]
pub(crate) struct Turn {
    /// Per target.
    wanted: Vec<Demand>,
    /// Of all requests, the share that is let through.
    pub(crate) share: f64,
    /// Whether that uses up the day of the model's own quota.
    pub(crate) uses_up: bool,
}

/// What a pool's computation needs to see.
#[derive(Debug)]
pub(crate) struct PoolView<'a> {
    /// The traffic of the pool's targets, and their demand.
    targets: Vec<(&'a Traffic, &'a Source)>,
    /// The quotas of a minute.
    limits: Vec<(QuotaKind, Values<'a>)>,
    /// The quota of a day, and how many times its value the pool may take.
    per_day: Option<(Values<'a>, f64)>,
    burndown: f64,
    retry_share: f64,
}

impl<'a> PoolView<'a> {
    /// `sources` are those of all targets of the world.
    pub(crate) fn new(
        world: &'a World,
        sources: &'a [Source],
        quotas: &'a QuotaBook,
        pool: &'a Pool,
    ) -> Self {
        let targets = pool.targets.iter();
        let scope = quotas.scope_index(&pool.id.scope);
        let limits = pool.limits.iter();
        let per_day = pool.per_day.as_ref();
        Self {
            targets: targets
                .filter_map(|index| {
                    let target = world.targets.get(*index)?;
                    Some((&target.traffic, sources.get(*index)?))
                })
                .collect(),
            limits: limits
                .filter_map(|(kind, code)| Some((*kind, quotas.values(scope, code)?)))
                .collect(),
            per_day: per_day.and_then(|code| {
                let values = quotas.values(scope, code)?;
                Some((values, quota::times(&values.row.name, pool.id.family)))
            }),
            burndown: pool.burndown,
            retry_share: world.retry_share,
        }
    }

    /// What a minute would take of a quota that weighs tokens like this.
    pub(crate) fn weigh(&self, turn: &Turn, weights: &TokenWeights) -> f64 {
        let wanted = turn.wanted.iter().zip(&self.targets);
        let loads = wanted.map(|(demand, (traffic, _))| {
            let input = weights.input
                + weights.cache_read * traffic.cache_read_share
                + weights.cache_write * traffic.cache_write_share;
            demand.requests * (demand.input * input + demand.output * weights.output)
        });
        loads.sum::<f64>() * turn.share
    }

    /// Of all requests, the share that no quota of this minute refuses.
    fn minute_share(&self, wanted: &[Demand], minute: Minute) -> f64 {
        let shares = self.limits.iter().map(|(kind, quota)| {
            let load = self.load(*kind, wanted);
            let limit = quota.at(minute.start());
            if load > limit {
                (limit / load).max(0.0)
            } else {
                1.0
            }
        });
        shares.fold(1.0, f64::min)
    }

    /// What these requests would take of a quota.
    fn load(&self, kind: QuotaKind, wanted: &[Demand]) -> f64 {
        let of_requests = wanted.iter().zip(&self.targets);
        let loads = of_requests.map(|(demand, (traffic, _))| {
            let a_request = match kind {
                QuotaKind::Rpm => 1.0,
                QuotaKind::Tpm | QuotaKind::Tpd | QuotaKind::CrossModelTpd => {
                    let writes = demand.input * traffic.cache_write_share;
                    demand.input + writes + demand.output * self.burndown
                }
                QuotaKind::InputTpm => demand.input,
                QuotaKind::OutputTpm => demand.output,
            };
            demand.requests * a_request
        });
        loads.sum()
    }
}

fn outcome(
    minute: Minute,
    demand: Demand,
    share: f64,
    traffic: &Traffic,
    source: &Source,
    burndown: f64,
) -> TargetMinute {
    if demand.requests <= 0.0 {
        return TargetMinute::default();
    }
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
