//! The client of the simulated clock: a daemon in simulated time asks the simulator for `now` and for its wake-ups.
//!
//! One program, one name, one sleeper: between two sleeps the program counts as busy and the clock stands. A second
//! sleep of the same name replaces the first. The protocol is in `docs/sim-clock.md`.

use std::time::Duration;

use reqwest::{Client, Url};
use serde_json::{Value, json};

use crate::model::time::Timestamp;

/// Connecting to loopback takes microseconds; a simulator that does not take connections for so long is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For the calls that are answered at once.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Why simulated time can't be had.
#[derive(Debug, thiserror::Error)]
pub enum SimClockError {
    /// Not a URL.
    #[error("`{url}` is no URL of a simulated clock; it looks like http://127.0.0.1:4566")]
    Url {
        /// As given.
        url: String,
    },
    /// A clock on another machine.
    #[error(
        "the simulated clock `{url}` is not on this machine: simulated time is refused unless its host is 127.0.0.1, [::1] or localhost, so that it never meets a real AWS"
    )]
    NotLoopback {
        /// As given.
        url: String,
    },
    /// No answer.
    #[error("the simulated clock `{url}` did not answer `{path}`; is `sim` running there?")]
    Unreachable {
        /// The clock.
        url: String,
        /// What was asked.
        path: &'static str,
        /// Why.
        #[source]
        cause: reqwest::Error,
    },
    /// A refusal.
    #[error("the simulated clock refused `{path}` with status {status}: {message}")]
    Refused {
        /// What was asked.
        path: &'static str,
        /// HTTP status.
        status: u16,
        /// The clock's words.
        message: String,
    },
    /// An answer that is no clock's.
    #[error("`{url}` answered `{path}`, but not as a simulated clock does: {answer}")]
    Garbled {
        /// The clock.
        url: String,
        /// What was asked.
        path: &'static str,
        /// What came.
        answer: String,
    },
}

/// A registered client of a simulator's clock.
#[derive(Clone, Debug)]
pub struct SimClock {
    url: Url,
    client: String,
    http: Client,
}

impl SimClock {
    /// Connects to the simulator at `url` and registers as `client`: from now on the clock stands until this client
    /// sleeps or leaves. A restarted program takes its old place by its old name.
    ///
    /// # Errors
    ///
    /// A URL that is none or not on loopback; a simulator that does not answer.
    pub async fn connect(url: &str, client: &str) -> Result<Self, SimClockError> {
        let url = loopback(url)?;
        let http = Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .build()
            .map_err(|cause| SimClockError::Unreachable {
                url: url.to_string(),
                path: "/_sim/clock",
                cause,
            })?;
        let clock = Self {
            url,
            client: client.to_owned(),
            http,
        };
        // A wait for an instant that has come registers without waiting.
        clock.sleep_until(Timestamp::UNIX_EPOCH).await?;
        Ok(clock)
    }

    /// The simulated instant; also a sign of life, which a client that works for long must give.
    ///
    /// # Errors
    ///
    /// The simulator does not answer, or not as a clock.
    pub async fn now(&self) -> Result<Timestamp, SimClockError> {
        let path = "/_sim/clock";
        let mut url = self.at(path);
        url.query_pairs_mut().append_pair("client", &self.client);
        self.told(path, self.http.get(url).timeout(ANSWER_TIMEOUT))
            .await
    }

    /// Returns once the simulated clock has reached `until`, and tells the instant it then shows, which may be later.
    /// Dropping the future makes the client busy again: the clock stands until the next sleep.
    ///
    /// # Errors
    ///
    /// The simulator does not answer or stops, or another sleep of the same name took this one's place.
    pub async fn sleep_until(&self, until: Timestamp) -> Result<Timestamp, SimClockError> {
        let path = "/_sim/clock/wait";
        let order = json!({"client": self.client, "until": until.to_string()});
        // No timeout: the clock may stand for as long as another client works.
        self.told(path, self.http.post(self.at(path)).json(&order))
            .await
    }

    /// Ends the registration, so that the clock need not wait for this client any more.
    ///
    /// # Errors
    ///
    /// The simulator does not answer.
    pub async fn leave(&self) -> Result<(), SimClockError> {
        let path = "/_sim/clock/leave";
        let order = json!({"client": self.client});
        let request = self.http.post(self.at(path)).json(&order);
        self.told(path, request.timeout(ANSWER_TIMEOUT)).await?;
        Ok(())
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url
    }

    /// Sends, and reads `{"now"}` from the answer.
    async fn told(
        &self,
        path: &'static str,
        request: reqwest::RequestBuilder,
    ) -> Result<Timestamp, SimClockError> {
        let unreachable = |cause| SimClockError::Unreachable {
            url: self.url.to_string(),
            path,
            cause,
        };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let answer = response.text().await.map_err(unreachable)?;
        let parsed: Option<Value> = serde_json::from_str(&answer).ok();
        let member = |name| {
            parsed
                .as_ref()
                .and_then(|answer| answer.get(name)?.as_str())
        };
        if !status.is_success() {
            return Err(SimClockError::Refused {
                path,
                status: status.as_u16(),
                message: member("error").unwrap_or(&answer).to_owned(),
            });
        }
        member("now")
            .and_then(|now| now.parse().ok())
            .ok_or_else(|| SimClockError::Garbled {
                url: self.url.to_string(),
                path,
                answer: answer.chars().take(200).collect(),
            })
    }
}

/// The URL, if it is one on this machine.
fn loopback(text: &str) -> Result<Url, SimClockError> {
    let url = Url::parse(text).map_err(|_cause| SimClockError::Url {
        url: text.to_owned(),
    })?;
    let host = url.host_str().unwrap_or("");
    let is_loopback = host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if !matches!(url.scheme(), "http" | "https") || host.is_empty() {
        return Err(SimClockError::Url {
            url: text.to_owned(),
        });
    }
    if is_loopback {
        Ok(url)
    } else {
        Err(SimClockError::NotLoopback {
            url: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_may_tell_simulated_time() {
        for url in [
            "http://127.0.0.1:4566",
            "http://127.9.9.9",
            "http://[::1]:1/",
            "http://localhost:80",
        ] {
            assert!(loopback(url).is_ok(), "{url}");
        }
        for url in [
            "http://10.0.0.1:4566",
            "https://monitoring.us-east-1.amazonaws.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
        ] {
            let refused = loopback(url).unwrap_err();
            assert!(
                matches!(refused, SimClockError::NotLoopback { .. }),
                "{url}"
            );
        }
        for url in ["", "127.0.0.1:4566", "ftp://127.0.0.1", "http://"] {
            let refused = loopback(url).unwrap_err();
            assert!(matches!(refused, SimClockError::Url { .. }), "{url}");
        }
    }
}
