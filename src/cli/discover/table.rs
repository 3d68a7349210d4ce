//! The same for people: a table a Region, and the reasons of what is not certain.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use super::document::{Document, Pool, Quota, Target};
use crate::{
    cli::text::{
        Paint,
        Side::{Left, Right},
        Text,
    },
    model::units::grouped,
};

const HEAD: [&str; 6] = ["MODEL", "FAMILY", "QUOTA", "CODE", "LIMIT", "STATE"];
/// Targets of a pool that are named; the rest is counted.
const MOST_TARGETS: usize = 3;

pub(super) fn write(document: &Document, is_coloured: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Text::new(out);
    if is_coloured {
        text = text.coloured();
    }
    for account in &document.accounts {
        let place = match &account.account {
            Some(id) => format!("{id} {}", account.region),
            None => account.region.clone(),
        };
        let here = |it: &&Pool| it.account == account.account && it.region == account.region;
        let pools: Vec<&Pool> = document.pools.iter().filter(here).collect();
        let count = match pools.len() {
            1 => "1 pool".to_owned(),
            count => format!("{count} pools"),
        };
        text.line(0, &format!("{place}: {count}"))?;
        write_pools(&mut text, &pools)?;
        for (kind, quota) in &account.quotas {
            let code = quota.code.as_deref().unwrap_or("-");
            let line = format!("{kind} {code} {}: {}", limit(quota), quota.why);
            text.line(1, &line)?;
        }
        write_lives(&mut text, &pools)?;
        write_targets(&mut text, &pools)?;
        write_doubts(&mut text, &pools)?;
        text.line(0, "")?;
    }
    for odd in &document.unplaced {
        let line = format!("no pool for `{}` in {}: {}", odd.id, odd.region, odd.why);
        text.painted(Paint::Doubtful, 0, &line)?;
    }
    for fault in &document.faults {
        let line = format!("not read in {}: {}", fault.region, fault.why);
        text.painted(Paint::Bad, 0, &line)?;
    }
    Ok(())
}

fn write_pools(text: &mut Text<'_>, pools: &[&Pool]) -> io::Result<()> {
    if pools.is_empty() {
        return text.line(1, "nothing here has metrics");
    }
    let mut rows = vec![HEAD.map(str::to_owned)];
    let mut paints = vec![Paint::Plain];
    for pool in pools {
        let standard = pool
            .quotas
            .iter()
            .map(|(kind, it)| ((*kind).to_owned(), it));
        let variants = pool.variants.iter().flat_map(|(variant, quotas)| {
            let quotas = quotas.iter();
            quotas.map(move |(kind, it)| (format!("{kind} {variant}"), it))
        });
        for (kind, quota) in standard.chain(variants) {
            paints.push(paint(quota));
            rows.push([
                pool.model.clone(),
                pool.family.clone(),
                kind,
                quota.code.clone().unwrap_or_else(|| "-".to_owned()),
                limit(quota),
                state(quota),
            ]);
        }
    }
    text.painted_table([Left, Left, Left, Left, Right, Left], &rows, &paints)
}

fn state(quota: &Quota) -> String {
    let told = match (quota.state, quota.applied) {
        ("mapped", Some(0.0)) => "blocked: the applied value is 0",
        (state, _) => state,
    };
    match quota.adjustable {
        Some(false) if quota.state == "mapped" => format!("{told}, not adjustable"),
        Some(_) | None => told.to_owned(),
    }
}

fn paint(quota: &Quota) -> Paint {
    match (quota.state, quota.applied) {
        ("mapped", Some(0.0)) => Paint::Bad,
        ("mapped", _) => Paint::Plain,
        ("absent", _) => Paint::Dim,
        (_, _) => Paint::Doubtful,
    }
}

fn limit(quota: &Quota) -> String {
    match (quota.applied, quota.default) {
        (Some(value), _) => grouped(value),
        (None, Some(value)) => format!("{} (default)", grouped(value)),
        (None, None) => "-".to_owned(),
    }
}

fn write_lives(text: &mut Text<'_>, pools: &[&Pool]) -> io::Result<()> {
    let lives = pools.iter().filter_map(|pool| {
        let told = pool.life.as_ref()?.told()?;
        Some(format!("{} is {told}", pool.model))
    });
    let lives: BTreeSet<String> = lives.collect(); // the same for each family
    for line in lives {
        text.painted(Paint::Doubtful, 1, &line)?;
    }
    Ok(())
}

/// What drains each pool, where that is not the model's own id.
fn write_targets(text: &mut Text<'_>, pools: &[&Pool]) -> io::Result<()> {
    for pool in pools {
        let is_own = |it: &Target| it.kind == "base" || it.kind == "mantle";
        if pool.targets.iter().all(is_own) {
            continue;
        }
        let some = pool.targets.iter().take(MOST_TARGETS);
        let some: Vec<String> = some
            .map(|it| {
                let tags = it.tags.iter().flatten();
                let tags = tags.map(|(key, value)| format!("{key} = {value}"));
                let said: Vec<String> = it.name.iter().cloned().chain(tags).collect();
                if said.is_empty() {
                    it.id.clone()
                } else {
                    format!("{} ({})", it.id, said.join(", "))
                }
            })
            .collect();
        let more = match pool.targets.len().saturating_sub(MOST_TARGETS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (model, family) = (&pool.model, &pool.family);
        let line = format!("{model} ({family}) is drained by {}{more}", some.join(", "));
        text.line(1, &line)?;
    }
    Ok(())
}

/// What is not certain, with its reason.
fn write_doubts(text: &mut Text<'_>, pools: &[&Pool]) -> io::Result<()> {
    for pool in pools {
        for (kind, quota) in &pool.quotas {
            if quota.state == "ambiguous" || quota.state == "unknown" {
                let (model, family) = (&pool.model, &pool.family);
                let line = format!(
                    "{kind} of {model} ({family}) is {}: {}",
                    quota.state, quota.why
                );
                text.painted(Paint::Doubtful, 1, &line)?;
            }
        }
    }
    Ok(())
}
