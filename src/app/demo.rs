//! The demo: the very service of `run`, over real HTTP, against the embedded simulated AWS.

use std::{
    collections::BTreeSet,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::{
    run::{RunError, Service, patience_of, stop_signal},
    summary::{self, Benign},
};
use crate::{
    aws::{Endpoint, SdkCloud, SdkOptions, price},
    cloud::CallCounts,
    config,
    model::{
        ids::{AccountId, QuotaCode, Region, Scope},
        policy::{Mode, Receiver, Secret, Settings},
        rule::Severity,
        time::{DAY, Minute, Timestamp},
    },
    runtime::{
        clock,
        sim_clock::SimClock,
        telemetry::{Level, Line},
        ticks::SimTicks,
    },
    sim::{
        Sim,
        wire::{self, Options, Speed},
        world::World,
    },
    store,
};

/// What the demo is started with.
#[derive(Debug)]
pub struct DemoOptions {
    /// Simulated minutes to show.
    pub lasting_minutes: i64,
    /// `max`, or a factor.
    pub speed: String,
    /// Where the summary goes as JSON.
    pub json: Option<PathBuf>,
    /// Port of the page; 0 takes a free one.
    pub page_port: u16,
    /// Port of the simulated AWS; 0 takes a free one.
    pub aws_port: u16,
    /// Keep the store there.
    pub keep_store: Option<PathBuf>,
    /// How far the service goes.
    pub mode: Mode,
    /// Seed of everything that is drawn.
    pub seed: u64,
}

/// The configuration with which `run` serves the same world.
const CONFIG: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/data/worlds/fortnight.config.toml"
));

/// Runs the demo to its end and prints the summary.
pub async fn demo(options: DemoOptions) -> Result<(), RunError> {
    let began = clock::monotonic();
    let world = World::built_in("fortnight").map_err(|error| open("the demo's world", error))?;
    let speed: Speed = options
        .speed
        .parse()
        .map_err(|error| open("the speed", error))?;
    let sim = Sim::new(world, options.seed);
    let aws = listen(options.aws_port).await?;
    let page = listen(options.page_port).await?;
    let aws_url = format!("http://{}", address(&aws)?);
    let page_url = format!("http://{}", address(&page)?);
    let store = Store::new(options.keep_store.clone());
    let settings = settings(&options, &aws_url, store.path())?;
    let pagers = pager_topics(&settings);
    say(&greeting(
        &options,
        &settings,
        &aws_url,
        &page_url,
        store.path(),
    ));

    let (stop_sim, stopped) = oneshot::channel::<()>();
    let serving = serve_sim(Arc::clone(&sim), aws, speed, stopped);
    let ledger = store::open(store.path())?;
    let history = ledger.history()?;
    let endpoint = Endpoint::simulated(aws_url.as_str(), Region::new("us-east-1"));
    let clock = SimClock::new(&aws_url, "demo")?;
    let cloud = SdkCloud::connect(SdkOptions {
        accounts: settings.accounts.clone(),
        patience: patience_of(&clock).await?,
        endpoint: Some(endpoint),
    })
    .await?;
    clock.register().await?;
    let mut ticks = SimTicks::new(clock);
    let start = sim.now();
    let service = Service {
        settings,
        is_simulated: true,
        cloud: Arc::new(cloud),
        ledger: Arc::new(ledger),
        history: Arc::new(history),
        page,
        listener: Some(Box::new(move |lines, now| narrate(lines, now, start))),
        reload: None,
    };
    service
        .serve(&mut ticks, Some(options.lasting_minutes), stop_signal()?)
        .await?;

    let seconds = began.elapsed().as_secs_f64();
    let report = report(&sim, &pagers, start, seconds);
    drop(stop_sim);
    if let Err(error) = serving.await {
        tracing::warn!(event = "sim.ended", %error, "the simulated AWS did not end cleanly");
    }
    say(&closing(&report));
    if let Some(path) = &options.json {
        let text = format!("{report:#}\n");
        std::fs::write(path, text).map_err(|source| RunError::Open {
            what: path.display().to_string(),
            source,
        })?;
    }
    store.clean_up();
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the simulated AWS beside the service; its end is awaited"
)]
fn serve_sim(
    sim: Arc<Sim>,
    listener: TcpListener,
    speed: Speed,
    stopped: oneshot::Receiver<()>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let stop = async move {
            // An error is the sender's end, which is the signal.
            drop(stopped.await);
        };
        if let Err(error) = wire::serve(sim, listener, Options::at(speed), stop).await {
            tracing::error!(event = "sim.failed", %error, "the simulated AWS failed");
        }
    })
}

/// The world's own configuration, with this demo's addresses, store and mode.
fn settings(options: &DemoOptions, aws_url: &str, store: &Path) -> Result<Settings, RunError> {
    let overrides = config::Overrides {
        store_path: Some(store.to_owned()),
        mode: Some(options.mode),
        ..config::Overrides::default()
    };
    let parsed = config::parse(CONFIG, "fortnight.config.toml", &overrides);
    let mut settings = parsed.map_err(|error| open("the demo's configuration", error))?;
    for receiver in settings.policy.receivers.values_mut() {
        if let Receiver::Slack { url } = receiver
            && let Some((_, path)) = url.expose().split_once("/_sim/")
        {
            *url = Secret::new(format!("{aws_url}/_sim/{path}"));
        }
    }
    Ok(settings)
}

/// Topics whose messages wake somebody: those that hear nothing below a warning.
fn pager_topics(settings: &Settings) -> BTreeSet<String> {
    let policy = &settings.policy;
    let pagers = policy
        .routes
        .iter()
        .filter(|route| Severity::Warning <= route.least);
    let topics = pagers.filter_map(|route| match policy.receivers.get(&route.receiver) {
        Some(Receiver::Sns { topic_arn, .. }) => Some(topic_arn.clone()),
        Some(
            Receiver::Slack { .. }
            | Receiver::SlackBot { .. }
            | Receiver::PagerDuty { .. }
            | Receiver::Webhook { .. }
            | Receiver::Alertmanager { .. },
        )
        | None => None,
    });
    topics.collect()
}

/// The summary, from the simulated AWS's record and the world's labels alone.
fn report(sim: &Sim, pagers: &BTreeSet<String>, start: Timestamp, seconds: f64) -> Value {
    let state = sim.state();
    let benign: Vec<Benign> = sim
        .benign()
        .into_iter()
        .filter_map(|label| {
            let (_, model) = sim.world().resolve(&label.scope, label.target.as_str())?;
            Some(Benign {
                model: model.to_string(),
                from: label.from,
                until: label.until,
            })
        })
        .collect();
    let minutes = Minute::of(sim.now()).since(Minute::of(start));
    let values = |account: &str, region: &str, code: &str| {
        let scope = Scope {
            account: AccountId::new(account),
            region: Region::new(region),
        };
        sim.applied_history(&scope, &QuotaCode::new(code))
    };
    let calls: CallCounts = summary::calls(&state);
    json!({
        "simulated_days": (minutes + DAY / 2) / DAY,
        "incidents": summary::incidents(&state),
        "investigations": summary::investigations(&state),
        "quota_requests": summary::quota_requests(&state, values),
        "messages": summary::messages(&state),
        "pages_on_benign": summary::pages_on_benign(&state, pagers, &benign),
        "duplicates": summary::duplicates(&state),
        "aws_calls": calls.by_operation().values().sum::<u64>(),
        "aws_cost_usd": (price::usd(&calls) * 100.0).round() / 100.0,
        "seconds": (seconds * 10.0).round() / 10.0,
    })
}

fn greeting(
    options: &DemoOptions,
    settings: &Settings,
    aws_url: &str,
    page_url: &str,
    store: &Path,
) -> String {
    format!(
        "Bedrock Ops Alert, demo: the real service against a simulated AWS. Nothing leaves this machine.\n\
         mode      {mode} (it may file by itself, since this AWS is simulated)\n\
         AWS       {aws_url}/_sim/state\n\
         page      {page_url}\n\
         store     {store}\n\
         showing   {days} days of {accounts} accounts\n",
        mode = options.mode.name(),
        store = store.display(),
        days = options.lasting_minutes / DAY,
        accounts = settings.accounts.len(),
    )
}

fn closing(report: &Value) -> String {
    let get = |key: &str| report.get(key).cloned().unwrap_or_default();
    let requests = get("quota_requests");
    let of = |key: &str| requests.get(key).cloned().unwrap_or_default();
    format!(
        "\nAfter {days} simulated days ({seconds} s):\n\
         incidents        {incidents}\n\
         investigations   {investigations}\n\
         quota requests   {filed} filed, {granted} granted, {partly} granted in part, {denied} denied\n\
         messages         {messages}\n\
         pages on benign  {benign}\n\
         duplicates       {duplicates}\n\
         AWS calls        {calls}, which would have cost {cost} USD\n",
        days = get("simulated_days"),
        seconds = get("seconds"),
        incidents = get("incidents"),
        investigations = get("investigations"),
        filed = of("filed"),
        granted = of("granted"),
        partly = of("partly_granted"),
        denied = of("denied"),
        messages = get("messages"),
        benign = get("pages_on_benign"),
        duplicates = get("duplicates"),
        calls = get("aws_calls"),
        cost = get("aws_cost_usd"),
    )
}

/// One line an event, with the simulated day and time.
fn narrate(lines: &[Line], now: Timestamp, start: Timestamp) {
    let day = Minute::of(now).since(Minute::of(start)).div_euclid(DAY) + 1;
    for line in lines {
        let sign = match line.level {
            Level::Info => ' ',
            Level::Warn => '!',
            Level::Error => '#',
        };
        say(&format!(
            "day {day:>2} {time} {sign} {text}",
            time = now.strftime("%H:%M"),
            text = line.text
        ));
    }
}

/// The demo's own words go to standard output; when nobody reads them any more, the demo goes on for its JSON.
fn say(text: &str) {
    let mut out = std::io::stdout();
    if let Err(error) = writeln!(out, "{text}") {
        tracing::debug!(%error, "nobody reads standard output");
    }
}

async fn listen(port: u16) -> Result<TcpListener, RunError> {
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    TcpListener::bind(address)
        .await
        .map_err(|source| RunError::Listen { address, source })
}

fn address(listener: &TcpListener) -> Result<std::net::SocketAddr, RunError> {
    listener.local_addr().map_err(|source| RunError::Open {
        what: "a free port".to_owned(),
        source,
    })
}

fn open(what: &str, error: impl std::error::Error + Send + Sync + 'static) -> RunError {
    RunError::Open {
        what: what.to_owned(),
        source: std::io::Error::other(error),
    }
}

/// The demo's store: a folder of its own that goes away afterwards, unless it is to be kept.
struct Store {
    path: PathBuf,
    is_kept: bool,
}

impl Store {
    fn new(keep: Option<PathBuf>) -> Self {
        let is_kept = keep.is_some();
        let own =
            || std::env::temp_dir().join(format!("bedrock-ops-alert-demo-{}", std::process::id()));
        Self {
            path: keep.unwrap_or_else(own),
            is_kept,
        }
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn clean_up(self) {
        if !self.is_kept
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(event = "demo.store", %error, path = %self.path.display(), "could not remove the demo's store");
        }
    }
}
