//! How many calls a round makes, for whom, and what a failure takes away: nothing.

use std::collections::BTreeMap;

use super::*;
use crate::{
    collect::fake::{Fake, scope},
    model::{
        catalog::{Family, PoolId, Target},
        ids::ModelId,
    },
};

const LIST: &str = "bedrock:ListTagsForResource";

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn id(number: usize) -> TargetId {
    TargetId::new(format!("profile-{number:04}"))
}

fn target(id: TargetId, kind: TargetKind) -> Record {
    Record::Target(Target {
        id,
        kind,
        pool: PoolId {
            scope: scope(),
            family: Family::Geo,
            model: ModelId::new("m"),
        },
        first_seen: now(),
    })
}

/// A pool of so many profiles, and of two targets that have no tags.
fn book(profiles: usize) -> Book {
    let mut book = Book::default();
    let name = || "n".to_owned();
    let own =
        (0..profiles).map(|it| target(id(it), TargetKind::ApplicationProfile { name: name() }));
    book.apply(own.collect());
    let others = [("m", TargetKind::Base), ("us.m", TargetKind::SystemProfile)];
    let others = others.map(|(id, kind)| target(TargetId::new(id), kind));
    book.apply(others.into());
    book
}

struct Run {
    fake: Fake,
    book: Book,
    tried: Tried,
}

impl Run {
    fn new(profiles: usize) -> Self {
        let mut fake = Fake::default();
        let team = |team: &str| BTreeMap::from([("team".to_owned(), team.to_owned())]);
        fake.tags = (0..profiles).map(|it| (id(it), team("search"))).collect();
        Self {
            fake,
            book: book(profiles),
            tried: Tried::default(),
        }
    }

    /// One round, so many minutes later: calls that were tried, and faults.
    async fn round(&mut self, minutes: i64) -> (usize, usize) {
        let calls = self.fake.calls.lock().unwrap().len();
        let (scope, at) = (scope(), after(now(), minutes));
        let read = read_tags(&self.fake, &scope, &self.book, &mut self.tried, at).await;
        let faults = read.as_ref().map_or(0, |it| it.faults.len());
        self.book.apply(read.map_or_else(Vec::new, |it| it.found));
        (self.fake.calls.lock().unwrap().len() - calls, faults)
    }
}

#[tokio::test]
async fn a_thousand_profiles_are_asked_for_a_few_a_round_and_again_the_next_day() {
    let mut run = Run::new(1_000);
    for minute in 0..50 {
        assert_eq!(run.round(minute).await, (MOST_CALLS, 0), "{minute}");
    }
    assert_eq!(run.book.tags.len(), 1_000);
    assert_eq!(run.round(50).await, (0, 0), "all are known");
    assert_eq!(run.round(DAY - 1).await, (0, 0));
    run.fake.asked_tags.lock().unwrap().clear();
    // A new one comes first, then those that were read first.
    let new = id(5_000);
    let kind = TargetKind::ApplicationProfile {
        name: "new".to_owned(),
    };
    run.book.apply(vec![target(new.clone(), kind)]);
    assert_eq!(run.round(DAY).await, (MOST_CALLS, 0));
    let asked = run.fake.asked_tags.lock().unwrap().clone();
    let expected: Vec<TargetId> = std::iter::once(new).chain((0..19).map(id)).collect();
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn where_we_may_not_ask_one_call_an_hour_tells_it_and_what_was_known_stays() {
    let mut run = Run::new(3);
    assert_eq!(run.round(0).await, (3, 0));
    let known = run.book.tags.clone();
    run.fake.fail(LIST, 0, FaultClass::Denied);
    assert_eq!(run.round(DAY).await, (1, 1));
    assert_eq!(run.book.tags, known);
    assert_eq!(run.round(DAY + 59).await, (0, 0));
    assert_eq!(run.round(DAY + 60).await, (3, 0), "allowed again");
    assert!(
        run.book
            .tags
            .values()
            .all(|it| it.read_at == after(now(), DAY + 60))
    );
}

#[tokio::test]
async fn a_profile_that_fails_waits_and_holds_up_no_other() {
    let mut run = Run::new(3);
    run.fake.fail(LIST, 0, FaultClass::Server);
    run.fake.fail(LIST, 1, FaultClass::NotFound);
    assert_eq!(run.round(0).await, (3, 1), "what was deleted is no fault");
    assert_eq!(run.book.tags.len(), 1);
    assert_eq!(run.round(1).await, (0, 0));
    assert_eq!(run.round(10).await, (2, 0));
    // Throttled: the rest comes with the next round.
    let mut run = Run::new(3);
    run.fake.fail(LIST, 0, FaultClass::Throttled);
    assert_eq!(run.round(0).await, (1, 1));
    assert_eq!(run.round(1).await, (2, 0));
}
