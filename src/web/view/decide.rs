//! What one person is to decide about, with all that they need to know.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::View;
use crate::{
    model::{
        action::{Effect, IntentState},
        ids::{ActionId, IncidentId, SilenceId},
        policy::Mode,
        rule::Pattern,
        selector::{MOST_ENTRIES, Selector},
        units::Amount,
    },
    runtime::prospect::bounds_of,
    web::json,
};

/// What is decided about.
#[derive(Debug)]
pub(in crate::web) enum Matter {
    /// A proposal, or what was given up; once it is decided, what became of it.
    Action(Box<Choice>),
    /// An incident, and what a silence of it alone is for.
    Incident(Box<json::IncidentBrief>, Option<Selector>),
    /// A silence.
    Silence(Box<json::Silence>),
    /// Whether anything is written at AWS.
    Writes,
}

/// An action to approve or reject.
#[derive(Debug)]
pub(in crate::web) struct Choice {
    pub(in crate::web) action: json::Action,
    /// Whether it still waits for a person.
    pub(in crate::web) waits: bool,
    /// Why it can't be approved now.
    pub(in crate::web) blocked: Option<String>,
    /// What a quota request asks for, and above what and up to what it may.
    pub(in crate::web) asks: Option<(Amount, Bounds)>,
    /// What it does and what AWS reads of it, as a hash: who approves has seen this and nothing else.
    pub(in crate::web) seen: String,
}

/// Above what and up to what may be asked for, or why nothing may.
pub(in crate::web) type Bounds = Result<(Amount, Amount), String>;

/// The name of the switch among ids.
pub(in crate::web) const WRITES: &str = "writes";

impl View<'_> {
    /// What this id is of, if it is something that people decide about.
    pub(in crate::web) fn matter(&self, id: &str) -> Option<Matter> {
        if id == WRITES {
            return Some(Matter::Writes);
        }
        if let Some(silence) = self.book.silences.get(&SilenceId::new(id)) {
            return Some(Matter::Silence(Box::new(self.silence(silence))));
        }
        if let Some(incident) = self.book.incidents.get(&IncidentId::new(id)) {
            let brief = self.brief_of(incident);
            let pools = incident.counting().map(|key| key.pool.to_string());
            let mut names: Vec<String> = pools.collect();
            names.sort_unstable();
            names.dedup();
            let is_bounded = (1..=MOST_ENTRIES).contains(&names.len());
            let selector = is_bounded.then(|| Selector {
                categories: vec![incident.cause.category()],
                names: names.into_iter().map(Pattern::new).collect(),
                ..Selector::default()
            });
            return Some(Matter::Incident(Box::new(brief), selector));
        }
        self.choice(id).map(|it| Matter::Action(Box::new(it)))
    }

    fn choice(&self, id: &str) -> Option<Choice> {
        let intent = self.book.intents.get(&ActionId::new(id))?;
        let action = self.action(intent);
        let waits = matches!(
            intent.state,
            IntentState::Proposed { .. } | IntentState::Held { .. }
        );
        let policy = &self.settings.policy;
        let blocked = if intent.effect.may_repeat() {
            None // a message to people
        } else if let Some(stop) = self.stop {
            Some(format!("{stop}: nothing can be approved until they go on"))
        } else {
            (policy.mode == Mode::Observe).then(|| {
                "the mode is observe, in which nothing is filed: `mode = \"propose\"` in the configuration allows it".to_owned()
            })
        };
        let asks = match &intent.effect {
            Effect::RequestQuota {
                scope,
                code,
                desired,
                ..
            } => Some((*desired, bounds_of(self.book, policy, (scope, code)))),
            Effect::Notify { .. }
            | Effect::OpenCase { .. }
            | Effect::Comment { .. }
            | Effect::EndCase { .. } => None,
        };
        let mut hash = Sha256::new();
        hash.update(action.what.as_bytes());
        hash.update(action.text.as_deref().unwrap_or_default().as_bytes());
        Some(Choice {
            waits,
            blocked,
            asks,
            seen: HEXLOWER.encode(&hash.finalize()),
            action,
        })
    }
}
