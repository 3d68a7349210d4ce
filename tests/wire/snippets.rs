//! The snippets of README and `docs/`: what is marked `sh` is run as it stands, against the simulated AWS.

#![cfg(test)] // helpers count as tests, too

use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output},
};

use crate::{
    install::{credentials, world},
    run::Place,
    support::root,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_bedrock-ops-alert");

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A fenced block of the documentation.
pub(crate) struct Snippet {
    file: String,
    pub(crate) text: String,
}

/// The blocks of this language of README and `docs/`, in their order.
pub(crate) fn snippets(language: &str) -> Vec<Snippet> {
    let mut files = vec![root().join("README.md")];
    let docs = fs::read_dir(root().join("docs")).unwrap();
    files.extend(
        docs.map(|it| it.unwrap().path())
            .filter(|it| it.extension().is_some_and(|it| it == "md")),
    );
    files.sort();
    let mut found = Vec::new();
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let mut block: Option<String> = None;
        for line in text.lines() {
            let bare = line.trim_start();
            match &mut block {
                None if bare == format!("```{language}") => block = Some(String::new()),
                None => {}
                Some(lines) if bare == "```" => {
                    let text = std::mem::take(lines);
                    found.push(Snippet {
                        file: name.clone(),
                        text,
                    });
                    block = None;
                }
                Some(lines) => {
                    let indent = line.len() - bare.len();
                    lines.push_str(line.get(indent.min(3)..).unwrap_or(bare));
                    lines.push('\n');
                }
            }
        }
    }
    found
}

fn shell(place: &Place, script: &str, url: &str) -> Output {
    let bin = place.path().join("bin");
    if !bin.exists() {
        fs::create_dir(&bin).unwrap();
        symlink(PROGRAM, bin.join("bedrock-ops-alert")).unwrap();
    }
    let path = format!("{}:{}", bin.display(), env::var("PATH").unwrap());
    Command::new("sh")
        .args(["-euc", script])
        .current_dir(place.path())
        .env_clear()
        .env("PATH", path)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(credentials(url))
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn shell_snippets_of_the_documentation_do_what_they_say() {
    let served = world(&[]).await;
    let mut places: BTreeMap<String, Place> = BTreeMap::new();
    let mut run = 0;
    for Snippet { file, text: script } in snippets("sh") {
        // Each page is read by somebody who has a configuration and the store of a service.
        let place = places.entry(file.clone()).or_insert_with(|| {
            let place = Place::new(&format!("snippets-{}", Path::new(&file).file_stem().unwrap().to_string_lossy()));
            if file != "install.md" && file != "README.md" {
                let made = shell(&place, "bedrock-ops-alert init", &served.url);
                assert!(made.status.success(), "{}", text(&made.stderr));
                let once = format!("bedrock-ops-alert run --config config.toml --store store --listen 127.0.0.1:0 --sim-clock {} --for 2m", served.url);
                let made = shell(&place, &once, &served.url);
                assert!(made.status.success(), "{}", text(&made.stderr));
            }
            place
        });
        let output = shell(place, &script, &served.url);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success(), "{file}:\n{script}\n{said}");
        run += 1;
    }
    assert!(5 < run, "only {run} snippets were found");
}
