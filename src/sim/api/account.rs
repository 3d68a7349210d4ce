//! The account's own service as JSON: the Regions it has enabled.

use serde_json::{Value, json};

use super::{Input, Paging, unknown};
use crate::{
    model::ids::Scope,
    sim::{ApiError, kernel::Kernel},
};

pub(super) fn handle(
    kernel: &mut Kernel,
    scope: &Scope,
    operation: &str,
    input: Input<'_>,
) -> Result<Value, ApiError> {
    match operation {
        "ListRegions" => list_regions(kernel, scope, input),
        other => Err(unknown(other)),
    }
}

fn list_regions(kernel: &Kernel, scope: &Scope, input: Input<'_>) -> Result<Value, ApiError> {
    let wanted = input.texts("RegionOptStatusContains")?;
    let paging = Paging {
        token: input.text("NextToken")?,
        size: input.whole("MaxResults")?,
        least: 1,
        most: 50,
        bad_token: "ValidationException",
    };
    let mut regions = kernel.enabled_regions(&scope.account)?;
    if !wanted.is_empty() && !wanted.contains(&"ENABLED_BY_DEFAULT") {
        regions.clear(); // the world's accounts opted in to none
    }
    let (regions, next) = paging.cut(regions)?;
    let regions: Vec<Value> = regions
        .iter()
        .map(|region| json!({ "RegionName": region.as_str(), "RegionOptStatus": "ENABLED_BY_DEFAULT" }))
        .collect();
    let mut answer = json!({ "Regions": regions });
    if let (Some(members), Some(next)) = (answer.as_object_mut(), next) {
        members.insert("NextToken".to_owned(), Value::String(next));
    }
    Ok(answer)
}
