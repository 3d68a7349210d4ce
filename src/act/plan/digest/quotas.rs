//! The quotas that are used most, as a digest names them.

use std::collections::BTreeSet;

use crate::{
    act::plan::{
        draft::Draft,
        situation::{days, drained, pools_of, quantile},
    },
    model::{
        catalog::Pool,
        ids::{QuotaCode, Scope},
        rule::Matcher,
        series::Sample,
        time::{DAY, HOUR, Minute},
        units::{Amount, QuotaKind},
    },
};

/// Quotas used less than this are nobody's business.
const LEAST_SHARE: f64 = 0.1;

/// One quota and its use by all pools that drain it.
pub(super) struct Used<'a> {
    pools: Vec<&'a Pool>,
    kind: QuotaKind,
    code: &'a QuotaCode,
    scope: &'a Scope,
    /// Of a quota by the minute the 95th percentile of the last day, of one by the day what `day` took.
    used: Amount,
    /// The fuller UTC day of yesterday and today.
    day: Option<Minute>,
    /// Of one that is weighed by price the most that it may be, in the unit of the account's pool.
    quota: Amount,
}

impl Used<'_> {
    /// 1 is all of it.
    pub(super) fn share(&self) -> f64 {
        self.used.get() / self.quota.get()
    }

    pub(super) fn line(&self, draft: &Draft<'_>) -> String {
        let whose = self.pools.first().map(|it| &it.id);
        let whose = whose.map_or_else(String::new, |it| {
            format!("{} {}, ", it.family.name(), it.model.as_str())
        });
        let at_most = if self.kind == QuotaKind::CrossModelTpd {
            "at most " // by weights that nobody publishes
        } else {
            ""
        };
        let on = self.day.map_or_else(String::new, |it| {
            format!(" on {}", it.start().strftime("%Y-%m-%d"))
        });
        format!(
            "{:.0} % of {} {} ({whose}{} {}): {} of {at_most}{}{on}; {}",
            100.0 * self.share(),
            self.kind.name().to_uppercase(),
            self.code,
            self.scope.region,
            self.scope.account,
            self.kind.said(self.used),
            self.kind.said(self.quota),
            self.ahead(draft)
        )
    }

    /// The earliest of the forecasts of its pools.
    fn ahead(&self, draft: &Draft<'_>) -> String {
        let outlooks = self.pools.iter().filter_map(|pool| {
            let key = (pool.id.clone(), self.kind);
            draft.inputs.beside.outlooks.get(&key)
        });
        let Some(first) = outlooks.min_by_key(|it| it.p50.unwrap_or(i64::MAX)) else {
            return "no forecast yet".to_owned();
        };
        match first.p50 {
            Some(..HOUR) => "by the forecast it runs out within the hour".to_owned(),
            Some(minutes) if minutes < 2 * DAY => {
                format!("by the forecast it runs out in {} h", minutes / HOUR)
            }
            Some(minutes) => format!("by the forecast it runs out in {} days", minutes / DAY),
            None => "by the forecast it does for 30 days".to_owned(),
        }
    }
}

/// The quotas that are used most, of pools that are asked for; the fullest first.
pub(super) fn fullest<'a>(draft: &Draft<'a>, matcher: &Matcher, at: Minute) -> Vec<Used<'a>> {
    let book = draft.inputs.book;
    let pools = book.pools.values().filter(|it| matcher.fits(&it.id));
    let mut seen: BTreeSet<(&Scope, &QuotaCode)> = BTreeSet::new();
    let mut found = Vec::new();
    for pool in pools {
        for kind in pool.id.family.kinds().iter().copied() {
            let Some(code) = pool.mapping(kind).code() else {
                continue;
            };
            let scope = &pool.id.scope;
            if seen.insert((scope, code)) {
                found.extend(used(draft, (scope, code, kind), at));
            }
        }
    }
    found.retain(|it| LEAST_SHARE <= it.share());
    found.sort_by(|a, b| b.share().total_cmp(&a.share()));
    found
}

/// `None` where too little is known, or there is no quota.
fn used<'a>(
    draft: &Draft<'a>,
    (scope, code, kind): (&'a Scope, &'a QuotaCode, QuotaKind),
    at: Minute,
) -> Option<Used<'a>> {
    let book = draft.inputs.book;
    let quota = book.quotas.get(&(scope.clone(), code.clone()))?;
    let limit = quota.limit().amount()?;
    let pools: Vec<&Pool> = pools_of(book, scope, code).collect();
    let from = if kind.is_daily() {
        Minute((at.plus(-1).0.div_euclid(DAY) - 1) * DAY) // all of yesterday
    } else {
        at.plus(-DAY)
    };
    let minutes = drained(draft.minutes(), &pools, Some(quota), kind, (from, at))?;
    let (used, day) = if kind.is_daily() {
        let days = days(from, &minutes).into_iter();
        let (day, used) = days.max_by(|a, b| a.1.total_cmp(&b.1))?;
        (used, Some(day))
    } else {
        let mut known: Vec<f64> = minutes.into_iter().filter_map(Sample::value).collect();
        if known.is_empty() {
            return None;
        }
        (quantile(&mut known, 95).get(), None)
    };
    // What is weighed by price is told in money.
    let weight = match pools.as_slice() {
        [account] if kind == QuotaKind::CrossModelTpd => quota.times(account)?,
        _ => 1.0,
    };
    Some(Used {
        pools,
        kind,
        code,
        scope,
        used: Amount::new(used * weight)?,
        day,
        quota: Amount::new(limit.get() * weight)?,
    })
}
