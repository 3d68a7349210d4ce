//! Looks at the minutes of one pool by one rule, in order.

use super::{
    strip::Strip,
    yardstick::{
        DayUse, Look, Use, Yardstick, counted, look_at_count, look_at_end, look_at_latency,
        minute_use,
    },
};
use crate::model::{
    rule::Condition,
    series::Signal,
    time::{DAY, Minute},
};

/// Looks at minutes in order, remembering what a look needs of earlier ones.
#[derive(Debug)]
pub(super) struct Observer<'a> {
    pub(super) yardstick: &'a Yardstick<'a>,
    pub(super) strip: &'a Strip,
    day: DayUse,
}

impl<'a> Observer<'a> {
    pub(super) fn new(yardstick: &'a Yardstick<'a>, strip: &'a Strip, first_look: Minute) -> Self {
        let mut observer = Self {
            yardstick,
            strip,
            day: DayUse::default(),
        };
        if is_daily(yardstick) {
            for minute in day_start(first_look).until(first_look) {
                observer.used(minute); // fills the sum of the day
            }
        }
        observer
    }

    /// Use of the quota in this minute, or in this day so far.
    pub(super) fn used(&mut self, minute: Minute) -> Use {
        let Yardstick::QuotaShare(line) = self.yardstick else {
            return Use::Unknown;
        };
        if line.kind.is_daily() {
            let charged = self.strip.value(Signal::ChargedTokens, minute);
            self.day.add(minute, charged)
        } else {
            minute_use(line.kind, self.strip, minute)
        }
    }

    /// What the minute says, and the number it says it with. An unclear minute has no number: a lower bound that
    /// proves nothing is not to be quoted.
    pub(super) fn look(&mut self, minute: Minute) -> (Look, Option<f64>) {
        let (look, number) = match self.yardstick {
            Yardstick::Broken { .. } => (Look::Unclear, None),
            Yardstick::QuotaShare(line) => {
                let used = self.used(minute);
                (line.look(used), used.number())
            }
            Yardstick::Plain(condition) => self.look_plain(condition, minute),
            Yardstick::End { end, within } => {
                let (look, nearness) = look_at_end(*end, *within, minute);
                (look, Some(nearness))
            }
        };
        // Planned minutes say nothing about traffic. An announced date is none.
        let is_planned = !matches!(self.yardstick, Yardstick::End { .. })
            && self.strip.windows().at(minute).is_some();
        let look = if is_planned { Look::Unclear } else { look };
        (look, number.filter(|_| look != Look::Unclear))
    }

    fn look_plain(&mut self, condition: &Condition, minute: Minute) -> (Look, Option<f64>) {
        match *condition {
            Condition::Count {
                of,
                at_least,
                share,
                min_demand,
            } => {
                let seen = counted(of, self.strip, minute);
                let look = look_at_count(at_least, share, min_demand, seen);
                (look, seen.map(|seen| seen.count))
            }
            Condition::Slow { millis, min_demand } => {
                let seen = self.strip.value(Signal::Latency, minute);
                let look = look_at_latency(millis, min_demand, seen, self.strip.demand(minute));
                (look, seen)
            }
            // These are never plain.
            Condition::QuotaShare { .. }
            | Condition::Ends { .. }
            | Condition::Unusual(_)
            | Condition::RunsOut { .. } => (Look::Unclear, None),
        }
    }
}

fn is_daily(yardstick: &Yardstick<'_>) -> bool {
    matches!(yardstick, Yardstick::QuotaShare(line) if line.kind.is_daily())
}

pub(super) fn day_start(minute: Minute) -> Minute {
    Minute(minute.0.div_euclid(DAY) * DAY)
}
