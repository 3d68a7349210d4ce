//! Who asks, by the token that is shown, and by which name: what every request must pass.
//!
//! A token comes as `Authorization: Bearer TOKEN`, or as the password of `Basic`, which browsers ask people for. Tokens are
//! compared by their SHA-256, so that how long that takes says nothing of how much of a guess is right.
//!
//! Against DNS rebinding only names of this machine, addresses (a foreign page can't be served from ours) and the names of
//! `[listen] hosts` are answered; addresses of other machines only where tokens are asked for.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method, Uri, header};
use sha2::{Digest, Sha256};

use crate::model::access::{Access, Role};

/// Longer ones are no tokens of ours.
const MOST_HEADER: usize = 4_096;

/// What whoever sent these headers may do.
pub(super) fn role(access: &Access, headers: &HeaderMap) -> Role {
    let shown = shown(headers).map(|it| Sha256::digest(it.as_bytes()));
    access.role(|secret| {
        let known = Sha256::digest(secret.expose().as_bytes());
        let differs = |shown: &[u8]| shown.iter().zip(known).fold(0, |all, (a, b)| all | (a ^ b));
        shown.as_ref().is_some_and(|it| differs(it) == 0)
    })
}

/// What a request of this kind needs.
pub(super) fn needed(method: &Method, path: &str) -> Role {
    match (method, path) {
        (&Method::GET | &Method::HEAD, "/healthz" | "/readyz") => Role::Stranger,
        (&Method::GET | &Method::HEAD, _) => Role::Viewer,
        _ => Role::Actor,
    }
}

/// The one token that is shown.
fn shown(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(one), None) = (all.next(), all.next()) else {
        return None;
    };
    let text = one.to_str().ok().filter(|it| it.len() <= MOST_HEADER)?;
    let (scheme, rest) = text.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let plain = data_encoding::BASE64.decode(rest.trim().as_bytes()).ok()?;
    let plain = String::from_utf8(plain).ok()?;
    plain.split_once(':').map(|(_, token)| token.to_owned())
}

/// Both the `Host` header and the authority of the request line, where there is one, name us.
pub(super) fn is_for_us(access: &Access, uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let line = uri
        .authority()
        .is_none_or(|it| is_ours(access, it.as_str()));
    line && host.to_str().is_ok_and(|it| is_ours(access, it))
}

/// Whether a browser says that this was sent by a page of ours. Browsers name the sender of each post; where they do not, or
/// name nobody, it counts as foreign. Proxies may hide which host was asked for, so names of ours count as ours.
pub(super) fn is_from_us(access: &Access, headers: &HeaderMap) -> bool {
    let one = |name: &str| {
        let mut all = headers.get_all(name).iter();
        (
            all.next().map(|it| it.to_str().unwrap_or_default()),
            all.next().is_none(),
        )
    };
    let (site, is_one_site) = one("sec-fetch-site");
    let (origin, is_one_origin) = one("origin");
    let (host, _) = one("host");
    let is_same_site = site.is_none_or(|it| it == "same-origin");
    let sender = origin.and_then(|it| it.split_once("://")).map(|it| it.1);
    let is_ours = sender.is_some_and(|sender| {
        let name = sender.split(':').next().unwrap_or_default();
        let mut named = access.hosts.iter();
        host.is_some_and(|it| it.eq_ignore_ascii_case(sender))
            || named.any(|it| it.eq_ignore_ascii_case(name))
    });
    is_one_site && is_one_origin && is_same_site && is_ours
}

/// The name that a browser gave beside the token.
pub(super) fn basic_name(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = text.split_once(' ')?;
    let plain = data_encoding::BASE64.decode(rest.trim().as_bytes()).ok()?;
    let plain = String::from_utf8(plain).ok()?;
    let (name, _) = plain.split_once(':')?;
    scheme
        .eq_ignore_ascii_case("basic")
        .then(|| name.to_owned())
}

/// Whether `host[:port]` is a name of ours. Other names could resolve to anything.
fn is_ours(access: &Access, authority: &str) -> bool {
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
        .parse::<IpAddr>()
        .is_ok_and(|it| it.is_loopback() || access.is_guarded());
    let mut named = access.hosts.iter();
    is_port
        && (is_address
            || host.eq_ignore_ascii_case("localhost")
            || named.any(|it| it.eq_ignore_ascii_case(host)))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::model::receiver::Secret;

    fn guarded() -> Access {
        Access {
            view: Some(Secret::new("v".repeat(32))),
            act: Some(Secret::new("a".repeat(32))),
            hosts: vec!["monitor.internal".to_owned()],
            alb: None,
        }
    }

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_str(value).unwrap();
            headers.append(header::AUTHORIZATION, value);
        }
        headers
    }

    #[test]
    fn a_token_is_worth_its_role_however_it_is_shown() {
        let basic = |user: &str, token: &str| {
            let plain = format!("{user}:{token}");
            format!("Basic {}", data_encoding::BASE64.encode(plain.as_bytes()))
        };
        let (view, act) = ("v".repeat(32), "a".repeat(32));
        let of = |values: &[&str]| role(&guarded(), &headers(values));
        assert_eq!(of(&[&format!("Bearer {view}")]), Role::Viewer);
        assert_eq!(of(&[&format!("bearer  {act}")]), Role::Actor);
        assert_eq!(of(&[&basic("anna", &view)]), Role::Viewer);
        assert_eq!(of(&[&basic("", &act)]), Role::Actor);
        let strange = [
            String::new(),
            view.clone(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            format!("Bearer {}", "v".repeat(31)),
            format!("Bearer {view}x"),
            format!("Digest {view}"),
            basic(&act, ""),
            "Basic ****".to_owned(),
            format!("Bearer {}", "v".repeat(5_000)),
        ];
        for value in strange {
            assert_eq!(of(&[&value]), Role::Stranger, "{value}");
        }
        let (view, act) = (format!("Bearer {view}"), format!("Bearer {act}"));
        assert_eq!(of(&[&view, &act]), Role::Stranger, "one at a time");
        assert_eq!(of(&[]), Role::Stranger);
        assert_eq!(role(&Access::default(), &headers(&[])), Role::Actor);
    }

    #[test]
    fn who_may_only_act_or_only_view_is_told_apart() {
        let access = |view: Option<&str>, act: Option<&str>| Access {
            view: view.map(Secret::new),
            act: act.map(Secret::new),
            hosts: Vec::new(),
            alb: None,
        };
        let shown = headers(&["Bearer x"]);
        assert_eq!(role(&access(Some("x"), None), &shown), Role::Viewer);
        assert_eq!(role(&access(None, Some("x")), &shown), Role::Actor);
        assert_eq!(role(&access(None, Some("y")), &shown), Role::Stranger);
        assert_eq!(needed(&Method::GET, "/metrics"), Role::Viewer);
        assert_eq!(needed(&Method::OPTIONS, "/"), Role::Actor);
        assert_eq!(needed(&Method::POST, "/api/v1/silences"), Role::Actor);
        assert_eq!(needed(&Method::GET, "/healthz"), Role::Stranger);
        assert_eq!(needed(&Method::POST, "/healthz"), Role::Actor);
        assert_eq!(needed(&Method::GET, "/healthz/"), Role::Viewer);
    }

    #[test]
    fn only_names_of_ours_are_answered() {
        let open = Access::default();
        for ours in [
            "localhost",
            "LOCALHOST:9464",
            "127.0.0.1",
            "127.8.9.1:80",
            "[::1]:9464",
            "[::1]",
        ] {
            assert!(is_ours(&open, ours) && is_ours(&guarded(), ours), "{ours}");
        }
        for others in [
            "",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.nip.io:80",
            "127.0.0.1:port",
            "[::1]x",
            "[::1",
            "::1",
            "localhost:99999",
            "monitor.internal.evil.example",
        ] {
            let is_answered = is_ours(&open, others) || is_ours(&guarded(), others);
            assert!(!is_answered, "{others}");
        }
        for guarded_only in ["10.0.0.1", "10.0.0.1:9464", "Monitor.Internal:443"] {
            assert!(!is_ours(&open, guarded_only), "{guarded_only}");
            assert!(is_ours(&guarded(), guarded_only), "{guarded_only}");
        }
    }
}
