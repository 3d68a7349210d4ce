//! One cycle: collect what is due, judge, plan, commit, perform what is due, record. The order is the design.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    shared::{Order, Shared},
    telemetry,
};
use crate::{
    act::{
        perform,
        plan::{self, situation},
    },
    cloud::{Cloud, Fault},
    collect, engine,
    model::{
        action::{Due, Effect, Intent, Outcome},
        alert::{AlertState, Verdict},
        book::{Book, Key, Record},
        catalog::PoolId,
        desk::DeskReading,
        ids::{ActionId, QuotaCode, Scope},
        incident::AlertKey,
        reason::Reason,
        rule::Category,
        series::{KEPT_MINUTES, Reading},
        time::{HOUR, Minute, Timestamp, after},
        units::Share,
    },
    store::{Ledger, StoreError},
};

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

/// From this share of a quota on, a pool is read as often as a hot one.
const HOT_SHARE: f64 = 0.6;
/// A discovery that was not whole is tried again after so many minutes, not in each cycle.
const DISCOVERY_RETRY_MINUTES: i64 = 5;
/// Applied values of all mapped quotas are read again after so many minutes.
const QUOTA_MINUTES: i64 = 15;
/// Targets named in a message.
const MOST_TAKERS: usize = 5;

/// The cycle and the little it remembers beside the book. All of it can be lost.
#[derive(Debug)]
pub struct Cycle {
    cloud: Arc<dyn Cloud>,
    ledger: Arc<dyn Ledger>,
    shared: Arc<Shared>,
    hot: BTreeSet<PoolId>,
    takers: BTreeMap<PoolId, Vec<Reason>>,
    /// The latest verdict of each rule on each pool.
    verdicts: BTreeMap<AlertKey, Verdict>,
    /// Pools with new samples, or new quotas, that were not judged yet.
    unjudged: BTreeSet<PoolId>,
    desk_polled: Option<Timestamp>,
    quotas_read: BTreeMap<Scope, Timestamp>,
    pruned: Option<Minute>,
    /// When each scope was last tried, whether it succeeded or not.
    discovery_tried: BTreeMap<Scope, Timestamp>,
    /// Targets without a pool that were told already.
    odd: BTreeSet<String>,
}

impl Cycle {
    /// Over a loaded book.
    #[must_use]
    pub fn new(cloud: Arc<dyn Cloud>, ledger: Arc<dyn Ledger>, shared: Arc<Shared>) -> Self {
        Self {
            cloud,
            ledger,
            shared,
            hot: BTreeSet::new(),
            takers: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            unjudged: BTreeSet::new(),
            desk_polled: None,
            quotas_read: BTreeMap::new(),
            pruned: None,
            discovery_tried: BTreeMap::new(),
            odd: BTreeSet::new(),
        }
    }

    /// Runs one cycle. When it fails, nothing was carried out that is not written down.
    pub async fn run(&mut self, now: Timestamp) -> Result<(), CycleError> {
        let is_new = self.collect(now).await?;
        let desk = self.poll_desk(now).await;
        if is_new || !desk.is_empty() || self.has_news() {
            self.judge_and_plan(&desk, now).await?;
        }
        self.perform_due(now).await?;
        self.prune(now).await?;
        self.report(now);
        Ok(())
    }

    /// Carries out what a person decided about a proposal.
    pub async fn obey(&mut self, order: Order, now: Timestamp) -> Result<(), CycleError> {
        let (action, by, reply, is_approved) = match order {
            Order::Approve { action, by, reply } => (action, by, reply, true),
            Order::Reject { action, by, reply } => (action, by, reply, false),
        };
        let answer = match self.answer(&action, &by, is_approved, now) {
            Ok(records) => {
                self.commit(records, now).await?;
                Ok(())
            }
            Err(why) => Err(why),
        };
        if reply.send(answer).is_err() {
            tracing::debug!(event = "order.unheard", "whoever asked is gone");
        }
        self.perform_due(now).await
    }

    fn answer(
        &self,
        action: &ActionId,
        by: &str,
        is_approved: bool,
        now: Timestamp,
    ) -> Result<Vec<Record>, String> {
        let book = self.shared.book();
        let intent = book
            .intents
            .get(action)
            .ok_or_else(|| format!("no action is called {action}"))?;
        let approved = intent.approved(now).ok_or_else(|| {
            format!(
                "{action} does not wait for approval: it is {}",
                intent.state.name()
            )
        })?;
        let (intent, word) = if is_approved {
            (approved, "approved")
        } else {
            (intent.refused(format!("rejected by {by}"), now), "rejected")
        };
        let mut records = Vec::new();
        if let Some(incident) = book.incidents.get(&intent.incident) {
            let mut incident = incident.clone();
            incident.decide(
                now,
                format!("{} ({action}) {word} by {by}", intent.effect.name()),
            );
            records.push(Record::Incident(incident));
        }
        records.push(Record::Intent(intent));
        Ok(records)
    }

    // --- collect ---

    /// Discovers, reads and re-reads what is due; returns whether anything new is known.
    async fn collect(&mut self, now: Timestamp) -> Result<bool, CycleError> {
        let mut is_new = false;
        for scope in self.scopes() {
            is_new |= self.discover(&scope, now).await?;
            is_new |= self.read(&scope, now).await?;
            is_new |= self.reread_quotas(&scope, now).await?;
        }
        Ok(is_new)
    }

    fn scopes(&self) -> Vec<Scope> {
        let accounts = &self.shared.settings.accounts;
        let scopes = accounts.iter().flat_map(|account| {
            account.regions.iter().map(|region| Scope {
                account: account.id.clone(),
                region: region.clone(),
            })
        });
        scopes.collect()
    }

    async fn discover(&mut self, scope: &Scope, now: Timestamp) -> Result<bool, CycleError> {
        let every = self.shared.settings.cadence.discovery_minutes;
        let last = self.shared.book().discovered.get(scope).copied();
        let is_fresh = last.is_some_and(|last| now < after(last, every));
        let tried = self.discovery_tried.get(scope);
        let is_early = tried.is_some_and(|tried| now < after(*tried, DISCOVERY_RETRY_MINUTES));
        if is_fresh || is_early {
            return Ok(false);
        }
        self.discovery_tried.insert(scope.clone(), now);
        let book = self.shared.book().clone_catalog();
        let mut gathered = collect::discover(&*self.cloud, scope, &book, now).await;
        // A target without a pool is a finding, not a failure: told once, and nothing rests on it.
        let (odd, faults): (Vec<Fault>, Vec<Fault>) = gathered
            .faults
            .into_iter()
            .partition(|fault| fault.code == collect::UNPLACED);
        gathered.faults = faults;
        for fault in odd {
            if self.odd.insert(fault.message.clone()) {
                tracing::warn!(event = "discover.unplaced", %scope, %now, "{}", fault.message);
            }
        }
        self.note("discover", scope, &gathered.faults, now);
        if gathered.faults.is_empty() {
            self.quotas_read.insert(scope.clone(), now);
        }
        self.commit(gathered.found, now).await
    }

    async fn read(&mut self, scope: &Scope, now: Timestamp) -> Result<bool, CycleError> {
        let (pools, book) = {
            let book = self.shared.book();
            let mut pools = collect::due(&book, &self.hot, &self.shared.settings.cadence, now);
            pools.retain(|pool| pool.scope == *scope);
            if pools.is_empty() {
                return Ok(false);
            }
            (pools, book.clone_catalog())
        };
        let gathered = collect::read(&*self.cloud, scope, &pools, &book, now).await;
        self.note("read", scope, &gathered.faults, now);
        let mut records = Vec::new();
        for (reading, through) in &gathered.found {
            self.takers.insert(reading.pool.clone(), takers(reading));
            self.unjudged.insert(reading.pool.clone());
            let book = self.shared.book();
            let updates = match book.series.get(&reading.pool) {
                Some(series) => series.updates(reading),
                None => crate::model::series::PoolSeries::default().updates(reading),
            };
            records.extend(updates.into_iter().map(|((signal, hour), block)| {
                Record::Hour(reading.pool.clone(), signal, hour, Box::new(block))
            }));
            records.push(Record::ReadThrough(reading.pool.clone(), *through));
        }
        self.commit(records, now).await
    }

    /// The values that open requests are about are read with each poll of the desk, all mapped ones now and then.
    async fn reread_quotas(&mut self, scope: &Scope, now: Timestamp) -> Result<bool, CycleError> {
        let is_full = self
            .quotas_read
            .get(scope)
            .is_none_or(|last| after(*last, QUOTA_MINUTES) <= now);
        let is_desk = self.is_desk_due(now);
        if !is_full && !is_desk {
            return Ok(false);
        }
        let (codes, book) = {
            let book = self.shared.book();
            let open = book
                .asks
                .values()
                .filter(|ask| ask.end.is_none() && ask.scope == *scope);
            let mut codes: BTreeSet<QuotaCode> = open.map(|ask| ask.code.clone()).collect();
            if is_full {
                let pools = book.pools.values().filter(|pool| pool.id.scope == *scope);
                codes.extend(
                    pools
                        .flat_map(|pool| pool.mappings.values())
                        .filter_map(|it| it.code())
                        .cloned(),
                );
            }
            (codes, book.clone_catalog())
        };
        if is_full {
            self.quotas_read.insert(scope.clone(), now);
        }
        if codes.is_empty() {
            return Ok(false);
        }
        let codes: Vec<QuotaCode> = codes.into_iter().collect();
        let gathered = collect::reread_quotas(&*self.cloud, scope, &codes, &book, now).await;
        self.note("quotas", scope, &gathered.faults, now);
        // Thresholds follow the quota at once: its pools are judged again.
        let changed = gathered
            .found
            .iter()
            .any(|record| matches!(record, Record::QuotaChange(_)));
        if changed {
            let book = self.shared.book();
            let pools = book.pools.keys().filter(|pool| pool.scope == *scope);
            self.unjudged.extend(pools.cloned());
        }
        self.commit(gathered.found, now).await
    }

    fn is_desk_due(&self, now: Timestamp) -> bool {
        let every = self.shared.settings.cadence.desk_minutes;
        self.desk_polled
            .is_none_or(|last| after(last, every) <= now)
    }

    async fn poll_desk(&mut self, now: Timestamp) -> Vec<DeskReading> {
        if !self.is_desk_due(now) {
            return Vec::new();
        }
        self.desk_polled = Some(now);
        let book = {
            let book = self.shared.book();
            let is_open = book.asks.values().any(|ask| ask.end.is_none())
                || book.investigations.values().any(|it| it.ended.is_none());
            if !is_open {
                return Vec::new();
            }
            book.clone_catalog()
        };
        let gathered = collect::poll_desk(&*self.cloud, &book, now).await;
        for scope in self.scopes() {
            self.note("desk", &scope, &gathered.faults, now);
        }
        gathered.found
    }

    // --- judge and plan ---

    /// Whether something waits for the planner that no reading brings: a receipt, or an answer of a person.
    fn has_news(&self) -> bool {
        let book = self.shared.book();
        book.intents.values().any(|intent| {
            intent.state.is_final()
                && match &intent.effect {
                    Effect::RequestQuota { .. } => {
                        !book.asks.values().any(|ask| ask.action == intent.id)
                    }
                    Effect::OpenCase { .. } => !book
                        .investigations
                        .values()
                        .any(|it| it.action == intent.id),
                    Effect::Notify { .. } | Effect::Comment { .. } => false,
                }
        })
    }

    async fn judge_and_plan(
        &mut self,
        desk: &[DeskReading],
        now: Timestamp,
    ) -> Result<(), CycleError> {
        let (records, verdicts, hot) = {
            let book = self.shared.book();
            let verdicts = engine::judge_some(
                &self.shared.settings.rules,
                &book,
                |pool| self.unjudged.contains(pool),
                now,
            );
            let inputs = plan::Inputs {
                book: &book,
                verdicts: &verdicts,
                desk,
                takers: &self.takers,
                policy: &self.shared.settings.policy,
                now,
            };
            let mut hot = self.hot.clone();
            hot.retain(|pool| !self.unjudged.contains(pool));
            hot.extend(hot_of(&book, &verdicts, &self.unjudged));
            (plan::plan(inputs), verdicts, hot)
        };
        self.commit(records, now).await?;
        self.hot = hot;
        self.unjudged.clear();
        let keyed = verdicts.into_iter().map(|verdict| {
            let key = AlertKey {
                rule: verdict.rule.clone(),
                pool: verdict.pool.clone(),
            };
            (key, verdict)
        });
        self.verdicts.extend(keyed);
        self.shared.health_mut().verdicts = self.verdicts.values().cloned().collect();
        Ok(())
    }

    // --- perform ---

    /// Carries out what is due: new intents and those a crash left behind, by one path. Messages go first.
    async fn perform_due(&mut self, now: Timestamp) -> Result<(), CycleError> {
        let mut due: Vec<(Due, Intent)> = {
            let book = self.shared.book();
            let intents = book.intents.values();
            intents
                .filter_map(|intent| Some((intent.due(now)?, intent.clone())))
                .collect()
        };
        due.sort_by_key(|(_, intent)| {
            (
                !intent.effect.may_repeat(),
                intent.created,
                intent.id.clone(),
            )
        });
        for (due, intent) in due {
            let next = match due {
                Due::Expire => intent.refused("nobody approved it in time", now),
                Due::Recover => intent.recovered(now),
                Due::Look => {
                    let outcome = perform::look(&*self.cloud, &intent, now).await;
                    intent.after(&outcome, now)
                }
                Due::Send => {
                    let begun = intent.begun(now);
                    self.commit(vec![Record::Intent(begun.clone())], now)
                        .await?;
                    let outcome = self.perform(&begun).await;
                    begun.after(&outcome, now)
                }
            };
            self.commit(vec![Record::Intent(next)], now).await?;
        }
        Ok(())
    }

    async fn perform(&self, intent: &Intent) -> Outcome {
        perform::perform(&*self.cloud, &self.shared.settings.policy, intent).await
    }

    // --- record ---

    /// Makes records durable, and only then known. Returns whether there were any.
    async fn commit(&self, records: Vec<Record>, now: Timestamp) -> Result<bool, CycleError> {
        if records.is_empty() {
            return Ok(false);
        }
        let lines = telemetry::narrate(&self.shared.book(), &records);
        let ledger = Arc::clone(&self.ledger);
        // A commit waits for the disk: not on an async thread.
        let (records, result) = tokio::task::spawn_blocking(move || {
            let result = ledger.commit(&records);
            (records, result)
        })
        .await?;
        result?;
        self.shared.book_mut().apply(records);
        telemetry::log(&lines, now);
        self.shared.heard(&lines, now);
        Ok(true)
    }

    /// Forgets hours that nothing looks at any more, once an hour.
    async fn prune(&mut self, now: Timestamp) -> Result<(), CycleError> {
        let hour = Minute::of(now).hour();
        if self.pruned.is_some_and(|pruned| hour.since(pruned) < HOUR) {
            return Ok(());
        }
        self.pruned = Some(hour);
        let first = hour.plus(-KEPT_MINUTES);
        let old: Vec<Record> = {
            let book = self.shared.book();
            let hours = book.series.iter().flat_map(|(pool, series)| {
                let old = series.hours_before(first).into_iter();
                old.map(|(signal, hour)| Record::Remove(Key::Hour(pool.clone(), signal, hour)))
            });
            hours.collect()
        };
        self.commit(old, now).await?;
        Ok(())
    }

    fn report(&self, now: Timestamp) {
        let mut health = self.shared.health_mut();
        health.started.get_or_insert(now);
        health.last_cycle = Some(now);
        health.cycles += 1;
        health.is_ready = true;
        health.calls = self.cloud.calls();
        health.cost_usd = crate::aws::price::usd(&health.calls);
    }

    fn note(&self, stage: &'static str, scope: &Scope, faults: &[Fault], now: Timestamp) {
        let mut health = self.shared.health_mut();
        let key = (stage, scope.clone());
        match faults.first() {
            None => {
                health.failing.remove(&key);
                health.last_success.insert(key, now);
            }
            Some(first) => {
                let more = faults.len() - 1;
                let text = if more == 0 {
                    first.to_string()
                } else {
                    format!("{first}, and {more} more")
                };
                if health.failing.get(&key) != Some(&text) {
                    tracing::warn!(event = "collect.failed", stage, %scope, %now, "{text}");
                }
                health.failing.insert(key, text);
            }
        }
    }
}

/// Of the pools judged now, those to read each minute: near a limit, or with something going on that is more than
/// unusual.
fn hot_of(book: &Book, verdicts: &[Verdict], judged: &BTreeSet<PoolId>) -> BTreeSet<PoolId> {
    use AlertState as State;
    let busy = verdicts.iter().filter(|verdict| {
        verdict.category != Category::Anomaly
            && matches!(
                verdict.state,
                State::Pending | State::Alerting | State::Recovering
            )
    });
    let near = judged
        .iter()
        .filter_map(|id| book.pools.get(id))
        .filter(|pool| {
            let until = book.read_through.get(&pool.id);
            until.is_some_and(|until| HOT_SHARE <= situation::highest_share(book, pool, *until))
        });
    busy.map(|verdict| verdict.pool.clone())
        .chain(near.map(|pool| pool.id.clone()))
        .collect()
}

/// The targets that took most in this stretch, by charged tokens, else by requests.
fn takers(reading: &Reading) -> Vec<Reason> {
    let charged: f64 = reading.by_target.values().map(|it| it.charged).sum();
    let demand: f64 = reading.by_target.values().map(|it| it.demand).sum();
    let (total, is_tokens) = if 0.0 < charged {
        (charged, true)
    } else {
        (demand, false)
    };
    let mut shares: Vec<_> = reading
        .by_target
        .iter()
        .map(|(target, it)| (if is_tokens { it.charged } else { it.demand }, target))
        .collect();
    shares.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let named = shares
        .into_iter()
        .take(MOST_TAKERS)
        .filter_map(|(took, target)| {
            let share = basis_points(took / total)?;
            Some(Reason::TopTarget {
                target: target.clone(),
                share,
            })
        });
    named.collect()
}

/// A fraction as a share, when it is one: more than nothing and at most all.
fn basis_points(fraction: f64) -> Option<Share> {
    let points = (1..=10_000_u16)
        .rev()
        .find(|points| f64::from(*points) / 10_000.0 <= fraction)?;
    Share::from_basis_points(points)
}
