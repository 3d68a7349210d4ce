//! What the calls cost at list price. The numbers are data: `prices.toml` beside this file, compiled in.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::cloud::CallCounts;

const TEXT: &str = include_str!("prices.toml");

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prices {
    source: String,
    checked: String,
    usd_per_1000_metrics: f64,
    usd_per_1000_calls: BTreeMap<String, f64>,
}

static PRICES: LazyLock<Prices> = LazyLock::new(|| {
    toml::from_str(TEXT).unwrap_or_else(|error| {
        // The file is compiled in and a test parses it, so this does not happen.
        tracing::error!(%error, "the compiled-in prices can't be read; costs will read 0");
        Prices::default()
    })
});

/// What these calls cost at list price, in USD. Free allowances are not counted.
#[must_use]
pub fn usd(calls: &CallCounts) -> f64 {
    let by_call: f64 = calls
        .calls
        .iter()
        .filter_map(|(operation, count)| {
            let price = PRICES.usd_per_1000_calls.get(operation)?;
            Some(thousands(*count) * price)
        })
        .sum();
    by_call + thousands(calls.metrics) * PRICES.usd_per_1000_metrics
}

/// Where the prices are from and when they were looked up, for people.
#[must_use]
pub fn source() -> String {
    format!("{}, looked up {}", PRICES.source, PRICES.checked)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "money for people; counts stay far below 2^53"
)]
fn thousands(count: u64) -> f64 {
    count as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_in_prices_can_be_read() {
        let prices: Prices = toml::from_str(TEXT).unwrap();
        assert!(prices.usd_per_1000_calls.values().all(|price| *price > 0.0));
        assert!(source().contains(&prices.checked));
    }

    #[test]
    fn metrics_cost_and_quota_reads_do_not() {
        let calls = [
            ("cloudwatch:GetMetricData", 5_000),
            ("cloudwatch:ListMetrics", 2_000),
            ("servicequotas:ListServiceQuotas", 9_000),
        ];
        let counts = CallCounts {
            calls: calls.map(|(name, count)| (name.to_owned(), count)).into(),
            metrics: 172_800,
        };
        assert!(
            (usd(&counts) - (1.728 + 0.02)).abs() < 1e-9,
            "{}",
            usd(&counts)
        );
    }
}
