//! Effects: what was decided is carried out, and what people answer is taken in.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::{Cycle, CycleError};
use crate::{
    act::{perform, plan},
    model::{
        action::{Due, Effect, Intent},
        audit,
        book::Record,
        ids::{AccountId, ReceiverName, Scope},
        order::Command,
        time::Timestamp,
    },
    runtime::shared::Posted,
};

impl Cycle {
    /// Carries out what a person asked. They hear of it once it is durable.
    pub async fn obey(&mut self, posted: Posted, now: Timestamp) -> Result<(), CycleError> {
        let Posted { order, reply } = posted;
        let obeyed = {
            let book = self.shared.book();
            let stop = self.shared.switch.stop();
            let inputs = plan::Inputs {
                stop: stop.as_ref(),
                ..self.inputs(&book, &[], &[], &[], now)
            };
            let obeyed = plan::obey(inputs, &order);
            obeyed.map(|(mut records, answer)| {
                records.push(audit::ordered(&book, &order, &answer, now));
                (records, answer)
            })
        };
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
                // Looked at before each one, so that a stop holds at once; it waits as it is.
                Due::Send if !intent.effect.may_repeat() && self.shared.switch.stop().is_some() => {
                    break;
                }
                Due::Send => {
                    let begun = intent.begun(now);
                    self.commit(vec![Record::Intent(begun.clone())], now)
                        .await?;
                    let policy = &self.shared.settings.policy;
                    let outcome = perform::perform(&*self.cloud, policy, &begun).await;
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
