//! What was asked of AWS, where and how often: what the bill is made of. Prices are not known here.

use std::collections::BTreeMap;

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};

use super::{ids::Scope, time::Timestamp};

/// An operation in a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    /// Account and Region; none for webhooks, and before we know who we are.
    pub scope: Option<Scope>,
    /// `service:Operation`.
    pub operation: String,
}

/// How often, each retry counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Calls {
    /// Requests that left, or were about to.
    pub requests: u64,
    /// Series asked for in them, where AWS bills series instead of requests.
    pub metrics: u64,
}

/// Calls made, by operation and place.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CallCounts {
    /// Sorted by place, then operation.
    pub by_site: BTreeMap<Site, Calls>,
}

impl CallCounts {
    /// Adds requests of one site.
    pub fn add(&mut self, site: Site, calls: Calls) {
        let sum = self.by_site.entry(site).or_default();
        sum.requests = sum.requests.saturating_add(calls.requests);
        sum.metrics = sum.metrics.saturating_add(calls.metrics);
    }

    /// Adds all of `more`.
    pub fn add_all(&mut self, more: Self) {
        for (site, calls) in more.by_site {
            self.add(site, calls);
        }
    }

    /// What came on top of `earlier`, an older state of the same count.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut news = Self::default();
        for (site, now) in &self.by_site {
            let before = earlier.by_site.get(site).copied().unwrap_or_default();
            let more = Calls {
                requests: now.requests.saturating_sub(before.requests),
                metrics: now.metrics.saturating_sub(before.metrics),
            };
            if more != Calls::default() {
                news.add(site.clone(), more);
            }
        }
        news
    }

    /// What this comes to over `whole` seconds when it came in `elapsed`; both above 0.
    #[must_use]
    pub fn scaled(&self, whole: i64, elapsed: i64) -> Self {
        let (whole, elapsed) = (whole.max(0).unsigned_abs(), elapsed.max(1).unsigned_abs());
        let times = |count: u64| {
            let scaled = u128::from(count) * u128::from(whole) / u128::from(elapsed);
            u64::try_from(scaled).unwrap_or(u64::MAX)
        };
        let by_site = self.by_site.iter().map(|(site, calls)| {
            let requests = times(calls.requests);
            let metrics = times(calls.metrics);
            (site.clone(), Calls { requests, metrics })
        });
        Self {
            by_site: by_site.collect(),
        }
    }

    /// Requests by `service:Operation`, over all places.
    #[must_use]
    pub fn by_operation(&self) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for (site, calls) in &self.by_site {
            *sums.entry(site.operation.clone()).or_default() += calls.requests;
        }
        sums
    }

    /// Series asked for, over all places and operations.
    #[must_use]
    pub fn metrics(&self) -> u64 {
        self.by_site.values().map(|calls| calls.metrics).sum()
    }
}

/// A calendar month, UTC: what AWS bills by, and what free requests are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(Date);

impl Month {
    /// The month that `at` lies in.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self(at.to_zoned(TimeZone::UTC).date().first_of_month())
    }

    /// From `2026-11`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let date: Date = format!("{name}-01").parse().ok()?;
        let month = Self(date);
        (month.name() == name).then_some(month)
    }

    /// Such as `2026-11`.
    #[must_use]
    pub fn name(self) -> String {
        self.0.strftime("%Y-%m").to_string()
    }

    /// Its last instant's successor: the first instant of the next month.
    #[must_use]
    pub fn end(self) -> Timestamp {
        let next = self.0.checked_add(1.month());
        let zoned = next.and_then(|next| next.to_zoned(TimeZone::UTC));
        zoned.map_or(Timestamp::MAX, |zoned| zoned.timestamp()) // the end of representable time
    }

    /// Its first instant.
    #[must_use]
    pub fn start(self) -> Timestamp {
        let zoned = self.0.to_zoned(TimeZone::UTC);
        zoned.map_or(Timestamp::MIN, |zoned| zoned.timestamp())
    }
}

/// What was asked in one month, so far. At most a quarter of an hour of it is lost when the process dies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    /// Which month.
    pub month: Month,
    /// Since when it is counted: the first start in this month, or its beginning.
    pub since: Timestamp,
    /// By operation and place.
    pub calls: CallCounts,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_its_own_length() {
        let month = Month::of("2028-02-29T23:59:59Z".parse().unwrap());
        assert_eq!(month.name(), "2028-02");
        assert_eq!(month.start().to_string(), "2028-02-01T00:00:00Z");
        assert_eq!(month.end().to_string(), "2028-03-01T00:00:00Z");
        assert_eq!(Month::named("2028-02"), Some(month));
        for wrong in ["2028-2", "2028-13", "2028", "2028-02-01", ""] {
            assert_eq!(Month::named(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_came_on_top_is_what_is_missing_before() {
        let site = |operation: &str| Site {
            scope: None,
            operation: operation.to_owned(),
        };
        let made = |requests, metrics| Calls { requests, metrics };
        let mut before = CallCounts::default();
        before.add(site("a:B"), made(3, 30));
        before.add(site("a:C"), made(1, 0));
        let mut after = before.clone();
        after.add(site("a:B"), made(2, 20));
        after.add(site("a:D"), made(1, 1));
        let news = after.since(&before);
        let expected = [(site("a:B"), made(2, 20)), (site("a:D"), made(1, 1))];
        assert_eq!(news.by_site, BTreeMap::from(expected));
        before.add_all(news);
        assert_eq!(before, after);
    }
}
