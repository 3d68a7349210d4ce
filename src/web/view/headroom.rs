//! Use against quota, for each pool and kind.

use std::cmp::Ordering;

use super::{
    View,
    record::{bands, warnings},
    text,
};
use crate::{
    model::{
        alert::{AlertState, Verdict},
        card::Card,
        catalog::{Mapping, Pool, PoolId},
        ids::{ModelId, QuotaCode, Scope},
        quota::Limit,
        series::{PoolSeries, Sample, Signal},
        time::{DAY, HOUR, Minute},
        units::{Amount, QuotaKind, grouped},
        worth::{UNIT_USD, Worth},
    },
    runtime::{
        portrait::{most_output, without_price},
        shared::FAN_STEP,
    },
    web::{
        json::{Ahead, FanPoint, Headroom},
        words::clock,
    },
};

/// How far back from the newest number the two halves of demand are sought in one minute.
const DEMAND_LOOK_BACK: i64 = 60;

/// Use in the newest minute that is known.
struct Use {
    amount: f64,
    at: Minute,
    is_lower_bound: bool,
}

impl Use {
    fn times(self, factor: f64) -> Self {
        Self {
            amount: self.amount * factor,
            ..self
        }
    }
}

/// The limit of a row: the number, the word for where it comes from, and what to know of it.
struct Bound {
    limit: Option<f64>,
    source: &'static str,
    code: Option<QuotaCode>,
    note: String,
}

impl View<'_> {
    /// One row for each kind of each pool, least headroom first, then those without a number.
    pub(in crate::web) fn headroom(&self) -> Vec<Headroom> {
        let pools = self.book.pools.values();
        let mut rows: Vec<Headroom> = pools.flat_map(|pool| self.rows_of(pool)).collect();
        rows.sort_by(least_headroom_first);
        rows
    }

    /// The rows of one pool, in the order of the kinds.
    pub(super) fn rows_of(&self, pool: &Pool) -> Vec<Headroom> {
        let kinds = pool.id.family.kinds().iter();
        kinds.map(|kind| self.row(pool, *kind)).collect()
    }

    fn row(&self, pool: &Pool, kind: QuotaKind) -> Headroom {
        let bound = self.bound(pool, kind);
        let series = self.book.series.get(&pool.id);
        let used = series.and_then(|series| used(series, kind));
        let used = used.map(|it| it.times(shown(kind)));
        let sharing = bound
            .code
            .as_ref()
            .map_or(0, |code| self.sharing(&pool.id, kind, code));
        let mut notes = vec![bound.note];
        if sharing > 0 {
            notes.push(format!("shared with {sharing} more pools of this Region"));
        }
        let reserved = series
            .filter(|_| kind == QuotaKind::Tpm)
            .and_then(|series| self.reserved(&pool.id, series));
        if let (Some(held), Some(limit)) = (&reserved, bound.limit)
            && limit < held.most
        {
            notes.push(format!(
                "with max_tokens reserved at admission between {} and {} at {} ({:.1} requests in flight, each holding at most {}): requests may be refused below the quota",
                grouped(held.least),
                grouped(held.most),
                clock(&held.at),
                held.in_flight,
                grouped(most_output()),
            ));
        }
        if kind == QuotaKind::CrossModelTpd {
            notes.extend(self.without_price(&pool.id.scope));
        }
        if let Some(age) = used.as_ref().and_then(|it| self.age(it.at.start()))
            && age > self.stale_seconds()
        {
            notes.push(format!("no newer use known for {} minutes", age / 60));
        }
        notes.retain(|note| !note.is_empty());
        let id = &pool.id;
        Headroom {
            pool: id.to_string(),
            account: id.scope.account.to_string(),
            account_name: self.account_name(&id.scope.account),
            region: id.scope.region.to_string(),
            family: id.family.name().to_owned(),
            model: id.model.to_string(),
            kind: kind.name().to_owned(),
            state: self.state(id, kind).to_owned(),
            quota_code: bound.code.map(|code| code.to_string()),
            used: used.as_ref().map(|it| it.amount),
            used_at: used.as_ref().map(|it| text(it.at.start())),
            used_is_lower_bound: sharing > 0 || used.as_ref().is_some_and(|it| it.is_lower_bound),
            share: share(used.as_ref().map(|it| it.amount), bound.limit),
            coverage: self.coverage(&pool.id, kind),
            reserved,
            ahead: self.ahead(id, kind),
            unit: unit(kind).to_owned(),
            limit: bound.limit,
            source: bound.source.to_owned(),
            note: notes.join("; "),
        }
    }

    /// Models that are weighed like the dearest one, since nobody said what they cost.
    fn without_price(&self, scope: &Scope) -> Option<String> {
        let prices = &self.settings.policy.prices;
        let models = without_price(self.book, prices, scope, Minute::of(self.now()?));
        let names: Vec<&str> = models.iter().map(ModelId::as_str).collect();
        (!names.is_empty()).then(|| {
            format!(
                "no price is known of {}, which count as the dearest: see [[price]]",
                names.join(", ")
            )
        })
    }

    fn ahead(&self, pool: &PoolId, kind: QuotaKind) -> Option<Ahead> {
        let outlook = self.health.outlooks.get(&(pool.clone(), kind))?;
        let it = &outlook.exhaustion;
        let fan = (0_i64..).zip(&outlook.fan).map(|(step, point)| FanPoint {
            from: text(it.origin.plus(step * FAN_STEP).start()),
            p10: point.p10 * shown(kind),
            p50: point.p50 * shown(kind),
            p90: point.p90 * shown(kind),
        });
        let (coverage, outcomes) = Card::sum(std::iter::once(&outlook.card));
        Some(Ahead {
            as_of: text(it.origin.start()),
            p10_minutes: it.p10,
            p50_minutes: it.p50,
            p90_minutes: it.p90,
            within_hour: it.within_hour,
            within_day: it.within_day,
            within_week: it.within_week,
            within_month: it.within_month,
            week_p95: it.week_p95 * shown(kind),
            fan: fan.collect(),
            bands: bands(&coverage),
            warnings: warnings(&outcomes),
        })
    }

    fn bound(&self, pool: &Pool, kind: QuotaKind) -> Bound {
        let without = |source, note: String| Bound {
            limit: None,
            source,
            code: None,
            note,
        };
        match pool.mapping(kind) {
            Mapping::Mapped { code, proof } => {
                let key = (pool.id.scope.clone(), code.clone());
                let quota = self.book.quotas.get(&key);
                let limit = quota.map_or(Limit::Unknown, |it| it.limit_for(pool));
                let stale = quota.and_then(|it| it.stale.as_ref());
                let amount = match limit {
                    Limit::Applied(value) | Limit::Default(value) => {
                        Some(value.get() * shown(kind))
                    }
                    Limit::Blocked => Some(0.0),
                    Limit::Unknown => None,
                };
                let proof = if limit == Limit::Blocked {
                    format!(
                        "the applied value is 0: this model is blocked for the account; {proof}"
                    )
                } else {
                    proof.clone()
                };
                let weighed = quota.filter(|_| kind == QuotaKind::CrossModelTpd);
                let proof = match weighed.and_then(|it| it.limit().amount()) {
                    Some(tokens) => format!("{proof}; {}", weighed_by_price(tokens, pool.worth)),
                    None => proof,
                };
                Bound {
                    limit: amount,
                    source: limit.source(),
                    code: Some(code.clone()),
                    note: stale.map_or_else(
                        || proof.clone(),
                        |why| format!("{proof}; an older value, since the last read failed: {why}"),
                    ),
                }
            }
            Mapping::Absent => without("absent", "no such quota: not limited this way".to_owned()),
            Mapping::Ambiguous { candidates } => {
                let codes: Vec<&str> = candidates.iter().map(QuotaCode::as_str).collect();
                without(
                    "ambiguous",
                    format!("several fit, none is acted upon: {}", codes.join(", ")),
                )
            }
            Mapping::Unknown => without("unknown", self.why_unknown(&pool.id.scope)),
        }
    }

    fn why_unknown(&self, scope: &Scope) -> String {
        match self.settings.policy.metrics_only.get(&scope.account) {
            Some(through) => format!(
                "the quotas can't be read: metrics come through account {through}, and no role leads into this one"
            ),
            None => "the quotas could not be read yet".to_owned(),
        }
    }

    /// How many other pools draw on the same code.
    fn sharing(&self, pool: &PoolId, kind: QuotaKind, code: &QuotaCode) -> usize {
        let others = self.book.pools_in(&pool.scope);
        let others = others.filter(|it| it.id != *pool);
        others
            .filter(|it| it.mapping(kind).code() == Some(code))
            .count()
    }

    fn state(&self, pool: &PoolId, kind: QuotaKind) -> &'static str {
        let of_quota =
            |verdict: &&Verdict| verdict.quota.as_ref().is_some_and(|(it, _)| *it == kind);
        let verdicts = self.health.verdicts.get(pool).into_iter().flatten();
        let verdicts = verdicts.filter(of_quota);
        let worst = verdicts.map(|verdict| verdict.state).max_by_key(badness);
        worst.map_or("unjudged", AlertState::name)
    }
}

/// What one unit that is counted is shown as.
const fn shown(kind: QuotaKind) -> f64 {
    match kind {
        QuotaKind::CrossModelTpd => UNIT_USD,
        QuotaKind::Rpm
        | QuotaKind::Tpm
        | QuotaKind::Tpd
        | QuotaKind::InputTpm
        | QuotaKind::OutputTpm => 1.0,
    }
}

/// What the numbers of a row are.
const fn unit(kind: QuotaKind) -> &'static str {
    match kind {
        QuotaKind::Rpm => "requests",
        QuotaKind::Tpm | QuotaKind::Tpd | QuotaKind::InputTpm | QuotaKind::OutputTpm => "tokens",
        QuotaKind::CrossModelTpd => "usd",
    }
}

/// How much a quota comes to whose tokens are weighed by price, and how that is known.
fn weighed_by_price(tokens: Amount, worth: Option<Worth>) -> String {
    let Some(worth) = worth else {
        return "no price of any of its models is known, so that nothing can be told of its use: see [[price]]".to_owned();
    };
    let usd = |units: f64| grouped(units * UNIT_USD);
    let mut known = format!(
        "AWS publishes neither the weights nor the use: counted here in USD by the prices that are known, of which {tokens} tokens come to between {} and {}",
        usd(worth.low * tokens.get()),
        usd(worth.high * tokens.get())
    );
    if let Some(mark) = worth.passed {
        known.push_str(&format!(
            "; {} went through on the day of {}",
            usd(mark.used),
            mark.at
        ));
    }
    if let Some(mark) = worth.stopped {
        known.push_str(&format!(
            "; all was refused after {} at {}",
            usd(mark.used),
            mark.at
        ));
    }
    known
}

/// The worst of several states is what a row says; not knowing is worse than being fine.
const fn badness(state: &AlertState) -> u8 {
    match state {
        AlertState::Normal => 0,
        AlertState::NoData => 1,
        AlertState::Recovering => 2,
        AlertState::Pending => 3,
        AlertState::Error => 4,
        AlertState::Alerting => 5,
    }
}

/// Blocked pools first, then by share, then what has no share (absent quotas last), then by name.
pub(super) fn least_headroom_first(a: &Headroom, b: &Headroom) -> Ordering {
    let rank = |row: &Headroom| match row.source.as_str() {
        "blocked" => 0,
        "absent" => 3,
        _ if row.share.is_some() => 1,
        _ => 2,
    };
    let share = |row: &Headroom| row.share.unwrap_or(0.0);
    rank(a)
        .cmp(&rank(b))
        .then_with(|| share(b).total_cmp(&share(a)))
        .then_with(|| a.pool.cmp(&b.pool))
        .then_with(|| a.kind.cmp(&b.kind))
}

/// Nothing is ever divided by a zero limit.
fn share(used: Option<f64>, limit: Option<f64>) -> Option<f64> {
    let limit = limit.filter(|limit| *limit > 0.0)?;
    used.map(|used| used / limit)
}

fn used(series: &PoolSeries, kind: QuotaKind) -> Option<Use> {
    match kind {
        QuotaKind::Tpm => newest(series, Signal::ChargedTokens),
        QuotaKind::Rpm => newest_demand(series),
        QuotaKind::Tpd | QuotaKind::CrossModelTpd => charged_today(series),
        QuotaKind::InputTpm => newest(series, Signal::InputTokens),
        QuotaKind::OutputTpm => newest(series, Signal::OutputTokens),
    }
}

fn newest(series: &PoolSeries, signal: Signal) -> Option<Use> {
    let (at, amount) = series.last_value(signal)?;
    Some(Use {
        amount,
        at,
        is_lower_bound: false,
    })
}

/// Demand in the newest minute in which both of its halves are known.
fn newest_demand(series: &PoolSeries) -> Option<Use> {
    let (newest, _) = series.last_value(Signal::Invocations)?;
    let minutes = newest
        .plus(1 - DEMAND_LOOK_BACK)
        .until(newest.plus(1))
        .rev();
    minutes
        .map(|at| (at, series.demand(at)))
        .find_map(|(at, sample)| {
            sample.value().map(|amount| Use {
                amount,
                at,
                is_lower_bound: false,
            })
        })
}

/// Charged tokens since the start of the UTC day of the newest minute that is known.
fn charged_today(series: &PoolSeries) -> Option<Use> {
    let (newest, _) = series.last_value(Signal::ChargedTokens)?;
    let day = Minute(newest.0.div_euclid(DAY) * DAY);
    let (mut amount, mut known) = (0.0, 0_i64);
    let mut hour = day;
    while hour <= newest {
        let block = series.block(Signal::ChargedTokens, hour);
        for value in block.into_iter().flatten().filter_map(Sample::value) {
            amount += value;
            known += 1;
        }
        hour = hour.plus(HOUR);
    }
    Some(Use {
        amount,
        at: newest,
        is_lower_bound: known < newest.since(day) + 1,
    })
}
