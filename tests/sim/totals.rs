//! What the daemon knows of every pool and minute, held against what really happened there.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that meets the unexpected should stop, and tells its figures"
)]

use std::sync::Arc;

use bedrock_ops_alert::{
    config,
    model::{
        catalog::PoolId,
        history::StretchKey,
        ids::TargetId,
        series::{Depth, PoolSeries, SETTLE_MINUTES, Sample, Signal},
        time::{DAY, Minute, after},
    },
    runtime::{cycle::Cycle, shared::Shared},
    sim::{
        self, Faults, Happened, Sim, TargetMinute,
        world::{FaultRates, Pool},
    },
    store::{Ledger as _, MemoryLedger},
};

use crate::organisation::{
    LEAVER, NEWCOMER, Size, config, crowded_pool, crowded_scope, organisation,
};

/// What each run of the tests covers.
const SMALL: Size = Size {
    accounts: 2,
    regions: 2,
    models: 5,
    crowd: 60,
    copies: 3,
    start_hour: 0,
    hours: 72,
    late_share: 0.1,
    seed: 11,
};
/// What runs once a release.
const LARGE: Size = Size {
    accounts: 3,
    regions: 4,
    models: 20,
    crowd: 1_000,
    copies: 5,
    start_hour: 0,
    hours: 72,
    late_share: 0.1,
    seed: 12,
};

/// Faults at which a read of many pages still ends well now and then: the SDK has tried three times before.
const RATES: FaultRates = FaultRates {
    throttled: 0.002,
    server_before: 0.002,
    server_after: 0.002,
    lost_after: 0.002,
    connect: 0.002,
    garbled: 0.002,
    partial_page: 0.03,
    repeated_page: 0.03,
    hang: 0.0,
    truncate: 0.0,
};

/// Minutes after which CloudWatch lists a new target, and the daemon looks again.
const LISTED_AFTER: i64 = 15;
const LOOKED_EVERY: i64 = 15;
/// Minutes after which a look that failed midway is made again; of one over a thousand profiles every third fails here.
const LOOKED_AGAIN: i64 = 5;
/// Minutes without faults at the end, in which what is behind catches up.
const HEALED: i64 = 40;

/// A sum of what really happened.
type Sum = fn(&TargetMinute) -> f64;

/// The sums that must agree to the last token.
const SIGNALS: [(Signal, Sum); 9] = [
    (Signal::Invocations, |it| it.invocations),
    (Signal::Throttles, |it| it.throttles),
    (Signal::ClientErrors, |it| it.client_errors),
    (Signal::ServerErrors, |it| it.server_errors),
    (Signal::InputTokens, |it| it.input),
    (Signal::OutputTokens, |it| it.output),
    (Signal::ChargedTokens, |it| it.charged),
    (Signal::CacheWriteTokens, |it| it.cache_write),
    (Signal::CacheReadTokens, |it| it.cache_read),
];

struct Stage {
    sim: Arc<Sim>,
    faults: Arc<Faults>,
    cycle: Cycle,
    shared: Arc<Shared>,
}

/// What was compared.
#[derive(Debug, Default)]
struct Covered {
    values: u64,
    throttled: u64,
    /// Minutes in which nothing at all happened in the account and Region: nothing proves the zero.
    silent: u64,
    /// Minutes before the days that a pool's first read reads, which its history does not hold yet.
    before: u64,
    wrong: Vec<String>,
}

impl Stage {
    fn new(size: Size) -> Self {
        let sim = Sim::new(organisation(size), size.seed);
        let faults = Arc::new(Faults::new(RATES, size.seed));
        let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::clone(&faults));
        let text = config(sim.world());
        let settings = config::parse(&text, "accounts.toml", &config::Overrides::default());
        let ledger = MemoryLedger::new();
        let (shared, _orders) = Shared::new(settings.unwrap(), true, ledger.load().unwrap());
        let shared = Arc::new(shared);
        let cycle = Cycle::new(cloud, Arc::new(ledger), Arc::clone(&shared));
        Self {
            sim,
            faults,
            cycle,
            shared,
        }
    }

    async fn run_to(&mut self, minutes: i64) {
        let now = after(self.sim.world().start, minutes);
        while self.sim.now() < now {
            self.step(1).await;
        }
    }

    async fn step(&mut self, minutes: i64) {
        let now = after(self.sim.now(), minutes);
        self.sim.advance_to(now);
        self.cycle.run(now).await.unwrap();
    }

    fn knows(&self, target: &str) -> bool {
        let key = (crowded_scope(), TargetId::new(target));
        self.shared.book().targets.contains_key(&key)
    }

    /// Compares every minute that was read after it was settled.
    fn compare(&self) -> Covered {
        let mut covered = Covered::default();
        for pool in &self.sim.world().pools {
            self.compare_pool(pool, &mut covered);
        }
        covered
    }

    /// What memory holds of a pool, and under it the days that have moved to the history.
    fn with_older_days(&self, pool: &PoolId, recent: &PoolSeries) -> PoolSeries {
        let mut all = recent.clone();
        for (resolution, number) in self.shared.history.held(pool) {
            let pool = pool.clone();
            let key = StretchKey {
                pool,
                resolution,
                number,
            };
            let stretch = self.shared.history.stretch(&key).unwrap().unwrap();
            for (signal, hour, block) in stretch.hours() {
                if !all.holds(signal, hour) {
                    all.restore(signal, hour, block);
                }
            }
        }
        all
    }

    fn compare_pool(&self, pool: &Pool, covered: &mut Covered) {
        let book = self.shared.book();
        let first = self.sim.world().first_minute();
        let truth = self.sim.pool_minutes(&pool.id).unwrap();
        let Some(recent) = book.series.get(&pool.id) else {
            return; // reshaped, and to be read anew
        };
        let all = self.with_older_days(&pool.id, recent);
        // A pool is read anew with each new target, from the midnight two days ago; what was before is for the back-fill,
        // which waits for money.
        let targets = book.targets.values().filter(|it| it.pool == pool.id);
        let newest = targets.map(|it| Minute::of(it.first_seen)).max();
        let read_from = newest.map_or(first, |it| Minute((it.0.div_euclid(DAY) - 2) * DAY));
        for (signal, of) in SIGNALS {
            // Where CloudWatch's own figure is missing, only the counts of a full read tell the charge.
            let own = signal.depth(pool.id.family).unwrap();
            let is_charge = signal == Signal::ChargedTokens;
            let depth = if is_charge { Depth::Full } else { own };
            let Some(known_until) = book.known_until(&pool.id, depth) else {
                continue; // reshaped, and to be read anew
            };
            let settled = first.until(known_until.plus(-SETTLE_MINUTES));
            for (minute, row) in settled.zip(&truth) {
                let really = of(row);
                if minute < read_from && !all.holds(signal, minute.hour()) {
                    covered.before += 1;
                    continue;
                }
                match all.get(signal, minute) {
                    Sample::Value(known) if known.to_bits() == really.to_bits() => {
                        covered.values += 1;
                        covered.throttled += u64::from(signal == Signal::Throttles && 0.0 < known);
                    }
                    Sample::NoData if really == 0.0 => covered.silent += 1,
                    sample @ (Sample::Value(_) | Sample::NoData | Sample::Unobserved) => {
                        covered.wrong.push(format!(
                            "{} {} at {minute}: {sample:?}, really {really}",
                            pool.id,
                            signal.name()
                        ))
                    }
                }
            }
        }
    }
}

fn agree(covered: &Covered, when: &str) {
    let first: Vec<&String> = covered.wrong.iter().take(10).collect();
    assert!(
        covered.wrong.is_empty(),
        "{when}: {} sums of {} differ, such as {first:#?}",
        covered.wrong.len(),
        covered.values
    );
}

async fn tell(size: Size) -> Stage {
    let mut stage = Stage::new(size);
    let end = size.hours * 60;
    stage.run_to(size.departure()).await;
    assert!(stage.knows(LEAVER) && !stage.knows(NEWCOMER));
    agree(&stage.compare(), "under faults");
    stage
        .run_to(size.arrival() + LISTED_AFTER + LOOKED_EVERY + 2 * LOOKED_AGAIN + 1)
        .await;
    assert!(
        stage.knows(NEWCOMER),
        "found within a look of its listing, or the second one after it"
    );
    stage.run_to(end - HEALED).await;
    agree(&stage.compare(), "under faults");
    stage.faults.heal();
    stage.run_to(end).await;
    let covered = stage.compare();
    agree(&covered, "at the end");
    let world = stage.sim.world();
    let book = stage.shared.book();
    assert_eq!(book.targets.len(), world.targets.len());
    let pools = world.pools.len();
    let until = Minute::of(stage.sim.now());
    // Idle pools every quarter of an hour; less often where the month's budget asks for it, and each hour at least.
    let stretch = stage.shared.health().stretch.max(1.0);
    let slowest = (1..=60).rev().find(|it| f64::from(*it) <= 15.0 * stretch);
    let slowest = i64::from(slowest.unwrap());
    for pool in &world.pools {
        let read = book.read_through[&pool.id];
        let behind = until.since(read);
        assert!(
            behind <= slowest,
            "{} is read up to {read}, {behind} minutes ago, at a stretch of {stretch:.1}",
            pool.id
        );
    }
    let happened: Vec<_> = [
        Happened::PartialPage,
        Happened::RepeatedPage,
        Happened::InternalError,
        Happened::LostAfter,
    ]
    .map(|kind| stage.faults.count(kind, "cloudwatch:GetMetricData"))
    .into();
    assert!(happened.iter().all(|count| 0 < *count), "{happened:?}");
    assert!(0 < covered.throttled);
    println!(
        "{} targets in {pools} pools, {} in one of them, {} hours, {:.0} % of minutes late, [short, repeated, failed, lost] pages {happened:?}: {} sums are the world's own, {} of throttled minutes; {} without evidence, {} of before the first read",
        world.targets.len(),
        book.targets
            .values()
            .filter(|target| target.pool == crowded_pool())
            .count(),
        size.hours,
        size.late_share * 100.0,
        covered.values,
        covered.throttled,
        covered.silent,
        covered.before,
    );
    drop(book);
    stage
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn every_settled_minute_of_every_pool_is_the_worlds_own() {
    runtime().block_on(async {
        let mut stage = tell(SMALL).await;
        // Two weeks after its last call CloudWatch lists the leaver no more.
        stage.step(14 * DAY).await;
        let book = stage.shared.book();
        let catalog = &book.catalogs[&crowded_scope()];
        let vanished: Vec<&str> = catalog.vanished.keys().map(TargetId::as_str).collect();
        assert_eq!(vanished, [LEAVER], "shown as vanished, and nothing else");
        assert!(
            book.targets
                .contains_key(&(crowded_scope(), TargetId::new(LEAVER)))
        );
    });
}

/// Three accounts, four Regions, twenty models, and a pool of a thousand application profiles.
#[test]
fn every_settled_minute_of_a_large_organisation_is_its_own() {
    if std::env::var("BOA_TEST_LONG").is_ok_and(|long| long == "1") {
        runtime().block_on(tell(LARGE));
    } else {
        println!("not run: it takes minutes, and is part of `./test-all --long`");
    }
}
