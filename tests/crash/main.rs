//! The daemon killed with `kill -9` at random moments against a simulated AWS in a process of its own: what arrives
//! there must be what arrives from a daemon that was never killed.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that meets the unexpected should stop, and tells its figures"
)]

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use bedrock_ops_alert::{
    app::summary,
    model::time::{Minute, Timestamp},
};
use serde_json::Value;

const CONFIG: &str = r#"
mode = "file"

[[account]]
id = "111122223333"
regions = ["us-east-1"]

[receiver.oncall]
kind = "sns"
topic_arn = "arn:aws:sns:us-east-1:111122223333:bedrock-alerts"

[[route]]
receiver = "oncall"
severity = "info"
"#;

/// A process that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        if self.0.kill().is_ok() {
            self.0.wait().unwrap();
        }
    }
}

/// A simulated AWS as fast as its clients let it, and a folder for one daemon.
struct Stage {
    _sim: Process,
    url: String,
    folder: PathBuf,
}

impl Stage {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("crash-{name}-{}", std::process::id()));
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.toml"), CONFIG).unwrap();
        let world = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/worlds/minute.toml");
        let mut sim = Command::new(env!("CARGO_BIN_EXE_bedrock-ops-alert"))
            .args(["sim", "--port", "0", "--speed", "max", "--world", world])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(sim.stdout.take().unwrap())
            .read_line(&mut ready)
            .unwrap();
        let url = ready.trim().strip_prefix("sim ready ").unwrap().to_owned();
        Self {
            _sim: Process(sim),
            url,
            folder,
        }
    }

    /// A daemon on this stage's store, for so many simulated minutes.
    fn daemon(&self, minutes: i64) -> Process {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_bedrock-ops-alert"))
            .arg("run")
            .args(["--config".into(), self.folder.join("config.toml")])
            .args(["--store".into(), self.folder.join("store")])
            .args(["--listen", "127.0.0.1:0", "--sim-clock", &self.url])
            .args(["--for", &format!("{minutes}m")])
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Process(child)
    }

    /// Runs a daemon to the simulated instant `end`, undisturbed.
    fn run_until(&self, end: Minute) {
        let left = end.since(Minute::of(self.now()));
        if left <= 0 {
            return;
        }
        let status = self.daemon(left).0.wait().unwrap();
        let log = fs::read_to_string(self.folder.join("log")).unwrap();
        let tail: Vec<&str> = log.lines().rev().take(5).collect();
        assert!(
            status.success(),
            "the daemon ended with {status}: {tail:#?}"
        );
    }

    fn get(&self, path: &str) -> Value {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let url = format!("{}{path}", self.url);
        runtime.block_on(async { reqwest::get(url).await.unwrap().json().await.unwrap() })
    }

    fn now(&self) -> Timestamp {
        self.get("/_sim/clock")
            .get("now")
            .and_then(Value::as_str)
            .unwrap()
            .parse()
            .unwrap()
    }

    /// Waits until simulated time moves: the daemon is up. Bounded, for a daemon that never gets there.
    fn await_progress(&self) {
        let before = self.now();
        for _ in 0..500 {
            if before < self.now() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn state(&self) -> Value {
        self.get("/_sim/state")
    }
}

/// The world's shortage builds up after two hours.
const CALM_MINUTES: i64 = 150;

/// What was acted upon: quota codes, and causes of cases, without what differs from run to run.
fn acted_upon(state: &Value) -> BTreeSet<String> {
    let array = |key: &str| state.get(key).and_then(Value::as_array).unwrap().clone();
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap().to_owned();
    let codes = array("quota_requests")
        .iter()
        .map(|it| text(it, "quota_code"))
        .collect::<Vec<_>>();
    let cases = array("cases")
        .iter()
        .map(|it| text(it, "subject"))
        .collect::<Vec<_>>();
    let causes = cases.iter().filter_map(|subject| {
        subject
            .split_once(" [BOA-")
            .map(|(cause, _)| cause.to_owned())
    });
    codes.iter().cloned().chain(causes).collect()
}

/// `BOA_KILLS` overrides; 1,000 once a release.
fn kills() -> u32 {
    let long = if std::env::var("BOA_TEST_LONG").is_ok_and(|long| long == "1") {
        1_000
    } else {
        60
    };
    std::env::var("BOA_KILLS").map_or(long, |text| text.parse().unwrap())
}

#[test]
fn kill_dash_nine_changes_nothing_of_what_arrives() {
    let seed = std::env::var("BOA_SEED").map_or(7, |text| text.parse().unwrap());
    let mut draws = fastrand::Rng::with_seed(seed);
    let stage = Stage::new("killed");
    let start = Minute::of(stage.now());
    // Until shortly before the shortage; from there on no daemon lives long.
    stage.run_until(start.plus(CALM_MINUTES));
    // On a busy machine a life is short in simulated time: more of them then, until the shortage was lived through.
    let goal = start.plus(CALM_MINUTES + 120);
    let mut round = 0;
    while round < kills() || (round < 6 * kills() && Minute::of(stage.now()) < goal) {
        round += 1;
        let daemon = stage.daemon(100_000);
        // One life in four ends while it starts, the others once simulated time moves again.
        if draws.u8(0..4) > 0 {
            stage.await_progress();
        }
        std::thread::sleep(Duration::from_millis(draws.u64(0..60)));
        drop(daemon);
        let twice = summary::duplicates(&stage.state());
        assert_eq!(twice, 0, "seed {seed}, after kill {round}");
    }
    let killed_until = Minute::of(stage.now());
    let end = killed_until.plus(12 * 60);
    stage.run_until(end);
    let killed = stage.state();
    assert_eq!(summary::duplicates(&killed), 0, "seed {seed}");

    let calm = Stage::new("calm");
    calm.run_until(end);
    let undisturbed = calm.state();
    assert!(
        !acted_upon(&undisturbed).is_empty(),
        "nothing was to be done: the test proves nothing"
    );
    assert_eq!(acted_upon(&killed), acted_upon(&undisturbed), "seed {seed}");
    println!(
        "{round} kills over {} simulated minutes; acted upon: {:?}",
        killed_until.since(start),
        acted_upon(&killed)
    );
    assert!(
        goal <= killed_until,
        "the daemon was always killed before it did anything"
    );
}
