//! When a cause is told as a hint: from TOML to checked rules.

use toml::de::DeTable;

use super::{
    fault::Fault,
    sheet::{Section, Sheet},
    values,
};
use crate::model::{
    hint::{
        CacheRule, CapacityRule, CarriedRule, CarrierRule, DailyRule, DeniedRule, HeadroomRule,
        HintRules, RaisedRule, ReservationRule, RetryRule, ValleyRule,
    },
    units::Share,
};

/// The rules we ship, and their only place.
pub(super) const BUILTIN: (&str, &str) = (
    "alert-rules/hints/causes.toml",
    include_str!("../../alert-rules/hints/causes.toml"),
);

/// More hints than this nobody reads.
const MOST: u32 = 10;
/// Hours of a day.
const HOURS: u32 = 24;
/// Of the last week, so many days are of the same kind at least: a weekend.
const DAYS: u32 = 2;
/// Minutes of a week; what is compared with more is not in memory.
const MINUTES: u32 = 7 * 1_440;

/// Reads the rules; `None` with at least one fault.
pub(super) fn read(name: &str, text: &str) -> (Option<HintRules>, Vec<Fault>) {
    let mut sheet = Sheet::new(name, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        sheet.syntax(errors);
        return (None, sheet.faults);
    }
    let mut root = Section::root(&table);
    let rules = Keys::of(&mut sheet, &mut root, "hints").and_then(rules);
    root.finish(&mut sheet);
    (rules.filter(|_| sheet.faults.is_empty()), sheet.faults)
}

fn rules(mut keys: Keys<'_, '_>) -> Option<HintRules> {
    let most = keys.whole("most", 0..MOST + 1);
    let window_minutes = keys.minutes("window");
    let least_refused = keys.number("least_refused", 1.0);
    let far_below = keys.share("far_below");
    let reservation = keys.table("reservation").and_then(reservation);
    let daily = keys.table("daily").and_then(daily);
    let capacity = keys.table("capacity").and_then(capacity);
    let retries = keys.table("retries").and_then(retries);
    let cache = keys.table("cache").and_then(cache);
    let carrier = keys.table("carrier").and_then(carrier);
    let carried = keys.table("carried").and_then(carried);
    let denied = keys.table("denied").and_then(denied);
    let raised = keys.table("raised").and_then(raised);
    let valley = keys.table("valley").and_then(valley);
    let headroom = keys.table("headroom").and_then(headroom);
    keys.finish();
    Some(HintRules {
        most: usize::try_from(most?).ok()?,
        window_minutes: window_minutes?,
        least_refused: least_refused?,
        far_below: far_below?,
        reservation: reservation?,
        daily: daily?,
        capacity: capacity?,
        retries: retries?,
        cache: cache?,
        carrier: carrier?,
        carried: carried?,
        denied: denied?,
        raised: raised?,
        valley: valley?,
        headroom: headroom?,
    })
}

fn reservation(mut keys: Keys<'_, '_>) -> Option<ReservationRule> {
    let (weight, room) = (keys.share("weight"), keys.number("room", 1.0));
    let freed = keys.share("freed");
    keys.finish();
    Some(ReservationRule {
        weight: weight?,
        room: room?,
        freed: freed?,
    })
}

fn daily(mut keys: Keys<'_, '_>) -> Option<DailyRule> {
    let (weight, near) = (keys.share("weight"), keys.share("near"));
    let (weight_unread, refused) = (keys.share("weight_unread"), keys.share("refused"));
    keys.finish();
    Some(DailyRule {
        weight: weight?,
        weight_unread: weight_unread?,
        near: near?,
        refused: refused?,
    })
}

fn capacity(mut keys: Keys<'_, '_>) -> Option<CapacityRule> {
    let (weight, share) = (keys.share("weight"), keys.share("share"));
    let least_errors = keys.number("least_errors", 1.0);
    keys.finish();
    Some(CapacityRule {
        weight: weight?,
        least_errors: least_errors?,
        share: share?,
    })
}

fn retries(mut keys: Keys<'_, '_>) -> Option<RetryRule> {
    let weight = keys.share("weight");
    let [started, after, through] = ["started", "after", "through"].map(|it| keys.number(it, 1.0));
    keys.finish();
    Some(RetryRule {
        weight: weight?,
        started: started?,
        after: after?,
        through: through?,
    })
}

fn cache(mut keys: Keys<'_, '_>) -> Option<CacheRule> {
    let (weight, baseline) = (keys.share("weight"), keys.minutes("baseline"));
    let [least_known, least_now] =
        ["least_known", "least_now"].map(|it| keys.whole(it, 1..MINUTES + 1));
    let (before, lost) = (keys.share("before"), keys.share("lost"));
    keys.finish();
    Some(CacheRule {
        weight: weight?,
        baseline_minutes: baseline?,
        least_known: least_known?,
        least_now: least_now?,
        before: before?,
        lost: lost?,
    })
}

fn carrier(mut keys: Keys<'_, '_>) -> Option<CarrierRule> {
    let (weight, share) = (keys.share("weight"), keys.share("share"));
    keys.finish();
    Some(CarrierRule {
        weight: weight?,
        share: share?,
    })
}

fn carried(mut keys: Keys<'_, '_>) -> Option<CarriedRule> {
    let (weight, share) = (keys.share("weight"), keys.share("share"));
    let least = keys.share("least");
    let least_days = keys.whole("least_days", 1..DAYS + 1);
    keys.finish();
    Some(CarriedRule {
        weight: weight?,
        share: share?,
        least: least?,
        least_days: least_days?,
    })
}

fn denied(mut keys: Keys<'_, '_>) -> Option<DeniedRule> {
    let (weight, share) = (keys.share("weight"), keys.share("share"));
    let [least_errors, least_plain] =
        ["least_errors", "least_plain"].map(|it| keys.number(it, 1.0));
    let fine = keys.share("fine");
    keys.finish();
    Some(DeniedRule {
        weight: weight?,
        least_errors: least_errors?,
        share: share?,
        least_plain: least_plain?,
        fine: fine?,
    })
}

fn raised(mut keys: Keys<'_, '_>) -> Option<RaisedRule> {
    let (weight, within) = (keys.share("weight"), keys.minutes("within"));
    let share = keys.share("share");
    keys.finish();
    Some(RaisedRule {
        weight: weight?,
        within_minutes: within?,
        share: share?,
    })
}

fn valley(mut keys: Keys<'_, '_>) -> Option<ValleyRule> {
    let weight = keys.share("weight");
    let (peak, quiet) = (keys.share("peak"), keys.share("quiet"));
    let [hours, least_known] = ["hours", "least_known"].map(|it| keys.whole(it, 1..HOURS + 1));
    keys.finish();
    Some(ValleyRule {
        weight: weight?,
        peak: peak?,
        quiet: quiet?,
        hours: hours?,
        least_known: least_known?,
    })
}

fn headroom(mut keys: Keys<'_, '_>) -> Option<HeadroomRule> {
    let weight = keys.share("weight");
    let (free, known) = (keys.share("free"), keys.share("known"));
    keys.finish();
    Some(HeadroomRule {
        weight: weight?,
        free: free?,
        known: known?,
    })
}

/// A table whose keys are all required.
struct Keys<'s, 't> {
    sheet: &'s mut Sheet,
    table: Section<'t>,
}

impl<'s, 't> Keys<'s, 't> {
    fn of(sheet: &'s mut Sheet, from: &mut Section<'t>, key: &'static str) -> Option<Self> {
        let table = from.take(key).and_then(|it| sheet.table(&it));
        let table = sheet.require(from, key, "a table", table)?;
        Some(Self { sheet, table })
    }

    fn table(&mut self, key: &'static str) -> Option<Keys<'_, 't>> {
        Keys::of(self.sheet, &mut self.table, key)
    }

    fn share(&mut self, key: &'static str) -> Option<Share> {
        let written = self.table.take(key);
        let share = written.and_then(|it| self.sheet.parsed(&it, values::share));
        self.sheet.require(&self.table, key, "\"40 %\"", share)
    }

    fn minutes(&mut self, key: &'static str) -> Option<i64> {
        let written = self.table.take(key);
        let minutes = written.and_then(|it| self.sheet.parsed(&it, values::minutes));
        self.sheet.require(&self.table, key, "\"1h\"", minutes)
    }

    fn number(&mut self, key: &'static str, least: f64) -> Option<f64> {
        let written = self.table.take(key);
        let number = written.and_then(|it| self.sheet.number(&it, least));
        self.sheet.require(&self.table, key, "10", number)
    }

    fn whole(&mut self, key: &'static str, range: std::ops::Range<u32>) -> Option<u32> {
        let written = self.table.take(key);
        let number = written.and_then(|it| self.sheet.whole(&it, range));
        self.sheet.require(&self.table, key, "4", number)
    }

    fn finish(self) {
        self.table.finish(self.sheet);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_we_ship_are_whole() {
        let (rules, faults) = read(BUILTIN.0, BUILTIN.1);
        assert!(faults.is_empty(), "{faults:?}");
        assert!((1..=5).contains(&rules.unwrap().most), "at most a handful");
    }

    #[test]
    fn what_is_wrong_is_told_all_at_once() {
        let text = BUILTIN
            .1
            .replace("most = 4", "most = 400")
            .replace("freed = \"20 %\"", "fred = \"20 %\"")
            .replace("far_below = \"60 %\"", "far_below = \"160 %\"");
        let (rules, faults) = read("causes.toml", &text);
        assert!(rules.is_none());
        let keys: Vec<_> = faults.iter().filter_map(Fault::key).collect();
        for key in ["hints.most", "hints.far_below", "hints.reservation.fred"] {
            assert!(keys.contains(&key), "{keys:?}");
        }
    }
}
