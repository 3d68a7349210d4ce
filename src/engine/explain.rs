//! The reasons of a verdict: the worst minute of the window against what it was compared to, then the gaps.

use super::{
    observer::Observer,
    strip::Strip,
    yardstick::{Look, Yardstick, counted},
};
use crate::model::{
    reason::Reason,
    rule::{Condition, Rule},
    series::Signal,
    time::Minute,
    units::Amount,
};

/// The worst minute of a window and how the window counts.
#[derive(Clone, Copy, Debug, Default)]
struct Worst {
    minute: Option<Minute>,
    value: f64,
    is_bad: bool,
    bad: u8,
    unclear: u32,
}

/// Reasons of the window that ends with `last`. Never empty.
pub(super) fn reasons(
    rule: &Rule,
    yardstick: &Yardstick<'_>,
    strip: &Strip,
    last: Minute,
) -> Vec<Reason> {
    let end = last.plus(1);
    let first = end.plus(-i64::from(rule.window.of()));
    let mut observer = Observer::new(yardstick, strip, first);
    let mut worst = Worst::default();
    for minute in first.until(end) {
        let (look, value) = observer.look(minute);
        worst.bad += u8::from(look == Look::Bad);
        worst.unclear += u32::from(look == Look::Unclear);
        // A bad minute before any other: a large count in a huge minute may well be fine.
        let is_bad = look == Look::Bad;
        if let Some(value) = value
            && (worst.minute.is_none() || (worst.is_bad, worst.value) < (is_bad, value))
        {
            (worst.minute, worst.value, worst.is_bad) = (Some(minute), value, is_bad);
        }
    }
    let mut reasons = Vec::new();
    if let Some(minute) = worst.minute {
        reasons.extend(number(rule, &mut observer, minute, worst));
    }
    if 0 < worst.unclear || reasons.is_empty() {
        reasons.push(Reason::Gap {
            minutes: worst.unclear,
            why: why_unclear(yardstick, strip, last),
        });
    }
    reasons
}

/// The reason that carries the worst number.
fn number(
    rule: &Rule,
    observer: &mut Observer<'_>,
    minute: Minute,
    worst: Worst,
) -> Option<Reason> {
    let (bad, of) = (worst.bad, rule.window.of());
    match observer.yardstick {
        Yardstick::Broken { .. } => None,
        Yardstick::End { end, .. } => Some(Reason::Ends { end: *end, minute }),
        Yardstick::QuotaShare(line) => Some(Reason::QuotaUse {
            kind: line.kind,
            code: line.code.clone(),
            minute,
            used: Amount::new(worst.value)?,
            quota: line.quota,
            is_default: line.is_default,
            above: line.above,
            bad,
            of,
        }),
        Yardstick::Plain(condition) => match **condition {
            Condition::Count { of: signal, .. } => Some(Reason::Count {
                signal,
                minute,
                count: worst.value,
                demand: counted(signal, observer.strip, minute)?.demand?,
                bad,
                of,
            }),
            Condition::Slow { millis, .. } => Some(Reason::Slow {
                minute,
                millis: worst.value,
                limit: millis,
                bad,
                of,
            }),
            Condition::QuotaShare { .. }
            | Condition::Ends { .. }
            | Condition::Unusual(_)
            | Condition::RunsOut { .. } => None,
        },
    }
}

fn why_unclear(yardstick: &Yardstick<'_>, strip: &Strip, last: Minute) -> String {
    let planned = strip.windows().at(last);
    match yardstick {
        Yardstick::Broken { why, .. } => why.clone(),
        Yardstick::Plain(_) | Yardstick::QuotaShare(_) if let Some(window) = planned => {
            window.title()
        }
        Yardstick::Plain(Condition::Count { of, .. }) => no_value(*of),
        Yardstick::Plain(Condition::Slow { .. }) => no_value(Signal::Latency),
        Yardstick::Plain(
            Condition::QuotaShare { .. }
            | Condition::Ends { .. }
            | Condition::Unusual(_)
            | Condition::RunsOut { .. },
        )
        | Yardstick::End { .. } => no_value(Signal::Invocations),
        Yardstick::QuotaShare(line) => {
            format!("no complete answer about use in {}", line.kind.unit())
        }
    }
}

fn no_value(signal: Signal) -> String {
    format!(
        "no datapoint or no answer for {}",
        signal.name().replace('_', " ")
    )
}
