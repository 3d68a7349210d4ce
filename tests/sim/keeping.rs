//! History over days: what leaves the ledger is kept, a restart forgets nothing and pays for nothing twice, and what was
//! lost is read again.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that meets the unexpected should stop, and tells its figures"
)]

use std::{collections::BTreeMap, sync::Arc};

use bedrock_ops_alert::{
    cloud::Cloud,
    config,
    engine::learned::{Learned, SHAPE},
    model::{
        book::{Book, Key, Record},
        catalog::PoolId,
        history::{Resolution, StretchKey},
        ids::TargetId,
        series::Signal,
        time::{DAY, HOUR, Minute, after},
    },
    runtime::{cycle::Cycle, shared::Shared},
    sim::{self, Faults, Sim, World},
    store::{History, Ledger, MemoryHistory, MemoryLedger, notes},
};

use super::support::{CONFIG, accounts};

/// Minutes from one cycle to the next: quiet days need no more.
const STEP: i64 = 30;

/// A daemon of the demo's world with what survives it.
struct Stage {
    sim: Arc<Sim>,
    cloud: Arc<dyn Cloud>,
    ledger: MemoryLedger,
    history: MemoryHistory,
    cycle: Cycle,
    shared: Arc<Shared>,
}

impl Stage {
    fn new() -> Self {
        let sim = Sim::new(World::built_in("fortnight").unwrap(), 1);
        let faults = Arc::new(Faults::none());
        let cloud = sim::cloud(&sim, sim.world().first_account(), faults);
        let (ledger, history) = (MemoryLedger::new(), MemoryHistory::new());
        let (cycle, shared) = daemon(&sim, &cloud, &ledger, &history);
        Self {
            sim,
            cloud,
            ledger,
            history,
            cycle,
            shared,
        }
    }

    fn restart(&mut self) {
        (self.cycle, self.shared) = daemon(&self.sim, &self.cloud, &self.ledger, &self.history);
    }

    async fn run(&mut self, cycles: i64) {
        for _ in 0..cycles {
            let now = after(self.sim.now(), STEP);
            self.sim.advance_to(now);
            self.cycle.run(now).await.unwrap();
        }
    }

    fn today(&self) -> i64 {
        Resolution::Minute.stretch_of(Minute::of(self.sim.now()))
    }
}

fn daemon(
    sim: &Arc<Sim>,
    cloud: &Arc<dyn Cloud>,
    ledger: &MemoryLedger,
    history: &MemoryHistory,
) -> (Cycle, Arc<Shared>) {
    let mut settings = config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
    settings.accounts = accounts(sim.world());
    let (shared, _orders) = Shared::new(settings, true, ledger.load().unwrap());
    let shared = Arc::new(shared.with_history(Arc::new(history.clone())));
    let cycle = Cycle::new(
        Arc::clone(cloud),
        Arc::new(ledger.clone()),
        Arc::clone(&shared),
    );
    (cycle, shared)
}

impl Stage {
    /// How old the copy of what pools have taught is, in minutes, by the pool that lies furthest back.
    fn age_of_copy(&self) -> i64 {
        let copy = self.history.notes().unwrap().unwrap();
        let rows = notes::open::<Learned>(SHAPE, &copy).unwrap();
        let taught = rows.iter().filter_map(|(_, it)| it.next()).min().unwrap();
        Minute::of(self.sim.now()).since(taught)
    }
}

/// A copy is made each six hours: a service that is killed sooner than that would judge more minutes again at each start.
#[tokio::test]
async fn what_was_learned_is_kept_by_a_service_that_never_lives_for_six_hours() {
    let mut stage = Stage::new();
    for _ in 0..6 {
        stage.run(5 * HOUR / STEP).await;
        stage.restart();
    }
    let age = stage.age_of_copy();
    assert!(age <= 8 * HOUR, "the copy is {age} minutes old");
}

/// The same minutes of the last days, to the bit.
fn assert_same_minutes(one: &Book, other: &Book, (from, until): (Minute, Minute)) {
    assert_eq!(
        one.series.keys().collect::<Vec<_>>(),
        other.series.keys().collect::<Vec<_>>()
    );
    for (pool, series) in &one.series {
        let other = other.series.get(pool).unwrap();
        assert_eq!(series.first_minute(), other.first_minute(), "{pool}");
        for signal in Signal::ALL {
            let ours = series.window(signal, from, until);
            let theirs = other.window(signal, from, until);
            for (minute, (ours, theirs)) in from.until(until).zip(ours.zip(theirs)) {
                assert_eq!(ours, theirs, "{pool} {} {minute}", signal.name());
            }
        }
    }
}

#[tokio::test]
async fn days_leave_the_ledger_and_a_restart_forgets_nothing_and_pays_nothing_twice() {
    let (mut calm, mut shaken) = (Stage::new(), Stage::new());
    let cycles = 5 * DAY / STEP;
    calm.run(cycles).await;
    for _ in 0..cycles / 10 {
        shaken.run(10).await;
        shaken.restart();
    }
    // Until both have read every signal beyond midnight: which minutes stay follows from that.
    shaken.run(5).await;
    calm.run(5).await;
    let until = Minute::of(calm.sim.now());
    let range = (until.plus(-14 * DAY), until);
    assert_same_minutes(&calm.shared.book(), &shaken.shared.book(), range);
    let today = calm.today();
    for stage in [&calm, &shaken] {
        for (pool, series) in &stage.ledger.load().unwrap().series {
            let first = Resolution::Minute.stretch_of(series.first_minute().unwrap());
            assert!(
                today - 3 <= first,
                "the ledger holds day {first} of {pool}, today is {today}"
            );
        }
    }
    // Series are read by either call; which of them are free depends on what a restart forgets.
    let read = |stage: &Stage| {
        let calls = stage.cloud.calls();
        let single = calls
            .by_operation()
            .get("cloudwatch:GetMetricStatistics")
            .copied();
        calls.metrics() + single.unwrap_or(0)
    };
    let (once, again) = (read(&calm), read(&shaken));
    println!(
        "{once} series read undisturbed, {again} with {} restarts",
        cycles / 10
    );
    assert!(
        again <= once + once / 50,
        "{again} series instead of {once}"
    );
    let pools = calm.history.pools().len();
    let bytes = calm.history.audit().unwrap().bytes;
    println!("{pools} pools, {bytes} bytes of history");

    // A lost day is read again, by whoever starts next.
    let pool = shaken.history.pools().remove(0);
    let lost = StretchKey {
        pool,
        resolution: Resolution::Minute,
        number: today - 6,
    };
    let before = shaken.history.stretch(&lost).unwrap().unwrap();
    shaken.history.forget(std::slice::from_ref(&lost)).unwrap();
    shaken.restart();
    shaken.run(2).await;
    let after = shaken.history.stretch(&lost).unwrap();
    assert_eq!(after, Some(before), "what CloudWatch still has is the same");
}

/// As if one of a pool's targets had not been listed while its history was filled: what lacks it is read again.
#[tokio::test]
async fn what_was_filled_without_a_target_that_is_listed_late_is_read_again() {
    let mut stage = Stage::new();
    stage.run(20).await;
    let number = stage.today() - 6;
    let mut sizes: BTreeMap<PoolId, Vec<TargetId>> = BTreeMap::new();
    for target in stage.shared.book().targets.values() {
        let targets = sizes.entry(target.pool.clone()).or_default();
        targets.push(target.id.clone());
    }
    let (pool, targets) = sizes.into_iter().max_by_key(|(_, it)| it.len()).unwrap();
    assert!(2 <= targets.len(), "a pool that is there without this one");
    let resolution = Resolution::Minute;
    let day = StretchKey {
        pool: pool.clone(),
        resolution,
        number,
    };
    let whole = stage.history.stretch(&day).unwrap().unwrap();
    let mut without = whole.clone();
    without.signals.remove(&Signal::Invocations).unwrap();
    stage.history.append(&[without]).unwrap();
    let gone = Key::Target(pool.scope.clone(), targets[0].clone());
    stage.ledger.commit(&[Record::Remove(gone)]).unwrap();
    stage.restart();
    stage.run(4).await;
    let book = stage.shared.book();
    assert!(book.targets.values().any(|it| it.id == targets[0]));
    assert_eq!(stage.history.stretch(&day).unwrap(), Some(whole));
}
