//! What the name of a quota says: family, kind, sort of request, and the label of its model.

use crate::collect::label::Label;
use crate::model::catalog::Family;
use crate::model::quota::DOUBLED_FOR_GEO;
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

/// What a name means; `None` for every other quota (batch, concurrency, guardrails, control plane, other features).
pub(super) fn meaning(name: &str) -> Option<Meaning> {
    const ACCOUNT: &str = "cross-model max tokens per day";
    // Documents say `InvokeModel` where the API says `model inference`; the quotas are the same.
    let name = Label::normal(name).replace(" invokemodel ", " model inference ");
    if name == ACCOUNT {
        return Some(Meaning::AccountPerDay);
    }
    let (families, is_optimized, rest) = bucket(&name)?;
    let (kind, label) = counted(families, rest)?;
    // The text in brackets is no family: it says that geo traffic has twice this value.
    let label = label.strip_suffix(DOUBLED_FOR_GEO).unwrap_or(label).trim();
    let (label, variant) = match long_context(label) {
        Some((label, tokens)) => (label, Variant::LongContext(tokens.to_owned())),
        None if is_optimized => (label, Variant::LatencyOptimized),
        None => (label, Variant::Standard),
    };
    Some(Meaning::Model(ModelQuota {
        families,
        kind,
        variant,
        label: label.to_owned(),
    }))
}

/// The families that a name counts, whether it counts calls with optimised latency only, and what follows.
fn bucket(name: &str) -> Option<(&'static [Family], bool, &str)> {
    // Matched from the first letter on, so that `cross-region` never finds a global name.
    const FRONTS: [(&str, &[Family], bool); 7] = [
        ("on-demand model inference ", &[Family::OnDemand], false),
        (
            "on-demand, latency-optimized model inference ",
            &[Family::OnDemand],
            true,
        ),
        ("cross-region model inference ", &[Family::Geo], false),
        (
            "global cross-region model inference ",
            &[Family::Global],
            false,
        ),
        (
            "model invocation max latency-optimized ",
            &[Family::OnDemand, Family::Geo],
            true,
        ),
        (
            "model invocation max ",
            &[Family::OnDemand, Family::Geo],
            false,
        ),
        ("[bedrock-mantle endpoint] ", &[Family::Mantle], false),
    ];
    let mut fronts = FRONTS.into_iter();
    fronts.find_map(|(front, families, is_optimized)| {
        let rest = name.strip_prefix(front)?;
        Some((families, is_optimized, rest))
    })
}

/// What is counted, of the kinds that these families know, and the label behind it. AWS's words are our units.
fn counted<'a>(families: &[Family], rest: &'a str) -> Option<(QuotaKind, &'a str)> {
    let kinds = families.first()?.kinds().iter();
    let mut found = kinds.filter_map(|kind| {
        let rest = rest.strip_prefix(kind.unit())?;
        Some((*kind, rest.strip_prefix(" for ")?))
    });
    found.next()
}

/// `… v1 1m context length`: the label without it, and `1m`.
fn long_context(label: &str) -> Option<(&str, &str)> {
    let rest = label.strip_suffix(" context length")?;
    rest.rsplit_once(' ')
}
