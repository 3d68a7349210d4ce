//! What Linux says of this process.

use std::{fs, path::Path};

/// CPU seconds of all threads, in user and in system mode. Linux counts in hundredths.
pub(crate) fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // The second field is the name, in brackets, and may hold anything.
    let after_name = stat.rsplit_once(')').unwrap().1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

/// CPU seconds of the first thread, exactly.
pub(crate) fn thread_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanos = stat.split_whitespace().next().unwrap();
    nanos.parse::<f64>().unwrap() / 1e9
}

/// Memory in use now, MiB.
pub(crate) fn resident_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse::<f64>().unwrap() / 1_024.0
}

/// Bytes of all files of a folder, with those of its folders.
pub(crate) fn bytes_below(folder: &Path) -> f64 {
    let files = fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let path = entry.path();
        if path.is_dir() {
            bytes_below(&path)
        } else {
            let length = entry.metadata().unwrap().len();
            float(usize::try_from(length).unwrap())
        }
    });
    files.sum()
}

/// Counts here are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^53")]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}
