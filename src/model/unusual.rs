//! What a pool's own past is asked about, and from where on it is worth telling.

use super::units::Share;

/// What may be wrong with a pool, judged by its own past; `engine::detect` says how each is told from chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// Requests are refused.
    Throttled,
    /// More requests than usual fail by the caller's fault.
    ClientErrors,
    /// More requests than usual fail by AWS's fault.
    ServerErrors,
    /// Answers are slower than their length explains.
    Slow,
    /// Far more arrivals than before and than usual at this time of day.
    TrafficUp,
    /// Traffic vanished.
    TrafficDown,
    /// Requests carry far more tokens than before.
    TokensUp,
}

impl Trouble {
    /// All, in the order of their index. The store keeps the name.
    pub const ALL: [Self; 7] = [
        Self::Throttled,
        Self::ClientErrors,
        Self::ServerErrors,
        Self::Slow,
        Self::TrafficUp,
        Self::TrafficDown,
        Self::TokensUp,
    ];

    /// The name in TOML and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttles",
            Self::ClientErrors => "client-errors",
            Self::ServerErrors => "server-errors",
            Self::Slow => "latency",
            Self::TrafficUp => "traffic-up",
            Self::TrafficDown => "traffic-down",
            Self::TokensUp => "tokens",
        }
    }
}

/// A trouble that is looked for, and what of it is worth telling. Everything else is learned from the pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unusual {
    /// See [`Trouble::Throttled`]; a refusal needs no base rate.
    Throttled,
    /// See [`Trouble::ClientErrors`].
    ClientErrors(Failing),
    /// See [`Trouble::ServerErrors`].
    ServerErrors(Failing),
    /// See [`Trouble::Slow`].
    Slow(Beyond),
    /// See [`Trouble::TrafficUp`].
    TrafficUp(Jump),
    /// See [`Trouble::TrafficDown`].
    TrafficDown(Jump),
    /// See [`Trouble::TokensUp`].
    TokensUp(Beyond),
}

impl Unusual {
    /// What is looked for.
    #[must_use]
    pub const fn trouble(self) -> Trouble {
        match self {
            Self::Throttled => Trouble::Throttled,
            Self::ClientErrors(_) => Trouble::ClientErrors,
            Self::ServerErrors(_) => Trouble::ServerErrors,
            Self::Slow(_) => Trouble::Slow,
            Self::TrafficUp(_) => Trouble::TrafficUp,
            Self::TrafficDown(_) => Trouble::TrafficDown,
            Self::TokensUp(_) => Trouble::TokensUp,
        }
    }
}

/// From where on failures are worth telling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Failing {
    /// Times the pool's own rate of failure.
    pub ratio: f64,
    /// Share of the attempts above that rate.
    pub excess: Share,
    /// Minutes in which the pool's calm reaches as much once, at most.
    pub rare: i64,
}

/// From where on a level is worth telling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beyond {
    /// Times what is expected.
    pub factor: f64,
    /// Minutes in which the pool's calm reaches as much once, at most.
    pub rare: i64,
}

/// From where on a move of the traffic is worth telling. Down, both are the inverse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jump {
    /// Times the half hour before.
    pub jump: f64,
    /// Times what is usual at this time of day.
    pub factor: f64,
    /// Minutes in which the pool's calm reaches as much once, at most.
    pub rare: i64,
}
