//! REST JSON of Bedrock's control plane and of the account's own service: method and path tell the operation.

use serde_json::{Map, Value};

use super::query::{Plus, decoded, pairs};
use crate::sim::Service;

/// Members of the service model that travel in the query string as numbers.
const INTEGERS: &[&str] = &["maxResults"];

/// What a REST request asks for.
#[derive(Debug, PartialEq)]
pub(super) struct RestCall {
    pub(super) service: Service,
    /// The operation's name in the service model.
    pub(super) operation: &'static str,
    /// Members from the path and the query string; the body's are added by the caller.
    pub(super) members: Map<String, Value>,
}

/// The operation of a path, or `None` where there is none.
pub(super) fn route(method: &str, path: &str, query: &str) -> Option<RestCall> {
    // Ids may be ARNs: whatever follows the collection is one id, escaped or not.
    let (collection, id) = match path.trim_start_matches('/').split_once('/') {
        Some((collection, id)) => (collection, Some(decoded(id, Plus::Itself))),
        None => (path.trim_start_matches('/'), None),
    };
    let (operation, id_member) = match (method, collection, id.is_some()) {
        ("GET", "inference-profiles", false) => ("ListInferenceProfiles", None),
        ("GET", "inference-profiles", true) => {
            ("GetInferenceProfile", Some("inferenceProfileIdentifier"))
        }
        ("DELETE", "inference-profiles", true) => {
            ("DeleteInferenceProfile", Some("inferenceProfileIdentifier"))
        }
        ("POST", "inference-profiles", false) => ("CreateInferenceProfile", None),
        ("GET", "foundation-models", false) => ("ListFoundationModels", None),
        ("GET", "foundation-models", true) => ("GetFoundationModel", Some("modelIdentifier")),
        ("POST", "listTagsForResource", false) => ("ListTagsForResource", None),
        ("POST", "tagResource", false) => ("TagResource", None),
        ("POST", "listRegions", false) => ("ListRegions", None),
        _ => return None,
    };
    let service = match operation {
        "ListRegions" => Service::Account,
        _ => Service::Bedrock,
    };
    let mut members = Map::new();
    for (name, value) in pairs(query) {
        let name = if name == "type" {
            "typeEquals".to_owned()
        } else {
            name
        };
        let value = match value.parse::<i64>() {
            Ok(number) if INTEGERS.contains(&name.as_str()) => Value::from(number),
            _ => Value::from(value),
        };
        members.insert(name, value);
    }
    if let (Some(member), Some(id)) = (id_member, id) {
        members.insert(member.to_owned(), Value::from(id));
    }
    Some(RestCall {
        service,
        operation,
        members,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_become_operations() {
        let list = route(
            "GET",
            "/inference-profiles",
            "maxResults=5&type=APPLICATION",
        )
        .unwrap();
        assert_eq!(list.operation, "ListInferenceProfiles");
        assert_eq!(
            Value::Object(list.members),
            json!({"maxResults": 5, "typeEquals": "APPLICATION"})
        );
        let arn = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc";
        for path in [
            "arn%3Aaws%3Abedrock%3Aus-east-1%3A111122223333%3Aapplication-inference-profile%2Fabc",
            arn,
        ] {
            let get = route("GET", &format!("/inference-profiles/{path}"), "").unwrap();
            assert_eq!(get.operation, "GetInferenceProfile");
            assert_eq!(
                Value::Object(get.members),
                json!({"inferenceProfileIdentifier": arn})
            );
        }
        assert_eq!(route("PUT", "/inference-profiles", ""), None);
        assert_eq!(route("GET", "/guardrails", ""), None);
    }
}
