//! Whom messages go to, what they say beside their words, and which of them who hears.

use std::{collections::BTreeSet, fmt};

use super::{
    book::Book,
    catalog::PoolId,
    ids::ReceiverName,
    incident::{Cause, Incident},
    links::Link,
    rule::{Category, Matcher, Severity},
    tags::Wanted,
    time::{Minute, Timestamp},
    units::QuotaKind,
};

/// What nobody may read: a token, a key, a URL that lets whoever has it post in our name.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    /// Where it was read, as people wrote it: a path, `credential:NAME`, `env:NAME`.
    origin: Option<String>,
}

impl Secret {
    /// Wraps it; it was checked where it was read.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            origin: None,
        }
    }

    /// The same, read from this path or reference.
    #[must_use]
    pub fn from_origin(self, origin: &str) -> Self {
        Self {
            origin: Some(origin.to_owned()),
            ..self
        }
    }

    /// The secret itself, for the request that needs it and for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What people see in its place: where it is from, and nothing of what it is.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.origin {
            Some(origin) => format!("(hidden, {origin})"),
            None => "(hidden)".to_owned(),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// An SNS topic. The account and Region of its ARN decide which client publishes.
    Sns {
        /// The topic.
        topic_arn: String,
        /// What the message is.
        format: TopicFormat,
    },
    /// A Slack incoming webhook.
    Slack {
        /// The webhook.
        url: Secret,
    },
    /// A Slack channel, by the token of a bot: one message an incident, kept up to date, with a thread below it.
    SlackBot {
        /// The bot's token.
        token: Secret,
        /// The channel's id, such as `C0123456789`.
        channel: String,
        /// Where Slack's Web API is, without a final slash.
        api: String,
        /// What can be pressed below a message, if anything.
        buttons: Option<Buttons>,
    },
    /// A PagerDuty service, by its Events API v2.
    PagerDuty {
        /// The integration's key.
        routing_key: Secret,
        /// Where events go.
        url: String,
    },
    /// Anything that takes JSON.
    Webhook {
        /// Where it goes.
        url: Secret,
        /// What bodies are signed with.
        secret: Option<Secret>,
    },
    /// A Prometheus Alertmanager, by its API v2.
    Alertmanager {
        /// Its address, without a final slash and without `/api/v2`.
        url: String,
        /// For a proxy that authenticates.
        token: Option<Secret>,
    },
}

/// What a message to a topic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TopicFormat {
    /// A text for people.
    Text,
    /// The document that a webhook gets.
    Json,
    /// A custom notification of Amazon Q Developer in chat applications.
    AmazonQ,
}

impl TopicFormat {
    /// All of them, the usual one first.
    pub const ALL: [Self; 3] = [Self::Text, Self::Json, Self::AmazonQ];

    /// The name in TOML.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::AmazonQ => "amazon-q",
        }
    }
}

/// Buttons below messages, by Slack's Socket Mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buttons {
    /// The app's token, with which a socket is opened.
    pub app_token: Secret,
    /// The ids of those who may approve and reject; everybody in the channel may acknowledge.
    pub approvers: BTreeSet<String>,
}

impl Receiver {
    /// The name in TOML.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Sns { .. } => "sns",
            Self::Slack { .. } => "slack",
            Self::SlackBot { .. } => "slack-bot",
            Self::PagerDuty { .. } => "pagerduty",
            Self::Webhook { .. } => "webhook",
            Self::Alertmanager { .. } => "alertmanager",
        }
    }

    /// Whether something stays open there until it is told the end.
    #[must_use]
    pub const fn keeps_state(&self) -> bool {
        matches!(self, Self::PagerDuty { .. } | Self::Alertmanager { .. })
    }

    /// Whether it is read by people message by message, so that many at once are better one. What goes by data takes each.
    #[must_use]
    pub const fn is_read(&self) -> bool {
        match self {
            Self::Sns { format, .. } => !matches!(format, TopicFormat::Json),
            Self::Slack { .. } | Self::SlackBot { .. } => true,
            Self::PagerDuty { .. } | Self::Webhook { .. } | Self::Alertmanager { .. } => false,
        }
    }

    /// Whether it shows what is still to be decided, until it is told that it was.
    #[must_use]
    pub const fn shows_decisions(&self) -> bool {
        self.keeps_state()
            || matches!(
                self,
                Self::SlackBot {
                    buttons: Some(_),
                    ..
                }
            )
    }

    /// Whether a message of this phase is for it. Where something stays open, a message about what is over would open it
    /// anew: PagerDuty takes those that need a person, Alertmanager knows alerts only.
    #[must_use]
    pub fn hears(&self, phase: Phase, severity: Severity) -> bool {
        match phase {
            Phase::Opened | Phase::Updated | Phase::Resolved => true,
            Phase::Acknowledged => !matches!(self, Self::Alertmanager { .. }),
            Phase::Past => !self.keeps_state(),
            Phase::Note => match self {
                Self::Alertmanager { .. } => false,
                Self::PagerDuty { .. } => Severity::Warning <= severity,
                Self::Sns { .. }
                | Self::Slack { .. }
                | Self::SlackBot { .. }
                | Self::Webhook { .. } => true,
            },
        }
    }
}

/// Where in the life of its incident a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The first one.
    Opened,
    /// The incident goes on.
    Updated,
    /// A person has taken it up.
    Acknowledged,
    /// It is over.
    Resolved,
    /// It came and went before it was judged.
    Past,
    /// Something about an incident that is over.
    Note,
}

impl Phase {
    /// All phases.
    pub const ALL: [Self; 6] = [
        Self::Opened,
        Self::Updated,
        Self::Acknowledged,
        Self::Resolved,
        Self::Past,
        Self::Note,
    ];

    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Past => "past",
            Self::Note => "note",
        }
    }

    /// The phase of a message about this incident, as it is when the message is planned at `now`; `told` is what people
    /// were told before.
    #[must_use]
    pub fn of(incident: &Incident, told: Option<Severity>, now: Timestamp) -> Self {
        match (incident.resolved, told) {
            (None, None) => Self::Opened,
            (None, Some(_)) => Self::Updated,
            (Some(_), None) => Self::Past,
            (Some(at), Some(_)) if at == now => Self::Resolved,
            (Some(_), Some(_)) => Self::Note,
        }
    }
}

/// What a message is beside its phase, for receivers that sort by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// Nothing changed: it says so again.
    Reminder,
    /// Something that was proposed for the incident waits for a person.
    Proposal,
    /// Somebody tries the receiver.
    Test,
    /// Somebody rehearses an incident.
    Drill,
}

impl Flag {
    /// All flags.
    pub const ALL: [Self; 4] = [Self::Reminder, Self::Proposal, Self::Test, Self::Drill];

    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reminder => "reminder",
            Self::Proposal => "proposal",
            Self::Test => "test",
            Self::Drill => "drill",
        }
    }
}

/// What a message is about, as data: what it says beside its words. As of when it was planned.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Where in the life of the incident.
    pub phase: Phase,
    /// Counts the messages of the incident, from 1.
    pub number: u32,
    /// The severity of the incident; the message itself may be louder, so that whoever heard the worst hears that it is over.
    pub severity: Severity,
    /// What the incident is about, in few words.
    pub title: String,
    /// What it is about.
    pub cause: Cause,
    /// For a quota: which kind.
    pub kind: Option<QuotaKind>,
    /// The pools that have joined.
    pub pools: BTreeSet<PoolId>,
    /// The first bad minute.
    pub began: Minute,
    /// When it ended.
    pub resolved: Option<Timestamp>,
    /// Where to look at it.
    pub links: Vec<Link>,
    /// What the message is beside its phase.
    pub flags: BTreeSet<Flag>,
    /// The teams that the pools' traffic is tagged with, see [`Book::teams`].
    pub teams: BTreeSet<String>,
}

impl Notice {
    /// A message about this incident, that leads nowhere so far.
    #[must_use]
    pub fn of(incident: &Incident, phase: Phase, title: String) -> Self {
        Self {
            phase,
            number: incident.messages,
            severity: incident.severity,
            title,
            cause: incident.cause.clone(),
            kind: incident.kind,
            pools: incident.pools.clone(),
            began: incident.began,
            resolved: incident.resolved,
            links: Vec::new(),
            flags: BTreeSet::new(),
            teams: BTreeSet::new(),
        }
    }

    /// The category of the incident.
    #[must_use]
    pub const fn category(&self) -> Category {
        self.cause.category()
    }
}

/// Which receiver hears what. All that it names must fit; what it leaves open fits all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Who.
    pub receiver: ReceiverName,
    /// From this severity on.
    pub least: Severity,
    /// Of these categories; empty for all. One for residency is for breaches of it, too.
    pub categories: Vec<Category>,
    /// Of these pools: one that fits is enough.
    pub matcher: Matcher,
    /// Of pools in which a target that carries traffic has these tags.
    pub tags: Wanted,
}

impl Route {
    /// Everything from this severity on.
    #[must_use]
    pub fn all(receiver: ReceiverName, least: Severity) -> Self {
        Self {
            receiver,
            least,
            categories: Vec::new(),
            matcher: Matcher::default(),
            tags: Wanted::default(),
        }
    }

    /// Whether what concerns no pool in particular takes it, too.
    #[must_use]
    pub fn is_of_everything(&self) -> bool {
        self.categories.is_empty() && self.is_of_all_pools()
    }

    fn is_of_all_pools(&self) -> bool {
        self.matcher == Matcher::default() && self.tags.is_open()
    }

    /// Whether it names this category. Who wants to hear that data may go elsewhere wants to hear that it did.
    fn names(&self, category: Category) -> bool {
        let is_breach = category == Category::ResidencyBreach;
        self.categories.contains(&category)
            || is_breach && self.categories.contains(&Category::Residency)
    }

    /// Whether a message of this severity about this incident takes it: one pool of it must be meant, and have the tags.
    #[must_use]
    pub fn fits(&self, book: &Book, incident: &Incident, severity: Severity) -> bool {
        let category = incident.cause.category();
        self.least <= severity
            && (self.categories.is_empty() || self.names(category))
            && (self.is_of_all_pools()
                || incident.pools.iter().any(|pool| {
                    self.matcher.fits(pool) && book.carries(pool, &self.tags, incident.last_bad)
                }))
    }
}

/// Messages in other words than ours; checked where it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its file, for errors.
    pub name: String,
    /// Jinja.
    pub source: String,
    /// What it makes.
    pub form: Form,
}

/// What a template makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A text for people.
    Text,
    /// The JSON body of a webhook.
    Json,
}

/// Who hears instead of a receiver that can't be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// Who.
    pub receiver: ReceiverName,
    /// After so many minutes without success; at once where the receiver refuses.
    pub after_minutes: i64,
}
