//! Large organisations, generated: real model ids, labels and profiles, and traffic of every kind that the traces have.
//!
//! Written as a world file and read by the parser, so that they are sound as files are.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use bedrock_ops_alert::{
    model::{
        catalog::{Family, PoolId},
        ids::{AccountId, ModelId, Region, Scope},
    },
    sim::World,
};

/// How large, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) accounts: usize,
    /// At most 4.
    pub(crate) regions: usize,
    pub(crate) models: usize,
    /// Application profiles of the crowded pool; 0 for no such pool.
    pub(crate) crowd: usize,
    /// Application profiles in each account and Region, of anything that can be called there.
    pub(crate) copies: usize,
    /// The hour of the day at which the story starts.
    pub(crate) start_hour: u8,
    /// Hours until the end of the story.
    pub(crate) hours: i64,
    /// The share of minutes that are published late, in part or as a whole.
    pub(crate) late_share: f64,
    pub(crate) seed: u64,
}

const REGIONS: [&str; 4] = ["us-east-1", "us-west-2", "eu-central-1", "ap-northeast-1"];
/// What the crowded pool's profiles are copies of.
const CROWDED: (&str, &str) = (
    "us.anthropic.claude-sonnet-4-6",
    "anthropic.claude-sonnet-4-6",
);
/// The application profile that is first called in the middle of the story, and the one that is last called after its
/// first third; both in the crowded pool.
pub(crate) const NEWCOMER: &str = "newcomer0000";
pub(crate) const LEAVER: &str = "leaver000000";

impl Size {
    /// Minutes from the start to the newcomer's first call.
    pub(crate) const fn arrival(&self) -> i64 {
        self.hours * 60 / 2 + 7
    }

    /// Minutes from the start to the end of the leaver's last call.
    pub(crate) const fn departure(&self) -> i64 {
        self.hours * 60 / 3
    }
}

/// The account and Region of the crowded pool.
pub(crate) fn crowded_scope() -> Scope {
    Scope {
        account: AccountId::new(account(0)),
        region: Region::new(REGIONS[0]),
    }
}

/// The pool that many application profiles drain.
pub(crate) fn crowded_pool() -> PoolId {
    PoolId {
        scope: crowded_scope(),
        family: Family::Geo,
        model: ModelId::new(CROWDED.1),
    }
}

/// The daemon's configuration: the accounts, and nothing else.
pub(crate) fn config(world: &World) -> String {
    let mut text = String::new();
    for account in &world.accounts {
        let id = &account.id;
        writeln!(text, "[[account]]\nid = \"{id}\"\nregions = \"enabled\"").unwrap();
    }
    text
}

/// Generates the organisation.
pub(crate) fn organisation(size: Size) -> World {
    let mut writer = Writer {
        size,
        draws: fastrand::Rng::with_seed(size.seed ^ 0x0126),
        models: models(size),
        text: String::new(),
        applications: 0,
    };
    writer.head();
    writer.catalog();
    for number in 0..size.accounts {
        for region in &REGIONS[..size.regions] {
            writer.region(&account(number), region);
        }
    }
    if 0 < size.crowd {
        writer.crowd();
    }
    World::parse(&writer.text).unwrap()
}

fn account(number: usize) -> String {
    (111_111_111_111 + number).to_string()
}

/// How the names of quotas begin, by family.
const FAMILIES: [(&str, &str); 3] = [
    ("on-demand", "On-demand"),
    ("geo", "Cross-region"),
    ("global", "Global cross-region"),
];
/// How they go on, up to the label.
const TOKENS: &str = " model inference tokens per minute for ";

/// A model, as the corpus of quotas and the list of profiles know it.
#[derive(Clone, Debug, Default)]
struct Known {
    label: String,
    /// `on-demand`, `geo` and `global`, as far as quotas limit it there.
    families: BTreeSet<&'static str>,
    profiles: BTreeMap<String, Profile>,
}

#[derive(Clone, Debug, Default)]
struct Profile {
    sources: Vec<String>,
    destinations: Vec<String>,
}

impl Profile {
    const fn family(id: &str) -> &'static str {
        match id.as_bytes() {
            [b'g', b'l', b'o', b'b', b'a', b'l', b'.', ..] => "global",
            _ => "geo",
        }
    }
}

/// Those that most profiles lead to, from the recorded lists of quotas and profiles.
fn models(size: Size) -> BTreeMap<String, Known> {
    let mut known: BTreeMap<String, Known> = BTreeMap::new();
    for row in rows(include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/quota-corpus.csv"
    ))) {
        let (name, id) = (&row["quota_name"], &row["model_ids"]);
        // The world knows a quota by its name to the letter, and a model by one label.
        let label = FAMILIES.iter().find_map(|(family, words)| {
            let label = name.strip_prefix(words)?;
            Some((*family, label.strip_prefix(TOKENS)?))
        });
        let is_plain = row["context"].is_empty() && !id.is_empty() && !id.contains([' ', ';']);
        if let Some((family, label)) = label.filter(|_| is_plain) {
            let model = known.entry(id.clone()).or_default();
            if model.label.is_empty() || model.label == label {
                label.clone_into(&mut model.label);
                model.families.insert(family);
            }
        }
    }
    for row in rows(include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/aws/inference-profiles.csv"
    ))) {
        let id = &row["profile_id"];
        let model = id
            .split_once('.')
            .and_then(|(_, model)| known.get_mut(model));
        if let Some(model) = model.filter(|it| it.families.contains(Profile::family(id))) {
            let profile = model.profiles.entry(id.clone()).or_default();
            profile.sources.push(row["source_region"].clone());
            let destinations = row["destination_regions"].split(';');
            let destinations = destinations.filter(|it| !it.is_empty());
            // Each source Region has a row of its own; the first that tells the destinations is taken for all.
            if profile.destinations.is_empty() {
                profile.destinations = destinations.map(str::to_owned).collect();
            }
        }
    }
    let mut ranked: Vec<(String, Known)> = known.into_iter().collect();
    ranked.sort_by_key(|(id, it)| {
        (
            id != CROWDED.1,
            usize::MAX - it.families.len() - it.profiles.len(),
            id.clone(),
        )
    });
    ranked.into_iter().take(size.models).collect()
}

fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

struct Writer {
    size: Size,
    draws: fastrand::Rng,
    models: BTreeMap<String, Known>,
    text: String,
    applications: usize,
}

impl Writer {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn head(&mut self) {
        let Size {
            start_hour,
            hours,
            late_share,
            seed,
            ..
        } = self.size;
        self.line(&format!(
            "start = \"2026-11-02T{start_hour:02}:00:00Z\"\nseed = {seed}\nlength = \"{hours}h\"\nhistory = \"1h\"\nretry_share = 0.4\n[publication]\nleast = \"60s\"\nmost = \"120s\"\nlate_share = {late_share}\nlate = \"15m\""
        ));
        for number in 0..self.size.accounts {
            let (id, regions) = (account(number), &REGIONS[..self.size.regions]);
            self.line(&format!(
                "[[account]]\nid = \"{id}\"\nregions = {regions:?}"
            ));
        }
    }

    fn catalog(&mut self) {
        for (id, model) in self.models.clone() {
            let burndown = if id.starts_with("anthropic.") { 5 } else { 1 };
            let label = &model.label;
            self.line(&format!(
                "[[model]]\nid = \"{id}\"\nlabel = \"{label}\"\nburndown = {burndown}"
            ));
            for (
                profile,
                Profile {
                    sources,
                    mut destinations,
                },
            ) in model.profiles
            {
                // Where nobody recorded where a profile leads, it leads to where it starts.
                if destinations.is_empty() {
                    destinations.clone_from(&sources);
                }
                if Profile::family(&profile) == "global" {
                    destinations.clear();
                }
                self.line(&format!(
                    "[[profile]]\nid = \"{profile}\"\nmodel = \"{id}\"\nsources = {sources:?}\ndestinations = {destinations:?}"
                ));
            }
        }
    }

    /// All that can be called in a Region, and a few application profiles.
    fn region(&mut self, account: &str, region: &str) {
        let mut all: Vec<String> = Vec::new();
        for (id, model) in self.models.clone() {
            let is_on_demand = model.families.contains("on-demand");
            let listed = model.profiles.iter();
            let listed =
                listed.filter(|(_, profile)| profile.sources.iter().any(|it| it == region));
            let listed = listed.map(|(id, _)| id.clone());
            let callable: Vec<String> = listed.chain(is_on_demand.then_some(id)).collect();
            for id in &callable {
                let requests = 2.0 + self.draws.f64() * 30.0;
                self.target(account, region, id, requests, "");
            }
            all.extend(callable);
        }
        for _ in 0..self.size.copies {
            let source = all[self.draws.usize(..all.len())].clone();
            self.application(account, region, &source);
        }
    }

    fn application(&mut self, account: &str, region: &str, source: &str) {
        self.applications += 1;
        let id = format!("app{:09}", self.applications);
        let requests = 0.5 + self.draws.f64() * 2.0;
        self.copy(account, region, &id, source);
        self.target(account, region, &id, requests, "");
    }

    fn copy(&mut self, account: &str, region: &str, id: &str, source: &str) {
        self.line(&format!(
            "[[application_profile]]\nid = \"{id}\"\nname = \"team {id}\"\naccount = \"{account}\"\nregion = \"{region}\"\ncopied_from = \"{source}\""
        ));
    }

    /// The crowded pool: near its quota at the height of the day, so that some of its minutes are throttled.
    fn crowd(&mut self) {
        let scope = crowded_scope();
        let (account, region) = (scope.account.to_string(), scope.region.to_string());
        for _ in 0..self.size.crowd {
            self.application(&account, &region, CROWDED.0);
        }
        let (arrival, departure) = (self.size.arrival(), self.size.departure());
        for (id, story) in [
            (NEWCOMER, format!("from = \"{arrival}m\"")),
            (LEAVER, format!("until = \"{departure}m\"")),
        ] {
            self.copy(&account, &region, id, CROWDED.0);
            self.target(&account, &region, id, 20.0, &story);
        }
    }

    fn target(&mut self, account: &str, region: &str, id: &str, requests: f64, story: &str) {
        const TRACES: [&str; 7] = [
            "agents",
            "assistant",
            "batch",
            "chat",
            "documents",
            "mixed",
            "steady",
        ];
        let trace = TRACES[self.draws.usize(..TRACES.len())];
        let shift = self.draws.usize(..24);
        let (input, output) = (
            100.0 + self.draws.f64() * 1_500.0,
            20.0 + self.draws.f64() * 250.0,
        );
        let (reads, writes) = (self.draws.f64(), self.draws.f64() * 0.4);
        let errors = self.draws.f64() * 0.02;
        self.line(&format!(
            "[[target]]\naccount = \"{account}\"\nregion = \"{region}\"\nid = \"{id}\"\ntrace = \"{trace}\"\nevened = true\nshift = \"{shift}h\"\nrequests_per_minute = {requests:.2}\ninput_tokens = {input:.0}\noutput_tokens = {output:.0}\ncache_read_share = {reads:.2}\ncache_write_share = {writes:.2}\nclient_error_share = {errors:.3}\nserver_error_share = {errors:.3}\n{story}"
        ));
        // One in twelve runs into its quota for a while, each day.
        if self.draws.f64() < 1.0 / 12.0 {
            let days = (0..self.size.hours).step_by(24);
            let hour = self.draws.i64(1..20);
            let bursts: Vec<String> = days
                .map(|day| day + hour)
                .map(|from| {
                    format!("{{ from = \"{from}h\", until = \"{from}h 25m\", factor = 60.0 }}")
                })
                .collect();
            self.line(&format!("bursts = [{}]", bursts.join(", ")));
        }
    }
}
