//! `cost --plan`: what watching would cost, before anything is spent.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    aws::price,
    collect::{cadence::Periods, survey::Survey},
    model::{
        catalog::Family,
        ids::AccountId,
        policy::{Account, Cadence, CostBounds, Heat, Settings},
        units::Share,
    },
};

/// Minutes of the month that is planned.
const MONTH_MINUTES: f64 = 30.0 * 1_440.0;
/// Metrics on a page of ListMetrics, and those that a target has at least.
const METRICS_A_PAGE: f64 = 500.0;
const METRICS_A_TARGET: f64 = 10.0;
/// Series of a target that the back-fill reads: fifteen, in fifteen stretches of a day.
const BACKFILL_SERIES: f64 = 15.0 * 15.0;

/// What there is to watch. Each target is taken for a pool of its own, which is dearer than targets that share one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Watched {
    /// `ModelId` values, over all accounts and Regions.
    pub targets: u32,
    /// Pairs of account and Region.
    pub regions: u32,
    /// Accounts that are read with their own rights: each has its own free requests.
    pub accounts: u32,
    /// Of the targets, those in accounts that are read through another one: no request for them is free.
    pub linked_targets: u32,
    /// Of the pairs of account and Region, those of such accounts.
    pub linked_regions: u32,
}

/// What a month of 30 days comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Which case.
    pub what: String,
    /// With our share of the free requests, USD.
    pub usd: f64,
    /// The same for one target.
    pub usd_a_target: f64,
    /// As if no request were free, USD.
    pub list_usd: f64,
}

/// The plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CostPlan {
    /// What there is to watch.
    pub watched: Watched,
    /// The case asked for first, then the extremes.
    pub rows: Vec<Row>,
    /// Reading what CloudWatch still has of the past, once, USD.
    pub backfill_usd: f64,
    /// The month's budget, USD.
    pub budget_usd: f64,
    /// Minutes between reads of a hot pool: of what limits are judged by, and of what other rules are.
    pub hot_minutes: (i64, i64),
    /// Where the prices are from.
    pub prices: String,
}

impl Watched {
    /// So many targets, spread over the configured accounts and Regions.
    #[must_use]
    pub fn assumed(targets: u32, settings: &Settings) -> Self {
        let in_each = |it: &Account| it.regions.known().len();
        let linked = settings.accounts.iter().filter(|it| is_linked(it));
        let linked_regions = number(linked.clone().map(in_each).sum());
        let regions = number(settings.accounts.iter().map(in_each).sum()).max(1);
        let own = settings.accounts.len() - linked.count();
        let share = u64::from(targets) * u64::from(linked_regions) / u64::from(regions);
        Self {
            targets,
            regions,
            accounts: number(own).max(1),
            linked_targets: u32::try_from(share).unwrap_or(targets), // a part of them
            linked_regions,
        }
    }

    /// What was found in the accounts as they are configured.
    #[must_use]
    pub fn found(surveys: &[Survey], settings: &Settings) -> Self {
        let linked = settings.accounts.iter().filter(|it| is_linked(it));
        let linked: BTreeSet<&AccountId> = linked.map(|it| &it.id).collect();
        let accounts: BTreeSet<_> = surveys.iter().map(|it| &it.scope.account).collect();
        let targets = |survey: &Survey| -> usize {
            let pools = survey.pools.iter();
            pools.map(|pool| pool.targets.len()).sum()
        };
        let of_linked = surveys
            .iter()
            .filter(|it| linked.contains(&it.scope.account));
        Self {
            targets: number(surveys.iter().map(targets).sum()),
            regions: number(surveys.len()),
            accounts: number(accounts.difference(&linked).count()),
            linked_targets: number(of_linked.clone().map(targets).sum()),
            linked_regions: number(of_linked.count()),
        }
    }
}

/// Plans a month in which the targets are near a limit for `hot_share` of the time, and in no danger for the rest.
#[must_use]
pub fn plan(watched: Watched, hot_share: Share, settings: &Settings) -> CostPlan {
    let Settings { cadence, cost, .. } = settings;
    let hot = f64::from(hot_share.basis_points()) / 10_000.0;
    let of = |heat| Periods::of(heat, 1, cadence).series_a_minute(Family::OnDemand, 1);
    let mixed = hot * of(Heat::Hot) + (1.0 - hot) * of(Heat::Warm);
    let row = |what: String, series| row(what, series, watched, cadence, *cost);
    let periods = Periods::of(Heat::Hot, 1, cadence);
    CostPlan {
        watched,
        rows: vec![
            row(format!("near a limit {hot_share} of the time"), mixed),
            row("near a limit all the time".to_owned(), of(Heat::Hot)),
            row("never near a limit".to_owned(), of(Heat::Warm)),
            row("not used at all".to_owned(), of(Heat::Idle)),
        ],
        backfill_usd: f64::from(watched.targets) * BACKFILL_SERIES * price::usd_per_series(),
        budget_usd: cost.monthly_budget,
        hot_minutes: (periods.quick, periods.full),
        prices: price::source(),
    }
}

fn row(
    what: String,
    series_a_minute: f64,
    watched: Watched,
    cadence: &Cadence,
    cost: CostBounds,
) -> Row {
    let targets = f64::from(watched.targets);
    let scopes = f64::from(watched.regions);
    let discovery_minutes =
        i32::try_from(cadence.discovery_minutes).map_or(f64::INFINITY, f64::from);
    let pages = (targets / scopes * METRICS_A_TARGET / METRICS_A_PAGE).ceil();
    // Of each scope: the account's throttles each minute, and the pages of ListMetrics for two namespaces.
    let listings = (pages + 1.0) / discovery_minutes;
    let requests = (series_a_minute * targets + scopes * (1.0 + listings)) * MONTH_MINUTES;
    let (linked_targets, linked_scopes) = (
        f64::from(watched.linked_targets),
        f64::from(watched.linked_regions),
    );
    // Listing is free through another account, too.
    let never_free = (series_a_minute * linked_targets + linked_scopes) * MONTH_MINUTES;
    let free = f64::from(price::free_requests(cost.free_share)) * f64::from(watched.accounts);
    let list_usd = requests * price::usd_per_series();
    let billed = (requests - never_free - free).max(0.0) + never_free;
    let usd = billed * price::usd_per_series();
    Row {
        what,
        usd,
        usd_a_target: usd / targets.max(1.0),
        list_usd,
    }
}

fn is_linked(account: &Account) -> bool {
    account.metrics_through.is_some()
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
