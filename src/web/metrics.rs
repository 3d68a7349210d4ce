//! `/metrics`: the numbers of the book and of the daemon's health, in OpenMetrics text.
//!
//! Made anew for each scrape from one view, so that the numbers belong together and nothing has to be kept in step.
//! What tells of the service itself is there whatever else is: its rows are as many as accounts, Regions, stages, calls and
//! receivers make. The series of pools are bounded; those that are shortest of room come first, so that what falls over the
//! edge is what matters least. How much fell is a metric itself.

use std::{collections::BTreeMap, fmt, sync::Arc};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet, text::encode},
    metrics::MetricType,
    registry::Registry,
};

mod health;

use super::{View, Web, inert, json::Headroom, view::Untold};
use crate::{
    model::{handling::Hold, ids::Scope, silence::SilenceState, time::Timestamp},
    runtime::shared::Cost,
};

/// Series of pools in one scrape.
const MOST_OF_POOLS: usize = 500;
/// Characters of a label value; longer ones are cut and end in `…`.
const MOST_LABEL: usize = 128;
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = Vec<(&'static str, String)>;
type Row = (Labels, f64);

/// The rows of one metric, in the order in which they are written. (The crate's own families hash, and so shuffle.)
#[derive(Debug)]
struct Rows {
    kind: MetricType,
    rows: Vec<Row>,
}

impl EncodeMetric for Rows {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (labels, value) in &self.rows {
            if labels.is_empty() {
                write_value(&mut encoder, self.kind, *value)?;
            } else {
                write_value(&mut encoder.encode_family(labels)?, self.kind, *value)?;
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        self.kind
    }
}

fn write_value(encoder: &mut MetricEncoder<'_>, kind: MetricType, value: f64) -> fmt::Result {
    if matches!(kind, MetricType::Counter) {
        return encoder.encode_counter::<NoLabelSet, f64, f64>(&value, None);
    }
    encoder.encode_gauge(&value)
}

/// `GET /metrics`.
pub(super) async fn metrics(State(web): State<Arc<Web>>) -> Response {
    match web.with_view(|view| exposition(view, MOST_OF_POOLS)) {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The whole exposition, with at most `most` series of pools.
fn exposition(view: &View<'_>, most: usize) -> Result<String, fmt::Error> {
    let mut series = Series {
        registry: Registry::with_prefix("boa"),
        left: most,
        dropped: 0,
    };
    series.daemon(view);
    series.aws(view);
    series.incidents(view);
    series.intents(view);
    series.receivers(view);
    series.stages(view);
    series.loop_and_store(view);
    series.answers(view);
    series.effects(view);
    series.unwatched(view);
    // The quotas themselves need most of the room, and take what the others leave.
    series.exhaustion(view, most / 4);
    series.checks(view, most / 8);
    series.quotas(&view.headroom());
    let dropped = vec![(Vec::new(), count(series.dropped))];
    let help = "Series of pools left out of this scrape for the bound of 500";
    series.gauge("series_dropped", help, dropped);
    let mut text = String::new();
    encode(&mut text, &series.registry)?;
    Ok(text)
}

struct Series {
    registry: Registry,
    /// How many series of pools may still come.
    left: usize,
    dropped: usize,
}

impl Series {
    fn daemon(&mut self, view: &View<'_>) {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let mode = view.settings.policy.mode.name().to_owned();
        let build = vec![("version", version), ("mode", mode)];
        self.gauge("build_info", "Version and mode", vec![(build, 1.0)]);
        let flags = [
            (
                "ready",
                "1 once the first cycle is done",
                view.health.is_ready,
            ),
            (
                "simulated",
                "1 when AWS is the simulated one",
                view.is_simulated,
            ),
            (
                "writes_stopped",
                "1 while writes at AWS are stopped",
                view.stop.is_some(),
            ),
            (
                "stale",
                "1 when the data counts as old",
                !view.stale().is_empty(),
            ),
        ];
        for (name, help, is_so) in flags {
            self.gauge(name, help, bare(f64::from(u8::from(is_so))));
        }
        self.configuration(view);
        let idle = count_u64(view.idle_seconds);
        let help = "Real seconds since the daemon last began a cycle";
        self.gauge("watchdog_age_seconds", help, bare(idle));
        if let Some(now) = view.now() {
            let help = "Start of the last cycle in the daemon's time";
            self.gauge("last_cycle_timestamp_seconds", help, bare(seconds(now)));
        }
        let cycles = bare(count_u64(view.health.cycles));
        self.counter("cycles", "Cycles since the start", cycles);
    }

    fn aws(&mut self, view: &View<'_>) {
        let mut calls: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for (site, made) in &view.health.calls.by_site {
            let region = site.scope.as_ref().map_or("", |it| it.region.as_str());
            *calls.entry((&site.operation, region)).or_default() += made.requests;
        }
        let calls = calls.into_iter().map(|((operation, region), made)| {
            let labels = vec![("api", label(operation)), ("region", label(region))];
            (labels, count_u64(made))
        });
        let help =
            "AWS calls since the start, by service and operation, and by Region where there is one";
        self.counter("aws_requests", help, calls.collect());
        let metrics = bare(count_u64(view.health.calls.metrics()));
        let help = "Metrics requested from CloudWatch, as AWS bills them";
        self.counter("aws_billed_metrics", help, metrics);
        let cost = view.health.cost_usd;
        if (0.0..f64::INFINITY).contains(&cost) {
            let help = "Cost of those calls at list price in USD";
            self.counter("aws_estimated_cost_usd", help, bare(cost));
        }
        let stretch = bare(view.health.stretch);
        let help = "By how much the budget stretches the reads; 1 when it does not";
        self.gauge("cadence_stretch", help, stretch);
        let budget = bare(view.settings.cost.monthly_budget);
        self.gauge("cost_budget_usd", "Budget of a month in USD", budget);
        if let Some(month) = &view.health.month {
            let with = |free: &str, usd| (vec![("free_requests", free.to_owned())], usd);
            let rows = |cost: Cost| vec![with("ours", cost.usd), with("none", cost.list_usd)];
            let help = "Cost of this month so far in USD, with our share of the free requests and with none";
            self.gauge("cost_month_usd", help, rows(month.so_far));
            let projected = month.projected.map(rows).unwrap_or_default(); // not known in the first hour
            let help = "Cost of this month in USD if it goes on like this";
            self.gauge("cost_month_projected_usd", help, projected);
        }
    }

    fn incidents(&mut self, view: &View<'_>) {
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for state in ["open", "ended"] {
            for severity in crate::model::rule::Severity::ALL {
                counts.insert((state, severity.name()), 0);
            }
        }
        for incident in view.book.incidents.values() {
            let state = if incident.is_open() { "open" } else { "ended" };
            let key = (state, incident.severity.name());
            *counts.entry(key).or_default() += 1;
        }
        let rows = counts.into_iter().map(|((state, severity), number)| {
            let labels = vec![
                ("state", state.to_owned()),
                ("severity", severity.to_owned()),
            ];
            (labels, count(number))
        });
        self.gauge("incidents", "Incidents in the book", rows.collect());
        self.said(view);
    }

    /// What people hold back.
    fn said(&mut self, view: &View<'_>) {
        let states = SilenceState::ALL.map(|state| {
            let all = view.book.silences.values();
            let now = view.now();
            let there = all.filter(|it| now.is_some_and(|now| it.state(now) == state));
            (
                vec![("state", state.name().to_owned())],
                count(there.count()),
            )
        });
        self.gauge(
            "silences",
            "Silences, ended ones for 30 days",
            states.into(),
        );
        let open = view.book.incidents.values().filter(|it| it.is_open());
        let handlings = open.filter_map(|it| Some((it, view.book.handlings.get(&it.id)?)));
        let (mut silenced, mut inhibited, mut acknowledged) = (0, 0, 0);
        for (incident, handling) in handlings {
            silenced += usize::from(!view.silences_over(incident).is_empty());
            let hold = handling.held.as_ref().map(|held| &held.hold);
            inhibited += usize::from(matches!(hold, Some(Hold::Inhibited { .. })));
            acknowledged += usize::from(handling.ack.is_some());
        }
        let rows = [
            ("silenced", silenced),
            ("inhibited", inhibited),
            ("acknowledged", acknowledged),
        ];
        let rows = rows.map(|(why, number)| (vec![("why", why.to_owned())], count(number)));
        let help = "Open incidents that people hear less of, and why";
        self.gauge("incidents_quieted", help, rows.into());
    }

    fn intents(&mut self, view: &View<'_>) {
        let states = view.intents_by_state().into_iter();
        let rows = states.map(|(state, number)| (vec![("state", state)], count_u64(number)));
        self.gauge("intents", "Intents in the book", rows.collect());
        let open = view.book.intents.values().filter(|it| !it.state.is_final());
        let oldest = open.clone().map(|it| it.created).min();
        let depth = bare(count(open.count()));
        self.gauge("outbox_depth", "Intents that are not final", depth);
        let now = view.now();
        let age = oldest.and_then(|at| Some(seconds(now?) - seconds(at)));
        let help = "Age of the oldest intent that is not final; 0 when there is none";
        self.gauge(
            "outbox_oldest_seconds",
            help,
            bare(age.unwrap_or(0.0).max(0.0)),
        );
    }

    fn receivers(&mut self, view: &View<'_>) {
        let untold = view.untold();
        let kind = |name| {
            let receiver = view.settings.policy.receivers.get(name);
            receiver.map_or("", |it| it.kind()).to_owned()
        };
        let rows = |number: fn(&Untold) -> usize| {
            let rows = untold.iter().map(|(name, own)| {
                let labels = vec![("receiver", label(name.as_str())), ("kind", kind(name))];
                (labels, count(number(own)))
            });
            rows.collect::<Vec<Row>>()
        };
        let waiting = rows(|it| it.waiting);
        let help = "Messages that a receiver has not taken yet";
        self.gauge("receiver_waiting", help, waiting);
        let given_up = rows(|it| it.given_up);
        let help = "Messages of the last day that were given up for a receiver";
        self.gauge("receiver_given_up", help, given_up);
        let unheard = bare(count(view.unheard().len()));
        let help = "Messages that were tried and that no receiver took";
        self.gauge("messages_unheard", help, unheard);
    }

    fn stages(&mut self, view: &View<'_>) {
        let health = view.health;
        let successes = health.last_success.iter();
        let rows = successes.map(|((stage, scope), at)| (stage_labels(stage, scope), seconds(*at)));
        let help = "Last success of each stage in the daemon's time";
        self.gauge("last_success_timestamp_seconds", help, rows.collect());
        let failing = health.failing.keys();
        let rows = failing.map(|(stage, scope)| (stage_labels(stage, scope), 1.0));
        let help = "1 for each stage whose last try failed";
        self.gauge("stage_failing", help, rows.collect());
    }

    fn quotas(&mut self, headroom: &[Headroom]) {
        let used = headroom
            .iter()
            .filter_map(|row| Some((pool_labels(row), row.share?)));
        let help = "Use in the newest known minute as a share of the quota";
        // Half of what is left each, so that every ratio has its value beside it.
        let half = self.left / 2;
        self.of_pools("quota_used_ratio", help, half, used.collect());
        let values = headroom.iter().filter_map(|row| {
            let mut labels = pool_labels(row);
            labels.push(("source", row.source.clone()));
            Some((labels, row.limit?))
        });
        let help = "The quota and its source";
        self.of_pools("quota_value", help, self.left, values.collect());
    }

    /// How far the charged tokens of each pool's last whole day lie from the formula's sum.
    fn checks(&mut self, view: &View<'_>, most: usize) {
        let rows = view.health.checks.iter().map(|(pool, check)| {
            let labels = vec![
                ("account", label(pool.scope.account.as_str())),
                ("region", label(pool.scope.region.as_str())),
                ("family", pool.family.name().to_owned()),
                ("model", label(pool.model.as_str())),
            ];
            (labels, check.drift())
        });
        let help = "Charged tokens of the last whole day by CloudWatch over those by the formula, less 1; beyond 0.02 the burndown rate is wrong";
        let mut rows: Vec<Row> = rows.collect();
        rows.sort_by(|(_, one), (_, other)| other.abs().total_cmp(&one.abs())); // those off the most first
        self.of_pools("burndown_drift_ratio", help, most, rows);
    }

    /// As many of these series, of pools, as `most` and the bound of all of them let through.
    fn of_pools(&mut self, name: &str, help: &str, most: usize, mut rows: Vec<Row>) {
        let kept = rows.len().min(most).min(self.left);
        self.dropped += rows.len() - kept;
        self.left -= kept;
        rows.truncate(kept);
        self.gauge(name, help, rows);
    }

    /// Targets with metrics and without a pool.
    fn unwatched(&mut self, view: &View<'_>) {
        let rows = view.book.catalogs.iter().map(|(scope, catalog)| {
            let labels = vec![
                ("account", label(scope.account.as_str())),
                ("region", label(scope.region.as_str())),
            ];
            (labels, count(catalog.unwatched.len()))
        });
        let help = "Targets with metrics that belong to no pool, so that nothing watches them";
        self.gauge("targets_unwatched", help, rows.collect());
    }

    fn gauge(&mut self, name: &str, help: &str, rows: Vec<Row>) {
        self.register(name, help, MetricType::Gauge, rows);
    }

    /// The name gets its `_total` from the encoder.
    fn counter(&mut self, name: &str, help: &str, rows: Vec<Row>) {
        self.register(name, help, MetricType::Counter, rows);
    }

    fn register(&mut self, name: &str, help: &str, kind: MetricType, rows: Vec<Row>) {
        self.registry.register(name, help, Rows { kind, rows });
    }
}

fn bare(value: f64) -> Vec<Row> {
    vec![(Vec::new(), value)]
}

fn pool_labels(row: &Headroom) -> Labels {
    vec![
        ("account", label(&row.account)),
        ("region", label(&row.region)),
        ("family", row.family.clone()),
        ("model", label(&row.model)),
        ("kind", row.kind.clone()),
    ]
}

fn stage_labels(stage: &str, scope: &Scope) -> Labels {
    vec![
        ("source", stage.to_owned()),
        ("account", label(scope.account.as_str())),
        ("region", label(scope.region.as_str())),
    ]
}

/// Outside text as a label value: inert and short. The encoder escapes quotes and backslashes.
fn label(text: &str) -> String {
    let text = inert::inert(text);
    if text.chars().count() <= MOST_LABEL {
        return text;
    }
    let cut: String = text.chars().take(MOST_LABEL - 1).collect();
    format!("{cut}…")
}

fn count(number: usize) -> f64 {
    count_u64(u64::try_from(number).unwrap_or(u64::MAX))
}

/// A counter as the format's double: exact up to 2^53, and the nearest double above that.
fn count_u64(number: u64) -> f64 {
    const HALF: f64 = 4_294_967_296.0; // 2^32
    let high = u32::try_from(number >> 32).unwrap_or(u32::MAX);
    let low = u32::try_from(number & 0xffff_ffff).unwrap_or(u32::MAX);
    f64::from(high) * HALF + f64::from(low)
}

/// Seconds since 1970.
fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}
