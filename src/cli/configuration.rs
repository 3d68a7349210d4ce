//! The configuration that a command works with: file, text of the environment, flags, in their order.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    path::PathBuf,
    sync::Arc,
};

use super::{
    args::Overrides,
    exit::{self, Exit},
    host,
    output::say,
};
use crate::{
    config::{self, ConfigError, Loaded},
    model::policy::{Mode, Secret, Settings},
    runtime::reload::{Fresh, Source},
};

/// The configuration itself, where there is no place for a file: a container without a shell.
const CONFIG_TEXT: &str = "BOA_CONFIG_TEXT";

pub(super) fn load(overrides: &Overrides) -> Result<Settings, Exit> {
    load_traced(overrides).map(|loaded| loaded.settings)
}

/// Of a command about the service: where nobody names a configuration, that of the service of this machine.
pub(super) fn load_here(overrides: Overrides) -> Result<Settings, Exit> {
    load_traced_here(overrides).map(|loaded| loaded.settings)
}

/// As [`load_here`].
pub(super) fn load_traced_here(overrides: Overrides) -> Result<Loaded, Exit> {
    read_here(overrides)?.map_err(misconfigured)
}

/// As [`load_here`], where faults of the configuration are what is asked for.
pub(super) fn read_here(mut overrides: Overrides) -> Result<Result<Loaded, ConfigError>, Exit> {
    if overrides.config.is_none() && std::env::var_os(CONFIG_TEXT).is_none() {
        overrides.config = host::config();
        if let Some(path) = &overrides.config {
            say(&format!(
                "with {}, as the service of this machine",
                path.display()
            ));
        }
    }
    Ok(Given::of(&overrides)?.read())
}

pub(super) fn load_traced(overrides: &Overrides) -> Result<Loaded, Exit> {
    Given::of(overrides)?.read().map_err(misconfigured)
}

/// The configuration, and how the service reads it again later.
pub(super) fn load_for_good(overrides: &Overrides) -> Result<Source, Exit> {
    let given = Given::of(overrides)?;
    let known = fresh(given.read().map_err(misconfigured)?);
    let read = move || {
        let read = given.read();
        read.map(fresh).map_err(|error| error.lines())
    };
    Ok(Source {
        known,
        read: Arc::new(read),
    })
}

fn fresh(loaded: Loaded) -> Fresh {
    Fresh {
        values: loaded.values(),
        settings: loaded.settings,
    }
}

pub(super) fn misconfigured(error: ConfigError) -> Exit {
    let undrawn = error.undrawn();
    let mut text = format!("{:?}", miette::Report::new(error));
    if !undrawn.is_empty() {
        let more = undrawn.len();
        text += &format!("\n{more} more, each at its place:");
        for line in undrawn {
            text += &format!("\n  {line}");
        }
    }
    Exit::rendered(exit::CONFIG, text)
}

/// Where the configuration is read from; the same for the life of the process.
struct Given {
    file: Option<PathBuf>,
    text: Option<String>,
    overrides: config::Overrides,
}

impl Given {
    fn of(overrides: &Overrides) -> Result<Self, Exit> {
        let text = std::env::var_os(CONFIG_TEXT);
        if overrides.config.is_some() && text.is_some() {
            let text = format!(
                "error: {CONFIG_TEXT} and a configuration file exclude each other\n  help: unset it, or leave --config and BOA_CONFIG out"
            );
            return Err(Exit::rendered(exit::CONFIG, text));
        }
        Ok(Self {
            file: overrides.config.clone(),
            text: text.map(|text| text.to_string_lossy().into_owned()),
            overrides: config::Overrides {
                store_path: overrides.store.clone(),
                listen: overrides.listen,
                mode: overrides.mode.map(Mode::from),
                rules: overrides.rules.clone(),
                credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
                environment: environment(),
                from_environment: BTreeSet::new(),
            },
        })
    }

    fn read(&self) -> Result<Loaded, ConfigError> {
        match &self.text {
            Some(text) => config::parse_traced(text, CONFIG_TEXT, &self.overrides),
            None => config::load_traced(self.file.as_deref(), &self.overrides),
        }
    }
}

/// What `env:NAME` may refer to. It is that of the start: nobody changes it for a process that runs.
fn environment() -> BTreeMap<String, Secret> {
    let text = |it: OsString| it.to_string_lossy().into_owned();
    let all = std::env::vars_os();
    all.map(|(name, value)| (text(name), Secret::new(text(value))))
        .collect()
}
