//! Odd pages, as a listing under load may send them. A caller that follows the tokens loses nothing by them.

use serde_json::Value;

use crate::sim::Call;

/// What is odd about a page. No item is lost by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageFault {
    /// Shorter than it need be, with a token for the rest.
    Partial,
    /// Its token leads back to itself: it comes twice.
    Repeated,
}

impl PageFault {
    /// The name in `GET /_sim/state`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Partial => "partial_page",
            Self::Repeated => "repeated_page",
        }
    }

    /// Asks for a short page; returns whether this operation has pages.
    pub(super) fn shorten(call: &mut Call) -> bool {
        let (member, size) = match call.operation.as_str() {
            "GetMetricData" => ("MaxDatapoints", 200),
            "ListServiceQuotas"
            | "ListAWSDefaultServiceQuotas"
            | "ListRequestedServiceQuotaChangeHistory"
            | "ListRequestedServiceQuotaChangeHistoryByQuota" => ("MaxResults", 30),
            "DescribeCases" | "DescribeCommunications" => ("maxResults", 10),
            "ListInferenceProfiles" => ("maxResults", 2),
            "SimulatePrincipalPolicy" => ("MaxItems", 1),
            _ => return false,
        };
        call.input
            .as_object_mut()
            .map(|input| input.insert(member.to_owned(), Value::from(size)))
            .is_some()
    }

    /// Leads a page that was asked for by `token` back to itself; returns whether it did. A last page stays the last.
    pub(super) fn repeat(token: Option<&Value>, answer: &mut Value) -> bool {
        let Some(token) = token else { return false };
        for member in TOKENS {
            if let Some(next) = answer.get_mut(member) {
                *next = token.clone();
                return true;
            }
        }
        false
    }

    /// The token by which a call asks for its page.
    pub(super) fn token(call: &Call) -> Option<Value> {
        let mut found = TOKENS.iter().filter_map(|member| call.input.get(*member));
        found.next().cloned()
    }
}

/// The members that carry a page's token, in all service models.
const TOKENS: [&str; 3] = ["NextToken", "nextToken", "Marker"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::ids::{AccountId, PrincipalArn, Region},
        sim::Service,
    };
    use serde_json::json;

    fn call(operation: &str, input: Value) -> Call {
        Call {
            service: Service::Support,
            operation: operation.to_owned(),
            account: AccountId::new("111122223333"),
            by: PrincipalArn::new("arn:aws:iam::111122223333:user/kim"),
            region: Region::new("us-east-1"),
            signed_at: None,
            input,
        }
    }

    #[test]
    fn only_listings_have_pages() {
        let mut listing = call("DescribeCases", json!({"maxResults": 100}));
        assert!(PageFault::shorten(&mut listing));
        assert_eq!(listing.input, json!({"maxResults": 10}));
        assert!(!PageFault::shorten(&mut call("CreateCase", json!({}))));
    }

    #[test]
    fn a_page_leads_back_to_itself_unless_it_is_the_first_or_the_last() {
        let token = PageFault::token(&call("DescribeCases", json!({"nextToken": "p-10"})));
        let mut middle = json!({"cases": [], "nextToken": "p-20"});
        assert!(PageFault::repeat(token.as_ref(), &mut middle));
        assert_eq!(middle, json!({"cases": [], "nextToken": "p-10"}));
        let mut last = json!({"cases": []});
        assert!(!PageFault::repeat(token.as_ref(), &mut last));
        let mut first = json!({"cases": [], "nextToken": "p-10"});
        assert!(!PageFault::repeat(None, &mut first));
    }
}
