//! One rule on one pool, from what its detector says to a verdict.

use super::Reach;
use crate::{
    engine::{detect::Evidence, forecast::warning::Warning},
    model::{
        alert::{AlertState, Episode, Track, Verdict},
        catalog::Pool,
        ids::QuotaCode,
        outlook::Way,
        reason::Reason,
        rule::{Condition, Rule, Severity},
        time::{DAY, Minute},
        units::{Amount, QuotaKind},
        unusual::Trouble,
    },
};

/// Without a track judging starts at most so far back, as in `hold`: what was over a day ago is history, not news.
const FIRST_LOOK_MINUTES: i64 = DAY;
/// A detector that could say nothing for so long has no data.
const SILENT_MINUTES: i64 = 30;

/// What is said of one minute.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    /// The last minute of which anything could be said.
    pub(super) looked: Option<Minute>,
    /// Whether the alert is on after it.
    pub(super) is_on: bool,
    /// Whether the minute itself is bad.
    pub(super) is_bad: bool,
    /// While off: whether the next minute may well be bad.
    pub(super) is_near: bool,
    /// While on or near: the latest evidence.
    pub(super) why: Option<Why>,
}

/// Evidence, before anybody reads it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Why {
    /// Of a detector.
    Unusual {
        /// Of which.
        trouble: Trouble,
        /// The last bad minute.
        at: Minute,
        /// Its numbers.
        evidence: Evidence,
    },
    /// Of a forecast.
    RunsOut {
        /// What stands.
        warning: Warning,
        /// When it was told last, and which way led to that.
        told: (Minute, Way),
    },
}

/// A rule while it hears of minutes.
#[derive(Debug)]
pub(super) struct Sitting<'r> {
    rule: &'r Rule,
    pool: &'r Pool,
    quota: Option<(QuotaKind, QuotaCode)>,
    /// Why it can't be judged, if it can't.
    broken: Option<String>,
    /// Where judging stood before.
    given: Option<Track>,
    /// Where it stands now.
    now: Option<Track>,
    /// Where it stood after the last settled minute.
    settled: Option<Track>,
    why: Option<Why>,
    looked: Option<Minute>,
    past: Vec<Episode>,
    /// The settled minute in which the standing alert began, and why.
    open: Option<(Minute, Vec<Reason>)>,
}

impl<'r> Sitting<'r> {
    pub(super) fn new(
        rule: &'r Rule,
        pool: &'r Pool,
        given: Option<Track>,
        quota: Option<(QuotaKind, QuotaCode)>,
        broken: Option<String>,
    ) -> Self {
        Self {
            rule,
            pool,
            quota,
            broken,
            given,
            now: given,
            settled: given,
            why: None,
            looked: None,
            past: Vec::new(),
            open: None,
        }
    }

    /// One more minute. Of minutes that were judged already only the evidence is of interest.
    pub(super) fn hear(&mut self, minute: Minute, said: &Said, is_settled: bool) {
        if said.why.is_some() {
            self.why = said.why;
        }
        self.looked = said.looked;
        if self.given.is_some_and(|it| minute <= it.through) {
            return;
        }
        let calm = self.calm(minute, said);
        let before = self.now.unwrap_or_else(|| fresh(calm, minute));
        let was_on = before.state.is_on();
        let state = match (was_on, said.is_on) {
            (_, true) if said.is_bad => AlertState::Alerting,
            // Nothing was said of this minute: that holds the state.
            (true, true) if said.looked != Some(minute) => before.state,
            (_, true) => AlertState::Recovering,
            // A good minute that may still change ends nothing.
            (true, false) if !is_settled => AlertState::Recovering,
            (_, false) => calm,
        };
        let mut now = Track {
            state,
            through: minute,
            ..before
        };
        if state != before.state {
            now.since = minute;
        }
        match (was_on, state.is_on()) {
            (false, true) => {
                (now.began, now.last_bad) = (Some(minute), Some(minute));
                self.now = Some(now);
                self.open = is_settled.then(|| (minute, self.reasons()));
            }
            (true, false) => {
                (now.began, now.last_bad) = (None, None);
                let open = self.open.take();
                self.past.extend(open.map(|(began, reasons)| Episode {
                    began,
                    ended: minute,
                    reasons,
                }));
            }
            (_, true) if said.is_bad => now.last_bad = Some(minute),
            (_, _) => {}
        }
        self.now = Some(now);
    }

    /// What was said of a minute that was judged before: a walk without new minutes still knows why an alert is on.
    pub(super) fn recall(&mut self, said: &Said) {
        (self.why, self.looked) = (said.why, said.looked);
    }

    /// The state of a minute without an alert.
    fn calm(&self, minute: Minute, said: &Said) -> AlertState {
        let is_silent = |looked: Minute| SILENT_MINUTES < minute.since(looked);
        if self.broken.is_some() {
            AlertState::Error
        } else if said.looked.is_none_or(is_silent) {
            AlertState::NoData
        } else if said.is_near {
            AlertState::Pending
        } else {
            AlertState::Normal
        }
    }

    /// From here on minutes may still change.
    pub(super) fn settle(&mut self) {
        self.settled = self.now;
    }

    pub(super) fn verdict(mut self, reach: Reach) -> Verdict {
        if self.given.is_none() {
            let oldest = reach.settled.plus(-FIRST_LOOK_MINUTES);
            self.past.retain(|it| oldest <= it.ended);
        }
        let nothing = fresh(AlertState::NoData, reach.settled.plus(-1));
        let track = self.settled.unwrap_or(nothing);
        let now = self.now.unwrap_or(track);
        self.now = Some(now);
        let reasons = match now.state {
            AlertState::Normal => Vec::new(),
            AlertState::Pending
            | AlertState::Alerting
            | AlertState::Recovering
            | AlertState::NoData
            | AlertState::Error => self.reasons(),
        };
        Verdict {
            rule: self.rule.name.clone(),
            rule_hash: self.rule.hash.clone(),
            pool: self.pool.id.clone(),
            category: self.rule.category,
            severity: self.severity(),
            remedy: self.rule.remedy,
            runbook: self.rule.runbook.clone(),
            quota: self.quota,
            track,
            state: now.state,
            is_provisional: now.state != track.state,
            began: now.began,
            last_bad: now.last_bad,
            past: self.past,
            reasons,
        }
    }

    /// A quota that runs out some day is told less loudly than one that does so today.
    fn severity(&self) -> Severity {
        match (&self.why, &self.rule.condition) {
            (
                Some(Why::RunsOut {
                    warning: standing, ..
                }),
                Condition::RunsOut { warning, .. },
            ) => match standing.way {
                Way::Ahead | Way::Near | Way::Climb => warning.early,
                Way::Soon => self.rule.severity,
            },
            // That a forecast stands is known, and its numbers are not now.
            (None, Condition::RunsOut { warning, .. }) => warning.early,
            _ => self.rule.severity,
        }
    }

    /// Never empty.
    fn reasons(&self) -> Vec<Reason> {
        let is_silent = self.now.is_none_or(|it| it.state == AlertState::NoData);
        let known = self.why.as_ref().filter(|_| !is_silent);
        let why = match (&self.broken, self.looked) {
            (Some(why), _) => why.clone(),
            (None, None) => "too little is known of this pool yet to say what is usual".to_owned(),
            (None, Some(at)) => format!("nothing could be said of it since {at}"),
        };
        let reason = known.and_then(|why| self.reason(why));
        vec![reason.unwrap_or(Reason::Gap { minutes: 0, why })]
    }

    fn reason(&self, why: &Why) -> Option<Reason> {
        match why {
            Why::Unusual {
                trouble,
                at,
                evidence,
            } => Some(Reason::Trouble {
                trouble: *trouble,
                minute: *at,
                seen: evidence.seen,
                usual: evidence.usual,
                minutes: evidence.minutes,
                is_young: evidence.is_young,
            }),
            Why::RunsOut { warning, told } => {
                let (kind, code) = self.quota.clone()?;
                Some(Reason::RunsOut {
                    kind,
                    code,
                    minute: warning.minute,
                    used: Amount::new(warning.used)?,
                    quota: Amount::new(warning.quota)?,
                    way: told.1,
                    exhaustion: warning.exhaustion,
                    told: told.0,
                })
            }
        }
    }
}

const fn fresh(state: AlertState, minute: Minute) -> Track {
    Track {
        state,
        since: minute,
        through: minute,
        began: None,
        last_bad: None,
    }
}
