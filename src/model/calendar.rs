//! What the operator knows of days to come: windows in which nothing is judged or learned, and growth.

use super::{
    catalog::PoolId,
    ids::{AccountId, Region},
    time::{DAY, Minute},
};

/// Minutes of a week.
pub const WEEK: i64 = 7 * DAY;
/// 1970-01-05 was the first Monday.
const FIRST_MONDAY: i64 = 4 * DAY;

/// All planned events, in the order of the configuration.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Calendar {
    /// Minutes that are neither judged nor learned.
    pub windows: Vec<Window>,
    /// Growth of demand.
    pub growths: Vec<Growth>,
}

/// Minutes of some pools that are neither judged nor learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// What people call it; unique.
    pub name: String,
    /// Why.
    pub kind: WindowKind,
    /// When.
    pub when: When,
    /// Whose.
    pub whose: Whose,
}

/// Why minutes are neither judged nor learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowKind {
    /// Something is worked on.
    Maintenance,
    /// A load test, a migration, a sale: traffic that is not usual, and known.
    ExpectedTraffic,
}

impl WindowKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Maintenance, Self::ExpectedTraffic];

    /// The name in TOML.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Maintenance => "maintenance",
            Self::ExpectedTraffic => "expected-traffic",
        }
    }
}

/// When a window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Once.
    Once {
        /// First minute.
        from: Minute,
        /// End, exclusive.
        until: Minute,
    },
    /// Each week.
    Weekly {
        /// Minutes from Monday 00:00 UTC to the first minute, `0..WEEK`.
        start: i64,
        /// How many minutes it lasts, `1..WEEK`.
        lasts: i64,
    },
}

impl When {
    fn holds(self, minute: Minute) -> bool {
        match self {
            Self::Once { from, until } => (from..until).contains(&minute),
            Self::Weekly { start, lasts } => {
                let since = minute.0.saturating_sub(FIRST_MONDAY + start);
                since.rem_euclid(WEEK) < lasts
            }
        }
    }
}

/// From a minute on, demand is so many times what it would be.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// What people call it; unique.
    pub name: String,
    /// First minute.
    pub from: Minute,
    /// From here on it is over; `None` for good.
    pub until: Option<Minute>,
    /// Positive; 1.4 is 40 % more.
    pub factor: f64,
    /// Whose.
    pub whose: Whose,
}

/// Pools by account, Region and model. An empty list is any.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Whose {
    /// Accounts.
    pub accounts: Vec<AccountId>,
    /// Source Regions.
    pub regions: Vec<Region>,
    /// Base models; one that ends in `*` is the beginning of a name.
    pub models: Vec<String>,
}

impl Whose {
    /// Whether the pool is one of them.
    #[must_use]
    pub fn includes(&self, pool: &PoolId) -> bool {
        let is_model = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => pool.model.as_str().starts_with(beginning),
            None => pool.model.as_str() == pattern,
        };
        let Self {
            accounts,
            regions,
            models,
        } = self;
        (accounts.is_empty() || accounts.contains(&pool.scope.account))
            && (regions.is_empty() || regions.contains(&pool.scope.region))
            && (models.is_empty() || models.iter().any(is_model))
    }
}

/// The windows of one pool.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Windows(Vec<Window>);

impl Windows {
    /// The window that this minute lies in; of several the first of the configuration.
    #[must_use]
    pub fn at(&self, minute: Minute) -> Option<&Window> {
        self.0.iter().find(|window| window.when.holds(minute))
    }

    /// Whether any of these minutes lies in a window.
    #[must_use]
    pub fn touch(&self, from: Minute, until: Minute) -> bool {
        !self.0.is_empty() && from.until(until).any(|minute| self.at(minute).is_some())
    }
}

impl Window {
    /// Such as `maintenance window NAME`, as a sentence fragment.
    #[must_use]
    pub fn title(&self) -> String {
        let what = match self.kind {
            WindowKind::Maintenance => "maintenance window",
            WindowKind::ExpectedTraffic => "expected traffic",
        };
        format!("{what} \"{}\"", self.name)
    }
}

impl Calendar {
    /// The windows of this pool.
    #[must_use]
    pub fn windows_of(&self, pool: &PoolId) -> Windows {
        let own = self.windows.iter().filter(|it| it.whose.includes(pool));
        Windows(own.cloned().collect())
    }

    /// The window of this pool that the minute lies in: it is neither to be judged nor learned.
    #[must_use]
    pub fn window(&self, pool: &PoolId, minute: Minute) -> Option<&Window> {
        let mut windows = self.windows.iter();
        windows.find(|it| it.when.holds(minute) && it.whose.includes(pool))
    }

    /// The growth of this pool: from each minute on demand is so many times what it was just before; sorted by minute.
    /// What ends is taken back by its inverse.
    #[must_use]
    pub fn growth_of(&self, pool: &PoolId) -> Vec<(Minute, f64)> {
        let own = self.growths.iter().filter(|it| it.whose.includes(pool));
        let mut steps: Vec<(Minute, f64)> = own
            .flat_map(|it| {
                let end = it.until.map(|until| (until, 1.0 / it.factor));
                std::iter::once((it.from, it.factor)).chain(end)
            })
            .collect();
        steps.sort_by(|a, b| (a.0, a.1).partial_cmp(&(b.0, b.1)).unwrap_or(a.0.cmp(&b.0)));
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        catalog::Family,
        ids::{ModelId, Scope},
    };

    fn pool(region: &str, model: &str) -> PoolId {
        PoolId {
            scope: Scope {
                account: AccountId::new("111122223333"),
                region: Region::new(region),
            },
            family: Family::Geo,
            model: ModelId::new(model),
        }
    }

    fn minute(text: &str) -> Minute {
        Minute::of(text.parse().unwrap())
    }

    fn window(when: When, whose: Whose) -> Window {
        Window {
            name: "patching".to_owned(),
            kind: WindowKind::Maintenance,
            when,
            whose,
        }
    }

    #[test]
    fn a_weekly_window_goes_over_the_end_of_the_week() {
        // Sunday 23:00 to Monday 01:00 UTC.
        let when = When::Weekly {
            start: 6 * DAY + 23 * 60,
            lasts: 120,
        };
        for (at, expected) in [
            ("2026-03-01T22:59:00Z", false),
            ("2026-03-01T23:00:00Z", true),
            ("2026-03-02T00:59:00Z", true),
            ("2026-03-02T01:00:00Z", false),
            ("1969-12-28T23:30:00Z", true),
        ] {
            assert_eq!(when.holds(minute(at)), expected, "{at}");
        }
    }

    #[test]
    fn windows_are_those_of_the_pool() {
        let whose = Whose {
            regions: vec![Region::new("us-east-1")],
            models: vec!["anthropic.claude-*".to_owned()],
            ..Whose::default()
        };
        let (from, until) = (
            minute("2026-03-02T09:00:00Z"),
            minute("2026-03-02T10:00:00Z"),
        );
        let calendar = Calendar {
            windows: vec![window(When::Once { from, until }, whose)],
            growths: Vec::new(),
        };
        let own = pool("us-east-1", "anthropic.claude-sonnet-4-6");
        assert_eq!(
            calendar.window(&own, from).unwrap().title(),
            "maintenance window \"patching\""
        );
        assert!(calendar.window(&own, until).is_none());
        assert!(calendar.windows_of(&own).touch(from.plus(-5), from.plus(1)));
        assert!(!calendar.windows_of(&own).touch(from.plus(-5), from));
        for other in [
            pool("eu-west-1", "anthropic.claude-sonnet-4-6"),
            pool("us-east-1", "amazon.nova-pro-v1:0"),
        ] {
            assert!(calendar.window(&other, from).is_none(), "{other}");
        }
    }

    #[test]
    fn growth_that_ends_is_taken_back() {
        let growth = |name: &str, from, until, factor| Growth {
            name: name.to_owned(),
            from: Minute(from),
            until,
            factor,
            whose: Whose::default(),
        };
        let calendar = Calendar {
            windows: Vec::new(),
            growths: vec![
                growth("sale", 500, Some(Minute(900)), 2.0),
                growth("launch", 100, None, 1.4),
            ],
        };
        let steps = calendar.growth_of(&pool("us-east-1", "m"));
        let expected = [(Minute(100), 1.4), (Minute(500), 2.0), (Minute(900), 0.5)];
        assert_eq!(steps, expected);
    }
}
