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
    #[error("the simulated clock `{url}` did not answer `{path}`")]
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

/// How fast a simulated clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// So many simulated seconds in a real one, whoever works.
    Times(u32),
    /// It stands while a client works, and jumps when all wait.
    AsClientsLetIt,
}

/// A client of a simulator's clock.
#[derive(Clone, Debug)]
pub struct SimClock {
    url: Url,
    client: String,
    http: Client,
}

impl SimClock {
    /// Connects to the simulator at `url` and registers as `client`, see [`SimClock::register`].
    ///
    /// # Errors
    ///
    /// A URL that is none or not on loopback; a simulator that does not answer.
    pub async fn connect(url: &str, client: &str) -> Result<Self, SimClockError> {
        let clock = Self::new(url, client)?;
        clock.register().await?;
        Ok(clock)
    }

    /// A client that is not registered yet: it may look at the clock, and nobody waits for it.
    ///
    /// # Errors
    ///
    /// A URL that is none or not on loopback.
    pub fn new(url: &str, client: &str) -> Result<Self, SimClockError> {
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
        Ok(Self {
            url,
            client: client.to_owned(),
            http,
        })
    }

    /// From now on the clock stands until this client sleeps or leaves. A restarted program takes its old place by its
    /// old name.
    ///
    /// # Errors
    ///
    /// The simulator does not answer, or has no place for this client.
    pub async fn register(&self) -> Result<(), SimClockError> {
        // A wait for an instant that has come registers without waiting.
        self.sleep_until(Timestamp::UNIX_EPOCH).await.map(|_now| ())
    }

    /// How fast the clock runs. Registers nobody.
    ///
    /// # Errors
    ///
    /// The simulator does not answer, or not as a clock.
    pub async fn pace(&self) -> Result<Pace, SimClockError> {
        let path = "/_sim/clock";
        let request = self.http.get(self.at(path)).timeout(ANSWER_TIMEOUT);
        let answer = self.answer(path, request).await?;
        let speed = answer.get("speed");
        let times = speed.and_then(Value::as_u64).map(u32::try_from);
        match (speed.and_then(Value::as_str), times) {
            (Some("max"), _) => Ok(Pace::AsClientsLetIt),
            (None, Some(Ok(times))) => Ok(Pace::Times(times)),
            _ => Err(self.garbled(path, &answer.to_string())),
        }
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
        let answer = self.answer(path, request).await?;
        let now = answer.get("now").and_then(Value::as_str);
        now.and_then(|now| now.parse().ok())
            .ok_or_else(|| self.garbled(path, &answer.to_string()))
    }

    /// Sends, and reads the answer, which is JSON.
    async fn answer(
        &self,
        path: &'static str,
        request: reqwest::RequestBuilder,
    ) -> Result<Value, SimClockError> {
        let unreachable = |cause| SimClockError::Unreachable {
            url: self.url.to_string(),
            path,
            cause,
        };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let answer = response.text().await.map_err(unreachable)?;
        let parsed: Option<Value> = serde_json::from_str(&answer).ok();
        if !status.is_success() {
            let error = parsed.as_ref().and_then(|it| it.get("error")?.as_str());
            return Err(SimClockError::Refused {
                path,
                status: status.as_u16(),
                message: error.unwrap_or(&answer).to_owned(),
            });
        }
        parsed.ok_or_else(|| self.garbled(path, &answer))
    }

    fn garbled(&self, path: &'static str, answer: &str) -> SimClockError {
        SimClockError::Garbled {
            url: self.url.to_string(),
            path,
            answer: answer.chars().take(200).collect(),
        }
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
