//! One past minute again: what each rule says at its end, and from which numbers. For "why did nothing fire at 14:05?".
//!
//! The verdicts are those of [`super::judge_some`], over a book that ends with the minute; beside them stand the looks that
//! they were made from. Nothing is judged here.

use std::collections::BTreeSet;

use super::{
    FIRST_LOOK_MINUTES, Taught, bounds, judge_some, learn, learned,
    observer::Observer,
    observer::day_start,
    strip::Strip,
    yardstick::{Look, Yardstick},
};
use crate::model::{
    alert::Verdict,
    book::Book,
    calendar::Calendar,
    catalog::Pool,
    ids::QuotaCode,
    rule::{Condition, Rule, Rules},
    series::PoolSeries,
    time::Minute,
    units::{Amount, QuotaKind},
};

/// What one minute says by one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Over the limit.
    Bad,
    /// Neither over the limit nor low enough for an alert to end.
    Between,
    /// Fine.
    Good,
    /// No evidence.
    Unclear,
}

impl Says {
    /// The name in JSON and texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Between => "between",
            Self::Good => "good",
            Self::Unclear => "unclear",
        }
    }
}

impl From<Look> for Says {
    fn from(look: Look) -> Self {
        match look {
            Look::Bad => Self::Bad,
            Look::Between => Self::Between,
            Look::Good => Self::Good,
            Look::Unclear => Self::Unclear,
        }
    }
}

/// A look at a minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Which.
    pub minute: Minute,
    /// What it says.
    pub says: Says,
    /// The number it says it with; none where it is unclear.
    pub value: Option<f64>,
}

/// The lines that use of a quota is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Which quota.
    pub kind: QuotaKind,
    /// Its code.
    pub code: QuotaCode,
    /// Its value then.
    pub quota: Amount,
    /// Whether that is AWS's default because no applied value is recorded.
    pub is_default: bool,
    /// Bad from here.
    pub above: Amount,
    /// Good below here.
    pub clear: Amount,
}

/// What one rule says of the minute.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// The rule as it is for this pool.
    pub rule: Rule,
    /// `None`: the rule is not about this pool.
    pub verdict: Option<Verdict>,
    /// For use of a quota.
    pub line: Option<Line>,
    /// The rule's window, ending with the minute. Empty for rules that ask for the pool's past.
    pub seen: Vec<Seen>,
    /// Good minutes in a row up to the minute, counted up to what ends an alert.
    pub good_run: u32,
}

impl Moment {
    /// Why the rule is not about the pool, as a sentence fragment; `None` where it is.
    #[must_use]
    pub fn is_not_for(&self, pool: &Pool) -> Option<&'static str> {
        if self.verdict.is_some() {
            return None;
        }
        Some(match &self.rule.condition {
            Condition::QuotaShare { .. } | Condition::RunsOut { .. } => {
                "the account lists no such quota for this model"
            }
            Condition::Unusual(sought) if learned::applies(sought.trouble(), pool) => {
                "too little is known of this pool"
            }
            Condition::Unusual(_) | Condition::Count { .. } | Condition::Slow { .. } => {
                "the pool's endpoint does not publish what the rule is about"
            }
            Condition::Ends { .. } => "AWS announced no end of this model",
        })
    }
}

/// What each rule of the pool says at the end of `minute`, sorted by rule. `book` and `calendar` are those of then: the book
/// holds no minute after it, and quotas with the values that they had.
///
/// An alert that had been on for longer than a day before is found again where it still is.
#[must_use]
pub fn at(
    rules: &Rules,
    calendar: &Calendar,
    book: &Book,
    pool: &Pool,
    minute: Minute,
) -> Vec<Moment> {
    let nothing = PoolSeries::default();
    let series = book.series.get(&pool.id).unwrap_or(&nothing);
    let end = minute.plus(1);
    // As after a start: learned up to a day ago, judged since.
    let known = end.plus(-FIRST_LOOK_MINUTES);
    let learned = learn(rules, calendar, book, pool, series, known);
    let mut taught = Taught::from([(pool.id.clone(), learned)]);
    let due = BTreeSet::from([pool.id.clone()]);
    let mut verdicts = judge_some(rules, calendar, book, &mut taught, &due, end.start());
    let of_pool = rules.of(&pool.id);
    let moments = of_pool.iter().map(|rule| {
        let found = verdicts.iter().position(|it| it.rule == rule.name);
        let verdict = found.map(|index| verdicts.swap_remove(index));
        let yardstick = Yardstick::of(&rule.condition, pool, bounds(book, pool));
        let yardstick = yardstick.filter(|_| !rule.condition.is_learned());
        let (seen, good_run) = yardstick.as_ref().map_or((Vec::new(), 0), |yardstick| {
            looks(rule, yardstick, calendar, pool, series, minute)
        });
        let line = yardstick.as_ref().and_then(line);
        Moment {
            rule: rule.clone(),
            verdict,
            line,
            seen,
            good_run,
        }
    });
    moments.collect()
}

/// The looks of the window, and the run of good ones that ends with the minute.
fn looks(
    rule: &Rule,
    yardstick: &Yardstick<'_>,
    calendar: &Calendar,
    pool: &Pool,
    series: &PoolSeries,
    minute: Minute,
) -> (Vec<Seen>, u32) {
    let end = minute.plus(1);
    let first = end.plus(-i64::from(rule.window.of().max(rule.clear_minutes)));
    let signals = yardstick.signals().iter().copied();
    let strip = Strip::cut(series, day_start(first), end, signals);
    let strip = strip.within(calendar.windows_of(&pool.id));
    let mut observer = Observer::new(yardstick, &strip, first);
    let looks = first.until(end).map(|minute| {
        let (look, value) = observer.look(minute);
        Seen {
            minute,
            says: look.into(),
            value,
        }
    });
    let looks: Vec<Seen> = looks.collect();
    let mut good_run = 0;
    for seen in looks.iter().rev() {
        if seen.says != Says::Good {
            break;
        }
        good_run += 1;
    }
    let before = looks.len().saturating_sub(usize::from(rule.window.of()));
    (looks.into_iter().skip(before).collect(), good_run)
}

fn line(yardstick: &Yardstick<'_>) -> Option<Line> {
    let Yardstick::QuotaShare(line) = yardstick else {
        return None;
    };
    Some(Line {
        kind: line.kind,
        code: line.code.clone(),
        quota: line.quota,
        is_default: line.is_default,
        above: line.quota.at(line.above),
        clear: line.quota.at(line.clear),
    })
}

#[cfg(test)]
mod tests;
