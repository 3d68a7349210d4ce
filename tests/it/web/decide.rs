//! Decisions by the forms of the page: who may, what keeps foreign pages from it, and that nothing is decided twice.

use std::fmt::Write as _;

use bedrock_ops_alert::{
    model::{
        access::Access,
        action::{Effect, IntentState},
        book::{Book, Record},
        order::{Command, End},
        policy::{Secret, Settings},
        units::Amount,
    },
    runtime::shared::{Health, Posted},
};
use data_encoding::BASE64;
use reqwest::{Response, redirect};

use super::{
    Served,
    books::{self, HOSTILE},
    page::as_text,
    said::obeyed,
    serving, serving_with,
};

const VIEW: &str = "view-0123456789abcdef0123456789ab";
pub(super) const ACT: &str = "act-0123456789abcdef0123456789abc";

pub(super) fn settings() -> Settings {
    Settings {
        access: Access {
            view: Some(Secret::new(VIEW)),
            act: Some(Secret::new(ACT)),
            hosts: vec!["monitor.internal".to_owned()],
            alb: None,
        },
        ..books::settings()
    }
}

/// The busy book, with words for AWS that want to be more.
pub(super) fn known() -> (Book, Health) {
    let (mut book, health) = books::busy();
    let id = proposal(&book);
    let mut intent = book.intents.values().find(|it| it.id.as_str() == id);
    let mut intent = intent.take().unwrap().clone();
    if let Effect::RequestQuota { context, .. } = &mut intent.effect {
        *context = format!("Please raise the quota to 2,250,000.\nCarried by {HOSTILE}");
    }
    book.apply(vec![Record::Intent(intent)]);
    (book, health)
}

pub(super) fn proposal(book: &Book) -> String {
    let is_proposed = |it: &IntentState| matches!(it, IntentState::Proposed { .. });
    let mut all = book.intents.values();
    all.find(|it| is_proposed(&it.state))
        .unwrap()
        .id
        .to_string()
}

fn shortage(served: &Served) -> String {
    let book = served.shared.book();
    let mut open = book.incidents.values().filter(|it| it.is_open());
    open.find(|it| it.kind.is_some()).unwrap().id.to_string()
}

fn basic(name: &str, token: &str) -> String {
    let plain = format!("{name}:{token}");
    format!("Basic {}", BASE64.encode(plain.as_bytes()))
}

fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy();
    client.redirect(redirect::Policy::none()).build().unwrap()
}

pub(super) fn encoded(fields: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in fields {
        write!(out, "&{name}=").unwrap();
        for byte in value.bytes() {
            write!(out, "%{byte:02X}").unwrap();
        }
    }
    out.trim_start_matches('&').to_owned()
}

/// A browser: who is signed in, and what it says of where a form was.
struct Browser<'a> {
    url: &'a str,
    shown: String,
    origin: Option<String>,
    site: Option<&'static str>,
}

impl<'a> Browser<'a> {
    fn of(url: &'a str, name: &str, token: &str) -> Self {
        Self {
            url,
            shown: basic(name, token),
            origin: Some(url.to_owned()),
            site: Some("same-origin"),
        }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let request = client().get(format!("{}{path}", self.url));
        let response = request.header("authorization", &self.shown).send().await;
        let response = response.unwrap();
        let status = response.status().as_u16();
        (status, response.text().await.unwrap())
    }

    async fn send(&self, path: &str, body: String) -> Response {
        let mut request = client().post(format!("{}{path}", self.url));
        request = request.header("authorization", &self.shown);
        request = request.header("content-type", "application/x-www-form-urlencoded");
        if let Some(origin) = &self.origin {
            request = request.header("origin", origin);
        }
        if let Some(site) = self.site {
            request = request.header("sec-fetch-site", site);
        }
        request.body(body).send().await.unwrap()
    }

    /// Opens the page, fills in its form of this verb and sends it.
    async fn decide(&self, id: &str, verb: &str, typed: &[(&str, &str)]) -> Response {
        let path = format!("/decide/{id}");
        let (_, html) = self.get(&path).await;
        self.send(&path, filled(&html, verb, typed)).await
    }
}

/// The body of this form, with what is typed.
pub(super) fn filled(html: &str, verb: &str, typed: &[(&str, &str)]) -> String {
    let mut forms = html.split("<form ").skip(1);
    let mark = format!("name=\"verb\" value=\"{verb}\"");
    let form = forms
        .find(|it| it.contains(&mark))
        .unwrap_or_else(|| panic!("no {verb}: {html}"));
    let hidden = |name: &str| {
        let (_, rest) = form.split_once(&format!("name=\"{name}\" value=\""))?;
        rest.split('"').next()
    };
    let mut fields = vec![("verb", verb), ("seal", hidden("seal").unwrap())];
    fields.extend(hidden("seen").map(|it| ("seen", it)));
    fields.extend(typed);
    encoded(&fields)
}

fn place(response: &Response) -> String {
    assert_eq!(response.status(), 303);
    response.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_proposal_is_approved_once_and_the_trail_names_the_person() {
    serving_with(settings(), known(), async |mut served: Served| {
        let (url, id) = (served.url.clone(), proposal(&served.shared.book()));
        let kim = Browser::of(&url, "Kim", ACT);
        let (_, html) = kim.get("/").await;
        for there in [id.as_str(), &shortage(&served), "writes"] {
            assert!(
                html.contains(&format!("href=\"/decide/{there}\"")),
                "{there}"
            );
        }
        assert!(!html.contains("bedrock-ops-alert approve"));
        let path = format!("/decide/{id}");
        let (status, html) = kim.get(&path).await;
        assert_eq!(status, 200);
        insta::assert_snapshot!("decide_proposal", as_text(&html));
        assert!(html.contains("name=\"by\" value=\"Kim\""), "{html}");
        for hostile in ["<script", "\" onload=", "style=\"", "\u{1b}", "\u{202e}"] {
            assert!(!html.contains(hostile), "{hostile}");
        }
        let body = filled(
            &html,
            "approve",
            &[
                ("by", "Kim"),
                ("value", "2,250,000"),
                ("reason", "the launch"),
            ],
        );
        let earlier = filled(&html, "reject", &[("by", "Kim"), ("reason", "too much")]);
        // A double click: the second is there before the daemon has answered.
        let first = place(&kim.send(&path, body.clone()).await);
        assert_eq!(place(&kim.send(&path, body.clone()).await), first);
        let asking = kim.get(&first);
        let ((status, html), ()) = tokio::join!(asking, obeyed(&mut served));
        assert_eq!(status, 200);
        assert!(as_text(&html).contains("Done: approved by Kim."), "{html}");
        assert!(!html.contains("<form"), "nothing is left to decide");
        // A reload, and one of the form.
        assert!(kim.get(&first).await.1.contains("approved by Kim"));
        assert_eq!(place(&kim.send(&path, body).await), first);
        assert!(served.inbox.try_recv().is_err(), "it was ordered twice");
        // Another window has the other form still open.
        let second = place(&kim.send(&path, earlier).await);
        let ((_, html), ()) = tokio::join!(kim.get(&second), obeyed(&mut served));
        let said = as_text(&html);
        assert!(
            said.contains(&format!(
                "Not done: {id} does not wait for approval: it is planned."
            )),
            "{said}"
        );
        let (_, trail) = kim.get(&format!("/api/v1/audit?subject={id}")).await;
        assert!(
            trail.contains("\"by\": \"Kim\"") && trail.contains("the launch"),
            "{trail}"
        );
        // What was said of it is said there alone.
        let (_, elsewhere) = kim.get(&first.replace(&id, &shortage(&served))).await;
        assert!(!elsewhere.contains("Done:"));
    })
    .await;
}

#[tokio::test]
async fn nothing_but_a_form_of_ours_made_for_them_decides() {
    serving_with(settings(), known(), async |mut served: Served| {
        let (url, id) = (served.url.clone(), proposal(&served.shared.book()));
        let kim = Browser::of(&url, "Kim", ACT);
        let path = format!("/decide/{id}");
        let (_, html) = kim.get(&path).await;
        let good = filled(&html, "approve", &[("by", "Kim")]);
        let with = |origin: Option<&str>, site| Browser {
            origin: origin.map(str::to_owned),
            site,
            ..Browser::of(&url, "Kim", ACT)
        };
        let foreign = [
            with(None, None),
            with(None, Some("same-origin")),
            with(Some("null"), Some("same-origin")),
            with(Some("https://evil.example"), None),
            with(Some("https://evil.example"), Some("cross-site")),
            with(Some(&url), Some("cross-site")),
            with(Some(&url), Some("same-site")),
            with(Some(&url), Some("none")),
            with(Some("http://monitor.internal.evil.example"), None),
        ];
        for browser in foreign {
            let response = browser.send(&path, good.clone()).await;
            let place = (browser.origin, browser.site);
            assert_eq!(response.status(), 403, "{place:?}");
            assert!(
                response
                    .text()
                    .await
                    .unwrap()
                    .contains("Nothing was decided")
            );
        }
        // For somebody else, about something else, without one, and by a process that is gone.
        let anna = Browser::of(&url, "Anna", ACT);
        assert_eq!(anna.send(&path, good.clone()).await.status(), 403);
        let writes = kim
            .send("/decide/writes", good.replace("approve", "stop"))
            .await;
        assert_eq!(writes.status(), 403);
        let without = encoded(&[("verb", "approve"), ("by", "Kim")]);
        assert_eq!(kim.send(&path, without).await.status(), 403);
        let stale = serving_with(settings(), known(), async |other: Served| {
            let kim = Browser::of(&other.url, "Kim", ACT);
            kim.send(&path, good.clone()).await.text().await.unwrap()
        })
        .await;
        assert!(
            stale.contains("before the service was started again"),
            "{stale}"
        );
        assert_eq!(kim.send(&path, "x".repeat(20_000)).await.status(), 413);
        assert_eq!(
            kim.send("/decide/act-none", good.clone()).await.status(),
            403
        );
        assert!(served.inbox.try_recv().is_err(), "an order got through");
        // Behind a proxy that asks us by another name, the configured one counts.
        let behind = with(Some("https://monitor.internal"), None);
        assert_eq!(behind.send(&path, good).await.status(), 303);
        assert!(served.inbox.try_recv().is_ok());
    })
    .await;
}

#[tokio::test]
async fn readers_see_how_to_decide_and_an_open_page_has_its_commands() {
    serving_with(settings(), known(), async |mut served: Served| {
        let (url, id) = (served.url.clone(), proposal(&served.shared.book()));
        let (kim, reader) = (
            Browser::of(&url, "Kim", ACT),
            Browser::of(&url, "Kim", VIEW),
        );
        let path = format!("/decide/{id}");
        for path in [
            "/",
            path.as_str(),
            "/decide/writes",
            &format!("/decide/{}", shortage(&served)),
        ] {
            let (status, html) = reader.get(path).await;
            assert_eq!(status, 200, "{path}");
            assert!(
                !html.contains("method=\"post\"") && !html.contains("<button"),
                "{path}"
            );
            assert!(
                html.contains("give the token of `[listen] act_token` as the password"),
                "{path}"
            );
        }
        let (_, html) = kim.get(&path).await;
        let good = filled(&html, "approve", &[("by", "Kim")]);
        assert_eq!(reader.send(&path, good).await.status(), 403);
        assert_eq!(super::get(&format!("{url}{path}")).await.0, 401);
        assert!(served.inbox.try_recv().is_err(), "an order got through");
    })
    .await;
    serving(known(), async |mut served: Served| {
        let (url, id) = (served.url.clone(), proposal(&served.shared.book()));
        let somebody = Browser::of(&url, "Kim", ACT);
        let (_, html) = somebody.get("/").await;
        assert!(!html.contains("/decide/") && html.contains("bedrock-ops-alert approve"));
        let (status, html) = somebody.get(&format!("/decide/{id}")).await;
        assert_eq!(status, 200);
        assert!(
            !html.contains("<form") && html.contains(&format!("bedrock-ops-alert approve {id}"))
        );
        let body = encoded(&[("verb", "approve"), ("by", "Kim")]);
        let refused = somebody.send(&format!("/decide/{id}"), body).await;
        assert_eq!(refused.status(), 403);
        assert!(served.inbox.try_recv().is_err(), "an order got through");
        let (status, _) = somebody.get("/decide/act-none").await;
        assert_eq!(status, 404);
    })
    .await;
}

#[tokio::test]
async fn what_is_typed_wrong_is_told_at_its_place_and_kept() {
    serving_with(settings(), known(), async |mut served: Served| {
        let (url, id) = (served.url.clone(), proposal(&served.shared.book()));
        let incident = shortage(&served);
        let kim = Browser::of(&url, "Kim", ACT);
        let (id, long) = (id.as_str(), "ä".repeat(501));
        for (id, verb, field, value, why) in [
            (
                id,
                "approve",
                "value",
                "900000",
                "900,000 is no more than 1,000,000",
            ),
            (
                id,
                "approve",
                "value",
                "4,000,001",
                "4,000,001 is above 4,000,000",
            ),
            (id, "approve", "value", "1.5 million", "give a whole number"),
            (id, "approve", "by", " ", "give a name of 1 to 100"),
            (id, "reject", "reason", "", "say why"),
            (id, "reject", "reason", &long, "give 1 to 500 printable"),
            (id, "reject", "reason", HOSTILE, "give 1 to 500 printable"),
            (&incident, "snooze", "minutes", "-5", "choose one of these"),
            (&incident, "silence", "reason", "", "say why"),
        ] {
            let mut typed = vec![(field, value)];
            if field != "by" {
                typed.push(("by", "Kim"));
            }
            let response = kim.decide(id, verb, &typed).await;
            assert_eq!(response.status(), 422, "{why}");
            let html = response.text().await.unwrap();
            assert!(html.contains(why), "{why}: {html}");
            assert!(html.contains("aria-invalid=\"true\""), "{why}");
            let acts = html.contains("<script") || html.contains("\" onload=");
            assert!(!acts, "{html}");
            assert_eq!(html.contains(&long), value == long, "what was typed");
        }
        assert!(served.inbox.try_recv().is_err(), "an order got through");
    })
    .await;
}

#[tokio::test]
async fn what_was_read_and_is_not_what_would_be_done_is_not_approved() {
    serving_with(settings(), known(), async |mut served: Served| {
        let (url, id) = (served.url.clone(), proposal(&served.shared.book()));
        let kim = Browser::of(&url, "Kim", ACT);
        let path = format!("/decide/{id}");
        let body = filled(&kim.get(&path).await.1, "approve", &[("by", "Kim")]);
        let mut intents = served.shared.book().intents.clone();
        let intent = intents.values_mut().find(|it| it.id.as_str() == id);
        let intent = intent.unwrap();
        if let Effect::RequestQuota { desired, .. } = &mut intent.effect {
            *desired = Amount::new(3_000_000.0).unwrap();
        }
        let changed = Record::Intent(intent.clone());
        served.shared.book_mut().apply(vec![changed]);
        let response = kim.send(&path, body).await;
        assert_eq!(response.status(), 422);
        let html = response.text().await.unwrap();
        let is_told = html.contains("has changed since this form was made");
        assert!(is_told && html.contains("to 3,000,000"), "{html}");
        assert!(served.inbox.try_recv().is_err(), "an order got through");
    })
    .await;
}

/// What the daemon gets of a form.
async fn ordered(
    served: &mut Served,
    (id, verb): (&str, &str),
    typed: &[(&str, &str)],
) -> (Command, Option<String>) {
    let url = served.url.clone();
    let kim = Browser::of(&url, "Kim", ACT);
    let typed = [&[("by", "Kim")], typed].concat();
    place(&kim.decide(id, verb, &typed).await);
    let Posted { order, .. } = served.inbox.recv().await.unwrap();
    assert_eq!(order.by, "Kim");
    (order.command, order.why)
}

#[tokio::test]
async fn each_form_orders_what_it_says() {
    serving_with(settings(), known(), async |mut served: Served| {
        let (id, incident) = (proposal(&served.shared.book()), shortage(&served));
        let (id, incident) = (id.as_str(), incident.as_str());
        let served = &mut served;
        let mut told = Vec::new();
        let forms: [(_, _, &[(&str, &str)]); 5] = [
            (id, "approve", &[("value", "3 000 000")]),
            (id, "reject", &[("reason", "too much")]),
            (incident, "ack", &[]),
            (incident, "snooze", &[("minutes", "240")]),
            ("writes", "stop", &[("reason", "a wrong table")]),
        ];
        for (id, verb, typed) in forms {
            let (command, why) = ordered(served, (id, verb), typed).await;
            told.push(format!("{command:?} {why:?}"));
        }
        insta::assert_snapshot!("decide_orders", told.join("\n"));
    })
    .await;
}

#[tokio::test]
async fn a_silence_by_a_form_is_of_this_incident_alone() {
    serving_with(settings(), known(), async |mut served: Served| {
        let incident = shortage(&served);
        let typed = [("minutes", "60"), ("reason", "a load test"), ("hold", "yes")];
        let (command, _) = ordered(&mut served, (&incident, "silence"), &typed).await;
        let Command::Silence {
            selector,
            from: None,
            end: End::After(60),
            holds_requests: true,
        } = command
        else {
            panic!("{command:?}");
        };
        insta::assert_snapshot!(selector, @"category quota, pool 111122223333/us-east-1/geo/anthropic.claude-sonnet-4-6");
        let book = served.shared.book();
        let open = book.incidents.values().filter(|it| it.is_open());
        let covered = open.filter(|it| selector.fits_all(it));
        let covered: Vec<&str> = covered.map(|it| it.id.as_str()).collect();
        assert_eq!(covered, [incident]);
    })
    .await;
}

#[tokio::test]
async fn a_silence_by_a_form_is_there_and_ended_by_another() {
    serving_with(settings(), known(), async |mut served: Served| {
        let (url, incident) = (served.url.clone(), shortage(&served));
        let kim = Browser::of(&url, "Kim", ACT);
        let typed = [("by", "Kim"), ("minutes", "60"), ("reason", "a load test")];
        let place_of = place(&kim.decide(&incident, "silence", &typed).await);
        let ((_, html), ()) = tokio::join!(kim.get(&place_of), obeyed(&mut served));
        assert!(html.contains("Done: </strong>silence by Kim on"), "{html}");
        let silence = served
            .shared
            .book()
            .silences
            .keys()
            .next()
            .unwrap()
            .to_string();
        let (_, html) = kim.get("/").await;
        assert!(
            html.contains(&format!("href=\"/decide/{silence}\"")),
            "{html}"
        );
        let place_of = place(&kim.decide(&silence, "expire", &[("by", "Kim")]).await);
        let ((_, html), ()) = tokio::join!(kim.get(&place_of), obeyed(&mut served));
        assert!(html.contains("Done: </strong>ended by Kim."), "{html}");
        assert!(!html.contains("<form"), "it has ended");
    })
    .await;
}
