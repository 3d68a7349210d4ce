//! Which rules hold for which pool: the rules as they hold everywhere, and overrides for some pools.
//!
//! Overrides are laid over one another value by value, the widest first, so that the narrowest has the last word.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{Pattern, Rule, Value};
use crate::model::{
    catalog::{Family, PoolId},
    ids::{AccountId, RuleName, Scope},
    tags::Wanted,
    units::Share,
};

/// Which pools an override is for. An empty list leaves that part open; all parts must fit.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Matcher {
    /// Accounts.
    pub accounts: Vec<AccountId>,
    /// Regions.
    pub regions: Vec<Pattern>,
    /// Families.
    pub families: Vec<Family>,
    /// Base models.
    pub models: Vec<Pattern>,
}

impl Matcher {
    /// Whether this pool is meant.
    #[must_use]
    pub fn fits(&self, pool: &PoolId) -> bool {
        let any = |patterns: &[Pattern], name: &str| {
            patterns.is_empty() || patterns.iter().any(|it| it.fits(name))
        };
        (self.accounts.is_empty() || self.accounts.contains(&pool.scope.account))
            && (self.families.is_empty() || self.families.contains(&pool.family))
            && any(&self.regions, pool.scope.region.as_str())
            && any(&self.models, pool.model.as_str())
    }

    /// Whether all of this account and Region is meant, whatever the model.
    #[must_use]
    pub fn fits_all_of(&self, scope: &Scope) -> bool {
        let in_region =
            self.regions.is_empty() || self.regions.iter().any(|it| it.fits(scope.region.as_str()));
        (self.accounts.is_empty() || self.accounts.contains(&scope.account))
            && in_region
            && self.families.is_empty()
            && self.models.is_empty()
    }

    /// Whether some pool may be meant by both.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let any = |left: &[Pattern], right: &[Pattern]| {
            left.is_empty()
                || right.is_empty()
                || left.iter().any(|it| right.iter().any(|own| it.meets(own)))
        };
        share_one(&self.accounts, &other.accounts)
            && share_one(&self.families, &other.families)
            && any(&self.regions, &other.regions)
            && any(&self.models, &other.models)
    }

    /// How narrow it is; the greater wins. Model before family before Region before account, and of each a whole name
    /// before a pattern before nothing. A list is as narrow as its widest entry.
    #[must_use]
    pub fn narrowness(&self) -> [usize; 4] {
        let of = |patterns: &[Pattern]| {
            let each = patterns.iter().map(Pattern::narrowness);
            each.min().unwrap_or(0)
        };
        let named = |is_empty: bool| if is_empty { 0 } else { usize::MAX };
        [
            of(&self.models),
            named(self.families.is_empty()),
            of(&self.regions),
            named(self.accounts.is_empty()),
        ]
    }
}

fn share_one<T: PartialEq>(left: &[T], right: &[T]) -> bool {
    left.is_empty() || right.is_empty() || left.iter().any(|it| right.contains(it))
}

/// Values of rules that differ for some pools.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// Its name, unique among the overrides.
    pub name: String,
    /// Where it is written, for people: `config.toml:12`.
    pub place: String,
    /// For which pools.
    pub matcher: Matcher,
    /// Of these the pools in which a target has these tags.
    pub tags: Wanted,
    /// The values by rule and key. Keys are those of [`Rule::slots`], and `enabled`.
    pub changes: BTreeMap<RuleName, BTreeMap<&'static str, Value>>,
}

impl Override {
    /// How narrow it is; the greater wins. Tags before all that [`Matcher::narrowness`] compares.
    #[must_use]
    pub fn narrowness(&self) -> ((usize, usize), [usize; 4]) {
        (self.tags.narrowness(), self.matcher.narrowness())
    }

    /// Whether there is no telling which of two holds where both fit: they are equally narrow, and by the same tags. By
    /// different ones both may be meant, and meet in a pool of several targets: there the first of the configuration holds.
    #[must_use]
    pub fn ties(&self, other: &Self) -> bool {
        self.narrowness() == other.narrowness()
            && self.matcher.meets(&other.matcher)
            && self.tags == other.tags
    }
}

/// The tags of the targets of each pool, target by target; pools without any are left out.
pub type TagsByPool = BTreeMap<PoolId, Vec<BTreeMap<String, String>>>;

/// One value that an override gave, and no narrower one took back.
#[derive(Clone, Copy, Debug)]
pub struct Given<'r> {
    /// The key.
    pub key: &'static str,
    /// The value.
    pub value: Value,
    /// By which override.
    pub by: &'r Override,
}

/// All rules, and what holds for which pool.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Rules {
    /// Sorted by name; those that are off as well, since an override may switch them on.
    known: Vec<Rule>,
    off: BTreeSet<RuleName>,
    everywhere: Vec<Rule>,
    /// The widest first.
    overrides: Vec<Override>,
    /// For overrides by tag; empty where there are none.
    tags: TagsByPool,
    /// What was worked out already, for pools that an override is for.
    prepared: BTreeMap<PoolId, Vec<Rule>>,
}

impl From<Vec<Rule>> for Rules {
    /// The same rules for all pools.
    fn from(rules: Vec<Rule>) -> Self {
        Self::new(rules, BTreeSet::new(), Vec::new())
    }
}

impl Rules {
    /// These rules, without those that are off, but as the overrides say where they say something.
    #[must_use]
    pub fn new(
        mut known: Vec<Rule>,
        off: BTreeSet<RuleName>,
        mut overrides: Vec<Override>,
    ) -> Self {
        known.sort_by(|a, b| a.name.cmp(&b.name));
        // Of equally narrow ones the first has the last word.
        overrides.reverse();
        overrides.sort_by_key(Override::narrowness);
        let on = known.iter().filter(|rule| !off.contains(&rule.name));
        Self {
            everywhere: on.cloned().collect(),
            known,
            off,
            overrides,
            tags: TagsByPool::new(),
            prepared: BTreeMap::new(),
        }
    }

    /// Whether what holds for a pool depends on the tags of its targets.
    #[must_use]
    pub fn ask_tags(&self) -> bool {
        self.overrides.iter().any(|it| !it.tags.is_open())
    }

    /// Holds these tags for the overrides by tag; says whether they are other ones than before.
    pub fn take_tags(&mut self, tags: TagsByPool) -> bool {
        let is_new = self.ask_tags() && self.tags != tags;
        if is_new {
            self.tags = tags;
            self.prepared.clear();
        }
        is_new
    }

    /// These rules alone, with their overrides.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&Rule) -> bool) -> Self {
        let known = self.known.iter().filter(|rule| wanted(rule));
        // As they were written: of equally narrow ones the first has the last word.
        let overrides = self.overrides.iter().rev().cloned().collect();
        Self {
            tags: self.tags.clone(),
            ..Self::new(known.cloned().collect(), self.off.clone(), overrides)
        }
    }

    /// The rules of pools that no override is for, sorted by name.
    #[must_use]
    pub fn everywhere(&self) -> &[Rule] {
        &self.everywhere
    }

    /// All rules that may hold somewhere, as they are without overrides.
    #[must_use]
    pub fn known(&self) -> &[Rule] {
        &self.known
    }

    /// The overrides, the widest first.
    #[must_use]
    pub fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// Works out the rules of this pool once, so that [`Rules::of`] only looks them up.
    pub fn prepare(&mut self, pool: &PoolId) {
        if !self.prepared.contains_key(pool)
            && let Cow::Owned(rules) = self.of(pool)
        {
            self.prepared.insert(pool.clone(), rules);
        }
    }

    /// The rules of this pool, sorted by name, each with the hash of what it says here.
    #[must_use]
    pub fn of(&self, pool: &PoolId) -> Cow<'_, [Rule]> {
        if let Some(rules) = self.prepared.get(pool) {
            return Cow::Borrowed(rules);
        }
        let fitting: Vec<&Override> = self.fitting(pool).collect();
        if fitting.is_empty() {
            return Cow::Borrowed(&self.everywhere);
        }
        let rules = self.known.iter().filter_map(|rule| {
            let (rule, is_on) = self.under(rule, fitting.iter().copied());
            is_on.then_some(rule)
        });
        Cow::Owned(rules.collect())
    }

    /// What overrides gave this rule on this pool, by key.
    #[must_use]
    pub fn given(&self, pool: &PoolId, rule: &RuleName) -> Vec<Given<'_>> {
        let mut given = BTreeMap::new();
        for by in self.fitting(pool) {
            for (&key, &value) in by.changes.get(rule).into_iter().flatten() {
                given.insert(key, Given { key, value, by });
            }
        }
        given.into_values().collect()
    }

    /// Rules whose two lines cross where both of two overrides fit, each with these overrides: `clear` above `above`.
    #[must_use]
    pub fn crossed(&self) -> Vec<(&RuleName, &Override, &Override)> {
        let mut crossed = Vec::new();
        for (index, wide) in self.overrides.iter().enumerate() {
            let narrower = self.overrides.iter().skip(index + 1);
            for narrow in narrower.filter(|it| it.matcher.meets(&wide.matcher)) {
                for rule in &self.known {
                    let is_both = wide.changes.contains_key(&rule.name)
                        && narrow.changes.contains_key(&rule.name);
                    let (mut rule_here, _) = self.under(rule, [wide, narrow]);
                    if is_both && lines(&mut rule_here).is_some_and(|(above, clear)| above < clear)
                    {
                        crossed.push((&rule.name, wide, narrow));
                    }
                }
            }
        }
        crossed
    }

    /// Rules that ask one detector, or one forecast, of the same pool: it can stand by one of them only. Each pair once, with
    /// the override under which both are on; without one where they are on everywhere.
    #[must_use]
    pub fn doubled(&self) -> Vec<(RuleName, RuleName, Option<&Override>)> {
        let mut doubled: Vec<(RuleName, RuleName, Option<&Override>)> = Vec::new();
        let mut look = |overrides: &[&'_ Override], by| {
            let on = self.known.iter().filter_map(|rule| {
                let (_, is_on) = self.under(rule, overrides.iter().copied());
                Some((rule, rule.condition.asks_alone()?)).filter(|_| is_on)
            });
            let on: Vec<_> = on.collect();
            for (index, (later, asked)) in on.iter().enumerate() {
                let mut earlier = on.iter().take(index);
                let Some((earlier, _)) = earlier.find(|(_, own)| own == asked) else {
                    continue;
                };
                let is_told = |(a, b, _): &(RuleName, RuleName, Option<&Override>)| {
                    *a == earlier.name && *b == later.name
                };
                if !doubled.iter().any(is_told) {
                    doubled.push((earlier.name.clone(), later.name.clone(), by));
                }
            }
        };
        look(&[], None);
        for (index, wide) in self.overrides.iter().enumerate() {
            look(&[wide], Some(wide));
            let narrower = self.overrides.iter().skip(index + 1);
            for narrow in narrower.filter(|it| it.matcher.meets(&wide.matcher)) {
                look(&[wide, narrow], Some(narrow));
            }
        }
        doubled
    }

    fn fitting(&self, pool: &PoolId) -> impl Iterator<Item = &Override> {
        let overrides = self.overrides.iter();
        overrides.filter(move |it| {
            let fits = |tags: &BTreeMap<String, String>| it.tags.fits(tags);
            let tagged = || self.tags.get(pool).is_some_and(|all| all.iter().any(fits));
            it.matcher.fits(pool) && (it.tags.is_open() || tagged())
        })
    }

    /// The rule under these overrides, and whether it is on.
    fn under<'o>(
        &self,
        rule: &Rule,
        overrides: impl IntoIterator<Item = &'o Override>,
    ) -> (Rule, bool) {
        let mut here = rule.clone();
        let mut is_on = !self.off.contains(&rule.name);
        let changes = overrides.into_iter();
        let changes = changes.filter_map(|it| it.changes.get(&rule.name));
        for (key, value) in changes.flatten() {
            match value {
                Value::Enabled(enabled) => is_on = *enabled,
                Value::Severity(_)
                | Value::Remedy(_)
                | Value::Window(_)
                | Value::Minutes(_)
                | Value::Share(_)
                | Value::Number(_)
                | Value::Millis(_)
                | Value::Chance(_)
                | Value::Climb(_)
                | Value::Standing(_) => {
                    // The configuration took each value for this very rule.
                    let is_set = here.set(key, *value);
                    debug_assert!(is_set, "{} has no {key}", rule.name);
                }
            }
        }
        (here.hashed(), is_on)
    }
}

/// The lines between which an alert stays on, of rules that have both: `above` and `clear`.
pub fn lines(rule: &mut Rule) -> Option<(Share, Share)> {
    let slots = rule.slots();
    let share = |wanted: &str| {
        let slot = slots.iter().find(|(key, _)| *key == wanted);
        match slot?.1.value() {
            Value::Share(share) => Some(share),
            Value::Enabled(_)
            | Value::Severity(_)
            | Value::Remedy(_)
            | Value::Window(_)
            | Value::Minutes(_)
            | Value::Number(_)
            | Value::Millis(_)
            | Value::Chance(_)
            | Value::Climb(_)
            | Value::Standing(_) => None,
        }
    };
    Some((share("above")?, share("clear")?))
}
