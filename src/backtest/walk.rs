//! The same judging and planning as in the daemon, over a book in memory, without any effect.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    act::plan::{self, Past, Wanted},
    collect::{long_input_tokens, most_reserved_output},
    engine::{self, Taught, learned::LEARNED_DAYS},
    model::{
        action::{Effect, Intent, IntentState},
        alert::Verdict,
        book::{Book, Key, Record},
        calendar::Calendar,
        catalog::{Pool, PoolId},
        desk::DeskReading,
        incident::Incident,
        policy::{Policy, Settings},
        rule::Rules,
        series::PoolSeries,
        time::{DAY, Minute, Timestamp, after},
    },
};

/// By what is judged and decided.
#[derive(Clone, Debug)]
pub struct By {
    /// The rules.
    pub rules: Rules,
    /// Planned events.
    pub calendar: Calendar,
    /// What may be done.
    pub policy: Policy,
}

impl From<&Settings> for By {
    fn from(settings: &Settings) -> Self {
        Self {
            rules: settings.rules.clone(),
            calendar: settings.calendar.clone(),
            policy: Policy {
                digests: Vec::new(), // tell how things stand now, which is not what is replayed
                ..settings.policy.clone()
            },
        }
    }
}

/// A book that moves through time.
///
/// Nothing that is planned is carried out. Messages are taken as delivered. What AWS is asked for is taken as asked and
/// not answered: it holds back a second request for as long as its incident is open, and for a day.
#[derive(Debug)]
pub struct Walk {
    /// What is known at this time. Whoever walks puts in what was measured.
    pub book: Book,
    /// What the pools have taught up to this time.
    pub taught: Taught,
    by: By,
    past: Past,
}

/// What one minute came to.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// What the rules say of the pools that were judged.
    pub verdicts: Vec<Verdict>,
    /// Incidents that opened, changed or ended, as they are now.
    pub incidents: Vec<Incident>,
    /// What would have been done.
    pub intents: Vec<Intent>,
}

impl Walk {
    /// From this book on: what it holds is learned of each pool, up to this minute.
    #[must_use]
    pub fn new(book: Book, by: By, start: Minute) -> Self {
        let mut walk = Self {
            book,
            taught: Taught::new(),
            by,
            past: Past::new(),
        };
        for pool in walk.book.pools.keys() {
            walk.by.rules.prepare(pool);
        }
        walk.taught = walk.learned(start);
        walk
    }

    /// What the history teaches, as in the daemon when it first sees a pool.
    fn learned(&self, until: Minute) -> Taught {
        let first = until.plus(-LEARNED_DAYS * DAY);
        let learn = |(id, pool): (&PoolId, &Pool)| {
            let whole = self.book.series.get(id);
            let mut series = PoolSeries::default();
            for (signal, hour) in whole.into_iter().flat_map(PoolSeries::held) {
                if first <= hour
                    && let Some(block) = whole.and_then(|it| it.block(signal, hour))
                {
                    series.restore(signal, hour, block);
                }
            }
            let By {
                rules, calendar, ..
            } = &self.by;
            let learned = engine::learn(rules, calendar, &self.book, pool, &series, until);
            (id.clone(), learned)
        };
        self.book.pools.iter().map(learn).collect()
    }

    /// Judges these pools up to `until`, plans, and takes the plan into the book.
    pub fn step(&mut self, due: &BTreeSet<PoolId>, until: Minute) -> Step {
        for pool in due {
            self.read_up_to(pool, until);
        }
        let now = until.start();
        let verdicts = {
            let By {
                rules, calendar, ..
            } = &self.by;
            engine::judge_some(rules, calendar, &self.book, &mut self.taught, due, now)
        };
        let records = self.plan(&verdicts, now);
        let mut step = Step {
            verdicts,
            ..Step::default()
        };
        for record in &records {
            match record {
                Record::Incident(it) => step.incidents.push(it.clone()),
                Record::Intent(it) => step.intents.push(it.clone()),
                Record::Ask(_)
                | Record::Investigation(_)
                | Record::Track(..)
                | Record::Target(_)
                | Record::Pool(_)
                | Record::Quota(_)
                | Record::QuotaChange(_)
                | Record::Hour(..)
                | Record::Discovered(..)
                | Record::Catalog(..)
                | Record::Reaches(..)
                | Record::Tags(..)
                | Record::Permits(..)
                | Record::Ran(..)
                | Record::UseDay(..)
                | Record::ReadThrough(..)
                | Record::ReadInFull(..)
                | Record::ReadInDepth(..)
                | Record::Spend(_)
                | Record::Silence(_)
                | Record::Handling(_)
                | Record::Entry(_)
                | Record::Remove(_) => {}
            }
        }
        self.book.apply(records);
        self.let_go(now);
        step
    }

    /// Notes that everything of this pool was read up to this minute, exclusive.
    pub fn read_up_to(&mut self, pool: &PoolId, until: Minute) {
        for read in [
            Record::ReadThrough(pool.clone(), until),
            Record::ReadInFull(pool.clone(), until),
            Record::ReadInDepth(pool.clone(), until),
        ] {
            self.book.take_in(read);
        }
    }

    /// Whether a pool has to be judged each minute, whatever its rules say: it is part of an open incident.
    #[must_use]
    pub fn is_in_trouble(&self, pool: &PoolId) -> bool {
        let mut open = self.book.incidents.values().filter(|it| it.is_open());
        open.any(|it| it.members.keys().any(|key| key.pool == *pool))
    }

    fn plan(&mut self, verdicts: &[Verdict], now: Timestamp) -> Vec<Record> {
        let orphans = engine::orphans(&self.by.rules, engine::Kept::default(), &self.book);
        let takers = BTreeMap::new();
        let recent = BTreeMap::new();
        let desk: &[DeskReading] = &[];
        loop {
            let planned = plan::plan(plan::Inputs {
                book: &self.book,
                verdicts,
                orphans: &orphans,
                desk,
                takers: &takers,
                recent: &recent,
                beside: plan::nothing_beside(),
                past: &self.past,
                filling: &BTreeSet::new(),

                policy: &self.by.policy,
                stop: None,
                most_output: most_reserved_output(),
                long_input: long_input_tokens(),
                now,
            });
            match planned {
                Ok(records) => return records,
                Err(Wanted(pools)) => {
                    // The book holds all there is: nothing older is to be had.
                    let nothing = pools
                        .into_iter()
                        .map(|it| (it, Some(PoolSeries::default())));
                    self.past.extend(nothing);
                }
            }
        }
    }

    /// Messages are delivered; what AWS was asked for is answered, with no, a day later at the earliest, and until then nobody
    /// knows that it was taken.
    fn let_go(&mut self, now: Timestamp) {
        let planned =
            |it: &&Intent| it.is_filing() && matches!(it.state, IntentState::Planned { .. });
        let begun = self.book.intents.values().filter(planned);
        let begun: Vec<Record> = begun.map(|it| Record::Intent(it.begun(now))).collect();
        self.book.apply(begun);
        let day_ago = after(now, -DAY);
        let is_over = |it: &&Intent| match it.effect {
            Effect::Notify { .. } => true,
            Effect::RequestQuota { .. }
            | Effect::OpenCase { .. }
            | Effect::Comment { .. }
            | Effect::EndCase { .. } => {
                let incident = self.book.incidents.get(&it.incident);
                it.created < day_ago && incident.is_none_or(|it| !it.is_open())
            }
        };
        let over = self.book.intents.values().filter(is_over);
        let over = over.map(|it| Record::Remove(Key::Intent(it.id.clone())));
        let over: Vec<Record> = over.collect();
        self.book.apply(over);
    }
}
