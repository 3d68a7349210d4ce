//! Effects as data, and the protocol that carries each of them out at most once or at least once.
//!
//! An intent is durable before anything leaves the process. `Sending` without a receipt means *it may have happened*:
//! for messages that means send again, for requests and cases it means look first.

use super::{
    ids::{ActionId, CaseId, IncidentId, Marker, QuotaCode, ReceiverName, RequestId, Scope},
    outcome::Outcome,
    policy::Mode,
    reason::Reason,
    receiver::Notice,
    rule::Severity,
    time::{Timestamp, after},
    units::Amount,
};

/// One effect on the world outside, so precise that carrying it out leaves nothing to decide.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Tell people.
    Notify {
        /// Whom.
        receiver: ReceiverName,
        /// How loudly.
        severity: Severity,
        /// One printable ASCII line, at most 99 characters.
        subject: String,
        /// The message.
        body: String,
        /// What it is about, as data; none in messages of older releases.
        notice: Option<Box<Notice>>,
    },
    /// Ask Service Quotas for a higher value.
    RequestQuota {
        /// Account and Region.
        scope: Scope,
        /// Which quota.
        code: QuotaCode,
        /// The value asked for.
        desired: Amount,
        /// What is added to the case that Service Quotas opens for it; starts with the marker.
        context: String,
    },
    /// Open a support case of our own.
    OpenCase {
        /// Account and Region it is about; the API itself is global.
        scope: Scope,
        /// Subject, with the marker in it.
        subject: String,
        /// Body, at most 8,000 characters, the marker on its first line.
        body: String,
        /// The file that goes with it.
        evidence: Option<Box<Evidence>>,
        /// The value that it asks for, where it is about a quota.
        desired: Option<Amount>,
    },
    /// End a case, since what it asked for is there: say so in it, or close it.
    EndCase {
        /// Account and Region it is about.
        scope: Scope,
        /// Which case.
        case: CaseId,
        /// What we said in it before: nothing is done to a case without it.
        ours: Marker,
        /// The quota request that Service Quotas opened it for, which has to be ours, too; none of a case of our own.
        request: Option<RequestId>,
        /// The last words, the marker of this intent on their first line; without them it is closed.
        thanks: Option<String>,
    },
    /// Add to a case.
    Comment {
        /// Account and Region it is about.
        scope: Scope,
        /// Which case.
        case: CaseId,
        /// At most 8,000 characters, the marker on its first line.
        body: String,
        /// The file that goes with it.
        evidence: Option<Box<Evidence>>,
    },
}

/// Files for AWS Support, whole, as they were when the words were decided: what is sent later is what was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The name of the file of hours.
    pub name: String,
    /// The hours of two weeks as comma-separated values, a line of names first.
    pub csv: String,
    /// The minutes of the last day likewise; empty in what older releases decided.
    pub minutes: String,
}

impl Evidence {
    /// Each file by its name, the hours first.
    #[must_use]
    pub fn files(&self) -> Vec<(String, &str)> {
        let stem = self.name.strip_suffix(".csv").unwrap_or(&self.name);
        let mut files = vec![(self.name.clone(), self.csv.as_str())];
        if !self.minutes.is_empty() {
            files.push((format!("{stem}-minutes.csv"), &self.minutes));
        }
        files
    }
}

impl Effect {
    /// `notify`, `request-quota`, `open-case`, `comment`, `thank` or `close-case`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Notify { .. } => "notify",
            Self::RequestQuota { .. } => "request-quota",
            Self::OpenCase { .. } => "open-case",
            Self::Comment { .. } => "comment",
            Self::EndCase {
                thanks: Some(_), ..
            } => "thank",
            Self::EndCase { thanks: None, .. } => "close-case",
        }
    }

    /// Messages may be sent twice in doubt; what AWS Support sees may not.
    #[must_use]
    pub const fn may_repeat(&self) -> bool {
        matches!(self, Self::Notify { .. })
    }
}

/// Where an intent stands.
#[derive(Clone, Debug, PartialEq)]
pub enum IntentState {
    /// Waits for a person (mode `propose`).
    Proposed {
        /// After this it is refused by itself.
        expires: Timestamp,
    },
    /// To be carried out, not before this instant.
    Planned {
        /// Earliest.
        not_before: Timestamp,
    },
    /// Begun, and no answer recorded.
    Sending {
        /// When it was begun.
        at: Timestamp,
    },
    /// It may have happened. Look, and look again a settle window later, before trying again.
    Unknown {
        /// When it was begun.
        since: Timestamp,
        /// How often a complete look found nothing, at least [`LOOK_APART_MINUTES`] apart.
        absent: u8,
        /// Earliest instant of the next look.
        look_at: Timestamp,
    },
    /// Happened, and the other side's name for it.
    Done {
        /// Message id, request id, case id; what was adopted counts.
        reference: String,
        /// When we learned it.
        at: Timestamp,
        /// Somebody else's open quota request stands in for ours: the value that it asks for.
        theirs: Option<Amount>,
    },
    /// Given up for now, visibly: a person has to look.
    Held {
        /// Why, as a sentence fragment.
        why: String,
        /// Since when.
        at: Timestamp,
    },
    /// Will not be done: rejected, expired, or refused with certainty by the other side.
    Refused {
        /// Why, as a sentence fragment.
        why: String,
        /// When.
        at: Timestamp,
    },
}

impl IntentState {
    /// The name in JSON and texts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Proposed { .. } => "proposed",
            Self::Planned { .. } => "planned",
            Self::Sending { .. } => "sending",
            Self::Unknown { .. } => "unknown",
            Self::Done { .. } => "done",
            Self::Held { .. } => "held",
            Self::Refused { .. } => "refused",
        }
    }

    /// Decided, and neither done nor given up.
    #[must_use]
    pub const fn is_under_way(&self) -> bool {
        matches!(
            self,
            Self::Planned { .. } | Self::Sending { .. } | Self::Unknown { .. }
        )
    }

    /// Nothing more will happen by itself.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Done { .. } | Self::Held { .. } | Self::Refused { .. }
        )
    }
}

/// An action that was decided and made durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// Derived from incident and step.
    pub id: ActionId,
    /// The incident it serves.
    pub incident: IncidentId,
    /// The step within the incident, such as `request/L-15B8E632/1`; the id is derived from it.
    pub step: String,
    /// What to do.
    pub effect: Effect,
    /// Why.
    pub reasons: Vec<Reason>,
    /// When it was decided.
    pub created: Timestamp,
    /// Where it stands.
    pub state: IntentState,
    /// Who let it go, where a person had to.
    pub approved_by: Option<String>,
    /// How often it was begun.
    pub attempts: u32,
    /// The last failure, for people.
    pub last_failure: Option<String>,
    /// When it was let go; in intents of older releases not known.
    pub approved_at: Option<Timestamp>,
    /// How many of the times it was begun the other side certainly did not take it.
    pub declined: u32,
    /// When its words were made anew; `None` while they are those it was decided with.
    pub worded: Option<Timestamp>,
    /// Counts the stored versions, from 1. The ledger refuses to go from n to anything but n + 1.
    pub revision: u64,
}

/// How far two looks that find nothing must lie apart, in minutes: the settle window of the desk.
pub const LOOK_APART_MINUTES: i64 = 15;
/// After this many times begun, what may not repeat is held.
pub const MOST_SENDS: u32 = 3;
/// After this many failures a message is held; with the backoff below that is more than a week.
pub const MOST_MESSAGE_TRIES: u32 = 200;
/// Why a proposal is over that nobody answered.
pub const UNANSWERED: &str = "nobody approved it in time";
/// Why a message that could not be sent for long is taken back: a later one about the same incident says all.
pub const OVERTAKEN: &str =
    "it could not be told in time, and a later message about the same incident says how it stands";
/// Why a message about what is over is given up.
pub const TOO_MANY: &str = "too many messages wait for this receiver, and what it is about is over";

impl Intent {
    /// Whether it opens something at AWS.
    #[must_use]
    pub const fn is_filing(&self) -> bool {
        matches!(
            self.effect,
            Effect::RequestQuota { .. } | Effect::OpenCase { .. }
        )
    }

    /// The marker planted in what this intent files.
    #[must_use]
    pub fn marker(&self) -> Marker {
        Marker::of(&self.id)
    }

    /// What intents that reach the same go out by: as they were decided, messages of an incident by their numbers.
    #[must_use]
    pub fn order(&self) -> (Timestamp, u32, ActionId) {
        let number = match &self.effect {
            Effect::Notify {
                notice: Some(notice),
                ..
            } => notice.number,
            Effect::Notify { notice: None, .. }
            | Effect::RequestQuota { .. }
            | Effect::OpenCase { .. }
            | Effect::Comment { .. }
            | Effect::EndCase { .. } => 0,
        };
        (self.created, number, self.id.clone())
    }

    /// What has to be done with this intent at `now`, if anything.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Option<Due> {
        match &self.state {
            IntentState::Proposed { expires } => (*expires <= now).then_some(Due::Expire),
            IntentState::Planned { not_before } => (*not_before <= now).then_some(Due::Send),
            IntentState::Sending { .. } => Some(Due::Recover),
            IntentState::Unknown { look_at, .. } => (*look_at <= now).then_some(Due::Look),
            IntentState::Done { .. } | IntentState::Held { .. } | IntentState::Refused { .. } => {
                None
            }
        }
    }

    /// The intent as it is begun: to be committed before the effect is tried.
    #[must_use]
    pub fn begun(&self, now: Timestamp) -> Self {
        self.moved(IntentState::Sending { at: now }, self.attempts + 1, None)
    }

    /// The intent as it is found begun after a restart: it may have happened.
    #[must_use]
    pub fn recovered(&self, now: Timestamp) -> Self {
        let why = "the process ended before an answer was recorded".to_owned();
        self.after(&Outcome::InDoubt { why }, now)
    }

    /// Whether a person can say what becomes of it: a proposal, or what was given up.
    #[must_use]
    pub fn awaits_word(&self, now: Timestamp) -> bool {
        match self.state {
            IntentState::Proposed { expires } => now < expires,
            IntentState::Held { .. } => true,
            IntentState::Planned { .. }
            | IntentState::Sending { .. }
            | IntentState::Unknown { .. }
            | IntentState::Done { .. }
            | IntentState::Refused { .. } => false,
        }
    }

    /// The intent once a person approved it, or nothing if it no longer waits for one. What was given up is tried once more.
    #[must_use]
    pub fn approved(&self, by: &str, now: Timestamp) -> Option<Self> {
        self.awaits_word(now).then(|| {
            let planned = IntentState::Planned { not_before: now };
            Self {
                approved_by: Some(by.to_owned()),
                approved_at: Some(now),
                ..self.moved(planned, self.attempts, None)
            }
        })
    }

    /// Whether this would open something at AWS, or close it, in this mode without a person having said so: it was planned in another one.
    #[must_use]
    pub fn lacks_word(&self, mode: Mode) -> bool {
        let needs_word = self.is_filing() || matches!(self.effect, Effect::EndCase { .. });
        mode == Mode::Propose && needs_word && self.approved_by.is_none()
    }

    /// The intent as a proposal, where it was not begun or was not taken.
    #[must_use]
    pub fn proposed(&self, expires: Timestamp) -> Self {
        self.moved(IntentState::Proposed { expires }, self.attempts, None)
    }

    /// Whether a later message about the same incident stands for it.
    #[must_use]
    pub fn is_overtaken(&self) -> bool {
        matches!(&self.state, IntentState::Refused { why, .. } if why == OVERTAKEN)
    }

    /// The intent once it is refused for good, whatever state it was in before it was begun.
    #[must_use]
    pub fn refused(&self, why: impl Into<String>, now: Timestamp) -> Self {
        let why = why.into();
        self.moved(IntentState::Refused { why, at: now }, self.attempts, None)
    }

    /// The intent given up for now, for a person to look.
    #[must_use]
    pub fn held(&self, why: impl Into<String>, now: Timestamp) -> Self {
        let why = why.into();
        self.moved(IntentState::Held { why, at: now }, self.attempts, None)
    }

    /// The intent with other words for the same effect.
    #[must_use]
    pub fn reworded(&self, effect: Effect, now: Timestamp) -> Self {
        Self {
            effect,
            worded: Some(now),
            revision: self.revision + 1,
            ..self.clone()
        }
    }

    /// Whether the other side certainly has nothing of it: it was never begun, or was plainly refused each time.
    #[must_use]
    pub const fn is_certainly_unsent(&self) -> bool {
        self.declined == self.attempts
    }

    /// Of one that is begun: whether a try before this one may have arrived.
    #[must_use]
    pub const fn may_be_there(&self) -> bool {
        self.declined + 1 < self.attempts
    }

    /// Whether it was the other side that refused it for good, and not a person, nor we.
    #[must_use]
    pub fn was_refused_there(&self) -> bool {
        matches!(&self.state, IntentState::Refused { why, .. }
            if 0 < self.attempts && self.last_failure.as_ref() == Some(why))
    }

    /// The one transition function: what the intent becomes after this outcome.
    #[must_use]
    pub fn after(&self, outcome: &Outcome, now: Timestamp) -> Self {
        let is_no = matches!(
            outcome,
            Outcome::NotYet { .. } | Outcome::Refused { .. } | Outcome::Never { .. }
        );
        let is_try = matches!(self.state, IntentState::Sending { .. });
        Self {
            declined: self.declined + u32::from(is_try && is_no),
            ..self.moved_by(outcome, now)
        }
    }

    fn moved_by(&self, outcome: &Outcome, now: Timestamp) -> Self {
        let (state, failure) = match outcome {
            Outcome::Done { reference } => (done(reference, None, now), None),
            Outcome::Theirs { reference, desired } => (done(reference, Some(*desired), now), None),
            Outcome::NotYet { wait_minutes, why } | Outcome::Refused { wait_minutes, why } => {
                (self.again(*wait_minutes, why, now), Some(why))
            }
            Outcome::Never { why } => {
                let state = IntentState::Refused {
                    why: why.clone(),
                    at: now,
                };
                (state, Some(why))
            }
            Outcome::InDoubt { why } if self.effect.may_repeat() => {
                (self.again(0, why, now), Some(why))
            }
            Outcome::InDoubt { why } => (self.in_doubt(now), Some(why)),
            Outcome::Absent => (self.absent(now), None),
            Outcome::CouldNotLook { why } => (self.look_later(now), Some(why)),
        };
        self.moved(state, self.attempts, failure.cloned())
    }

    fn again(&self, wait_minutes: i64, why: &str, now: Timestamp) -> IntentState {
        let most = if self.effect.may_repeat() {
            MOST_MESSAGE_TRIES
        } else {
            u32::MAX
        };
        if self.attempts >= most {
            let why = format!("given up after {} tries: {why}", self.attempts);
            return IntentState::Held { why, at: now };
        }
        let backoff = 1_i64 << self.attempts.min(6); // 2, 4 … 64 minutes
        IntentState::Planned {
            not_before: after(now, wait_minutes.max(backoff)),
        }
    }

    fn in_doubt(&self, now: Timestamp) -> IntentState {
        let since = match self.state {
            IntentState::Sending { at } => at,
            IntentState::Unknown { since, .. } => since,
            IntentState::Proposed { .. }
            | IntentState::Planned { .. }
            | IntentState::Done { .. }
            | IntentState::Held { .. }
            | IntentState::Refused { .. } => now,
        };
        IntentState::Unknown {
            since,
            absent: 0,
            look_at: after(now, 1),
        }
    }

    fn absent(&self, now: Timestamp) -> IntentState {
        let IntentState::Unknown { since, absent, .. } = self.state else {
            return self.state.clone();
        };
        // The first look that counts lies a settle window after the attempt: what is not visible yet is not absent.
        let counts = now.duration_since(since).as_secs() >= LOOK_APART_MINUTES * 60;
        let absent = if counts { absent + 1 } else { absent };
        if absent < 2 {
            let look_at = after(now, LOOK_APART_MINUTES);
            return IntentState::Unknown {
                since,
                absent,
                look_at,
            };
        }
        if self.attempts >= MOST_SENDS {
            let why = format!("tried {} times, and never found afterwards", self.attempts);
            return IntentState::Held { why, at: now };
        }
        IntentState::Planned { not_before: now }
    }

    fn look_later(&self, now: Timestamp) -> IntentState {
        match self.state {
            IntentState::Unknown { since, absent, .. } => IntentState::Unknown {
                since,
                absent,
                look_at: after(now, 5),
            },
            IntentState::Proposed { .. }
            | IntentState::Planned { .. }
            | IntentState::Sending { .. }
            | IntentState::Done { .. }
            | IntentState::Held { .. }
            | IntentState::Refused { .. } => self.state.clone(),
        }
    }

    fn moved(&self, state: IntentState, attempts: u32, failure: Option<String>) -> Self {
        Self {
            state,
            attempts,
            last_failure: failure.or_else(|| self.last_failure.clone()),
            revision: self.revision + 1,
            ..self.clone()
        }
    }
}

/// What an intent needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Begin it.
    Send,
    /// It was begun, and the process ended before the answer: see [`Intent::recovered`].
    Recover,
    /// Look whether it happened.
    Look,
    /// Nobody approved it in time.
    Expire,
}

fn done(reference: &str, theirs: Option<Amount>, now: Timestamp) -> IntentState {
    IntentState::Done {
        reference: reference.to_owned(),
        at: now,
        theirs,
    }
}
