//! Quotas, cases, topics, roles, worlds and faults.

use serde_json::{Value, json};

use super::*;
use crate::model::time::{SignedDuration, after};

#[test]
fn a_request_is_followed_from_filing_to_the_new_value() {
    let sim = minute_world();
    let quotas =
        |operation: &str, input: Value| call(&sim, Service::ServiceQuotas, operation, input);
    let file = |code: &str, value: f64| {
        quotas(
            "RequestServiceQuotaIncrease",
            json!({ "ServiceCode": "bedrock", "QuotaCode": code, "DesiredValue": value }),
        )
    };
    let code = |result: Result<Value, ApiError>| result.unwrap_err().code;
    assert_eq!(code(file(TPM, 300_000.0)), "IllegalArgumentException");
    assert_eq!(code(file("L-70423BF8", 9e6)), "IllegalArgumentException");
    assert_eq!(code(file("L-00000000", 9e6)), "NoSuchResourceException");
    let filed = file(TPM, 600_000.0).unwrap();
    assert!(filed["RequestedQuota"].get("CaseId").is_none());
    assert_eq!(code(file(TPM, 700_000.0)), "ResourceAlreadyExistsException");
    file("L-7BEE40FB", 9e6).unwrap();
    assert_eq!(code(file("L-5DB28B7B", 9e7)), "QuotaExceededException");
    sim.advance_to(after(sim.now(), 10));
    let id = filed["RequestedQuota"]["Id"].as_str().unwrap().to_owned();
    let read = quotas("GetRequestedServiceQuotaChange", json!({ "RequestId": id })).unwrap();
    let display = read["RequestedQuota"]["CaseId"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(read["RequestedQuota"]["Status"], "CASE_OPENED");
    let found = call(
        &sim,
        Service::Support,
        "DescribeCases",
        json!({ "displayId": display }),
    )
    .unwrap();
    let case = &found["cases"][0];
    assert_eq!(case["subject"], "Quota Increase: Bedrock");
    let said = case["recentCommunications"]["communications"]
        .as_array()
        .unwrap();
    assert_eq!(said[0]["submittedBy"], "Amazon Web Services");
    sim.advance_to(after(sim.now(), 120));
    let quota = quotas(
        "GetServiceQuota",
        json!({ "ServiceCode": "bedrock", "QuotaCode": TPM }),
    )
    .unwrap();
    assert_eq!(quota["Quota"]["Value"], 600_000.0);
    let history = quotas(
        "ListRequestedServiceQuotaChangeHistoryByQuota",
        json!({ "ServiceCode": "bedrock", "QuotaCode": TPM }),
    )
    .unwrap();
    assert_eq!(history["RequestedQuotas"][0]["Status"], "CASE_CLOSED");
    let gone = call(
        &sim,
        Service::Support,
        "DescribeCases",
        json!({ "displayId": display }),
    )
    .unwrap();
    assert_eq!(
        gone["cases"],
        json!([]),
        "resolved cases are told only when asked for"
    );
}

#[test]
fn quotas_come_in_pages_of_a_hundred() {
    let sim = minute_world();
    let (mut codes, mut token) = (std::collections::BTreeSet::new(), None::<String>);
    loop {
        let mut input = json!({ "ServiceCode": "bedrock" });
        if let Some(token) = &token {
            input["NextToken"] = json!(token);
        }
        let answer = call(&sim, Service::ServiceQuotas, "ListServiceQuotas", input).unwrap();
        let page = answer["Quotas"].as_array().unwrap();
        assert!(page.len() <= 100);
        codes.extend(
            page.iter()
                .map(|quota| quota["QuotaCode"].as_str().unwrap().to_owned()),
        );
        match answer.get("NextToken").and_then(Value::as_str) {
            Some(next) => token = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(codes.len(), 1_123);
}

#[test]
fn own_cases_live_their_life() {
    let sim = minute_world();
    let support = |operation: &str, input: Value| call(&sim, Service::Support, operation, input);
    let body = json!({ "subject": "errors", "communicationBody": "x", "serviceCode": "service-bedrock", "categoryCode": "general-guidance", "severityCode": "normal" });
    let id = support("CreateCase", body.clone()).unwrap()["caseId"].clone();
    let mut wrong = body;
    wrong["communicationBody"] = json!("y".repeat(8_001));
    assert_eq!(
        support("CreateCase", wrong).unwrap_err().code,
        "ValidationException"
    );
    assert_eq!(
        support(
            "AddCommunicationToCase",
            json!({ "caseId": "nope", "communicationBody": "x" })
        )
        .unwrap_err()
        .code,
        "CaseIdNotFound"
    );
    for n in 0..12 {
        support(
            "AddCommunicationToCase",
            json!({ "caseId": id, "communicationBody": format!("note {n}") }),
        )
        .unwrap();
    }
    let found = support("DescribeCases", json!({ "caseIdList": [id] })).unwrap();
    assert_eq!(
        found["cases"][0]["recentCommunications"]["communications"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    let first = support(
        "DescribeCommunications",
        json!({ "caseId": id, "maxResults": 10 }),
    )
    .unwrap();
    let rest = support(
        "DescribeCommunications",
        json!({ "caseId": id, "maxResults": 10, "nextToken": first["nextToken"] }),
    )
    .unwrap();
    assert_eq!(rest["communications"].as_array().unwrap().len(), 3);
    sim.advance_to(after(sim.now(), 48 * 60));
    let state = sim.state();
    assert_eq!(state["cases"][0]["status"], "resolved");
    let said = state["cases"][0]["communications"].as_array().unwrap();
    assert_eq!(
        said.iter()
            .filter(|said| said["submitted_by"] == "Amazon Web Services")
            .count(),
        3
    );
    assert_eq!(state["calls"]["support:AddCommunicationToCase"], 13);
}

#[test]
fn topics_take_only_what_sns_takes() {
    let sim = minute_world();
    let topic = format!("arn:aws:sns:us-east-1:{ACCOUNT}:bedrock-alerts");
    let publish = |topic: &str, subject: Option<&str>, message: &str| {
        let mut input = json!({ "TopicArn": topic, "Message": message });
        if let Some(subject) = subject {
            input["Subject"] = json!(subject);
        }
        call(&sim, Service::Sns, "Publish", input)
    };
    publish(&topic, Some("Quota reached"), "text").unwrap();
    publish(&topic, None, "text").unwrap();
    let too_long = "s".repeat(100);
    for subject in ["", " x", "a\nb", "é", too_long.as_str()] {
        assert_eq!(
            publish(&topic, Some(subject), "text").unwrap_err().code,
            "InvalidParameter",
            "{subject}"
        );
    }
    assert_eq!(
        publish(&topic, None, "").unwrap_err().code,
        "InvalidParameter"
    );
    assert_eq!(
        publish(&topic.replace("alerts", "other"), None, "x")
            .unwrap_err()
            .code,
        "NotFound"
    );
    assert_eq!(sim.state()["published"].as_array().unwrap().len(), 2);
}

#[test]
fn attributes_of_a_message_are_those_that_sns_takes() {
    let sim = minute_world();
    let topic = format!("arn:aws:sns:us-east-1:{ACCOUNT}:bedrock-alerts");
    let publish = |message: &str, attributes: Value| {
        let input =
            json!({ "TopicArn": topic, "Message": message, "MessageAttributes": attributes });
        call(&sim, Service::Sns, "Publish", input)
    };
    let text = |value: &str| json!({ "DataType": "String", "StringValue": value });
    let models = json!({ "DataType": "String.Array", "StringValue": r#"["a","b"]"# });
    let taken = json!({ "severity": text("critical"), "model": models });
    publish("m", taken.clone()).unwrap();
    assert_eq!(sim.state()["published"][0]["attributes"], taken);
    for name in [
        "",
        ".a",
        "a.",
        "a..b",
        "AWS.a",
        "amazon.a",
        "a b",
        "ä",
        &"n".repeat(257),
    ] {
        let refused = publish("m", json!({ name: text("v") })).unwrap_err();
        assert_eq!(refused.code, "ParameterValueInvalid", "{name}");
    }
    for wrong in [
        text(""),
        json!({ "DataType": "String" }),
        json!({ "DataType": "Text", "StringValue": "v" }),
        json!({ "DataType": "Number", "StringValue": "many" }),
        json!({ "DataType": "String.Array", "StringValue": "a, b" }),
    ] {
        let refused = publish("m", json!({ "a": wrong })).unwrap_err();
        assert_eq!(refused.code, "ParameterValueInvalid", "{wrong}");
    }
    // The name, the type and the value take room, too.
    publish(&"m".repeat(262_144 - 8), json!({ "a": text("v") })).unwrap();
    let refused = publish(&"m".repeat(262_144 - 7), json!({ "a": text("v") })).unwrap_err();
    assert_eq!(refused.code, "InvalidParameter");
}

#[test]
fn roles_lead_into_other_accounts() {
    let sim = Sim::new(World::built_in("fortnight").unwrap(), 1);
    let role = "arn:aws:iam::444455556666:role/BedrockOpsAlert";
    let answer = call(
        &sim,
        Service::Sts,
        "AssumeRole",
        json!({ "RoleArn": role, "RoleSessionName": "boa" }),
    )
    .unwrap();
    let key = answer["Credentials"]["AccessKeyId"].as_str().unwrap();
    assert_eq!(account_of_key(key), Some(AccountId::new("444455556666")));
    let signed_at: Option<Timestamp> = "2031-01-01T00:00:00Z".parse().ok();
    let session = sim.handle(&Call {
        service: Service::Sts,
        operation: "AssumeRole".to_owned(),
        account: AccountId::new("444455556666"),
        by: sts::service(&AccountId::new("444455556666")),
        region: Region::new("us-east-1"),
        signed_at,
        input: json!({ "RoleArn": role, "RoleSessionName": "boa" }),
    });
    // An hour by the clock of the caller, whatever time it is in the world.
    let until = signed_at.map(|at| at.as_second() + 3_600);
    assert_eq!(
        session.unwrap()["Credentials"]["Expiration"].as_i64(),
        until
    );
    let other = role.replace("444455556666", "999999999999");
    let refused = call(
        &sim,
        Service::Sts,
        "AssumeRole",
        json!({ "RoleArn": other, "RoleSessionName": "boa" }),
    );
    assert_eq!(refused.unwrap_err().code, "AccessDenied");
    let without_plan = sim.handle(&Call {
        service: Service::Support,
        operation: "DescribeSeverityLevels".to_owned(),
        account: AccountId::new("444455556666"),
        by: sts::service(&AccountId::new("444455556666")),
        region: Region::new("us-east-1"),
        signed_at: None,
        input: json!({}),
    });
    assert_eq!(
        without_plan.unwrap_err().code,
        "SubscriptionRequiredException"
    );
}

#[test]
fn every_world_is_sound_and_random_ones_differ() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/worlds");
    let files = std::fs::read_dir(folder).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let worlds: Vec<String> = names.filter(|it| !it.ends_with(".config.toml")).collect();
    assert!(3 <= worlds.len(), "{worlds:?}");
    for name in worlds {
        let text = std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
        World::parse(&text).unwrap_or_else(|faults| panic!("{name}: {faults}"));
    }
    for seed in 12..200 {
        assert!(World::random(seed).is_ok(), "seed {seed}");
    }
    let mut shortages = 0;
    for seed in 0..12 {
        let world = World::random(seed).unwrap();
        assert!(world.pools.len() >= 3, "seed {seed}");
        assert_eq!(world, World::random(seed).unwrap());
        let sim = Sim::new(world, seed);
        sim.advance_to(after(sim.now(), 30 * 60));
        shortages += usize::from(!sim.throttled().is_empty());
    }
    assert!((7..=12).contains(&shortages), "{shortages}");
    assert_ne!(World::random(1).unwrap(), World::random(2).unwrap());
}

#[test]
fn all_faults_of_a_world_file_come_at_once() {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/worlds/minute.toml"
    ));
    let broken = text
        .replace("\"steady\"", "\"steadily\"")
        .replace("retry_share = 0.5", "retry_share = 5.0")
        .replace("after = \"1h\"", "after = \"soon\"")
        .replace("id = \"111122223333\"", "id = \"1111\"");
    let faults = World::parse(&broken).unwrap_err().0;
    for expected in [
        "no trace `steadily`; there are: agents",
        "retry_share: 5 is no share",
        "`soon` is no duration",
        "an account id is twelve digits",
        "no [[account]] has the id `111122223333`",
    ] {
        assert!(
            faults.iter().any(|fault| fault.contains(expected)),
            "{expected} not in {faults:#?}"
        );
    }
    let unknown = World::parse(&text.replace("trace =", "trase =")).unwrap_err();
    assert!(
        unknown.to_string().contains("unknown field `trase`"),
        "{unknown}"
    );
}

#[test]
fn lost_answers_have_their_effect_and_healing_ends_them() {
    let sim = minute_world();
    let rates = world::FaultRates {
        lost_after: 1.0,
        ..world::FaultRates::default()
    };
    let faults = Arc::new(Faults::new(rates, 3));
    let cloud = cloud(&sim, AccountId::new(ACCOUNT), Arc::clone(&faults));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let file = || {
        runtime.block_on(cloud.request_quota(
            &scope(),
            &QuotaCode::new(TPM),
            crate::model::units::Amount::new(6e5).unwrap(),
        ))
    };
    let lost = file().unwrap_err();
    assert!(lost.may_have_happened(), "{lost}");
    assert_eq!(sim.state()["quota_requests"].as_array().unwrap().len(), 1);
    assert_eq!(
        faults.count(
            Happened::LostAfter,
            "servicequotas:RequestServiceQuotaIncrease"
        ),
        1
    );
    faults.heal();
    assert_eq!(file().unwrap_err().class, crate::cloud::FaultClass::Exists);
    assert_eq!(
        cloud.calls().by_operation()["servicequotas:RequestServiceQuotaIncrease"],
        2
    );
}

#[test]
fn metrics_are_listed_while_they_live() {
    let sim = minute_world();
    let list = |input: Value| {
        let answer = call(&sim, Service::CloudWatch, "ListMetrics", input).unwrap();
        answer["Metrics"].as_array().unwrap().len()
    };
    let of_model = |name: &str| json!({ "Namespace": "AWS/Bedrock", "MetricName": name, "Dimensions": [{ "Name": "ModelId", "Value": TARGET }] });
    assert_eq!(list(of_model("Invocations")), 1);
    assert_eq!(
        list(of_model("InvocationThrottles")),
        0,
        "nothing was ever throttled"
    );
    assert_eq!(
        list(of_model("InputTokenCount")),
        2,
        "the series of long contexts is another metric"
    );
    assert_eq!(
        list(json!({ "Namespace": "AWS/Bedrock", "MetricName": "Invocations" })),
        2,
        "with the account total"
    );
    assert_eq!(list(json!({ "Namespace": "AWS/bedrock" })), 0);
    hours(&sim, 10);
    assert_eq!(list(of_model("InvocationThrottles")), 1);
    sim.advance_to(after(sim.now(), SignedDuration::from_hours(1).as_mins()));
    let mut recent = of_model("Invocations");
    recent["RecentlyActive"] = json!("PT3H");
    assert_eq!(list(recent), 1);
}

#[test]
fn the_desk_follows_its_script_through_questions_and_refusals() {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/worlds/minute.toml"
    ));
    let answers = r#"answers = [
        { outcome = "ask_back", after = "1h" },
        { outcome = "partial", share = 0.5, after = "2h", apply_after = "3h" },
        { outcome = "deny", after = "1h" },
    ]"#;
    let world = World::parse(&text.replace(
        r#"answers = [{ outcome = "grant", after = "1h", apply_after = "5m" }]"#,
        answers,
    ))
    .unwrap();
    let sim = Sim::new(world, 5);
    let file = |value: f64| {
        call(
            &sim,
            Service::ServiceQuotas,
            "RequestServiceQuotaIncrease",
            json!({ "ServiceCode": "bedrock", "QuotaCode": TPM, "DesiredValue": value }),
        )
    };
    let pass = |hours: i64| sim.advance_to(after(sim.now(), hours * 60));
    let status = || {
        sim.state()["quota_requests"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()["status"]
            .clone()
    };
    let applied = || sim.applied(&scope(), &QuotaCode::new(TPM)).unwrap();
    file(500_000.0).unwrap();
    pass(2);
    assert_eq!(sim.state()["cases"][0]["status"], "pending-customer-action");
    let id = sim.state()["cases"][0]["case_id"].clone();
    call(
        &sim,
        Service::Support,
        "AddCommunicationToCase",
        json!({ "caseId": id, "communicationBody": "our numbers" }),
    )
    .unwrap();
    assert_eq!(
        sim.state()["cases"][0]["status"],
        "customer-action-completed"
    );
    pass(3);
    assert_eq!(
        (status(), sim.state()["cases"][0]["status"].clone()),
        (json!("CASE_CLOSED"), json!("resolved"))
    );
    assert!(
        (applied() - 300_000.0).abs() < 1e-9,
        "closed, and not applied yet"
    );
    pass(3);
    assert!((applied() - 400_000.0).abs() < 1e-9, "half of the raise");
    // The second request meets the second answer again, the third one is denied.
    file(500_000.0).unwrap();
    pass(6);
    assert!((applied() - 450_000.0).abs() < 1e-9);
    file(500_000.0).unwrap();
    pass(30);
    assert_eq!(status(), json!("CASE_CLOSED"));
    assert!((applied() - 450_000.0).abs() < 1e-9);
    assert_eq!(sim.applied_history(&scope(), &QuotaCode::new(TPM)).len(), 3);
}

#[test]
fn a_question_without_a_reply_ends_the_request() {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/worlds/minute.toml"
    ));
    let world = World::parse(&text.replace(
        "outcome = \"grant\", after = \"1h\", apply_after = \"5m\"",
        "outcome = \"ask_back\", after = \"1h\"",
    ))
    .unwrap();
    let sim = Sim::new(world, 5);
    call(
        &sim,
        Service::ServiceQuotas,
        "RequestServiceQuotaIncrease",
        json!({ "ServiceCode": "bedrock", "QuotaCode": TPM, "DesiredValue": 5e5 }),
    )
    .unwrap();
    sim.advance_to(after(sim.now(), 24 * 60));
    assert_eq!(sim.state()["quota_requests"][0]["status"], "CASE_OPENED");
    sim.advance_to(after(sim.now(), 2 * 60));
    assert_eq!(sim.state()["quota_requests"][0]["status"], "CASE_CLOSED");
    assert!((sim.applied(&scope(), &QuotaCode::new(TPM)).unwrap() - 3e5).abs() < 1e-9);
}
