//! When a pattern is told. The numbers are data: `alert-rules/hints/causes.toml` says what each of them is for.

use crate::model::units::Share;

/// All of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HintRules {
    /// Hints of an incident at most.
    pub most: usize,
    /// Minutes that are looked at, at most.
    pub window_minutes: i64,
    /// Fewer refused requests than this prove no pattern.
    pub least_refused: f64,
    /// Use below this share of every quota per minute does not explain a refusal.
    pub far_below: Share,
    /// See [`super::Clue::Reservation`].
    pub reservation: ReservationRule,
    /// See [`super::Clue::Daily`].
    pub daily: DailyRule,
    /// See [`super::Clue::Capacity`].
    pub capacity: CapacityRule,
    /// See [`super::Clue::Retries`].
    pub retries: RetryRule,
    /// See [`super::Clue::CacheFallen`].
    pub cache: CacheRule,
    /// See [`super::Clue::Carrier`].
    pub carrier: CarrierRule,
    /// See [`super::Clue::Carried`].
    pub carried: CarriedRule,
    /// See [`super::Clue::Denied`].
    pub denied: DeniedRule,
    /// See [`super::Clue::RaisedHere`] and [`super::Clue::RaisedElsewhere`].
    pub raised: RaisedRule,
    /// See [`super::Clue::Valley`].
    pub valley: ValleyRule,
    /// See [`super::Clue::Headroom`].
    pub headroom: HeadroomRule,
}

/// `max_tokens` in reserve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReservationRule {
    /// Against the other patterns.
    pub weight: Share,
    /// So many times the mean output is a `max_tokens` that is enough.
    pub room: f64,
    /// Least share of the quota that would be freed.
    pub freed: Share,
}

/// The daily limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DailyRule {
    /// Against the other patterns, where the daily quota is known.
    pub weight: Share,
    /// The same where it is not.
    pub weight_unread: Share,
    /// From this share of it on, it is used up.
    pub near: Share,
    /// Where it is not known: least share of requests that are refused. A used-up day refuses nearly all.
    pub refused: Share,
}

/// Capacity of AWS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CapacityRule {
    /// Against the other patterns.
    pub weight: Share,
    /// Fewer failed requests prove nothing.
    pub least_errors: f64,
    /// Least share of failed among failed and refused requests.
    pub share: Share,
}

/// Retries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryRule {
    /// Against the other patterns.
    pub weight: Share,
    /// When the first request was refused, demand was at most so many times what it was before.
    pub started: f64,
    /// After it, at least so many times.
    pub after: f64,
    /// And what got through at most so many times.
    pub through: f64,
}

/// The prompt cache.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CacheRule {
    /// Against the other patterns.
    pub weight: Share,
    /// Minutes before the window that it is compared with.
    pub baseline_minutes: i64,
    /// Of these, at least so many must be known.
    pub least_known: u32,
    /// Of the window, at least so many.
    pub least_now: u32,
    /// Least share of input tokens that came from the cache before.
    pub before: Share,
    /// Least share of that share that was lost.
    pub lost: Share,
}

/// One target that carries the load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CarrierRule {
    /// Against the other patterns.
    pub weight: Share,
    /// Least share of the pool.
    pub share: Share,
}

/// Targets that carry a change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CarriedRule {
    /// Against the other patterns.
    pub weight: Share,
    /// Least share of the change that the targets carry which are named.
    pub share: Share,
    /// Least change, as a share of what is usual.
    pub least: Share,
    /// Fewer days of the same kind tell nothing of what is usual.
    pub least_days: u32,
}

/// A destination that a policy denies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeniedRule {
    /// Against the other patterns.
    pub weight: Share,
    /// Fewer failed requests prove nothing.
    pub least_errors: f64,
    /// Least share of requests that fail.
    pub share: Share,
    /// Fewer requests to the model in the Region prove nothing.
    pub least_plain: f64,
    /// Most share of these that fail.
    pub fine: Share,
}

/// A quota raised lately.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RaisedRule {
    /// Against the other patterns.
    pub weight: Share,
    /// Lately: so many minutes back.
    pub within_minutes: i64,
    /// Least share of the model's requests that go through the pool that refuses.
    pub share: Share,
}

/// Quiet hours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValleyRule {
    /// Against the other patterns.
    pub weight: Share,
    /// Least use in the busiest hour.
    pub peak: Share,
    /// Most mean use in the quiet hours.
    pub quiet: Share,
    /// How many hours in a row.
    pub hours: u32,
    /// Least hours of the last day that must be known.
    pub least_known: u32,
}

/// Room in another pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeadroomRule {
    /// Against the other patterns.
    pub weight: Share,
    /// Least share of its quotas that is free in its busiest minute.
    pub free: Share,
    /// Least share of the minutes of the last day that must be known.
    pub known: Share,
}
