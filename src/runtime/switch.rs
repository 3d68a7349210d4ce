//! The switch that stops writes at AWS's desks: a file beside the store.
//!
//! It is looked at before each write, so that it holds at once and without a restart, whoever made it: the service by an
//! order, or a person by `touch`. What can't be looked at counts as stopped.

use std::{
    fs,
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::model::order::Stop;

/// Added to the name of the store's folder.
const SUFFIX: &str = ".stop-writes";
/// Most bytes of the file that are read.
const MOST_BYTES: u64 = 4_096;

/// Where the file is looked for; nowhere in worlds without a disk.
#[derive(Clone, Debug, Default)]
pub struct Switch {
    path: Option<PathBuf>,
}

/// What the service writes into the file. A person's file may be empty.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    by: String,
    since: String,
    why: String,
}

impl Switch {
    /// Beside the store in this folder: `STORE.stop-writes`.
    #[must_use]
    pub fn beside(store: &Path) -> Self {
        let mut name = store.as_os_str().to_owned();
        name.push(SUFFIX);
        Self {
            path: Some(PathBuf::from(name)),
        }
    }

    /// Whether writes are stopped now, and by whom.
    #[must_use]
    pub fn stop(&self) -> Option<Stop> {
        let path = self.path.as_deref()?;
        let place = path.display().to_string();
        let unsaid = |why: Option<String>| Stop {
            by: None,
            since: None,
            why,
            place: place.clone(),
        };
        match read(path) {
            Ok(text) => Some(match serde_json::from_str::<Note>(&text) {
                Ok(note) => Stop {
                    by: Some(note.by),
                    since: Some(note.since),
                    why: Some(note.why),
                    place,
                },
                // A person made it: what they wrote is why.
                Err(_) => unsaid(text.lines().next().map(str::to_owned)),
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => Some(unsaid(Some(format!("the file can't be read: {error}")))),
        }
    }

    /// Stops writes: durable when it returns.
    ///
    /// # Errors
    ///
    /// Why the file could not be written, with its place and what to do.
    pub fn set(&self, by: &str, since: &str, why: &str) -> Result<(), String> {
        let path = self.path()?;
        let note = Note {
            by: by.to_owned(),
            since: since.to_owned(),
            why: why.to_owned(),
        };
        let written = serde_json::to_vec(&note)
            .map_err(io::Error::from)
            .and_then(|text| write(path, &text));
        written.map_err(|error| {
            let place = path.display();
            format!("could not write {place}: {error}; make the file by hand (`touch {place}`), its being there is enough")
        })
    }

    /// Lets writes go on.
    ///
    /// # Errors
    ///
    /// Why the file could not be removed, with its place and what to do.
    pub fn clear(&self) -> Result<(), String> {
        let path = self.path()?;
        fs::remove_file(path).map_err(|error| {
            let place = path.display();
            format!("could not remove {place}: {error}; remove it by hand")
        })
    }

    fn path(&self) -> Result<&Path, String> {
        let path = self.path.as_deref();
        path.ok_or_else(|| {
            "this service has no store on disk, and so no place for the switch".to_owned()
        })
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(MOST_BYTES)
        .read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    io::Write::write_all(&mut file, text)?;
    file.sync_all()?;
    // Its name, too: that it is there is what counts.
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests;
