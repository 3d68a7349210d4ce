//! The `bedrock-mantle` endpoint in CloudWatch: a namespace of its own, and targets that are told apart from runtime ones.
//!
//! Each inference is published at four levels (account, project, model, project and model), so one level only is read:
//! the model's. A model may be called at both endpoints, with quotas of their own, so its id alone would not tell which.

use crate::cloud::Metric;
use crate::model::ids::TargetId;

/// Where the endpoint publishes.
pub(super) const NAMESPACE: &str = "AWS/BedrockMantle";

/// The dimension of the model's level.
pub(super) const DIMENSION: &str = "Model";

/// What stands before the model id in the ids of mantle targets. No model id has a slash.
const PREFIX: &str = "bedrock-mantle/";

/// The token metrics: what its quotas count.
const METRICS: [&str; 2] = ["TotalInputTokens", "TotalOutputTokens"];

/// The target of a metric at the level of models.
pub(super) fn target_of(metric: &Metric) -> Option<TargetId> {
    let is_read = METRICS.contains(&metric.name.as_str());
    let mut dimensions = metric.dimensions.iter();
    match (dimensions.next(), dimensions.next()) {
        (Some((name, model)), None) if is_read && name == DIMENSION => {
            Some(TargetId::new(format!("{PREFIX}{model}")))
        }
        (Some(_), _) | (None, _) => None,
    }
}

/// The model of a mantle target; nothing for a runtime one.
pub(super) fn model_of(target: &TargetId) -> Option<&str> {
    target.as_str().strip_prefix(PREFIX)
}
