//! What probably lies behind an incident, and what to do about it: a pattern in the numbers, never a guess.
//!
//! The patterns are looked for in `engine::hints`; which numbers decide is data in `alert-rules/hints/causes.toml`.

mod rules;
mod words;

pub use self::rules::{
    CacheRule, CapacityRule, CarriedRule, CarrierRule, DailyRule, DeniedRule, HeadroomRule,
    HintRules, RaisedRule, ReservationRule, RetryRule, ValleyRule,
};
use super::{
    catalog::{PoolId, TargetKind},
    ids::{QuotaCode, TargetId},
    time::{Minute, Timestamp},
    units::{Amount, Share},
};

/// One pattern that the numbers of a pool show.
#[derive(Clone, Debug, PartialEq)]
pub struct Hint {
    /// Whose numbers.
    pub pool: PoolId,
    /// How much of what went wrong fits, times the weight of the pattern.
    pub strength: Share,
    /// First minute that was looked at.
    pub from: Minute,
    /// End of what was looked at, exclusive.
    pub until: Minute,
    /// What was found.
    pub clue: Clue,
}

/// The patterns, each with the numbers that show it. Tokens and requests are per minute where nothing else is said.
#[derive(Clone, Debug, PartialEq)]
pub enum Clue {
    /// See [`Reservation`].
    Reservation(Reservation),
    /// See [`Daily`].
    Daily(Daily),
    /// See [`Capacity`].
    Capacity(Capacity),
    /// See [`Retries`].
    Retries(Retries),
    /// See [`CacheFallen`].
    CacheFallen(CacheFallen),
    /// See [`Carrier`].
    Carrier(Carrier),
    /// See [`Carried`].
    Carried(Carried),
    /// See [`Denied`].
    Denied(Denied),
    /// See [`RaisedHere`].
    RaisedHere(RaisedHere),
    /// See [`RaisedElsewhere`].
    RaisedElsewhere(RaisedElsewhere),
    /// See [`Valley`].
    Valley(Valley),
    /// See [`Headroom`].
    Headroom(Headroom),
}

impl Clue {
    /// The name in JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Reservation(_) => "max-tokens-reservation",
            Self::Daily(_) => "daily-limit",
            Self::Capacity(_) => "capacity",
            Self::Retries(_) => "retry-storm",
            Self::CacheFallen(_) => "cache-fallen",
            Self::Carrier(_) => "one-carrier",
            Self::Carried(_) => "carried-by",
            Self::Denied(_) => "destination-denied",
            Self::RaisedHere(_) => "raised-still-refused",
            Self::RaisedElsewhere(_) => "raised-elsewhere",
            Self::Valley(_) => "off-peak",
            Self::Headroom(_) => "sibling-headroom",
        }
    }

    /// The daily quota that is used up, where it is that and known.
    #[must_use]
    pub fn daily_quota(&self) -> Option<&QuotaCode> {
        let Self::Daily(day) = self else {
            return None;
        };
        let own = day.quota.as_ref().map(|(code, _)| code);
        day.shared.as_ref().map(|it| &it.code).or(own)
    }

    /// Whether more of a quota per minute would not help, or not for long.
    #[must_use]
    pub const fn is_no_lack_of_quota(&self) -> bool {
        match self {
            Self::Reservation(_)
            | Self::Daily(_)
            | Self::Capacity(_)
            | Self::Retries(_)
            | Self::CacheFallen(_)
            | Self::Denied(_)
            | Self::RaisedHere(_) => true,
            Self::RaisedElsewhere(_)
            | Self::Carrier(_)
            | Self::Carried(_)
            | Self::Valley(_)
            | Self::Headroom(_) => false,
        }
    }
}

/// Requests are refused while few tokens are charged: `max_tokens` holds the rest in reserve.
#[derive(Clone, Debug, PartialEq)]
pub struct Reservation {
    /// Refused requests that fit.
    pub refused: f64,
    /// The TPM quota.
    pub code: QuotaCode,
    /// Its value.
    pub quota: Amount,
    /// Tokens charged, mean of the minutes that fit.
    pub charged: f64,
    /// Requests at work at the same time, mean.
    pub in_flight: f64,
    /// What each of them must have held for the quota to be full: `max_tokens`, at least.
    pub held: f64,
    /// What a request puts out on average.
    pub output: f64,
    /// A `max_tokens` that is enough.
    pub enough: f64,
    /// Tokens that this would free.
    pub freed: f64,
}

/// Requests are refused far below every quota per minute, and the day's tokens are used up, or not known.
#[derive(Clone, Debug, PartialEq)]
pub struct Daily {
    /// Refused requests that fit.
    pub refused: f64,
    /// The highest share of a quota per minute in these minutes.
    pub highest: f64,
    /// Tokens charged since 00:00 UTC, as far as known.
    pub today: f64,
    /// The daily quota; `None` where none could be read.
    pub quota: Option<(QuotaCode, Amount)>,
    /// What all models of the account took of the daily quota that they share, where that may be what is used up.
    pub shared: Option<SharedDay>,
    /// Minutes until the next day begins.
    pub left: u16,
}

/// The day of a quota that weighs all models by price.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedDay {
    /// Its code.
    pub code: QuotaCode,
    /// Taken since 00:00 UTC, in USD.
    pub today: f64,
    /// What the quota comes to at least, in USD.
    pub low: f64,
    /// And at most.
    pub high: f64,
}

impl SharedDay {
    /// Whether so much of the least that it comes to is taken.
    #[must_use]
    pub fn may_be_used_up(&self, near: Share) -> bool {
        near.factor() * self.low <= self.today
    }
}

/// Server errors beside refusals, far below every quota per minute: AWS is short of capacity.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity {
    /// Failed requests.
    pub errors: f64,
    /// Refused requests.
    pub refused: f64,
    /// The highest share of a quota per minute in these minutes.
    pub highest: f64,
}

/// Demand rose by little until requests were refused, and jumped right after: clients try again at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Retries {
    /// When the first request was refused.
    pub since: Minute,
    /// Requests wanted before.
    pub before: f64,
    /// Requests wanted when the first was refused.
    pub started: f64,
    /// Requests wanted after.
    pub after: f64,
    /// Of those, how many got through.
    pub through: f64,
}

/// The prompt cache saves less than it did.
#[derive(Clone, Debug, PartialEq)]
pub struct CacheFallen {
    /// Share of input tokens that was read from the cache before.
    pub before: f64,
    /// Minutes of that.
    pub of: u32,
    /// Share now.
    pub now: f64,
    /// Tokens that are charged now and would not be.
    pub extra: f64,
    /// All tokens charged now.
    pub charged: f64,
}

/// One target takes most of the pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Carrier {
    /// Which.
    pub target: TargetId,
    /// The name its owner gave it.
    pub name: Option<String>,
    /// Its share.
    pub share: Share,
    /// How many targets the pool has.
    pub targets: u32,
}

/// Traffic is not what is usual at this time, and so much of the change is that of these targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    /// What is counted.
    pub counted: Counted,
    /// Whether there is less of it than usual.
    pub is_fall: bool,
    /// Whether no few targets carry most of it; then the largest part alone is in `parts`.
    pub is_spread: bool,
    /// What the pool takes now.
    pub now: f64,
    /// What is usual at this time.
    pub usual: f64,
    /// Days behind that.
    pub days: u8,
    /// The change that `parts` and others carry; positive. Of tokens a request, the tokens that are more than usual.
    pub by: f64,
    /// The largest parts first; never empty.
    pub parts: Vec<Part>,
    /// How many others changed the same way.
    pub others: u32,
    /// What all that changed the other way make up for.
    pub against: f64,
}

/// What is counted of targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Requests that callers wanted, a minute.
    Requests,
    /// Charged tokens a minute.
    Tokens,
    /// Charged tokens of each request.
    TokensARequest,
}

impl Counted {
    /// All, in the order of their declaration.
    pub const ALL: [Self; 3] = [Self::Requests, Self::Tokens, Self::TokensARequest];

    /// The name in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::TokensARequest => "tokens-a-request",
        }
    }
}

/// One target's part of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Which.
    pub target: TargetId,
    /// What it is; `None` where it is gone.
    pub kind: Option<TargetKind>,
    /// Its share of the change.
    pub share: Share,
    /// By how much it changed; positive.
    pub by: f64,
}

/// Calls through the profile fail by the caller's fault while the same model in the Region itself is fine: a policy
/// denies one of the destinations.
#[derive(Clone, Debug, PartialEq)]
pub struct Denied {
    /// Failed requests.
    pub errors: f64,
    /// Wanted requests.
    pub demand: f64,
    /// Failed requests to the model in the Region.
    pub plain_errors: f64,
    /// Wanted requests to it.
    pub plain_demand: f64,
}

/// This quota was raised, and requests are refused far below it.
#[derive(Clone, Debug, PartialEq)]
pub struct RaisedHere {
    /// Which.
    pub code: QuotaCode,
    /// Before.
    pub old: Amount,
    /// After.
    pub new: Amount,
    /// When.
    pub at: Timestamp,
    /// Requests refused since.
    pub refused: f64,
    /// The highest share of any quota per minute in these minutes.
    pub highest: f64,
}

/// A quota was raised that this traffic does not draw on.
#[derive(Clone, Debug, PartialEq)]
pub struct RaisedElsewhere {
    /// Which.
    pub code: QuotaCode,
    /// Before.
    pub old: Amount,
    /// After.
    pub new: Amount,
    /// When.
    pub at: Timestamp,
    /// The pool that it is for.
    pub raised: PoolId,
    /// Requests refused here since.
    pub refused: f64,
    /// Share of the model's requests in this account that go through the pool of the hint.
    pub here: f64,
}

/// There are hours in which little of the quota is used.
#[derive(Clone, Debug, PartialEq)]
pub struct Valley {
    /// Use in the busiest hour, as a share of the TPM quota.
    pub peak: f64,
    /// Mean use in the quiet hours.
    pub quiet: f64,
    /// First minute of the quiet hours.
    pub from: Minute,
    /// How many.
    pub hours: u32,
    /// Tokens that were left unused in them.
    pub free: f64,
}

/// Another pool of the same model has room.
#[derive(Clone, Debug, PartialEq)]
pub struct Headroom {
    /// Which.
    pub pool: PoolId,
    /// Its TPM quota.
    pub quota: Amount,
    /// Whether that is AWS's default.
    pub is_default: bool,
    /// Its busiest minute of the last day.
    pub peak: f64,
    /// What lacks here; `None` where nothing was refused, or nothing got through to measure by.
    pub lacking: Option<f64>,
}
