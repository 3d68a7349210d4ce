//! Service Quotas: applied and default values, and requests for more.

use aws_sdk_servicequotas::types::{RequestedServiceQuotaChange, ServiceQuota};

use super::{
    actions,
    call::{send, token},
    clients::Clients,
    fault::{garbled, need},
};
use crate::{
    cloud::{Fault, ListedQuota, Page, QuotaRequest},
    model::{
        desk::RequestStatus,
        ids::{DisplayId, PrincipalArn, QuotaCode, RequestId},
        time::Timestamp,
        units::Amount,
    },
};

/// The service code of Amazon Bedrock.
const BEDROCK: &str = "bedrock";
/// Entries a page; the API takes 1 to 100.
const PER_PAGE: i32 = 100;
/// Longest error text taken over from an entry, in characters.
const MOST_REASON: usize = 300;

impl Clients {
    pub(super) async fn list_quotas(
        &self,
        page: Option<String>,
    ) -> Result<Page<ListedQuota>, Fault> {
        const OPERATION: &str = actions::LIST_QUOTAS;
        let request = self
            .quotas
            .list_service_quotas()
            .service_code(BEDROCK)
            .max_results(PER_PAGE)
            .set_next_token(page);
        let answer = send!(self.meter, read, OPERATION, request)?;
        quota_page(OPERATION, answer.quotas, answer.next_token)
    }

    pub(super) async fn list_default_quotas(
        &self,
        page: Option<String>,
    ) -> Result<Page<ListedQuota>, Fault> {
        const OPERATION: &str = actions::LIST_DEFAULT_QUOTAS;
        let request = self
            .quotas
            .list_aws_default_service_quotas()
            .service_code(BEDROCK)
            .max_results(PER_PAGE)
            .set_next_token(page);
        let answer = send!(self.meter, read, OPERATION, request)?;
        quota_page(OPERATION, answer.quotas, answer.next_token)
    }

    pub(super) async fn get_quota(&self, code: &QuotaCode) -> Result<ListedQuota, Fault> {
        const OPERATION: &str = actions::GET_QUOTA;
        let request = self
            .quotas
            .get_service_quota()
            .service_code(BEDROCK)
            .quota_code(code.as_str());
        let answer = send!(self.meter, read, OPERATION, request)?;
        quota(OPERATION, need(OPERATION, "Quota", answer.quota)?)
    }

    pub(super) async fn request_quota(
        &self,
        code: &QuotaCode,
        desired: Amount,
    ) -> Result<QuotaRequest, Fault> {
        const OPERATION: &str = actions::REQUEST_QUOTA;
        let request = self
            .quotas_once
            .request_service_quota_increase()
            .service_code(BEDROCK)
            .quota_code(code.as_str())
            .desired_value(desired.get());
        let answer = send!(self.meter, once, OPERATION, request)?;
        let change = need(OPERATION, "RequestedQuota", answer.requested_quota)?;
        quota_request(OPERATION, change)
    }

    pub(super) async fn get_quota_request(&self, id: &RequestId) -> Result<QuotaRequest, Fault> {
        const OPERATION: &str = actions::GET_QUOTA_REQUEST;
        let request = self
            .quotas
            .get_requested_service_quota_change()
            .request_id(id.as_str());
        let answer = send!(self.meter, read, OPERATION, request)?;
        let change = need(OPERATION, "RequestedQuota", answer.requested_quota)?;
        quota_request(OPERATION, change)
    }

    pub(super) async fn quota_request_history(
        &self,
        code: &QuotaCode,
        page: Option<String>,
    ) -> Result<Page<QuotaRequest>, Fault> {
        const OPERATION: &str = actions::QUOTA_REQUEST_HISTORY;
        let request = self
            .quotas
            .list_requested_service_quota_change_history_by_quota()
            .service_code(BEDROCK)
            .quota_code(code.as_str())
            .max_results(PER_PAGE)
            .set_next_token(page);
        let answer = send!(self.meter, read, OPERATION, request)?;
        let items = answer
            .requested_quotas
            .unwrap_or_default() // no list is AWS's way to say: an empty one
            .into_iter()
            .map(|change| quota_request(OPERATION, change))
            .collect::<Result<_, _>>()?;
        Ok(Page {
            items,
            next: token(answer.next_token),
        })
    }
}

fn quota_page(
    operation: &'static str,
    quotas: Option<Vec<ServiceQuota>>,
    next: Option<String>,
) -> Result<Page<ListedQuota>, Fault> {
    let items = quotas
        .unwrap_or_default() // no list is AWS's way to say: an empty one
        .into_iter()
        .map(|entry| quota(operation, entry))
        .collect::<Result<_, _>>()?;
    Ok(Page {
        items,
        next: token(next),
    })
}

/// An entry whose value can't be trusted has none, and says why: an unknown quota is never 0.
fn quota(operation: &'static str, entry: ServiceQuota) -> Result<ListedQuota, Fault> {
    let code = QuotaCode::new(need(operation, "QuotaCode", entry.quota_code)?);
    let name = need(operation, "QuotaName", entry.quota_name)?;
    let told = entry.error_reason.map(|reason| {
        let text = format!(
            "{}: {}",
            reason
                .error_code
                .as_ref()
                .map_or("an error without a code", |code| code.as_str()),
            reason.error_message.as_deref().unwrap_or("no message"),
        );
        text.chars().take(MOST_REASON).collect::<String>()
    });
    let (value, error) = match (told, entry.value) {
        (Some(told), _) => (None, Some(told)),
        (None, None) => (
            None,
            Some("the entry has neither a value nor an error".to_owned()),
        ),
        (None, Some(value)) => match Amount::new(value) {
            Some(amount) => (Some(amount), None),
            None => (None, Some(format!("the value {value} is not a quota"))),
        },
    };
    Ok(ListedQuota {
        code,
        name,
        value,
        adjustable: entry.adjustable,
        error,
    })
}

fn quota_request(
    operation: &'static str,
    change: RequestedServiceQuotaChange,
) -> Result<QuotaRequest, Fault> {
    let desired = need(operation, "DesiredValue", change.desired_value)?;
    let desired = Amount::new(desired).ok_or_else(|| {
        garbled(
            operation,
            format!("the desired value {desired} is not a quota"),
        )
    })?;
    Ok(QuotaRequest {
        id: RequestId::new(need(operation, "Id", change.id)?),
        code: QuotaCode::new(need(operation, "QuotaCode", change.quota_code)?),
        desired,
        status: change.status.map_or_else(
            || RequestStatus::Other("no status".to_owned()), // counts as open, and is shown
            |status| RequestStatus::parse(status.as_str()),
        ),
        display: change
            .case_id
            .filter(|id| !id.is_empty())
            .map(DisplayId::new),
        created: change
            .created
            .and_then(|at| Timestamp::from_second(at.secs()).ok()),
        requester: change.requester.as_deref().and_then(requester),
    })
}

/// From JSON in a text, `{"accountId":…,"callerArn":…}`; what is none says nothing.
fn requester(text: &str) -> Option<PrincipalArn> {
    let said: serde_json::Value = serde_json::from_str(text).ok()?;
    let arn = said.get("callerArn")?.as_str()?;
    arn.starts_with("arn:").then(|| PrincipalArn::new(arn))
}

#[cfg(test)]
mod tests {
    use aws_sdk_servicequotas::types::{ErrorCode, ErrorReason, RequestStatus as SdkStatus};

    use super::*;
    use crate::cloud::FaultClass;

    fn entry() -> aws_sdk_servicequotas::types::builders::ServiceQuotaBuilder {
        ServiceQuota::builder()
            .quota_code("L-1")
            .quota_name("Tokens per minute")
    }

    fn read(builder: aws_sdk_servicequotas::types::builders::ServiceQuotaBuilder) -> ListedQuota {
        quota("servicequotas:GetServiceQuota", builder.build()).unwrap()
    }

    #[test]
    fn a_value_that_is_none_is_never_zero() {
        for bad in [f64::NAN, -1.0, f64::INFINITY] {
            let listed = read(entry().value(bad));
            assert_eq!(listed.value, None, "{bad}");
            assert!(listed.error.unwrap().contains("is not a quota"), "{bad}");
        }
        let silent = read(entry());
        assert!(silent.value.is_none() && silent.error.is_some());
        let refused = ErrorReason::builder()
            .error_code(ErrorCode::DependencyThrottlingError)
            .error_message("try later")
            .build();
        let listed = read(entry().value(0.0).error_reason(refused));
        assert_eq!(listed.value, None);
        assert_eq!(
            listed.error.as_deref(),
            Some("DEPENDENCY_THROTTLING_ERROR: try later")
        );
        // Both are real: a quota of zero, and one far above the documented maximum.
        for good in [0.0, 3e12] {
            let listed = read(entry().value(good));
            assert_eq!((listed.value, listed.error), (Amount::new(good), None));
        }
    }

    #[test]
    fn a_request_without_an_id_is_garbled_and_one_without_a_status_is_open() {
        let change = RequestedServiceQuotaChange::builder()
            .quota_code("L-1")
            .desired_value(5.0);
        let fault = quota_request(
            "servicequotas:RequestServiceQuotaIncrease",
            change.clone().build(),
        );
        let fault = fault.unwrap_err();
        assert_eq!(fault.class, FaultClass::Garbled);
        assert!(fault.may_have_happened());
        let change = change.id("r-1").case_id("");
        let request = quota_request("x", change.clone().build()).unwrap();
        assert!(request.status.is_open());
        assert_eq!(request.display, None);
        let new = change
            .status(SdkStatus::from("SOMETHING_NEW"))
            .case_id("17")
            .build();
        let request = quota_request("x", new).unwrap();
        assert_eq!(
            request.status,
            RequestStatus::Other("SOMETHING_NEW".to_owned())
        );
        assert_eq!(request.display, Some(DisplayId::new("17")));
    }

    #[test]
    fn who_made_a_request_is_read_and_never_guessed() {
        let arn = "arn:aws:sts::111122223333:assumed-role/admin/kim";
        let whole = format!(r#"{{"accountId":"111122223333","callerArn":"{arn}"}}"#);
        for (text, expected) in [
            (Some(whole.as_str()), Some(PrincipalArn::new(arn))),
            (Some(r#"{"accountId":"111122223333"}"#), None),
            (Some(r#"{"callerArn":"kim"}"#), None),
            (Some(r#"{"callerArn":17}"#), None),
            (Some("kim"), None),
            (Some(""), None),
            (None, None),
        ] {
            let change = RequestedServiceQuotaChange::builder()
                .id("r-1")
                .quota_code("L-1")
                .desired_value(5.0)
                .set_requester(text.map(str::to_owned));
            let request = quota_request("x", change.build()).unwrap();
            assert_eq!(request.requester, expected, "{text:?}");
        }
    }
}
