//! Effects: what was decided is carried out, and what people answer is taken in.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::{Cycle, CycleError};
use crate::{
    act::perform,
    model::{
        action::{Due, Effect, Intent},
        book::Record,
        ids::{AccountId, ActionId, ReceiverName, Scope},
        outcome::Outcome,
        policy::Receiver,
        time::Timestamp,
    },
    runtime::shared::Order,
};

impl Cycle {
    /// Carries out what a person decided about a proposal.
    pub async fn obey(&mut self, order: Order, now: Timestamp) -> Result<(), CycleError> {
        let (action, by, reply, is_approved) = match order {
            Order::Approve { action, by, reply } => (action, by, reply, true),
            Order::Reject { action, by, reply } => (action, by, reply, false),
        };
        let answer = match self.answer(&action, &by, is_approved, now) {
            Ok(records) => {
                self.commit(records, now).await?;
                Ok(())
            }
            Err(why) => Err(why),
        };
        if reply.send(answer).is_err() {
            tracing::debug!(event = "order.unheard", "whoever asked is gone");
        }
        self.perform_due(now).await
    }

    fn answer(
        &self,
        action: &ActionId,
        by: &str,
        is_approved: bool,
        now: Timestamp,
    ) -> Result<Vec<Record>, String> {
        let book = self.shared.book();
        let intent = book
            .intents
            .get(action)
            .ok_or_else(|| format!("no action is called {action}"))?;
        let approved = intent.approved(now).ok_or_else(|| {
            format!(
                "{action} does not wait for approval: it is {}",
                intent.state.name()
            )
        })?;
        let (intent, word) = if is_approved {
            (approved, "approved")
        } else {
            (intent.refused(format!("rejected by {by}"), now), "rejected")
        };
        let mut records = Vec::new();
        if let Some(incident) = book.incidents.get(&intent.incident) {
            let mut incident = incident.clone();
            incident.decide(
                now,
                format!("{} ({action}) {word} by {by}", intent.effect.name()),
            );
            records.push(Record::Incident(incident));
        }
        records.push(Record::Intent(intent));
        Ok(records)
    }

    /// Carries out what is due: new intents and those a crash left behind, by one path.
    ///
    /// Each receiver and each desk has a lane of its own, so that one that hangs holds up nobody else.
    pub(super) async fn perform_due(&self, now: Timestamp) -> Result<(), CycleError> {
        let mut lanes: BTreeMap<Lane, Vec<(Due, Intent)>> = BTreeMap::new();
        for intent in self.shared.book().intents.values() {
            if let Some(due) = intent.due(now) {
                let lane = lanes.entry(Lane::of(&intent.effect)).or_default();
                lane.push((due, intent.clone()));
            }
        }
        let lanes = lanes.into_values().map(|mut lane| {
            lane.sort_by_key(|(_, intent)| (intent.created, intent.id.clone()));
            self.carry_out(lane, now)
        });
        try_join_all(lanes).await?;
        Ok(())
    }

    /// One after the other. Without a clear answer the rest waits for the next cycle: it would hang just the same.
    async fn carry_out(&self, lane: Vec<(Due, Intent)>, now: Timestamp) -> Result<(), CycleError> {
        for (due, intent) in lane {
            let (next, is_clear) = match due {
                Due::Expire => (intent.refused("nobody approved it in time", now), true),
                Due::Recover => (intent.recovered(now), true),
                Due::Look => {
                    let outcome = perform::look(&*self.cloud, &intent, now).await;
                    (intent.after(&outcome, now), outcome.is_clear())
                }
                Due::Send => {
                    let begun = intent.begun(now);
                    self.commit(vec![Record::Intent(begun.clone())], now)
                        .await?;
                    let policy = &self.shared.settings.policy;
                    let outcome = perform::perform(&*self.cloud, policy, &begun).await;
                    self.count_try(&begun.effect, &outcome);
                    (begun.after(&outcome, now), outcome.is_clear())
                }
            };
            self.commit(vec![Record::Intent(next)], now).await?;
            if !is_clear {
                break;
            }
        }
        Ok(())
    }
}

impl Cycle {
    fn count_try(&self, effect: &Effect, outcome: &Outcome) {
        let receivers = &self.shared.settings.policy.receivers;
        let channel = match effect {
            Effect::Notify { receiver, .. } => {
                receivers.get(receiver).map_or("gone", Receiver::kind)
            }
            Effect::RequestQuota { .. } | Effect::OpenCase { .. } | Effect::Comment { .. } => "",
        };
        let key = (effect.name(), channel, outcome.name());
        *self.shared.health_mut().tries.entry(key).or_default() += 1;
    }
}

/// Whom an effect reaches. What reaches the same goes one after the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Receiver(ReceiverName),
    Quotas(Scope),
    /// Support has one entry for all Regions of an account.
    Support(AccountId),
}

impl Lane {
    fn of(effect: &Effect) -> Self {
        match effect {
            Effect::Notify { receiver, .. } => Self::Receiver(receiver.clone()),
            Effect::RequestQuota { scope, .. } => Self::Quotas(scope.clone()),
            Effect::OpenCase { scope, .. } | Effect::Comment { scope, .. } => {
                Self::Support(scope.account.clone())
            }
        }
    }
}
