//! STS as JSON.

use serde_json::{Value, json};

use super::{Input, unknown};
use crate::{
    model::{ids::AccountId, time::SignedDuration},
    sim::{ApiError, kernel::Kernel},
};

/// Seconds that credentials last, unless asked otherwise.
const LASTS: i64 = 3_600;

pub(super) fn handle(
    kernel: &mut Kernel,
    account: &AccountId,
    operation: &str,
    input: Input<'_>,
) -> Result<Value, ApiError> {
    match operation {
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
                "Arn": format!("arn:aws:sts::{account}:assumed-role/bedrock-ops-alert/simulated"),
            }))
        }
        "AssumeRole" => {
            let session = input.required("RoleSessionName")?;
            let assumed = kernel.assume_role(account, input.required("RoleArn")?, session)?;
            let lasts = input.whole("DurationSeconds")?.unwrap_or(LASTS);
            let until = kernel.now.saturating_add(SignedDuration::from_secs(lasts));
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
