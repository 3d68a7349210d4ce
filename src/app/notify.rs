//! `notify test`: a marked message to each receiver, by the way that real ones take. Nothing is written down, and at AWS
//! nothing happens but the publishing.

use std::collections::BTreeSet;

use crate::{
    act::perform::{self, Known},
    aws::{Patience, SdkCloud, SdkOptions},
    cloud::Cloud,
    model::{
        action::{Effect, Intent, IntentState},
        ids::{AccountId, ActionId, IncidentId, QuotaCode, ReceiverName, Region, Scope},
        incident::Cause,
        links::{Link, LinkKind},
        outcome::Outcome,
        policy::{Policy, Receiver, Settings},
        receiver::{Flag, Notice, Phase},
        rule::Severity,
        time::{Minute, Timestamp},
    },
    runtime::clock,
};

use super::run::RunError;

/// What a receiver answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// Who.
    pub receiver: ReceiverName,
    /// Its kind, as in TOML.
    pub kind: &'static str,
    /// What was sent: `opened`, and `resolved` where something stays open until then.
    pub phase: Phase,
    /// What came of it.
    pub outcome: Outcome,
}

/// Sends the test to all receivers, or to one, one after the other.
///
/// # Errors
/// When no client can be made. What a receiver answers is part of the result.
pub async fn test(
    settings: &Settings,
    only: Option<&ReceiverName>,
) -> Result<Vec<Tried>, RunError> {
    let cloud = SdkCloud::connect(SdkOptions {
        accounts: settings.accounts.clone(),
        patience: Patience::real(),
        endpoint: None,
    })
    .await?;
    Ok(send(&cloud, settings, only, clock::wall()).await)
}

async fn send(
    cloud: &dyn Cloud,
    settings: &Settings,
    only: Option<&ReceiverName>,
    now: Timestamp,
) -> Vec<Tried> {
    let scope = scope(settings);
    let receivers = settings.policy.receivers.iter();
    let mut tried = Vec::new();
    for (name, receiver) in receivers.filter(|(name, _)| only.is_none_or(|it| it == *name)) {
        let opened = tell(
            cloud,
            &settings.policy,
            (name, receiver),
            &scope,
            Phase::Opened,
            now,
        )
        .await;
        let is_taken = matches!(opened.outcome, Outcome::Done { .. });
        tried.push(opened);
        if is_taken && receiver.keeps_state() {
            let over = tell(
                cloud,
                &settings.policy,
                (name, receiver),
                &scope,
                Phase::Resolved,
                now,
            );
            tried.push(over.await);
        }
    }
    tried
}

/// One that is watched, if there is any.
fn scope(settings: &Settings) -> Scope {
    let first = settings.accounts.first();
    let region = first.and_then(|it| it.regions.known().first());
    Scope {
        account: first.map_or_else(|| AccountId::new("test"), |it| it.id.clone()),
        region: region.cloned().unwrap_or_else(|| Region::new("test")),
    }
}

/// Where real messages lead that need no incident for it.
fn page(policy: &Policy) -> Vec<Link> {
    let page = policy.places.page.as_ref();
    let link = page.map(|it| Link {
        kind: LinkKind::Incident,
        text: "The page".to_owned(),
        url: format!("{it}/"),
    });
    link.into_iter().collect()
}

async fn tell(
    cloud: &dyn Cloud,
    policy: &Policy,
    (name, receiver): (&ReceiverName, &Receiver),
    scope: &Scope,
    phase: Phase,
    now: Timestamp,
) -> Tried {
    // Another one each time, so that no receiver takes it for a repetition.
    let incident = IncidentId::new(format!("test-{}", now.as_millisecond()));
    let step = format!("test/{}/{name}", phase.name());
    let body = match phase {
        Phase::Resolved => format!("TEST. This ends the test message to {name}."),
        Phase::Opened | Phase::Updated | Phase::Acknowledged | Phase::Past | Phase::Note => {
            format!(
                "TEST. Nothing is wrong: somebody ran `bedrock-ops-alert notify test`.\n\
             If you can read this, {name} is reached.\nNothing has to be done."
            )
        }
    };
    let notice = Notice {
        phase,
        number: 1,
        severity: Severity::Info,
        title: "test message".to_owned(),
        cause: Cause::Quota {
            scope: scope.clone(),
            code: QuotaCode::new("TEST"),
        },
        kind: None,
        pools: BTreeSet::new(),
        began: Minute::of(now),
        resolved: (phase == Phase::Resolved).then_some(now),
        links: page(policy),
        flags: BTreeSet::from([Flag::Test]),
        teams: BTreeSet::new(),
    };
    let intent = Intent {
        id: ActionId::derive(&incident, &step),
        incident,
        step,
        effect: Effect::Notify {
            receiver: name.clone(),
            severity: Severity::Info,
            subject: "[TEST] Bedrock Ops Alert: a test message, nothing is wrong".to_owned(),
            body,
            notice: Some(Box::new(notice)),
        },
        reasons: Vec::new(),
        created: now,
        state: IntentState::Sending { at: now },
        attempts: 1,
        approved_by: None,
        last_failure: None,
        approved_at: None,
        declined: 0,
        worded: None,
        revision: 1,
    };
    let known = Known {
        codes: &policy.case_codes.usual,
        earlier: None,
        offer: None,
        crowd: &[],
    };
    Tried {
        receiver: name.clone(),
        kind: receiver.kind(),
        phase,
        outcome: perform::perform(cloud, policy, &intent, known).await,
    }
}
