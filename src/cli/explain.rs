//! `explain`: why something happened, as the person on call wants it at 3 am.
//!
//! In the order in which it came about: the incident, why, what was decided, what was done, what AWS said.

use std::{io, io::Write};

use super::{
    remote::{Daemon, Format, RemoteError, write_json},
    say::write_silence,
    status::{ask_line, case_line, left_out, write_headroom},
    text::Text,
};
use crate::{
    model::{
        ids::{ActionId, Marker},
        units::grouped,
    },
    web::{
        json::{Action, Elsewhere, Explanation, Incident, Life, Quota, QuotaChange, TargetDay},
        words::{age, clock, in_stretches, percent, said},
    },
};

/// Writes all that the daemon at `base_url` knows of `id`: an incident, action, silence, pool, target, quota
/// code, request or case.
///
/// # Errors
///
/// When no daemon answers, when it knows nothing by this id, or the output can't be written.
pub async fn explain(
    base_url: &str,
    id: &str,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    let path = ["api", "v1", "explain", id];
    let explanation: Explanation = Daemon::at(base_url)?.get(&path).await?;
    match format {
        Format::Json => write_json(out, &explanation)?,
        Format::Text => write_text(out, &explanation)?,
    }
    Ok(())
}

/// Over the ways out.
const ROOM: &str = "ROOM ELSEWHERE, BY THE P95 OF THE LAST DAY";

fn write_text(out: &mut dyn Write, told: &Explanation) -> io::Result<()> {
    let mut text = Text::new(out);
    text.line(0, &format!("{} {}", told.kind, told.asked))?;
    let data = told.now.as_deref().map_or_else(
        || "no cycle yet".to_owned(),
        |now| format!("data as of {}", clock(now)),
    );
    let simulated = if told.is_simulated {
        ", simulated AWS"
    } else {
        ""
    };
    text.line(0, &format!("({data}{simulated})"))?;
    if matches!(told.kind.as_str(), "pool" | "target" | "quota") {
        write_place(&mut text, told)?;
    }
    for silence in &told.silences {
        write_silence(&mut text, silence)?;
    }
    for action in &told.actions {
        write_action(&mut text, action)?;
    }
    for incident in &told.incidents {
        write_incident(&mut text, incident)?;
    }
    left_out(&mut text, &told.left_out, "incidents")?;
    write_words(&mut text, told)
}

/// Of an action: what AWS reads, to be checked before it is approved, or sent by hand.
fn write_words(text: &mut Text<'_>, told: &Explanation) -> io::Result<()> {
    let mut actions = told.incidents.iter().flat_map(|it| &it.actions);
    let is_asked = |it: &&Action| {
        let marker = Marker::of(&ActionId::new(it.id.as_str()));
        it.id == told.asked || marker.as_str() == told.asked
    };
    let asked = actions.find(is_asked).filter(|_| told.kind == "action");
    let Some(words) = asked.and_then(|it| it.text.as_deref()) else {
        return Ok(());
    };
    text.heading("WHAT AWS READS")?;
    words.lines().try_for_each(|line| text.line(1, line))
}

/// A pool or a quota: use, values, rules, targets.
fn write_place(text: &mut Text<'_>, told: &Explanation) -> io::Result<()> {
    write_headroom(text, &told.headroom)?;
    for row in told.headroom.iter().filter(|row| !row.note.is_empty()) {
        let kind = row.kind.to_uppercase();
        text.line(2, &format!("{kind} of {}: {}", row.pool, row.note))?;
    }
    left_out(text, &told.left_out, "headroom")?;
    if let Some(told) = told.life.as_ref().and_then(Life::told) {
        text.line(1, &format!("the model is {told}"))?;
    }
    write_day(text, told)?;
    text.heading("QUOTAS")?;
    for quota in &told.quotas {
        text.line(1, &quota_line(quota))?;
    }
    for change in &told.quota_changes {
        text.line(1, &change_line(change))?;
    }
    if told.quotas.is_empty() && told.quota_changes.is_empty() {
        text.line(1, "none known")?;
    }
    if told.kind == "pool" {
        text.heading(ROOM)?;
        write_room(text, 1, &told.elsewhere)?;
        if told.elsewhere.is_empty() {
            text.line(1, "none known within the rules of residency")?;
        }
    }
    text.heading("RULES")?;
    for judgement in &told.judgements {
        let provisional = if judgement.is_provisional {
            " (on minutes that may still change)"
        } else {
            ""
        };
        let line = format!(
            "{} on {}: {}{provisional}",
            judgement.rule, judgement.pool, judgement.state
        );
        text.line(1, &line)?;
        text.labelled(2, "why", &judgement.reasons)?;
        text.labelled(2, "here", &judgement.overridden)?;
    }
    if told.judgements.is_empty() {
        text.line(1, "none judged")?;
    }
    write_targets(text, told)
}

fn write_targets(text: &mut Text<'_>, told: &Explanation) -> io::Result<()> {
    if !told.targets.is_empty() {
        text.heading("TARGETS")?;
    }
    for target in &told.targets {
        let name = target
            .name
            .as_ref()
            .map_or_else(String::new, |name| format!(" `{name}`"));
        let seen = clock(&target.first_seen);
        let kind = target.kind.replace('-', " ");
        let vanished = target.vanished.as_deref().map_or_else(String::new, |at| {
            format!(", no traffic and not listed since {}", clock(at))
        });
        text.line(
            1,
            &format!("{}{name}: {kind}, first seen {seen}{vanished}", target.id),
        )?;
        if let Some(lately) = target.lately.as_ref().filter(|it| 0.0 < it.requests) {
            text.line(2, &took(lately))?;
        }
        if let Some(tags) = target.tags.as_ref().filter(|it| !it.is_empty()) {
            let tags = tags.iter().map(|(key, value)| format!("{key} = {value}"));
            let tags: Vec<String> = tags.collect();
            text.line(2, &format!("tags: {}", tags.join(", ")))?;
        }
    }
    Ok(())
}

/// What a target took of its pool, and how much of that was refused.
fn took(lately: &TargetDay) -> String {
    let span = match lately.hours {
        24 => "the last 24 hours".to_owned(),
        hours => format!("{hours} of the last 24 hours"),
    };
    let (requests, tokens) = (grouped(lately.requests), grouped(lately.tokens));
    let refused = if 0.0 < lately.throttled {
        let share = percent(lately.throttled / lately.requests);
        format!("{} throttled ({share})", grouped(lately.throttled))
    } else {
        "none throttled".to_owned()
    };
    format!("in {span}: {requests} requests, {refused}; {tokens} tokens")
}

/// What a request of the pool is like, and whether the charged tokens add up.
fn write_day(text: &mut Text<'_>, told: &Explanation) -> io::Result<()> {
    if told.per_request.is_none() && told.charge_check.is_none() {
        return Ok(());
    }
    text.heading("THE LAST DAY")?;
    if let Some(means) = &told.per_request {
        let cached = |value: Option<f64>| value.map_or_else(|| "?".to_owned(), grouped);
        let line = format!(
            "a request: {} input and {} output tokens, {} read from the cache and {} written to it; {} requests, {} of the minutes observed",
            grouped(means.input_tokens),
            grouped(means.output_tokens),
            cached(means.cache_read_tokens),
            cached(means.cache_write_tokens),
            grouped(means.requests),
            percent(means.coverage)
        );
        text.line(1, &line)?;
        if let Some(share) = means.long_input_share {
            let least = grouped(f64::from(means.long_input_tokens));
            let long = format!(
                "{} of them with more than {least} input tokens",
                percent(share)
            );
            text.line(1, &long)?;
        }
    }
    if let Some(check) = &told.charge_check {
        let word = if check.is_off {
            "OFF"
        } else {
            "charged tokens add up"
        };
        text.line(1, &format!("{word}: {}", check.text))?;
    }
    Ok(())
}

fn write_incident(text: &mut Text<'_>, incident: &Incident) -> io::Result<()> {
    let brief = &incident.brief;
    let state = match (&brief.resolved, brief.age_seconds) {
        (None, Some(seconds)) => format!("open for {}", age(seconds)),
        (None, None) => "open".to_owned(),
        (Some(at), _) => format!("ended {}", clock(at)),
    };
    text.heading(&format!(
        "INCIDENT {} ({}, {state})",
        brief.id, brief.severity
    ))?;
    text.line(1, &brief.title)?;
    text.line(
        1,
        &format!(
            "bad from {} to {}{}; opened {}",
            clock(&brief.began),
            clock(&brief.last_bad),
            in_stretches(brief),
            clock(&brief.opened)
        ),
    )?;
    let scenario = brief.scenario.as_deref().unwrap_or("not assessed");
    text.line(
        1,
        &format!(
            "scenario {scenario}; {} requests throttled so far; number {} of its kind",
            grouped(brief.lost),
            incident.generation
        ),
    )?;
    for pool in &incident.pools {
        text.line(1, &format!("pool {pool}"))?;
    }
    for line in said(brief) {
        text.line(1, &line)?;
    }
    let held = brief.held_back.iter().flat_map(|it| &it.events);
    text.labelled(2, "kept", held)?;
    write_why(text, incident)?;
    text.line(1, "ACTIONS")?;
    if incident.actions.is_empty() {
        text.line(2, "none")?;
    }
    for action in &incident.actions {
        write_action(text, action)?;
    }
    write_desk(text, incident)
}

fn write_why(text: &mut Text<'_>, incident: &Incident) -> io::Result<()> {
    text.line(1, "WHY")?;
    for alert in &incident.alerts {
        let on = if alert.is_on { "on" } else { "over" };
        let line = format!(
            "{} ({}, {on}, rule {}) on {}",
            alert.rule, alert.severity, alert.rule_hash, alert.pool
        );
        text.line(2, &line)?;
        for reason in &alert.reasons {
            text.line(3, reason)?;
        }
    }
    if !incident.brief.hints.is_empty() {
        text.line(1, "WHAT PROBABLY LIES BEHIND IT")?;
    }
    for hint in &incident.brief.hints {
        text.line(2, hint)?;
    }
    if !incident.elsewhere.is_empty() {
        text.line(1, ROOM)?;
    }
    write_room(text, 2, &incident.elsewhere)?;
    text.line(1, "DECISIONS")?;
    if incident.decisions_dropped > 0 {
        let gone = format!("({} older ones were let go)", incident.decisions_dropped);
        text.line(2, &gone)?;
    }
    if incident.decisions.is_empty() {
        text.line(2, "none")?;
    }
    for decision in &incident.decisions {
        text.line(2, &format!("{}  {}", clock(&decision.at), decision.what))?;
    }
    Ok(())
}

fn write_room(text: &mut Text<'_>, depth: usize, ways: &[Elsewhere]) -> io::Result<()> {
    ways.iter().try_for_each(|it| {
        let ruled = if it.is_ruled {
            ""
        } else {
            "; whether data may go there, no [[residency]] says"
        };
        text.line(depth, &format!("{}{ruled}", it.text))
    })
}

fn write_action(text: &mut Text<'_>, action: &Action) -> io::Result<()> {
    let created = clock(&action.created);
    text.line(2, &format!("{created}  {}  {}", action.id, action.what))?;
    let tries = match action.attempts {
        0 | 1 => String::new(),
        more => format!(" (begun {more} times)"),
    };
    text.line(3, &format!("{}{tries}", action.detail))?;
    if let Some(failure) = &action.last_failure {
        text.line(3, &format!("last failure: {failure}"))?;
    }
    text.labelled(3, "why", &action.reasons)?;
    if action.state == "proposed" {
        text.line(3, &format!("bedrock-ops-alert approve {}", action.id))?;
    }
    Ok(())
}

fn write_desk(text: &mut Text<'_>, incident: &Incident) -> io::Result<()> {
    let is_empty =
        incident.asks.is_empty() && incident.cases.is_empty() && incident.quota_changes.is_empty();
    if is_empty {
        return Ok(());
    }
    text.line(1, "ON AWS'S DESK")?;
    for ask in &incident.asks {
        text.line(2, &ask_line(ask))?;
    }
    for case in &incident.cases {
        text.line(2, &case_line(case))?;
    }
    for change in &incident.quota_changes {
        text.line(2, &change_line(change))?;
    }
    Ok(())
}

fn quota_line(quota: &Quota) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "not known".to_owned(), grouped);
    let adjustable = if quota.adjustable {
        "adjustable"
    } else {
        "not adjustable"
    };
    let read = quota.age_seconds.map_or_else(
        || clock(&quota.read_at),
        |seconds| format!("{} ago", age(seconds)),
    );
    let stale = quota
        .stale
        .as_ref()
        .map_or_else(String::new, |why| format!("; the last read failed: {why}"));
    format!(
        "{} in {} {} ({}): applied {}, default {}, {adjustable}, read {read}{stale}",
        quota.quota_code,
        quota.account,
        quota.region,
        quota.name,
        number(quota.applied),
        number(quota.default)
    )
}

fn change_line(change: &QuotaChange) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "not known".to_owned(), grouped);
    format!(
        "{}  {} changed from {} to {} in {} {}",
        clock(&change.at),
        change.quota_code,
        number(change.old),
        number(change.new),
        change.account,
        change.region
    )
}
