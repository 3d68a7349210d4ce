//! Behind a load balancer that signs people in: who may read and decide, and under which name.

use std::fmt::Write as _;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use axum::{Router, routing::get};
use bedrock_ops_alert::{
    cli::{remote::Format, say},
    model::{
        access::{Access, Claim, SignIn},
        policy::{Secret, Settings},
        rule::Pattern,
    },
    runtime::clock,
};
use data_encoding::{BASE64, BASE64URL, HEXLOWER};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Served, books, client, decide::filled, said::obeyed, serving_with};

const HEADER: &str = "x-amzn-oidc-data";
const SIGNER: &str =
    "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/ops/50dc6c495c0c9188";
const ISSUER: &str = "https://login.example.com";
const ACT: &str = "act-0123456789abcdef0123456789abc";

/// The load balancer, with the key that it signs by.
struct Balancer(EcdsaKeyPair);

impl Balancer {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// Serves the public key; the address without the key's id.
    async fn keys(&self) -> String {
        let beginning = b"3059301306072a8648ce3d020106082a8648ce3d030107034200";
        let mut der = HEXLOWER.decode(beginning).unwrap();
        der.extend_from_slice(self.0.public_key().as_ref());
        let body = BASE64.encode(&der);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
        let router = Router::new().route("/known", get(async || pem));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        tokio::spawn(async { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    /// What it says of this person, as of now.
    fn says(&self, claims: &Value) -> String {
        self.says_by("known", claims)
    }

    fn says_by(&self, kid: &str, claims: &Value) -> String {
        let exp = clock::wall().as_second() + 120;
        let header = json!({"alg": "ES256", "kid": kid, "signer": SIGNER, "iss": ISSUER, "client": "c", "exp": exp});
        let part = |it: &Value| BASE64URL.encode(it.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = BASE64URL.encode(signature.unwrap().as_ref());
        format!("{signed}.{signature}")
    }
}

async fn settings(balancer: &Balancer, act: Option<&str>) -> Settings {
    let sign_in = SignIn {
        signer: SIGNER.to_owned(),
        issuer: ISSUER.to_owned(),
        client: None,
        keys: balancer.keys().await,
        act: vec![Claim {
            name: "email".to_owned(),
            is: Pattern::new("anna@example.com"),
        }],
    };
    Settings {
        access: Access {
            view: None,
            act: act.map(Secret::new),
            hosts: vec!["monitor.internal".to_owned()],
            alb: Some(sign_in),
        },
        ..books::settings()
    }
}

fn anna() -> Value {
    json!({"sub": "7", "email": "anna@example.com"})
}

fn kim() -> Value {
    json!({"sub": "8", "email": "kim@example.com"})
}

/// A stop of all writes.
fn stop(served: &Served) -> RequestBuilder {
    let url = format!("{}/api/v1/writes/stop", served.url);
    let request = client().post(url).header("x-boa-request", "1");
    request.header("content-type", "application/json")
}

/// Status, challenges and what is said.
async fn told(request: RequestBuilder) -> (u16, usize, String) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let challenges = response.headers().get_all("www-authenticate");
    let challenges = challenges.iter().count();
    let text = response.text().await.unwrap();
    let document: Value = serde_json::from_str(&text).unwrap_or_default();
    let error = document["error"].as_str().unwrap_or_default().to_owned();
    (status, challenges, error)
}

#[tokio::test]
async fn whoever_is_signed_in_reads_and_who_is_named_decides_under_their_name() {
    let balancer = Balancer::new();
    let settings = settings(&balancer, None).await;
    serving_with(settings, books::busy(), async |mut served: Served| {
        let address = served.url.clone();
        let of = |path: &str, claims: &Value| {
            let request = client().get(format!("{address}{path}"));
            request.header(HEADER, balancer.says(claims))
        };
        for path in ["/", "/api/v1/status", "/metrics"] {
            for claims in [anna(), kim()] {
                let response = of(path, &claims).send().await.unwrap();
                assert_eq!(response.status(), 200, "{path}");
            }
        }
        let body = r#"{"reason": "a drill"}"#;
        let refused = stop(&served).header(HEADER, balancer.says(&kim()));
        let (status, _, why) = told(refused.body(body)).await;
        assert_eq!(status, 403);
        insta::assert_snapshot!(why, @"kim@example.com may read and not decide: that takes one of the claims in `[listen.alb] act`");
        // No page but ours can send it for her, and by no other name of ours.
        let bare = client().post(format!("{}/api/v1/writes/stop", served.url));
        let bare = bare.header(HEADER, balancer.says(&anna())).body(body);
        assert_eq!(told(bare).await.0, 403);
        let foreign = of("/", &anna()).header("host", "evil.example");
        assert_eq!(told(foreign).await.0, 421);
        assert!(served.inbox.try_recv().is_err());
        let url = format!("{}/api/v1/silences", served.url);
        // What name the body gives counts for nothing.
        for by in ["", r#""by": "Kim", "#] {
            let body = format!(r#"{{{by}"reason": "a drill", "minutes": 60, "models": ["*"]}}"#);
            let asked = client().post(&url).header("x-boa-request", "1");
            let asked = asked.header("content-type", "application/json");
            let asked = asked.header(HEADER, balancer.says(&anna())).body(body);
            let (answer, ()) = tokio::join!(asked.send(), obeyed(&mut served));
            let answer = answer.unwrap();
            assert_eq!(answer.status(), 200);
            let answer: Value = answer.json().await.unwrap();
            assert_eq!(answer["by"], "anna@example.com");
        }
        // By a form, too; one that was made for her is worth nothing to others.
        let writes = |claims: &Value| of("/decide/writes", claims);
        let html = writes(&anna()).send().await.unwrap().text().await.unwrap();
        assert!(!html.contains("name=\"by\"") && html.contains("as anna@example.com"));
        let body = filled(&html, "stop", &[("by", "Kim"), ("reason", "a drill")]);
        let html = writes(&kim()).send().await.unwrap().text().await.unwrap();
        assert!(!html.contains("<form") && html.contains("kim@example.com may read"), "{html}");
        for (claims, status) in [(kim(), 403), (anna(), 303)] {
            let sent = client().post(format!("{address}/decide/writes"));
            let sent = sent.header(HEADER, balancer.says(&claims));
            let sent = sent.header("origin", &address).body(body.clone());
            let sent = sent.header("content-type", "application/x-www-form-urlencoded");
            let client = reqwest::Client::builder().no_proxy();
            let client = client.redirect(reqwest::redirect::Policy::none()).build().unwrap();
            let answer = client.execute(sent.build().unwrap()).await.unwrap();
            assert_eq!(answer.status(), status);
        }
        assert_eq!(served.inbox.try_recv().unwrap().order.by, "anna@example.com");
        let trail = of("/api/v1/audit", &kim()).send().await.unwrap();
        let trail: Value = trail.json().await.unwrap();
        let entries = trail["entries"].as_array().unwrap().iter();
        let who: Vec<&Value> = entries.map(|it| &it["by"]).take(2).collect();
        assert_eq!(who, ["anna@example.com", "anna@example.com"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_the_load_balancers_word_is_refused_with_what_to_check() {
    let balancer = Balancer::new();
    let settings = settings(&balancer, None).await;
    serving_with(settings, books::quiet(), async |served: Served| {
        let url = format!("{}/api/v1/status", served.url);
        let good = balancer.says(&anna());
        let ask = |shown: &[&str]| {
            let shown = shown.iter();
            shown.fold(client().get(&url), |request, it| {
                request.header(HEADER, *it)
            })
        };
        let forged = Balancer::new().says(&anna());
        let unknown = balancer.says_by("unknown", &anna());
        let long = "A".repeat(100_000);
        let mut text = String::new();
        for (what, request) in [
            ("nothing", ask(&[])),
            ("another key", ask(&[&forged])),
            ("a key that is not there", ask(&[&unknown])),
            ("no token", ask(&["hello"])),
            ("100 kB", ask(&[&long])),
            ("twice", ask(&[&good, &good])),
            (
                "the unsigned headers",
                ask(&[])
                    .header("x-amzn-oidc-identity", "7")
                    .header("x-amzn-oidc-accesstoken", "t"),
            ),
        ] {
            let (status, challenges, why) = told(request).await;
            assert_eq!(challenges, 1, "no browser asks for a password");
            writeln!(text, "{what}: {status} {why}").unwrap();
        }
        insta::assert_snapshot!("alb_refused", text);
        // The load balancer's own look, which shows nothing, or something of anybody's.
        for shown in [&[][..], &["hello"]] {
            let request = client().request(Method::GET, format!("{}/healthz", served.url));
            let request = shown
                .iter()
                .fold(request, |it, shown| it.header(HEADER, *shown));
            assert_eq!(told(request).await.0, 200);
        }
        assert_eq!(told(ask(&[&good])).await.0, 200);
    })
    .await;
}

#[tokio::test]
async fn beside_it_programs_show_a_token_and_it_adds_nothing_to_a_person() {
    let balancer = Balancer::new();
    let settings = settings(&balancer, Some(ACT)).await;
    serving_with(settings, books::quiet(), async |mut served: Served| {
        let body = r#"{"by": "Kim", "reason": "a drill"}"#;
        let token = format!("Bearer {ACT}");
        let both = stop(&served).header("authorization", &token);
        let both = both.header(HEADER, balancer.says(&kim())).body(body);
        assert_eq!(told(both).await.0, 403);
        let broken = stop(&served).header("authorization", &token);
        let broken = broken.header(HEADER, "hello").body(body);
        assert_eq!(told(broken).await.0, 401);
        let (status, challenges, why) = told(stop(&served).body(body)).await;
        assert_eq!((status, challenges), (401, 2));
        insta::assert_snapshot!(why, @"a token is needed: commands take it by --token-file or BOA_TOKEN_FILE, programs send it as `Authorization: Bearer TOKEN`, and in a browser it is the password, with any name; people are signed in by the load balancer of `[listen.alb]`, and nothing came from it: ask there; if this came by it, its listener's rule lacks authenticate-oidc");
        assert!(served.inbox.try_recv().is_err());
        let by_token = stop(&served).header("authorization", &token).body(body);
        let (answer, ()) = tokio::join!(told(by_token), obeyed(&mut served));
        assert_eq!(answer.0, 200, "{}", answer.2);
        let mut out = Vec::new();
        let url = served.url.replace("://", &format!("://:{ACT}@"));
        say::audit(&url, None, Format::Text, &mut out)
            .await
            .unwrap();
        assert!(String::from_utf8(out).unwrap().contains("Kim"));
    })
    .await;
}

/// Without the section the header is anybody's, and says nothing.
#[tokio::test]
async fn where_no_load_balancer_is_configured_its_header_is_not_looked_at() {
    let balancer = Balancer::new();
    let mut settings = settings(&balancer, Some(ACT)).await;
    settings.access.alb = None;
    serving_with(settings, books::quiet(), async |served: Served| {
        let url = format!("{}/api/v1/status", served.url);
        let shown = client().get(url).header(HEADER, balancer.says(&anna()));
        assert_eq!(told(shown).await.0, 401);
    })
    .await;
}
