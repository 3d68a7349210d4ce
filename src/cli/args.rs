//! What people type: commands, their options and their defaults.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{host, remote};
use crate::{
    aws::iam::Paper,
    config,
    model::{policy::Mode, units::Share},
};

mod examples;
mod installing;
mod saying;
mod store;
mod trying;

pub(super) use examples::program;
pub(super) use installing::{
    BundleArgs, CompletionsArgs, DoctorArgs, HealthArgs, InitArgs, ManArgs, SchemaArgs, SchemaOf,
};
pub(super) use saying::{
    AckArgs, ApproveArgs, AskArgs, AuditArgs, PlanArgs, RejectArgs, ResumeArgs, SilenceCommand,
    SnoozeArgs, StopArgs,
};
pub(super) use store::StoreCommand;
pub(super) use trying::{BacktestArgs, DrillArgs, TestArgs};

/// Where a service listens that was told nothing else.
pub(super) const DAEMON_URL: &str = "http://127.0.0.1:9464";

/// Watches Amazon Bedrock capacity and acts on it.
///
/// Start with `bedrock-ops-alert demo`: the whole service against a simulated AWS, no account needed.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the service.
    Run(RunArgs),
    /// Run the service against a simulated AWS, everything embedded: a fortnight in under three minutes.
    Demo(DemoArgs),
    /// Run the simulated AWS alone.
    Sim(SimArgs),
    /// Check a configuration and its rules: all faults at once, each with its place.
    Check(CheckArgs),
    /// Run unit tests of rules: those that are shipped, or a folder of your own, by the configured rules.
    ///
    /// A test is a pool with its minutes, and what the rules are to say of them. For instance `tests/mine.toml`, run by
    /// `test tests`:
    ///
    ///   [[test]]
    ///   name = "refused requests page in the second minute"
    ///   quotas = { rpm = 200 }
    ///   expect = [
    ///     { at = "11m", rule = "throttles", state = "pending" },
    ///     { at = "12m", rule = "throttles", state = "alerting", reason = "requests are refused" },
    ///   ]
    ///   [test.series]
    ///   invocations = "100x20"
    ///   throttles = "_x10 8x10"
    ///
    /// In continuous integration: `test tests --junit report.xml`; one test alone: `test tests --run '*second minute*'`.
    ///
    /// Exit codes: 0 all as expected, 1 not, 64 no test has the name that --run gives, 78 a test or rule can't be read.
    /// docs/rules.md has all keys.
    #[command(verbatim_doc_comment)]
    Test(TestArgs),
    /// Replay what was measured by the configured rules: what would have fired, been told and been filed, and when.
    ///
    /// Over the service's store (`backtest --state FOLDER --from 2026-01-05T00:00:00Z`), or over tables (`backtest --csv
    /// claude.csv --quota tpm=266000`). It tells nobody and files nothing. `--incident ID`, or `--pool` with `--from` and
    /// `--until`, shows each minute with what was decided. docs/rules.md has the columns and the JSON.
    Backtest(BacktestArgs),
    /// Show what exists and which quotas limit it, with the reasons; asks AWS, or compares two lists.
    Discover(DiscoverArgs),
    /// Show how things stand, from the running service.
    Status(StatusArgs),
    /// Show what watching costs this month, from the running service; with `--plan` what it would cost.
    Cost(CostArgs),
    /// Show why: whatever has an id in a message, on the page or in a list; `mapping POOL` for the quotas of a pool alone.
    Explain(ExplainArgs),
    /// Show what was measured of a pool, for months, and when its quotas changed.
    History(HistoryArgs),
    /// Print the IAM policy that the configuration needs: exactly the calls that are made.
    ///
    /// For instance `iam-policy --mode file` for the service's own credentials, or `iam-policy --config FILE --account ID`
    /// for the role in another account.
    IamPolicy(IamPolicyArgs),
    /// Show in which Regions requests really ran, from logs: counts, no prompts; a record of processing that can be filed.
    ///
    /// It reads model invocation logs as Bedrock writes them to S3 (`.json.gz`), CloudTrail files, and what
    /// `aws logs filter-log-events` prints; files and folders, on this machine. For instance, against the [[residency]] rules
    /// of a configuration: `ran --config config.toml logs/ --csv > record.csv`.
    /// `ran --service` asks the running service instead, which keeps a record a day: `[[account]] invocation_logs`.
    /// Exit codes: 0 all was read and ran where it may, 1 not.
    #[command(verbatim_doc_comment)]
    Ran(RanArgs),
    /// Show what would be asked of AWS for a pool's quotas now, how much and why, or why nothing: from the running service.
    ///
    /// The same sizes, bounds and words as when an incident is open; nothing is decided. For instance
    /// `plan 111122223333/us-east-1/geo/anthropic.claude-sonnet-4-6`.
    Plan(PlanArgs),
    /// Ask AWS for more of a quota though no rule calls for it, such as before a launch; it is followed like any request.
    ///
    /// For instance `ask 111122223333/us-east-1/geo/anthropic.claude-sonnet-4-6 2000000 --reason "launch on 1 December"`.
    /// It is held to the applied value and AWS's default from below, to [budget] `highest_factor` and `highest_value` from
    /// above, to the rules of residency, and to what is under way; `plan` shows all of it. Not in mode observe.
    Ask(AskArgs),
    /// Carry out a proposal, or the same with another value.
    Approve(ApproveArgs),
    /// Refuse a proposal.
    Reject(RejectArgs),
    /// Hold messages back for a while, list what is held back, or end it.
    #[command(subcommand)]
    Silence(SilenceCommand),
    /// Say that you look after an incident: no more reminders, unless it gets worse.
    Ack(AckArgs),
    /// Say that you look after an incident later: no reminders until then, unless it gets worse.
    Snooze(SnoozeArgs),
    /// Stop all writes at AWS at once: quota requests, cases and comments. Messages go on, and say so.
    ///
    /// The service keeps a file beside its store for it, `STORE.stop-writes`: making that file by hand does the same.
    StopWrites(StopArgs),
    /// Let writes at AWS go on.
    ResumeWrites(ResumeArgs),
    /// Show what people ordered, what was decided and what was written at AWS, with who and why; `store verify` proves it.
    Audit(AuditArgs),
    /// Try the ways to people.
    #[command(subcommand)]
    Notify(NotifyCommand),
    /// Rehearse an incident: its beginning and its end, told through the configured routes, each message marked DRILL.
    ///
    /// For instance `drill --severity critical`. Who takes each message is printed, and how long that took; a receiver that
    /// does not take it is told by its fallback. Nothing is asked of AWS but to publish to topics, nothing is written down,
    /// and what it opens in PagerDuty or Alertmanager, it ends. Exit codes: 0 all who were told took it, 1 not, 78 the
    /// configuration has no receiver.
    Drill(DrillArgs),
    /// Dump, load or verify a store. The service must not be running on it.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Write a first configuration from what AWS says is there: accounts, Regions with traffic, mode observe.
    Init(InitArgs),
    /// Look whether everything is there that a configuration needs: credentials, roles, each IAM action, clock, store.
    ///
    /// It asks AWS by calls that read and cost next to nothing. Each action that is not allowed is named with what is lost
    /// without it; what would have an effect is not tried. Exit codes: 0 fine, 1 something does not work, 69 AWS gave no
    /// answer to tell by, 78 the configuration has faults.
    Doctor(DoctorArgs),
    /// Pack what somebody else needs to help into one file without secrets: configuration, status, incidents, cost.
    ///
    /// It is JSON, packed by gzip: look through it before you send it (`zless`). Account ids and names of models are in it.
    Bundle(BundleArgs),
    /// Ask the running service whether it is alive: exit 0 if so, 1 with the reasons if not, 69 without an answer.
    Health(HealthArgs),
    /// Print completions for a shell, such as `completions bash > /etc/bash_completion.d/bedrock-ops-alert`.
    Completions(CompletionsArgs),
    /// Print the manual page, or that of a command.
    Man(ManArgs),
    /// Print the JSON Schema of the configuration or of rule files, for editors.
    ///
    /// An editor that knows `#:schema` finds it by the first line of the file: `#:schema ./config.schema.json`, next to
    /// which `schema > config.schema.json` has put it.
    Schema(SchemaArgs),
}

/// Options that override the configuration file.
#[derive(Clone, Debug, Args)]
pub(super) struct Overrides {
    /// Configuration file; without one, built-in defaults and the account of the environment's credentials.
    #[arg(long, env = "BOA_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Where the store lies.
    #[arg(long, env = "BOA_STORE_PATH", value_name = "FOLDER")]
    pub(super) store: Option<PathBuf>,
    /// Where the page, the API and the metrics are served; loopback only.
    #[arg(long, env = "BOA_LISTEN", value_name = "ADDRESS:PORT")]
    pub(super) listen: Option<SocketAddr>,
    /// How far the service goes by itself.
    #[arg(long, env = "BOA_MODE")]
    pub(super) mode: Option<ModeArg>,
    /// A folder of rules instead of the built-in ones.
    #[arg(long, env = "BOA_RULES", value_name = "FOLDER")]
    pub(super) rules: Option<PathBuf>,
}

impl Overrides {
    /// Nothing but a file.
    pub(super) const fn of_file(config: Option<PathBuf>) -> Self {
        Self {
            config,
            store: None,
            listen: None,
            mode: None,
            rules: None,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ModeArg {
    /// File nothing.
    Observe,
    /// File what a person approves.
    Propose,
    /// File within the budgets.
    File,
}

impl From<PaperArg> for Paper {
    fn from(paper: PaperArg) -> Self {
        match paper {
            PaperArg::Iam => Self::Iam,
            PaperArg::Scp => Self::Scp,
        }
    }
}

impl From<ModeArg> for Mode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Observe => Self::Observe,
            ModeArg::Propose => Self::Propose,
            ModeArg::File => Self::File,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) overrides: Overrides,
    /// Take the time from a simulated AWS. Refused unless every AWS endpoint is on loopback.
    #[arg(long, value_name = "URL")]
    pub(super) sim_clock: Option<String>,
    /// The name under which the simulated clock knows this service.
    #[arg(long, default_value = "run", requires = "sim_clock", hide = true)]
    pub(super) sim_client: String,
    /// Stop by itself after this much of the service's own time, such as `14d`.
    #[arg(long = "for", value_name = "TIME", value_parser = minutes)]
    pub(super) lasting: Option<i64>,
}

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// How much simulated time to show.
    #[arg(long = "for", value_name = "TIME", value_parser = minutes, default_value = "14d")]
    pub(super) lasting: i64,
    /// `max`, or how many times faster than real.
    #[arg(long, default_value = "max")]
    pub(super) speed: String,
    /// Write the summary there as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Port of the status page; 0 takes a free one.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(super) page_port: u16,
    /// Port of the simulated AWS; 0 takes a free one.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(super) aws_port: u16,
    /// Keep the store in this folder instead of a temporary one.
    #[arg(long, value_name = "FOLDER")]
    pub(super) keep_store: Option<PathBuf>,
    /// How far the service goes; `file` by default, since this AWS is simulated.
    #[arg(long, default_value = "file")]
    pub(super) mode: ModeArg,
    /// Seed of everything the simulated AWS draws.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
}

#[derive(Debug, Args)]
pub(super) struct SimArgs {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, value_name = "PORT")]
    pub(super) port: u16,
    /// The world, see docs/worlds.md; without one, the demo's fortnight.
    #[arg(long, value_name = "FILE")]
    pub(super) world: Option<PathBuf>,
    /// `max` (as fast as its clients let it), or how many times faster than real.
    #[arg(long, default_value = "1")]
    pub(super) speed: String,
    /// Seed of everything that is drawn.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) overrides: Overrides,
    /// Print the effective configuration and where each value comes from.
    #[arg(long)]
    pub(super) show: bool,
    /// Exit with 3 when something is allowed and is hardly meant: a receiver that hears nothing, warnings for nobody.
    #[arg(long)]
    pub(super) deny_warnings: bool,
    /// Print JSON; the shape is in docs/config.md.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct IamPolicyArgs {
    /// Configuration file; without one, the account of the credentials, and no topic to publish to.
    #[arg(long, env = "BOA_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// How far the service goes by itself, instead of what the configuration says.
    #[arg(long, env = "BOA_MODE")]
    pub(super) mode: Option<ModeArg>,
    /// For the role in this account; without it, for the credentials that the service runs with.
    #[arg(long, value_name = "ID")]
    pub(super) account: Option<String>,
    /// Print instead what would enforce [[residency]] on those who call models.
    #[arg(long, value_name = "PAPER", conflicts_with_all = ["mode", "account"], requires = "config")]
    pub(super) residency: Option<PaperArg>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum PaperArg {
    /// A policy for the role that calls models: it allows them where data may be, and denies them elsewhere.
    Iam,
    /// A service control policy for the organisation: it denies, and allows nothing.
    Scp,
}

#[derive(Debug, Args)]
pub(super) struct RanArgs {
    /// Log files, and folders of such.
    #[arg(required_unless_present = "service", value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Configuration file with [[residency]] rules; the service has its own.
    #[arg(long, env = "BOA_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Ask the running service for its record instead: what it read of CloudWatch Logs, day by day.
    #[arg(long, conflicts_with = "paths")]
    pub(super) service: bool,
    /// The first day, such as 2026-11-01; 30 days without it.
    #[arg(long, value_name = "DAY", requires = "service")]
    pub(super) from: Option<String>,
    /// The last day; today without it.
    #[arg(long, value_name = "DAY", requires = "service")]
    pub(super) to: Option<String>,
    /// Print comma-separated values.
    #[arg(long, conflicts_with = "json")]
    pub(super) csv: bool,
    #[command(flatten)]
    pub(super) read: ReadArgs,
}

#[derive(Debug, Args)]
pub(super) struct DiscoverArgs {
    /// Configuration file that names the accounts; without one, the account of the environment's credentials.
    #[arg(long, env = "BOA_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Ask nobody: map the ids of this list (CSV with the columns `model_id,region`).
    #[arg(long, value_name = "FILE", requires = "quotas")]
    pub(super) corpus: Option<PathBuf>,
    /// The quotas to map them to (CSV with the columns `quota_code,quota_name`, `default_value` and `adjustable` if known).
    #[arg(long, value_name = "FILE", requires = "corpus")]
    pub(super) quotas: Option<PathBuf>,
    /// Print JSON; the shape is in docs/discover.md.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReadArgs {
    /// Address of the running service; without it that of this machine, where /etc/bedrock-ops-alert/config.toml says.
    #[arg(long, env = "BOA_URL", value_name = "URL")]
    url: Option<String>,
    /// The file with the token, where the service asks for one: that of [listen] token, or act_token to decide. Of the
    /// service of this machine it is found, where you may read it.
    #[arg(long, env = "BOA_TOKEN_FILE", value_name = "FILE", value_parser = remote::Token::in_file)]
    token_file: Option<remote::Token>,
    /// Print JSON; the shape is in docs/api.md.
    #[arg(long)]
    pub(super) json: bool,
}

impl ReadArgs {
    /// Where the service is, with the token.
    pub(super) fn address(&self) -> String {
        host::address(self.url.as_deref(), self.token_file.as_ref())
    }

    pub(super) const fn format(&self) -> remote::Format {
        if self.json {
            remote::Format::Json
        } else {
            remote::Format::Text
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) read: ReadArgs,
    /// Exit with 2 when something is at risk.
    #[arg(long)]
    pub(super) exit_code: bool,
}

#[derive(Debug, Args)]
pub(super) struct CostArgs {
    /// Say what a month would cost, from a configuration; asks no running service.
    #[arg(long)]
    pub(super) plan: bool,
    /// Configuration file of the plan.
    #[arg(long, env = "BOA_CONFIG", value_name = "FILE", requires = "plan")]
    pub(super) config: Option<PathBuf>,
    /// Plan for so many targets; without it AWS is asked which there are, by calls that cost next to nothing.
    #[arg(long, value_name = "NUMBER", requires = "plan", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) targets: Option<u32>,
    /// Plan for targets that are near a limit so much of the time.
    #[arg(long, value_name = "SHARE", requires = "plan", value_parser = config::share, default_value = "10 %")]
    pub(super) hot_share: Share,
    #[command(flatten)]
    pub(super) read: ReadArgs,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// `inc-…`, `act-…`, `sil-…`, a marker, pool, target, quota code, request or case; or the word `mapping`.
    pub(super) id: String,
    /// After `mapping`: the pool, `account/region/family/model`.
    #[arg(required_if_eq("id", "mapping"))]
    pub(super) pool: Option<String>,
    /// After `mapping`: tell it from this list of quotas instead of the running service.
    #[arg(long, value_name = "FILE", requires = "pool")]
    pub(super) quotas: Option<PathBuf>,
    /// Of a pool: why something fired at this minute, or nothing did; an instant, `14:05` (UTC), or so long ago (`90m`).
    #[arg(long, value_name = "TIME", conflicts_with = "pool")]
    pub(super) at: Option<String>,
    #[command(flatten)]
    pub(super) read: ReadArgs,
}

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// The pool, `account/region/family/model`.
    pub(super) pool: String,
    /// What: `tpm`, `rpm`, `throttles`, `latency` or another signal of the rules.
    #[arg(long, default_value = "tpm")]
    pub(super) signal: String,
    /// From when: an instant, a day, or so long before the end (`36h`, `14d`).
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub(super) from: String,
    /// Until when, exclusive; now without it.
    #[arg(long, value_name = "TIME")]
    pub(super) to: Option<String>,
    /// How long a row is: `minute`, `5m` or `hour`; by the length of the range without it.
    #[arg(long, value_name = "TIME")]
    pub(super) by: Option<String>,
    #[command(flatten)]
    pub(super) read: ReadArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum NotifyCommand {
    /// Send a message marked TEST through each receiver, as real ones go, and print what each of them answers.
    ///
    /// Nothing is written down, and at AWS nothing happens but the publishing. What it opens in PagerDuty or Alertmanager,
    /// it ends at once. Exit codes: 0 all took it, 1 not, 64 no such receiver, 78 none is configured.
    Test {
        /// The name of a receiver; without one, all of them.
        receiver: Option<String>,
        /// Configuration file; without one, that of the service of this machine.
        #[arg(long, env = "BOA_CONFIG", value_name = "FILE")]
        config: Option<PathBuf>,
        /// Print JSON: a list of `receiver`, `kind`, `phase`, `is_taken` and `said`.
        #[arg(long)]
        json: bool,
    },
}

/// `90m`, `36h`, `14d`: minutes.
fn minutes(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is not a time: write 90m, 36h or 14d");
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let number: i64 = number.trim().parse().map_err(|_| wrong())?;
    let factor = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 1_440,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(factor)
        .filter(|minutes| 0 < *minutes)
        .ok_or_else(wrong)
}
