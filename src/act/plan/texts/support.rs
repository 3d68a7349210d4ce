//! What AWS Support reads: the numbers it asks for, minute-true, with their coverage, and nothing else.

use super::{
    super::draft::Draft, super::group::reasons, super::situation::Usage, bad, figures, headline,
};
use crate::model::{
    ids::{ActionId, IncidentId, Marker, QuotaCode, Scope},
    incident::{Incident, Scenario},
    quota::Quota,
    time::{Minute, Timestamp},
    units::{Amount, QuotaKind, grouped},
};

/// Support takes 8,000 characters; some room is left for the line of the marker and the one that names the files.
const MOST_CHARS: usize = 7_700;

/// How the line about the arithmetic begins.
const CAME_ABOUT: &str = "How the number came about: ";

/// The text with the marker of this step on its first line, cut to what Support takes.
pub(in crate::act::plan) fn marked(incident: &IncidentId, step: &str, text: &str) -> String {
    let marker = Marker::of(&ActionId::derive(incident, step));
    let cut: String = text.chars().take(MOST_CHARS).collect();
    format!("{marker}\n{cut}")
}

/// What is added to the case that Service Quotas opens for a request; without figures where nothing is known of use.
pub(in crate::act::plan) fn request_context(
    draft: &Draft<'_>,
    incident: &Incident,
    quota: &Quota,
    usage: Option<&Usage>,
    (desired, arithmetic): (Amount, &str),
) -> String {
    let mut lines = vec![
        format!("Quota increase: {} ({})", quota.name, quota.code),
        format!(
            "Account {}, Region {}",
            quota.scope.account, quota.scope.region
        ),
        format!(
            "Requested: {desired}. Applied now: {}. Default: {}.",
            known(quota.applied),
            known(quota.default)
        ),
        format!("{CAME_ABOUT}{arithmetic}."),
        String::new(),
    ];
    match usage {
        Some(usage) => push_usage(draft, incident, (quota, usage), &mut lines),
        None => lines.push("Use: no figures of it are at hand.".to_owned()),
    }
    push_rest(draft, incident, &mut lines);
    lines.join("\n")
}

/// The same words with the use of now: how the value came about stays as it was decided.
///
/// `None` where they are not ours, so that the use in them could not be found.
pub(in crate::act::plan) fn request_context_now(
    draft: &Draft<'_>,
    incident: &Incident,
    (quota, usage): (&Quota, &Usage),
    context: &str,
) -> Option<String> {
    let (decided, _) = context.split_once(&format!("\n\n{USE}"))?;
    let mut lines = vec![decided.to_owned(), String::new()];
    push_usage(draft, incident, (quota, usage), &mut lines);
    push_rest(draft, incident, &mut lines);
    Some(lines.join("\n"))
}

/// What follows the use.
fn push_rest(draft: &Draft<'_>, incident: &Incident, lines: &mut Vec<String>) {
    push_targets(draft, incident, lines);
    push_evidence(draft, incident, lines);
    push_organisation(draft, lines);
}

/// How what is known of use begins.
const USE: &str = "Use, from CloudWatch";
/// In basis points of two weeks: what is known of less is not all there was.
const WHOLE: u16 = 9_500;

fn push_usage(
    draft: &Draft<'_>,
    incident: &Incident,
    (quota, usage): (&Quota, &Usage),
    lines: &mut Vec<String>,
) {
    let (each, added_up, lately) = if incident.kind == Some(QuotaKind::Tpd) {
        ("days", "by UTC day", "most of yesterday and today so far")
    } else {
        ("minutes", "within the minute", "p95 of the last 24 hours")
    };
    lines.push(format!(
            "{USE} at one minute, burndown-weighted, all inference profiles that drain this quota added up {added_up}:"
    ));
    // Who asks before a launch has little use to show, and says why.
    if usage.scenario != Scenario::LowUsage {
        lines.push(format!("- situation: {}", usage.scenario.name()));
    }
    if usage.is_age_unknown {
        let least = "- since when the model is used is not known: not all of the minutes before the first use observed were read";
        lines.push(least.to_owned());
    }
    let observed = if usage.coverage < WHOLE {
        ", as far as observed"
    } else {
        ""
    };
    lines.extend([
        format!(
            "- peak of the last 14 days{observed}: {} at {}",
            usage.peak, usage.peak_at
        ),
        format!(
            "- p50 / p90 of the {each} with use: {} / {}",
            usage.p50, usage.p90
        ),
        format!("- {lately}: {}", usage.p95_day),
        format!(
            "- throttled requests in the last 14 days{observed}: {}",
            grouped(usage.throttled)
        ),
        format!(
            "- minutes observed: {} ({} % of the window)",
            usage.minutes,
            usage.coverage / 100
        ),
    ]);
    if let Some(ahead) = usage.ahead {
        lines.push(format!(
            "- forecast: with a probability of 95 % the busiest minutes of the next 7 days come to at most {ahead}"
        ));
    }
    figures::push_related(draft, incident, quota, lines);
    if let Some((input, output)) = usage.tokens_per_request {
        lines.push(format!(
            "- mean tokens per request: {} in, {} out",
            grouped(input),
            grouped(output)
        ));
    }
    if let Some(share) = usage.long_inputs {
        lines.push(format!(
            "- requests with more than {} input tokens: {share:.1} %",
            grouped(f64::from(draft.inputs.long_input))
        ));
    }
}

/// The context of a request whose value a person changed: the value, and that it is not the one worked out.
///
/// `None` where the context is not one of ours, so that the value in it could not be found.
pub(in crate::act::plan) fn changed_by_hand(
    context: &str,
    (old, new): (Amount, Amount),
) -> Option<String> {
    let (before, after) = context.split_once(&format!("Requested: {old}."))?;
    let (line, rest) = after.split_once('\n')?;
    Some(format!(
        "{before}Requested: {new}.{line}\nA person set this value; {old} was worked out as follows.\n{rest}"
    ))
}

/// The context of a request that waited: what was decided, and by which numbers, as it was; what is known of the quota and
/// its use as it is in `new`.
///
/// `None` where one of them is not a context of ours.
pub(in crate::act::plan) fn renewed(old: &str, new: &str, decided: Timestamp) -> Option<String> {
    const REQUESTED: &str = "Requested: ";
    let ((old, _), (new, use_now)) = (old.split_once("\n\n")?, new.split_once("\n\n")?);
    let requested = new.lines().find(|it| it.starts_with(REQUESTED))?;
    let decided = format!(" Decided at {}.", Minute::of(decided));
    let mut lines = Vec::new();
    for line in old.lines() {
        if line.starts_with(REQUESTED) {
            lines.push(requested.to_owned());
        } else if line.starts_with(CAME_ABOUT) && !line.ends_with(&decided) {
            lines.push(format!("{line}{decided}"));
        } else {
            lines.push(line.to_owned());
        }
    }
    Some(format!("{}\n\n{use_now}", lines.join("\n")))
}

/// Subject and body of a case of our own.
pub(in crate::act::plan) fn investigation(
    draft: &Draft<'_>,
    incident: &Incident,
    step: &str,
) -> (String, String) {
    let marker = Marker::of(&ActionId::derive(&incident.id, step));
    let title = headline(incident);
    let subject: String = format!("Amazon Bedrock: {title} {marker}")
        .chars()
        .take(199)
        .collect();
    let scope = incident.cause.scope();
    let mut lines = vec![
        format!("Please investigate: {title}."),
        format!("Account {}, Region {}", scope.account, scope.region),
        format!(
            "First bad minute: {}. Last one so far: {}.",
            incident.began, incident.last_bad
        ),
    ];
    let spells = incident.spells().len();
    if 1 < spells {
        lines.push(format!(
            "Bad for {} minutes in {spells} stretches in this time.",
            incident.bad_minutes()
        ));
    }
    if 0.0 < incident.lost {
        lines.push(format!(
            "Throttled requests in this time: {}.",
            grouped(incident.lost)
        ));
    }
    figures::push_since(draft, incident, &mut lines);
    push_targets(draft, incident, &mut lines);
    push_evidence(draft, incident, &mut lines);
    push_organisation(draft, &mut lines);
    (subject, marked(&incident.id, step, &lines.join("\n")))
}

const PLEASE_RAISE: &str = "Service Quotas lists this quota as not adjustable, so we ask you: please raise it, or tell us who can.";

/// The words before the context in the body of such a case, and the context.
pub(in crate::act::plan) fn raised_by(body: &str) -> Option<(&str, &str)> {
    let (lead, context) = body.split_once(PLEASE_RAISE)?;
    Some((lead, context.strip_prefix('\n')?))
}

/// Subject and body of a case for more of a quota that Service Quotas doesn't raise. `context` as for a request.
pub(in crate::act::plan) fn raise(
    incident: &Incident,
    quota: &Quota,
    desired: Amount,
    context: &str,
    step: &str,
) -> (String, String) {
    let marker = Marker::of(&ActionId::derive(&incident.id, step));
    let asked = format!("{} ({}) to {desired}", quota.name, quota.code);
    let room =
        199_usize.saturating_sub("Amazon Bedrock: increase of  ".len() + marker.to_string().len());
    let asked: String = asked.chars().take(room).collect();
    let body = format!("{PLEASE_RAISE}\n{context}");
    (
        format!("Amazon Bedrock: increase of {asked} {marker}"),
        marked(&incident.id, step, &body),
    )
}

/// What Support hears when the problem is over while its case is open.
pub(in crate::act::plan) fn recovery(incident: &Incident, step: &str) -> String {
    let text = format!(
        "The problem is over on our side. Bad {}; throttled requests: {}. We would still like to know the cause.",
        bad(incident),
        grouped(incident.lost)
    );
    marked(&incident.id, step, &text)
}

/// The last words in a case whose value is there.
pub(in crate::act::plan) fn thanks(
    draft: &Draft<'_>,
    (scope, code): (&Scope, &QuotaCode),
    (value, since): (Amount, Minute),
    (incident, step): (&IncidentId, &str),
) -> String {
    let quota = draft.book().quotas.get(&(scope.clone(), code.clone()));
    let name = quota.map_or("quota", |it| it.name.as_str());
    let text = format!(
        "Thank you. {name} ({code}) is {value} in account {}, Region {}, as we asked; we see that value since {since}. Nothing else is open for us here, so we close this case.",
        scope.account, scope.region
    );
    marked(incident, step, &text)
}

fn push_targets(draft: &Draft<'_>, incident: &Incident, lines: &mut Vec<String>) {
    lines.push("Model and inference profile ids (as CloudWatch's ModelId):".to_owned());
    for pool in &incident.pools {
        let known = draft.book().targets.values();
        let catalog = draft.book().catalogs.get(&pool.scope);
        let spares = catalog.into_iter().flat_map(|it| &it.spares);
        let targets = known.chain(spares.flat_map(|it| &it.targets));
        let targets = targets.filter(|target| target.pool == *pool);
        let mut ids: Vec<&str> = targets.map(|target| target.id.as_str()).collect();
        let more = ids.len().saturating_sub(20);
        ids.truncate(20);
        let more = if more == 0 {
            String::new()
        } else {
            format!(" and {more} more")
        };
        lines.push(format!(
            "- {} ({}): {}{more}",
            pool.model,
            pool.family,
            ids.join(", ")
        ));
    }
}

fn push_evidence(draft: &Draft<'_>, incident: &Incident, lines: &mut Vec<String>) {
    let reasons = reasons(draft, incident);
    if !reasons.is_empty() {
        lines.push("Evidence:".to_owned());
    }
    lines.extend(reasons.iter().take(10).map(|it| format!("- {it}")));
}

fn push_organisation(draft: &Draft<'_>, lines: &mut Vec<String>) {
    let organisation = &draft.policy().organisation;
    if let Some(use_case) = &organisation.use_case {
        lines.push(format!("Use case: {use_case}"));
    }
    if let Some(contact) = &organisation.contact {
        lines.push(format!("Contact: {contact}"));
    }
    lines.push(
        "Monitoring in place: written by Bedrock Ops Alert from CloudWatch and Service Quotas data of this account."
            .to_owned(),
    );
}

fn known(value: Option<Amount>) -> String {
    value.map_or_else(|| "not recorded".to_owned(), |value| value.to_string())
}
