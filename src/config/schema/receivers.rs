//! Whom to tell, and who hears what.

use super::{
    Key, Shape, Table,
    form::{
        ACCOUNT, ADDRESS, CHANNEL, CLOCK, CREDENTIAL, Form, HERE, MEMBER, MINUTES, MODEL, PATH,
        RECEIVER, REGIONS, SECRET, TAG, TOPIC,
    },
    key,
    settings::lasting,
};
use crate::{
    config::receivers::{DIGEST, FALLBACK_MINUTES, PAGERDUTY},
    model::{
        catalog::Family,
        digest::Nothing,
        receiver::TopicFormat,
        rule::{Category, Severity},
    },
};

/// One `[receiver.NAME]`.
pub(super) fn receiver() -> Table {
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
    let topic = key("topic_arn", "The topic.", &TOPIC).required();
    let [text, documents @ ..] = TopicFormat::ALL.map(TopicFormat::name);
    let format = |names: Shape| key("format", "What the message is.", names);
    let of_text = format(Shape::choice([text])).default(text);
    let of_document = format(Shape::choice(documents)).required();
    let mut ways = vec![
        vec![of("sns"), topic.clone(), of_text, template()],
        vec![of("sns"), topic, of_document],
    ];
    ways.extend(with_secret(vec![of("slack"), template()], URL));
    ways.extend(with_secret(bot(), ("token", "token_file")));
    for of_app in secret(("app_token", "app_token_file")) {
        let mut keys = bot();
        keys.extend([of_app.required(), approvers()]);
        ways.extend(with_secret(keys, ("token", "token_file")));
    }
    ways.extend(with_secret(pager(), ("routing_key", "routing_key_file")));
    let [file, reference] = secret(("secret", "secret_file"));
    for signed in [file, reference.required()] {
        ways.extend(with_secret(vec![of("webhook"), signed, template()], URL));
    }
    let [file, reference] = secret(("token", "token_file"));
    for token in [file, reference.required()] {
        let address = key("url", "Its address, without /api/v2.", &ADDRESS).required();
        ways.push(vec![of("alertmanager"), address, token]);
    }
    Table::ways(&common, ways)
}

fn of(kind: &'static str) -> Key {
    key("kind", "How it is reached.", Shape::choice([kind])).required()
}

fn bot() -> Vec<Key> {
    vec![
        of("slack-bot"),
        template(),
        key(
            "channel",
            "The channel's id; the bot must be a member.",
            &CHANNEL,
        )
        .required(),
        key(
            "api",
            "Slack's Web API, where it is another one: on loopback.",
            &HERE,
        ),
    ]
}

fn template() -> Key {
    key(
        "template_file",
        "A Jinja template with messages in your own words.",
        &PATH,
    )
}

fn approvers() -> Key {
    key(
        "approvers",
        "With an app token: the ids of those who may approve and reject by a button.",
        Shape::list(&MEMBER),
    )
}

fn pager() -> Vec<Key> {
    let regions = PAGERDUTY.map(|(name, _)| name);
    vec![
        of("pagerduty"),
        key(
            "service_region",
            "Where the PagerDuty account is.",
            Shape::choice(regions),
        )
        .default(PAGERDUTY[0].0),
        key(
            "url",
            "Where events go, where it is another one: on loopback.",
            &HERE,
        ),
    ]
}

/// A secret by its reference, and by its file.
type Names = (&'static str, &'static str);
const URL: Names = ("url", "url_file");

/// The two ways to say where a secret is: its file, and its reference.
pub(super) fn secret((name, file_name): Names) -> [Key; 2] {
    [
        key(file_name, "A file with it in one line.", &PATH),
        key(name, CREDENTIAL_ONLY, form_of(name)),
    ]
}

/// Each of the two with what else there is.
fn with_secret(keys: Vec<Key>, names: Names) -> [Vec<Key>; 2] {
    secret(names).map(|secret| {
        let mut keys = keys.clone();
        keys.push(secret.required());
        keys
    })
}

/// What stands where a secret is wanted.
const CREDENTIAL_ONLY: &str = "credential:NAME of systemd, or env:NAME of the environment; the secret itself has no place here.";

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
    keys.push(tags(
        "For pools in which a target that carries traffic has all these tags.",
    ));
    Table::of(keys)
}

/// Tags of application profiles.
pub(super) fn tags(says: &str) -> Key {
    let says = format!("{says} By the key of each; in a value * stands for any characters.");
    key("tags", says, Shape::Texts(&TAG))
}

/// One `[[digest]]`.
pub(super) fn digest() -> Table {
    let mut keys = vec![
        key("receiver", "The name of a receiver.", &RECEIVER).required(),
        key(
            "at",
            "A time in UTC for each day, with a day of the week before it for each week.",
            &CLOCK,
        )
        .default(DIGEST),
        key(
            "nothing",
            "What becomes of one that has nothing to say: silent, weekly for a sign of life on Monday, or send.",
            Shape::choice(Nothing::ALL.map(Nothing::name)),
        )
        .default(Nothing::Silent.name()),
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
