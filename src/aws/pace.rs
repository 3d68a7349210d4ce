//! How fast we call: each call of an account and Region has a rate of its own, so that neither AWS nor people who use the
//! same account feel us. Named here alone: `governor`, which counts. The rates are data: `rates.toml` beside this file.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    num::NonZeroU32,
    sync::LazyLock,
    time::Duration,
};

use governor::{Quota, RateLimiter, clock::MonotonicClock, state::keyed::HashMapStateStore};
use serde::Deserialize;

use super::actions;
use crate::model::ids::{AccountId, Region, Scope};

const TEXT: &str = include_str!("rates.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rates {
    #[cfg_attr(not(test), expect(dead_code, reason = "for those who read the file"))]
    checked: String,
    ours: f64,
    burst: NonZeroU32,
    unpublished: f64,
    rates: Vec<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[cfg_attr(not(test), expect(dead_code, reason = "for those who read the file"))]
    source: String,
    per: Per,
    per_second: BTreeMap<String, f64>,
}

/// What a rate is held for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Per {
    Region,
    Account,
}

static RATES: LazyLock<Option<Rates>> = LazyLock::new(|| match toml::from_str(TEXT) {
    Ok(rates) => Some(rates),
    Err(error) => {
        // The file is compiled in and a test parses it, so this does not happen.
        tracing::error!(%error, "the compiled-in rates can't be read; calls go out unpaced");
        None
    }
});

impl Rates {
    /// What AWS allows, and where.
    fn of(&self, operation: &str) -> (Per, f64) {
        let published = self.rates.iter().find_map(|group| {
            let rate = group.per_second.get(operation)?;
            Some((group.per, *rate))
        });
        published.unwrap_or((Per::Region, self.unpublished))
    }
}

/// Whose rate it is: of a Region, or of the account whatever the Region.
type Place = (AccountId, Option<Region>);

/// One call's rate, place by place.
struct Gauge {
    per: Per,
    limiter: RateLimiter<Place, HashMapStateStore<Place>, MonotonicClock>,
}

impl Gauge {
    fn place(&self, scope: &Scope) -> Place {
        let region = match self.per {
            Per::Region => Some(scope.region.clone()),
            Per::Account => None,
        };
        (scope.account.clone(), region)
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace").finish_non_exhaustive()
    }
}

/// The rates of all calls. None at all is an AWS that has none.
#[derive(Default)]
pub(super) struct Pace(HashMap<&'static str, Gauge>);

impl Pace {
    /// For a clock that runs `times` as fast as ours.
    pub(super) fn new(times: NonZeroU32) -> Self {
        let Some(rates) = RATES.as_ref() else {
            return Self::default();
        };
        let gauges = actions::ALL.iter().filter_map(|(operation, _)| {
            let (per, theirs) = rates.of(operation);
            let ours = theirs * rates.ours * f64::from(times.get()); // a second
            let every = Duration::try_from_secs_f64(1.0 / ours).ok()?;
            let quota = Quota::with_period(every)?.allow_burst(rates.burst);
            let limiter = RateLimiter::hashmap_with_clock(quota, MonotonicClock);
            Some((*operation, Gauge { per, limiter }))
        });
        Self(gauges.collect())
    }

    /// Waits until this call may be made; not at all as long as there are few.
    pub(super) async fn turn(&self, scope: Option<&Scope>, operation: &str) {
        let (Some(scope), Some(gauge)) = (scope, self.0.get(operation)) else {
            return;
        };
        let place = gauge.place(scope);
        while let Err(early) = gauge.limiter.check_key(&place) {
            tokio::time::sleep_until(early.earliest_possible().into()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn rates_are_of_calls_that_we_make_and_say_where_they_are_from() {
        let rates = RATES.as_ref().expect("the file can be read");
        assert!(!rates.checked.is_empty());
        assert!(0.0 < rates.ours && rates.ours < 1.0, "people call, too");
        let mut seen = BTreeSet::new();
        for group in &rates.rates {
            assert!(!group.source.is_empty());
            for (operation, rate) in &group.per_second {
                let is_ours = actions::ALL.iter().any(|(name, _)| name == operation);
                assert!(is_ours && 0.0 < *rate, "{operation}");
                assert!(seen.insert(operation), "{operation} stands there twice");
            }
        }
    }

    /// How many of a hundred calls may be made before the first has to wait, of places in turn.
    fn at_once(pace: &Pace, operation: &str, places: &[(&str, &str)]) -> usize {
        let gauge = &pace.0[operation];
        let scopes = places
            .iter()
            .cycle()
            .take(100)
            .map(|(account, region)| Scope {
                account: AccountId::new(*account),
                region: Region::new(*region),
            });
        let may = |scope: &Scope| gauge.limiter.check_key(&gauge.place(scope)).is_ok();
        scopes.take_while(may).count()
    }

    #[test]
    fn each_call_of_each_place_has_its_own_rate() {
        // So slow that none comes back while the test runs.
        let pace = || {
            let mut pace = Pace::new(NonZeroU32::MIN);
            for (operation, gauge) in &mut pace.0 {
                let quota = Quota::with_period(Duration::from_secs(86_400)).unwrap();
                let quota = quota.allow_burst(RATES.as_ref().unwrap().burst);
                gauge.limiter = RateLimiter::hashmap_with_clock(quota, MonotonicClock);
                assert!(!operation.is_empty());
            }
            pace
        };
        let [us, eu, other] = [
            ("111122223333", "us-east-1"),
            ("111122223333", "eu-west-1"),
            ("444455556666", "us-east-1"),
        ];
        let (read, case) = (actions::GET_QUOTA, actions::LIST_CASES);
        assert_eq!(at_once(&pace(), read, &[us]), 5);
        assert_eq!(at_once(&pace(), read, &[us, eu, other]), 15);
        assert_eq!(
            at_once(&pace(), case, &[us, eu]),
            5,
            "one entry for all Regions"
        );
        assert_eq!(at_once(&pace(), case, &[us, other]), 10);
        let pace = pace();
        assert_eq!(at_once(&pace, read, &[us]), 5);
        assert_eq!(at_once(&pace, actions::LIST_QUOTAS, &[us]), 5, "apart");
        assert_eq!(at_once(&pace, read, &[us]), 0);
    }

    #[tokio::test]
    async fn a_call_before_its_turn_waits_and_is_made() {
        let fast = NonZeroU32::new(1_000).unwrap();
        let pace = Pace::new(fast);
        let scope = Scope {
            account: AccountId::new("111122223333"),
            region: Region::new("us-east-1"),
        };
        for _ in 0..50 {
            pace.turn(Some(&scope), actions::GET_QUOTA).await;
        }
        let idle = Pace::default();
        idle.turn(Some(&scope), actions::GET_QUOTA).await;
    }
}
