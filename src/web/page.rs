//! The status page: made on the server, readable without script, nothing loaded from elsewhere. With script it renews
//! itself after each cycle (`live`).
//!
//! Order: the verdict, how fresh it is, headroom now and ahead, what is open, what waits for a person, what AWS's desk does, what
//! ended, how well it predicts, what it costs. Every outside string is made inert and then escaped; colour never says anything alone.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

use super::{
    Web,
    decide::{Deciding, Visitor},
    inert::inert,
    json::{Level, Status},
    words::{self, age},
};

pub(super) mod decide;
mod desk;
mod elements;
mod fan;
mod headroom;
mod incidents;
pub(super) mod ran;
mod record;

use elements::when;

/// Seconds until a browser without script asks for the page again.
const REFRESH_SECONDS: &str = "30";

/// `?refresh=off` keeps the page still, for reading and for screen readers.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Options {
    refresh: Option<String>,
}

/// `GET /`.
pub(super) async fn page(
    State(web): State<Arc<Web>>,
    Query(options): Query<Options>,
    visitor: Visitor,
) -> Response {
    let deciding = visitor.deciding(&web.shared.settings().access);
    let status = web.with_view(|view| view.status());
    let is_still = options.refresh.as_deref() == Some("off");
    let body = render(&status, is_still, &deciding).into_string();
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    ([kind], body).into_response()
}

/// `GET /style.css`.
pub(super) async fn style() -> Response {
    let kind = (header::CONTENT_TYPE, "text/css; charset=utf-8");
    ([kind], include_str!("style.css")).into_response()
}

/// The whole page.
fn render(status: &Status, is_still: bool, deciding: &Deciding) -> Markup {
    let level = status.verdict.level;
    let verdict = inert(&status.verdict.text);
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(&format!("{}: {verdict}", words::level(level).1), status.is_simulated, is_still))
            body class={ "level-" (level.name()) } {
                (masthead(status))
                main id="main" {
                    (verdict_block(status, &verdict, deciding))
                    (headroom::section(status))
                    (fan::section(status))
                    (incidents::open(status, deciding))
                    (incidents::silences(status, deciding))
                    (desk::waiting(status, deciding))
                    (desk::desk(status))
                    (incidents::ended(status))
                    (record::section(status))
                    (desk::aws(status))
                }
                (footer(status, is_still))
            }
        }
    }
}

/// What stands before the body of each page.
fn head(title: &str, is_simulated: bool, is_still: bool) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) @if is_simulated { " · simulated AWS" } " · Bedrock Ops Alert" }
            link rel="icon" href="data:,";
            link rel="stylesheet" href="/style.css";
            @if !is_still {
                // With script the page renews itself in place instead.
                noscript { meta http-equiv="refresh" content=(REFRESH_SECONDS); }
                script src="/live.js" defer {}
            }
        }
    }
}

fn masthead(status: &Status) -> Markup {
    html! {
        header {
            div.masthead {
                p.product { "Bedrock Ops Alert" }
                p.mode {
                    "mode " strong { (status.mode) }
                    @if status.writes_stopped.is_some() { ", " strong { "writes stopped" } }
                }
            }
            @if status.is_simulated {
                p.banner {
                    strong { "Simulated AWS." } " Nothing on this page has happened in a real account."
                }
            }
        }
    }
}

fn verdict_block(status: &Status, verdict: &str, deciding: &Deciding) -> Markup {
    let (symbol, word) = words::level(status.verdict.level);
    html! {
        section.verdict aria-labelledby="verdict" {
            h1 id="verdict" {
                span.badge { span aria-hidden="true" { (symbol) } " " (word) }
                " " span.said { (verdict) }
            }
            p.fresh {
                @match &status.now {
                    Some(now) => { "Data as of " (when(now)) ", the start of the last cycle. " }
                    None => { "No cycle has begun yet. " }
                }
                @if status.verdict.level == Level::Stale { strong { "Everything below may be out of date." } }
            }
            @if let Some(stop) = &status.writes_stopped {
                p.trouble { strong { "Writes stopped: " } (inert(stop)) ". Messages go on." }
            }
            @match deciding {
                Deciding::Here => p.fresh {
                    a href="/decide/writes" {
                        @if status.writes_stopped.is_some() { "Let writes at AWS go on…" } @else { "Stop writes at AWS…" }
                    }
                },
                Deciding::NotYou(how) => p.fresh { (inert(how)) "." },
                Deciding::ByCommand => {}
            }
            @for why in &status.stale { p.trouble { (inert(why)) } }
            @for notice in &status.notices { p.trouble { (inert(notice)) } }
            @if !status.freshness.is_empty() { (freshness(status)) }
        }
    }
}

fn freshness(status: &Status) -> Markup {
    let failing: Vec<_> = status
        .freshness
        .iter()
        .filter(|it| it.failing.is_some())
        .collect();
    html! {
        @for row in &failing {
            p.trouble {
                strong { (row.stage) " fails" } " in " (words::place(row.account_name.as_deref(), &row.account, &row.region))
                ": " (inert(row.failing.as_deref().unwrap_or_default()))
            }
        }
        details.quiet {
            summary { "Freshness of each source" }
            ul.plain {
                @for row in &status.freshness {
                    li {
                        (row.stage) ", " (words::place(row.account_name.as_deref(), &row.account, &row.region)) ": "
                        @match row.age_seconds {
                            Some(seconds) => { (age(seconds)) " ago" }
                            None => { "never since the start" }
                        }
                        @if row.failing.is_some() { " (failing)" }
                    }
                }
            }
        }
    }
}

fn footer(status: &Status, is_still: bool) -> Markup {
    html! {
        footer {
            p {
                "Version " (status.version) " · " (status.cycles) " cycles"
                @if let Some(started) = &status.started { " since " (when(started)) }
            }
            p {
                @if is_still { "This page stays still. " a href="/" { "Renew it by itself" } }
                @else { "Renews itself. " a href="/?refresh=off" { "Keep it still" } }
                " · " a href="/ran" { "where requests ran" }
                " · " a href="/api/v1/status" { "JSON" }
                " · " a href="/metrics" { "metrics" }
                " · " a href="/readyz" { "readiness" }
            }
        }
    }
}

/// Says how many rows a list left out.
fn left_out(status: &Status, list: &str) -> Markup {
    html! {
        @if let Some(more) = status.left_out.get(list) {
            p.quiet { "… and " (more) " more, left out of this page for its bound." }
        }
    }
}
