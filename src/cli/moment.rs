//! `explain POOL --at TIME`: why something fired at that minute, or nothing did.

use std::{io, io::Write};

use super::{
    remote::{Daemon, Format, RemoteError, write_json},
    text::Text,
};
use crate::{
    model::units::grouped,
    web::{
        json::{IncidentThen, Moment, RuleThen, SeenMinute},
        words::{clock, percent},
    },
};

/// Writes what the daemon at `base_url` knows of this minute of a pool.
///
/// # Errors
///
/// When no daemon answers, when it knows no such pool or minute, or the output can't be written.
pub async fn moment(
    base_url: &str,
    pool: &str,
    at: &str,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    let path = ["api", "v1", "moments", pool];
    let told: Moment = Daemon::at(base_url)?.get_with(&path, &[("at", at)]).await?;
    match format {
        Format::Json => write_json(out, &told)?,
        Format::Text => write_text(out, &told)?,
    }
    Ok(())
}

fn write_text(out: &mut dyn Write, told: &Moment) -> io::Result<()> {
    let mut text = Text::new(out);
    text.line(0, &format!("pool {} at {}", told.pool, clock(&told.at)))?;
    let simulated = if told.is_simulated {
        ", simulated AWS"
    } else {
        ""
    };
    text.line(
        0,
        &format!("(by the rules that hold now and all that is known now; data may have come later than the minute{simulated})"),
    )?;
    text.line(0, &told.verdict)?;
    if let Some(planned) = &told.planned {
        text.line(0, &format!("it lies in the {planned}: not judged"))?;
    }
    text.heading("MEASURED IN THAT MINUTE")?;
    for it in &told.measured {
        let value = it.value.map_or_else(|| "no datapoint".to_owned(), grouped);
        text.line(1, &format!("{} {value}", it.signal.replace('_', " ")))?;
    }
    if told.measured.is_empty() {
        text.line(
            1,
            "nothing: the minute was never observed, or is no longer kept in minutes",
        )?;
    }
    let observed = percent(told.coverage);
    text.line(1, &format!("{observed} of the hour before observed"))?;
    text.heading("RULES")?;
    let (about, others): (Vec<_>, Vec<_>) =
        told.rules.iter().partition(|it| it.state != "not-for-it");
    for rule in about {
        write_rule(&mut text, rule)?;
    }
    for (why, names) in by_reason(&others) {
        text.line(1, &format!("{why}: {}", names.join(", ")))?;
    }
    if !told.off.is_empty() {
        text.line(1, &format!("off for this pool: {}", told.off.join(", ")))?;
    }
    text.heading("INCIDENTS THEN")?;
    for incident in &told.incidents {
        write_incident(&mut text, incident)?;
    }
    if told.incidents.is_empty() {
        text.line(1, "none")?;
    }
    if !told.silences.is_empty() {
        text.heading("SILENCES THEN")?;
    }
    for it in &told.silences {
        let (until, matches) = (clock(&it.until), &it.matches);
        let line = format!(
            "{} by {} until {until}: {matches} ({})",
            it.id, it.by, it.reason
        );
        text.line(1, &line)?;
    }
    Ok(())
}

fn write_rule(text: &mut Text<'_>, rule: &RuleThen) -> io::Result<()> {
    let head = format!("{} ({}, rule {})", rule.rule, rule.severity, rule.rule_hash);
    text.line(1, &format!("{head}: {}", rule.state.replace('-', " ")))?;
    text.labelled(2, "why", [&rule.why])?;
    text.labelled(2, "limit", [&rule.limit])?;
    if !rule.minutes.is_empty() {
        let minutes: Vec<String> = runs(&rule.minutes);
        text.labelled(2, "saw", [minutes.join(", ")])?;
    }
    text.labelled(2, "worst", &rule.reasons)
}

/// Rules that are not about the pool, by the reason; in the order of the rules.
fn by_reason<'a>(rules: &[&'a RuleThen]) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut all: Vec<(&str, Vec<&str>)> = Vec::new();
    for rule in rules {
        match all.iter_mut().find(|(why, _)| *why == rule.why) {
            Some((_, names)) => names.push(&rule.rule),
            None => all.push((&rule.why, vec![&rule.rule])),
        }
    }
    all
}

/// Minutes that say the same with the same number as one: 60 of them are not read.
fn runs(minutes: &[SeenMinute]) -> Vec<String> {
    let same = |a: &SeenMinute, b: &SeenMinute| {
        a.says == b.says && a.value.map(grouped) == b.value.map(grouped)
    };
    let runs = minutes.chunk_by(same).filter_map(|run| {
        let (first, last) = (run.first()?, run.last()?);
        let value = first
            .value
            .map_or_else(String::new, |it| format!(" {}", grouped(it)));
        let hour = |it: &SeenMinute| it.at.get(11..16).unwrap_or_default().to_owned();
        let when = if run.len() == 1 {
            hour(first)
        } else {
            format!("{} to {}", hour(first), hour(last))
        };
        Some(format!("{when}{value} {}", first.says))
    });
    runs.collect()
}

fn write_incident(text: &mut Text<'_>, incident: &IncidentThen) -> io::Result<()> {
    let end = incident.resolved.as_deref().map_or_else(
        || "still open".to_owned(),
        |at| format!("ended {}", clock(at)),
    );
    let line = format!(
        "{} {}: bad from {}, opened {}, {end}",
        incident.id,
        incident.title,
        clock(&incident.began),
        clock(&incident.opened)
    );
    text.line(1, &line)?;
    for it in &incident.decisions {
        text.line(2, &format!("{}  {}", clock(&it.at), it.what))?;
    }
    for it in &incident.messages {
        let line = format!(
            "{}  to {} ({}): {}",
            clock(&it.at),
            it.receiver,
            it.state,
            it.subject
        );
        text.line(2, &line)?;
    }
    if incident.messages.is_empty() {
        text.line(
            2,
            "no message had been planned by then, or they are no longer kept",
        )?;
    }
    Ok(())
}
