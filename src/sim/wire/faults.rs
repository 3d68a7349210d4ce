//! Wire faults: which call fails, and how. Pure; the server carries them out.
//!
//! The choice depends on the seed, the caller, the operation and how often that caller made it, never on the order in
//! which connections are served: the same run meets the same faults.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::pages::PageFault;
use crate::{
    model::{ids::AccountId, time::Timestamp},
    sim::{ApiError, Service, World},
};

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// Refused as throttled; no effect.
    Throttled,
    /// 500 or 503; no effect.
    ErrorBefore,
    /// The connection breaks before the effect.
    DroppedBefore,
    /// 500 or 503 although the effect happened.
    ErrorAfter,
    /// The effect happened, then the connection breaks without a byte of answer.
    DroppedAfter,
    /// The effect happened, the answer comes [`WireFaults::hang_seconds`] later.
    Hang,
    /// The effect happened, the answer breaks off in the middle.
    Truncated,
}

impl FaultKind {
    /// All kinds, in the order in which shares are laid out.
    pub const ALL: [Self; 7] = [
        Self::Throttled,
        Self::ErrorBefore,
        Self::DroppedBefore,
        Self::ErrorAfter,
        Self::DroppedAfter,
        Self::Hang,
        Self::Truncated,
    ];

    /// The name in flags, world files and `GET /_sim/state`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::ErrorBefore => "error_before",
            Self::DroppedBefore => "dropped_before",
            Self::ErrorAfter => "error_after",
            Self::DroppedAfter => "dropped_after",
            Self::Hang => "hang",
            Self::Truncated => "truncated",
        }
    }
}

/// How often which fault happens. The default is none.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct WireFaults {
    /// Decides which calls are hit.
    pub seed: u64,
    /// Of a thousand calls, how many meet each kind; kinds not named never happen. Their sum should stay below 1,000.
    pub per_mille: BTreeMap<FaultKind, u16>,
    /// Real seconds until a hanging answer comes.
    pub hang_seconds: u64,
    /// Of a thousand pages of listings and datapoints, how many are shorter than they need be.
    pub partial_page: u16,
    /// Of a thousand later pages, how many lead back to themselves, so that they come twice.
    pub repeated_page: u16,
    /// Simulated instant from which on nothing fails any more; `None` is never.
    pub until: Option<Timestamp>,
    /// Operations that can fail, as `service:Operation`; empty means all.
    pub operations: Vec<String>,
    /// Actions that the caller's policy does not allow, as `service:Operation`; `*` is every one. Each call to them is
    /// refused, whatever else is drawn.
    pub denied: Vec<String>,
}

impl WireFaults {
    /// Every kind equally often, `per_mille` calls of a thousand in all; hangs last a second.
    #[must_use]
    pub fn all(seed: u64, per_mille: u16) -> Self {
        Self {
            seed,
            per_mille: FaultKind::ALL.map(|kind| (kind, per_mille / 7)).into(),
            hang_seconds: 1,
            ..Self::default()
        }
    }

    /// What a world says about its wire. `None` of its rates means nothing fails.
    #[must_use]
    pub fn of_world(world: &World, seed: u64) -> Self {
        let rates = &world.faults;
        let shares = [
            (FaultKind::Throttled, rates.throttled),
            (FaultKind::ErrorBefore, rates.server_before),
            (FaultKind::DroppedBefore, rates.connect),
            (FaultKind::ErrorAfter, rates.server_after),
            (FaultKind::DroppedAfter, rates.lost_after),
            (FaultKind::Hang, rates.hang),
            (FaultKind::Truncated, rates.truncate + rates.garbled),
        ];
        Self {
            seed,
            per_mille: shares
                .into_iter()
                .filter_map(|(kind, share)| Some((kind, per_mille(share)?)))
                .collect(),
            hang_seconds: HANG_SECONDS,
            partial_page: per_mille(rates.partial_page).unwrap_or(0),
            repeated_page: per_mille(rates.repeated_page).unwrap_or(0),
            ..Self::default()
        }
    }

    /// The fault that the `nth` call of `who` to `operation` meets at `now`.
    #[must_use]
    pub fn pick(&self, who: &str, operation: &str, nth: u64, now: Timestamp) -> Option<FaultKind> {
        let mut drawn = self.draw(0, who, operation, nth, now)?;
        for (kind, share) in &self.per_mille {
            if drawn < *share {
                return Some(*kind);
            }
            drawn -= share;
        }
        None
    }

    /// What becomes of the page that this call asks for.
    #[must_use]
    pub fn pick_page(
        &self,
        who: &str,
        operation: &str,
        nth: u64,
        now: Timestamp,
    ) -> Option<PageFault> {
        let drawn = self.draw(1, who, operation, nth, now)?;
        if drawn < self.partial_page {
            Some(PageFault::Partial)
        } else if drawn < self.partial_page.saturating_add(self.repeated_page) {
            Some(PageFault::Repeated)
        } else {
            None
        }
    }

    /// Whether the caller's policy lacks this action.
    pub(super) fn is_denied(&self, operation: &str) -> bool {
        let mut denied = self.denied.iter();
        denied.any(|action| action == "*" || action == operation)
    }

    /// A number below 1,000 for this call; `None` where nothing can fail.
    fn draw(&self, salt: u8, who: &str, operation: &str, nth: u64, now: Timestamp) -> Option<u16> {
        let is_over = self.until.is_some_and(|until| until <= now);
        let is_meant =
            self.operations.is_empty() || self.operations.iter().any(|named| named == operation);
        if is_over || !is_meant {
            return None;
        }
        let mut hash = crc32fast::Hasher::new();
        hash.update(&[salt]);
        hash.update(who.as_bytes());
        hash.update(b"|");
        hash.update(operation.as_bytes());
        let mixed = self.seed ^ (u64::from(hash.finalize()) << 32) ^ nth.wrapping_mul(0x9E37_79B9);
        Some(fastrand::Rng::with_seed(mixed).u16(..1_000))
    }
}

/// How long a world's hangs last: longer than any sane timeout of a client.
const HANG_SECONDS: u64 = 60;

/// A share as so many in a thousand, rounded up so that a rare fault is not a fault that never happens; `None` for 0.
fn per_mille(share: f64) -> Option<u16> {
    (1..=1_000_u16).find(|thousandths| 0.0 < share && share <= f64::from(*thousandths) / 1_000.0)
}

/// Calls and faults so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    calls: BTreeMap<(String, String), u64>,
    faults: BTreeMap<(&'static str, String), u64>,
}

impl Tally {
    /// Counts a call and returns how many the same caller made of it before.
    pub(super) fn call(&mut self, who: &str, operation: &str) -> u64 {
        let count = self
            .calls
            .entry((who.to_owned(), operation.to_owned()))
            .or_default();
        *count += 1;
        *count - 1
    }

    /// Counts a fault.
    pub(super) fn fault(&mut self, kind: &'static str, operation: &str) {
        *self.faults.entry((kind, operation.to_owned())).or_default() += 1;
    }

    /// For `GET /_sim/state`: kind, operation, count.
    pub(super) fn to_json(&self) -> Value {
        let mut kinds = json!({});
        for ((kind, operation), count) in &self.faults {
            if let Some(kinds) = kinds.as_object_mut() {
                let kind = kinds.entry(*kind).or_insert_with(|| json!({}));
                if let Some(kind) = kind.as_object_mut() {
                    kind.insert(operation.clone(), Value::from(*count));
                }
            }
        }
        kinds
    }
}

/// The refusal of a call that the caller's policy does not allow, in the words of each service.
pub(super) fn denied(service: Service, action: &str, account: &AccountId) -> ApiError {
    let (status, code, query_code) = match service {
        Service::CloudWatch => (403, "AccessDeniedException", Some("AccessDenied")),
        Service::Sns => (
            403,
            "AuthorizationErrorException",
            Some("AuthorizationError"),
        ),
        Service::Sts | Service::Iam => (403, "AccessDenied", None),
        Service::Account | Service::Bedrock => (403, "AccessDeniedException", None),
        Service::ServiceQuotas | Service::Support | Service::Logs => {
            (400, "AccessDeniedException", None)
        }
    };
    ApiError {
        status,
        code: code.to_owned(),
        message: format!(
            "User: arn:aws:iam::{account}:user/simulated is not authorized to perform: {action} because no identity-based policy allows the {action} action"
        ),
        query_code: query_code.map(str::to_owned),
        is_sender: true,
    }
}

/// The refusal of a throttled call, in the words of each service.
pub(super) fn throttled(service: Option<Service>) -> ApiError {
    let (status, code, query_code) = match service {
        Some(Service::CloudWatch) => (400, "ThrottlingException", Some("Throttling")),
        Some(Service::ServiceQuotas) => (400, "TooManyRequestsException", None),
        Some(Service::Support | Service::Logs) => (400, "ThrottlingException", None),
        Some(Service::Sns) => (429, "ThrottledException", Some("Throttled")),
        Some(Service::Sts | Service::Iam) => (400, "Throttling", None),
        Some(Service::Account) => (429, "TooManyRequestsException", None),
        Some(Service::Bedrock) | None => (429, "ThrottlingException", None),
    };
    ApiError {
        status,
        code: code.to_owned(),
        message: "Rate exceeded".to_owned(),
        query_code: query_code.map(str::to_owned),
        is_sender: true,
    }
}

/// A server error, in the words of each service; every other one is a 503.
pub(super) fn broken(service: Option<Service>, nth: u64) -> ApiError {
    let (status, code) = if nth % 2 == 1 {
        (503, "ServiceUnavailable")
    } else {
        let code = match service {
            Some(Service::CloudWatch) => "InternalServiceFault",
            Some(Service::ServiceQuotas) => "ServiceException",
            Some(Service::Support) => "InternalServerError",
            Some(Service::Sns) => "InternalError",
            Some(Service::Account | Service::Bedrock) => "InternalServerException",
            Some(Service::Iam) => "ServiceFailure",
            Some(Service::Logs) => "ServiceUnavailableException",
            Some(Service::Sts) | None => "InternalFailure",
        };
        (500, code)
    };
    ApiError {
        status,
        code: code.to_owned(),
        message: "The request processing has failed because of an unknown error".to_owned(),
        query_code: None,
        is_sender: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn hits(faults: &WireFaults) -> BTreeMap<FaultKind, usize> {
        let mut hits = BTreeMap::new();
        for nth in 0..6_000 {
            if let Some(kind) = faults.pick("1", "sns:Publish", nth, NOW) {
                *hits.entry(kind).or_default() += 1;
            }
        }
        hits
    }

    #[test]
    fn every_kind_happens_about_as_often_as_asked_and_the_same_each_time() {
        let faults = WireFaults::all(7, 350);
        let hits = hits(&faults);
        for kind in FaultKind::ALL {
            assert!((200..400).contains(&hits[&kind]), "{kind:?}: {hits:?}");
        }
        let pick = |seed, nth| WireFaults::all(seed, 300).pick("1", "sns:Publish", nth, NOW);
        let row = |seed| (0..200).map(|nth| pick(seed, nth)).collect::<Vec<_>>();
        assert_eq!(row(7), row(7));
        assert_ne!(row(7), row(8));
    }

    #[test]
    fn faults_stop_at_their_end_and_spare_what_is_not_named() {
        let mut faults = WireFaults::all(7, 996);
        faults.until = Some(NOW);
        assert!(hits(&faults).is_empty());
        faults.until = None;
        faults.operations = vec!["support:CreateCase".into()];
        assert!(hits(&faults).is_empty());
        assert!(hits(&WireFaults::default()).is_empty());
    }

    #[test]
    fn a_worlds_rates_become_shares_of_a_thousand() {
        let mut world = World::built_in("minute").unwrap();
        assert!(WireFaults::of_world(&world, 1).per_mille.is_empty());
        world.faults.throttled = 0.02;
        world.faults.hang = 0.000_1;
        let faults = WireFaults::of_world(&world, 1);
        let want = [(FaultKind::Throttled, 20), (FaultKind::Hang, 1)];
        assert_eq!(faults.per_mille, want.into());
    }

    #[test]
    fn the_tally_counts_by_caller_and_shows_by_kind() {
        let mut tally = Tally::default();
        assert_eq!(tally.call("1", "sns:Publish"), 0);
        assert_eq!(tally.call("1", "sns:Publish"), 1);
        assert_eq!(tally.call("2", "sns:Publish"), 0);
        tally.fault("hang", "sns:Publish");
        tally.fault("hang", "sns:Publish");
        assert_eq!(tally.to_json(), json!({"hang": {"sns:Publish": 2}}));
    }
}
