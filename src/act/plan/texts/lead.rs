//! How long an increase takes by this account's own experience, and whether that is soon enough.

use crate::{
    act::plan::draft::Draft,
    model::{
        desk::{Ask, AskEnd},
        ids::AccountId,
        incident::{Cause, Incident},
        reason::Reason,
        rule::Remedy,
        time::{DAY, HOUR, Minute},
    },
};

/// One line where increases of this account were granted before; `None` for what no increase of a quota is meant for.
pub(super) fn line(draft: &Draft<'_>, incident: &Incident) -> Option<String> {
    let Cause::Quota { scope, .. } = &incident.cause else {
        return None;
    };
    let asks_for_more = incident.remedy == Remedy::RequestQuota;
    let lead = Lead::of(draft.asks(), &scope.account).filter(|_| asks_for_more)?;
    let too_late = runs_out(incident).filter(|left| *left < lead.minutes);
    let verdict = too_late.map_or(
        "",
        |_| " By the forecast that is too late: see what load can wait or move meanwhile.",
    );
    Some(format!("{lead}.{verdict}"))
}

/// What was granted so far, and how long that took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lead {
    /// From filing until the applied value had changed: the median.
    minutes: i64,
    requests: usize,
}

impl Lead {
    fn of<'a>(asks: impl Iterator<Item = &'a Ask>, account: &AccountId) -> Option<Self> {
        let granted = asks.filter_map(|ask| match &ask.end {
            Some((AskEnd::Granted { .. } | AskEnd::PartlyGranted { .. }, at))
                if ask.scope.account == *account =>
            {
                Some(Minute::of(*at).since(Minute::of(ask.filed)))
            }
            _ => None,
        });
        let mut took: Vec<i64> = granted.collect();
        took.sort_unstable();
        let minutes = took.get(took.len() / 2).copied()?;
        Some(Self {
            minutes,
            requests: took.len(),
        })
    }
}

impl std::fmt::Display for Lead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let took = match self.minutes {
            ..HOUR => "less than an hour".to_owned(),
            minutes if minutes < 2 * DAY => format!("{} hours", minutes / HOUR),
            minutes => format!("{} days", minutes / DAY),
        };
        match self.requests {
            1 => write!(f, "The one increase of this account so far took {took}"),
            many => write!(
                f,
                "An increase took {took} in the median, by the {many} that this account got so far"
            ),
        }
    }
}

/// The soonest median of the forecasts that stand, in minutes from when they were made.
fn runs_out(incident: &Incident) -> Option<i64> {
    let on = incident.members.values().filter(|member| member.is_on);
    let ahead = on
        .flat_map(|member| &member.reasons)
        .filter_map(Reason::ahead);
    ahead.filter_map(|(_, exhaustion, _)| exhaustion.p50).min()
}
