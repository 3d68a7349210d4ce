//! What one minute says by one rule. Four answers, because "not bad" is less than "good", and silence is neither.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::strip::Strip;
use crate::model::{
    catalog::{Family, LifeCycle, Mapping, Pool},
    ids::{QuotaCode, Scope},
    quota::{Limit, Quota},
    rule::Condition,
    series::{Depth, Signal},
    time::{DAY, Minute, Timestamp},
    units::{Amount, QuotaKind, Share},
};

/// What one minute says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Over the rule's limit.
    Bad,
    /// Not over the limit, and not below the level at which an alert may end.
    Between,
    /// Clearly fine.
    Good,
    /// No evidence: counts neither way, for ever once the minute has settled.
    Unclear,
}

/// A rule's condition together with the live quota it is measured against.
#[derive(Debug)]
pub(super) enum Yardstick<'a> {
    /// Use against a quota.
    QuotaShare(QuotaLine<'a>),
    /// The quota can't be told, or is zero: every minute is unclear, and the state is `Error`.
    Broken {
        /// Which quota, where that much is known.
        quota: Option<(QuotaKind, &'a QuotaCode)>,
        /// Why, as a sentence fragment.
        why: String,
    },
    /// A count or a latency: the rule says it all.
    Plain(&'a Condition),
    /// The model's announced end.
    End {
        /// From when it can no longer be called.
        end: Timestamp,
        /// Bad from so many minutes before it.
        within: i64,
    },
}

/// The two lines that use is compared with.
#[derive(Debug)]
pub(super) struct QuotaLine<'a> {
    pub(super) kind: QuotaKind,
    pub(super) code: &'a QuotaCode,
    pub(super) quota: Amount,
    pub(super) is_default: bool,
    pub(super) above: Share,
    pub(super) clear: Share,
}

/// What the account and AWS say, beside the pool itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds<'a> {
    pub(super) quotas: &'a BTreeMap<(Scope, QuotaCode), Quota>,
    /// How long the pool's model will be there.
    pub(super) life: Option<&'a LifeCycle>,
}

impl<'a> Yardstick<'a> {
    /// `None`: the account lists no quota of this kind for the pool, its endpoint does not publish what the rule is about,
    /// or AWS announced no end of its model.
    pub(super) fn of(condition: &'a Condition, pool: &'a Pool, bounds: Bounds<'_>) -> Option<Self> {
        let Bounds { quotas, life } = bounds;
        let (kind, above, clear) = match condition {
            Condition::QuotaShare { kind, above, clear } => (kind, *above, *clear),
            Condition::RunsOut { kind, .. } => (kind, Share::FULL, Share::FULL),
            Condition::Unusual(_) => return None, // judged by the pool's own past: `learned`
            Condition::Ends { within } => {
                let end = life?.end?;
                let within = *within;
                return Some(Self::End { end, within });
            }
            Condition::Count { .. } | Condition::Slow { .. } => {
                let plain = Self::Plain(condition);
                let mut needed = plain.signals().iter();
                let is_published = needed.all(|signal| signal.depth(pool.id.family).is_some());
                return is_published.then_some(plain);
            }
        };
        let code = match pool.mapping(*kind) {
            Mapping::Absent => return None,
            Mapping::Mapped { code, .. } => code,
            Mapping::Ambiguous { candidates } => {
                let names: Vec<_> = candidates.iter().map(QuotaCode::as_str).collect();
                let why = format!("several {kind} quotas fit this model: {}", names.join(", "));
                return Some(Self::Broken { quota: None, why });
            }
            Mapping::Unknown => {
                let why =
                    format!("the {kind} quota is not known, its list could not be read so far");
                return Some(Self::Broken { quota: None, why });
            }
        };
        let limit = quotas
            .get(&(pool.id.scope.clone(), code.clone()))
            .map_or(Limit::Unknown, |quota| quota.limit_for(pool));
        let line = |quota, is_default| {
            Self::QuotaShare(QuotaLine {
                kind: *kind,
                code,
                quota,
                is_default,
                above,
                clear,
            })
        };
        let broken = |why: &str| Self::Broken {
            quota: Some((*kind, code)),
            why: format!("{why} ({kind} quota {code})"),
        };
        Some(match limit {
            Limit::Applied(quota) => line(quota, false),
            Limit::Default(quota) => line(quota, true),
            Limit::Blocked => {
                broken("the applied value is 0, the account is blocked for this model")
            }
            Limit::Unknown => broken("neither an applied nor a default value could be read"),
        })
    }

    /// The quota that is judged against, where it is known.
    pub(super) fn quota(&self) -> Option<(QuotaKind, QuotaCode)> {
        match self {
            Self::QuotaShare(line) => Some((line.kind, line.code.clone())),
            Self::Broken { quota, .. } => quota.map(|(kind, code)| (kind, code.clone())),
            Self::Plain(_) | Self::End { .. } => None,
        }
    }

    /// Why nothing can be judged, as a sentence fragment, where that is so.
    pub(super) fn why_broken(&self) -> Option<String> {
        match self {
            Self::Broken { why, .. } => Some(why.clone()),
            Self::QuotaShare(_) | Self::Plain(_) | Self::End { .. } => None,
        }
    }

    /// How deep a pool of this family has to be read for a look.
    pub(super) fn depth(&self, family: Family) -> Depth {
        let depths = self.signals().iter().filter_map(|it| it.depth(family));
        depths.max().unwrap_or(Depth::Quick)
    }

    /// The signals that a look needs.
    pub(super) fn signals(&self) -> &'static [Signal] {
        use Signal::{
            CacheReadTokens, CacheWriteTokens, ChargedTokens, ClientErrors, FirstTokenP90,
            InputTokens, Invocations, Latency, LatencyP50, LatencyP90, LatencyP99, LongInputs,
            OutputTokens, ServerErrors, Throttles,
        };
        match self {
            Self::QuotaShare(line) => signals_of_use(line.kind),
            Self::Broken { .. } | Self::End { .. } => &[],
            Self::Plain(Condition::Slow { .. }) => &[Invocations, Throttles, Latency],
            Self::Plain(Condition::Count { of, .. }) => match of {
                Invocations | Throttles => &[Invocations, Throttles],
                ClientErrors => &[Invocations, Throttles, ClientErrors],
                ServerErrors => &[Invocations, Throttles, ServerErrors],
                InputTokens => &[Invocations, Throttles, InputTokens],
                OutputTokens => &[Invocations, Throttles, OutputTokens],
                ChargedTokens => &[Invocations, Throttles, ChargedTokens],
                CacheWriteTokens => &[Invocations, Throttles, CacheWriteTokens],
                CacheReadTokens => &[Invocations, Throttles, CacheReadTokens],
                // Milliseconds and shares are never counted: the configuration refuses it.
                Latency | LatencyP50 | LatencyP90 | LatencyP99 | FirstTokenP90 | LongInputs => {
                    &[Invocations, Throttles, Latency]
                }
            },
            Self::Plain(
                Condition::QuotaShare { .. }
                | Condition::Ends { .. }
                | Condition::Unusual(_)
                | Condition::RunsOut { .. },
            ) => &[],
        }
    }
}

/// The signals that use of a quota of this kind is told by.
pub(super) const fn signals_of_use(kind: QuotaKind) -> &'static [Signal] {
    use Signal::{ChargedTokens, InputTokens, Invocations, OutputTokens, Throttles};
    match kind {
        QuotaKind::Rpm => &[Invocations, Throttles],
        QuotaKind::Tpm => &[Invocations, Throttles, ChargedTokens],
        QuotaKind::Tpd | QuotaKind::CrossModelTpd => &[ChargedTokens],
        QuotaKind::InputTpm => &[InputTokens],
        QuotaKind::OutputTpm => &[OutputTokens],
    }
}

/// What a minute shows of use: proven exactly, or proven to be at least this much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Use {
    Exactly(f64),
    AtLeast(f64),
    Unknown,
}

impl Use {
    /// The number, however well it is proven.
    pub(super) const fn number(self) -> Option<f64> {
        match self {
            Self::Exactly(number) | Self::AtLeast(number) => Some(number),
            Self::Unknown => None,
        }
    }
}

impl QuotaLine<'_> {
    /// Bad from `above` of the quota, good below `clear` of it. A lower bound can prove bad, never good.
    pub(super) fn look(&self, used: Use) -> Look {
        let (bad_from, good_below) = (
            self.quota.at(self.above).get(),
            self.quota.at(self.clear).get(),
        );
        match used {
            Use::Exactly(number) | Use::AtLeast(number) if bad_from <= number => Look::Bad,
            Use::Exactly(number) if number < good_below => Look::Good,
            Use::Exactly(_) => Look::Between,
            Use::AtLeast(_) | Use::Unknown => Look::Unclear,
        }
    }
}

/// Requests or tokens that callers wanted in this minute.
///
/// Tokens of refused requests are never charged, so tokens are scaled by wanted to admitted requests: under
/// throttling the charged tokens stand still at the quota however far demand is beyond it.
pub(super) fn minute_use(kind: QuotaKind, strip: &Strip, minute: Minute) -> Use {
    let through = strip.value(Signal::Invocations, minute);
    let refused = strip.failures(Signal::Throttles, minute);
    let charged = strip.value(Signal::ChargedTokens, minute);
    match kind {
        QuotaKind::Rpm => match (through, refused) {
            (Some(through), Some(refused)) => Use::Exactly(through + refused),
            (Some(one), None) | (None, Some(one)) => Use::AtLeast(one),
            (None, None) => Use::Unknown,
        },
        QuotaKind::Tpm => {
            charged.map_or(Use::Unknown, |charged| token_use(charged, through, refused))
        }
        // Summed over the day by `DayUse`, unscaled: refused requests are tried again within the day and charged then.
        QuotaKind::Tpd | QuotaKind::CrossModelTpd => charged.map_or(Use::Unknown, Use::Exactly),
        // The mantle endpoint publishes no throttles, so there is nothing to scale by.
        QuotaKind::InputTpm => tokens(strip, Signal::InputTokens, minute),
        QuotaKind::OutputTpm => tokens(strip, Signal::OutputTokens, minute),
    }
}

fn tokens(strip: &Strip, signal: Signal, minute: Minute) -> Use {
    strip
        .value(signal, minute)
        .map_or(Use::Unknown, Use::Exactly)
}

fn token_use(charged: f64, through: Option<f64>, refused: Option<f64>) -> Use {
    match (through, refused) {
        (_, Some(refused)) if refused <= 0.0 => Use::Exactly(charged),
        (Some(through), Some(refused)) if 0.0 < through => {
            Use::Exactly(charged * (through + refused) / through)
        }
        // All were refused, or we do not know: what was charged is a lower bound of what was wanted.
        (_, Some(_) | None) => Use::AtLeast(charged),
    }
}

/// Tokens charged since 00:00 UTC. Known only while at least this share of the day's minutes is, in basis points.
const LEAST_DAY_COVERAGE: i64 = 9_500;

/// Sums up a UTC day minute by minute; has to be shown each minute in order.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct DayUse {
    pub(super) day: i64,
    known: i64,
    sum: f64,
}

impl DayUse {
    /// The sum up to and with `minute`, as far as enough of the day is known.
    pub(super) fn add(&mut self, minute: Minute, charged: Option<f64>) -> Use {
        let day = minute.0.div_euclid(DAY);
        if day != self.day {
            *self = Self {
                day,
                ..Self::default()
            };
        }
        if let Some(charged) = charged {
            self.known += 1;
            self.sum += charged;
        }
        let so_far = minute.0.rem_euclid(DAY) + 1;
        if LEAST_DAY_COVERAGE * so_far <= 10_000 * self.known {
            Use::Exactly(self.sum)
        } else {
            Use::Unknown
        }
    }
}

/// A count and the demand it is measured against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) count: f64,
    /// At least the count: editions of the metric differ on whether failed requests are in `Invocations`, and a model
    /// that fails every request must not look idle.
    pub(super) demand: Option<f64>,
}

/// `None`: the count is not known.
pub(super) fn counted(of: Signal, strip: &Strip, minute: Minute) -> Option<Counted> {
    let count = match of {
        Signal::Throttles | Signal::ClientErrors | Signal::ServerErrors => {
            strip.failures(of, minute)?
        }
        Signal::Invocations
        | Signal::InputTokens
        | Signal::OutputTokens
        | Signal::ChargedTokens
        | Signal::CacheWriteTokens
        | Signal::CacheReadTokens
        | Signal::Latency
        | Signal::LatencyP50
        | Signal::LatencyP90
        | Signal::LatencyP99
        | Signal::FirstTokenP90
        | Signal::LongInputs => strip.value(of, minute)?,
    };
    let demand = strip.demand(minute).map(|demand| demand.max(count));
    Some(Counted { count, demand })
}

/// See [`Condition::Count`].
pub(super) fn look_at_count(
    at_least: f64,
    share: Share,
    min_demand: f64,
    seen: Option<Counted>,
) -> Look {
    let Some(Counted { count, demand }) = seen else {
        return Look::Unclear;
    };
    if count < at_least {
        return Look::Good; // whatever the demand was
    }
    match demand {
        None => Look::Unclear,
        Some(demand) if min_demand <= demand && share.factor() * demand <= count => Look::Bad,
        Some(_) => Look::Good,
    }
}

/// See [`Condition::Ends`].
pub(super) fn look_at_end(end: Timestamp, within: i64, minute: Minute) -> (Look, f64) {
    let left = Minute::of(end).since(minute);
    let look = if left <= within {
        Look::Bad
    } else {
        Look::Good
    };
    #[expect(clippy::cast_precision_loss, reason = "minutes between two dates")]
    (look, -left as f64) // the nearer, the worse
}

/// See [`Condition::Slow`]. Nobody waits where nobody asks: little or no demand is good, not unclear.
pub(super) fn look_at_latency(
    limit: f64,
    min_demand: f64,
    millis: Option<f64>,
    demand: Option<f64>,
) -> Look {
    match (demand, millis) {
        (Some(demand), _) if demand < min_demand => Look::Good,
        (None, _) | (_, None) => Look::Unclear,
        (Some(_), Some(millis)) if limit <= millis => Look::Bad,
        (Some(_), Some(_)) => Look::Good,
    }
}
