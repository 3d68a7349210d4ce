//! Our own port over the real SDK: against the simulated AWS by wire, where it must tell what the port in process
//! tells, under each wire fault, and against the emulators.
//!
//! The SDK takes its endpoint from the environment, which belongs to a whole process. So each test here runs a second
//! time in a child process of its own, with the environment that it needs.

use std::{
    collections::BTreeMap,
    env,
    process::{Command, Stdio},
    sync::Arc,
};

use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{Dimension, MetricDatum},
};
use bedrock_ops_alert::{
    aws::{Patience, SdkCloud, SdkOptions},
    cloud::{
        Attribute, CaseFilter, Cloud, Decision, Fault, FaultClass, LogQuery, LogState, Metric,
        MetricQuery, MetricRequest, NewCase, Page, Post, Publication, Simulation,
    },
    model::{
        ids::{AccountId, CaseId, PrincipalArn, QuotaCode, Region, Scope, TargetId},
        policy::{Account, Regions},
        time::{DAY, HOUR, Minute, after},
        units::Amount,
    },
    sim::{
        self, Faults, Sim, World,
        wire::{FaultKind, Options, Speed, WireFaults},
    },
};

use crate::{
    boto3::{DENIALS, logged, monitoring},
    emulators,
    support::{client_environment, free_port, get, root, sdk, serve_at, sim},
};

const CHILD: &str = "BOA_WIRE_TEST_PORT";
const MAIN: &str = "111122223333";
const RESEARCH: &str = "444455556666";

/// In the child, the port of its endpoint. In the parent, runs the child and returns nothing.
fn endpoint(test: &str, port: impl FnOnce() -> u16) -> Option<u16> {
    if let Ok(port) = env::var(CHILD) {
        return Some(port.parse().unwrap());
    }
    let port = port();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", &format!("port::{test}"), "--nocapture"])
        .envs(client_environment(&format!("http://127.0.0.1:{port}")))
        .env(CHILD, port.to_string())
        .env_remove("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
        .env_remove("AWS_PROFILE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{test} failed in its own process:\n{printed}\n{complained}"
    );
    None
}

fn run<F: Future<Output = ()>>(scenario: F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(scenario);
}

fn scope(account: &str) -> Scope {
    Scope {
        account: AccountId::new(account),
        region: Region::new("us-east-1"),
    }
}

fn account(id: &str, role_arn: Option<String>) -> Account {
    Account {
        id: AccountId::new(id),
        name: None,
        regions: Regions::These(vec![Region::new("us-east-1")]),
        role_arn,
        external_id: None,
        metrics_through: None,
    }
}

/// Our port, by wire. Research is reached through a role.
async fn port() -> SdkCloud {
    let role = format!("arn:aws:iam::{RESEARCH}:role/bedrock-ops-alert");
    port_to(vec![account(MAIN, None), account(RESEARCH, Some(role))]).await
}

async fn port_to(accounts: Vec<Account>) -> SdkCloud {
    SdkCloud::connect(SdkOptions {
        accounts,
        patience: Patience::loopback(),
        endpoint: None,
    })
    .await
    .unwrap()
}

/// All items of a listing.
async fn all<T, F>(mut page: impl FnMut(Option<String>) -> F) -> Vec<T>
where
    F: Future<Output = Result<Page<T>, Fault>>,
{
    let (mut items, mut next) = (Vec::new(), None);
    for _ in 0..100 {
        let answer = page(next).await.unwrap();
        items.extend(answer.items);
        next = answer.next;
        if next.is_none() {
            return items;
        }
    }
    panic!("the pages never end");
}

#[test]
fn by_wire_and_in_process_the_world_is_the_same() {
    let Some(port_number) = endpoint("by_wire_and_in_process_the_world_is_the_same", free_port)
    else {
        return;
    };
    run(async {
        let sim = sim();
        serve_at(Arc::clone(&sim), Options::at(Speed::Max), port_number).await;
        let wire = port().await;
        let near = sim::cloud(&sim, AccountId::new(MAIN), Arc::new(Faults::none()));
        for account in [MAIN, RESEARCH] {
            let scope = scope(account);
            let caller = wire.caller(&scope).await.unwrap();
            assert_eq!(caller.account, scope.account);
            assert!(caller.arn.is_some());
            compare_lists(&wire, near.as_ref(), &scope).await;
            compare_datapoints(&wire, near.as_ref(), &scope, &sim).await;
        }
    });
}

#[test]
fn logs_are_asked_by_wire_as_in_process() {
    let Some(port_number) = endpoint("logs_are_asked_by_wire_as_in_process", free_port) else {
        return;
    };
    run(async {
        let text = std::fs::read_to_string(root().join("tests/data/worlds/fortnight.toml"));
        let sim = Sim::new(World::parse(&logged(&text.unwrap())).unwrap(), 1);
        serve_at(Arc::clone(&sim), Options::at(Speed::Max), port_number).await;
        let wire = port().await;
        let near = sim::cloud(&sim, AccountId::new(MAIN), Arc::new(Faults::none()));
        let scope = scope(MAIN);
        let until = sim.now();
        let query = LogQuery {
            group: "/bedrock/invocations".to_owned(),
            from: after(until, -HOUR),
            until,
        };
        let mut ids = Vec::new();
        for cloud in [&wire as &dyn Cloud, near.as_ref()] {
            let id = cloud.start_query(&scope, &query).await.unwrap();
            let early = cloud.query_results(&scope, &id).await.unwrap();
            assert_eq!(early.state, LogState::Running);
            let elsewhere = LogQuery {
                group: "/none".to_owned(),
                ..query.clone()
            };
            let fault = cloud.start_query(&scope, &elsewhere).await.unwrap_err();
            assert_eq!(fault.class, FaultClass::NotFound, "{fault}");
            let fault = cloud.query_results(&scope, "none").await.unwrap_err();
            assert_eq!(fault.class, FaultClass::NotFound, "{fault}");
            ids.push(id);
        }
        sim.advance_to(after(until, 1));
        let far = wire.query_results(&scope, &ids[0]).await.unwrap();
        let here = near.query_results(&scope, &ids[1]).await.unwrap();
        assert_eq!(far, here);
        assert_eq!(far.state, LogState::Complete);
        assert!(3 < far.rows.len() && 0 < far.bytes_scanned, "{far:?}");
    });
}

#[test]
fn iam_is_asked_by_wire_as_in_process_whatever_its_pages() {
    let Some(port_number) = endpoint(
        "iam_is_asked_by_wire_as_in_process_whatever_its_pages",
        free_port,
    ) else {
        return;
    };
    run(async {
        let text = std::fs::read_to_string(root().join("tests/data/worlds/fortnight.toml"));
        let world = World::parse(&format!("{}{DENIALS}", text.unwrap())).unwrap();
        let sim = Sim::new(world, 1);
        // Each page but the last holds one action.
        let faults = WireFaults {
            partial_page: 1_000,
            ..WireFaults::default()
        };
        let options = Options {
            faults,
            ..Options::at(Speed::Max)
        };
        serve_at(Arc::clone(&sim), options, port_number).await;
        let wire = port().await;
        let near = sim::cloud(&sim, AccountId::new(MAIN), Arc::new(Faults::none()));
        let scope = scope(MAIN);
        let model = "arn:aws:bedrock:us-west-2::foundation-model/m";
        let mut decisions = Vec::new();
        for (caller, region) in [
            ("role/app", "us-west-2"),
            ("role/batch", "us-west-2"),
            ("role/batch", "us-east-1"),
            ("user/ci", "us-east-1"),
            ("group/all", "unspecified"),
        ] {
            let about = Simulation {
                caller: PrincipalArn::new(format!("arn:aws:iam::{MAIN}:{caller}")),
                actions: vec![
                    "bedrock:InvokeModel",
                    "bedrock:InvokeModelWithResponseStream",
                ],
                resource: model.to_owned(),
                context: BTreeMap::from([("aws:RequestedRegion", region.to_owned())]),
            };
            let before = simulations(&wire);
            let far = all(|page| wire.simulate(&scope, &about, page)).await;
            assert_eq!(far, all(|page| near.simulate(&scope, &about, page)).await);
            assert_eq!(simulations(&wire) - before, 2, "two pages");
            decisions.extend(far.into_iter().map(|it| it.decision));
        }
        use Decision::{Allowed, ExplicitDeny, ImplicitDeny};
        let expected = [
            [Allowed, Allowed],
            [ExplicitDeny, ExplicitDeny],
            [Allowed, ExplicitDeny],
            [ImplicitDeny, ImplicitDeny],
            [ImplicitDeny, ImplicitDeny],
        ];
        assert_eq!(decisions, expected.concat());
        let stranger = Simulation {
            caller: PrincipalArn::new(format!("arn:aws:iam::{RESEARCH}:role/app")),
            actions: vec!["bedrock:InvokeModel"],
            resource: model.to_owned(),
            context: BTreeMap::new(),
        };
        for cloud in [&wire as &dyn Cloud, near.as_ref()] {
            let fault = cloud.simulate(&scope, &stranger, None).await.unwrap_err();
            assert_eq!(fault.class, FaultClass::NotFound, "{fault}");
        }
    });
}

fn simulations(cloud: &dyn Cloud) -> u64 {
    let calls = cloud.calls();
    let own = calls.by_site.iter();
    let own = own.filter(|(it, _)| it.operation == "iam:SimulatePrincipalPolicy");
    own.map(|(_, it)| it.requests).sum()
}

#[test]
fn a_linked_account_is_read_by_wire_as_in_process_and_nothing_else_is_asked_of_it() {
    let test = "a_linked_account_is_read_by_wire_as_in_process_and_nothing_else_is_asked_of_it";
    let Some(port_number) = endpoint(test, free_port) else {
        return;
    };
    run(async {
        let text = std::fs::read_to_string(root().join("tests/data/worlds/fortnight.toml"));
        let world = World::parse(&monitoring(&text.unwrap())).unwrap();
        let sim = Sim::new(world, 1);
        serve_at(Arc::clone(&sim), Options::at(Speed::Max), port_number).await;
        let linked = Account {
            metrics_through: Some(AccountId::new(MAIN)),
            ..account(RESEARCH, None)
        };
        let accounts = vec![account(MAIN, None), linked];
        let wire = port_to(accounts.clone()).await;
        let none = Arc::new(Faults::none());
        let near = sim::linked_cloud(&sim, AccountId::new(MAIN), none, &accounts);
        let scope = scope(RESEARCH);
        let metrics = all(|page| wire.list_metrics(&scope, "AWS/Bedrock", false, page)).await;
        assert!(!metrics.is_empty());
        // What its own credentials would be told, and not what the monitoring account has itself.
        let own = sim::cloud(&sim, AccountId::new(RESEARCH), Arc::new(Faults::none()));
        let of_own = all(|page| own.list_metrics(&scope, "AWS/Bedrock", false, page)).await;
        assert_eq!(metrics, of_own);
        let of_near = all(|page| near.list_metrics(&scope, "AWS/Bedrock", false, page)).await;
        assert_eq!(metrics, of_near);
        let far = points(&wire, &scope, &metrics, &sim).await;
        assert!(far.values().any(|points| 1_000 < points.len()));
        assert_eq!(far, points(own.as_ref(), &scope, &metrics, &sim).await);
        assert_eq!(far, points(near.as_ref(), &scope, &metrics, &sim).await);
        for cloud in [&wire as &dyn Cloud, near.as_ref()] {
            assert!(cloud.access(&scope).is_metrics_only);
            let before = cloud.calls();
            for fault in no_way(cloud, &scope).await {
                assert_eq!(fault.code, "NoWay", "{fault}");
            }
            assert_eq!(cloud.calls(), before, "nothing was sent");
        }
    });
}

/// What comes of calls that need a role in the account.
async fn no_way(cloud: &dyn Cloud, scope: &Scope) -> Vec<Fault> {
    let series = MetricQuery {
        id: "q".to_owned(),
        metric: Metric {
            namespace: "AWS/Bedrock".to_owned(),
            name: "Invocations".to_owned(),
            dimensions: BTreeMap::new(),
        },
        statistic: "Sum".to_owned(),
        period_seconds: 60,
    };
    let hour = (Minute(0), Minute(60));
    let code = QuotaCode::new("L-15B8E632");
    let more = Amount::new(7.0).unwrap();
    vec![
        cloud.caller(scope).await.unwrap_err(),
        cloud
            .metric_statistics(scope, &series, hour)
            .await
            .unwrap_err(),
        cloud.list_profiles(scope, None).await.unwrap_err(),
        cloud.list_models(scope).await.unwrap_err(),
        cloud.list_quotas(scope, None).await.unwrap_err(),
        cloud.request_quota(scope, &code, more).await.unwrap_err(),
        cloud.create_case(scope, &case()).await.unwrap_err(),
    ]
}

/// The datapoints of a quarter of a day, by query.
async fn points(
    cloud: &dyn Cloud,
    scope: &Scope,
    metrics: &[Metric],
    sim: &Sim,
) -> BTreeMap<String, Vec<(Minute, u64)>> {
    let until = Minute::of(sim.now());
    let query = |(n, metric): (usize, &Metric)| MetricQuery {
        id: format!("q{n}"),
        metric: metric.clone(),
        statistic: "Sum".to_owned(),
        period_seconds: 60,
    };
    let request = |page| MetricRequest {
        queries: metrics.iter().enumerate().map(query).collect(),
        from: until.plus(-DAY),
        until,
        page,
    };
    let mut series: BTreeMap<String, Vec<(Minute, u64)>> = BTreeMap::new();
    for part in all(|page| cloud.metric_data(scope, request(page))).await {
        let exact = part.points.into_iter();
        let exact = exact.map(|(minute, value)| (minute, value.to_bits()));
        series.entry(part.id).or_default().extend(exact);
    }
    series
        .values_mut()
        .for_each(|points| points.sort_unstable());
    series
}

async fn compare_lists(wire: &SdkCloud, near: &dyn Cloud, scope: &Scope) {
    for recent in [false, true] {
        let far = all(|page| wire.list_metrics(scope, "AWS/Bedrock", recent, page)).await;
        assert!(!far.is_empty());
        let near = all(|page| near.list_metrics(scope, "AWS/Bedrock", recent, page)).await;
        assert_eq!(far, near);
    }
    let mantle = "AWS/BedrockMantle";
    let far = all(|page| wire.list_metrics(scope, mantle, false, page)).await;
    assert_eq!(far.is_empty(), scope.account.as_str() != MAIN);
    assert_eq!(
        far,
        all(|page| near.list_metrics(scope, mantle, false, page)).await
    );
    let far = all(|page| wire.list_profiles(scope, page)).await;
    assert!(!far.is_empty());
    assert_eq!(far, all(|page| near.list_profiles(scope, page)).await);
    let own: Vec<_> = far.iter().filter(|it| it.is_application).collect();
    for profile in own {
        let id = TargetId::new(profile.id.clone());
        let far = wire.list_tags(scope, &id).await.unwrap();
        assert!(!far.is_empty(), "{profile:?}");
        assert_eq!(far, near.list_tags(scope, &id).await.unwrap());
    }
    let gone = TargetId::new("zzzzzzzzzzzz");
    for cloud in [wire as &dyn Cloud, near] {
        let fault = cloud.list_tags(scope, &gone).await.unwrap_err();
        assert_eq!(fault.class, FaultClass::NotFound, "{fault}");
    }
    let far = all(|page| wire.list_regions(scope, page)).await;
    assert!(far.contains(&scope.region));
    assert_eq!(far, all(|page| near.list_regions(scope, page)).await);
    let far = wire.list_models(scope).await.unwrap();
    assert!(far.iter().any(|model| model.life.end.is_some()));
    assert_eq!(far, near.list_models(scope).await.unwrap());
    let far = all(|page| wire.list_quotas(scope, page)).await;
    assert!(1_000 <= far.len());
    assert_eq!(far, all(|page| near.list_quotas(scope, page)).await);
    let far = all(|page| wire.list_default_quotas(scope, page)).await;
    assert_eq!(far, all(|page| near.list_default_quotas(scope, page)).await);
}

async fn compare_datapoints(wire: &SdkCloud, near: &dyn Cloud, scope: &Scope, sim: &Sim) {
    let metrics = all(|page| near.list_metrics(scope, "AWS/Bedrock", false, page)).await;
    let query = |(n, metric): (usize, &Metric)| MetricQuery {
        id: format!("q{n}"),
        metric: metric.clone(),
        statistic: if metric.name.contains("Latency") {
            "p90"
        } else {
            "Sum"
        }
        .to_owned(),
        period_seconds: 60,
    };
    let until = Minute::of(sim.now());
    let request = |page| MetricRequest {
        queries: metrics.iter().enumerate().map(query).collect(),
        from: until.plus(-DAY - HOUR),
        until,
        page,
    };
    let joined = |parts: Vec<bedrock_ops_alert::cloud::MetricResult>| {
        let mut series: BTreeMap<String, Vec<(Minute, String)>> = BTreeMap::new();
        for part in parts {
            let points = part.points.into_iter();
            let points = points.map(|(minute, value)| (minute, format!("{value:?}")));
            series.entry(part.id).or_default().extend(points);
        }
        series.values_mut().for_each(|points| points.sort());
        series
    };
    let far = joined(all(|page| wire.metric_data(scope, request(page))).await);
    assert!(far.values().any(|points| 1_000 < points.len()));
    assert_eq!(
        far,
        joined(all(|page| near.metric_data(scope, request(page))).await)
    );
    let whole = request(None);
    let day = (whole.until.plus(-DAY), whole.until);
    for query in &whole.queries {
        let mut points = wire.metric_statistics(scope, query, day).await.unwrap();
        points.sort_by_key(|(minute, _)| *minute);
        let told = points
            .iter()
            .map(|(minute, value)| (*minute, format!("{value:?}")));
        let last_day = far[&query.id].iter().filter(|(minute, _)| day.0 <= *minute);
        assert_eq!(
            told.collect::<Vec<_>>(),
            last_day.cloned().collect::<Vec<_>>()
        );
    }
}

fn case() -> NewCase {
    NewCase {
        subject: "Bedrock: server errors [BOA-TEST]".into(),
        body: "Since 14:10 UTC — 45 % of requests fail.".into(),
        service_code: "service-bedrock".into(),
        category_code: "general-guidance".into(),
        severity_code: "normal".into(),
        issue_type: "technical".into(),
        cc: vec!["oncall@example.com".into(), "team@example.com".into()],
        attachments: None,
    }
}

fn files() -> [(String, &'static str); 2] {
    let names = [
        ("hours.csv", "hour\n1\n"),
        ("hours-minutes.csv", "minute\n1\n2\n"),
    ];
    names.map(|(name, text)| (name.to_owned(), text))
}

fn laid_aside() -> serde_json::Value {
    let each = files().map(|(name, text)| serde_json::json!({ "file_name": name, "text": text }));
    serde_json::json!(each)
}

fn publication() -> Publication {
    let models = ["a \"b\"", "c"].map(str::to_owned);
    Publication {
        subject: "subject".to_owned(),
        message: "message".to_owned(),
        attributes: BTreeMap::from([
            ("severity", Attribute::Text("critical".to_owned())),
            ("model", Attribute::Texts(models.into())),
        ]),
    }
}

/// Its attributes, as the API takes them.
fn published() -> serde_json::Value {
    serde_json::json!({
        "severity": { "DataType": "String", "StringValue": "critical" },
        "model": { "DataType": "String.Array", "StringValue": r#"["a \"b\"","c"]"# },
    })
}

/// A case is closed, and stays so; one that is not there can't be.
async fn closes(wire: &SdkCloud, here: &Scope, id: &CaseId) {
    for _ in 0..2 {
        wire.resolve_case(here, id).await.unwrap();
        let filter = CaseFilter::Case(id.clone());
        let closed = all(|page| wire.list_cases(here, &filter, page)).await;
        assert_eq!(closed[0].status, "resolved");
    }
    let nothing = CaseId::new("case-none");
    let refused = wire.resolve_case(here, &nothing).await.unwrap_err();
    assert_eq!(refused.class, FaultClass::NotFound);
}

#[test]
fn effects_arrive_and_are_found_again() {
    let Some(port_number) = endpoint("effects_arrive_and_are_found_again", free_port) else {
        return;
    };
    run(async {
        let sim = sim();
        serve_at(Arc::clone(&sim), Options::at(Speed::Max), port_number).await;
        let (wire, here) = (port().await, scope(MAIN));
        let code = QuotaCode::new("L-15B8E632");
        let quota = wire.get_quota(&here, &code).await.unwrap();
        assert_eq!(quota.value, Amount::new(1_200_000.0));
        let desired = Amount::new(2_000_000.0).unwrap();
        let filed = wire.request_quota(&here, &code, desired).await.unwrap();
        let again = wire.request_quota(&here, &code, desired).await.unwrap_err();
        assert_eq!(again.class, FaultClass::Exists);
        sim.advance_to(after(sim.now(), 5));
        let opened = wire.get_quota_request(&here, &filed.id).await.unwrap();
        let display = opened.display.unwrap();
        let history = all(|page| wire.quota_request_history(&here, &code, page)).await;
        assert_eq!(history[0].id, filed.id);
        let us = wire.caller(&here).await.unwrap();
        assert_eq!(history[0].requester, us.arn, "by who signed");
        let filter = CaseFilter::Display(display);
        let found = all(|page| wire.list_cases(&here, &filter, page)).await;
        let id = &found[0].id;
        let set = wire.attach(&here, &files()).await.unwrap();
        let with = Some(set.as_str());
        wire.add_communication(&here, id, "context", with)
            .await
            .unwrap();
        let said = all(|page| wire.list_communications(&here, id, page)).await;
        assert!(said.iter().any(|said| said.body == "context"), "{said:?}");
        closes(&wire, &here, id).await;
        let own = wire.create_case(&here, &case()).await.unwrap();
        let filter = CaseFilter::Case(own);
        let found = all(|page| wire.list_cases(&here, &filter, page)).await;
        assert_eq!(found[0].subject, case().subject);
        assert_eq!(found[0].created, Some(sim.now()));
        let refused = wire
            .create_case(&scope(RESEARCH), &case())
            .await
            .unwrap_err();
        assert_eq!(refused.class, FaultClass::NoPlan);
        let topic = format!("arn:aws:sns:us-east-1:{MAIN}:bedrock-alerts");
        wire.publish(&here, &topic, &publication()).await.unwrap();
        let hook = format!("http://127.0.0.1:{port_number}/_sim/slack/T0/B0/secret");
        let post = Post {
            operation: "slack:Post",
            url: hook,
            headers: Vec::new(),
            body: r#"{"text":"hello"}"#.to_owned(),
        };
        assert_eq!(wire.post(&post).await.unwrap().body, "ok");
        let state = sim.state();
        assert_eq!(state["published"][0]["message"], "message");
        assert_eq!(state["published"][0]["attributes"], published());
        assert_eq!(state["slack"][0]["url"], "/_sim/slack/T0/B0/secret");
        assert_eq!(state["slack"][0]["body"], r#"{"text":"hello"}"#);
        assert_eq!(state["cases"].as_array().unwrap().len(), 2);
        let said = state["cases"][0]["communications"].as_array().unwrap();
        let with_file = said.iter().find(|it| it["body"] == "context").unwrap();
        assert_eq!(with_file["attachments"], laid_aside());
        let copies: Vec<_> = state["cases"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["cc"].clone())
            .collect();
        assert_eq!(copies[1], serde_json::json!(case().cc));
    });
}

#[test]
fn no_wire_fault_hides_an_effect() {
    let Some(port_number) = endpoint("no_wire_fault_hides_an_effect", free_port) else {
        return;
    };
    run(async {
        let sim = sim();
        let mut seen = String::new();
        for kind in FaultKind::ALL {
            let mut options = Options::at(Speed::Max);
            options.faults = WireFaults {
                per_mille: BTreeMap::from([(kind, 1_000)]),
                hang_seconds: 20,
                operations: vec!["support:CreateCase".to_owned()],
                ..WireFaults::default()
            };
            let server = serve_at(Arc::clone(&sim), options, port_number).await;
            let before = cases(&sim);
            let fault = port()
                .await
                .create_case(&scope(MAIN), &case())
                .await
                .unwrap_err();
            let happened = before < cases(&sim);
            assert!(
                fault.may_have_happened() || !happened,
                "{}: the case is open, and the port says {:?}",
                kind.name(),
                fault.class
            );
            seen += &format!("{}: {:?}, happened: {happened}\n", kind.name(), fault.class);
            server.stop().await;
        }
        insta::assert_snapshot!(seen, @r"
        throttled: Throttled, happened: false
        error_before: Server, happened: false
        dropped_before: Lost, happened: false
        error_after: Server, happened: true
        dropped_after: Lost, happened: true
        hang: Lost, happened: true
        truncated: Lost, happened: true
        ");
    });
}

fn cases(sim: &Sim) -> usize {
    sim.state()["cases"].as_array().unwrap().len()
}

#[test]
fn odd_pages_lose_nothing() {
    let Some(port_number) = endpoint("odd_pages_lose_nothing", free_port) else {
        return;
    };
    run(async {
        let mut options = Options::at(Speed::Max);
        options.faults = WireFaults {
            seed: 3,
            partial_page: 500,
            repeated_page: 300,
            ..WireFaults::default()
        };
        let served = serve_at(sim(), options, port_number).await;
        let (wire, here) = (port().await, scope(MAIN));
        let mut quotas = all(|page| wire.list_quotas(&here, page)).await;
        let came = quotas.len();
        quotas.sort_by(|one, other| one.code.cmp(&other.code));
        quotas.dedup_by(|one, other| one.code == other.code);
        let faults = get(&served, "/_sim/state").await["faults"].clone();
        for kind in ["partial_page", "repeated_page"] {
            let count = &faults[kind]["servicequotas:ListServiceQuotas"];
            assert!(0 < count.as_u64().unwrap(), "{faults}");
        }
        assert!(quotas.len() < came, "some pages came twice");
        let whole = sim::cloud(&served.sim, here.account.clone(), Arc::new(Faults::none()));
        let whole = all(|page| whole.list_quotas(&here, page)).await;
        assert_eq!(quotas.len(), whole.len());
    });
}

#[test]
fn emulators_datapoints_come_through_the_port() {
    let name = "emulators_datapoints_come_through_the_port";
    let mut running = Vec::new();
    for start in [emulators::moto, emulators::ministack] {
        let child = endpoint(name, || {
            let emulator = start();
            let port = emulator.port;
            running.push(emulator);
            port
        });
        if let Some(port_number) = child {
            run(read_emulator(port_number));
            return;
        }
    }
}

async fn read_emulator(port_number: u16) {
    let minute = emulators::minute();
    let url = format!("http://127.0.0.1:{port_number}");
    let raw = aws_sdk_cloudwatch::Client::new(&sdk(&url, "testing").await);
    for (offset, value) in [(0, 100.0), (30, 300.0), (60, 7.0)] {
        let dimension = Dimension::builder().name("ModelId").value("m-1").build();
        let datum = MetricDatum::builder()
            .metric_name("Invocations")
            .dimensions(dimension)
            .timestamp(DateTime::from_secs(minute + offset))
            .value(value)
            .build();
        let put = raw.put_metric_data().namespace("AWS/Bedrock");
        put.metric_data(datum).send().await.unwrap();
    }
    let port = port().await;
    // An emulator's accounts are its own; the one without a role is whoever it takes us for.
    let here = scope(MAIN);
    let listed = all(|page| port.list_metrics(&here, "AWS/Bedrock", false, page)).await;
    let metric = Metric {
        namespace: "AWS/Bedrock".into(),
        name: "Invocations".into(),
        dimensions: BTreeMap::from([("ModelId".into(), "m-1".into())]),
    };
    assert_eq!(listed, std::slice::from_ref(&metric));
    let from = Minute(minute / 60);
    let read = all(|page| {
        port.metric_data(
            &here,
            MetricRequest {
                queries: vec![MetricQuery {
                    id: "q0".into(),
                    metric: metric.clone(),
                    statistic: "Sum".into(),
                    period_seconds: 60,
                }],
                from,
                until: from.plus(2),
                page,
            },
        )
    })
    .await;
    let mut points = read[0].points.clone();
    points.sort_by_key(|(minute, _)| *minute);
    assert_eq!(points, [(from, 400.0), (from.plus(1), 7.0)]);
    let query = MetricQuery {
        id: "q0".into(),
        metric,
        statistic: "Sum".into(),
        period_seconds: 60,
    };
    let stretch = (from, from.plus(2));
    let mut single = port
        .metric_statistics(&here, &query, stretch)
        .await
        .unwrap();
    single.sort_by_key(|(minute, _)| *minute);
    assert_eq!(single, points);
    let far = port.caller(&scope(RESEARCH)).await.unwrap();
    assert_eq!(
        far.account.as_str(),
        RESEARCH,
        "the role leads into its account"
    );
}
