//! Where requests ran, by the log of model invocations: `GET /api/v1/ran`, the same as a file, and as a page.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Web,
    api::{document, problem},
    filed, page,
    view::{View, ran::day_text},
};
use crate::model::{
    ran::{KEPT_DAYS, place},
    time::{Minute, Timestamp},
};

/// What a file with a line of names is.
pub(super) const CSV: &str = "text/csv; charset=utf-8; header=present";
/// Days that are told where none are asked for.
const USUAL_DAYS: i64 = 30;

/// What is asked for; each has a default.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Days {
    from: Option<String>,
    to: Option<String>,
}

/// Why nothing is told.
type Refusal = (StatusCode, String);

/// Days, counted from 1970.
struct Asked {
    /// The first and the last.
    days: (i64, i64),
    today: i64,
}

/// `GET /api/v1/ran`.
pub(super) async fn ran(State(web): State<Arc<Web>>, Query(days): Query<Days>) -> Response {
    let told = days.told(&web, |view, asked| view.ran(asked.days));
    match told {
        Ok(told) => document(StatusCode::OK, &told),
        Err((status, why)) => problem(status, why),
    }
}

/// `GET /api/v1/ran.csv`.
pub(super) async fn csv(State(web): State<Arc<Web>>, Query(days): Query<Days>) -> Response {
    let told = match days.told(&web, |view, asked| view.ran(asked.days)) {
        Ok(told) => told,
        Err((status, why)) => return problem(status, why),
    };
    let mut file = Vec::new();
    if let Err(error) = filed::whole(&told, &mut file) {
        let why = format!("the file could not be written: {error}");
        return problem(StatusCode::INTERNAL_SERVER_ERROR, why);
    }
    let name = format!(
        "attachment; filename=\"ran-{}-to-{}.csv\"",
        told.from, told.to
    );
    let headers = [
        (header::CONTENT_TYPE, CSV.to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    (headers, file).into_response()
}

/// `GET /ran`.
pub(super) async fn shown(State(web): State<Arc<Web>>, Query(days): Query<Days>) -> Response {
    let told = days.told(&web, |view, asked| {
        (view.status(), view.ran(asked.days), asked.today)
    });
    match told {
        Ok((status, told, today)) => {
            let page = page::ran::render(&status, &told, &periods(today));
            let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
            ([kind], page.into_string()).into_response()
        }
        Err((status, why)) => problem(status, why),
    }
}

/// What people ask about: the last days, this month and the one before, which is whole.
fn periods(today: i64) -> Vec<page::ran::Period> {
    let begin_of = |day: i64| {
        let text = day_text(day);
        let month = text.rsplit_once('-').map_or("", |(month, _)| month);
        self::day(&format!("{month}-01")).unwrap_or(day)
    };
    let this = begin_of(today);
    [
        ("Last 30 days", today - (USUAL_DAYS - 1), today),
        ("This month", this, today),
        ("Last month", begin_of(this - 1), this - 1),
    ]
    .map(|(name, first, last)| (name, day_text(first), day_text(last)))
    .into()
}

impl Days {
    /// What `tell` makes of these days, or why nothing.
    fn told<T>(&self, web: &Web, tell: impl FnOnce(&View<'_>, Asked) -> T) -> Result<T, Refusal> {
        web.with_view(|view| {
            let Some(now) = view.now() else {
                let why = "the first cycle is not done: ask again in a minute";
                return Err((StatusCode::SERVICE_UNAVAILABLE, why.to_owned()));
            };
            let asked = self.asked(now);
            let asked = asked.map_err(|why| (StatusCode::BAD_REQUEST, why))?;
            Ok(tell(view, asked))
        })
    }

    fn asked(&self, now: Timestamp) -> Result<Asked, String> {
        let today = place(Minute::of(now)).0;
        let last = self.to.as_deref().map_or(Ok(today), day)?;
        let usual = last - (USUAL_DAYS - 1);
        let first = self.from.as_deref().map_or(Ok(usual), day)?;
        if last < first {
            return Err("`from` lies after `to`".to_owned());
        }
        if KEPT_DAYS < last - first {
            return Err(format!(
                "that is more than the {KEPT_DAYS} days that are kept"
            ));
        }
        Ok(Asked {
            days: (first, last),
            today,
        })
    }
}

/// A day, counted from 1970.
fn day(text: &str) -> Result<i64, String> {
    let midnight = format!("{text}T00:00:00Z").parse::<Timestamp>();
    let midnight = midnight.map_err(|_| format!("`{text}` is no day: say 2026-11-24"))?;
    Ok(place(Minute::of(midnight)).0)
}
