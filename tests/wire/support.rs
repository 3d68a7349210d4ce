//! Servers and clients of the wire tests: the simulator in process, emulators as children that end with their test.

use std::{
    io::Read as _,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
use bedrock_ops_alert::sim::{
    Sim, World,
    wire::{self, Options},
};
use tokio::{sync::oneshot, task::JoinHandle};

/// How long an emulator may take to listen, in steps of [`STEP`].
const PATIENCE_STEPS: u32 = 600;
const STEP: Duration = Duration::from_millis(50);

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The Python of the tests' own environment.
pub(crate) fn python() -> PathBuf {
    let python = root().join("target/venv/bin/python");
    assert!(
        root().join("target/venv/.installed").exists() && python.exists(),
        "the Python environment of the wire tests is missing: run tests/setup.sh"
    );
    python
}

/// A simulator that serves until it is stopped or its test's runtime ends, also by a panic.
pub(crate) struct Served {
    pub(crate) url: String,
    pub(crate) sim: Arc<Sim>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Served {
    /// Stops the server; its port is free again afterwards.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.server.await.unwrap().unwrap();
    }
}

/// Serves a simulator on a free port.
pub(crate) async fn serve(sim: Arc<Sim>, options: Options) -> Served {
    serve_at(sim, options, 0).await
}

/// Serves a simulator on this port.
#[expect(
    clippy::disallowed_methods,
    reason = "a test's server ends with the test's runtime"
)]
pub(crate) async fn serve_at(sim: Arc<Sim>, options: Options, port: u16) -> Served {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel();
    let stopped = async {
        if stopped.await.is_err() {
            std::future::pending::<()>().await; // nobody will stop it; the runtime's end does
        }
    };
    let server = tokio::spawn(wire::serve(Arc::clone(&sim), listener, options, stopped));
    Served {
        url,
        sim,
        stop,
        server,
    }
}

/// `GET` of a path of the simulator, as JSON.
pub(crate) async fn get(served: &Served, path: &str) -> serde_json::Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client
        .get(format!("{}{path}", served.url))
        .send()
        .await
        .unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// The SDK's configuration for an endpoint and a caller, with timeouts and without retries.
pub(crate) async fn sdk(url: &str, key: &str) -> SdkConfig {
    let credentials = Credentials::new(key, "testing", None, None, "test");
    sdk_as(url, credentials).await
}

/// Likewise with credentials that somebody handed out.
pub(crate) async fn sdk_as(url: &str, credentials: Credentials) -> SdkConfig {
    let patience = Duration::from_secs(30);
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(url)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .timeout_config(
            TimeoutConfig::builder()
                .operation_timeout(patience)
                .read_timeout(patience)
                .build(),
        )
        .load()
        .await
}

/// A child process that ends with its test: by its drop, or since its standard input ends.
pub(crate) struct Helper(Child);

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // The helper kills its child and ends; waiting keeps no zombie behind.
        let _ended = self.0.wait();
    }
}

/// Starts a Python program of ours or of an emulator.
pub(crate) fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Helper {
    let python = python();
    let child = Command::new(&python)
        .arg(root().join("tests/wire/until_parent_ends.py"))
        .arg(&python)
        .args(arguments)
        .envs(environment.iter().copied())
        .env_remove("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Helper(child)
}

/// Runs a Python script to its end and returns what it printed; its failure is the test's.
pub(crate) fn run(script: &str, arguments: &[&str], url: &str) -> String {
    let output = Command::new(python())
        .arg(root().join("tests/wire").join(script))
        .args(arguments)
        .envs(client_environment(url))
        .env_remove("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
        .env_remove("AWS_PROFILE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{script} failed:\n{printed}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    printed
}

/// The environment of a client of this endpoint.
pub(crate) fn client_environment(url: &str) -> [(&'static str, String); 8] {
    [
        ("AWS_ACCESS_KEY_ID", "testing".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "testing".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("AWS_MAX_ATTEMPTS", "1".to_owned()),
        ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
        ("AWS_ENDPOINT_URL", url.to_owned()),
    ]
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Returns once something listens on `port`.
pub(crate) fn wait_for_port(port: u16, helper: &mut Helper, what: &str) {
    for _ in 0..PATIENCE_STEPS {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return;
        }
        if let Some(status) = helper.0.try_wait().unwrap() {
            let mut text = String::new();
            if let Some(stderr) = helper.0.stderr.as_mut() {
                stderr.read_to_string(&mut text).unwrap();
            }
            panic!("{what} ended before it listened ({status}): {text}");
        }
        thread::sleep(STEP);
    }
    panic!("{what} does not listen on port {port}");
}

/// A file of this folder.
pub(crate) fn script(name: &str) -> String {
    let path: &Path = &root().join("tests/wire").join(name);
    path.to_string_lossy().into_owned()
}

/// The demo's world: it has all that the clients ask for.
pub(crate) fn sim() -> Arc<Sim> {
    Sim::new(World::built_in("fortnight").unwrap(), 1)
}
