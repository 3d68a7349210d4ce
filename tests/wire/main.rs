//! Real clients against the simulated AWS, and our clients against third-party emulators.
//!
//! Everything here goes over loopback HTTP. What is missing fails with the line that
//! installs it; only an Alertmanager that could not be had is skipped, and said.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod asked;
mod boto3;
mod clock;
mod decided;
mod deploy;
mod disk;
mod emulators;
mod faults;
mod hostile;
mod install;
mod port;
mod receivers;
mod reload;
mod run;
mod sdk;
mod sdk_faults;
mod snippets;
mod support;
