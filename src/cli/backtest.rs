//! `backtest`: what the rules would have done over what was measured. Nothing is told, filed or written.

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
};

use super::{
    args::BacktestArgs,
    exit::{self, Exit},
    remote::Format,
    text::Text,
};
use crate::{
    backtest::{
        found::{Asked, Close, Found, FoundIncident, FoundMinute, backtest},
        score, source,
        source::Source,
        table,
    },
    model::{
        catalog::{Family, PoolId},
        ids::{AccountId, ModelId, ReceiverName, Region, Scope},
        incident::Incident,
        policy::{Policy, Route, Settings},
        rule::Severity,
        time::{HOUR, Minute, Timestamp},
        units::{Amount, QuotaKind, grouped},
    },
    store,
    web::words::clock,
};

/// Minutes shown on either side of an incident.
const AROUND: i64 = 30;

/// Replays what the arguments name, by the rules of these settings.
///
/// # Errors
/// What can't be read, with the exit code that fits.
pub(super) fn run(args: &BacktestArgs, settings: &Settings) -> Result<Found, Exit> {
    let start = args
        .start
        .as_deref()
        .map_or(Ok(Timestamp::UNIX_EPOCH), instant)?;
    let labels = match &args.labels {
        None => Vec::new(),
        Some(path) => score::labels(open(path)?, start).map_err(|what| bad(path, &what))?,
    };
    let time = |text: &Option<String>| {
        let time = text.as_deref().map(|it| table::minute(it, start));
        time.transpose()
            .map_err(|what| Exit::rendered(exit::USAGE, format!("error: {what}")))
    };
    let (from, until) = (time(&args.from)?, time(&args.until)?);
    let source = source(args, settings, start, from)?;
    let from = from.unwrap_or(source.first);
    let until = until.unwrap_or(source.end);
    if source.past.book.pools.is_empty() || until <= from {
        return Err(Exit::rendered(
            exit::USAGE,
            format!(
                "error: there is nothing to judge from {} to {}\n  help: measured are the minutes from {} to {}",
                from, until, source.first, source.end
            ),
        ));
    }
    let mut asked = Asked {
        from,
        until,
        close: None,
        labels,
    };
    let policy = policy(args, settings);
    asked.close = close(args, &source, (from, until), &asked, settings, &policy)?;
    Ok(backtest(source, &settings.rules, &policy, &asked))
}

/// As if it may file by itself, unless it is said otherwise; and somebody hears everything, if nobody is configured.
fn policy(args: &BacktestArgs, settings: &Settings) -> Policy {
    let mut policy = settings.policy.clone();
    policy.mode = args.mode.into();
    if policy.routes.is_empty() {
        policy.routes.push(Route {
            receiver: ReceiverName::new("everybody"),
            least: Severity::Info,
        });
    }
    policy
}

fn source(
    args: &BacktestArgs,
    settings: &Settings,
    start: Timestamp,
    from: Option<Minute>,
) -> Result<Source, Exit> {
    if args.csv.is_empty() {
        let path = args.state.as_ref().unwrap_or(&settings.store_path);
        return of_store(path, from);
    }
    let mut source = table::empty();
    for path in &args.csv {
        let file = path.display().to_string();
        let how = table::Reading {
            file: &file,
            pool: pool_of(path),
            start,
            quotas: &args.quota,
        };
        table::read(open(path)?, &how, &mut source)
            .map_err(|error| Exit::new(exit::USAGE, &error, "docs/rules.md has the columns"))?;
    }
    Ok(source)
}

fn of_store(path: &Path, from: Option<Minute>) -> Result<Source, Exit> {
    let failed = |error: &store::StoreError| {
        let help = if matches!(error, store::StoreError::InUse { .. }) {
            "the service holds its store for itself: stop it for the moment of a copy (`cp -r`), and give the copy with --state"
        } else {
            error.help()
        };
        Exit::new(error.exit_code(), error, help)
    };
    let ledger = store::open_existing(path).map_err(|error| failed(&error))?;
    let history = ledger.history().map_err(|error| failed(&error))?;
    let book = store::Ledger::load(&ledger).map_err(|error| failed(&error))?;
    source::of_store(book, &history, from).map_err(|error| failed(&error))
}

/// A table without a column `pool` is of one pool, named after its file.
fn pool_of(path: &Path) -> PoolId {
    let name = path.file_name().map(|it| it.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    PoolId {
        scope: Scope {
            account: AccountId::new("000000000000"),
            region: Region::new("us-east-1"),
        },
        family: Family::Geo,
        model: ModelId::new(stem),
    }
}

fn open(path: &Path) -> Result<Box<dyn Read>, Exit> {
    let file = fs::File::open(path).map_err(|error| bad(path, &error.to_string()))?;
    let is_packed = path.extension().is_some_and(|it| it == "gz");
    let file = io::BufReader::new(file);
    Ok(if is_packed {
        Box::new(flate2::read::GzDecoder::new(file))
    } else {
        Box::new(file)
    })
}

fn bad(path: &Path, what: &str) -> Exit {
    Exit::rendered(exit::USAGE, format!("error: {}: {what}", path.display()))
}

fn instant(text: &str) -> Result<Timestamp, Exit> {
    text.parse().map_err(|_| {
        let text = format!("error: `{text}` is no instant: write 2026-01-05T00:00:00Z");
        Exit::rendered(exit::USAGE, text)
    })
}

/// The minutes to show one by one: those of an incident, of the service or of this backtest, or those that are named.
fn close(
    args: &BacktestArgs,
    source: &Source,
    (from, until): (Minute, Minute),
    asked: &Asked,
    settings: &Settings,
    policy: &Policy,
) -> Result<Option<Close>, Exit> {
    if let Some(name) = &args.pool {
        let pool = table::pool_id(name)
            .map_err(|what| Exit::rendered(exit::USAGE, format!("error: {what}")))?;
        if !source.past.book.pools.contains_key(&pool) {
            let known: Vec<String> = source
                .past
                .book
                .pools
                .keys()
                .map(ToString::to_string)
                .collect();
            let text = format!(
                "error: nothing was measured of {pool}\n  help: pools: {}",
                known.join(", ")
            );
            return Err(Exit::rendered(exit::USAGE, text));
        }
        let pools = [pool].into();
        return Ok(Some(Close { pools, from, until }));
    }
    let Some(id) = &args.incident else {
        return Ok(None);
    };
    if let Some(it) = source.incidents.iter().find(|it| it.id.as_str() == id) {
        return Ok(Some(around(it, until)));
    }
    // Not one that the service had: one that this very backtest finds.
    let again = Source {
        past: source.past.clone(),
        first: source.first,
        end: source.end,
        incidents: Vec::new(),
    };
    let found = backtest(again, &settings.rules, policy, asked);
    let it = found.incidents.iter().find(|it| it.id == *id);
    let it = it.ok_or_else(|| {
        let text = format!(
            "error: no incident {id}\n  help: `backtest` without --incident lists those it finds"
        );
        Exit::rendered(exit::USAGE, text)
    })?;
    let minute = |text: &str| table::minute(text, Timestamp::UNIX_EPOCH);
    let range = minute(&it.began).and_then(|began| {
        let ended = it.ended.as_deref().map_or(Ok(until), minute)?;
        Ok((began, ended))
    });
    let pools: Result<_, String> = it.pools.iter().map(|it| table::pool_id(it)).collect();
    match (range, pools) {
        (Ok((began, ended)), Ok(pools)) => Ok(Some(Close {
            pools,
            from: began.plus(-AROUND),
            until: ended.plus(AROUND),
        })),
        (Err(what), _) | (_, Err(what)) => {
            Err(Exit::rendered(exit::FAILED, format!("error: {what}")))
        }
    }
}

fn around(it: &Incident, until: Minute) -> Close {
    let ended = it.resolved.map_or(until, Minute::of);
    Close {
        pools: it.pools.clone(),
        from: it.began.plus(-AROUND),
        until: ended.plus(AROUND),
    }
}

/// Writes what was found.
///
/// # Errors
/// When the output can't be written.
pub(super) fn write(found: &Found, format: Format, out: &mut dyn Write) -> io::Result<()> {
    if format == Format::Json {
        serde_json::to_writer_pretty(&mut *out, found)?;
        return writeln!(out);
    }
    let mut text = Text::new(out);
    let head = format!(
        "backtest of {} pools, {} to {}",
        found.pools,
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

fn lasting(minutes: i64) -> String {
    match minutes {
        0..HOUR => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / HOUR, minutes % HOUR),
    }
}

/// `tpm=266000`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn quota(text: &str) -> Result<(QuotaKind, Amount), String> {
    let wrong = || {
        format!(
            "`{text}` is no quota: write tpm=266000, the kind one of rpm, tpm, tpd, input_tpm, output_tpm"
        )
    };
    let (kind, value) = text.split_once('=').ok_or_else(wrong)?;
    let kind = QuotaKind::ALL
        .into_iter()
        .find(|it| it.name() == kind)
        .ok_or_else(wrong)?;
    let value = value
        .replace('_', "")
        .parse()
        .ok()
        .and_then(Amount::new)
        .ok_or_else(wrong)?;
    Ok((kind, value))
}

#[cfg(test)]
mod tests;
