//! Nothing here looks ahead, and nothing looks at labels.

use std::{fs, io::Write as _, path::PathBuf};

use bedrock_ops_alert::model::time::{DAY, Minute};
use flate2::{Compression, write::GzEncoder};

use crate::{
    feed::{Judged, feed},
    lines::{Alert, Forecast},
    scenario::{Era, Row, Scenario, Task},
};

/// Growing traffic with a daily rhythm, a gap, a burst and quotas that are lowered.
fn world(minutes: i64) -> (Scenario, Vec<Row>) {
    let scenario = Scenario {
        name: "S000".to_owned(),
        minutes,
        start: Minute(20_000 * DAY),
        burndown: 5.0,
        quotas: vec![
            Era {
                from_minute: 0,
                rpm: 500.0,
                tpm: 400_000.0,
            },
            Era {
                from_minute: 5 * DAY + 900,
                rpm: 190.0,
                tpm: 150_000.0,
            },
        ],
    };
    let rows = (0..minutes)
        .filter(|minute| !(4_000..4_020).contains(minute))
        .map(row)
        .collect();
    (scenario, rows)
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn row(minute: i64) -> Row {
    let day = minute as f64 / DAY as f64;
    let wobble = ((minute * 7_919) % 101) as f64 / 100.0 - 0.5;
    let burst = if (9_400..9_440).contains(&minute) {
        2.0
    } else {
        1.0
    };
    let wanted = (1.0 + 0.04 * day)
        * burst
        * (150.0 + 60.0 * (day * std::f64::consts::TAU).sin() + 30.0 * wobble);
    let limit = if minute < 5 * DAY + 900 { 500.0 } else { 190.0 };
    let through = wanted.min(limit).round();
    Row {
        minute,
        invocations: through,
        input_tokens: 300.0 * through,
        output_tokens: 60.0 * through,
        estimated_tpm: 600.0 * through,
        throttles: (wanted - through).max(0.0).round(),
        client_errors: 0.0,
        server_errors: if (6_000..6_030).contains(&minute) {
            40.0
        } else {
            0.0
        },
        latency_ms_avg: Some(1_000.0 + 100.0 * wobble),
        latency_ms_p90: Some(1_500.0),
    }
}

fn task(name: &str, origin: i64, step: i64, steps: usize) -> Task {
    Task {
        task: name.to_owned(),
        scenario: "S000".to_owned(),
        metric: "estimated_tpm".to_owned(),
        origin,
        step,
        steps,
    }
}

fn judged(scenario: &Scenario, rows: &[Row]) -> Judged {
    let tasks = [
        task("1h", 3 * DAY + 60, 5, 12),
        task("24h", 4 * DAY, 15, 96),
        task("7d", 6 * DAY, 60, 168),
    ];
    feed(scenario, rows, &tasks.iter().collect::<Vec<_>>()).unwrap()
}

#[test]
fn truncating_the_future_changes_no_earlier_line() {
    let (scenario, rows) = world(8 * DAY);
    let whole = judged(&scenario, &rows);
    assert!(10 <= whole.alerts.len(), "{:?}", whole.alerts);
    assert!(whole.alerts.iter().any(|it| it.kind == "quota_forecast"));
    assert_eq!(whole.forecasts.len(), 3);
    for end in [3 * DAY + 61, 5 * DAY + 900, 9_420] {
        let cut = Scenario {
            minutes: end,
            quotas: scenario
                .quotas
                .iter()
                .copied()
                .filter(|era| era.from_minute < end)
                .collect(),
            ..scenario.clone()
        };
        let short: Vec<Row> = rows
            .iter()
            .copied()
            .filter(|row| row.minute < end)
            .collect();
        let part = judged(&cut, &short);
        let earlier: Vec<&Alert> = whole.alerts.iter().filter(|it| it.minute < end).collect();
        assert_eq!(
            part.alerts.iter().collect::<Vec<_>>(),
            earlier,
            "cut at {end}"
        );
        let answered: Vec<&Forecast> = part.forecasts.iter().collect();
        let of_whole: Vec<&Forecast> = whole.forecasts.iter().take(answered.len()).collect();
        assert_eq!(answered, of_whole, "cut at {end}");
    }
}

/// A folder that is gone when the test is over.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn it_runs_where_there_are_no_labels() {
    let name = format!("judge-without-labels-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    fs::create_dir_all(&folder.0).unwrap();
    let scenarios = r#"{"S000": {"minutes": 60, "start": "2026-01-06T00:00:00Z", "burndown": 5,
        "quotas": [{"from_minute": 0, "rpm": 500, "tpm": 400000}]}}"#;
    fs::write(folder.0.join("scenarios.json"), scenarios).unwrap();
    let columns = [
        "minute",
        "invocations",
        "input_tokens",
        "output_tokens",
        "estimated_tpm",
        "throttles",
        "client_errors",
        "server_errors",
        "latency_ms_avg",
        "latency_ms_p90",
    ];
    let mut table = columns.join(",") + "\n";
    for minute in 0..60 {
        let refused = if minute < 30 { 0 } else { 50 };
        table.push_str(&format!(
            "{minute},100,9000,900,13500,{refused},0,0,1000,1500\n"
        ));
    }
    let file = fs::File::create(folder.0.join("S000.csv.gz")).unwrap();
    let mut packed = GzEncoder::new(file, Compression::fast());
    packed.write_all(table.as_bytes()).unwrap();
    packed.finish().unwrap();
    assert!(!folder.0.join("labels.json").exists());
    let judged = crate::judge_all(&folder.0, None).unwrap();
    let out = folder.0.join("out");
    fs::create_dir_all(&out).unwrap();
    crate::write_all(&out, &judged).unwrap();
    let lines = fs::read_to_string(out.join("alerts.jsonl")).unwrap();
    assert!(lines.contains("\"kind\":\"throttle\""), "{lines}");
}
