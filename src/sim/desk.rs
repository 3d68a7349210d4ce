//! The desk: what becomes of increase requests and of cases, by the world's script or by seed.

mod answers;

use super::{
    hash,
    kernel::Kernel,
    world::{Answer, Outcome},
};
use crate::model::{
    desk::RequestStatus,
    ids::{AccountId, CaseId, DisplayId, QuotaCode, Scope},
    time::{SignedDuration, Timestamp},
};

/// Who signs AWS's communications.
pub(crate) const AWS: &str = "Amazon Web Services";
/// The subject of every case that Service Quotas opens for Bedrock.
const QUOTA_SUBJECT: &str = "Quota Increase: Bedrock";

/// A support case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) account: AccountId,
    pub(crate) id: CaseId,
    pub(crate) display: DisplayId,
    pub(crate) subject: String,
    pub(crate) status: &'static str,
    pub(crate) service_code: String,
    pub(crate) category_code: String,
    pub(crate) severity_code: String,
    pub(crate) language: String,
    pub(crate) cc: Vec<String>,
    pub(crate) submitted_by: String,
    pub(crate) created: Timestamp,
    /// Oldest first.
    pub(crate) communications: Vec<Said>,
    /// The index of the request it carries.
    pub(crate) request: Option<usize>,
}

/// One communication.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) by: String,
    pub(crate) body: String,
    pub(crate) at: Timestamp,
    pub(crate) files: Vec<File>,
}

/// A file that came with somebody's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) data: Vec<u8>,
}

/// Status of a case whose life is over.
pub(crate) const RESOLVED: &str = "resolved";
/// Status of a case in which AWS waits for the customer.
pub(crate) const WAITS: &str = "pending-customer-action";

/// What happens by itself.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// Service Quotas opens the case of a request.
    CaseOpens { request: usize },
    /// The automated first reply.
    AutoReply { case: usize },
    /// The desk gives its answer of this number to a request.
    Decide { request: usize, answer: usize },
    /// The customer never replied to a question that was asked at this instant.
    GiveUp { request: usize, asked: Timestamp },
    /// A granted value takes effect.
    Apply {
        scope: Scope,
        code: QuotaCode,
        value: f64,
    },
    /// A person at Support answers a case.
    Reply { case: usize },
    /// Support resolves a case.
    Resolve { case: usize },
}

impl Kernel {
    /// Sets in motion what follows from a new request.
    pub(crate) fn begin_request(&mut self, request: usize) {
        let chance = self.desk_chance(request, 1);
        let opens = SignedDuration::from_secs(match chance % 4 {
            0 => hash::seconds(chance, 30, 240), // "sometimes later"
            _ => hash::seconds(chance, 2, 15),
        });
        self.schedule(opens, Event::CaseOpens { request });
        if let Some(nth) = self.quotas.requests.get(request).map(|filed| filed.nth) {
            let after = self
                .answer(request, nth)
                .after
                .max(opens + SignedDuration::from_mins(5));
            self.schedule(
                after,
                Event::Decide {
                    request,
                    answer: nth,
                },
            );
        }
    }

    /// Lets an event happen at the present instant.
    pub(crate) fn happen(&mut self, event: Event) {
        match event {
            Event::CaseOpens { request } => self.open_request_case(request),
            Event::AutoReply { case } => self.auto_reply(case),
            Event::Decide { request, answer } => self.decide(request, answer),
            Event::GiveUp { request, asked } => self.give_up(request, asked),
            Event::Apply { scope, code, value } => {
                self.quotas.apply(&scope, &code, self.now, value)
            }
            Event::Reply { case } => {
                self.say(case, "Hello, we looked into this and passed it on to the service team. We will keep you informed here.");
                self.set_status(case, "work-in-progress");
            }
            Event::Resolve { case } => {
                if self
                    .cases
                    .get(case)
                    .is_some_and(|case| case.status != RESOLVED)
                {
                    self.say(case, "Hello, the service team has confirmed that this is settled. We are resolving this case; reply here if it comes back.");
                    self.set_status(case, RESOLVED);
                }
            }
        }
    }

    /// A customer's words in a case set things in motion, too.
    pub(crate) fn customer_said(&mut self, case: usize) {
        let Some(found) = self.cases.get_mut(case) else {
            return;
        };
        let request = found.request;
        match found.status {
            WAITS => found.status = "customer-action-completed",
            RESOLVED => found.status = "reopened",
            _ => return,
        }
        let waiting = request.filter(|request| self.is_open(*request));
        if let Some(request) = waiting {
            let next = self
                .quotas
                .requests
                .get(request)
                .map_or(1, |filed| filed.nth + 1);
            let after = self.answer(request, next).after;
            self.schedule(
                after,
                Event::Decide {
                    request,
                    answer: next,
                },
            );
        }
    }

    /// Opens a case and sets its first reply in motion. Returns its index.
    pub(crate) fn open_case(&mut self, case: Case) -> usize {
        self.cases.push(case);
        let index = self.cases.len() - 1;
        let chance = self.case_chance(index, 1);
        let first = SignedDuration::from_secs(hash::seconds(chance, 35, 90));
        self.schedule(first, Event::AutoReply { case: index });
        index
    }

    /// A new case id and number for the next case.
    pub(crate) fn case_ids(&self, account: &AccountId) -> (CaseId, DisplayId) {
        let index = self.cases.len();
        let tail = self.case_chance(index, 2);
        let year = self.now.strftime("%Y");
        let id = CaseId::new(format!("case-{account}-muen-{year}-{tail:016x}"));
        let number =
            176_000_000_000_000_u64 + u64::try_from(index).unwrap_or(0) * 7_919 + tail % 7_919;
        (id, DisplayId::new(number.to_string()))
    }

    /// Adds AWS's words to a case.
    fn say(&mut self, case: usize, body: &str) {
        let at = self.now;
        if let Some(case) = self.cases.get_mut(case) {
            case.communications.push(Said {
                by: AWS.to_owned(),
                body: body.to_owned(),
                at,
                files: Vec::new(),
            });
        }
    }

    fn set_status(&mut self, case: usize, status: &'static str) {
        if let Some(case) = self.cases.get_mut(case) {
            case.status = status;
        }
    }

    fn is_open(&self, request: usize) -> bool {
        self.quotas
            .requests
            .get(request)
            .is_some_and(|request| request.status.is_open())
    }

    fn case_of(&self, request: usize) -> Option<usize> {
        self.cases
            .iter()
            .position(|case| case.request == Some(request))
    }

    fn open_request_case(&mut self, request: usize) {
        let Some(filed) = self.quotas.requests.get(request).cloned() else {
            return;
        };
        let (id, display) = self.case_ids(&filed.scope.account);
        let body = format!(
            "Service: Amazon Bedrock\nRegion: {}\nQuota: {}\nNew limit value: {:?}",
            filed.scope.region, filed.code, filed.desired
        );
        let by = format!(
            "arn:aws:sts::{}:assumed-role/AWSServiceRoleForServiceQuotas/ServiceQuotas",
            filed.scope.account
        );
        self.open_case(Case {
            account: filed.scope.account,
            id,
            display: display.clone(),
            subject: QUOTA_SUBJECT.to_owned(),
            status: "unassigned",
            service_code: "service-limit-increase".to_owned(),
            category_code: "service-code-bedrock".to_owned(),
            severity_code: "high".to_owned(),
            language: "en".to_owned(),
            cc: Vec::new(),
            submitted_by: by.clone(),
            created: self.now,
            communications: vec![Said {
                by,
                body,
                at: self.now,
                files: Vec::new(),
            }],
            request: Some(request),
        });
        let now = self.now;
        if let Some(filed) = self.quotas.requests.get_mut(request) {
            filed.display = Some(display);
            filed.updated = now;
            if filed.status == RequestStatus::Pending {
                filed.status = RequestStatus::CaseOpened;
            }
        }
    }

    fn auto_reply(&mut self, case: usize) {
        self.say(case, "Thank you for contacting Amazon Web Services. This is an automated reply: your case was received and is being reviewed.");
        let is_own = self
            .cases
            .get(case)
            .is_some_and(|case| case.request.is_none());
        if is_own {
            let support = self.world.support;
            self.schedule(support.reply_after, Event::Reply { case });
            self.schedule(support.resolve_after, Event::Resolve { case });
        } else if self
            .cases
            .get(case)
            .is_some_and(|case| case.status == "unassigned")
        {
            self.set_status(case, "work-in-progress");
        }
    }

    fn decide(&mut self, request: usize, answer: usize) {
        let Some(filed) = self.quotas.requests.get(request).cloned() else {
            return;
        };
        if !filed.status.is_open() {
            return;
        }
        let decision = self.answer(request, answer);
        let raised = match decision.outcome {
            Outcome::Grant | Outcome::GrantOpen => Some(filed.desired),
            Outcome::Partial(share) => {
                Some((filed.before + (filed.desired - filed.before) * share).round())
            }
            Outcome::AskBack => {
                self.ask_back(request, decision);
                return;
            }
            Outcome::Deny | Outcome::Close => None,
        };
        let Some(value) = raised else {
            let words =
                "Hello, the service team reviewed your request and can't approve it at this time.";
            let said = matches!(decision.outcome, Outcome::Deny).then_some(words);
            self.close_request(request, said);
            return;
        };
        let words = format!(
            "Hello, the service team approved a limit of {value:?} for {} in {}. It may take a while to be in effect.",
            filed.code, filed.scope.region
        );
        if decision.outcome == Outcome::GrantOpen {
            if let Some(case) = self.case_of(request) {
                self.say(case, &words);
            }
        } else {
            self.close_request(request, Some(&words));
        }
        let apply = Event::Apply {
            scope: filed.scope,
            code: filed.code,
            value,
        };
        self.schedule(decision.apply_after, apply);
    }

    fn ask_back(&mut self, request: usize, decision: Answer) {
        let asked = self.now;
        if let Some(case) = self.case_of(request) {
            self.say(case, "Hello, to review your request we need: the use case, the business impact, steady state and peak requests and tokens per minute, average input and output tokens per request, and the growth you expect.");
            self.set_status(case, WAITS);
        }
        let patience = decision.after.max(SignedDuration::from_hours(24));
        self.schedule(patience, Event::GiveUp { request, asked });
    }

    fn give_up(&mut self, request: usize, asked: Timestamp) {
        let replied = self
            .case_of(request)
            .and_then(|case| self.cases.get(case))
            .is_some_and(|case| {
                case.communications
                    .iter()
                    .any(|said| said.by != AWS && said.at > asked)
            });
        if !replied && self.is_open(request) {
            self.close_request(
                request,
                Some("Hello, we have not heard back from you and are resolving this case."),
            );
        }
    }

    /// A request ends with its case.
    pub(crate) fn close_with_case(&mut self, request: usize) {
        let now = self.now;
        let filed = self.quotas.requests.get_mut(request);
        if let Some(filed) = filed.filter(|it| it.status.is_open()) {
            filed.status = RequestStatus::CaseClosed;
            filed.updated = now;
        }
    }

    fn close_request(&mut self, request: usize, words: Option<&str>) {
        if let Some(case) = self.case_of(request) {
            if let Some(words) = words {
                self.say(case, words);
            }
            self.set_status(case, RESOLVED);
        }
        let now = self.now;
        if let Some(filed) = self.quotas.requests.get_mut(request) {
            filed.status = RequestStatus::CaseClosed;
            filed.updated = now;
        }
    }
}
