//! What a backtest found: incidents, what would have been told and filed, lead times, a score, and single minutes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    score::{Label, Score, score},
    source::Source,
    walk::{By, Step, Walk},
};
use crate::{
    backtest::Replay,
    model::{
        action::{Effect, Intent, IntentState},
        alert::{AlertState, Verdict},
        catalog::PoolId,
        ids::{IncidentId, RuleName},
        incident::{Cause, Incident},
        reason::Reason,
        series::{PoolSeries, Signal},
        time::{DAY, HOUR, Minute},
        units::grouped,
    },
};

/// Refused requests so far apart belong to two shortages.
const APART_MINUTES: i64 = 3 * HOUR;
/// An incident that was opened so long before a shortage foresaw it, if it was still open then.
const AHEAD_MINUTES: i64 = 3 * DAY;

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Asked {
    /// First minute to be judged.
    pub from: Minute,
    /// End, exclusive.
    pub until: Minute,
    /// Pools and minutes to be shown one by one.
    pub close: Option<Close>,
    /// What was really wrong, where somebody knows.
    pub labels: Vec<Label>,
}

/// Minutes to be shown one by one.
#[derive(Clone, Debug)]
pub struct Close {
    /// Of these pools.
    pub pools: BTreeSet<PoolId>,
    /// From here.
    pub from: Minute,
    /// To here, exclusive.
    pub until: Minute,
}

/// What a backtest found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// First judged minute.
    pub from: String,
    /// End, exclusive.
    pub until: String,
    /// How many pools.
    pub pools: usize,
    /// What each rule did, by rule; rules that never fired are left out.
    pub rules: BTreeMap<String, Fired>,
    /// Incidents in the order in which they opened.
    pub incidents: Vec<FoundIncident>,
    /// Stretches of refused requests, and how long before them people would have known.
    pub shortages: Vec<Shortage>,
    /// How well that fits the labels; `null` without any.
    pub score: Option<Score>,
    /// The minutes that were asked for.
    pub minutes: Vec<FoundMinute>,
}

/// What a rule did over all pools.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Fired {
    /// How often it began to alert.
    pub times: u32,
    /// How many minutes it was on.
    pub minutes: u32,
}

/// An incident that would have been.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundIncident {
    /// The id it would have had.
    pub id: String,
    /// Quota code or category.
    pub about: String,
    /// Highest severity.
    pub severity: String,
    /// Pools that joined.
    pub pools: Vec<String>,
    /// Rules that were on.
    pub rules: Vec<String>,
    /// First bad minute.
    pub began: String,
    /// When it would have been opened, and people told.
    pub opened: String,
    /// When it would have been over; `null`: open at the end.
    pub ended: Option<String>,
    /// Minutes from `opened` to `ended`, or to the end.
    pub open_minutes: i64,
    /// Requests refused meanwhile.
    pub throttled: f64,
    /// What would have been told.
    pub told: Vec<Said>,
    /// What would have been asked of AWS.
    pub filed: Vec<Said>,
    /// What was decided, and why not more.
    pub decisions: Vec<Said>,
}

/// Something said at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Said {
    /// When.
    pub at: String,
    /// What.
    pub what: String,
}

/// A stretch of refused requests.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shortage {
    /// Where.
    pub pool: String,
    /// The first refused minute.
    pub first: String,
    /// How many were refused.
    pub throttled: f64,
    /// The incident by which people would have known.
    pub incident: Option<String>,
    /// Minutes from its opening to the first refused minute; negative: it came later. `null`: nobody would have known.
    pub lead_minutes: Option<i64>,
}

/// One minute of a pool, with all that was made of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundMinute {
    /// The minute.
    pub at: String,
    /// The pool.
    pub pool: String,
    /// What was measured, by signal.
    pub measured: BTreeMap<String, f64>,
    /// Rules that are pending, on or in error, each with its state and why.
    pub rules: Vec<String>,
    /// What was decided, told and filed now.
    pub decided: Vec<String>,
}

#[derive(Debug, Default)]
struct Log {
    rules: BTreeMap<String, Fired>,
    on: BTreeSet<(RuleName, PoolId)>,
    intents: Vec<Intent>,
    minutes: Vec<FoundMinute>,
}

/// Replays the source by these rules. It effects nothing.
#[must_use]
pub fn backtest(source: Source, by: By, asked: &Asked) -> Found {
    let pools: Vec<PoolId> = source.past.book.pools.keys().cloned().collect();
    let series = source.past.book.series.clone();
    let mut replay = Replay::new(source.past, by, asked.from);
    let mut log = Log::default();
    let is_close = |pool: &PoolId, hour: Minute| {
        asked.close.as_ref().is_some_and(|close| {
            close.pools.contains(pool) && hour < close.until && close.from < hour.hour().plus(HOUR)
        })
    };
    replay.run(asked.from, asked.until, is_close, |until, step, walk| {
        log.note(until, step, walk, asked.close.as_ref());
    });
    let mut incidents: Vec<&Incident> = replay.walk.book.incidents.values().collect();
    incidents.sort_by_key(|it| (it.opened, &it.id));
    let shortages = pools.iter().flat_map(|pool| {
        let series = series.get(pool);
        series.map_or_else(Vec::new, |it| shortages(pool, it, asked, &incidents))
    });
    Found {
        from: asked.from.start().to_string(),
        until: asked.until.start().to_string(),
        pools: pools.len(),
        shortages: shortages.collect(),
        score: (!asked.labels.is_empty()).then(|| score(&asked.labels, &incidents)),
        incidents: incidents
            .iter()
            .map(|it| incident(it, &log.intents, asked.until))
            .collect(),
        rules: log.rules,
        minutes: log.minutes,
    }
}

impl Log {
    fn note(&mut self, until: Minute, step: &Step, walk: &Walk, close: Option<&Close>) {
        for it in &step.verdicts {
            let key = (it.rule.clone(), it.pool.clone());
            if !it.state.is_on() {
                self.on.remove(&key);
                continue;
            }
            let fired = self.rules.entry(it.rule.to_string()).or_default();
            fired.minutes += 1;
            fired.times += u32::from(self.on.insert(key));
        }
        self.intents.extend(step.intents.iter().cloned());
        let minute = until.plus(-1);
        let close = close.filter(|it| it.from <= minute && minute < it.until);
        for pool in close.into_iter().flat_map(|it| &it.pools) {
            self.minutes.push(found_minute(pool, minute, step, walk));
        }
    }
}

fn found_minute(pool: &PoolId, minute: Minute, step: &Step, walk: &Walk) -> FoundMinute {
    let series = walk.book.series.get(pool);
    let measured = Signal::ALL.into_iter().filter_map(|signal| {
        let value = series?.get(signal, minute).value()?;
        Some((signal.name().to_owned(), value))
    });
    let of_pool = step.verdicts.iter().filter(|it| it.pool == *pool);
    // What has no evidence is told by what was measured.
    let is_told = |it: &&Verdict| !matches!(it.state, AlertState::Normal | AlertState::NoData);
    let rules = of_pool.filter(is_told).map(|it| {
        let why: Vec<String> = it.reasons.iter().map(Reason::to_string).collect();
        format!("{} {}: {}", it.rule, it.state.name(), why.join("; "))
    });
    let now = minute.plus(1).start();
    let own = step.incidents.iter().filter(|it| it.pools.contains(pool));
    let own: BTreeMap<&IncidentId, &Incident> = own.map(|it| (&it.id, it)).collect();
    let mut decided = Vec::new();
    for it in own.values() {
        let what = match (&it.resolved, it.opened == now) {
            (Some(_), _) => "ended",
            (None, true) => "opened",
            (None, false) => "",
        };
        if !what.is_empty() {
            decided.push(format!("{} {what}, {}", it.id, it.severity.name()));
        }
        let fresh = it.decisions.iter().filter(|decision| decision.at == now);
        decided.extend(fresh.map(|it| it.what.clone()));
    }
    let intents = step
        .intents
        .iter()
        .filter(|it| own.contains_key(&it.incident));
    decided.extend(intents.map(in_words));
    FoundMinute {
        at: minute.start().to_string(),
        pool: pool.to_string(),
        measured: measured.collect(),
        rules: rules.collect(),
        decided,
    }
}

fn incident(it: &Incident, intents: &[Intent], until: Minute) -> FoundIncident {
    let own = intents.iter().filter(|intent| intent.incident == it.id);
    let (told, filed): (Vec<&Intent>, Vec<&Intent>) =
        own.partition(|intent| matches!(intent.effect, Effect::Notify { .. }));
    let said = |these: Vec<&Intent>| {
        let these = these.into_iter().map(|intent| Said {
            at: intent.created.to_string(),
            what: in_words(intent),
        });
        let distinct: BTreeSet<Said> = these.collect();
        distinct.into_iter().collect()
    };
    let rules: BTreeSet<String> = it.members.keys().map(|key| key.rule.to_string()).collect();
    let end = it.resolved.map_or(until, Minute::of);
    FoundIncident {
        id: it.id.to_string(),
        about: match &it.cause {
            Cause::Quota { code, .. } => code.to_string(),
            Cause::Pool { category, .. } => category.name().to_owned(),
        },
        severity: it.severity.name().to_owned(),
        pools: it.pools.iter().map(ToString::to_string).collect(),
        rules: rules.into_iter().collect(),
        began: it.began.start().to_string(),
        opened: it.opened.to_string(),
        ended: it.resolved.map(|at| at.to_string()),
        open_minutes: end.since(Minute::of(it.opened)),
        throttled: it.lost,
        told: said(told),
        filed: said(filed),
        decisions: decisions(it),
    }
}

fn decisions(it: &Incident) -> Vec<Said> {
    let said = it.decisions.iter().map(|decision| Said {
        at: decision.at.to_string(),
        what: decision.what.clone(),
    });
    said.collect()
}

/// What would have been done, in a line.
fn in_words(intent: &Intent) -> String {
    let proposed = match intent.state {
        IntentState::Proposed { .. } => " (if a person approves)",
        IntentState::Planned { .. }
        | IntentState::Sending { .. }
        | IntentState::Unknown { .. }
        | IntentState::Done { .. }
        | IntentState::Held { .. }
        | IntentState::Refused { .. } => "",
    };
    match &intent.effect {
        Effect::Notify {
            receiver, subject, ..
        } => format!("told {receiver}: {subject}"),
        Effect::RequestQuota {
            scope,
            code,
            desired,
            ..
        } => format!(
            "asked for {} on {code} in {scope}{proposed}",
            grouped(desired.get())
        ),
        Effect::OpenCase { subject, .. } => format!("opened a case: {subject}{proposed}"),
        Effect::Comment { case, .. } => format!("added to case {case}{proposed}"),
        Effect::EndCase {
            case,
            thanks: Some(_),
            ..
        } => format!("said thanks in case {case}{proposed}"),
        Effect::EndCase { case, .. } => format!("closed case {case}{proposed}"),
    }
}

fn shortages(
    pool: &PoolId,
    series: &PoolSeries,
    asked: &Asked,
    incidents: &[&Incident],
) -> Vec<Shortage> {
    let mut spells: Vec<(Minute, Minute, f64)> = Vec::new();
    let samples = series.window(Signal::Throttles, asked.from, asked.until);
    for (minute, sample) in asked.from.until(asked.until).zip(samples) {
        let Some(count) = sample.value().filter(|count| 0.0 < *count) else {
            continue;
        };
        match spells.last_mut() {
            Some((_, last, sum)) if minute.since(*last) < APART_MINUTES => {
                (*last, *sum) = (minute, *sum + count);
            }
            Some(_) | None => spells.push((minute, minute, count)),
        }
    }
    let of_pool = |it: &&&Incident| it.pools.contains(pool) && is_of_limits(it);
    let own: Vec<&&Incident> = incidents.iter().filter(of_pool).collect();
    let told = |first: Minute, last: Minute| {
        let mut own = own.iter();
        own.find(|it| {
            let opened = Minute::of(it.opened);
            let ended = it.resolved.map_or(Minute(i64::MAX), Minute::of);
            first.plus(-AHEAD_MINUTES) <= opened
                && opened <= last.plus(APART_MINUTES)
                && first <= ended
        })
    };
    let spells = spells.into_iter().map(|(first, last, throttled)| {
        let known = told(first, last);
        Shortage {
            pool: pool.to_string(),
            first: first.start().to_string(),
            throttled,
            incident: known.map(|it| it.id.to_string()),
            lead_minutes: known.map(|it| first.since(Minute::of(it.opened))),
        }
    });
    spells.collect()
}

fn is_of_limits(it: &Incident) -> bool {
    use crate::model::rule::Category;
    match &it.cause {
        Cause::Quota { .. } => true,
        Cause::Pool { category, .. } => matches!(category, Category::Throttle | Category::Quota),
    }
}
