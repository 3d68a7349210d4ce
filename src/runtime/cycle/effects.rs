//! Effects: what was decided is carried out, and what people answer is taken in.

use super::{Cycle, CycleError};
use crate::{
    act::perform,
    model::{
        action::{Due, Intent, Outcome},
        book::Record,
        ids::ActionId,
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

    /// Carries out what is due: new intents and those a crash left behind, by one path. Messages go first.
    pub(super) async fn perform_due(&mut self, now: Timestamp) -> Result<(), CycleError> {
        let mut due: Vec<(Due, Intent)> = {
            let book = self.shared.book();
            let intents = book.intents.values();
            intents
                .filter_map(|intent| Some((intent.due(now)?, intent.clone())))
                .collect()
        };
        due.sort_by_key(|(_, intent)| {
            (
                !intent.effect.may_repeat(),
                intent.created,
                intent.id.clone(),
            )
        });
        for (due, intent) in due {
            let next = match due {
                Due::Expire => intent.refused("nobody approved it in time", now),
                Due::Recover => intent.recovered(now),
                Due::Look => {
                    let outcome = perform::look(&*self.cloud, &intent, now).await;
                    intent.after(&outcome, now)
                }
                Due::Send => {
                    let begun = intent.begun(now);
                    self.commit(vec![Record::Intent(begun.clone())], now)
                        .await?;
                    let outcome = self.perform(&begun).await;
                    begun.after(&outcome, now)
                }
            };
            self.commit(vec![Record::Intent(next)], now).await?;
        }
        Ok(())
    }

    async fn perform(&self, intent: &Intent) -> Outcome {
        perform::perform(&*self.cloud, &self.shared.settings.policy, intent).await
    }
}
