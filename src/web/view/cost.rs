//! What watching costs.

use super::{View, text};
use crate::{
    runtime::shared::Cost,
    web::json::{Bill, BillRow, Money, MonthBrief},
};

impl View<'_> {
    /// This month in short.
    pub(super) fn month(&self) -> Option<MonthBrief> {
        let month = self.health.month.as_ref()?;
        Some(MonthBrief {
            so_far: money(month.so_far),
            projected: month.projected.map(money),
            budget_usd: self.settings.cost.monthly_budget,
            stretch: self.health.stretch,
        })
    }

    /// This month, by account, Region and operation; nothing before the first cycle.
    #[must_use]
    pub fn bill(&self) -> Option<Bill> {
        let month = self.health.month.as_ref()?;
        let rows = month.sites.iter().map(|(site, calls, list_usd)| BillRow {
            operation: site.operation.clone(),
            account: site.scope.as_ref().map(|scope| scope.account.to_string()),
            region: site.scope.as_ref().map(|scope| scope.region.to_string()),
            requests: calls.requests,
            metrics: calls.metrics,
            list_usd: *list_usd,
        });
        Some(Bill {
            month: month.month.name(),
            since: text(month.since),
            so_far: money(month.so_far),
            projected: month.projected.map(money),
            budget_usd: self.settings.cost.monthly_budget,
            free_share: self.settings.cost.free_share.to_string(),
            stretch: self.health.stretch,
            rows: rows.collect(),
            prices: month.prices.clone(),
        })
    }
}

const fn money(cost: Cost) -> Money {
    let Cost { usd, list_usd } = cost;
    Money { usd, list_usd }
}
