//! Incidents and their actions, brief for the page and whole for `explain`.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{
    View, expiry,
    silence::{acknowledged, held_back, silence_brief},
    text,
};
use crate::{
    model::{
        action::{Effect, Intent, IntentState},
        catalog::PoolId,
        ids::IncidentId,
        incident::{Cause, Incident},
        reason::Reason,
        rule::Category,
        time::Timestamp,
        units::grouped,
    },
    runtime::elsewhere,
    web::json,
};

/// Reasons in a brief; `explain` shows all.
const MOST_REASONS: usize = 6;
/// Things done in a brief; `explain` shows all.
const MOST_DONE: usize = 8;
/// Open incidents that are shown with the ways out of them: looking for these is the dearest part of a page.
const MOST_WITH_ROOM: usize = 20;

/// Actions that wait for a person.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// To be approved or rejected, first to expire first.
    pub(super) proposals: Vec<json::Action>,
    /// Given up, newest first.
    pub(super) held: Vec<json::Action>,
}

impl View<'_> {
    /// Open incidents, most severe and oldest first; and ended ones, newest end first.
    pub(super) fn incident_briefs(&self) -> (Vec<json::IncidentBrief>, Vec<json::IncidentBrief>) {
        let all = self.book.incidents.values();
        let (mut open, mut ended): (Vec<&Incident>, Vec<&Incident>) =
            all.partition(|it| it.is_open());
        open.sort_by_key(|it| (Reverse(it.severity), it.opened, &it.id));
        ended.sort_by_key(|it| (Reverse(it.resolved), &it.id));
        let actions = self.actions_by_incident();
        let briefs = |list: Vec<&Incident>| {
            let brief = |it: &Incident| self.brief(it, actions.get(it.id.as_str()));
            list.into_iter().map(brief).collect()
        };
        (briefs(open), briefs(ended))
    }

    /// Where the traffic of these could go, for as many as a page is read for.
    pub(super) fn add_room(&self, open: &mut [json::IncidentBrief]) {
        for brief in open.iter_mut().take(MOST_WITH_ROOM) {
            let incident = self.book.incidents.get(&IncidentId::new(&brief.id));
            brief.elsewhere = incident.map_or_else(Vec::new, |it| self.elsewhere(it));
        }
    }

    /// What waits for a person.
    pub(super) fn waiting_actions(&self) -> Waiting {
        let mut waiting = Waiting::default();
        for intent in self.book.intents.values() {
            match intent.state {
                IntentState::Proposed { .. } => waiting.proposals.push(self.action(intent)),
                IntentState::Held { .. } => waiting.held.push(self.action(intent)),
                IntentState::Planned { .. }
                | IntentState::Sending { .. }
                | IntentState::Unknown { .. }
                | IntentState::Done { .. }
                | IntentState::Refused { .. } => {}
            }
        }
        waiting.proposals.sort_by(|a, b| a.expires.cmp(&b.expires));
        waiting.held.sort_by(|a, b| b.created.cmp(&a.created));
        waiting
    }

    fn actions_by_incident(&self) -> BTreeMap<&str, Vec<&Intent>> {
        let mut actions: BTreeMap<&str, Vec<&Intent>> = BTreeMap::new();
        for intent in self.book.intents.values() {
            let of_incident = actions.entry(intent.incident.as_str()).or_default();
            of_incident.push(intent);
        }
        for list in actions.values_mut() {
            list.sort_by_key(|intent| (intent.created, &intent.step));
        }
        actions
    }

    /// An incident in brief, for who decides about it.
    pub(super) fn brief_of(&self, incident: &Incident) -> json::IncidentBrief {
        let mut intents: Vec<&Intent> = self.book.intents.values().collect();
        intents.retain(|intent| intent.incident == incident.id);
        intents.sort_by_key(|intent| (intent.created, &intent.step));
        self.brief(incident, Some(&intents))
    }

    fn brief(&self, incident: &Incident, actions: Option<&Vec<&Intent>>) -> json::IncidentBrief {
        let scope = incident.cause.scope();
        let (category, quota_code) = match &incident.cause {
            Cause::Quota { code, .. } => ("quota", Some(code.to_string())),
            Cause::Pool { category, .. } => (category.name(), None),
        };
        let (handling, silences) = (self.handling(incident), self.silences_over(incident));
        json::IncidentBrief {
            id: incident.id.to_string(),
            title: self.title(incident),
            severity: incident.severity.name().to_owned(),
            category: category.to_owned(),
            fingerprint: incident.cause.fingerprint().to_string(),
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            quota_code,
            opened: text(incident.opened),
            age_seconds: self.age(incident.resolved.unwrap_or(incident.opened)),
            resolved: incident.resolved.map(text),
            began: text(incident.began.start()),
            last_bad: text(incident.last_bad.start()),
            bad_minutes: incident.bad_minutes(),
            stretches: incident.spells().len(),
            lost: incident.lost,
            scenario: incident.scenario.map(|it| it.name().to_owned()),
            reasons: reasons(incident),
            hints: incident.hints.iter().map(ToString::to_string).collect(),
            elsewhere: Vec::new(),
            done: actions.map_or_else(Vec::new, |list| done(list)),
            silences: silences.into_iter().map(silence_brief).collect(),
            held_back: handling.and_then(held_back),
            acknowledged: handling.and_then(acknowledged),
            returns: handling.map_or(0, |it| it.returns),
            end_told_at: handling.and_then(|it| it.end_due).map(text),
        }
    }

    /// What it is about, for people.
    pub(super) fn title(&self, incident: &Incident) -> String {
        let place = self.place(incident.cause.scope());
        match &incident.cause {
            Cause::Quota { code, .. } => {
                let what = incident.kind.map_or("Quota", |kind| kind.unit());
                let mut pools = incident.pools.iter();
                let first = pools.next().map_or_else(String::new, |pool| {
                    format!(" of {} ({})", pool.model, pool.family)
                });
                let more = match pools.count() {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                let how = if incident.is_unprompted() {
                    "asked for by hand"
                } else {
                    "short"
                };
                format!("{} {how}: {code}{first}{more} in {place}", capital(what))
            }
            Cause::Pool { pool, category } => {
                let what = match category {
                    Category::Quota => "Use near the quota on",
                    Category::Throttle => "Throttled requests on",
                    Category::ClientError => "Client errors on",
                    Category::ServerError => "Server errors on",
                    Category::Latency => "Slow answers from",
                    Category::Anomaly => "Unusual traffic on",
                    Category::Lifecycle => "End of life of",
                    Category::Residency => "Data may leave through",
                    Category::ResidencyBreach => "Requests ran outside of a rule through",
                };
                format!("{what} {} ({}) in {place}", pool.model, pool.family)
            }
        }
    }

    /// An incident with all that belongs to it.
    pub(super) fn incident(&self, incident: &Incident) -> json::Incident {
        let mut intents: Vec<&Intent> = self.book.intents.values().collect();
        intents.retain(|intent| intent.incident == incident.id);
        intents.sort_by_key(|intent| (intent.created, &intent.step));
        let members = incident.members.iter();
        let code = match &incident.cause {
            Cause::Quota { code, .. } => Some(code),
            Cause::Pool { .. } => None,
        };
        let changed = |change: &&crate::model::quota::QuotaChange| {
            Some(&change.code) == code
                && change.scope == *incident.cause.scope()
                && incident.began.start() <= change.at
        };
        json::Incident {
            brief: self.brief(incident, Some(&intents)),
            generation: incident.generation,
            remedy: incident.remedy.name().to_owned(),
            pools: incident.pools.iter().map(ToString::to_string).collect(),
            alerts: members
                .map(|(key, member)| json::Alert {
                    rule: key.rule.to_string(),
                    rule_hash: member.rule_hash.clone(),
                    pool: key.pool.to_string(),
                    severity: member.severity.name().to_owned(),
                    is_on: member.is_on,
                    reasons: member.reasons.iter().map(Reason::to_string).collect(),
                })
                .collect(),
            decisions: incident
                .decisions
                .iter()
                .map(|decision| json::Decision {
                    at: text(decision.at),
                    what: decision.what.clone(),
                })
                .collect(),
            decisions_dropped: incident.decisions_dropped,
            actions: intents.iter().map(|intent| self.action(intent)).collect(),
            asks: self.asks(|ask| ask.incident == incident.id),
            cases: self.cases(|case| case.incident == incident.id),
            quota_changes: self.quota_changes(changed),
            elsewhere: self.elsewhere(incident),
        }
    }

    /// Where its traffic could go, while it goes on.
    fn elsewhere(&self, incident: &Incident) -> Vec<json::Elsewhere> {
        if !incident.is_open() {
            return Vec::new();
        }
        let found = elsewhere::siblings(self.book, &self.settings.policy, incident);
        rows(found)
    }

    /// Where the traffic of a pool could go, whether it is short or not.
    pub(super) fn elsewhere_of_pool(&self, pool: &PoolId) -> Vec<json::Elsewhere> {
        let policy = &self.settings.policy;
        rows(elsewhere::siblings_of_pool(self.book, policy, pool))
    }

    /// One action.
    pub(super) fn action(&self, intent: &Intent) -> json::Action {
        let reference = match &intent.state {
            IntentState::Done { reference, .. } => Some(reference.clone()),
            IntentState::Proposed { .. }
            | IntentState::Planned { .. }
            | IntentState::Sending { .. }
            | IntentState::Unknown { .. }
            | IntentState::Held { .. }
            | IntentState::Refused { .. } => None,
        };
        json::Action {
            id: intent.id.to_string(),
            incident: intent.incident.to_string(),
            step: intent.step.clone(),
            effect: intent.effect.name().to_owned(),
            what: what(&intent.effect),
            state: intent.state.name().to_owned(),
            detail: detail(&intent.state),
            created: text(intent.created),
            age_seconds: self.age(intent.created),
            expires: expiry(&intent.state).map(text),
            attempts: intent.attempts,
            reference,
            last_failure: intent.last_failure.clone(),
            reasons: intent.reasons.iter().map(Reason::to_string).collect(),
            text: for_aws(&intent.effect),
        }
    }
}

/// Ways out as the API has them.
fn rows(found: Vec<elsewhere::Sibling>) -> Vec<json::Elsewhere> {
    let row = |it: elsewhere::Sibling| json::Elsewhere {
        text: it.to_string(),
        pool: it.pool.to_string(),
        targets: it.ways.iter().map(ToString::to_string).collect(),
        is_ruled: it.is_ruled,
        quota: it.quota.get(),
        is_unused: it.is_unused,
        requests_quota: it.requests.map(|it| it.get()),
        p95: it.p95,
        refused: it.refused,
        callers: it.callers,
        price_factor: it.price_factor,
        latency_p50: it.pace.map(|it| it.there),
        latency_p50_here: it.pace.map(|it| it.here),
    };
    found.into_iter().map(row).collect()
}

/// What AWS reads of an effect.
fn for_aws(effect: &Effect) -> Option<String> {
    match effect {
        Effect::Notify { .. } => None,
        Effect::RequestQuota { context, .. } => Some(context.clone()),
        Effect::OpenCase { subject, body, .. } => Some(format!("{subject}\n\n{body}")),
        Effect::Comment { body, .. } => Some(body.clone()),
        Effect::EndCase { thanks, .. } => thanks.clone(),
    }
}

/// The reasons of the alerts that are on (of all, once none is), each once.
fn reasons(incident: &Incident) -> Vec<String> {
    if incident.is_unprompted() {
        let asked = incident.decisions.iter().take(1);
        return asked.map(|it| it.what.clone()).collect();
    }
    let any_on = incident.members.values().any(|it| it.is_on);
    let members = incident.members.values();
    let shown = members.filter(|it| it.is_on || !any_on);
    let mut texts: Vec<String> = Vec::new();
    for reason in shown.flat_map(|it| &it.reasons) {
        let sentence = reason.to_string();
        if !texts.contains(&sentence) {
            texts.push(sentence);
        }
    }
    bounded(texts, MOST_REASONS, "reasons")
}

/// What was done, a phrase each; messages to one receiver are one phrase.
fn done(actions: &[&Intent]) -> Vec<String> {
    let mut phrases = Vec::new();
    let mut told: BTreeMap<(&str, &'static str), usize> = BTreeMap::new();
    for intent in actions {
        if let Effect::Notify { receiver, .. } = &intent.effect {
            let state = intent.state.name();
            *told.entry((receiver.as_str(), state)).or_default() += 1;
        } else {
            phrases.push(format!(
                "{}: {}",
                what(&intent.effect),
                detail(&intent.state)
            ));
        }
    }
    for ((receiver, state), count) in told {
        let noun = if count == 1 { "message" } else { "messages" };
        phrases.push(format!("{count} {noun} to {receiver}: {state}"));
    }
    bounded(phrases, MOST_DONE, "actions")
}

fn bounded(mut texts: Vec<String>, most: usize, noun: &str) -> Vec<String> {
    let over = texts.len().saturating_sub(most);
    if over > 0 {
        texts.truncate(most);
        texts.push(format!("… and {over} more {noun}: see explain"));
    }
    texts
}

/// An effect as a phrase.
fn what(effect: &Effect) -> String {
    match effect {
        Effect::Notify {
            receiver, subject, ..
        } => format!("tell {receiver}: {subject}"),
        Effect::RequestQuota {
            scope,
            code,
            desired,
            ..
        } => format!(
            "ask Service Quotas to raise {code} to {} in {scope}",
            grouped(desired.get())
        ),
        Effect::OpenCase { subject, .. } => format!("open a support case: {subject}"),
        Effect::Comment { case, .. } => format!("add to the case {case}"),
        Effect::EndCase {
            case,
            thanks: Some(_),
            ..
        } => format!("say thanks in the case {case}, and close it then"),
        Effect::EndCase { case, .. } => format!("close the case {case}"),
    }
}

/// A state as a phrase.
fn detail(state: &IntentState) -> String {
    match state {
        IntentState::Proposed { expires } => {
            format!("waits for a person until {}", clock(*expires))
        }
        IntentState::Planned { not_before } => {
            format!("planned, not before {}", clock(*not_before))
        }
        IntentState::Sending { at } => {
            format!("begun {}, no answer recorded yet", clock(*at))
        }
        IntentState::Unknown { look_at, .. } => format!(
            "it may have happened; we look again at {} before anything is sent twice",
            clock(*look_at)
        ),
        IntentState::Done {
            reference,
            at,
            theirs: None,
        } => format!("done {} ({reference})", clock(*at)),
        IntentState::Done {
            reference,
            at,
            theirs: Some(desired),
        } => format!(
            "not needed: somebody else's request {reference} for {desired} is open, seen {}",
            clock(*at)
        ),
        IntentState::Held { why, at } => format!("held since {}: {why}", clock(*at)),
        IntentState::Refused { why, at } => format!("not done, {}: {why}", clock(*at)),
    }
}

/// An instant as people read it.
fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
