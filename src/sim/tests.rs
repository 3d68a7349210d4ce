//! The kernel as its callers see it.

mod day;
mod desk;

use serde_json::{Value, json};

use super::*;
use crate::model::time::after;

const ACCOUNT: &str = "111122223333";
const TARGET: &str = "us.anthropic.claude-sonnet-4-6";
const TPM: &str = "L-15B8E632";

fn scope() -> Scope {
    Scope {
        account: AccountId::new(ACCOUNT),
        region: Region::new("us-east-1"),
    }
}

fn minute_world() -> Arc<Sim> {
    Sim::new(World::built_in("minute").unwrap(), 1)
}

fn call(sim: &Sim, service: Service, operation: &str, input: Value) -> Result<Value, ApiError> {
    let Scope { account, region } = scope();
    sim.handle(&Call {
        service,
        operation: operation.to_owned(),
        by: sts::service(&account),
        account,
        region,
        signed_at: None,
        input,
    })
}

fn data(sim: &Sim, metric: &str, stat: &str, period: i64, from: Minute, until: Minute) -> Value {
    let query = json!({
        "Id": "q",
        "MetricStat": {
            "Metric": { "Namespace": "AWS/Bedrock", "MetricName": metric, "Dimensions": [{ "Name": "ModelId", "Value": TARGET }] },
            "Period": period,
            "Stat": stat,
        },
    });
    let input = json!({ "MetricDataQueries": [query], "StartTime": from.0 * 60, "EndTime": until.0 * 60, "ScanBy": "TimestampAscending" });
    call(sim, Service::CloudWatch, "GetMetricData", input).unwrap()
}

fn values(answer: &Value) -> Vec<f64> {
    let values = answer["MetricDataResults"][0]["Values"].as_array().unwrap();
    values.iter().map(|value| value.as_f64().unwrap()).collect()
}

fn hours(sim: &Sim, hours: i64) {
    sim.advance_to(after(sim.world().start, hours * 60));
}

#[test]
fn throttles_are_caused_and_a_pool_never_gets_more_than_its_quota() {
    let sim = minute_world();
    hours(&sim, 10);
    let throttled = sim.throttled();
    let first = throttled.first().expect("the ramp goes beyond the quota");
    let start = Minute::of(sim.world().start);
    assert!((120..300).contains(&first.minute.since(start)), "{first:?}");
    assert!(first.published > first.minute.plus(2).start());
    let target = TargetId::new(TARGET);
    let mut refused = 0.0;
    for minute in start.plus(-1_440).until(start.plus(600)) {
        let row = sim.minute(&scope(), &target, minute).unwrap();
        assert!(row.charged <= 300_000.0, "{minute}: {row:?}");
        refused += row.throttles;
    }
    assert!((refused - throttled.iter().map(|minute| minute.refused).sum::<f64>()).abs() < 1e-6);
    assert!(sim.minute(&scope(), &target, start.plus(601)).is_none());
    assert!(
        sim.minute(&scope(), &target, start.plus(-3 * 1_440))
            .is_none()
    );
}

#[test]
fn the_same_world_tells_the_same_whoever_asks_first() {
    let (early, late) = (minute_world(), minute_world());
    let start = Minute::of(early.world().start);
    for step in 1..10 {
        hours(&early, step);
        data(
            &early,
            "Invocations",
            "Sum",
            60,
            start.plus(-60),
            start.plus(600),
        );
    }
    hours(&late, 9);
    for metric in [
        "Invocations",
        "InvocationThrottles",
        "EstimatedTPMQuotaUsage",
        "InvocationLatency",
    ] {
        let ask = |sim: &Sim| {
            data(
                sim,
                metric,
                "Average",
                60,
                start.plus(-600),
                start.plus(600),
            )
        };
        assert_eq!(ask(&early), ask(&late), "{metric}");
    }
}

#[test]
fn datapoints_come_late_and_grow_until_they_are_whole() {
    let sim = minute_world();
    hours(&sim, 1);
    let now = Minute::of(sim.now());
    assert!(values(&data(&sim, "Invocations", "Sum", 60, now.plus(-2), now)).is_empty());
    let hour = |sim: &Sim| values(&data(sim, "Invocations", "Sum", 60, now.plus(-60), now));
    let early = hour(&sim);
    assert!((55..60).contains(&early.len()), "{}", early.len());
    sim.advance_to(after(sim.now(), 20));
    let settled = hour(&sim);
    assert_eq!(settled.len(), 60);
    assert!(settled.iter().sum::<f64>() > early.iter().sum::<f64>());
    // Never backwards.
    sim.advance_to(sim.world().start);
    assert_eq!(hour(&sim), settled);
}

#[test]
fn a_wrong_dimension_set_unit_or_period_is_silence() {
    let sim = minute_world();
    hours(&sim, 1);
    let now = sim.now().as_second();
    let ask = |dimensions: Value, unit: Option<&str>, age_days: i64, period: i64| {
        let mut stat = json!({ "Metric": { "Namespace": "AWS/Bedrock", "MetricName": "Invocations", "Dimensions": dimensions }, "Period": period, "Stat": "Sum" });
        if let Some(unit) = unit {
            stat["Unit"] = json!(unit);
        }
        let input = json!({ "MetricDataQueries": [{ "Id": "q", "MetricStat": stat }], "StartTime": now - age_days * 86_400, "EndTime": now });
        let answer = call(&sim, Service::CloudWatch, "GetMetricData", input).unwrap();
        assert_eq!(answer["MetricDataResults"][0]["StatusCode"], "Complete");
        values(&answer).len()
    };
    let model = json!([{ "Name": "ModelId", "Value": TARGET }]);
    assert!(ask(model.clone(), None, 1, 60) > 1_400);
    assert!(ask(json!([]), None, 1, 60) > 1_400);
    assert_eq!(
        ask(
            json!([{ "Name": "ModelId", "Value": TARGET }, { "Name": "Other", "Value": "x" }]),
            None,
            1,
            60
        ),
        0
    );
    assert_eq!(ask(model.clone(), Some("Percent"), 1, 60), 0);
    assert!(ask(model.clone(), Some("Count"), 1, 60) > 0);
    assert_eq!(ask(model.clone(), None, 16, 60), 0);
    assert!(ask(model.clone(), None, 16, 300) > 500);
    assert_eq!(ask(model.clone(), None, 64, 300), 0);
    assert!(ask(model, None, 64, 3_600) > 40);
}

#[test]
fn datapoints_come_in_pages_that_add_up() {
    let sim = minute_world();
    hours(&sim, 10);
    let end = sim.now().as_second();
    let names = ["Invocations", "InputTokenCount", "InvocationLatency"];
    let queries: Vec<Value> = names
        .iter()
        .enumerate()
        .map(|(n, name)| {
            json!({ "Id": format!("q{n}"), "MetricStat": { "Metric": { "Namespace": "AWS/Bedrock", "MetricName": name, "Dimensions": [{ "Name": "ModelId", "Value": TARGET }] }, "Period": 60, "Stat": "Sum" } })
        })
        .collect();
    let ask = |token: Option<&str>, most: Option<i64>| {
        let mut input =
            json!({ "MetricDataQueries": queries, "StartTime": end - 36_000, "EndTime": end });
        if let Some(token) = token {
            input["NextToken"] = json!(token);
        }
        if let Some(most) = most {
            input["MaxDatapoints"] = json!(most);
        }
        call(&sim, Service::CloudWatch, "GetMetricData", input)
    };
    let whole = ask(None, None).unwrap();
    assert!(whole.get("NextToken").is_none());
    let mut merged = vec![Vec::new(); 3];
    let (mut token, mut pages, mut partial) = (None::<String>, 0, 0);
    loop {
        let answer = ask(token.as_deref(), Some(500)).unwrap();
        for result in answer["MetricDataResults"].as_array().unwrap() {
            let slot: usize = result["Id"].as_str().unwrap()[1..].parse().unwrap();
            merged[slot].extend(result["Values"].as_array().unwrap().clone());
            partial += usize::from(result["StatusCode"] == "PartialData");
        }
        pages += 1;
        match answer.get("NextToken").and_then(Value::as_str) {
            Some(next) => token = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!((pages, partial), (4, 3));
    for (slot, values) in merged.iter().enumerate() {
        assert_eq!(
            values,
            whole["MetricDataResults"][slot]["Values"]
                .as_array()
                .unwrap()
        );
    }
    assert_eq!(
        ask(Some("nonsense"), None).unwrap_err().code,
        "InvalidNextToken"
    );
}
