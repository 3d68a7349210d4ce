//! The files that go with words to AWS Support: what callers wanted, what they got, what was refused, and the quota of then;
//! hour by hour over the days that Support looks at, and minute by minute over the last one. Plain numbers: no ids but those
//! that the words name as well.

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
const HOURS: &str = "hour_utc,minutes_observed,requests_wanted,requests_accepted,requests_refused,tokens_charged,peak_requests_wanted_a_minute,peak_tokens_charged_a_minute,";
/// The same of a minute.
const MINUTES: &str =
    "minute_utc,requests_wanted,requests_accepted,requests_refused,tokens_charged,";

/// The files for this incident; `None` while the older minutes of its pools are not at hand, which the next plan has.
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
    let last = code.map_or_else(|| "quota\n".to_owned(), |code| format!("quota_{code}\n"));
    let (mut csv, mut minutes) = (format!("{HOURS}{last}"), format!("{MINUTES}{last}"));
    let hides_refusals = pools.iter().any(|it| it.family == Family::Mantle);
    let end = incident.last_bad.hour().plus(HOUR);
    for hour in (-DAYS * 24..0).map(|hour| end.plus(hour * HOUR)) {
        let sums = sums(draft, &pools, hour);
        let quota = |until| code.and_then(|code| quota_then(draft.book(), scope, code, until));
        let line = Hour::of(&sums).line(hour, quota(hour.plus(HOUR)), hides_refusals);
        csv.push_str(&line);
        if end.plus(-DAY) <= hour {
            for (minute, sum) in hour.until(hour.plus(HOUR)).zip(sums) {
                let quota = quota(minute.plus(1));
                minutes.push_str(&minute_line(minute, sum, quota, hides_refusals));
            }
        }
    }
    Some(Evidence { name, csv, minutes })
}

/// What all pools came to in a minute.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    through: f64,
    refused: f64,
    charged: f64,
}

/// The minutes of an hour; those of which all of all pools is known: a sum with a hole would look like less use than there
/// was.
fn sums(draft: &Draft<'_>, pools: &[PoolId], hour: Minute) -> Vec<Option<Sum>> {
    let mut sums = vec![Some(Sum::default()); 60];
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
                (Some(sum), (Some(through), Some(refused), Some(charged))) => Some(Sum {
                    through: sum.through + through,
                    refused: sum.refused + refused,
                    charged: sum.charged + charged,
                }),
                _ => None,
            };
        }
    }
    sums
}

/// What an hour came to.
#[derive(Debug, Default)]
struct Hour {
    observed: u32,
    sum: Sum,
    peak_wanted: f64,
    peak_charged: f64,
}

impl Hour {
    fn of(sums: &[Option<Sum>]) -> Self {
        let mut it = Self::default();
        for minute in sums.iter().flatten() {
            it.observed += 1;
            it.sum.through += minute.through;
            it.sum.refused += minute.refused;
            it.sum.charged += minute.charged;
            it.peak_wanted = it.peak_wanted.max(minute.through + minute.refused);
            it.peak_charged = it.peak_charged.max(minute.charged);
        }
        it
    }

    fn line(&self, hour: Minute, quota: Option<f64>, hides_refusals: bool) -> String {
        let at = hour.start().strftime("%Y-%m-%dT%H:00Z");
        let mut line = format!("{at},{}", self.observed);
        let sum = (0 < self.observed).then_some(self.sum);
        let [wanted, through, refused, charged] = numbers(sum, hides_refusals);
        let peak_wanted = wanted.map(|_| self.peak_wanted);
        let peak_charged = charged.map(|_| self.peak_charged);
        for number in [
            wanted,
            through,
            refused,
            charged,
            peak_wanted,
            peak_charged,
            quota,
        ] {
            push(&mut line, number);
        }
        line.push('\n');
        line
    }
}

fn minute_line(
    minute: Minute,
    sum: Option<Sum>,
    quota: Option<f64>,
    hides_refusals: bool,
) -> String {
    let mut line = minute.start().strftime("%Y-%m-%dT%H:%MZ").to_string();
    for number in numbers(sum, hides_refusals) {
        push(&mut line, number);
    }
    push(&mut line, quota);
    line.push('\n');
    line
}

/// Requests wanted, accepted and refused, and tokens charged. A pool that publishes no refusals leaves open how many there
/// were, and what was wanted.
fn numbers(sum: Option<Sum>, hides_refusals: bool) -> [Option<f64>; 4] {
    let of_wanted = sum.filter(|_| !hides_refusals);
    [
        of_wanted.map(|it| it.through + it.refused),
        sum.map(|it| it.through),
        of_wanted.map(|it| it.refused),
        sum.map(|it| it.charged),
    ]
}

fn push(line: &mut String, number: Option<f64>) {
    line.push(',');
    if let Some(number) = number {
        write_whole(line, number);
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

/// The value that held until this minute began: what the first later change changed, else the present one.
fn quota_then(book: &Book, scope: &Scope, code: &QuotaCode, until: Minute) -> Option<f64> {
    let end = until.start();
    let changes = book.quota_changes.values();
    let later = changes.filter(|it| it.scope == *scope && it.code == *code && end <= it.at);
    let quota = book.quotas.get(&(scope.clone(), code.clone()))?;
    match later.min_by_key(|it| it.at) {
        Some(change) => change.old.or(quota.default).map(|it| it.get()),
        None => quota.limit().amount().map(|it| it.get()),
    }
}
