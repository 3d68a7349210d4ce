//! Effects: what was decided is carried out, and what people answer is taken in.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, try_join_all};

mod together;

use super::{Cycle, CycleError};
use crate::{
    act::{
        perform::{self, Known, slack::Offer},
        plan::{self, Disobeyed, Wanted},
    },
    model::{
        action::{Due, Effect, Intent, IntentState, UNANSWERED},
        audit,
        book::{Book, Record},
        ids::{AccountId, ActionId, IncidentId, ReceiverName, Scope},
        incident::Incident,
        order::{Answer, Command, Order},
        outcome::Outcome,
        policy::{Mode, Policy, Receiver},
        time::{Timestamp, after},
    },
    runtime::shared::Posted,
};
use together::TOGETHER;

impl Cycle {
    /// Carries out what a person asked. They hear of it once it is durable.
    pub async fn obey(&mut self, posted: Posted, now: Timestamp) -> Result<(), CycleError> {
        let Posted { order, reply } = posted;
        let obeyed = loop {
            match self.take_order(&order, now) {
                Err(Disobeyed::Wanted(Wanted(pools))) => self.recall_past(pools, now).await?,
                Err(Disobeyed::Refused(why)) => break Err(why),
                Ok(obeyed) => break Ok(obeyed),
            }
        };
        self.bound_past();
        // A stop holds at once, whatever becomes of the note of it.
        let stopped = if obeyed.is_ok() && order.command == Command::StopWrites {
            let why = order.why.as_deref().unwrap_or_default();
            self.shared.switch.set(&order.by, &now.to_string(), why)
        } else {
            Ok(())
        };
        let mut answer = match (obeyed, stopped) {
            (Ok((records, answer)), Ok(())) => {
                self.commit(records, now).await?;
                Ok(answer)
            }
            (Err(why), _) | (Ok(_), Err(why)) => Err(why),
        };
        if answer.is_ok() && order.command == Command::ResumeWrites {
            answer = self.shared.switch.clear().and(answer);
        }
        if reply.send(answer).is_err() {
            tracing::debug!(event = "order.unheard", "whoever asked is gone");
        }
        self.perform_due(now).await
    }

    /// What becomes of an order, and the note of it in the audit trail.
    fn take_order(
        &self,
        order: &Order,
        now: Timestamp,
    ) -> Result<(Vec<Record>, Answer), Disobeyed> {
        let book = self.shared.book();
        // The file of people is made and taken away whatever the disk is like.
        let is_of_switch = matches!(order.command, Command::StopWrites | Command::ResumeWrites);
        let stop = if is_of_switch {
            self.shared.switch.stop()
        } else {
            self.shared.stop()
        };
        let inputs = plan::Inputs {
            stop: stop.as_ref(),
            ..self.inputs(&book, &[], &[], &[], now)
        };
        let (mut records, answer) = plan::obey(inputs, order)?;
        records.push(audit::ordered(&book, order, &answer, now));
        Ok((records, answer))
    }

    /// Carries out what is due: new intents and those a crash left behind, by one path; then whom fallbacks tell, since a
    /// receiver that refuses now has one that hears now; then what receivers forget unless it is repeated.
    pub(super) async fn perform_due(&mut self, now: Timestamp) -> Result<(), CycleError> {
        self.held.retain(|_, until| now < *until);
        self.relay(&BTreeSet::new(), now).await?;
        // After fallbacks: they are told in place of what waits.
        let gone = plan::overtaken(&self.shared.book(), &self.settings.policy, now);
        self.commit(gone.into_iter().map(Record::Intent).collect(), now)
            .await?;
        let mut troubled = BTreeSet::new();
        let mut refused = self.perform_lanes(None, &mut troubled, now).await?;
        loop {
            let told = self.relay(&refused, now).await?;
            if told.is_empty() {
                break;
            }
            // A fallback may have a fallback; there are no circles among them.
            refused = self.perform_lanes(Some(&told), &mut troubled, now).await?;
        }
        self.repeat(&troubled, now).await;
        Ok(())
    }

    /// Plans what fallbacks are to hear; who they are.
    async fn relay(
        &self,
        refused: &BTreeSet<ActionId>,
        now: Timestamp,
    ) -> Result<BTreeSet<Reach>, CycleError> {
        let policy = &self.settings.policy;
        let told = plan::fallbacks(&self.shared.book(), policy, refused, now);
        let to = told.iter().map(|it| Reach::of(&it.effect)).collect();
        let records = told.into_iter().map(Record::Intent).collect();
        self.commit(records, now).await?;
        Ok(to)
    }

    /// Each receiver and each desk has a lane of its own, so that one that hangs holds up nobody else. `only` these, if they
    /// are named.
    ///
    /// Returns the messages whose receivers refuse, and adds to `troubled` who gave no clear answer.
    async fn perform_lanes(
        &mut self,
        only: Option<&BTreeSet<Reach>>,
        troubled: &mut BTreeSet<Reach>,
        now: Timestamp,
    ) -> Result<BTreeSet<ActionId>, CycleError> {
        let ends = {
            let cycle = &*self;
            let lanes = cycle.lanes(now).into_iter();
            let wanted = lanes.filter(|(reach, _)| only.is_none_or(|it| it.contains(reach)));
            let walks = wanted.map(|(reach, lane)| async move {
                let end = cycle.carry_out(lane, now).await?;
                Ok::<_, CycleError>((reach, end))
            });
            try_join_all(walks).await?
        };
        let mut refused = BTreeSet::new();
        for (reach, end) in ends {
            if end.is_troubled {
                troubled.insert(reach);
            }
            self.held.extend(end.held);
            refused.extend(end.refused);
        }
        Ok(refused)
    }

    /// Alertmanager ends what it does not hear of again. A repetition is no intent: it follows from what is open, and the next
    /// cycle makes it anew.
    async fn repeat(&self, troubled: &BTreeSet<Reach>, now: Timestamp) {
        let receivers = &self.settings.policy.receivers;
        let wanted = receivers.iter().filter(|(name, receiver)| {
            let reach = Reach::Receiver((*name).clone());
            matches!(receiver, Receiver::Alertmanager { .. })
                && !self.held.contains_key(*name)
                && !troubled.contains(&reach)
        });
        let repeats = wanted.map(|(name, receiver)| async move {
            let open = open_at(&self.shared.book(), name);
            if open.is_empty() {
                return (name, None);
            }
            let outcome = perform::repeat(&*self.cloud, name, receiver, &open, now).await;
            (name, outcome)
        });
        let outcomes = join_all(repeats).await;
        for (name, outcome) in outcomes {
            self.shared.note_repeat(name, outcome.as_ref(), now);
        }
    }

    /// What is due, by whom it reaches.
    fn lanes(&self, now: Timestamp) -> BTreeMap<Reach, Lane> {
        let mut lanes: BTreeMap<Reach, Lane> = BTreeMap::new();
        let book = self.shared.book();
        for intent in book.intents.values() {
            let reach = Reach::of(&intent.effect);
            let due = intent.due(now);
            match (&reach, due) {
                (Reach::Receiver(receiver), _) if self.held.contains_key(receiver) => {}
                // What waits for its next try goes out as well once its receiver is known to be back.
                (Reach::Receiver(_), _) if !intent.state.is_final() => {
                    let lane = lanes.entry(reach).or_default();
                    lane.intents.push((due, intent.clone()));
                }
                (_, Some(_)) => {
                    let lane = lanes.entry(reach).or_default();
                    lane.intents.push((due, intent.clone()));
                }
                (_, None) => {}
            }
        }
        lanes.retain(|_, lane| lane.intents.iter().any(|(due, _)| due.is_some()));
        for lane in lanes.values_mut() {
            lane.intents.sort_by_key(|(_, it)| it.order());
            lane.hurry(now);
        }
        lanes
    }

    /// One after the other; of messages, those of one incident in their order. Without a clear answer the rest waits for the
    /// next cycle: it would hang just the same.
    async fn carry_out(&self, lane: Lane, now: Timestamp) -> Result<LaneEnd, CycleError> {
        let mut end = LaneEnd::default();
        let mut untold: BTreeSet<IncidentId> = BTreeSet::new();
        let mut later = Vec::new();
        let mut left = MOST_MESSAGES;
        let (crowd, lane) = self.gather(lane);
        if !crowd.is_empty() && !self.take_together(crowd, &mut end, now).await? {
            return Ok(end);
        }
        for (due, intent) in lane.intents {
            let is_message = intent.effect.may_repeat();
            let Some(due) = due else {
                untold.insert(intent.incident.clone());
                later.push(intent);
                continue;
            };
            if is_message && (left == 0 || untold.contains(&intent.incident)) {
                later.push(intent);
                continue;
            }
            left = left.saturating_sub(1);
            if due == Due::Recover && is_message {
                untold.insert(intent.incident.clone()); // it may have happened, and is sent again before those after it
            }
            if !self.take(due, intent, &mut end, now).await? {
                return Ok(end);
            }
        }
        // The receiver takes messages, and so what it could not take before is not kept waiting.
        let mut missed: BTreeSet<IncidentId> = BTreeSet::new();
        let later = if end.has_taken { later } else { Vec::new() };
        if self.is_crowd(&later)
            && later
                .iter()
                .all(|it| matches!(it.state, IntentState::Planned { .. }))
        {
            self.take_together(later, &mut end, now).await?;
            return Ok(end);
        }
        for intent in later {
            let is_sendable = matches!(intent.state, IntentState::Planned { .. });
            if left == 0 || !is_sendable || missed.contains(&intent.incident) {
                missed.insert(intent.incident);
                continue;
            }
            left = left.saturating_sub(1);
            if !self.take(Due::Send, intent, &mut end, now).await? {
                return Ok(end);
            }
        }
        Ok(end)
    }

    /// Whether nothing is written at AWS now, whatever was decided before.
    fn writes_nothing(&self) -> bool {
        self.settings.policy.mode == Mode::Observe || self.shared.stop().is_some()
    }

    /// Whether nothing speaks against a filing by now; the next plan takes it back where something does.
    fn may_leave(&self, intent: &Intent, now: Timestamp) -> bool {
        let book = self.shared.book();
        !intent.is_filing() || plan::may_leave(self.inputs(&book, &[], &[], &[], now), intent)
    }

    /// One step of one intent; whether the lane may go on.
    async fn take(
        &self,
        due: Due,
        intent: Intent,
        end: &mut LaneEnd,
        now: Timestamp,
    ) -> Result<bool, CycleError> {
        let (next, outcome) = match due {
            Due::Expire => (intent.refused(UNANSWERED, now), None),
            Due::Recover => (intent.recovered(now), None),
            Due::Look => {
                let outcome = perform::look(&*self.cloud, &intent, now).await;
                (intent.after(&outcome, now), Some(outcome))
            }
            // Looked at before each one, so that a stop holds at once; it waits as it is, and looks go on.
            Due::Send if !intent.effect.may_repeat() && self.writes_nothing() => {
                return Ok(true);
            }
            Due::Send if intent.lacks_word(self.settings.policy.mode) => return Ok(true),
            Due::Send if !self.may_leave(&intent, now) => return Ok(true),
            Due::Send => {
                let begun = intent.begun(now);
                self.commit(vec![Record::Intent(begun.clone())], now)
                    .await?;
                let policy = &self.settings.policy;
                let (earlier, codes, offer) = {
                    let book = self.shared.book();
                    let about = book.incidents.get(&intent.incident);
                    let codes = about.map_or(&policy.case_codes.usual, |it| {
                        policy.case_codes.of(it.cause.category(), it.severity)
                    });
                    let offer = offer(&book, policy, &begun, now);
                    (earlier(&book, &begun), codes, offer)
                };
                let known = Known {
                    codes,
                    earlier: earlier.as_deref(),
                    offer: offer.as_ref(),
                    crowd: &[],
                };
                let outcome = perform::perform(&*self.cloud, policy, &begun, known).await;
                self.count_try(&begun.effect, &outcome);
                (begun.after(&outcome, now), Some(outcome))
            }
        };
        self.commit(vec![Record::Intent(next)], now).await?;
        let Some(outcome) = outcome else {
            return Ok(true); // nothing was asked of anybody
        };
        end.note(&intent, &outcome, now);
        end.is_troubled = !outcome.is_clear();
        Ok(outcome.is_clear())
    }
}

/// Messages to one receiver in one cycle, to bound its length; the rest follows in the next one.
const MOST_MESSAGES: usize = 30;

/// What may be decided below this message, where its receiver has buttons.
fn offer(book: &Book, policy: &Policy, intent: &Intent, now: Timestamp) -> Option<Offer> {
    let Effect::Notify { receiver, .. } = &intent.effect else {
        return None;
    };
    let has_buttons = matches!(
        policy.receivers.get(receiver),
        Some(Receiver::SlackBot {
            buttons: Some(_),
            ..
        })
    );
    has_buttons.then(|| Offer::of(book, &intent.incident, now))
}

/// What the receiver called the last message of this incident that it took.
fn earlier(book: &Book, intent: &Intent) -> Option<String> {
    let Effect::Notify { receiver: to, .. } = &intent.effect else {
        return None;
    };
    let taken = book
        .intents
        .values()
        .filter_map(|it| match (&it.effect, &it.state) {
            (Effect::Notify { receiver, .. }, IntentState::Done { reference, .. })
                if receiver == to
                    && it.incident == intent.incident
                    && !reference.starts_with(TOGETHER) =>
            {
                Some((it.order(), reference))
            }
            _ => None,
        });
    let (_, reference) = taken.max()?;
    Some(reference.clone())
}

/// The newest message that this receiver took of each incident that is open.
fn open_at(book: &Book, name: &ReceiverName) -> Vec<Intent> {
    let mut newest: BTreeMap<&IncidentId, &Intent> = BTreeMap::new();
    for intent in book.intents.values() {
        let is_taken = matches!(intent.state, IntentState::Done { .. })
            && matches!(&intent.effect, Effect::Notify { receiver, .. } if receiver == name);
        let incident = book.incidents.get(&intent.incident);
        if !is_taken || !incident.is_some_and(Incident::is_open) {
            continue;
        }
        let known = newest.entry(&intent.incident).or_insert(intent);
        if known.order() < intent.order() {
            *known = intent;
        }
    }
    newest.into_values().cloned().collect()
}

/// What goes one after the other, and what is due of it.
#[derive(Debug, Default)]
struct Lane {
    intents: Vec<(Option<Due>, Intent)>,
}

impl Lane {
    /// A message that is new must not wait for the next try of one before it, which may be an hour off: that one is tried
    /// now, once for each new one.
    fn hurry(&mut self, now: Timestamp) {
        let fresh = self.intents.iter().filter(|(_, it)| it.created == now);
        let fresh: BTreeSet<IncidentId> = fresh.map(|(_, it)| it.incident.clone()).collect();
        for (due, intent) in &mut self.intents {
            let is_message = matches!(intent.effect, Effect::Notify { .. });
            let waits = matches!(intent.state, IntentState::Planned { .. });
            if is_message && waits && fresh.contains(&intent.incident) {
                *due = Some(Due::Send);
            }
        }
    }
}

/// What is known of a lane once it was walked.
#[derive(Debug, Default)]
struct LaneEnd {
    /// Its receiver asked to be left alone until then.
    held: Option<(ReceiverName, Timestamp)>,
    /// Messages that the receiver refuses, or all of them.
    refused: BTreeSet<ActionId>,
    has_taken: bool,
    /// The last answer was none, or an unclear one.
    is_troubled: bool,
}

impl LaneEnd {
    fn note(&mut self, intent: &Intent, outcome: &Outcome, now: Timestamp) {
        let Effect::Notify { receiver, .. } = &intent.effect else {
            return;
        };
        match outcome {
            Outcome::Done { .. } => self.has_taken = true,
            Outcome::Refused { .. } | Outcome::Never { .. } => {
                self.refused.insert(intent.id.clone());
            }
            // Longer than until the next cycle: it said so itself.
            Outcome::NotYet { wait_minutes, .. } if 1 < *wait_minutes => {
                self.held = Some((receiver.clone(), after(now, *wait_minutes)));
            }
            Outcome::NotYet { .. }
            | Outcome::Theirs { .. }
            | Outcome::InDoubt { .. }
            | Outcome::Absent
            | Outcome::CouldNotLook { .. } => {}
        }
    }
}

impl Cycle {
    fn count_try(&self, effect: &Effect, outcome: &Outcome) {
        let receivers = &self.settings.policy.receivers;
        let channel = match effect {
            Effect::Notify { receiver, .. } => {
                receivers.get(receiver).map_or("gone", Receiver::kind)
            }
            Effect::RequestQuota { .. }
            | Effect::OpenCase { .. }
            | Effect::Comment { .. }
            | Effect::EndCase { .. } => "",
        };
        let key = (effect.name(), channel, outcome.name());
        *self.shared.health_mut().tries.entry(key).or_default() += 1;
    }
}

/// Whom an effect reaches. What reaches the same goes one after the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Receiver(ReceiverName),
    Quotas(Scope),
    /// Support has one entry for all Regions of an account.
    Support(AccountId),
}

impl Reach {
    fn of(effect: &Effect) -> Self {
        match effect {
            Effect::Notify { receiver, .. } => Self::Receiver(receiver.clone()),
            Effect::RequestQuota { scope, .. } => Self::Quotas(scope.clone()),
            Effect::OpenCase { scope, .. }
            | Effect::Comment { scope, .. }
            | Effect::EndCase { scope, .. } => Self::Support(scope.account.clone()),
        }
    }
}
