//! What a backtest found, as people and scripts read it.

use std::io::{self, Write};

use crate::{
    backtest::found::{Found, FoundIncident, FoundMinute},
    cli::{remote::Format, text::Text},
    model::{time::HOUR, units::grouped},
    web::words::clock,
};

/// Writes what was found.
///
/// # Errors
/// When the output can't be written.
pub(in crate::cli) fn write(found: &Found, format: Format, out: &mut dyn Write) -> io::Result<()> {
    if format == Format::Json {
        serde_json::to_writer_pretty(&mut *out, found)?;
        return writeln!(out);
    }
    let mut text = Text::new(out);
    let head = format!(
        "backtest of {} pool{}, {} to {}",
        found.pools,
        if found.pools == 1 { "" } else { "s" },
        clock(&found.from),
        clock(&found.until)
    );
    text.line(0, &head)?;
    if !found.minutes.is_empty() {
        text.heading("MINUTE BY MINUTE")?;
    }
    for minute in &found.minutes {
        write_minute(&mut text, minute)?;
    }
    text.heading("RULES THAT FIRED")?;
    for (rule, fired) in &found.rules {
        text.line(
            1,
            &format!(
                "{rule}: {} times, on for {}",
                fired.times,
                lasting(i64::from(fired.minutes))
            ),
        )?;
    }
    if found.rules.is_empty() {
        text.line(1, "none")?;
    }
    text.heading(&format!("INCIDENTS ({})", found.incidents.len()))?;
    for it in &found.incidents {
        write_incident(&mut text, it)?;
    }
    write_shortages(&mut text, found)?;
    if let Some(score) = &found.score {
        text.heading("SCORE")?;
        let percent = |share: Option<f64>| {
            share.map_or_else(|| "-".to_owned(), |it| format!("{:.0} %", 100.0 * it))
        };
        text.line(
            1,
            &format!(
                "{} of {} labelled incidents found ({})",
                score.found,
                score.labelled,
                percent(score.recall)
            ),
        )?;
        text.line(
            1,
            &format!(
                "{} pages, {} of them false (precision {})",
                score.pages,
                score.false_pages,
                percent(score.precision)
            ),
        )?;
        if let Some(delay) = score.median_delay_minutes {
            text.line(1, &format!("median delay of a page {delay} minutes"))?;
        }
    }
    Ok(())
}

fn write_incident(text: &mut Text<'_>, it: &FoundIncident) -> io::Result<()> {
    let ended = it
        .ended
        .as_deref()
        .map_or_else(|| "still open".to_owned(), |at| format!("to {}", clock(at)));
    text.line(
        1,
        &format!(
            "{} {}  {} of {}: {} {ended}, {}, {} requests refused",
            it.id,
            it.severity,
            it.about,
            it.pools.join(", "),
            clock(&it.opened),
            lasting(it.open_minutes),
            grouped(it.throttled)
        ),
    )?;
    text.line(2, &format!("rules {}", it.rules.join(", ")))?;
    for said in it.told.iter().chain(&it.filed) {
        text.line(2, &format!("{}  {}", clock(&said.at), said.what))?;
    }
    if it.filed.is_empty() {
        // Why nothing was asked is what people want to know before they arm it.
        if let Some(why) = it.decisions.last() {
            text.line(2, &format!("{}  {}", clock(&why.at), why.what))?;
        }
    }
    Ok(())
}

fn write_minute(text: &mut Text<'_>, minute: &FoundMinute) -> io::Result<()> {
    let shown = [
        "invocations",
        "throttles",
        "charged_tokens",
        "client_errors",
        "server_errors",
        "latency",
    ];
    let measured = shown.iter().filter_map(|name| {
        let value = minute.measured.get(*name)?;
        Some(format!("{} {}", name.replace('_', " "), grouped(*value)))
    });
    let measured: Vec<String> = measured.collect();
    let measured = if measured.is_empty() {
        "not observed".to_owned()
    } else {
        measured.join(", ")
    };
    text.line(
        1,
        &format!("{}  {}  {measured}", clock(&minute.at), minute.pool),
    )?;
    for rule in &minute.rules {
        text.line(2, rule)?;
    }
    text.labelled(2, "THEN", &minute.decided)
}

fn write_shortages(text: &mut Text<'_>, found: &Found) -> io::Result<()> {
    text.heading(&format!("SHORTAGES ({})", found.shortages.len()))?;
    for it in &found.shortages {
        let lead = match it.lead_minutes {
            Some(lead) if 0 <= lead => format!("known {} before", lasting(lead)),
            Some(lead) => format!("known {} after its first refused request", lasting(-lead)),
            None => "nobody would have known".to_owned(),
        };
        text.line(
            1,
            &format!(
                "{} {}: {} requests refused, {lead}",
                clock(&it.first),
                it.pool,
                grouped(it.throttled)
            ),
        )?;
    }
    let mut leads: Vec<i64> = found
        .shortages
        .iter()
        .filter_map(|it| it.lead_minutes)
        .collect();
    leads.sort_unstable();
    if let Some(median) = leads.get(leads.len() / 2) {
        let before = leads.iter().filter(|it| 0 < **it).count();
        text.line(
            1,
            &format!(
                "known before {before} of {}; median lead {median} minutes",
                found.shortages.len()
            ),
        )?;
    }
    Ok(())
}

pub(super) fn lasting(minutes: i64) -> String {
    match minutes {
        0..HOUR => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / HOUR, minutes % HOUR),
    }
}
