//! A ledger of an older format is written anew in a folder beside it, and takes its place once it is whole.
//!
//! ```text
//! next/sled    the new one, while it is written
//! next/before  the old one, from the moment the new one is whole
//! ```
//!
//! Killed at any moment, the old one is untouched, or the new one is whole and the next start puts it in its place. Not one
//! atomic batch over the old one: the engine keeps every page as it was until the batch is over, which were gigabytes.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::Path,
};

use super::{
    StoreError,
    draft::Draft,
    engine::Engine,
    head::Head,
    migrate::{Release, Step},
    place::{ENGINE_FOLDER, failed, sync_folder},
    scan::{self, Raw},
    trouble::{Trouble, guarded},
};

const NEXT_FOLDER: &str = "next";
const BEFORE: &str = "before";
/// Records that are rewritten and written at a time, or a few more.
const AT_ONCE: usize = 2_000;

/// Puts a ledger in its place that was whole when the process ended, and clears away one that was not.
pub(crate) fn finish(path: &Path) -> Result<(), StoreError> {
    let next = path.join(NEXT_FOLDER);
    if !next.is_dir() {
        return Ok(());
    }
    if !path.join(ENGINE_FOLDER).exists() && next.join(ENGINE_FOLDER).exists() {
        return swap(path);
    }
    fs::remove_dir_all(&next).map_err(|cause| failed("remove the folder", &next, cause))
}

/// Writes what `engine` holds under `head` in the format of `release`, beside it; returns the head it has there.
pub(crate) fn write(
    path: &Path,
    engine: &Engine,
    head: &Head,
    release: &Release,
) -> Result<Head, StoreError> {
    let refused = |why: String| StoreError::Migration {
        path: path.to_owned(),
        from: head.format,
        to: release.format,
        why,
    };
    let route = release.route(head.format).map_err(refused)?;
    finish(path)?;
    let next = path.join(NEXT_FOLDER);
    fs::create_dir(&next).map_err(|cause| failed("create the folder", &next, cause))?;
    let new = Engine::open(&next, 1)?;
    let mut writing = Writing {
        engine: &new,
        route,
        refused: &refused,
        waiting: Vec::new(),
        draft: Draft {
            writes: BTreeMap::new(),
            // The bytes of intents change, so the chain starts afresh from its last hash.
            head: Head {
                format: release.format,
                parts: 0,
                sum: 0,
                first_link: head.next_link,
                chain_base: head.chain_head.clone(),
                ..head.clone()
            },
        },
    };
    let written = guarded("rewrite", || {
        scan::walk(engine.entries()?, head, &mut |raw| writing.take(raw))?;
        writing.rewrite()?;
        writing.draft.finish()?;
        writing.apply()
    });
    written.map_err(|it| it.at(path))?;
    let head = writing.draft.head;
    drop(new); // its last write
    sync_below(&next).map_err(|cause| failed("make durable", &next, cause))?;
    Ok(head)
}

/// Puts what [`write`] wrote in the place of what was there. Nobody has either open.
pub(crate) fn swap(path: &Path) -> Result<(), StoreError> {
    let (now, next) = (path.join(ENGINE_FOLDER), path.join(NEXT_FOLDER));
    let swapped = || {
        if now.exists() {
            fs::rename(&now, next.join(BEFORE))?;
        }
        fs::rename(next.join(ENGINE_FOLDER), &now)
    };
    swapped().map_err(|cause| failed("put the new ledger in its place, as", &now, cause))?;
    sync_folder(path)?;
    fs::remove_dir_all(&next).map_err(|cause| failed("remove the folder", &next, cause))
}

struct Writing<'a> {
    engine: &'a Engine,
    route: Vec<Step>,
    refused: &'a dyn Fn(String) -> StoreError,
    waiting: Vec<Raw>,
    draft: Draft,
}

impl Writing<'_> {
    fn take(&mut self, raw: Raw) -> Result<(), Trouble> {
        // A step may put records together; what belongs together stands in a row.
        let is_apart = self
            .waiting
            .last()
            .is_none_or(|last| !is_beside(last, &raw));
        if AT_ONCE <= self.waiting.len() && is_apart {
            self.rewrite()?;
            self.apply()?;
        }
        self.waiting.push(raw);
        Ok(())
    }

    fn rewrite(&mut self) -> Result<(), Trouble> {
        let raws = std::mem::take(&mut self.waiting);
        let rewritten = self
            .route
            .iter()
            .try_fold(raws, |raws, step| (step.rewrite)(raws));
        for raw in rewritten.map_err(|why| Trouble::Refused((self.refused)(why)))? {
            self.draft.head.sequence += 1;
            let Raw { kind, key, .. } = &raw;
            self.draft.put_parts(*kind, key, raw.shape, &raw.body)?;
        }
        Ok(())
    }

    fn apply(&mut self) -> Result<(), Trouble> {
        self.engine.apply(&self.draft.writes)?;
        self.draft.writes.clear();
        Ok(())
    }
}

/// Whether two records are of one kind and of one pool, or whatever their keys begin with: four texts.
fn is_beside(one: &Raw, other: &Raw) -> bool {
    let texts = |raw: &Raw| -> Vec<Vec<u8>> {
        let texts = raw.key.split(|byte| *byte == 0);
        texts.take(4).map(<[u8]>::to_vec).collect()
    };
    one.kind == other.kind && texts(one) == texts(other)
}

fn sync_below(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_below(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    File::open(folder)?.sync_all()
}
