//! Use against the lines that rules draw below a quota, and whether that is news.
//!
//! A minute is bad as in `hold`: use is at or above `above` of the quota. So many bad minutes of so many begin an alert, a
//! run of good ones ends it. But a share alone cries wolf: most pools that reach 80 % of a quota do so every day and never
//! run out. What is told is less:
//! - *known*: what was told is known for some days after it was so last. A pool that is as high each day at two is told
//!   once, and then only when half of the room that was left at its highest is gone: 82 % is followed by 91 %, that by
//!   95.5 %. Half, because it means the same wherever it begins. So is an exhausted quota known: refused requests
//!   have their own alert;
//! - *chance*: where a forecast is at hand it has to agree. Where none is (the first two days, a rule switched off) the
//!   share stands alone, as it does without any forecast.
//!
//! What fools it: a rhythm of more than the days it is known for is told each time; a pool that has just been seen for the
//! first time is told once, however old its rhythm. Cold start: nothing is known, so all is told. A quota of another value
//! begins anew.

use serde::{Deserialize, Serialize};

use crate::{
    engine::{
        detect::short,
        yardstick::{Look, Use, look_at_share},
    },
    model::{
        rule::{News, Window},
        time::Minute,
        units::{Amount, Share},
    },
};

/// The part of the room left that has to be gone until what is known is told again.
const WORSE: f64 = 0.5;

/// What a rule asks of the use of a quota.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sought {
    pub(super) above: Share,
    pub(super) clear: Share,
    pub(super) news: News,
    pub(super) window: Window,
    pub(super) clear_minutes: u8,
}

/// What is seen of the quota in one minute, beside its use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    pub(super) minute: Minute,
    /// `None` where it is not known.
    pub(super) quota: Option<Amount>,
    /// What three of the last five minutes reached, or the day so far, as a share of the quota.
    pub(super) level: f64,
    /// By the forecast, within 24 hours; `None` without one.
    pub(super) chance: Option<f64>,
    /// When the quota was exhausted last, before this minute.
    pub(super) exhausted: Option<Minute>,
}

/// Why what is true is not told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Withheld {
    /// It was as high before.
    Known { last: Minute, again_from: f64 },
    /// The quota was exhausted before.
    Exhausted(Minute),
    /// The forecast does not agree.
    Unlikely { chance: f64, least: Share },
}

/// The lines of one quota.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Lines {
    /// The value that they were drawn below last.
    quota: Option<f64>,
    each: Vec<Line>,
}

/// One line, and where use stands to it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Line {
    of: Of,
    /// The last minutes, the newest in the lowest bit: whether they were bad.
    bad: u64,
    /// Good minutes in a row.
    good: u8,
    pub(super) is_on: bool,
    /// The last minute that proved anything.
    looked: Option<i32>,
    /// The highest level that was told; 0 where nothing was.
    told: f32,
    /// When the line was reached last by as many minutes as it takes.
    last: i32,
}

/// By what lines are told apart: basis points, and how many bad minutes of how many it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Of(u16, u8, u8);

impl Of {
    const fn new(sought: &Sought) -> Self {
        Self(
            sought.above.basis_points(),
            sought.window.bad(),
            sought.window.of(),
        )
    }
}

impl Lines {
    /// Takes in a minute: its use by each line that is sought. Of the past nothing is told, so that what is still so is
    /// told in the present.
    pub(super) fn step(&mut self, sought: &[Sought], used: Use, scene: &Scene, is_past: bool) {
        let known = scene.quota.map(Amount::get);
        if known.is_some() && self.quota.map(f64::to_bits) != known.map(f64::to_bits) {
            self.quota = known;
            for line in &mut self.each {
                line.told = 0.0;
            }
        }
        let is_sought = |line: &Line| sought.iter().any(|it| Of::new(it) == line.of);
        self.each.retain(is_sought);
        for (at, one) in sought.iter().enumerate() {
            let of = Of::new(one);
            if sought.iter().take(at).any(|it| Of::new(it) == of) {
                continue; // the same line twice
            }
            let found = self.each.iter().position(|line| line.of == of);
            let at = found.unwrap_or_else(|| {
                self.each.push(Line::new(of));
                self.each.len() - 1
            });
            if let Some(line) = self.each.get_mut(at) {
                line.step(one, used, scene, is_past);
            }
        }
    }

    pub(super) fn get(&self, sought: &Sought) -> Option<&Line> {
        let of = Of::new(sought);
        self.each.iter().find(|line| line.of == of)
    }
}

impl Line {
    const fn new(of: Of) -> Self {
        Self {
            of,
            bad: 0,
            good: 0,
            is_on: false,
            looked: None,
            told: 0.0,
            last: 0,
        }
    }

    fn step(&mut self, sought: &Sought, used: Use, scene: &Scene, is_past: bool) {
        let look = scene.quota.map_or(Look::Unclear, |quota| {
            look_at_share(used, quota, sought.above, sought.clear)
        });
        self.bad = self.bad << 1 | u64::from(look == Look::Bad);
        self.good = if look == Look::Good {
            self.good.saturating_add(1)
        } else {
            0
        };
        if look != Look::Unclear {
            self.looked = Some(short(scene.minute));
        }
        let is_full = self.is_full(sought);
        if self.is_on && !is_full && sought.clear_minutes <= self.good {
            self.is_on = false;
        }
        let is_begun = look == Look::Bad && is_full && !self.is_on;
        if is_begun && (is_past || self.withheld(sought, scene).is_none()) {
            self.is_on = true;
        }
        if !is_full {
            return;
        }
        if self.is_on && !is_past {
            #[expect(clippy::cast_possible_truncation, reason = "a share, to some digits")]
            let level = scene.level.max(sought.above.factor()) as f32;
            self.told = level.max(self.told_by(sought, scene.minute).unwrap_or(0.0));
        }
        self.last = short(scene.minute);
    }

    /// The highest level that people still know of.
    fn told_by(&self, sought: &Sought, minute: Minute) -> Option<f32> {
        let age = minute.since(Minute(self.last.into()));
        (0.0 < self.told && age < sought.news.known_minutes).then_some(self.told)
    }

    fn is_full(&self, sought: &Sought) -> bool {
        let window = u64::MAX >> (64 - u32::from(sought.window.of()));
        u32::from(sought.window.bad()) <= (self.bad & window).count_ones()
    }

    /// Why an alert does not begin although the line is reached, if it does not.
    pub(super) fn withheld(&self, sought: &Sought, scene: &Scene) -> Option<Withheld> {
        let minute = scene.minute;
        if let Some(told) = self.told_by(sought, minute).map(f64::from) {
            let again_from = told + WORSE * (1.0 - told);
            if 1.0 <= told || scene.level < again_from {
                let last = Minute(self.last.into());
                return Some(Withheld::Known { last, again_from });
            }
        }
        let is_known = |at: &Minute| minute.since(*at) < sought.news.known_minutes;
        if let Some(at) = scene.exhausted.filter(is_known) {
            return Some(Withheld::Exhausted(at));
        }
        let (chance, least) = scene.chance.zip(sought.news.chance)?;
        (chance < least.factor()).then_some(Withheld::Unlikely { chance, least })
    }

    /// The last minute that proved anything.
    pub(super) fn looked(&self) -> Option<Minute> {
        self.looked.map(|it| Minute(it.into()))
    }

    /// Whether this minute was bad.
    pub(super) fn is_bad(&self, minute: Minute) -> bool {
        self.looked() == Some(minute) && self.bad & 1 == 1
    }

    /// Whether this minute was neither bad nor good.
    pub(super) fn is_between(&self, minute: Minute) -> bool {
        self.looked() == Some(minute) && self.bad & 1 == 0 && self.good == 0
    }

    /// Whether any minute of the window was bad.
    pub(super) fn is_near(&self, sought: &Sought) -> bool {
        let window = u64::MAX >> (64 - u32::from(sought.window.of()));
        self.bad & window != 0
    }

    /// Whether the line is reached by as many minutes as it takes.
    pub(super) fn is_reached(&self, sought: &Sought) -> bool {
        self.is_full(sought)
    }
}

impl std::fmt::Display for Withheld {
    /// A whole sentence without its final stop.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known { last, again_from } if *again_from < 1.0 => write!(
                f,
                "no news: it was as high before, last at {last}, and is told again from {:.0} % of the quota on",
                100.0 * again_from
            ),
            Self::Known { last, .. } => {
                write!(
                    f,
                    "no news: the whole quota was used before, last at {last}"
                )
            }
            Self::Exhausted(at) => write!(f, "no news: the quota was exhausted at {at}"),
            Self::Unlikely { chance, least } => write!(
                f,
                "no news: by the forecast the quota runs out within 24 hours with {:.0} %, it takes {least}",
                100.0 * chance
            ),
        }
    }
}

#[cfg(test)]
mod tests;
