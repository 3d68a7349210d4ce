//! What a pool's tokens are: input, output, and what the prompt cache takes and gives.
//!
//! The statistic is sums over the minutes of which all of it was read, so that none of the kinds counts for more minutes
//! than another. What was read from the cache comes later than the rest and is known of fewer minutes: it is scaled by
//! the input of those. A minute without a datapoint is one without tokens.
//!
//! Against a quota stands what it counts (`unit`): charged tokens, of which one token of output may be many and one read
//! from the cache none; requests; or one kind of token alone. Dollars follow the tokens, never what was charged.

use super::hints::Samples;
use crate::model::{
    book::Book,
    catalog::{Family, PoolId},
    price::{PriceSource, Prices, TokenPrice},
    series::{Sample, Signal},
    time::Minute,
    units::QuotaKind,
};

/// A mix is told from this many minutes on.
const LEAST_MINUTES: u32 = 60;
/// Prices are for so many tokens.
const MILLION: f64 = 1_000_000.0;

/// The tokens of a pool over a span.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Mix {
    /// What the quota counted of them.
    pub units: f64,
    /// Input that is not cached.
    pub input: f64,
    /// Output.
    pub output: f64,
    /// Input written to the prompt cache.
    pub cache_writes: f64,
    /// Input read from it; `None` where no minute of that is known.
    pub cache_reads: Option<f64>,
}

impl Mix {
    /// All tokens that are billed, as far as they are known.
    #[must_use]
    pub fn tokens(&self) -> f64 {
        self.input + self.output + self.cache_writes + self.cache_reads.unwrap_or(0.0)
    }

    /// What they cost in USD, without those that have no price.
    #[must_use]
    pub fn usd(&self, price: &TokenPrice) -> f64 {
        let cached = [
            (Some(self.cache_writes), price.cache_write),
            (self.cache_reads, price.cache_read),
        ];
        let cached = cached
            .into_iter()
            .filter_map(|(tokens, usd)| Some(tokens? * usd?));
        (self.input * price.input + self.output * price.output + cached.sum::<f64>()) / MILLION
    }
}

/// What a quota of this kind counts.
#[must_use]
pub const fn unit(kind: QuotaKind) -> Signal {
    match kind {
        QuotaKind::Rpm => Signal::Invocations,
        QuotaKind::Tpm | QuotaKind::Tpd | QuotaKind::CrossModelTpd => Signal::ChargedTokens,
        QuotaKind::InputTpm => Signal::InputTokens,
        QuotaKind::OutputTpm => Signal::OutputTokens,
    }
}

/// The tokens of a pool from `from` up to and without `until`; `None` where too few minutes are known.
#[must_use]
pub fn mix(
    samples: &Samples<'_>,
    pool: &PoolId,
    unit: Signal,
    (from, until): (Minute, Minute),
) -> Option<Mix> {
    let of = |signal| samples(pool, signal, from, until);
    // That endpoint publishes nothing of a cache.
    let has_cache = pool.family != Family::Mantle;
    let writes = if has_cache {
        of(Signal::CacheWriteTokens)
    } else {
        vec![Sample::NoData; of(unit).len()]
    };
    let reads = of(Signal::CacheReadTokens).into_iter();
    let mut reads = reads.filter(|_| has_cache);
    let rows = of(unit).into_iter().zip(of(Signal::InputTokens));
    let rows = rows.zip(of(Signal::OutputTokens)).zip(writes);
    let (mut mix, mut minutes) = (Mix::default(), 0_u32);
    let (mut read, mut beside) = (None, 0.0);
    for (((units, input), output), writes) in rows {
        let reads = reads.next().unwrap_or(Sample::Unobserved);
        let known = [units, input, output, writes].map(seen);
        let [Some(units), Some(input), Some(output), Some(writes)] = known else {
            continue;
        };
        minutes += 1;
        mix.units += units;
        mix.input += input;
        mix.output += output;
        mix.cache_writes += writes;
        if let Some(reads) = seen(reads) {
            *read.get_or_insert(0.0) += reads;
            beside += input;
        }
    }
    mix.cache_reads = read
        .filter(|_| 0.0 < beside)
        .map(|it| it / beside * mix.input);
    (LEAST_MINUTES <= minutes).then_some(mix)
}

/// What tokens of this pool cost at this minute; `None` where nobody said. A model in extended access costs more than lists
/// say.
#[must_use]
pub fn price_of<'a>(
    book: &Book,
    prices: &'a Prices,
    pool: &PoolId,
    at: Minute,
) -> Option<(TokenPrice, &'a PriceSource)> {
    let (price, source) = prices.of(pool)?;
    let catalog = book.catalogs.get(&pool.scope);
    let life = catalog.and_then(|it| it.lives.get(&pool.model));
    let extended = life.and_then(|it| it.extended);
    let is_extended = extended.is_some_and(|from| Minute::of(from) <= at);
    (*source == PriceSource::Configured || !is_extended).then_some((price, source))
}

/// What a minute took, where anything is known of it.
const fn seen(sample: Sample) -> Option<f64> {
    match sample {
        Sample::Value(value) => Some(value),
        Sample::NoData => Some(0.0),
        Sample::Unobserved => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::{AccountId, ModelId, Region, Scope};

    const HOUR: usize = 60;

    fn pool(family: Family) -> PoolId {
        PoolId {
            scope: Scope {
                account: AccountId::new("111122223333"),
                region: Region::new("us-east-1"),
            },
            family,
            model: ModelId::new("anthropic.claude-sonnet-4-6"),
        }
    }

    fn sonnet() -> TokenPrice {
        TokenPrice {
            input: 3.0,
            output: 15.0,
            cache_read: Some(0.3),
            cache_write: Some(3.75),
        }
    }

    /// Two hours of these, an hour each; a signal that is not named was never read.
    fn of(unit: Signal, family: Family, hours: &[(Signal, [Sample; 2])]) -> Option<Mix> {
        let samples = |_: &PoolId, signal: Signal, _: Minute, _: Minute| {
            let told = hours.iter().find(|(it, _)| *it == signal);
            let told = told.map_or([Sample::Unobserved; 2], |(_, hours)| *hours);
            told.into_iter().flat_map(|it| [it; HOUR]).collect()
        };
        mix(&samples, &pool(family), unit, (Minute(0), Minute(120)))
    }

    const NONE: [Sample; 2] = [Sample::NoData; 2];

    fn all(value: f64) -> [Sample; 2] {
        [Sample::Value(value); 2]
    }

    fn assert_usd(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-9, "{got} instead of {expected}");
    }

    /// 1,000 tokens in and 200 out are charged as 2,000, where a token of output counts five times. Billed are 1,200.
    #[test]
    fn what_is_charged_is_not_what_is_billed() {
        let mix = of(
            Signal::ChargedTokens,
            Family::Geo,
            &[
                (Signal::ChargedTokens, all(2_000.0)),
                (Signal::InputTokens, all(1_000.0)),
                (Signal::OutputTokens, all(200.0)),
                (Signal::CacheWriteTokens, NONE),
            ],
        )
        .unwrap();
        assert_usd(mix.tokens() / mix.units, 0.6);
        // 0.003 USD in and 0.003 USD out for 2,000 charged tokens: 3 USD for a million of these.
        assert_usd(mix.usd(&sonnet()) / mix.units * 1_000_000.0, 3.0);
    }

    #[test]
    fn what_the_cache_gives_is_billed_and_not_charged() {
        let hours = [
            (Signal::ChargedTokens, all(2_000.0)),
            (Signal::InputTokens, all(1_000.0)),
            (Signal::OutputTokens, all(100.0)),
            (Signal::CacheWriteTokens, all(500.0)),
            // Known of the second hour only, and scaled.
            (
                Signal::CacheReadTokens,
                [Sample::Unobserved, Sample::Value(10_000.0)],
            ),
        ];
        let mix = of(Signal::ChargedTokens, Family::Geo, &hours).unwrap();
        assert_eq!(mix.cache_reads, Some(1_200_000.0));
        assert_usd(
            mix.usd(&sonnet()),
            120.0 * (0.003 + 0.0015 + 0.001_875 + 0.003),
        );
        let unpriced = TokenPrice {
            cache_read: None,
            cache_write: None,
            ..sonnet()
        };
        assert_usd(mix.usd(&unpriced), 120.0 * 0.0045);
        let unread = of(Signal::ChargedTokens, Family::Geo, &hours[..4]).unwrap();
        assert_eq!(unread.cache_reads, None);
    }

    #[test]
    fn minutes_of_which_a_part_is_not_known_are_left_out() {
        let half = |value| [Sample::Value(value), Sample::Unobserved];
        let hours = [
            (Signal::Invocations, all(10.0)),
            (Signal::InputTokens, half(1_000.0)),
            (Signal::OutputTokens, all(200.0)),
            (Signal::CacheWriteTokens, NONE),
        ];
        let mix = of(Signal::Invocations, Family::Geo, &hours).unwrap();
        assert_usd(mix.units, 600.0);
        assert_usd(mix.output, 12_000.0);
        let never = [(Signal::Invocations, all(10.0))];
        assert_eq!(of(Signal::Invocations, Family::Geo, &never), None);
    }

    #[test]
    fn the_endpoint_without_a_cache_has_none() {
        let hours = [
            (Signal::InputTokens, all(1_000.0)),
            (Signal::OutputTokens, all(100.0)),
        ];
        let mix = of(Signal::OutputTokens, Family::Mantle, &hours).unwrap();
        assert_usd(mix.units, 12_000.0);
        assert_eq!(mix.cache_reads, None);
    }
}
