//! The figures that AWS Support asks for beside those of a quota: of the other quota, and of a problem from its first minute.

use super::super::{
    draft::Draft,
    related::{Related, related},
    situation::share_of,
};
use crate::model::{
    incident::Incident,
    quota::Quota,
    series::{SETTLE_MINUTES, Signal},
    time::Minute,
    units::grouped,
};

/// The other quotas that the same requests drain, and which of them are short as well; tokens first.
pub(super) fn push_related(
    draft: &Draft<'_>,
    incident: &Incident,
    quota: &Quota,
    lines: &mut Vec<String>,
) {
    let until = incident.last_bad.plus(1);
    let place = (&quota.scope, &quota.code);
    let found = related(draft.book(), draft.minutes(), place, incident.kind, until);
    for it in found {
        let Related {
            kind,
            quota,
            peak,
            peak_at,
            p50,
            p90,
        } = it;
        let limit = quota.and_then(|it| it.limit().amount());
        let stands = match (quota, limit) {
            (Some(quota), Some(limit)) => {
                let share = 100.0 * peak.get() / limit.get();
                let short = if limit.at(share_of(incident)) <= peak {
                    ", which is short as well"
                } else {
                    ""
                };
                format!(
                    "; {share:.0} % of the quota {} of {limit}{short}",
                    quota.code
                )
            }
            (Some(quota), None) => format!("; the value of the quota {} is not known", quota.code),
            (None, _) => String::new(),
        };
        lines.push(format!(
            "- {}, last 14 days: peak {peak} at {peak_at}, p50 / p90 of the minutes with use {p50} / {p90}{stands}",
            kind.unit()
        ));
    }
}

/// What became of the requests from the first bad minute to the last one so far. A count says over how many minutes it is
/// known, and how many of them have settled: later ones may still change.
pub(super) fn push_since(draft: &Draft<'_>, incident: &Incident, lines: &mut Vec<String>) {
    let (from, until) = (incident.began, incident.last_bad.plus(1));
    let settled_until = Minute::of(draft.now()).plus(-SETTLE_MINUTES);
    let sum = |signal: Signal| {
        let mut sums = vec![Some(0.0); usize::try_from(until.since(from)).ok()?];
        for pool in &incident.pools {
            let samples = draft.minutes().window(pool, signal, from, until);
            for (sum, sample) in sums.iter_mut().zip(samples) {
                // A minute counts where it is known of every pool.
                *sum = sum.zip(sample.value()).map(|(sum, value)| sum + value);
            }
        }
        let (mut known, mut settled, mut total) = (0_u32, 0_u32, 0.0);
        for (minute, sum) in from.until(until).zip(sums) {
            if let Some(sum) = sum {
                known += 1;
                settled += u32::from(minute < settled_until);
                total += sum;
            }
        }
        (0 < known).then_some((known, settled, total))
    };
    let wanted = sum(Signal::Invocations).zip(sum(Signal::Throttles));
    let wanted = wanted
        .map(|((known, settled, through), (_, _, refused))| (known, settled, through + refused));
    let minutes = until.since(from);
    if let Some((known, settled, total)) = wanted {
        lines.push(format!(
            "Since the first bad minute, {known} of {minutes} minutes known, {settled} of them settled:"
        ));
        let a_minute = total / f64::from(known);
        lines.push(format!(
            "- requests wanted: {}, {a_minute:.1} a minute",
            grouped(total)
        ));
    }
    let counts = [
        (Signal::Throttles, "throttled"),
        (Signal::ServerErrors, "failed by a server error"),
        (Signal::ClientErrors, "failed by a client error"),
    ];
    for (signal, what) in counts {
        let Some((known, settled, total)) = sum(signal) else {
            lines.push(format!("- {what}: not known of any of these minutes"));
            continue;
        };
        let share = match wanted {
            Some((of, _, all)) if of == known && 0.0 < all => {
                format!(", {:.1} % of those wanted", 100.0 * total / all)
            }
            _ => String::new(),
        };
        let a_minute = total / f64::from(known);
        lines.push(format!(
            "- {what}: {}, {a_minute:.1} a minute{share} ({known} of {minutes} minutes known, {settled} settled)",
            grouped(total)
        ));
    }
}
