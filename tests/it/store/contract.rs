//! The contract, kept by both ledgers alike.

use std::collections::BTreeMap;

use bedrock_ops_alert::{
    model::book::{Book, Record},
    store::{CommitFault, Ledger, MemoryLedger, SledLedger, StoreError, open},
};
use fastrand::Rng;
use proptest::prelude::*;

use super::{
    Folder,
    samples::{self, KINDS},
};

/// What is done to one record in a commit.
#[derive(Clone, Debug)]
enum Change {
    Put {
        kind: u8,
        slot: u8,
        seed: u64,
    },
    Remove {
        kind: u8,
        slot: u8,
    },
    /// An intent whose revision is the right one plus this.
    Intent {
        slot: u8,
        off_by: i64,
        seed: u64,
    },
}

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<Change>),
    Reopen,
}

fn change() -> impl Strategy<Value = Change> {
    let off_by = prop_oneof![20 => Just(0_i64), 1 => -2_i64..3];
    prop_oneof![
        5 => (0..KINDS, 0..4_u8, any::<u64>()).prop_map(|(kind, slot, seed)| Change::Put { kind, slot, seed }),
        2 => (0..KINDS, 0..4_u8).prop_map(|(kind, slot)| Change::Remove { kind, slot }),
        3 => (0..4_u8, off_by, any::<u64>()).prop_map(|(slot, off_by, seed)| Change::Intent { slot, off_by, seed }),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => prop::collection::vec(change(), 0..12).prop_map(Step::Commit),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..14)
}

/// The records of a commit, with the revisions that fit what `model` holds, and whether it is to be refused.
fn records(changes: &[Change], model: &Book) -> (Vec<Record>, bool) {
    let stored = model.intents.iter();
    let mut revisions: BTreeMap<String, u64> = stored
        .map(|(id, it)| (id.to_string(), it.revision))
        .collect();
    let mut is_refused = false;
    let mut records = Vec::new();
    for change in changes {
        let (slot, off_by, seed) = match *change {
            Change::Put { kind, slot, seed } if kind != 1 => {
                records.push(samples::record(kind, slot, seed));
                continue;
            }
            Change::Remove { kind, slot } => {
                if kind == 1 {
                    revisions.remove(&format!("act-{slot}"));
                }
                records.push(Record::Remove(samples::key(kind, slot)));
                continue;
            }
            Change::Put { slot, seed, .. } => (slot, 0, seed),
            Change::Intent { slot, off_by, seed } => (slot, off_by, seed),
        };
        let revision = revisions.entry(format!("act-{slot}")).or_insert(0);
        let offered = revision.saturating_add(1).saturating_add_signed(off_by);
        is_refused |= offered != *revision + 1;
        *revision = offered;
        records.push(Record::Intent(samples::intent(
            slot,
            offered,
            &mut Rng::with_seed(seed),
        )));
    }
    (records, is_refused)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn disk_and_memory_agree_whatever_is_done_and_whenever_it_is_reopened(steps in steps()) {
        let folder = Folder::new();
        let memory = MemoryLedger::new();
        let mut disk = open(folder.path()).unwrap();
        for step in steps {
            match step {
                Step::Commit(changes) => {
                    let (records, is_refused) = records(&changes, &memory.load().unwrap());
                    for result in [disk.commit(&records), memory.commit(&records)] {
                        match result {
                            Ok(()) => prop_assert!(!is_refused),
                            Err(StoreError::Conflict { .. }) => prop_assert!(is_refused),
                            Err(other) => return Err(TestCaseError::fail(other.to_string())),
                        }
                    }
                }
                Step::Reopen => {
                    drop(disk);
                    disk = open(folder.path()).unwrap();
                }
            }
            prop_assert_eq!(disk.load().unwrap(), memory.load().unwrap());
        }
    }
}

fn both() -> (Folder, SledLedger, MemoryLedger) {
    let folder = Folder::new();
    let disk = open(folder.path()).unwrap();
    (folder, disk, MemoryLedger::new())
}

#[test]
fn a_refused_intent_takes_the_whole_commit_with_it() {
    let (_folder, disk, memory) = both();
    let rng = &mut Rng::with_seed(1);
    let ledgers: [&dyn Ledger; 2] = [&disk, &memory];
    for ledger in ledgers {
        let second = Record::Intent(samples::intent(1, 2, rng));
        let refused = ledger.commit(&[samples::record(7, 1, 1), second]);
        assert!(
            matches!(
                refused,
                Err(StoreError::Conflict {
                    stored: None,
                    offered: 2,
                    ..
                })
            ),
            "{refused:?}"
        );
        assert_eq!(ledger.load().unwrap(), Book::default());
        // The refusal did no harm: the right one is taken.
        ledger
            .commit(&[Record::Intent(samples::intent(1, 1, rng))])
            .unwrap();
        let again = ledger.commit(&[Record::Intent(samples::intent(1, 1, rng))]);
        assert!(
            matches!(
                again,
                Err(StoreError::Conflict {
                    stored: Some(1),
                    ..
                })
            ),
            "{again:?}"
        );
        // Begun and answered in one commit: the revisions follow one another.
        let next = [samples::intent(1, 2, rng), samples::intent(1, 3, rng)];
        ledger.commit(&next.map(Record::Intent)).unwrap();
        assert_eq!(ledger.load().unwrap().intents.len(), 1);
    }
}

#[test]
fn every_kind_and_variant_comes_back_as_it_was() {
    let (folder, disk, memory) = both();
    for seed in 0..40_u64 {
        // Every kind anew under its own slot, so that all of them stay.
        let slot = u8::try_from(seed).unwrap();
        let records: Vec<Record> = (0..KINDS)
            .map(|kind| samples::record(kind, slot, seed))
            .collect();
        disk.commit(&records).unwrap();
        memory.commit(&records).unwrap();
    }
    drop(disk);
    let back = open(folder.path()).unwrap().load().unwrap();
    assert_eq!(back, memory.load().unwrap());
    assert_eq!(back.intents.len(), 40);
}

#[test]
fn long_texts_are_split_and_shrink_without_a_trace() {
    let folder = Folder::new();
    let ledger = open(folder.path()).unwrap();
    let rng = &mut Rng::with_seed(3);
    for (revision, length) in (1..).zip([8_000, 10, 100_000, 3_400, 0]) {
        let mut intent = samples::intent(1, revision, rng);
        intent.last_failure = Some("\u{1f600}".repeat(length));
        ledger.commit(&[Record::Intent(intent.clone())]).unwrap();
        assert_eq!(ledger.load().unwrap().intents[&intent.id], intent);
    }
    ledger
        .commit(&[Record::Remove(samples::key(1, 1))])
        .unwrap();
    assert_eq!(ledger.load().unwrap(), Book::default());
    // Bigger values would go into files of their own, which the fsync of the log does not cover.
    let blobs = std::fs::read_dir(folder.path().join("sled/blobs")).unwrap();
    assert_eq!(blobs.count(), 0);
}

#[test]
fn an_hour_that_does_not_begin_on_the_hour_is_refused_by_both() {
    let (_folder, disk, memory) = both();
    let Record::Hour(pool, _, hour) = samples::record(9, 1, 1) else {
        panic!("kind 9 is the hours");
    };
    let ledgers: [&dyn Ledger; 2] = [&disk, &memory];
    for ledger in ledgers {
        let minute = bedrock_ops_alert::model::time::Minute(61);
        let refused = ledger.commit(&[Record::Hour(pool.clone(), minute, hour.clone())]);
        assert!(
            matches!(refused, Err(StoreError::Unstorable { .. })),
            "{refused:?}"
        );
        ledger.commit(&[samples::record(9, 1, 1)]).unwrap();
    }
}

#[test]
fn the_memory_ledger_fails_when_told_before_or_after_the_effect() {
    let memory = MemoryLedger::new();
    let survivor = memory.clone();
    for (fault, held) in [(CommitFault::Before, 0), (CommitFault::After, 1)] {
        memory.fail_next(fault);
        let failed = memory.commit(&[samples::record(7, 1, 1)]);
        assert!(
            matches!(failed, Err(StoreError::NotDurable { .. })),
            "{failed:?}"
        );
        let refused = memory.commit(&[samples::record(7, 1, 2)]);
        assert!(
            matches!(refused, Err(StoreError::Poisoned { .. })),
            "{refused:?}"
        );
        assert_eq!(survivor.reopen().load().unwrap().quotas.len(), held);
    }
    survivor.commit(&[samples::record(7, 2, 2)]).unwrap();
    assert_eq!(memory.load().unwrap().quotas.len(), 2);
}
