//! `health`: one question to the running service, for the health checks of containers.

use std::io;

use super::remote::{Daemon, RemoteError};

/// Whether the service says that all is well; prints the reasons where it does not.
///
/// # Errors
/// When nobody answers, or somebody else does.
pub async fn health(
    base_url: &str,
    is_ready_asked: bool,
    out: &mut dyn io::Write,
) -> Result<bool, RemoteError> {
    let path = if is_ready_asked { "readyz" } else { "healthz" };
    let condition = Daemon::at(base_url)?.condition(path).await?;
    if condition.ok {
        writeln!(out, "ok")?;
    }
    for reason in &condition.reasons {
        writeln!(out, "{reason}")?;
    }
    Ok(condition.ok)
}
