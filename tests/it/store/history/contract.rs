//! The contract, kept by both histories alike.

use std::collections::BTreeMap;

use bedrock_ops_alert::{
    model::{
        history::{Bucket, Resolution, Stretch, StretchKey},
        series::{Sample, Signal},
        time::{DAY, Minute},
    },
    store::{History, MemoryHistory, StoreError, history::read_range, open},
};
use proptest::prelude::*;

use super::{super::Folder, key, pool, stretch};

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(u8, Resolution, i64, u64)>),
    Forget(u8, Resolution, i64),
    Reopen,
}

fn name() -> impl Strategy<Value = (u8, Resolution, i64)> {
    let resolution = prop::sample::select(Resolution::ALL.to_vec());
    (0..3_u8, resolution, 0..4_i64)
}

fn step() -> impl Strategy<Value = Step> {
    let named =
        (name(), any::<u64>()).prop_map(|((slot, it, number), seed)| (slot, it, number, seed));
    prop_oneof![
        5 => prop::collection::vec(named, 1..4).prop_map(Step::Append),
        2 => name().prop_map(|(slot, it, number)| Step::Forget(slot, it, number)),
        1 => Just(Step::Reopen),
    ]
}

/// All keys that the steps can name.
fn names() -> impl Iterator<Item = StretchKey> {
    (0..3).flat_map(|slot| {
        Resolution::ALL
            .into_iter()
            .flat_map(move |it| (0..4).map(move |number| key(slot, it, number)))
    })
}

fn assert_same(one: &dyn History, other: &dyn History) {
    assert_eq!(one.pools(), other.pools());
    for slot in 0..3 {
        assert_eq!(one.held(&pool(slot)), other.held(&pool(slot)));
    }
    for key in names() {
        assert_eq!(one.stretch(&key).unwrap(), other.stretch(&key).unwrap());
    }
    let (one, other) = (one.audit().unwrap(), other.audit().unwrap());
    assert_eq!(one, other);
    assert!(one.damage.is_empty(), "{:?}", one.damage);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn disk_and_memory_agree_reopened_at_any_step(steps in prop::collection::vec(step(), 1..14)) {
        let folder = Folder::new();
        let memory = MemoryHistory::new();
        let mut ledger = open(folder.path()).unwrap();
        let mut disk = ledger.history().unwrap();
        let mut forgotten: Vec<StretchKey> = Vec::new();
        for step in steps {
            match step {
                Step::Append(named) => {
                    let named = named.into_iter();
                    let all: Vec<Stretch> = named
                        .map(|(slot, it, number, seed)| stretch(key(slot, it, number), seed))
                        .collect();
                    forgotten.retain(|gone| all.iter().all(|it| it.key != *gone));
                    memory.append(&all).unwrap();
                    disk.append(&all).unwrap();
                }
                Step::Forget(slot, it, number) => {
                    let gone = [key(slot, it, number)];
                    memory.forget(&gone).unwrap();
                    disk.forget(&gone).unwrap();
                    forgotten.extend(gone);
                }
                Step::Reopen => {
                    drop(disk);
                    drop(ledger);
                    ledger = open(folder.path()).unwrap();
                    disk = ledger.history().unwrap();
                    // What was forgotten may be there again, and is forgotten again.
                    disk.forget(&forgotten).unwrap();
                }
            }
            assert_same(&disk, &memory);
        }
    }
}

#[test]
fn a_stretch_of_the_wrong_length_is_refused_by_both_and_nothing_of_its_append_is_kept() {
    let folder = Folder::new();
    let ledger = open(folder.path()).unwrap();
    let mut short = stretch(key(0, Resolution::Hour, 1), 3);
    for buckets in short.signals.values_mut() {
        buckets.pop();
    }
    let both: [&dyn History; 2] = [&MemoryHistory::new(), &ledger.history().unwrap()];
    for history in both {
        let good = stretch(key(0, Resolution::Minute, 1), 3);
        let refused = history.append(&[good, short.clone()]);
        assert!(
            matches!(refused, Err(StoreError::Unstorable { .. })),
            "{refused:?}"
        );
        assert!(history.pools().is_empty());
    }
}

fn minutes(number: i64, invocations: impl Fn(i64) -> Sample) -> Stretch {
    let buckets = (0..DAY).map(|minute| Bucket::of_minute(invocations(minute)));
    Stretch {
        key: key(0, Resolution::Minute, number),
        signals: BTreeMap::from([(Signal::Invocations, buckets.collect())]),
    }
}

fn added_up(resolution: Resolution, number: i64, sum: f64) -> Stretch {
    let bucket = Bucket::added_up(Signal::Invocations, Sample::Value(sum), resolution);
    let count = usize::try_from(resolution.buckets()).unwrap();
    Stretch {
        key: key(0, resolution, number),
        signals: BTreeMap::from([(Signal::Invocations, vec![bucket; count])]),
    }
}

/// The finest that is held answers, bucket by bucket; what is coarser than asked for does not.
#[test]
fn a_range_is_put_together_of_what_is_held() {
    let history = MemoryHistory::new();
    // Day 29 in minutes with a hole, its week in five minutes, its period in hours; day 30 is recent.
    let held = minutes(29, |minute| {
        if (600..610).contains(&minute) {
            Sample::Unobserved
        } else {
            Sample::Value(2.0)
        }
    });
    let weeks = added_up(Resolution::FiveMinutes, 4, 50.0);
    let hours = added_up(Resolution::Hour, 1, 6_000.0);
    history.append(&[held, weeks, hours]).unwrap();
    let recent = [minutes(30, |_| Sample::Value(3.0))];
    let read = |resolution, from: i64, until: i64| -> Vec<String> {
        let range = (Minute(from), Minute(until));
        let of = (&pool(0), Signal::Invocations);
        let buckets = read_range(&history, &recent, of, resolution, range).unwrap();
        let words = buckets.iter().map(|it| match (it.value, it.peak) {
            (Sample::Value(sum), Sample::Value(peak)) => {
                format!("{sum} of {} peak {peak}", it.known)
            }
            (Sample::Value(sum), _) => format!("{sum} of {}", it.known),
            (other, _) => format!("{other:?}"),
        });
        words.collect()
    };
    let day = 29 * DAY;
    insta::assert_snapshot!(read(Resolution::Minute, day + 599, day + 601).join(" | "), @"2 of 1 peak 2 | Unobserved");
    // The hole of the minutes is filled from the five minutes.
    insta::assert_snapshot!(read(Resolution::FiveMinutes, day + 596, day + 611).join(" | "), @"10 of 5 peak 2 | 50 of 5 | 50 of 5 | 10 of 5 peak 2");
    // An hour with a hole is worth less than an hour that CloudWatch added up whole.
    insta::assert_snapshot!(read(Resolution::Hour, day + 540, day + 720).join(" | "), @"120 of 60 peak 2 | 600 of 60 | 120 of 60 peak 2");
    insta::assert_snapshot!(read(Resolution::Hour, day + DAY - 60, day + DAY + 60).join(" | "), @"120 of 60 peak 2 | 180 of 60 peak 3");
    insta::assert_snapshot!(read(Resolution::Minute, day - 2, day + 1).join(" | "), @"Unobserved | Unobserved | 2 of 1 peak 2");
    assert!(read(Resolution::Minute, day, day).is_empty());
}
