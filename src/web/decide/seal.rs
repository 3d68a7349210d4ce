//! What proves that a form is ours, was made for whoever sends it, and is carried out once.
//!
//! Browsers send the password of `Basic`, and the cookie of a load balancer, with whatever a foreign page has them post. So each
//! form carries a number and its HMAC by a key of this process, over what it is about and who it was made for. The number is
//! also what it is done once by: a second click, or a page loaded again, is answered with what the first came to.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    runtime::{
        clock,
        shared::{Awaited, Shared, Unanswered},
    },
    web::alb::unguessable,
};

/// Seconds after which a form is asked for again: what it shows is of yesterday then.
const LASTS_SECONDS: u64 = 12 * 3_600;
/// Decisions whose outcome is known by their form's number.
const MOST_KEPT: usize = 256;

/// Makes and reads the seals of forms.
pub(in crate::web) struct Seals {
    /// Nothing, where the system has no randomness: then no form is taken.
    key: Option<[u8; 32]>,
    begun: Instant,
    issued: AtomicU64,
    kept: Mutex<Kept>,
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seals").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Kept {
    decisions: BTreeMap<u64, Arc<Decision>>,
    /// The highest number whose decision was let go: lower ones may have been decided.
    passed: u64,
}

/// What became of one form.
#[derive(Debug)]
pub(super) struct Decision {
    subject: String,
    state: tokio::sync::Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// In the daemon's hands, whoever waits for the answer.
    Posted(Awaited),
    Said(Result<String, String>),
}

impl Decision {
    /// What it came to, or why nothing was done.
    pub(super) async fn said(&self) -> Result<String, String> {
        let mut state = self.state.lock().await;
        let answer = match &mut *state {
            State::Said(said) => return said.clone(),
            State::Posted(awaited) => Shared::answered(awaited).await,
        };
        let is_late = answer == Err(Unanswered::Late); // its answer may still come
        let said = answer.map(|it| it.what).map_err(|why| why.to_string());
        if !is_late {
            *state = State::Said(said.clone());
        }
        said
    }
}

impl Seals {
    pub(in crate::web) fn new() -> Self {
        Self {
            key: unguessable(),
            begun: clock::monotonic(),
            issued: AtomicU64::new(1),
            kept: Mutex::default(),
        }
    }

    /// A new seal, for a form about `subject` that `whom` may send.
    pub(super) fn issue(&self, whom: &str, subject: &str) -> String {
        let number = self.issued.fetch_add(1, Ordering::Relaxed);
        let head = format!("{number}.{}", self.seconds());
        self.mac(&head, whom, subject)
            .map_or_else(String::new, |it| {
                format!("{head}.{}", HEXLOWER.encode(&it.finalize().into_bytes()))
            })
    }

    /// The number of a form that was made for them, about that, by this process and not too long ago.
    pub(super) fn number(&self, seal: &str, whom: &str, subject: &str) -> Option<u64> {
        let (head, mac) = seal.rsplit_once('.')?;
        let mac = HEXLOWER.decode(mac.as_bytes()).ok()?;
        let known = self.mac(head, whom, subject)?;
        known.verify_slice(&mac).ok()?;
        let (number, made) = head.split_once('.')?;
        let made: u64 = made.parse().ok()?;
        let is_young = self.seconds().saturating_sub(made) <= LASTS_SECONDS;
        number.parse().ok().filter(|_| is_young)
    }

    /// Decides by this form unless it was decided by it. Nothing, where that is no longer known.
    pub(super) fn once(
        &self,
        number: u64,
        subject: &str,
        post: impl FnOnce() -> Result<Awaited, Unanswered>,
    ) -> Option<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.decisions.contains_key(&number) {
            return Some(());
        }
        if number <= kept.passed {
            return None;
        }
        let state = post().map_or_else(|why| State::Said(Err(why.to_string())), State::Posted);
        let decision = Decision {
            subject: subject.to_owned(),
            state: tokio::sync::Mutex::new(state),
        };
        kept.decisions.insert(number, Arc::new(decision));
        while MOST_KEPT < kept.decisions.len() {
            let Some((oldest, _)) = kept.decisions.pop_first() else {
                break;
            };
            kept.passed = kept.passed.max(oldest);
        }
        Some(())
    }

    /// What was decided by the form of this number, about that.
    pub(super) fn decision(&self, number: u64, subject: &str) -> Option<Arc<Decision>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.decisions.get(&number);
        found.filter(|it| it.subject == subject).map(Arc::clone)
    }

    fn seconds(&self) -> u64 {
        clock::monotonic()
            .saturating_duration_since(self.begun)
            .as_secs()
    }

    fn mac(&self, head: &str, whom: &str, subject: &str) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_ref()?).ok()?;
        // Neither a number nor an id has a line break, so no two of these come to the same bytes.
        for part in [head, "\n", subject, "\n", whom] {
            mac.update(part.as_bytes());
        }
        Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_of_one_person_one_matter_and_one_process() {
        let seals = Seals::new();
        let seal = seals.issue("anna", "act-1");
        assert_eq!(seals.number(&seal, "anna", "act-1"), Some(1));
        assert_eq!(seals.number(&seal, "kim", "act-1"), None);
        assert_eq!(seals.number(&seal, "anna", "act-2"), None);
        assert_eq!(Seals::new().number(&seal, "anna", "act-1"), None);
        for forged in [String::new(), "1.0.".to_owned(), seal.replacen('1', "2", 1)] {
            assert_eq!(seals.number(&forged, "anna", "act-1"), None, "{forged}");
        }
        let old = Seals {
            begun: seals.begun,
            key: seals.key,
            ..Seals::new()
        };
        let head = "7.0";
        let mac = old.mac(head, "anna", "act-1").unwrap().finalize();
        let first = format!("{head}.{}", HEXLOWER.encode(&mac.into_bytes()));
        assert_eq!(old.number(&first, "anna", "act-1"), Some(7));
        let late = Seals {
            begun: old.begun - std::time::Duration::from_secs(LASTS_SECONDS + 1),
            ..old
        };
        assert_eq!(late.number(&first, "anna", "act-1"), None, "a day old");
    }

    #[test]
    fn a_form_is_decided_once_and_never_again_once_that_is_forgotten() {
        let seals = Seals::new();
        let mut posts = 0;
        for number in (1..=300).chain([1, 44, 45, 300]) {
            seals.once(number, "act-1", || {
                posts += 1;
                Err(Unanswered::NotTaken)
            });
        }
        assert_eq!(posts, 300);
        assert!(seals.decision(1, "act-1").is_none(), "let go");
        assert!(seals.decision(300, "act-1").is_some());
        assert!(seals.decision(300, "act-2").is_none(), "about another");
    }
}
