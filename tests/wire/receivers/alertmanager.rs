//! A real Alertmanager, as Debian ships it: what we send is read back from it.

use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use bedrock_ops_alert::model::{
    rule::Severity,
    time::{Minute, Timestamp},
};
use serde_json::Value;

use super::{Desk, incident, table};
use crate::support::{free_port, root};

struct Running {
    child: Child,
    url: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// `None` where `tests/setup-alertmanager.sh` could not get one, which it has said.
#[expect(clippy::print_stderr, reason = "a skip is shown")]
fn start(name: &str) -> Option<Running> {
    let program = Path::new("/usr/bin/prometheus-alertmanager");
    if !program.exists() {
        let told = root().join("target/alertmanager-unavailable");
        assert!(
            told.exists(),
            "Alertmanager is missing: run tests/setup-alertmanager.sh"
        );
        eprintln!("1 test skipped ({name}): no Alertmanager could be had here");
        return None;
    }
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("alertmanager-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&place));
    std::fs::create_dir_all(&place).unwrap();
    let config = place.join("alertmanager.yml");
    std::fs::write(
        &config,
        "route:\n  receiver: none\nreceivers:\n  - name: none\n",
    )
    .unwrap();
    let port = free_port();
    let child = Command::new(program)
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", place.display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = Running {
        child,
        url: format!("http://127.0.0.1:{port}"),
    };
    for _ in 0..400 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(running);
        }
        thread::sleep(Duration::from_millis(25));
    }
    panic!("Alertmanager does not listen");
}

/// What is active, by the labels; ended ones are not among them.
async fn active(running: &Running) -> Vec<Value> {
    let url = format!("{}/api/v2/alerts?active=true", running.url);
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn alertmanager_shows_what_is_open_and_ends_what_is_over() {
    let Some(running) = start("alertmanager_shows_what_is_open_and_ends_what_is_over") else {
        return;
    };
    let text = format!("[receiver.first]\n{}", table("alertmanager", &running.url));
    let mut desk = Desk::new("real-alertmanager", &text).await;
    // Its clock is the real one.
    #[expect(
        clippy::disallowed_methods,
        reason = "Alertmanager reads the same clock"
    )]
    let now = Timestamp::now();
    desk.now = now;
    let mut incident = incident("L-1");
    incident.began = Minute::of(now).plus(-3);
    desk.tell(&mut incident, Severity::Warning, &["first"]);
    desk.minute().await;
    let shown = active(&running).await;
    assert_eq!(shown.len(), 1, "{shown:?}");
    let labels = &shown[0]["labels"];
    assert_eq!(labels["alertname"], "BedrockQuota");
    assert_eq!(labels["severity"], "warning");
    assert_eq!(labels["quota_code"], "L-1");
    assert_eq!(labels["region"], "eu-central-1");
    assert_eq!(shown[0]["annotations"]["incident"], incident.id.as_str());
    // Worse: one alert, with the other severity.
    desk.now = now;
    desk.tell(&mut incident, Severity::Critical, &["first"]);
    desk.minute().await;
    let shown = active(&running).await;
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(shown[0]["labels"]["severity"], "critical");
    // Names that try to be something else arrive as names.
    let mut hostile = incident.clone();
    hostile.cause = super::incident("L-\u{202e}\u{1b}[31m<b>\"\n`{{x}}").cause;
    hostile.id = bedrock_ops_alert::model::ids::IncidentId::new("inc-hostile");
    (hostile.told, hostile.messages) = (None, 0);
    desk.now = now;
    desk.tell(&mut hostile, Severity::Info, &["first"]);
    desk.minute().await;
    assert_eq!(
        desk.states("first"),
        ["done"; 3],
        "{}",
        desk.last_failure("first")
    );
    assert_eq!(active(&running).await.len(), 2);
    desk.now = now;
    incident.resolved = Some(now);
    desk.tell(&mut incident, Severity::Critical, &["first"]);
    desk.minute().await;
    let shown = active(&running).await;
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(shown[0]["labels"]["severity"], "info");
}
