//! From minutes to states: M of the last N, hysteresis, gaps, and the line between settled and provisional minutes.
//!
//! The track advances over settled minutes only: those that no re-read can change any more. The newer minutes are judged
//! anew on top of it each time. There an alert may begin, because late data mostly adds, but it may not end: a good
//! minute that still lacks its late datapoints proves nothing.

use super::{
    explain,
    observer::{Observer, day_start},
    strip::Strip,
    yardstick::{Look, Yardstick},
};
use crate::model::{
    alert::{AlertState, Episode, Track, Verdict},
    catalog::Pool,
    reason::Reason,
    rule::{Condition, Rule},
    series::{PoolSeries, SETTLE_MINUTES},
    time::{DAY, Minute, Timestamp},
};

/// Without a track judging starts at most so far back: what was over a day ago is history, not news.
pub const FIRST_LOOK_MINUTES: i64 = DAY;
/// After a pause at most so many minutes are judged in one call; older minutes are no longer held anyway.
pub const MOST_MINUTES_AT_ONCE: i64 = crate::model::series::KEPT_MINUTES;

/// Which minutes a call is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// First minute that must be at hand: windows and day sums reach back to it.
    pub(super) first: Minute,
    /// First minute that is looked at, to fill the window before `start`.
    looks: Minute,
    /// First minute to be judged.
    start: Minute,
    /// First minute that may still change; at least `start`.
    settled: Minute,
    /// End, exclusive; at least `start`.
    pub(super) until: Minute,
}

impl Span {
    /// A minute is settled when it was *read* that long after its end: `known_until`, not `now` alone, since a pool that
    /// is read every few minutes learns of late data only with the next read.
    pub(super) fn of(
        rule: &Rule,
        series: &PoolSeries,
        track: Option<&Track>,
        known_until: Minute,
        now: Timestamp,
    ) -> Self {
        let known_until = known_until.min(Minute::of(now));
        let settled = known_until.plus(-SETTLE_MINUTES);
        let start = match track {
            Some(track) => track
                .through
                .plus(1)
                .max(known_until.plus(-MOST_MINUTES_AT_ONCE)),
            // Looked for only now: finding the first minute reads the whole index of the history.
            None => series.first_minute().map_or(settled, |first| {
                first.clamp(known_until.plus(-FIRST_LOOK_MINUTES), known_until)
            }),
        };
        let back = i64::from(rule.window.of().max(rule.clear_minutes));
        let looks = start.plus(-back);
        let first = match rule.condition {
            Condition::QuotaShare { kind, .. } if kind.is_daily() => day_start(looks),
            Condition::QuotaShare { .. }
            | Condition::Count { .. }
            | Condition::Slow { .. }
            | Condition::Ends { .. }
            | Condition::Unusual(_)
            | Condition::RunsOut { .. } => looks,
        };
        Self {
            first,
            looks,
            start,
            settled: settled.max(start),
            until: known_until.max(start),
        }
    }

    /// The last minute of the last window.
    pub(super) fn last(&self) -> Minute {
        self.until.plus(-1)
    }
}

/// The last N looks, and the run of good ones that ends now.
#[derive(Debug)]
struct Recent {
    looks: std::collections::VecDeque<(Minute, Look)>,
    of: usize,
    bad: u8,
    evidence: u8,
    good_run: u32,
}

impl Recent {
    fn new(of: u8) -> Self {
        Self {
            looks: std::collections::VecDeque::with_capacity(usize::from(of) + 1),
            of: usize::from(of),
            bad: 0,
            evidence: 0,
            good_run: 0,
        }
    }

    fn push(&mut self, minute: Minute, look: Look) {
        self.looks.push_back((minute, look));
        self.bad += u8::from(look == Look::Bad);
        self.evidence += u8::from(look != Look::Unclear);
        self.good_run = if look == Look::Good {
            self.good_run.saturating_add(1)
        } else {
            0
        };
        if self.of < self.looks.len()
            && let Some((_, old)) = self.looks.pop_front()
        {
            self.bad -= u8::from(old == Look::Bad);
            self.evidence -= u8::from(old != Look::Unclear);
        }
    }

    fn last_bad(&self) -> Option<Minute> {
        let bad = self.looks.iter().rev().find(|(_, look)| *look == Look::Bad);
        bad.map(|(minute, _)| *minute)
    }
}

/// Where the walk stands. The same four fields as a [`Track`], over unsettled minutes too.
#[derive(Clone, Copy, Debug)]
struct Stand {
    state: AlertState,
    since: Minute,
    began: Option<Minute>,
    last_bad: Option<Minute>,
}

/// What a step did that a verdict tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    None,
    Began,
    Ended,
}

impl Stand {
    /// Where the track stands, or a first look at the minutes before the first judged one.
    fn at(track: Option<&Track>, recent: &Recent, start: Minute, is_broken: bool) -> Self {
        let first = Self {
            state: calm(recent, is_broken),
            since: start,
            began: None,
            last_bad: None,
        };
        track.map_or(first, |track| Self {
            state: track.state,
            since: track.since,
            began: track.began,
            last_bad: track.last_bad,
        })
    }

    /// The one transition function.
    fn step(
        &mut self,
        rule: &Rule,
        recent: &Recent,
        (minute, look): (Minute, Look),
        may_end: bool,
        is_broken: bool,
    ) -> Turn {
        let is_full = rule.window.bad() <= recent.bad;
        let is_cleared = !is_full && u32::from(rule.clear_minutes) <= recent.good_run;
        let (next, turn) = match (self.state.is_on(), is_full, is_cleared && may_end) {
            (true, _, true) => (calm(recent, is_broken), Turn::Ended),
            (true, _, false) => (self.stay_on(look), Turn::None),
            (false, true, _) => (AlertState::Alerting, Turn::Began),
            (false, false, _) => (calm(recent, is_broken), Turn::None),
        };
        match turn {
            Turn::Began => (self.began, self.last_bad) = (Some(minute), recent.last_bad()),
            Turn::Ended => (self.began, self.last_bad) = (None, None),
            Turn::None if next.is_on() && look == Look::Bad => self.last_bad = Some(minute),
            Turn::None => {}
        }
        if next != self.state {
            (self.state, self.since) = (next, minute);
        }
        turn
    }

    /// A gap holds the state: it proves neither that the trouble goes on nor that it is over.
    const fn stay_on(&self, look: Look) -> AlertState {
        match look {
            Look::Bad | Look::Between => AlertState::Alerting,
            Look::Good => AlertState::Recovering,
            Look::Unclear => self.state,
        }
    }

    const fn track(&self, through: Minute) -> Track {
        Track {
            state: self.state,
            since: self.since,
            through,
            began: self.began,
            last_bad: self.last_bad,
        }
    }
}

const fn calm(recent: &Recent, is_broken: bool) -> AlertState {
    match (is_broken, recent.bad, recent.evidence) {
        (true, _, _) => AlertState::Error,
        (false, 0, 0) => AlertState::NoData,
        (false, 0, _) => AlertState::Normal,
        (false, _, _) => AlertState::Pending,
    }
}

/// Judges the minutes of the span in order and says where the rule stands.
pub(super) fn walk(
    rule: &Rule,
    pool: &Pool,
    yardstick: &Yardstick<'_>,
    track: Option<&Track>,
    span: &Span,
    strip: &Strip,
) -> Verdict {
    let is_broken = matches!(yardstick, Yardstick::Broken { .. });
    let mut observer = Observer::new(yardstick, strip, span.looks);
    let mut recent = Recent::new(rule.window.of());
    for minute in span.looks.until(span.start) {
        recent.push(minute, observer.look(minute).0);
    }
    let mut stand = Stand::at(track, &recent, span.start, is_broken);
    let mut settled = stand.track(track.map_or(span.start.plus(-1), |track| track.through));
    let mut past = Vec::new();
    let mut open: Option<Episode> = None;
    for minute in span.start.until(span.until) {
        let (look, _) = observer.look(minute);
        recent.push(minute, look);
        let is_settled = minute < span.settled;
        let turn = stand.step(rule, &recent, (minute, look), is_settled, is_broken);
        if !is_settled {
            continue;
        }
        settled = stand.track(minute);
        match turn {
            Turn::None => {}
            Turn::Began => {
                let reasons = explain::reasons(rule, yardstick, strip, minute);
                open = Some(Episode {
                    began: minute,
                    ended: minute,
                    reasons,
                });
            }
            Turn::Ended => past.extend(open.take().map(|open| Episode {
                ended: minute,
                ..open
            })),
        }
    }
    let reasons = reasons_of(stand.state, || {
        explain::reasons(rule, yardstick, strip, span.last())
    });
    Verdict {
        rule: rule.name.clone(),
        rule_hash: rule.hash.clone(),
        pool: pool.id.clone(),
        category: rule.category,
        severity: rule.severity,
        remedy: rule.remedy,
        runbook: rule.runbook.clone(),
        quota: yardstick.quota(),
        track: settled,
        state: stand.state,
        is_provisional: stand.state != settled.state,
        began: stand.began,
        last_bad: stand.last_bad,
        past,
        reasons,
    }
}

/// Being fine needs no reason.
fn reasons_of(state: AlertState, reasons: impl FnOnce() -> Vec<Reason>) -> Vec<Reason> {
    match state {
        AlertState::Normal => Vec::new(),
        AlertState::Pending
        | AlertState::Alerting
        | AlertState::Recovering
        | AlertState::NoData
        | AlertState::Error => reasons(),
    }
}
