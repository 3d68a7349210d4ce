//! Where a message leads: our page, the graph, the quota, the request and the case of its incident.
//!
//! They go with the message as data, and each receiver shows them in its way; no text has an address in it that a receiver
//! could cut. What has no known address gets no link.

use std::collections::BTreeMap;

use super::draft::Draft;
use crate::model::{
    catalog::PoolId,
    ids::{ActionId, DisplayId, Scope, TargetId},
    incident::{Cause, Incident},
    links::{Console, Endpoint, Graph, Link, LinkKind, Places, filled, graph_text, percent},
    time::{HOUR, Minute},
    uses::RecentUse,
};

/// Decisions that a message leads to; the page shows all.
const MOST_DECISIONS: usize = 3;
/// Targets that a graph shows.
const MOST_TARGETS: usize = 5;
/// Characters of a graph's address. Slack takes 3,000 in a block, and links share one.
const MOST_GRAPH: usize = 1_500;
/// Minutes that a graph shows before the first bad one, and after now.
const BEFORE: i64 = 3 * HOUR;
const AFTER: i64 = HOUR;

/// What a message about this incident leads to, in the order of [`LinkKind::ALL`].
pub(super) fn of(draft: &Draft<'_>, incident: &Incident) -> Vec<Link> {
    let places = &draft.policy().places;
    let scope = incident.cause.scope();
    let there = format!("{} {}", scope.account, scope.region);
    let mut links = Vec::new();
    let mut put = |kind, text: String, url: Option<String>| {
        links.extend(url.map(|url| Link { kind, text, url }));
    };
    let id = &incident.id;
    let page = places.page.as_ref();
    let page = page.map(|it| format!("{it}/#{}", percent(id.as_str())));
    put(LinkKind::Incident, format!("Incident {id}"), page);
    let Some(console) = places.console(&scope.region) else {
        return links;
    };
    let graph = graph(draft, incident, console);
    put(LinkKind::Metric, format!("CloudWatch, {there}"), graph);
    let fill = |pattern: &Option<String>, place, value: &str| {
        let pattern = pattern.as_deref()?;
        Some(filled(pattern, &scope.region, (place, &percent(value))))
    };
    if let Cause::Quota { code, .. } = &incident.cause {
        let url = fill(&console.quota, "code", code.as_str());
        put(LinkKind::Quota, format!("Quota {code}, {there}"), url);
    }
    let asks = draft.asks().filter(|it| it.incident == *id);
    let ask = asks.max_by_key(|it| (it.filed, it.request.clone()));
    if let Some(ask) = ask {
        let text = format!("Request {}, {}", ask.request, there_of(&ask.scope));
        let url = fill(&console.requests, "request", ask.request.as_str());
        put(LinkKind::Request, text, url);
    }
    if let Some((number, scope)) = case(draft, incident) {
        let url = places.case(&scope.region, number.as_str());
        let text = format!("Case {number}, {}", scope.account);
        put(LinkKind::Case, text, url);
    }
    links
}

/// Adds where what waits is decided, next to the page of the incident.
pub(super) fn add_decisions(links: &mut Vec<Link>, places: &Places, waiting: &[ActionId]) {
    let Some(page) = &places.page else {
        return;
    };
    let is_page = |it: &&Link| it.kind == LinkKind::Incident;
    let at = links.iter().take_while(is_page).count();
    let decisions = waiting.iter().take(MOST_DECISIONS).map(|id| Link {
        kind: LinkKind::Decide,
        text: format!("Decide about {id}"),
        url: format!("{page}/decide/{}", percent(id.as_str())),
    });
    links.splice(at..at, decisions);
}

fn there_of(scope: &Scope) -> String {
    format!("{} {}", scope.account, scope.region)
}

/// The case of our own; without one that of the request.
fn case<'a>(draft: &'a Draft<'_>, incident: &Incident) -> Option<(&'a DisplayId, &'a Scope)> {
    let own = draft
        .investigations()
        .filter(|it| it.incident == incident.id);
    let own = own.filter_map(|it| Some((it.opened, it.display.as_ref()?, &it.scope)));
    let own = own.max_by_key(|(opened, ..)| *opened);
    let asked = draft.asks().filter(|it| it.incident == incident.id);
    let asked = asked.filter_map(|it| Some((it.filed, it.display.as_ref()?, &it.scope)));
    let found = own.or_else(|| asked.max_by_key(|(filed, ..)| *filed))?;
    Some((found.1, found.2))
}

/// The graph of the targets that take most, from before the first bad minute on.
fn graph(draft: &Draft<'_>, incident: &Incident, console: &Console) -> Option<String> {
    let pattern = console.metric.as_deref()?;
    let first = incident.pools.first()?;
    let of = incident
        .kind
        .map_or_else(|| incident.cause.category().name(), |it| it.name());
    let endpoint = Endpoint::of(first.family);
    let graph = draft.policy().places.graph(endpoint, of)?;
    let region = &incident.cause.scope().region;
    let targets = match graph.dimension {
        Some(_) => targets(draft, incident),
        None => Vec::new(),
    };
    let until = incident.last_bad.max(Minute::of(draft.now())).plus(AFTER);
    let span = (incident.began.plus(-BEFORE), until);
    // Fewer targets rather than no graph.
    (0..=targets.len()).rev().find_map(|most| {
        let shown = targets.get(..most)?;
        let lines = lines(graph, shown)?;
        let value = drawn(&lines, graph, region.as_str(), span);
        let url = filled(pattern, region, ("graph", &value));
        (url.len() <= MOST_GRAPH).then_some(url)
    })
}

/// The metrics, a list in a list; `None` where there is none. What is as in the line before is a dot.
fn lines(graph: &Graph, targets: &[TargetId]) -> Option<String> {
    let namespace = graph_text(&graph.namespace);
    let Some(dimension) = &graph.dimension else {
        let each = graph.metrics.iter();
        let each = each.map(|metric| format!("~(~{namespace}~{})", graph_text(metric)));
        return Some(each.collect());
    };
    let dimension = graph_text(dimension);
    let mut lines = String::new();
    for target in targets {
        // The part before a slash tells endpoints apart in our ids; CloudWatch has the model alone.
        let value = if graph.endpoint == Endpoint::Mantle {
            target.as_str().rsplit('/').next().unwrap_or_default()
        } else {
            target.as_str()
        };
        let mut value = graph_text(value);
        for metric in &graph.metrics {
            lines.push_str(&format!(
                "~(~{namespace}~{}~{dimension}~{value})",
                graph_text(metric)
            ));
            "'.".clone_into(&mut value);
        }
    }
    (!lines.is_empty()).then_some(lines)
}

fn drawn(lines: &str, graph: &Graph, region: &str, (from, until): (Minute, Minute)) -> String {
    let at = |minute: Minute| {
        let at = minute.start().strftime("%Y-%m-%dT%H:%M:00.000Z");
        graph_text(&at.to_string())
    };
    format!(
        "~(metrics~({lines})~view~'timeSeries~stacked~false~region~{}~stat~{}~period~60~start~{}~end~{})",
        graph_text(region),
        graph_text(&graph.stat),
        at(from),
        at(until)
    )
}

/// The targets of its pools, those that took most in the last hour first.
fn targets(draft: &Draft<'_>, incident: &Incident) -> Vec<TargetId> {
    let until = incident.last_bad.plus(1);
    let mut found: Vec<(f64, &TargetId)> = Vec::new();
    for pool in &incident.pools {
        let taken = draft.inputs.recent.get(pool);
        let taken = taken.map(|it| taken_of(it, until)).unwrap_or_default();
        let own = known_targets(draft, pool);
        found.extend(own.map(|it| (taken.get(it).copied().unwrap_or(0.0), it)));
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let most = found.into_iter().take(MOST_TARGETS);
    most.map(|(_, target)| target.clone()).collect()
}

fn known_targets<'a>(draft: &Draft<'a>, pool: &PoolId) -> impl Iterator<Item = &'a TargetId> {
    let targets = draft.book().targets.values();
    targets.filter(move |it| it.pool == *pool).map(|it| &it.id)
}

fn taken_of(recent: &RecentUse, until: Minute) -> BTreeMap<&TargetId, f64> {
    let sums = recent.sums(until.plus(-HOUR), until).into_iter();
    sums.map(|(target, it)| (target, it.demand)).collect()
}
