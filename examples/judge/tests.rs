//! Nothing here looks ahead.

use bedrock_ops_alert::model::time::{DAY, Minute};

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
    feed(scenario, rows, &tasks.iter().collect::<Vec<_>>(), true).unwrap()
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
