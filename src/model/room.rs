//! Room on the disk that the service writes to: how much is left, how fast it shrinks, and what that means.

use std::{collections::VecDeque, fmt};

use super::time::{HOUR, Minute, Timestamp};

/// What the operator wants of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomBounds {
    /// Bytes that are held beside the ledger and given back before the disk is full; zero holds none.
    pub reserve: u64,
    /// People hear of it when fewer bytes are free.
    pub warn_below: u64,
}

/// With fewer bytes free than this the ledger lives on its reserve. Its engine writes half a megabyte at a time, and a cycle
/// over hundreds of pools a few megabytes.
pub const FLOOR: u64 = 16_000_000;
/// So much more than the bound, in percent, is enough to say that there is room again: a disk that stays near it is told once.
const ENOUGH_PERCENT: u64 = 110;
/// Minutes between two looks that are remembered.
const APART: i64 = 10;
/// How many are: six hours.
const MOST_LOOKS: usize = 36;

/// The first part of the step of each message about it; the state follows.
pub const STEP: &str = "disk/";

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Free bytes where the ledger is, for a process without special rights. The reserve is not among them.
    pub free: u64,
    /// Free bytes where the history is, if that is another file system.
    pub history_free: Option<u64>,
    /// Bytes of the reserve that are held now.
    pub reserve: u64,
    /// Bytes of it when it is whole.
    pub wanted: u64,
}

impl Room {
    /// Whether the ledger lives on what is left of its reserve.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.reserve < self.wanted || self.free < FLOOR
    }

    /// The fewer of both free bytes.
    fn least(&self) -> u64 {
        self.history_free.map_or(self.free, |it| it.min(self.free))
    }
}

/// What is to be done with a reserve of which `held` bytes of `wanted` are there while `free` are free beside it.
///
/// Returns how many it shall have. It is given back bit by bit, as far as the floor lacks it: whoever fills the disk would take
/// all of it at once. It is made anew as a whole, with room to spare, so that it does not come and go.
#[must_use]
pub const fn reserve_of(wanted: u64, held: u64, free: u64) -> u64 {
    if free < FLOOR {
        return held.saturating_sub(FLOOR - free);
    }
    let missing = wanted.saturating_sub(held);
    if missing.saturating_add(2 * FLOOR) <= free {
        wanted
    } else {
        held
    }
}

/// How it stands with the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoomState {
    /// Enough.
    Ample,
    /// Less than people want.
    Low,
    /// The ledger lives on its reserve: messages go out, nothing is filed.
    Short,
}

impl RoomState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ample, Self::Low, Self::Short];

    /// The name in ids and attributes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ample => "ample",
            Self::Low => "low",
            Self::Short => "short",
        }
    }

    /// The state after a look, from the one before it.
    #[must_use]
    pub fn after(self, room: &Room, warn_below: u64) -> Self {
        let enough = warn_below.saturating_mul(ENOUGH_PERCENT) / 100;
        let bound = if self == Self::Ample {
            warn_below
        } else {
            enough
        };
        if room.is_short() {
            Self::Short
        } else if room.least() < bound {
            Self::Low
        } else {
            Self::Ample
        }
    }
}

/// What was seen of the room lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSeen {
    /// At the last look.
    pub room: Room,
    /// What that means.
    pub state: RoomState,
    /// Since when.
    pub since: Timestamp,
    /// Free bytes of the last hours, oldest first.
    looks: VecDeque<(Timestamp, u64)>,
}

impl RoomSeen {
    /// The first look. `before` is what people heard last.
    #[must_use]
    pub fn first(room: Room, before: RoomState, warn_below: u64, now: Timestamp) -> Self {
        Self {
            room,
            state: before.after(&room, warn_below),
            since: now,
            looks: VecDeque::from([(now, room.least())]),
        }
    }

    /// Another look.
    pub fn look(&mut self, room: Room, warn_below: u64, now: Timestamp) {
        let state = self.state.after(&room, warn_below);
        if state != self.state {
            self.since = now;
        }
        self.state = state;
        self.room = room;
        let last = self.looks.back().map(|(at, _)| Minute::of(*at));
        if last.is_none_or(|last| APART <= Minute::of(now).since(last)) {
            self.looks.push_back((now, room.least()));
        }
        while MOST_LOOKS < self.looks.len() {
            self.looks.pop_front();
        }
    }

    /// Bytes by which it shrinks an hour, and the hours until nothing is left; `None` while it does not, or that is not known.
    #[must_use]
    pub fn shrinks(&self) -> Option<(u64, u64)> {
        let (first, last) = (self.looks.front()?, self.looks.back()?);
        let minutes = u64::try_from(Minute::of(last.0).since(Minute::of(first.0))).ok()?;
        let lost = first.1.checked_sub(last.1)?;
        let an_hour = lost
            .saturating_mul(HOUR.unsigned_abs())
            .checked_div(minutes)?;
        let hours = self.room.least().checked_div(an_hour)?;
        Some((an_hour, hours))
    }

    /// How it stands, in figures; a sentence without its final stop.
    #[must_use]
    pub fn words(&self) -> String {
        let Room {
            free,
            history_free,
            reserve,
            wanted,
        } = self.room;
        let mut text = format!("{} free where the ledger is", Bytes(free));
        if let Some(free) = history_free {
            text += &format!(", {} where the history is", Bytes(free));
        }
        if 0 < wanted {
            let left = if reserve < wanted {
                format!("{} of the reserve of {}", Bytes(reserve), Bytes(wanted))
            } else {
                format!("a reserve of {}", Bytes(wanted))
            };
            text += &format!(", and {left} beside that");
        }
        text += &match self.shrinks() {
            Some((an_hour, 0)) => {
                format!(
                    "; it shrinks by {} an hour, and is full within the hour",
                    Bytes(an_hour)
                )
            }
            Some((an_hour, hours)) => {
                format!(
                    "; it shrinks by {} an hour, and is full in about {hours} h",
                    Bytes(an_hour)
                )
            }
            None => String::new(),
        };
        text
    }
}

/// Bytes for people: three digits at most, powers of a thousand.
#[derive(Clone, Copy, Debug)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [
            (1_000_000_000_000, "TB"),
            (1_000_000_000, "GB"),
            (1_000_000, "MB"),
            (1_000, "KB"),
        ];
        let Some((unit, name)) = units.into_iter().find(|(unit, _)| *unit <= self.0) else {
            return write!(f, "{} B", self.0);
        };
        let (whole, tenths) = (self.0 / unit, self.0 % unit * 10 / unit);
        if whole < 10 && 0 < tenths {
            write!(f, "{whole}.{tenths} {name}")
        } else {
            write!(f, "{whole} {name}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::after;

    const MB: u64 = 1_000_000;

    fn room(free: u64, reserve: u64) -> Room {
        Room {
            free,
            history_free: None,
            reserve,
            wanted: 64 * MB,
        }
    }

    #[test]
    fn a_reserve_is_given_back_as_far_as_the_floor_lacks_it_and_made_anew_as_a_whole() {
        let next = |held, free| reserve_of(64 * MB, held * MB, free * MB) / MB;
        assert_eq!(next(64, 500), 64);
        assert_eq!(next(64, 10), 58, "6 are missing");
        assert_eq!(next(3, 0), 0);
        assert_eq!(next(58, 20), 58, "enough to go on, and not to spare");
        assert_eq!(next(58, 40), 64);
        assert_eq!(next(0, 95), 0);
        assert_eq!(next(0, 96), 64);
    }

    #[test]
    fn a_disk_near_its_bound_is_told_once() {
        let warn = 1_000 * MB;
        let mut state = RoomState::Ample;
        let mut states = Vec::new();
        for free in [1_001, 999, 1_005, 1_099, 1_100, 1_050, 10] {
            state = state.after(&room(free * MB, 64 * MB), warn);
            states.push(state.name());
        }
        assert_eq!(
            states,
            ["ample", "low", "low", "low", "ample", "ample", "short"]
        );
        assert_eq!(state.after(&room(50 * MB, 10 * MB), warn), RoomState::Short);
        assert_eq!(
            state.after(&room(5_000 * MB, 64 * MB), warn),
            RoomState::Ample
        );
        let elsewhere = Room {
            history_free: Some(MB),
            ..room(5_000 * MB, 64 * MB)
        };
        assert_eq!(
            state.after(&elsewhere, warn),
            RoomState::Low,
            "filing goes on"
        );
    }

    #[test]
    fn how_fast_it_shrinks_and_how_long_it_lasts() {
        let now: Timestamp = "2026-01-05T10:00:00Z".parse().unwrap();
        let mut seen = RoomSeen::first(room(900 * MB, 64 * MB), RoomState::Ample, 1_000 * MB, now);
        assert_eq!(
            seen.words(),
            "900 MB free where the ledger is, and a reserve of 64 MB beside that"
        );
        for minute in 1..=60 {
            let free = 900 * MB - minute * 3 * MB;
            let at = after(now, i64::try_from(minute).unwrap());
            seen.look(room(free, 64 * MB), 1_000 * MB, at);
        }
        assert_eq!(seen.shrinks(), Some((180 * MB, 4)));
        assert_eq!((seen.state, seen.since), (RoomState::Low, now));
        assert_eq!(
            seen.words(),
            "720 MB free where the ledger is, and a reserve of 64 MB beside that; it shrinks by 180 MB an hour, and is full in about 4 h"
        );
        seen.look(room(9 * MB + MB / 2, 12 * MB), 1_000 * MB, after(now, 61));
        assert!(seen.words().starts_with(
            "9.5 MB free where the ledger is, and 12 MB of the reserve of 64 MB beside that"
        ));
        for minute in 62..1_000 {
            seen.look(room(2_000 * MB, 64 * MB), 1_000 * MB, after(now, minute));
        }
        assert_eq!(seen.shrinks(), None);
        assert_eq!(seen.looks.len(), MOST_LOOKS);
    }
}
