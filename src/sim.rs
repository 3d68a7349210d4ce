//! The simulated AWS: a world (workload, quotas, throttling, a desk with opinions), its faults, and its two fronts.
//!
//! [`Sim`] is the kernel. `wire` puts real AWS protocols in front of it, [`cloud`] answers the product's own port in
//! process; both reach the same operations, so that what holds in one holds in the other. Time stands still until
//! [`Sim::advance_to`] moves it. Everything is decided by the world, the seed and the calls: nothing here reads a clock.

mod api;
mod bedrock;
mod bucket;
mod cloudwatch;
mod day;
mod desk;
mod faults;
mod hash;
mod iam;
mod in_process;
mod kernel;
mod logs;
mod metric;
mod places;
mod quota_table;
mod quotas;
mod sns;
mod state;
mod sts;
mod support;
#[cfg(test)]
mod tests;
mod trace;
mod traffic;
pub mod wire;
pub mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::model::{
    catalog::PoolId,
    ids::{AccountId, PrincipalArn, QuotaCode, Region, Scope, TargetId},
    time::{Minute, Timestamp},
};
use kernel::{Hooked, Kernel};

pub use bucket::TargetMinute;
pub use faults::{Faults, Happened};
pub use in_process::{cloud, linked_cloud};
pub use sts::{account_of_key, person, principal_of_key};
pub use world::World;

/// A service that the simulated AWS has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Amazon CloudWatch.
    CloudWatch,
    /// Service Quotas.
    ServiceQuotas,
    /// AWS Support.
    Support,
    /// Amazon SNS.
    Sns,
    /// AWS Account Management.
    Account,
    /// The control plane of Amazon Bedrock.
    Bedrock,
    /// AWS STS.
    Sts,
    /// AWS IAM: its policy simulator.
    Iam,
    /// Amazon CloudWatch Logs: questions to a log of model invocations.
    Logs,
}

impl Service {
    /// The name before the colon in counts of calls, such as `servicequotas`.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::CloudWatch => "cloudwatch",
            Self::ServiceQuotas => "servicequotas",
            Self::Support => "support",
            Self::Sns => "sns",
            Self::Account => "account",
            Self::Bedrock => "bedrock",
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::Logs => "logs",
        }
    }
}

/// One API call as any protocol front decodes it: JSON in, JSON out, with member names as in the AWS service models.
/// Timestamps are epoch seconds as numbers; those of Support and Bedrock are ISO strings, as in their models.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Whose operation.
    pub service: Service,
    /// Such as `GetMetricData`.
    pub operation: String,
    /// The caller's account, see [`account_of_key`].
    pub account: AccountId,
    /// Who calls, see [`principal_of_key`].
    pub by: PrincipalArn,
    /// The Region that is called.
    pub region: Region,
    /// By the clock of whoever signed, from `X-Amz-Date`: not the simulated time.
    pub signed_at: Option<Timestamp>,
    /// The members of the input. For REST operations path and query parameters are members, too.
    pub input: Value,
}

/// A refused call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// Such as `ThrottlingException`.
    pub code: String,
    /// For people.
    pub message: String,
    /// The code of the time before the service had a model, for the header `x-amzn-query-error`.
    pub query_code: Option<String>,
    /// Whether the caller is at fault.
    pub is_sender: bool,
}

impl ApiError {
    /// A refusal by the caller's fault, with status 400.
    #[must_use]
    pub fn client(code: &str, message: &str) -> Self {
        Self {
            status: 400,
            code: code.to_owned(),
            message: message.to_owned(),
            query_code: None,
            is_sender: true,
        }
    }

    /// The same with an older code beside it.
    #[must_use]
    pub fn query(self, code: &str) -> Self {
        Self {
            query_code: Some(code.to_owned()),
            ..self
        }
    }
}

/// A throttled minute, and when it could be known.
#[derive(Clone, Debug, PartialEq)]
pub struct Throttled {
    /// Account and Region.
    pub scope: Scope,
    /// The target.
    pub target: TargetId,
    /// The minute.
    pub minute: Minute,
    /// Requests refused in it.
    pub refused: f64,
    /// When all of its datapoints were published.
    pub published: Timestamp,
}

/// The simulated AWS. Shared behind an [`Arc`]; each call locks it as a whole.
#[derive(Debug)]
pub struct Sim {
    world: Arc<World>,
    kernel: Mutex<Kernel>,
}

impl Sim {
    /// A world at its start. The seed decides what the world leaves to chance.
    #[must_use]
    pub fn new(world: World, seed: u64) -> Arc<Self> {
        let world = Arc::new(world);
        let kernel = Mutex::new(Kernel::new(Arc::clone(&world), seed));
        Arc::new(Self { world, kernel })
    }

    /// What the world is.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The simulated time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.kernel().now
    }

    /// Moves the clock, never backwards. What is due in between happens in order, each at its own instant.
    pub fn advance_to(&self, at: Timestamp) {
        self.kernel().advance_to(at);
    }

    /// When the next thing happens by itself, if anything is to.
    #[must_use]
    pub fn next_event(&self) -> Option<Timestamp> {
        self.kernel().next_event()
    }

    /// Carries out one call and counts it as `service:Operation`.
    ///
    /// # Errors
    /// What AWS would answer.
    pub fn handle(&self, call: &Call) -> Result<Value, ApiError> {
        api::handle(&mut self.kernel(), call)
    }

    /// Counts a call that arrived and is refused before it is handled.
    pub(crate) fn count(&self, call: &Call) {
        api::count(&mut self.kernel(), call);
    }

    /// Takes what was posted to a webhook.
    pub fn receive_webhook(&self, url_path: &str, body: &str) {
        let mut kernel = self.kernel();
        let at = kernel.now;
        kernel.slack.push(Hooked {
            url: url_path.to_owned(),
            body: body.to_owned(),
            at,
        });
    }

    /// What really arrived and holds, as `GET /_sim/state` tells it.
    #[must_use]
    pub fn state(&self) -> Value {
        state::json(&self.kernel())
    }

    /// The stretches in which nobody may be paged.
    #[must_use]
    pub fn benign(&self) -> Vec<world::Label> {
        let labels = self.world.labels.iter();
        labels
            .filter(|label| label.kind == world::LabelKind::Benign)
            .cloned()
            .collect()
    }

    /// What really happened at a target in a past minute, whether published yet or not.
    #[must_use]
    pub fn minute(&self, scope: &Scope, target: &TargetId, minute: Minute) -> Option<TargetMinute> {
        let mut kernel = self.kernel();
        let index = kernel.places.named(scope, target)?;
        kernel.compute(&[index]);
        kernel.row(index, minute).copied()
    }

    /// What really happened at a pool, all of its targets together, minute by minute from the first minute of the
    /// world's history to the present one. `latency_ms` has no sum and is 0.
    #[must_use]
    pub fn pool_minutes(&self, pool: &PoolId) -> Option<Vec<TargetMinute>> {
        let pool = self.world.pools.iter().find(|known| known.id == *pool)?;
        let mut kernel = self.kernel();
        kernel.compute(&pool.targets);
        let mut sums: Vec<TargetMinute> = Vec::new();
        for (_, rows) in pool.targets.iter().filter_map(|index| kernel.rows(*index)) {
            sums.resize(rows.len(), TargetMinute::default());
            for (sum, row) in sums.iter_mut().zip(rows) {
                sum.add(row);
            }
        }
        Some(sums)
    }

    /// All throttled minutes since the world's start, by minute.
    #[must_use]
    pub fn throttled(&self) -> Vec<Throttled> {
        let mut kernel = self.kernel();
        let all: Vec<usize> = (0..self.world.targets.len()).collect();
        kernel.compute(&all);
        let (start, now) = (Minute::of(self.world.start), Minute::of(kernel.now));
        let mut found = Vec::new();
        for minute in start.until(now) {
            for ((index, target), source) in
                self.world.targets.iter().enumerate().zip(&kernel.sources)
            {
                let refused = kernel.row(index, minute).map_or(0.0, |row| row.throttles);
                if refused > 0.0 {
                    found.push(Throttled {
                        scope: target.scope.clone(),
                        target: target.id.clone(),
                        minute,
                        refused,
                        published: metric::published_at(&self.world.publication, source, minute),
                    });
                }
            }
        }
        found
    }

    /// The applied value of a quota now.
    #[must_use]
    pub fn applied(&self, scope: &Scope, code: &QuotaCode) -> Option<f64> {
        let kernel = self.kernel();
        kernel
            .quotas
            .view(scope, code, kernel.now)
            .map(|quota| quota.applied)
    }

    /// The applied values that a quota has had, each with the instant from which it held, oldest first.
    #[must_use]
    pub fn applied_history(&self, scope: &Scope, code: &QuotaCode) -> Vec<(Timestamp, f64)> {
        self.kernel().quotas.applied_history(scope, code)
    }

    fn kernel(&self) -> MutexGuard<'_, Kernel> {
        // A panic inside a handler would be seen by its caller; the data are still what they are.
        self.kernel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
