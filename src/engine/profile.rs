//! Fourteen days of use as numbers that a quota request can rest on.
//!
//! - Everything is added within a minute first; the peak is a minute that existed, never the sum of two peaks.
//! - Tokens are charged tokens, burndown and cache writes included, scaled to what was wanted where requests were refused.
//! - Every number carries how much of the fortnight was observed. Minutes without evidence are neither idle nor busy:
//!   they are left out, and the coverage says so; the peak is then a lower bound. Idle minutes count as zero.

use crate::model::{
    catalog::Pool,
    series::{PoolSeries, Signal},
    time::{DAY, Minute},
    units::{Amount, QuotaKind},
};

use super::{
    strip::Strip,
    yardstick::{Use, minute_use},
};

/// Length of the profile.
pub const PROFILE_MINUTES: i64 = 14 * DAY;

/// Use of one kind over the observed minutes (for tokens per day: over the days).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KindUse {
    /// The highest minute, or the highest day.
    pub peak: Amount,
    /// That minute, or the first minute of that day.
    pub peak_minute: Minute,
    /// Median.
    pub p50: Amount,
    /// Nine of ten are at or below this.
    pub p90: Amount,
    /// Mean.
    pub mean: Amount,
    /// Share of the profile's minutes that were observed, in basis points; below 10,000 the peak is a lower bound.
    pub coverage: u16,
    /// How many minutes were observed.
    pub observed: u32,
}

/// What a pool used lately.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UsageProfile {
    /// First minute of the window: fourteen days before `until`.
    pub from: Minute,
    /// End of the window, exclusive.
    pub until: Minute,
    /// Requests per minute that were wanted. `None`: not one minute was observed.
    pub rpm: Option<KindUse>,
    /// Tokens per minute that were wanted, burndown-weighted. `None`: not one minute was observed.
    pub tpm: Option<KindUse>,
    /// Tokens charged per UTC day; days that are not observed in full are lower bounds. `None`: not one minute was observed.
    pub tpd: Option<KindUse>,
    /// Requests refused in the window, as far as observed.
    pub throttled: Amount,
    /// The first minute with a request, through or refused. `None`: there was none.
    pub first_request: Option<Minute>,
    /// Mean input tokens of a request, over the minutes in which both are known. `None`: no such request.
    pub mean_input: Option<f64>,
    /// Mean output tokens of a request, likewise.
    pub mean_output: Option<f64>,
    /// Charged tokens are exact only where the burndown rate is known; else they are an estimate on the safe side.
    pub is_burndown_known: bool,
}

impl UsageProfile {
    /// Use of this kind.
    #[must_use]
    pub const fn of(&self, kind: QuotaKind) -> Option<&KindUse> {
        match kind {
            QuotaKind::Rpm => self.rpm.as_ref(),
            QuotaKind::Tpm => self.tpm.as_ref(),
            QuotaKind::Tpd => self.tpd.as_ref(),
            QuotaKind::InputTpm | QuotaKind::OutputTpm => None, // the profile is of the runtime endpoint
        }
    }
}

/// The profile of the fourteen days that end with `until` (exclusive), or of what there is of them.
#[must_use]
pub fn usage_profile(pool: &Pool, series: &PoolSeries, until: Minute) -> UsageProfile {
    let from = until.plus(-PROFILE_MINUTES);
    let strip = Strip::cut(series, from, until, Signal::ALL);
    let mut throttled = 0.0;
    let mut first_request = None;
    let (mut input, mut output) = (Ratio::default(), Ratio::default());
    for minute in from.until(until) {
        let through = strip.value(Signal::Invocations, minute);
        let refused = strip.value(Signal::Throttles, minute).unwrap_or(0.0); // a lower bound, and said so
        throttled += refused;
        if first_request.is_none() && 0.0 < through.unwrap_or(0.0) + refused {
            first_request = Some(minute);
        }
        input.add(strip.value(Signal::InputTokens, minute), through);
        output.add(strip.value(Signal::OutputTokens, minute), through);
    }
    UsageProfile {
        from,
        until,
        rpm: per_minute(QuotaKind::Rpm, &strip, from, until),
        tpm: per_minute(QuotaKind::Tpm, &strip, from, until),
        tpd: per_day(&strip, from, until),
        throttled: amount(throttled),
        first_request,
        mean_input: input.mean(),
        mean_output: output.mean(),
        is_burndown_known: pool.burndown.is_some(),
    }
}

/// Demand of the last 24 hours, for telling new evidence from old after a grant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecentUse {
    /// 95 of 100 observed minutes are at or below this.
    pub p95: Amount,
    /// How many of the 1,440 minutes were observed.
    pub observed: u32,
}

/// The 95th percentile of demand per minute over the 24 hours before `until` (exclusive); for tokens per day the sum of
/// these hours as far as observed. `None`: not one minute was observed.
#[must_use]
pub fn p95_demand_last_24h(
    series: &PoolSeries,
    kind: QuotaKind,
    until: Minute,
) -> Option<RecentUse> {
    let from = until.plus(-DAY);
    let strip = Strip::cut(series, from, until, Signal::ALL);
    let mut values: Vec<f64> = from
        .until(until)
        .filter_map(|minute| minute_use(kind, &strip, minute).number())
        .collect();
    let observed = count(values.len());
    let p95 = match kind {
        QuotaKind::Tpd if values.is_empty() => None,
        QuotaKind::Tpd => Some(values.iter().sum()),
        QuotaKind::Rpm | QuotaKind::Tpm | QuotaKind::InputTpm | QuotaKind::OutputTpm => {
            values.sort_by(f64::total_cmp);
            percentile(&values, 95)
        }
    }?;
    Some(RecentUse {
        p95: amount(p95),
        observed,
    })
}

fn per_minute(kind: QuotaKind, strip: &Strip, from: Minute, until: Minute) -> Option<KindUse> {
    let uses = from.until(until).filter_map(|minute| {
        let used = minute_use(kind, strip, minute).number()?;
        Some((minute, used))
    });
    let uses: Vec<(Minute, f64)> = uses.collect();
    summary(&uses, uses.len())
}

fn per_day(strip: &Strip, from: Minute, until: Minute) -> Option<KindUse> {
    let mut days: Vec<(Minute, f64)> = Vec::new();
    let mut observed = 0;
    for minute in from.until(until) {
        let Use::Exactly(charged) = minute_use(QuotaKind::Tpd, strip, minute) else {
            continue;
        };
        observed += 1;
        let day = Minute(minute.0.div_euclid(DAY) * DAY);
        match days.last_mut() {
            Some((last, sum)) if *last == day => *sum += charged,
            Some(_) | None => days.push((day, charged)),
        }
    }
    summary(&days, observed)
}

/// `None` for no uses at all. The first of equal peaks is named.
fn summary(uses: &[(Minute, f64)], observed: usize) -> Option<KindUse> {
    let peak = uses
        .iter()
        .copied()
        .reduce(|best, next| if best.1 < next.1 { next } else { best })?;
    let mut values: Vec<f64> = uses.iter().map(|(_, used)| *used).collect();
    values.sort_by(f64::total_cmp);
    let observed = count(observed);
    Some(KindUse {
        peak: amount(peak.1),
        peak_minute: peak.0,
        p50: amount(percentile(&values, 50)?),
        p90: amount(percentile(&values, 90)?),
        mean: amount(values.iter().sum::<f64>() / f64::from(count(values.len()))),
        coverage: coverage(observed),
        observed,
    })
}

/// Nearest rank: a value that occurred. `None` for an empty slice.
fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

fn coverage(observed: u32) -> u16 {
    let points = i64::from(observed) * 10_000 / PROFILE_MINUTES;
    u16::try_from(points.min(10_000)).unwrap_or(10_000)
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX) // at most PROFILE_MINUTES
}

/// Sums of counts are finite and not negative; a sum beyond every number becomes the largest one.
fn amount(value: f64) -> Amount {
    Amount::new(value.clamp(0.0, f64::MAX)).unwrap_or(Amount::ZERO)
}

/// Tokens over requests, over the minutes in which both are known.
#[derive(Debug, Default)]
struct Ratio {
    tokens: f64,
    requests: f64,
}

impl Ratio {
    fn add(&mut self, tokens: Option<f64>, requests: Option<f64>) {
        if let (Some(tokens), Some(requests)) = (tokens, requests) {
            self.tokens += tokens;
            self.requests += requests;
        }
    }

    fn mean(&self) -> Option<f64> {
        (0.0 < self.requests).then(|| self.tokens / self.requests)
    }
}
