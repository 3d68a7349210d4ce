//! `GET /api/v1/history/{pool}`: what was measured, for months, and what limited it.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{
    View, Web,
    api::{document, problem},
    json::History,
};
use crate::{
    model::{
        catalog::Family,
        history::Resolution,
        series::Signal,
        time::{DAY, HOUR, Minute, Timestamp},
    },
    runtime::history::Asked,
};

/// The longest answer: a month of minutes, five years of hours.
const MOST_BUCKETS: i64 = 31 * DAY;

/// What is asked for; each has a default.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Range {
    signal: Option<String>,
    resolution: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

/// `GET /api/v1/history/{pool}`.
pub(super) async fn history(
    State(web): State<Arc<Web>>,
    Path(pool): Path<String>,
    Query(range): Query<Range>,
) -> Response {
    let Some(pool) = web.shared.pool_named(&pool) else {
        let why = "no pool is called so: give account/region/family/model, as `status` shows it";
        return problem(StatusCode::NOT_FOUND, why);
    };
    let now = web.with_view(|view| view.now());
    let Some(now) = now else {
        let why = "the first cycle is not done: ask again in a minute";
        return problem(StatusCode::SERVICE_UNAVAILABLE, why);
    };
    let asked = match range.asked(pool, now) {
        Ok(asked) => asked,
        Err(why) => return problem(StatusCode::BAD_REQUEST, why),
    };
    match web.shared.read_history(asked.clone()).await {
        Ok(buckets) => {
            let told: History = web.with_view(|view: &View<'_>| view.history(&asked, &buckets));
            document(StatusCode::OK, &told)
        }
        Err(error) => {
            tracing::error!(event = "history.unread", %error, "history could not be read");
            problem(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
        }
    }
}

impl Range {
    fn asked(&self, pool: crate::model::catalog::PoolId, now: Timestamp) -> Result<Asked, String> {
        // What most people mean, and at the mantle endpoint the first of its two quotas.
        let usual = match pool.family {
            Family::OnDemand | Family::Geo | Family::Global | Family::Account => "tpm",
            Family::Mantle => "input_tokens",
        };
        let signal = signal(self.signal.as_deref().unwrap_or(usual))?;
        let now = Minute::of(now);
        let until = self
            .to
            .as_deref()
            .map_or(Ok(now), |text| minute(text, now))?;
        let from = self.from.as_deref().unwrap_or("24h");
        let from = minute(from, until)?;
        if until <= from {
            return Err(format!("nothing lies between {from} and {until}"));
        }
        let resolution = match self.resolution.as_deref() {
            Some(name) => Resolution::named(name)
                .ok_or_else(|| format!("`{name}` is no resolution: say minute, 5m or hour"))?,
            None => fitting(until.since(from)),
        };
        if MOST_BUCKETS < until.since(from) / resolution.minutes() {
            return Err(format!(
                "that is more than {MOST_BUCKETS} buckets: ask for less time, or for longer buckets"
            ));
        }
        Ok(Asked {
            pool,
            signal,
            resolution,
            from,
            until,
        })
    }
}

/// Rows that still read well.
const fn fitting(minutes: i64) -> Resolution {
    if minutes <= HOUR {
        Resolution::Minute
    } else if minutes <= 6 * HOUR {
        Resolution::FiveMinutes
    } else {
        Resolution::Hour
    }
}

/// A signal by its name in rules; `tpm` and `rpm` are the two that most people mean.
fn signal(name: &str) -> Result<Signal, String> {
    match name {
        "tpm" => Ok(Signal::ChargedTokens),
        "rpm" => Ok(Signal::Invocations),
        _ => Signal::named(name).ok_or_else(|| {
            let names: Vec<&str> = Signal::ALL.into_iter().map(Signal::name).collect();
            format!(
                "`{name}` is no signal: say tpm, rpm or one of {}",
                names.join(", ")
            )
        }),
    }
}

/// An instant, a day, the last time that it was so late in UTC, or so long before `end`.
pub(super) fn minute(text: &str, end: Minute) -> Result<Minute, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Minute::of(at));
    }
    if let Ok(at) = format!("{text}T00:00:00Z").parse::<Timestamp>() {
        return Ok(Minute::of(at));
    }
    if let Some(at) = clock_time(text) {
        let of_day = end.0.rem_euclid(DAY);
        let ago = (of_day - at).rem_euclid(DAY);
        return Ok(end.plus(-ago));
    }
    let back = text.char_indices().next_back().and_then(|(at, unit)| {
        let number: i64 = text.get(..at)?.parse().ok()?;
        let minutes = match unit {
            'm' => 1,
            'h' => HOUR,
            'd' => DAY,
            _ => return None,
        };
        number.checked_mul(minutes).filter(|it| 0 <= *it)
    });
    back.map(|back| end.plus(-back)).ok_or_else(|| {
        format!("`{text}` is no time: say 2026-11-24T03:00:00Z, 2026-11-24, 14:05 (UTC), 90m, 36h or 14d")
    })
}

/// The minute of the day of `14:05`.
fn clock_time(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str, most: i64| {
        let is_two = text.len() == 2 && text.bytes().all(|it| it.is_ascii_digit());
        let number = text.parse::<i64>().ok()?;
        (is_two && number <= most).then_some(number)
    };
    Some(60 * number(hour, 23)? + number(minute, 59)?)
}
