//! How bad it is, in as few words as a headline takes.

use super::{Reason, percent, rate, span};
use crate::model::{
    series::Signal,
    time::{DAY, Minute},
    units::grouped,
    unusual::Trouble,
};

/// What a figure measures. The order is that in which figures are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Use, counts, latency: what is so now.
    Now,
    /// Time that is left.
    Left,
}

impl Reason {
    /// The number of this reason, ASCII; `None` where it has none that a headline could say. Time that is left is counted
    /// from `now`.
    #[must_use]
    pub fn figure(&self, now: Minute) -> Option<(Measure, String)> {
        let said = match self {
            Self::QuotaUse { used, quota, .. } => {
                format!("{:.0} % used", 100.0 * used.get() / quota.get())
            }
            Self::Count {
                signal,
                count,
                demand,
                ..
            } => {
                let (count, demand) = (grouped(*count), grouped(*demand));
                format!("{count} of {demand} {}", became(*signal))
            }
            Self::Slow { millis, limit, .. } => {
                let (millis, limit) = (grouped(millis.round()), grouped(*limit));
                format!("{millis} ms, limit {limit} ms")
            }
            Self::Unusual {
                signal,
                value,
                usual,
                ..
            } => {
                let what = signal.name().replace('_', " ");
                format!("{} {what}, usually {}", grouped(*value), grouped(*usual))
            }
            Self::Trouble {
                trouble,
                seen,
                usual,
                ..
            } => of_trouble(*trouble, *seen, *usual),
            Self::RunsOut { exhaustion: it, .. } => {
                let left = it.p50.map(|p50| it.origin.plus(p50).since(now));
                let said = match left {
                    Some(..=0) => "runs out about now".to_owned(),
                    Some(left) => format!("runs out in {}", span(left)),
                    None => format!("{} to run out within 7 days", percent(it.within_week)),
                };
                return Some((Measure::Left, said));
            }
            Self::Ends { end, .. } => {
                let day = end.strftime("%Y-%m-%d");
                let said = match Minute::of(*end).since(now) {
                    left if left < 0 => format!("ended {day}"),
                    left if left < DAY => format!("ends {day}, within a day"),
                    left => format!("ends {day}, {} days left", left / DAY),
                };
                return Some((Measure::Left, said));
            }
            Self::Leaves {
                outside,
                is_anywhere,
                ..
            } => match outside.first().filter(|_| !is_anywhere) {
                None => "to any commercial Region".to_owned(),
                Some(first) if outside.len() == 1 => format!("to {first}"),
                Some(_) => format!("to {} Regions outside", outside.len()),
            },
            Self::RanOutside { requests, of, .. } => format!("{requests} of {of} requests"),
            Self::Peak { .. }
            | Self::TopTarget { .. }
            | Self::Gap { .. }
            | Self::Hint(_)
            | Self::Considered(_)
            | Self::FullUse { .. } => return None,
        };
        Some((Measure::Now, said))
    }
}

/// What became of counted requests.
fn became(signal: Signal) -> String {
    if signal == Signal::Throttles {
        return "throttled".to_owned();
    }
    signal.name().replace('_', " ")
}

fn of_trouble(trouble: Trouble, seen: f64, usual: f64) -> String {
    let whole = |value: f64| grouped(value.round());
    match trouble {
        Trouble::Throttled => format!("{} throttled", percent(seen)),
        Trouble::ClientErrors => format!("{} client errors", percent(seen)),
        Trouble::ServerErrors => format!("{} server errors", percent(seen)),
        Trouble::Slow => format!("{} ms instead of {} ms", whole(seen), whole(usual)),
        Trouble::TrafficUp | Trouble::TrafficDown => {
            format!("{} requests/min instead of {}", rate(seen), rate(usual))
        }
        Trouble::TokensUp => {
            let (seen, usual) = (whole(seen), whole(usual));
            format!("{seen} tokens/request instead of {usual}")
        }
    }
}
