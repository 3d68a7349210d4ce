//! Layer 0: TOML as the operator writes it -> checked [`Settings`] and rules, or every fault at once with its place.
//!
//! - `sheet`: reading a document key by key and going on after a fault;
//! - `values`: units and identifiers;
//! - `settings`, `accounts`, `receivers`: the configuration file; `rules`: rule files; `overrides`: `[rule.NAME]`; `by_pool`: `[[override]]`; `cases`: their unit tests;
//! - `events`: planned events; `residency`: where data may go;
//! - `consoles`: where AWS's console shows things;
//! - `learned`: the rules of detectors and forecasts; `hints`: when a cause is told;
//! - `fault`: what is wrong, as people read it;
//! - `origin`: where each value came from;
//! - `schema`: what may be written, for editors.
//!
//! Precedence: flag, environment, file, default. Secrets are never written in the file, only referred to.
//! Does not belong here: what the values are used for, and reading the environment (the command line does that).

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use crate::model::{
    hint::HintRules,
    inhibit::Inhibit,
    policy::{Mode, Secret, Settings},
    rule::Rule,
    units::Share,
};

mod accounts;
mod by_pool;
mod cases;
mod consoles;
mod events;
mod fault;
mod files;
mod hints;
mod inhibits;
mod learned;
mod origin;
mod overrides;
mod prices;
mod receivers;
mod residency;
mod rules;
pub mod schema;
mod secret;
mod settings;
mod sheet;
mod source;
mod tags;
mod values;

pub use cases::{Case, Expectation, cases};
pub use consoles::builtin_places;
pub use fault::{ConfigError, Fault};
pub use files::MOST_FILE_BYTES;
pub use origin::Origin;
pub use prices::builtin_prices;

/// What was given on the command line or by the environment; it wins over the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Where the ledger lies.
    pub store_path: Option<PathBuf>,
    /// Where health, metrics and the page are served.
    pub listen: Option<SocketAddr>,
    /// How far we go by ourselves.
    pub mode: Option<Mode>,
    /// The folder of rules that replaces the built-in ones.
    pub rules: Option<PathBuf>,
    /// The folder that `credential:NAME` refers to; systemd names it in `CREDENTIALS_DIRECTORY`.
    pub credentials: Option<PathBuf>,
    /// The variables that `env:NAME` refers to. Any of them may be a secret, so none is ever shown.
    pub environment: BTreeMap<String, Secret>,
    /// Keys (`store.path`, `listen.address`, `mode`, `rules.folder`) whose value above is from the environment and not
    /// from a flag; only for showing where a value came from.
    pub from_environment: BTreeSet<String>,
}

/// The checked configuration, and where each value came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub settings: Settings,
    origins: origin::Origins,
    rules_folder: Option<PathBuf>,
}

impl Loaded {
    /// The effective configuration, one value a line with its origin; secrets are hidden.
    #[must_use]
    pub fn show(&self) -> String {
        origin::show(&self.settings, &self.origins, self.rules_folder.as_deref())
    }

    /// The same values by their key, without origins.
    #[must_use]
    pub fn values(&self) -> BTreeMap<String, String> {
        origin::values(&self.settings, &self.origins, self.rules_folder.as_deref())
    }
}

/// The configuration of this file, or of built-in defaults.
///
/// # Errors
/// All faults of the file, of the rules and of what they refer to, together.
pub fn load(path: Option<&Path>, overrides: &Overrides) -> Result<Settings, ConfigError> {
    load_traced(path, overrides).map(|loaded| loaded.settings)
}

/// As [`load`], with the origin of each value.
///
/// # Errors
/// As [`load`].
pub fn load_traced(path: Option<&Path>, overrides: &Overrides) -> Result<Loaded, ConfigError> {
    let Some(path) = path else {
        return parse_traced("", "built-in defaults", overrides);
    };
    let name = path.display().to_string();
    match files::read(path, "configuration file") {
        Ok(text) => parse_traced(&text, &name, overrides),
        Err(fault) => Err(ConfigError::one(*fault)),
    }
}

/// The configuration in `text`. Relative paths in it start at the folder of the file `name`.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, name: &str, overrides: &Overrides) -> Result<Settings, ConfigError> {
    parse_traced(text, name, overrides).map(|loaded| loaded.settings)
}

/// As [`parse`], with the origin of each value.
///
/// # Errors
/// As [`load`].
pub fn parse_traced(text: &str, name: &str, overrides: &Overrides) -> Result<Loaded, ConfigError> {
    let (loaded, faults) = settings::read(text, name, overrides);
    match (ConfigError::of(faults), loaded) {
        (None, Some(loaded)) => Ok(loaded),
        (Some(error), _) => Err(error),
        (None, None) => Err(ConfigError::one(Fault::nowhere(
            "the configuration could not be read, and no reason was found",
            "this is a fault of ours: please report it together with the file",
        ))),
    }
}

/// A share as a configuration writes it, such as `10 %`, for the command line.
///
/// # Errors
/// Why it is none.
pub fn share(text: &str) -> Result<Share, String> {
    values::share(text).map_err(|wrong| wrong.message)
}

/// The rules that are compiled in, sorted by name.
///
/// # Errors
/// None as shipped: a test reads them. A packager who changes `alert-rules/` sees their faults here.
pub fn builtin_rules() -> Result<Vec<Rule>, ConfigError> {
    let (book, faults) = files::builtin_rules();
    match ConfigError::of(faults) {
        Some(error) => Err(error),
        None => Ok(book.into_values().map(|(rule, _)| rule).collect()),
    }
}

/// When a cause is told, as compiled in.
///
/// # Errors
/// None as shipped: a test reads it.
pub fn builtin_hints() -> Result<HintRules, ConfigError> {
    let (name, text) = hints::BUILTIN;
    match hints::read(name, text) {
        (Some(rules), _) => Ok(rules),
        (None, faults) => Err(ConfigError::of(faults).unwrap_or_else(|| {
            ConfigError::one(Fault::nowhere(
                "the rules of hints could not be read, and no reason was found",
                "this is a fault of ours: please report it",
            ))
        })),
    }
}

/// The inhibitions that are compiled in.
///
/// # Errors
/// None as shipped: a test reads them.
pub fn builtin_inhibits() -> Result<Vec<Inhibit>, ConfigError> {
    let (inhibits, faults) = inhibits::builtin();
    match ConfigError::of(faults) {
        Some(error) => Err(error),
        None => Ok(inhibits),
    }
}

#[cfg(test)]
mod tests;
