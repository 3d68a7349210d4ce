//! Whether callers may use the ways out of pools that are short: asked of IAM's policy simulator, where the operator names
//! callers, once a way and again daily.
//!
//! A request through a profile is authorised for the profile and for the model in each Region where it may be answered; one
//! that is denied fails the whole request. A profile that leads anywhere needs the model without a Region instead, and the
//! Region that is asked for is then `unspecified` (AWS, Geographic and Global cross-Region inference). Each of them is
//! asked about by itself, since one request to the simulator has one context.

use std::collections::BTreeMap;

use super::{Gathered, pages::all_pages, tried::Tried};
use crate::{
    cloud::{Cloud, Decision, Fault, FaultClass, Simulated, Simulation},
    model::{
        book::{Book, Record},
        catalog::{Target, TargetKind},
        ids::{PrincipalArn, Scope, TargetId},
        permit::{Denial, Denier, Permit, Permits, Ruling},
        residency::Reach,
        time::{DAY, HOUR, Timestamp, after},
    },
};

const OPERATION: &str = "iam:SimulatePrincipalPolicy";
/// What calls a model, and what streams its answers; `Converse` is authorised as these.
const ACTIONS: [&str; 2] = [
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
];
/// Calls of one round, before the last way is begun: nobody waits for them, and IAM throttles early.
const MOST_CALLS: usize = 20;
/// A way that is open to all is asked about again after so many minutes.
const AGAIN_MINUTES: i64 = DAY;
/// One that is not, after so many: somebody may be at it.
const CLOSED_MINUTES: i64 = HOUR;
/// Context keys that are kept of a denial.
const MOST_MISSING: usize = 3;

/// What is asked about in one account and Region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The ways out.
    pub ways: Vec<TargetId>,
    /// Who would use them.
    pub callers: Vec<PrincipalArn>,
}

/// One thing that a request needs.
#[derive(Debug, PartialEq, Eq)]
struct Need {
    resource: String,
    context: BTreeMap<&'static str, String>,
}

/// What a request to this target needs, the profile first. `None` where nobody knows where it leads.
fn needs(partition: &str, target: &Target, reach: Option<&Reach>) -> Option<Vec<Need>> {
    let Scope { account, region } = &target.pool.scope;
    let kind = match target.kind {
        TargetKind::Base => None,
        TargetKind::SystemProfile => Some("inference-profile"),
        TargetKind::ApplicationProfile { .. } => Some("application-inference-profile"),
        TargetKind::Mantle => return None,
    };
    let profile = kind.map(|kind| {
        format!(
            "arn:{partition}:bedrock:{region}:{account}:{kind}/{}",
            target.id
        )
    });
    let model = |region: &str, asked_for: &str| {
        let mut context = BTreeMap::from([("aws:RequestedRegion", asked_for.to_owned())]);
        if let Some(profile) = &profile {
            context.insert("bedrock:InferenceProfileArn", profile.clone());
        }
        Need {
            resource: format!(
                "arn:{partition}:bedrock:{region}::foundation-model/{}",
                target.pool.model
            ),
            context,
        }
    };
    let mut needs = vec![model(region.as_str(), region.as_str())];
    let Some(profile) = &profile else {
        return Some(needs);
    };
    let itself = Need {
        resource: profile.clone(),
        context: BTreeMap::from([("aws:RequestedRegion", region.to_string())]),
    };
    needs.insert(0, itself);
    let reach = reach?;
    if reach.is_anywhere {
        needs.push(model("", "unspecified"));
    } else {
        let others = reach.regions.iter().filter(|it| *it != region);
        needs.extend(others.map(|it| model(it.as_str(), it.as_str())));
    }
    Some(needs)
}

/// The ways that are due, those never asked about first, then the oldest.
fn due(
    scope: &Scope,
    wanted: &Wanted,
    book: &Book,
    tried: &Tried,
    now: Timestamp,
) -> Vec<TargetId> {
    if tried.is_denied(now) {
        return Vec::new();
    }
    let mut due = Vec::new();
    for way in wanted.ways.iter().filter(|it| !tried.rests(it, now)) {
        let known = book.permits.get(&(scope.clone(), way.clone()));
        if known.is_none_or(|it| after(it.asked_at, lasts(it, &wanted.callers)) <= now) {
            due.push((known.map(|it| it.asked_at), way.clone()));
        }
    }
    due.sort_unstable();
    due.into_iter().map(|(_, way)| way).collect()
}

/// Minutes for which an answer stands: none where a caller is new.
fn lasts(known: &Permits, callers: &[PrincipalArn]) -> i64 {
    let mut all = callers.iter().map(|it| known.by_caller.get(it));
    let is_open = |permit: &Permit| {
        matches!(
            (&permit.call, &permit.stream),
            (Ruling::Allowed, Ruling::Allowed)
        )
    };
    if all.clone().any(|it| it.is_none()) {
        0
    } else if all.all(|it| it.is_some_and(is_open)) {
        AGAIN_MINUTES
    } else {
        CLOSED_MINUTES
    }
}

/// Asks about the ways that are due; `None` where none are. What can't be asked keeps what was last known. Where we may not
/// ask, the first refusal speaks for all, and nothing is asked for an hour.
pub(super) async fn ask_permits(
    cloud: &dyn Cloud,
    scope: &Scope,
    wanted: &Wanted,
    book: &Book,
    tried: &mut Tried,
    now: Timestamp,
) -> Option<Gathered<Vec<Record>>> {
    let due = due(scope, wanted, book, tried, now);
    if due.is_empty() || wanted.callers.is_empty() {
        return None;
    }
    let mut gathered = Gathered {
        found: Vec::new(),
        faults: Vec::new(),
    };
    let mut calls = 0;
    for way in due {
        let Some(target) = book.way(scope, &way) else {
            continue;
        };
        if MOST_CALLS <= calls {
            break; // the next round goes on here
        }
        match ask_all(cloud, target, wanted, book, &mut calls).await {
            Ok(by_caller) => {
                tried.answered(&way);
                let permits = Permits {
                    by_caller,
                    asked_at: now,
                };
                gathered
                    .found
                    .push(Record::Permits(scope.clone(), way, permits));
            }
            Err(fault) => {
                let ends = tried.failed(way, fault.class, now);
                gathered.faults.push(fault);
                if ends {
                    break;
                }
            }
        }
    }
    Some(gathered)
}

async fn ask_all(
    cloud: &dyn Cloud,
    target: &Target,
    wanted: &Wanted,
    book: &Book,
    calls: &mut usize,
) -> Result<BTreeMap<PrincipalArn, Permit>, Fault> {
    let reaches = book.reaches.get(&target.pool.scope);
    let reach = reaches.and_then(|it| it.of(&target.id));
    let mut by_caller = BTreeMap::new();
    for caller in &wanted.callers {
        let permit = match needs(caller.partition(), target, reach) {
            Some(needs) => ask(cloud, target, caller, needs, calls).await?,
            None => Permit::unknown("where it leads was never listed"),
        };
        by_caller.insert(caller.clone(), permit);
    }
    Ok(by_caller)
}

/// What one caller may do with all that a request needs; once it may do nothing, nothing more is asked.
async fn ask(
    cloud: &dyn Cloud,
    target: &Target,
    caller: &PrincipalArn,
    needs: Vec<Need>,
    calls: &mut usize,
) -> Result<Permit, Fault> {
    let mut permit = Permit {
        call: Ruling::Allowed,
        stream: Ruling::Allowed,
    };
    for need in needs {
        let about = Simulation {
            caller: caller.clone(),
            actions: ACTIONS.to_vec(),
            resource: need.resource,
            context: need.context,
        };
        *calls += 1;
        let page = |page| cloud.simulate(&target.pool.scope, &about, page);
        let listing = all_pages(OPERATION, page).await;
        match listing.fault {
            None => {}
            Some(fault) if fault.class == FaultClass::NotFound => {
                return Ok(Permit::unknown(&format!(
                    "IAM knows no such {}",
                    caller.kind()
                )));
            }
            // It would be refused again.
            Some(fault) if fault.class == FaultClass::Invalid => {
                return Ok(Permit::unknown(&format!("IAM says {}", fault.code)));
            }
            Some(fault) => return Err(fault),
        }
        let [call, stream] = ACTIONS.map(|action| ruling(action, &about.resource, &listing.items));
        permit = Permit {
            call: permit.call.and(call),
            stream: permit.stream.and(stream),
        };
        if permit.is_closed() {
            break;
        }
    }
    Ok(permit)
}

/// What the answer says of one action.
fn ruling(action: &str, resource: &str, answer: &[Simulated]) -> Ruling {
    let unknown = |why: String| Ruling::Unknown { why };
    let Some(it) = answer.iter().find(|it| it.action == action) else {
        return unknown(format!("the answer lacks {action}"));
    };
    // What an SCP or a boundary keeps out is closed, whatever the caller's own policies come to.
    let by = match &it.decision {
        _ if it.by_organization == Some(false) => Denier::Organization,
        _ if it.by_boundary == Some(false) => Denier::Boundary,
        Decision::Allowed => return Ruling::Allowed,
        Decision::Other(word) => return unknown(format!("IAM says `{word}`")),
        Decision::ExplicitDeny => Denier::Policy,
        Decision::ImplicitDeny => Denier::Nothing,
    };
    let is_ours = |key: &&String| {
        !["aws:RequestedRegion", "bedrock:InferenceProfileArn"].contains(&key.as_str())
    };
    // A statement that denies did match; only what was not allowed may have wanted for a key.
    let missing = it.missing.iter().filter(|_| by == Denier::Nothing);
    Ruling::Denied(Denial {
        by,
        resource: resource.to_owned(),
        policy: it.policies.first().cloned(),
        missing: missing
            .filter(is_ours)
            .take(MOST_MISSING)
            .cloned()
            .collect(),
    })
}

#[cfg(test)]
mod tests;
