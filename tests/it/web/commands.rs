//! `status` and `explain` as people and scripts read them.

use bedrock_ops_alert::{
    app::cost::{Watched, plan},
    cli::{
        cost,
        explain::explain,
        remote::{Format, RemoteError, base_url},
        status::status,
    },
    config,
    model::{
        action::{Effect, Intent},
        book::Record,
        ids::{ActionId, IncidentId},
        units::Share,
    },
    web::json::Level,
};
use tokio::net::TcpListener;

use super::{Served, books, get, serving};

#[tokio::test]
async fn status_reads_well_busy_and_quiet() {
    serving(books::busy(), async |served: Served| {
        let mut out = Vec::new();
        let level = status(&base_url(served.address), Format::Text, &mut out)
            .await
            .unwrap();
        assert_eq!(level, Level::Critical);
        assert!(level.is_at_risk());
        insta::assert_snapshot!("status_busy", String::from_utf8(out).unwrap());
    })
    .await;
    serving(books::quiet(), async |served: Served| {
        let mut out = Vec::new();
        let level = status(&served.url, Format::Text, &mut out).await.unwrap();
        assert!(!level.is_at_risk());
        insta::assert_snapshot!("status_quiet", String::from_utf8(out).unwrap());
    })
    .await;
}

#[tokio::test]
async fn explain_tells_an_incident_a_pool_and_a_quota() {
    serving(books::busy(), async |served: Served| {
        for (name, id) in [
            ("explain_request", "req-8f2c"),
            ("explain_case", "case-111122223333-muen-2026-bb"),
            (
                "explain_pool",
                "111122223333/us-east-1/geo/anthropic.claude-sonnet-4-6",
            ),
            ("explain_quota", "L-D690997B"),
        ] {
            let mut out = Vec::new();
            explain(&served.url, id, Format::Text, &mut out)
                .await
                .unwrap();
            insta::assert_snapshot!(name, String::from_utf8(out).unwrap());
        }
    })
    .await;
}

/// Messages refer people to it: to check before they approve, and to send by hand where no plan takes cases.
#[tokio::test]
async fn an_action_is_explained_with_what_aws_reads() {
    serving(books::busy(), async |served: Served| {
        let (id, marker, words) = {
            let book = served.shared.book();
            let of = |it: &Intent| match &it.effect {
                Effect::RequestQuota { context, .. } => Some(context.clone()),
                Effect::Notify { .. }
                | Effect::OpenCase { .. }
                | Effect::Comment { .. }
                | Effect::EndCase { .. } => None,
            };
            let mut all = book.intents.values();
            let found = all.find_map(|it| Some((it.id.to_string(), it.marker(), of(it)?)));
            found.unwrap()
        };
        for asked in [id.as_str(), marker.as_str()] {
            let mut out = Vec::new();
            explain(&served.url, asked, Format::Text, &mut out)
                .await
                .unwrap();
            let text = String::from_utf8(out).unwrap();
            let (_, said) = text.split_once("WHAT AWS READS").unwrap();
            let said: Vec<&str> = said.split_whitespace().collect();
            let words: Vec<&str> = words.split_whitespace().collect();
            assert_eq!(said, words, "{text}");
        }
    })
    .await;
}

/// `status` and messages name those, too: a digest, or a word about the disk that did not get through.
#[tokio::test]
async fn an_action_about_no_incident_is_explained() {
    let (mut book, health) = books::busy();
    let mut notices = book.intents.values();
    let is_notice = |it: &&Intent| matches!(it.effect, Effect::Notify { .. });
    let mut digest = notices.find(is_notice).unwrap().clone();
    digest.id = ActionId::new("act-0000000000000000");
    digest.incident = IncidentId::new("digest-2026-11-24T08:00:00Z-oncall");
    digest.step = "digest/oncall".to_owned();
    digest.revision = 1;
    book.apply(vec![Record::Intent(digest)]);
    serving((book, health), async |served: Served| {
        let mut out = Vec::new();
        let id = "act-0000000000000000";
        explain(&served.url, id, Format::Text, &mut out)
            .await
            .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with(&format!("action {id}\n")), "{text}");
        assert!(text.contains("tell "), "{text}");
    })
    .await;
}

#[tokio::test]
async fn json_output_is_the_document_of_the_api() {
    serving(books::busy(), async |served: Served| {
        let mut out = Vec::new();
        status(&served.url, Format::Json, &mut out).await.unwrap();
        let (_, document) = get(&format!("{}/api/v1/status", served.url)).await;
        assert_eq!(String::from_utf8(out).unwrap(), document);
        let mut out = Vec::new();
        explain(&served.url, "L-00FF3314", Format::Json, &mut out)
            .await
            .unwrap();
        let (_, document) = get(&format!("{}/api/v1/explain/L-00FF3314", served.url)).await;
        assert_eq!(String::from_utf8(out).unwrap(), document);
    })
    .await;
}

#[tokio::test]
async fn failures_say_what_was_tried_and_what_to_do() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let mut out = Vec::new();
    let error = status(&base_url(nobody), Format::Text, &mut out)
        .await
        .unwrap_err();
    assert_eq!(error.exit_code(), 69);
    let text = error
        .to_string()
        .replace(&nobody.to_string(), "127.0.0.1:PORT");
    insta::assert_snapshot!(text, @"no daemon answered at http://127.0.0.1:PORT: Connection refused (os error 111); start one with `bedrock-ops-alert run --config FILE`, or give the address that it listens on");

    let error = status("not an address", Format::Text, &mut out)
        .await
        .unwrap_err();
    assert_eq!(error.exit_code(), 64);
    insta::assert_snapshot!(error, @"`not an address` is not an address of a daemon: expected something like http://127.0.0.1:9464");

    serving(books::quiet(), async |served: Served| {
        let mut out = Vec::new();
        let error = explain(&served.url, "inc-none", Format::Text, &mut out)
            .await
            .unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert!(matches!(error, RemoteError::Refused { .. }), "{error}");
        // Something else listens there: our own server, asked below a path that is not its root.
        let elsewhere = format!("{}/metrics", served.url);
        let error = status(&elsewhere, Format::Text, &mut out)
            .await
            .unwrap_err();
        assert!(matches!(error, RemoteError::Refused { .. }), "{error}");
        assert!(out.is_empty());
    })
    .await;
}

#[tokio::test]
async fn cost_reads_well_and_its_plan_needs_no_service() {
    serving(books::busy(), async |served: Served| {
        let mut out = Vec::new();
        cost::cost(&served.url, Format::Text, &mut out)
            .await
            .unwrap();
        insta::assert_snapshot!("cost_busy", String::from_utf8(out).unwrap());
        let mut out = Vec::new();
        cost::cost(&served.url, Format::Json, &mut out)
            .await
            .unwrap();
        insta::assert_snapshot!("cost_busy_json", String::from_utf8(out).unwrap());
    })
    .await;
    let watched = Watched {
        targets: 20,
        regions: 2,
        accounts: 1,
        linked_targets: 0,
        linked_regions: 0,
    };
    let settings = config::parse("", "none.toml", &config::Overrides::default()).unwrap();
    let tenth = Share::from_basis_points(1_000).unwrap();
    let mut out = Vec::new();
    cost::write_plan(&plan(watched, tenth, &settings), Format::Text, &mut out).unwrap();
    insta::assert_snapshot!("cost_plan", String::from_utf8(out).unwrap());
    // The same, with one of the Regions in an account that is read through the other.
    let linked = Watched {
        linked_targets: 10,
        linked_regions: 1,
        ..watched
    };
    let mut out = Vec::new();
    cost::write_plan(&plan(linked, tenth, &settings), Format::Text, &mut out).unwrap();
    insta::assert_snapshot!("cost_plan_linked", String::from_utf8(out).unwrap());
}
