//! What is only referred to: `KEY_file = "PATH"`, or `KEY = "credential:NAME"` for a credential that systemd hands over,
//! or `KEY = "env:NAME"` for a variable of the environment, where there are neither files nor systemd.

use std::path::Path;

use super::receivers::Surroundings;
use crate::{
    config::{
        fault::{Fault, Wrong},
        files,
        sheet::{Entry, Section, Sheet},
        values,
    },
    model::policy::Secret,
};

/// A longer one is none.
const MOST_CHARACTERS: usize = 2_000;

/// A kind of secret: where it is written and what it looks like.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) key: &'static str,
    pub(super) file_key: &'static str,
    pub(super) example: &'static str,
    /// With its article.
    what: &'static str,
    /// What whoever has it can do.
    danger: &'static str,
    /// What the one line of the file looks like.
    shape: &'static str,
    is_right: fn(&str) -> bool,
    /// Whether it is an address, of which one on this machine is no secret.
    is_url: bool,
}

pub(super) const WEBHOOK_URL: Kind = Kind {
    key: "url",
    file_key: "url_file",
    example: "\"/etc/bedrock-ops-alert/slack-url\"",
    what: "a webhook URL",
    danger: "whoever has it can post in your name",
    shape: "one line that starts with https:// (a host with other letters than ASCII as xn--…)",
    is_right: |text| text.starts_with("https://") && text.is_ascii(),
    is_url: true,
};
pub(super) const HEARTBEAT_URL: Kind = Kind {
    key: "url",
    file_key: "url_file",
    example: "\"/etc/bedrock-ops-alert/heartbeat-url\"",
    what: "a heartbeat URL",
    danger: "whoever has it can say that all is well",
    shape: "one line that starts with https:// (a host with other letters than ASCII as xn--…)",
    is_right: |text| text.starts_with("https://") && text.is_ascii(),
    is_url: true,
};
pub(super) const SLACK_TOKEN: Kind = Kind {
    key: "token",
    file_key: "token_file",
    example: "\"/etc/bedrock-ops-alert/slack-token\"",
    what: "a Slack token",
    danger: "whoever has it can post in your name",
    shape: "one line that starts with xoxb-: the bot user's token",
    is_right: |text| text.starts_with("xoxb-"),
    is_url: false,
};
pub(super) const SLACK_APP_TOKEN: Kind = Kind {
    key: "app_token",
    file_key: "app_token_file",
    example: "\"/etc/bedrock-ops-alert/slack-app-token\"",
    what: "a Slack app's token",
    danger: "whoever has it hears what is pressed, in our place",
    shape: "one line that starts with xapp-: an app-level token with the scope connections:write",
    is_right: |text| text.starts_with("xapp-"),
    is_url: false,
};
pub(super) const ROUTING_KEY: Kind = Kind {
    key: "routing_key",
    file_key: "routing_key_file",
    example: "\"/etc/bedrock-ops-alert/pagerduty-key\"",
    what: "a PagerDuty routing key",
    danger: "whoever has it can page in your name",
    shape: "one line of 32 letters and digits: the integration key of an Events API v2 integration",
    is_right: |text| text.len() == 32 && text.bytes().all(|it| it.is_ascii_alphanumeric()),
    is_url: false,
};
pub(super) const KEY: Kind = Kind {
    key: "secret",
    file_key: "secret_file",
    example: "\"/etc/bedrock-ops-alert/webhook-secret\"",
    what: "a signing secret",
    danger: "whoever has it can sign in your name",
    shape: "one line: `whsec_` and base64 of 24 to 64 bytes, or a text of 24 to 200 characters",
    is_right: is_key,
    is_url: false,
};
pub(super) const BEARER: Kind = Kind {
    key: "token",
    file_key: "token_file",
    example: "\"/etc/bedrock-ops-alert/alertmanager-token\"",
    what: "a token",
    danger: "whoever has it can act in your name",
    shape: "one line of printable characters: what follows `Bearer` in the header",
    is_right: |text| !text.is_empty() && text.bytes().all(|it| it.is_ascii_graphic()),
    is_url: false,
};

pub(super) const VIEW_TOKEN: Kind = Kind {
    key: "token",
    file_key: "token_file",
    example: "\"/etc/bedrock-ops-alert/page-token\"",
    what: "the page's token",
    danger: "whoever has it can read all that the page shows",
    shape: "one line of 32 or more printable characters: `openssl rand -hex 32` makes one",
    is_right: is_long,
    is_url: false,
};
pub(super) const ACT_TOKEN: Kind = Kind {
    key: "act_token",
    file_key: "act_token_file",
    example: "\"/etc/bedrock-ops-alert/act-token\"",
    what: "a token to decide with",
    danger: "whoever has it can approve what waits, silence alerts and stop writes",
    shape: "one line of 32 or more printable characters: `openssl rand -hex 32` makes one",
    is_right: is_long,
    is_url: false,
};

fn is_long(text: &str) -> bool {
    32 <= text.len() && text.bytes().all(|it| it.is_ascii_graphic())
}

fn is_key(text: &str) -> bool {
    match text.strip_prefix("whsec_") {
        Some(encoded) => data_encoding::BASE64
            .decode(encoded.as_bytes())
            .is_ok_and(|key| (24..=64).contains(&key.len())),
        None => (24..=200).contains(&text.chars().count()),
    }
}

/// The secret, if one of the two keys is there; nothing at all for a fault.
#[expect(clippy::option_option, reason = "a fault is not an absence")]
pub(super) fn read(
    sheet: &mut Sheet,
    table: &mut Section<'_>,
    kind: &Kind,
    around: Surroundings<'_>,
) -> Option<Option<Secret>> {
    let (literal, file) = (table.take(kind.key), table.take(kind.file_key));
    let secret = match (literal, file) {
        (None, None) => return Some(None),
        (Some(literal), Some(_)) => {
            let (key, file_key) = (kind.key, kind.file_key);
            let wrong = Wrong::new(
                format!("`{key}` and `{file_key}` exclude each other"),
                "one of the two",
                format!("keep `{file_key}`"),
            );
            sheet.wrong(&literal, wrong);
            return None;
        }
        (Some(entry), None) => from_text(sheet, &entry, kind, around),
        (None, Some(entry)) => {
            let path = sheet.text(&entry)?;
            if is_reference(path) {
                from_text(sheet, &entry, kind, around)
            } else {
                let whole = around.folder.join(path);
                from_file(sheet, &entry, kind, &whole).map(|it| it.from_origin(path))
            }
        }
    }?;
    Some(Some(secret))
}

/// Whether it says where a secret is, so that it is none itself.
pub(super) fn is_reference(text: &str) -> bool {
    text.starts_with("credential:") || text.starts_with("env:")
}

/// `credential:NAME`, `env:NAME`, or an address on this machine: that of the simulated AWS, which is no secret.
fn from_text(
    sheet: &mut Sheet,
    entry: &Entry<'_>,
    kind: &Kind,
    around: Surroundings<'_>,
) -> Option<Secret> {
    let text = sheet.text(entry)?;
    let read = if let Some(name) = text.strip_prefix("credential:") {
        from_credential(sheet, entry, (kind, name), around)
    } else if let Some(name) = text.strip_prefix("env:") {
        from_variable(sheet, entry, (kind, name), around)
    } else if kind.is_url && is_loopback_url(text) {
        return Some(Secret::new(text));
    } else {
        sheet.wrong(entry, literal(kind));
        None
    };
    read.map(|it| it.from_origin(text))
}

/// What is wrong with a secret that stands in the file.
fn literal(kind: &Kind) -> Wrong {
    let (key, file_key) = (kind.key, kind.file_key);
    let but = if kind.is_url {
        "; only a webhook on loopback, that of the simulated AWS, may stand here"
    } else {
        ""
    };
    Wrong::new(
        format!("{} is a secret and does not belong in this file", kind.what),
        kind.danger,
        format!(
            "put it into a file of its own and write {file_key} = \"/path/to/it\", or {key} = \"credential:NAME\", or {key} = \"env:NAME\"{but}"
        ),
    )
}

fn from_credential(
    sheet: &mut Sheet,
    entry: &Entry<'_>,
    (kind, name): (&Kind, &str),
    around: Surroundings<'_>,
) -> Option<Secret> {
    let Some(folder) = &around.overrides.credentials else {
        let file_key = kind.file_key;
        let wrong = Wrong::new(
            "no credentials were handed to this process",
            "refers to a systemd credential",
            format!("start it by systemd with LoadCredential=, or use `{file_key} = \"/path\"`"),
        );
        sheet.wrong(entry, wrong);
        return None;
    };
    if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
        let wrong = Wrong::new(
            "must be credential:NAME",
            "not the name of a credential",
            "the name that LoadCredential= gives it, without a path",
        );
        sheet.wrong(entry, wrong);
        return None;
    }
    from_file(sheet, entry, kind, &folder.join(name))
}

fn from_variable(
    sheet: &mut Sheet,
    entry: &Entry<'_>,
    (kind, name): (&Kind, &str),
    around: Surroundings<'_>,
) -> Option<Secret> {
    let is_letter = |it: char| it.is_ascii_alphanumeric() || it == '_';
    if name.is_empty()
        || !name.chars().all(is_letter)
        || name.starts_with(|it: char| it.is_ascii_digit())
    {
        let wrong = Wrong::new(
            "must be env:NAME",
            "not the name of a variable",
            "letters, digits and _, such as env:SLACK_URL; the secret itself has no place here",
        );
        sheet.wrong(entry, wrong);
        return None;
    }
    let value = around.overrides.environment.get(name);
    let wrong = match value.map(|it| it.expose().trim()) {
        None => Wrong::new(
            format!("the variable {name} is not set"),
            "refers to the environment of this process",
            format!(
                "set {name} where the service is started (on ECS: `secrets` of the container), and start it again"
            ),
        ),
        Some("") => Wrong::new(
            format!("the variable {name} is empty"),
            "refers to the environment of this process",
            format!("it holds {}", kind.shape),
        ),
        Some(text) => return checked(sheet, entry, kind, (text, &format!("variable {name}"))),
    };
    sheet.wrong(entry, wrong);
    None
}

fn from_file(sheet: &mut Sheet, entry: &Entry<'_>, kind: &Kind, path: &Path) -> Option<Secret> {
    match files::read(path, "secret file") {
        Ok(text) => {
            let place = format!("file {}", path.display());
            checked(sheet, entry, kind, (text.trim(), &place))
        }
        Err(fault) => {
            sheet.wrong(entry, as_wrong(&fault));
            None
        }
    }
}

/// The secret that was found there, if it looks like one.
fn checked(
    sheet: &mut Sheet,
    entry: &Entry<'_>,
    kind: &Kind,
    (secret, place): (&str, &str),
) -> Option<Secret> {
    let is_right = (kind.is_right)(secret) || (kind.is_url && is_loopback_url(secret));
    // A character that acts would end up in a header; one that replaces what was no UTF-8 is not what was meant.
    let is_bad =
        |it: char| it.is_whitespace() || it.is_control() || it == char::REPLACEMENT_CHARACTER;
    if is_right && !secret.contains(is_bad) && secret.chars().count() <= MOST_CHARACTERS {
        return Some(Secret::new(secret));
    }
    let wrong = Wrong::new(
        format!("the {place} does not hold {}", kind.what),
        "its content is not shown, since it may be a secret",
        kind.shape,
    );
    sheet.wrong(entry, wrong);
    None
}

pub(super) fn as_wrong(fault: &Fault) -> Wrong {
    Wrong::new(
        fault.message(),
        "named here",
        fault.help_text().unwrap_or_default(),
    )
}

/// `http://127.0.0.1:PORT/…` and its kin. A user part would make another host look like this one.
pub(super) fn is_loopback_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("http://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if authority.starts_with("localhost:") {
        return authority
            .trim_start_matches("localhost:")
            .parse::<u16>()
            .is_ok();
    }
    let address = values::address(authority);
    address.is_ok_and(|it| it.ip().is_loopback())
}
