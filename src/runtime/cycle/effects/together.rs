//! Many messages to one receiver at once: a Region that fails alerts with all that is in it, and nobody reads fifty messages.

use std::collections::BTreeSet;

use super::{Cycle, CycleError, Lane, LaneEnd, earlier};
use crate::{
    act::perform::{self, Known},
    model::{
        action::{Due, Effect, Intent},
        book::Record,
        ids::IncidentId,
        outcome::Outcome,
        policy::Receiver,
        time::Timestamp,
    },
};

/// So many messages to a receiver that people read go one by one; more go as one.
const MOST_SINGLE: usize = 5;
/// How the reference of such a message begins. It is nobody's own: what comes later about an incident does not go below it.
pub(super) const TOGETHER: &str = "together ";

impl Cycle {
    /// Takes out of the lane what goes as one message, if it is that many.
    pub(super) fn gather(&self, lane: Lane) -> (Vec<Intent>, Lane) {
        let mut blocked: BTreeSet<IncidentId> = BTreeSet::new();
        let mut gathered = Vec::new();
        let mut others = Vec::new();
        {
            let book = self.shared.book();
            for (due, intent) in &lane.intents {
                // Messages about one incident keep their order.
                let goes = *due == Some(Due::Send)
                    && !blocked.contains(&intent.incident)
                    && self.goes_with_others(intent)
                    // What it has in the channel already is brought up to date in its place, where nobody is disturbed.
                    && (!self.keeps_place(intent) || earlier(&book, intent).is_none());
                if goes {
                    gathered.push(intent.clone());
                } else {
                    blocked.insert(intent.incident.clone());
                    others.push((*due, intent.clone()));
                }
            }
        }
        if gathered.len() <= MOST_SINGLE {
            return (Vec::new(), lane);
        }
        (gathered, Lane { intents: others })
    }

    /// Whether so many go as one.
    pub(super) fn is_crowd(&self, intents: &[Intent]) -> bool {
        MOST_SINGLE < intents.len()
            && intents
                .iter()
                .all(|it| self.goes_with_others(it) && !self.keeps_place(it))
    }

    fn goes_with_others(&self, intent: &Intent) -> bool {
        let Effect::Notify {
            receiver,
            notice: Some(_),
            ..
        } = &intent.effect
        else {
            return false;
        };
        let policy = &self.settings.policy;
        let is_read = policy
            .receivers
            .get(receiver)
            .is_some_and(Receiver::is_read);
        // People's own words are about one incident.
        is_read && !policy.templates.contains_key(receiver)
    }

    /// Whether an incident has a message of its own there that is kept up to date.
    fn keeps_place(&self, intent: &Intent) -> bool {
        let Effect::Notify { receiver, .. } = &intent.effect else {
            return false;
        };
        let receiver = self.settings.policy.receivers.get(receiver);
        matches!(receiver, Some(Receiver::SlackBot { .. }))
    }

    /// Sends these as one message; whether the lane may go on. What becomes of it becomes of each.
    pub(super) async fn take_together(
        &self,
        intents: Vec<Intent>,
        end: &mut LaneEnd,
        now: Timestamp,
    ) -> Result<bool, CycleError> {
        let begun: Vec<Intent> = intents.iter().map(|it| it.begun(now)).collect();
        let policy = &self.settings.policy;
        let Some(one) = perform::together(&begun, policy.places.page.as_deref()) else {
            return Ok(true); // nothing to say
        };
        let records = begun.iter().cloned().map(Record::Intent).collect();
        self.commit(records, now).await?;
        let known = Known {
            codes: &policy.case_codes.usual,
            earlier: None,
            offer: None,
            crowd: &begun,
        };
        let mut outcome = perform::perform(&*self.cloud, policy, &one, known).await;
        if let Outcome::Done { reference } = &mut outcome {
            *reference = format!("{TOGETHER}{}", reference.replace('/', " "));
        }
        self.count_try(&one.effect, &outcome);
        let after = begun.iter().map(|it| it.after(&outcome, now));
        let records = after.map(Record::Intent).collect();
        self.commit(records, now).await?;
        for intent in &begun {
            end.note(intent, &outcome, now);
        }
        end.is_troubled = !outcome.is_clear();
        Ok(outcome.is_clear())
    }
}
