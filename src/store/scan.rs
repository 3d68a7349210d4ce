//! Reads everything and believes nothing: CRC, parts, sum, sequence and chain of each value, then the value itself.

use std::collections::BTreeMap;

use super::{
    draft::ENTRY,
    envelope::{self, Part},
    head::{HEAD, Head, LINK, Link, RECORD, hex, weight},
    key::{self, Kind},
    record,
    trouble::Trouble,
};
use crate::model::{
    book::{Key, Record},
    ids::ActionId,
};

/// One record as bytes, put together from its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) kind: Kind,
    /// Key without the leading letter and the part.
    pub(crate) key: Vec<u8>,
    pub(crate) shape: u8,
    pub(crate) body: Vec<u8>,
}

/// What a walk over the whole store counted.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Counted {
    pub(crate) kinds: BTreeMap<Kind, u64>,
}

/// Reads the head from its stored value.
pub(crate) fn head(value: &[u8]) -> Result<Head, Trouble> {
    let part =
        envelope::unseal_all(value).map_err(|why| Trouble::damaged(format!("its head: {why}")))?;
    serde_json::from_slice(part.body)
        .map_err(|fault| Trouble::damaged(format!("its head: {fault}")))
}

/// Walks over all entries in key order, checks each and all together, and hands out the records as bytes.
pub(crate) fn walk<I>(
    entries: I,
    head: &Head,
    on_record: &mut dyn FnMut(Raw) -> Result<(), Trouble>,
) -> Result<Counted, Trouble>
where
    I: Iterator<Item = Result<(Vec<u8>, Vec<u8>), Trouble>>,
{
    let mut walk = Walk {
        head,
        chain: head.chain_base.clone(),
        next_link: head.first_link,
        latest: BTreeMap::new(),
        parts: 0,
        sum: 0,
        open: None,
        counted: Counted::default(),
    };
    for entry in entries {
        let (key, value) = entry?;
        walk.entry(&key, &value, on_record)?;
    }
    walk.finish(on_record)
}

/// As [`walk`], with each record decoded and compared with the key it stands under.
pub(crate) fn records<I>(
    entries: I,
    head: &Head,
    on_record: &mut dyn FnMut(Record),
) -> Result<Counted, Trouble>
where
    I: Iterator<Item = Result<(Vec<u8>, Vec<u8>), Trouble>>,
{
    walk(entries, head, &mut |raw| {
        on_record(decoded(&raw)?);
        Ok(())
    })
}

/// The record, if it belongs under its key.
pub(crate) fn decoded(raw: &Raw) -> Result<Record, Trouble> {
    let name = raw.kind.name();
    let record = record::from_bytes(raw.shape, raw.kind, &raw.body)
        .map_err(|wrong| Trouble::damaged(format!("{} cannot be read: {wrong}", place(raw))))?;
    if key::of_record(&record) != (raw.kind, raw.key.clone()) {
        let what = format!(
            "a record of kind {name} stands in the place of another, {}",
            place(raw)
        );
        return Err(Trouble::damaged(what));
    }
    Ok(record)
}

/// The record's kind and key in words.
fn place(raw: &Raw) -> String {
    let key = raw.key.get(1..).unwrap_or_default();
    let words = String::from_utf8_lossy(key).replace('\0', " ");
    format!("{} `{}`", raw.kind.name(), words.trim_end().escape_debug())
}

struct Walk<'a> {
    head: &'a Head,
    chain: String,
    next_link: u64,
    /// Per key of an intent its newest link.
    latest: BTreeMap<Vec<u8>, Link>,
    parts: u64,
    sum: u64,
    open: Option<Unfinished>,
    counted: Counted,
}

/// A record whose parts are still coming.
struct Unfinished {
    raw: Raw,
    sequence: u64,
    count: u16,
    seen: u16,
}

impl Walk<'_> {
    fn entry(
        &mut self,
        key: &[u8],
        value: &[u8],
        on_record: &mut dyn FnMut(Raw) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        if key == HEAD {
            return Ok(());
        }
        let name = || String::from_utf8_lossy(key).escape_debug().to_string();
        let part = envelope::unseal_all(value)
            .map_err(|why| Trouble::damaged(format!("the value under `{}`: {why}", name())))?;
        if self.head.sequence < part.sequence {
            return Err(Trouble::damaged(format!(
                "the value under `{}` has sequence {}, and the head knows {} only",
                name(),
                part.sequence,
                self.head.sequence
            )));
        }
        match key.split_first() {
            Some((&LINK, _)) if part.realm == LINK => self.link(key, &part),
            Some((&RECORD, rest)) if part.realm == RECORD => {
                self.parts += 1;
                self.sum = self.sum.wrapping_add(weight(key, &part));
                self.part(rest, &part, on_record)
            }
            _other => Err(Trouble::damaged(format!(
                "`{}` is not a key of ours",
                name()
            ))),
        }
    }

    fn link(&mut self, key: &[u8], part: &Part<'_>) -> Result<(), Trouble> {
        let number = self.next_link;
        let broken =
            |why: &str| Trouble::damaged(format!("the chain of intents at link {number}: {why}"));
        let link: Link =
            serde_json::from_slice(part.body).map_err(|fault| broken(&fault.to_string()))?;
        if key != Link::key(number) || link.number != number {
            return Err(broken("it is missing"));
        }
        if link.expected(&self.chain) != link.hash {
            return Err(broken("its hash does not follow from the one before"));
        }
        self.chain.clone_from(&link.hash);
        self.next_link += 1;
        let number = link.intent.strip_prefix(ENTRY);
        let number = number.and_then(|it| it.parse().ok());
        let subject = number.map_or_else(
            || Key::Intent(ActionId::new(link.intent.clone())),
            Key::Entry,
        );
        self.latest.insert(key::bytes(&subject), link);
        Ok(())
    }

    fn part(
        &mut self,
        rest: &[u8],
        part: &Part<'_>,
        on_record: &mut dyn FnMut(Raw) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let split = rest.split_last_chunk::<2>();
        let split = split
            .and_then(|(key, index)| Some((Kind::of_bytes(key)?, key, u16::from_be_bytes(*index))));
        let Some((kind, key, index)) = split else {
            return Err(Trouble::damaged("a record stands under a key that is none"));
        };
        if index != part.index {
            return Err(Trouble::damaged(format!(
                "a part of a record of kind {} is in the wrong place",
                kind.name()
            )));
        }
        if index == 0 {
            self.close(on_record)?;
            self.open = Some(Unfinished {
                raw: Raw {
                    kind,
                    key: key.to_vec(),
                    shape: part.shape,
                    body: part.body.to_vec(),
                },
                sequence: part.sequence,
                count: part.count,
                seen: 1,
            });
            return Ok(());
        }
        match &mut self.open {
            Some(open)
                if open.raw.key == key
                    && open.seen == index
                    && (open.sequence, open.count, open.raw.shape)
                        == (part.sequence, part.count, part.shape) =>
            {
                open.raw.body.extend(part.body);
                open.seen += 1;
                Ok(())
            }
            Some(_) | None => Err(Trouble::damaged(format!(
                "part {index} of a record of kind {} does not follow the part before",
                kind.name()
            ))),
        }
    }

    /// Hands out the record whose last part was seen.
    fn close(
        &mut self,
        on_record: &mut dyn FnMut(Raw) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let Some(done) = self.open.take() else {
            return Ok(());
        };
        let raw = done.raw;
        if done.seen != done.count {
            return Err(Trouble::damaged(format!(
                "{} has {} of its {} parts",
                place(&raw),
                done.seen,
                done.count
            )));
        }
        if matches!(raw.kind, Kind::Intent | Kind::Entry) {
            self.check_against_chain(&raw)?;
        }
        *self.counted.kinds.entry(raw.kind).or_insert(0) += 1;
        on_record(raw)
    }

    /// The stored intent must be the version that its newest link tells of.
    fn check_against_chain(&mut self, raw: &Raw) -> Result<(), Trouble> {
        match self.latest.remove(&raw.key) {
            Some(link) if link.revision > 0 && link.body == hex(&raw.body) => Ok(()),
            // Its links were let go from the front of the chain.
            None if self.head.first_link > 0 => Ok(()),
            Some(_) | None => Err(Trouble::damaged(format!(
                "{} is not the version that the chain of intents tells of",
                place(raw)
            ))),
        }
    }

    fn finish(
        mut self,
        on_record: &mut dyn FnMut(Raw) -> Result<(), Trouble>,
    ) -> Result<Counted, Trouble> {
        self.close(on_record)?;
        if self.next_link != self.head.next_link || self.chain != self.head.chain_head {
            return Err(Trouble::damaged(format!(
                "the chain of intents ends at link {}, and the head knows {}",
                self.next_link, self.head.next_link
            )));
        }
        if let Some(link) = self.latest.values().find(|link| link.revision > 0) {
            let kind = if link.intent.starts_with(ENTRY) {
                "audit"
            } else {
                "intent"
            };
            let what = format!(
                "{kind} `{}` is missing, and the chain of intents tells of it",
                link.intent
            );
            return Err(Trouble::damaged(what));
        }
        if (self.parts, self.sum) != (self.head.parts, self.head.sum) {
            return Err(Trouble::damaged(format!(
                "{} values are stored and {} were written, or one of them is an older version",
                self.parts, self.head.parts
            )));
        }
        Ok(self.counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        action::{Effect, Intent, IntentState},
        ids::{AccountId, IncidentId, ReceiverName, Region, Scope},
        rule::Severity,
        time::Timestamp,
    };
    use crate::store::draft::{Draft, Entries, Succession};

    type Stored = BTreeMap<Vec<u8>, Vec<u8>>;

    impl Entries for Stored {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
            Ok(BTreeMap::get(self, key).cloned())
        }
    }

    fn commit(stored: &mut Stored, head: &Head, records: &[Record]) -> Head {
        let draft = Draft::of(&*stored, head, records, Succession::Next).unwrap();
        for (key, value) in draft.writes {
            match value {
                Some(value) => drop(stored.insert(key, value)),
                None => drop(stored.remove(&key)),
            }
        }
        draft.head
    }

    fn intent(revision: u64) -> Record {
        Record::Intent(Intent {
            id: ActionId::new("act-a"),
            incident: IncidentId::new("inc-a"),
            step: "notify/1".to_owned(),
            effect: Effect::Notify {
                receiver: ReceiverName::new("on-call"),
                severity: Severity::Info,
                subject: "s".to_owned(),
                body: "b".repeat(9_000),
                notice: None,
            },
            reasons: Vec::new(),
            created: Timestamp::UNIX_EPOCH,
            state: IntentState::Sending {
                at: Timestamp::UNIX_EPOCH,
            },
            attempts: 1,
            approved_by: None,
            last_failure: None,
            approved_at: None,
            declined: 0,
            worded: None,
            revision,
        })
    }

    fn found(region: &str, second: i64) -> Record {
        let scope = Scope {
            account: AccountId::new("111122223333"),
            region: Region::new(region),
        };
        Record::Discovered(scope, Timestamp::from_second(second).unwrap())
    }

    fn checked(stored: &Stored, head: &Head) -> Result<Counted, Trouble> {
        let entries = stored.iter();
        let entries = entries.map(|(key, value)| Ok((key.clone(), value.clone())));
        records(entries, head, &mut |_| ())
    }

    /// The state after two commits, and the state before the second, which changed every record.
    fn two_commits() -> (Stored, Stored, Head) {
        let mut stored = Stored::new();
        let first = [intent(1), found("us-east-1", 1), found("eu-west-1", 1)];
        let head = commit(&mut stored, &Head::empty(1), &first);
        let before = stored.clone();
        let second = [intent(2), found("us-east-1", 2), found("eu-west-1", 2)];
        let head = commit(&mut stored, &head, &second);
        (stored, before, head)
    }

    #[test]
    fn any_one_entry_that_is_lost_is_missed() {
        let (stored, _, head) = two_commits();
        assert_eq!(checked(&stored, &head).unwrap().kinds.len(), 2);
        for key in stored.keys().filter(|key| *key != HEAD) {
            let mut less = stored.clone();
            less.remove(key);
            assert!(checked(&less, &head).is_err(), "{key:?}");
        }
    }

    #[test]
    fn any_one_entry_in_an_older_version_is_noticed() {
        let (stored, before, head) = two_commits();
        let changed = stored.iter().filter(|(key, value)| {
            *key != HEAD && before.get(*key).is_some_and(|old| old != *value)
        });
        let mut tried = 0;
        for (key, _) in changed {
            let mut older = stored.clone();
            older.insert(key.clone(), before[key].clone());
            assert!(checked(&older, &head).is_err(), "{key:?}");
            tried += 1;
        }
        assert!(tried >= 5, "{tried}");
    }

    #[test]
    fn entries_that_changed_places_are_noticed() {
        let (stored, _, head) = two_commits();
        for (one, two) in stored.keys().zip(stored.keys().skip(1)) {
            if one == HEAD || two == HEAD {
                continue;
            }
            let mut swapped = stored.clone();
            swapped.insert(one.clone(), stored[two].clone());
            swapped.insert(two.clone(), stored[one].clone());
            assert!(checked(&swapped, &head).is_err(), "{one:?} {two:?}");
        }
    }

    #[test]
    fn an_older_state_as_a_whole_does_not_fit_the_head() {
        let (_, before, head) = two_commits();
        assert!(checked(&before, &head).is_err());
    }

    fn entry(what: &str) -> Record {
        Record::Entry(crate::model::audit::Entry {
            number: 1,
            at: Timestamp::UNIX_EPOCH,
            by: Some("Kim".to_owned()),
            kind: "approve".to_owned(),
            subject: "act-a".to_owned(),
            what: what.to_owned(),
            why: None,
        })
    }

    /// Whoever rewrites an entry, with its checksum and the head, leaves the chain behind.
    #[test]
    fn an_entry_of_the_audit_trail_that_was_rewritten_breaks_the_chain() {
        let (mut stored, head) = (Stored::new(), Head::empty(1));
        let head = commit(&mut stored, &head, &[intent(1), entry("approved by Kim")]);
        let check = |stored: &Stored, head: &Head| {
            let entries = stored.clone().into_iter().map(Ok);
            records(entries, head, &mut |_| ()).map(|counted| counted.kinds)
        };
        assert_eq!(check(&stored, &head).unwrap().len(), 2);
        assert_eq!(head.next_link, 2);
        let (kind, key) = key::of_record(&entry(""));
        let body = record::to_bytes(&entry("approved by Lee"))
            .unwrap()
            .unwrap();
        let mut forged = Draft {
            writes: BTreeMap::new(),
            head: head.clone(),
        };
        let place = crate::store::draft::part_key(&key, 0);
        let old = stored[&place].clone();
        forged
            .head
            .subtract(&place, &envelope::unseal_all(&old).unwrap());
        forged.put_parts(kind, &key, record::SHAPE, &body).unwrap();
        for (key, value) in forged.writes {
            stored.insert(key, value.unwrap());
        }
        let why = format!("{:?}", check(&stored, &forged.head).unwrap_err());
        assert!(why.contains("is not the version that the chain"), "{why}");
        // And one that was taken away is missed.
        stored.remove(&place);
        forged.head = head;
        forged
            .head
            .subtract(&place, &envelope::unseal_all(&old).unwrap());
        let why = format!("{:?}", check(&stored, &forged.head).unwrap_err());
        assert!(why.contains("audit `entry-1` is missing"), "{why}");
    }
}
