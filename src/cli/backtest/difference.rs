//! What becomes different, as people and scripts read it.

use std::io::{self, Write};

use super::page::lasting;
use crate::{
    backtest::{
        difference::{Changed, Difference, Pair, Totals, fresh},
        found::FoundIncident,
    },
    cli::{remote::Format, text::Text},
    model::units::grouped,
    web::words::clock,
};

/// Writes what becomes different.
///
/// # Errors
/// When the output can't be written.
pub(in crate::cli) fn write(
    it: &Difference,
    format: Format,
    out: &mut dyn Write,
) -> io::Result<()> {
    if format == Format::Json {
        serde_json::to_writer_pretty(&mut *out, it)?;
        return writeln!(out);
    }
    let mut text = Text::new(out);
    let pools = if it.pools == 1 { "pool" } else { "pools" };
    text.line(
        0,
        &format!(
            "what becomes different for {} {pools}, {} to {}",
            it.pools,
            clock(&it.from),
            clock(&it.until)
        ),
    )?;
    if !it.rules.is_empty() {
        text.heading("RULES")?;
    }
    for (rule, Pair { before, now }) in &it.rules {
        text.line(
            1,
            &format!(
                "{rule}: {} times, on for {}; before {} times, {}",
                now.times,
                lasting(i64::from(now.minutes)),
                before.times,
                lasting(i64::from(before.minutes))
            ),
        )?;
    }
    let several = [("NEW", "+", &it.added), ("GONE", "-", &it.gone)];
    for (heading, sign, incidents) in several {
        if !incidents.is_empty() {
            text.heading(&format!("{heading} ({})", incidents.len()))?;
        }
        for incident in incidents {
            write_whole(&mut text, sign, incident)?;
        }
    }
    if !it.changed.is_empty() {
        text.heading(&format!("OTHERWISE ({})", it.changed.len()))?;
    }
    for changed in &it.changed {
        write_changed(&mut text, changed)?;
    }
    text.heading("ALL IN ALL")?;
    if it.rules.is_empty() && it.changed.is_empty() && it.added.is_empty() && it.gone.is_empty() {
        return text.line(
            1,
            &format!("nothing becomes different; incidents: {}", it.same),
        );
    }
    write_totals(&mut text, &it.totals, it.same)
}

fn head(it: &FoundIncident) -> String {
    format!("{}  {} of {}", it.severity, it.about, it.pools.join(", "))
}

fn until(it: &FoundIncident) -> String {
    it.ended
        .as_deref()
        .map_or_else(|| "still open".to_owned(), clock)
}

fn write_whole(text: &mut Text<'_>, sign: &str, it: &FoundIncident) -> io::Result<()> {
    text.line(
        1,
        &format!(
            "{sign} {}: {} to {}, {}, {} requests refused",
            head(it),
            clock(&it.opened),
            until(it),
            lasting(it.open_minutes),
            grouped(it.throttled)
        ),
    )?;
    text.line(2, &format!("rules {}", it.rules.join(", ")))?;
    for said in it.told.iter().chain(&it.filed) {
        text.line(2, &format!("{sign} {}  {}", clock(&said.at), said.what))?;
    }
    Ok(())
}

fn write_changed(text: &mut Text<'_>, Changed { before, now }: &Changed) -> io::Result<()> {
    text.line(1, &format!("{}: {}", head(now), clock(&now.opened)))?;
    let pairs = [
        ("severity", before.severity.clone(), now.severity.clone()),
        ("opened", clock(&before.opened), clock(&now.opened)),
        ("ended", until(before), until(now)),
        ("rules", before.rules.join(", "), now.rules.join(", ")),
        ("pools", before.pools.join(", "), now.pools.join(", ")),
        (
            "messages",
            before.told.len().to_string(),
            now.told.len().to_string(),
        ),
    ];
    for (what, before, now) in pairs {
        if before != now {
            text.line(2, &format!("{what} {now}, instead of {before}"))?;
        }
    }
    let sides = [("-", now, before), ("+", before, now)];
    for (sign, without, with) in sides {
        for said in fresh(&without.told, &with.told)
            .into_iter()
            .chain(fresh(&without.filed, &with.filed))
        {
            text.line(2, &format!("{sign} {}  {}", clock(&said.at), said.what))?;
        }
    }
    Ok(())
}

fn write_totals(
    text: &mut Text<'_>,
    Pair { before, now }: &Pair<Totals>,
    same: usize,
) -> io::Result<()> {
    text.line(1, &format!("incidents as before: {same}"))?;
    for (what, before, now) in [
        ("incidents", before.incidents, now.incidents),
        ("critical ones", before.critical, now.critical),
        ("messages", before.messages, now.messages),
        ("asked of AWS", before.filed, now.filed),
        ("shortages known before", before.foreseen, now.foreseen),
    ] {
        let change = if before == now {
            format!("{what}: {now}")
        } else {
            format!("{what}: {now} instead of {before}")
        };
        text.line(1, &change)?;
    }
    Ok(())
}
