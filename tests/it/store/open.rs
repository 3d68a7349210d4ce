//! What is opened and what is refused; what becomes durable and what follows when it does not.

use std::{
    fs::{self, File},
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use bedrock_ops_alert::store::{
    Disk, Ledger, Options, SledLedger, StoreError, open, open_existing, verify,
};

use super::{Folder, samples};

/// A disk that counts its syncs and fails when told to.
#[derive(Default)]
struct Watched {
    syncs: AtomicU32,
    fails: AtomicBool,
}

impl Disk for Watched {
    fn sync(&self, log: &File) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        if self.fails.load(Ordering::Relaxed) {
            return Err(io::Error::other("I/O error on sector 7"));
        }
        log.sync_all()
    }
}

fn watched(path: &Path) -> (SledLedger, Arc<Watched>) {
    let disk = Arc::new(Watched::default());
    let options = Options {
        disk: Arc::clone(&disk) as Arc<dyn Disk>,
        ..Options::default()
    };
    (SledLedger::open(path, &options).unwrap(), disk)
}

#[test]
fn each_commit_costs_one_fsync_however_many_records_it_has() {
    let folder = Folder::new();
    let (ledger, disk) = watched(folder.path());
    let before = disk.syncs.load(Ordering::Relaxed);
    for commit in 0..10_u8 {
        let records: Vec<_> = (0..30)
            .map(|slot| samples::record(4, slot, u64::from(commit)))
            .collect();
        ledger.commit(&records).unwrap();
    }
    ledger.commit(&[]).unwrap();
    assert_eq!(disk.syncs.load(Ordering::Relaxed) - before, 10);
}

#[test]
fn after_a_failed_fsync_nothing_more_is_taken() {
    let folder = Folder::new();
    let (ledger, disk) = watched(folder.path());
    ledger.commit(&[samples::record(7, 1, 1)]).unwrap();
    disk.fails.store(true, Ordering::Relaxed);
    let failed = ledger.commit(&[samples::record(7, 2, 1)]).unwrap_err();
    assert!(
        matches!(failed, StoreError::NotDurable { .. }),
        "{failed:?}"
    );
    assert!(failed.to_string().contains("sector 7"), "{failed}");
    // A sync that succeeds later proves nothing about the writes before.
    disk.fails.store(false, Ordering::Relaxed);
    let refused = ledger.commit(&[samples::record(7, 3, 1)]).unwrap_err();
    assert!(
        matches!(refused, StoreError::Poisoned { .. }),
        "{refused:?}"
    );
    assert_eq!((failed.exit_code(), refused.exit_code()), (74, 74));
    drop(ledger);
    let book = open(folder.path()).unwrap().load().unwrap();
    assert!((1..=2).contains(&book.quotas.len()));
}

#[test]
fn a_second_opener_is_told_so() {
    let folder = Folder::new();
    let first = open(folder.path()).unwrap();
    let impatient = Options {
        tries: 2,
        ..Options::default()
    };
    let refused = SledLedger::open(folder.path(), &impatient).unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }), "{refused:?}");
    assert_eq!(refused.exit_code(), 75);
    drop(first);
    open(folder.path()).unwrap();
}

#[test]
fn a_newer_store_is_refused_untouched() {
    let folder = Folder::new();
    open(folder.path())
        .unwrap()
        .commit(&[samples::record(7, 1, 1)])
        .unwrap();
    fs::write(
        folder.path().join("FORMAT"),
        "bedrock-ops-alert store, format 9\n",
    )
    .unwrap();
    let before = contents(folder.path());
    let refused = open(folder.path()).unwrap_err();
    assert!(
        matches!(
            refused,
            StoreError::Newer {
                found: 9,
                supported: 7,
                ..
            }
        ),
        "{refused:?}"
    );
    assert_eq!(refused.exit_code(), 78);
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn a_folder_of_somebody_else_is_refused_untouched() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path()).unwrap();
    fs::write(folder.path().join("thesis.tex"), "years of work").unwrap();
    let before = contents(folder.path());
    let refused = open(folder.path()).unwrap_err();
    assert!(matches!(&refused, StoreError::NotAStore { found, .. } if found == "thesis.tex"));
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn commands_that_read_create_nothing() {
    let folder = Folder::new();
    let refused = open_existing(folder.path()).unwrap_err();
    assert!(matches!(refused, StoreError::Missing { .. }), "{refused:?}");
    assert!(verify(folder.path()).is_err());
    assert!(!folder.path().exists());
}

#[test]
fn a_creation_that_was_cut_short_is_taken_up_again() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path()).unwrap();
    for name in ["lock", "FORMAT.new"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    let ledger = open(folder.path()).unwrap();
    ledger.commit(&[samples::record(7, 1, 1)]).unwrap();
    drop(ledger);
    // Killed after the format was written and before the engine made its folder.
    let folder = Folder::new();
    drop(open(folder.path()).unwrap());
    fs::remove_dir_all(folder.path().join("sled")).unwrap();
    open(folder.path())
        .unwrap()
        .commit(&[samples::record(7, 1, 1)])
        .unwrap();
}

#[test]
fn verify_counts_what_is_there() {
    let folder = Folder::new();
    let ledger = open(folder.path()).unwrap();
    let records = [
        samples::record(7, 1, 1),
        samples::record(7, 2, 1),
        samples::record(1, 1, 1),
    ];
    ledger.commit(&records).unwrap();
    drop(ledger);
    let verified = verify(folder.path()).unwrap();
    assert_eq!(
        (verified.format, verified.sequence, verified.links),
        (7, 3, 1)
    );
    let counts: Vec<_> = verified.counts.into_iter().collect();
    assert_eq!(counts, [("intent", 1), ("quota", 2)]);
}

/// The file names and bytes right below the folder and one level deeper.
fn contents(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(contents(&path));
        } else {
            all.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}
