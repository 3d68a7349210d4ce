//! What the month costs so far, and what it will come to: counted in memory, written down every quarter of an hour.

use std::collections::BTreeSet;

use super::{Cycle, CycleError};
use crate::{
    aws::price,
    collect::{
        budget::{Means, stretch},
        cadence::Plan,
    },
    model::{
        book::{Book, Key, Record},
        ids::{AccountId, Scope},
        policy::Settings,
        spend::{CallCounts, Month, Spend},
        time::{Minute, Timestamp, after},
        units::Share,
    },
    runtime::shared::{Cost, MonthCost},
};

/// So much of the count is lost at most when the process dies.
const SAVE_MINUTES: i64 = 15;
/// Months that are remembered: a year, and the one before it to compare with.
const MONTHS_KEPT: usize = 13;
/// Single requests of each round that are not up to us: the account's throttles, and now and then its invocations.
const ACCOUNT_WIDE: f64 = 1.5;
/// Single requests of one round at most, since each takes a call of its own.
const MOST_FREE: u32 = 60;
/// The part of the budget that is planned with: reads come in lumps, and the last one must not pass it.
const BUDGET_AIM: f64 = 0.97;
/// A projection from less than this would be a guess, seconds.
const LEAST_SECONDS: i64 = 3_600;

/// The count as it goes on.
#[derive(Debug, Default)]
pub(super) struct Spending {
    /// What the port had counted when it was last asked; it begins at zero with the process.
    seen: CallCounts,
    month: Option<Spend>,
    saved: Option<Timestamp>,
}

impl Spending {
    /// Takes in what the port has counted by now. Returns what is to be written down, if it is time.
    fn take_in(&mut self, calls: CallCounts, book: &Book, now: Timestamp) -> Vec<Record> {
        let news = calls.since(&self.seen);
        self.seen = calls;
        let this = Month::of(now);
        let mut records = Vec::new();
        if self.month.as_ref().is_some_and(|spend| spend.month < this) {
            records.extend(self.month.take().map(Record::Spend));
            let kept = book.spends.keys().rev().skip(MONTHS_KEPT);
            records.extend(kept.map(|month| Record::Remove(Key::Spend(*month))));
            self.saved = None;
        }
        let spend = self.month.get_or_insert_with(|| {
            let known = book.spends.get(&this).cloned();
            known.unwrap_or_else(|| Spend {
                month: this,
                since: if records.is_empty() {
                    now
                } else {
                    this.start()
                },
                calls: CallCounts::default(),
            })
        });
        spend.calls.add_all(news);
        if self
            .saved
            .is_none_or(|saved| after(saved, SAVE_MINUTES) <= now)
        {
            self.saved = Some(now);
            records.push(Record::Spend(spend.clone()));
        }
        records
    }

    fn outlook(&self, free_share: Share, now: Timestamp) -> Option<MonthCost> {
        let spend = self.month.as_ref()?;
        let elapsed = now.as_second().saturating_sub(spend.since.as_second());
        let whole = spend
            .month
            .end()
            .as_second()
            .saturating_sub(spend.since.as_second());
        let projected = (LEAST_SECONDS <= elapsed)
            .then(|| cost(&spend.calls.scaled(whole, elapsed), free_share));
        let sites = spend.calls.by_site.iter();
        let sites = sites.map(|(site, calls)| (site.clone(), *calls, price::usd_of(site, *calls)));
        Some(MonthCost {
            so_far: cost(&spend.calls, free_share),
            projected,
            month: spend.month,
            since: spend.since,
            sites: sites.collect(),
            prices: price::source(),
        })
    }
}

fn cost(calls: &CallCounts, free_share: Share) -> Cost {
    Cost {
        list_usd: price::usd(calls),
        usd: price::usd_with_free(calls, free_share),
    }
}

/// Minutes that are left of the month, at least one.
fn minutes_left(now: Timestamp) -> f64 {
    let end = Minute::of(Month::of(now).end());
    let left = end.since(Minute::of(now)).max(1);
    i32::try_from(left).map_or(f64::INFINITY, f64::from) // a month has 44,640
}

impl Spending {
    /// Requests of this month that would still be free in this account.
    fn free_left(&self, account: &AccountId, free_share: Share) -> u32 {
        let made = self.month.iter().flat_map(|spend| &spend.calls.by_site);
        let own = made.filter(|(site, _)| {
            let scope = site.scope.as_ref();
            price::is_free(site) && scope.is_some_and(|scope| scope.account == *account)
        });
        let used: u64 = own.map(|(_, calls)| calls.requests).sum();
        let all = price::free_requests(free_share);
        all.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
    }

    fn so_far_usd(&self, free_share: Share) -> f64 {
        let calls = self.month.as_ref().map(|spend| &spend.calls);
        calls.map_or(0.0, |calls| price::usd_with_free(calls, free_share))
    }
}

impl Cycle {
    /// How often which pool is read from now on, so that the month stays within its budget.
    pub(super) fn plan_of_reads(&mut self, now: Timestamp) -> Plan {
        let Settings {
            accounts,
            cadence,
            cost,
            ..
        } = &*self.settings;
        let book = self.shared.book();
        let open = book
            .incidents
            .values()
            .filter(|it| it.is_open() && !it.is_of_lifecycle() && !it.is_of_residency());
        let mut plan = Plan {
            heat: self.heat.clone(),
            stretch: 1.0,
            pinned: open
                .flat_map(|incident| incident.pools.iter().cloned())
                .collect(),
            woken: self.rounds.woken(),
        };
        let left = minutes_left(now);
        let money =
            (BUDGET_AIM * cost.monthly_budget - self.spending.so_far_usd(cost.free_share)) / left;
        let linked = accounts.iter().filter(|it| it.metrics_through.is_some());
        let linked: BTreeSet<&AccountId> = linked.map(|it| &it.id).collect();
        let own = accounts.iter().filter(|it| !linked.contains(&it.id));
        let free: f64 = own
            .map(|account| f64::from(self.spending.free_left(&account.id, cost.free_share)))
            .sum();
        let means = Means {
            paid: money / price::usd_per_series(),
            free: free / left,
        };
        plan.stretch = stretch(&plan, &book, cadence, means, &linked);
        let read_every = plan.read_every(&book, cadence);
        drop(book);
        self.shared.health_mut().read_every = read_every;
        self.tell_stretch(plan.stretch, now);
        plan
    }

    /// Whether the month's budget is used up, as far as we may use it.
    pub(super) fn is_budget_spent(&self) -> bool {
        let cost = &self.settings.cost;
        BUDGET_AIM * cost.monthly_budget <= self.spending.so_far_usd(cost.free_share)
    }

    fn tell_stretch(&self, stretch: f64, now: Timestamp) {
        let budget = self.settings.cost.monthly_budget;
        let mut health = self.shared.health_mut();
        match (1.0 < health.stretch, 1.0 < stretch) {
            (false, true) => tracing::warn!(
                event = "cost.slowed",
                %now,
                budget,
                stretch,
                "at this pace the month would pass its budget: pools without an incident are read less often, and once it is used up the history before the start waits for the next month"
            ),
            (true, false) => tracing::info!(
                event = "cost.unslowed",
                %now,
                budget,
                "the budget pays for full cadence again"
            ),
            (true, true) | (false, false) => {}
        }
        health.stretch = stretch;
    }

    /// How many free requests the next round of this scope may spend on single series. Our share is spread over the
    /// minutes since we count and the account's Regions; what minutes with few reads leave is there for those with many.
    pub(super) fn free_requests(&self, scope: &Scope, now: Timestamp) -> u32 {
        if self.cloud.access(scope).metrics_through.is_some() {
            return 0;
        }
        let cost = &self.settings.cost;
        let scopes = self.rounds.scopes();
        let regions = scopes
            .filter(|it| it.account == scope.account)
            .count()
            .max(1);
        let regions = u32::try_from(regions).map_or(f64::INFINITY, f64::from);
        let left = f64::from(self.spending.free_left(&scope.account, cost.free_share));
        let all = f64::from(price::free_requests(cost.free_share));
        let since = self
            .spending
            .month
            .as_ref()
            .map_or(now, |spend| spend.since);
        let for_later = all * minutes_left(now) / minutes_left(since);
        let a_round = (left - for_later) / regions - ACCOUNT_WIDE;
        (0..MOST_FREE)
            .take_while(|count| f64::from(count + 1) <= a_round)
            .count()
            .try_into()
            .unwrap_or(MOST_FREE)
    }

    /// Counts what the cycle asked of AWS.
    pub(super) async fn count_cost(&mut self, now: Timestamp) -> Result<(), CycleError> {
        let calls = self.cloud.calls();
        let records = self
            .spending
            .take_in(calls.clone(), &self.shared.book(), now);
        self.commit(records, now).await?;
        let free_share = self.settings.cost.free_share;
        let month = self.spending.outlook(free_share, now);
        let mut health = self.shared.health_mut();
        health.cost_usd = price::usd(&calls);
        health.calls = calls;
        health.month = month;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::spend::{Calls, Site};

    fn counted(requests: u64) -> CallCounts {
        let mut counts = CallCounts::default();
        let site = Site {
            scope: None,
            operation: "cloudwatch:GetMetricData".to_owned(),
        };
        let metrics = requests * 10;
        counts.add(site, Calls { requests, metrics });
        counts
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_restart_goes_on_counting_where_the_last_record_stands() {
        let mut book = Book::default();
        let mut first = Spending::default();
        let start = at("2026-11-10T00:00:00Z");
        book.apply(first.take_in(counted(3), &book, start));
        assert!(
            first
                .take_in(counted(4), &book, after(start, 14))
                .is_empty()
        );
        book.apply(first.take_in(counted(5), &book, after(start, 15)));
        // The new process counts from zero again.
        let mut second = Spending::default();
        book.apply(second.take_in(counted(2), &book, after(start, 20)));
        let spend = &book.spends[&Month::of(start)];
        assert_eq!(spend.calls, counted(7));
        assert_eq!(spend.since, start);
    }

    #[test]
    fn a_new_month_begins_at_nothing_and_the_old_one_is_kept() {
        let mut book = Book::default();
        let mut spending = Spending::default();
        let old = at("2026-11-30T23:59:00Z");
        book.apply(spending.take_in(counted(3), &book, old));
        book.apply(spending.take_in(counted(8), &book, after(old, 1)));
        let calls: Vec<_> = book
            .spends
            .values()
            .map(|spend| spend.calls.clone())
            .collect();
        assert_eq!(calls, [counted(3), counted(5)]);
        let newest = book.spends.values().next_back().unwrap();
        assert_eq!(newest.since, newest.month.start());
    }

    #[test]
    fn the_month_is_projected_from_what_was_counted_of_it() {
        let mut spending = Spending::default();
        let book = Book::default();
        let start = at("2026-11-21T00:00:00Z");
        spending.take_in(counted(0), &book, start);
        assert_eq!(
            spending.outlook(Share::HALF, start).unwrap().projected,
            None
        );
        let day = after(start, 1_440);
        spending.take_in(counted(10_000), &book, day);
        let outlook = spending.outlook(Share::HALF, day).unwrap();
        assert!((outlook.so_far.usd - 1.0).abs() < 1e-9);
        assert!((outlook.projected.unwrap().usd - 10.0).abs() < 1e-9);
    }
}
