//! What tokens cost: the operator's own prices before those that were published. No price known is a value, too: then
//! nothing is said of dollars.

use super::{
    catalog::{Family, PoolId},
    rule::{Matcher, Pattern},
};

/// USD for a million tokens of each kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenPrice {
    /// Input that is not cached.
    pub input: f64,
    /// Output.
    pub output: f64,
    /// Input read from the prompt cache; `None` where nobody said.
    pub cache_read: Option<f64>,
    /// Input written to the prompt cache; `None` where nobody said.
    pub cache_write: Option<f64>,
}

impl TokenPrice {
    fn times(self, factor: f64) -> Self {
        Self {
            input: self.input * factor,
            output: self.output * factor,
            cache_read: self.cache_read.map(|it| it * factor),
            cache_write: self.cache_write.map(|it| it * factor),
        }
    }
}

/// Who says so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PriceSource {
    /// The operator.
    Configured,
    /// A published list, as it was on this day, such as `2026-08-06`.
    Listed {
        /// The day.
        checked: String,
    },
}

/// A price, and for which pools.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// For these.
    pub matcher: Matcher,
    /// How much.
    pub usd: TokenPrice,
    /// Who says so.
    pub source: PriceSource,
}

/// What a price that names no family comes to in one of them.
#[derive(Clone, Debug, PartialEq)]
pub struct FamilyFactor {
    /// In this family.
    pub family: Family,
    /// Of these base models.
    pub models: Vec<Pattern>,
    /// So many times; above 0.
    pub times: f64,
}

/// All prices.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Prices {
    /// In the order of the file, the operator's first.
    pub rows: Vec<Price>,
    /// What families differ by.
    pub factors: Vec<FamilyFactor>,
}

impl Prices {
    /// What tokens of this pool cost; `None` where nobody said. The operator's narrowest price holds, as overrides do, and
    /// only without one a published price.
    #[must_use]
    pub fn of(&self, pool: &PoolId) -> Option<(TokenPrice, &PriceSource)> {
        let fitting = || self.rows.iter().filter(|it| it.matcher.fits(pool));
        let own = fitting().filter(|it| it.source == PriceSource::Configured);
        // The last of equals is taken: turned around, that is the first of the file.
        let narrowest = own.rev().max_by_key(|it| it.matcher.narrowness());
        if let Some(price) = narrowest {
            return Some((self.in_family(price, pool), &price.source));
        }
        if is_apart(pool) {
            return None;
        }
        fitting().next().map(|it| (it.usd, &it.source))
    }

    fn in_family(&self, price: &Price, pool: &PoolId) -> TokenPrice {
        let mut factors = self.factors.iter().filter(|it| {
            it.family == pool.family && it.models.iter().any(|one| one.fits(pool.model.as_str()))
        });
        let is_of_all = price.matcher.families.is_empty();
        let factor = factors.next().filter(|_| is_of_all);
        factor.map_or(price.usd, |it| price.usd.times(it.times))
    }
}

/// Whether the pool is in a partition with prices of its own.
fn is_apart(pool: &PoolId) -> bool {
    let region = pool.scope.region.as_str();
    region.starts_with("cn-") || region.starts_with("us-gov-")
}

/// USD as people say it: three digits, and never a false zero.
#[must_use]
pub fn about(usd: f64) -> String {
    if usd < 0.01 {
        return "less than 0.01 USD".to_owned();
    }
    if usd < 10.0 {
        return format!("about {usd:.2} USD");
    }
    let step = 10_f64.powf((usd.log10().floor() - 2.0).max(0.0));
    let rounded = (usd / step).round() * step;
    format!("about {} USD", super::units::grouped(rounded))
}

/// A price as lists have it: two digits after the point, more where it has more.
#[must_use]
pub fn exact(usd: f64) -> String {
    let cents = 100.0 * usd;
    if (cents - cents.round()).abs() < 1e-6 {
        return format!("{usd:.2}");
    }
    let text = format!("{usd:.4}");
    text.trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::{AccountId, ModelId, Region, Scope};

    fn pool(region: &str, family: Family) -> PoolId {
        PoolId {
            scope: Scope {
                account: AccountId::new("111122223333"),
                region: Region::new(region),
            },
            family,
            model: ModelId::new("anthropic.claude-sonnet-4-6"),
        }
    }

    fn price(models: &str, families: &[Family], input: f64, source: &PriceSource) -> Price {
        Price {
            matcher: Matcher {
                families: families.to_vec(),
                models: vec![Pattern::new(models)],
                ..Matcher::default()
            },
            usd: TokenPrice {
                input,
                output: 5.0 * input,
                cache_read: Some(input / 10.0),
                cache_write: None,
            },
            source: source.clone(),
        }
    }

    fn listed() -> PriceSource {
        PriceSource::Listed {
            checked: "2026-08-06".to_owned(),
        }
    }

    fn prices(rows: Vec<Price>) -> Prices {
        let factor = FamilyFactor {
            family: Family::Global,
            models: vec![Pattern::new("anthropic.claude-sonnet-4-6")],
            times: 0.9,
        };
        Prices {
            rows,
            factors: vec![factor],
        }
    }

    fn input(prices: &Prices, region: &str, family: Family) -> Option<f64> {
        let (usd, _) = prices.of(&pool(region, family))?;
        Some((usd.input * 1_000.0).round() / 1_000.0)
    }

    #[test]
    fn the_operators_narrowest_price_goes_before_the_list() {
        let own = PriceSource::Configured;
        let all = prices(vec![
            price("anthropic.*", &[], 2.0, &own),
            price("anthropic.claude-sonnet-*", &[], 2.5, &own),
            price("anthropic.claude-sonnet-*", &[], 9.0, &own),
            price(
                "anthropic.claude-sonnet-4-6",
                &[Family::Geo],
                3.3,
                &listed(),
            ),
        ]);
        assert_eq!(input(&all, "us-east-1", Family::Geo), Some(2.5));
        let listed = prices(all.rows.into_iter().skip(3).collect());
        assert_eq!(input(&listed, "us-east-1", Family::Geo), Some(3.3));
        assert_eq!(input(&listed, "us-east-1", Family::Global), None);
    }

    /// A price that names no family is that of the Region; of one that names it, it is meant as written.
    #[test]
    fn a_family_costs_less_where_that_is_published() {
        let own = PriceSource::Configured;
        let open = prices(vec![price("anthropic.*", &[], 3.0, &own)]);
        assert_eq!(input(&open, "us-east-1", Family::Geo), Some(3.0));
        assert_eq!(input(&open, "us-east-1", Family::Global), Some(2.7));
        let named = prices(vec![price("anthropic.*", &[Family::Global], 3.0, &own)]);
        assert_eq!(input(&named, "us-east-1", Family::Global), Some(3.0));
    }

    #[test]
    fn in_other_partitions_only_the_operator_is_believed() {
        for region in ["cn-north-1", "us-gov-west-1"] {
            let all = prices(vec![price("anthropic.*", &[], 3.3, &listed())]);
            assert_eq!(input(&all, region, Family::Geo), None, "{region}");
            let own = PriceSource::Configured;
            let own = prices(vec![price("anthropic.*", &[], 3.3, &own)]);
            assert_eq!(input(&own, region, Family::Geo), Some(3.3), "{region}");
        }
    }

    #[test]
    fn dollars_read_as_people_say_them() {
        let said = [0.0, 0.004, 0.47, 9.994, 12.4, 999.6, 1_236.0, 1_234_567.0].map(about);
        assert_eq!(
            said.join("; "),
            "less than 0.01 USD; less than 0.01 USD; about 0.47 USD; about 9.99 USD; about 12 USD; \
             about 1,000 USD; about 1,240 USD; about 1,230,000 USD"
        );
        assert_eq!(
            [3.3, 0.035, 15.0, 4.125].map(exact).join(" "),
            "3.30 0.035 15.00 4.125"
        );
    }
}
