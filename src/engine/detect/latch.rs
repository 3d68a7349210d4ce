//! On until it has been calm for a while: one incident is one page.

use serde::{Deserialize, Serialize};

use crate::model::time::Minute;

/// So many calm minutes in a row end an alert. Minutes without evidence neither count nor break the row.
const CALM_MINUTES: u16 = 15;

/// What one minute says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Say {
    /// Wrong.
    Bad,
    /// Not bad enough to begin an alert, not calm enough to end one.
    Between,
    /// As usual.
    Calm,
}

/// Whether an alert is on, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Latch {
    since: Option<Minute>,
    calm: u16,
}

impl Latch {
    /// The one transition function. `Some(true)`: began; `Some(false)`: ended.
    pub(super) fn step(&mut self, minute: Minute, say: Say) -> Option<bool> {
        match (self.since, say) {
            (None, Say::Bad) => {
                (self.since, self.calm) = (Some(minute), 0);
                Some(true)
            }
            (None, Say::Between | Say::Calm) => None,
            (Some(_), Say::Bad | Say::Between) => {
                self.calm = 0;
                None
            }
            (Some(_), Say::Calm) => {
                self.calm += 1;
                if self.calm < CALM_MINUTES {
                    return None;
                }
                self.since = None;
                Some(false)
            }
        }
    }

    /// The minute it went on.
    pub(super) const fn since(&self) -> Option<Minute> {
        self.since
    }

    /// Whether what is seen now may be learned as usual: nothing is wrong, or it has been for so long that it is usual.
    pub(super) fn may_learn(&self, now: Minute, patience: i64) -> bool {
        self.since.is_none_or(|since| patience < now.since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_shorter_than_the_calm_is_the_same_alert() {
        let mut latch = Latch::default();
        assert_eq!(latch.step(Minute(0), Say::Bad), Some(true));
        for minute in 1..15 {
            assert_eq!(latch.step(Minute(minute), Say::Calm), None);
        }
        assert_eq!(latch.step(Minute(15), Say::Bad), None);
        let turns: Vec<_> = (16..31)
            .filter_map(|minute| latch.step(Minute(minute), Say::Calm))
            .collect();
        assert_eq!(turns, [false]);
        assert_eq!(latch.since(), None);
    }

    #[test]
    fn what_lasts_becomes_usual() {
        let mut latch = Latch::default();
        latch.step(Minute(0), Say::Bad);
        assert!(!latch.may_learn(Minute(60), 60));
        assert!(latch.may_learn(Minute(61), 60));
    }
}
