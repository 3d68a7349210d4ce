//! Whom to tell, and who hears what.

use super::{
    Key, Shape, Table,
    form::{
        ACCOUNT, ADDRESS, CHANNEL, CREDENTIAL, Form, HERE, MINUTES, MODEL, PATH, RECEIVER, REGIONS,
        SECRET, TOPIC,
    },
    key,
    settings::lasting,
};
use crate::{
    config::receivers::{FALLBACK_MINUTES, PAGERDUTY},
    model::{
        catalog::Family,
        rule::{Category, Severity},
    },
};

/// One `[receiver.NAME]`.
pub(super) fn receiver() -> Table {
    let of = |kind| key("kind", "How it is reached.", Shape::choice([kind])).required();
    let common = [
        key(
            "fallback",
            "Another receiver, which hears what this one does not take.",
            &RECEIVER,
        ),
        key(
            "fallback_after",
            "How long this one may fail before.",
            &MINUTES,
        )
        .default(lasting(FALLBACK_MINUTES)),
    ];
    let both = |own: &dyn Fn() -> Vec<Key>, name, file_name, what| {
        let file = key(file_name, what, &PATH);
        let reference = key(name, CREDENTIAL_ONLY, form_of(name));
        [file, reference].map(|secret| {
            let mut keys = own();
            keys.push(secret.required());
            keys
        })
    };
    let channel = || {
        key(
            "channel",
            "The channel's id; the bot must be a member.",
            &CHANNEL,
        )
        .required()
    };
    let here = |name, says| key(name, says, &HERE);
    let bot = || {
        vec![
            of("slack-bot"),
            channel(),
            here(
                "api",
                "Slack's Web API, where it is another one: on loopback.",
            ),
        ]
    };
    let regions = PAGERDUTY.map(|(name, _)| name);
    let pager = || {
        vec![
            of("pagerduty"),
            key(
                "service_region",
                "Where the PagerDuty account is.",
                Shape::choice(regions),
            )
            .default(PAGERDUTY[0].0),
            here(
                "url",
                "Where events go, where it is another one: on loopback.",
            ),
        ]
    };
    let alertmanager = || {
        vec![
            of("alertmanager"),
            key("url", "Its address, without /api/v2.", &ADDRESS).required(),
        ]
    };
    let webhook = |secret: Key| move || vec![of("webhook"), secret.clone()];
    let signed_file = webhook(key(
        "secret_file",
        "A file with what bodies are signed with, in one line.",
        &PATH,
    ));
    let signed = webhook(key("secret", CREDENTIAL_ONLY, &CREDENTIAL));
    let url = "A file with the webhook's URL in one line.";
    let mut ways = vec![vec![
        of("sns"),
        key("topic_arn", "The topic.", &TOPIC).required(),
    ]];
    ways.extend(both(&|| vec![of("slack")], "url", "url_file", url));
    ways.extend(both(
        &bot,
        "token",
        "token_file",
        "A file with the bot's token in one line.",
    ));
    ways.extend(both(
        &pager,
        "routing_key",
        "routing_key_file",
        "A file with the integration's key in one line.",
    ));
    ways.extend(both(&signed_file, "url", "url_file", url));
    ways.extend(both(&signed, "url", "url_file", url));
    let token = [
        key(
            "token_file",
            "A file with the token for a proxy that asks for one.",
            &PATH,
        ),
        key("token", CREDENTIAL_ONLY, &CREDENTIAL).required(),
    ];
    ways.extend(token.map(|token| {
        let mut keys = alertmanager();
        keys.push(token);
        keys
    }));
    Table::ways(&common, ways)
}

/// What stands where a secret is wanted.
const CREDENTIAL_ONLY: &str = "credential:NAME of systemd; the secret itself has no place here.";

/// An address on this machine is no secret.
fn form_of(name: &str) -> &'static Form {
    if name == "url" { &SECRET } else { &CREDENTIAL }
}

/// One `[[route]]`.
pub(super) fn route() -> Table {
    let severities = Severity::ALL.map(Severity::name);
    let categories = Category::ALL.map(Category::name);
    let mut keys = vec![
        key("receiver", "The name of a receiver.", &RECEIVER).required(),
        key(
            "severity",
            "This and everything louder.",
            Shape::choice(severities),
        )
        .default(Severity::Warning.name()),
        key(
            "categories",
            "Incidents of these kinds.",
            Shape::list(Shape::choice(categories)),
        ),
    ];
    keys.extend(pools());
    Table::of(keys)
}

/// For which pools something is.
pub(super) fn pools() -> [Key; 4] {
    let families = Family::ALL.map(Family::name);
    [
        key("accounts", "For these accounts.", Shape::list(&ACCOUNT)),
        key(
            "regions",
            "For these Regions; * stands for any characters.",
            Shape::list(&REGIONS),
        ),
        key(
            "families",
            "For pools of these kinds.",
            Shape::list(Shape::choice(families)),
        ),
        key(
            "models",
            "For these base models; * stands for any characters.",
            Shape::list(&MODEL),
        ),
    ]
}
