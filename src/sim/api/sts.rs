//! STS as JSON.

use serde_json::{Value, json};

use super::{Input, unknown};
use crate::{
    model::time::SignedDuration,
    sim::{ApiError, Call, kernel::Kernel},
};

/// Seconds that credentials last, unless asked otherwise.
const LASTS: i64 = 3_600;

pub(super) fn handle(
    kernel: &mut Kernel,
    call: &Call,
    input: Input<'_>,
) -> Result<Value, ApiError> {
    let account = &call.account;
    match call.operation.as_str() {
        "GetCallerIdentity" => {
            if kernel.world.account(account).is_none() {
                let text = "The security token included in the request is invalid.";
                return Err(ApiError {
                    status: 403,
                    ..ApiError::client("InvalidClientTokenId", text)
                });
            }
            Ok(json!({
                "Account": account.as_str(),
                "UserId": "AIDASIMULATED",
                "Arn": call.by.as_str(),
            }))
        }
        "AssumeRole" => {
            let session = input.required("RoleSessionName")?;
            let assumed = kernel.assume_role(account, input.required("RoleArn")?, session)?;
            let lasts = input.whole("DurationSeconds")?.unwrap_or(LASTS);
            // A session ends by the clock that the caller signs by: simulated time is another one, and one that is behind
            // it would make every session end before it began.
            let from = call.signed_at.unwrap_or(kernel.now);
            let until = from.saturating_add(SignedDuration::from_secs(lasts));
            let until = until.unwrap_or(crate::model::time::Timestamp::MAX);
            Ok(json!({
                "Credentials": {
                    "AccessKeyId": assumed.access_key_id,
                    "SecretAccessKey": "simulated",
                    "SessionToken": format!("simulated-{}", assumed.account),
                    "Expiration": until.as_second(),
                },
                "AssumedRoleUser": { "AssumedRoleId": format!("AROASIMULATED:{session}"), "Arn": assumed.arn },
            }))
        }
        other => Err(unknown(other)),
    }
}
