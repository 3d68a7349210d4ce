//! History as a document.

use super::{View, desk::quota_change, text};
use crate::{
    model::{
        catalog::PoolId,
        history::Bucket,
        quota::QuotaChange,
        rule::Condition,
        series::Sample,
        time::Timestamp,
        units::{Amount, QuotaKind},
    },
    runtime::history::Asked,
    web::json,
};

/// The share of minutes that were observed. A complete answer without a datapoint is an observation, too.
fn coverage(buckets: &[Bucket], minutes: i64) -> f64 {
    let of = i32::try_from(minutes).map_or(f64::INFINITY, f64::from); // at most 60
    let known = buckets.iter().map(|bucket| match bucket.value {
        Sample::NoData => of,
        Sample::Value(_) | Sample::Unobserved => f64::from(bucket.known),
    });
    let (mut sum, mut all) = (0.0, 0.0);
    for known in known {
        sum += known;
        all += of;
    }
    if 0.0 < all { sum / all } else { 0.0 }
}

impl View<'_> {
    pub(in crate::web) fn history(&self, asked: &Asked, buckets: &[Bucket]) -> json::History {
        let minutes = asked.resolution.minutes();
        let first = asked.from.plus(-asked.from.0.rem_euclid(minutes));
        let rows = (0_i64..).zip(buckets).map(|(index, bucket)| json::Bucket {
            at: text(first.plus(index * minutes).start()),
            value: bucket.value.value(),
            peak: bucket.peak.value(),
            known: bucket.known,
            of: u8::try_from(minutes).unwrap_or(u8::MAX), // at most 60
            is_silent: bucket.value == Sample::NoData,
        });
        json::History {
            now: self.now().map(text),
            is_simulated: self.is_simulated,
            pool: asked.pool.to_string(),
            signal: asked.signal.name().to_owned(),
            resolution: asked.resolution.name().to_owned(),
            from: text(first.start()),
            to: text(asked.until.start()),
            coverage: coverage(buckets, minutes),
            buckets: rows.collect(),
            limits: self.limits(asked),
        }
    }

    /// What changed of the quotas that limit this pool by today's mapping, and of the thresholds by today's rules.
    fn limits(&self, asked: &Asked) -> Vec<json::LimitChange> {
        let Some(pool) = self.book.pools.get(&asked.pool) else {
            return Vec::new();
        };
        let mapped = pool.mappings.iter();
        let codes: Vec<_> = mapped
            .filter_map(|(kind, mapping)| Some((*kind, mapping.code()?)))
            .collect();
        let range = asked.from.start()..asked.until.start();
        let changes = self.book.quota_changes.values();
        let changes = changes.filter(|it| it.scope == asked.pool.scope && range.contains(&it.at));
        let mut limits: Vec<(Timestamp, json::LimitChange)> = Vec::new();
        for change in changes {
            let kinds = codes.iter().filter(|(_, code)| **code == change.code);
            limits.extend(kinds.map(|(kind, _)| {
                let limit = json::LimitChange {
                    change: quota_change(change),
                    kind: kind.name().to_owned(),
                    thresholds: self.thresholds(&asked.pool, *kind, change),
                };
                (change.at, limit)
            }));
        }
        limits.sort_by_key(|(at, _)| *at);
        limits.into_iter().map(|(_, limit)| limit).collect()
    }

    fn thresholds(
        &self,
        pool: &PoolId,
        kind: QuotaKind,
        change: &QuotaChange,
    ) -> Vec<json::Threshold> {
        let rules = self.settings.rules.of(pool);
        let mut thresholds: Vec<json::Threshold> = rules
            .iter()
            .filter_map(|rule| match rule.condition {
                Condition::QuotaShare {
                    kind: own, above, ..
                } if own == kind => {
                    let by = |value: Option<Amount>| value.map(|value| value.at(above).get());
                    Some(json::Threshold {
                        rule: rule.name.to_string(),
                        old: by(change.old),
                        new: by(change.new),
                    })
                }
                Condition::QuotaShare { .. }
                | Condition::Count { .. }
                | Condition::Slow { .. }
                | Condition::Unusual(_)
                | Condition::RunsOut { .. }
                | Condition::Ends { .. } => None,
            })
            .collect();
        thresholds.sort_by(|a, b| a.rule.cmp(&b.rule));
        thresholds
    }
}
