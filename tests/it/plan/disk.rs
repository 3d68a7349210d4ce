//! The disk of the service itself: who hears of it, and once only.

use bedrock_ops_alert::{
    act::plan::{disk, disk_told},
    model::{
        action::Effect,
        book::{Book, Record},
        ids::ReceiverName,
        policy::{Mode, Policy, Route},
        room::{Room, RoomBounds, RoomSeen, RoomState},
        rule::{Category, Severity},
        time::{Timestamp, after},
    },
};

const MB: u64 = 1_000_000;
const BOUNDS: RoomBounds = RoomBounds {
    reserve: 64 * MB,
    warn_below: 1_000 * MB,
};

fn now() -> Timestamp {
    "2026-01-05T10:00:00Z".parse().unwrap()
}

fn room(free: u64, reserve: u64) -> Room {
    Room {
        free: free * MB,
        history_free: None,
        reserve: reserve * MB,
        wanted: 64 * MB,
    }
}

fn to(name: &str, least: Severity) -> Route {
    Route::all(ReceiverName::new(name), least)
}

/// One hears everything, one warnings, one the worst, and one is for some pools only.
fn policy() -> Policy {
    let mut policy = super::policy(Mode::File);
    policy.routes = vec![
        to("all", Severity::Info),
        to("oncall", Severity::Warning),
        to("worst", Severity::Critical),
        of_some("team"),
    ];
    add_receivers(&mut policy);
    policy
}

fn add_receivers(policy: &mut Policy) {
    let usual = policy.receivers.values().next().unwrap().clone();
    let names = policy.routes.iter().map(|it| it.receiver.clone());
    policy.receivers = names.map(|name| (name, usual.clone())).collect();
}

fn of_some(name: &str) -> Route {
    Route {
        categories: vec![Category::Latency],
        ..to(name, Severity::Info)
    }
}

#[test]
fn each_change_is_told_once_whatever_restarts() {
    let (policy, mut book) = (policy(), Book::default());
    let mut told = String::new();
    let mut seen = RoomSeen::first(
        room(5_000, 64),
        disk_told(&book, now()),
        BOUNDS.warn_below,
        now(),
    );
    for (minute, (free, reserve)) in [
        (5_000, 64),
        (900, 64),
        (720, 64),
        (10, 50),
        (9, 30),
        (1_050, 64),
        (3_000, 64),
    ]
    .into_iter()
    .enumerate()
    {
        let at = after(now(), 20 * i64::try_from(minute).unwrap());
        seen.look(room(free, reserve), BOUNDS.warn_below, at);
        let intents = disk(&book, &policy, &seen, BOUNDS, "/var/lib/boa", at);
        for intent in &intents {
            let Effect::Notify {
                receiver,
                severity,
                subject,
                body,
                ..
            } = &intent.effect
            else {
                panic!("{intent:?}");
            };
            told += &format!(
                "{at} to {receiver}, {}: {subject}\n{body}\n\n",
                severity.name()
            );
        }
        book.apply(intents.into_iter().map(Record::Intent).collect());
        assert_eq!(
            disk(&book, &policy, &seen, BOUNDS, "/var/lib/boa", at),
            Vec::new()
        );
        // A service that was started again knows what was told, and not since when.
        seen = RoomSeen::first(
            room(free, reserve),
            disk_told(&book, at),
            BOUNDS.warn_below,
            at,
        );
    }
    insta::assert_snapshot!("disk", told);
}

/// What was dated ahead by a clock that was set back since is no reason to tell the same each minute until then.
#[test]
fn a_clock_that_was_set_back_tells_nothing_twice() {
    let (policy, mut book) = (policy(), Book::default());
    let told = |book: &mut Book, free: u64, at: Timestamp| {
        let seen = RoomSeen::first(room(free, 64), disk_told(book, at), BOUNDS.warn_below, at);
        let intents = disk(book, &policy, &seen, BOUNDS, "/var/lib/boa", at);
        let count = intents.len();
        book.apply(intents.into_iter().map(Record::Intent).collect());
        count
    };
    assert_ne!(told(&mut book, 900, after(now(), 1_440)), 0);
    assert_ne!(told(&mut book, 10, now()), 0);
    for minute in 1..5 {
        assert_eq!(told(&mut book, 10, after(now(), minute)), 0);
    }
}

#[test]
fn where_every_route_is_of_something_all_of_them_hear() {
    let mut policy = policy();
    policy.routes = vec![of_some("team"), of_some("team"), of_some("others")];
    add_receivers(&mut policy);
    let seen = RoomSeen::first(room(10, 50), RoomState::Ample, BOUNDS.warn_below, now());
    let told = disk(
        &Book::default(),
        &policy,
        &seen,
        BOUNDS,
        "/var/lib/boa",
        now(),
    );
    let steps: Vec<_> = told.iter().map(|it| it.step.as_str()).collect();
    assert_eq!(steps, ["disk/short/others", "disk/short/team"]);
}
