//! What a record is stored under: bytes that sort like the keys of the book and that never begin one another.

use crate::model::{
    book::{Key, Record},
    catalog::PoolId,
    ids::Scope,
    time::{Minute, Timestamp},
};

/// The kind of a record, in the order in which they are stored and dumped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Incident,
    Intent,
    Ask,
    Investigation,
    Track,
    Target,
    Pool,
    Quota,
    QuotaChange,
    Discovered,
    ReadThrough,
    Hour,
    Catalog,
    ReadInFull,
    Spend,
    ReadInDepth,
    Silence,
    Handling,
    Entry,
    Reaches,
    UseDay,
    Tags,
    Permits,
    Ran,
}

impl Kind {
    pub(crate) const ALL: [Self; 24] = [
        Self::Incident,
        Self::Intent,
        Self::Ask,
        Self::Investigation,
        Self::Track,
        Self::Target,
        Self::Pool,
        Self::Quota,
        Self::QuotaChange,
        Self::Discovered,
        Self::ReadThrough,
        Self::Hour,
        Self::Catalog,
        Self::ReadInFull,
        Self::Spend,
        Self::ReadInDepth,
        Self::Silence,
        Self::Handling,
        Self::Entry,
        Self::Reaches,
        Self::UseDay,
        Self::Tags,
        Self::Permits,
        Self::Ran,
    ];

    pub(crate) const fn of(key: &Key) -> Self {
        match key {
            Key::Incident(_) => Self::Incident,
            Key::Intent(_) => Self::Intent,
            Key::Ask(_) => Self::Ask,
            Key::Investigation(_) => Self::Investigation,
            Key::Track(_) => Self::Track,
            Key::Target(..) => Self::Target,
            Key::Pool(_) => Self::Pool,
            Key::Quota(..) => Self::Quota,
            Key::QuotaChange(..) => Self::QuotaChange,
            Key::Discovered(_) => Self::Discovered,
            Key::ReadThrough(_) => Self::ReadThrough,
            Key::Hour(..) => Self::Hour,
            Key::Catalog(_) => Self::Catalog,
            Key::ReadInFull(_) => Self::ReadInFull,
            Key::ReadInDepth(_) => Self::ReadInDepth,
            Key::Spend(_) => Self::Spend,
            Key::Silence(_) => Self::Silence,
            Key::Handling(_) => Self::Handling,
            Key::Entry(_) => Self::Entry,
            Key::Reaches(_) => Self::Reaches,
            Key::UseDay(..) => Self::UseDay,
            Key::Tags(..) => Self::Tags,
            Key::Permits(..) => Self::Permits,
            Key::Ran(..) => Self::Ran,
        }
    }

    /// The name in dumps, counts and messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Intent => "intent",
            Self::Ask => "ask",
            Self::Investigation => "investigation",
            Self::Track => "track",
            Self::Target => "target",
            Self::Pool => "pool",
            Self::Quota => "quota",
            Self::QuotaChange => "quota-change",
            Self::Discovered => "discovered",
            Self::ReadThrough => "read-through",
            Self::Hour => "hour",
            Self::Catalog => "catalog",
            Self::ReadInFull => "read-in-full",
            Self::ReadInDepth => "read-in-depth",
            Self::Spend => "spend",
            Self::Silence => "silence",
            Self::Handling => "handling",
            Self::Entry => "entry",
            Self::Reaches => "reaches",
            Self::UseDay => "use-day",
            Self::Tags => "tags",
            Self::Permits => "permits",
            Self::Ran => "ran",
        }
    }

    const fn letter(self) -> u8 {
        match self {
            Self::Incident => b'a',
            Self::Intent => b'b',
            Self::Ask => b'c',
            Self::Investigation => b'd',
            Self::Track => b'e',
            Self::Target => b'f',
            Self::Pool => b'g',
            Self::Quota => b'h',
            Self::QuotaChange => b'i',
            Self::Discovered => b'j',
            Self::ReadThrough => b'k',
            Self::Hour => b'l',
            Self::Catalog => b'm',
            Self::ReadInFull => b'n',
            Self::Spend => b'o',
            Self::ReadInDepth => b'p',
            Self::Silence => b'q',
            Self::Handling => b's',
            Self::Entry => b't',
            Self::Reaches => b'u',
            Self::UseDay => b'v',
            Self::Tags => b'w',
            Self::Permits => b'x',
            Self::Ran => b'y',
        }
    }

    /// The kind of a stored key, without its leading `r`.
    pub(crate) fn of_bytes(key: &[u8]) -> Option<Self> {
        let letter = key.first()?;
        Self::ALL.into_iter().find(|kind| kind.letter() == *letter)
    }
}

/// The bytes of a key: the letter of its kind, then its fields. Each text ends in a zero byte, so no key begins another.
pub(crate) fn bytes(key: &Key) -> Vec<u8> {
    let mut out = Vec::with_capacity(96);
    out.push(Kind::of(key).letter());
    match key {
        Key::Incident(id) | Key::Handling(id) => text(&mut out, id.as_str()),
        Key::Silence(id) => text(&mut out, id.as_str()),
        Key::Entry(number) => out.extend(number.to_be_bytes()),
        Key::Intent(id) => text(&mut out, id.as_str()),
        Key::Ask(id) => text(&mut out, id.as_str()),
        Key::Investigation(id) => text(&mut out, id.as_str()),
        Key::Track(it) => {
            text(&mut out, it.rule.as_str());
            pool(&mut out, &it.pool);
        }
        Key::Target(its_scope, id) | Key::Tags(its_scope, id) | Key::Permits(its_scope, id) => {
            scope(&mut out, its_scope);
            text(&mut out, id.as_str());
        }
        Key::Pool(id) | Key::ReadThrough(id) | Key::ReadInFull(id) | Key::ReadInDepth(id) => {
            pool(&mut out, id)
        }
        Key::Quota(its_scope, code) => {
            scope(&mut out, its_scope);
            text(&mut out, code.as_str());
        }
        Key::QuotaChange(its_scope, code, at) => {
            scope(&mut out, its_scope);
            text(&mut out, code.as_str());
            instant(&mut out, *at);
        }
        Key::Ran(its_scope, day) => {
            scope(&mut out, its_scope);
            minute(&mut out, Minute(*day));
        }
        Key::UseDay(id, day) => {
            pool(&mut out, id);
            minute(&mut out, Minute(*day));
        }
        Key::Spend(month) => text(&mut out, &month.name()),
        Key::Discovered(its_scope) | Key::Catalog(its_scope) | Key::Reaches(its_scope) => {
            scope(&mut out, its_scope);
        }
        Key::Hour(id, hour) => {
            pool(&mut out, id);
            minute(&mut out, *hour);
        }
    }
    out
}

/// The kind of a record and its key as bytes.
pub(crate) fn of_record(record: &Record) -> (Kind, Vec<u8>) {
    let key = record.key();
    (Kind::of(&key), bytes(&key))
}

fn scope(out: &mut Vec<u8>, scope: &Scope) {
    text(out, scope.account.as_str());
    text(out, scope.region.as_str());
}

fn pool(out: &mut Vec<u8>, pool: &PoolId) {
    scope(out, &pool.scope);
    text(out, pool.family.name());
    text(out, pool.model.as_str());
}

/// A text ends in a zero byte; within it, 0 becomes 1, 1 and 1 becomes 1, 2, so that the end is never mistaken.
fn text(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            0 => out.extend([1, 1]),
            1 => out.extend([1, 2]),
            byte => out.push(byte),
        }
    }
    out.push(0);
}

/// Big-endian with the sign flipped: negative minutes sort first.
fn minute(out: &mut Vec<u8>, minute: Minute) {
    out.extend((minute.0 ^ i64::MIN).to_be_bytes());
}

fn instant(out: &mut Vec<u8>, at: Timestamp) {
    out.extend((at.as_second() ^ i64::MIN).to_be_bytes());
    // Both parts have the sign of the instant; flipped like the seconds, they sort like it.
    out.extend((at.subsec_nanosecond() ^ i32::MIN).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::{AccountId, ActionId, QuotaCode, Region, TargetId};

    #[test]
    fn no_key_begins_another_whatever_the_names() {
        let names = [
            "",
            "a",
            "ab",
            "a\0",
            "a\0b",
            "\0",
            "\u{1}",
            "\u{1}\u{1}",
            "\u{ff}",
        ];
        let mut keys = Vec::new();
        for one in names {
            keys.push(bytes(&Key::Intent(ActionId::new(one))));
            for two in names {
                let scope = Scope {
                    account: AccountId::new(one),
                    region: Region::new("r"),
                };
                keys.push(bytes(&Key::Target(scope, TargetId::new(two))));
            }
        }
        for (i, one) in keys.iter().enumerate() {
            for (j, two) in keys.iter().enumerate() {
                assert!(i == j || !two.starts_with(one), "{one:?} begins {two:?}");
            }
        }
    }

    #[test]
    fn instants_sort_in_time() {
        let scope = Scope {
            account: AccountId::new("1"),
            region: Region::new("r"),
        };
        let at = |nanos: i128| {
            let at = Timestamp::from_nanosecond(nanos).unwrap();
            bytes(&Key::QuotaChange(scope.clone(), QuotaCode::new("L"), at))
        };
        let in_order = [
            -2_000_000_001,
            -2_000_000_000,
            -1,
            0,
            1,
            1_000_000_000,
            1_000_000_001,
        ];
        let keys: Vec<_> = in_order.into_iter().map(at).collect();
        assert!(keys.is_sorted());
    }
}
