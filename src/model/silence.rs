//! Silences: what a person wants not to hear of for a while, and why.
//!
//! A silence holds messages back and nothing else: what it fits is still judged, opened and shown.

use super::{ids::SilenceId, incident::Incident, selector::Selector, time::Timestamp};

/// A silence. It always ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Derived from what it says and when it was made.
    pub id: SilenceId,
    /// Which alerts nobody hears of.
    pub selector: Selector,
    /// Who made it.
    pub by: String,
    /// Why.
    pub why: String,
    /// When it was made.
    pub created: Timestamp,
    /// From when it holds.
    pub from: Timestamp,
    /// Until when, exclusive; where it was ended early, when that was.
    pub until: Timestamp,
    /// Whether nothing is asked of AWS either for what it fits.
    pub holds_requests: bool,
    /// Who ended it early.
    pub expired_by: Option<String>,
}

/// Where a silence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SilenceState {
    /// Holds now.
    Active,
    /// Holds later.
    Pending,
    /// Is over.
    Ended,
}

impl SilenceState {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Active, Self::Pending, Self::Ended];

    /// The name in JSON and texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Ended => "ended",
        }
    }
}

/// Silences that have not ended, at most. More than that is a configuration that should be changed instead.
pub const MOST_SILENCES: usize = 200;
/// How long ended silences are kept, in minutes: 30 days.
pub const KEPT_MINUTES: i64 = 30 * 1_440;
/// The longest silence, in minutes: a year. What nobody wants to hear of for longer is a rule to switch off.
pub const LONGEST_MINUTES: i64 = 366 * 1_440;

impl Silence {
    /// Where it stands at this instant.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> SilenceState {
        if self.until <= now {
            SilenceState::Ended
        } else if now < self.from {
            SilenceState::Pending
        } else {
            SilenceState::Active
        }
    }
}

/// The silences under which nobody hears of this incident now; none unless each of its alerts is silenced.
///
/// An alert counts while it is on; of an incident that is over, all count.
pub fn covering<'a>(
    silences: impl IntoIterator<Item = &'a Silence>,
    incident: &Incident,
    now: Timestamp,
) -> Vec<&'a Silence> {
    let active = silences.into_iter();
    let active = active.filter(|it| it.state(now) == SilenceState::Active);
    let active: Vec<&Silence> = active
        .filter(|it| it.selector.fits_some(incident))
        .collect();
    let category = incident.cause.category();
    let is_covered = incident.counting().all(|key| {
        let mut fitting = active.iter();
        fitting.any(|it| it.selector.fits(&key.rule, category, &key.pool))
    });
    if is_covered { active } else { Vec::new() }
}

#[cfg(test)]
mod tests;
