//! `backtest`: what the rules would have done over what was measured. Nothing is told, filed or written.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use super::{
    args::BacktestArgs,
    exit::{self, Exit},
};
use crate::{
    backtest::{
        By,
        difference::{Difference, difference},
        found::{Asked, Close, Found, backtest},
        score, source,
        source::Source,
        table,
    },
    model::{
        catalog::{Family, PoolId},
        ids::{AccountId, ModelId, ReceiverName, Region, Scope},
        incident::Incident,
        policy::{Route, Settings},
        rule::Severity,
        time::{Minute, Timestamp},
        units::{Amount, QuotaKind},
    },
    store,
};

mod difference;
mod page;

pub(super) use difference::write as write_difference;
pub(super) use page::write;

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
    let by = by(args, settings);
    asked.close = close(args, &source, (from, until), &asked, &by)?;
    Ok(backtest(source, by, &asked))
}

/// What these settings do otherwise than the others, over the minutes of what these name.
///
/// # Errors
/// What can't be read, with the exit code that fits.
pub(super) fn against(
    args: &BacktestArgs,
    other: &Settings,
    settings: &Settings,
) -> Result<Difference, Exit> {
    let other = Settings {
        // One and the same past for both.
        store_path: settings.store_path.clone(),
        ..other.clone()
    };
    let before = run(args, &other)?;
    Ok(difference(&before, &run(args, settings)?))
}

/// As if it may file by itself, unless it is said otherwise; and somebody hears everything, if nobody is configured.
fn by(args: &BacktestArgs, settings: &Settings) -> By {
    let mut by = By::from(settings);
    let policy = &mut by.policy;
    policy.mode = args.mode.into();
    if policy.routes.is_empty() {
        let everybody = ReceiverName::new("everybody");
        policy.routes.push(Route::all(everybody, Severity::Info));
    }
    by
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
    by: &By,
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
    let found = backtest(again, by.clone(), asked);
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
