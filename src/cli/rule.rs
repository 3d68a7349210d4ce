//! `approve` and `reject`: what a person says of a proposal.

use std::io::Write;

use super::remote::{Daemon, Format, RemoteError, write_json};
use crate::web::{
    inert::inert,
    json::{Ruled, Ruling},
};

/// Has the running daemon carry out the proposal `action`, in the name of `by`.
///
/// # Errors
///
/// When no daemon answers at `base_url`, or when it refuses: no such action, or it no longer waits.
pub async fn approve(
    base_url: &str,
    action: &str,
    by: &str,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    rule(base_url, action, "approve", by, format, out).await
}

/// Has the running daemon refuse the proposal `action`, in the name of `by`.
///
/// # Errors
///
/// As [`approve`].
pub async fn reject(
    base_url: &str,
    action: &str,
    by: &str,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    rule(base_url, action, "reject", by, format, out).await
}

async fn rule(
    base_url: &str,
    action: &str,
    verb: &str,
    by: &str,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    let path = ["api", "v1", "actions", action, verb];
    let ruling = Ruling { by: by.to_owned() };
    let ruled: Ruled = Daemon::at(base_url)?.post(&path, &ruling).await?;
    if format == Format::Json {
        return write_json(out, &ruled);
    }
    let Ruled { action, ruling, by } = ruled;
    let (action, by) = (inert(&action), inert(&by));
    writeln!(out, "{action} {ruling} by {by}")?;
    writeln!(out, "follow it with: bedrock-ops-alert explain {action}")?;
    Ok(())
}
