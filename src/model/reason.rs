//! Reasons as data: verdicts, incidents and actions carry them; texts, logs and `explain` render them.

use std::fmt;

use super::{
    hint::Hint,
    ids::{QuotaCode, TargetId},
    series::Signal,
    time::{DAY, Minute, Timestamp},
    units::{Amount, QuotaKind, Share, grouped},
};

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
    /// A value against what is usual for this time of day.
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
    /// The model will be gone, or is.
    Ends {
        /// From when it can no longer be called, as AWS announces it.
        end: Timestamp,
        /// The minute that was judged.
        minute: Minute,
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
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

impl Reason {
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
            Self::Ends { end, minute } => ends(*end, *minute),
            Self::TopTarget { target, share } => format!("`{target}` takes {share} of the pool"),
            Self::Gap { minutes, why } => format!("{minutes} minutes without evidence: {why}"),
            Self::Hint(hint) => hint.to_string(),
            Self::Considered(text) => text.clone(),
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
                "{used} of {quota} {unit} ({percent:.0} % of the {source}quota {code}) at {minute}; {bad} of the last {of} minutes at {above} or more",
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
                "14-day peak {used} {unit} at {minute} ({whole}.{rest:02} % of the minutes observed)",
                unit = kind.unit(),
                whole = coverage / 100,
                rest = coverage % 100,
            ),
            Self::Count { .. }
            | Self::Slow { .. }
            | Self::Unusual { .. }
            | Self::Ends { .. }
            | Self::TopTarget { .. }
            | Self::Gap { .. }
            | Self::Hint(_)
            | Self::Considered(_) => String::new(),
        }
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
