//! `drill`: who took which message, and how long that took, a line each.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use super::{
    Overrides,
    args::DrillArgs,
    block_on,
    ended::ended,
    exit::{self, Exit},
    load_here, notify,
    output::Output,
    text::Text,
    unwritten,
};
use crate::{
    app::{
        self,
        drill::{Report, Told, Wishes},
    },
    model::{
        outcome::Outcome,
        receiver::Phase,
        rule::{Category, Severity},
    },
};

pub(super) fn drill(args: DrillArgs) -> Result<ExitCode, Exit> {
    let settings = load_here(Overrides::of_file(args.config))?;
    notify::check(&settings, None).map_err(|error| {
        let help = error.help(&settings);
        Exit::new(exit::CONFIG, &error, &help)
    })?;
    let wishes = Wishes {
        severity: args.severity,
        category: args.category,
        pool: args.pool,
    };
    let report = block_on(app::drill::drill(&settings, &wishes))?;
    let report = report.map_err(|error| ended(&error))?;
    let all = write(&report, &wishes, &mut Output::new()).map_err(|error| unwritten(&error))?;
    Ok(if all {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::FAILED)
    })
}

/// Writes the report; whether everybody who was told took it, and somebody was.
///
/// # Errors
/// When the output can't be written.
pub(super) fn write(report: &Report, wishes: &Wishes, out: &mut dyn Write) -> io::Result<bool> {
    let mut text = Text::new(out);
    let (severity, category) = (wishes.severity.name(), wishes.category.name());
    let what = format!("drill: {severity}, {category}, {}", report.pool);
    text.line(0, &what)?;
    for it in &report.told {
        text.line(0, &line(it))?;
    }
    if report.told.is_empty() {
        text.line(0, "nobody hears of this: no route leads anywhere")?;
    }
    for (name, kind) in &report.unheard {
        text.line(
            0,
            &format!("{name} ({kind}) hears nothing of this: no route leads there"),
        )?;
    }
    let is_done = |it: &Told| matches!(it.outcome, Outcome::Done { .. });
    Ok(!report.told.is_empty() && report.told.iter().all(is_done))
}

fn line(it: &Told) -> String {
    let what = match it.phase {
        Phase::Resolved => "the end",
        Phase::Opened | Phase::Updated | Phase::Acknowledged | Phase::Past | Phase::Note => {
            "the opening"
        }
    };
    let seconds = format!("{:.1} s", it.took.as_secs_f64());
    let said = match &it.outcome {
        Outcome::Done { reference } => format!("took {what} in {seconds} ({reference})"),
        Outcome::NotYet { why, .. } | Outcome::Refused { why, .. } | Outcome::Never { why } => {
            format!("did not take {what}, after {seconds}: {why}")
        }
        Outcome::InDoubt { why } | Outcome::CouldNotLook { why } => {
            format!("gave no clear answer to {what}, after {seconds}: {why}")
        }
        Outcome::Theirs { .. } | Outcome::Absent => format!("gave no answer to {what}"),
    };
    let instead = if it.is_fallback { ", as fallback," } else { "" };
    format!("{} ({}){instead} {said}", it.receiver, it.kind)
}

/// As on the command line.
pub(super) fn severity(text: &str) -> Result<Severity, String> {
    let all = Severity::ALL.map(Severity::name);
    let found = Severity::ALL.into_iter().find(|it| it.name() == text);
    found.ok_or_else(|| format!("one of {}", all.join(", ")))
}

/// As on the command line.
pub(super) fn category(text: &str) -> Result<Category, String> {
    let all = Category::ALL.map(Category::name);
    let found = Category::ALL.into_iter().find(|it| it.name() == text);
    found.ok_or_else(|| format!("one of {}", all.join(", ")))
}
