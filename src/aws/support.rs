//! AWS Support: cases and their communications.

use aws_sdk_support::{
    primitives::Blob,
    types::{Attachment, CaseDetails, Communication as SdkCommunication},
};

use super::{
    actions,
    call::{send, token},
    clients::{Clients, SupportClients},
    fault::{fault, garbled, need},
};
use crate::{
    cloud::{Case, CaseFilter, Communication, Fault, FaultClass, NewCase, Page},
    model::{
        ids::{CaseId, DisplayId},
        time::Timestamp,
    },
};

/// Entries a page; the API takes 10 to 100.
const PER_PAGE: i32 = 100;
/// What the texts are written in.
const LANGUAGE: &str = "en";

impl Clients {
    fn support(&self, operation: &'static str) -> Result<&SupportClients, Fault> {
        self.support.as_ref().ok_or_else(|| {
            let told = "AWS offers no Support API in this partition; use the console";
            fault(operation, "NoSupportApi", told, FaultClass::NoPlan)
        })
    }

    pub(super) async fn attach(&self, files: &[(String, &str)]) -> Result<String, Fault> {
        const OPERATION: &str = actions::ATTACH;
        let files = files.iter().map(|(name, text)| {
            let file = Attachment::builder().file_name(name);
            file.data(Blob::new(text.as_bytes())).build()
        });
        let request = self
            .support(OPERATION)?
            .once
            .add_attachments_to_set()
            .set_attachments(Some(files.collect()));
        let answer = send!(self.meter, once, OPERATION, request)?;
        let id = answer.attachment_set_id.filter(|id| !id.is_empty());
        need(OPERATION, "attachmentSetId", id)
    }

    pub(super) async fn create_case(&self, case: &NewCase) -> Result<CaseId, Fault> {
        const OPERATION: &str = actions::CREATE_CASE;
        let request = self
            .support(OPERATION)?
            .once
            .create_case()
            .subject(&case.subject)
            .communication_body(&case.body)
            .service_code(&case.service_code)
            .category_code(&case.category_code)
            .severity_code(&case.severity_code)
            .issue_type(&case.issue_type)
            .set_cc_email_addresses((!case.cc.is_empty()).then(|| case.cc.clone()))
            .set_attachment_set_id(case.attachments.clone())
            .language(LANGUAGE);
        let answer = send!(self.meter, once, OPERATION, request)?;
        need(
            OPERATION,
            "caseId",
            answer.case_id.filter(|id| !id.is_empty()),
        )
        .map(CaseId::new)
    }

    pub(super) async fn list_cases(
        &self,
        filter: &CaseFilter,
        page: Option<String>,
    ) -> Result<Page<Case>, Fault> {
        const OPERATION: &str = actions::LIST_CASES;
        let request = self
            .support(OPERATION)?
            .reads
            .describe_cases()
            .include_resolved_cases(true)
            .include_communications(true)
            .language(LANGUAGE)
            .max_results(PER_PAGE)
            .set_next_token(page);
        let request = match filter {
            CaseFilter::Display(display) => request.display_id(display.as_str()),
            CaseFilter::Case(case) => request.case_id_list(case.as_str()),
            CaseFilter::After(at) => request.after_time(iso(*at)),
        };
        let answer = send!(self.meter, read, OPERATION, request)?;
        let items = answer
            .cases
            .unwrap_or_default() // no list is AWS's way to say: an empty one
            .into_iter()
            .map(|case| read_case(OPERATION, case))
            .collect::<Result<_, _>>()?;
        Ok(Page {
            items,
            next: token(answer.next_token),
        })
    }

    pub(super) async fn list_communications(
        &self,
        case: &CaseId,
        page: Option<String>,
    ) -> Result<Page<Communication>, Fault> {
        const OPERATION: &str = actions::LIST_COMMUNICATIONS;
        let request = self
            .support(OPERATION)?
            .reads
            .describe_communications()
            .case_id(case.as_str())
            .max_results(PER_PAGE)
            .set_next_token(page);
        let answer = send!(self.meter, read, OPERATION, request)?;
        let items = answer
            .communications
            .unwrap_or_default() // no list is AWS's way to say: an empty one
            .into_iter()
            .map(communication)
            .collect();
        Ok(Page {
            items,
            next: token(answer.next_token),
        })
    }

    pub(super) async fn add_communication(
        &self,
        case: &CaseId,
        body: &str,
        attachments: Option<&str>,
    ) -> Result<(), Fault> {
        const OPERATION: &str = actions::ADD_COMMUNICATION;
        let request = self
            .support(OPERATION)?
            .once
            .add_communication_to_case()
            .case_id(case.as_str())
            .communication_body(body)
            .set_attachment_set_id(attachments.map(str::to_owned));
        let answer = send!(self.meter, once, OPERATION, request)?;
        if answer.result {
            Ok(())
        } else {
            // Neither a refusal nor a success: whoever follows up looks whether it is there.
            Err(garbled(
                OPERATION,
                "the answer does not say that it was added",
            ))
        }
    }

    pub(super) async fn resolve_case(&self, case: &CaseId) -> Result<(), Fault> {
        const OPERATION: &str = actions::RESOLVE_CASE;
        let request = self
            .support(OPERATION)?
            .once
            .resolve_case()
            .case_id(case.as_str());
        send!(self.meter, once, OPERATION, request).map(drop)
    }
}

fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// The API's times are texts; one that can't be read is unknown.
fn instant(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(|text| text.trim().parse().ok())
}

fn read_case(operation: &'static str, case: CaseDetails) -> Result<Case, Fault> {
    Ok(Case {
        id: CaseId::new(need(operation, "caseId", case.case_id)?),
        display: DisplayId::new(need(operation, "displayId", case.display_id)?),
        subject: case.subject.unwrap_or_default(), // as good as an empty one: it holds no marker
        status: need(operation, "status", case.status)?,
        created: instant(case.time_created.as_deref()),
        recent: case
            .recent_communications
            .and_then(|recent| recent.communications)
            .into_iter()
            .flatten()
            .map(communication)
            .collect(),
    })
}

fn communication(said: SdkCommunication) -> Communication {
    Communication {
        created: instant(said.time_created.as_deref()),
        // As good as empty ones: an attachment alone has no text, and nobody named is not AWS.
        submitted_by: said.submitted_by.unwrap_or_default(),
        body: said.body.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_texts_and_may_be_unreadable() {
        let at: Timestamp = "2026-11-23T10:20:30Z".parse().unwrap();
        for good in [
            "2026-11-23T10:20:30.000Z",
            "2026-11-23T10:20:30Z",
            "2026-11-23T11:20:30+01:00",
        ] {
            assert_eq!(instant(Some(good)), Some(at), "{good}");
        }
        for bad in ["", "yesterday", "2026-13-01T00:00:00Z"] {
            assert_eq!(instant(Some(bad)), None, "{bad}");
        }
        assert_eq!(instant(None), None);
        assert_eq!(iso(at), "2026-11-23T10:20:30.000Z");
        // Rounded down, so that a case opened in the same second is listed.
        assert_eq!(
            iso("2026-11-23T10:20:30.999Z".parse().unwrap()),
            "2026-11-23T10:20:30.000Z"
        );
    }

    #[test]
    fn a_case_without_its_number_is_garbled() {
        let case = CaseDetails::builder().case_id("case-1").status("opened");
        assert!(read_case("support:DescribeCases", case.clone().build()).is_err());
        let case = read_case("support:DescribeCases", case.display_id("17").build()).unwrap();
        assert_eq!(case.created, None);
        assert!(case.recent.is_empty());
    }
}
