//! `GET /api/v1/ran`: where requests ran, by the log of model invocations.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{
    Web,
    api::{document, problem},
};
use crate::model::{
    ran::{KEPT_DAYS, place},
    time::{Minute, Timestamp},
};

/// Days that are told where none are asked for.
const USUAL_DAYS: i64 = 30;

/// What is asked for; each has a default.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Days {
    from: Option<String>,
    to: Option<String>,
}

/// `GET /api/v1/ran`.
pub(super) async fn ran(State(web): State<Arc<Web>>, Query(days): Query<Days>) -> Response {
    let Some(now) = web.with_view(|view| view.now()) else {
        let why = "the first cycle is not done: ask again in a minute";
        return problem(StatusCode::SERVICE_UNAVAILABLE, why);
    };
    match days.asked(now) {
        Ok(days) => document(StatusCode::OK, &web.with_view(|view| view.ran(days))),
        Err(why) => problem(StatusCode::BAD_REQUEST, why),
    }
}

impl Days {
    /// The first and the last day, counted from 1970.
    fn asked(&self, now: Timestamp) -> Result<(i64, i64), String> {
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
        Ok((first, last))
    }
}

/// A day, counted from 1970.
fn day(text: &str) -> Result<i64, String> {
    let midnight = format!("{text}T00:00:00Z").parse::<Timestamp>();
    let midnight = midnight.map_err(|_| format!("`{text}` is no day: say 2026-11-24"))?;
    Ok(place(Minute::of(midnight)).0)
}
