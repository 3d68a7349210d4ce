//! What lies on AWS's desk: our quota requests and our cases, as we follow them.

use super::{
    ids::{ActionId, CaseId, DisplayId, IncidentId, Marker, QuotaCode, RequestId, Scope},
    time::{DAY, HOUR, Timestamp, after},
    units::{Amount, QuotaKind},
};

/// The status of a quota increase request, as Service Quotas names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestStatus {
    /// Under review.
    Pending,
    /// A support case carries it.
    CaseOpened,
    /// Granted.
    Approved,
    /// Not approvable by Service Quotas.
    Denied,
    /// Not approvable; contact Support.
    NotApproved,
    /// The case is closed; that says nothing of the decision.
    CaseClosed,
    /// Refused as invalid.
    InvalidRequest,
    /// A status we don't know: treated as open, and shown.
    Other(String),
}

impl RequestStatus {
    /// The API's own word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "PENDING",
            Self::CaseOpened => "CASE_OPENED",
            Self::Approved => "APPROVED",
            Self::Denied => "DENIED",
            Self::NotApproved => "NOT_APPROVED",
            Self::CaseClosed => "CASE_CLOSED",
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::Other(text) => text,
        }
    }

    /// From the API's word.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "PENDING" => Self::Pending,
            "CASE_OPENED" => Self::CaseOpened,
            "APPROVED" => Self::Approved,
            "DENIED" => Self::Denied,
            "NOT_APPROVED" => Self::NotApproved,
            "CASE_CLOSED" => Self::CaseClosed,
            "INVALID_REQUEST" => Self::InvalidRequest,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Still counts against the limit of open requests.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Pending | Self::CaseOpened | Self::Other(_))
    }
}

/// How a quota request ended, told by the applied value and not by the status.
#[derive(Clone, Debug, PartialEq)]
pub enum AskEnd {
    /// The applied value reached what was asked.
    Granted {
        /// The value now applied.
        value: Amount,
    },
    /// The applied value rose, and not to what was asked.
    PartlyGranted {
        /// The value now applied.
        value: Amount,
    },
    /// Denied, or closed and the value did not move within [`APPLY_WAIT_MINUTES`].
    Denied,
}

/// After a request is closed, how long the applied value may still change, in minutes (three days).
pub const APPLY_WAIT_MINUTES: i64 = 3 * 1_440;

/// AWS waits for an answer in a case, and people were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// When they were told.
    pub since: Timestamp,
    /// How many of [`REMIND_AFTER_MINUTES`] went by since.
    pub reminders: u8,
}

/// People are reminded after so many minutes in which AWS has waited for them: it closes a case that nobody answers.
pub const REMIND_AFTER_MINUTES: [i64; 3] = [4 * HOUR, 8 * HOUR, 24 * HOUR];

impl Waiting {
    /// From now on.
    #[must_use]
    pub const fn from(since: Timestamp) -> Self {
        let reminders = 0;
        Self { since, reminders }
    }

    /// With a reminder now, where one is due. After a pause it is one for all that were missed.
    #[must_use]
    pub fn reminded(&self, now: Timestamp) -> Option<Self> {
        let mut gone = 0;
        for minutes in REMIND_AFTER_MINUTES {
            gone += u8::from(after(self.since, minutes) <= now);
        }
        (self.reminders < gone).then_some(Self {
            reminders: gone,
            ..*self
        })
    }
}

/// A quota increase request that we made, or adopted, and follow until the value has changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The id that Service Quotas gave it.
    pub request: RequestId,
    /// The intent that made it.
    pub action: ActionId,
    /// The incident it serves.
    pub incident: IncidentId,
    /// Account and Region.
    pub scope: Scope,
    /// The quota.
    pub code: QuotaCode,
    /// Its kind.
    pub kind: QuotaKind,
    /// The applied value when we asked.
    pub before: Amount,
    /// What we asked for.
    pub desired: Amount,
    /// When it was filed.
    pub filed: Timestamp,
    /// As last polled.
    pub status: RequestStatus,
    /// When the status became terminal.
    pub closed: Option<Timestamp>,
    /// The number of its case, once Service Quotas tells.
    pub display: Option<DisplayId>,
    /// The internal id of its case, once Support tells.
    pub case: Option<CaseId>,
    /// When that was; not known of requests of older releases.
    pub case_seen: Option<Timestamp>,
    /// When Support last said that the account's plan has no API, so that nothing can be added to the case.
    pub no_plan: Option<Timestamp>,
    /// Whether AWS waits for us in the case, and people were told.
    pub told_waiting: bool,
    /// For how long AWS has waited, while it does.
    pub waiting: Option<Waiting>,
    /// When it was last polled.
    pub polled: Timestamp,
    /// How it ended.
    pub end: Option<(AskEnd, Timestamp)>,
}

/// A request whose outcome is known, and that AWS has not closed: it is looked at for so long. In minutes.
pub const LEFT_OPEN_MINUTES: i64 = 30 * DAY;

/// For so long nothing is tried at Support that takes a plan, after Support said that the account has none. In minutes.
pub const NO_PLAN_MINUTES: i64 = DAY;

impl Ask {
    /// Whether AWS takes no other request on this quota while this one stands there, whatever came of it.
    #[must_use]
    pub fn is_in_the_way(&self, now: Timestamp) -> bool {
        match &self.end {
            None => true,
            Some((_, at)) => self.status.is_open() && now < after(*at, LEFT_OPEN_MINUTES),
        }
    }
}

/// A support case of our own, followed until it is resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Investigation {
    /// The internal id.
    pub case: CaseId,
    /// The intent that made it.
    pub action: ActionId,
    /// The incident it serves.
    pub incident: IncidentId,
    /// Account and Region it is about.
    pub scope: Scope,
    /// The number that people see, once read.
    pub display: Option<DisplayId>,
    /// What finds it again.
    pub marker: Marker,
    /// When it was opened.
    pub opened: Timestamp,
    /// The API's word, such as `opened` or `resolved`.
    pub status: String,
    /// Whether AWS waits for us, and people were told.
    pub told_waiting: bool,
    /// For how long AWS has waited, while it does.
    pub waiting: Option<Waiting>,
    /// When it was last polled.
    pub polled: Timestamp,
    /// When we saw it resolved, or left it for an older one about the same.
    pub ended: Option<Timestamp>,
    /// Another case about the same, opened by another service of ours; people were told.
    pub twin: Option<CaseId>,
}

/// One poll of the desk: what it says of a request or a case.
#[derive(Clone, Debug, PartialEq)]
pub enum DeskReading {
    /// Of a request.
    Request {
        /// Which.
        request: RequestId,
        /// Its status.
        status: RequestStatus,
        /// The number of its case, if there is one yet.
        display: Option<DisplayId>,
    },
    /// Of the case behind a display id or case id.
    Case {
        /// Internal id.
        case: CaseId,
        /// Number.
        display: DisplayId,
        /// The API's word.
        status: String,
        /// Whether AWS has said something in it, if only by its automated first reply.
        is_answered: bool,
    },
    /// A case of ours is not the only one about its problem.
    Twin {
        /// Ours.
        case: CaseId,
        /// The oldest other one.
        twin: CaseId,
        /// The number of that.
        number: DisplayId,
        /// Whether that one is older than ours.
        is_older: bool,
    },
    /// The account has no plan for the Support API.
    NoPlan {
        /// Account and Region that was asked about.
        scope: Scope,
    },
}
