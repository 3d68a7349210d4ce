//! `silence`, `ack` and `snooze`: what a person says of alerts and incidents.

use std::io::{self, Write};

use super::{
    remote::{Daemon, Format, RemoteError, write_json},
    text::Text,
};
use crate::web::{
    inert::inert,
    json::{Acknowledging, Ordered, Silence, Silences, Silencing, Trail},
    words::clock,
};

/// Has the running daemon hold messages back.
///
/// # Errors
///
/// When no daemon answers at `base_url`, or when it refuses: nothing is matched, no reason, no end.
pub async fn silence(
    base_url: &str,
    silencing: &Silencing,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    let path = ["api", "v1", "silences"];
    let made: Ordered = Daemon::at(base_url)?.post(&path, silencing).await?;
    if format == Format::Json {
        return write_json(out, &made);
    }
    let (id, what) = (inert(&made.id), inert(&made.what));
    writeln!(out, "{id}: {what}")?;
    writeln!(
        out,
        "end it early with: bedrock-ops-alert silence expire {id}"
    )?;
    Ok(())
}

/// Has the running daemon end a silence now.
///
/// # Errors
///
/// When no daemon answers, or the silence is unknown or over.
pub async fn expire(
    base_url: &str,
    id: &str,
    saying: &Acknowledging,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    order(base_url, ["silences", id, "expire"], saying, format, out).await
}

/// Has the running daemon note that somebody looks after an incident; for a while only where `saying` has minutes.
///
/// # Errors
///
/// When no daemon answers, or the incident is unknown or over.
pub async fn acknowledge(
    base_url: &str,
    incident: &str,
    saying: &Acknowledging,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    let verb = if saying.minutes.is_some() {
        "snooze"
    } else {
        "ack"
    };
    order(base_url, ["incidents", incident, verb], saying, format, out).await
}

async fn order(
    base_url: &str,
    [kind, id, verb]: [&str; 3],
    saying: &Acknowledging,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    let path = ["api", "v1", kind, id, verb];
    let done: Ordered = Daemon::at(base_url)?.post(&path, saying).await?;
    if format == Format::Json {
        return write_json(out, &done);
    }
    writeln!(out, "{}: {}", inert(&done.id), inert(&done.what))?;
    Ok(())
}

/// Has the running daemon stop all writes at AWS's desks, or let them go on.
///
/// # Errors
///
/// When no daemon answers, or when it refuses: they are stopped already, or the file can't be written.
pub async fn writes(
    base_url: &str,
    is_stop: bool,
    saying: &Acknowledging,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    let verb = if is_stop { "stop" } else { "resume" };
    let path = ["api", "v1", "writes", verb];
    let done: Ordered = Daemon::at(base_url)?.post(&path, saying).await?;
    if format == Format::Json {
        return write_json(out, &done);
    }
    writeln!(out, "{}", inert(&done.what))?;
    Ok(())
}

/// Writes what was ordered, decided and written at AWS, oldest first.
///
/// # Errors
///
/// When no daemon answers, or the output can't be written.
pub async fn audit(
    base_url: &str,
    subject: Option<&str>,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    let asked: Vec<(&str, &str)> = subject.iter().map(|it| ("subject", *it)).collect();
    let path = ["api", "v1", "audit"];
    let told: Trail = Daemon::at(base_url)?.get_with(&path, &asked).await?;
    if format == Format::Json {
        return write_json(out, &told);
    }
    let mut text = Text::new(out);
    if 0 < told.left_out {
        text.line(
            0,
            &format!("({} earlier ones are not shown)", told.left_out),
        )?;
    }
    for it in told.entries.iter().rev() {
        let at = clock(&it.at);
        let by = it.by.as_deref().unwrap_or("the service");
        let about = format!("{} {}", it.kind, it.subject);
        text.line(0, &format!("{at}  {}  {by}: {}", about.trim_end(), it.what))?;
        if let Some(reason) = &it.reason {
            text.line(1, &format!("because: {reason}"))?;
        }
    }
    if told.entries.is_empty() {
        text.line(0, "nothing yet")?;
    }
    Ok(())
}

/// Writes the silences that the daemon knows: those that hold, those to come, and those that ended lately.
///
/// # Errors
///
/// When no daemon answers, or the output can't be written.
pub async fn silences(
    base_url: &str,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    let told: Silences = Daemon::at(base_url)?
        .get(&["api", "v1", "silences"])
        .await?;
    if format == Format::Json {
        return write_json(out, &told);
    }
    let mut text = Text::new(out);
    for silence in &told.silences {
        write_silence(&mut text, silence)?;
    }
    if told.silences.is_empty() {
        text.line(0, "no silences")?;
    }
    super::status::left_out(&mut text, &told.left_out, "silences")?;
    Ok(())
}

/// A silence on two lines.
pub(super) fn write_silence(text: &mut Text<'_>, it: &Silence) -> io::Result<()> {
    let (from, until) = (clock(&it.from), clock(&it.until));
    let ended = it
        .expired_by
        .as_ref()
        .map_or_else(String::new, |by| format!(", ended by {by}"));
    text.line(
        1,
        &format!(
            "{}  {}, {from} to {until}{ended}: {}",
            it.id, it.state, it.matches
        ),
    )?;
    text.line(2, &format!("{}: {}", it.by, it.reason))?;
    if it.hold_requests {
        text.line(2, "nothing is asked of AWS for it")?;
    }
    if !it.incidents.is_empty() {
        text.line(2, &format!("holds back {}", it.incidents.join(", ")))?;
    }
    Ok(())
}
