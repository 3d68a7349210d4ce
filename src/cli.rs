//! The command line: what people type, and what they get. Standard output is data, standard error is talk.

use std::{
    io::{BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::FromArgMatches as _;

mod args;
mod backtest;
mod bundle;
mod check;
mod configuration;
pub mod cost;
pub mod discover;
pub mod doctor;
mod drill;
mod ended;
pub mod exit;
pub mod explain;
pub mod health;
pub mod history;
mod host;
mod installing;
pub mod mapping;
pub mod moment;
pub mod notify;
mod output;
mod paper;
pub mod prospect;
pub mod ran;
pub mod remote;
pub mod rule;
pub mod say;
pub mod status;
mod store;
pub mod test;
mod text;

use crate::{
    app,
    aws::iam::{Caller, policies, policy},
    collect::survey::Survey,
    model::{
        ids::{AccountId, ReceiverName},
        rule::Pattern,
    },
    web::{inert, json::Acknowledging},
};
use args::{
    AckArgs, ApproveArgs, AskArgs, AuditArgs, BacktestArgs, Cli, Command, CostArgs, DemoArgs,
    DiscoverArgs, ExplainArgs, HistoryArgs, IamPolicyArgs, NotifyCommand, Overrides, PlanArgs,
    RanArgs, ReadArgs, RejectArgs, RunArgs, SilenceCommand, SimArgs, StatusArgs, StoreCommand,
    TestArgs,
};
use configuration::{load, load_for_good, load_here, load_traced_here, misconfigured};
use ended::ended;
use exit::Exit;
use output::{Output, say};

/// Runs what the command line asks for.
#[must_use]
pub fn main() -> ExitCode {
    let given = args::program().try_get_matches();
    let cli = match given.and_then(|it| Cli::from_arg_matches(&it)) {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    let result = match cli.command {
        Command::Run(args) => run(args),
        Command::Demo(args) => demo(args),
        Command::Sim(args) => sim(args),
        Command::Check(args) => check::check(&args),
        Command::Test(args) => test(&args),
        Command::Backtest(args) => backtest(&args),
        Command::Discover(args) => discover(&args),
        Command::Status(args) => status(&args),
        Command::Cost(args) => cost(&args),
        Command::Explain(args) => explain(&args),
        Command::History(args) => history(args),
        Command::IamPolicy(args) => iam_policy(args),
        Command::Ran(args) => where_it_ran(&args),
        Command::Plan(args) => plan(&args),
        Command::Ask(args) => ask_aws(&args),
        Command::Approve(args) => approve(&args),
        Command::Reject(args) => reject(&args),
        Command::Silence(command) => silence(&command),
        Command::Ack(args) => acknowledge(&args, &args.saying()),
        Command::Snooze(args) => acknowledge(&args.ack, &args.saying()),
        Command::StopWrites(args) => writes(&args.read, true, &args.saying()),
        Command::ResumeWrites(args) => writes(&args.read, false, &args.saying()),
        Command::Audit(args) => audit(&args),
        Command::Notify(NotifyCommand::Test {
            config,
            receiver,
            json,
        }) => notify_test(config, receiver, json),
        Command::Drill(args) => drill::drill(args),
        Command::Store(command) => store(command),
        Command::Init(args) => installing::init(args),
        Command::Doctor(args) => installing::doctor(&args),
        Command::Bundle(args) => installing::bundle(&args),
        Command::Health(args) => installing::health(&args),
        Command::Completions(args) => print(|out| paper::completions(args.shell, out)),
        Command::Man(args) => installing::man(&args),
        Command::Schema(args) => installing::schema(&args),
    };
    match result {
        Ok(code) => code,
        Err(exit) => exit.report(),
    }
}

fn run(args: RunArgs) -> Result<ExitCode, Exit> {
    let source = load_for_good(&args.overrides)?;
    app::log::init();
    let options = app::run::RunOptions {
        sim_clock: args.sim_clock.map(|url| (url, args.sim_client)),
        lasting_minutes: args.lasting,
    };
    block_on(app::run::run(source, options))?.map_err(|error| ended(&error))?;
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

fn test(args: &TestArgs) -> Result<ExitCode, Exit> {
    let mut overrides = Overrides::of_file(args.config.clone());
    overrides.rules.clone_from(&args.rules);
    let settings = load(&overrides)?;
    let called = args.run.clone().map(Pattern::new);
    let report = test::run(args.folder.as_deref(), called.as_ref(), &settings);
    let report = report.map_err(|error| match error {
        test::TestError::Files(error) => misconfigured(error),
        test::TestError::NoneCalled { .. } => {
            let help = "`*` stands for any text: --run '*PART OF THE NAME*'";
            Exit::new(exit::USAGE, &error, help)
        }
    })?;
    if let Some(path) = &args.junit {
        let help = "--junit takes a file in a folder that is there";
        let written = test::write_junit_file(&report, path);
        written.map_err(|error| Exit::new(exit::STORE, &error, help))?;
    }
    let format = if args.json {
        remote::Format::Json
    } else {
        remote::Format::Text
    };
    test::write(&report, format, &mut Output::new()).map_err(|error| unwritten(&error))?;
    Ok(if report.misses.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::FAILED)
    })
}

fn backtest(args: &BacktestArgs) -> Result<ExitCode, Exit> {
    let mut overrides = Overrides::of_file(args.config.clone());
    overrides.rules.clone_from(&args.rules);
    let settings = load_here(overrides)?;
    let format = if args.json {
        remote::Format::Json
    } else {
        remote::Format::Text
    };
    let mut out = BufWriter::new(Output::new());
    let written = match &args.against {
        None => backtest::write(&backtest::run(args, &settings)?, format, &mut out),
        Some(other) => {
            let other = load(&Overrides::of_file(Some(other.clone())))?;
            let difference = backtest::against(args, &other, &settings)?;
            backtest::write_difference(&difference, format, &mut out)
        }
    };
    written.map_err(|error| unwritten(&error))?;
    out.flush().map_err(|error| unwritten(&error))?;
    Ok(ExitCode::SUCCESS)
}

fn where_it_ran(args: &RanArgs) -> Result<ExitCode, Exit> {
    let form = match (args.read.json, args.csv) {
        (true, _) => ran::Form::Json,
        (false, true) => ran::Form::Csv,
        (false, false) => ran::Form::Text,
    };
    let done = |is_good| match is_good {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(exit::FAILED),
    };
    if args.service {
        let asked = ran::Asked {
            from: args.from.clone(),
            to: args.to.clone(),
        };
        let address = args.read.address();
        return ask(async |out| ran::service(&address, &asked, form, out).await).map(done);
    }
    let settings = load_here(Overrides::of_file(args.config.clone()))?;
    let record = ran::Record::of(app::ran::read(&args.paths), &settings.policy.residency);
    let mut out = BufWriter::new(Output::new());
    ran::write(&record, form, &mut out)
        .map_err(|error| Exit::new(exit::STORE, &error, "the record is not whole"))?;
    out.flush().map_err(|error| unwritten(&error))?;
    Ok(done(record.is_good()))
}

fn iam_policy(args: IamPolicyArgs) -> Result<ExitCode, Exit> {
    let mut overrides = Overrides::of_file(args.config);
    overrides.mode = args.mode;
    let settings = load_here(overrides)?;
    if let Some(paper) = args.residency {
        let rules = &settings.policy.residency;
        let by_tags = rules.iter().filter(|it| !it.tags.is_open());
        let by_tags: Vec<&str> = by_tags.map(|it| it.name.as_str()).collect();
        if by_tags.len() == rules.len() {
            let what = if rules.is_empty() {
                "no [[residency]]"
            } else {
                "no [[residency]] without `tags`, and no policy can go by the tags of a profile"
            };
            let text =
                format!("error: the configuration has {what}\n  help: see docs/residency.md");
            return Err(Exit::rendered(exit::USAGE, text));
        }
        if !by_tags.is_empty() {
            let names = by_tags.join(", ");
            say(&format!(
                "not in this policy: {names}, since no policy can go by the tags of a profile"
            ));
        }
        return print(|out| writeln!(out, "{:#}", policies(rules, paper.into())));
    }
    let account = args.account.map(AccountId::new);
    let known = |id: &AccountId| {
        let mut accounts = settings.accounts.iter();
        accounts.any(|account| account.id == *id && account.role_arn.is_some())
    };
    let caller = match &account {
        None => Caller::Service,
        Some(id) if known(id) => Caller::RoleIn(id),
        Some(id) => {
            let text = format!(
                "error: no [[account]] with id = \"{id}\" and a `role_arn`\n  help: without --account the policy is for the credentials that the service runs with"
            );
            return Err(Exit::rendered(exit::USAGE, text));
        }
    };
    print(|out| writeln!(out, "{:#}", policy(&settings, caller)))
}

/// Prints what needs nobody's answer.
fn print(write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<ExitCode, Exit> {
    write(&mut Output::new()).map_err(|error| unwritten(&error))?;
    Ok(ExitCode::SUCCESS)
}

/// Runs a command that asks the running service.
fn ask<T>(
    work: impl AsyncFnOnce(&mut dyn Write) -> Result<T, remote::RemoteError>,
) -> Result<T, Exit> {
    let mut out = Output::new();
    block_on(work(&mut out))?.map_err(|error| Exit::new(error.exit_code(), &error, ""))
}

fn status(args: &StatusArgs) -> Result<ExitCode, Exit> {
    let level =
        ask(async |out| status::status(&args.read.address(), args.read.format(), out).await)?;
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
        ask(async |out| cost::cost(&args.read.address(), format, out).await)?;
        return Ok(ExitCode::SUCCESS);
    }
    let settings = load_here(Overrides::of_file(args.config.clone()))?;
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
            app::cost::Watched::found(&surveys, &settings)
        }
    };
    let plan = app::cost::plan(watched, args.hot_share, &settings);
    cost::write_plan(&plan, format, &mut Output::new())
        .map_err(|error| Exit::new(error.exit_code(), &error, ""))?;
    Ok(ExitCode::SUCCESS)
}

fn discover(args: &DiscoverArgs) -> Result<ExitCode, Exit> {
    let surveys = match (&args.corpus, &args.quotas) {
        (Some(corpus), Some(quotas)) => {
            app::discover::compare(corpus, quotas).map_err(|error| bad_list(&error))?
        }
        (_, _) => {
            let settings = load_here(Overrides::of_file(args.config.clone()))?;
            block_on(app::discover::ask(settings.accounts))?.map_err(|error| ended(&error))?
        }
    };
    let style = discover::Style::for_standard_output(args.json);
    discover::write(&surveys, style, &mut Output::new()).map_err(|error| unwritten(&error))?;
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
    if let Some(at) = &args.at {
        let (url, format) = (&args.read.address(), args.read.format());
        ask(async |out| moment::moment(url, &args.id, at, format, out).await)?;
        return Ok(ExitCode::SUCCESS);
    }
    ask(async |out| {
        explain::explain(&args.read.address(), &args.id, args.read.format(), out).await
    })?;
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
    ask(async |out| history::history(&args.read.address(), &asked, format, out).await)?;
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
            mapping::explain_list(pool, &quotas, format, &mut Output::new())
                .map_err(|error| unwritten(&error))?;
        }
        None => ask(async |out| mapping::explain(&args.read.address(), pool, format, out).await)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn plan(args: &PlanArgs) -> Result<ExitCode, Exit> {
    let (url, pool, format) = (&args.read.address(), &args.pool, args.read.format());
    ask(async |out| prospect::plan(url, pool, args.words, format, out).await)?;
    Ok(ExitCode::SUCCESS)
}

fn ask_aws(args: &AskArgs) -> Result<ExitCode, Exit> {
    let (url, format) = (&args.read.address(), args.read.format());
    ask(async |out| prospect::ask(url, &args.asking(), format, out).await)?;
    Ok(ExitCode::SUCCESS)
}

fn approve(args: &ApproveArgs) -> Result<ExitCode, Exit> {
    let (url, action, format) = (&args.read.address(), &args.action, args.read.format());
    ask(async |out| rule::approve(url, action, &args.ruling(), format, out).await)?;
    Ok(ExitCode::SUCCESS)
}

fn reject(args: &RejectArgs) -> Result<ExitCode, Exit> {
    let (url, action, format) = (&args.read.address(), &args.action, args.read.format());
    ask(async |out| rule::reject(url, action, &args.ruling(), format, out).await)?;
    Ok(ExitCode::SUCCESS)
}

fn silence(command: &SilenceCommand) -> Result<ExitCode, Exit> {
    match command {
        SilenceCommand::Add(args) => {
            let (url, format) = (&args.read.address(), args.read.format());
            ask(async |out| say::silence(url, &args.silencing(), format, out).await)?;
        }
        SilenceCommand::List(read) => {
            ask(async |out| say::silences(&read.address(), read.format(), out).await)?;
        }
        SilenceCommand::Expire(args) => {
            let (url, format) = (&args.read.address(), args.read.format());
            let id = &args.silence;
            ask(async |out| say::expire(url, id, &args.saying(), format, out).await)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn notify_test(
    config: Option<PathBuf>,
    receiver: Option<String>,
    is_json: bool,
) -> Result<ExitCode, Exit> {
    let settings = load_here(Overrides::of_file(config))?;
    let only = receiver.map(ReceiverName::new);
    notify::check(&settings, only.as_ref()).map_err(|error| {
        let code = match error {
            notify::NobodyError::None => exit::CONFIG,
            notify::NobodyError::Unknown { .. } => exit::USAGE,
        };
        Exit::new(code, &error, &error.help(&settings))
    })?;
    let tried = block_on(app::notify::test(&settings, only.as_ref()))?;
    let tried = tried.map_err(|error| ended(&error))?;
    let mut out = Output::new();
    let all = if is_json {
        let document = notify::document(&tried);
        print(|out| out.write_all(inert::json(&document)?.as_bytes()))?;
        notify::took_all(&tried)
    } else {
        notify::write(&tried, &mut out).map_err(|error| unwritten(&error))?
    };
    Ok(if all {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::FAILED)
    })
}

fn acknowledge(args: &AckArgs, saying: &Acknowledging) -> Result<ExitCode, Exit> {
    let (url, incident, format) = (&args.read.address(), &args.incident, args.read.format());
    ask(async |out| say::acknowledge(url, incident, saying, format, out).await)?;
    Ok(ExitCode::SUCCESS)
}

fn writes(read: &ReadArgs, is_stop: bool, saying: &Acknowledging) -> Result<ExitCode, Exit> {
    ask(async |out| say::writes(&read.address(), is_stop, saying, read.format(), out).await)?;
    Ok(ExitCode::SUCCESS)
}

fn audit(args: &AuditArgs) -> Result<ExitCode, Exit> {
    let (url, format) = (&args.read.address(), args.read.format());
    ask(async |out| say::audit(url, args.subject.as_deref(), format, out).await)?;
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
