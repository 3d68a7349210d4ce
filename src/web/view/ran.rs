//! Where requests ran, day by day added up.

use std::collections::BTreeMap;

use super::{View, text};
use crate::{
    model::{
        ids::{Region, Scope, TargetId},
        ran::Count,
        residency::outside,
        time::{DAY, HOUR, Minute},
    },
    web::json::{Ran, RanRead, RanRow},
};

/// A way of one account and Region: what it came to, the first and the last day.
type Ways<'a> = BTreeMap<(&'a Scope, &'a TargetId, &'a Option<Region>), (Count, i64, i64)>;

/// A day counted from 1970, as people write it.
pub(in crate::web) fn day_text(day: i64) -> String {
    let midnight = Minute(day.saturating_mul(DAY)).start();
    midnight.strftime("%Y-%m-%d").to_string()
}

impl View<'_> {
    /// These days, the last included.
    pub(in crate::web) fn ran(&self, (first, last): (i64, i64)) -> Ran {
        let mut ways = Ways::new();
        let mut read = self.asked_logs();
        for ((scope, day), known) in &self.book.ran {
            if !(first..=last).contains(day) {
                continue;
            }
            let (hours, bytes) = read.entry(scope.clone()).or_default();
            *hours += u64::try_from(known.hours.len()).unwrap_or(0); // at most 24
            *bytes = bytes.saturating_add(known.bytes_scanned);
            for ((target, ran_in), count) in &known.ways {
                let (sum, begin, end) =
                    ways.entry((scope, target, ran_in))
                        .or_insert((Count::default(), *day, *day));
                sum.add(count);
                *begin = (*begin).min(*day);
                *end = (*end).max(*day);
            }
        }
        let now = self.now().map(Minute::of);
        let end = Minute((last + 1).saturating_mul(DAY));
        let end = now.map_or(end, |now| now.hour().min(end));
        let of = end.since(Minute(first.saturating_mul(DAY))).max(0) / HOUR;
        let read = read.into_iter().map(|(scope, (hours, bytes))| RanRead {
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            hours,
            of: u64::try_from(of).unwrap_or(0), // not below 0
            bytes_scanned: bytes,
        });
        Ran {
            now: self.now().map(text),
            is_simulated: self.is_simulated,
            from: day_text(first),
            to: day_text(last),
            read: read.collect(),
            rows: self.rows(&ways),
        }
    }

    /// Where logs are asked: a place of which no hour was read is told as that. Hours and bytes, none yet.
    fn asked_logs(&self) -> BTreeMap<Scope, (u64, u64)> {
        let groups = &self.settings.policy.invocation_logs;
        let accounts = self.settings.accounts.iter();
        let asked = accounts.filter(|it| groups.contains_key(&it.id));
        let places = asked.flat_map(|account| {
            account.regions.known().iter().map(|region| Scope {
                account: account.id.clone(),
                region: region.clone(),
            })
        });
        places.map(|it| (it, (0, 0))).collect()
    }

    fn rows(&self, ways: &Ways<'_>) -> Vec<RanRow> {
        let rules = &self.settings.policy.residency;
        let mut of_target: BTreeMap<(&Scope, &TargetId), u64> = BTreeMap::new();
        for ((scope, target, _), (count, ..)) in ways {
            *of_target.entry((scope, target)).or_default() += count.requests;
        }
        let rows = ways
            .iter()
            .map(|((scope, target, ran_in), (it, first, last))| {
                let all = of_target.get(&(*scope, *target)).copied().unwrap_or(0);
                let broken = ran_in
                    .as_ref()
                    .map(|region| outside(scope, target, region, rules));
                RanRow {
                    account: scope.account.to_string(),
                    called_in: scope.region.to_string(),
                    target: target.to_string(),
                    ran_in: ran_in.as_ref().map(Region::to_string),
                    requests: it.requests,
                    share: (0 < all).then(|| number(it.requests) / number(all)),
                    failed: it.failed,
                    input_tokens: it.input,
                    output_tokens: it.output,
                    cache_read_tokens: it.cache_read,
                    cache_write_tokens: it.cache_write,
                    first: day_text(*first),
                    last: day_text(*last),
                    outside: broken
                        .unwrap_or_default()
                        .into_iter()
                        .map(str::to_owned)
                        .collect(),
                }
            });
        rows.collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
const fn number(count: u64) -> f64 {
    count as f64
}
