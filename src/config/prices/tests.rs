use super::*;
use crate::{
    config::{Overrides, parse, values},
    model::{
        catalog::PoolId,
        ids::{AccountId, ModelId, Region, Scope},
    },
};

fn read(text: &str) -> Result<Prices, String> {
    match parse(text, "config.toml", &Overrides::default()) {
        Ok(settings) => Ok(settings.policy.prices),
        Err(error) => {
            let faults = error.faults().iter();
            let faults = faults.map(|it| format!("{it} / {:?} / {:?}", it.key(), it.help_text()));
            Err(faults.collect::<Vec<_>>().join("\n"))
        }
    }
}

fn pool(region: &str, family: Family, model: &str) -> PoolId {
    PoolId {
        scope: Scope {
            account: AccountId::new("111122223333"),
            region: Region::new(region),
        },
        family,
        model: ModelId::new(model),
    }
}

#[test]
fn an_operators_price_is_read_as_written() {
    let text = "[[price]]\nmodels = [\"anthropic.claude-sonnet-*\"]\nfamilies = [\"geo\"]\n\
                input = \"2.50 USD\"\noutput = \"$12.5\"\ncache_read = \"0.25 USD\"\n";
    let prices = read(text).unwrap();
    let of = |family| {
        let pool = pool("us-east-1", family, "anthropic.claude-sonnet-4-6");
        prices.of(&pool).map(|(usd, source)| (usd, source.clone()))
    };
    let expected = TokenPrice {
        input: 2.5,
        output: 12.5,
        cache_read: Some(0.25),
        cache_write: None,
    };
    assert_eq!(of(Family::Geo), Some((expected, PriceSource::Configured)));
    let (usd, source) = of(Family::Global).unwrap();
    assert_eq!(
        (usd.input.to_string(), source == PriceSource::Configured),
        ("3".to_owned(), false)
    );
}

#[test]
fn all_faults_come_at_once() {
    let text = "[[price]]\nmodels = [\"anthropic.*\"]\ninput = \"3 EUR\"\noutput = \"0.015 USD per 1K\"\n\
                [[price]]\nmodels = []\ninput = 3\noutput = \"-1 USD\"\ncache = \"1 USD\"\n\
                [[price]]\nfamily = \"geo\"\ninput = \"3 USD\"\n\
                [[price]]\nmodels = [\"amazon.*\"]\nfamilies = [\"world\"]\ninput = \"3 USD\"\noutput = \"15000 USD\"\n\
                [[price]]\nmodels = [\"meta.*\"]\ninput = \"1 USD\"\noutput = \"1 USD\"\n\
                [[price]]\nmodels = [\"meta.*\"]\ninput = \"2 USD\"\noutput = \"2 USD\"\n";
    insta::assert_snapshot!(read(text).unwrap_err());
}

/// Each row says whence it is, and no two are for the same pool.
#[test]
fn what_was_published_is_whole() {
    let table: Table = toml::from_str(PUBLISHED).unwrap();
    assert!(50 < table.price.len());
    let mut seen = std::collections::BTreeSet::new();
    for row in &table.price {
        let what = format!("{row:?}");
        assert!(row.source.starts_with("https://"), "{what}");
        assert!(row.checked.parse::<jiff::civil::Date>().is_ok(), "{what}");
        assert!(row.families.iter().all(|it| family(it).is_some()), "{what}");
        assert!(!row.families.is_empty(), "{what}");
        assert!(
            row.regions.iter().all(|it| values::region(it).is_ok()),
            "{what}"
        );
        let prices = [
            Some(row.input),
            Some(row.output),
            row.cache_read,
            row.cache_write,
        ];
        assert!(
            prices
                .into_iter()
                .flatten()
                .all(|it| 0.0 < it && it < 100.0),
            "{what}"
        );
        assert!(row.input <= row.output, "{what}");
        assert!(row.cache_read.is_none_or(|it| it < row.input), "{what}");
        assert!(row.cache_write.is_none_or(|it| row.input <= it), "{what}");
        let anywhere = vec![String::new()];
        let regions = if row.regions.is_empty() {
            &anywhere
        } else {
            &row.regions
        };
        for model in &row.models {
            assert!(!model.contains('*'), "{what}");
            for (family, region) in row
                .families
                .iter()
                .flat_map(|f| regions.iter().map(move |r| (f, r)))
            {
                assert!(
                    seen.insert((model.clone(), family.clone(), region.clone())),
                    "twice: {what}"
                );
            }
        }
    }
    for factor in &table.factor {
        assert!(0.5 < factor.times && factor.times < 1.0, "{factor:?}");
        assert!(family(&factor.family).is_some() && factor.source.starts_with("https://"));
        assert!(factor.checked.parse::<jiff::civil::Date>().is_ok());
    }
}

/// `global.` is cheaper than a geographic profile by what the factor says, wherever both are listed and it names the model.
#[test]
fn the_factor_is_that_of_the_list() {
    let prices = builtin_prices();
    let factor = &prices.factors[0];
    let mut compared = 0;
    for row in &prices.rows {
        for model in row.matcher.models.iter().map(Pattern::as_str) {
            let input = |family| {
                let pool = pool("us-east-1", family, model);
                prices.of(&pool).map(|(usd, _)| usd.input)
            };
            let (Some(geo), Some(global)) = (input(Family::Geo), input(Family::Global)) else {
                continue;
            };
            let is_named = factor.models.iter().any(|it| it.fits(model));
            let expected = if is_named { factor.times } else { 1.0 };
            assert!(
                (global / geo - expected).abs() < 0.001,
                "{model}: {geo}, {global}"
            );
            compared += 1;
        }
    }
    assert!(10 < compared, "{compared}");
}
