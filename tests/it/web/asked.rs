//! `plan` and `ask` over HTTP: what would be asked, and what a person asks for.

use bedrock_ops_alert::{
    cli::{
        explain::explain,
        prospect::{ask, plan},
        remote::{Format, RemoteError},
    },
    web::json::{Asking, Plan},
};

use super::{Served, books, client, get, said::obeyed, serving};

const POOL: &str = "111122223333/us-east-1/geo/anthropic.claude-sonnet-4-6";

fn asking(quota: &str, value: f64) -> Asking {
    Asking {
        by: "Kim".to_owned(),
        reason: "launch on 1 December".to_owned(),
        pool: POOL.to_owned(),
        quota: quota.to_owned(),
        value,
    }
}

#[tokio::test]
async fn what_would_be_asked_is_shown_with_figures_and_bounds() {
    serving(books::busy(), async |served: Served| {
        let mut out = Vec::new();
        let shown = plan(&served.url, POOL, true, Format::Text, &mut out).await;
        shown.unwrap();
        insta::assert_snapshot!("plan", String::from_utf8(out).unwrap());
        let mut out = Vec::new();
        let shown = plan(&served.url, POOL, false, Format::Json, &mut out).await;
        shown.unwrap();
        let told: Plan = serde_json::from_slice(&out).unwrap();
        let kinds: Vec<_> = told.quotas.iter().map(|it| it.kind.as_str()).collect();
        assert_eq!(kinds, ["tpm", "rpm", "tpd"]);
        let (status, problem) = get(&format!("{}/api/v1/plan/nothing", served.url)).await;
        assert_eq!(status, 404);
        assert!(problem.contains("no pool is called so"), "{problem}");
    })
    .await;
}

#[tokio::test]
async fn a_person_asks_and_finds_it_everywhere() {
    serving(books::busy(), async |mut served: Served| {
        let url = served.url.clone();
        served.shared.book_mut().intents.clear();
        served.shared.book_mut().asks.clear();
        let mut out = Vec::new();
        let asked = asking("tpm", 2_000_000.0);
        let order = ask(&url, &asked, Format::Text, &mut out);
        let (answer, ()) = tokio::join!(order, obeyed(&mut served));
        let said = String::from_utf8(out).unwrap();
        answer.unwrap();
        insta::assert_snapshot!("asked", said);
        let id = said.split(':').next().unwrap().to_owned();
        let mut out = Vec::new();
        explain(&url, &id, Format::Text, &mut out).await.unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("a person set it: launch on 1 December"),
            "{text}"
        );
        let (_, trail) = get(&format!("{url}/api/v1/audit")).await;
        assert!(trail.contains("\"kind\": \"ask\""), "{trail}");
        // A second one hears that the first is under way.
        let mut out = Vec::new();
        let order = ask(&url, &asked, Format::Text, &mut out);
        let (again, ()) = tokio::join!(order, obeyed(&mut served));
        let Err(RemoteError::Refused { why, .. }) = again else {
            panic!("refused");
        };
        assert!(why.contains("is about to be filed"), "{why}");
    })
    .await;
}

#[tokio::test]
async fn what_is_no_request_is_refused_before_anybody_decides() {
    serving(books::busy(), async |served: Served| {
        let address = format!("{}/api/v1/asks", served.url);
        let tried = async |body: String| {
            let response = client()
                .post(&address)
                .header("content-type", "application/json")
                .header("x-boa-request", "1")
                .body(body)
                .send()
                .await
                .unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        };
        let body = |it: &Asking| serde_json::to_string(it).unwrap();
        let cases = [
            (
                body(&asking("tokens", 2e6)),
                422,
                "must be one of tpm, rpm, tpd",
            ),
            (
                body(&asking("cross_model_tpd", 2e6)),
                422,
                "must be one of tpm, rpm, tpd",
            ),
            (body(&asking("tpm", 2.5)), 422, "must be a whole number"),
            (body(&asking("tpm", -1.0)), 422, "must be a whole number"),
            ("{}".to_owned(), 422, "expected a body such as"),
        ];
        for (body, status, says) in cases {
            let (got, why) = tried(body).await;
            assert_eq!(got, status, "{why}");
            assert!(why.contains(says), "{why}");
        }
        let lost = Asking {
            pool: "nowhere".to_owned(),
            ..asking("tpm", 2e6)
        };
        assert_eq!(tried(body(&lost)).await.0, 404);
        let forged = client().post(&address).body(body(&asking("tpm", 2e6)));
        assert_eq!(forged.send().await.unwrap().status().as_u16(), 403);
    })
    .await;
}
