//! The running daemon, asked over HTTP by the commands that read and decide.

use std::{io, net::SocketAddr, time::Duration};

use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde::de::DeserializeOwned;

use crate::web::{
    inert::{self, inert},
    json::{Condition, Problem},
};

/// How long a reading answer may take.
const READ_WAIT: Duration = Duration::from_secs(10);
/// How long a health answer may take: what asks gives up after five seconds.
const HEALTH_WAIT: Duration = Duration::from_secs(4);
/// How long an order may take; the daemon itself gives up after 30 seconds.
const ORDER_WAIT: Duration = Duration::from_secs(40);
/// The longest answer that is read, in bytes.
const MOST_ANSWER: usize = 16 << 20;

/// How a reading command writes its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// The daemon's own document, as `docs/api.md` describes it.
    Json,
}

/// Why a command got no answer.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The address is no address.
    #[error(
        "`{address}` is not an address of a daemon: expected something like http://127.0.0.1:9464"
    )]
    Address {
        /// As it was given.
        address: String,
    },
    /// Nobody answered.
    #[error(
        "no daemon answered at {address}: {why}; start one with `bedrock-ops-alert run --config FILE`, or give the address that it listens on"
    )]
    Unreachable {
        /// What was tried.
        address: String,
        /// What happened.
        why: String,
    },
    /// Somebody answered, but not in our words.
    #[error(
        "what answered at {address} is not this version of bedrock-ops-alert: {why}; check the address that the daemon listens on"
    )]
    Foreign {
        /// What was tried.
        address: String,
        /// What was wrong with the answer.
        why: String,
    },
    /// The daemon said no.
    #[error("the daemon at {address} refused: {why}")]
    Refused {
        /// What was tried.
        address: String,
        /// Its reason.
        why: String,
    },
    /// The output could not be written.
    #[error("could not write the output: {0}")]
    Output(#[from] io::Error),
}

impl RemoteError {
    /// The exit code, as in the documented table.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { .. } => 1,
            Self::Address { .. } => 64,
            Self::Unreachable { .. } | Self::Foreign { .. } => 69,
            Self::Output(_) => 74,
        }
    }
}

/// The address of a daemon that listens here.
#[must_use]
pub fn base_url(listen: SocketAddr) -> String {
    format!("http://{listen}")
}

/// What a service asks for that others can reach.
#[derive(Clone)]
pub(super) struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Token {
    /// The one line of this file.
    pub(super) fn in_file(path: &str) -> Result<Self, String> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| format!("the file cannot be read: {error}"))?;
        let token = text.trim();
        if token.is_empty() || !token.bytes().all(|it| it.is_ascii_graphic()) {
            return Err("the file does not hold one line with a token".to_owned());
        }
        Ok(Self(token.to_owned()))
    }
}

/// The address with the token as its password; it never comes up in what is printed.
pub(super) fn with_token(url: &str, token: Option<&Token>) -> String {
    let bare = without_user(url);
    match (token, bare.split_once("://")) {
        (Some(Token(token)), Some((scheme, rest))) => {
            format!("{scheme}://:{}@{rest}", encoded(token))
        }
        _ => url.to_owned(),
    }
}

/// The address without its user part, which is a secret.
fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, it)| it);
    format!("{scheme}://{host}{path}")
}

/// A daemon at an address.
pub(super) struct Daemon {
    address: String,
    base: Url,
    client: Client,
}

impl std::fmt::Debug for Daemon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Daemon")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Daemon {
    pub(super) fn at(base_url: &str) -> Result<Self, RemoteError> {
        let shown = without_user(base_url);
        let address = inert(&shown);
        let wrong = || RemoteError::Address {
            address: address.clone(),
        };
        let base = Url::parse(base_url).map_err(|_| wrong())?;
        if !["http", "https"].contains(&base.scheme()) || !base.has_host() {
            return Err(wrong());
        }
        // No proxy, and nobody sends us, and the token, elsewhere.
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| RemoteError::Unreachable {
                address: address.clone(),
                why: chain(&error),
            })?;
        Ok(Self {
            address,
            base,
            client,
        })
    }

    /// Reads a document.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, RemoteError> {
        let request = self.client.get(self.url(path)?).timeout(READ_WAIT);
        self.answer(request.send().await).await
    }

    /// Reads a document that is asked for with parameters.
    pub(super) async fn get_with<T: DeserializeOwned>(
        &self,
        path: &[&str],
        parameters: &[(&str, &str)],
    ) -> Result<T, RemoteError> {
        let mut url = self.url(path)?;
        url.query_pairs_mut().extend_pairs(parameters);
        let request = self.client.get(url).timeout(READ_WAIT);
        self.answer(request.send().await).await
    }

    /// Asks a health endpoint, which answers 503 with its reasons where not all is well.
    pub(super) async fn condition(&self, path: &str) -> Result<Condition, RemoteError> {
        let request = self.client.get(self.url(&[path])?).timeout(HEALTH_WAIT);
        let sent = request.send().await;
        let response = sent.map_err(|error| self.unreachable(&error))?;
        let body = self.body(response).await?;
        serde_json::from_slice(&body)
            .map_err(|error| self.foreign(format!("its answer cannot be read: {error}")))
    }

    /// Gives an order.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        order: &impl serde::Serialize,
    ) -> Result<T, RemoteError> {
        let request = self.client.post(self.url(path)?).timeout(ORDER_WAIT);
        let request = request.header("X-BOA-Request", "1").json(order);
        self.answer(request.send().await).await
    }

    /// The path is encoded here, byte by byte: the URL crate would drop line breaks from an id.
    fn url(&self, path: &[&str]) -> Result<Url, RemoteError> {
        let path: Vec<String> = path.iter().map(|segment| encoded(segment)).collect();
        let base = self.base.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}/{}", path.join("/"))).map_err(|_| RemoteError::Address {
            address: self.address.clone(),
        })
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        sent: reqwest::Result<Response>,
    ) -> Result<T, RemoteError> {
        let response = sent.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = self.body(response).await?;
        if status == StatusCode::OK {
            return serde_json::from_slice(&body)
                .map_err(|error| self.foreign(format!("its answer cannot be read: {error}")));
        }
        match serde_json::from_slice(&body) {
            Ok(Problem { error }) => Err(RemoteError::Refused {
                address: self.address.clone(),
                why: inert(&error),
            }),
            Err(_) => Err(self.foreign(format!("it answered {status}"))),
        }
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, RemoteError> {
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.unreachable(&error))?
        {
            body.extend_from_slice(&chunk);
            if body.len() > MOST_ANSWER {
                return Err(self.foreign("its answer is longer than 16 MiB".to_owned()));
            }
        }
        Ok(body)
    }

    fn unreachable(&self, error: &reqwest::Error) -> RemoteError {
        RemoteError::Unreachable {
            address: self.address.clone(),
            why: chain(error),
        }
    }

    fn foreign(&self, why: String) -> RemoteError {
        RemoteError::Foreign {
            address: self.address.clone(),
            why: inert(&why),
        }
    }
}

/// One path segment, everything but letters, digits and `-._~` percent-encoded.
fn encoded(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The innermost cause: the outer ones only repeat the address.
fn chain(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    inert(&innermost.to_string())
}

/// Writes a document as the daemon would.
pub(super) fn write_json<T: serde::Serialize>(
    out: &mut dyn io::Write,
    document: &T,
) -> Result<(), RemoteError> {
    let text = inert::json(document).map_err(io::Error::from)?;
    out.write_all(text.as_bytes())?;
    Ok(())
}
