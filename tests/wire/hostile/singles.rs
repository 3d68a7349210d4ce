//! The same of the call that asks for one series: what is no answer, or no count, is never a number.

use super::*;

/// One datapoint, with every statistic that a series of ours may ask for.
fn datapoint(ago: i64, value: f64) -> Value {
    let seconds = minute(ago).start().as_second();
    let time = Value::Tag(1, Box::new(Value::Integer(seconds.into())));
    cbor!({ "Timestamp" => time, "Sum" => value, "Average" => value, "Unit" => "Count" }).unwrap()
}

fn answer(points: Vec<Value>) -> Value {
    cbor!({ "Label" => "Invocations", "Datapoints" => Value::Array(points) }).unwrap()
}

/// What is made of it when each series is asked for by itself.
async fn read_singly(answer: Value) -> (Option<Reading>, Vec<String>) {
    let url = data_server(vec![answer]);
    let port = cloud(&url, &[ACCOUNT]).await;
    let pools = [(pool(), Depth::Quick)];
    let mut free = 1_000;
    let mut got = collect::read(&port, &scope(ACCOUNT), &pools, &book(), &mut free, now()).await;
    let codes = got.faults.iter().map(|fault| fault.code.clone()).collect();
    let reading = got.found.pop().map(|read| read.reading);
    (reading, codes)
}

#[tokio::test]
async fn a_single_series_is_as_suspicious_of_numbers() {
    for value in [f64::NAN, f64::INFINITY, -1.0, 9_007_199_254_740_994.0] {
        let points = [(7, 3.0), (9, 4.0), (8, value)];
        let points = points.map(|(ago, value)| datapoint(ago, value));
        let (reading, codes) = read_singly(answer(points.to_vec())).await;
        let reading = reading.unwrap();
        let known = [9, 8, 7].map(|ago| invocations(&reading, ago));
        let expected = [Sample::Value(4.0), Sample::Unobserved, Sample::Value(3.0)];
        assert_eq!(known, expected, "{value}");
        assert!(
            codes.contains(&"NotACount".to_owned()),
            "{value}: {codes:?}"
        );
    }
}

#[tokio::test]
async fn a_single_series_that_lacks_its_parts_proves_no_zero() {
    let bare = |seconds: bool| {
        let time = Value::Integer(minute(9).start().as_second().into());
        let time = Value::Tag(1, Box::new(time));
        if seconds {
            cbor!({ "Timestamp" => time }).unwrap()
        } else {
            cbor!({ "Sum" => 4.0, "Average" => 4.0 }).unwrap()
        }
    };
    for (what, body) in [
        ("an object without anything", Value::Map(Vec::new())),
        ("a datapoint without its number", answer(vec![bare(true)])),
        ("a datapoint without its time", answer(vec![bare(false)])),
    ] {
        let (reading, codes) = read_singly(body).await;
        assert!(
            codes.contains(&"IncompleteAnswer".to_owned()),
            "{what}: {codes:?}"
        );
        let known = reading.map(|it| invocations(&it, 8));
        assert!(
            !matches!(known, Some(Sample::Value(_))),
            "{what}: no zero without proof"
        );
    }
}

#[tokio::test]
async fn a_label_without_datapoints_is_an_answer() {
    let empty = cbor!({ "Label" => "Invocations" }).unwrap();
    let (reading, codes) = read_singly(empty).await;
    assert_eq!(codes, Vec::<String>::new());
    // Nobody's metrics flow, as far as this shows: silence is not yet a zero.
    let known = invocations(&reading.unwrap(), 8);
    assert!(!matches!(known, Sample::Value(_)), "{known:?}");
}

#[tokio::test]
async fn datapoints_of_other_minutes_are_told_and_left_out() {
    let (reading, codes) = read_singly(answer(vec![datapoint(9, 4.0), datapoint(90, 7.0)])).await;
    assert!(codes.contains(&"NotAsked".to_owned()), "{codes:?}");
    let reading = reading.unwrap();
    assert_eq!(invocations(&reading, 9), Sample::Value(4.0));
    let all = reading.signals.values().flatten();
    assert!(all.into_iter().all(|it| *it != Sample::Value(7.0)));
}
