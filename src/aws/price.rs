//! What the calls cost at list price. The numbers are data: `prices.toml` beside this file, compiled in.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::model::{
    ids::AccountId,
    spend::{CallCounts, Calls, Site},
    units::Share,
};

const TEXT: &str = include_str!("prices.toml");

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prices {
    source: String,
    checked: String,
    usd_per_1000_metrics: f64,
    free_requests: u32,
    free_operations: Vec<String>,
    usd_per_1000_calls: BTreeMap<String, f64>,
}

static PRICES: LazyLock<Prices> = LazyLock::new(|| {
    toml::from_str(TEXT).unwrap_or_else(|error| {
        // The file is compiled in and a test parses it, so this does not happen.
        tracing::error!(%error, "the compiled-in prices can't be read; costs will read 0");
        Prices::default()
    })
});

/// What these calls cost at list price, in USD, as if no request were free.
#[must_use]
pub fn usd(calls: &CallCounts) -> f64 {
    calls
        .by_site
        .iter()
        .map(|(site, it)| usd_of(site, *it))
        .sum()
}

/// What calls of one site cost at list price, in USD.
#[must_use]
pub fn usd_of(site: &Site, calls: Calls) -> f64 {
    let price = PRICES.usd_per_1000_calls.get(&site.operation);
    thousands(calls.requests) * price.copied().unwrap_or(0.0) // free, as the file says
        + thousands(calls.metrics) * PRICES.usd_per_1000_metrics
}

/// What one series of one read costs in USD, by either of the two calls.
#[must_use]
pub fn usd_per_series() -> f64 {
    PRICES.usd_per_1000_metrics / 1_000.0
}

/// What the calls of one calendar month cost in USD when `share` of each account's free requests is ours.
#[must_use]
pub fn usd_with_free(calls: &CallCounts, share: Share) -> f64 {
    let mut free: BTreeMap<Option<&AccountId>, (f64, f64)> = BTreeMap::new();
    for (site, made) in &calls.by_site {
        if is_free(site) {
            let account = site.scope.as_ref().map(|scope| &scope.account);
            let (requests, cost) = free.entry(account).or_default();
            *requests += thousands(made.requests);
            *cost += usd_of(site, *made);
        }
    }
    let allowance = thousands(u64::from(free_requests(share)));
    let saved = free.values().map(|(requests, cost)| {
        let part = if *requests <= allowance {
            1.0
        } else {
            allowance / requests
        };
        cost * part
    });
    usd(calls) - saved.sum::<f64>()
}

/// How many requests a month and account are free and ours.
#[must_use]
pub fn free_requests(share: Share) -> u32 {
    let ours = u64::from(PRICES.free_requests) * u64::from(share.basis_points()) / 10_000;
    u32::try_from(ours).unwrap_or(u32::MAX) // at most all of them
}

/// Whether requests of this operation count towards the free ones.
#[must_use]
pub fn is_free(site: &Site) -> bool {
    PRICES.free_operations.contains(&site.operation)
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
    use crate::model::ids::{Region, Scope};

    #[test]
    fn the_compiled_in_prices_can_be_read() {
        let prices: Prices = toml::from_str(TEXT).unwrap();
        assert!(prices.usd_per_1000_calls.values().all(|price| *price > 0.0));
        assert!(source().contains(&prices.checked));
    }

    fn counts(made: &[(&str, &str, u64, u64)]) -> CallCounts {
        let mut counts = CallCounts::default();
        for &(account, operation, requests, metrics) in made {
            let scope = Scope {
                account: AccountId::new(account),
                region: Region::new("us-east-1"),
            };
            let site = Site {
                scope: Some(scope),
                operation: operation.to_owned(),
            };
            counts.add(site, Calls { requests, metrics });
        }
        counts
    }

    fn assert_usd(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-9, "{got} instead of {expected}");
    }

    #[test]
    fn metrics_cost_and_quota_reads_do_not() {
        let calls = counts(&[
            ("1", "cloudwatch:GetMetricData", 5_000, 172_800),
            ("1", "cloudwatch:ListMetrics", 2_000, 0),
            ("1", "servicequotas:ListServiceQuotas", 9_000, 0),
        ]);
        assert_usd(usd(&calls), 1.728 + 0.02);
        assert_usd(usd_with_free(&calls, Share::FULL), 1.728);
    }

    #[test]
    fn each_account_has_its_own_free_requests_and_only_our_share_of_them_counts() {
        let half = Share::from_basis_points(5_000).unwrap();
        assert_eq!(free_requests(half), 500_000);
        let calls = counts(&[
            ("1", "cloudwatch:GetMetricStatistics", 600_000, 0),
            ("1", "cloudwatch:ListMetrics", 150_000, 0),
            ("2", "cloudwatch:GetMetricStatistics", 400_000, 0),
        ]);
        assert_usd(usd(&calls), 11.5);
        assert_usd(usd_with_free(&calls, half), 2.5);
        assert_usd(usd_with_free(&calls, Share::FULL), 0.0);
    }
}
