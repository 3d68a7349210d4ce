//! The other quota a minute that the same requests drain: who asks for tokens is asked for requests as well, and the other
//! way round, and both may be short.

use super::{
    minutes::Minutes,
    situation::{WINDOW_DAYS, drained, pools_of, quantile},
};
use crate::model::{
    book::Book,
    catalog::Pool,
    ids::{QuotaCode, Scope},
    quota::Quota,
    time::{DAY, Minute},
    units::{Amount, QuotaKind},
};

/// What was taken of another quota in the last two weeks, throttled demand included.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Related<'a> {
    /// Tokens or requests a minute.
    pub(super) kind: QuotaKind,
    /// Where the pools are mapped to one.
    pub(super) quota: Option<&'a Quota>,
    /// The highest minute.
    pub(super) peak: Amount,
    /// When that was.
    pub(super) peak_at: Minute,
    /// Median of the minutes with use.
    pub(super) p50: Amount,
    /// 90th percentile of these.
    pub(super) p90: Amount,
}

/// Of the pools that drain this quota: tokens first. What is not known is left out.
pub(super) fn related<'a>(
    book: &'a Book,
    past: Minutes<'_>,
    (scope, code): (&'a Scope, &QuotaCode),
    own: Option<QuotaKind>,
    until: Minute,
) -> Vec<Related<'a>> {
    let kinds = [QuotaKind::Tpm, QuotaKind::Rpm].into_iter();
    let others = kinds.filter(|kind| Some(*kind) != own);
    let pools: Vec<&Pool> = book
        .pools_in(scope)
        .filter(|pool| {
            let mut mappings = pool.mappings.values();
            mappings.any(|it| it.code() == Some(code)) && pool.id.family.is_of_runtime()
        })
        .collect();
    let found = others.filter_map(|kind| of_kind(book, past, (scope, &pools), kind, until));
    found.collect()
}

fn of_kind<'a>(
    book: &'a Book,
    past: Minutes<'_>,
    (scope, pools): (&'a Scope, &[&'a Pool]),
    kind: QuotaKind,
    until: Minute,
) -> Option<Related<'a>> {
    let code = pools.first()?.mapping(kind).code();
    let quota = code.and_then(|code| book.quotas.get(&(scope.clone(), code.clone())));
    let draining: Vec<&Pool> = match code {
        Some(code) => pools_of(book, scope, code).collect(),
        None => pools.to_vec(),
    };
    if !draining.iter().all(|pool| past.is_whole(&pool.id)) {
        return None;
    }
    let from = until.plus(-WINDOW_DAYS * DAY);
    let minutes = drained(past, &draining, quota, kind, (from, until))?;
    let known = from.until(until).zip(&minutes);
    let known = known.filter_map(|(at, sample)| Some((at, sample.value()?)));
    let known: Vec<(Minute, f64)> = known.filter(|(_, value)| 0.0 < *value).collect();
    let &(peak_at, peak) = known.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let mut busy: Vec<f64> = known.into_iter().map(|(_, value)| value).collect();
    Some(Related {
        kind,
        quota,
        peak: Amount::new(peak)?,
        peak_at,
        p50: quantile(&mut busy, 50),
        p90: quantile(&mut busy, 90),
    })
}
