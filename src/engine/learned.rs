//! What a pool has taught: the state of its detectors and of the forecasts of its quotas, and the verdicts that follow.
//!
//! Pure and incremental: each settled minute is taken in once, in order, and the state after it is the same whether it came
//! in one call or in a thousand, with restarts between. Newer minutes may still change: they are judged on a copy each
//! time, where an alert may begin and may not end (as in `hold`).
//!
//! All of it follows from what was measured, so that it may be lost: it is learned again from the history then.
//!
//! - `sitting`: one rule on one pool, from what its detector says to a verdict;
//! - here: which minutes, in which order, to which detector.

mod sitting;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    detect::{Detectors, Evidence, Measured, Refusals, Step, Watched},
    forecast::{Alarm, Forecast, Growth, Lookout, Seen, Tally, wanted},
    strip::Strip,
    yardstick::{Bounds, Yardstick, signals_of_use},
};
use crate::model::{
    alert::{Track, Verdict},
    calendar::Windows,
    card::{Coverage, Warnings},
    catalog::Pool,
    ids::{QuotaCode, RuleName, Scope},
    outlook::Exhaustion,
    quota::{Quota, QuotaChange},
    rule::{Condition, Rule, WarningRule},
    series::{KEPT_MINUTES, PoolSeries, Sample, Signal},
    time::{Minute, Timestamp},
    units::{Amount, QuotaKind},
    unusual::Trouble,
};
use sitting::{Said, Sitting};

/// The shape of [`Learned`] as it is kept: one more with each change of what it consists of.
pub const SHAPE: u16 = 8;
/// Days of history that are worth learning from.
pub const LEARNED_DAYS: i64 = 15;
/// A minute that was nearly bad is worth a closer look for so long.
const NEAR_MINUTES: i64 = 5;
/// Minutes that are taken in at once at most, to bound what is copied.
const MOST_AT_ONCE: i64 = 1_440;

/// What a pool has taught so far: nothing by default.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Learned {
    refusals: Group<Troubles<Refusals, [Found; 1]>>,
    others: Group<Troubles<Detectors, [Found; Trouble::ALL.len() - 1]>>,
    /// By the place of the kind in [`QuotaKind::ALL`].
    quotas: [Option<Box<Group<Ahead>>>; QuotaKind::ALL.len()],
}

/// Something that takes in minutes, and the last one it took in for good.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
struct Group<S> {
    through: Option<Minute>,
    state: S,
}

/// Detectors and what they found.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
struct Troubles<D, F> {
    detectors: D,
    /// See [`place`].
    found: F,
}

/// What is known of one trouble; mostly that there is none.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
struct Found {
    /// The last minute that its detector could say anything of.
    looked: Option<Minute>,
    /// While it is on: its last bad minute, and why that was one.
    standing: Option<Box<(Minute, Evidence)>>,
    /// The last minute that was nearly bad, and why.
    near: Option<Box<(Minute, Evidence)>>,
}

/// The forecast of one quota, and what was told of it.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
struct Ahead {
    lookout: Lookout,
    alarm: Alarm,
    tally: Tally,
    /// The last minute in which demand was known.
    looked: Option<Minute>,
}

/// What is known of a pool, beside what it has taught.
#[derive(Clone, Debug)]
pub struct Ground<'a> {
    /// The pool.
    pub pool: &'a Pool,
    /// Its minutes.
    pub series: &'a PoolSeries,
    /// The quotas of its account and Region, as they are now.
    pub quotas: &'a BTreeMap<(Scope, QuotaCode), Quota>,
    /// What they were before.
    pub changes: &'a BTreeMap<(Scope, QuotaCode, Timestamp), QuotaChange>,
    /// Minutes that are neither judged nor learned.
    pub windows: Windows,
    /// Growth that people know of.
    pub growth: Vec<Growth>,
}

/// Up to where minutes are known; exclusive, and `settled <= until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Minutes before this one can't change any more.
    pub settled: Minute,
    /// Minutes before this one are known.
    pub until: Minute,
}

impl Reach {
    /// The later parts may reach no further than these.
    #[must_use]
    pub fn up_to(minute: Minute) -> Self {
        Self {
            settled: minute,
            until: minute,
        }
    }
}

/// What is to come against a quota, for people.
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'a> {
    /// Which quota.
    pub kind: QuotaKind,
    /// When the quota runs out, as of the last whole quarter of an hour; `None` while less than two days are known, and
    /// for a quota that is not.
    pub exhaustion: Option<Exhaustion>,
    /// What came of the warnings so far.
    pub warnings: Warnings,
    lookout: &'a Lookout,
}

impl Outlook<'_> {
    /// What demand is to be expected; takes some hundred microseconds.
    #[must_use]
    pub fn forecast(&self) -> Option<Forecast> {
        self.lookout.forecast()
    }

    /// How often what came lay inside the bands that were given for it, by how many hours ahead they were.
    pub fn coverage(&self) -> impl Iterator<Item = Coverage> {
        self.lookout.coverage()
    }
}

impl Learned {
    /// The first minute that is not taken in yet by something; `None` before anything was.
    #[must_use]
    pub fn next(&self) -> Option<Minute> {
        let quotas = self.quotas.iter().flatten().map(|it| it.through);
        let all = [self.refusals.through, self.others.through];
        let through = all.into_iter().chain(quotas).flatten().min();
        through.map(|through| through.plus(1))
    }

    /// Takes in the minutes that are new and judges those that no track has seen, rule by rule.
    ///
    /// `reach` says how far a signal of each depth is known, by the deepest signal of a rule. Rules whose condition is
    /// about something else, or that do not apply to the pool, have no verdict.
    pub fn judge(
        &mut self,
        rules: &[&Rule],
        ground: &Ground<'_>,
        track_of: impl Fn(&RuleName) -> Option<Track>,
        reach: impl Fn(&[Signal]) -> Option<Reach>,
    ) -> Vec<Verdict> {
        self.take_in(rules, ground, track_of, reach, false)
    }

    /// Takes in the minutes of the past up to `until`, and judges none of them: what is true now is told by the next
    /// [`Learned::judge`].
    pub fn learn(&mut self, rules: &[&Rule], ground: &Ground<'_>, until: Minute) {
        let reach = Reach::up_to(until);
        self.take_in(rules, ground, |_| None, |_| Some(reach), true);
    }

    fn take_in(
        &mut self,
        rules: &[&Rule],
        ground: &Ground<'_>,
        track_of: impl Fn(&RuleName) -> Option<Track>,
        reach: impl Fn(&[Signal]) -> Option<Reach>,
        is_past: bool,
    ) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let sought = rules.iter().filter_map(|rule| match rule.condition {
            Condition::Unusual(sought) => Some((*rule, sought)),
            Condition::RunsOut { .. }
            | Condition::QuotaShare { .. }
            | Condition::Count { .. }
            | Condition::Slow { .. }
            | Condition::Ends { .. } => None,
        });
        let sought: Vec<_> = sought
            .filter(|(_, sought)| applies(sought.trouble(), ground.pool))
            .collect();
        let watched = Watched::of(sought.iter().map(|(_, sought)| *sought));
        let sit = |is_of_refusals: bool| -> Vec<(Trouble, Sitting<'_>)> {
            let own = sought
                .iter()
                .filter(|(_, sought)| (sought.trouble() == Trouble::Throttled) == is_of_refusals);
            own.map(|(rule, sought)| {
                let track = track_of(&rule.name);
                let sitting = Sitting::new(rule, ground.pool, track, None, None);
                (sought.trouble(), sitting)
            })
            .collect()
        };
        let refusals = self.refusals.judge(
            ground,
            &REFUSALS,
            reach(&REFUSALS),
            sit(true),
            |state, strip, minute| state.see(strip, minute, &watched),
        );
        let others = self.others.judge(
            ground,
            &ALL,
            reach(&ALL),
            sit(false),
            |state, strip, minute| state.see(strip, minute, &watched),
        );
        verdicts.extend(refusals.into_iter().chain(others));
        for rule in rules {
            let Condition::RunsOut { kind, warning } = &rule.condition else {
                continue;
            };
            let (quotas, life) = (ground.quotas, None);
            let bounds = Bounds { quotas, life };
            let Some(yardstick) = Yardstick::of(&rule.condition, ground.pool, bounds) else {
                continue; // a pool without this quota: nothing is held of it
            };
            let group = QuotaKind::ALL.iter().zip(&mut self.quotas);
            let group = group.into_iter().find(|(it, _)| *it == kind);
            let Some((_, group)) = group else {
                continue; // every kind is in `ALL`
            };
            let case = Case {
                rule,
                kind: *kind,
                yardstick,
                warning,
                ground,
                is_past,
            };
            let group = group.get_or_insert_with(|| Box::new(Group::of(*kind)));
            verdicts.extend(group.judge(&case, track_of(&rule.name), &reach));
        }
        verdicts
    }

    /// What is to come against each quota, as of the last settled minute.
    pub fn outlooks(&self) -> impl Iterator<Item = Outlook<'_>> {
        let groups = QuotaKind::ALL.into_iter().zip(&self.quotas);
        groups.filter_map(|(kind, group)| {
            let Ahead { lookout, tally, .. } = &group.as_ref()?.state;
            Some(Outlook {
                kind,
                warnings: tally.warnings(),
                exhaustion: lookout.known_chances(),
                lookout,
            })
        })
    }
}

/// What refusals are told by.
const REFUSALS: [Signal; 2] = [Signal::Invocations, Signal::Throttles];
/// What all other troubles are told by.
const ALL: [Signal; 7] = [
    Signal::Invocations,
    Signal::Throttles,
    Signal::ClientErrors,
    Signal::ServerErrors,
    Signal::InputTokens,
    Signal::OutputTokens,
    Signal::Latency,
];

/// What a trouble is told by.
const fn signals_of(trouble: Trouble) -> &'static [Signal] {
    match trouble {
        Trouble::Throttled => &REFUSALS,
        Trouble::ClientErrors
        | Trouble::ServerErrors
        | Trouble::Slow
        | Trouble::TrafficUp
        | Trouble::TrafficDown
        | Trouble::TokensUp => &ALL,
    }
}

/// Whether the pool's endpoint publishes what this trouble is told by.
pub(super) fn applies(trouble: Trouble, pool: &Pool) -> bool {
    let mut signals = signals_of(trouble).iter();
    signals.all(|it| it.depth(pool.id.family).is_some())
}

impl<S: Clone> Group<S> {
    /// Takes in the minutes that are new, for good up to the settled ones, and lets each sitting hear of them; the copy
    /// that the others were judged on, where there were any.
    fn walk<K>(
        &mut self,
        ground: &Ground<'_>,
        signals: &[Signal],
        reach: Reach,
        sittings: &mut [(K, Sitting<'_>)],
        see: impl Fn(&mut S, &Strip, Minute),
        tell: impl Fn(&S, &K, Minute) -> Said,
    ) -> Option<S> {
        let next = self.through.map(|through| through.plus(1));
        let at = next.or_else(|| ground.series.first_minute())?;
        if let Some(through) = self.through {
            for (key, sitting) in &mut *sittings {
                sitting.recall(&tell(&self.state, key, through));
            }
        }
        // After a clock that jumped, or a pause of weeks: what nobody holds any more is a gap.
        let mut at = at.max(reach.settled.plus(-KEPT_MINUTES));
        while at < reach.settled {
            let end = at.plus(MOST_AT_ONCE).min(reach.settled);
            let strip = Strip::cut(ground.series, at, end, signals.iter().copied());
            for minute in at.until(end) {
                if ground.windows.at(minute).is_none() {
                    see(&mut self.state, &strip, minute);
                }
                for (key, sitting) in &mut *sittings {
                    sitting.hear(minute, &tell(&self.state, key, minute), true);
                }
            }
            self.through = Some(end.plus(-1));
            at = end;
        }
        for (_, sitting) in &mut *sittings {
            sitting.settle();
        }
        if reach.until <= at {
            return None;
        }
        let strip = Strip::cut(ground.series, at, reach.until, signals.iter().copied());
        let mut ahead = self.state.clone();
        for minute in at.until(reach.until) {
            if ground.windows.at(minute).is_none() {
                see(&mut ahead, &strip, minute);
            }
            for (key, sitting) in &mut *sittings {
                sitting.hear(minute, &tell(&ahead, key, minute), false);
            }
        }
        Some(ahead)
    }
}

impl<D: Clone, F: Clone + AsRef<[Found]>> Group<Troubles<D, F>> {
    fn judge(
        &mut self,
        ground: &Ground<'_>,
        signals: &[Signal],
        reach: Option<Reach>,
        mut sittings: Vec<(Trouble, Sitting<'_>)>,
        see: impl Fn(&mut Troubles<D, F>, &Strip, Minute),
    ) -> Vec<Verdict> {
        let Some(reach) = reach.filter(|_| !sittings.is_empty()) else {
            return Vec::new();
        };
        let tell = |state: &Troubles<D, F>, trouble: &Trouble, minute| state.said(*trouble, minute);
        self.walk(ground, signals, reach, &mut sittings, see, tell);
        let sittings = sittings.into_iter();
        sittings.map(|(_, it)| it.verdict(reach)).collect()
    }
}

impl<F: AsMut<[Found]>> Troubles<Refusals, F> {
    fn see(&mut self, strip: &Strip, minute: Minute, watched: &Watched) {
        let answered = strip.get(Signal::Invocations, minute);
        let refused = failures(strip, Signal::Throttles, minute);
        if let Some(step) = self.detectors.push(minute, answered, refused, watched) {
            self.note(Trouble::Throttled, minute, step);
        }
    }
}

impl<F: AsMut<[Found]>> Troubles<Detectors, F> {
    fn see(&mut self, strip: &Strip, minute: Minute, watched: &Watched) {
        let seen = Measured {
            invocations: strip.get(Signal::Invocations, minute),
            throttles: failures(strip, Signal::Throttles, minute),
            client_errors: failures(strip, Signal::ClientErrors, minute),
            server_errors: failures(strip, Signal::ServerErrors, minute),
            input_tokens: strip.get(Signal::InputTokens, minute),
            output_tokens: strip.get(Signal::OutputTokens, minute),
            latency: strip.get(Signal::Latency, minute),
        };
        for (trouble, step) in self.detectors.push(minute, &seen, watched) {
            self.note(trouble, minute, step);
        }
    }
}

impl<D, F: AsMut<[Found]>> Troubles<D, F> {
    fn note(&mut self, trouble: Trouble, minute: Minute, step: Step) {
        let found = place(trouble).and_then(|at| self.found.as_mut().get_mut(at));
        let Some(found) = found else {
            return; // every trouble has its place
        };
        found.looked = Some(minute);
        let is_on = step.turn.unwrap_or(found.standing.is_some());
        let at = |evidence| Box::new((minute, evidence));
        if !is_on {
            found.standing = None;
        } else if let Some(bad) = step.bad {
            found.standing = Some(at(bad));
        }
        found.near = match step.near {
            Some(near) => Some(at(near)),
            None => found.near.take().filter(|near| is_near(near.0, minute)),
        };
    }
}

impl<D, F: AsRef<[Found]>> Troubles<D, F> {
    fn said(&self, trouble: Trouble, minute: Minute) -> Said {
        let found = place(trouble).and_then(|at| self.found.as_ref().get(at));
        let standing = found.and_then(|it| it.standing.as_deref()).copied();
        let near = found.and_then(|it| it.near.as_deref()).copied();
        let near = near.filter(|(at, _)| is_near(*at, minute));
        let why = |(at, evidence)| sitting::Why::Unusual {
            trouble,
            at,
            evidence,
        };
        Said {
            looked: found.and_then(|it| it.looked),
            is_on: standing.is_some(),
            is_bad: standing.is_some_and(|(bad, _)| bad == minute),
            is_near: near.is_some(),
            why: standing.or(near).map(why),
        }
    }
}

/// Where a trouble stands among those that are found together: refusals alone, all others in the order of
/// [`Trouble::ALL`].
fn place(trouble: Trouble) -> Option<usize> {
    let is_refusal = |it: Trouble| it == Trouble::Throttled;
    let together = Trouble::ALL.into_iter();
    let mut together = together.filter(|it| is_refusal(*it) == is_refusal(trouble));
    together.position(|it| it == trouble)
}

/// Whether what was nearly bad at one minute is worth a look at another.
fn is_near(at: Minute, minute: Minute) -> bool {
    minute.since(at) < NEAR_MINUTES
}

/// CloudWatch publishes failures only where there are some; see [`Strip::failures`].
fn failures(strip: &Strip, signal: Signal, minute: Minute) -> Sample {
    let failed = strip.failures(signal, minute);
    failed.map_or(Sample::Unobserved, Sample::Value)
}

/// One rule about one quota of one pool.
struct Case<'c, 'g> {
    rule: &'c Rule,
    kind: QuotaKind,
    yardstick: Yardstick<'c>,
    warning: &'c WarningRule,
    ground: &'c Ground<'g>,
    /// Whether nothing is told.
    is_past: bool,
}

impl Group<Ahead> {
    fn of(kind: QuotaKind) -> Self {
        let state = Ahead {
            lookout: Lookout::of(kind),
            ..Ahead::default()
        };
        Self {
            through: None,
            state,
        }
    }

    fn judge(
        &mut self,
        case: &Case<'_, '_>,
        track: Option<Track>,
        reach: impl Fn(&[Signal]) -> Option<Reach>,
    ) -> Option<Verdict> {
        let Case {
            rule,
            kind,
            warning,
            ground,
            is_past,
            ref yardstick,
        } = *case;
        let signals = signals_of_use(kind);
        let reach = reach(signals)?;
        let limits = Limits::of(ground, yardstick);
        let (broken, quota) = (yardstick.why_broken(), yardstick.quota());
        let sitting = Sitting::new(rule, ground.pool, track, quota, broken);
        let mut sittings = [((), sitting)];
        let clear = i64::from(rule.clear_minutes);
        let see = |state: &mut Ahead, strip: &Strip, minute| {
            let seen = Seen {
                minute,
                wanted: wanted(kind, strip, minute),
                throttles: failures(strip, Signal::Throttles, minute),
                quota: limits.at(minute),
                doubt: limits.doubt,
            };
            if is_past {
                state.catch_up(&seen, &ground.growth);
            } else {
                state.see(&seen, warning, &ground.growth, clear);
            }
        };
        let tell = |state: &Ahead, (): &(), minute| state.said(minute);
        let ahead = self.walk(ground, signals, reach, &mut sittings, see, tell);
        if let Some(ahead) = ahead {
            self.state.lookout.remember(&ahead.lookout);
        }
        let [((), sitting)] = sittings;
        Some(sitting.verdict(reach))
    }
}

impl Ahead {
    fn catch_up(&mut self, seen: &Seen, growth: &[Growth]) {
        if seen.wanted.value().is_some() {
            self.looked = Some(seen.minute);
        }
        self.lookout.catch_up(seen, growth);
    }

    fn see(&mut self, seen: &Seen, rule: &WarningRule, growth: &[Growth], clear: i64) {
        if seen.wanted.value().is_some() {
            self.looked = Some(seen.minute);
        }
        let before = self.lookout.exhausted();
        let told = self.lookout.push(seen, rule, growth);
        let exhausted = (before, self.lookout.exhausted());
        self.tally
            .step((seen.minute, told.as_ref()), seen.quota, exhausted);
        let said = (seen.minute, told);
        self.alarm
            .step(said, &self.lookout, seen.quota, rule, clear);
    }

    fn said(&self, minute: Minute) -> Said {
        let warning = self.alarm.warning(minute, &self.lookout);
        let why = warning.zip(self.alarm.told());
        Said {
            looked: self.looked,
            is_on: self.alarm.is_on(),
            is_bad: self.alarm.is_at_risk(minute),
            is_near: false,
            why: why.map(|(warning, told)| sitting::Why::RunsOut { warning, told }),
        }
    }
}

/// What a quota was and is.
#[derive(Debug, Default)]
struct Limits {
    /// See [`Seen::doubt`].
    doubt: f32,
    now: Option<Amount>,
    /// When it changed, newest first, and what it was before.
    before: Vec<(Minute, Option<Amount>)>,
}

impl Limits {
    fn of(ground: &Ground<'_>, yardstick: &Yardstick<'_>) -> Self {
        let Some((_, code)) = yardstick.quota() else {
            return Self::default();
        };
        let scope = &ground.pool.id.scope;
        let quota = ground.quotas.get(&(scope.clone(), code.clone()));
        let first = (scope.clone(), code.clone(), Timestamp::MIN);
        let changes = ground.changes.range(first..);
        let own = changes.take_while(|((at, of, _), _)| at == scope && *of == code);
        let pool = ground.pool;
        let allowed = |old: Amount| quota.map_or(Some(old), |it| it.allowed(old, pool));
        // Before an account has an applied value, the default is what holds.
        let default = quota.and_then(|it| it.default);
        let mut before: Vec<_> = own
            .map(|(_, change)| {
                (
                    Minute::of(change.at),
                    change.old.or(default).and_then(allowed),
                )
            })
            .collect();
        before.reverse();
        #[expect(clippy::cast_possible_truncation, reason = "a few digits of a ratio")]
        let doubt = pool.worth.map_or(0.0, |it| it.doubt() as f32);
        Self {
            doubt,
            now: quota.and_then(|it| it.limit_for(pool).amount()),
            before,
        }
    }

    /// The quota in this minute; `None` where it was not known, or blocked.
    fn at(&self, minute: Minute) -> Option<f64> {
        let later = self.before.iter().take_while(|(at, _)| minute < *at);
        let then = later.last().map_or(self.now, |(_, old)| *old);
        then.map(Amount::get).filter(|value| 0.0 < *value)
    }
}

#[cfg(test)]
mod tests;
