//! `GET /api/v1/plan/{pool}`: what would be asked for a pool's quotas now.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};

use super::{
    Web,
    api::{document, problem},
};

/// Over a name that nothing has.
pub(super) const NO_POOL: &str =
    "no pool is called so: give account/region/family/model, as `status` shows it";

/// `GET /api/v1/plan/{pool}`.
pub(super) async fn plan(State(web): State<Arc<Web>>, Path(name): Path<String>) -> Response {
    let not_there = || problem(StatusCode::NOT_FOUND, NO_POOL);
    let Some(pool) = web.shared.place_named(&name) else {
        return not_there();
    };
    let Some(now) = web.with_view(|view| view.now()) else {
        let why = "nothing was read of this pool yet: ask again in a minute";
        return problem(StatusCode::SERVICE_UNAVAILABLE, why);
    };
    match web.shared.prospects(&pool, now).await {
        Ok(Some(found)) => {
            let stop = web.shared.stop();
            let told = web.with_view(|view| view.plan(&pool, &found, stop.as_ref()));
            document(StatusCode::OK, &told)
        }
        Ok(None) => not_there(),
        Err(error) => {
            tracing::error!(event = "history.unread", %error, "history could not be read");
            problem(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
        }
    }
}
