//! Layer 3b: carries out one intent, and looks for intents in doubt. No decisions are taken here.
//!
//! What belongs here: from an [`Intent`] to calls of the port, and from their answers to an [`Outcome`].
//! What does not: retries, waiting, the ledger. The caller has committed the intent as begun before [`perform`], and
//! commits what [`Intent::after`] makes of the outcome.

use crate::{
    cloud::{Caller, Cloud, Fault, FaultClass},
    model::{
        action::{Effect, Intent},
        ids::{ReceiverName, Scope},
        outcome::{NO_PLAN, Outcome},
        policy::{CaseCodes, Policy, Receiver},
        time::Timestamp,
    },
};

mod desk;
#[cfg(test)]
mod fake;
mod message;
mod pages;

use message::{Letter, slack::Offer};
pub use message::{slack, together};

/// Minutes to wait after a limit of open requests or cases: something has to be closed first.
const FULL_WAIT: i64 = 60;
/// Minutes to wait after a refusal for lack of credentials or permission: a person has to act.
const DENIED_WAIT: i64 = 15;
/// Minutes to wait where the other side was busy or out of reach.
const BUSY_WAIT: i64 = 1;
/// Longest wait that a `Retry-After` may impose, in minutes.
const MOST_RETRY_AFTER: i64 = 24 * 60;

/// What is known beside an intent at the time it is tried.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// How a case of our own is addressed.
    pub codes: &'a CaseCodes,
    /// What the receiver of a message called the last one of the same incident that it took, if it took one.
    pub earlier: Option<&'a str>,
    /// What may be decided below a message, where its receiver has buttons.
    pub offer: Option<&'a Offer>,
    /// The messages that go in one, see [`together`]; empty for one that goes alone.
    pub crowd: &'a [Intent],
}

/// Tries the effect once. The intent was committed as begun before.
///
/// What AWS's desk sees is tried only after STS said that our credentials are those of the account it is for; that is
/// asked each time, since these effects are few and the credentials may change under us.
///
pub async fn perform(
    cloud: &dyn Cloud,
    policy: &Policy,
    intent: &Intent,
    known: Known<'_>,
) -> Outcome {
    let Known {
        codes,
        earlier,
        offer,
        crowd,
    } = known;
    if let Some(letter) = Letter::of(intent, earlier, offer) {
        return message::send(cloud, policy, &letter.of_all(crowd)).await;
    }
    match &intent.effect {
        Effect::Notify { .. } => Outcome::Never {
            why: "a message that is none".to_owned(),
        },
        Effect::RequestQuota {
            scope,
            code,
            desired,
            context: _, // added later, to the case that Service Quotas opens
        } => match prove(cloud, scope).await {
            Err(unproved) => unproved.outcome(),
            Ok(us) => {
                let wanted = desk::Wanted::of(*desired, intent.created, &us);
                desk::request(cloud, scope, code, &wanted, intent.may_be_there()).await
            }
        },
        Effect::OpenCase {
            scope,
            subject,
            body,
            evidence,
            desired: _, // said in the words
        } => match settled_before(cloud, scope, intent).await {
            Some(outcome) => outcome,
            None => {
                let words = desk::Words::of(body, evidence.as_deref());
                desk::open_case(cloud, scope, codes, subject, words).await
            }
        },
        Effect::Comment {
            scope,
            case,
            body,
            evidence,
        } => match settled_before(cloud, scope, intent).await {
            Some(outcome) => outcome,
            None => {
                let words = desk::Words::of(body, evidence.as_deref());
                desk::comment(cloud, scope, case, words).await
            }
        },
        Effect::EndCase {
            scope,
            case,
            ours,
            request,
            thanks,
        } => match prove(cloud, scope).await {
            Err(unproved) => unproved.outcome(),
            Ok(us) => {
                let ours = desk::Ours::of(ours, request.as_ref(), &us);
                let words = thanks.as_deref().map(|it| (it, intent.marker()));
                desk::end_case(cloud, scope, case, ours, words).await
            }
        },
    }
}

/// What an effect at a desk comes to where nothing is to be sent: credentials that are not proved to be the account's,
/// words that stand there already, or may.
async fn settled_before(cloud: &dyn Cloud, scope: &Scope, intent: &Intent) -> Option<Outcome> {
    if let Err(unproved) = prove(cloud, scope).await {
        return Some(unproved.outcome());
    }
    // Another service of ours watches the account by mistake, or the ledger was lost.
    match sought(cloud, intent, intent.created).await {
        Ok(None) => None,
        Ok(Some(reference)) => Some(Outcome::Done { reference }),
        // "Could not look" is not "nothing there": Support would take a second case without a word.
        Err(why) => Some(Outcome::NotYet {
            wait_minutes: BUSY_WAIT,
            why: format!("whether Support has it already could not be looked up: {why}"),
        }),
    }
}

/// Looks for what carries the marker of an intent at Support, since then.
async fn sought(
    cloud: &dyn Cloud,
    intent: &Intent,
    since: Timestamp,
) -> Result<Option<String>, String> {
    let marker = intent.marker();
    match &intent.effect {
        Effect::Notify { .. } | Effect::RequestQuota { .. } => Ok(None),
        Effect::OpenCase { scope, .. } => desk::find_case(cloud, scope, &marker, since).await,
        Effect::Comment { scope, case, .. } => {
            desk::find_comment(cloud, scope, case, &marker).await
        }
        Effect::EndCase {
            scope,
            case,
            thanks,
            ..
        } => {
            // As for the try itself: what is closed needs no thanks any more.
            let is_closed = desk::find_closed(cloud, scope, case).await?;
            match thanks {
                Some(_) if is_closed.is_none() => {
                    desk::find_comment(cloud, scope, case, &marker).await
                }
                _ => Ok(is_closed),
            }
        }
    }
}

/// Tells a receiver again what is open there, where it would forget it otherwise: the newest message of each open
/// incident that it took. Nothing for receivers that remember.
pub async fn repeat(
    cloud: &dyn Cloud,
    name: &ReceiverName,
    receiver: &Receiver,
    open: &[Intent],
    now: Timestamp,
) -> Option<Outcome> {
    let letters: Vec<Letter<'_>> = open
        .iter()
        .filter_map(|it| Letter::of(it, None, None))
        .collect();
    message::repeat(cloud, name, receiver, &letters, now).await
}

/// Looks whether an effect in doubt happened: a complete look over all pages, or [`Outcome::CouldNotLook`].
///
/// A message can't be looked for; it comes back [`Outcome::InDoubt`], upon which the protocol sends it again.
/// What counts is everything since the intent was decided, so that an earlier attempt that shows late is found too.
pub async fn look(cloud: &dyn Cloud, intent: &Intent, now: Timestamp) -> Outcome {
    // Should our clock have been set back meanwhile, the intent seems to come from the future.
    let since = intent.created.min(now);
    let scope = match &intent.effect {
        Effect::Notify { .. } => {
            let why = "whether a message arrived can't be looked up".to_owned();
            return Outcome::InDoubt { why };
        }
        Effect::RequestQuota { scope, .. }
        | Effect::OpenCase { scope, .. }
        | Effect::Comment { scope, .. }
        | Effect::EndCase { scope, .. } => scope,
    };
    // A look into another account's desk would find nothing, and prove nothing.
    let us = match prove(cloud, scope).await {
        Ok(us) => us,
        Err(unproved) => {
            let why = unproved.why();
            return Outcome::CouldNotLook { why };
        }
    };
    if let Effect::RequestQuota { code, desired, .. } = &intent.effect {
        let wanted = desk::Wanted::of(*desired, since, &us);
        return desk::find_request(cloud, scope, code, &wanted).await;
    }
    match sought(cloud, intent, since).await {
        Ok(Some(reference)) => Outcome::Done { reference },
        Ok(None) => Outcome::Absent,
        Err(why) => Outcome::CouldNotLook { why },
    }
}

/// Why it is not proved that our credentials are those of the account.
enum Unproved {
    /// They are another account's.
    Other(String),
    /// STS did not say.
    Unknown(Fault),
}

impl Unproved {
    fn why(&self) -> String {
        match self {
            Self::Other(why) => why.clone(),
            Self::Unknown(fault) => format!("whose credentials these are is not known: {fault}"),
        }
    }

    /// Nothing was tried yet, so nothing is in doubt.
    fn outcome(&self) -> Outcome {
        let why = self.why();
        match self {
            Self::Other(_) => Outcome::Never { why },
            Self::Unknown(fault) => Outcome::NotYet {
                wait_minutes: wait(fault),
                why,
            },
        }
    }
}

/// Who we are there, once it is proved that it is the account that is meant.
async fn prove(cloud: &dyn Cloud, scope: &Scope) -> Result<Caller, Unproved> {
    let caller = cloud.caller(scope).await.map_err(Unproved::Unknown)?;
    if caller.account == scope.account {
        return Ok(caller);
    }
    let why = format!(
        "the credentials belong to account {}, not {}; nothing was sent",
        caller.account, scope.account
    );
    Err(Unproved::Other(why))
}

/// What a failed attempt came to. `what` is what was tried, such as `the quota request`.
fn failed(what: &str, fault: &Fault) -> Outcome {
    match fault.class {
        FaultClass::Throttled | FaultClass::Denied | FaultClass::Connect | FaultClass::Full => {
            Outcome::NotYet {
                wait_minutes: wait(fault),
                why: format!("{what} was not taken: {fault}"),
            }
        }
        FaultClass::Invalid | FaultClass::NotFound | FaultClass::Exists => Outcome::Never {
            why: format!("{what} was refused: {fault}"),
        },
        FaultClass::NoPlan => Outcome::Never {
            why: format!(
                "{what} was refused: {NO_PLAN} ({}); \
                 open it in the console, or take a plan that has one",
                fault.code
            ),
        },
        FaultClass::Server | FaultClass::Lost | FaultClass::Garbled => Outcome::InDoubt {
            why: format!("{what} may have arrived: {fault}"),
        },
    }
}

/// Minutes to wait at least after this fault.
fn wait(fault: &Fault) -> i64 {
    match fault.class {
        FaultClass::Full => FULL_WAIT,
        FaultClass::Denied => DENIED_WAIT,
        FaultClass::Throttled
        | FaultClass::Connect
        | FaultClass::Invalid
        | FaultClass::NotFound
        | FaultClass::Exists
        | FaultClass::NoPlan
        | FaultClass::Server
        | FaultClass::Lost
        | FaultClass::Garbled => BUSY_WAIT,
    }
}

#[cfg(test)]
mod tests;
