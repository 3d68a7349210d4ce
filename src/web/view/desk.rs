//! Quota requests and cases, as AWS's desk treats them.

use std::cmp::Reverse;

use super::{View, text};
use crate::{
    model::{
        desk::{Ask, AskEnd, Investigation},
        quota::{Quota, QuotaChange},
    },
    web::json,
};

impl View<'_> {
    /// Requests that are followed or ended within the last day, newest first.
    pub(super) fn recent_asks(&self) -> Vec<json::Ask> {
        let shown = |ask: &&Ask| self.is_recent(ask.end.as_ref().map(|(_, at)| *at));
        self.asks(shown)
    }

    /// Cases that are followed or ended within the last day, newest first.
    pub(super) fn recent_cases(&self) -> Vec<json::Case> {
        self.cases(|case| self.is_recent(case.ended))
    }

    /// The requests that `keep` lets through, newest first.
    pub(super) fn asks(&self, keep: impl Fn(&&Ask) -> bool) -> Vec<json::Ask> {
        let mut asks: Vec<&Ask> = self.book.asks.values().filter(keep).collect();
        asks.sort_by_key(|ask| (Reverse(ask.filed), &ask.request));
        asks.into_iter().map(|ask| self.ask(ask)).collect()
    }

    /// The cases that `keep` lets through, newest first.
    pub(super) fn cases(&self, keep: impl Fn(&&Investigation) -> bool) -> Vec<json::Case> {
        let mut cases: Vec<&Investigation> =
            self.book.investigations.values().filter(keep).collect();
        cases.sort_by_key(|case| (Reverse(case.opened), &case.case));
        cases.into_iter().map(|case| self.case(case)).collect()
    }

    fn ask(&self, ask: &Ask) -> json::Ask {
        let (end, granted) = match ask.end.as_ref().map(|(end, _)| end) {
            None => (None, None),
            Some(AskEnd::Granted { value }) => (Some("granted"), Some(value.get())),
            Some(AskEnd::PartlyGranted { value }) => (Some("partly-granted"), Some(value.get())),
            Some(AskEnd::Denied) => (Some("denied"), None),
        };
        json::Ask {
            request: ask.request.to_string(),
            action: ask.action.to_string(),
            incident: ask.incident.to_string(),
            account: ask.scope.account.to_string(),
            region: ask.scope.region.to_string(),
            quota_code: ask.code.to_string(),
            kind: ask.kind.name().to_owned(),
            before: ask.before.get(),
            desired: ask.desired.get(),
            filed: text(ask.filed),
            age_seconds: self.age(ask.filed),
            status: ask.status.as_str().to_owned(),
            display_id: ask.display.as_ref().map(ToString::to_string),
            awaits_us: ask.told_waiting && ask.end.is_none(),
            polled: text(ask.polled),
            end: end.map(str::to_owned),
            granted,
            ended: ask.end.as_ref().map(|(_, at)| text(*at)),
        }
    }

    fn case(&self, case: &Investigation) -> json::Case {
        json::Case {
            case: case.case.to_string(),
            display_id: case.display.as_ref().map(ToString::to_string),
            action: case.action.to_string(),
            incident: case.incident.to_string(),
            account: case.scope.account.to_string(),
            region: case.scope.region.to_string(),
            marker: case.marker.to_string(),
            opened: text(case.opened),
            age_seconds: self.age(case.opened),
            status: case.status.clone(),
            awaits_us: case.told_waiting && case.ended.is_none(),
            polled: text(case.polled),
            ended: case.ended.map(text),
        }
    }

    pub(super) fn quota(&self, quota: &Quota) -> json::Quota {
        json::Quota {
            account: quota.scope.account.to_string(),
            region: quota.scope.region.to_string(),
            quota_code: quota.code.to_string(),
            name: quota.name.clone(),
            applied: quota.applied.map(|it| it.get()),
            default: quota.default.map(|it| it.get()),
            adjustable: quota.adjustable,
            read_at: text(quota.read_at),
            age_seconds: self.age(quota.read_at),
            stale: quota.stale.clone(),
        }
    }

    /// The changes that `keep` lets through, oldest first.
    pub(super) fn quota_changes(
        &self,
        keep: impl Fn(&&QuotaChange) -> bool,
    ) -> Vec<json::QuotaChange> {
        let mut changes: Vec<&QuotaChange> =
            self.book.quota_changes.values().filter(keep).collect();
        changes.sort_by_key(|change| change.at);
        changes.into_iter().map(quota_change).collect()
    }
}

pub(super) fn quota_change(change: &QuotaChange) -> json::QuotaChange {
    json::QuotaChange {
        account: change.scope.account.to_string(),
        region: change.scope.region.to_string(),
        quota_code: change.code.to_string(),
        old: change.old.map(|it| it.get()),
        new: change.new.map(|it| it.get()),
        at: text(change.at),
    }
}
