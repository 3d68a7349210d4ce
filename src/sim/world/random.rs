//! Worlds by seed, for tests: written as a world file and read by the parser, so that they are sound as files are.

use super::{World, WorldFaults};
use crate::{model::ids::QuotaCode, sim::quota_table};

/// Account, and the second one of some worlds.
const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];

/// A pool that a random world may have.
struct Kind {
    target: &'static str,
    trace: &'static str,
    burndown: f64,
    tpm: &'static str,
    rpm: Option<&'static str>,
}

const KINDS: [Kind; 5] = [
    Kind {
        target: "us.anthropic.claude-sonnet-4-6",
        trace: "steady",
        burndown: 5.0,
        tpm: "L-15B8E632",
        rpm: Some("L-00FF3314"),
    },
    Kind {
        target: "global.anthropic.claude-haiku-4-5-20251001-v1:0",
        trace: "mixed",
        burndown: 5.0,
        tpm: "L-9A11C666",
        rpm: Some("L-E5084BBA"),
    },
    Kind {
        target: "us.anthropic.claude-opus-4-7",
        trace: "agents",
        burndown: 5.0,
        tpm: "L-5DB28B7B",
        rpm: None,
    },
    Kind {
        target: "amazon.nova-pro-v1:0",
        trace: "batch",
        burndown: 1.0,
        tpm: "L-CE33604C",
        rpm: Some("L-F2717A44"),
    },
    Kind {
        target: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        trace: "chat",
        burndown: 5.0,
        tpm: "L-F4DDD3EB",
        rpm: Some("L-4A6BFAB1"),
    },
];

const CATALOG: &str = r#"
[[model]]
id = "anthropic.claude-sonnet-4-6"
label = "Anthropic Claude Sonnet 4.6"
burndown = 5
[[model]]
id = "anthropic.claude-haiku-4-5-20251001-v1:0"
label = "Anthropic Claude Haiku 4.5"
burndown = 5
[[model]]
id = "anthropic.claude-opus-4-7"
label = "Anthropic Claude Opus 4.7"
burndown = 5
[[model]]
id = "anthropic.claude-sonnet-4-5-20250929-v1:0"
label = "Anthropic Claude Sonnet 4.5 V1"
burndown = 5
[[model]]
id = "amazon.nova-pro-v1:0"
label = "Amazon Nova Pro"
[[profile]]
id = "us.anthropic.claude-sonnet-4-6"
model = "anthropic.claude-sonnet-4-6"
destinations = ["us-east-1", "us-east-2", "us-west-2"]
[[profile]]
id = "us.anthropic.claude-opus-4-7"
model = "anthropic.claude-opus-4-7"
destinations = ["us-east-1", "us-east-2", "us-west-2"]
[[profile]]
id = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
model = "anthropic.claude-sonnet-4-5-20250929-v1:0"
destinations = ["us-east-1", "us-east-2", "us-west-2"]
[[profile]]
id = "global.anthropic.claude-haiku-4-5-20251001-v1:0"
model = "anthropic.claude-haiku-4-5-20251001-v1:0"
"#;

/// Writes and reads the world of a seed.
pub(super) fn world(seed: u64) -> Result<World, WorldFaults> {
    let mut draws = fastrand::Rng::with_seed(seed ^ 0x0057_0A1D);
    let accounts = if draws.bool() { 2 } else { 1 };
    let mut text = format!(
        "start = \"2026-11-{:02}T00:00:00Z\"\nseed = {seed}\nlength = \"30h\"\nhistory = \"1d\"\nretry_share = {:.2}\n",
        2 + seed % 7,
        draws.f64() * 0.7,
    );
    let mut write = |part: String| text.push_str(&part);
    for (index, id) in ACCOUNTS.iter().take(accounts).enumerate() {
        let plan = index == 0 || draws.bool();
        write(format!(
            "[[account]]\nid = \"{id}\"\nname = \"account {index}\"\nsupport_plan = {plan}\nregions = [\"us-east-1\"]\ntopics = [\"bedrock-alerts\"]\n"
        ));
    }
    write(CATALOG.to_owned());
    let mut kinds: Vec<&Kind> = KINDS.iter().collect();
    draws.shuffle(&mut kinds);
    let pools = draws.usize(3..=4);
    // In each world one pool outgrows a quota that can be raised: a world without a grant proves little.
    let raisable = |kind: &Kind| {
        let row = quota_table::rows().get(&QuotaCode::new(kind.tpm));
        row.is_some_and(|row| row.is_adjustable)
    };
    let chosen: Vec<usize> = (0..pools)
        .filter(|index| kinds.get(*index).is_some_and(|kind| raisable(kind)))
        .collect();
    let short = draws.choice(chosen);
    for (index, kind) in kinds.into_iter().take(pools).enumerate() {
        let account = ACCOUNTS
            .get(draws.usize(..accounts))
            .copied()
            .unwrap_or_default();
        write(pool(&mut draws, kind, account, index, short == Some(index)));
    }
    World::parse(&text)
}

/// One pool: its target or targets, its quotas, and what befalls it.
fn pool(
    draws: &mut fastrand::Rng,
    kind: &Kind,
    account: &str,
    index: usize,
    is_short: bool,
) -> String {
    let mut text = String::new();
    let place = format!("account = \"{account}\"\nregion = \"us-east-1\"\n");
    let requests = 15.0 + draws.f64() * 60.0;
    let (input, output) = (300.0 + draws.f64() * 1_500.0, 50.0 + draws.f64() * 250.0);
    let charged = requests * (input + output * kind.burndown);
    let room = if is_short { 2.5 } else { 7.0 };
    let is_split = kind.target.contains(".anthropic") && draws.bool();
    let mut ids = vec![(kind.target.to_owned(), if is_split { 0.4 } else { 1.0 })];
    if is_split {
        let id = format!("app{index}x{:07}", draws.u32(..10_000_000));
        text.push_str(&format!("[[application_profile]]\nid = \"{id}\"\nname = \"team-{index}\"\ncopied_from = \"{}\"\n{place}", kind.target));
        ids.push((id, 0.6));
    }
    let story = story(draws, is_short);
    for (id, share) in ids {
        text.push_str(
            &format!(
                "[[target]]\nid = \"{id}\"\n{place}trace = \"{}\"\nevened = true\nshift = \"{}h\"\nrequests_per_minute = {:.2}\ninput_tokens = {input:.0}\noutput_tokens = {output:.0}\n{story}",
                kind.trace,
                draws.usize(..24),
                requests * share,
            ),
        );
    }
    let mut quota = |code: &str, value: f64| {
        text.push_str(&format!(
            "[[quota]]\ncode = \"{code}\"\n{place}applied = {value:.0}\ndefault = {value:.0}\n"
        ));
    };
    quota(kind.tpm, charged * room);
    if let Some(rpm) = kind.rpm {
        let is_tight = is_short && draws.f64() < 0.25;
        quota(rpm, requests * if is_tight { 2.2 } else { 40.0 });
    }
    text
}

/// What befalls a pool besides its traces: growth beyond the quota, a harmless burst, errors.
fn story(draws: &mut fastrand::Rng, is_short: bool) -> String {
    let mut text = String::new();
    if is_short {
        let from = draws.usize(3..10);
        let until = from + draws.usize(2..8);
        let factor = 3.5 + draws.f64() * 2.0;
        text.push_str(&format!(
            "ramps = [{{ from = \"{from}h\", until = \"{until}h\", factor = {factor:.2} }}]\n"
        ));
    } else if draws.bool() {
        let from = draws.usize(2..22);
        text.push_str(&format!(
            "bursts = [{{ from = \"{from}h\", until = \"{from}h 40m\", factor = 1.7 }}]\n"
        ));
    }
    if draws.f64() < 0.4 {
        let from = draws.usize(2..20);
        let long = draws.usize(20..70);
        let share = 0.2 + draws.f64() * 0.4;
        let kind = if draws.bool() {
            "server_errors"
        } else {
            "client_errors"
        };
        text.push_str(&format!("{kind} = [{{ from = \"{from}h\", until = \"{from}h {long}m\", factor = {share:.2} }}]\n"));
    }
    text
}
