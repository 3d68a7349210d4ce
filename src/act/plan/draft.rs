//! The plan while it is being made: the book as it will be, and the records that make it so.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Inputs, Wanted, links,
    minutes::Minutes,
    refusal::{self, Refused},
    texts::{self, Message},
};
use crate::model::{
    action::{Effect, Intent, IntentState},
    alert::Track,
    book::{Book, Key, Record},
    catalog::PoolId,
    desk::{Ask, Investigation},
    handling::Handling,
    ids::{ActionId, CaseId, IncidentId, ReceiverName, RequestId, SilenceId},
    incident::{AlertKey, Cause, Incident},
    policy::Policy,
    reason::{FULL_USE, Reason},
    receiver::{Flag, Notice},
    rule::Severity,
    silence::Silence,
    time::{Minute, Timestamp},
};

/// Minutes that are judged again at most because nothing was written down about them.
const TRACK_MINUTES: i64 = 10;

/// What changes, over what the book holds.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) inputs: Inputs<'a>,
    incidents: BTreeMap<IncidentId, Incident>,
    intents: BTreeMap<ActionId, Intent>,
    asks: BTreeMap<RequestId, Ask>,
    investigations: BTreeMap<CaseId, Investigation>,
    tracks: BTreeMap<AlertKey, Track>,
    /// `None` takes one away.
    handlings: BTreeMap<IncidentId, Option<Handling>>,
    /// `None` takes one away.
    silences: BTreeMap<SilenceId, Option<Silence>>,
    /// The open incident that each alert belongs to, as it will be: every verdict asks.
    members: BTreeMap<AlertKey, IncidentId>,
    wanted: BTreeSet<PoolId>,
    /// Why nothing is asked, as this plan found.
    pub(super) refused: BTreeMap<IncidentId, Refused>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(inputs: Inputs<'a>) -> Self {
        let open = inputs.book.incidents.values().filter(|it| it.is_open());
        let members = open.flat_map(|incident| {
            let keys = incident.members.keys();
            keys.map(|key| (key.clone(), incident.id.clone()))
        });
        Self {
            members: members.collect(),
            inputs,
            incidents: BTreeMap::new(),
            intents: BTreeMap::new(),
            asks: BTreeMap::new(),
            investigations: BTreeMap::new(),
            tracks: BTreeMap::new(),
            handlings: BTreeMap::new(),
            silences: BTreeMap::new(),
            wanted: BTreeSet::new(),
            refused: BTreeMap::new(),
        }
    }

    /// What is known of the pools' minutes.
    pub(super) fn minutes(&self) -> Minutes<'a> {
        Minutes::of(self.inputs.book, self.inputs.past)
    }

    /// Whether the older minutes of all these pools are at hand, or known to be unreadable. If not, this plan is made in
    /// vain, and the next one has them.
    pub(super) fn has_past<'b>(&mut self, pools: impl IntoIterator<Item = &'b PoolId>) -> bool {
        let lacking = pools
            .into_iter()
            .filter(|it| !self.inputs.past.contains_key(*it));
        let lacking: Vec<PoolId> = lacking.cloned().collect();
        let has_all = lacking.is_empty();
        self.wanted.extend(lacking);
        has_all
    }

    /// Whether older minutes of any of these pools are still being read.
    pub(super) fn is_filling<'b>(&self, pools: impl IntoIterator<Item = &'b PoolId>) -> bool {
        let filling = self.inputs.filling;
        pools.into_iter().any(|it| filling.contains(it))
    }

    pub(super) fn book(&self) -> &'a Book {
        self.inputs.book
    }

    pub(super) fn policy(&self) -> &'a Policy {
        self.inputs.policy
    }

    pub(super) fn now(&self) -> Timestamp {
        self.inputs.now
    }

    /// The incident as it will be.
    pub(super) fn incident(&self, id: &IncidentId) -> Option<&Incident> {
        self.incidents
            .get(id)
            .or_else(|| self.book().incidents.get(id))
    }

    /// Every incident as it will be, by id.
    pub(super) fn incidents(&self) -> impl Iterator<Item = &Incident> {
        let old = self.book().incidents.iter();
        let kept = old.filter(|(id, _)| !self.incidents.contains_key(*id));
        kept.map(|(_, incident)| incident)
            .chain(self.incidents.values())
    }

    /// The open incident of this cause.
    pub(super) fn open(&self, cause: &Cause) -> Option<&Incident> {
        self.incidents()
            .find(|incident| incident.is_open() && incident.cause == *cause)
    }

    /// The open incident that this alert belongs to.
    pub(super) fn open_with(&self, key: &AlertKey) -> Option<&Incident> {
        self.incident(self.members.get(key)?)
    }

    /// How many incidents of this cause there are.
    pub(super) fn generations(&self, cause: &Cause) -> u32 {
        let of_cause = self.incidents().filter(|incident| incident.cause == *cause);
        of_cause
            .map(|incident| incident.generation)
            .max()
            .unwrap_or(0)
    }

    /// Replaces an incident.
    pub(super) fn put(&mut self, incident: Incident) {
        for key in incident.members.keys() {
            if incident.is_open() {
                self.members.insert(key.clone(), incident.id.clone());
            } else if self.members.get(key) == Some(&incident.id) {
                self.members.remove(key);
            }
        }
        if self.book().incidents.get(&incident.id) == Some(&incident) {
            self.incidents.remove(&incident.id);
        } else {
            self.incidents.insert(incident.id.clone(), incident);
        }
    }

    /// Adds a decision to an incident, unless the very same was written down before.
    pub(super) fn decide(&mut self, id: &IncidentId, what: impl Into<String>) {
        let what = what.into();
        self.write_down(id, what, str::to_owned);
    }

    /// Adds what was considered and refused. The same words with other numbers are not written down again, nor with
    /// another cost: the mix of tokens that it rests on changes by the minute.
    pub(super) fn note(&mut self, id: &IncidentId, what: impl Into<String>) {
        self.write_down(id, what.into(), essence);
    }

    fn write_down(&mut self, id: &IncidentId, what: String, essence: fn(&str) -> String) {
        let Some(incident) = self.incident(id) else {
            return;
        };
        let wanted = essence(&what);
        if incident
            .decisions
            .iter()
            .any(|old| essence(&old.what) == wanted)
        {
            return;
        }
        let mut incident = incident.clone();
        incident.decide(self.now(), what);
        self.put(incident);
    }

    /// Every intent as it will be.
    pub(super) fn intents(&self) -> impl Iterator<Item = &Intent> {
        let old = self.book().intents.iter();
        let kept = old.filter(|(id, _)| !self.intents.contains_key(*id));
        kept.map(|(_, intent)| intent).chain(self.intents.values())
    }

    /// Every request we follow, as it will be.
    pub(super) fn asks(&self) -> impl Iterator<Item = &Ask> {
        let old = self.book().asks.iter();
        let kept = old.filter(|(id, _)| !self.asks.contains_key(*id));
        kept.map(|(_, ask)| ask).chain(self.asks.values())
    }

    /// Every case of our own that we follow, as it will be.
    pub(super) fn investigations(&self) -> impl Iterator<Item = &Investigation> {
        let old = self.book().investigations.iter();
        let kept = old.filter(|(id, _)| !self.investigations.contains_key(*id));
        kept.map(|(_, it)| it).chain(self.investigations.values())
    }

    pub(super) fn put_ask(&mut self, ask: Ask) {
        if self.book().asks.get(&ask.request) == Some(&ask) {
            self.asks.remove(&ask.request);
        } else {
            self.asks.insert(ask.request.clone(), ask);
        }
    }

    pub(super) fn put_investigation(&mut self, it: Investigation) {
        if self.book().investigations.get(&it.case) == Some(&it) {
            self.investigations.remove(&it.case);
        } else {
            self.investigations.insert(it.case.clone(), it);
        }
    }

    /// Writes down where judging stands when more than the minute has changed, and else now and then: minutes that
    /// changed nothing come to the same when they are judged again, and there are thousands of tracks.
    pub(super) fn put_track(&mut self, key: AlertKey, track: Track) {
        let is_news = self.book().tracks.get(&key).is_none_or(|stored| {
            let moved = track.through.since(stored.through);
            let through = track.through;
            Track { through, ..*stored } != track || !(0..TRACK_MINUTES).contains(&moved)
        });
        if is_news {
            self.tracks.insert(key, track);
        }
    }

    /// Since when the alert has been in its present state, by the track.
    pub(super) fn since(&self, key: &AlertKey) -> Option<Minute> {
        let track = self.tracks.get(key).or_else(|| self.book().tracks.get(key));
        track.map(|it| it.since)
    }

    /// Whether this step of the incident was wished for before.
    pub(super) fn is_intended(&self, incident: &IncidentId, step: &str) -> bool {
        let id = ActionId::derive(incident, step);
        self.book().intents.contains_key(&id) || self.intents.contains_key(&id)
    }

    /// Adds an intent, unless this step of this incident exists already: a step is decided once.
    /// Returns whether it is new.
    pub(super) fn intend(&mut self, wish: Wish) -> bool {
        let id = ActionId::derive(&wish.incident, &wish.step);
        if self.book().intents.contains_key(&id) || self.intents.contains_key(&id) {
            return false;
        }
        self.intents.insert(id, wish.intent(self.now()));
        true
    }

    /// As [`Self::intend`], of what somebody let go with something before it; the intent, where it is new.
    pub(super) fn intend_approved(&mut self, wish: Wish, by: Option<String>) -> Option<Intent> {
        let id = ActionId::derive(&wish.incident, &wish.step);
        if !self.intend(wish) {
            return None;
        }
        let intent = self.intents.get_mut(&id)?;
        intent.approved_at = by.as_ref().map(|_| intent.created);
        intent.approved_by = by;
        Some(intent.clone())
    }

    /// How people are told of this incident, as it will be.
    pub(super) fn handling(&self, id: &IncidentId) -> Handling {
        let known = match self.handlings.get(id) {
            Some(drafted) => drafted.as_ref(),
            None => self.book().handlings.get(id),
        };
        known.cloned().unwrap_or_else(|| Handling::new(id.clone()))
    }

    /// The incidents that have a handling.
    pub(super) fn handled(&self) -> BTreeSet<IncidentId> {
        let drafted = self.handlings.keys();
        let all = self.book().handlings.keys().chain(drafted);
        all.cloned().collect()
    }

    pub(super) fn put_handling(&mut self, it: Handling) {
        if self.book().handlings.get(&it.incident) == Some(&it) {
            self.handlings.remove(&it.incident);
        } else {
            self.handlings.insert(it.incident.clone(), Some(it));
        }
    }

    pub(super) fn remove_handling(&mut self, id: &IncidentId) {
        if self.book().handlings.contains_key(id) {
            self.handlings.insert(id.clone(), None);
        } else {
            self.handlings.remove(id);
        }
    }

    /// Every silence, as it will be.
    pub(super) fn silences(&self) -> impl Iterator<Item = &Silence> {
        let old = self.book().silences.iter();
        let kept = old.filter(|(id, _)| !self.silences.contains_key(*id));
        let new = self.silences.values().flatten();
        kept.map(|(_, it)| it).chain(new)
    }

    pub(super) fn put_silence(&mut self, it: Silence) {
        self.silences.insert(it.id.clone(), Some(it));
    }

    pub(super) fn remove_silence(&mut self, id: SilenceId) {
        self.silences.insert(id, None);
    }

    /// Replaces an intent by its next revision.
    pub(super) fn put_intent(&mut self, it: Intent) {
        self.intents.insert(it.id.clone(), it);
    }

    /// The incidents of which this plan tells.
    pub(super) fn told_now(&self) -> impl Iterator<Item = IncidentId> {
        let new = self.intents.values().filter(|it| it.revision == 1);
        let told = new.filter(|it| matches!(it.effect, Effect::Notify { .. }));
        told.map(|it| it.incident.clone())
    }

    /// What comes of an incident is decided after its messages are: they are to say that, and promise nothing else.
    fn say_outcomes(&mut self) {
        let told: BTreeSet<IncidentId> = self.told_now().collect();
        let known = told.into_iter().filter_map(|id| {
            let outcome = texts::outcome(self, self.incident(&id)?)?;
            Some((id, outcome))
        });
        let known: BTreeMap<IncidentId, texts::Outcome> = known.collect();
        let mut refused = BTreeSet::new();
        for intent in self.intents.values_mut().filter(|it| it.revision == 1) {
            if let Effect::Notify { body, .. } = &mut intent.effect
                && let Some(outcome) = known.get(&intent.incident)
                && let Some(text) = outcome.said_in(body)
            {
                *body = text;
                if outcome.is_refusal {
                    refused.insert(intent.incident.clone());
                }
            }
        }
        for id in refused {
            refusal::mark_told(self, &id);
        }
    }

    /// What is proposed in this very plan is decided after its messages are.
    fn flag_proposals(&mut self) {
        let proposed = self.intents();
        let proposed = proposed.filter(|it| matches!(it.state, IntentState::Proposed { .. }));
        let mut waiting: BTreeMap<IncidentId, Vec<ActionId>> = BTreeMap::new();
        for intent in proposed {
            let of_incident = waiting.entry(intent.incident.clone()).or_default();
            of_incident.push(intent.id.clone());
        }
        let places = &self.policy().places;
        for intent in self.intents.values_mut().filter(|it| it.revision == 1) {
            if let Effect::Notify {
                notice: Some(notice),
                ..
            } = &mut intent.effect
                && let Some(waiting) = waiting.get(&intent.incident)
            {
                notice.flags.insert(Flag::Proposal);
                links::add_decisions(&mut notice.links, places, waiting);
            }
        }
    }

    /// All that changed, in the order of the book.
    pub(super) fn finish(mut self) -> Result<Vec<Record>, Wanted> {
        if !self.wanted.is_empty() {
            return Err(Wanted(self.wanted));
        }
        self.flag_proposals();
        self.say_outcomes();
        let tracks = self.tracks.into_iter();
        let mut records: Vec<Record> = tracks
            .map(|(key, track)| Record::Track(key, track))
            .collect();
        records.extend(self.incidents.into_values().map(Record::Incident));
        records.extend(self.intents.into_values().map(Record::Intent));
        records.extend(self.asks.into_values().map(Record::Ask));
        records.extend(self.investigations.into_values().map(Record::Investigation));
        let handlings = self.handlings.into_iter();
        records.extend(handlings.map(|(id, it)| match it {
            Some(it) => Record::Handling(it),
            None => Record::Remove(Key::Handling(id)),
        }));
        let silences = self.silences.into_iter();
        records.extend(silences.map(|(id, it)| match it {
            Some(it) => Record::Silence(it),
            None => Record::Remove(Key::Silence(id)),
        }));
        Ok(records)
    }
}

/// The same words with other numbers, or another cost, are the same.
pub(super) fn essence(text: &str) -> String {
    let text = text.split(FULL_USE).next().unwrap_or(text);
    text.replace(|c: char| c.is_ascii_digit(), "")
}

/// A message, before it is addressed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'a> {
    pub(super) severity: Severity,
    pub(super) message: &'a Message,
    pub(super) notice: &'a Notice,
}

impl Told<'_> {
    /// The wish to tell this receiver. The step is the same whatever led to it, so that nobody hears a message twice.
    pub(super) fn to(&self, id: &IncidentId, receiver: &ReceiverName, now: Timestamp) -> Wish {
        Wish {
            incident: id.clone(),
            step: format!("message/{}/{receiver}", self.notice.number),
            effect: Effect::Notify {
                receiver: receiver.clone(),
                severity: self.severity,
                subject: self.message.subject.clone(),
                body: self.message.body.clone(),
                notice: Some(Box::new(self.notice.clone())),
            },
            reasons: Vec::new(),
            state: IntentState::Planned { not_before: now },
        }
    }
}

/// An intent to be: what only the planner knows of it.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) incident: IncidentId,
    pub(super) step: String,
    pub(super) effect: Effect,
    pub(super) reasons: Vec<Reason>,
    pub(super) state: IntentState,
}

impl Wish {
    /// The first version of the intent.
    pub(super) fn intent(self, now: Timestamp) -> Intent {
        Intent {
            id: ActionId::derive(&self.incident, &self.step),
            incident: self.incident,
            step: self.step,
            effect: self.effect,
            reasons: self.reasons,
            created: now,
            state: self.state,
            attempts: 0,
            approved_by: None,
            last_failure: None,
            approved_at: None,
            declined: 0,
            worded: None,
            revision: 1,
        }
    }
}
