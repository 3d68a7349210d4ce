//! `approve` and `reject`: what a person says of a proposal.

use std::io::Write;

use super::remote::{Daemon, Format, RemoteError, write_json};
use crate::web::{
    inert::inert,
    json::{Ruled, Ruling},
};

/// Has the running daemon carry out the proposal `action`, as the ruling says.
///
/// # Errors
///
/// When no daemon answers at `base_url`, or when it refuses: no such action, it no longer waits, or its value is out of
/// bounds.
pub async fn approve(
    base_url: &str,
    action: &str,
    ruling: &Ruling,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    rule(base_url, action, "approve", ruling, format, out).await
}

/// Has the running daemon refuse the proposal `action`, as the ruling says.
///
/// # Errors
///
/// As [`approve`].
pub async fn reject(
    base_url: &str,
    action: &str,
    ruling: &Ruling,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    rule(base_url, action, "reject", ruling, format, out).await
}

async fn rule(
    base_url: &str,
    action: &str,
    verb: &str,
    ruling: &Ruling,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    let path = ["api", "v1", "actions", action, verb];
    let ruled: Ruled = Daemon::at(base_url)?.post(&path, ruling).await?;
    if format == Format::Json {
        return write_json(out, &ruled);
    }
    let Ruled { action, ruling, by } = ruled;
    let (action, by) = (inert(&action), inert(&by));
    writeln!(out, "{action} {ruling} by {by}")?;
    writeln!(out, "follow it with: bedrock-ops-alert explain {action}")?;
    Ok(())
}
