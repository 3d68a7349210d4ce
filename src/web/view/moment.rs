//! A past minute as a document: why something fired then, or nothing did.

use super::{View, text};
use crate::{
    model::{
        action::Effect,
        alert::AlertState,
        catalog::Pool,
        incident::Incident,
        reason::Reason,
        rule::Condition,
        series::{PoolSeries, Sample, Signal},
        silence::SilenceState,
        time::{HOUR, Minute, Timestamp},
        units::grouped,
    },
    runtime::moment::{Moment, Says, Then},
    web::json::{self, IncidentThen, Measured, MessageThen, RuleThen, SeenMinute},
};

/// Decisions and messages of one incident that are told.
const MOST_TOLD: usize = 5;

impl View<'_> {
    /// What is known of this minute of the pool.
    pub(in crate::web) fn moment(&self, then: &Then, minute: Minute) -> json::Moment {
        let pool = &then.pool;
        let nothing = PoolSeries::default();
        let series = then.book.series.get(&pool.id).unwrap_or(&nothing);
        let planned = self.settings.calendar.window(&pool.id, minute);
        let mut moments: Vec<&Moment> = then.moments.iter().collect();
        moments.sort_by_key(|it| rank(it));
        let on = self.settings.rules.of(&pool.id);
        let is_off = |name: &&crate::model::rule::Rule| !on.iter().any(|it| it.name == name.name);
        let off = self.settings.rules.known().iter().filter(is_off);
        let mut incidents: Vec<&Incident> = self.incidents_at(pool, minute).collect();
        incidents.sort_by_key(|it| (it.opened, &it.id));
        let at = minute.start();
        let silences = self.book.silences.values();
        let silences = silences
            .filter(|it| it.state(at) == SilenceState::Active && it.selector.fits_pool(&pool.id));
        json::Moment {
            pool: pool.id.to_string(),
            at: text(at),
            now: self.now().map(text),
            is_simulated: self.is_simulated,
            verdict: verdict(&moments, &incidents, pool),
            planned: planned.map(|it| it.title()),
            measured: measured(series, minute),
            coverage: coverage(series, minute),
            rules: moments.into_iter().map(|it| rule_then(it, pool)).collect(),
            off: off.map(|it| it.name.to_string()).collect(),
            incidents: incidents
                .into_iter()
                .map(|it| self.incident_then(it, minute))
                .collect(),
            silences: silences.map(|it| self.silence(it)).collect(),
        }
    }

    /// The incidents of this pool that the minute lies in.
    fn incidents_at(&self, pool: &Pool, minute: Minute) -> impl Iterator<Item = &Incident> {
        let all = self.book.incidents.values();
        let at = minute.start();
        all.filter(move |it| {
            it.pools.contains(&pool.id)
                && it.began <= minute
                && it.resolved.is_none_or(|end| at <= end)
        })
    }

    fn incident_then(&self, incident: &Incident, minute: Minute) -> IncidentThen {
        let end = minute.plus(1).start();
        let decisions = incident.decisions.iter().filter(|it| it.at < end);
        let decisions: Vec<json::Decision> = decisions
            .map(|it| json::Decision {
                at: text(it.at),
                what: it.what.clone(),
            })
            .collect();
        let intents = self.book.intents.values();
        let mut messages: Vec<(Timestamp, MessageThen)> = intents
            .filter(|it| it.incident == incident.id && it.created < end)
            .filter_map(|it| match &it.effect {
                Effect::Notify {
                    receiver, subject, ..
                } => Some((
                    it.created,
                    MessageThen {
                        at: text(it.created),
                        receiver: receiver.to_string(),
                        subject: subject.clone(),
                        state: it.state.name().to_owned(),
                    },
                )),
                Effect::RequestQuota { .. }
                | Effect::OpenCase { .. }
                | Effect::Comment { .. }
                | Effect::EndCase { .. } => None,
            })
            .collect();
        messages.sort_by(|a, b| (a.0, &a.1.receiver).cmp(&(b.0, &b.1.receiver)));
        IncidentThen {
            id: incident.id.to_string(),
            title: self.title(incident),
            began: text(incident.began.start()),
            opened: text(incident.opened),
            resolved: incident.resolved.map(text),
            decisions: last(decisions),
            messages: last(messages.into_iter().map(|(_, it)| it).collect()),
        }
    }
}

fn last<T>(all: Vec<T>) -> Vec<T> {
    let over = all.len().saturating_sub(MOST_TOLD);
    all.into_iter().skip(over).collect()
}

fn state(moment: &Moment) -> Option<AlertState> {
    moment.verdict.as_ref().map(|it| it.state)
}

/// What is on first, what is not about the pool last.
fn rank(moment: &Moment) -> u8 {
    match state(moment) {
        Some(AlertState::Alerting) => 0,
        Some(AlertState::Recovering) => 1,
        Some(AlertState::Pending) => 2,
        Some(AlertState::Error) => 3,
        Some(AlertState::NoData) => 4,
        Some(AlertState::Normal) => 5,
        None => 6,
    }
}

fn verdict(moments: &[&Moment], incidents: &[&Incident], pool: &Pool) -> String {
    let on = moments
        .iter()
        .filter(|it| state(it).is_some_and(AlertState::is_on));
    let on: Vec<&str> = on.map(|it| it.rule.name.as_str()).collect();
    let open: Vec<String> = incidents.iter().map(|it| it.id.to_string()).collect();
    match (on.as_slice(), open.as_slice()) {
        ([], []) => {
            let near = moments
                .iter()
                .find(|it| state(it) == Some(AlertState::Pending));
            let near = near.map_or_else(String::new, |it| {
                format!("; nearest was {}: {}", it.rule.name, why(it, pool))
            });
            format!("No rule was on, so nothing was opened and nobody was to hear{near}")
        }
        ([], open) => format!(
            "No rule is on by what is known now; the minute lies in {}",
            open.join(", ")
        ),
        (on, []) => format!(
            "{} would be on, and no incident of then is kept: the rule or its values were others, its data came later than the minute, or the incident is older than what is kept",
            on.join(", ")
        ),
        (on, open) => format!(
            "{} on; the minute lies in {}",
            on.join(", "),
            open.join(", ")
        ),
    }
}

fn measured(series: &PoolSeries, minute: Minute) -> Vec<Measured> {
    let all = Signal::ALL.into_iter().map(|signal| {
        let sample = series.get(signal, minute);
        Measured {
            signal: signal.name().to_owned(),
            value: sample.value(),
            is_observed: sample != Sample::Unobserved,
        }
    });
    all.filter(|it| it.is_observed).collect()
}

/// Of the hour that ends with the minute.
fn coverage(series: &PoolSeries, minute: Minute) -> f64 {
    let end = minute.plus(1);
    let known = |signal| {
        let samples = series.window(signal, end.plus(-HOUR), end);
        samples.filter(|it| *it != Sample::Unobserved).count()
    };
    // The mantle endpoint publishes tokens alone.
    let most = known(Signal::Invocations).max(known(Signal::InputTokens));
    u32::try_from(most).map_or(1.0, |most| f64::from(most) / 60.0)
}

fn rule_then(moment: &Moment, pool: &Pool) -> RuleThen {
    let rule = &moment.rule;
    let has_looks = !moment.seen.is_empty();
    let bad = count(moment, Says::Bad);
    let minutes = moment.seen.iter().map(|it| SeenMinute {
        at: text(it.minute.start()),
        says: it.says.name().to_owned(),
        value: it.value,
    });
    let reasons = moment.verdict.iter().flat_map(|it| &it.reasons);
    let verdict = moment.verdict.as_ref();
    let severity = verdict.map_or(rule.severity, |it| it.severity);
    RuleThen {
        rule: rule.name.to_string(),
        rule_hash: rule.hash.clone(),
        severity: severity.name().to_owned(),
        state: state(moment)
            .map_or("not-for-it", AlertState::name)
            .to_owned(),
        why: why(moment, pool),
        limit: limit(moment),
        began: verdict.and_then(|it| it.began).map(|it| text(it.start())),
        bad: has_looks.then_some(bad),
        needed: rule.window.bad(),
        of: rule.window.of(),
        good_run: has_looks.then_some(moment.good_run),
        clear_after: rule.clear_minutes,
        minutes: minutes.collect(),
        reasons: reasons.map(Reason::to_string).collect(),
    }
}

fn count(moment: &Moment, says: Says) -> usize {
    moment.seen.iter().filter(|it| it.says == says).count()
}

/// Why this state and no other.
fn why(moment: &Moment, pool: &Pool) -> String {
    if let Some(why) = moment.is_not_for(pool) {
        return format!("not about this pool: {why}");
    }
    let Some(verdict) = &moment.verdict else {
        return "not judged: nothing was read of this pool".to_owned();
    };
    let since = verdict
        .began
        .map_or_else(String::new, |it| format!(" since {it}"));
    if moment.rule.condition.is_learned() {
        return match verdict.state {
            AlertState::Normal => "looked at, and neither bad nor nearly bad".to_owned(),
            AlertState::Pending => "nearly bad, and not yet enough to be told".to_owned(),
            AlertState::Alerting => format!("on{since}"),
            AlertState::Recovering => format!(
                "on{since}; what began it was not there in this minute, and an alert ends on minutes alone that can't change any more"
            ),
            AlertState::NoData => "no evidence".to_owned(),
            AlertState::Error => "can't be judged".to_owned(),
        };
    }
    let (bad, unclear) = (count(moment, Says::Bad), count(moment, Says::Unclear));
    let window = moment.rule.window;
    let gaps = match unclear {
        0 => String::new(),
        some => format!(", {some} without evidence"),
    };
    let counted = format!(
        "{bad} of the last {} minutes bad{gaps}, it takes {}",
        window.of(),
        window.bad()
    );
    match verdict.state {
        AlertState::Normal | AlertState::Pending => counted,
        AlertState::Alerting => format!("on{since}; {counted}"),
        AlertState::Recovering => format!(
            "on{since} and still kept: {} good minutes in a row, it takes {} of which none can change any more",
            moment.good_run, moment.rule.clear_minutes
        ),
        AlertState::NoData => format!("no evidence: {counted}"),
        AlertState::Error => "can't be judged".to_owned(),
    }
}

/// What is bad by the rule.
fn limit(moment: &Moment) -> String {
    match (&moment.rule.condition, &moment.line) {
        (Condition::QuotaShare { above, clear, .. }, Some(line)) => {
            let source = if line.is_default { "default " } else { "" };
            format!(
                "bad from {} {unit} on ({above} of the {source}quota {}, which was {}), good again below {} ({clear})",
                line.above,
                line.code,
                line.quota,
                line.clear,
                unit = line.kind.unit(),
            )
        }
        (Condition::QuotaShare { kind, above, clear }, None) => format!(
            "bad from {above} of the {} quota on, good again below {clear}",
            kind.name().to_uppercase()
        ),
        (
            Condition::Count {
                of,
                at_least,
                share,
                min_demand,
            },
            _,
        ) => format!(
            "bad from {} {} a minute on, where they are at least {share} of at least {} requests",
            grouped(*at_least),
            of.name().replace('_', " "),
            grouped(*min_demand),
        ),
        (Condition::Slow { millis, min_demand }, _) => format!(
            "bad from a mean latency of {} ms on, with at least {} requests a minute",
            grouped(*millis),
            grouped(*min_demand)
        ),
        (Condition::Ends { within }, _) => {
            format!(
                "bad from {} days before the end of the model on",
                within / 1_440
            )
        }
        (Condition::Unusual(sought), _) => format!(
            "compares {} with the pool's own past",
            sought.trouble().name()
        ),
        (Condition::RunsOut { kind, .. }, _) => format!(
            "holds the forecast of demand against the {} quota",
            kind.name().to_uppercase()
        ),
    }
}
