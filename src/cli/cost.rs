//! `cost`: what watching costs, from the running service; `cost --plan`: what it would cost, from a configuration.

use std::{io, io::Write};

use super::{
    remote::{Daemon, Format, RemoteError, write_json},
    text::{
        Side::{Left, Right},
        Text,
    },
};
use crate::{
    app::cost::CostPlan,
    model::units::grouped,
    web::{
        json::{Bill, Money},
        words::clock,
    },
};

/// Writes what the service at `base_url` has spent this month. It answers from its own count, also while AWS does not.
///
/// # Errors
///
/// When no service answers, or the output can't be written.
pub async fn cost(base_url: &str, format: Format, out: &mut dyn Write) -> Result<(), RemoteError> {
    let bill: Bill = Daemon::at(base_url)?.get(&["api", "v1", "cost"]).await?;
    match format {
        Format::Json => write_json(out, &bill),
        Format::Text => Ok(write_bill(&bill, out)?),
    }
}

fn write_bill(bill: &Bill, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Text::new(out);
    text.line(
        0,
        &format!(
            "COST OF {}, counted since {}",
            bill.month,
            clock(&bill.since)
        ),
    )?;
    let share = format!("with {} of the free requests", bill.free_share);
    let rows = [
        ("so far", Some(&bill.so_far)),
        ("this month", bill.projected.as_ref()),
    ];
    let mut table = vec![["", &share, "without them"].map(str::to_owned)];
    table.extend(rows.map(|(what, money)| {
        let cell = |usd: fn(&Money) -> f64| {
            money.map_or("not known yet".to_owned(), |it| dollars(usd(it)))
        };
        [what.to_owned(), cell(|it| it.usd), cell(|it| it.list_usd)]
    }));
    text.table([Left, Right, Right], &table)?;
    let pace = if 1.0 < bill.stretch {
        format!(
            "reads are stretched {:.1} times so that it lasts; pools with an incident are not",
            bill.stretch
        )
    } else {
        "it pays for full cadence".to_owned()
    };
    text.line(1, &format!("budget {}: {pace}", dollars(bill.budget_usd)))?;
    text.heading("BY OPERATION, ACCOUNT AND REGION")?;
    let head = [
        "OPERATION",
        "ACCOUNT",
        "REGION",
        "REQUESTS",
        "METRICS",
        "WITHOUT FREE ONES",
    ];
    let mut table = vec![head.map(str::to_owned)];
    table.extend(bill.rows.iter().map(|row| {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        [
            row.operation.clone(),
            text(&row.account),
            text(&row.region),
            row.requests.to_string(),
            row.metrics.to_string(),
            dollars(row.list_usd),
        ]
    }));
    text.table([Left, Left, Left, Right, Right, Right], &table)?;
    text.line(1, &format!("list prices: {}", bill.prices))
}

/// Writes a plan.
///
/// # Errors
///
/// When the output can't be written.
pub fn write_plan(plan: &CostPlan, format: Format, out: &mut dyn Write) -> Result<(), RemoteError> {
    match format {
        Format::Json => write_json(out, plan),
        Format::Text => Ok(write_plan_text(plan, out)?),
    }
}

fn write_plan_text(plan: &CostPlan, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Text::new(out);
    let watched = plan.watched;
    text.line(
        0,
        &format!(
            "WHAT A MONTH WOULD COST: {}, {}, {}",
            counted(watched.targets, "target"),
            counted(watched.regions, "Region"),
            counted(watched.accounts, "account")
        ),
    )?;
    if 0 < watched.linked_regions {
        let linked = format!(
            "of these, {} in {} read through another account: no request for them is free",
            counted(watched.linked_targets, "target"),
            counted(watched.linked_regions, "Region"),
        );
        text.line(1, &linked)?;
    }
    let head = ["IF ALL ARE", "A MONTH", "A TARGET", "WITHOUT FREE REQUESTS"];
    let mut table = vec![head.map(str::to_owned)];
    table.extend(plan.rows.iter().map(|row| {
        let money = [row.usd, row.usd_a_target, row.list_usd].map(dollars);
        let [month, target, list] = money;
        [row.what.clone(), month, target, list]
    }));
    text.table([Left, Right, Right, Right], &table)?;
    let (quick, full) = plan.hot_minutes;
    text.line(
        1,
        &format!(
            "near a limit, requests, refused requests and charged tokens are {quick} min fresh, the rest {full} min"
        ),
    )?;
    text.line(
        1,
        &format!(
            "the first start reads the past: {}, once",
            dollars(plan.backfill_usd)
        ),
    )?;
    let most = plan.rows.iter().map(|row| row.usd).fold(0.0, f64::max);
    let verdict = if most <= plan.budget_usd {
        "pays for all of these at full cadence"
    } else {
        "slows the reads before it is passed, where these cost more"
    };
    text.line(
        1,
        &format!(
            "the budget of {} a month {verdict}",
            dollars(plan.budget_usd)
        ),
    )?;
    text.line(1, &format!("list prices: {}", plan.prices))
}

fn counted(number: u32, what: &str) -> String {
    let number_text = grouped(f64::from(number));
    let plural = if number == 1 { "" } else { "s" };
    format!("{number_text} {what}{plural}")
}

fn dollars(usd: f64) -> String {
    format!("{usd:.2} USD")
}
