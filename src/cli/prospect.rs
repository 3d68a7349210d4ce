//! `plan` and `ask`: what would be asked of AWS for a pool's quotas, and a person who asks.

use std::io::{self, Write};

use super::{
    remote::{Daemon, Format, RemoteError, write_json},
    text::Text,
};
use crate::{
    model::units::grouped,
    web::{
        inert::inert,
        json::{Asking, Ordered, Plan, Prospect, Used},
        words::clock,
    },
};

/// Writes what would be asked for the quotas of `pool` now; with `words`, what AWS would read, too.
///
/// # Errors
///
/// When no daemon answers at `base_url`, when nothing is called so, or the output can't be written.
pub async fn plan(
    base_url: &str,
    pool: &str,
    words: bool,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    let path = ["api", "v1", "plan", pool];
    let plan: Plan = Daemon::at(base_url)?.get(&path).await?;
    match format {
        Format::Json => write_json(out, &plan)?,
        Format::Text => write_plan(out, &plan, words)?,
    }
    Ok(())
}

/// Has the running daemon ask AWS.
///
/// # Errors
///
/// When no daemon answers, or when it refuses: no such quota, out of bounds, under way, mode observe.
pub async fn ask(
    base_url: &str,
    asking: &Asking,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    let path = ["api", "v1", "asks"];
    let asked: Ordered = Daemon::at(base_url)?.post(&path, asking).await?;
    if format == Format::Json {
        return write_json(out, &asked);
    }
    let (id, what) = (inert(&asked.id), inert(&asked.what));
    writeln!(out, "{id}: {what}")?;
    writeln!(out, "follow it with: bedrock-ops-alert explain {id}")?;
    Ok(())
}

fn write_plan(out: &mut dyn Write, plan: &Plan, words: bool) -> io::Result<()> {
    let mut text = Text::new(out);
    text.line(0, &format!("plan for {}", plan.pool))?;
    let data = plan.now.as_deref().map_or_else(
        || "no cycle yet".to_owned(),
        |now| format!("data as of {}", clock(now)),
    );
    let simulated = if plan.is_simulated {
        ", simulated AWS"
    } else {
        ""
    };
    text.line(0, &format!("({data}{simulated}, mode {})", plan.mode))?;
    if let Some(stop) = &plan.stopped {
        text.line(0, &format!("{stop}."))?;
    }
    for quota in &plan.quotas {
        write_quota(&mut text, plan, quota, words)?;
    }
    Ok(())
}

fn write_quota(text: &mut Text<'_>, plan: &Plan, it: &Prospect, words: bool) -> io::Result<()> {
    let kind = it.kind.to_uppercase();
    let named = match (&it.quota_code, &it.name) {
        (Some(code), Some(name)) => format!("{kind}  {code}  {name}"),
        (Some(code), None) => format!("{kind}  {code}"),
        (None, _) => kind,
    };
    text.heading(&named)?;
    let number = |value: Option<f64>| value.map_or_else(|| "not known".to_owned(), grouped);
    if it.name.is_some() {
        let warned = it.warn_at_percent.map_or_else(
            || ", no rule watches it".to_owned(),
            |percent| format!(", warned of at {percent:.0} %"),
        );
        text.line(
            1,
            &format!(
                "value {}, default {}{warned}",
                number(it.applied),
                number(it.default)
            ),
        )?;
    }
    if let Some(used) = &it.used {
        write_use(text, used)?;
    }
    if let Some(ask) = &it.ask {
        let way = if it.adjustable == Some(false) {
            "a case at AWS Support would ask for"
        } else {
            "a request would ask for"
        };
        let value = grouped(ask.value);
        text.line(1, &format!("{way} {value}: {}", ask.arithmetic))?;
        if let Some(cost) = &ask.cost {
            text.line(1, &format!("{cost}."))?;
        }
    }
    if let Some(why) = &it.why_not {
        text.line(1, &format!("not now: {why}"))?;
    }
    if let (Some(above), Some(most), Some(true)) = (it.above, it.at_most, it.adjustable) {
        text.line(
            1,
            &format!(
                "by hand: more than {} and at most {}, `ask {} NUMBER --quota {} --reason TEXT`",
                grouped(above),
                grouped(most),
                plan.pool,
                it.kind
            ),
        )?;
    }
    if let Some(ask) = it.ask.as_ref().filter(|_| words) {
        text.line(1, "AWS would read:")?;
        ask.words.lines().try_for_each(|line| text.line(2, line))?;
    }
    Ok(())
}

fn write_use(text: &mut Text<'_>, it: &Used) -> io::Result<()> {
    let ahead = it.ahead.map_or_else(String::new, |ahead| {
        format!(
            "; the busiest minutes of the next 7 days at most {}",
            grouped(ahead)
        )
    });
    text.line(
        1,
        &format!(
            "wanted in 14 days: peak {} at {}, p95 of the last day {}, {} refused{ahead} ({:.0} % observed)",
            grouped(it.peak),
            clock(&it.peak_at),
            grouped(it.lately),
            grouped(it.throttled),
            it.coverage_percent
        ),
    )
}
