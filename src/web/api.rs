//! The reading half of the JSON API, and health.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{
    Web, inert,
    json::{Condition, Problem},
};

/// `GET /api/v1/status`.
pub(super) async fn status(State(web): State<Arc<Web>>) -> Response {
    document(StatusCode::OK, &web.with_view(|view| view.status()))
}

/// `GET /api/v1/incidents`.
pub(super) async fn incidents(State(web): State<Arc<Web>>) -> Response {
    document(StatusCode::OK, &web.with_view(|view| view.incidents()))
}

/// `GET /api/v1/incidents/{id}`.
pub(super) async fn incident(State(web): State<Arc<Web>>, Path(id): Path<String>) -> Response {
    match web.with_view(|view| view.incident_by_id(&id)) {
        Some(incident) => document(StatusCode::OK, &incident),
        None => problem(StatusCode::NOT_FOUND, "there is no incident with this id"),
    }
}

/// `GET /api/v1/explain/{id}`.
pub(super) async fn explain(State(web): State<Arc<Web>>, Path(id): Path<String>) -> Response {
    match web.with_view(|view| view.explain(&id)) {
        Some(explanation) => document(StatusCode::OK, &explanation),
        None => problem(
            StatusCode::NOT_FOUND,
            "nothing is known by this id: give an incident, action, pool (account/region/family/model), quota code, request or case",
        ),
    }
}

/// What of the audit trail is asked for.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Trail {
    /// An incident, action or silence; all without it.
    subject: Option<String>,
    /// Only entries before this number.
    before: Option<u64>,
}

/// `GET /api/v1/audit`.
pub(super) async fn audit(State(web): State<Arc<Web>>, Query(trail): Query<Trail>) -> Response {
    let told = web.with_view(|view| view.audit(trail.subject.as_deref(), trail.before));
    document(StatusCode::OK, &told)
}

/// `GET /api/v1/silences`.
pub(super) async fn silences(State(web): State<Arc<Web>>) -> Response {
    document(StatusCode::OK, &web.with_view(|view| view.silences()))
}

/// `GET /api/v1/cost`.
pub(super) async fn cost(State(web): State<Arc<Web>>) -> Response {
    match web.with_view(|view| view.bill()) {
        Some(bill) => document(StatusCode::OK, &bill),
        None => problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "nothing was counted yet: the first cycle is not done",
        ),
    }
}

/// `GET /healthz`: the loop is alive.
pub(super) async fn healthz(State(web): State<Arc<Web>>) -> Response {
    let takes_orders = web.takes_orders();
    condition(&web.with_view(|view| view.healthy(takes_orders)))
}

/// `GET /readyz`: the daemon does its work everywhere.
pub(super) async fn readyz(State(web): State<Arc<Web>>) -> Response {
    let takes_orders = web.takes_orders();
    condition(&web.with_view(|view| view.ready(takes_orders)))
}

/// Every other path.
pub(super) async fn nothing_here() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "nothing is served here: see / for the status page and /api/v1/status for its data",
    )
}

fn condition(condition: &Condition) -> Response {
    let status = if condition.ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    document(status, condition)
}

/// A JSON answer, safe to print on a terminal.
pub(super) fn document<T: Serialize>(status: StatusCode, body: &T) -> Response {
    match inert::json(body) {
        Ok(text) => (status, [(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// An answer that says why not.
pub(super) fn problem(status: StatusCode, why: impl Into<String>) -> Response {
    document(status, &Problem { error: why.into() })
}
