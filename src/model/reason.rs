//! Reasons as data: verdicts, incidents and actions carry them; texts, logs and `explain` render them.

use std::fmt;

mod figure;

pub use self::figure::Measure;
use super::{
    hint::Hint,
    ids::{QuotaCode, Region, TargetId},
    outlook::{Exhaustion, Way},
    series::Signal,
    time::{DAY, HOUR, Minute, Timestamp},
    units::{Amount, QuotaKind, Share, grouped},
    unusual::Trouble,
};

/// How a sentence begins that says what more quota would cost if it were used.
pub const FULL_USE: &str = "At full use, ";

/// One number that led to a decision, with what it was compared to.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// Use against a quota, in the worst minute of the window.
    QuotaUse {
        /// Which quota.
        kind: QuotaKind,
        /// Its code.
        code: QuotaCode,
        /// The worst minute.
        minute: Minute,
        /// Use in that minute.
        used: Amount,
        /// The quota then.
        quota: Amount,
        /// Whether the quota is AWS's default because no applied value is recorded.
        is_default: bool,
        /// The rule's share.
        above: Share,
        /// Bad minutes in the window.
        bad: u8,
        /// Length of the window.
        of: u8,
    },
    /// A count against its limit, in the worst minute of the window.
    Count {
        /// What was counted.
        signal: Signal,
        /// The worst minute.
        minute: Minute,
        /// How many.
        count: f64,
        /// Out of how many wanted requests.
        demand: f64,
        /// Bad minutes in the window.
        bad: u8,
        /// Length of the window.
        of: u8,
    },
    /// Latency against its limit, in the worst minute of the window.
    Slow {
        /// The worst minute.
        minute: Minute,
        /// Mean milliseconds.
        millis: f64,
        /// The rule's limit.
        limit: f64,
        /// Bad minutes in the window.
        bad: u8,
        /// Length of the window.
        of: u8,
    },
    /// A value against what was usual for the time of day: what rules of older releases said.
    Unusual {
        /// What.
        signal: Signal,
        /// The minute.
        minute: Minute,
        /// The value.
        value: f64,
        /// The upper edge of what is usual.
        usual: f64,
        /// Days of history behind that edge.
        days: u8,
    },
    /// What a pool does against what it usually does.
    Trouble {
        /// In what way.
        trouble: Trouble,
        /// The last minute of the window.
        minute: Minute,
        /// What was seen: a share of requests (throttles, errors), milliseconds, arrivals a minute, or tokens a request.
        seen: f64,
        /// What it is compared with, in the same unit.
        usual: f64,
        /// Minutes of the window.
        minutes: u16,
        /// Whether the past behind it is still short.
        is_young: bool,
    },
    /// What is forecast against a quota.
    RunsOut {
        /// Which quota.
        kind: QuotaKind,
        /// Its code.
        code: QuotaCode,
        /// The last minute that was known.
        minute: Minute,
        /// What three of the last five minutes reached.
        used: Amount,
        /// The quota then.
        quota: Amount,
        /// Which way led to what was told last.
        way: Way,
        /// When it runs out, and how likely.
        exhaustion: Exhaustion,
        /// When people were told of it last: a newer one is told again.
        told: Minute,
    },
    /// The model will be gone, or is.
    Ends {
        /// From when it can no longer be called, as AWS announces it.
        end: Timestamp,
        /// The minute that was judged.
        minute: Minute,
    },
    /// A target was used whose requests can be answered where the operator's rule does not allow it.
    Leaves {
        /// Which.
        target: TargetId,
        /// The last minute with requests.
        minute: Minute,
        /// The Regions that are not allowed, as far as they are named; sorted.
        outside: Vec<Region>,
        /// Whether it leads to any commercial Region.
        is_anywhere: bool,
        /// What is allowed, as the rule says it.
        allowed: String,
    },
    /// Requests ran where the operator's rule does not allow it, by the log of model invocations.
    RanOutside {
        /// What was called.
        target: TargetId,
        /// The first minute of the first such day.
        first: Minute,
        /// The last minute that was read of the last such day.
        minute: Minute,
        /// Answered requests that ran outside in these days.
        requests: u64,
        /// All answered requests of the pool in these days.
        of: u64,
        /// Where they ran; sorted.
        regions: Vec<Region>,
        /// Hours of these days that were read: of the others nothing is known.
        hours: u32,
        /// What is allowed, as the rule says it.
        allowed: String,
    },
    /// The 14-day peak of use, minute-aligned and burndown-weighted.
    Peak {
        /// Which quota it is to be compared with.
        kind: QuotaKind,
        /// When.
        minute: Minute,
        /// How much.
        used: Amount,
        /// Share of the minutes of the window that were observed, in basis points; below `100 %` the peak is a lower bound.
        coverage: u16,
    },
    /// Who takes most of the pool.
    TopTarget {
        /// Who.
        target: TargetId,
        /// Its share of what the pool took lately.
        share: Share,
    },
    /// Minutes without evidence.
    Gap {
        /// How many.
        minutes: u32,
        /// Why, as a sentence fragment.
        why: String,
    },
    /// What probably lies behind it: told where it speaks against what is done all the same.
    Hint(Box<Hint>),
    /// A decision, or something considered and rejected: a whole sentence without its final stop.
    Considered(String),
    /// What the room that is asked for would cost if it were used all day.
    FullUse {
        /// USD a day.
        usd: f64,
        /// How that is reckoned: a whole sentence without its final stop, which begins with [`FULL_USE`].
        text: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

impl Reason {
    /// What is forecast, and when that was told last; `None` for all other reasons.
    #[must_use]
    pub const fn ahead(&self) -> Option<(Way, &Exhaustion, Minute)> {
        let Self::RunsOut {
            way,
            exhaustion,
            told,
            ..
        } = self
        else {
            return None;
        };
        Some((*way, exhaustion, *told))
    }

    /// What the room that is asked for would cost: USD a day, and a sentence without its final stop; `None` for all other
    /// reasons.
    #[must_use]
    pub const fn full_use(&self) -> Option<(f64, &str)> {
        if let Self::FullUse { usd, text } = self {
            return Some((*usd, text.as_str()));
        }
        None
    }

    /// The fragment that people read: numbers first, then what they were compared to.
    fn sentence(&self) -> String {
        match self {
            Self::QuotaUse { .. } | Self::Peak { .. } => self.use_sentence(),
            Self::Count {
                signal,
                minute,
                count,
                demand,
                bad,
                of,
            } => format!(
                "{count} {what} of {demand} wanted requests at {minute}; {bad} of the last {of} minutes like this",
                count = grouped(*count),
                demand = grouped(*demand),
                what = signal.name().replace('_', " "),
            ),
            Self::Slow {
                minute,
                millis,
                limit,
                bad,
                of,
            } => format!(
                "mean latency {} ms at {minute}, limit {} ms; {bad} of the last {of} minutes like this",
                grouped(*millis),
                grouped(*limit)
            ),
            Self::Unusual {
                signal,
                minute,
                value,
                usual,
                days,
            } => format!(
                "{what} {value} at {minute}, usually at most {usual} at this time of day ({days} days of history)",
                what = signal.name().replace('_', " "),
                value = grouped(*value),
                usual = grouped(*usual),
            ),
            Self::Trouble { .. } => self.trouble_sentence(),
            Self::RunsOut { .. } => self.forecast_sentence(),
            Self::Ends { end, minute } => ends(*end, *minute),
            Self::Leaves {
                target,
                minute,
                outside,
                is_anywhere,
                allowed,
            } => {
                let where_to = if *is_anywhere {
                    "any commercial Region".to_owned()
                } else {
                    let outside: Vec<&str> = outside.iter().map(Region::as_str).collect();
                    outside.join(", ")
                };
                format!(
                    "`{target}` was called, last at {minute}: its requests may be answered in {where_to}, allowed is {allowed}"
                )
            }
            Self::RanOutside { .. } => self.ran_sentence(),
            Self::TopTarget { target, share } => format!("`{target}` takes {share} of the pool"),
            Self::Gap { minutes: 0, why } => why.clone(),
            Self::Gap { minutes, why } => format!("{minutes} minutes without evidence: {why}"),
            Self::Hint(hint) => hint.to_string(),
            Self::Considered(text) | Self::FullUse { text, .. } => text.clone(),
        }
    }

    fn use_sentence(&self) -> String {
        match self {
            Self::QuotaUse {
                kind,
                code,
                minute,
                used,
                quota,
                is_default,
                above,
                bad,
                of,
            } => format!(
                "{said} of {all} {unit} ({percent:.0} % of the {source}quota {code}) at {minute}; {bad} of the last {of} minutes at {above} or more",
                said = kind.said(*used),
                all = kind.said(*quota),
                unit = kind.unit(),
                percent = 100.0 * used.get() / quota.get(),
                source = if *is_default { "default " } else { "" },
            ),
            Self::Peak {
                kind,
                minute,
                used,
                coverage,
            } => format!(
                "14-day peak {said} {unit} at {minute} ({whole}.{rest:02} % of the minutes observed)",
                said = kind.said(*used),
                unit = kind.unit(),
                whole = coverage / 100,
                rest = coverage % 100,
            ),
            Self::Count { .. }
            | Self::Slow { .. }
            | Self::Unusual { .. }
            | Self::Trouble { .. }
            | Self::RunsOut { .. }
            | Self::Ends { .. }
            | Self::Leaves { .. }
            | Self::RanOutside { .. }
            | Self::TopTarget { .. }
            | Self::Gap { .. }
            | Self::Hint(_)
            | Self::Considered(_)
            | Self::FullUse { .. } => String::new(),
        }
    }
}

impl Reason {
    fn ran_sentence(&self) -> String {
        let Self::RanOutside {
            target,
            first,
            minute,
            requests,
            of,
            regions,
            hours,
            allowed,
        } = self
        else {
            return String::new();
        };
        let regions: Vec<&str> = regions.iter().map(Region::as_str).collect();
        let what = if *requests == 1 {
            "request"
        } else {
            "requests"
        };
        format!(
            "{requests} {what} to `{target}` ran in {regions} (of {of} answered ones of this pool), from {first} to {minute} by the {hours} hours of log that were read; allowed is {allowed}",
            regions = regions.join(", "),
        )
    }

    fn trouble_sentence(&self) -> String {
        let Self::Trouble {
            trouble,
            minute,
            seen,
            usual,
            minutes,
            is_young,
        } = self
        else {
            return String::new();
        };
        let (seen, usual) = (*seen, *usual);
        let over = format!("over {minutes} minutes up to {minute}");
        let said = match trouble {
            Trouble::Throttled => format!(
                "requests are refused, {} of those at {minute}",
                percent(seen)
            ),
            Trouble::ClientErrors => format!(
                "{} of the requests {over} failed by the caller's fault, usually {}",
                percent(seen),
                percent(usual)
            ),
            Trouble::ServerErrors => format!(
                "{} of the requests {over} failed by AWS's fault, usually {}",
                percent(seen),
                percent(usual)
            ),
            Trouble::Slow => format!(
                "mean latency {} ms {over}, {} ms would fit answers of this length",
                grouped(seen.round()),
                grouped(usual.round())
            ),
            Trouble::TrafficUp => format!(
                "{} requests a minute {over}, at most {} were to be expected",
                rate(seen),
                rate(usual)
            ),
            Trouble::TrafficDown => format!(
                "{} requests a minute {over}, at least {} were to be expected",
                rate(seen),
                rate(usual)
            ),
            Trouble::TokensUp => format!(
                "{} tokens a request {over}, usually at most {}",
                grouped(seen.round()),
                grouped(usual.round())
            ),
        };
        if *is_young {
            format!("{said} (by less than a week of history)")
        } else {
            said
        }
    }

    fn forecast_sentence(&self) -> String {
        let Self::RunsOut {
            kind,
            code,
            minute,
            used,
            quota,
            exhaustion: it,
            ..
        } = self
        else {
            return String::new();
        };
        let when = match (it.p10, it.p50, it.p90) {
            (_, Some(p50), Some(p90)) => format!(
                "probably in {} (around {}), with 80 % between {} and {}",
                span(p50),
                it.origin.plus(p50),
                span(it.p10.unwrap_or(0)),
                span(p90)
            ),
            (_, Some(p50), None) => {
                format!("probably in {} (around {})", span(p50), it.origin.plus(p50))
            }
            (Some(p10), None, _) => format!("not before {} with 90 %", span(p10)),
            (None, None, _) => "hardly within 30 days".to_owned(),
        };
        let share = 100.0 * used.get() / quota.get();
        let at_most = if *kind == QuotaKind::CrossModelTpd {
            "at most " // by weights that nobody publishes
        } else {
            ""
        };
        let (used, quota) = (kind.said(*used), kind.said(*quota));
        let (used, anew) = if kind.is_daily() {
            (
                format!("up to {minute} the fuller one of yesterday and today took {used}"),
                "; each day begins anew at 00:00 UTC",
            )
        } else {
            (format!("use at {minute}: {used}"), "")
        };
        format!(
            "by the forecast the {kind} quota {code} of {at_most}{quota} runs out {when}; {} within 24 hours, {} within 7 days; {used} ({share:.0} %){anew}",
            percent(it.within_day),
            percent(it.within_week),
        )
    }
}

/// A share of one, to the digits that matter.
fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent < 10.0 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// A number a minute: small ones have a part that matters.
fn rate(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.1}")
    } else {
        grouped(value.round())
    }
}

/// Minutes as people say them.
fn span(minutes: i64) -> String {
    match minutes {
        ..60 => "less than an hour".to_owned(),
        60..2_880 => format!("{} hours", minutes / HOUR),
        _ => format!("{} days", minutes / DAY),
    }
}

/// Days are what people plan in; of a part of a day nothing is promised.
fn ends(end: Timestamp, minute: Minute) -> String {
    let day = end.strftime("%Y-%m-%d");
    match Minute::of(end).since(minute) {
        left if left < 0 => format!("the model reached its end of life on {day}, as AWS announced"),
        left if left < DAY => format!("the model reaches its end of life on {day}, within a day"),
        left => format!(
            "the model reaches its end of life on {day}, in {} days: after that every call fails",
            left / DAY
        ),
    }
}
