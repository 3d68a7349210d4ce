//! `ran`: log files, read one after another. What can't be read is told with its place, and the rest is counted.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::collect::ran::{Entry, Tally};

/// A larger file, unpacked, is refused: logs come in files of some megabytes.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

/// What the files came to.
#[derive(Debug, Default)]
pub struct Found {
    /// What was counted.
    pub tally: Tally,
    /// Files that were read, in whole or in part.
    pub files: usize,
    /// What could not be read, each with its place.
    pub unread: Vec<String>,
}

/// Reads these files, and all files in these folders.
#[must_use]
pub fn read(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for path in paths {
        found.walk(path);
    }
    found
}

impl Found {
    fn walk(&mut self, path: &Path) {
        if !path.is_dir() {
            return self.file(path);
        }
        let inside = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        match inside {
            Ok(entries) => {
                let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
                paths.sort();
                for path in paths {
                    self.walk(&path);
                }
            }
            Err(error) => self.unread.push(format!("{}: {error}", path.display())),
        }
    }

    fn file(&mut self, path: &Path) {
        let text = match text(path) {
            Ok(text) => text,
            Err(why) => return self.unread.push(format!("{}: {why}", path.display())),
        };
        self.files += 1;
        let lines: Vec<(usize, &str)> = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .collect();
        // One record a line, with a time before it where CloudWatch Logs exported it; or one document over many lines.
        let whole = match lines.as_slice() {
            [(_, first), _, ..] => {
                serde_json::from_slice::<Entry>(from_brace(first).as_bytes()).is_err()
            }
            [_] | [] => false,
        };
        if whole {
            return self.entry(&text, path, 1);
        }
        for (number, line) in lines {
            self.entry(from_brace(line), path, number + 1);
        }
    }

    fn entry(&mut self, text: &str, path: &Path, line: usize) {
        let faults = match serde_json::from_slice::<Entry>(text.as_bytes()) {
            Ok(entry) => self.tally.take(entry),
            Err(error) => vec![error.to_string()],
        };
        let at = |why: String| format!("{}, line {line}: {why}", path.display());
        self.unread.extend(faults.into_iter().map(at));
    }
}

fn from_brace(line: &str) -> &str {
    line.find('{').and_then(|at| line.get(at..)).unwrap_or(line)
}

/// The text of the file, unpacked where its name ends in `.gz`.
fn text(path: &Path) -> Result<String, String> {
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let reader: Box<dyn Read> = if path.extension().is_some_and(|it| it == "gz") {
        Box::new(flate2::read::MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut bytes = Vec::new();
    let read = reader.take(MOST_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    if u64::try_from(bytes.len()).is_ok_and(|length| MOST_BYTES < length) {
        return Err("it is larger than 512 MiB: split it by hours".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}
