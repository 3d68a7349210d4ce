//! The file that goes with words to AWS Support: hour by hour, what callers wanted, what they got, what was refused, and the
//! quota of then, over the days that Support looks at. Plain numbers: no ids but those that the words name as well.

use super::{draft::Draft, situation};
use crate::model::{
    action::Evidence,
    book::Book,
    catalog::{Family, PoolId},
    ids::{QuotaCode, Scope},
    incident::{Cause, Incident},
    series::{Sample, Signal},
    time::{DAY, HOUR, Minute},
};

/// What Support looks at, days.
const DAYS: i64 = 14;

/// The columns before the last, which is the quota. Peaks are of the busiest minute; an hour of which nothing is known has
/// empty ones, and so has what a pool does not publish. Tokens are weighted by burndown, as the quota counts them.
const HEAD: &str = "hour_utc,minutes_observed,requests_wanted,requests_accepted,requests_refused,tokens_charged,peak_requests_wanted_a_minute,peak_tokens_charged_a_minute,";

/// The file for this incident; `None` while the older minutes of its pools are not at hand, which the next plan has.
pub(super) fn of(draft: &mut Draft<'_>, incident: &Incident) -> Option<Evidence> {
    let scope = incident.cause.scope();
    let (pools, code): (Vec<PoolId>, Option<&QuotaCode>) = match &incident.cause {
        Cause::Quota { code, .. } => {
            let drained = situation::pools_of(draft.book(), scope, code);
            (drained.map(|pool| pool.id.clone()).collect(), Some(code))
        }
        Cause::Pool { .. } => (incident.pools.iter().cloned().collect(), None),
    };
    if !draft.has_past(&pools) {
        return None;
    }
    let name = match code {
        Some(code) => format!("bedrock-{code}-{}.csv", scope.region),
        None => format!("bedrock-{}.csv", scope.region),
    };
    let end = incident.last_bad.hour().plus(HOUR);
    let hours = (0..DAYS * 24).map(|hour| end.plus(-DAYS * DAY + hour * HOUR));
    let mut csv = match code {
        Some(code) => format!("{HEAD}quota_{code}\n"),
        None => format!("{HEAD}quota\n"),
    };
    for hour in hours {
        let quota = code.and_then(|code| quota_then(draft.book(), scope, code, hour));
        let line = Hour::of(draft, &pools, hour).line(hour, quota);
        csv.push_str(&line);
    }
    Some(Evidence { name, csv })
}

/// What all pools came to in an hour.
#[derive(Debug, Default)]
struct Hour {
    observed: u32,
    through: f64,
    refused: f64,
    charged: f64,
    peak_wanted: f64,
    peak_charged: f64,
    /// A pool that publishes no refusals leaves open how many there were, and what was wanted.
    hides_refusals: bool,
}

impl Hour {
    /// Minutes count where all of all pools is known: a sum with a hole would look like less use than there was.
    fn of(draft: &Draft<'_>, pools: &[PoolId], hour: Minute) -> Self {
        let mut sums = vec![Some([0.0; 3]); 60];
        for pool in pools {
            let of = |signal| draft.minutes().window(pool, signal, hour, hour.plus(HOUR));
            let through = of(Signal::Invocations);
            let (refused, charged): (Vec<Sample>, Vec<Sample>) = if pool.family == Family::Mantle {
                // No refusals and no charge are published there: input and output count as they are.
                let both = of(Signal::InputTokens).zip(of(Signal::OutputTokens));
                let tokens = both.map(|(input, output)| match (input.value(), output.value()) {
                    (Some(input), Some(output)) => Sample::Value(input + output),
                    _ => Sample::Unobserved,
                });
                (vec![Sample::Value(0.0); 60], tokens.collect())
            } else {
                (
                    of(Signal::Throttles).collect(),
                    of(Signal::ChargedTokens).collect(),
                )
            };
            let each = through.zip(refused).zip(charged);
            for (sum, ((through, refused), charged)) in sums.iter_mut().zip(each) {
                let known = (through.value(), refused.value(), charged.value());
                *sum = match (*sum, known) {
                    (Some([a, b, c]), (Some(through), Some(refused), Some(charged))) => {
                        Some([a + through, b + refused, c + charged])
                    }
                    _ => None,
                };
            }
        }
        let mut it = Self {
            hides_refusals: pools.iter().any(|it| it.family == Family::Mantle),
            ..Self::default()
        };
        for [through, refused, charged] in sums.into_iter().flatten() {
            it.observed += 1;
            it.through += through;
            it.refused += refused;
            it.charged += charged;
            it.peak_wanted = it.peak_wanted.max(through + refused);
            it.peak_charged = it.peak_charged.max(charged);
        }
        it
    }

    fn line(&self, hour: Minute, quota: Option<f64>) -> String {
        let at = hour.start().strftime("%Y-%m-%dT%H:00Z");
        let mut line = format!("{at},{}", self.observed);
        let of_wanted = |number: f64| (!self.hides_refusals).then_some(number);
        let numbers = [
            of_wanted(self.through + self.refused),
            Some(self.through),
            of_wanted(self.refused),
            Some(self.charged),
            of_wanted(self.peak_wanted),
            Some(self.peak_charged),
        ];
        for number in numbers {
            line.push(',');
            if let Some(number) = number.filter(|_| 0 < self.observed) {
                write_whole(&mut line, number);
            }
        }
        line.push(',');
        if let Some(quota) = quota {
            write_whole(&mut line, quota);
        }
        line.push('\n');
        line
    }
}

/// Counts are whole; quotas hardly ever are not.
fn write_whole(line: &mut String, number: f64) {
    let written = if number.fract() == 0.0 {
        format!("{number:.0}")
    } else {
        format!("{number}")
    };
    line.push_str(&written);
}

/// The value that held at the end of this hour: what the first later change changed, else the present one.
fn quota_then(book: &Book, scope: &Scope, code: &QuotaCode, hour: Minute) -> Option<f64> {
    let end = hour.plus(HOUR).start();
    let changes = book.quota_changes.values();
    let later = changes.filter(|it| it.scope == *scope && it.code == *code && end <= it.at);
    let quota = book.quotas.get(&(scope.clone(), code.clone()))?;
    match later.min_by_key(|it| it.at) {
        Some(change) => change.old.or(quota.default).map(|it| it.get()),
        None => quota.limit().amount().map(|it| it.get()),
    }
}
