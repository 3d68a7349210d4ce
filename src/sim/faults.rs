//! Faults of the port in process: what goes wrong, by seed, and how often it did. Faults on the wire are the wire's.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::world::FaultRates;
use crate::cloud::FaultClass;

/// A kind of fault that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happened {
    /// Refused with a throttle code before any effect.
    Throttled,
    /// 5xx before the effect.
    ServerBefore,
    /// 5xx after the effect.
    ServerAfter,
    /// The answer was lost after the effect.
    LostAfter,
    /// The connection failed before anything was sent.
    Connect,
    /// The answer could not be understood; the effect happened.
    Garbled,
    /// A page was shorter than need be, with a token for the rest.
    PartialPage,
    /// A page came twice.
    RepeatedPage,
    /// A series of a page had the status `InternalError` and no datapoints.
    InternalError,
}

impl Happened {
    /// How the port names it; `None` where the call succeeds.
    #[must_use]
    pub const fn class(self) -> Option<FaultClass> {
        match self {
            Self::Throttled => Some(FaultClass::Throttled),
            Self::ServerBefore | Self::ServerAfter => Some(FaultClass::Server),
            Self::LostAfter => Some(FaultClass::Lost),
            Self::Connect => Some(FaultClass::Connect),
            Self::Garbled => Some(FaultClass::Garbled),
            Self::PartialPage | Self::RepeatedPage | Self::InternalError => None,
        }
    }

    /// Whether the call has its effect although it fails.
    #[must_use]
    pub const fn has_effect(self) -> bool {
        matches!(self, Self::ServerAfter | Self::LostAfter | Self::Garbled)
    }

    /// The code and message of the fault.
    pub(crate) const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Throttled => ("ThrottlingException", "Rate exceeded"),
            Self::ServerBefore | Self::ServerAfter => (
                "InternalServerError",
                "an internal error occurred (simulated)",
            ),
            Self::LostAfter => ("timeout", "no answer within the time limit (simulated)"),
            Self::Connect => ("connect", "connection refused (simulated)"),
            Self::Garbled => ("parse", "the answer ends too early (simulated)"),
            Self::PartialPage | Self::RepeatedPage | Self::InternalError => ("", ""),
        }
    }
}

/// Seeded faults, drawn in the order of the calls. Shared by the port and by the test that watches it.
#[derive(Debug)]
pub struct Faults {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rates: FaultRates,
    draws: fastrand::Rng,
    happened: BTreeMap<(Happened, &'static str), u64>,
}

impl Faults {
    /// Faults at these rates.
    #[must_use]
    pub fn new(rates: FaultRates, seed: u64) -> Self {
        Self {
            state: Mutex::new(State {
                rates,
                draws: fastrand::Rng::with_seed(seed),
                happened: BTreeMap::new(),
            }),
        }
    }

    /// No faults at all.
    #[must_use]
    pub fn none() -> Self {
        Self::new(FaultRates::default(), 0)
    }

    /// All kinds, each at a rate by seed, together about one call in eight.
    #[must_use]
    pub fn all(seed: u64) -> Self {
        let mut draws = fastrand::Rng::with_seed(seed ^ 0xFA17);
        let mut rate = |most: f64| draws.f64() * most;
        let rates = FaultRates {
            throttled: rate(0.06),
            server_before: rate(0.03),
            server_after: rate(0.05),
            lost_after: rate(0.05),
            connect: rate(0.03),
            garbled: rate(0.02),
            partial_page: rate(0.1),
            repeated_page: rate(0.05),
            hang: 0.0,
            truncate: 0.0,
        };
        Self::new(rates, seed)
    }

    /// From now on nothing goes wrong.
    pub fn heal(&self) {
        self.state().rates = FaultRates::default();
    }

    /// From now on things go wrong at these rates.
    pub fn set(&self, rates: FaultRates) {
        self.state().rates = rates;
    }

    /// What happened so far, by kind and operation: so that a test can tell a seed in which nothing did.
    #[must_use]
    pub fn happened(&self) -> BTreeMap<(Happened, &'static str), u64> {
        self.state().happened.clone()
    }

    /// How often this kind happened to this operation, such as `support:CreateCase`.
    #[must_use]
    pub fn count(&self, kind: Happened, operation: &str) -> u64 {
        let state = self.state();
        let matching = state
            .happened
            .iter()
            .filter(|((known, at), _)| *known == kind && *at == operation);
        matching.map(|(_, count)| count).sum()
    }

    /// Whether a call fails, and how.
    pub(crate) fn call(&self, operation: &'static str) -> Option<Happened> {
        let rates = self.state().rates;
        self.draw(
            operation,
            &[
                (Happened::Throttled, rates.throttled),
                (Happened::ServerBefore, rates.server_before),
                (Happened::ServerAfter, rates.server_after),
                (Happened::LostAfter, rates.lost_after),
                (Happened::Connect, rates.connect),
                (Happened::Garbled, rates.garbled),
            ],
        )
    }

    /// Whether a page is odd, and how. Series can also fail by themselves, half as often as pages are short.
    pub(crate) fn page(&self, operation: &'static str, has_series: bool) -> Option<Happened> {
        let rates = self.state().rates;
        let series = if has_series {
            rates.partial_page / 2.0
        } else {
            0.0
        };
        self.draw(
            operation,
            &[
                (Happened::PartialPage, rates.partial_page),
                (Happened::RepeatedPage, rates.repeated_page),
                (Happened::InternalError, series),
            ],
        )
    }

    /// A number below `below` by seed.
    pub(crate) fn pick(&self, below: usize) -> usize {
        self.state().draws.usize(..below.max(1))
    }

    fn draw(&self, operation: &'static str, kinds: &[(Happened, f64)]) -> Option<Happened> {
        let mut state = self.state();
        let drawn = state.draws.f64();
        let mut sum = 0.0;
        let kind = kinds.iter().find(|(_, rate)| {
            sum += rate;
            drawn < sum
        });
        let kind = kind.map(|(kind, _)| *kind)?;
        *state.happened.entry((kind, operation)).or_insert(0) += 1;
        Some(kind)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
