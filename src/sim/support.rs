//! AWS Support: cases and communications.

use super::{
    ApiError,
    desk::{Case, File, RESOLVED, Said},
    kernel::Kernel,
};
use crate::model::{
    ids::{AccountId, CaseId, DisplayId, PrincipalArn},
    time::{Timestamp, after},
};

/// Characters of a communication at most.
const BODY: usize = 8_000;
/// Files in a set at most, bytes of one, and minutes for which a set is kept.
const FILES: usize = 3;
const FILE_BYTES: usize = 5 << 20;
const SET_MINUTES: i64 = 60;
/// Addresses in copy at most.
const COPIES: usize = 10;

/// A case to open, as the caller wrote it.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewCase {
    pub(crate) subject: String,
    pub(crate) body: String,
    pub(crate) service_code: String,
    pub(crate) category_code: String,
    pub(crate) severity_code: String,
    pub(crate) language: String,
    pub(crate) cc: Vec<String>,
    pub(crate) attachments: Option<String>,
}

/// Files that were laid aside for somebody's words.
#[derive(Clone, Debug)]
pub(crate) struct AttachmentSet {
    pub(crate) id: String,
    account: AccountId,
    pub(crate) expires: Timestamp,
    files: Vec<File>,
}

/// Which cases to tell.
#[derive(Clone, Debug, Default)]
pub(crate) struct CaseQuery {
    pub(crate) ids: Vec<CaseId>,
    pub(crate) display: Option<DisplayId>,
    pub(crate) after: Option<Timestamp>,
    pub(crate) before: Option<Timestamp>,
    pub(crate) with_resolved: bool,
}

/// The severity levels of a plan: code and name.
pub(crate) const SEVERITIES: [(&str, &str); 5] = [
    ("low", "General guidance"),
    ("normal", "System impaired"),
    ("high", "Production system impaired"),
    ("urgent", "Production system down"),
    ("critical", "Business-critical system down"),
];

/// Code, name, and the categories as code and name.
type ServiceEntry = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// Services that cases can be about: code, name, categories. The codes are the ones observed for Bedrock; names invented.
pub(crate) const SERVICES: [ServiceEntry; 3] = [
    (
        "service-bedrock",
        "Bedrock",
        &[
            ("general-guidance", "General Guidance"),
            ("apis", "APIs"),
            ("other", "Other"),
        ],
    ),
    (
        "service-limit-increase",
        "Service Limit Increase",
        &[("service-code-bedrock", "Bedrock")],
    ),
    (
        "amazon-cloudwatch",
        "CloudWatch",
        &[("general-guidance", "General Guidance")],
    ),
];

impl Kernel {
    /// Refuses accounts without a plan that has the API.
    pub(crate) fn has_plan(&self, account: &AccountId) -> Result<(), ApiError> {
        if self
            .world
            .account(account)
            .is_some_and(|account| account.has_support_plan)
        {
            return Ok(());
        }
        let text =
            "Amazon Web Services Premium Support Subscription is required to use this service.";
        Err(ApiError::client("SubscriptionRequiredException", text))
    }

    /// Opens a case.
    pub(crate) fn create_case(
        &mut self,
        account: &AccountId,
        by: &PrincipalArn,
        new: NewCase,
    ) -> Result<CaseId, ApiError> {
        self.has_plan(account)?;
        let refuse = |text: &str| Err(ApiError::client("ValidationException", text));
        if new.subject.trim().is_empty() {
            return refuse(
                "Value at 'subject' failed to satisfy constraint: Member must not be empty",
            );
        }
        check_body(&new.body)?;
        if new.cc.len() > COPIES {
            return refuse(
                "Value at 'ccEmailAddresses' failed to satisfy constraint: Member must have length less than or equal to 10",
            );
        }
        let service = SERVICES.iter().find(|(code, ..)| *code == new.service_code);
        let is_known = service.is_some_and(|(_, _, categories)| {
            categories
                .iter()
                .any(|(code, _)| *code == new.category_code)
        });
        if !is_known
            || !SEVERITIES
                .iter()
                .any(|(code, _)| *code == new.severity_code)
        {
            return refuse("The service code, category code or severity code is not valid.");
        }
        let open = self
            .cases
            .iter()
            .filter(|case| case.account == *account && case.status != RESOLVED);
        if open.count() >= self.world.support.open_cases {
            let text = "The case creation limit for the account has been exceeded.";
            return Err(ApiError::client("CaseCreationLimitExceeded", text));
        }
        let files = self.files_of(account, new.attachments.as_deref())?;
        let (id, display) = self.case_ids(account);
        let by = by.to_string();
        self.open_case(Case {
            account: account.clone(),
            id: id.clone(),
            display,
            subject: new.subject,
            status: "opened",
            service_code: new.service_code,
            category_code: new.category_code,
            severity_code: new.severity_code,
            language: new.language,
            cc: new.cc,
            submitted_by: by.clone(),
            created: self.now,
            communications: vec![Said {
                by,
                body: new.body,
                at: self.now,
                files,
            }],
            request: None,
        });
        Ok(id)
    }

    /// Lays files aside, in a new set or one that is there.
    pub(crate) fn add_attachments(
        &mut self,
        account: &AccountId,
        set: Option<&str>,
        files: Vec<File>,
    ) -> Result<AttachmentSet, ApiError> {
        self.has_plan(account)?;
        if set.is_some() {
            self.files_of(account, set)?;
        }
        let number = self.attachments.len();
        let new = AttachmentSet {
            id: set.map_or_else(|| format!("as-{account}-{number}"), str::to_owned),
            account: account.clone(),
            expires: after(self.now, SET_MINUTES),
            files: Vec::new(),
        };
        let known = self.attachments.iter().find(|it| it.id == new.id);
        let mut grown = known.cloned().unwrap_or(new);
        grown.files.extend(files);
        let is_large = |file: &File| file.data.len() > FILE_BYTES;
        if grown.files.len() > FILES || grown.files.iter().any(is_large) {
            let text = "A limit for the size of an attachment set has been exceeded. The limits are three attachments and 5 MB per attachment.";
            return Err(ApiError::client("AttachmentSetSizeLimitExceeded", text));
        }
        self.attachments.retain(|it| it.id != grown.id);
        self.attachments.push(grown.clone());
        Ok(grown)
    }

    /// The files of a set; none without one.
    fn files_of(&self, account: &AccountId, set: Option<&str>) -> Result<Vec<File>, ApiError> {
        let Some(id) = set else {
            return Ok(Vec::new());
        };
        let mut known = self.attachments.iter();
        let Some(set) = known.find(|it| it.id == id && it.account == *account) else {
            let text = format!("An attachment set with the ID {id} could not be found.");
            return Err(ApiError::client("AttachmentSetIdNotFound", &text));
        };
        if set.expires <= self.now {
            let text = "The expiration time of the attachment set has passed. The set expires one hour after it is created.";
            return Err(ApiError::client("AttachmentSetExpired", text));
        }
        Ok(set.files.clone())
    }

    /// Cases of the account, newest first.
    pub(crate) fn find_cases(
        &self,
        account: &AccountId,
        query: &CaseQuery,
    ) -> Result<Vec<Case>, ApiError> {
        self.has_plan(account)?;
        for id in &query.ids {
            self.case_index(account, id)?;
        }
        let found = self.cases.iter().rev().filter(|case| {
            case.account == *account
                && (query.ids.is_empty() || query.ids.contains(&case.id))
                && query
                    .display
                    .as_ref()
                    .is_none_or(|display| case.display == *display)
                && query.after.is_none_or(|after| case.created >= after)
                && query.before.is_none_or(|before| case.created <= before)
                && (query.with_resolved || case.status != RESOLVED)
        });
        Ok(found.cloned().collect())
    }

    /// All communications of a case, newest first.
    pub(crate) fn find_communications(
        &self,
        account: &AccountId,
        id: &CaseId,
    ) -> Result<Vec<Said>, ApiError> {
        self.has_plan(account)?;
        let index = self.case_index(account, id)?;
        let said = self
            .cases
            .get(index)
            .map(|case| case.communications.iter().rev().cloned().collect());
        Ok(said.unwrap_or_default())
    }

    /// Adds a customer's words to a case.
    pub(crate) fn add_said(
        &mut self,
        (account, by): (&AccountId, &PrincipalArn),
        id: &CaseId,
        body: &str,
        attachments: Option<&str>,
    ) -> Result<(), ApiError> {
        self.has_plan(account)?;
        check_body(body)?;
        let index = self.case_index(account, id)?;
        let files = self.files_of(account, attachments)?;
        let said = Said {
            by: by.to_string(),
            body: body.to_owned(),
            at: self.now,
            files,
        };
        if let Some(case) = self.cases.get_mut(index) {
            case.communications.push(said);
        }
        self.customer_said(index);
        Ok(())
    }

    /// Resolves a case; tells its status before and after.
    pub(crate) fn resolve_case(
        &mut self,
        account: &AccountId,
        id: &CaseId,
    ) -> Result<(&'static str, &'static str), ApiError> {
        self.has_plan(account)?;
        let index = self.case_index(account, id)?;
        let Some(case) = self.cases.get_mut(index) else {
            return Err(no_case(id));
        };
        let before = std::mem::replace(&mut case.status, RESOLVED);
        let request = case.request;
        if let Some(request) = request {
            self.close_with_case(request);
        }
        Ok((before, RESOLVED))
    }

    fn case_index(&self, account: &AccountId, id: &CaseId) -> Result<usize, ApiError> {
        let found = self
            .cases
            .iter()
            .position(|case| case.id == *id && case.account == *account);
        found.ok_or_else(|| no_case(id))
    }
}

fn no_case(id: &CaseId) -> ApiError {
    ApiError::client(
        "CaseIdNotFound",
        &format!("The requested caseId {id} could not be located."),
    )
}

fn check_body(body: &str) -> Result<(), ApiError> {
    if (1..=BODY).contains(&body.chars().count()) {
        return Ok(());
    }
    let text = "Value at 'communicationBody' failed to satisfy constraint: Member must have length between 1 and 8000";
    Err(ApiError::client("ValidationException", text))
}
