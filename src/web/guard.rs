//! What every request must pass and every answer carries.
//!
//! A browser that knows a token, or sits on the same machine, visits foreign pages, too. Against DNS rebinding only names of
//! ours are answered (`access`); against forged posts the orders want a header that no form can send (see `orders`).

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Web, access, api, json::Condition};
use crate::model::access::Role;

/// Nothing but our own style sheet and script may be loaded; nobody may frame the page.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Bytes of a refusal of the router; they quote what was asked.
const MOST_SAID: usize = 16_384;

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// How to sign in, for programs and for browsers, which ask people for it.
const CHALLENGES: [&str; 2] = [
    "Bearer realm=\"bedrock-ops-alert\"",
    "Basic realm=\"bedrock-ops-alert\", charset=\"UTF-8\"",
];

/// Lets through who may ask for that, by a name of ours, and puts the security headers on every answer.
pub(super) async fn guard(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let mut response = answered(&web, request, next).await;
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

async fn answered(web: &Web, request: Request, next: Next) -> Response {
    let settings = web.shared.settings();
    let access = &settings.access;
    if !access::is_for_us(access, request.uri(), request.headers()) {
        let why = if access.is_guarded() {
            "refused a request for another host: answered are addresses, localhost and the names of `[listen] hosts`"
        } else {
            "refused a request for another host: the status page answers to localhost, 127.0.0.1 and [::1] only"
        };
        return api::problem(StatusCode::MISDIRECTED_REQUEST, why).into_response();
    }
    let role = access::role(access, request.headers());
    let needed = access::needed(request.method(), request.uri().path());
    match (role, needed) {
        (Role::Stranger, Role::Stranger) => without_reasons(next.run(request).await),
        (Role::Stranger, Role::Viewer | Role::Actor) => {
            web.note_stranger();
            sign_in()
        }
        (Role::Viewer, Role::Actor) => {
            let why =
                "this token may read and not decide: that takes the one of `[listen] act_token`";
            api::problem(StatusCode::FORBIDDEN, why)
        }
        (Role::Viewer | Role::Actor, _) => told(next.run(request).await).await,
    }
}

fn sign_in() -> Response {
    let why = "a token is needed: commands take it by --token-file or BOA_TOKEN_FILE, programs send it as `Authorization: Bearer TOKEN`, and in a browser it is the password, with any name";
    let mut response = api::problem(StatusCode::UNAUTHORIZED, why);
    for challenge in CHALLENGES {
        let value = HeaderValue::from_static(challenge);
        response
            .headers_mut()
            .append(header::WWW_AUTHENTICATE, value);
    }
    response
}

/// Load balancers ask without a token whether we are well; why not is for those who may read.
fn without_reasons(response: Response) -> Response {
    let (status, ok) = (response.status(), response.status().is_success());
    let reasons = if ok {
        Vec::new()
    } else {
        vec!["said to those who show a token".to_owned()]
    };
    api::document(status, &Condition { ok, reasons })
}

/// What the router refuses by itself (a method, a query, a body too long) as every other refusal: a document that says why.
async fn told(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_document = kind.is_some_and(|it| it == "application/json");
    if is_document || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let said = axum::body::to_bytes(response.into_body(), MOST_SAID).await;
    let said = said.map(|it| String::from_utf8_lossy(&it).into_owned());
    let why = said.ok().filter(|it| !it.trim().is_empty());
    let usual = status
        .canonical_reason()
        .unwrap_or("refused")
        .to_lowercase();
    let mut response = api::problem(status, why.unwrap_or(usual));
    if let Some(allow) = allow {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
