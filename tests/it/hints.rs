//! Hints on causes: one day of one pool, and what goes wrong at noon; the shipped rules decide what is told.

#![cfg(test)]

mod carried;
mod laws;

use std::collections::{BTreeMap, BTreeSet};

use bedrock_ops_alert::{
    config::builtin_hints,
    engine::hints::{Evidence, hints},
    model::{
        book::{Book, Record},
        catalog::{Family, Mapping, Pool, PoolId, Target, TargetKind},
        hint::Hint,
        ids::{AccountId, IncidentId, ModelId, QuotaCode, Region, Scope, TargetId},
        incident::{Cause, Incident},
        quota::{Quota, QuotaChange},
        reason::Reason,
        rule::{Category, Remedy, Severity},
        series::{PoolSeries, Reading, Sample, Signal},
        time::{DAY, Minute},
        units::{Amount, QuotaKind, Share},
        uses::RecentUse,
    },
};

/// What a minute of a pool is like.
#[derive(Clone, Copy, Debug)]
struct Traffic {
    through: f64,
    refused: f64,
    client_errors: f64,
    server_errors: f64,
    input: f64,
    output: f64,
    cache_read: f64,
    cache_write: f64,
    charged: f64,
    latency: f64,
}

/// A pool at 30 % of its TPM and 10 % of its RPM quota.
const CALM: Traffic = Traffic {
    through: 100.0,
    refused: 0.0,
    client_errors: 0.0,
    server_errors: 0.0,
    input: 200_000.0,
    output: 20_000.0,
    cache_read: 0.0,
    cache_write: 0.0,
    charged: 300_000.0,
    latency: 4_000.0,
};

impl Traffic {
    /// The same shape, so many times as much.
    fn times(self, factor: f64) -> Self {
        Self {
            through: self.through * factor,
            refused: self.refused * factor,
            input: self.input * factor,
            output: self.output * factor,
            cache_read: self.cache_read * factor,
            cache_write: self.cache_write * factor,
            charged: self.charged * factor,
            ..self
        }
    }

    fn signals(self) -> [(Signal, f64); 10] {
        [
            (Signal::Invocations, self.through),
            (Signal::Throttles, self.refused),
            (Signal::ClientErrors, self.client_errors),
            (Signal::ServerErrors, self.server_errors),
            (Signal::InputTokens, self.input),
            (Signal::OutputTokens, self.output),
            (Signal::CacheReadTokens, self.cache_read),
            (Signal::CacheWriteTokens, self.cache_write),
            (Signal::ChargedTokens, self.charged),
            (Signal::Latency, self.latency),
        ]
    }
}

fn noon() -> Minute {
    Minute::of("2026-03-02T12:00:00Z".parse().unwrap())
}

/// The last bad minute is the twentieth after noon.
fn last_bad() -> Minute {
    noon().plus(19)
}

fn id(family: Family) -> PoolId {
    PoolId {
        scope: Scope {
            account: AccountId::new("111122223333"),
            region: Region::new("us-east-1"),
        },
        family,
        model: ModelId::new("anthropic.claude-sonnet-4-6"),
    }
}

fn geo() -> PoolId {
    id(Family::Geo)
}

struct World {
    book: Book,
    takers: BTreeMap<PoolId, Vec<Reason>>,
    recent: BTreeMap<PoolId, RecentUse>,
}

impl World {
    /// A geo pool with 1,000,000 TPM and 1,000 RPM whose day was `day`, minute by minute, and is `trouble` from noon on.
    fn new(day: impl Fn(i64) -> Traffic, trouble: impl Fn(i64) -> Traffic) -> Self {
        let mut world = Self {
            book: Book::default(),
            takers: BTreeMap::new(),
            recent: BTreeMap::new(),
        };
        world.add(&geo(), [Some(1_000_000.0), Some(1_000.0), None]);
        world.feed(&geo(), |at| {
            let after = at.since(noon());
            if after < 0 {
                day(after)
            } else {
                trouble(after)
            }
        });
        world
    }

    /// With these TPM, RPM and TPD quotas; an absent one does not exist.
    fn add(&mut self, pool: &PoolId, quotas: [Option<f64>; 3]) {
        let kinds = [QuotaKind::Tpm, QuotaKind::Rpm, QuotaKind::Tpd];
        let mut mappings = BTreeMap::new();
        for (kind, value) in kinds.into_iter().zip(quotas) {
            let code = code(pool.family, kind);
            let mapped = Mapping::Mapped {
                code: code.clone(),
                proof: "name and family match".to_owned(),
            };
            let mapping = value.map_or(Mapping::Absent, |_| mapped);
            mappings.insert(kind, mapping);
            if value.is_some() {
                self.book.apply(vec![Record::Quota(Quota {
                    scope: pool.scope.clone(),
                    code,
                    name: kind.unit().to_owned(),
                    applied: value.and_then(Amount::new),
                    default: None,
                    adjustable: true,
                    read_at: noon().start(),
                    stale: None,
                })]);
            }
        }
        self.book.apply(vec![Record::Pool(Pool {
            id: pool.clone(),
            burndown: Some(5.0),
            worth: None,
            mappings,
        })]);
    }

    /// 26 hours up to the last bad minute; no minute is quite like the one before.
    fn feed(&mut self, pool: &PoolId, traffic: impl Fn(Minute) -> Traffic) {
        let from = noon().plus(-26 * 60);
        let mut signals: BTreeMap<Signal, Vec<Sample>> = BTreeMap::new();
        for at in from.until(last_bad().plus(1)) {
            let wobble = [1.0, 1.04, 0.98, 0.95, 1.03][usize::try_from(at.0 % 5).unwrap()];
            for (signal, value) in traffic(at).times(wobble).signals() {
                let samples = signals.entry(signal).or_default();
                samples.push(Sample::Value(value.round()));
            }
        }
        let series = self.book.series.entry(pool.clone()).or_default();
        series.absorb(&Reading {
            pool: pool.clone(),
            from,
            signals,
            by_target: BTreeMap::new(),
        });
    }

    fn change(&mut self, family: Family, old: f64, new: f64, at: &str) {
        self.book.apply(vec![Record::QuotaChange(QuotaChange {
            scope: geo().scope,
            code: code(family, QuotaKind::Tpm),
            old: Amount::new(old),
            new: Amount::new(new),
            at: at.parse().unwrap(),
        })]);
    }

    fn target(&mut self, name: &str, kind: TargetKind) {
        self.book.apply(vec![Record::Target(Target {
            id: TargetId::new(name),
            kind,
            pool: geo(),
            first_seen: noon().plus(-30 * DAY).start(),
        })]);
    }

    fn hints(&self, incident: &Incident) -> Vec<Hint> {
        let known = (&self.takers, &self.recent);
        hints_of(&self.book, known, incident, &|_, _| true)
    }

    /// Strength, name and text, a hint a paragraph.
    fn told(&self, incident: &Incident) -> String {
        let hints = self.hints(incident);
        let told = hints
            .iter()
            .map(|hint| format!("{} {}\n{hint}.\n", hint.strength, hint.clue.name()));
        told.collect::<Vec<_>>().join("\n")
    }
}

fn hints_of(
    book: &Book,
    (takers, recent): (&BTreeMap<PoolId, Vec<Reason>>, &BTreeMap<PoolId, RecentUse>),
    incident: &Incident,
    may_move: &dyn Fn(&PoolId, &PoolId) -> bool,
) -> Vec<Hint> {
    let nothing = PoolSeries::default();
    let samples = |pool: &PoolId, signal, from, until| {
        let series = book.series.get(pool).unwrap_or(&nothing);
        series.window(signal, from, until).collect()
    };
    let evidence = Evidence {
        book,
        samples: &samples,
        takers,
        recent,
        may_move,
        most_output: 128_000.0,
        rules: &builtin_hints().unwrap(),
    };
    hints(&evidence, incident)
}

fn code(family: Family, kind: QuotaKind) -> QuotaCode {
    QuotaCode::new(format!("L-{}-{}", family.name(), kind.name()).to_uppercase())
}

fn incident(cause: Cause) -> Incident {
    Incident {
        id: IncidentId::derive(&cause.fingerprint(), 1),
        cause,
        generation: 1,
        kind: None,
        pools: BTreeSet::from([geo()]),
        severity: Severity::Critical,
        remedy: Remedy::RequestQuota,
        scenario: None,
        opened: last_bad().start(),
        began: noon().plus(1),
        last_bad: last_bad(),
        resolved: None,
        lost: 0.0,
        members: BTreeMap::new(),
        hints: Vec::new(),
        decisions: Vec::new(),
        decisions_dropped: 0,
        spells: Vec::new(),
        messages: 0,
        told: None,
        refusal: None,
    }
}

fn of_category(category: Category) -> Incident {
    let pool = geo();
    incident(Cause::Pool { pool, category })
}

fn throttled() -> Incident {
    of_category(Category::Throttle)
}

fn short_of_tokens() -> Incident {
    incident(Cause::Quota {
        scope: geo().scope,
        code: code(Family::Geo, QuotaKind::Tpm),
    })
}

#[test]
fn refusals_at_a_low_settled_use_are_reservations() {
    let world = World::new(
        |_| CALM,
        |_| Traffic {
            through: 120.0,
            refused: 60.0,
            charged: 350_000.0,
            latency: 20_000.0,
            ..CALM
        },
    );
    insta::assert_snapshot!("reservation", world.told(&throttled()));
}

#[test]
fn refusals_that_no_reservation_can_explain_are_none() {
    // Four requests in flight would have to hold 170,000 tokens each.
    let world = World::new(
        |_| CALM,
        |_| Traffic {
            through: 60.0,
            refused: 60.0,
            ..CALM
        },
    );
    assert_eq!(world.told(&throttled()), "");
}

#[test]
fn a_used_up_day_refuses_everything_until_midnight() {
    let shut = Traffic {
        through: 0.0,
        refused: 100.0,
        input: 0.0,
        output: 0.0,
        charged: 0.0,
        ..CALM
    };
    let mut world = World::new(|_| CALM, |_| shut);
    insta::assert_snapshot!("daily_unread", world.told(&throttled()));
    // 12 hours of 300,000 a minute are 216 million.
    world.add(
        &geo(),
        [Some(1_000_000.0), Some(1_000.0), Some(220_000_000.0)],
    );
    insta::assert_snapshot!("daily", world.told(&throttled()));
    world.add(
        &geo(),
        [Some(1_000_000.0), Some(1_000.0), Some(400_000_000.0)],
    );
    assert_eq!(world.told(&throttled()), "", "the day is far from used up");
}

#[test]
fn server_errors_beside_refusals_far_below_quota_are_a_lack_of_capacity() {
    let world = World::new(
        |_| CALM,
        |_| Traffic {
            through: 60.0,
            refused: 30.0,
            server_errors: 20.0,
            charged: 180_000.0,
            ..CALM
        },
    );
    insta::assert_snapshot!("capacity", world.told(&throttled()));
}

#[test]
fn demand_that_jumps_right_after_the_first_refusal_is_retries() {
    let near = CALM.times(3.1);
    let storm = |after: i64| Traffic {
        refused: if after == 0 { 40.0 } else { 500.0 },
        ..near
    };
    let world = World::new(|_| near, storm);
    insta::assert_snapshot!("retries", world.told(&short_of_tokens()));
}

#[test]
fn a_step_of_real_traffic_is_no_storm() {
    let step = |_| Traffic {
        refused: 500.0,
        ..CALM.times(3.3)
    };
    let world = World::new(|_| CALM, step);
    assert_eq!(world.told(&short_of_tokens()), "");
}

#[test]
fn a_lost_prompt_cache_shows_as_charged_tokens() {
    let cached = Traffic {
        cache_read: 400_000.0,
        cache_write: 10_000.0,
        ..CALM
    };
    let lost = Traffic {
        cache_read: 12_000.0,
        input: 600_000.0,
        charged: 710_000.0,
        ..CALM
    };
    let world = World::new(|_| cached, |_| lost);
    insta::assert_snapshot!("cache", world.told(&of_category(Category::Anomaly)));
}

#[test]
fn one_target_of_several_carries_the_load() {
    let mut world = World::new(|_| CALM, |_| CALM.times(3.2));
    let share = Share::from_basis_points(8_150).unwrap();
    let target = TargetId::new("x1y2z3a4b5c6");
    world
        .takers
        .insert(geo(), vec![Reason::TopTarget { target, share }]);
    let name = "invoice-summaries".to_owned();
    world.target("x1y2z3a4b5c6", TargetKind::ApplicationProfile { name });
    assert_eq!(world.told(&short_of_tokens()), "", "it is the only one");
    world.target("us.anthropic.claude-sonnet-4-6", TargetKind::SystemProfile);
    insta::assert_snapshot!("carrier", world.told(&short_of_tokens()));
}

#[test]
fn client_errors_through_a_profile_alone_are_a_denied_destination() {
    let denied = Traffic {
        client_errors: 14.0,
        ..CALM
    };
    let mut world = World::new(|_| CALM, |_| denied);
    let incident = of_category(Category::ClientError);
    assert_eq!(world.told(&incident), "", "nothing to compare it with");
    world.add(&id(Family::OnDemand), [Some(500_000.0), Some(500.0), None]);
    world.feed(&id(Family::OnDemand), |_| CALM.times(0.5));
    insta::assert_snapshot!("denied", world.told(&incident));
    // Bad requests fail everywhere.
    world.feed(&id(Family::OnDemand), |_| denied.times(0.5));
    assert_eq!(world.told(&incident), "");
}

#[test]
fn an_increase_of_another_pool_is_told_with_where_the_traffic_goes() {
    let full = Traffic {
        refused: 90.0,
        ..CALM.times(3.1)
    };
    let mut world = World::new(|_| CALM, |_| full);
    world.add(&id(Family::Global), [Some(3_000_000.0), None, None]);
    world.change(
        Family::Global,
        1_000_000.0,
        3_000_000.0,
        "2026-03-01T09:30:00Z",
    );
    assert_eq!(
        world.told(&short_of_tokens()),
        "",
        "nothing is known of global"
    );
    world.feed(&id(Family::Global), |_| CALM.times(0.1));
    insta::assert_snapshot!("raised_elsewhere", world.told(&short_of_tokens()));
}

#[test]
fn an_increase_that_does_not_help_is_told() {
    let refused = Traffic {
        through: 60.0,
        refused: 60.0,
        ..CALM
    };
    let mut world = World::new(|_| CALM, |_| refused);
    world.change(Family::Geo, 400_000.0, 1_000_000.0, "2026-03-01T09:30:00Z");
    insta::assert_snapshot!("raised_here", world.told(&throttled()));
}

#[test]
fn quiet_hours_and_quiet_pools_are_room() {
    // Busy from 8 to 20 UTC, and a twentieth of it at night.
    let day = |after: i64| {
        let hour = noon().plus(after).0.rem_euclid(DAY) / 60;
        CALM.times(if (8..20).contains(&hour) { 2.9 } else { 0.15 })
    };
    let full = Traffic {
        refused: 60.0,
        ..CALM.times(3.2)
    };
    let mut world = World::new(day, |_| full);
    world.add(
        &id(Family::Global),
        [Some(2_000_000.0), Some(1_000.0), None],
    );
    world.feed(&id(Family::Global), |_| CALM);
    insta::assert_snapshot!("room", world.told(&short_of_tokens()));
    let known = (&BTreeMap::new(), &BTreeMap::new());
    let stays = |_: &PoolId, to: &PoolId| to.family != Family::Global;
    let hints = hints_of(&world.book, known, &short_of_tokens(), &stays);
    let names: Vec<_> = hints.iter().map(|hint| hint.clue.name()).collect();
    assert_eq!(names, ["off-peak"], "data may not go there");
}

#[test]
fn steady_use_up_to_the_quota_has_no_hint() {
    let full = Traffic {
        refused: 90.0,
        ..CALM.times(3.2)
    };
    let world = World::new(|_| CALM.times(2.8), |_| full);
    assert_eq!(world.told(&short_of_tokens()), "");
}

#[test]
fn what_is_not_known_leaves_out_what_would_rest_on_it() {
    let low = Traffic {
        through: 120.0,
        refused: 60.0,
        charged: 350_000.0,
        latency: 20_000.0,
        ..CALM
    };
    let mut world = World::new(|_| CALM, |_| low);
    assert_eq!(world.hints(&throttled()).len(), 1);
    // The requests quota may be what refuses.
    let mut pool = world.book.pools[&geo()].clone();
    pool.mappings.insert(QuotaKind::Rpm, Mapping::Unknown);
    world.book.apply(vec![Record::Pool(pool)]);
    assert_eq!(world.told(&throttled()), "");
}
