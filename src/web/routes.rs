//! All routes: what serves each of them, and what is promised of it. The router and the OpenAPI document are made from this
//! one table, so that neither has what the other lacks. Forms for people are no API, and in neither: see `decide`.

use std::sync::Arc;

use axum::routing::{MethodRouter, get, post};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{
    Web, api, history,
    json::{
        Acknowledging, Asking, Bill, Condition, Explanation, History, Incident, Incidents, Moment,
        Ordered, Plan, Ran, Ruled, Ruling, Silences, Silencing, Status, Trail,
    },
    live, metrics, moment, openapi, orders, page, prospect, ran,
};

/// A path and all that it takes.
pub(super) struct Route {
    /// As axum writes it; `{*id}` takes slashes.
    pub(super) path: &'static str,
    pub(super) handler: MethodRouter<Arc<Web>>,
    pub(super) operations: Vec<Operation>,
}

/// What is promised of a method.
pub(super) struct Operation {
    pub(super) is_post: bool,
    pub(super) summary: &'static str,
    /// Of the query, each optional: name, JSON type and what it says.
    pub(super) query: &'static [Parameter],
    pub(super) body: Option<Shape>,
    pub(super) answer: Answer,
    /// Refusals beside those that every route may give.
    pub(super) refusals: &'static [u16],
}

/// A parameter of a query.
type Parameter = (&'static str, &'static str, &'static str);

/// Days of the record of where requests ran.
const DAYS: &[Parameter] = &[
    ("from", "string", "the first day; 30 days without it"),
    ("to", "string", "the last day; today without it"),
];

/// Makes the schema of a type.
pub(super) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// What a method answers with.
pub(super) enum Answer {
    /// A document.
    Json(Shape),
    /// A document that comes with 503 as well, where not all is well.
    Condition(Shape),
    /// Something else, of this content type.
    Other(&'static str),
}

fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Operation {
    fn reads<T: JsonSchema>(summary: &'static str) -> Self {
        Self {
            is_post: false,
            summary,
            query: &[],
            body: None,
            answer: Answer::Json(shape::<T>),
            refusals: &[],
        }
    }

    fn shows(summary: &'static str, kind: &'static str) -> Self {
        Self {
            answer: Answer::Other(kind),
            ..Self::reads::<()>(summary)
        }
    }

    fn says(summary: &'static str) -> Self {
        Self {
            answer: Answer::Condition(shape::<Condition>),
            ..Self::reads::<()>(summary)
        }
    }

    fn orders<B: JsonSchema, T: JsonSchema>(summary: &'static str) -> Self {
        Self {
            is_post: true,
            body: Some(shape::<B>),
            refusals: &[403, 404, 409, 413, 415, 422, 503, 504],
            ..Self::reads::<T>(summary)
        }
    }

    fn asking(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    fn or(self, refusals: &'static [u16]) -> Self {
        Self { refusals, ..self }
    }
}

fn route<const N: usize>(
    path: &'static str,
    handler: MethodRouter<Arc<Web>>,
    operations: [Operation; N],
) -> Route {
    Route {
        path,
        handler,
        operations: operations.into(),
    }
}

/// The table.
pub(super) fn all() -> Vec<Route> {
    let mut all = pages();
    all.extend(documents());
    all.extend(past());
    all.extend(decisions());
    all
}

fn pages() -> Vec<Route> {
    use Operation as It;
    vec![
        route(
            "/",
            get(page::page),
            [
                It::shows("The status page", "text/html; charset=utf-8").asking(&[(
                    "refresh",
                    "string",
                    "`off` keeps the page still",
                )]),
            ],
        ),
        route(
            "/ran",
            get(ran::shown),
            [
                It::shows("Where requests ran, for people", "text/html; charset=utf-8")
                    .asking(DAYS)
                    .or(&[503]),
            ],
        ),
        route(
            "/style.css",
            get(page::style),
            [It::shows("Its style sheet", "text/css; charset=utf-8")],
        ),
        route(
            "/live",
            get(live::live),
            [It::shows("An event for each cycle", "text/event-stream").or(&[503])],
        ),
        route(
            "/live.js",
            get(live::script),
            [It::shows(
                "The page's script",
                "text/javascript; charset=utf-8",
            )],
        ),
        route(
            "/healthz",
            get(api::healthz),
            [It::says("Whether the loop is alive")],
        ),
        route(
            "/readyz",
            get(api::readyz),
            [It::says("Whether the daemon does its work everywhere")],
        ),
        route(
            "/metrics",
            get(metrics::metrics),
            [It::shows(
                "Metrics, as OpenMetrics text",
                metrics::CONTENT_TYPE,
            )],
        ),
        route(
            "/api/v1/openapi.json",
            get(openapi::openapi),
            [It::shows("This document", "application/json")],
        ),
    ]
}

fn documents() -> Vec<Route> {
    use Operation as It;
    vec![
        route(
            "/api/v1/status",
            get(api::status),
            [It::reads::<Status>("All of the status page")],
        ),
        route(
            "/api/v1/cost",
            get(api::cost),
            [It::reads::<Bill>("What this month costs").or(&[503])],
        ),
        route(
            "/api/v1/incidents",
            get(api::incidents),
            [It::reads::<Incidents>("Incidents in brief")],
        ),
        route(
            "/api/v1/incidents/{id}",
            get(api::incident),
            [It::reads::<Incident>("An incident").or(&[404])],
        ),
        route(
            "/api/v1/explain/{*id}",
            get(api::explain),
            [It::reads::<Explanation>(
                "Why: an incident, action, pool, quota code, request or case",
            )
            .or(&[404])],
        ),
        route(
            "/api/v1/plan/{*pool}",
            get(prospect::plan),
            [
                It::reads::<Plan>("What would be asked for a pool's quotas now")
                    .or(&[404, 500, 503]),
            ],
        ),
        route(
            "/api/v1/audit",
            get(api::audit),
            [It::reads::<Trail>("The audit trail").asking(&[
                ("subject", "string", "an incident, action or silence"),
                ("before", "integer", "only entries before this number"),
            ])],
        ),
    ]
}

/// What was.
fn past() -> Vec<Route> {
    use Operation as It;
    vec![
        route(
            "/api/v1/history/{*pool}",
            get(history::history),
            [It::reads::<History>("What was measured of a pool")
                .asking(&[
                    ("signal", "string", "`tpm`, `rpm` or a signal of the rules"),
                    ("resolution", "string", "`minute`, `5m` or `hour`"),
                    (
                        "from",
                        "string",
                        "an instant, a day, `14:05` (UTC), or so long before the end",
                    ),
                    ("to", "string", "the same, before now"),
                ])
                .or(&[404, 503])],
        ),
        route(
            "/api/v1/moments/{*pool}",
            get(moment::moment),
            [It::reads::<Moment>("A past minute of a pool, judged again")
                .asking(&[("at", "string", "an instant, `14:05` (UTC), or so long ago")])
                .or(&[404, 503])],
        ),
        route(
            "/api/v1/ran",
            get(ran::ran),
            [
                It::reads::<Ran>("Where requests ran, by the log of invocations")
                    .asking(DAYS)
                    .or(&[503]),
            ],
        ),
        route(
            "/api/v1/ran.csv",
            get(ran::csv),
            [It::shows("The same as a file", ran::CSV)
                .asking(DAYS)
                .or(&[500, 503])],
        ),
    ]
}

fn decisions() -> Vec<Route> {
    use Operation as It;
    vec![
        route(
            "/api/v1/actions/{id}/approve",
            post(orders::approve),
            [It::orders::<Ruling, Ruled>("Carry out a proposal")],
        ),
        route(
            "/api/v1/actions/{id}/reject",
            post(orders::reject),
            [It::orders::<Ruling, Ruled>("Refuse a proposal")],
        ),
        route(
            "/api/v1/asks",
            post(orders::ask),
            [It::orders::<Asking, Ordered>(
                "Ask AWS for more of a quota, though no rule calls for it",
            )],
        ),
        route(
            "/api/v1/silences",
            get(api::silences).post(orders::silence),
            [
                It::reads::<Silences>("Silences"),
                It::orders::<Silencing, Ordered>("Hold messages back for a while"),
            ],
        ),
        route(
            "/api/v1/silences/{id}/expire",
            post(orders::expire),
            [It::orders::<Acknowledging, Ordered>("End a silence")],
        ),
        route(
            "/api/v1/incidents/{id}/ack",
            post(orders::acknowledge),
            [It::orders::<Acknowledging, Ordered>(
                "Look after an incident",
            )],
        ),
        route(
            "/api/v1/incidents/{id}/snooze",
            post(orders::snooze),
            [It::orders::<Acknowledging, Ordered>(
                "Look after an incident later; with `minutes`",
            )],
        ),
        route(
            "/api/v1/writes/stop",
            post(orders::stop_writes),
            [It::orders::<Acknowledging, Ordered>(
                "Stop all writes at AWS; with a `reason`",
            )],
        ),
        route(
            "/api/v1/writes/resume",
            post(orders::resume_writes),
            [It::orders::<Acknowledging, Ordered>(
                "Let writes at AWS go on",
            )],
        ),
    ]
}
