//! Whom to tell, and how to reach them without a secret in the file.

use std::path::Path;

use super::{
    Overrides,
    fault::{Fault, Wrong, nearest},
    files,
    rules::severities,
    sheet::{Entry, Section, Sheet},
    values::{self, Arn},
};
use crate::model::{
    ids::ReceiverName,
    policy::{Account, Receiver, Route},
    rule::Severity,
};

/// A longer secret is no webhook.
const MOST_URL_CHARACTERS: usize = 2_000;

/// Receivers by name, `None` where the table is faulty: its routes are not faulty for that reason, too.
pub(super) type Receivers = std::collections::BTreeMap<ReceiverName, Option<Receiver>>;

/// Where relative paths start, and what references refer to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) folder: &'a Path,
    pub(super) overrides: &'a Overrides,
    pub(super) accounts: &'a [Account],
}

/// All `[receiver.NAME]` tables.
pub(super) fn read_all(
    sheet: &mut Sheet,
    section: Section<'_>,
    around: Surroundings<'_>,
) -> Receivers {
    let mut receivers = Receivers::new();
    for (name, span, entry) in section.names() {
        if let Err(wrong) = receiver_name(&name) {
            sheet.fault(span, &entry.path, wrong);
        }
        let receiver = sheet
            .table(&entry)
            .and_then(|table| read(sheet, table, around));
        receivers.insert(ReceiverName::new(name), receiver);
    }
    receivers
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Sns,
    Slack,
}

fn read(sheet: &mut Sheet, mut table: Section<'_>, around: Surroundings<'_>) -> Option<Receiver> {
    let kinds = [("sns", Kind::Sns), ("slack", Kind::Slack)];
    let kind = table.take("kind").and_then(|it| sheet.choice(&it, &kinds));
    let Some(kind) = sheet.require(&table, "kind", "\"sns\"", kind) else {
        return None; // which other keys are known depends on the kind
    };
    let receiver = match kind {
        Kind::Sns => sns(sheet, &mut table, around.accounts),
        Kind::Slack => slack(sheet, &mut table, around),
    };
    table.finish(sheet);
    receiver
}

fn sns(sheet: &mut Sheet, table: &mut Section<'_>, accounts: &[Account]) -> Option<Receiver> {
    let entry = table.take("topic_arn");
    let arn = entry
        .as_ref()
        .and_then(|it| sheet.parsed(it, values::topic_arn));
    let example = "\"arn:aws:sns:us-east-1:111122223333:on-call\"";
    let Arn { account, text, .. } = sheet.require(table, "topic_arn", example, arn)?;
    let is_watched = accounts.is_empty() || accounts.iter().any(|it| it.id == account);
    if let (false, Some(entry)) = (is_watched, entry) {
        let wrong = Wrong::new(
            format!("the topic is in account {account}, which is not among the [[account]] tables"),
            "with no credentials for it",
            format!("add [[account]] with id = \"{account}\", or use a topic of a watched account"),
        );
        sheet.wrong(&entry, wrong);
        return None;
    }
    Some(Receiver::Sns { topic_arn: text })
}

fn slack(sheet: &mut Sheet, table: &mut Section<'_>, around: Surroundings<'_>) -> Option<Receiver> {
    let file = "/etc/bedrock-ops-alert/slack-url";
    Some(Receiver::Slack {
        url: secret_url(sheet, table, around, Some(file))?,
    })
}

/// A URL that is a secret: `url_file`, or `url` where it is a reference. Without an example it may be left out.
pub(super) fn secret_url(
    sheet: &mut Sheet,
    table: &mut Section<'_>,
    around: Surroundings<'_>,
    example: Option<&str>,
) -> Option<String> {
    let (literal, file) = (table.take("url"), table.take("url_file"));
    match (literal, file) {
        (None, None) => {
            let example = format!("\"{}\"", example?);
            sheet.require(table, "url_file", &example, None)
        }
        (Some(literal), Some(_)) => {
            let wrong = Wrong::new(
                "`url` and `url_file` exclude each other",
                "one of the two",
                "keep `url_file`",
            );
            sheet.wrong(&literal, wrong);
            None
        }
        (Some(entry), None) => from_text(sheet, &entry, around),
        (None, Some(entry)) => {
            let path = sheet.text(&entry)?;
            if path.starts_with("credential:") {
                from_text(sheet, &entry, around)
            } else {
                from_file(sheet, &entry, &around.folder.join(path))
            }
        }
    }
}

/// `credential:NAME`, or a webhook on this machine: that of the simulated AWS, which is no secret.
fn from_text(sheet: &mut Sheet, entry: &Entry<'_>, around: Surroundings<'_>) -> Option<String> {
    let text = sheet.text(entry)?;
    if let Some(name) = text.strip_prefix("credential:") {
        let Some(folder) = &around.overrides.credentials else {
            let wrong = Wrong::new(
                "no credentials were handed to this process",
                "refers to a systemd credential",
                "start it by systemd with LoadCredential=, or use `url_file = \"/path\"`",
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
        return from_file(sheet, entry, &folder.join(name));
    }
    if is_loopback_url(text) {
        return Some(text.to_owned());
    }
    let wrong = Wrong::new(
        "a webhook URL is a secret and does not belong in this file",
        "whoever has it can post in your name",
        "put it into a file of its own and write url_file = \"/path/to/it\" or url = \"credential:NAME\"; only a \
         webhook on loopback, that of the simulated AWS, may stand here",
    );
    sheet.wrong(entry, wrong);
    None
}

fn from_file(sheet: &mut Sheet, entry: &Entry<'_>, path: &Path) -> Option<String> {
    let text = match files::read(path, "secret file") {
        Ok(text) => text,
        Err(fault) => {
            sheet.wrong(entry, as_wrong(&fault));
            return None;
        }
    };
    let url = text.trim();
    let is_url = url.starts_with("https://") || is_loopback_url(url);
    if is_url && url.chars().count() <= MOST_URL_CHARACTERS && !url.contains(char::is_whitespace) {
        return Some(url.to_owned());
    }
    let wrong = Wrong::new(
        format!("the file {} does not hold a webhook URL", path.display()),
        "its content is not shown, since it may be a secret",
        "one line that starts with https://",
    );
    sheet.wrong(entry, wrong);
    None
}

fn as_wrong(fault: &Fault) -> Wrong {
    Wrong::new(
        fault.message(),
        "named here",
        fault.help_text().unwrap_or_default(),
    )
}

/// `http://127.0.0.1:PORT/…` and its kin. A user part would make another host look like this one.
fn is_loopback_url(text: &str) -> bool {
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
    values::loopback(authority).is_ok()
}

fn receiver_name(name: &str) -> Result<(), Wrong> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=60).contains(&name.len()) && name.bytes().all(is_fine) {
        return Ok(());
    }
    Err(Wrong::new(
        "must be 1 to 60 letters, digits, dashes and underscores",
        "not a name",
        "such as [receiver.on-call]",
    ))
}

/// All `[[route]]` tables, in the order of the file.
pub(super) fn routes(
    sheet: &mut Sheet,
    sections: Vec<Section<'_>>,
    receivers: &Receivers,
) -> Vec<Route> {
    let mut routes = Vec::new();
    for mut section in sections {
        let entry = section.take("receiver");
        let name = entry.as_ref().and_then(|it| {
            let known = receivers.keys().map(ReceiverName::as_str);
            sheet.parsed(it, |text| known_receiver(text, known.collect()))
        });
        let name = sheet.require(&section, "receiver", "\"on-call\"", name);
        let least = section
            .take("severity")
            .map(|it| sheet.choice(&it, &severities()));
        section.finish(sheet);
        // A route without a severity hears what is worth getting up for.
        let least = least.unwrap_or(Some(Severity::Warning));
        if let (Some(receiver), Some(least)) = (name, least) {
            routes.push(Route { receiver, least });
        }
    }
    routes
}

fn known_receiver(text: &str, known: Vec<&str>) -> Result<ReceiverName, Wrong> {
    if known.contains(&text) {
        return Ok(ReceiverName::new(text));
    }
    let all = known.join(", ");
    let help = match nearest(text, known) {
        Some(name) => format!("did you mean \"{name}\"?"),
        None if all.is_empty() => format!("add [receiver.{text}]"),
        None => format!("receivers in this file: {all}"),
    };
    Err(Wrong::new(
        "no receiver has this name",
        "unknown receiver",
        help,
    ))
}
