//! `bundle`: what somebody else needs to help, in one file to be looked through before it is sent. No secret is in it:
//! the configuration is shown as `check --show` does, and everything else is what the page shows.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use super::remote::Daemon;
use crate::{config::Loaded, store, web::inert::inert};

/// What is asked of the running service, by its name in the bundle.
const ASKED: [(&str, &[&str]); 4] = [
    ("ready", &["readyz"]),
    ("status", &["api", "v1", "status"]),
    ("incidents", &["api", "v1", "incidents"]),
    ("cost", &["api", "v1", "cost"]),
];

/// Everything that could be had; what could not says why.
pub(super) async fn collect(loaded: &Loaded, base_url: &str) -> Value {
    let mut service = serde_json::Map::new();
    for (name, path) in ASKED {
        let answer = match Daemon::at(base_url) {
            Ok(daemon) if name == "ready" => {
                let condition = daemon.condition("readyz").await;
                condition.map(|it| json!({ "ok": it.ok, "reasons": it.reasons }))
            }
            Ok(daemon) => daemon.get::<Value>(path).await,
            Err(error) => Err(error),
        };
        let answer = answer.unwrap_or_else(|error| json!({ "not_had": error.to_string() }));
        service.insert(name.to_owned(), answer);
    }
    let settings = &loaded.settings;
    let store = match store::look(&settings.store_path) {
        Ok(format) => json!({ "format": format, "release_writes": store::FORMAT }),
        Err(error) => json!({ "not_had": inert(&error.to_string()) }),
    };
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "configuration": loaded.show().lines().collect::<Vec<_>>(),
        "store": store,
        "service": service,
    })
}

/// Writes it, and never over another file.
pub(super) fn write(path: &Path, bundle: &Value) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let mut packed = GzEncoder::new(file, Compression::best());
    packed.write_all(format!("{bundle:#}\n").as_bytes())?;
    packed.finish()?.sync_all()
}
