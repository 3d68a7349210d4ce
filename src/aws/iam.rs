//! IAM policies: what a configuration needs, and not a call more. Made from the table of the calls we make.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::actions::{ALL, Need};
pub use residency::{Paper, policies};

mod residency;

use crate::model::{
    ids::AccountId,
    policy::{Account, Mode, Receiver, Settings},
};

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub enum Caller<'a> {
    /// The credentials that the service runs with: for accounts without a role, and to assume the roles of the others.
    Service,
    /// The role in this account.
    RoleIn(&'a AccountId),
}

/// The policy document that this caller needs.
///
/// Nothing of what AWS is asked for here tells one model or quota from another but filing, so observing is allowed on
/// `*`: these actions know no resource.
#[must_use]
pub fn policy(settings: &Settings, caller: Caller<'_>) -> Value {
    let accounts: Vec<&Account> = settings
        .accounts
        .iter()
        .filter(|account| match caller {
            Caller::Service => account.role_arn.is_none(),
            Caller::RoleIn(id) => account.id == *id,
        })
        .collect();
    let topics = topics(settings, &accounts);
    let accounts: Vec<&Account> = accounts
        .into_iter()
        .filter(|it| it.metrics_only().is_none())
        .collect();
    // Without accounts in the configuration the credentials' own is watched.
    let is_any = settings.accounts.is_empty();
    let mut statements = Vec::new();
    if is_any || !accounts.is_empty() {
        statements.push(allow("Observe", Need::Observe, &["*".to_owned()]));
    }
    if accounts.iter().any(|account| account.regions.is_asked()) {
        statements.push(allow("Regions", Need::Regions, &["*".to_owned()]));
    }
    let callers: Vec<String> = accounts
        .iter()
        .filter_map(|account| settings.policy.callers.get(&account.id))
        .flatten()
        .map(|caller| caller.as_str().to_owned())
        .collect();
    if !callers.is_empty() {
        statements.push(allow("Callers", Need::Callers, &callers));
    }
    let groups: Vec<String> = accounts
        .iter()
        .flat_map(|it| log_groups(settings, it))
        .collect();
    if !groups.is_empty() {
        statements.push(allow("InvocationLogs", Need::Logs, &groups));
        statements.push(allow("LogAnswers", Need::LogAnswers, &["*".to_owned()]));
    }
    if !topics.is_empty() {
        statements.push(allow("Notify", Need::Notify, &topics));
    }
    if settings.policy.mode != Mode::Observe && (is_any || !accounts.is_empty()) {
        statements.extend(filing(&accounts));
        if settings.policy.case_codes.closes_granted {
            statements.push(allow("CloseCases", Need::CloseCases, &["*".to_owned()]));
        }
    }
    if matches!(caller, Caller::Service) {
        statements.extend(roles(&settings.accounts));
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn allow(sid: &str, need: Need, resources: &[String]) -> Value {
    let actions = ALL.iter().filter(|(_, for_what)| *for_what == need);
    let actions: Vec<&str> = actions.map(|(operation, _)| *operation).collect();
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources })
}

/// The log group of model invocations in each Region of the account, as AWS writes it with and without its streams.
fn log_groups(settings: &Settings, account: &Account) -> Vec<String> {
    let group = settings.policy.invocation_logs.get(&account.id);
    let arns = group.map(|group| {
        let (partition, id) = (account.partition(), &account.id);
        let arn = format!("arn:{partition}:logs:*:{id}:log-group:{group}");
        [format!("{arn}:*"), arn]
    });
    arns.into_iter().flatten().collect()
}

/// Topics that are published to with these accounts' credentials.
fn topics(settings: &Settings, accounts: &[&Account]) -> Vec<String> {
    let receivers = settings.policy.receivers.values();
    let topics = receivers.filter_map(|receiver| match receiver {
        Receiver::Sns { topic_arn, .. } => Some(topic_arn),
        Receiver::Slack { .. }
        | Receiver::SlackBot { .. }
        | Receiver::PagerDuty { .. }
        | Receiver::Webhook { .. }
        | Receiver::Alertmanager { .. } => None,
    });
    let of_these = topics.filter(|arn| {
        let owner = arn.split(':').nth(4);
        let is_of = |account: &&Account| owner == Some(account.id.as_str());
        settings.accounts.is_empty() || accounts.iter().any(is_of)
    });
    let sorted: BTreeSet<&String> = of_these.collect();
    sorted.into_iter().cloned().collect()
}

/// Asking for quotas of Bedrock, and for nothing else's; cases know no resource.
fn filing(accounts: &[&Account]) -> Vec<Value> {
    let quotas: BTreeSet<String> = if accounts.is_empty() {
        BTreeSet::from(["arn:*:servicequotas:*:*:bedrock/*".to_owned()])
    } else {
        let arn = |account: &&Account| {
            let (partition, id) = (account.partition(), &account.id);
            format!("arn:{partition}:servicequotas:*:{id}:bedrock/*")
        };
        accounts.iter().map(arn).collect()
    };
    let quotas: Vec<String> = quotas.into_iter().collect();
    let mut first_request = json!({
        "Sid": "FirstQuotaRequest",
        "Effect": "Allow",
        "Action": ["iam:CreateServiceLinkedRole"],
        "Resource": ["*"],
    });
    let mut request = allow("RequestQuotas", Need::RequestQuotas, &quotas);
    limit(&mut request, "servicequotas:service", "bedrock");
    // Service Quotas works through a role of its own, which the first request of an account makes.
    limit(
        &mut first_request,
        "iam:AWSServiceName",
        "servicequotas.amazonaws.com",
    );
    let cases = allow("Support", Need::Support, &["*".to_owned()]);
    vec![request, first_request, cases]
}

fn limit(statement: &mut Value, key: &str, value: &str) {
    if let Some(members) = statement.as_object_mut() {
        members.insert(
            "Condition".to_owned(),
            json!({ "StringEquals": { key: value } }),
        );
    }
}

fn roles(accounts: &[Account]) -> Option<Value> {
    let roles: BTreeSet<&String> = accounts
        .iter()
        .filter_map(|account| account.role_arn.as_ref())
        .collect();
    (!roles.is_empty()).then(|| {
        json!({ "Sid": "AssumeRoles", "Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": roles })
    })
}
