//! How numbers, times and levels are said, on the page and in the commands. Everything returned is inert.

use crate::{
    model::{time::Timestamp, units::grouped},
    web::{
        inert::inert,
        json::{Ahead, BandRecord, IncidentBrief, Level, WarningRecord},
    },
};

/// Symbol and word of a level.
#[must_use]
pub const fn level(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::Ok => ("●", "OK"),
        Level::Attention => ("◆", "Attention"),
        Level::Warning => ("▲", "Warning"),
        Level::Critical => ("■", "Critical"),
        Level::Stale => ("◌", "Stale"),
        Level::Starting => ("◌", "Starting"),
    }
}

/// Beside from when to when an incident was bad: how much of that, where it came back.
#[must_use]
pub fn in_stretches(incident: &IncidentBrief) -> String {
    match incident.stretches {
        ..2 => String::new(),
        stretches => format!(
            ", {} minutes in {stretches} stretches",
            incident.bad_minutes
        ),
    }
}

/// Whole seconds as people say them: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`.
#[must_use]
pub fn age(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{minutes} min"),
        3_600..86_400 => match minutes % 60 {
            0 => format!("{hours} h"),
            rest => format!("{hours} h {rest} min"),
        },
        _ => match hours % 24 {
            0 => format!("{days} d"),
            rest => format!("{days} d {rest} h"),
        },
    }
}

/// An RFC 3339 instant as people read it; what can't be read stays as it is.
#[must_use]
pub fn clock(at: &str) -> String {
    at.parse::<Timestamp>().map_or_else(
        |_| inert(at),
        |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}

/// Account and Region, with the account's name where there is one.
#[must_use]
pub fn place(name: Option<&str>, account: &str, region: &str) -> String {
    let (account, region) = (inert(account), inert(region));
    name.map_or_else(
        || format!("{account} {region}"),
        |name| format!("{} ({account}) {region}", inert(name)),
    )
}

/// `87 %`, one decimal below ten: a small share is not nothing.
#[must_use]
pub fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if 0.0 < percent && percent < 0.1 {
        return "< 0.1 %".to_owned();
    }
    if 0.0 < percent && percent < 9.95 {
        return format!("{percent:.1} %");
    }
    format!("{} %", grouped(percent))
}

/// When a quota is exhausted by the forecast, in two or three words.
#[must_use]
pub fn expected(ahead: &Ahead) -> String {
    match (ahead.p10_minutes, ahead.p50_minutes) {
        (_, Some(p50)) => format!("in {}", span(p50)),
        (Some(p10), None) => format!("hardly before {}", span(p10)),
        (None, None) => "not within 30 d".to_owned(),
    }
}

/// How sure that is: the range that holds eight of ten, and the chance of the next day and week.
#[must_use]
pub fn odds(ahead: &Ahead) -> String {
    let (day, week) = (percent(ahead.within_day), percent(ahead.within_week));
    let chances = format!("{day} in 24 h, {week} in 7 d");
    match (ahead.p10_minutes, ahead.p50_minutes, ahead.p90_minutes) {
        (Some(p10), Some(_), Some(p90)) => format!("{} to {}; {chances}", span(p10), span(p90)),
        (Some(p10), Some(_), None) => format!("{} to over 30 d; {chances}", span(p10)),
        _ => chances,
    }
}

/// How the bands of the forecasts did; `None` while nothing was compared.
#[must_use]
pub fn held(bands: &[BandRecord]) -> Option<String> {
    let ahead = |hours: i64| match hours {
        1 => "an hour".to_owned(),
        24 => "a day".to_owned(),
        168 => "a week".to_owned(),
        _ => format!("{hours} h"),
    };
    let known = bands.iter().filter_map(|it| {
        let share = percent(it.inside?);
        Some(format!(
            "{} ahead {share} of {}",
            ahead(it.hours_ahead),
            grouped(it.compared)
        ))
    });
    let known: Vec<String> = known.collect();
    (!known.is_empty()).then(|| {
        format!(
            "forecasts inside the band that is to hold 80 %: {}",
            known.join(", ")
        )
    })
}

/// What the warnings came to; `None` while there were none and nothing was missed.
#[must_use]
pub fn warned(warnings: &WarningRecord) -> Option<String> {
    let mut said = Vec::new();
    if 0 < warnings.right {
        let lead = warnings.lead_minutes.map_or(String::new(), |lead| {
            format!(" ({} ahead by the median)", span(lead))
        });
        said.push(format!("{} came true{lead}", warnings.right));
    }
    if 0 < warnings.wrong {
        said.push(format!("{} did not", warnings.wrong));
    }
    if 0 < warnings.moot {
        said.push(format!("{} overtaken by a new quota", warnings.moot));
    }
    match warnings.missed {
        0 => {}
        1 => said.push("1 exhaustion came without one".to_owned()),
        missed => said.push(format!("{missed} exhaustions came without one")),
    }
    (!said.is_empty()).then(|| format!("warnings: {}", said.join(", ")))
}

/// What people said of an incident and what is held back of it, a line each.
#[must_use]
pub fn said(incident: &IncidentBrief) -> Vec<String> {
    let mut lines: Vec<String> = incident
        .silences
        .iter()
        .map(|it| {
            let until = clock(&it.until);
            format!(
                "silenced by {} until {until}: {} ({})",
                it.by, it.reason, it.id
            )
        })
        .collect();
    if let Some(held) = &incident.held_back {
        let (by, since) = (held.by.join(", "), clock(&held.since));
        match held.why.as_str() {
            "inhibited" => lines.push(format!("told as a part of {by} since {since}")),
            _ if lines.is_empty() => lines.push(format!("held back by {by} since {since}")),
            _ => {}
        }
    }
    if let Some(ack) = &incident.acknowledged {
        let note = ack
            .note
            .as_deref()
            .map_or_else(String::new, |it| format!(": {it}"));
        let at = clock(&ack.at);
        lines.push(match &ack.until {
            None => format!("acknowledged by {} at {at}{note}", ack.by),
            Some(until) => format!("snoozed by {} until {}{note}", ack.by, clock(until)),
        });
    }
    if 0 < incident.returns {
        let told = incident
            .end_told_at
            .as_deref()
            .map_or_else(String::new, |at| {
                format!(
                    "; that it is over is told at {} unless it comes back",
                    clock(at)
                )
            });
        let times = match incident.returns {
            1 => "once".to_owned(),
            more => format!("{more} times"),
        };
        lines.push(format!("came back {times}{told}"));
    }
    lines
}

/// Minutes, as roughly as they are known.
fn span(minutes: i64) -> String {
    match minutes {
        ..120 => "1 h".to_owned(),
        120..2_880 => format!("{} h", minutes / 60),
        _ => format!("{} d", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_shares_read_as_people_say_them() {
        let said: Vec<String> = [0, 59, 60, 3_599, 3_600, 11_100, 86_400, 187_200]
            .map(age)
            .into();
        let expected = [
            "0 s",
            "59 s",
            "1 min",
            "59 min",
            "1 h",
            "3 h 5 min",
            "1 d",
            "2 d 4 h",
        ];
        assert_eq!(said, expected);
        let shares: Vec<String> = [0.0, 0.0001, 0.05, 0.0994, 0.0996, 0.87, 12.3]
            .map(percent)
            .into();
        let expected = [
            "0 %", "< 0.1 %", "5.0 %", "9.9 %", "10 %", "87 %", "1,230 %",
        ];
        assert_eq!(shares, expected);
    }
}
