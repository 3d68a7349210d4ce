//! The deciding half of the JSON API: what a person approves or rejects goes to the daemon as an order.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use tokio::{sync::oneshot, time};

use super::{
    Web, api, inert,
    json::{Ruled, Ruling},
};
use crate::{model::ids::ActionId, runtime::shared::Order};

/// How long the daemon may take to answer an order: a cycle may have to end first.
const MOST_WAIT: Duration = Duration::from_secs(30);
/// The longest name of a person, in characters.
const MOST_NAME: usize = 100;
/// The header that no HTML form and no foreign page without permission can send.
const REQUEST_HEADER: &str = "x-boa-request";

/// What a person says of a proposal.
#[derive(Clone, Copy, Debug)]
enum Say {
    Approve,
    Reject,
}

/// `POST /api/v1/actions/{id}/approve`.
pub(super) async fn approve(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    rule(&web, id, Say::Approve, &headers, &body).await
}

/// `POST /api/v1/actions/{id}/reject`.
pub(super) async fn reject(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    rule(&web, id, Say::Reject, &headers, &body).await
}

async fn rule(web: &Web, id: String, say: Say, headers: &HeaderMap, body: &[u8]) -> Response {
    let by = match checked(headers, body) {
        Ok(by) => by,
        Err(problem) => return *problem,
    };
    let action = ActionId::new(id);
    if !web.shared.book().intents.contains_key(&action) {
        return api::problem(StatusCode::NOT_FOUND, "there is no action with this id");
    }
    let (reply, answer) = oneshot::channel();
    let order = match say {
        Say::Approve => Order::Approve {
            action: action.clone(),
            by: by.clone(),
            reply,
        },
        Say::Reject => Order::Reject {
            action: action.clone(),
            by: by.clone(),
            reply,
        },
    };
    if web.shared.orders.try_send(order).is_err() {
        return api::problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the daemon takes no orders now: its queue is full or its loop has ended; nothing was decided",
        );
    }
    match time::timeout(MOST_WAIT, answer).await {
        Ok(Ok(Ok(()))) => {
            let ruling = match say {
                Say::Approve => "approved",
                Say::Reject => "rejected",
            };
            let ruled = Ruled {
                action: action.0,
                ruling: ruling.to_owned(),
                by,
            };
            api::document(StatusCode::OK, &ruled)
        }
        Ok(Ok(Err(why))) => api::problem(StatusCode::CONFLICT, why),
        Ok(Err(_)) => api::problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the daemon stopped before it answered: ask `explain` for the action's state once it is back",
        ),
        Err(_) => api::problem(
            StatusCode::GATEWAY_TIMEOUT,
            "the daemon took the order and has not answered in 30 s: it may still be carried out; ask `explain` for the action's state",
        ),
    }
}

/// Who decides, once the request has proved that no foreign page forged it.
fn checked(headers: &HeaderMap, body: &[u8]) -> Result<String, Box<Response>> {
    let refuse = |status, why: &str| Err(Box::new(api::problem(status, why)));
    if headers.get(REQUEST_HEADER).is_none_or(|it| it != "1") {
        return refuse(
            StatusCode::FORBIDDEN,
            "refused without the header `X-BOA-Request: 1`, which keeps foreign web pages from deciding",
        );
    }
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|it| it.to_str().ok());
    let essence = kind.and_then(|it| it.split(';').next()).map(str::trim);
    if !essence.is_some_and(|it| it.eq_ignore_ascii_case("application/json")) {
        return refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "expected `Content-Type: application/json`",
        );
    }
    let Ok(Ruling { by }) = serde_json::from_slice(body) else {
        return refuse(
            StatusCode::UNPROCESSABLE_ENTITY,
            "expected a body such as {\"by\": \"your name\"}",
        );
    };
    let length = by.chars().count();
    if by.trim().is_empty() || length > MOST_NAME || by.chars().any(inert::acts) {
        return refuse(
            StatusCode::UNPROCESSABLE_ENTITY,
            "`by` must be a name of 1 to 100 printable characters",
        );
    }
    Ok(by)
}
