//! The page in a real Chromium: see `tests/browser/check.mjs` and `live.mjs` for what is asserted there.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{Served, books, serving};

/// Where `tests/setup-browser.sh` puts the pinned packages: beside the build, so that the tree stays clean.
fn packages() -> PathBuf {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| tree.join("target"), PathBuf::from);
    tree.join(target).join("browser")
}

/// Missing tools fail the test: a skipped browser is a page that nobody looked at.
fn check(url: &str, name: &str) {
    run("check.mjs", &[url, name]);
}

fn run(script: &str, arguments: &[&str]) {
    let packages = packages();
    assert!(
        packages.join("node_modules/playwright-core").is_dir(),
        "the browser test needs Chromium and its packages: run tests/setup-browser.sh once"
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/browser")
        .join(script);
    let output = Command::new("node")
        .args([script.as_os_str(), packages.as_os_str()])
        .args(arguments)
        .output()
        .expect("the browser test needs Node.js: run tests/setup-browser.sh once");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{failed}");
}

async fn checked(
    (book, health): (
        bedrock_ops_alert::model::book::Book,
        bedrock_ops_alert::runtime::shared::Health,
    ),
    name: &'static str,
) {
    serving((book, health), async |served: Served| {
        let url = served.url.clone();
        tokio::task::spawn_blocking(move || check(&url, name))
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_busy_page_holds_in_chromium() {
    checked(books::busy(), "busy").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quiet_and_the_stale_page_hold_in_chromium() {
    checked(books::quiet(), "quiet").await;
    let (book, mut health) = books::busy();
    let old = books::at("2026-11-24T01:00:00Z");
    health
        .last_success
        .insert(("read", books::scope("us-east-1")), old);
    checked((book, health), "stale").await;
}

/// The record of processing, with rows and without.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_of_where_requests_ran_holds_in_chromium() {
    let (settings, known) = (super::ran::settings(), super::ran::book());
    super::serving_with(settings, known, async |served: Served| {
        let url = served.url.clone();
        let look = move || run("check.mjs", &[&url, "ran", "/ran"]);
        tokio::task::spawn_blocking(look).await.unwrap();
    })
    .await;
    serving(books::busy(), async |served: Served| {
        let url = served.url.clone();
        let look = move || run("check.mjs", &[&url, "ran-nothing", "/ran"]);
        tokio::task::spawn_blocking(look).await.unwrap();
    })
    .await;
}

/// Pages with forms, and one of them filled in and sent by a browser.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_forms_hold_in_chromium_and_decide_without_script() {
    let known = super::decide::known();
    let id = super::decide::proposal(&known.0);
    let short = known.0.incidents.values().find(|it| it.kind.is_some());
    let short = short.unwrap().id.to_string();
    super::serving_with(
        super::decide::settings(),
        known,
        async |mut served: Served| {
            let url = served.url.clone();
            let look = move || {
                for (name, path) in [
                    ("forms-proposal", format!("/decide/{id}")),
                    ("forms-incident", format!("/decide/{short}")),
                    ("forms-writes", "/decide/writes".to_owned()),
                    ("forms-links", "/?refresh=off".to_owned()),
                ] {
                    run("check.mjs", &[&url, name, &path, super::decide::ACT]);
                }
                run(
                    "decide.mjs",
                    &[&url, &format!("/decide/{id}"), super::decide::ACT],
                );
            };
            let looking = tokio::task::spawn_blocking(look);
            let deciding = async {
                super::said::obeyed(&mut served).await;
                std::future::pending::<()>().await;
            };
            tokio::select! {
                ended = looking => ended.unwrap(),
                () = deciding => {}
            }
            assert!(served.inbox.try_recv().is_err(), "it was ordered twice");
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_renews_itself_in_place() {
    serving(books::busy(), async |served: Served| {
        let url = served.url.clone();
        let browser = tokio::task::spawn_blocking(move || run("live.mjs", &[&url]));
        let cycles = async {
            loop {
                tokio::time::sleep(std::time::Duration::from_millis(700)).await;
                served.shared.health_mut().cycles += 1;
            }
        };
        tokio::select! {
            ended = browser => ended.unwrap(),
            () = cycles => {}
        }
    })
    .await;
}
