//! Layer 3a: verdicts and the book in, records out. Pure: the same book, verdicts and `now` give the same plan.
//!
//! Belongs here: which incidents open, change and end, what is asked of whom, how much, and in which words.
//! Does not belong here: carrying anything out, or reading a clock.
//!
//! The order is: first what came back from the desk, then what the verdicts say, then what is to be done about it,
//! so that a grant that has just arrived is known before anything new is asked.

mod desk;
mod draft;
mod file;
mod group;
pub mod situation;
mod size;
pub mod texts;

use std::collections::BTreeMap;

use crate::model::{
    alert::Verdict,
    book::{Book, Record},
    catalog::PoolId,
    desk::DeskReading,
    incident::AlertKey,
    policy::Policy,
    reason::Reason,
    time::Timestamp,
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
    /// What the operator allows.
    pub policy: &'a Policy,
    /// The instant of this cycle.
    pub now: Timestamp,
}

/// Plans one cycle. The records are to be committed as one batch, and applied to the book after that.
#[must_use]
pub fn plan(inputs: Inputs<'_>) -> Vec<Record> {
    let mut draft = draft::Draft::new(inputs);
    desk::adopt(&mut draft);
    desk::follow(&mut draft);
    group::group(&mut draft);
    file::file(&mut draft);
    draft.into_records()
}
