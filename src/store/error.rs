//! What can go wrong with the store: what was tried, where, and what to do about it.

use std::{io, path::PathBuf};

use crate::model::ids::ActionId;

/// Why the store refused or failed. [`StoreError::help`] says what to do, [`StoreError::exit_code`] what the process ends with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The operating system refused a file operation.
    #[error("could not {doing} `{}`", path.display())]
    Io {
        /// What was tried, as a verb with its object's start: `open`, `write the high-water mark`.
        doing: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The storage engine reported a failure.
    #[error("could not {doing} the store `{}`: {why}", path.display())]
    Engine {
        /// What was tried.
        doing: &'static str,
        /// The store's folder.
        path: PathBuf,
        /// The engine's words.
        why: String,
    },
    /// What is stored contradicts itself. The engine's log as it was found is kept beside it.
    #[error("the store `{}` is damaged: {what}", path.display())]
    Damaged {
        /// The store's folder.
        path: PathBuf,
        /// What is damaged, as a whole clause.
        what: String,
    },
    /// Written by a newer release.
    #[error("the store `{}` has format {found}, and this release reads formats up to {supported}", path.display())]
    Newer {
        /// The store's folder.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format of this release.
        supported: u32,
    },
    /// Written by an older release, for which there is no step.
    #[error("could not bring the store `{}` from format {from} to format {to}: {why}", path.display())]
    Migration {
        /// The store's folder.
        path: PathBuf,
        /// Its format.
        from: u32,
        /// The format of this release.
        to: u32,
        /// Why not.
        why: String,
    },
    /// The folder holds something else.
    #[error("`{}` is not a store: it holds `{found}` and no file `FORMAT`", path.display())]
    NotAStore {
        /// The folder.
        path: PathBuf,
        /// The first thing found in it.
        found: String,
    },
    /// A file stands where the folder should be.
    #[error("`{}` can't be a store, which is a folder: `{}` is a file", path.display(), file.display())]
    NotAFolder {
        /// The store's path.
        path: PathBuf,
        /// The file: the path itself, or one above it.
        file: PathBuf,
    },
    /// There is nothing at this place.
    #[error("there is no store at `{}`", path.display())]
    Missing {
        /// Where we looked.
        path: PathBuf,
    },
    /// Another process has it open.
    #[error("the store `{}` is in use by another process", path.display())]
    InUse {
        /// The store's folder.
        path: PathBuf,
    },
    /// Somebody else wrote a newer version of this intent, or an older one was about to be written over it.
    #[error("refused to write revision {offered} of intent `{action}`: {}", stored_words(*stored))]
    Conflict {
        /// Which intent.
        action: ActionId,
        /// The stored revision, if there is one.
        stored: Option<u64>,
        /// The revision that was to be written.
        offered: u64,
    },
    /// A record that could not be read again is not written.
    #[error("refused to store {what}: {why}")]
    Unstorable {
        /// Which record.
        what: String,
        /// Why.
        why: String,
    },
    /// A write failed in a way that leaves unknown what is on disk.
    #[error("could not make a write durable in `{}`: {why}", path.display())]
    NotDurable {
        /// The store's folder.
        path: PathBuf,
        /// What failed.
        why: String,
    },
    /// An earlier write failed, so nobody knows what is on disk; nothing more is written.
    #[error("the store `{}` takes no more writes, since an earlier one failed: {why}", path.display())]
    Poisoned {
        /// The store's folder.
        path: PathBuf,
        /// What failed then.
        why: String,
    },
    /// A dump could not be read or written.
    #[error("could not {doing} the dump")]
    DumpIo {
        /// `read` or `write`.
        doing: &'static str,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A dump is not what it should be. Nothing was stored.
    #[error("line {line} of the dump: {why}")]
    Dump {
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A dump is loaded into an empty store only, unless told otherwise.
    #[error("refused to load the dump: the store already holds {records} records")]
    NotEmpty {
        /// How many.
        records: u64,
    },
}

fn stored_words(stored: Option<u64>) -> String {
    match stored {
        Some(revision) => format!("revision {revision} is stored"),
        None => "none is stored".to_owned(),
    }
}

impl StoreError {
    /// What the operator can do, as whole sentences.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Io { .. } => {
                "Check that the disk is not full, that it is mounted for writing and that the folder belongs to the user of the service. \
                 Nothing that was acknowledged is lost. Then start again."
            }
            Self::Engine { .. } => {
                "Check the disk and the free space, then start again. \
                 If it fails again, keep the folder and run `store salvage` to write out what can be read."
            }
            Self::Damaged { .. } => {
                "Nothing is lost by this: the log as it was found is kept in the store's folder as `as-found`. Run `store salvage` to write what can be read into a dump, \
                 move the folder away and run `store load` with that dump. \
                 Starting with no store at all is safe too: it is rebuilt from AWS, and open requests and cases are found again by their markers."
            }
            Self::Newer { .. } => {
                "Nothing was touched. Run the newer release again, or go back to the ledger as it was before: \
                 the newer release kept it in the store's folder as `before-format-N`, and docs/upgrade.md says how."
            }
            Self::Migration { .. } => {
                "Nothing was lost: the old records are as they were. \
                 Run the release that wrote the store, take a dump with `store dump`, and report this message."
            }
            Self::NotAStore { .. } => {
                "Nothing was touched. Name an empty folder, or one that does not exist yet, as the store's path."
            }
            Self::NotAFolder { .. } => {
                "Nothing was touched. Name a folder as the store's path, with --store, BOA_STORE_PATH or `[store] path`; it is created if it does not exist."
            }
            Self::Missing { .. } => {
                "Check the path. The daemon creates its store at the first `run`; reading commands never create one."
            }
            Self::InUse { .. } => {
                "Only one process may use a store. Stop the other one, or ask it instead (`bedrock-ops-alert status`), or name another folder with --store."
            }
            Self::Conflict { .. } => {
                "Nothing was written. Load the store again and decide anew: the decision rested on an older state."
            }
            Self::Unstorable { .. } => {
                "Nothing was written. This is a fault of the program: please report this message."
            }
            Self::NotDurable { .. } | Self::Poisoned { .. } => {
                "The process ends with exit code 74, so that no effect rests on a write that may be lost. \
                 Check the disk and the free space, then start again: what was acknowledged is read back, everything else is looked up at AWS."
            }
            Self::DumpIo { .. } => "Check the file or pipe that the dump goes to or comes from.",
            Self::Dump { .. } => {
                "Nothing was stored. Take the dump again, or mend the line; `docs/store.md` describes each of them."
            }
            Self::NotEmpty { .. } => {
                "Nothing was stored. Load into a new folder, or say that the dump may be added to what is there."
            }
        }
    }

    /// The exit code of a process that ends for this reason.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Dump { .. } | Self::NotEmpty { .. } => 64,
            Self::Io { .. }
            | Self::Engine { .. }
            | Self::Damaged { .. }
            | Self::Migration { .. }
            | Self::Missing { .. }
            | Self::Conflict { .. }
            | Self::Unstorable { .. }
            | Self::NotDurable { .. }
            | Self::Poisoned { .. }
            | Self::DumpIo { .. } => 74,
            Self::InUse { .. } => 75,
            Self::Newer { .. } | Self::NotAStore { .. } | Self::NotAFolder { .. } => 78,
        }
    }
}
