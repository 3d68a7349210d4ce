//! A commit while it is put together: the values to write and the head that goes with them. Pure but for reading.

use std::collections::BTreeMap;

use super::{
    StoreError,
    envelope::{self, MOST_PARTS, PART, Part},
    head::{HEAD, Head, KEPT_LINKS, Link, RECORD},
    key::{self, Kind},
    record,
    trouble::Trouble,
};
use crate::model::{
    action::Intent,
    book::{Key, Record},
    ids::ActionId,
};

/// Reads one stored value.
pub(crate) trait Entries {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble>;
}

/// Which revisions of an intent may follow the stored one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Succession {
    /// Exactly the next one.
    Next,
    /// Any later one: a dump is loaded.
    Later,
}

impl Succession {
    /// Refuses a revision that may not follow.
    pub(crate) fn check(self, stored: Option<u64>, intent: &Intent) -> Result<(), StoreError> {
        let offered = intent.revision;
        let is_right = match self {
            Self::Next => stored.unwrap_or(0).checked_add(1) == Some(offered),
            Self::Later => stored.unwrap_or(0) < offered,
        };
        if is_right {
            return Ok(());
        }
        Err(StoreError::Conflict {
            action: intent.id.clone(),
            stored,
            offered,
        })
    }
}

/// The values of one commit and the head after it.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) writes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    pub(crate) head: Head,
}

impl Draft {
    /// Puts the commit of these records together.
    pub(crate) fn of(
        old: &dyn Entries,
        head: &Head,
        records: &[Record],
        succession: Succession,
    ) -> Result<Self, Trouble> {
        let mut draft = Self {
            writes: BTreeMap::new(),
            head: head.clone(),
        };
        for record in records {
            draft.put(old, record, succession)?;
        }
        draft.prune_links(old)?;
        draft.finish()?;
        Ok(draft)
    }

    /// Seals the head into the writes.
    pub(crate) fn finish(&mut self) -> Result<(), Trouble> {
        let body =
            serde_json::to_vec(&self.head).map_err(|fault| unstorable("the head", &fault))?;
        let sequence = self.head.sequence;
        self.writes
            .insert(HEAD.to_vec(), Some(alone(b'h', sequence, &body)));
        Ok(())
    }

    fn put(
        &mut self,
        old: &dyn Entries,
        it: &Record,
        succession: Succession,
    ) -> Result<(), Trouble> {
        let (kind, key) = key::of_record(it);
        let body = record::to_bytes(it).map_err(|wrong| unstorable(kind.name(), &wrong))?;
        let before = self.stored(old, kind, &key)?;
        if let Record::Intent(intent) = it {
            succession.check(before.revision, intent)?;
        }
        let was_there = !before.parts.is_empty();
        self.head.sequence += 1;
        for (key, value) in before.parts {
            self.head.subtract(&key, &open(&value)?);
            self.writes.insert(key, None);
        }
        if let Some(body) = &body {
            self.put_parts(kind, &key, record::shape_of(kind), body)?;
        }
        if let Record::Intent(intent) = it {
            let body = body.as_deref().unwrap_or_default();
            self.link(&intent.id, intent.revision, body)?;
        }
        if let Record::Remove(Key::Intent(id)) = it
            && before.revision.is_some()
        {
            self.link(id, 0, &[])?;
        }
        if let Record::Entry(entry) = it {
            let body = body.as_deref().unwrap_or_default();
            self.link(&entry_name(entry.number), 1, body)?;
        }
        if let Record::Remove(Key::Entry(number)) = it
            && was_there
        {
            self.link(&entry_name(*number), 0, &[])?;
        }
        Ok(())
    }

    /// Adds the parts of one body under the current sequence.
    pub(crate) fn put_parts(
        &mut self,
        kind: Kind,
        key: &[u8],
        shape: u8,
        body: &[u8],
    ) -> Result<(), Trouble> {
        let pieces: Vec<&[u8]> = body.chunks(PART).collect();
        let too_long = |_| unstorable(kind.name(), &format!("{} bytes are too many", body.len()));
        if MOST_PARTS < pieces.len() {
            return Err(too_long(()));
        }
        let count = u16::try_from(pieces.len()).map_err(|_| too_long(()))?;
        for (index, body) in (0_u16..).zip(pieces) {
            let key = part_key(key, index);
            let sequence = self.head.sequence;
            let value = envelope::seal(&Part {
                shape,
                realm: RECORD,
                index,
                count,
                sequence,
                body,
                crc: 0,
            });
            self.head.add(&key, &open(&value)?);
            self.writes.insert(key, Some(value));
        }
        Ok(())
    }

    fn link(&mut self, id: &ActionId, revision: u64, body: &[u8]) -> Result<(), Trouble> {
        let number = self.head.next_link;
        let link = Link::new(&self.head.chain_head, number, id.as_str(), revision, body);
        let text = serde_json::to_vec(&link).map_err(|fault| unstorable("a link", &fault))?;
        let value = alone(b'c', self.head.sequence, &text);
        self.writes.insert(Link::key(number), Some(value));
        self.head.chain_head = link.hash;
        self.head.next_link += 1;
        Ok(())
    }

    fn prune_links(&mut self, old: &dyn Entries) -> Result<(), Trouble> {
        while KEPT_LINKS < self.head.next_link - self.head.first_link {
            let key = Link::key(self.head.first_link);
            let value = self.get(old, &key)?;
            let value = value
                .ok_or_else(|| Trouble::damaged("a link of the chain of intents is missing"))?;
            let link: Link = serde_json::from_slice(open(&value)?.body).map_err(|fault| {
                Trouble::damaged(format!("a link of the chain of intents: {fault}"))
            })?;
            self.head.chain_base = link.hash;
            self.head.first_link += 1;
            self.writes.insert(key, None);
        }
        Ok(())
    }

    fn get(&self, old: &dyn Entries, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        match self.writes.get(key) {
            Some(written) => Ok(written.clone()),
            None => old.get(key),
        }
    }

    /// What is stored under this key now, this commit's own writes included.
    fn stored(&self, old: &dyn Entries, kind: Kind, key: &[u8]) -> Result<Stored, Trouble> {
        let mut found = Stored {
            parts: Vec::new(),
            revision: None,
        };
        let first = part_key(key, 0);
        let Some(value) = self.get(old, &first)? else {
            return Ok(found);
        };
        let (shape, count) = {
            let part = open(&value)?;
            (part.shape, part.count)
        };
        found.parts.push((first, value));
        for index in 1..count {
            let key = part_key(key, index);
            let value = self.get(old, &key)?;
            let value = value.ok_or_else(|| {
                Trouble::damaged(format!(
                    "a part of a record of kind {} is missing",
                    kind.name()
                ))
            })?;
            found.parts.push((key, value));
        }
        if kind == Kind::Intent {
            let mut body = Vec::new();
            for (_, value) in &found.parts {
                body.extend(open(value)?.body);
            }
            let stored = record::from_bytes(shape, kind, &body)
                .map_err(|wrong| Trouble::damaged(format!("an intent cannot be read: {wrong}")))?;
            if let Record::Intent(intent) = stored {
                found.revision = Some(intent.revision);
            }
        }
        Ok(found)
    }
}

struct Stored {
    parts: Vec<(Vec<u8>, Vec<u8>)>,
    revision: Option<u64>,
}

/// The name under which the chain knows an entry of the audit trail; no intent is called like it.
pub(crate) fn entry_name(number: u64) -> ActionId {
    ActionId::new(format!("{ENTRY}{number}"))
}

/// What the names of entries begin with.
pub(crate) const ENTRY: &str = "entry-";

/// The key of one part of a record.
pub(crate) fn part_key(key: &[u8], index: u16) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.len() + 3);
    out.push(RECORD);
    out.extend(key);
    out.extend(index.to_be_bytes());
    out
}

/// A value in one part, of the store's own kinds.
fn alone(realm: u8, sequence: u64, body: &[u8]) -> Vec<u8> {
    envelope::seal(&Part {
        shape: record::SHAPE,
        realm,
        index: 0,
        count: 1,
        sequence,
        body,
        crc: 0,
    })
}

fn open(value: &[u8]) -> Result<Part<'_>, Trouble> {
    envelope::unseal_all(value).map_err(|why| Trouble::damaged(format!("a stored value: {why}")))
}

fn unstorable(what: &str, why: &dyn std::fmt::Display) -> Trouble {
    Trouble::Refused(StoreError::Unstorable {
        what: what.to_owned(),
        why: why.to_string(),
    })
}
