//! `status`: how it is now, from the running daemon.

use std::{collections::BTreeMap, io, io::Write};

use super::{
    remote::{Daemon, Format, RemoteError, write_json},
    say::write_silence,
    text::{
        Side::{Left, Right},
        Text,
    },
};
use crate::{
    model::units::grouped,
    web::{
        json::{Action, Ask, Case, Headroom, IncidentBrief, Level, Status},
        words::{age, clock, expected, held, odds, percent, place, said, warned},
    },
};

/// Writes the state of the daemon at `base_url`, and returns how it is: `status --exit-code` exits with 2 when
/// [`Level::is_at_risk`].
///
/// # Errors
///
/// When no daemon answers, or the output can't be written.
pub async fn status(
    base_url: &str,
    format: Format,
    out: &mut dyn Write,
) -> Result<Level, RemoteError> {
    let status: Status = Daemon::at(base_url)?.get(&["api", "v1", "status"]).await?;
    match format {
        Format::Json => write_json(out, &status)?,
        Format::Text => write_text(out, &status)?,
    }
    Ok(status.verdict.level)
}

fn write_text(out: &mut dyn Write, status: &Status) -> io::Result<()> {
    let mut text = Text::new(out);
    let verdict = &status.verdict;
    let level = verdict.level.name().to_uppercase();
    text.line(0, &format!("{level}: {}", verdict.text))?;
    if status.is_simulated {
        text.line(
            0,
            "Simulated AWS: nothing here has happened in a real account.",
        )?;
    }
    let data = status.now.as_deref().map_or_else(
        || "no cycle yet".to_owned(),
        |now| format!("data as of {}", clock(now)),
    );
    text.line(
        0,
        &format!("Mode {}, {data}, {} cycles.", status.mode, status.cycles),
    )?;
    if let Some(stop) = &status.writes_stopped {
        text.line(0, &format!("WRITES STOPPED: {stop}. Messages go on."))?;
    }
    for notice in &status.notices {
        text.line(0, &format!("Notice: {notice}"))?;
    }
    for why in &status.stale {
        text.line(0, &format!("Stale: {why}"))?;
    }
    for row in status.freshness.iter() {
        if let Some(why) = &row.failing {
            let place = place(row.account_name.as_deref(), &row.account, &row.region);
            text.line(0, &format!("Failing: {} in {place}: {why}", row.stage))?;
        }
    }
    write_headroom(&mut text, &status.headroom)?;
    write_reserved(&mut text, &status.headroom)?;
    write_ahead(&mut text, &status.headroom)?;
    left_out(&mut text, &status.left_out, "headroom")?;
    text.heading("OPEN INCIDENTS")?;
    none(&mut text, status.incidents.is_empty())?;
    for incident in &status.incidents {
        write_incident(&mut text, incident)?;
    }
    left_out(&mut text, &status.left_out, "incidents")?;
    write_silences(&mut text, status)?;
    write_waiting(&mut text, status)?;
    write_desk(&mut text, status)?;
    write_ended(&mut text, status)?;
    write_record(&mut text, status)?;
    write_aws(&mut text, status)
}

/// How well it predicts.
fn write_record(text: &mut Text<'_>, status: &Status) -> io::Result<()> {
    let record = &status.record;
    let lines = [held(&record.bands), warned(&record.warnings)];
    if lines.iter().all(Option::is_none) {
        return Ok(());
    }
    text.heading("HOW WELL IT PREDICTS")?;
    for line in lines.iter().flatten() {
        text.line(1, line)?;
    }
    Ok(())
}

/// What AWS was asked, and what that costs.
fn write_aws(text: &mut Text<'_>, status: &Status) -> io::Result<()> {
    let calls: u64 = status.aws.calls.values().sum();
    text.heading("AWS")?;
    let cost = status.aws.cost_usd;
    text.line(
        1,
        &format!(
            "{calls} calls and {} billed metrics since the start: {cost:.2} USD at list price",
            status.aws.metrics
        ),
    )?;
    let Some(month) = &status.aws.month else {
        return Ok(());
    };
    let projected = month.projected.map_or(String::new(), |it| {
        format!(", {:.2} USD if it goes on like this", it.usd)
    });
    let budget = month.budget_usd;
    text.line(
        1,
        &format!(
            "this month {:.2} USD{projected}; budget {budget:.2} USD",
            month.so_far.usd
        ),
    )?;
    if 1.0 < month.stretch {
        let line = format!(
            "READ LESS OFTEN for the budget: {:.1} times the usual periods, but for pools with an incident",
            month.stretch
        );
        text.line(1, &line)?;
    }
    Ok(())
}

/// The table of use against quota; kinds that do not limit a pool are only counted.
pub(super) fn write_headroom(text: &mut Text<'_>, rows: &[Headroom]) -> io::Result<()> {
    text.heading("HEADROOM, least first")?;
    let limited: Vec<&Headroom> = rows.iter().filter(|row| row.source != "absent").collect();
    let absent = rows.len() - limited.len();
    none(text, rows.is_empty())?;
    let head = [
        "MODEL", "FAMILY", "WHERE", "QUOTA", "USED", "SEEN", "LIMIT", "SOURCE", "SHARE", "STATE",
    ];
    let mut table = vec![head.map(str::to_owned)];
    table.extend(limited.into_iter().map(cells));
    let sides = [
        Left, Left, Left, Left, Right, Right, Right, Left, Right, Left,
    ];
    if table.len() > 1 {
        text.table(sides, &table)?;
    }
    if absent > 0 {
        let more = format!("{absent} more not limited: the account lists no such quota");
        text.line(1, &more)?;
    }
    Ok(())
}

/// Where admission may hold more than the quota is; `explain` tells it of each pool.
fn write_reserved(text: &mut Text<'_>, rows: &[Headroom]) -> io::Result<()> {
    for row in rows.iter().filter(|row| is_reserved_beyond(row)) {
        if let Some(held) = &row.reserved {
            let (kind, pool) = (row.kind.to_uppercase(), &row.pool);
            let bounds = format!(
                "{kind} of {pool}: with max_tokens reserved, between {} and {} of {} at {}",
                grouped(held.least),
                grouped(held.most),
                number(row.limit),
                clock(&held.at)
            );
            text.line(1, &bounds)?;
        }
    }
    Ok(())
}

/// From this chance of the month on a quota is worth a line.
const WORTH_A_LINE: f64 = 0.05;

/// The quotas that may run out, by the forecast.
fn write_ahead(text: &mut Text<'_>, rows: &[Headroom]) -> io::Result<()> {
    for row in rows {
        let ahead = row.ahead.as_ref();
        if let Some(ahead) = ahead.filter(|it| WORTH_A_LINE <= it.within_month) {
            let (kind, pool) = (row.kind.to_uppercase(), &row.pool);
            let (when, odds) = (expected(ahead), odds(ahead));
            text.line(1, &format!("{kind} of {pool} runs out {when} ({odds})"))?;
        }
    }
    Ok(())
}

/// Whether requests may be refused although use is below the quota: admission may hold more than the quota is.
fn is_reserved_beyond(row: &Headroom) -> bool {
    let most = row.reserved.as_ref().map(|held| held.most);
    most.zip(row.limit)
        .is_some_and(|(most, limit)| limit < most)
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "?".to_owned(), grouped)
}

/// A number of a row, with its unit where that is not plain.
fn amount(row: &Headroom, value: Option<f64>) -> String {
    let usd = value.filter(|_| row.unit == "usd");
    usd.map_or_else(|| number(value), |it| format!("{} USD", grouped(it)))
}

fn cells(row: &Headroom) -> [String; 10] {
    let at_least = if row.used_is_lower_bound { ">= " } else { "" };
    let is_range = row.unit == "usd" && row.limit.is_some();
    let at_most = if is_range { "<= " } else { "" };
    let code = row.quota_code.as_deref().unwrap_or("-");
    [
        row.model.clone(),
        row.family.clone(),
        place(row.account_name.as_deref(), &row.account, &row.region),
        format!("{} {code}", row.kind.to_uppercase()),
        format!("{at_least}{}", amount(row, row.used)),
        row.coverage.map_or_else(|| "?".to_owned(), percent),
        format!("{at_most}{}", amount(row, row.limit)),
        row.source.clone(),
        row.share.map_or_else(|| "?".to_owned(), percent),
        row.state.clone(),
    ]
}

fn write_incident(text: &mut Text<'_>, incident: &IncidentBrief) -> io::Result<()> {
    let open = incident.age_seconds.map_or_else(String::new, |seconds| {
        format!(", open for {}", age(seconds))
    });
    let IncidentBrief {
        id,
        severity,
        title,
        ..
    } = incident;
    text.line(1, &format!("{id}  {severity}{open}"))?;
    text.line(2, title)?;
    text.labelled(2, "why", &incident.reasons)?;
    text.labelled(2, "hint", &incident.hints)?;
    text.labelled(2, "done", &incident.done)?;
    text.labelled(2, "said", said(incident))
}

fn write_silences(text: &mut Text<'_>, status: &Status) -> io::Result<()> {
    if status.silences.is_empty() {
        return Ok(());
    }
    text.heading("SILENCES")?;
    for silence in &status.silences {
        write_silence(text, silence)?;
    }
    left_out(text, &status.left_out, "silences")
}

fn write_waiting(text: &mut Text<'_>, status: &Status) -> io::Result<()> {
    if !status.proposals.is_empty() {
        text.heading("WAITING FOR YOUR APPROVAL")?;
    }
    for action in &status.proposals {
        text.line(1, &format!("{}  {}", action.id, action.what))?;
        text.line(2, &action.detail)?;
        text.labelled(2, "why", &action.reasons)?;
        let commands =
            ["approve", "reject"].map(|verb| format!("bedrock-ops-alert {verb} {}", action.id));
        text.labelled(2, "do", commands)?;
    }
    left_out(text, &status.left_out, "proposals")?;
    if !status.held.is_empty() {
        text.heading("GIVEN UP, AND IN NEED OF A PERSON")?;
    }
    for Action {
        id, what, detail, ..
    } in &status.held
    {
        text.line(1, &format!("{id}  {what}"))?;
        text.line(2, detail)?;
        let commands = [
            format!("bedrock-ops-alert approve {id}   (tries once more)"),
            format!("bedrock-ops-alert reject {id}   (settles it)"),
        ];
        text.labelled(2, "do", commands)?;
    }
    left_out(text, &status.left_out, "held")
}

fn write_desk(text: &mut Text<'_>, status: &Status) -> io::Result<()> {
    text.heading("ON AWS'S DESK")?;
    none(text, status.asks.is_empty() && status.cases.is_empty())?;
    for ask in &status.asks {
        text.line(1, &ask_line(ask))?;
    }
    for case in &status.cases {
        text.line(1, &case_line(case))?;
    }
    left_out(text, &status.left_out, "asks")?;
    left_out(text, &status.left_out, "cases")
}

/// A quota request in one line.
pub(super) fn ask_line(ask: &Ask) -> String {
    let outcome = match (&ask.end, ask.granted) {
        (Some(end), Some(value)) => format!("{} {}", end.replace('-', " "), grouped(value)),
        (Some(end), None) => end.clone(),
        (None, _) => ask.status.to_lowercase().replace('_', " "),
    };
    let filed = ask.age_seconds.map_or_else(String::new, |seconds| {
        format!(", filed {} ago", age(seconds))
    });
    let case = ask
        .display_id
        .as_ref()
        .map_or_else(String::new, |id| format!(", case {id}"));
    format!(
        "request {}: {} {} from {} to {} in {} {}: {outcome}{filed}{case}{}",
        ask.request,
        ask.kind.to_uppercase(),
        ask.quota_code,
        grouped(ask.before),
        grouped(ask.desired),
        ask.account,
        ask.region,
        awaits(ask.awaits_us)
    )
}

/// A support case in one line.
pub(super) fn case_line(case: &Case) -> String {
    let opened = case.age_seconds.map_or_else(String::new, |seconds| {
        format!(", opened {} ago", age(seconds))
    });
    format!(
        "support case {} {} in {} {}: {}{opened}{}",
        case.display_id.as_deref().unwrap_or(&case.case),
        case.marker,
        case.account,
        case.region,
        case.status,
        awaits(case.awaits_us)
    )
}

const fn awaits(awaits_us: bool) -> &'static str {
    if awaits_us {
        " - AWS WAITS FOR YOUR ANSWER"
    } else {
        ""
    }
}

fn write_ended(text: &mut Text<'_>, status: &Status) -> io::Result<()> {
    text.heading("ENDED LATELY")?;
    none(text, status.ended.is_empty())?;
    for incident in &status.ended {
        let ended = incident.age_seconds.map_or_else(String::new, |seconds| {
            format!(", ended {} ago", age(seconds))
        });
        let IncidentBrief {
            id,
            severity,
            title,
            ..
        } = incident;
        text.line(1, &format!("{id}  {severity}{ended}: {title}"))?;
    }
    left_out(text, &status.left_out, "ended")
}

fn none(text: &mut Text<'_>, is_empty: bool) -> io::Result<()> {
    if is_empty {
        text.line(1, "none")?;
    }
    Ok(())
}

/// Says how many rows a list left out.
pub(super) fn left_out(
    text: &mut Text<'_>,
    left_out: &BTreeMap<String, usize>,
    list: &str,
) -> io::Result<()> {
    match left_out.get(list) {
        Some(more) => text.line(1, &format!("... and {more} more, left out for the bound")),
        None => Ok(()),
    }
}
