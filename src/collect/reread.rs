//! Which quotas are read again next: all mapped ones now and then, each once before any is read a second time.

use std::collections::BTreeSet;

use crate::model::{
    book::Book,
    ids::{QuotaCode, Scope},
    time::{Timestamp, after},
};

/// Applied values of all mapped quotas are read again after so many minutes.
const EVERY_MINUTES: i64 = 15;
/// Single reads of one round at most: at the five a second that AWS allows, twelve seconds.
const MOST_A_ROUND: usize = 60;

/// What is left to read again, and when all was read. It can be lost.
#[derive(Debug, Default)]
pub(super) struct Rereads {
    all_read: Option<Timestamp>,
    left: BTreeSet<QuotaCode>,
}

impl Rereads {
    /// A listing has just told the values of all quotas.
    pub(super) fn listed(&mut self, now: Timestamp) {
        self.left.clear();
        self.all_read = Some(now);
    }

    /// The codes to read in this round, in order: those of open requests first, with each poll of the desk, then those
    /// whose value is the oldest. What a round leaves is the next one's, so that no quota is always the last.
    pub(super) fn next(
        &mut self,
        scope: &Scope,
        book: &Book,
        is_desk_due: bool,
        now: Timestamp,
    ) -> Vec<QuotaCode> {
        let is_due = self
            .all_read
            .is_none_or(|last| after(last, EVERY_MINUTES) <= now);
        if is_due && self.left.is_empty() {
            let pools = book.pools.values().filter(|pool| pool.id.scope == *scope);
            let mapped = pools.flat_map(|pool| pool.mappings.values());
            self.left = mapped.filter_map(|it| it.code()).cloned().collect();
            if self.left.is_empty() {
                self.all_read = Some(now);
            }
        }
        let asks = book.asks.values();
        let open = asks.filter(|ask| ask.end.is_none() && ask.scope == *scope);
        let open: BTreeSet<&QuotaCode> = open.map(|ask| &ask.code).collect();
        let mut codes: BTreeSet<&QuotaCode> = self.left.iter().collect();
        if is_desk_due {
            codes.extend(&open);
        }
        let read_at = |code: &QuotaCode| {
            let quota = book.quotas.get(&(scope.clone(), code.clone()));
            quota.map(|quota| quota.read_at)
        };
        let mut codes: Vec<QuotaCode> = codes.into_iter().cloned().collect();
        codes.sort_by_key(|code| (!open.contains(code), read_at(code)));
        codes.truncate(MOST_A_ROUND);
        codes
    }

    /// These were read, or refused; the rest comes next.
    pub(super) fn reached(&mut self, codes: &[QuotaCode], now: Timestamp) {
        let had_any = !self.left.is_empty();
        self.left.retain(|code| !codes.contains(code));
        if had_any && self.left.is_empty() {
            self.all_read = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        collect::fake::scope,
        model::{
            book::Record,
            catalog::{Family, Mapping, Pool, PoolId},
            desk::{Ask, RequestStatus},
            ids::{ActionId, IncidentId, ModelId, RequestId},
            quota::Quota,
            units::{Amount, QuotaKind},
        },
    };

    /// A pool by the code of its quota, and when that was read, in minutes.
    fn quota(code: &str, read_at: i64) -> Vec<Record> {
        let code = QuotaCode::new(code);
        let mapping = Mapping::Mapped {
            code: code.clone(),
            proof: String::new(),
        };
        vec![
            Record::Pool(Pool {
                id: PoolId {
                    scope: scope(),
                    family: Family::Geo,
                    model: ModelId::new(code.as_str()),
                },
                burndown: None,
                worth: None,
                mappings: [(QuotaKind::Tpm, mapping)].into(),
            }),
            Record::Quota(Quota {
                scope: scope(),
                code,
                name: String::new(),
                applied: None,
                default: None,
                adjustable: true,
                read_at: after(Timestamp::UNIX_EPOCH, read_at),
                stale: None,
            }),
        ]
    }

    fn open_request(code: &str) -> Record {
        Record::Ask(Ask {
            request: RequestId::new("r-1"),
            action: ActionId::new("act-1"),
            incident: IncidentId::new("inc-1"),
            scope: scope(),
            code: QuotaCode::new(code),
            kind: QuotaKind::Tpm,
            before: Amount::ZERO,
            desired: Amount::ZERO,
            filed: Timestamp::UNIX_EPOCH,
            status: RequestStatus::Pending,
            closed: None,
            display: None,
            case: None,
            case_seen: None,
            no_plan: None,
            told_waiting: false,
            waiting: None,
            polled: Timestamp::UNIX_EPOCH,
            end: None,
        })
    }

    #[test]
    fn what_is_asked_for_comes_first_and_then_the_oldest() {
        let mut book = Book::default();
        for (code, read_at) in [("L-A", 9), ("L-B", 3), ("L-C", 12), ("L-D", 5)] {
            book.apply(quota(code, read_at));
        }
        book.apply(vec![open_request("L-C")]);
        let at = |minute| after(Timestamp::UNIX_EPOCH, minute);
        let mut rereads = Rereads::default();
        let mut next = |is_desk_due, reached: usize, minute| -> Vec<String> {
            let codes = rereads.next(&scope(), &book, is_desk_due, at(minute));
            rereads.reached(&codes[..reached.min(codes.len())], at(minute));
            codes.iter().map(|code| code.as_str().to_owned()).collect()
        };
        assert_eq!(next(true, 2, 20), ["L-C", "L-B", "L-D", "L-A"]);
        assert_eq!(next(false, 1, 21), ["L-D", "L-A"], "goes on");
        assert_eq!(next(true, 9, 22), ["L-C", "L-A"], "with each poll");
        assert!(next(false, 9, 36).is_empty());
        assert_eq!(next(true, 9, 36), ["L-C"]);
        assert_eq!(next(false, 9, 37).len(), 4, "a quarter of an hour later");
    }
}
