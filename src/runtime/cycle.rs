//! One cycle: collect what is due, judge, plan, commit, perform what is due, record. The order is the design.
//!
//! - `collecting`: one round an account and Region, side by side, and what they find;
//! - `accounts`: what all models together take of the quota that they share;
//! - `checking`: charged tokens held against the formula, once a day;
//! - `judging`: verdicts of the pools with news, and the plan;
//! - `effects`: intents carried out, and what people answer;
//! - `learning`: what each pool has taught, for the rules that ask for its past;
//! - `keeping`: days that are over go into the history, and what is missing there is read;
//! - `room`: how much of it is left on the disk;
//! - `targets`: who took what of a pool, and the tags of today;
//! - `sight`: accounts and Regions that can't be read;
//! - `leaving`: accounts, Regions and pools that are watched no more;
//! - `spending`: what all of it costs.

mod accounts;
mod checking;
mod collecting;
mod effects;
mod judging;
mod keeping;
mod learning;
mod leaving;
mod ran;
mod room;
mod sight;
mod spending;
mod targets;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{clock, shared::Shared, telemetry};
use crate::{
    act::plan::Beside,
    cloud::Cloud,
    engine::residency::Used,
    model::{
        audit,
        book::Record,
        catalog::PoolId,
        ids::ReceiverName,
        policy::{Heat, Mode, Settings},
        reason::Reason,
        rule::Rules,
        time::Timestamp,
        uses::RecentUse,
    },
    store::{Ledger, StoreError},
};
use accounts::Accounts;
use collecting::Rounds;
use keeping::Keeping;
pub(super) use keeping::read_minutes;
use learning::Learning;
use spending::Spending;
use targets::with_tags;

/// Why a cycle could not go on. What AWS refuses or fails is not among it: that is shown, and tried again.
#[derive(Debug, thiserror::Error)]
pub enum CycleError {
    /// The ledger. Nothing may be carried out that could not be written down before.
    #[error("the ledger failed")]
    Store(#[from] StoreError),
    /// A commit was cut off by the runtime's end.
    #[error("a commit was cut off")]
    Cut(#[from] tokio::task::JoinError),
}

/// The cycle and the little it remembers beside the book. All of it can be lost.
#[derive(Debug)]
pub struct Cycle {
    cloud: Arc<dyn Cloud>,
    ledger: Arc<dyn Ledger>,
    shared: Arc<Shared>,
    /// The configuration in force; the same that the web sees.
    settings: Arc<Settings>,
    rounds: Rounds,
    /// Those of the configuration, worked out for the pools that were judged.
    rules: Rules,
    /// How each pool is doing, as far as it was judged.
    heat: BTreeMap<PoolId, Heat>,
    takers: BTreeMap<PoolId, Vec<Reason>>,
    /// The last minutes of pools with more than one target, target by target.
    recent: BTreeMap<PoolId, RecentUse>,
    /// The targets that were used in the newest reading of each pool.
    used: Used,
    /// Pools with new samples, or new quotas, that were not judged yet.
    unjudged: BTreeSet<PoolId>,
    /// Whether the log of model invocations has said something that was not judged yet; so it is at the start.
    is_ran_news: bool,
    /// Whether targets came or went since it was last looked which pools have none; so it may be at the start.
    has_new_targets: bool,
    /// Whether another configuration holds since the last plan: what no rule judges any more ends with the next one.
    is_changed: bool,
    /// What a digest tells beside the book.
    beside: Beside,
    keeping: Keeping,
    accounts: Accounts,
    learning: Learning,
    /// The last day of each pool whose charged tokens were held against the formula.
    days_checked: BTreeMap<PoolId, i64>,
    /// How long slow accounts and Regions are waited for; `None` waits for all of them.
    patience: Option<Duration>,
    /// Receivers that asked to be left alone, and until when.
    held: BTreeMap<ReceiverName, Timestamp>,
    spending: Spending,
    /// Held while records become durable: what is written beside them (numbers of the audit trail) follows from the book, and
    /// lanes commit side by side.
    committing: tokio::sync::Mutex<()>,
}

/// A read is given up after 30 s, so a Region that hangs is told in the next cycle or the one after. Effects are given
/// up after 30 s, too: together a cycle stays below 45 s.
const PATIENCE: Duration = Duration::from_secs(12);
/// The store's bytes are counted once in so many cycles: it has thousands of files.
const STORE_CYCLES: u64 = 15;

impl Cycle {
    /// Over a loaded book. In simulated time a round costs no time: all are waited for, and the clock stands meanwhile.
    #[must_use]
    pub fn new(cloud: Arc<dyn Cloud>, ledger: Arc<dyn Ledger>, shared: Arc<Shared>) -> Self {
        let settings = with_tags(&shared.settings(), &shared);
        shared.configure(Arc::clone(&settings));
        let rounds = Rounds::of(&settings.accounts, &shared.book());
        let keeping = Keeping::of(&shared.book());
        let rules = settings.rules.clone();
        let patience = (!shared.is_simulated).then_some(PATIENCE);
        Self {
            cloud,
            ledger,
            shared,
            settings,
            rounds,
            rules,
            heat: BTreeMap::new(),
            takers: BTreeMap::new(),
            recent: BTreeMap::new(),
            used: Used::new(),
            beside: Beside::default(),
            unjudged: BTreeSet::new(),
            is_ran_news: true,
            has_new_targets: true,
            is_changed: false,
            keeping,
            accounts: Accounts::default(),
            learning: Learning::default(),
            days_checked: BTreeMap::new(),
            patience,
            held: BTreeMap::new(),
            spending: Spending::default(),
            committing: tokio::sync::Mutex::default(),
        }
    }

    /// Waits for slow accounts and Regions so long; `None` waits for all of them.
    #[must_use]
    pub fn with_patience(mut self, patience: Option<Duration>) -> Self {
        self.patience = patience;
        self
    }

    /// Runs one cycle. When it fails, nothing was carried out that is not written down.
    pub async fn run(&mut self, now: Timestamp) -> Result<(), CycleError> {
        let began = clock::monotonic();
        self.recall(now).await?;
        self.look_at_room(now).await?;
        let collected = self.collect(now).await?;
        self.is_changed |= self.let_go(now).await?;
        self.tell_blind(now).await?;
        let is_changed = std::mem::take(&mut self.is_changed);
        if collected.is_new || is_changed || !collected.desk.is_empty() || self.has_news(now) {
            self.judge_and_plan(&collected.desk, now).await?;
        }
        self.perform_due(now).await?;
        self.cross_check(now);
        self.add_up_older(now).await?;
        self.keep(now).await?;
        self.keep_taught(now).await?;
        self.count_cost(now).await?;
        self.measure_store().await?;
        self.report(now, began);
        Ok(())
    }

    /// Another configuration holds from the next cycle on. What pools have taught, where judging stands, incidents and
    /// silences stay: they are not part of it. All pools are judged again.
    ///
    /// Accounts, store and listener have to be those that this process began with.
    pub fn configure(&mut self, settings: Settings) {
        let settings = with_tags(&Arc::new(settings), &self.shared);
        self.rules = settings.rules.clone();
        self.unjudged
            .extend(self.shared.book().read_through.keys().cloned());
        self.is_changed = true;
        self.is_ran_news = true;
        self.accounts.configure();
        self.shared.configure(Arc::clone(&settings));
        self.settings = settings;
    }

    /// Writes into the audit trail which configuration holds from now on, before it does.
    pub(super) async fn note_configuration(
        &self,
        id: &str,
        mode: Mode,
        differences: &[String],
        now: Timestamp,
    ) -> Result<(), CycleError> {
        let entry = audit::configured(&self.shared.book(), id, mode, differences, now);
        self.commit(entry.into_iter().collect(), now).await?;
        Ok(())
    }

    /// Keeps what would have to be learned again. Nothing is lost without it but time.
    pub async fn close(&mut self, now: Timestamp) -> Result<(), CycleError> {
        self.write_taught(now).await
    }

    /// Makes records durable, and only then known. Returns whether there were any.
    async fn commit(&self, mut records: Vec<Record>, now: Timestamp) -> Result<bool, CycleError> {
        if records.is_empty() {
            return Ok(false);
        }
        let _alone = self.committing.lock().await;
        let lines = {
            let book = self.shared.book();
            let trail = audit::entries(&book, &records, now);
            records.extend(trail);
            telemetry::narrate(&book, &records)
        };
        let began = clock::monotonic();
        let ledger = Arc::clone(&self.ledger);
        let commit = move || {
            let result = ledger.commit(&records);
            (records, result)
        };
        let (records, result) = if self.ledger.waits_for_disk() {
            // Not on an async thread.
            tokio::task::spawn_blocking(commit).await?
        } else {
            commit()
        };
        result?;
        self.shared.book_mut().apply(records);
        self.count(&lines, began);
        telemetry::log(&lines, now);
        self.shared.heard(&lines, now);
        Ok(true)
    }

    /// What is said is counted, so that log and metrics cannot drift apart.
    fn count(&self, lines: &[telemetry::Line], began: Instant) {
        let mut health = self.shared.health_mut();
        for line in lines {
            *health.events.entry(line.event).or_default() += 1;
        }
        let (commits, seconds) = &mut health.commits;
        *commits += 1;
        *seconds += clock::monotonic().duration_since(began).as_secs_f64();
    }

    /// Counts the store's bytes now and then.
    async fn measure_store(&self) -> Result<(), CycleError> {
        let cycles = self.shared.health().cycles;
        let is_due = cycles.is_multiple_of(STORE_CYCLES);
        if !is_due || !self.ledger.waits_for_disk() {
            return Ok(());
        }
        let ledger = Arc::clone(&self.ledger);
        let bytes = tokio::task::spawn_blocking(move || ledger.bytes()).await?;
        self.shared.health_mut().store_bytes = bytes;
        Ok(())
    }

    fn report(&self, now: Timestamp, began: Instant) {
        let answers = self.cloud.answers();
        let mut health = self.shared.health_mut();
        health.cycle_seconds = clock::monotonic().duration_since(began).as_secs_f64();
        health.answers = answers;
        health.started.get_or_insert(now);
        health.last_cycle = Some(now);
        health.cycles += 1;
        health.is_ready = true;
    }
}
