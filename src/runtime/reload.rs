//! A changed configuration is taken in at SIGHUP, whole or not at all. What this process has learned, decided and silenced
//! is no part of it and stays.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{
    clock,
    cycle::{Cycle, CycleError},
    service,
    shared::{self, Shared},
};
use crate::model::{
    policy::{Policy, Settings},
    room::RoomBounds,
    time::Timestamp,
};

/// Signals that come sooner after one another are one.
const REST: Duration = Duration::from_secs(1);
/// Differences that the log tells one by one.
const MOST_TOLD: usize = 50;

/// A configuration that was read and found whole.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// The configuration.
    pub settings: Settings,
    /// Each of its values as people read it, by its key, secrets hidden.
    pub values: BTreeMap<String, String>,
}

impl Fresh {
    /// The same for the same configuration. Of secrets it has their references only, since those are all that is shown.
    fn id(&self) -> String {
        let mut hash = Sha256::new();
        for (key, value) in &self.values {
            hash.update(format!("{key} = {value}\n"));
        }
        let mut hex = data_encoding::HEXLOWER.encode(&hash.finalize());
        hex.truncate(12);
        format!("cfg-{hex}")
    }
}

/// Reads the configuration again; what is wrong with it comes all at once, each fault with its place and remedy.
pub type Read = Arc<dyn Fn() -> Result<Fresh, Vec<String>> + Send + Sync>;

/// The configuration of this process: as it was read at the start, and how it is read again.
#[derive(Clone)]
pub struct Source {
    /// As it was read.
    pub known: Fresh,
    /// Reads it again.
    pub read: Read,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

/// Waits for SIGHUP and takes the configuration in.
pub struct Reload {
    hangups: Signal,
    /// A signal came and was not answered yet.
    is_asked: bool,
    last: Option<Instant>,
    /// Known is what was configured last, before anything was found out about it.
    source: Source,
}

impl std::fmt::Debug for Reload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reload")
            .field("is_asked", &self.is_asked)
            .finish_non_exhaustive()
    }
}

impl Reload {
    /// From now on SIGHUP does not end the process. What `source` knows is in force.
    ///
    /// # Errors
    /// What the system said of the signal.
    pub fn new(source: Source) -> io::Result<Self> {
        Ok(Self {
            hangups: signal(SignalKind::hangup())?,
            is_asked: false,
            last: None,
            source,
        })
    }

    /// Resolves when it is time to take in the configuration, at most once a second. Dropping the future loses no signal.
    pub(super) async fn asked(&mut self) {
        if !self.is_asked {
            if self.hangups.recv().await.is_none() {
                std::future::pending::<()>().await; // no signal comes any more
            }
            self.is_asked = true;
        }
        if let Some(last) = self.last {
            tokio::time::sleep_until((last + REST).into()).await;
        }
        self.is_asked = false;
        self.last = Some(clock::monotonic());
    }

    /// Notes in the audit trail what holds from now on, unless it held before.
    pub(super) async fn begin(&self, cycle: &Cycle, now: Timestamp) -> Result<(), CycleError> {
        let known = &self.source.known;
        let mode = known.settings.policy.mode;
        cycle.note_configuration(&known.id(), mode, &[], now).await
    }

    /// Takes the configuration in, or says all that is wrong with it and changes nothing. Whether it was taken in.
    pub(super) async fn take_in(
        &mut self,
        cycle: &mut Cycle,
        shared: &Shared,
        now: Timestamp,
    ) -> Result<bool, CycleError> {
        service::reloading();
        let read = Arc::clone(&self.source.read);
        let read = tokio::task::spawn_blocking(move || read()).await;
        let read = read.unwrap_or_else(|cut| Err(vec![format!("reading it broke off: {cut}")]));
        let succeeded = shared.health().reload.as_ref().and_then(|it| it.succeeded);
        let told = match read {
            Ok(fresh) => {
                let (settings, after_restart) = applicable(
                    fresh.settings.clone(),
                    &shared.settings(),
                    &self.source.known.settings,
                );
                let differences = differences(&self.source.known.values, &fresh.values);
                let is_same =
                    differences.is_empty() && self.source.known.settings == fresh.settings;
                tell(&differences, is_same, &after_restart, now);
                let mode = settings.policy.mode;
                let (id, differences) = held_now(&fresh, differences, &after_restart);
                cycle
                    .note_configuration(&id, mode, &differences, now)
                    .await?;
                cycle.configure(settings);
                // What only a restart changes is compared with what this process began with, however often the file changes.
                let begun = &self.source.known.settings;
                let settings = Settings {
                    accounts: begun.accounts.clone(),
                    store_path: begun.store_path.clone(),
                    room: begun.room,
                    listen: begun.listen,
                    ..fresh.settings
                };
                self.source.known = Fresh { settings, ..fresh };
                shared::Reload {
                    at: now,
                    faults: Vec::new(),
                    after_restart,
                    succeeded: Some(now),
                }
            }
            Err(faults) => {
                for fault in &faults {
                    tracing::error!(event = "config.fault", %now, "{fault}");
                }
                tracing::error!(event = "config.refused", %now, faults = faults.len(), "the changed configuration was not taken in; the one before goes on");
                let health = shared.health();
                let before = health.reload.as_ref();
                shared::Reload {
                    at: now,
                    faults,
                    after_restart: before.map_or(Vec::new(), |it| it.after_restart.clone()),
                    succeeded,
                }
            }
        };
        let is_in = told.faults.is_empty();
        shared.health_mut().reload = Some(told);
        service::ready();
        Ok(is_in)
    }
}

/// The part of `fresh` that can hold without a restart, and the keys of what cannot. `running` is in force, `begun` is how
/// it was written.
fn applicable(
    fresh: Settings,
    running: &Settings,
    begun: &Settings,
) -> (Settings, Vec<&'static str>) {
    let fixed = [
        ("[[account]]", fresh.accounts != begun.accounts),
        ("store.path", fresh.store_path != begun.store_path),
        ("store.reserve", fresh.room.reserve != begun.room.reserve),
        ("listen.address", fresh.listen != begun.listen),
    ];
    let after_restart = fixed
        .into_iter()
        .filter_map(|(key, differs)| differs.then_some(key));
    let settings = Settings {
        accounts: running.accounts.clone(),
        store_path: running.store_path.clone(),
        room: RoomBounds {
            reserve: running.room.reserve,
            ..fresh.room
        },
        listen: running.listen,
        policy: Policy {
            // What is filed where follows from how accounts are reached.
            metrics_only: running.policy.metrics_only.clone(),
            ..fresh.policy
        },
        ..fresh
    };
    (settings, after_restart.collect())
}

/// What the audit trail is told: a configuration of which a part waits for a restart is another one than the whole, which
/// that restart brings.
fn held_now(
    fresh: &Fresh,
    mut differences: Vec<String>,
    after_restart: &[&str],
) -> (String, Vec<String>) {
    if after_restart.is_empty() {
        return (fresh.id(), differences);
    }
    let waits = after_restart.join(", ");
    differences.insert(0, format!("without {waits}, which only a restart changes"));
    (format!("{}-in-part", fresh.id()), differences)
}

/// What differs, one line each.
fn tell(lines: &[String], is_same: bool, after_restart: &[&str], now: Timestamp) {
    for line in lines.iter().take(MOST_TOLD) {
        tracing::info!(event = "config.changed", %now, "{line}");
    }
    let (changes, untold) = (lines.len(), lines.len().saturating_sub(MOST_TOLD));
    if is_same {
        tracing::info!(event = "config.reloaded", %now, changes, "the configuration was read again: nothing differs");
    } else {
        tracing::info!(event = "config.reloaded", %now, changes, untold, "another configuration holds from now on");
    }
    if !after_restart.is_empty() {
        let keys = after_restart.join(", ");
        tracing::warn!(event = "config.after-restart", %now, "only a restart changes these, the rest holds: {keys}");
    }
}

/// `key: new (was old)`, sorted by key.
fn differences(known: &BTreeMap<String, String>, fresh: &BTreeMap<String, String>) -> Vec<String> {
    let keys: BTreeSet<&String> = known.keys().chain(fresh.keys()).collect();
    let lines = keys
        .into_iter()
        .filter_map(|key| match (known.get(key), fresh.get(key)) {
            (Some(old), Some(new)) if old == new => None,
            (Some(old), Some(new)) => Some(format!("{key}: {new} (was {old})")),
            (None, Some(new)) => Some(format!("{key}: {new} (is new)")),
            (Some(old), None) => Some(format!("{key}: gone (was {old})")),
            (None, None) => None,
        });
    lines.collect()
}

#[cfg(test)]
mod tests;
