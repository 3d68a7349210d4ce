//! Silences and acknowledgements over HTTP: by the commands, carried out as the daemon does, and seen everywhere.

use std::collections::{BTreeMap, BTreeSet};

use bedrock_ops_alert::{
    act::plan::{Inputs, Past, nothing_beside, obey},
    cli::{
        explain::explain,
        remote::{Format, RemoteError},
        say,
        status::status,
    },
    model::{audit, series::PoolSeries},
    runtime::shared::Posted,
    web::json::{Acknowledging, Silencing},
};

use super::{Served, books, client, get, serving};

/// Carries out the next order, as the daemon does.
pub(super) async fn obeyed(served: &mut Served) {
    let Posted { order, reply } = served.inbox.recv().await.unwrap();
    let done = {
        let book = served.shared.book();
        let settings = served.shared.settings();
        let pools = book.pools.keys();
        let past: Past = pools
            .map(|it| (it.clone(), Some(PoolSeries::EMPTY.clone())))
            .collect();
        let inputs = Inputs {
            beside: nothing_beside(),
            book: &book,
            verdicts: &[],
            orphans: &[],
            desk: &[],
            takers: &BTreeMap::new(),
            recent: &BTreeMap::new(),
            most_output: 1.0,
            long_input: 1,
            past: &past,
            filling: &BTreeSet::new(),

            policy: &settings.policy,
            stop: None,
            now: books::now(),
        };
        obey(inputs, &order).map_err(|it| it.to_string())
    };
    let answer = done.map(|(mut records, answer)| {
        let mut book = served.shared.book_mut();
        records.push(audit::ordered(&book, &order, &answer, books::now()));
        records.extend(audit::entries(&book, &records, books::now()));
        book.apply(records);
        answer
    });
    reply.send(answer).unwrap();
}

fn load_test(models: &[&str]) -> Silencing {
    Silencing {
        by: "Kim".to_owned(),
        reason: "a load test".to_owned(),
        minutes: Some(120),
        models: models.iter().map(|it| (*it).to_owned()).collect(),
        ..Silencing::default()
    }
}

fn kim(note: Option<&str>, minutes: Option<i64>) -> Acknowledging {
    Acknowledging {
        by: "Kim".to_owned(),
        reason: note.map(str::to_owned),
        minutes,
    }
}

fn shortage(served: &Served) -> String {
    let book = served.shared.book();
    let mut open = book.incidents.values().filter(|it| it.is_open());
    let is_short = |it: &&bedrock_ops_alert::model::incident::Incident| it.kind.is_some();
    open.find(is_short).unwrap().id.to_string()
}

#[tokio::test]
async fn a_silence_is_made_listed_seen_everywhere_and_ended() {
    serving(books::busy(), async |mut served: Served| {
        let (url, incident) = (served.url.clone(), shortage(&served));
        let mut out = Vec::new();
        let asked = load_test(&["*sonnet*"]);
        let asking = say::silence(&url, &asked, Format::Text, &mut out);
        let (made, ()) = tokio::join!(asking, obeyed(&mut served));
        made.unwrap();
        let made = String::from_utf8(out).unwrap();
        insta::assert_snapshot!("silence_made", made);
        let id = made.split(':').next().unwrap().to_owned();

        let mut out = Vec::new();
        say::silences(&url, Format::Text, &mut out).await.unwrap();
        insta::assert_snapshot!("silences", String::from_utf8(out).unwrap());
        let mut out = Vec::new();
        status(&url, Format::Text, &mut out).await.unwrap();
        let text = String::from_utf8(out).unwrap();
        let from = text.find("OPEN INCIDENTS").unwrap();
        let until = text.find("WAITING FOR YOUR APPROVAL").unwrap();
        insta::assert_snapshot!("status_silenced", &text[from..until]);
        let mut out = Vec::new();
        explain(&url, &incident, Format::Text, &mut out)
            .await
            .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("silenced by Kim until 2026-11-24 05:12 UTC: a load test"),
            "{text}"
        );
        let mut out = Vec::new();
        explain(&url, &id, Format::Text, &mut out).await.unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with(&format!("silence {id}\n")), "{text}");
        assert!(
            text.contains("Kim: a load test") && text.contains("holds back"),
            "{text}"
        );
        assert!(text.contains(&incident), "{text}");
        let (_, page) = get(&url).await;
        assert!(page.contains("silenced by Kim until") && page.contains("active: model *sonnet*"));
        let (_, metrics) = get(&format!("{url}/metrics")).await;
        assert!(
            metrics.contains("boa_silences{state=\"active\"} 1"),
            "{metrics}"
        );

        let mut out = Vec::new();
        let ending = kim(None, None);
        let asking = say::expire(&url, &id, &ending, Format::Text, &mut out);
        let (ended, ()) = tokio::join!(asking, obeyed(&mut served));
        ended.unwrap();
        let mut out = Vec::new();
        say::silences(&url, Format::Text, &mut out).await.unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("ended by Kim"), "{text}");
        // Who ends it again hears why not.
        let mut out = Vec::new();
        let asking = say::expire(&url, &id, &ending, Format::Text, &mut out);
        let (again, ()) = tokio::join!(asking, obeyed(&mut served));
        assert!(matches!(again, Err(RemoteError::Refused { .. })));
    })
    .await;
}

#[tokio::test]
async fn an_acknowledgement_is_seen_with_its_note() {
    serving(books::busy(), async |mut served: Served| {
        let (url, incident) = (served.url.clone(), shortage(&served));
        let mut out = Vec::new();
        let saying = kim(Some("asked the account team"), None);
        let asking = say::acknowledge(&url, &incident, &saying, Format::Text, &mut out);
        let (done, ()) = tokio::join!(asking, obeyed(&mut served));
        done.unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!("{incident}: acknowledged by Kim\n")
        );
        let mut out = Vec::new();
        let saying = kim(None, Some(120));
        let asking = say::acknowledge(&url, &incident, &saying, Format::Text, &mut out);
        let (done, ()) = tokio::join!(asking, obeyed(&mut served));
        done.unwrap();
        let mut out = Vec::new();
        explain(&url, &incident, Format::Text, &mut out)
            .await
            .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("snoozed by Kim until 2026-11-24 05:12 UTC"),
            "{text}"
        );
        assert!(
            text.contains("acknowledged by Kim: asked the account team"),
            "{text}"
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_malformed_is_refused_with_what_would_be_right() {
    serving(books::busy(), async |mut served: Served| {
        let url = format!("{}/api/v1/silences", served.url);
        let incident = format!("{}/api/v1/incidents/{}/ack", served.url, shortage(&served));
        let post = async |url: &str, header: &str, body: &str| {
            let request = client().post(url).header("X-BOA-Request", header);
            let request = request.header("Content-Type", "application/json");
            let response = request.body(body.to_owned()).send().await.unwrap();
            let status = response.status().as_u16();
            (status, response.text().await.unwrap())
        };
        let whole = r#"{"by": "Kim", "reason": "test", "minutes": 5, "models": ["*"]}"#;
        assert_eq!(post(&url, "2", whole).await.0, 403);
        for (body, expected) in [
            (r#"{"by": "Kim", "minutes": 5, "models": ["*"]}"#, "reason"),
            (r#"{"by": "Kim", "reason": "test", "models": ["*"]}"#, "has an end"),
            (
                r#"{"by": "Kim", "reason": "test", "minutes": 5, "until": "2026-11-24T05:12:00Z", "models": ["*"]}"#,
                "one of them only",
            ),
            (r#"{"by": "Kim", "reason": "test", "until": "tomorrow", "models": ["*"]}"#, "instant"),
            (r#"{"by": "Kim", "reason": "test", "minutes": 5, "families": ["regional"]}"#, "must be one of"),
            (r#"{"by": "Kim", "reason": "a\nb", "minutes": 5, "models": ["*"]}"#, "`reason`"),
            (r#"{"by": "", "reason": "test", "minutes": 5, "models": ["*"]}"#, "`by`"),
        ] {
            let (status, answer) = post(&url, "1", body).await;
            assert_eq!(status, 422, "{body} {answer}");
            assert!(answer.contains(expected), "{body} {answer}");
        }
        let (status, answer) = post(&incident, "1", r#"{"by": "Kim", "minutes": 5}"#).await;
        assert_eq!(status, 422, "{answer}");
        let unknown = format!("{}/api/v1/incidents/inc-none/ack", served.url);
        assert_eq!(post(&unknown, "1", r#"{"by": "Kim"}"#).await.0, 404);
        assert!(served.inbox.try_recv().is_err(), "an order got through");
    })
    .await;
}

/// Each order of a person is in the trail with name, time and reason.
#[tokio::test]
async fn the_audit_trail_tells_who_ordered_what_and_why() {
    serving(books::busy(), async |mut served: Served| {
        let (url, incident) = (served.url.clone(), shortage(&served));
        for (saying, id) in [
            (kim(Some("asked the account team"), None), incident.as_str()),
            (kim(None, Some(60)), incident.as_str()),
        ] {
            let mut out = Vec::new();
            let asking = say::acknowledge(&url, id, &saying, Format::Text, &mut out);
            let (done, ()) = tokio::join!(asking, obeyed(&mut served));
            done.unwrap();
        }
        let mut out = Vec::new();
        let asked = load_test(&["*"]);
        let asking = say::silence(&url, &asked, Format::Json, &mut out);
        let (made, ()) = tokio::join!(asking, obeyed(&mut served));
        made.unwrap();
        let mut out = Vec::new();
        say::audit(&url, None, Format::Text, &mut out)
            .await
            .unwrap();
        insta::assert_snapshot!("audit", String::from_utf8(out).unwrap());
        let mut out = Vec::new();
        say::audit(&url, Some("sil-none"), Format::Text, &mut out)
            .await
            .unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "nothing yet\n");
        let (nobody, mut sink) = (kim(None, None), std::io::sink());
        let asking = say::writes(&url, true, &nobody, Format::Text, &mut sink);
        let (refused, ()) = tokio::join!(asking, obeyed(&mut served));
        let why = refused.unwrap_err().to_string();
        assert!(why.contains("needs a reason"), "{why}");
    })
    .await;
}
