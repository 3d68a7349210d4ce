//! Stored shapes, version 1. Frozen: what is written here reads what the first release wrote.
//!
//! A changed shape is a new file beside this one, a new format number and a step in `store/migrate.rs`.

mod hint;
pub(crate) mod hour;
mod shape;

use serde::{Deserialize, Serialize};

use self::{
    hint::Hint,
    hour::HourRow,
    shape::{Number, stored_enum, stored_struct},
};
pub(crate) use self::{
    hour::{SampleRow, block_of, decode as hour_from_bytes, place_of, take_pool, take_signal},
    shape::{Shape, Wrong},
};
use super::hours::PoolHourRow;
use crate::model::{
    action, alert, audit,
    book::Record,
    catalog, desk, handling, ids, incident, links, outlook, permit, quota, ran, reason, receiver,
    residency, rule, selector,
    series::{self, HourBlock, Signal},
    silence, spend, tags,
    time::Minute,
    uses, worth,
};

stored_struct!(Scope of ids::Scope { account: String, region: String, });
stored_struct!(PoolId of catalog::PoolId { scope: Scope, family: String, model: String, });
stored_struct!(AlertKey of incident::AlertKey { rule: String, pool: PoolId, });

stored_enum!(Cause of incident::Cause {
    Quota { scope: Scope, code: String, }
    Pool { pool: PoolId, category: String, }
});
stored_struct!(Exhaustion of outlook::Exhaustion {
    origin: i64, p10: Option<i64>, p50: Option<i64>, p90: Option<i64>, within_hour: Number,
    within_day: Number, within_week: Number, within_month: Number, after_day: Number,
    if_within_day: Option<i64>, if_within_week: Option<i64>, week_p95: Number,
});
stored_enum!(Reason of reason::Reason {
    QuotaUse {
        kind: String, code: String, minute: i64, used: Number, quota: Number,
        is_default: bool, above: u16, bad: u8, of: u8,
    }
    Count { signal: String, minute: i64, count: Number, demand: Number, bad: u8, of: u8, }
    Slow { minute: i64, millis: Number, limit: Number, bad: u8, of: u8, }
    Unusual { signal: String, minute: i64, value: Number, usual: Number, days: u8, }
    Trouble {
        trouble: String, minute: i64, seen: Number, usual: Number, minutes: u16, is_young: bool,
    }
    RunsOut {
        kind: String, code: String, minute: i64, used: Number, quota: Number, way: String,
        exhaustion: Exhaustion, told: i64,
    }
    Ends { end: String, minute: i64, }
    Leaves {
        target: String, minute: i64, outside: Vec<String>, is_anywhere: bool, allowed: String,
    }
    // Since format 6.
    RanOutside {
        target: String, first: i64, minute: i64, requests: u64, of: u64, regions: Vec<String>,
        hours: u32, allowed: String,
    }
    Peak { kind: String, minute: i64, used: Number, coverage: u16, }
    TopTarget { target: String, share: u16, }
    Gap { minutes: u32, why: String, }
    Considered { text @ 0: String, }
    FullUse { usd: Number, text: String, }
    Hint { hint @ 0: Box<Hint>, }
});
stored_struct!(Member of incident::Member {
    severity: String, is_on: bool, rule_hash: String, reasons: Vec<Reason>,
    // Since format 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_bad: Option<i64>,
});
stored_struct!(Decision of incident::Decision { at: String, what: String, });
stored_struct!(Spell of incident::Spell { first: i64, last: i64, });
stored_struct!(Incident of incident::Incident {
    id: String, cause: Cause, generation: u32, kind: Option<String>, pools: Vec<PoolId>,
    severity: String, remedy: String, scenario: Option<String>, opened: String, began: i64,
    last_bad: i64,
    // Since format 6.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    spells: Vec<Spell>,
    resolved: Option<String>, lost: Number, members: Vec<(AlertKey, Member)>,
    // Since format 4; an incident of before has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hints: Vec<Hint>,
    decisions: Vec<Decision>, decisions_dropped: u32, messages: u32, told: Option<String>,
    // Since format 6.
    #[serde(default, skip_serializing_if = "Option::is_none")] refusal: Option<Refusal>,
});
stored_struct!(Refusal of incident::Refusal {
    at: String, why: String, change: Option<String>, is_lasting: bool, is_told: bool,
});

stored_struct!(Link of links::Link { kind: String, text: String, url: String, });
stored_struct!(Notice of receiver::Notice {
    phase: String, number: u32, severity: String, title: String, cause: Cause, kind: Option<String>,
    pools: Vec<PoolId>, began: i64, resolved: Option<String>,
    // A message of before leads nowhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
    // Since format 6, as links; a message of before has neither.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    flags: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    teams: Vec<String>,
});
stored_struct!(Evidence of action::Evidence {
    name: String, csv: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    minutes: String,
});
stored_enum!(Effect of action::Effect {
    Notify {
        receiver: String, severity: String, subject: String, body: String,
        // Since format 5; a message of before has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<Box<Notice>>,
    }
    RequestQuota { scope: Scope, code: String, desired: Number, context: String, }
    OpenCase {
        scope: Scope, subject: String, body: String,
        // Since format 6; words of before have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<Box<Evidence>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        desired: Option<Number>,
    }
    // Since format 6.
    EndCase {
        scope: Scope, case: String, ours: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thanks: Option<String>,
    }
    Comment {
        scope: Scope, case: String, body: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<Box<Evidence>>,
    }
});
stored_enum!(IntentState of action::IntentState {
    Proposed { expires: String, }
    Planned { not_before: String, }
    Sending { at: String, }
    Unknown { since: String, absent: u8, look_at: String, }
    Done { reference: String, at: String, theirs: Option<Number>, }
    Held { why: String, at: String, }
    Refused { why: String, at: String, }
});
stored_struct!(Intent of action::Intent {
    id: String, incident: String, step: String, effect: Effect, reasons: Vec<Reason>,
    created: String, state: IntentState, attempts: u32, last_failure: Option<String>, revision: u64,
    // Since format 6.
    #[serde(default, skip_serializing_if = "Option::is_none")] approved_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")] approved_at: Option<String>,
    #[serde(default, skip_serializing_if = "is_none")] declined: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")] worded: Option<String>,
});

/// A count that says nothing.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_none(count: &u32) -> bool {
    *count == 0
}

stored_enum!(AskEnd of desk::AskEnd {
    Granted { value: Number, }
    PartlyGranted { value: Number, }
    Denied {}
});
stored_struct!(Ask of desk::Ask {
    request: String, action: String, incident: String, scope: Scope, code: String, kind: String,
    before: Number, desired: Number, filed: String, status: String, closed: Option<String>,
    display: Option<String>, case: Option<String>, told_waiting: bool, polled: String,
    end: Option<(AskEnd, String)>,
    // Since format 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    case_seen: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    no_plan: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    waiting: Option<Waiting>,
});
stored_struct!(Waiting of desk::Waiting { since: String, reminders: u8, });
stored_struct!(Investigation of desk::Investigation {
    case: String, action: String, incident: String, scope: Scope, display: Option<String>,
    marker: String, opened: String, status: String, told_waiting: bool, polled: String,
    ended: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    twin: Option<String>,
    // Since format 6.
    #[serde(default, skip_serializing_if = "Option::is_none")] waiting: Option<Waiting>,
});
stored_struct!(Track of alert::Track {
    state: String, since: i64, through: i64, began: Option<i64>, last_bad: Option<i64>,
});

stored_enum!(TargetKind of catalog::TargetKind {
    Base {}
    SystemProfile {}
    ApplicationProfile { name: String, }
    Mantle {}
});
stored_struct!(Target of catalog::Target {
    id: String, kind: TargetKind, pool: PoolId, first_seen: String,
});
stored_enum!(Mapping of catalog::Mapping {
    Mapped { code: String, proof: String, }
    Absent {}
    Ambiguous { candidates: Vec<String>, }
    Unknown {}
});
stored_struct!(Mark of worth::Mark { at: i64, used: Number, quota: Number, });
stored_struct!(Worth of worth::Worth {
    low: Number, high: Number, passed: Option<Mark>, stopped: Option<Mark>,
});
stored_struct!(Pool of catalog::Pool {
    id: PoolId, burndown: Option<Number>,
    // Since format 6.
    #[serde(default, skip_serializing_if = "Option::is_none")] worth: Option<Worth>,
    mappings: Vec<(String, Mapping)>,
});
stored_struct!(LifeCycle of catalog::LifeCycle {
    status: String, legacy: Option<String>, extended: Option<String>, end: Option<String>,
});
stored_struct!(Spare of catalog::Spare { pool: Pool, targets: Vec<Target>, });
stored_struct!(Unwatched of catalog::Unwatched { why: String, since: String, });
stored_struct!(Catalog of catalog::Catalog {
    profiles: Vec<String>, lives: Vec<(String, LifeCycle)>, vanished: Vec<(String, String)>,
    // Since format 6.
    #[serde(default, skip_serializing_if = "Vec::is_empty")] spares: Vec<Spare>,
    // Since format 7.
    #[serde(default, skip_serializing_if = "Vec::is_empty")] new_profiles: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")] unwatched: Vec<(String, Unwatched)>,
});
stored_struct!(Quota of quota::Quota {
    scope: Scope, code: String, name: String, applied: Option<Number>, default: Option<Number>,
    adjustable: bool, read_at: String, stale: Option<String>,
});
stored_struct!(QuotaChange of quota::QuotaChange {
    scope: Scope, code: String, old: Option<Number>, new: Option<Number>, at: String,
});

stored_struct!(Site of spend::Site { scope: Option<Scope>, operation: String, });
stored_struct!(Calls of spend::Calls { requests: u64, metrics: u64, });
stored_struct!(CallCounts of spend::CallCounts { by_site: Vec<(Site, Calls)>, });
stored_struct!(Spend of spend::Spend { month: String, since: String, calls: CallCounts, });

// Since format 5.
stored_struct!(Matcher of rule::Matcher {
    accounts: Vec<String>, regions: Vec<String>, families: Vec<String>, models: Vec<String>,
});
stored_struct!(Selector of selector::Selector {
    rules: Vec<String>, categories: Vec<String>, pools: Matcher, names: Vec<String>,
});
stored_struct!(Silence of silence::Silence {
    id: String, selector: Selector, by: String, why: String, created: String, from: String,
    until: String, holds_requests: bool, expired_by: Option<String>,
});
stored_enum!(Hold of handling::Hold {
    Silenced { by: Vec<String>, }
    Inhibited { by: String, rule: String, }
});
stored_struct!(Event of handling::Event { at: String, what: String, });
stored_struct!(Held of handling::Held {
    hold: Hold, since: String, severity: String, was_told: bool, events: Vec<Event>, dropped: u32,
});
stored_struct!(Ack of handling::Ack {
    by: String, at: String, note: Option<String>, severity: String, until: Option<String>,
});
stored_struct!(Rejected of handling::Rejected {
    by: String, at: String, why: Option<String>, severity: String,
});
stored_struct!(Handling of handling::Handling {
    incident: String, returns: u32, heard_end: bool, end_due: Option<String>, held: Option<Held>,
    ack: Option<Ack>, rejected: Option<Rejected>, last_told: Option<String>, reminders: u32,
});

// Since format 5, as all kinds of record below.
stored_struct!(Reach of residency::Reach { regions: Vec<String>, is_anywhere: bool, });
stored_struct!(Reaches of residency::Reaches { by_reach: Vec<(Reach, Vec<String>)>, });

stored_struct!(Tags of tags::Tags { by_key: Vec<(String, String)>, read_at: String, });
stored_struct!(Denial of permit::Denial {
    by: String, resource: String, policy: Option<String>, missing: Vec<String>,
});
stored_enum!(Ruling of permit::Ruling {
    Allowed {}
    Denied { it @ 0: Denial, }
    Unknown { why: String, }
});
stored_struct!(Permit of permit::Permit { call: Ruling, stream: Ruling, });
stored_struct!(Permits of permit::Permits { by_caller: Vec<(String, Permit)>, asked_at: String, });

stored_struct!(RanCount of ran::Count {
    requests: u64, failed: u64, input: u64, output: u64, cache_read: u64, cache_write: u64,
});
stored_struct!(RanDay of ran::RanDay {
    hours: Vec<u8>, ways: Vec<((String, Option<String>), RanCount)>, bytes_scanned: u64,
});

/// Requests, tokens, and throttled requests where there were any: a day has hundreds of these.
type TargetUse = Vec<Number>;
impl Shape<series::TargetUse> for TargetUse {
    fn of(domain: &series::TargetUse) -> Self {
        let mut numbers = vec![Shape::of(&domain.demand), Shape::of(&domain.charged)];
        if domain.throttled != 0.0 {
            numbers.push(Shape::of(&domain.throttled));
        }
        numbers
    }

    fn back(self) -> Result<series::TargetUse, Wrong> {
        let mut numbers = self.into_iter();
        let short = || Wrong::new("the use of a target has two or three numbers".to_owned());
        let mut next = || numbers.next().map(Shape::back).transpose();
        let (demand, charged) = (next()?.ok_or_else(short)?, next()?.ok_or_else(short)?);
        let throttled = next()?.unwrap_or(0.0); // none, as every use before format 7 has it
        if next()?.is_some() {
            return Err(short());
        }
        Ok(series::TargetUse {
            demand,
            charged,
            throttled,
        })
    }
}
stored_struct!(UseHour of uses::UseHour {
    minutes: u8, named: Vec<(u16, TargetUse)>, others: TargetUse,
});
stored_struct!(UseDay of uses::UseDay { targets: Vec<String>, hours: Vec<(u8, UseHour)>, });

stored_struct!(Entry of audit::Entry {
    number: u64, at: String, by: Option<String>, kind: String, subject: String, what: String,
    why: Option<String>,
});

/// One record as it stands in a dump line, and, but for hours, in the store.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Row {
    /// An incident.
    Incident(Incident),
    /// An intent.
    Intent(Intent),
    /// A quota request.
    Ask(Ask),
    /// A case of our own.
    Investigation(Investigation),
    /// Where judging stands.
    Track(AlertKey, Track),
    /// A target.
    Target(Target),
    /// A pool.
    Pool(Pool),
    /// A quota.
    Quota(Quota),
    /// A change of a quota.
    QuotaChange(QuotaChange),
    /// An hour of one signal, until format 6.
    Hour(HourRow),
    /// An hour; in the store it is compact bytes instead. Since format 7.
    PoolHour(PoolHourRow),
    /// When a scope was discovered.
    Discovered(Scope, String),
    /// How far a pool was read.
    ReadThrough(PoolId, i64),
    /// What a scope's listings say beside targets and pools; since format 2.
    Catalog(Scope, Catalog),
    /// How far a pool was read in full; since format 2.
    ReadInFull(PoolId, i64),
    /// How far all signals of a pool were read; since format 3.
    ReadInDepth(PoolId, i64),
    /// What was asked of AWS in a month; since format 2.
    Spend(Spend),
    /// A silence; since format 5.
    Silence(Silence),
    /// How people are told of an incident; since format 5.
    Handling(Handling),
    /// An entry of the audit trail; since format 5.
    Entry(Entry),
    /// Where the profiles of a scope lead; since format 5.
    Reaches(Scope, Reaches),
    /// Who took what of a pool on a day; since format 5.
    UseDay(PoolId, i64, UseDay),
    /// The tags of an application profile; since format 5.
    Tags(Scope, String, Tags),
    /// Who may call a target; since format 6.
    Permits(Scope, String, Permits),
    /// Where requests ran on a day; since format 6.
    Ran(Scope, i64, RanDay),
}

impl Row {
    /// The row of a record that holds something, or nothing for `Remove`.
    pub(crate) fn of(record: &Record) -> Option<Self> {
        Some(match record {
            Record::Incident(it) => Self::Incident(Shape::of(it)),
            Record::Intent(it) => Self::Intent(Shape::of(it)),
            Record::Ask(it) => Self::Ask(Shape::of(it)),
            Record::Investigation(it) => Self::Investigation(Shape::of(it)),
            Record::Track(key, it) => Self::Track(Shape::of(key), Shape::of(it)),
            Record::Target(it) => Self::Target(Shape::of(it)),
            Record::Pool(it) => Self::Pool(Shape::of(it)),
            Record::Quota(it) => Self::Quota(Shape::of(it)),
            Record::QuotaChange(it) => Self::QuotaChange(Shape::of(it)),
            Record::Hour(pool, hour, it) => Self::PoolHour(PoolHourRow::of(pool, *hour, it)),
            Record::Discovered(scope, at) => Self::Discovered(Shape::of(scope), Shape::of(at)),
            Record::ReadThrough(pool, minute) => {
                Self::ReadThrough(Shape::of(pool), Shape::of(minute))
            }
            Record::Catalog(scope, it) => Self::Catalog(Shape::of(scope), Shape::of(it)),
            Record::ReadInFull(pool, minute) => {
                Self::ReadInFull(Shape::of(pool), Shape::of(minute))
            }
            Record::ReadInDepth(pool, minute) => {
                Self::ReadInDepth(Shape::of(pool), Shape::of(minute))
            }
            Record::Spend(it) => Self::Spend(Shape::of(it)),
            Record::Silence(it) => Self::Silence(Shape::of(it)),
            Record::Handling(it) => Self::Handling(Shape::of(it)),
            Record::Entry(it) => Self::Entry(Shape::of(it)),
            Record::Reaches(scope, it) => Self::Reaches(Shape::of(scope), Shape::of(it)),
            Record::Tags(scope, target, it) => {
                Self::Tags(Shape::of(scope), Shape::of(target), Shape::of(it))
            }
            Record::Permits(scope, target, it) => {
                Self::Permits(Shape::of(scope), Shape::of(target), Shape::of(it))
            }
            Record::Ran(scope, day, it) => Self::Ran(Shape::of(scope), *day, Shape::of(it)),
            Record::UseDay(pool, day, it) => Self::UseDay(Shape::of(pool), *day, Shape::of(it)),
            Record::Remove(_) => return None,
        })
    }

    /// The record this row was made of.
    pub(crate) fn back(self) -> Result<Record, Wrong> {
        Ok(match self {
            Self::Incident(it) => Record::Incident(it.back()?),
            Self::Intent(it) => Record::Intent(it.back()?),
            Self::Ask(it) => Record::Ask(it.back()?),
            Self::Investigation(it) => Record::Investigation(it.back()?),
            Self::Track(key, it) => Record::Track(key.back()?, it.back()?),
            Self::Target(it) => Record::Target(it.back()?),
            Self::Pool(it) => Record::Pool(it.back()?),
            Self::Quota(it) => Record::Quota(it.back()?),
            Self::QuotaChange(it) => Record::QuotaChange(it.back()?),
            Self::Hour(it) => it.back()?,
            Self::PoolHour(it) => it.back()?,
            Self::Discovered(scope, at) => Record::Discovered(scope.back()?, at.back()?),
            Self::ReadThrough(pool, minute) => Record::ReadThrough(pool.back()?, minute.back()?),
            Self::Catalog(scope, it) => Record::Catalog(scope.back()?, it.back()?),
            Self::ReadInFull(pool, minute) => Record::ReadInFull(pool.back()?, minute.back()?),
            Self::ReadInDepth(pool, minute) => Record::ReadInDepth(pool.back()?, minute.back()?),
            Self::Spend(it) => Record::Spend(it.back()?),
            Self::Silence(it) => Record::Silence(it.back()?),
            Self::Handling(it) => Record::Handling(it.back()?),
            Self::Entry(it) => Record::Entry(it.back()?),
            Self::Reaches(scope, it) => Record::Reaches(scope.back()?, it.back()?),
            Self::Tags(scope, target, it) => {
                Record::Tags(scope.back()?, target.back()?, it.back()?)
            }
            Self::Permits(scope, target, it) => {
                Record::Permits(scope.back()?, target.back()?, it.back()?)
            }
            Self::Ran(scope, day, it) => Record::Ran(scope.back()?, day, it.back()?),
            Self::UseDay(pool, day, it) => Record::UseDay(pool.back()?, day, it.back()?),
        })
    }
}

/// Refuses a minute that is not the first of an hour, or lies beyond the years we can name.
pub(crate) fn check_hour(minute: Minute) -> Result<(), Wrong> {
    /// Year 9999, in minutes since 1970.
    const FAR: i64 = 4_223_376_000;
    if (-FAR..=FAR).contains(&minute.0) && minute.0.rem_euclid(60) == 0 {
        return Ok(());
    }
    let why = format!("minute {} is not the first of an hour", minute.0);
    Err(Wrong::new(why).within("hour"))
}

/// The record of one hour of one signal, if `hour` is one.
fn hour_record(
    pool: catalog::PoolId,
    signal: Signal,
    hour: Minute,
    block: &HourBlock,
) -> Result<Record, Wrong> {
    check_hour(hour)?;
    let whole = [(signal, *block)].into_iter().collect();
    Ok(Record::Hour(pool, hour, whole))
}
