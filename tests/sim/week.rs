//! A week in which nobody can be told: what waits stays bounded, and whoever is back hears what still matters, first and in
//! few messages.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop"
)]

use std::{fmt::Write as _, sync::Arc};

use bedrock_ops_alert::{
    model::{
        action::{Effect, Intent, IntentState},
        ids::IncidentId,
        policy::{self, Mode},
    },
    runtime::heartbeat::Heartbeat,
    sim::{self, Faults, Sim, World},
};

use crate::support::Stage;

const DAYS: i64 = 7;
/// Minutes between two cycles: a week of single minutes would take minutes of real time.
const APART: i64 = 5;
/// A model fails for half an hour each day, another one twice, and one from the last day on until long after.
const MODELS: [(&str, &str); 3] = [
    ("amazon.nova-lite-v1:0", "Amazon Nova Lite"),
    ("amazon.nova-pro-v1:0", "Amazon Nova Pro"),
    ("anthropic.claude-sonnet-4-6", "Anthropic Claude Sonnet 4.6"),
];

fn world() -> String {
    let mut text = r#"
start = "2026-11-02T00:00:00Z"
seed = 5
length = "10d"
history = "1d"
[[account]]
id = "111122223333"
name = "production"
regions = ["us-east-1"]
topics = ["bedrock-alerts"]
"#
    .to_owned();
    for (number, (id, label)) in MODELS.iter().enumerate() {
        let mut errors = Vec::new();
        for hour in 0..24 * DAYS {
            let fails = match number {
                0 => hour % 24 == 3,
                1 => hour % 12 == 6,
                _ => false,
            };
            if fails {
                let from = 60 * hour;
                errors.push(format!(
                    "{{ from = \"{from}m\", until = \"{}m\", factor = 0.5 }}",
                    from + 30
                ));
            }
        }
        if number == 2 {
            errors.push(format!(
                "{{ from = \"{}m\", until = \"{}m\", factor = 0.5 }}",
                6 * 1_440,
                9 * 1_440
            ));
        }
        write!(
            text,
            r#"
[[model]]
id = "{id}"
label = "{label}"
[[target]]
account = "111122223333"
region = "us-east-1"
id = "{id}"
trace = "steady"
evened = true
requests_per_minute = 60
input_tokens = 100
output_tokens = 20
server_errors = [{}]
"#,
            errors.join(", ")
        )
        .unwrap();
    }
    text
}

fn waits(intent: &&Intent) -> bool {
    matches!(intent.effect, Effect::Notify { .. }) && !intent.state.is_final()
}

#[tokio::test]
async fn after_a_week_in_which_nobody_could_be_told_people_hear_what_still_matters() {
    let sim = Sim::new(World::parse(&world()).unwrap(), 5);
    let faults = Arc::new(Faults::none());
    let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::clone(&faults));
    let mut stage = Stage::over(5, Mode::Observe, sim, cloud, faults);
    stage.heal();
    stage.run_cycles(6, APART).await;
    stage.deafen(true);
    stage.run_cycles(DAYS * 1_440 / APART, APART).await;
    let open: Vec<IncidentId> = {
        let book = stage.shared().book();
        let waiting = book.intents.values().filter(waits).count();
        let late = book.incidents.len() + 2; // those of the last hour are still there each
        assert!(20 < book.incidents.len(), "{}", book.incidents.len());
        assert!(
            waiting <= late,
            "{waiting} of {} incidents",
            book.incidents.len()
        );
        let is_held = |it: &&Intent| matches!(it.state, IntentState::Held { .. });
        assert_eq!(book.intents.values().filter(is_held).count(), 0);
        let open = book.incidents.values().filter(|it| it.is_open());
        open.map(|it| it.id.clone()).collect()
    };
    assert_eq!(open.len(), 1);
    let heartbeat = Heartbeat::of(&policy::Heartbeat {
        url: None,
        has_metrics: true,
    });
    heartbeat.beat(stage.shared(), stage.now).await;
    assert_eq!(stage.shared().health().heartbeats.withheld, 1);

    stage.deafen(false);
    stage.run_cycles(4, APART).await;
    let told = crate::silences::published_by(&stage.state());
    assert!(told.len() <= 3, "{told:#?}");
    let all = told.join("\n");
    let book = stage.shared().book();
    for id in book.incidents.keys() {
        let times = all.lines().filter(|it| {
            it.ends_with(&format!("({id})")) || it.starts_with(&format!("Incident {id}"))
        });
        assert_eq!(times.count(), 1, "{id}: {all}");
    }
    let alarms: Vec<_> = all
        .lines()
        .filter(|it| it.starts_with("[critical]"))
        .collect();
    assert!(
        alarms
            .iter()
            .all(|it| open.iter().any(|id| it.contains(id.as_str()))),
        "{alarms:#?}"
    );
    assert_eq!(book.intents.values().filter(waits).count(), 0);
    insta::assert_snapshot!("week", told.last().unwrap());
}
