//! Where a target is called, and so where CloudWatch publishes what happened to it.

use super::mantle;
use crate::model::catalog::Family;
use crate::model::ids::TargetId;

/// One of the two endpoints of Amazon Bedrock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Endpoint {
    Runtime,
    Mantle,
}

impl Endpoint {
    pub(super) const fn of(family: Family) -> Self {
        match family {
            Family::OnDemand | Family::Geo | Family::Global | Family::Account => Self::Runtime,
            Family::Mantle => Self::Mantle,
        }
    }

    /// The endpoint of a target, and what it is called there.
    pub(super) fn of_target(target: &TargetId) -> (Self, &str) {
        mantle::model_of(target).map_or((Self::Runtime, target.as_str()), |model| {
            (Self::Mantle, model)
        })
    }

    /// The namespace of its metrics.
    pub(super) const fn namespace(self) -> &'static str {
        match self {
            Self::Runtime => "AWS/Bedrock",
            Self::Mantle => mantle::NAMESPACE,
        }
    }

    /// The one dimension of the series of a target. Series of other dimension sets hold the same events once more.
    pub(super) const fn dimension(self) -> &'static str {
        match self {
            Self::Runtime => "ModelId",
            Self::Mantle => mantle::DIMENSION,
        }
    }
}
