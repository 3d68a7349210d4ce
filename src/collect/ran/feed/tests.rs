use super::*;
use crate::{cloud::LogAnswer, collect::fake::Fake, model::ids::AccountId};

fn scope() -> Scope {
    Scope {
        account: AccountId::new("111122223333"),
        region: Region::new("eu-west-1"),
    }
}

fn feed(read: impl IntoIterator<Item = Minute>) -> Feed {
    Feed {
        group: "/logs".to_owned(),
        read: read.into_iter().collect(),
    }
}

fn now() -> Timestamp {
    "2026-11-20T12:10:00Z".parse().unwrap()
}

fn row(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    fields.iter().map(own).collect()
}

fn answered(state: LogState, rows: Vec<BTreeMap<String, String>>) -> LogAnswer {
    LogAnswer {
        state,
        rows,
        bytes_scanned: 7,
    }
}

/// All hours that could be asked about, without the last `missing` ones.
fn all_but(missing: i64) -> Vec<Minute> {
    let hours = (0..MOST_HOURS - missing).map(|it| earliest(now()).plus(it * HOUR));
    hours.collect()
}

/// One step at this minute after `now`: what was found, and the codes of what failed.
async fn step(
    cloud: &Fake,
    feed: &Feed,
    asking: &mut Asking,
    minute: i64,
) -> (Option<RanHour>, Vec<String>) {
    let gathered = ask_logs(cloud, &scope(), feed, asking, after(now(), minute)).await;
    let Some(gathered) = gathered else {
        return (None, Vec::new());
    };
    let codes = gathered.faults.into_iter().map(|it| it.code);
    (gathered.found, codes.collect())
}

fn hours_asked(cloud: &Fake) -> Vec<String> {
    let asked = cloud.asked_logs.lock().unwrap();
    asked.iter().map(|(_, it)| it.from.to_string()).collect()
}

#[tokio::test]
async fn an_hour_is_asked_two_hours_after_its_end_and_read_when_it_is_answered() {
    let cloud = Fake::default();
    let rows = vec![
        row(&[
            (
                "modelId",
                "arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/abc",
            ),
            ("inferenceRegion", "eu-north-1"),
            ("records", "10"),
            ("failed", "3"),
            ("tokensIn", "1.25E3"),
            ("tokensOut", "9"),
        ]),
        row(&[("modelId", "m"), ("records", "1"), ("failed", "1")]),
    ];
    cloud.log_answers.lock().unwrap().extend([
        answered(LogState::Running, Vec::new()),
        answered(LogState::Complete, rows),
    ]);
    let (feed, mut asking) = (feed(all_but(1)), Asking::default());
    assert_eq!(step(&cloud, &feed, &mut asking, 0).await, (None, vec![]));
    assert_eq!(hours_asked(&cloud), ["2026-11-20T09:00:00Z"]);
    assert_eq!(step(&cloud, &feed, &mut asking, 1).await, (None, vec![]));
    let (found, faults) = step(&cloud, &feed, &mut asking, 2).await;
    assert!(faults.is_empty(), "{faults:?}");
    let found = found.unwrap();
    assert_eq!(found.hour.start().to_string(), "2026-11-20T09:00:00Z");
    assert_eq!(found.bytes_scanned, 7);
    let away = (TargetId::new("abc"), Some(Region::new("eu-north-1")));
    let count = Count {
        requests: 7,
        failed: 3,
        input: 1_250,
        output: 9,
        ..Count::default()
    };
    assert_eq!(found.ways[&away], count);
    assert_eq!(found.ways[&(TargetId::new("m"), None)].requests, 0);
    assert_eq!(hours_asked(&cloud).len(), 1, "nothing else is due");
}

#[tokio::test]
async fn what_failed_rests_and_keeps_no_other_hour_waiting() {
    for (state, rows, code) in [
        (LogState::Ended("Timeout".to_owned()), vec![], "Timeout"),
        (
            LogState::Complete,
            vec![row(&[("records", "1")])],
            "UnreadableRow",
        ),
        (
            LogState::Complete,
            vec![row(&[("modelId", "m"), ("records", "NaN")])],
            "UnreadableRow",
        ),
        (LogState::Complete, vec![row(&[]); 10_000], "AnswerCut"),
    ] {
        let cloud = Fake::default();
        cloud
            .log_answers
            .lock()
            .unwrap()
            .push_back(answered(state, rows));
        let (feed, mut asking) = (feed(all_but(2)), Asking::default());
        step(&cloud, &feed, &mut asking, 0).await;
        let (found, codes) = step(&cloud, &feed, &mut asking, 1).await;
        assert_eq!((found, codes), (None, vec![code.to_owned()]));
        step(&cloud, &feed, &mut asking, 2).await;
        let hours = ["2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z"];
        assert_eq!(hours_asked(&cloud), hours, "{code}");
    }
}

#[tokio::test]
async fn hours_that_a_pause_missed_are_asked_in_their_order_two_days_back() {
    let cloud = Fake::default();
    let mut asking = Asking::default();
    let mut feed = feed([]);
    for minute in 0..49 {
        let (found, _) = step(&cloud, &feed, &mut asking, minute).await;
        feed.read.extend(found.map(|it| it.hour));
    }
    let hours = hours_asked(&cloud);
    assert_eq!(hours.len(), 48);
    assert_eq!(hours[0], "2026-11-18T10:00:00Z");
    assert_eq!(hours[47], "2026-11-20T09:00:00Z");
    assert!(hours.is_sorted());
}

#[tokio::test]
async fn without_the_group_or_the_right_nothing_is_asked_for_an_hour() {
    for class in [FaultClass::NotFound, FaultClass::Denied] {
        let cloud = Fake::default();
        cloud.fail("logs:StartQuery", 0, class);
        let (feed, mut asking) = (feed(all_but(2)), Asking::default());
        let (_, codes) = step(&cloud, &feed, &mut asking, 0).await;
        assert_eq!(codes.len(), 1);
        assert_eq!(step(&cloud, &feed, &mut asking, 59).await, (None, vec![]));
        assert!(hours_asked(&cloud).is_empty());
        step(&cloud, &feed, &mut asking, 60).await;
        assert_eq!(hours_asked(&cloud).len(), 1, "{class:?}");
    }
}

/// Asked is billed: its answer is fetched again while AWS has it, and an hour that AWS forgot rests.
#[tokio::test]
async fn an_answer_that_can_t_be_fetched_is_not_asked_for_anew_each_minute() {
    for (class, asked) in [
        (FaultClass::Server, 1),
        (FaultClass::Throttled, 1),
        (FaultClass::NotFound, 2),
    ] {
        let cloud = Fake::default();
        cloud.fail("logs:GetQueryResults", 0, class);
        let (feed, mut asking) = (feed(all_but(2)), Asking::default());
        step(&cloud, &feed, &mut asking, 0).await;
        let (found, codes) = step(&cloud, &feed, &mut asking, 1).await;
        assert_eq!((found, codes.len()), (None, 1), "{class:?}");
        let (found, _) = step(&cloud, &feed, &mut asking, 2).await;
        assert_eq!(found.is_some(), asked == 1, "{class:?}");
        let hours = hours_asked(&cloud);
        assert_eq!(hours[0], "2026-11-20T08:00:00Z");
        assert!(!hours[1..].contains(&hours[0]), "{class:?}: {hours:?}");
    }
}

/// An hour of the future would be written down as read, and what is older than it be forgotten.
#[tokio::test]
async fn a_clock_that_was_ahead_leaves_nothing_behind() {
    let cloud = Fake::default();
    let (feed, mut asking) = (feed(all_but(1)), Asking::default());
    let ahead = 10 * 365 * 24 * HOUR;
    step(&cloud, &feed, &mut asking, ahead).await;
    let (found, _) = step(&cloud, &feed, &mut asking, 0).await;
    assert_eq!(found, None);
    assert_eq!(hours_asked(&cloud)[1..], ["2026-11-20T09:00:00Z"]);
    let denied = Fake::default();
    denied.fail("logs:StartQuery", 0, FaultClass::Denied);
    let mut asking = Asking::default();
    step(&denied, &feed, &mut asking, ahead).await;
    step(&denied, &feed, &mut asking, 0).await;
    assert_eq!(hours_asked(&denied).len(), 1, "it rests no ten years");
}

#[test]
fn what_is_no_count_is_not_taken_for_one() {
    for right in ["7", "7.0", "7E0"] {
        assert_eq!(number(right), Some(7), "{right}");
    }
    for wrong in ["", "7.5", "-1", "NaN", "1e300", "seven"] {
        assert_eq!(number(wrong), None, "{wrong}");
    }
    let without = row(&[("modelId", "m"), ("tokensIn", "9")]);
    assert!(way(&without).is_err(), "no count of records");
}
