//! From a file as written to a checked [`World`]; collects every fault.

mod day;
mod mantle;
mod target;
mod values;

use std::{collections::BTreeMap, str::FromStr};

use values::Check;

use super::{
    Account, Answer, ApplicationProfile, FaultRates, Label, LabelKind, Model, Outcome, Publication,
    QuotaOverride, Script, Support, SystemProfile, World, WorldFaults,
    denial::{By, Denial},
    raw,
};
use crate::model::{
    catalog::LifeCycle,
    ids::{AccountId, ModelId, Region, TargetId},
    rule::Pattern,
    time::{SignedDuration, Timestamp},
};

/// Checks a whole file.
pub(super) fn world(raw: raw::World) -> Result<World, WorldFaults> {
    let start = Timestamp::from_str(raw.start.trim());
    let mut check = Check {
        start: start.as_ref().copied().unwrap_or(Timestamp::UNIX_EPOCH),
        faults: Vec::new(),
    };
    if start.is_err() {
        let fault = format!(
            "`{}` is no time; write RFC 3339 like \"2026-11-02T00:00:00Z\"",
            raw.start
        );
        check.fault("start", &fault);
    }
    let mut world = World {
        start: check.start,
        seed: raw.seed,
        length: check.duration("length", &raw.length),
        history: check.duration("history", &raw.history),
        retry_share: check.share("retry_share", raw.retry_share),
        publication: publication(&mut check, &raw.publication),
        accounts: accounts(&mut check, &raw.account),
        models: models(&mut check, &raw.model),
        profiles: BTreeMap::new(),
        applications: Vec::new(),
        targets: Vec::new(),
        mantle: Vec::new(),
        pools: Vec::new(),
        quotas: BTreeMap::new(),
        cross_model_days: Vec::new(),
        desk: desk(&mut check, &raw.desk),
        support: Support {
            reply_after: check.duration("support.reply_after", &raw.support.reply_after),
            resolve_after: check.duration("support.resolve_after", &raw.support.resolve_after),
            open_cases: raw.support.open_cases,
        },
        labels: Vec::new(),
        denials: Vec::new(),
        faults: faults(&mut check, &raw.faults),
    };
    world.profiles = profiles(&mut check, &world, &raw.profile);
    world.applications = applications(&mut check, &world, &raw.application_profile);
    for target in &raw.target {
        target::target(&mut check, &mut world, target);
    }
    for called in raw.mantle {
        mantle::model(&mut check, &mut world, called);
    }
    quotas(&mut check, &mut world, &raw.quota);
    for day in &raw.cross_model_day {
        day::cross_model(&mut check, &mut world, day);
    }
    world.denials = denials(&mut check, &world.accounts, &raw.denial);
    labels(&mut check, &mut world, &raw.label);
    if check.faults.is_empty() {
        return Ok(world);
    }
    Err(WorldFaults(check.faults))
}

fn publication(check: &mut Check, raw: &raw::Publication) -> Publication {
    let read = Publication {
        least_seconds: check.duration("publication.least", &raw.least).as_secs(),
        most_seconds: check.duration("publication.most", &raw.most).as_secs(),
        late_share: check.share("publication.late_share", raw.late_share),
        late_seconds: check.duration("publication.late", &raw.late).as_secs(),
    };
    if read.most_seconds < read.least_seconds || read.late_seconds < read.most_seconds {
        check.fault(
            "publication",
            "`least`, `most` and `late` must not decrease",
        );
    }
    read
}

fn accounts(check: &mut Check, raw: &[raw::Account]) -> Vec<Account> {
    if raw.is_empty() {
        check.fault("account", "a world needs at least one [[account]]");
    }
    let mut read: Vec<Account> = Vec::new();
    for account in raw {
        let place = format!("account `{}`", account.id);
        if account.id.len() != 12 || !account.id.bytes().all(|byte| byte.is_ascii_digit()) {
            check.fault(&place, "an account id is twelve digits");
        }
        if account.regions.is_empty() {
            check.fault(&place, "`regions` must name at least one Region");
        }
        if read.iter().any(|known| known.id.as_str() == account.id) {
            check.fault(&place, "is there twice");
        }
        let regions: Vec<Region> = account.regions.iter().map(Region::new).collect();
        let topics = account.topics.iter().flat_map(|topic| {
            regions
                .iter()
                .map(move |region| (region.clone(), topic.clone()))
        });
        read.push(Account {
            id: AccountId::new(&account.id),
            name: account.name.clone(),
            has_support_plan: account.support_plan,
            is_assumable: account.assumable,
            monitors: account.monitors.iter().map(AccountId::new).collect(),
            topics: topics.collect(),
            principals: account.principals.clone(),
            invocation_logs: account.invocation_logs.clone(),
            regions,
        });
    }
    for account in &read {
        for linked in &account.monitors {
            if *linked == account.id || !read.iter().any(|known| known.id == *linked) {
                let place = format!("account `{}`", account.id);
                check.fault(
                    &place,
                    &format!("`monitors` names `{linked}`, which is no other [[account]]"),
                );
            }
        }
    }
    read
}

fn models(check: &mut Check, raw: &[raw::Model]) -> BTreeMap<ModelId, Model> {
    let mut read = BTreeMap::new();
    for model in raw {
        let place = format!("model `{}`", model.id);
        if !["ACTIVE", "LEGACY"].contains(&model.life_cycle.as_str()) {
            check.fault(&place, "`life_cycle` is \"ACTIVE\" or \"LEGACY\"");
        }
        let id = ModelId::new(&model.id);
        let checked = Model {
            id: id.clone(),
            label: model.label.clone(),
            life: LifeCycle {
                status: model.life_cycle.clone(),
                legacy: check.perhaps_when(&place, model.legacy.as_deref()),
                extended: check.perhaps_when(&place, model.extended_access.as_deref()),
                end: check.perhaps_when(&place, model.end_of_life.as_deref()),
            },
            is_on_demand: model.on_demand,
            burndown: check.amount(&place, model.burndown),
        };
        if read.insert(id, checked).is_some() {
            check.fault(&place, "is there twice");
        }
    }
    read
}

fn profiles(
    check: &mut Check,
    world: &World,
    raw: &[raw::Profile],
) -> BTreeMap<String, SystemProfile> {
    let mut read = BTreeMap::new();
    for profile in raw {
        let place = format!("profile `{}`", profile.id);
        let model = ModelId::new(&profile.model);
        if !world.models.contains_key(&model) {
            check.fault(&place, &format!("no [[model]] has the id `{model}`"));
        }
        let prefix = profile.id.strip_suffix(profile.model.as_str());
        if !prefix.is_some_and(|prefix| prefix.len() > 1 && prefix.ends_with('.')) {
            check.fault(
                &place,
                "a system profile's id is a prefix, a dot and the model's id",
            );
        }
        let checked = SystemProfile {
            id: profile.id.clone(),
            model,
            destinations: profile.destinations.iter().map(Region::new).collect(),
            sources: profile.sources.iter().map(Region::new).collect(),
            ran_elsewhere: check.share(&format!("{place}.ran_elsewhere"), profile.ran_elsewhere),
        };
        if checked.destinations.is_empty() && !checked.is_global() {
            check.fault(&place, "`destinations` must name the Regions it may run in");
        }
        if read.insert(profile.id.clone(), checked).is_some() {
            check.fault(&place, "is there twice");
        }
    }
    read
}

fn applications(
    check: &mut Check,
    world: &World,
    raw: &[raw::Application],
) -> Vec<ApplicationProfile> {
    let read = raw.iter().map(|profile| {
        let place = format!("application_profile `{}`", profile.id);
        if profile.id.len() != 12 || !profile.id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            check.fault(&place, "its id is twelve letters and digits");
        }
        let source = &profile.copied_from;
        if !world.profiles.contains_key(source) && !world.models.contains_key(&ModelId::new(source))
        {
            check.fault(
                &place,
                &format!("`copied_from` names neither a [[profile]] nor a [[model]]: `{source}`"),
            );
        }
        ApplicationProfile {
            id: profile.id.clone(),
            name: profile.name.clone(),
            scope: check.scope(&place, &world.accounts, &profile.account, &profile.region),
            copied_from: source.clone(),
            tags: profile.tags.clone(),
        }
    });
    read.collect()
}

fn quotas(check: &mut Check, world: &mut World, raw: &[raw::Quota]) {
    for quota in raw {
        let place = format!(
            "quota `{}` in {}/{}",
            quota.code, quota.account, quota.region
        );
        let scope = check.scope(&place, &world.accounts, &quota.account, &quota.region);
        let code = check.code(&place, &quota.code);
        let checked = QuotaOverride {
            applied: quota.applied.map(|value| check.amount(&place, value)),
            default: quota.default.map(|value| check.amount(&place, value)),
            adjustable: quota.adjustable,
        };
        if world.quotas.insert((scope, code), checked).is_some() {
            check.fault(&place, "is there twice");
        }
    }
}

fn denials(check: &mut Check, accounts: &[Account], raw: &[raw::Denial]) -> Vec<Denial> {
    let read = raw.iter().map(|denial| {
        let place = format!("denial in account `{}`", denial.account);
        if !accounts.iter().any(|it| it.id.as_str() == denial.account) {
            check.fault(&place, "no [[account]] has this id");
        }
        let by = match denial.by.as_str() {
            "nothing" => By::Nothing,
            "policy" => By::Policy,
            "scp" => By::Scp,
            "boundary" => By::Boundary,
            _ => {
                let fault = "`by` is \"nothing\", \"policy\", \"scp\" or \"boundary\"";
                check.fault(&place, fault);
                By::Nothing
            }
        };
        Denial {
            account: AccountId::new(&denial.account),
            callers: Pattern::new(&denial.callers),
            resources: Pattern::new(&denial.resources),
            regions: Pattern::new(&denial.regions),
            actions: Pattern::new(&denial.actions),
            by,
            policy: denial.policy.clone(),
        }
    });
    read.collect()
}

fn desk(check: &mut Check, raw: &[raw::Desk]) -> Vec<Script> {
    let read = raw.iter().map(|script| {
        let place = format!("desk for `{}`", script.quota);
        if script.answers.is_empty() {
            check.fault(&place, "`answers` must hold at least one");
        }
        Script {
            code: check.code(&place, &script.quota),
            account: script.account.as_ref().map(AccountId::new),
            region: script.region.as_ref().map(Region::new),
            answers: script
                .answers
                .iter()
                .map(|raw| answer(check, &place, raw))
                .collect(),
        }
    });
    read.collect()
}

fn answer(check: &mut Check, place: &str, raw: &raw::Answer) -> Answer {
    let outcome = match (raw.outcome.as_str(), raw.share) {
        ("partial", Some(share)) if 0.0 < share && share < 1.0 => Outcome::Partial(share),
        ("partial", _) => {
            check.fault(place, "outcome \"partial\" needs `share`, the granted share of the raise, above 0 and below 1");
            Outcome::Grant
        }
        ("grant", None) => Outcome::Grant,
        ("grant_open", None) => Outcome::GrantOpen,
        ("ask_back", None) => Outcome::AskBack,
        ("deny", None) => Outcome::Deny,
        ("close", None) => Outcome::Close,
        (other, share) => {
            let extra = if share.is_some() {
                "; only \"partial\" has a `share`"
            } else {
                ""
            };
            check.fault(place, &format!("outcome `{other}`: write \"grant\", \"grant_open\", \"partial\", \"ask_back\", \"deny\" or \"close\"{extra}"));
            Outcome::Grant
        }
    };
    Answer {
        outcome,
        after: check.duration(place, &raw.after),
        apply_after: raw
            .apply_after
            .as_deref()
            .map_or(SignedDuration::ZERO, |text| check.duration(place, text)),
    }
}

fn labels(check: &mut Check, world: &mut World, raw: &[raw::Label]) {
    for label in raw {
        let place = format!("label `{}`", label.name);
        let kind = match label.kind.as_str() {
            "benign" => LabelKind::Benign,
            "incident" => LabelKind::Incident,
            _ => {
                check.fault(&place, "`kind` is \"benign\" or \"incident\"");
                LabelKind::Incident
            }
        };
        let scope = check.scope(&place, &world.accounts, &label.account, &label.region);
        let target = TargetId::new(&label.target);
        if !world
            .targets
            .iter()
            .any(|known| known.id == target && known.scope == scope)
        {
            check.fault(&place, &format!("no [[target]] `{target}` in {scope}"));
        }
        let (from, until) = (
            check.minute(&place, &label.from),
            check.minute(&place, &label.until),
        );
        if until <= from {
            check.fault(&place, "`until` is not after `from`");
        }
        world.labels.push(Label {
            kind,
            scope,
            target,
            from,
            until,
            name: label.name.clone(),
        });
    }
}

fn faults(check: &mut Check, raw: &raw::Faults) -> FaultRates {
    let mut share = |name: &str, value| check.share(&format!("faults.{name}"), value);
    FaultRates {
        throttled: share("throttled", raw.throttled),
        server_before: share("server_before", raw.server_before),
        server_after: share("server_after", raw.server_after),
        lost_after: share("lost_after", raw.lost_after),
        connect: share("connect", raw.connect),
        garbled: share("garbled", raw.garbled),
        partial_page: share("partial_page", raw.partial_page),
        repeated_page: share("repeated_page", raw.repeated_page),
        hang: share("hang", raw.hang),
        truncate: share("truncate", raw.truncate),
    }
}
