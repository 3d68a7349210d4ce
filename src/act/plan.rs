//! Layer 3a: verdicts and the book in, records out. Pure: the same book, verdicts and `now` give the same plan.
//!
//! Belongs here: which incidents open, change and end, what is asked of whom, how much, and in which words.
//! Does not belong here: carrying anything out, or reading a clock.
//!
//! The order is: first what came back from the desk, then what the verdicts say, then what is to be done about it,
//! so that a grant that has just arrived is known before anything new is asked.

mod again;
mod asking;
mod bars;
mod blind;
mod case;
mod closing;
mod context;
mod desk;
mod digest;
mod disk;
mod draft;
mod evidence;
mod file;
mod group;
mod hints;
mod inhibit;
mod late;
mod links;
mod minutes;
mod obey;
mod past;
mod price;
mod prospect;
mod queue;
mod refusal;
mod related;
mod relay;
mod retention;
mod reword;
pub mod situation;
mod size;
mod support_plan;
mod tell;
pub mod texts;
mod unsent;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use self::size::bounds;
pub use self::{
    blind::blind,
    digest::{Beside, Spent, is_digest_due, nothing_beside},
    disk::{disk, disk_told},
    late::overtaken,
    minutes::Past,
    obey::{Disobeyed, obey},
    prospect::{Prospect, Would, prospects},
    relay::fallbacks,
    retention::outlived,
};
use crate::model::{
    action::Intent,
    alert::Verdict,
    book::{Book, Record},
    catalog::PoolId,
    desk::DeskReading,
    incident::AlertKey,
    order::Stop,
    policy::Policy,
    reason::Reason,
    time::Timestamp,
    uses::RecentUse,
};

/// All that a plan rests on.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// What is known and was decided.
    pub book: &'a Book,
    /// One verdict for each rule and pool that was judged now.
    pub verdicts: &'a [Verdict],
    /// Alerts that can't be judged any more, and why: their rule, pool or quota is gone.
    pub orphans: &'a [(AlertKey, String)],
    /// What the desk said now.
    pub desk: &'a [DeskReading],
    /// Who takes most of each pool, lately.
    pub takers: &'a BTreeMap<PoolId, Vec<Reason>>,
    /// What each target of pools with more than one took in the last minutes.
    pub recent: &'a BTreeMap<PoolId, RecentUse>,
    /// The most output that one request can reserve at admission, in tokens.
    pub most_output: f64,
    /// From how many input tokens on a request is a long one.
    pub long_input: u32,
    /// What is known of pools from before the minutes that the book has, as far as a plan asked for it.
    pub past: &'a Past,
    /// Pools of which CloudWatch has minutes that are still to be read: what is known of their past is a part of it.
    pub filling: &'a BTreeSet<PoolId>,
    /// What the operator allows.
    pub policy: &'a Policy,
    /// What a digest tells beside the book; asked for by [`is_digest_due`].
    pub beside: &'a Beside,
    /// Writes at AWS's desks are stopped.
    pub stop: Option<&'a Stop>,
    /// The instant of this cycle.
    pub now: Timestamp,
}

/// A plan that needs the older minutes of these pools: it is to be made again with them in [`Inputs::past`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plan needs older minutes of {} pools", .0.len())]
pub struct Wanted(pub BTreeSet<PoolId>);

/// Plans one cycle. The records are to be committed as one batch, and applied to the book after that.
///
/// # Errors
///
/// [`Wanted`] where minutes are needed that were not given. Few plans need any: only sizes and sums of open incidents
/// look back for more than the days in the book.
pub fn plan(inputs: Inputs<'_>) -> Result<Vec<Record>, Wanted> {
    let mut draft = draft::Draft::new(inputs);
    desk::adopt(&mut draft);
    desk::follow(&mut draft);
    closing::close(&mut draft);
    group::group(&mut draft);
    tell::sweep(&mut draft);
    obey::forget_old(&mut draft);
    unsent::withdraw(&mut draft);
    unsent::take_back_overtaken(&mut draft);
    unsent::propose_planned(&mut draft);
    again::look_again(&mut draft);
    file::file(&mut draft);
    unsent::tell_proposed(&mut draft);
    refusal::tell(&mut draft);
    digest::digest(&mut draft);
    draft.finish()
}

/// Whether time alone brings something to tell, so that a plan is due without any news. May say yes in vain.
#[must_use]
pub fn is_due(inputs: Inputs<'_>) -> bool {
    let draft = draft::Draft::new(inputs);
    tell::is_due(&draft)
        || digest::is_due(&draft)
        || closing::is_due(&draft)
        || again::is_due(&draft)
        || desk::is_due(&draft)
}

/// Whether a filing that is due may leave now, by all that is known by now; else the next plan says what becomes of it.
#[must_use]
pub fn may_leave(inputs: Inputs<'_>, intent: &Intent) -> bool {
    let draft = draft::Draft::new(inputs);
    again::objection(&draft, intent).is_none()
}
