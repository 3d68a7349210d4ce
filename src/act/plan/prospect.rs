//! What would be asked for a pool's quotas now, incident or not: for people who want to know before anything is short.
//!
//! The same sizes, refusals and words as those of a plan; nothing is decided here.

use super::{
    Inputs, Wanted, bars,
    draft::Draft,
    file::{self, Worked},
    group::bare,
    minutes::Minutes,
    price,
    refusal::Refused,
    situation::{self, Usage},
    size::{self, Size},
    texts,
};
use crate::model::{
    catalog::{Mapping, Pool, PoolId},
    ids::{QuotaCode, Scope},
    incident::{AlertKey, Cause, Incident, Member},
    quota::Quota,
    reason::Reason,
    rule::{Condition, Rule},
    series::Sample,
    time::{DAY, Minute},
    units::{Amount, QuotaKind, Share},
};

/// What would be asked of one quota.
#[derive(Clone, Debug, PartialEq)]
pub struct Prospect {
    /// Which kind.
    pub kind: QuotaKind,
    /// How it limits the pool.
    pub mapping: Mapping,
    /// Its values, where they were read.
    pub quota: Option<Quota>,
    /// The lowest share of it at which a rule of the pool speaks.
    pub warn_at: Option<Share>,
    /// The use of two weeks, where it could be read.
    pub usage: Option<Usage>,
    /// What would come of it.
    pub would: Would,
    /// What a person may ask for: above the first, at most the second.
    pub bounds: Option<(Amount, Amount)>,
}

/// What would come of a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Would {
    /// A request, or a case where Service Quotas does not raise it.
    Ask {
        /// For this value.
        desired: Amount,
        /// How it came about, as a sentence without its final stop.
        arithmetic: String,
        /// What more would cost if it were used, where prices are known.
        cost: Option<String>,
        /// What AWS would read.
        words: String,
    },
    /// Nothing, and why, as a sentence without its final stop.
    Nothing(String),
}

/// What would be asked for each quota of this pool, or of a way out that nobody uses; `None` where it is neither.
///
/// `rules` are those of the pool.
///
/// # Errors
///
/// [`Wanted`] where older minutes are needed that were not given.
pub fn prospects(
    inputs: Inputs<'_>,
    id: &PoolId,
    rules: &[Rule],
) -> Result<Option<Vec<Prospect>>, Wanted> {
    let mut draft = Draft::new(inputs);
    let Some(pool) = place(&draft, id) else {
        return Ok(None);
    };
    let kinds = pool.id.family.kinds().iter();
    let found = kinds.map(|kind| prospect(&mut draft, pool, *kind, rules));
    let found = found.collect();
    draft.finish().map(|_| Some(found))
}

/// A pool, or what would be one if somebody used it.
pub(super) fn place<'a>(draft: &Draft<'a>, id: &PoolId) -> Option<&'a Pool> {
    let book = draft.book();
    let spares = book.catalogs.get(&id.scope).into_iter();
    let spares = spares.flat_map(|it| &it.spares).map(|it| &it.pool);
    let known = book.pools.get(id).into_iter();
    known.chain(spares).find(|it| it.id == *id)
}

/// Why no quota of this kind is known to limit the pool.
pub(super) fn unmapped(mapping: &Mapping) -> String {
    match mapping {
        Mapping::Mapped { .. } => "its value could not be read yet".to_owned(),
        Mapping::Absent => "the account lists no such quota for this model".to_owned(),
        Mapping::Ambiguous { candidates } => {
            let codes = candidates.iter().map(QuotaCode::as_str);
            let codes: Vec<&str> = codes.collect();
            format!(
                "several quotas fit ({}): name the right one in [[quota]], see `explain mapping`",
                codes.join(", ")
            )
        }
        Mapping::Unknown => "the list of quotas could not be read yet".to_owned(),
    }
}

fn prospect(draft: &mut Draft<'_>, pool: &Pool, kind: QuotaKind, rules: &[Rule]) -> Prospect {
    let mapping = pool.mapping(kind);
    let scope = &pool.id.scope;
    let quota = mapping.code().and_then(|code| {
        let quotas = &draft.book().quotas;
        quotas.get(&(scope.clone(), code.clone()))
    });
    let watch = watch(rules, kind);
    let mut it = Prospect {
        kind,
        mapping: mapping.clone(),
        quota: quota.cloned(),
        warn_at: watch.map(|(_, share)| share),
        usage: None,
        would: Would::Nothing(unmapped(mapping)),
        bounds: None,
    };
    let Some(quota) = quota else {
        return it;
    };
    let incident = supposed(draft, pool, (kind, quota), watch);
    it.bounds = size::bounds(quota, &draft.policy().budgets).ok();
    let in_the_way = file::out_of_reach(draft, scope)
        .or_else(|| bars::under_way(draft, scope, &quota.code))
        .or_else(|| file::told_not_to(draft, &incident));
    let Some(Worked { usage, size }) = file::work_out(draft, &incident, quota) else {
        return it;
    };
    it.would = match (in_the_way, size) {
        (Some(why), _) | (None, Size::Nothing(Refused { why, .. })) => Would::Nothing(why),
        (
            None,
            Size::Ask {
                desired,
                arithmetic,
            },
        ) => {
            let reason = price::at_full_use(draft, &incident, quota, desired);
            let cost = reason.as_ref().and_then(Reason::full_use);
            Would::Ask {
                cost: cost.map(|(_, text)| text.to_owned()),
                words: texts::request_context(
                    draft,
                    &incident,
                    quota,
                    usage.as_ref(),
                    (desired, &arithmetic),
                ),
                desired,
                arithmetic,
            }
        }
    };
    it.usage = usage;
    it
}

/// The rule that speaks first of this kind of quota, and at which share of it.
fn watch(rules: &[Rule], kind: QuotaKind) -> Option<(&Rule, Share)> {
    let shares = rules.iter().filter_map(|rule| match &rule.condition {
        Condition::QuotaShare {
            kind: of, above, ..
        } if *of == kind => Some((rule, *above)),
        Condition::QuotaShare { .. }
        | Condition::Count { .. }
        | Condition::Slow { .. }
        | Condition::Unusual(_)
        | Condition::RunsOut { .. }
        | Condition::Ends { .. } => None,
    });
    shares.min_by_key(|(_, share)| *share)
}

/// The open incident of this quota, or the one that there would be if its rule spoke now.
fn supposed(
    draft: &Draft<'_>,
    pool: &Pool,
    (kind, quota): (QuotaKind, &Quota),
    watch: Option<(&Rule, Share)>,
) -> Incident {
    let cause = cause(quota);
    if let Some(open) = draft.open(&cause) {
        return open.clone();
    }
    let read = draft.book().read_through.get(&pool.id);
    let until = read.copied().unwrap_or_else(|| Minute::of(draft.now()));
    let mut incident = bare(draft, cause, Some(kind), until.plus(-1));
    incident.pools.insert(pool.id.clone());
    let lately = watch.and_then(|(rule, above)| {
        let reason = lately(draft, (kind, quota), (rule, above), until)?;
        Some((rule, reason))
    });
    if let Some((rule, reason)) = lately {
        let key = AlertKey {
            rule: rule.name.clone(),
            pool: pool.id.clone(),
        };
        let member = Member {
            severity: rule.severity,
            is_on: true,
            last_bad: None,
            rule_hash: rule.hash.clone(),
            reasons: vec![reason],
        };
        incident.members.insert(key, member);
    }
    incident
}

pub(super) fn cause(quota: &Quota) -> Cause {
    Cause::Quota {
        scope: quota.scope.clone(),
        code: quota.code.clone(),
    }
}

/// What the rule's window comes to at its end; of a daily quota, the day so far. `None` where nothing of it is known.
fn lately(
    draft: &Draft<'_>,
    (kind, quota): (QuotaKind, &Quota),
    (rule, above): (&Rule, Share),
    until: Minute,
) -> Option<Reason> {
    let of = rule.window.of();
    let from = if kind.is_daily() {
        Minute(until.plus(-1).0.div_euclid(DAY) * DAY)
    } else {
        until.plus(-i64::from(of))
    };
    let used = used(
        draft,
        (&quota.scope, &quota.code),
        (kind, quota),
        (from, until),
    )?;
    let limit = quota.limit().amount()?;
    let is_bad = |value: f64| limit.at(above).get() <= value;
    let known = from.until(until).zip(used);
    let known = known.filter_map(|(at, sample)| Some((at, sample.value()?)));
    let (minute, most, bad, of) = if kind.is_daily() {
        let sum: f64 = known.map(|(_, value)| value).sum();
        (until.plus(-1), sum, u8::from(is_bad(sum)), 1)
    } else {
        let known: Vec<(Minute, f64)> = known.collect();
        let bad = known.iter().filter(|(_, value)| is_bad(*value)).count();
        let (at, most) = known.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        (at, most, u8::try_from(bad).ok()?, of)
    };
    Some(Reason::QuotaUse {
        kind,
        code: quota.code.clone(),
        minute,
        used: Amount::new(most)?,
        quota: limit,
        is_default: quota.applied.is_none(),
        above,
        bad,
        of,
    })
}

fn used(
    draft: &Draft<'_>,
    (scope, code): (&Scope, &QuotaCode),
    (kind, quota): (QuotaKind, &Quota),
    span: (Minute, Minute),
) -> Option<Vec<Sample>> {
    let pools: Vec<&Pool> = situation::pools_of(draft.book(), scope, code).collect();
    situation::drained(
        Minutes::recent(draft.book()),
        &pools,
        Some(quota),
        kind,
        span,
    )
}
