//! The service of this machine, as its package installs it: what a command takes that was told nothing else.
//!
//! Whoever types `status` or `doctor` on the host means that service. Not `run`, which would be a second one beside it, and
//! not `demo`, `sim` and `test`, which are about something else.

use std::path::{Path, PathBuf};

use super::{
    args::DAEMON_URL,
    remote::{Token, with_token},
};

/// Where the unit has its configuration.
const CONFIG: &str = "/etc/bedrock-ops-alert/config.toml";
/// Names another file instead; empty for none.
const ELSEWHERE: &str = "BOA_HOST_CONFIG";

/// The configuration of the service of this machine, where there is one.
pub(super) fn config() -> Option<PathBuf> {
    let path = std::env::var_os(ELSEWHERE).map_or_else(|| PathBuf::from(CONFIG), PathBuf::from);
    path.is_file().then_some(path)
}

/// Where the service of this machine is asked, and with which token, as far as whoever asks may read that.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) url: String,
    pub(super) token: Option<Token>,
}

impl Host {
    /// What its configuration says; what is not said there, or can't be read, is as where nothing is configured.
    pub(super) fn of_this_machine() -> Self {
        let path = config();
        let text = path
            .as_ref()
            .and_then(|it| std::fs::read_to_string(it).ok());
        let folder = path.as_deref().and_then(Path::parent);
        Self::of(&text.unwrap_or_default(), folder.unwrap_or(Path::new("/")))
    }

    /// Only what is asked for is read of it: whether the rest is right is for `check` to say.
    fn of(text: &str, folder: &Path) -> Self {
        let table: Option<toml::Table> = text.parse().ok();
        let listen = table.as_ref().and_then(|it| it.get("listen")?.as_table());
        let said = |key: &str| listen.and_then(|it| it.get(key)?.as_str());
        // Whoever may decide may look as well.
        let mut files = ["act_token_file", "token_file"]
            .into_iter()
            .filter_map(said);
        let token = files.find_map(|file| {
            let path = folder.join(file);
            Token::in_file(path.to_str()?).ok()
        });
        Self {
            url: said("address")
                .and_then(url)
                .unwrap_or_else(|| DAEMON_URL.to_owned()),
            token,
        }
    }
}

/// The address that is given, with its token; where none is, that of the service of this machine. Its token goes nowhere
/// else.
pub(super) fn address(url: Option<&str>, token: Option<&Token>) -> String {
    if let Some(url) = url {
        return with_token(url, token);
    }
    let host = Host::of_this_machine();
    with_token(&host.url, token.or(host.token.as_ref()))
}

/// How this machine reaches a listener at that address: one that listens everywhere listens on loopback.
fn url(address: &str) -> Option<String> {
    let address: std::net::SocketAddr = address.parse().ok()?;
    let port = address.port();
    Some(match (address.ip().is_unspecified(), address.is_ipv6()) {
        (true, true) => format!("http://[::1]:{port}"),
        (true, false) => format!("http://127.0.0.1:{port}"),
        (false, _) => format!("http://{address}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_asked_where_its_configuration_says() {
        let folder = std::env::temp_dir().join(format!("boa-host-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("page-token"), "a".repeat(64)).unwrap();
        let of = |listen: &str| {
            let host = Host::of(&format!("[listen]\n{listen}\n"), &folder);
            (host.url, host.token.is_some())
        };
        let at = |url: &str, has_token| (url.to_owned(), has_token);
        assert_eq!(of(""), at(DAEMON_URL, false));
        assert_eq!(
            of("address = \"127.0.0.1:7000\""),
            at("http://127.0.0.1:7000", false)
        );
        assert_eq!(
            of("address = \"0.0.0.0:7000\""),
            at("http://127.0.0.1:7000", false)
        );
        assert_eq!(
            of("address = \"[::]:7000\""),
            at("http://[::1]:7000", false)
        );
        assert_eq!(
            of("address = \"10.0.0.4:7000\""),
            at("http://10.0.0.4:7000", false)
        );
        assert_eq!(of("token_file = \"page-token\""), at(DAEMON_URL, true));
        let both = "token_file = \"page-token\"\nact_token_file = \"not-mine-to-read\"";
        assert_eq!(
            of(both),
            at(DAEMON_URL, true),
            "who may not decide may look"
        );
        assert_eq!(of("address = \"nonsense\""), at(DAEMON_URL, false));
        let broken = Host::of("mode = ", &folder);
        assert_eq!(
            (broken.url.as_str(), broken.token.is_some()),
            (DAEMON_URL, false)
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
