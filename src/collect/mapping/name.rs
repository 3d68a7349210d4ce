//! What the name of a quota says: family, kind, sort of request, and the label of its model.

use crate::collect::label::Label;
use crate::model::catalog::Family;
use crate::model::units::QuotaKind;

/// The sort of requests that a quota counts. Quotas of different sorts never add up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variant {
    /// All requests without anything special to them.
    Standard,
    /// Requests with a long context, up to so many tokens as the name says: `1m`.
    LongContext(String),
    /// Requests that ask for optimised latency.
    LatencyOptimized,
}

impl Variant {
    /// The name in JSON and texts, such as `1m-context`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Standard => "standard".to_owned(),
            Self::LongContext(tokens) => format!("{tokens}-context"),
            Self::LatencyOptimized => "latency-optimized".to_owned(),
        }
    }
}

/// A name that speaks of requests or tokens per minute or day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Of one model, or of several with one label.
    Model(ModelQuota),
    /// Of all models of the account together, per day.
    AccountPerDay,
}

/// The quota of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ModelQuota {
    /// The families that it counts.
    pub(super) families: &'static [Family],
    /// What it counts.
    pub(super) kind: QuotaKind,
    /// Of which requests.
    pub(super) variant: Variant,
    /// How it names its model: lower case, single spaces.
    pub(super) label: String,
}

/// The front of a name up to its label, and what it says.
struct Front {
    text: &'static str,
    families: &'static [Family],
    kind: QuotaKind,
    is_latency_optimized: bool,
}

const fn front(text: &'static str, families: &'static [Family], kind: QuotaKind) -> Front {
    Front {
        text,
        families,
        kind,
        is_latency_optimized: false,
    }
}

const fn optimized(text: &'static str, families: &'static [Family], kind: QuotaKind) -> Front {
    Front {
        text,
        families,
        kind,
        is_latency_optimized: true,
    }
}

/// What a name means; `None` for every other quota (batch, concurrency, guardrails, control plane, other features).
pub(super) fn meaning(name: &str) -> Option<Meaning> {
    use Family::{Geo, Global, Mantle, OnDemand};
    use QuotaKind::{InputTpm, OutputTpm, Rpm, Tpd, Tpm};
    const ACCOUNT: &str = "cross-model max tokens per day";
    // The text in brackets is no family: it says that geo traffic has twice this value.
    const DOUBLED: &str = "(doubled for cross-region calls)";
    // Each is matched from the first letter on, so `Cross-region` never finds a global name. Documents call the same
    // quotas `InvokeModel`, the API calls them `model inference`.
    const FRONTS: [Front; 13] = [
        front(
            "on-demand model inference requests per minute for ",
            &[OnDemand],
            Rpm,
        ),
        front(
            "on-demand model inference tokens per minute for ",
            &[OnDemand],
            Tpm,
        ),
        front(
            "cross-region model inference requests per minute for ",
            &[Geo],
            Rpm,
        ),
        front(
            "cross-region model inference tokens per minute for ",
            &[Geo],
            Tpm,
        ),
        front(
            "global cross-region model inference requests per minute for ",
            &[Global],
            Rpm,
        ),
        front(
            "global cross-region model inference tokens per minute for ",
            &[Global],
            Tpm,
        ),
        front(
            "global cross-region model inference tokens per day for ",
            &[Global],
            Tpd,
        ),
        front(
            "model invocation max tokens per day for ",
            &[OnDemand, Geo],
            Tpd,
        ),
        front(
            "[bedrock-mantle endpoint] input tokens per minute for ",
            &[Mantle],
            InputTpm,
        ),
        front(
            "[bedrock-mantle endpoint] output tokens per minute for ",
            &[Mantle],
            OutputTpm,
        ),
        optimized(
            "on-demand, latency-optimized model inference requests per minute for ",
            &[OnDemand],
            Rpm,
        ),
        optimized(
            "on-demand, latency-optimized model inference tokens per minute for ",
            &[OnDemand],
            Tpm,
        ),
        optimized(
            "model invocation max latency-optimized tokens per day for ",
            &[OnDemand, Geo],
            Tpd,
        ),
    ];
    let name = Label::normal(name).replace(" invokemodel ", " model inference ");
    if name == ACCOUNT {
        return Some(Meaning::AccountPerDay);
    }
    let mut fronts = FRONTS.into_iter();
    let (front, label) = fronts.find_map(|it| {
        let label = name.strip_prefix(it.text)?;
        Some((it, label))
    })?;
    let label = label.strip_suffix(DOUBLED).unwrap_or(label).trim();
    let (label, context) = match long_context(label) {
        Some((label, tokens)) => (label, Some(tokens)),
        None => (label, None),
    };
    let variant = match context {
        Some(tokens) => Variant::LongContext(tokens.to_owned()),
        None if front.is_latency_optimized => Variant::LatencyOptimized,
        None => Variant::Standard,
    };
    Some(Meaning::Model(ModelQuota {
        families: front.families,
        kind: front.kind,
        variant,
        label: label.to_owned(),
    }))
}

/// `… v1 1m context length`: the label without it, and `1m`.
fn long_context(label: &str) -> Option<(&str, &str)> {
    let rest = label.strip_suffix(" context length")?;
    rest.rsplit_once(' ')
}
