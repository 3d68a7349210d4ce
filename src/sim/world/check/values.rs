//! Single values of a world file.

use crate::{
    model::{
        ids::{AccountId, QuotaCode, Region, Scope},
        time::{Minute, SignedDuration, Timestamp},
    },
    sim::{
        quota_table,
        world::{Account, Span, raw, when},
    },
};

/// Far enough ahead for anything that has no end.
pub(super) const FOREVER: Minute = Minute(i64::MAX / 4);

/// Gathers faults while values are read; what is returned after a fault only serves to find more of them.
pub(super) struct Check {
    pub(super) start: Timestamp,
    pub(super) faults: Vec<String>,
}

impl Check {
    pub(super) fn fault(&mut self, place: &str, fault: &str) {
        self.faults.push(format!("{place}: {fault}"));
    }

    pub(super) fn when(&mut self, place: &str, text: &str) -> Timestamp {
        when::instant(text, self.start).unwrap_or_else(|fault| {
            self.fault(place, &fault);
            self.start
        })
    }

    pub(super) fn perhaps_when(&mut self, place: &str, text: Option<&str>) -> Option<Timestamp> {
        text.map(|text| self.when(place, text))
    }

    pub(super) fn minute(&mut self, place: &str, text: &str) -> Minute {
        Minute::of(self.when(place, text))
    }

    pub(super) fn minute_or(&mut self, place: &str, text: Option<&str>, default: Minute) -> Minute {
        text.map_or(default, |text| self.minute(place, text))
    }

    /// A duration that is not negative.
    pub(super) fn duration(&mut self, place: &str, text: &str) -> SignedDuration {
        let read = when::duration(text).and_then(|read| {
            (!read.is_negative())
                .then_some(read)
                .ok_or_else(|| format!("`{text}` is negative, and this must not be"))
        });
        read.unwrap_or_else(|fault| {
            self.fault(place, &fault);
            SignedDuration::ZERO
        })
    }

    pub(super) fn share(&mut self, place: &str, value: f64) -> f64 {
        if !(0.0..=1.0).contains(&value) {
            self.fault(
                place,
                &format!("{value} is no share; write a number from 0 to 1"),
            );
        }
        value
    }

    pub(super) fn amount(&mut self, place: &str, value: f64) -> f64 {
        if !(0.0..=1e12).contains(&value) {
            self.fault(
                place,
                &format!("{value} is out of range; write a number from 0 to 1e12"),
            );
        }
        value
    }

    pub(super) fn scope(
        &mut self,
        place: &str,
        accounts: &[Account],
        account: &str,
        region: &str,
    ) -> Scope {
        let scope = Scope {
            account: AccountId::new(account),
            region: Region::new(region),
        };
        match accounts.iter().find(|known| known.id == scope.account) {
            None => self.fault(place, &format!("no [[account]] has the id `{account}`")),
            Some(known) if !known.regions.contains(&scope.region) => {
                self.fault(
                    place,
                    &format!("account {account} has no Region `{region}` in this world"),
                );
            }
            Some(_) => {}
        }
        scope
    }

    pub(super) fn code(&mut self, place: &str, code: &str) -> QuotaCode {
        let code = QuotaCode::new(code);
        if !quota_table::rows().contains_key(&code) {
            self.fault(
                place,
                &format!("no quota has the code `{code}`; see tests/data/aws/quota-names.csv"),
            );
        }
        code
    }

    pub(super) fn spans(&mut self, place: &str, spans: &[raw::Span]) -> Vec<Span> {
        let read = spans.iter().map(|span| {
            let read = Span {
                from: self.minute(place, &span.from),
                until: self.minute(place, &span.until),
                factor: self.amount(place, span.factor),
            };
            if read.until <= read.from {
                self.fault(
                    place,
                    &format!(
                        "`until` ({}) is not after `from` ({})",
                        span.until, span.from
                    ),
                );
            }
            read
        });
        read.collect()
    }

    /// Spans whose factor is a share of requests.
    pub(super) fn shares(&mut self, place: &str, spans: &[raw::Span]) -> Vec<Span> {
        let read = self.spans(place, spans);
        for span in &read {
            self.share(place, span.factor);
        }
        read
    }
}
