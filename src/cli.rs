//! The command line: what people type, and what they get. Standard output is data, standard error is talk.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};

pub mod cost;
pub mod discover;
pub mod exit;
pub mod explain;
pub mod history;
pub mod mapping;
pub mod remote;
pub mod rule;
pub mod status;
mod store;
mod text;

use crate::{
    app,
    collect::survey::Survey,
    config,
    model::{policy::Mode, units::Share},
};
use exit::Exit;

/// Watches Amazon Bedrock capacity and acts on it.
///
/// Start with `bedrock-ops-alert demo`: the whole service against a simulated AWS, no account needed.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service.
    Run(RunArgs),
    /// Run the service against a simulated AWS, everything embedded: a fortnight in under three minutes.
    Demo(DemoArgs),
    /// Run the simulated AWS alone.
    Sim(SimArgs),
    /// Check a configuration and its rules: all faults at once, each with its place.
    Check(CheckArgs),
    /// Show what exists and which quotas limit it, with the reasons; asks AWS, or compares two lists.
    Discover(DiscoverArgs),
    /// Show how things stand, from the running service.
    Status(StatusArgs),
    /// Show what watching costs this month, from the running service; with `--plan` what it would cost.
    Cost(CostArgs),
    /// Show why: an incident, an action, a pool, a quota code or a request; `mapping POOL` for its quotas alone.
    Explain(ExplainArgs),
    /// Show what was measured of a pool, for months, and when its quotas changed.
    History(HistoryArgs),
    /// Carry out a proposal.
    Approve(AnswerArgs),
    /// Refuse a proposal.
    Reject(AnswerArgs),
    /// Dump, load or verify a store. The service must not be running on it.
    #[command(subcommand)]
    Store(StoreCommand),
}

/// Options that override the configuration file.
#[derive(Debug, Args)]
struct Overrides {
    /// Configuration file; without one, built-in defaults and the account of the environment's credentials.
    #[arg(long, env = "BOA_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the store lies.
    #[arg(long, env = "BOA_STORE_PATH", value_name = "FOLDER")]
    store: Option<PathBuf>,
    /// Where the page, the API and the metrics are served; loopback only.
    #[arg(long, env = "BOA_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// How far the service goes by itself.
    #[arg(long, env = "BOA_MODE")]
    mode: Option<ModeArg>,
    /// A folder of rules instead of the built-in ones.
    #[arg(long, env = "BOA_RULES", value_name = "FOLDER")]
    rules: Option<PathBuf>,
}

impl Overrides {
    /// Nothing but a file.
    const fn of_file(config: Option<PathBuf>) -> Self {
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
enum ModeArg {
    /// File nothing.
    Observe,
    /// File what a person approves.
    Propose,
    /// File within the budgets.
    File,
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
struct RunArgs {
    #[command(flatten)]
    overrides: Overrides,
    /// Take the time from a simulated AWS. Refused unless every AWS endpoint is on loopback.
    #[arg(long, value_name = "URL")]
    sim_clock: Option<String>,
    /// The name under which the simulated clock knows this service.
    #[arg(long, default_value = "run", requires = "sim_clock", hide = true)]
    sim_client: String,
    /// Stop by itself after this much of the service's own time, such as `14d`.
    #[arg(long = "for", value_name = "TIME", value_parser = minutes)]
    lasting: Option<i64>,
}

#[derive(Debug, Args)]
struct DemoArgs {
    /// How much simulated time to show.
    #[arg(long = "for", value_name = "TIME", value_parser = minutes, default_value = "14d")]
    lasting: i64,
    /// `max`, or how many times faster than real.
    #[arg(long, default_value = "max")]
    speed: String,
    /// Write the summary there as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Port of the status page; 0 takes a free one.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    page_port: u16,
    /// Port of the simulated AWS; 0 takes a free one.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    aws_port: u16,
    /// Keep the store in this folder instead of a temporary one.
    #[arg(long, value_name = "FOLDER")]
    keep_store: Option<PathBuf>,
    /// How far the service goes; `file` by default, since this AWS is simulated.
    #[arg(long, default_value = "file")]
    mode: ModeArg,
    /// Seed of everything the simulated AWS draws.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Args)]
struct SimArgs {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, value_name = "PORT")]
    port: u16,
    /// The world, see docs/worlds.md; without one, the demo's fortnight.
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// `max` (as fast as its clients let it), or how many times faster than real.
    #[arg(long, default_value = "1")]
    speed: String,
    /// Seed of everything that is drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Args)]
struct CheckArgs {
    #[command(flatten)]
    overrides: Overrides,
    /// Print the effective configuration and where each value comes from.
    #[arg(long)]
    show: bool,
}

#[derive(Debug, Args)]
struct DiscoverArgs {
    /// Configuration file that names the accounts; without one, the account of the environment's credentials.
    #[arg(long, env = "BOA_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Ask nobody: map the ids of this list (CSV with the columns `model_id,region`).
    #[arg(long, value_name = "FILE", requires = "quotas")]
    corpus: Option<PathBuf>,
    /// The quotas to map them to (CSV with the columns `quota_code,quota_name`, `default_value` and `adjustable` if known).
    #[arg(long, value_name = "FILE", requires = "corpus")]
    quotas: Option<PathBuf>,
    /// Print JSON; the shape is in docs/discover.md.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ReadArgs {
    /// Address of the running service.
    #[arg(
        long,
        env = "BOA_URL",
        default_value = "http://127.0.0.1:9464",
        value_name = "URL"
    )]
    url: String,
    /// Print JSON; the shape is in docs/api.md.
    #[arg(long)]
    json: bool,
}

impl ReadArgs {
    const fn format(&self) -> remote::Format {
        if self.json {
            remote::Format::Json
        } else {
            remote::Format::Text
        }
    }
}

#[derive(Debug, Args)]
struct StatusArgs {
    #[command(flatten)]
    read: ReadArgs,
    /// Exit with 2 when something is at risk.
    #[arg(long)]
    exit_code: bool,
}

#[derive(Debug, Args)]
struct CostArgs {
    /// Say what a month would cost, from a configuration; asks no running service.
    #[arg(long)]
    plan: bool,
    /// Configuration file of the plan.
    #[arg(long, env = "BOA_CONFIG", value_name = "FILE", requires = "plan")]
    config: Option<PathBuf>,
    /// Plan for so many targets; without it AWS is asked which there are, by calls that cost next to nothing.
    #[arg(long, value_name = "NUMBER", requires = "plan", value_parser = clap::value_parser!(u32).range(1..))]
    targets: Option<u32>,
    /// Plan for targets that are near a limit so much of the time.
    #[arg(long, value_name = "SHARE", requires = "plan", value_parser = config::share, default_value = "10 %")]
    hot_share: Share,
    #[command(flatten)]
    read: ReadArgs,
}

#[derive(Debug, Args)]
struct ExplainArgs {
    /// `inc-…`, `act-…`, a pool, a quota code or a request id; or the word `mapping`.
    id: String,
    /// After `mapping`: the pool, `account/region/family/model`.
    #[arg(required_if_eq("id", "mapping"))]
    pool: Option<String>,
    /// After `mapping`: tell it from this list of quotas instead of the running service.
    #[arg(long, value_name = "FILE", requires = "pool")]
    quotas: Option<PathBuf>,
    #[command(flatten)]
    read: ReadArgs,
}

#[derive(Debug, Args)]
struct HistoryArgs {
    /// The pool, `account/region/family/model`.
    pool: String,
    /// What: `tpm`, `rpm`, `throttles`, `latency` or another signal of the rules.
    #[arg(long, default_value = "tpm")]
    signal: String,
    /// From when: an instant, a day, or so long before the end (`36h`, `14d`).
    #[arg(long, value_name = "TIME", default_value = "24h")]
    from: String,
    /// Until when, exclusive; now without it.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// How long a row is: `minute`, `5m` or `hour`; by the length of the range without it.
    #[arg(long, value_name = "TIME")]
    by: Option<String>,
    #[command(flatten)]
    read: ReadArgs,
}

#[derive(Debug, Args)]
struct AnswerArgs {
    /// The proposal, `act-…`.
    action: String,
    /// Who decides; written down with the decision.
    #[arg(long, env = "USER", default_value = "unnamed")]
    by: String,
    #[command(flatten)]
    read: ReadArgs,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Write all records as JSON lines to standard output.
    Dump {
        /// The store's folder.
        store: PathBuf,
    },
    /// Read JSON lines from standard input into a new store.
    Load {
        /// The folder of the new store.
        store: PathBuf,
        /// Load although the store holds records already; those of the dump win.
        #[arg(long)]
        onto_existing: bool,
    },
    /// Check every record, the counts and the chain.
    Verify {
        /// The store's folder.
        store: PathBuf,
    },
    /// Write what can still be read of a damaged store as a dump to standard output.
    Salvage {
        /// The store's folder.
        store: PathBuf,
    },
}

/// Runs what the command line asks for.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    let result = match cli.command {
        Command::Run(args) => run(args),
        Command::Demo(args) => demo(args),
        Command::Sim(args) => sim(args),
        Command::Check(args) => check(&args),
        Command::Discover(args) => discover(&args),
        Command::Status(args) => status(&args),
        Command::Cost(args) => cost(&args),
        Command::Explain(args) => explain(&args),
        Command::History(args) => history(args),
        Command::Approve(args) => answer(&args, true),
        Command::Reject(args) => answer(&args, false),
        Command::Store(command) => store(command),
    };
    match result {
        Ok(code) => code,
        Err(exit) => exit.report(),
    }
}

fn run(args: RunArgs) -> Result<ExitCode, Exit> {
    let settings = load(&args.overrides)?;
    app::log::init();
    let options = app::run::RunOptions {
        sim_clock: args.sim_clock.map(|url| (url, args.sim_client)),
        lasting_minutes: args.lasting,
    };
    block_on(app::run::run(settings, options))?.map_err(|error| ended(&error))?;
    Ok(ExitCode::SUCCESS)
}

fn demo(args: DemoArgs) -> Result<ExitCode, Exit> {
    let options = app::demo::DemoOptions {
        lasting_minutes: args.lasting,
        speed: args.speed,
        json: args.json,
        page_port: args.page_port,
        aws_port: args.aws_port,
        keep_store: args.keep_store,
        mode: args.mode.into(),
        seed: args.seed,
    };
    block_on(app::demo::demo(options))?.map_err(|error| ended(&error))?;
    Ok(ExitCode::SUCCESS)
}

fn sim(args: SimArgs) -> Result<ExitCode, Exit> {
    app::log::init();
    let options = app::sim::SimOptions {
        port: args.port,
        world: args.world,
        speed: args.speed,
        seed: args.seed,
    };
    block_on(app::sim::sim(options))?.map_err(|error| {
        Exit::new(
            exit::CONFIG,
            &error,
            "docs/worlds.md describes worlds, speeds and ports",
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "what a command finds is data")]
fn check(args: &CheckArgs) -> Result<ExitCode, Exit> {
    let loaded = load_traced(&args.overrides)?;
    if args.show {
        print!("{}", loaded.show());
    } else {
        println!(
            "ok: {} rules, mode {}",
            loaded.settings.rules.len(),
            loaded.settings.policy.mode.name()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a command that asks the running service.
fn ask<T>(
    work: impl AsyncFnOnce(&mut dyn std::io::Write) -> Result<T, remote::RemoteError>,
) -> Result<T, Exit> {
    let mut out = std::io::stdout();
    block_on(work(&mut out))?.map_err(|error| Exit::new(error.exit_code(), &error, ""))
}

fn status(args: &StatusArgs) -> Result<ExitCode, Exit> {
    let level = ask(async |out| status::status(&args.read.url, args.read.format(), out).await)?;
    let is_told = args.exit_code && level.is_at_risk();
    Ok(if is_told {
        ExitCode::from(exit::AT_RISK)
    } else {
        ExitCode::SUCCESS
    })
}

fn cost(args: &CostArgs) -> Result<ExitCode, Exit> {
    let format = args.read.format();
    if !args.plan {
        ask(async |out| cost::cost(&args.read.url, format, out).await)?;
        return Ok(ExitCode::SUCCESS);
    }
    let settings = load(&Overrides::of_file(args.config.clone()))?;
    let watched = match args.targets {
        Some(targets) => app::cost::Watched::assumed(targets, &settings),
        None => {
            let surveys = block_on(app::discover::ask(settings.accounts.clone()))?;
            let surveys = surveys.map_err(|error| ended(&error))?;
            if let Some(fault) = surveys.iter().flat_map(|survey| &survey.faults).next() {
                let help =
                    "a plan for a part would be too low: say how many there are with --targets";
                return Err(Exit::new(exit::UNREACHABLE, fault, help));
            }
            app::cost::Watched::found(&surveys)
        }
    };
    let plan = app::cost::plan(watched, args.hot_share, &settings);
    cost::write_plan(&plan, format, &mut std::io::stdout())
        .map_err(|error| Exit::new(error.exit_code(), &error, ""))?;
    Ok(ExitCode::SUCCESS)
}

fn discover(args: &DiscoverArgs) -> Result<ExitCode, Exit> {
    let surveys = match (&args.corpus, &args.quotas) {
        (Some(corpus), Some(quotas)) => {
            app::discover::compare(corpus, quotas).map_err(|error| bad_list(&error))?
        }
        (_, _) => {
            let settings = load(&Overrides::of_file(args.config.clone()))?;
            block_on(app::discover::ask(settings.accounts))?.map_err(|error| ended(&error))?
        }
    };
    let style = discover::Style::for_standard_output(args.json);
    discover::write(&surveys, style, &mut std::io::stdout()).map_err(|error| unwritten(&error))?;
    let is_read = |survey: &Survey| survey.faults.is_empty();
    Ok(if surveys.iter().all(is_read) {
        ExitCode::SUCCESS
    } else if surveys.iter().any(|survey| !survey.pools.is_empty()) {
        ExitCode::from(exit::FAILED)
    } else {
        ExitCode::from(exit::UNREACHABLE)
    })
}

fn bad_list(error: &app::discover::ListError) -> Exit {
    Exit::new(
        exit::USAGE,
        error,
        "docs/discover.md shows both lists; `aws service-quotas list-aws-default-service-quotas --service-code bedrock` has the names",
    )
}

fn unwritten(error: &std::io::Error) -> Exit {
    Exit::new(exit::STORE, error, "")
}

fn explain(args: &ExplainArgs) -> Result<ExitCode, Exit> {
    if let Some(pool) = &args.pool {
        return explain_mapping(args, pool);
    }
    ask(async |out| explain::explain(&args.read.url, &args.id, args.read.format(), out).await)?;
    Ok(ExitCode::SUCCESS)
}

fn history(args: HistoryArgs) -> Result<ExitCode, Exit> {
    let format = args.read.format();
    let asked = history::Asked {
        pool: args.pool,
        signal: Some(args.signal),
        resolution: args.by,
        from: Some(args.from),
        to: args.to,
    };
    ask(async |out| history::history(&args.read.url, &asked, format, out).await)?;
    Ok(ExitCode::SUCCESS)
}

fn explain_mapping(args: &ExplainArgs, pool: &str) -> Result<ExitCode, Exit> {
    if args.id != "mapping" {
        let text = format!(
            "error: `explain {}` takes one id; did you mean `explain mapping {pool}`?",
            args.id
        );
        return Err(Exit::rendered(exit::USAGE, text));
    }
    let format = args.read.format();
    match &args.quotas {
        Some(list) => {
            let quotas = app::discover::read_quotas(list).map_err(|error| bad_list(&error))?;
            mapping::explain_list(pool, &quotas, format, &mut std::io::stdout())
                .map_err(|error| unwritten(&error))?;
        }
        None => ask(async |out| mapping::explain(&args.read.url, pool, format, out).await)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn answer(args: &AnswerArgs, is_approved: bool) -> Result<ExitCode, Exit> {
    let (url, action, by) = (&args.read.url, &args.action, &args.by);
    let format = args.read.format();
    if is_approved {
        ask(async |out| rule::approve(url, action, by, format, out).await)?;
    } else {
        ask(async |out| rule::reject(url, action, by, format, out).await)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn store(command: StoreCommand) -> Result<ExitCode, Exit> {
    match command {
        StoreCommand::Dump { store } => store::dump(&store),
        StoreCommand::Load {
            store,
            onto_existing,
        } => store::load(&store, onto_existing),
        StoreCommand::Verify { store } => store::verify(&store),
        StoreCommand::Salvage { store } => store::salvage(&store),
    }
}

fn load(overrides: &Overrides) -> Result<crate::model::policy::Settings, Exit> {
    load_traced(overrides).map(|loaded| loaded.settings)
}

fn load_traced(overrides: &Overrides) -> Result<config::Loaded, Exit> {
    let given = config::Overrides {
        store_path: overrides.store.clone(),
        listen: overrides.listen,
        mode: overrides.mode.map(Mode::from),
        rules: overrides.rules.clone(),
        credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
        from_environment: std::collections::BTreeSet::new(),
    };
    config::load_traced(overrides.config.as_deref(), &given)
        .map_err(|error| Exit::rendered(exit::CONFIG, format!("{:?}", miette::Report::new(error))))
}

/// Runs to the end on a runtime of its own.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(8)
        .build()
        .map_err(|error| {
            Exit::new(
                exit::FAILED,
                &error,
                "the process may start no more threads: check its limits",
            )
        })?;
    Ok(runtime.block_on(work))
}

/// Why the service ended, with the exit code that fits.
fn ended(error: &app::run::RunError) -> Exit {
    use crate::runtime::{
        cycle::CycleError, daemon::DaemonError, sim_clock::SimClockError, ticks::TickError,
    };
    use app::run::RunError;
    match error {
        RunError::Store(cause)
        | RunError::Daemon(DaemonError::Cycle {
            source: CycleError::Store(cause),
            ..
        }) => Exit::new(cause.exit_code(), error, cause.help()),
        RunError::Connect(cause) if cause.is_configuration() => {
            Exit::new(exit::CONFIG, error, cause.help())
        }
        RunError::Connect(cause) => Exit::new(exit::UNREACHABLE, error, cause.help()),
        RunError::NotLoopback(_) => Exit::new(
            exit::CONFIG,
            error,
            "set AWS_ENDPOINT_URL to the simulated AWS, such as http://127.0.0.1:4566, and unset the others",
        ),
        RunError::SimClock(SimClockError::Url { .. } | SimClockError::NotLoopback { .. }) => {
            Exit::new(exit::CONFIG, error, "")
        }
        RunError::SimClock(_)
        | RunError::Ticks(TickError::Sim(_))
        | RunError::Daemon(DaemonError::Ticks(TickError::Sim(_))) => Exit::new(
            exit::UNREACHABLE,
            error,
            "start `bedrock-ops-alert sim` there first, or leave --sim-clock out to run on the real AWS in real time",
        ),
        RunError::Listen { .. } => Exit::new(
            exit::CONFIG,
            error,
            "another process may use the port: name another with --listen or BOA_LISTEN",
        ),
        RunError::Ticks(TickError::Scheduler(_))
        | RunError::Daemon(
            DaemonError::Cycle { .. } | DaemonError::Ticks(TickError::Scheduler(_)),
        )
        | RunError::Signals(_)
        | RunError::Open { .. } => Exit::new(
            exit::FAILED,
            error,
            "this is a fault of ours: please report it with the log",
        ),
    }
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
