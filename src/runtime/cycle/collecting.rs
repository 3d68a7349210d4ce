//! Collecting: one round an account and Region, side by side. What has come in by the end of the patience is judged;
//! a round that still runs goes on beside the cycle, and its finds are taken in by a later one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::{
    sync::mpsc,
    task::{self, JoinError, JoinSet},
};

use super::{Cycle, CycleError, judging::takers};
use crate::{
    cloud::{Fault, FaultClass},
    collect::{
        PoolReading,
        round::{Find, Start, Watch, round},
    },
    model::{
        book::Record, desk::DeskReading, ids::Scope, policy::Account, series::PoolSeries,
        time::Timestamp,
    },
};

/// Finds that wait to be taken in; each may hold days of a few pools.
const MOST_WAITING: usize = 16;

/// The rounds of all accounts and Regions.
#[derive(Debug)]
pub(super) struct Rounds {
    /// Those that no round runs in.
    idle: BTreeMap<Scope, Watch>,
    /// Since when a round runs in the others, and in which task.
    busy: BTreeMap<Scope, (Timestamp, task::Id)>,
    running: JoinSet<(Scope, Watch)>,
    finds: mpsc::Receiver<(Scope, Find)>,
    sender: mpsc::Sender<(Scope, Find)>,
}

/// What a cycle took in.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// Whether anything new is known.
    pub(super) is_new: bool,
    /// What the desk said.
    pub(super) desk: Vec<DeskReading>,
}

impl Rounds {
    pub(super) fn of(accounts: &[Account]) -> Self {
        let scopes = accounts.iter().flat_map(|account| {
            account.regions.iter().map(|region| Scope {
                account: account.id.clone(),
                region: region.clone(),
            })
        });
        let (sender, finds) = mpsc::channel(MOST_WAITING);
        Self {
            idle: scopes.map(|scope| (scope, Watch::default())).collect(),
            busy: BTreeMap::new(),
            running: JoinSet::new(),
            finds,
            sender,
        }
    }
}

/// What woke the cycle while it waited for rounds.
enum Woken {
    Find(Scope, Find),
    Over(Box<Result<(Scope, Watch), JoinError>>),
    OutOfPatience,
}

impl Cycle {
    /// Starts a round wherever none runs, and takes in what the rounds find.
    pub(super) async fn collect(&mut self, now: Timestamp) -> Result<Collected, CycleError> {
        self.start_rounds(now);
        let mut collected = Collected::default();
        let patience = self.patience;
        let patience = async {
            match patience {
                Some(patience) => tokio::time::sleep(patience).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(patience);
        while !self.rounds.busy.is_empty() {
            let woken = tokio::select! {
                biased;
                Some((scope, find)) = self.rounds.finds.recv() => Woken::Find(scope, find),
                Some(over) = self.rounds.running.join_next() => Woken::Over(Box::new(over)),
                () = &mut patience => Woken::OutOfPatience,
            };
            match woken {
                Woken::Find(scope, find) => self.take_in(&scope, find, &mut collected, now).await?,
                Woken::Over(over) => match *over {
                    Ok((scope, watch)) => self.round_over(scope, watch, now),
                    Err(broken) => self.round_broke(&broken, now),
                },
                Woken::OutOfPatience => break,
            }
        }
        // A round that is over may have left finds behind.
        while let Ok((scope, find)) = self.rounds.finds.try_recv() {
            self.take_in(&scope, find, &mut collected, now).await?;
        }
        self.tell_slow(now);
        Ok(collected)
    }

    fn start_rounds(&mut self, now: Timestamp) {
        let plan = Arc::new(self.plan_of_reads(now));
        for (scope, watch) in std::mem::take(&mut self.rounds.idle) {
            let missing = self.missing(&scope, now);
            let start = Start {
                scope: scope.clone(),
                book: self.shared.book().catalog_of(&scope),
                plan: Arc::clone(&plan),
                free: self.free_requests(&scope, now),
                cadence: self.shared.settings.cadence,
                missing,
                now,
            };
            let (cloud, sender) = (self.cloud.clone(), self.rounds.sender.clone());
            let place = scope.clone();
            let task = self
                .rounds
                .running
                .spawn(async move { (place, round(watch, start, cloud, sender).await) });
            self.rounds.busy.insert(scope, (now, task.id()));
        }
    }

    fn round_over(&mut self, scope: Scope, watch: Watch, now: Timestamp) {
        self.note("round", &scope, &[], now);
        self.rounds.busy.remove(&scope);
        self.rounds.idle.insert(scope, watch);
    }

    /// A round panicked: its place starts afresh, and the others never notice.
    fn round_broke(&mut self, broken: &JoinError, now: Timestamp) {
        let mut busy = self.rounds.busy.iter();
        let scope = busy.find(|(_, (_, task))| *task == broken.id());
        let Some(scope) = scope.map(|(scope, _)| scope.clone()) else {
            return;
        };
        tracing::error!(event = "round.panicked", %scope, %now, %broken, "a round of collecting broke off");
        self.round_over(scope, Watch::default(), now);
    }

    fn tell_slow(&self, now: Timestamp) {
        for (scope, (since, _)) in &self.rounds.busy {
            let fault = Fault {
                operation: "collect:Round",
                code: "StillRunning".to_owned(),
                message: format!(
                    "what was begun at {since} has not been answered yet; its data grows old"
                ),
                class: FaultClass::Lost,
            };
            self.note("round", scope, &[fault], now);
        }
    }

    async fn take_in(
        &mut self,
        scope: &Scope,
        find: Find,
        collected: &mut Collected,
        now: Timestamp,
    ) -> Result<(), CycleError> {
        match find {
            Find::Records(records) => {
                if records
                    .iter()
                    .any(|it| matches!(it, Record::QuotaChange(_)))
                {
                    // Thresholds follow the quota at once: its pools are judged again.
                    let book = self.shared.book();
                    let pools = book.pools_in(scope).map(|pool| pool.id.clone());
                    self.unjudged.extend(pools);
                }
                collected.is_new |= self.commit(records, now).await?;
            }
            Find::Readings(read) => collected.is_new |= self.take_in_readings(&read, now).await?,
            Find::History(stretches) => {
                collected.is_new |= self.take_in_history(scope, stretches, now).await?;
            }
            Find::Desk(readings) => collected.desk.extend(readings),
            Find::News(news) => {
                tracing::warn!(event = news.event(), %scope, %now, "{news}");
            }
            Find::Stage { name, faults } => self.note(name, scope, &faults, now),
        }
        Ok(())
    }

    /// Pools that were read together become durable together: a commit costs a wait for the disk, however little is in it.
    async fn take_in_readings(
        &mut self,
        read: &[PoolReading],
        now: Timestamp,
    ) -> Result<bool, CycleError> {
        let mut records = Vec::new();
        for read in read {
            let reading = &read.reading;
            self.takers.insert(reading.pool.clone(), takers(reading));
            self.unjudged.insert(reading.pool.clone());
            let book = self.shared.book();
            let updates = match book.series.get(&reading.pool) {
                Some(series) => series.updates(reading),
                None => PoolSeries::default().updates(reading),
            };
            records.extend(updates.into_iter().map(|((signal, hour), block)| {
                Record::Hour(reading.pool.clone(), signal, hour, Box::new(block))
            }));
            records.extend(read.records(&book));
        }
        self.keeping.note(&records);
        self.commit(records, now).await
    }

    pub(super) fn note(
        &self,
        stage: &'static str,
        scope: &Scope,
        faults: &[Fault],
        now: Timestamp,
    ) {
        let mut health = self.shared.health_mut();
        let key = (stage, scope.clone());
        match faults.first() {
            None => {
                health.failing.remove(&key);
                health.last_success.insert(key, now);
            }
            Some(first) => {
                let mut text = first.to_string();
                let others: BTreeSet<String> = faults
                    .iter()
                    .filter(|fault| fault.operation != first.operation)
                    .map(|fault| format!("{} ({})", fault.operation, fault.code))
                    .collect();
                if !others.is_empty() {
                    let others: Vec<String> = others.into_iter().collect();
                    text = format!("{text}; also {}", others.join(", "));
                }
                if health.failing.get(&key) != Some(&text) {
                    tracing::warn!(event = "collect.failed", stage, %scope, %now, "{text}");
                }
                health.failing.insert(key, text);
            }
        }
    }
}
