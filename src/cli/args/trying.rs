//! Options of the commands that try rules: `test` and `backtest`.

use std::path::PathBuf;

use clap::Args;

use super::ModeArg;
use crate::{
    backtest::table::pool_id,
    cli::{backtest, drill},
    model::{
        catalog::PoolId,
        rule::{Category, Severity},
        units::{Amount, QuotaKind},
    },
};

#[derive(Debug, Args)]
pub(in crate::cli) struct TestArgs {
    /// A folder of test files (`*.toml`); without one, the tests of the shipped rules.
    pub(in crate::cli) folder: Option<PathBuf>,
    /// Configuration whose rules are tested, `[rule.NAME]` and `[[override]]` included.
    #[arg(long, env = "BOA_CONFIG", value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// A folder of rules instead of the built-in ones.
    #[arg(long, env = "BOA_RULES", value_name = "FOLDER")]
    pub(in crate::cli) rules: Option<PathBuf>,
    /// Run only the tests of this name; `*` stands for any text, such as '*throttles*'.
    #[arg(long, value_name = "PATTERN")]
    pub(in crate::cli) run: Option<String>,
    /// Write a report as JUnit XML, too, for continuous integration.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) junit: Option<PathBuf>,
    /// Print JSON; the shape is in docs/rules.md.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DrillArgs {
    /// Configuration file.
    #[arg(long, env = "BOA_CONFIG", value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// How loud: info, warning, critical.
    #[arg(long, default_value = "critical", value_name = "SEVERITY", value_parser = drill::severity)]
    pub(in crate::cli) severity: Severity,
    /// About what: quota, throttle, latency and so on, as in [[route]].
    #[arg(long, default_value = "quota", value_name = "CATEGORY", value_parser = drill::category)]
    pub(in crate::cli) category: Category,
    /// Of which pool, `account/region/family/model`; without it, of a model that does not exist in the first account.
    #[arg(long, value_name = "POOL", value_parser = pool_id)]
    pub(in crate::cli) pool: Option<PoolId>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BacktestArgs {
    /// Configuration whose rules and budgets are tried.
    #[arg(long, env = "BOA_CONFIG", value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// A folder of rules instead of the built-in ones.
    #[arg(long, env = "BOA_RULES", value_name = "FOLDER")]
    pub(in crate::cli) rules: Option<PathBuf>,
    /// A copy of the store; without one, the store of the configuration. Nothing is judged or filed in it, but it is opened
    /// as the service opens it: one of an older release is brought to the format of this one.
    #[arg(long, value_name = "FOLDER", conflicts_with = "csv")]
    pub(in crate::cli) state: Option<PathBuf>,
    /// A table of minutes instead of a store, packed with gzip if its name ends with .gz; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) csv: Vec<PathBuf>,
    /// With tables: a quota of all their pools, such as tpm=266000; may be given several times.
    #[arg(long, value_name = "KIND=VALUE", requires = "csv", value_parser = backtest::quota)]
    pub(in crate::cli) quota: Vec<(QuotaKind, Amount)>,
    /// The instant that minutes given as numbers count from.
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) start: Option<String>,
    /// Judge from this instant on; from the first measured minute without it.
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) from: Option<String>,
    /// Judge up to this instant, exclusive; up to the last measured minute without it.
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) until: Option<String>,
    /// What may be filed; `file` shows all that a mandate would allow.
    #[arg(long, default_value = "file")]
    pub(in crate::cli) mode: ModeArg,
    /// What was really wrong (CSV with the columns `pool,from,until,what`), to be scored against.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) labels: Option<PathBuf>,
    /// Tell only what becomes different from this other configuration, such as the one in force; an empty file stands for
    /// the built-in rules.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["incident", "pool", "labels"])]
    pub(in crate::cli) against: Option<PathBuf>,
    /// Show each minute of this incident, of the service or of this backtest.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) incident: Option<String>,
    /// Show each minute of this pool, `account/region/family/model`.
    #[arg(
        long,
        value_name = "POOL",
        conflicts_with = "incident",
        requires = "each_minute"
    )]
    pub(in crate::cli) pool: Option<String>,
    /// With --pool: all minutes from --from to --until.
    #[arg(long, requires = "pool")]
    pub(in crate::cli) each_minute: bool,
    /// Print JSON; the shape is in docs/rules.md.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}
