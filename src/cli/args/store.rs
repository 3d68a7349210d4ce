//! The commands on a store.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum StoreCommand {
    /// Write all records as JSON lines to standard output.
    Dump {
        /// The store's folder.
        store: PathBuf,
    },
    /// Read JSON lines from standard input into a new store.
    Load {
        /// The folder of the new store.
        store: PathBuf,
        /// Load although the store holds records already; those of the dump win.
        #[arg(long)]
        onto_existing: bool,
    },
    /// Check every record, the counts and the chain.
    Verify {
        /// The store's folder.
        store: PathBuf,
    },
    /// Write what can still be read of a damaged store as a dump to standard output.
    Salvage {
        /// The store's folder.
        store: PathBuf,
    },
}
