//! Which alerts are meant: by rule, category and pool. Silences and inhibitions choose by it.

use std::fmt;

use super::{
    catalog::{Family, PoolId},
    ids::{AccountId, RuleName, Scope},
    incident::{Cause, Incident},
    rule::{Category, Matcher, Pattern},
};

/// Which alerts are meant. An empty list leaves that part open; all parts must fit.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Selector {
    /// Rules.
    pub rules: Vec<Pattern>,
    /// Categories, as incidents show them: throttling under a quota that is used up is `quota`.
    pub categories: Vec<Category>,
    /// Pools, as overrides of rules choose them.
    pub pools: Matcher,
    /// Pools by their whole name, `account/region/family/model`.
    pub names: Vec<Pattern>,
}

/// A selector as people write it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Written {
    /// Names of rules, `*` for any characters.
    pub rules: Vec<String>,
    /// Names of categories.
    pub categories: Vec<String>,
    /// Account ids.
    pub accounts: Vec<String>,
    /// Regions, with `*`.
    pub regions: Vec<String>,
    /// Families.
    pub families: Vec<String>,
    /// Base models, with `*`.
    pub models: Vec<String>,
    /// Whole names of pools, with `*`.
    pub pools: Vec<String>,
}

/// Entries of one list of a selector; more is a list that nobody reads.
pub const MOST_ENTRIES: usize = 50;
/// Characters of one entry.
const MOST_CHARACTERS: usize = 300;

impl Selector {
    /// What people wrote, checked.
    ///
    /// # Errors
    /// What is wrong with which entry, and what would be right; a sentence fragment.
    pub fn read(written: &Written) -> Result<Self, String> {
        let patterns = |key: &str, list: &[String]| -> Result<Vec<Pattern>, String> {
            let each = list.iter().map(|text| pattern(key, text));
            bounded(key, list).and_then(|()| each.collect())
        };
        let accounts = written.accounts.iter().map(|text| account(text));
        let families = Family::ALL.map(|it| (it.name(), it));
        let categories = Category::ALL.map(|it| (it.name(), it));
        bounded("account", &written.accounts)?;
        Ok(Self {
            rules: patterns("rule", &written.rules)?,
            categories: named("category", &written.categories, &categories)?,
            pools: Matcher {
                accounts: accounts.collect::<Result<_, _>>()?,
                regions: patterns("region", &written.regions)?,
                families: named("family", &written.families, &families)?,
                models: patterns("model", &written.models)?,
            },
            names: patterns("pool", &written.pools)?,
        })
    }

    /// Whether it leaves everything open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Whether this pool is meant, whatever the rule.
    #[must_use]
    pub fn fits_pool(&self, pool: &PoolId) -> bool {
        let name = pool.to_string();
        let is_named = self.names.is_empty() || self.names.iter().any(|it| it.fits(&name));
        is_named && self.pools.fits(pool)
    }

    /// Whether a whole account and Region is meant, whatever is in it.
    #[must_use]
    pub fn fits_place(&self, scope: &Scope) -> bool {
        let Matcher {
            accounts,
            regions,
            families,
            models,
        } = &self.pools;
        let is_whole = families.is_empty() && models.is_empty() && self.names.is_empty();
        let is_region = || regions.iter().any(|it| it.fits(scope.region.as_str()));
        is_whole
            && (accounts.is_empty() || accounts.contains(&scope.account))
            && (regions.is_empty() || is_region())
    }

    /// Whether this alert of an incident is meant.
    #[must_use]
    pub fn fits(&self, rule: &RuleName, category: Category, pool: &PoolId) -> bool {
        (self.rules.is_empty() || self.rules.iter().any(|it| it.fits(rule.as_str())))
            && (self.categories.is_empty() || self.categories.contains(&category))
            && self.fits_pool(pool)
    }

    /// Whether some alert of this incident that counts is meant.
    #[must_use]
    pub fn fits_some(&self, incident: &Incident) -> bool {
        let category = incident.cause.category();
        let mut alerts = incident.counting();
        alerts.any(|key| self.fits(&key.rule, category, &key.pool))
    }

    /// Whether all alerts of this incident that count are meant.
    #[must_use]
    pub fn fits_all(&self, incident: &Incident) -> bool {
        let category = incident.cause.category();
        let mut alerts = incident.counting();
        alerts.all(|key| self.fits(&key.rule, category, &key.pool))
    }
}

impl Cause {
    /// What the incident is about, as it is shown.
    #[must_use]
    pub const fn category(&self) -> Category {
        match self {
            Self::Quota { .. } => Category::Quota,
            Self::Pool { category, .. } => *category,
        }
    }
}

fn bounded(key: &str, list: &[String]) -> Result<(), String> {
    if list.len() <= MOST_ENTRIES {
        return Ok(());
    }
    Err(format!(
        "`{key}` has {} entries, at most {MOST_ENTRIES} are taken: use `*`",
        list.len()
    ))
}

fn pattern(key: &str, text: &str) -> Result<Pattern, String> {
    let is_fine = !text.is_empty()
        && text.chars().count() <= MOST_CHARACTERS
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_fine {
        return Ok(Pattern::new(text));
    }
    Err(format!(
        "`{key}` must be 1 to {MOST_CHARACTERS} printable ASCII characters without spaces, `*` for any of them: `{}` is not",
        text.escape_debug()
    ))
}

fn account(text: &str) -> Result<AccountId, String> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(AccountId::new(text));
    }
    Err(format!(
        "`account` must be an AWS account id, twelve digits: `{}` is not",
        text.escape_debug()
    ))
}

fn named<T: Copy>(key: &str, list: &[String], known: &[(&str, T)]) -> Result<Vec<T>, String> {
    bounded(key, list)?;
    let one = |text: &String| {
        let found = known.iter().find(|(name, _)| name == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            format!(
                "`{key}` must be one of {}: `{}` is not",
                names.join(", "),
                text.escape_debug()
            )
        })
    };
    list.iter().map(one).collect()
}

impl fmt::Display for Selector {
    /// `category throttle, model *sonnet*`, or `everything`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = |list: &[Pattern]| -> Vec<String> {
            list.iter().map(|it| it.as_str().to_owned()).collect()
        };
        let parts = [
            ("rule", texts(&self.rules)),
            (
                "category",
                self.categories
                    .iter()
                    .map(|it| it.name().to_owned())
                    .collect(),
            ),
            (
                "account",
                self.pools
                    .accounts
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            ),
            ("region", texts(&self.pools.regions)),
            (
                "family",
                self.pools
                    .families
                    .iter()
                    .map(|it| it.name().to_owned())
                    .collect(),
            ),
            ("model", texts(&self.pools.models)),
            ("pool", texts(&self.names)),
        ];
        let said: Vec<String> = parts
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(key, list)| format!("{key} {}", list.join(" or ")))
            .collect();
        if said.is_empty() {
            return f.write_str("everything");
        }
        f.write_str(&said.join(", "))
    }
}

#[cfg(test)]
mod tests;
