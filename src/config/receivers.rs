//! Whom to tell, and how to reach them without a secret in the file.
//!
//! `routes` says who hears what, and who hears instead.

mod routes;

use std::path::Path;

pub(super) use routes::{DIGEST, check_fallbacks, digests, routes};

use super::{
    Overrides,
    fault::Wrong,
    files,
    secret::{
        self, BEARER, HEARTBEAT_URL, KEY, ROUTING_KEY, SLACK_APP_TOKEN, SLACK_TOKEN, WEBHOOK_URL,
    },
    sheet::{Section, Sheet},
    values::{self, Arn},
};
use crate::{
    model::{
        ids::ReceiverName,
        policy::{Account, Fallback, Receiver, Secret, Template},
        receiver::{Buttons, Form, TopicFormat},
    },
    template,
};

/// Where Slack's Web API is.
const SLACK_API: &str = "https://slack.com/api";
/// Where PagerDuty takes events: its service regions, by their names in TOML.
pub(super) const PAGERDUTY: [(&str, &str); 2] = [
    ("us", "https://events.pagerduty.com/v2/enqueue"),
    ("eu", "https://events.eu.pagerduty.com/v2/enqueue"),
];
/// How long a receiver may fail before its fallback hears.
pub(super) const FALLBACK_MINUTES: i64 = 5;

/// One `[receiver.NAME]` table.
#[derive(Debug)]
pub(super) struct Read {
    /// `None` where the table is faulty: its routes are not faulty for that reason, too.
    pub(super) receiver: Option<Receiver>,
    /// In whose words it hears, where not in ours.
    pub(super) template: Option<Template>,
    pub(super) fallback: Option<Fallback>,
    /// Which keys are written of those that have a default.
    written: Vec<&'static str>,
    /// Where the fallback is written.
    fallback_at: Option<(std::ops::Range<usize>, String)>,
}

impl Read {
    /// The paths of those keys that are written here and have a default.
    pub(super) fn written<'a>(&'a self, name: &'a ReceiverName) -> impl Iterator<Item = String> {
        let keys = self.written.iter();
        keys.map(move |key| format!("receiver.{name}.{key}"))
    }
}

/// Receivers by name.
pub(super) type Receivers = std::collections::BTreeMap<ReceiverName, Read>;

/// What each of them has, of those that have it.
pub(super) fn each<T>(
    receivers: &Receivers,
    of: impl Fn(&Read) -> Option<T>,
) -> std::collections::BTreeMap<ReceiverName, T> {
    let all = receivers.iter();
    all.filter_map(|(name, it)| Some((name.clone(), of(it)?)))
        .collect()
}

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
        let read = match sheet.table(&entry) {
            Some(table) => read(sheet, table, around),
            None => Read {
                receiver: None,
                template: None,
                fallback: None,
                written: Vec::new(),
                fallback_at: None,
            },
        };
        receivers.insert(ReceiverName::new(name), read);
    }
    receivers
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Sns,
    Slack,
    SlackBot,
    PagerDuty,
    Webhook,
    Alertmanager,
}

const KINDS: [(&str, Kind); 6] = [
    ("sns", Kind::Sns),
    ("slack", Kind::Slack),
    ("slack-bot", Kind::SlackBot),
    ("pagerduty", Kind::PagerDuty),
    ("webhook", Kind::Webhook),
    ("alertmanager", Kind::Alertmanager),
];

fn read(sheet: &mut Sheet, mut table: Section<'_>, around: Surroundings<'_>) -> Read {
    let kind = table.take("kind").and_then(|it| sheet.choice(&it, &KINDS));
    let kind = sheet.require(&table, "kind", "\"sns\"", kind);
    let defaulted = ["fallback_after", "format"].into_iter();
    let written: Vec<&'static str> = defaulted.filter(|it| table.has(it)).collect();
    let (fallback, fallback_at) = fallback(sheet, &mut table);
    let Some(kind) = kind else {
        // Which other keys are known depends on the kind.
        return Read {
            receiver: None,
            template: None,
            fallback,
            written,
            fallback_at,
        };
    };
    let mut reader = Reader {
        sheet,
        table: &mut table,
        around,
    };
    let receiver = match kind {
        Kind::Sns => reader.sns(),
        Kind::Slack => reader.slack(),
        Kind::SlackBot => reader.slack_bot(),
        Kind::PagerDuty => reader.pagerduty(),
        Kind::Webhook => reader.webhook(),
        Kind::Alertmanager => reader.alertmanager(),
    };
    let template = match kind {
        Kind::Sns => reader.topic_template(receiver.as_ref()),
        Kind::Slack | Kind::SlackBot => reader.template(Form::Text),
        Kind::Webhook => reader.template(Form::Json),
        Kind::PagerDuty | Kind::Alertmanager => None,
    };
    table.finish(sheet);
    Read {
        receiver,
        template,
        fallback,
        written,
        fallback_at,
    }
}

/// Who hears instead, as it is written; whether there is such a receiver is checked once all are read.
fn fallback(
    sheet: &mut Sheet,
    table: &mut Section<'_>,
) -> (Option<Fallback>, Option<(std::ops::Range<usize>, String)>) {
    let entry = table.take("fallback");
    let wait = table.take("fallback_after");
    let minutes = wait.as_ref().map(|it| sheet.parsed(it, values::minutes));
    let Some(entry) = entry else {
        if let Some(wait) = wait {
            let wrong = Wrong::new(
                "says when the fallback hears, and there is none",
                "no `fallback` in this table",
                "add fallback = \"NAME\", the name of another receiver, or leave this out",
            );
            sheet.wrong(&wait, wrong);
        }
        return (None, None);
    };
    let name = sheet.text(&entry).map(ReceiverName::new);
    let fallback = name.map(|receiver| Fallback {
        receiver,
        after_minutes: minutes.flatten().unwrap_or(FALLBACK_MINUTES),
    });
    (fallback, Some((entry.span(), entry.path)))
}

/// A table of a known kind.
struct Reader<'r, 't> {
    sheet: &'r mut Sheet,
    table: &'r mut Section<'t>,
    around: Surroundings<'r>,
}

impl Reader<'_, '_> {
    fn sns(&mut self) -> Option<Receiver> {
        let format = self.table.take("format");
        let formats = TopicFormat::ALL.map(|it| (it.name(), it));
        let format = format.map(|it| self.sheet.choice(&it, &formats));
        let (sheet, table) = (&mut *self.sheet, &mut *self.table);
        let accounts = self.around.accounts;
        let entry = table.take("topic_arn");
        let arn = entry
            .as_ref()
            .and_then(|it| sheet.parsed(it, values::topic_arn));
        let example = "\"arn:aws:sns:us-east-1:111122223333:on-call\"";
        let Arn { account, text, .. } = sheet.require(table, "topic_arn", example, arn)?;
        let is_watched = accounts.is_empty() || accounts.iter().any(|it| it.id == account);
        if let (false, Some(entry)) = (is_watched, entry) {
            let wrong = Wrong::new(
                format!(
                    "the topic is in account {account}, which is not among the [[account]] tables"
                ),
                "with no credentials for it",
                format!(
                    "add [[account]] with id = \"{account}\", or use a topic of a watched account"
                ),
            );
            sheet.wrong(&entry, wrong);
            return None;
        }
        Some(Receiver::Sns {
            topic_arn: text,
            format: format.unwrap_or(Some(TopicFormat::Text))?,
        })
    }

    /// A template makes a text, and the other formats have a text among other things.
    fn topic_template(&mut self, receiver: Option<&Receiver>) -> Option<Template> {
        let is_text = |it: &Receiver| {
            matches!(
                it,
                Receiver::Sns {
                    format: TopicFormat::Text,
                    ..
                }
            )
        };
        if receiver.is_none_or(is_text) {
            return self.template(Form::Text);
        }
        let entry = self.table.take("template_file")?;
        let wrong = Wrong::new(
            "makes a text, and this `format` is a document of a promised shape",
            "not with this format",
            "leave one of the two out",
        );
        self.sheet.wrong(&entry, wrong);
        None
    }

    fn slack(&mut self) -> Option<Receiver> {
        let url = self.needed(&WEBHOOK_URL)?;
        Some(Receiver::Slack { url })
    }

    fn slack_bot(&mut self) -> Option<Receiver> {
        let token = self.needed(&SLACK_TOKEN);
        let channel = self.table.take("channel");
        let channel = channel.and_then(|it| self.sheet.parsed(&it, slack_channel));
        let example = "\"C0123456789\"";
        let channel = self.sheet.require(self.table, "channel", example, channel);
        let api = self.elsewhere("api", SLACK_API);
        let buttons = self.buttons();
        Some(Receiver::SlackBot {
            token: token?,
            channel: channel?,
            api: api?,
            buttons: buttons?,
        })
    }

    /// `None` for a fault.
    #[expect(clippy::option_option, reason = "a fault is not an absence")]
    fn buttons(&mut self) -> Option<Option<Buttons>> {
        let entry = self.table.take("approvers");
        let approvers = entry.as_ref().map(|it| self.sheet.list(it, slack_user));
        let app_token = self.optional(&SLACK_APP_TOKEN)?;
        match (app_token, entry) {
            (None, Some(entry)) => {
                let wrong = Wrong::new(
                    "says who may press what, and there are no buttons",
                    "without `app_token` no press is heard",
                    "add app_token_file = \"/path/to/it\", or leave this out",
                );
                self.sheet.wrong(&entry, wrong);
                None
            }
            (None, None) => Some(None),
            (Some(app_token), _) => Some(Some(Buttons {
                app_token,
                approvers: approvers.unwrap_or_default().into_iter().collect(),
            })),
        }
    }

    fn pagerduty(&mut self) -> Option<Receiver> {
        let routing_key = self.needed(&ROUTING_KEY);
        let region = self.table.take("service_region");
        let home = region.map(|it| self.sheet.choice(&it, &PAGERDUTY));
        let home = home.unwrap_or(Some(PAGERDUTY[0].1));
        let url = self.elsewhere("url", home.unwrap_or(PAGERDUTY[0].1));
        home?;
        Some(Receiver::PagerDuty {
            routing_key: routing_key?,
            url: url?,
        })
    }

    fn webhook(&mut self) -> Option<Receiver> {
        let url = self.needed(&WEBHOOK_URL);
        let secret = self.optional(&KEY);
        Some(Receiver::Webhook {
            url: url?,
            secret: secret?,
        })
    }

    fn alertmanager(&mut self) -> Option<Receiver> {
        let url = self.table.take("url");
        let url = url.and_then(|it| self.sheet.parsed(&it, plain_url));
        let example = "\"https://alertmanager.example.com\"";
        let url = self.sheet.require(self.table, "url", example, url);
        let token = self.optional(&BEARER);
        Some(Receiver::Alertmanager {
            url: url?,
            token: token?,
        })
    }

    /// Read and tried here, so that what is wrong with it is known before a message needs it.
    fn template(&mut self, form: Form) -> Option<Template> {
        let entry = self.table.take("template_file")?;
        let name = self.sheet.text(&entry)?.to_owned();
        let source = match files::read(&self.around.folder.join(&name), "template") {
            Ok(source) => source,
            Err(fault) => {
                self.sheet.wrong(&entry, secret::as_wrong(&fault));
                return None;
            }
        };
        let template = Template { name, source, form };
        if let Err(why) = template::check(&template) {
            let wrong = Wrong::new(
                format!("the template does not work: {why}"),
                "this file",
                "docs/receivers.md lists what a template may use; deploy/templates has some that work",
            );
            self.sheet.wrong(&entry, wrong);
            return None;
        }
        Some(template)
    }

    fn needed(&mut self, kind: &secret::Kind) -> Option<Secret> {
        let found = secret::read(self.sheet, self.table, kind, self.around)?;
        if found.is_none() {
            let (key, example) = (kind.file_key, kind.example);
            return self.sheet.require(self.table, key, example, None);
        }
        found
    }

    /// `None` for a fault.
    #[expect(clippy::option_option, reason = "a fault is not an absence")]
    fn optional(&mut self, kind: &secret::Kind) -> Option<Option<Secret>> {
        secret::read(self.sheet, self.table, kind, self.around)
    }

    /// An address that is known, unless another one on this machine is given: a stand-in for tests and rehearsals. A key that
    /// went elsewhere would be given away.
    fn elsewhere(&mut self, key: &'static str, home: &str) -> Option<String> {
        let Some(entry) = self.table.take(key) else {
            return Some(home.to_owned());
        };
        self.sheet.parsed(&entry, |text| {
            if secret::is_loopback_url(text) {
                return Ok(text.trim_end_matches('/').to_owned());
            }
            Err(Wrong::new(
                "must be on loopback: another host would be given the key",
                "not on this machine",
                format!("leave it out to use {home}"),
            ))
        })
    }
}

/// Where a heartbeat goes, if it goes anywhere: whoever has the address can feign one.
pub(super) fn heartbeat_url(
    sheet: &mut Sheet,
    table: &mut Section<'_>,
    around: Surroundings<'_>,
) -> Option<Secret> {
    secret::read(sheet, table, &HEARTBEAT_URL, around).flatten()
}

/// An address that is no secret: https, or loopback.
pub(super) fn plain_url(text: &str) -> Result<String, Wrong> {
    if !text.is_ascii() {
        return Err(Wrong::new(
            "must be in ASCII",
            "letters that no address has on the wire",
            "write the host as xn--…, and other letters of the path as %…",
        ));
    }
    let rest = text.strip_prefix("https://").unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default();
    let is_plain = !host.is_empty()
        && !text.contains(['@', '?', '#', '\\'])
        && !text.contains(char::is_whitespace);
    if is_plain || secret::is_loopback_url(text) {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    Err(Wrong::new(
        "must be an https address, or one on loopback, without user, password or query",
        "who listens on the way could read it, or it holds a secret",
        "such as \"https://alertmanager.example.com\" or \"http://127.0.0.1:9093\"; a token stands in `token_file`",
    ))
}

fn slack_channel(text: &str) -> Result<String, Wrong> {
    let is_fine = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let begins = text.starts_with(['C', 'G', 'D']);
    if begins && (9..=20).contains(&text.len()) && text.bytes().all(is_fine) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        "must be the id of a channel",
        "not an id; a name can change, and a bot cannot edit by it",
        "such as \"C0123456789\": Slack shows it at the end of the channel's details",
    ))
}

fn slack_user(text: &str) -> Result<String, Wrong> {
    let is_fine = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let begins = text.starts_with(['U', 'W']);
    if begins && (9..=20).contains(&text.len()) && text.bytes().all(is_fine) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        "must be the id of a member",
        "not an id; a name can change hands",
        "such as \"U0123ABCDEF\": Slack copies it from the menu of a profile, `Copy member ID`",
    ))
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

#[cfg(test)]
mod tests;
