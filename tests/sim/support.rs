//! A world in process: the simulated AWS, a ledger that survives crashes, and the real cycle over the real port.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets the unexpected should stop"
)]

mod crashing;
mod promises;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bedrock_ops_alert::{
    cloud::Cloud,
    config,
    model::{
        action::{Effect, IntentState},
        book::{Book, Record},
        desk::AskEnd,
        ids::{AccountId, ActionId, QuotaCode, RequestId},
        policy::{Account, Mode, Regions, Settings},
        silence::Silence,
        time::{SignedDuration, Timestamp, after},
    },
    runtime::{cycle::Cycle, shared::Shared},
    sim::{
        self, Faults, Happened, Sim, World,
        world::{Answer, Outcome, Script},
    },
    store::{CommitFault, Ledger, MemoryHistory, MemoryLedger},
};
use serde_json::Value;

use crashing::{Crash, Crashing};
use promises::{absence_resolves_nothing, array, everybody_heard, never_twice, own_cases, text};

/// What a world came to, for the checks over many seeds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tale {
    pub(crate) crashes: u32,
    pub(crate) lost_answers: u64,
    pub(crate) grants: usize,
    /// Filings that were given up for a person to decide.
    pub(crate) held: usize,
    pub(crate) requests: usize,
    pub(crate) cases: usize,
    pub(crate) incidents: usize,
}

impl std::ops::AddAssign for Tale {
    fn add_assign(&mut self, other: Self) {
        self.crashes += other.crashes;
        self.lost_answers += other.lost_answers;
        self.grants += other.grants;
        self.held += other.held;
        self.requests += other.requests;
        self.cases += other.cases;
        self.incidents += other.incidents;
    }
}

/// One organisation with its daemon.
pub(crate) struct Stage {
    pub(crate) seed: u64,
    sim: Arc<Sim>,
    cloud: Arc<dyn Cloud>,
    faults: Arc<Faults>,
    ledger: MemoryLedger,
    history: MemoryHistory,
    settings: Settings,
    cycle: Cycle,
    shared: Arc<Shared>,
    crash: Arc<Crash>,
    draws: fastrand::Rng,
    pub(crate) now: Timestamp,
    /// Intents that were durable at some time: none may ever vanish.
    known: BTreeSet<ActionId>,
    pub(crate) tale: Tale,
    crash_rate: f64,
    /// How many attempts were begun when the simulated AWS was last looked at.
    begun: u32,
}

impl Stage {
    /// In process, with all faults of the port.
    pub(crate) fn new(seed: u64, mode: Mode) -> Self {
        let sim = organisation(seed);
        let faults = Arc::new(Faults::all(seed));
        let cloud = sim::cloud(&sim, sim.world().first_account(), Arc::clone(&faults));
        Self::over(seed, mode, sim, cloud, faults)
    }

    /// Over any port to this organisation's AWS. `faults` are those of the port; what the wire does is the wire's.
    pub(crate) fn over(
        seed: u64,
        mode: Mode,
        sim: Arc<Sim>,
        cloud: Arc<dyn Cloud>,
        faults: Arc<Faults>,
    ) -> Self {
        let mut settings =
            config::parse(CONFIG, "world.toml", &config::Overrides::default()).unwrap();
        settings.policy.mode = mode;
        settings.cadence.discovery_minutes = 120;
        settings.accounts = accounts(sim.world());
        let ledger = MemoryLedger::new();
        let crash = Arc::new(Crash::default());
        let history = MemoryHistory::new();
        let (cycle, shared) = daemon(&cloud, (&ledger, &history), &settings, &crash);
        let now = sim.now();
        Self {
            seed,
            sim,
            cloud,
            faults,
            ledger,
            history,
            settings,
            cycle,
            shared,
            crash,
            draws: fastrand::Rng::with_seed(seed ^ 0x00C0_FFEE),
            now,
            known: BTreeSet::new(),
            tale: Tale::default(),
            crash_rate: 0.02,
            begun: u32::MAX,
        }
    }

    /// Runs so many minutes, with crashes at random awaits and commits, and checks the promises after each.
    pub(crate) async fn run_minutes(&mut self, minutes: i64) {
        self.run_cycles(minutes, 1).await;
    }

    /// As [`Self::run_minutes`], with one cycle in so many minutes.
    pub(crate) async fn run_cycles(&mut self, cycles: i64, apart: i64) {
        for _ in 0..cycles {
            self.now = after(self.now, apart);
            self.sim.advance_to(self.now);
            self.arm();
            let crashed = {
                let told = self.crash.told.notified();
                tokio::select! {
                    biased;
                    () = told => true,
                    result = self.cycle.run(self.now) => result.is_err(),
                }
            };
            self.crash.disarm();
            if crashed {
                self.tale.crashes += 1;
                self.restart();
            }
            self.check();
        }
    }

    /// From now on calls in this account hang, or no longer.
    pub(crate) fn darken(&mut self, account: Option<AccountId>) {
        self.crash.dark.send_replace(account);
    }

    /// From now on the roles of these accounts let nobody in.
    pub(crate) fn refuse(&self, accounts: impl IntoIterator<Item = AccountId>) {
        self.crash
            .refused
            .send_replace(accounts.into_iter().collect());
    }

    /// Watches accounts, too, that nothing is in.
    pub(crate) fn add_accounts(&mut self, ids: impl IntoIterator<Item = AccountId>) {
        let usual = self.settings.accounts.first().unwrap().clone();
        let more = ids.into_iter().map(|id| Account {
            id,
            ..usual.clone()
        });
        self.settings.accounts.extend(more);
        self.restart();
    }

    /// A silence that a person made before this process began.
    pub(crate) fn put_silence(&mut self, silence: Silence) {
        self.ledger.commit(&[Record::Silence(silence)]).unwrap();
        self.restart();
    }

    /// From now on nobody who is to be told answers, or all do again.
    pub(crate) fn deafen(&self, is_deaf: bool) {
        let ordering = std::sync::atomic::Ordering::SeqCst;
        self.crash.is_deaf.store(is_deaf, ordering);
    }

    /// Calls in this account panic from now on; in none, if there is none.
    pub(crate) fn break_off(&self, account: Option<AccountId>) {
        self.crash.broken.send_replace(account);
    }

    /// Whoever hangs is waited for so long.
    pub(crate) fn set_patience(&mut self, patience: std::time::Duration) {
        let (cycle, shared) = daemon(
            &self.cloud,
            (&self.ledger, &self.history),
            &self.settings,
            &self.crash,
        );
        (self.cycle, self.shared) = (cycle.with_patience(Some(patience)), shared);
    }

    /// What the daemon knows, and how it is.
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// All that arrived at AWS, and all that was decided.
    pub(crate) fn story(&self) -> String {
        let book = self.ledger.load().unwrap();
        format!(
            "{}\n{:?}\n{:?}",
            self.sim.state(),
            book.incidents,
            book.intents
        )
    }

    /// Faults and crashes stop.
    pub(crate) fn heal(&mut self) {
        self.faults.heal();
        self.crash_rate = 0.0;
    }

    /// A crash somewhere in this cycle, sometimes: at a call before or after its effect, or at a commit.
    fn arm(&mut self) {
        if self.draws.f64() >= self.crash_rate {
            return;
        }
        match self.draws.u8(0..4) {
            0 => self.ledger.fail_next(CommitFault::Before),
            1 => self.ledger.fail_next(CommitFault::After),
            2 => self.crash.arm(self.draws.u64(0..8), false),
            _ => self.crash.arm(self.draws.u64(0..8), true),
        }
    }

    pub(crate) fn restart(&mut self) {
        self.ledger = self.ledger.reopen();
        let kept = (&self.ledger, &self.history);
        (self.cycle, self.shared) = daemon(&self.cloud, kept, &self.settings, &self.crash);
    }

    /// What AWS holds, and who heard what.
    pub(crate) fn state(&self) -> serde_json::Value {
        self.sim.state()
    }

    /// A new disk: the daemon starts with nothing.
    pub(crate) fn lose_store(&mut self) {
        (self.ledger, self.history) = (MemoryLedger::new(), MemoryHistory::new());
        self.known.clear();
        self.restart();
    }

    /// Promises P1, P2, P3 and P5. The book is what the ledger acknowledged; after a crash it is what was read back.
    fn check(&mut self) {
        let shared = Arc::clone(&self.shared);
        let book = shared.book();
        self.never_lost(&book);
        absence_resolves_nothing(self.seed, &book);
        // What arrived at AWS changes only when something was begun.
        let begun = book.intents.values().map(|intent| intent.attempts).sum();
        if self.begun != begun {
            self.begun = begun;
            let state = self.sim.state();
            never_twice(self.seed, &state, &book);
            self.within_mandate(&state, &book);
        }
    }

    fn never_lost(&mut self, book: &Book) {
        let present: BTreeSet<ActionId> = book.intents.keys().cloned().collect();
        let lost: Vec<_> = self.known.difference(&present).collect();
        assert!(
            lost.is_empty(),
            "seed {}: intents vanished: {lost:?}",
            self.seed
        );
        // One receiver, one route: every message that an incident counts is an intent.
        for incident in book.incidents.values() {
            let own = book
                .intents
                .values()
                .filter(|it| it.incident == incident.id);
            let messages = own.filter(|it| it.step.starts_with("message/")).count();
            assert_eq!(
                messages,
                usize::try_from(incident.messages).unwrap(),
                "seed {}: {} counts messages that were never intended",
                self.seed,
                incident.id
            );
        }
        self.known = present;
    }

    fn within_mandate(&self, state: &Value, book: &Book) {
        let seed = self.seed;
        let (requests, cases) = (array(state, "quota_requests"), own_cases(state));
        if self.settings.policy.mode != Mode::File {
            assert!(
                requests.is_empty(),
                "seed {seed}: filed in mode {:?}",
                self.settings.policy.mode
            );
            assert!(
                cases.is_empty(),
                "seed {seed}: opened a case in mode {:?}",
                self.settings.policy.mode
            );
        }
        let budgets = &self.settings.policy.budgets;
        let mut by_day: Vec<Timestamp> = requests
            .iter()
            .map(|it| text(it, "created").parse().unwrap())
            .collect();
        by_day.sort();
        let most = usize::try_from(budgets.requests_per_day).unwrap();
        for window in by_day.windows(most + 1) {
            let apart = window
                .last()
                .unwrap()
                .duration_since(*window.first().unwrap());
            // The budget counts decisions; a request may arrive an hour or so after its decision.
            assert!(
                apart.as_hours() >= 20,
                "seed {seed}: more than {most} requests in a day"
            );
        }
        for intent in book.intents.values() {
            if let Effect::RequestQuota {
                scope,
                code,
                desired,
                ..
            } = &intent.effect
            {
                let at_decision = self.sim.applied_history(scope, code);
                let applied = at_decision
                    .iter()
                    .rfind(|(at, _)| *at <= intent.created)
                    .map(|(_, value)| *value);
                let ceiling = applied.unwrap_or(0.0).max(1.0) * budgets.highest_factor;
                assert!(
                    desired.get() <= ceiling + 1.0,
                    "seed {seed}: asked {desired} where {ceiling} is the ceiling"
                );
            }
        }
    }

    /// What the port counted.
    pub(crate) fn calls(&self) -> BTreeMap<String, u64> {
        self.cloud.calls().by_operation()
    }

    /// What we count is what arrived at AWS, whatever became of it: each operation's requests, and the series billed.
    pub(crate) fn meter_is_right(&self) {
        let (counted, state) = (self.cloud.calls(), self.sim.state());
        let of = |key: &str| -> BTreeMap<String, u64> {
            let counts = state.get(key).and_then(Value::as_object).expect(key);
            let whole = counts
                .iter()
                .map(|(name, count)| (name.clone(), count.as_u64().unwrap()));
            whole.collect()
        };
        let mut requests = counted.by_operation();
        requests.remove("webhook:Post"); // is none of AWS
        let seed = self.seed;
        assert_eq!(requests, of("calls"), "seed {seed}");
        let billed: u64 = of("billed_metrics").values().sum();
        assert_eq!(counted.metrics(), billed, "seed {seed}");
        assert!(0 < billed, "seed {seed}: nothing was read");
    }

    /// After faults have stopped: nothing in doubt, nothing half done, every shortage that lasts has its incident.
    pub(crate) fn converged(&mut self) {
        let seed = self.seed;
        let book = self.ledger.load().unwrap();
        for intent in book.intents.values() {
            let is_waiting = match &intent.state {
                IntentState::Proposed { .. }
                | IntentState::Done { .. }
                | IntentState::Held { .. }
                | IntentState::Refused { .. } => true,
                // A limit of open requests may keep one waiting; a message never.
                IntentState::Planned { .. } => !intent.effect.may_repeat(),
                IntentState::Sending { .. } | IntentState::Unknown { .. } => false,
            };
            assert!(
                is_waiting,
                "seed {seed}: {} is still {}: {:?}",
                intent.step,
                intent.state.name(),
                intent.last_failure
            );
        }
        let followed: BTreeSet<&ActionId> = book
            .asks
            .values()
            .map(|ask| &ask.action)
            .chain(book.investigations.values().map(|it| &it.action))
            .collect();
        for intent in book.intents.values() {
            let is_filing = matches!(
                intent.effect,
                Effect::RequestQuota { .. } | Effect::OpenCase { .. }
            );
            // What was taken in the last minute is followed from the next plan on.
            let is_done = matches!(intent.state, IntentState::Done { at, .. } if at < self.now);
            let is_adopted = followed.contains(&intent.id)
                || matches!(&intent.state, IntentState::Done { reference, .. } if book.asks.contains_key(&RequestId::new(reference.as_str())));
            assert!(
                !(is_filing && is_done) || is_adopted,
                "seed {seed}: {} is done and nobody follows it",
                intent.step
            );
        }
        everybody_heard(seed, &book);
        let granted =
            |end: &AskEnd| matches!(end, AskEnd::Granted { .. } | AskEnd::PartlyGranted { .. });
        self.tale.grants = book
            .asks
            .values()
            .filter(|it| it.end.as_ref().is_some_and(|(end, _)| granted(end)))
            .count();
        let held = |state: &IntentState| matches!(state, IntentState::Held { .. });
        self.tale.held = book
            .intents
            .values()
            .filter(|it| !it.effect.may_repeat() && held(&it.state))
            .count();
        self.tale.requests = book.asks.len();
        self.tale.cases = book.investigations.len();
        self.tale.incidents = book.incidents.len();
        let lost = |kind| -> u64 {
            let happened = self.faults.happened();
            happened
                .iter()
                .filter(|((it, _), _)| *it == kind)
                .map(|(_, count)| *count)
                .sum()
        };
        self.tale.lost_answers =
            lost(Happened::LostAfter) + lost(Happened::ServerAfter) + lost(Happened::Garbled);
    }
}

pub(crate) const CONFIG: &str = r#"
[receiver.oncall]
kind = "sns"
topic_arn = "arn:aws:sns:us-east-1:111122223333:bedrock-alerts"

[[route]]
receiver = "oncall"
severity = "info"
"#;

/// The simulated AWS of a random organisation.
pub(crate) fn organisation(seed: u64) -> Arc<Sim> {
    let mut world = World::random(seed).unwrap();
    world.desk = desk(&world, seed);
    Sim::new(world, seed)
}

/// A desk that answers within hours, so that a day shows the whole life of a request.
fn desk(world: &World, seed: u64) -> Vec<Script> {
    let mut draws = fastrand::Rng::with_seed(seed ^ 0xDE5C);
    let codes: BTreeSet<&QuotaCode> = world
        .pools
        .iter()
        .flat_map(|pool| pool.limits.iter().map(|(_, code)| code))
        .collect();
    let scripts = codes.into_iter().map(|code| {
        let mut answer = |kinds: u8| {
            let outcome = match draws.u8(0..kinds) {
                0..=4 => Outcome::Grant,
                5..=7 => Outcome::Partial(0.4),
                8 => Outcome::Deny,
                _ => Outcome::Close,
            };
            let after = SignedDuration::from_mins(draws.i64(30..300));
            let apply_after = SignedDuration::from_mins(draws.i64(0..90));
            Answer {
                outcome,
                after,
                apply_after,
            }
        };
        // The first request brings something, so that every world sees a grant; later ones may be refused.
        let answers = vec![answer(8), answer(10), answer(10)];
        Script {
            code: code.clone(),
            account: None,
            region: None,
            answers,
        }
    });
    scripts.collect()
}

pub(crate) fn accounts(world: &World) -> Vec<Account> {
    let accounts = world.accounts.iter().map(|account| Account {
        id: account.id.clone(),
        name: None,
        regions: Regions::These(account.regions.clone()),
        role_arn: None,
        external_id: None,
        metrics_through: None,
    });
    accounts.collect()
}

fn daemon(
    cloud: &Arc<dyn Cloud>,
    (ledger, history): (&MemoryLedger, &MemoryHistory),
    settings: &Settings,
    crash: &Arc<Crash>,
) -> (Cycle, Arc<Shared>) {
    let cloud: Arc<dyn Cloud> = Arc::new(Crashing {
        inner: Arc::clone(cloud),
        crash: Arc::clone(crash),
    });
    let (shared, _orders) = Shared::new(settings.clone(), true, ledger.load().unwrap());
    let shared = Arc::new(shared.with_history(Arc::new(history.clone())));
    (
        Cycle::new(cloud, Arc::new(ledger.clone()), Arc::clone(&shared)),
        shared,
    )
}
