//! What every request must pass and every answer carries.
//!
//! There is no authentication yet, and a browser on the same machine visits foreign pages. Against DNS rebinding only
//! loopback names are answered; against forged posts the orders want a header that no form can send (see `orders`).

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::api;

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

/// Lets requests to loopback names through, and puts the security headers on every answer.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let mut response = if is_for_us(request.uri(), request.headers()) {
        told(next.run(request).await).await
    } else {
        let why = "refused a request for another host: the status page answers to localhost, 127.0.0.1 and [::1] only";
        api::problem(StatusCode::MISDIRECTED_REQUEST, why).into_response()
    };
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
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

/// Both the `Host` header and the authority of the request line, where there is one, name loopback.
fn is_for_us(uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let line = uri.authority().is_none_or(|it| is_loopback(it.as_str()));
    line && host.to_str().is_ok_and(is_loopback)
}

/// Whether `host[:port]` is a loopback name or address. Names other than `localhost` could resolve to anything.
fn is_loopback(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, rest)) => (
                host,
                rest.strip_prefix(':').or(rest.is_empty().then_some("0")),
            ),
            None => return false,
        },
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, Some("0")),
        },
    };
    let is_port = port.is_some_and(|port| port.parse::<u16>().is_ok());
    let is_address = host
        .parse::<std::net::IpAddr>()
        .is_ok_and(|it| it.is_loopback());
    is_port && (is_address || host.eq_ignore_ascii_case("localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_ours() {
        for ours in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:9",
            "127.9.9.9",
            "[::1]",
            "[::1]:80",
        ] {
            assert!(is_loopback(ours), "{ours}");
        }
        for theirs in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "127.0.0.1:80@evil.example",
            "10.0.0.1",
            "[::2]:80",
            "[::1",
            "[::1]x",
            "0.0.0.0",
            "localhost:99999",
        ] {
            assert!(!is_loopback(theirs), "{theirs}");
        }
    }
}
