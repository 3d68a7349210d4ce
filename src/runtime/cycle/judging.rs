//! Judging and planning: the pools with news are judged, and one plan is made of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cycle, CycleError};
use crate::{
    act::plan::{self, Beside, Spent, Wanted, situation},
    collect::{long_input_tokens, most_reserved_output},
    engine::{
        self,
        residency::{self, Law},
    },
    model::{
        action::Effect,
        alert::{AlertState, Verdict},
        book::{Book, Record},
        catalog::{Family, PoolId},
        desk::DeskReading,
        ids::{Scope, TargetId},
        incident::AlertKey,
        policy::Heat,
        reason::Reason,
        rule::Category,
        series::{Reading, SETTLE_MINUTES, Sample, Signal, TargetUse},
        time::{HOUR, Timestamp},
        units::Share,
    },
};

/// From this share of a quota on, a pool is read as often as a hot one.
const HOT_SHARE: f64 = 0.6;
/// Without a request for so long, a pool is idle. `RecentlyActive` of ListMetrics means the same three hours, roughly.
const IDLE_AFTER_MINUTES: i64 = 3 * HOUR;
/// Targets named in a message.
const MOST_TAKERS: usize = 5;
/// Pools that are judged before the loop's thread is given back.
const POOLS_AT_ONCE: usize = 4;

impl Cycle {
    /// Whether something waits for the planner that no reading brings: a receipt, an
    /// answer of a person, or time itself: silences, snoozes and reminders.
    pub(super) fn has_news(&self, now: Timestamp) -> bool {
        let book = self.shared.book();
        if plan::is_due(self.inputs(&book, &[], &[], &[], now)) {
            return true;
        }
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
                    Effect::Notify { .. } | Effect::Comment { .. } | Effect::EndCase { .. } => {
                        false
                    }
                }
        })
    }

    pub(super) async fn judge_and_plan(
        &mut self,
        desk: &[DeskReading],
        now: Timestamp,
    ) -> Result<(), CycleError> {
        self.unjudged.iter().for_each(|it| self.rules.prepare(it));
        self.learn(now).await?;
        let mut verdicts = self.judge_in_turn(now).await;
        let heat = {
            let book = self.shared.book();
            let due = &self.unjudged;
            let rules = &self.settings.policy.residency;
            let law = Law { rules, book: &book };
            verdicts.extend(residency::judge(law, &self.used, due));
            if self.is_ran_news {
                // What is not watched any more has a record, and no news.
                let watched: BTreeSet<&Scope> = self.rounds.scopes().collect();
                let ran = residency::ran::judge(law).into_iter();
                verdicts.extend(ran.filter(|it| watched.contains(&it.pool.scope)));
            }
            heat_of(&book, &verdicts, due)
        };
        self.look_beside(now);
        let records = loop {
            match self.plan(&verdicts, desk, now) {
                Ok(records) => break records,
                Err(Wanted(pools)) => self.recall_past(pools, now).await?,
            }
        };
        self.bound_past();
        self.commit(records, now).await?;
        self.heat.extend(heat);
        for pools in self.unjudged_in_turn() {
            self.look_ahead(&pools);
            tokio::task::yield_now().await;
        }
        self.unjudged.clear();
        self.is_ran_news = false;
        let mut by_pool: BTreeMap<PoolId, Vec<Verdict>> = BTreeMap::new();
        // What a day of log says comes without the pool's other verdicts, and must not stand in their place.
        let of_minutes = verdicts
            .into_iter()
            .filter(|it| it.category != Category::ResidencyBreach);
        for verdict in of_minutes {
            by_pool
                .entry(verdict.pool.clone())
                .or_default()
                .push(verdict);
        }
        self.shared.health_mut().verdicts.append(&mut by_pool);
        Ok(())
    }
}

impl Cycle {
    /// What the rules say of the pools with news.
    async fn judge_in_turn(&mut self, now: Timestamp) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for pools in self.unjudged_in_turn() {
            {
                let (book, calendar) = (self.shared.book(), &self.settings.calendar);
                let taught = &mut self.learning.taught;
                let some = engine::judge_some(&self.rules, calendar, &book, taught, &pools, now);
                verdicts.extend(some);
            }
            tokio::task::yield_now().await;
        }
        verdicts
    }

    /// The pools with news, a few at a time: what holds the loop's thread holds its pulse, and some days of a thousand pools,
    /// as after a pause, take longer than the watchdog waits.
    fn unjudged_in_turn(&self) -> Vec<BTreeSet<PoolId>> {
        let all: Vec<&PoolId> = self.unjudged.iter().collect();
        let few = all.chunks(POOLS_AT_ONCE);
        few.map(|pools| pools.iter().copied().cloned().collect())
            .collect()
    }

    fn plan(
        &self,
        verdicts: &[Verdict],
        desk: &[DeskReading],
        now: Timestamp,
    ) -> Result<Vec<Record>, Wanted> {
        let book = self.shared.book();
        let policy = &self.settings.policy;
        let orphans = {
            let places = self.rounds.scopes().cloned().collect();
            let kept = engine::Kept {
                residency: &policy.residency,
                logs: Some(&policy.invocation_logs),
                places: Some(&places),
            };
            engine::orphans(&self.rules, kept, &book)
        };
        let stop = self.shared.stop();
        let inputs = self.inputs(&book, verdicts, &orphans, desk, now);
        plan::plan(plan::Inputs {
            stop: stop.as_ref(),
            ..inputs
        })
    }

    /// What the planner gets to see; whether writes are stopped is added by whoever looked.
    pub(super) fn inputs<'a>(
        &'a self,
        book: &'a Book,
        verdicts: &'a [Verdict],
        orphans: &'a [(AlertKey, String)],
        desk: &'a [DeskReading],
        now: Timestamp,
    ) -> plan::Inputs<'a> {
        plan::Inputs {
            book,
            verdicts,
            orphans,
            desk,
            takers: &self.takers,
            recent: &self.recent,
            most_output: most_reserved_output(),
            long_input: long_input_tokens(),
            past: &self.keeping.past,
            filling: &self.keeping.filling,
            policy: &self.settings.policy,
            beside: &self.beside,
            stop: None,
            now,
        }
    }

    /// What a digest tells beside the book, if one is due.
    fn look_beside(&mut self, now: Timestamp) {
        let is_due = {
            let book = self.shared.book();
            plan::is_digest_due(self.inputs(&book, &[], &[], &[], now))
        };
        self.beside = Beside::default();
        if !is_due {
            return;
        }
        let health = self.shared.health();
        let outlooks = health.outlooks.iter();
        let outlooks = outlooks.map(|(key, it)| (key.clone(), it.exhaustion));
        let cards = health.outlooks.iter();
        let cards = cards.map(|(key, it)| (key.clone(), it.card.clone()));
        let budget = self.settings.cost.monthly_budget;
        let cost = health.month.as_ref().map(|month| Spent {
            so_far: month.so_far.usd,
            projected: month.projected.map(|it| it.usd),
            budget,
        });
        self.beside = Beside {
            outlooks: outlooks.collect(),
            cost,
            cards: cards.collect(),
        };
    }
}

/// How the pools judged now are doing.
fn heat_of(book: &Book, verdicts: &[Verdict], judged: &BTreeSet<PoolId>) -> BTreeMap<PoolId, Heat> {
    use AlertState as State;
    let mut heat: BTreeMap<PoolId, Heat> = BTreeMap::new();
    for id in judged {
        heat.insert(id.clone(), heat_by_use(book, id));
    }
    let busy = verdicts.iter().filter(|verdict| {
        matches!(
            verdict.state,
            State::Pending | State::Alerting | State::Recovering
        )
    });
    for verdict in busy {
        let least = match verdict.category {
            Category::Quota | Category::Throttle => Heat::Hot,
            Category::ClientError | Category::ServerError | Category::Latency => Heat::Troubled,
            // Unusual is not wrong, and a date comes no sooner for being watched.
            Category::Anomaly
            | Category::Lifecycle
            | Category::Residency
            | Category::ResidencyBreach => continue,
        };
        let known = heat.entry(verdict.pool.clone()).or_insert(least);
        *known = least.max(*known);
    }
    heat
}

/// Hot near a limit, idle when nobody asked for anything in the last hours, else warm. What is not known is not idle.
fn heat_by_use(book: &Book, id: &PoolId) -> Heat {
    let (Some(pool), Some(&until)) = (book.pools.get(id), book.read_through.get(id)) else {
        return Heat::Warm;
    };
    if HOT_SHARE <= situation::highest_share(book, pool, until) {
        return Heat::Hot;
    }
    let Some(series) = book.series.get(id) else {
        return Heat::Warm;
    };
    let from = until.plus(-IDLE_AFTER_MINUTES);
    let traffic = match id.family {
        Family::OnDemand | Family::Geo | Family::Global | Family::Account => {
            [Signal::Invocations, Signal::Throttles]
        }
        Family::Mantle => [Signal::InputTokens, Signal::OutputTokens],
    };
    let is_silent = traffic.into_iter().all(|signal| {
        let settled = until.plus(-SETTLE_MINUTES);
        let mut known = series.window(signal, from, settled);
        let has_traffic = series
            .window(signal, from, until)
            .any(|sample| sample.value().is_some_and(|count| 0.0 < count));
        !has_traffic && known.all(|sample| sample != Sample::Unobserved)
    });
    if is_silent { Heat::Idle } else { Heat::Warm }
}

/// The targets that were used in this stretch.
pub(super) fn used(reading: &Reading) -> BTreeSet<TargetId> {
    let used = reading.by_target.iter();
    used.filter(|(_, it)| 0.0 < it.total.demand || 0.0 < it.total.charged)
        .map(|(target, _)| target.clone())
        .collect()
}

/// The targets that took most in this stretch, by charged tokens, else by requests.
pub(super) fn takers(reading: &Reading) -> Vec<Reason> {
    let charged: f64 = reading.by_target.values().map(|it| it.total.charged).sum();
    let demand: f64 = reading.by_target.values().map(|it| it.total.demand).sum();
    let (total, is_tokens) = if 0.0 < charged {
        (charged, true)
    } else {
        (demand, false)
    };
    let mut shares: Vec<_> = reading
        .by_target
        .iter()
        .map(|(target, it)| {
            let TargetUse {
                demand, charged, ..
            } = it.total;
            (if is_tokens { charged } else { demand }, target)
        })
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
