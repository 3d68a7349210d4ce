//! Where requests ran, day by day added up.

use std::collections::BTreeMap;

use super::{View, text};
use crate::{
    model::{
        ids::{Region, Scope, TargetId},
        ran::{Count, RanDay},
        residency::outside,
        time::{DAY, HOUR, Minute},
    },
    web::json::{Ran, RanRead, RanRow},
};

/// A way of one account and Region: what it came to, the first and the last day.
type Ways<'a> = BTreeMap<(&'a Scope, &'a TargetId, &'a Option<Region>), (Count, i64, i64)>;

/// Hours over for so many minutes should have been read: they are asked about two hours after their end, one by one.
const DUE_MINUTES: i64 = 3 * HOUR;

/// What no record of ours says.
const NOT_COVERED: [&str; 5] = [
    "Requests behind the endpoint bedrock-mantle: invocation logging sees bedrock-runtime alone.",
    "Hours that were not read, and what was logged later than two hours after its hour: AWS delivers the log late and best effort.",
    "Where failed requests were processed, if anywhere: they are counted apart.",
    "Where a request ran whose record names no Region: it is told as such and held against no rule.",
    "Which model an application profile is of that the account lists no more: rules that name models are not held against those.",
];

/// What was read of the log of one account and Region.
#[derive(Clone, Copy, Default)]
struct Read {
    hours: u64,
    bytes: u64,
    /// Of the hours, those that should have been read.
    due: u64,
    /// The end of the last of them.
    until: Option<Minute>,
}

impl Read {
    fn add(&mut self, day: i64, known: &RanDay, due: Minute) {
        self.hours += u64::try_from(known.hours.len()).unwrap_or(0); // at most 24
        self.bytes = self.bytes.saturating_add(known.bytes_scanned);
        for hour in &known.hours {
            let end = Minute(day * DAY).plus((i64::from(*hour) + 1) * HOUR);
            self.due += u64::from(end <= due);
            self.until = self.until.max(Some(end));
        }
    }
}

/// Whole hours from the first of these days until then, or until their end.
fn hours_until(first: i64, end: Minute) -> u64 {
    let minutes = end.since(Minute(first.saturating_mul(DAY)));
    u64::try_from(minutes.max(0) / HOUR).unwrap_or(0) // not below 0
}

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
        let now = self.now().map(Minute::of);
        let end = Minute((last + 1).saturating_mul(DAY));
        let over = now.map_or(end, |now| now.hour().min(end));
        let due = now.map_or(end, |now| now.plus(-DUE_MINUTES).hour().min(end));
        for ((scope, day), known) in &self.book.ran {
            if !(first..=last).contains(day) {
                continue;
            }
            let here = read.entry(scope.clone()).or_default();
            here.add(*day, known, due);
            for ((target, ran_in), count) in &known.ways {
                let (sum, begin, end) =
                    ways.entry((scope, target, ran_in))
                        .or_insert((Count::default(), *day, *day));
                sum.add(count);
                *begin = (*begin).min(*day);
                *end = (*end).max(*day);
            }
        }
        let read = read.into_iter().map(|(scope, it)| RanRead {
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            hours: it.hours,
            of: hours_until(first, over),
            missing: hours_until(first, due).saturating_sub(it.due),
            read_until: it.until.map(|until| text(until.start())),
            age_seconds: it.until.and_then(|until| Some(now?.since(until) * 60)),
            bytes_scanned: it.bytes,
        });
        Ran {
            now: self.now().map(text),
            is_simulated: self.is_simulated,
            from: day_text(first),
            to: day_text(last),
            rules: self.rules_of_residency(),
            read: read.collect(),
            rows: self.rows(&ways),
            not_covered: NOT_COVERED.map(str::to_owned).into(),
        }
    }

    fn rules_of_residency(&self) -> Vec<String> {
        let rules = self.settings.policy.residency.iter();
        rules.map(|it| it.name.to_string()).collect()
    }

    /// Where logs are asked: a place of which no hour was read is told as that.
    fn asked_logs(&self) -> BTreeMap<Scope, Read> {
        let groups = &self.settings.policy.invocation_logs;
        let accounts = self.settings.accounts.iter();
        let asked = accounts.filter(|it| groups.contains_key(&it.id));
        let places = asked.flat_map(|account| {
            account.regions.known().iter().map(|region| Scope {
                account: account.id.clone(),
                region: region.clone(),
            })
        });
        places.map(|it| (it, Read::default())).collect()
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
                let known = ((*scope).clone(), (*target).clone());
                let pool = self.book.targets.get(&known).map(|it| &it.pool);
                let tags = self.book.tags.get(&known);
                let broken = ran_in
                    .as_ref()
                    .map(|region| outside(scope, (target, pool, tags), region, rules));
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
