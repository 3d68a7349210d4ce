//! Judging and planning: the pools with news are judged, and one plan is made of it.

use std::collections::BTreeSet;

use super::{Cycle, CycleError};
use crate::{
    act::plan::{self, situation},
    engine,
    model::{
        action::Effect,
        alert::{AlertState, Verdict},
        book::Book,
        catalog::PoolId,
        desk::DeskReading,
        incident::AlertKey,
        reason::Reason,
        rule::Category,
        series::Reading,
        time::Timestamp,
        units::Share,
    },
};

/// From this share of a quota on, a pool is read as often as a hot one.
const HOT_SHARE: f64 = 0.6;
/// Targets named in a message.
const MOST_TAKERS: usize = 5;

impl Cycle {
    /// Whether something waits for the planner that no reading brings: a receipt, or an answer of a person.
    pub(super) fn has_news(&self) -> bool {
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

    pub(super) async fn judge_and_plan(
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
            let orphans = engine::orphans(&self.shared.settings.rules, &book);
            let inputs = plan::Inputs {
                book: &book,
                verdicts: &verdicts,
                orphans: &orphans,
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
pub(super) fn takers(reading: &Reading) -> Vec<Reason> {
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
