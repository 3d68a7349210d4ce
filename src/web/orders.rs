//! The deciding half of the JSON API: what a person asks goes to the daemon as an order, under the name that a load balancer
//! vouches for, or else under the one that is given.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::Bytes,
    extract::{FromRequestParts, Path, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::Response,
};
use serde::de::DeserializeOwned;

use super::{
    Web,
    alb::Person,
    api, inert,
    json::{Acknowledging, Asking, Ordered, Ruled, Ruling, Silencing},
    prospect::NO_POOL,
};
use crate::{
    model::{
        ids::{ActionId, IncidentId, SilenceId},
        order::{Answer, Command, End, Order},
        selector::{Selector, Written},
        time::Timestamp,
        units::Amount,
    },
    runtime::shared::Unanswered,
};

/// The longest name of a person, in characters.
pub(super) const MOST_NAME: usize = 100;
/// The longest reason, in characters.
pub(super) const MOST_REASON: usize = 500;
/// The header that no HTML form and no foreign page without permission can send.
pub(super) const REQUEST_HEADER: &str = "x-boa-request";

/// A refusal.
type Refusal = Box<Response>;

/// Who asks, as far as headers say.
#[derive(Debug)]
pub(super) struct Asker {
    headers: HeaderMap,
    /// Who is signed in. Whatever name the body gives then counts for nothing.
    person: Option<Person>,
}

impl<S: Sync> FromRequestParts<S> for Asker {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self {
            headers: parts.headers.clone(),
            person: parts.extensions.get().cloned(),
        })
    }
}

/// `POST /api/v1/actions/{id}/approve`.
pub(super) async fn approve(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    asker: Asker,
    body: Bytes,
) -> Response {
    rule(&web, id, true, &asker, &body).await
}

/// `POST /api/v1/actions/{id}/reject`.
pub(super) async fn reject(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    asker: Asker,
    body: Bytes,
) -> Response {
    rule(&web, id, false, &asker, &body).await
}

async fn rule(web: &Web, id: String, is_yes: bool, asker: &Asker, body: &[u8]) -> Response {
    let read = ruled(web, id, is_yes, asker, body);
    let (order, action) = match read {
        Ok(read) => read,
        Err(problem) => return *problem,
    };
    let by = order.by.clone();
    match carried_out(web, order).await {
        Ok(_) => {
            let ruling = if is_yes { "approved" } else { "rejected" };
            let ruled = Ruled {
                action: action.to_string(),
                ruling: ruling.to_owned(),
                by,
            };
            api::document(StatusCode::OK, &ruled)
        }
        Err(problem) => *problem,
    }
}

fn ruled(
    web: &Web,
    id: String,
    is_yes: bool,
    asker: &Asker,
    body: &[u8],
) -> Result<(Order, ActionId), Refusal> {
    let example =
        "{\"by\": \"your name\"}, with `reason` if there is one and, to approve, another `value`";
    let Ruling { by, reason, value } = read(asker, body, example)?;
    let action = ActionId::new(id);
    if !web.shared.book().intents.contains_key(&action) {
        return Err(refuse(
            StatusCode::NOT_FOUND,
            "there is no action with this id",
        ));
    }
    let command = match (is_yes, value) {
        (true, None) => Command::Approve {
            action: action.clone(),
            value: None,
        },
        (true, Some(value)) => {
            let value = Amount::new(value).ok_or_else(|| {
                refuse(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "`value` must be a number that a quota can have",
                )
            })?;
            Command::Approve {
                action: action.clone(),
                value: Some(value),
            }
        }
        (false, None) => Command::Reject {
            action: action.clone(),
        },
        (false, Some(_)) => {
            return Err(refuse(
                StatusCode::UNPROCESSABLE_ENTITY,
                "`value` is for approving: to ask for another value, approve with it",
            ));
        }
    };
    Ok((order(asker, by, reason, command)?, action))
}

/// `POST /api/v1/asks`.
pub(super) async fn ask(State(web): State<Arc<Web>>, asker: Asker, body: Bytes) -> Response {
    answered(&web, asking(&web, &asker, &body)).await
}

fn asking(web: &Web, asker: &Asker, body: &[u8]) -> Result<Order, Refusal> {
    let example = "{\"by\": \"your name\", \"reason\": \"launch on 1 December\", \"pool\": \"account/region/family/model\", \"quota\": \"tpm\", \"value\": 2000000}";
    let it: Asking = read(asker, body, example)?;
    let wrong = |why: &str| refuse(StatusCode::UNPROCESSABLE_ENTITY, why);
    let pool = web.shared.place_named(&it.pool);
    let pool = pool.ok_or_else(|| refuse(StatusCode::NOT_FOUND, NO_POOL))?;
    let kinds = pool.family.kinds();
    let kind = kinds.iter().find(|kind| kind.name() == it.quota).copied();
    let kind = kind.ok_or_else(|| {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        wrong(&format!(
            "`quota` of this pool must be one of {}",
            names.join(", ")
        ))
    })?;
    let value = Amount::new(it.value).filter(|it| it.get().fract() == 0.0);
    let value =
        value.ok_or_else(|| wrong("`value` must be a whole number that a quota can have"))?;
    let command = Command::Ask { pool, kind, value };
    order(asker, it.by, Some(it.reason), command)
}

/// `POST /api/v1/silences`.
pub(super) async fn silence(State(web): State<Arc<Web>>, asker: Asker, body: Bytes) -> Response {
    answered(&web, silencing(&asker, &body)).await
}

fn silencing(asker: &Asker, body: &[u8]) -> Result<Order, Refusal> {
    let example = "{\"by\": \"your name\", \"reason\": \"why\", \"minutes\": 120, \"models\": [\"*sonnet*\"]}";
    let it: Silencing = read(asker, body, example)?;
    let wrong = |why: String| refuse(StatusCode::UNPROCESSABLE_ENTITY, why);
    let selector = Selector::read(&Written {
        rules: it.rules,
        categories: it.categories,
        accounts: it.accounts,
        regions: it.regions,
        families: it.families,
        models: it.models,
        pools: it.pools,
    })
    .map_err(wrong)?;
    let instant = |key: &str, text: String| {
        let at = text.parse::<Timestamp>();
        at.map_err(|_| {
            wrong(format!(
                "`{key}` must be an instant such as 2026-11-26T18:00:00Z"
            ))
        })
    };
    let end = match (it.minutes, it.until) {
        (Some(minutes), None) => End::After(minutes),
        (None, Some(until)) => End::At(instant("until", until)?),
        (Some(_), Some(_)) | (None, None) => {
            return Err(wrong(
                "a silence has an end: give `minutes` or `until`, and one of them only".to_owned(),
            ));
        }
    };
    let from = it.from.map(|text| instant("from", text)).transpose()?;
    let command = Command::Silence {
        selector,
        from,
        end,
        holds_requests: it.hold_requests,
    };
    order(asker, it.by, Some(it.reason), command)
}

/// `POST /api/v1/silences/{id}/expire`.
pub(super) async fn expire(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    asker: Asker,
    body: Bytes,
) -> Response {
    let silence = SilenceId::new(id);
    if !web.shared.book().silences.contains_key(&silence) {
        return *refuse(StatusCode::NOT_FOUND, "there is no silence with this id");
    }
    let read = saying(&asker, &body, None);
    let order = read.and_then(|it| order(&asker, it.by, it.reason, Command::Expire { silence }));
    answered(&web, order).await
}

/// `POST /api/v1/incidents/{id}/ack`.
pub(super) async fn acknowledge(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    asker: Asker,
    body: Bytes,
) -> Response {
    look_after(&web, id, false, &asker, &body).await
}

/// `POST /api/v1/incidents/{id}/snooze`.
pub(super) async fn snooze(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    asker: Asker,
    body: Bytes,
) -> Response {
    look_after(&web, id, true, &asker, &body).await
}

/// `POST /api/v1/writes/stop`.
pub(super) async fn stop_writes(
    State(web): State<Arc<Web>>,
    asker: Asker,
    body: Bytes,
) -> Response {
    let read = saying(&asker, &body, None);
    let order = read.and_then(|it| order(&asker, it.by, it.reason, Command::StopWrites));
    answered(&web, order).await
}

/// `POST /api/v1/writes/resume`.
pub(super) async fn resume_writes(
    State(web): State<Arc<Web>>,
    asker: Asker,
    body: Bytes,
) -> Response {
    let read = saying(&asker, &body, None);
    let order = read.and_then(|it| order(&asker, it.by, it.reason, Command::ResumeWrites));
    answered(&web, order).await
}

async fn look_after(
    web: &Web,
    id: String,
    is_snooze: bool,
    asker: &Asker,
    body: &[u8],
) -> Response {
    let incident = IncidentId::new(id);
    if !web.shared.book().incidents.contains_key(&incident) {
        return *refuse(StatusCode::NOT_FOUND, "there is no incident with this id");
    }
    let read = saying(asker, body, Some(is_snooze));
    let order = read.and_then(|it| {
        let minutes = it.minutes;
        order(
            asker,
            it.by,
            it.reason,
            Command::Acknowledge { incident, minutes },
        )
    });
    answered(web, order).await
}

/// A name and perhaps a reason; for a snooze its minutes, which nothing else has.
fn saying(asker: &Asker, body: &[u8], is_snooze: Option<bool>) -> Result<Acknowledging, Refusal> {
    let example = if is_snooze == Some(true) {
        "{\"by\": \"your name\", \"minutes\": 120}, with `reason` if there is one"
    } else {
        "{\"by\": \"your name\"}, with `reason` if there is one"
    };
    let it: Acknowledging = read(asker, body, example)?;
    if it.minutes.is_some() == (is_snooze == Some(true)) {
        return Ok(it);
    }
    Err(refuse(
        StatusCode::UNPROCESSABLE_ENTITY,
        format!("expected a body such as {example}"),
    ))
}

/// Gives the order to the daemon, and its answer to whoever asked.
async fn answered(web: &Web, order: Result<Order, Refusal>) -> Response {
    let order = match order {
        Ok(order) => order,
        Err(problem) => return *problem,
    };
    let by = order.by.clone();
    match carried_out(web, order).await {
        Ok(Answer { subject, what }) => {
            let ordered = Ordered {
                id: subject,
                what,
                by,
            };
            api::document(StatusCode::OK, &ordered)
        }
        Err(problem) => *problem,
    }
}

/// The daemon's answer to the order.
async fn carried_out(web: &Web, order: Order) -> Result<Answer, Refusal> {
    let answer = web.shared.order(order).await;
    answer.map_err(|why| {
        let status = match &why {
            Unanswered::Refused(_) => StatusCode::CONFLICT,
            Unanswered::NotTaken | Unanswered::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            Unanswered::Late => StatusCode::GATEWAY_TIMEOUT,
        };
        refuse(status, why.to_string())
    })
}

/// Whether that may be shown as a name or a reason.
pub(super) fn is_said(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= most && !text.chars().any(inert::acts)
}

/// The order, once name and reason are such that they may be shown.
fn order(
    asker: &Asker,
    by: String,
    why: Option<String>,
    command: Command,
) -> Result<Order, Refusal> {
    let by = asker.person.as_ref().map_or(by, |it| it.name.clone());
    if asker.person.is_none() && !is_said(&by, MOST_NAME) {
        return Err(refuse(
            StatusCode::UNPROCESSABLE_ENTITY,
            "`by` must be a name of 1 to 100 printable characters",
        ));
    }
    if why.as_deref().is_some_and(|why| !is_said(why, MOST_REASON)) {
        return Err(refuse(
            StatusCode::UNPROCESSABLE_ENTITY,
            "`reason` must be 1 to 500 printable characters in one line",
        ));
    }
    Ok(Order { by, why, command })
}

/// The body, once the request has proved that no foreign page forged it.
fn read<T: DeserializeOwned>(asker: &Asker, body: &[u8], example: &str) -> Result<T, Refusal> {
    let headers = &asker.headers;
    if headers.get(REQUEST_HEADER).is_none_or(|it| it != "1") {
        return Err(refuse(
            StatusCode::FORBIDDEN,
            "refused without the header `X-BOA-Request: 1`, which keeps foreign web pages from deciding",
        ));
    }
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|it| it.to_str().ok());
    let essence = kind.and_then(|it| it.split(';').next()).map(str::trim);
    if !essence.is_some_and(|it| it.eq_ignore_ascii_case("application/json")) {
        return Err(refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "expected `Content-Type: application/json`",
        ));
    }
    serde_json::from_slice(body).map_err(|_| {
        refuse(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("expected a body such as {example}"),
        )
    })
}

fn refuse(status: StatusCode, why: impl Into<String>) -> Refusal {
    Box::new(api::problem(status, why))
}
