//! The wake-up: throttled requests of the whole account that no pool we know of accounts for.

use std::collections::BTreeMap;

use crate::model::{
    catalog::PoolId,
    series::{Reading, Sample, Signal},
    time::Minute,
};

/// Minutes that are remembered: as many as the account-wide series is read back.
const MINUTES: i64 = 15;
/// Rings that no pool explains come so far apart at most, minutes.
const MOST_WAIT: i64 = 15;

/// Compares the account's throttles, minute by minute, with those that the pools were seen to have.
///
/// A pool that is being throttled and is read each minute must not keep every quiet pool awake; so only what is not
/// explained yet rings, and the same number rings once.
///
/// Some refusals no pool will ever explain: those of a target that has none, or of a series that we may not read. Each
/// ring in vain therefore doubles the time to the next one, until a pool explains one or there is nothing to explain.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    explained: BTreeMap<Minute, BTreeMap<PoolId, f64>>,
    answered: BTreeMap<Minute, f64>,
    ringing: Option<Ringing>,
}

/// Something is not explained yet, and pools were woken for it.
#[derive(Clone, Copy, Debug)]
struct Ringing {
    last: Minute,
    /// Minutes from the last ring to the next one.
    wait: i64,
}

impl Alarm {
    /// Takes in what a pool was seen to have.
    pub(super) fn explain(&mut self, reading: &Reading) {
        let throttles = reading.signals.get(&Signal::Throttles);
        let minutes = (0_i64..).map(|offset| reading.from.plus(offset));
        let newest = throttles.map_or(0, Vec::len).saturating_sub(1);
        let oldest = i64::try_from(newest).unwrap_or(i64::MAX) - MINUTES;
        for (minute, sample) in minutes.zip(throttles.into_iter().flatten()) {
            if let Sample::Value(count) = sample
                && oldest <= minute.since(reading.from)
            {
                let pools = self.explained.entry(minute).or_default();
                pools.insert(reading.pool.clone(), *count);
            }
        }
    }

    /// Whether any of these minutes has throttles that nobody accounts for yet, which were not answered, and the last
    /// ring is long enough ago.
    pub(super) fn rings(&mut self, of_account: &[(Minute, f64)], now: Minute) -> bool {
        let unexplained: Vec<(Minute, f64)> = self.unexplained(of_account).collect();
        if unexplained.is_empty() {
            self.ringing = None;
            return false;
        }
        let is_new = unexplained.iter().any(|(minute, count)| {
            let answered = self.answered.get(minute);
            answered.is_none_or(|answered| answered < count)
        });
        let is_turn = self.ringing.is_none_or(|Ringing { last, wait }| {
            now < last || last.plus(wait) <= now // a clock that was set back silences nothing
        });
        is_new && is_turn
    }

    /// Pools were woken and read, and have said by now what they had: `before` is what [`Self::accounted_for`] was until
    /// then.
    pub(super) fn answer(&mut self, of_account: &[(Minute, f64)], before: f64, now: Minute) {
        let is_explained = before < self.accounted_for(of_account);
        let wait = match self.ringing {
            Some(Ringing { wait, .. }) if !is_explained => (2 * wait).min(MOST_WAIT),
            Some(_) | None => 1,
        };
        self.ringing = Some(Ringing { last: now, wait });
        let answered: Vec<_> = self.unexplained(of_account).collect();
        self.answered.extend(answered);
    }

    /// How many of these throttles pools account for.
    pub(super) fn accounted_for(&self, of_account: &[(Minute, f64)]) -> f64 {
        let minutes = of_account.iter();
        minutes.map(|(minute, _)| self.explained_at(*minute)).sum()
    }

    /// Minutes from ring to ring, while something is not explained.
    pub(super) fn rings_every(&self) -> Option<i64> {
        self.ringing.map(|ringing| ringing.wait)
    }

    fn unexplained(&self, of_account: &[(Minute, f64)]) -> impl Iterator<Item = (Minute, f64)> {
        let minutes = of_account.iter().copied();
        minutes.filter(|(minute, count)| self.explained_at(*minute) < *count)
    }

    fn explained_at(&self, minute: Minute) -> f64 {
        let pools = self.explained.get(&minute);
        pools.into_iter().flat_map(BTreeMap::values).sum()
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.explained.is_empty() && self.answered.is_empty()
    }

    /// Lets go of what is never compared again. By the clock, since most accounts have no throttles to tell the time by;
    /// minutes to come were seen by a clock that has been set back.
    pub(super) fn forget(&mut self, now: Minute) {
        let compared = now.plus(-2 * MINUTES)..=now;
        self.explained.retain(|minute, _| compared.contains(minute));
        self.answered.retain(|minute, _| compared.contains(minute));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::fake::scope;
    use crate::model::{catalog::Family, ids::ModelId};

    fn reading(model: &str, from: Minute, throttles: &[f64]) -> Reading {
        let samples = throttles.iter().copied().map(Sample::Value).collect();
        Reading {
            pool: PoolId {
                scope: scope(),
                family: Family::Geo,
                model: ModelId::new(model),
            },
            from,
            signals: BTreeMap::from([(Signal::Throttles, samples)]),
            by_target: BTreeMap::new(),
        }
    }

    #[test]
    fn only_what_nobody_accounts_for_rings_and_only_once() {
        let mut alarm = Alarm::default();
        let minute = Minute(29_000_000);
        let now = minute.plus(2);
        assert!(!alarm.rings(&[(minute, 0.0)], now), "no throttles");
        alarm.explain(&reading("hot", minute, &[7.0, 9.0]));
        let account = [(minute, 7.0), (minute.plus(1), 9.0)];
        assert!(
            !alarm.rings(&account, now),
            "the hot pool accounts for all of it"
        );
        let more = [(minute, 7.0), (minute.plus(1), 12.0)];
        assert!(alarm.rings(&more, now), "three are somebody else's");
        let before = alarm.accounted_for(&more);
        alarm.answer(&more, before, now);
        assert!(!alarm.rings(&more, now.plus(1)), "that was answered");
        alarm.explain(&reading("woken", minute, &[0.0, 3.0]));
        assert!(!alarm.rings(&more, now.plus(2)));
        let late = [(minute, 8.0), (minute.plus(1), 12.0)];
        assert!(
            alarm.rings(&late, now.plus(2)),
            "late data of somebody else"
        );
    }

    /// The minutes of an hour in which it rings, with one refusal in each that nobody explains but in `explained`.
    fn rings(explained: &[i64], silent: &[i64]) -> Vec<i64> {
        let mut alarm = Alarm::default();
        let start = Minute(29_000_000);
        let mut rings = Vec::new();
        for minute in 0..60 {
            let now = start.plus(minute);
            let seen: Vec<(Minute, f64)> = (minute - MINUTES..minute)
                .filter(|it| !silent.contains(it))
                .map(|it| (start.plus(it), 1.0))
                .collect();
            if alarm.rings(&seen, now) {
                rings.push(minute);
                let before = alarm.accounted_for(&seen);
                if explained.contains(&minute) {
                    alarm.explain(&reading("woken", now.plus(-1), &[1.0]));
                }
                alarm.answer(&seen, before, now);
            }
        }
        rings
    }

    #[test]
    fn what_no_pool_explains_rings_less_and_less_often() {
        assert_eq!(rings(&[], &[]), [0, 1, 3, 7, 15, 30, 45]);
    }

    #[test]
    fn a_ring_that_a_pool_explains_and_a_quiet_quarter_of_an_hour_begin_anew() {
        assert_eq!(rings(&[7], &[]), [0, 1, 3, 7, 8, 10, 14, 22, 37, 52]);
        let silent: Vec<i64> = (10..30).collect();
        assert_eq!(
            rings(&[], &silent),
            [0, 1, 3, 7, 15, 31, 32, 34, 38, 46],
            "from the first refusal after it on"
        );
    }

    #[test]
    fn a_clock_that_was_set_back_leaves_nothing_behind() {
        let mut alarm = Alarm::default();
        let now = Minute(29_000_000);
        alarm.explain(&reading("hot", now.plus(9_000), &[1.0]));
        alarm.explain(&reading("hot", now, &[1.0]));
        alarm.forget(now);
        assert_eq!(alarm.explained.keys().collect::<Vec<_>>(), [&now]);
    }

    #[test]
    fn a_back_fill_is_not_remembered_for_ever() {
        let mut alarm = Alarm::default();
        let first = Minute(29_000_000);
        alarm.explain(&reading("new", first, &[1.0; 5_000]));
        assert!(alarm.explained.len() <= 17, "{}", alarm.explained.len());
        alarm.forget(first.plus(9_000));
        assert!(alarm.is_empty());
    }
}
