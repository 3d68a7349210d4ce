//! Messages on their way: the cycle's lanes, the HTTP client and each kind of receiver, over loopback HTTP.

#![cfg(test)] // helpers count as tests, too

mod alertmanager;
mod buttons;
mod drill;
mod fallback;
mod hanging;
mod kinds;
mod notify;
pub(crate) mod stand;
mod template;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use bedrock_ops_alert::{
    config::{self, Overrides},
    model::{
        action::{Effect, Intent, IntentState},
        book::Record,
        catalog::{Family, PoolId},
        ids::{AccountId, ActionId, ModelId, QuotaCode, ReceiverName, Region, Scope},
        incident::{Cause, Incident},
        order::{Command, Order},
        receiver::{Notice, Phase},
        rule::{Remedy, Severity},
        time::{Minute, Timestamp, after},
        units::{Amount, QuotaKind},
    },
    runtime::{
        cycle::Cycle,
        shared::{Posted, Shared},
        switch::Switch,
    },
    store::{Ledger as _, MemoryLedger},
};

use crate::sdk_faults::{ACCOUNT, cloud};

pub(crate) const ROUTING_KEY: &str = "0123456789abcdef0123456789ABCDEF";
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TOKEN: &str = "xoxb-1-2-abc";

/// When the first message is planned.
pub(crate) fn start() -> Timestamp {
    "2026-11-26T03:00:00Z".parse().unwrap()
}

/// A folder with the secrets that configurations refer to, taken away at the end.
struct Secrets(PathBuf);

impl Secrets {
    fn new(name: &str) -> Self {
        let name = format!("receivers-{name}-{}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _gone = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        for (file, text) in [
            ("key", ROUTING_KEY),
            ("secret", SECRET),
            ("token", TOKEN),
            ("app-token", "xapp-1-A1-1-abc"),
        ] {
            fs::write(path.join(file), text).unwrap();
        }
        Self(path)
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// The table of a receiver of this kind at this address.
pub(crate) fn table(kind: &str, url: &str) -> String {
    let rest = match kind {
        "slack" => format!("url = \"{url}/services/T0/B0/x\""),
        "slack-bot" => {
            format!("token = \"credential:token\"\nchannel = \"C0123456789\"\napi = \"{url}\"")
        }
        "pagerduty" => {
            format!("routing_key = \"credential:key\"\nurl = \"{url}/v2/enqueue\"")
        }
        "webhook" => format!("url = \"{url}/hook\"\nsecret = \"credential:secret\""),
        "alertmanager" => format!("url = \"{url}\""),
        _ => panic!("{kind}"),
    };
    format!("kind = \"{kind}\"\n{rest}\n")
}

/// A service without accounts: it only tells.
pub(crate) struct Desk {
    cycle: Cycle,
    pub(crate) shared: Arc<Shared>,
    ledger: Arc<MemoryLedger>,
    orders: tokio::sync::mpsc::Receiver<Posted>,
    pub(crate) now: Timestamp,
    _secrets: Secrets,
}

impl Desk {
    pub(crate) async fn new(name: &str, configuration: &str) -> Self {
        // Nobody is asked anything there.
        Self::at("http://127.0.0.1:1", name, configuration).await
    }

    /// With AWS at this address.
    pub(crate) async fn at(aws: &str, name: &str, configuration: &str) -> Self {
        let secrets = Secrets::new(name);
        let overrides = Overrides {
            credentials: Some(secrets.0.clone()),
            ..Overrides::default()
        };
        let settings = config::parse(configuration, "config.toml", &overrides);
        let settings = settings.unwrap_or_else(|error| panic!("{:?}", error.faults()));
        let ledger = Arc::new(MemoryLedger::new());
        let (shared, orders) = Shared::new(settings, false, ledger.load().unwrap());
        let switch = Switch::beside(&secrets.0.join("store"));
        let shared = Arc::new(shared.with_switch(switch));
        let cloud = Arc::new(cloud(aws, &[ACCOUNT]).await);
        let cycle = Cycle::new(cloud, Arc::clone(&ledger) as _, Arc::clone(&shared));
        Self {
            cycle: cycle.with_patience(None),
            shared,
            ledger,
            orders,
            now: start(),
            _secrets: secrets,
        }
    }

    fn commit(&self, records: Vec<Record>) {
        self.ledger.commit(&records).unwrap();
        self.shared.book_mut().apply(records);
    }

    /// Changes the incident and plans the message about it to these receivers.
    pub(crate) fn tell(&self, incident: &mut Incident, severity: Severity, to: &[&str]) {
        let phase = Phase::of(incident, incident.told, self.now);
        incident.messages += 1;
        incident.severity = severity;
        incident.told = Some(severity);
        let notice = Notice::of(incident, phase, "TPM quota L-1".to_owned());
        let intents = to.iter().map(|receiver| {
            let step = format!("message/{}/{receiver}", incident.messages);
            Record::Intent(Intent {
                id: ActionId::derive(&incident.id, &step),
                incident: incident.id.clone(),
                step,
                effect: Effect::Notify {
                    receiver: ReceiverName::new(*receiver),
                    severity,
                    subject: format!("[{}] TPM quota L-1", phase.name()),
                    body: format!(
                        "{} at {}.\nA line <with> markup & more.",
                        phase.name(),
                        self.now
                    ),
                    notice: Some(Box::new(notice.clone())),
                },
                reasons: Vec::new(),
                created: self.now,
                state: IntentState::Planned {
                    not_before: self.now,
                },
                attempts: 0,
                approved_by: None,
                last_failure: None,
                approved_at: None,
                declined: 0,
                worded: None,
                revision: 1,
            })
        });
        let mut records: Vec<Record> = intents.collect();
        records.push(Record::Incident(incident.clone()));
        self.commit(records);
    }

    /// A request that waits for a person.
    pub(crate) fn propose(&self, incident: &Incident) -> ActionId {
        let expires = after(self.now, 60);
        self.request(incident, IntentState::Proposed { expires })
    }

    /// A request that goes out in the next cycle.
    pub(crate) fn ask(&self, incident: &Incident) -> ActionId {
        let not_before = self.now;
        self.request(incident, IntentState::Planned { not_before })
    }

    fn request(&self, incident: &Incident, state: IntentState) -> ActionId {
        let step = "request/L-1/1".to_owned();
        let intent = Intent {
            id: ActionId::derive(&incident.id, &step),
            incident: incident.id.clone(),
            step,
            effect: Effect::RequestQuota {
                scope: incident.cause.scope().clone(),
                code: QuotaCode::new("L-1"),
                desired: Amount::ZERO,
                context: String::new(),
            },
            reasons: Vec::new(),
            created: self.now,
            state,
            attempts: 0,
            approved_by: None,
            last_failure: None,
            approved_at: None,
            declined: 0,
            worded: None,
            revision: 1,
        };
        let id = intent.id.clone();
        self.commit(vec![Record::Intent(intent)]);
        id
    }

    pub(crate) async fn reject(&mut self, action: &ActionId, by: &str) {
        let (reply, answer) = tokio::sync::oneshot::channel();
        let order = Order {
            by: by.to_owned(),
            why: None,
            command: Command::Reject {
                action: action.clone(),
            },
        };
        let posted = Posted { order, reply };
        self.cycle.obey(posted, self.now).await.unwrap();
        answer.await.unwrap().unwrap();
    }

    /// Waits for the next order, and carries it out.
    pub(crate) async fn obey(&mut self) {
        let posted = self.orders.recv().await.unwrap();
        self.cycle.obey(posted, self.now).await.unwrap();
    }

    pub(crate) fn state(&self, action: &ActionId) -> &'static str {
        self.shared.book().intents[action].state.name()
    }

    /// A cycle, and a minute passes.
    pub(crate) async fn minute(&mut self) {
        self.cycle.run(self.now).await.unwrap();
        self.now = after(self.now, 1);
    }

    /// The states of the messages to this receiver, in their order.
    pub(crate) fn states(&self, to: &str) -> Vec<&'static str> {
        let book = self.shared.book();
        let mut own: Vec<&Intent> = book
            .intents
            .values()
            .filter(|it| matches!(&it.effect, Effect::Notify { receiver, .. } if receiver.as_str() == to))
            .collect();
        own.sort_by_key(|it| it.order());
        own.into_iter().map(|it| it.state.name()).collect()
    }

    pub(crate) fn last_failure(&self, to: &str) -> String {
        let book = self.shared.book();
        let mut own = book.intents.values().filter(
            |it| matches!(&it.effect, Effect::Notify { receiver, .. } if receiver.as_str() == to),
        );
        own.find_map(|it| it.last_failure.clone())
            .unwrap_or_default()
    }
}

/// An open incident of a quota.
pub(crate) fn incident(code: &str) -> Incident {
    let scope = Scope {
        account: AccountId::new(ACCOUNT),
        region: Region::new("eu-central-1"),
    };
    let cause = Cause::Quota {
        scope: scope.clone(),
        code: QuotaCode::new(code),
    };
    let pool = PoolId {
        scope,
        family: Family::Geo,
        model: ModelId::new("anthropic.claude-sonnet-4-6"),
    };
    Incident {
        id: bedrock_ops_alert::model::ids::IncidentId::derive(&cause.fingerprint(), 1),
        cause,
        generation: 1,
        kind: Some(QuotaKind::Tpm),
        pools: BTreeSet::from([pool]),
        severity: Severity::Warning,
        remedy: Remedy::Notify,
        scenario: None,
        opened: start(),
        began: Minute::of(start()).plus(-5),
        last_bad: Minute::of(start()),
        resolved: None,
        lost: 0.0,
        members: BTreeMap::new(),
        hints: Vec::new(),
        decisions: Vec::new(),
        decisions_dropped: 0,
        spells: Vec::new(),
        messages: 0,
        told: None,
        refusal: None,
    }
}
