//! `GET /api/v1/moments/{pool}`: a past minute judged again.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{
    Web,
    api::{document, problem},
    history::minute,
};
use crate::model::time::Minute;

/// Which minute.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    at: Option<String>,
}

/// `GET /api/v1/moments/{pool}`.
pub(super) async fn moment(
    State(web): State<Arc<Web>>,
    Path(pool): Path<String>,
    Query(when): Query<When>,
) -> Response {
    let not_there = || {
        let why = "no pool is called so: give account/region/family/model, as `status` shows it";
        problem(StatusCode::NOT_FOUND, why)
    };
    let Some(pool) = web.shared.pool_named(&pool) else {
        return not_there();
    };
    let read = web.shared.book().read_through.get(&pool).copied();
    let now = web.with_view(|view| view.now());
    let (Some(read), Some(now)) = (read, now) else {
        let why = "nothing was read of this pool yet: ask again in a minute";
        return problem(StatusCode::SERVICE_UNAVAILABLE, why);
    };
    let at = when.at.as_deref().unwrap_or("1m");
    let asked = match minute(at, Minute::of(now)) {
        Ok(asked) => asked,
        Err(why) => return problem(StatusCode::BAD_REQUEST, why),
    };
    if read <= asked {
        let why =
            format!("the pool was read up to {read}, exclusive: nothing is known of {asked} yet");
        return problem(StatusCode::BAD_REQUEST, why);
    }
    match web.shared.judge_again(&pool, asked).await {
        Ok(Some(then)) => document(
            StatusCode::OK,
            &web.with_view(|view| view.moment(&then, asked)),
        ),
        Ok(None) => not_there(),
        Err(error) => {
            tracing::error!(event = "history.unread", %error, "history could not be read");
            problem(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
        }
    }
}
