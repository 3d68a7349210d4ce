//! Planned events, `[[event]]`: windows that are neither judged nor learned, and growth.

use super::{
    fault::Wrong,
    sheet::{Entry, Section, Sheet},
    values,
};
use crate::model::{
    calendar::{Calendar, Growth, WEEK, When, Whose, Window, WindowKind},
    policy::Account,
    time::{DAY, HOUR, Minute, Timestamp},
};

/// Each minute of each pool is held against all of them.
const MOST_EVENTS: usize = 200;
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// An event that makes more of demand than this, or less, is a slip of the pen.
const FACTORS: std::ops::RangeInclusive<f64> = 0.05..=20.0;

/// All `[[event]]` tables.
pub(super) fn read_all(
    sheet: &mut Sheet,
    root: &mut Section<'_>,
    accounts: &[Account],
) -> Calendar {
    let mut calendar = Calendar::default();
    let Some(entry) = root.take("event") else {
        return calendar;
    };
    let tables = sheet.tables(&entry);
    if MOST_EVENTS < tables.len() {
        let wrong = Wrong::new(
            format!(
                "there are {} events, at most {MOST_EVENTS} are taken",
                tables.len()
            ),
            "too many",
            "take out what is over; a window that comes again is one event with `every`",
        );
        sheet.wrong(&entry, wrong);
    }
    let mut names = Vec::new();
    for mut table in tables {
        let name = name(sheet, &mut table, &mut names);
        read(sheet, table, name, accounts, &mut calendar);
    }
    calendar
}

/// The event's name, which no other event has.
fn name(sheet: &mut Sheet, table: &mut Section<'_>, names: &mut Vec<String>) -> Option<String> {
    let entry = table.take("name");
    let name = entry
        .as_ref()
        .and_then(|it| sheet.parsed(it, values::words));
    let name = sheet.require(table, "name", "\"Spring sale\"", name)?;
    if let Some(entry) = entry
        && names.contains(&name)
    {
        let wrong = Wrong::new(
            format!("an event named \"{name}\" exists already"),
            "the second of this name",
            "give it another name: reasons name the event",
        );
        sheet.wrong(&entry, wrong);
    }
    names.push(name.clone());
    Some(name)
}

fn read(
    sheet: &mut Sheet,
    mut table: Section<'_>,
    name: Option<String>,
    accounts: &[Account],
    calendar: &mut Calendar,
) {
    let whose = whose(sheet, &mut table, accounts);
    let (kind, growth) = (table.take("kind"), table.take("growth"));
    match (kind, growth) {
        (Some(kind), None) => {
            let kinds = WindowKind::ALL.map(|it| (it.name(), it));
            let kind = sheet.choice(&kind, &kinds);
            let when = when(sheet, &mut table);
            if let (Some(name), Some(kind), Some(when)) = (name, kind, when) {
                calendar.windows.push(Window {
                    name,
                    kind,
                    when,
                    whose,
                });
            }
        }
        (None, Some(growth)) => {
            let factor = sheet.parsed(&growth, factor);
            let from = instant(sheet, &mut table, "from");
            let from = sheet.require(&table, "from", "\"2026-12-01\"", from);
            let until = end(sheet, &mut table, from);
            if let (Some(name), Some(factor), Some(from)) = (name, factor, from) {
                calendar.growths.push(Growth {
                    name,
                    from,
                    until,
                    factor,
                    whose,
                });
            }
        }
        (kind, _) => {
            for key in ["from", "until", "every", "lasts"] {
                table.take(key); // not what is wrong here
            }
            let wrong = Wrong::new(
                "an event has either a `kind` or a `growth`",
                if kind.is_some() {
                    "this one has both"
                } else {
                    "this one has neither"
                },
                "kind = \"maintenance\" or \"expected-traffic\" is not judged; growth = \"+40 %\" is forecast",
            );
            let span = kind.map_or(table.span.clone(), |it| it.span());
            sheet.fault(span, "event", wrong);
        }
    }
    table.finish(sheet);
}

fn whose(sheet: &mut Sheet, table: &mut Section<'_>, accounts: &[Account]) -> Whose {
    let mut list = |key| table.take(key);
    let (own, regions, models) = (list("accounts"), list("regions"), list("models"));
    let known = |text: &str| {
        let id = values::account(text)?;
        if accounts.is_empty() || accounts.iter().any(|it| it.id == id) {
            return Ok(id);
        }
        Err(Wrong::new(
            format!("account {id} is not watched"),
            "no [[account]] has this id",
            "add the account, or take it out here: the event would be without effect",
        ))
    };
    Whose {
        accounts: own.map_or_else(Vec::new, |it| listed(sheet, &it, known)),
        regions: regions.map_or_else(Vec::new, |it| listed(sheet, &it, values::region)),
        models: models.map_or_else(Vec::new, |it| listed(sheet, &it, model)),
    }
}

/// An empty list would mean any, which nobody means who writes one.
fn listed<T>(
    sheet: &mut Sheet,
    entry: &Entry<'_>,
    parse: impl Fn(&str) -> Result<T, Wrong>,
) -> Vec<T> {
    let before = sheet.faults.len();
    let list = sheet.list(entry, parse);
    if list.is_empty() && sheet.faults.len() == before {
        let wrong = Wrong::new("the list is empty", "none", "leave the key out for any");
        sheet.wrong(entry, wrong);
    }
    list
}

fn model(text: &str) -> Result<String, Wrong> {
    let (body, star) = text.split_at(text.find('*').unwrap_or(text.len()));
    let is_fine = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/".contains(&b);
    if !text.is_empty() && body.bytes().all(is_fine) && star.len() <= 1 {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        "must be a base model id, or the beginning of one and a *",
        "no such id",
        "such as \"anthropic.claude-sonnet-4-6\" or \"anthropic.claude-*\", without `us.` or `global.`",
    ))
}

/// `from` and `until`, or `every` and `lasts`.
fn when(sheet: &mut Sheet, table: &mut Section<'_>) -> Option<When> {
    let every = table.take("every");
    let Some(every) = every else {
        let from = instant(sheet, table, "from");
        let from = sheet.require(table, "from", "\"2026-12-01T09:00:00Z\"", from);
        let until = end(sheet, table, from);
        // A window without an end would switch alerts off for good, unnoticed.
        let until = sheet.require(table, "until", "\"2026-12-01T17:00:00Z\"", until);
        return Some(When::Once {
            from: from?,
            until: until?,
        });
    };
    let start = sheet.parsed(&every, weekly);
    let lasts = table
        .take("lasts")
        .and_then(|it| sheet.parsed(&it, less_than_a_week));
    let lasts = sheet.require(table, "lasts", "\"2h\"", lasts);
    Some(When::Weekly {
        start: start?,
        lasts: lasts?,
    })
}

fn instant(sheet: &mut Sheet, table: &mut Section<'_>, key: &'static str) -> Option<Minute> {
    let entry = table.take(key)?;
    sheet.parsed(&entry, minute)
}

/// `until`, which must lie behind `from`.
fn end(sheet: &mut Sheet, table: &mut Section<'_>, from: Option<Minute>) -> Option<Minute> {
    let entry = table.take("until")?;
    let until = sheet.parsed(&entry, minute)?;
    if let Some(from) = from
        && until <= from
    {
        let wrong = Wrong::new(
            format!("must be later than `from`, which is {from}"),
            "it would end before it begins",
            "the end itself is not part of it",
        );
        sheet.wrong(&entry, wrong);
    }
    Some(until)
}

fn minute(text: &str) -> Result<Minute, Wrong> {
    let is_date = text.len() == "2026-12-01".len();
    let written = if is_date {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    let parsed: Result<Timestamp, _> = written.parse();
    parsed.map(Minute::of).map_err(|_| {
        Wrong::new(
            "must be an instant with its offset from UTC, or a date",
            "no instant",
            "such as \"2026-12-01T09:00:00+01:00\", \"2026-12-01T08:00:00Z\", or \"2026-12-01\" for 00:00 UTC",
        )
    })
}

/// `Sun 02:00`, in UTC: minutes since Monday 00:00.
pub(super) fn weekly(text: &str) -> Result<i64, Wrong> {
    let wrong = || {
        Wrong::new(
            "must be a day of the week and a time in UTC",
            "such as \"Sun 02:00\"",
            "days are Mon, Tue, Wed, Thu, Fri, Sat, Sun; the time is UTC all year round",
        )
    };
    let (day, time) = text.split_once(' ').ok_or_else(wrong)?;
    let (hour, minute) = time.split_once(':').ok_or_else(wrong)?;
    let days = (0_i64..).zip(WEEKDAYS);
    let day = days.into_iter().find(|(_, name)| *name == day);
    let (day, _) = day.ok_or_else(wrong)?;
    let number = |text: &str, most: i64| {
        let is_digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        let number = text
            .parse::<i64>()
            .ok()
            .filter(|it| is_digits && *it < most);
        number.ok_or_else(wrong)
    };
    Ok(day * DAY + number(hour, 24)? * HOUR + number(minute, HOUR)?)
}

fn less_than_a_week(text: &str) -> Result<i64, Wrong> {
    let minutes = values::minutes(text)?;
    if minutes < WEEK {
        return Ok(minutes);
    }
    Err(Wrong::new(
        "must be less than a week",
        "it would never end",
        "to stop judging altogether, switch the rules off: [rule.NAME] enabled = false",
    ))
}

/// `+40 %` is 1.4, `-20 %` is 0.8.
fn factor(text: &str) -> Result<f64, Wrong> {
    let help = "such as \"+40 %\" or \"-20 %\"";
    let text = text.trim();
    let number = text.strip_suffix('%').map(str::trim);
    let is_signed = text.starts_with(['+', '-']);
    let percent = number.and_then(|it| it.parse::<f64>().ok());
    let (Some(percent), true) = (percent, is_signed) else {
        return Err(Wrong::new(
            "must be a change in percent with its sign",
            "no change",
            help,
        ));
    };
    let factor = 1.0 + percent / 100.0;
    if FACTORS.contains(&factor) {
        return Ok(factor);
    }
    Err(Wrong::new(
        "must be from -95 % to +1900 %",
        "out of range",
        help,
    ))
}

/// Name and effect of each event, for `check --show`.
pub(super) fn shown(calendar: &Calendar) -> Vec<(&str, String)> {
    let windows = calendar.windows.iter().map(|it| {
        let when = match it.when {
            When::Once { from, until } => format!("{from} to {until}"),
            When::Weekly { start, lasts } => {
                let day = usize::try_from(start / DAY).ok();
                let day = day.and_then(|day| WEEKDAYS.get(day)).unwrap_or(&"");
                let (hour, minute) = (start % DAY / HOUR, start % HOUR);
                format!("each {day} {hour:02}:{minute:02} UTC for {lasts} minutes")
            }
        };
        let what = format!("{}, {when}, {}", it.kind.name(), shown_whose(&it.whose));
        (it.name.as_str(), what)
    });
    let growths = calendar.growths.iter().map(|it| {
        let end = it
            .until
            .map_or_else(String::new, |until| format!(" to {until}"));
        let what = format!(
            "growth x {:.2}, from {}{end}, {}",
            it.factor,
            it.from,
            shown_whose(&it.whose)
        );
        (it.name.as_str(), what)
    });
    windows.chain(growths).collect()
}

fn shown_whose(whose: &Whose) -> String {
    let accounts = whose.accounts.iter().map(|it| it.as_str());
    let regions = whose.regions.iter().map(|it| it.as_str());
    let models = whose.models.iter().map(String::as_str);
    let all: Vec<&str> = accounts.chain(regions).chain(models).collect();
    if all.is_empty() {
        "all pools".to_owned()
    } else {
        all.join(" ")
    }
}

#[cfg(test)]
mod tests;
