//! How a command ends: the documented exit codes, and what is said on the way out.

use std::{error::Error, process::ExitCode};

use super::output::say;

/// A check or test failed.
pub const FAILED: u8 = 1;
/// `status --exit-code`: something is at risk.
pub const AT_RISK: u8 = 2;
/// `check --deny-warnings`: something is allowed and hardly meant.
pub const WARNED: u8 = 3;
/// The command line was not understood.
pub const USAGE: u8 = 64;
/// AWS, or the running service, can't be reached.
pub const UNREACHABLE: u8 = 69;
/// The store failed or is damaged.
pub const STORE: u8 = 74;
/// Another process holds the store.
pub const IN_USE: u8 = 75;
/// The configuration, or the store's format, does not fit.
pub const CONFIG: u8 = 78;

/// Why a command ended early: the code, and a text with its remedy.
#[derive(Debug)]
pub struct Exit {
    code: u8,
    text: String,
}

impl Exit {
    /// An error with all its causes, and what to do about it.
    pub fn new(code: u8, error: &dyn Error, help: &str) -> Self {
        let mut text = format!("error: {error}");
        let mut cause = error.source();
        while let Some(source) = cause {
            text.push_str(&format!("\n  because: {source}"));
            cause = source.source();
        }
        if !help.is_empty() {
            text.push_str(&format!("\n  help: {help}"));
        }
        Self { code, text }
    }

    /// A text that is complete already, such as a rendered diagnostic.
    #[must_use]
    pub const fn rendered(code: u8, text: String) -> Self {
        Self { code, text }
    }

    /// Says why, and gives the code.
    #[must_use]
    pub fn report(self) -> ExitCode {
        say(&self.text);
        ExitCode::from(self.code)
    }
}

/// What clap has to say: help and version are data and succeed, the rest is usage.
#[must_use]
pub fn usage(error: &clap::Error) -> ExitCode {
    if let Err(failed) = error.print() {
        tracing::debug!(%failed, "the terminal is gone");
    }
    if error.use_stderr() {
        ExitCode::from(USAGE)
    } else {
        ExitCode::SUCCESS
    }
}
