//! What every request must pass and every answer carries.
//!
//! A browser that knows a token, or sits on the same machine, visits foreign pages, too. Against DNS rebinding only names of
//! ours are answered (`access`); against forged posts the orders want a header that no form can send (see `orders`), and our
//! own forms a seal (see `decide`).

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    Web, access,
    alb::{Person, Refused},
    api,
    json::Condition,
};
use crate::{
    model::access::{Access, Role},
    runtime::clock,
};

/// Nothing but our own style sheet and script may be loaded; nobody may frame the page.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The content type of pages.
pub(super) const PAGE: &str = "text/html; charset=utf-8";

/// Bytes of a refusal of the router; they quote what was asked.
const MOST_SAID: usize = 16_384;

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // With `no-referrer` browsers would say of our own forms, too, that they come from `null`.
    (header::REFERRER_POLICY, "same-origin"),
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

async fn answered(web: &Web, mut request: Request, next: Next) -> Response {
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
    let needed = access::needed(request.method(), request.uri().path());
    let person = match &access.alb {
        Some(it) => web.door.person(it, request.headers(), clock::wall()).await,
        None => None,
    };
    let role = match &person {
        Some(Ok(person)) => person.role,
        Some(Err(_)) => Role::Stranger,
        None => access::role(access, request.headers()),
    };
    match (role, needed) {
        (Role::Stranger, Role::Stranger) => without_reasons(next.run(request).await),
        (Role::Stranger, Role::Viewer | Role::Actor) => {
            let why = person.and_then(Result::err);
            web.note_stranger(why);
            why.map_or_else(|| sign_in(access), not_taken)
        }
        (Role::Viewer, Role::Actor) => {
            let why = match person {
                Some(Ok(Person { name, .. })) => format!(
                    "{name} may read and not decide: that takes one of the claims in `[listen.alb] act`"
                ),
                Some(Err(_)) | None => {
                    "this token may read and not decide: that takes the one of `[listen] act_token`"
                        .to_owned()
                }
            };
            api::problem(StatusCode::FORBIDDEN, why)
        }
        (Role::Viewer | Role::Actor, _) => {
            request.extensions_mut().insert(role);
            if let Some(Ok(person)) = person {
                request.extensions_mut().insert(person);
            }
            told(next.run(request).await).await
        }
    }
}

/// What the load balancer is said to say is not believed. A browser that asked for a password then would mislead.
fn not_taken(why: Refused) -> Response {
    let mut response = api::problem(why.status(), why.to_string());
    if why.status() == StatusCode::UNAUTHORIZED {
        challenge(&mut response, CHALLENGES.get(..1).unwrap_or_default());
    }
    response
}

fn sign_in(access: &Access) -> Response {
    let by_token = "a token is needed: commands take it by --token-file or BOA_TOKEN_FILE, programs send it as `Authorization: Bearer TOKEN`, and in a browser it is the password, with any name";
    let by_alb = "people are signed in by the load balancer of `[listen.alb]`, and nothing came from it: ask there; if this came by it, its listener's rule lacks authenticate-oidc";
    let (why, challenges) = match (access.has_tokens(), access.alb.is_some()) {
        (true, true) => (format!("{by_token}; {by_alb}"), CHALLENGES.as_slice()),
        (false, true) => (by_alb.to_owned(), CHALLENGES.get(..1).unwrap_or_default()),
        (_, false) => (by_token.to_owned(), CHALLENGES.as_slice()),
    };
    let mut response = api::problem(StatusCode::UNAUTHORIZED, why);
    challenge(&mut response, challenges);
    response
}

fn challenge(response: &mut Response, challenges: &[&'static str]) {
    for challenge in challenges {
        let value = HeaderValue::from_static(challenge);
        response
            .headers_mut()
            .append(header::WWW_AUTHENTICATE, value);
    }
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
    // Only pages of ours are HTML: what a form came to is told to a person.
    let is_document = kind.is_some_and(|it| it == "application/json" || it == PAGE);
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
