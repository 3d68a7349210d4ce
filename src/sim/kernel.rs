//! Everything that changes in the simulated AWS, and its clock. The services are `impl`s of [`Kernel`] in their files.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    ApiError,
    bucket::{PoolHistory, PoolView, TargetMinute},
    cloudwatch::{LastHeard, Listed},
    day::{self, DayCount, Member},
    desk::{Case, Event},
    logs::Question,
    places::Places,
    quotas::QuotaBook,
    support::AttachmentSet,
    traffic::Source,
    world::{Account, World},
};
use crate::model::{
    ids::{AccountId, Region, Scope},
    time::{Minute, SignedDuration, Timestamp},
};

/// A message that an SNS topic took.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) account: AccountId,
    pub(crate) topic_arn: String,
    pub(crate) subject: Option<String>,
    pub(crate) message: String,
    /// As the API takes them, by their names.
    pub(crate) attributes: Map<String, Value>,
    pub(crate) at: Timestamp,
}

/// A body that a webhook took.
#[derive(Clone, Debug)]
pub(crate) struct Hooked {
    pub(crate) url: String,
    pub(crate) body: String,
    pub(crate) at: Timestamp,
}

/// The simulated AWS without its lock.
#[derive(Debug)]
pub(crate) struct Kernel {
    pub(crate) world: std::sync::Arc<World>,
    pub(crate) seed: u64,
    pub(crate) now: Timestamp,
    pub(crate) quotas: QuotaBook,
    /// Cases in the order of their opening.
    pub(crate) cases: Vec<Case>,
    /// Files that wait for words.
    pub(crate) attachments: Vec<AttachmentSet>,
    pub(crate) published: Vec<Published>,
    pub(crate) slack: Vec<Hooked>,
    /// Questions to logs, by the order in which they came.
    pub(crate) questions: Vec<Question>,
    pub(crate) calls: BTreeMap<String, u64>,
    pub(crate) billed: BTreeMap<String, u64>,
    /// One for each target of the world.
    pub(crate) sources: Vec<Source>,
    pub(crate) places: Places,
    /// One for each target of the world.
    pub(crate) heard: Vec<LastHeard>,
    /// The latest listing of metrics: its pages are asked for one by one.
    pub(crate) listed: Option<Listed>,
    /// One for each pool of the world.
    histories: Vec<PoolHistory>,
    /// One for each of the world's daily quotas across all models.
    days: Vec<DayCount>,
    events: BTreeMap<(Timestamp, u64), Event>,
    sequence: u64,
}

impl Kernel {
    pub(crate) fn new(world: std::sync::Arc<World>, seed: u64) -> Self {
        let first = world.first_minute();
        Self {
            seed,
            now: world.start,
            quotas: QuotaBook::new(&world),
            cases: Vec::new(),
            attachments: Vec::new(),
            published: Vec::new(),
            slack: Vec::new(),
            questions: Vec::new(),
            calls: BTreeMap::new(),
            billed: BTreeMap::new(),
            sources: world
                .targets
                .iter()
                .map(|it| Source::new(&world, seed, (&it.scope, it.id.as_str()), &it.traffic))
                .collect(),
            places: Places::new(&world),
            heard: vec![LastHeard::new(first); world.targets.len()],
            listed: None,
            histories: world
                .pools
                .iter()
                .map(|pool| PoolHistory::new(first, pool.targets.len()))
                .collect(),
            days: vec![DayCount::default(); world.cross_model_days.len()],
            events: BTreeMap::new(),
            sequence: 0,
            world,
        }
    }

    /// Moves the clock; what is due on the way happens in order, each at its own instant.
    pub(crate) fn advance_to(&mut self, at: Timestamp) {
        while let Some(entry) = self.events.first_entry() {
            let due = entry.key().0;
            if due > at {
                break;
            }
            let event = entry.remove();
            self.now = self.now.max(due);
            self.happen(event);
        }
        self.now = self.now.max(at);
    }

    /// Something will happen after this long.
    pub(crate) fn schedule(&mut self, after: SignedDuration, event: Event) {
        let at = self.now.saturating_add(after).unwrap_or(Timestamp::MAX);
        self.sequence += 1;
        self.events.insert((at, self.sequence), event);
    }

    /// When the next thing happens by itself.
    pub(crate) fn next_event(&self) -> Option<Timestamp> {
        self.events.keys().next().map(|(at, _)| *at)
    }

    /// Counts a call that arrived, and the series it asks for: AWS bills each of them, in every GetMetricData call. A
    /// call that is refused counts as well, since AWS does not say otherwise; so the count is a bill's upper bound.
    pub(crate) fn count(&mut self, operation: &str, series: usize) {
        *self.calls.entry(operation.to_owned()).or_insert(0) += 1;
        if 0 < series {
            let billed = self.billed.entry(operation.to_owned()).or_insert(0);
            *billed += u64::try_from(series).unwrap_or(u64::MAX);
        }
    }

    /// The Regions of an account.
    pub(crate) fn enabled_regions(&self, account: &AccountId) -> Result<Vec<Region>, ApiError> {
        Ok(self.known_account(account)?.regions.clone())
    }

    /// Refuses accounts and Regions that the world has not.
    /// Whether this account is told the metrics of that one: its own, or those of one that is linked to it.
    pub(crate) fn sees(&self, account: &AccountId, owner: &AccountId) -> bool {
        let known = self.world.account(account);
        account == owner || known.is_some_and(|known| known.monitors.contains(owner))
    }

    pub(crate) fn known_scope(&self, scope: &Scope) -> Result<(), ApiError> {
        let account = self.known_account(&scope.account)?;
        if account.regions.contains(&scope.region) {
            return Ok(());
        }
        let text = format!(
            "account {} has no Region {} in this world",
            scope.account, scope.region
        );
        Err(ApiError {
            status: 403,
            ..ApiError::client("AccessDeniedException", &text)
        })
    }

    fn known_account(&self, account: &AccountId) -> Result<&Account, ApiError> {
        self.world.account(account).ok_or_else(|| {
            let text = "The security token included in the request is invalid.";
            ApiError {
                status: 403,
                ..ApiError::client("UnrecognizedClientException", text)
            }
        })
    }

    /// Computes what happened at the pools of these targets up to the present minute.
    pub(crate) fn compute(&mut self, targets: &[usize]) {
        let end = Minute::of(self.now);
        let world = std::sync::Arc::clone(&self.world);
        let pools = targets.iter().filter_map(|index| world.targets.get(*index));
        for index in pools.map(|target| target.pool) {
            let pool = world.pools.get(index).zip(self.histories.get_mut(index));
            let Some((pool, history)) = pool.filter(|(_, history)| history.end() < end) else {
                continue;
            };
            let days = world.cross_model_days.iter();
            let shared = days
                .zip(0..)
                .find(|(day, _)| day.pools.contains_key(&index));
            if let Some((_, shared)) = shared {
                self.compute_shared(&world, shared, end);
            } else {
                let view = PoolView::new(&world, &self.sources, &self.quotas, pool);
                history.compute(end, &view);
            }
        }
    }

    /// Computes all pools that one daily quota counts: what one of them takes, the others have not.
    fn compute_shared(&mut self, world: &World, shared: usize, end: Minute) {
        let day = world.cross_model_days.get(shared);
        let Some((day, count)) = day.zip(self.days.get_mut(shared)) else {
            return;
        };
        let scope = self.quotas.scope_index(&day.scope);
        let quota = self.quotas.values(scope, &day.code);
        let pools = world.pools.iter().zip(&mut self.histories).enumerate();
        let members = pools.filter_map(|(index, (pool, history))| {
            let weights = *day.pools.get(&index)?;
            let view = PoolView::new(world, &self.sources, &self.quotas, pool);
            Some(Member {
                history,
                view,
                weights,
            })
        });
        day::compute(count, &mut members.collect::<Vec<_>>(), quota, end);
    }

    /// All that [`Kernel::compute`] has computed of a target, and the minute that it begins with.
    pub(crate) fn rows(&self, target: usize) -> Option<(Minute, &[TargetMinute])> {
        let pool = self.world.targets.get(target)?.pool;
        self.histories.get(pool)?.rows(self.places.slot(target)?)
    }

    /// What happened at a target in a minute that [`Kernel::compute`] was called for.
    pub(crate) fn row(&self, target: usize, minute: Minute) -> Option<&TargetMinute> {
        let (first, rows) = self.rows(target)?;
        rows.get(usize::try_from(minute.since(first)).ok()?)
    }
}
