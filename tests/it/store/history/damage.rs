//! Damage on disk: never served, always told, and no harm to what lies beside it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bedrock_ops_alert::{
    model::history::{Resolution, Stretch},
    store::{Audit, Disk, History, Options, SledLedger, StoreError, open},
};
use fastrand::Rng;

use super::{super::Folder, key, stretch};

/// A history of three segments, and what it holds.
fn filled(folder: &Folder) -> Vec<Stretch> {
    let ledger = open(folder.path()).unwrap();
    let history = ledger.history().unwrap();
    let mut all = Vec::new();
    for (resolution, seed) in Resolution::ALL.into_iter().zip(0..) {
        let group: Vec<Stretch> = (0..3)
            .map(|it| stretch(key(2 * it, resolution, 3), seed))
            .collect();
        history.append(&group).unwrap();
        all.extend(group);
    }
    all
}

fn segments(folder: &Folder) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.path().join("history")).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|it| it.unwrap().path()).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    paths
}

/// How many stretches are served, each as it was; and what the audit says.
fn served(folder: &Folder, all: &[Stretch]) -> (usize, Audit) {
    let ledger = open(folder.path()).unwrap();
    let history = ledger.history().unwrap();
    let mut served = 0;
    for stretch in all {
        if let Some(found) = history.stretch(&stretch.key).unwrap() {
            assert_eq!(found, *stretch, "something else is served");
            served += 1;
        }
    }
    let audit = history.audit().unwrap();
    let whole: u64 = audit.stretches.values().sum();
    assert_eq!(whole, u64::try_from(served).unwrap());
    (served, audit)
}

/// Spoils one segment in many ways, one after another; each must be told and must cost this segment at most.
fn spoil(rounds: u64, how: impl Fn(&mut Vec<u8>, &mut Rng)) {
    let folder = Folder::new();
    let all = filled(&folder);
    let before: Vec<(PathBuf, Vec<u8>)> = segments(&folder)
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    for seed in 0..rounds {
        let rng = &mut Rng::with_seed(seed);
        let (path, good) = &before[rng.usize(0..before.len())];
        let mut bad = good.clone();
        how(&mut bad, rng);
        assert_ne!(bad, *good, "seed {seed} spoiled nothing");
        fs::write(path, &bad).unwrap();
        let (served, audit) = served(&folder, &all);
        assert!(
            !audit.damage.is_empty(),
            "seed {seed} went unseen in {}",
            path.display()
        );
        assert!(
            (6..9).contains(&served),
            "seed {seed}: {served} of 9 are served"
        );
        fs::write(path, good).unwrap();
    }
    let (served, audit) = served(&folder, &all);
    assert_eq!((served, audit.damage), (9, Vec::new()));
}

#[test]
fn every_flipped_bit_is_told() {
    spoil(150, |bytes, rng| {
        // Half of them where the directory is.
        let end = if rng.bool() { 300 } else { bytes.len() };
        bytes[rng.usize(0..end)] ^= 1 << rng.u8(0..8);
    });
}

#[test]
fn every_cut_is_told() {
    spoil(40, |bytes, rng| bytes.truncate(rng.usize(0..bytes.len())));
}

#[test]
fn every_zeroed_block_is_told() {
    spoil(40, |bytes, rng| {
        let begin = rng.usize(0..bytes.len());
        let end = bytes.len().min(begin + 512);
        bytes[begin..end].fill(0xff);
    });
}

#[test]
fn bytes_that_were_added_are_told() {
    spoil(10, |bytes, rng| bytes.push(rng.u8(..)));
}

/// A segment without a whole directory is kept for whoever wants to look; what was read again takes its place.
#[test]
fn a_damaged_segment_is_put_aside_and_replaced() {
    let folder = Folder::new();
    let all = filled(&folder);
    let first = segments(&folder).remove(0);
    let mut bytes = fs::read(&first).unwrap();
    bytes[30] ^= 1;
    fs::write(&first, &bytes).unwrap();
    assert_eq!(served(&folder, &all).0, 6);
    let aside = folder
        .path()
        .join("history/damaged")
        .join(first.file_name().unwrap());
    assert_eq!(fs::read(aside).unwrap(), bytes);
    {
        let ledger = open(folder.path()).unwrap();
        ledger.history().unwrap().append(&all[0..3]).unwrap();
    }
    let (served, audit) = served(&folder, &all);
    assert_eq!((served, audit.damage), (9, Vec::new()));
}

/// A file that somebody took away is a gap, and so is one that went while the daemon runs.
#[test]
fn a_lost_segment_is_a_gap() {
    let folder = Folder::new();
    let all = filled(&folder);
    let ledger = open(folder.path()).unwrap();
    let history = ledger.history().unwrap();
    fs::remove_file(&segments(&folder)[1]).unwrap();
    let found = all
        .iter()
        .filter(|it| history.stretch(&it.key).unwrap().is_some());
    assert_eq!(found.count(), 6);
    assert_eq!(history.audit().unwrap().damage.len(), 3);
    drop((history, ledger));
    assert_eq!(served(&folder, &all).0, 6);
}

#[test]
fn a_newer_segment_is_refused_and_left_alone() {
    let folder = Folder::new();
    filled(&folder);
    let path = segments(&folder).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    bytes[4] = 2;
    let directory = usize::try_from(u32::from_be_bytes(bytes[8..12].try_into().unwrap())).unwrap();
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..20]);
    hasher.update(&bytes[24..24 + directory]);
    bytes[20..24].copy_from_slice(&hasher.finalize().to_be_bytes());
    fs::write(&path, &bytes).unwrap();
    let refused = open(folder.path()).unwrap().history().unwrap_err();
    assert!(
        matches!(
            refused,
            StoreError::Newer {
                found: 2,
                supported: 1,
                ..
            }
        ),
        "{refused:?}"
    );
    assert_eq!(refused.exit_code(), 78);
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

/// A disk whose `fsync` fails while told to, as a full one does.
struct Failing(AtomicBool);

impl Disk for Failing {
    fn sync(&self, file: &File) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(io::Error::other("no space left on device"));
        }
        file.sync_all()
    }
}

#[test]
fn what_could_not_be_made_durable_is_not_there_and_may_be_appended_again() {
    let folder = Folder::new();
    let disk = Arc::new(Failing(AtomicBool::new(false)));
    let options = Options {
        disk: Arc::<Failing>::clone(&disk),
        ..Options::default()
    };
    let ledger = SledLedger::open(folder.path(), &options).unwrap();
    let history = ledger.history().unwrap();
    let one = stretch(key(0, Resolution::Minute, 1), 1);
    disk.0.store(true, Ordering::Relaxed);
    let refused = history.append(std::slice::from_ref(&one)).unwrap_err();
    assert!(matches!(refused, StoreError::Io { .. }), "{refused:?}");
    assert_eq!(history.stretch(&one.key).unwrap(), None);
    assert!(segments(&folder).is_empty(), "{:?}", segments(&folder));
    disk.0.store(false, Ordering::Relaxed);
    history.append(std::slice::from_ref(&one)).unwrap();
    drop((history, ledger));
    let (served, audit) = served(&folder, std::slice::from_ref(&one));
    assert_eq!((served, audit.damage), (1, Vec::new()));
}

/// What a write left behind that was cut short is no history.
#[test]
fn a_half_written_segment_is_swept_away() {
    let folder = Folder::new();
    let all = filled(&folder);
    let whole = fs::read(&segments(&folder)[0]).unwrap();
    let part = folder.path().join("history/0000000099.part");
    fs::write(&part, &whole[..whole.len() / 2]).unwrap();
    let (served, audit) = served(&folder, &all);
    assert_eq!((served, audit.damage), (9, Vec::new()));
    assert!(!Path::new(&part).exists());
}
