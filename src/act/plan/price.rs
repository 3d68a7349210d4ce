//! What more quota would cost if it were used: the room that is asked for, all day, at the mix of tokens that the pools
//! behind the quota take now.
//!
//! The mix is measured, and turns what the quota counts into what is billed: with a burndown rate of 5, a charged token is
//! less than one token on the bill. Where the mix or a price is not known, nothing is said: a guess in dollars would be
//! believed.

use super::{draft::Draft, situation};
use crate::{
    engine::mix::{self, Mix, mix, unit},
    model::{
        catalog::{Pool, PoolId},
        incident::Incident,
        price::{PriceSource, TokenPrice, about, exact},
        quota::Quota,
        reason::{FULL_USE, Reason},
        series::{Sample, Signal},
        time::{DAY, Minute},
        units::{Amount, QuotaKind, grouped},
    },
};

/// Days of which the mix is taken where the last one has too little traffic.
const LONG_DAYS: i64 = 14;

/// What asking for this value may come to cost, in one line; `None` where a price or the mix is not known.
pub(super) fn at_full_use(
    draft: &Draft<'_>,
    incident: &Incident,
    quota: &Quota,
    desired: Amount,
) -> Option<Reason> {
    let kind = incident.kind?;
    let applied = quota.limit().amount()?;
    let room = Amount::new(desired.get() - applied.get()).filter(|it| 0.0 < it.get())?;
    let mut pools = situation::pools_of(draft.book(), &quota.scope, &quota.code);
    if !pools.any(|it| price_of(draft, it).is_some()) {
        return None; // the rest is only worth its time where there is a price
    }
    let until = incident.last_bad.plus(1);
    let spans = [
        ("the last 24 hours", DAY),
        ("the last 14 days", LONG_DAYS * DAY),
    ];
    // A few days of a fortnight are no fortnight.
    let mut drains = situation::pools_of(draft.book(), &quota.scope, &quota.code);
    let is_whole = drains.all(|it| draft.minutes().is_whole(&it.id));
    let spans = spans.into_iter();
    let spans = spans.filter(|(_, minutes)| *minutes == DAY || is_whole);
    let mut found = spans.filter_map(|(words, minutes)| {
        let bill = Bill::of(draft, quota, kind, (until.plus(-minutes), until))?;
        Some((words, bill))
    });
    let (words, bill) = found.next()?;
    let a_day = if kind.is_daily() { 1.0 } else { 1_440.0 };
    let usd = bill.usd / bill.mix.units * room.get() * a_day;
    let text = format!(
        "{FULL_USE}the {room} {unit} asked for beyond today's {applied} would cost {usd} a day: {how} {words} ({mix}), {price}",
        unit = kind.unit(),
        usd = about(usd),
        how = match kind {
            QuotaKind::Rpm => "all day as the requests of",
            QuotaKind::Tpd | QuotaKind::CrossModelTpd => "at the mix of",
            QuotaKind::Tpm | QuotaKind::InputTpm | QuotaKind::OutputTpm => "all day at the mix of",
        },
        mix = bill.words(kind),
        price = bill.price(),
    );
    Some(Reason::FullUse { usd, text })
}

/// What all pools that drain a quota took over a span, and what that costs.
struct Bill {
    mix: Mix,
    usd: f64,
    /// The price of each pool that took anything.
    prices: Vec<TokenPrice>,
    /// Of the lists that prices are from, the day of the oldest.
    listed: Option<String>,
    is_configured: bool,
    /// How many times the quota counts a token of output, where that is the same for all.
    burndown: Option<f64>,
    /// Whether what the cache takes, and what it gives, is billed and has no part in the sum.
    lacks: (bool, bool),
}

impl Bill {
    fn of(
        draft: &Draft<'_>,
        quota: &Quota,
        kind: QuotaKind,
        (from, until): (Minute, Minute),
    ) -> Option<Self> {
        let minutes = draft.minutes();
        let samples = |pool: &PoolId, signal: Signal, from, until| {
            minutes.window(pool, signal, from, until).collect()
        };
        let mut bill: Option<Self> = None;
        for pool in situation::pools_of(draft.book(), &quota.scope, &quota.code) {
            let span = (from, until);
            let Some(mut mix) = mix(&samples, &pool.id, unit(kind), span) else {
                if is_silent(&samples(&pool.id, unit(kind), from, until)) {
                    continue;
                }
                return None;
            };
            if mix.tokens() <= 0.0 {
                continue;
            }
            mix.units /= quota.times(pool)?;
            let (price, source) = price_of(draft, pool)?;
            let more = Self::of_pool(pool, mix, price, source);
            bill = Some(match bill {
                None => more,
                Some(bill) => bill.and(more),
            });
        }
        bill.filter(|it| 0.0 < it.mix.units)
    }

    fn of_pool(pool: &Pool, mix: Mix, price: TokenPrice, source: &PriceSource) -> Self {
        let listed = match source {
            PriceSource::Configured => None,
            PriceSource::Listed { checked } => Some(checked.clone()),
        };
        let has_writes = 0.0 < mix.cache_writes;
        let has_reads = mix.cache_reads.map_or(has_writes, |it| 0.0 < it);
        let is_priced = price.cache_read.is_some() && mix.cache_reads.is_some();
        Self {
            lacks: (
                has_writes && price.cache_write.is_none(),
                has_reads && !is_priced,
            ),
            usd: mix.usd(&price),
            mix,
            prices: vec![price],
            is_configured: listed.is_none(),
            listed,
            burndown: pool.burndown,
        }
    }

    fn and(self, more: Self) -> Self {
        let is_same = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let cache_reads = match (self.mix.cache_reads, more.mix.cache_reads) {
            (Some(a), Some(b)) => Some(a + b),
            (one, other) => one.or(other),
        };
        let mut prices = self.prices;
        prices.extend(more.prices);
        Self {
            mix: Mix {
                units: self.mix.units + more.mix.units,
                input: self.mix.input + more.mix.input,
                output: self.mix.output + more.mix.output,
                cache_writes: self.mix.cache_writes + more.mix.cache_writes,
                cache_reads,
            },
            usd: self.usd + more.usd,
            prices,
            listed: [self.listed, more.listed].into_iter().flatten().min(),
            is_configured: self.is_configured || more.is_configured,
            lacks: (self.lacks.0 || more.lacks.0, self.lacks.1 || more.lacks.1),
            burndown: self
                .burndown
                .filter(|own| more.burndown.is_some_and(|it| is_same(*own, it))),
        }
    }

    /// `82 % input, 18 % output, which the quota counts 5 times`.
    fn words(&self, kind: QuotaKind) -> String {
        let all = self.mix.tokens();
        let parts = [
            ("input", self.mix.input),
            ("output", self.mix.output),
            ("cache writes", self.mix.cache_writes),
            ("cache reads", self.mix.cache_reads.unwrap_or(0.0)),
        ];
        let parts = parts.into_iter().filter_map(|(name, tokens)| {
            let percent = (100.0 * tokens / all).round();
            (1.0 <= percent).then(|| format!("{percent:.0} % {name}"))
        });
        let parts: Vec<String> = parts.collect();
        let each = match kind {
            QuotaKind::Rpm => format!("{} tokens each: ", grouped((all / self.mix.units).round())),
            QuotaKind::Tpm
            | QuotaKind::Tpd
            | QuotaKind::CrossModelTpd
            | QuotaKind::InputTpm
            | QuotaKind::OutputTpm => String::new(),
        };
        let is_charged = matches!(kind, QuotaKind::Tpm | QuotaKind::Tpd);
        let counts = self.burndown.filter(|it| is_charged && 1.0 < *it);
        let counts = counts.map_or_else(String::new, |it| {
            format!("; a token of output counts {it} times in the quota")
        });
        format!("{each}{}{counts}", parts.join(", "))
    }

    /// What a million tokens cost, who says so, and what is not in it.
    fn price(&self) -> String {
        let first = self.prices.first().copied();
        let same = first.filter(|first| self.prices.iter().all(|it| it == first));
        let each = same.map_or_else(
            || format!("at the prices of its {} pools", self.prices.len()),
            |usd| {
                format!(
                    "{} USD in and {} USD out for a million tokens",
                    exact(usd.input),
                    exact(usd.output)
                )
            },
        );
        let source = match (&self.listed, self.is_configured) {
            (Some(day), false) => format!("as listed on {day}"),
            (Some(day), true) => format!("by your [[price]] and as listed on {day}"),
            (None, _) => "by your [[price]]".to_owned(),
        };
        format!("{each}, {source}{}", self.lacking())
    }

    /// Tokens that are billed and have no part in the sum.
    const fn lacking(&self) -> &'static str {
        match self.lacks {
            (false, false) => "",
            (true, false) => "; writes to the prompt cache are not in it",
            (false, true) => "; reads from the prompt cache are not in it",
            (true, true) => "; what the prompt cache takes and gives is not in it",
        }
    }
}

/// Whether it is known that nothing was taken: what a quiet pool's tokens are made of is read seldom.
fn is_silent(minutes: &[Sample]) -> bool {
    let is_known = minutes.iter().any(|it| *it != Sample::Unobserved);
    is_known
        && !minutes
            .iter()
            .any(|it| it.value().is_some_and(|it| 0.0 < it))
}

/// What tokens of this pool cost now.
fn price_of<'a>(draft: &Draft<'a>, pool: &Pool) -> Option<(TokenPrice, &'a PriceSource)> {
    let prices = &draft.inputs.policy.prices;
    mix::price_of(draft.book(), prices, &pool.id, Minute::of(draft.now()))
}
