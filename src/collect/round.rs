//! One scope's round: what is due there now, in order, each find handed over as soon as it is whole.
//!
//! A round knows its own account and Region only. So rounds run side by side, and a Region that hangs holds up nobody:
//! whoever collects the finds takes what has come in time, and the rest when it comes.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::Arc,
};

use tokio::sync::{Semaphore, mpsc};

use super::{
    Gathered, News,
    alarm::Alarm,
    backfill::{self, Backfill, Filled},
    cadence::{Plan, due, sizes},
    discover, enabled_regions, find_twins,
    permits::{Wanted, ask_permits},
    poll_desk,
    quotas::QuotaPages,
    ran::feed::{Asking, Feed, ask_logs},
    reread::Rereads,
    reread_quotas,
    tags::read_tags,
    tried::Tried,
    usage::{PoolReading, past::first_day, read},
};
use crate::{
    cloud::{Cloud, Fault, FaultClass},
    model::{
        book::{Book, Record},
        catalog::PoolId,
        desk::DeskReading,
        history::{Stretch, StretchKey},
        ids::{Region, Scope, TargetId},
        policy::Cadence,
        ran::RanHour,
        series::Depth,
        time::{DAY, Minute, Timestamp, after},
    },
};

/// A discovery that was not whole is tried again after so many minutes, not in each round.
const DISCOVERY_RETRY_MINUTES: i64 = 5;
/// An account is asked which Regions it has after so many minutes.
const REGIONS_MINUTES: i64 = DAY;
/// All quota names are listed anew after so many minutes; a pool without a mapping has them listed at once.
const LISTING_MINUTES: i64 = DAY;
/// Cases are listed after so many minutes while one of ours is open, for others about the same.
const TWINS_MINUTES: i64 = 30;
/// First reads go back days: so many pools are read before their minutes are handed over, to bound the memory.
const NEW_POOLS: usize = 28;

/// Targets that came late and are looked at in one round.
const MOST_LATE: usize = 20;

/// What a round has found out.
#[derive(Debug)]
pub enum Find {
    /// Records to commit.
    Records(Vec<Record>),
    /// Minutes of pools that were read together, and how far each is read now.
    Readings(Vec<PoolReading>),
    /// An hour of the log of model invocations.
    Ran(RanHour),
    /// What the back-fill read.
    History(Vec<Stretch>),
    /// A target of this pool was called since that day, counted from 1970, and the history was filled without it.
    Lacking(PoolId, i64),
    /// What the desk said.
    Desk(Vec<DeskReading>),
    /// All Regions that the account has enabled.
    Regions(Vec<Region>),
    /// Something that a person should know of, once: a finding, not a failure.
    News(News),
    /// How a stage went; without faults it succeeded.
    Stage {
        /// `regions`, `discover`, `read`, `quotas`, `alarm`, `desk`, `twins`, `tags`, `permits`, `ran` or `backfill`.
        name: &'static str,
        /// What failed, in order.
        faults: Vec<Fault>,
    },
}

/// What the rounds of one scope remember of one another. All of it can be lost.
#[derive(Debug, Default)]
pub struct Watch {
    regions_asked: Option<Timestamp>,
    regions_tried: Option<Timestamp>,
    discovery_tried: Option<Timestamp>,
    quotas_listed: Option<Timestamp>,
    unfinished: Option<QuotaPages>,
    knows_targets: bool,
    /// Targets of which it is not known yet whether their pools' history lacks them.
    late: BTreeMap<TargetId, PoolId>,
    rereads: Rereads,
    desk_polled: Option<Timestamp>,
    twins_sought: Option<Timestamp>,
    told: BTreeSet<String>,
    /// Pools whose tokens a quick read can't tell.
    by_formula: BTreeSet<PoolId>,
    alarm: Alarm,
    filled: backfill::Tries,
    tags_tried: Tried,
    permits_tried: Tried,
    asking: Asking,
}

impl Watch {
    /// Minutes from ring to ring while refusals that no pool explains wake the quiet pools.
    #[must_use]
    pub fn rings_every(&self) -> Option<i64> {
        self.alarm.rings_every()
    }
}

/// What a round starts from.
#[derive(Debug)]
pub struct Start {
    /// The account and Region.
    pub scope: Scope,
    /// Everything known but the history.
    pub book: Book,
    /// How each pool is doing, and what the budget makes of it. One for all rounds.
    pub plan: Arc<Plan>,
    /// Free requests that this round may spend on single series.
    pub free: u32,
    /// How often what is done.
    pub cadence: Cadence,
    /// What is missing in the history.
    pub missing: Vec<StretchKey>,
    /// Whether there is money and room for the past.
    pub may_fill: bool,
    /// Whether the account is asked here which Regions it has.
    pub is_home: bool,
    /// Turns at reading days, shared by all rounds: what is in memory at once is bounded by them.
    pub turns: Arc<Semaphore>,
    /// Ways out of pools that are short, and whose rights to them are asked about.
    pub wanted: Wanted,
    /// The log of model invocations, where it is asked.
    pub feed: Option<Feed>,
    /// The instant of the round.
    pub now: Timestamp,
}

/// Whoever wanted the finds is gone; the round ends.
#[derive(Debug)]
struct Gone;

/// Carries out one round. Every find goes to `finds`, which bounds how far the round runs ahead of who takes them.
pub async fn round(
    mut watch: Watch,
    start: Start,
    cloud: Arc<dyn Cloud>,
    finds: mpsc::Sender<(Scope, Find)>,
) -> Watch {
    let mut round = Round {
        watch: &mut watch,
        start,
        cloud: &*cloud,
        finds,
    };
    if round.run().await.is_err() {
        tracing::debug!(event = "round.unheard", "nobody takes the finds any more");
    }
    watch
}

struct Round<'a> {
    watch: &'a mut Watch,
    start: Start,
    cloud: &'a dyn Cloud,
    finds: mpsc::Sender<(Scope, Find)>,
}

impl Round<'_> {
    async fn run(&mut self) -> Result<(), Gone> {
        self.ask_regions().await?;
        self.discover().await?;
        let due = self.due();
        self.read(due).await?;
        self.answer_alarm().await?;
        self.reread_quotas().await?;
        self.poll_desk().await?;
        self.seek_twins().await?;
        self.read_tags().await?;
        self.ask_permits().await?;
        self.ask_logs().await?;
        self.look_back().await?;
        self.fill_history().await
    }

    async fn ask_regions(&mut self) -> Result<(), Gone> {
        let Start {
            scope,
            is_home,
            now,
            ..
        } = &self.start;
        let is_wanted = *is_home && is_due(self.watch.regions_asked, REGIONS_MINUTES, *now);
        if !is_wanted || !is_due(self.watch.regions_tried, DISCOVERY_RETRY_MINUTES, *now) {
            return Ok(());
        }
        self.watch.regions_tried = Some(*now);
        match enabled_regions(self.cloud, scope).await {
            Ok(regions) => {
                self.watch.regions_asked = Some(*now);
                self.hand_over(Find::Regions(regions)).await?;
                self.tell("regions", Vec::new()).await
            }
            Err(fault) => self.tell("regions", vec![fault]).await,
        }
    }

    async fn discover(&mut self) -> Result<(), Gone> {
        let Start {
            scope,
            book,
            cadence,
            now,
            ..
        } = &self.start;
        let last = book.discovered.get(scope);
        let is_fresh = last.is_some_and(|last| *now < after(*last, cadence.discovery_minutes));
        if is_fresh || !is_due(self.watch.discovery_tried, DISCOVERY_RETRY_MINUTES, *now) {
            return Ok(());
        }
        self.watch.discovery_tried = Some(*now);
        let with_quotas = is_due(self.watch.quotas_listed, LISTING_MINUTES, *now);
        let found = discover(
            self.cloud,
            scope,
            book,
            with_quotas,
            &mut self.watch.unfinished,
            *now,
        )
        .await;
        if found.has_listed_quotas {
            self.watch.quotas_listed = Some(*now);
            self.watch.rereads.listed(*now);
        }
        self.watch.knows_targets |= found.has_all_targets;
        self.watch.late.extend(found.late);
        for news in found.news {
            if self.watch.told.insert(news.to_string()) {
                self.hand_over(Find::News(news)).await?;
            }
        }
        self.start.book.apply(found.gathered.found.clone());
        self.hand_over(Find::Records(found.gathered.found)).await?;
        self.tell("discover", found.gathered.faults).await
    }

    fn due(&self) -> Vec<(PoolId, Depth)> {
        let Start {
            scope,
            book,
            plan,
            cadence,
            now,
            ..
        } = &self.start;
        let mut pools = due(book, plan, cadence, *now);
        pools.retain(|(pool, _)| pool.scope == *scope);
        pools
    }

    /// Pools that were read before go together: they share requests. The first days of new ones are handed over bit by bit.
    async fn read(&mut self, mut pools: Vec<(PoolId, Depth)>) -> Result<(), Gone> {
        if pools.is_empty() {
            return Ok(());
        }
        for (pool, depth) in &mut pools {
            if self.watch.by_formula.contains(pool) {
                *depth = Depth::Full.max(*depth);
            }
        }
        let (known, new): (Vec<_>, Vec<_>) = pools
            .into_iter()
            .partition(|(pool, _)| self.start.book.read_through.contains_key(pool));
        let mut faults = Vec::new();
        let turns = Arc::clone(&self.start.turns);
        let known = (!known.is_empty()).then_some(known.as_slice());
        for batch in known.into_iter().chain(new.chunks(NEW_POOLS)) {
            // A first read is long: single requests for its many series would take longer than they are worth.
            let mut none = 0;
            let is_new = known.is_none_or(|known| known.as_ptr() != batch.as_ptr());
            let Start {
                scope,
                book,
                free,
                now,
                ..
            } = &mut self.start;
            let free = if is_new { &mut none } else { free };
            // Nobody closes the turns; without one it would only be more in memory.
            let turn = if is_new {
                turns.acquire().await.ok()
            } else {
                None
            };
            let gathered = read(self.cloud, scope, batch, book, free, *now).await;
            let is_throttled = is_throttled(&gathered.faults);
            faults.extend(gathered.faults);
            for read in &gathered.found {
                self.take(read);
            }
            if !gathered.found.is_empty() {
                self.hand_over(Find::Readings(gathered.found)).await?;
            }
            drop(turn);
            if is_throttled {
                break; // more of the same would only prolong it; the next round goes on here
            }
        }
        self.tell("read", faults).await
    }

    /// Remembers what a reading says for the rest of this round and for later ones.
    fn take(&mut self, read: &PoolReading) {
        let pool = &read.reading.pool;
        self.start.book.apply(read.records(&self.start.book));
        self.watch.alarm.explain(&read.reading);
        if read.in_full.is_none() {
            return;
        }
        if read.is_by_formula {
            self.watch.by_formula.insert(pool.clone());
        } else {
            self.watch.by_formula.remove(pool);
        }
    }

    /// One cheap series of the whole account wakes the pools that are read now and then only. It counts refusals of the
    /// runtime endpoint; the mantle one publishes none.
    async fn answer_alarm(&mut self) -> Result<(), Gone> {
        let Start {
            scope, book, now, ..
        } = &self.start;
        let until = Minute::of(*now);
        self.watch.alarm.forget(until);
        let is_asleep =
            |(pool, through): &(&PoolId, &Minute)| **through < until && pool.family.is_of_runtime();
        if !book.reads_in(scope).any(|read| is_asleep(&read)) {
            return Ok(());
        }
        let seen = super::throttles_of_account(self.cloud, scope, *now).await;
        let is_told = seen.faults.is_empty();
        self.tell("alarm", seen.faults).await?;
        if !is_told || !self.watch.alarm.rings(&seen.found, until) {
            return Ok(());
        }
        let woken = self.woken(until);
        if woken.is_empty() {
            return Ok(());
        }
        let before = self.watch.alarm.accounted_for(&seen.found);
        self.read(woken).await?;
        self.watch.alarm.answer(&seen.found, before, until);
        Ok(())
    }

    /// The pools that a ring has read: those of which nothing is known for as long as the rings are apart, as far as the
    /// budget allows. Its plan counts on the same.
    fn woken(&self, until: Minute) -> Vec<(PoolId, Depth)> {
        let Start {
            scope,
            book,
            plan,
            cadence,
            ..
        } = &self.start;
        let every = self.watch.rings_every().unwrap_or(1);
        let sizes = sizes(book);
        let reads = book.reads_in(scope);
        let woken = reads.filter(|(pool, through)| {
            let targets = sizes.get(pool).copied().unwrap_or(0);
            let periods = plan.at_full_cadence(pool, targets, cadence).woken(every);
            let period = plan.stretched(pool, periods).quick;
            pool.family.is_of_runtime() && through.plus(period) <= until
        });
        woken
            .map(|(pool, _)| (pool.clone(), Depth::Quick))
            .collect()
    }

    /// The values that open requests are about are read with each poll of the desk, all mapped ones now and then.
    async fn reread_quotas(&mut self) -> Result<(), Gone> {
        let is_desk_due = self.is_desk_due();
        let Start {
            scope, book, now, ..
        } = &self.start;
        let rereads = &mut self.watch.rereads;
        let codes = rereads.next(scope, book, is_desk_due, *now);
        if codes.is_empty() {
            return Ok(());
        }
        let read = reread_quotas(self.cloud, scope, &codes, book, *now).await;
        rereads.reached(codes.get(..read.reached).unwrap_or(&codes), *now);
        self.hand_over(Find::Records(read.found)).await?;
        self.tell("quotas", read.faults).await
    }

    fn is_desk_due(&self) -> bool {
        let every = self.start.cadence.desk_minutes;
        is_due(self.watch.desk_polled, every, self.start.now)
    }

    async fn poll_desk(&mut self) -> Result<(), Gone> {
        if !self.is_desk_due() {
            return Ok(());
        }
        let Start {
            scope, book, now, ..
        } = &self.start;
        self.watch.desk_polled = Some(*now);
        let Gathered { found, faults } = poll_desk(self.cloud, scope, book, *now).await;
        if !found.is_empty() {
            self.hand_over(Find::Desk(found)).await?;
        }
        self.tell("desk", faults).await
    }

    /// Whether a case of ours is the only one about its problem.
    async fn seek_twins(&mut self) -> Result<(), Gone> {
        let Start {
            scope, book, now, ..
        } = &self.start;
        if !is_due(self.watch.twins_sought, TWINS_MINUTES, *now) {
            return Ok(());
        }
        self.watch.twins_sought = Some(*now);
        let Gathered { found, faults } = find_twins(self.cloud, scope, book).await;
        if !found.is_empty() {
            self.hand_over(Find::Desk(found)).await?;
        }
        self.tell("twins", faults).await
    }

    /// Nobody waits for tags: after everything that limits are judged by.
    async fn read_tags(&mut self) -> Result<(), Gone> {
        let Start {
            scope, book, now, ..
        } = &self.start;
        let tried = &mut self.watch.tags_tried;
        let Some(read) = read_tags(self.cloud, scope, book, tried, *now).await else {
            return Ok(());
        };
        if !read.found.is_empty() {
            self.hand_over(Find::Records(read.found)).await?;
        }
        self.tell("tags", read.faults).await
    }

    /// Nobody waits for these either: what a message doesn't know yet, it says.
    async fn ask_permits(&mut self) -> Result<(), Gone> {
        let Start {
            scope,
            book,
            wanted,
            now,
            ..
        } = &self.start;
        let tried = &mut self.watch.permits_tried;
        let Some(asked) = ask_permits(self.cloud, scope, wanted, book, tried, *now).await else {
            return Ok(());
        };
        if !asked.found.is_empty() {
            self.hand_over(Find::Records(asked.found)).await?;
        }
        self.tell("permits", asked.faults).await
    }

    /// One step towards the next hour of the log of model invocations.
    async fn ask_logs(&mut self) -> Result<(), Gone> {
        let Start {
            scope, feed, now, ..
        } = &self.start;
        let Some(feed) = feed else {
            return Ok(());
        };
        let asking = &mut self.watch.asking;
        let Some(asked) = ask_logs(self.cloud, scope, feed, asking, *now).await else {
            return Ok(());
        };
        if let Some(hour) = asked.found {
            self.hand_over(Find::Ran(hour)).await?;
        }
        self.tell("ran", asked.faults).await
    }

    /// An application profile may be listed long after it was called first. Looked at while what is found missing can be read.
    async fn look_back(&mut self) -> Result<(), Gone> {
        if !self.start.may_fill {
            return Ok(());
        }
        for _ in 0..MOST_LATE {
            let Some((target, pool)) = self.watch.late.pop_first() else {
                break;
            };
            let Start { scope, now, .. } = &self.start;
            let seen = first_day(self.cloud, scope, &target, *now).await;
            if !seen.faults.is_empty() {
                self.watch.late.insert(target, pool);
                return self.tell("backfill", seen.faults).await;
            }
            if let Some(day) = seen.found {
                self.hand_over(Find::Lacking(pool, day)).await?;
            }
        }
        Ok(())
    }

    /// Some of what is missing, after everything that people wait for. Where others read days now, the next round comes
    /// soon enough: waiting for a turn would hold up the minutes of this one.
    ///
    /// Nothing before all targets were listed once: what is filled is asked for by nobody again, and a pool would lack
    /// those of its application profiles that were not listed yet for good.
    async fn fill_history(&mut self) -> Result<(), Gone> {
        let Start {
            scope,
            book,
            missing,
            now,
            ..
        } = &self.start;
        if !self.watch.knows_targets && !book.discovered.contains_key(scope) {
            return Ok(());
        }
        let turns = Arc::clone(&self.start.turns);
        let Some(_turn) = turns.try_acquire().ok().filter(|_| !missing.is_empty()) else {
            return Ok(());
        };
        let mut tries = mem::take(&mut self.watch.filled);
        let what = (missing.as_slice(), &mut tries);
        let mut filling = Backfill::new(self.cloud, scope, what, book, *now);
        while let Some(found) = filling.next().await {
            self.hand_over_filled(found).await?;
        }
        let faults = filling.into_faults();
        self.watch.filled = tries;
        self.tell("backfill", faults).await
    }

    async fn hand_over_filled(&self, found: Vec<Filled>) -> Result<(), Gone> {
        let mut uses = Vec::new();
        let mut stretches = Vec::with_capacity(found.len());
        for Filled { stretch, uses: day } in found {
            let key = &stretch.key;
            uses.extend(day.map(|day| Record::UseDay(key.pool.clone(), key.number, day)));
            stretches.push(stretch);
        }
        if !uses.is_empty() {
            self.hand_over(Find::Records(uses)).await?;
        }
        if !stretches.is_empty() {
            self.hand_over(Find::History(stretches)).await?;
        }
        Ok(())
    }

    async fn tell(&self, name: &'static str, faults: Vec<Fault>) -> Result<(), Gone> {
        self.hand_over(Find::Stage { name, faults }).await
    }

    async fn hand_over(&self, find: Find) -> Result<(), Gone> {
        let find = (self.start.scope.clone(), find);
        self.finds.send(find).await.map_err(|_gone| Gone)
    }
}

fn is_throttled(faults: &[Fault]) -> bool {
    let mut classes = faults.iter().map(|fault| fault.class);
    classes.any(|class| class == FaultClass::Throttled)
}

/// Whether something done at `last` is to be done again: never done, or so many minutes ago.
fn is_due(last: Option<Timestamp>, every: i64, now: Timestamp) -> bool {
    last.is_none_or(|last| after(last, every) <= now)
}

#[cfg(test)]
mod tests;
