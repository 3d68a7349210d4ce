//! What follows from a pool's minutes beside its use, as documents.

use super::{View, text};
use crate::{
    model::{
        catalog::PoolId,
        series::{Depth, PoolSeries, Signal},
        time::{DAY, HOUR, Minute},
        units::QuotaKind,
    },
    runtime::{portrait, shared::CrossCheck},
    web::json::{ChargeCheck, PerRequest, Reserved},
};

impl View<'_> {
    pub(super) fn per_request(&self, pool: &PoolId) -> Option<PerRequest> {
        let until = self.book.known_until(pool, Depth::Full)?;
        let means = portrait::per_request(self.book.series.get(pool)?, until)?;
        Some(PerRequest {
            requests: means.requests,
            input_tokens: means.input,
            output_tokens: means.output,
            cache_read_tokens: means.cache_read,
            cache_write_tokens: means.cache_write,
            long_input_share: means.long_inputs.map(|percent| percent / 100.0),
            long_input_tokens: portrait::long_input(),
            coverage: f64::from(means.coverage) / 10_000.0,
        })
    }

    /// How much of the hour before the last read was observed, of what use of this kind needs; for `tpd` of its UTC day so
    /// far.
    pub(super) fn coverage(&self, pool: &PoolId, kind: QuotaKind) -> Option<f64> {
        let until = *self.book.read_through.get(pool)?;
        let series = self.book.series.get(pool)?;
        let signals: &[Signal] = match kind {
            QuotaKind::Rpm => &[Signal::Invocations, Signal::Throttles],
            QuotaKind::Tpm | QuotaKind::Tpd | QuotaKind::CrossModelTpd => &[Signal::ChargedTokens],
            QuotaKind::InputTpm => &[Signal::InputTokens],
            QuotaKind::OutputTpm => &[Signal::OutputTokens],
        };
        // The newest minutes are not published yet: they are no gap.
        let until = until.plus(-UNPUBLISHED);
        let from = if kind.is_daily() {
            Minute(until.plus(-1).0.div_euclid(DAY) * DAY)
        } else {
            until.plus(-HOUR)
        };
        let points = portrait::coverage(series, signals, from, until);
        Some(f64::from(points) / 10_000.0)
    }

    /// What admission may hold against TPM.
    pub(super) fn reserved(&self, pool: &PoolId, series: &PoolSeries) -> Option<Reserved> {
        let until = *self.book.read_through.get(pool)?;
        let held = portrait::pressure(series, until)?;
        Some(Reserved {
            at: text(held.at.start()),
            least: held.least,
            most: held.most,
            in_flight: held.in_flight,
        })
    }

    /// What a person should know and no incident tells.
    pub(super) fn notices(&self) -> Vec<String> {
        let off = self
            .health
            .checks
            .iter()
            .filter(|(_, check)| check.is_off());
        let off = off
            .take(MOST_NOTICES)
            .map(|(pool, check)| format!("charged tokens of {pool}: {}", check.told()));
        let unwatched = self.unwatched().take(MOST_NOTICES);
        unwatched.chain(off).collect()
    }

    /// What has traffic and is in no pool, place by place.
    fn unwatched(&self) -> impl Iterator<Item = String> {
        let catalogs = self.book.catalogs.iter();
        let with_any = catalogs.filter(|(_, catalog)| !catalog.unwatched.is_empty());
        with_any.map(|(scope, catalog)| {
            let named = catalog.unwatched.iter().take(MOST_UNWATCHED);
            let named: Vec<String> = named
                .map(|(id, it)| format!("`{id}` ({})", it.why))
                .collect();
            let count = catalog.unwatched.len();
            let such = if named.len() < count { "such as " } else { "" };
            format!(
                "nothing watches {count} target{} of {} that ha{} metrics and no pool: {such}{}",
                if count == 1 { "" } else { "s" },
                self.place(scope),
                if count == 1 { "s" } else { "ve" },
                named.join(", ")
            )
        })
    }
}

/// Minutes before the last read that CloudWatch has normally not published.
const UNPUBLISHED: i64 = 4;
/// Pools, and places, in the list of notices; the others are in the metrics.
const MOST_NOTICES: usize = 20;
/// Targets that nothing watches, of one place, that are named.
const MOST_UNWATCHED: usize = 3;

pub(super) fn charge_check(check: &CrossCheck) -> ChargeCheck {
    ChargeCheck {
        day: day(check.day),
        estimated: check.estimated,
        own: check.own,
        rate: check.rate,
        drift: check.drift(),
        is_off: check.is_off(),
        likely_rate: check.likely,
        coverage: f64::from(check.minutes) / 1_440.0,
        text: check.told(),
    }
}

fn day(minute: Minute) -> String {
    minute.start().strftime("%Y-%m-%d").to_string()
}
