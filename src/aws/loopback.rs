//! Whether calls stay on this machine: a daemon on simulated time must never reach the real AWS.

use std::net::IpAddr;

/// Calls would leave this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLoopback {
    /// Without it, calls go to AWS.
    #[error(
        "AWS_ENDPOINT_URL is not set, so calls would go to the real AWS; \
         set it to the simulated one, such as http://127.0.0.1:4566"
    )]
    Missing,
    /// It names another machine.
    #[error(
        "{variable} is `{value}`, which is not on this machine; use 127.0.0.1, [::1] or localhost"
    )]
    Elsewhere {
        /// The variable.
        variable: String,
        /// Its value.
        value: String,
    },
    /// All the others are without effect.
    #[error(
        "{variable} is set, so every endpoint is ignored and calls would go to the real AWS; unset it"
    )]
    Ignored {
        /// The variable.
        variable: String,
    },
    /// The profile turns the endpoints off.
    #[error(
        "AWS_ENDPOINT_URL is set and not in force; is `ignore_configured_endpoint_urls` set in the profile?"
    )]
    NotInForce,
}

const GENERAL: &str = "AWS_ENDPOINT_URL";
const IGNORE: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";

/// Whether every endpoint that the environment puts in force is on loopback.
///
/// # Errors
/// Names the first variable that is missing, points elsewhere, or turns the endpoints off.
pub fn endpoints_are_loopback() -> Result<(), NotLoopback> {
    // A name or value that is not Unicode names no endpoint of ours.
    check(std::env::vars_os().map(|(name, value)| {
        (
            name.to_string_lossy().into_owned(),
            value.to_string_lossy().into_owned(),
        )
    }))
}

fn check(variables: impl Iterator<Item = (String, String)>) -> Result<(), NotLoopback> {
    let mut variables: Vec<_> = variables.collect();
    variables.sort();
    let mut is_general_set = false;
    for (variable, value) in variables {
        if variable == IGNORE && value.eq_ignore_ascii_case("true") {
            return Err(NotLoopback::Ignored { variable });
        }
        let is_endpoint = variable == GENERAL || variable.starts_with("AWS_ENDPOINT_URL_");
        if !is_endpoint || value.is_empty() {
            continue;
        }
        if !is_loopback(&value) {
            return Err(NotLoopback::Elsewhere { variable, value });
        }
        is_general_set |= variable == GENERAL;
    }
    if is_general_set {
        Ok(())
    } else {
        Err(NotLoopback::Missing)
    }
}

/// Whether the endpoint that the SDK settled on is on loopback: the profile has a say too.
pub(super) fn effective(endpoint: Option<&str>) -> Result<(), NotLoopback> {
    match endpoint {
        None => Err(NotLoopback::NotInForce),
        Some(url) if is_loopback(url) => Ok(()),
        Some(url) => Err(NotLoopback::Elsewhere {
            variable: GENERAL.to_owned(),
            value: url.to_owned(),
        }),
    }
}

fn is_loopback(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else {
        return false;
    };
    let Some(host) = url.host_str() else {
        return false;
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_pairs(pairs: &[(&str, &str)]) -> Result<(), NotLoopback> {
        check(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    #[test]
    fn only_loopback_passes() {
        for url in [
            "http://127.0.0.1:4566",
            "http://localhost:1",
            "http://[::1]:80/x",
            "http://127.9.9.9",
        ] {
            assert_eq!(check_pairs(&[(GENERAL, url)]), Ok(()), "{url}");
        }
        for url in [
            "http://10.0.0.1",
            "https://support.us-east-1.amazonaws.com",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@example.com",
            "http://localhost.example.com",
            "http://0.0.0.0:80",
            "127.0.0.1:80",
        ] {
            assert!(check_pairs(&[(GENERAL, url)]).is_err(), "{url}");
        }
    }

    #[test]
    fn the_offending_variable_is_named() {
        let good = (GENERAL, "http://127.0.0.1:1");
        assert_eq!(check_pairs(&[]), Err(NotLoopback::Missing));
        assert_eq!(check_pairs(&[(GENERAL, "")]), Err(NotLoopback::Missing));
        let only_one = [("AWS_ENDPOINT_URL_SUPPORT", "http://127.0.0.1:1")];
        assert_eq!(check_pairs(&only_one), Err(NotLoopback::Missing));
        let astray = check_pairs(&[good, ("AWS_ENDPOINT_URL_SUPPORT", "https://a.example")]);
        assert!(
            astray
                .unwrap_err()
                .to_string()
                .starts_with("AWS_ENDPOINT_URL_SUPPORT is")
        );
        let off = check_pairs(&[good, (IGNORE, "True")]);
        assert!(off.unwrap_err().to_string().starts_with(IGNORE));
        assert_eq!(check_pairs(&[good, (IGNORE, "false")]), Ok(()));
    }

    #[test]
    fn the_profile_may_turn_endpoints_off() {
        assert_eq!(effective(None), Err(NotLoopback::NotInForce));
        assert_eq!(effective(Some("http://127.0.0.1:9")), Ok(()));
        assert!(effective(Some("https://example.com")).is_err());
    }
}
