//! From the answers for single targets to the signals of a pool. Pure.
//!
//! A pool's minute is a number only when every one of its targets is accounted for: by a datapoint, or by an absence
//! that promise P5 proves to be a zero. Anything else would be a sum with a hole, which looks like less use than there is.

use std::collections::BTreeMap;

use super::endpoint::Endpoint;
pub(super) use super::measure::Measure;
use crate::model::catalog::Family;
use crate::model::ids::TargetId;
use crate::model::series::{Depth, SETTLE_MINUTES, Sample, Signal, TargetReading, TargetUse};
use crate::model::time::{HOUR, Minute, Timestamp};

/// Minutes after its end by which CloudWatch has normally published a minute; before that, absence says nothing.
pub(super) const DELAY_MINUTES: i64 = 3;

/// What CloudWatch said of one measure of one target in one minute.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub(super) enum Point {
    /// A datapoint: finite and not negative.
    Value(f64),
    /// The answer was complete and had no datapoint.
    Absent,
    /// The answer is missing or incomplete; asking again may help.
    #[default]
    Lost,
    /// The series may not be read, or the datapoint is no count; asking again will not help.
    Refused,
}

/// One target's answers over a stretch: per measure one point a minute. A missing measure is lost.
pub(super) type Answers = BTreeMap<Measure, Vec<Point>>;

/// One signal of one minute while the targets are being added up.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    /// Sum over the targets that have a number; for what is weighted, of invocations x value.
    sum: f64,
    /// For what is weighted, the invocations behind `sum`.
    weight: f64,
    /// A target had no datapoint although its answer was complete.
    has_gap: bool,
    /// A target's answer proves nothing.
    is_unproven: bool,
    /// A target's charged tokens had to be added up from its token counts.
    is_by_formula: bool,
}

/// The sums of one pool over one stretch, target by target.
#[derive(Debug)]
pub(super) struct Tally {
    from: Minute,
    depth: Depth,
    endpoint: Endpoint,
    cells: BTreeMap<Signal, Vec<Cell>>,
    by_target: BTreeMap<TargetId, TargetReading>,
    /// How often output tokens count against the quota.
    rate: f64,
    lost: Lost,
}

/// The first minute for which asking again may help, by the depth of the read that would.
pub(super) type Lost = BTreeMap<Depth, Minute>;

/// A pool's finished stretch.
#[derive(Debug)]
pub(super) struct Summed {
    /// One sample a minute and signal.
    pub signals: BTreeMap<Signal, Vec<Sample>>,
    /// What each target took.
    pub by_target: BTreeMap<TargetId, TargetReading>,
    /// For which minutes asking again may help.
    pub lost: Lost,
    /// Whether a target publishes no `EstimatedTPMQuotaUsage`, by a minute that has settled.
    pub is_by_formula: bool,
}

impl Tally {
    /// Nothing added yet; `minutes` long, for a read of this depth of a pool of this family. `rate` is the burndown rate
    /// used where `EstimatedTPMQuotaUsage` is absent.
    pub(super) fn new(
        from: Minute,
        minutes: usize,
        depth: Depth,
        family: Family,
        rate: f64,
    ) -> Self {
        let cells = signals_up_to(depth, family)
            .map(|signal| (signal, vec![Cell::default(); minutes]))
            .collect();
        Self {
            from,
            depth,
            endpoint: Endpoint::of(family),
            cells,
            by_target: BTreeMap::new(),
            rate,
            lost: Lost::new(),
        }
    }

    /// Adds one target.
    pub(super) fn add(&mut self, target: &TargetId, answers: &Answers) {
        let (rate, depth) = (self.rate, self.depth);
        let minutes = self.cells.values().map(Vec::len).max().unwrap_or(0);
        let mut used = vec![TargetUse::default(); minutes];
        let mut first_uncharged = None;
        // Looked up once, not once a minute and signal.
        let series =
            Measure::ALL.map(|measure| answers.get(&measure).map_or(&[][..], Vec::as_slice));
        let at = |measure: Measure, index: usize| {
            let points = series.get(measure as usize);
            let point = points.and_then(|points| points.get(index));
            point.copied().unwrap_or_default()
        };
        let weigh_by = |measure: Measure, cell: &mut Cell, index: usize| {
            weigh(cell, at(Measure::Invocations, index), at(measure, index));
        };
        for (&signal, cells) in &mut self.cells {
            if let Some(measure) = weighed_of(signal) {
                let cells = cells.iter_mut().enumerate();
                cells.for_each(|(index, cell)| weigh_by(measure, cell, index));
                continue;
            }
            for (index, cell) in cells.iter_mut().enumerate() {
                let point = match signal {
                    Signal::Invocations => at(Measure::Invocations, index),
                    Signal::Throttles => at(Measure::Throttles, index),
                    Signal::ClientErrors => at(Measure::ClientErrors, index),
                    Signal::ServerErrors => at(Measure::ServerErrors, index),
                    Signal::InputTokens => at(Measure::Input, index),
                    Signal::OutputTokens => at(Measure::Output, index),
                    Signal::ChargedTokens => {
                        let at = |measure| at(measure, index);
                        let point = match depth {
                            Depth::Full | Depth::Deep => charged(at, rate, cell),
                            Depth::Quick => estimated(at),
                        };
                        if let Some(used) = used.get_mut(index) {
                            used.charged += value_of(point);
                        }
                        if point == Point::Lost {
                            first_uncharged.get_or_insert(index);
                        }
                        point
                    }
                    Signal::CacheWriteTokens => at(Measure::CacheWrites, index),
                    Signal::CacheReadTokens => at(Measure::CacheReads, index),
                    Signal::Latency
                    | Signal::LatencyP50
                    | Signal::LatencyP90
                    | Signal::LatencyP99
                    | Signal::FirstTokenP90
                    | Signal::LongInputs => continue, // has no sum, see above
                };
                let is_demand = matches!(signal, Signal::Invocations | Signal::Throttles);
                if let Some(used) = used.get_mut(index).filter(|_| is_demand) {
                    used.demand += value_of(point);
                    if signal == Signal::Throttles {
                        used.throttled += value_of(point);
                    }
                }
                cell.take(point);
            }
        }
        self.note_lost(answers);
        // By the formula they need counts that a quick read does not ask for, and limits are judged by them all the same.
        if let Some(index) = first_uncharged {
            self.note_first(Depth::Quick, index);
        }
        let used = TargetReading::of(self.from, minutes, used);
        self.by_target.insert(target.clone(), used);
    }

    fn note_lost(&mut self, answers: &Answers) {
        for measure in Measure::up_to(self.depth, self.endpoint) {
            let first = match answers.get(&measure) {
                None => Some(0),
                Some(points) => points.iter().position(|point| *point == Point::Lost),
            };
            if let Some(index) = first {
                let depth = measure.depth(self.endpoint).unwrap_or(self.depth); // it was asked for
                self.note_first(depth, index);
            }
        }
    }

    fn note_first(&mut self, depth: Depth, index: usize) {
        let minute = self.from.plus(i64::try_from(index).unwrap_or(i64::MAX)); // a day's minutes at most
        let known = self.lost.entry(depth).or_insert(minute);
        *known = minute.min(*known);
    }

    /// Turns sums into samples. `evidence` tells of each minute whether any series of this account and Region had data.
    pub(super) fn finish(self, evidence: &[bool], now: Timestamp) -> Summed {
        let from = self.from;
        let charged = self.cells.get(&Signal::ChargedTokens);
        let is_by_formula = (0_i64..)
            .zip(charged.into_iter().flatten())
            .any(|(offset, cell)| {
                let is_settled = from.plus(offset + 1 + SETTLE_MINUTES).start() <= now;
                is_settled && cell.is_by_formula
            });
        let signals = self.cells.into_iter().map(|(signal, cells)| {
            let samples = (0_i64..)
                .zip(cells)
                .enumerate()
                .map(|(index, (offset, cell))| {
                    let is_published = from.plus(offset + 1 + DELAY_MINUTES).start() <= now;
                    let has_evidence = evidence.get(index).copied().unwrap_or(false);
                    cell.sample(signal, is_published, has_evidence)
                });
            (signal, samples.collect())
        });
        Summed {
            signals: signals.collect(),
            by_target: self.by_target,
            lost: self.lost,
            is_by_formula,
        }
    }
}

/// Gives each minute with a share of long inputs that of all requests of its hour. Nothing is lost by it, since nobody looks
/// for the minute of a long request, and what chance does to the share of a minute would take most of the room.
pub(super) fn share_by_the_hour(signals: &mut BTreeMap<Signal, Vec<Sample>>, from: Minute) {
    let Some(requests) = signals.get(&Signal::Invocations).cloned() else {
        return;
    };
    let Some(shares) = signals.get_mut(&Signal::LongInputs) else {
        return;
    };
    let whole = usize::try_from(HOUR).unwrap_or(1);
    let begun = usize::try_from(from.0.rem_euclid(HOUR)).unwrap_or(0);
    let end = (whole - begun).min(shares.len()).min(requests.len());
    let (first, rest) = shares.split_at_mut(end);
    let (of_first, of_rest) = requests.split_at(end);
    let hours = std::iter::once((first, of_first));
    for (shares, requests) in hours.chain(rest.chunks_mut(whole).zip(of_rest.chunks(whole))) {
        let known = shares.iter().zip(requests);
        let known = known.filter_map(|(share, all)| Some((share.value()?, all.value()?)));
        let (long, all) = known.fold((0.0, 0.0), |(long, all), (share, count)| {
            (long + share * count, all + count)
        });
        if 0.0 < all {
            let share = Signal::LongInputs.rounded(Sample::Value(long / all));
            let known = shares.iter_mut().filter(|it| it.value().is_some());
            known.for_each(|it| *it = share);
        }
    }
}

/// The signals that a read of this depth reads of a pool of this family.
pub(super) fn signals_up_to(depth: Depth, family: Family) -> impl Iterator<Item = Signal> {
    let signals = Signal::ALL.into_iter();
    signals.filter(move |it| it.depth(family).is_some_and(|own| own <= depth))
}

impl Cell {
    fn take(&mut self, point: Point) {
        match point {
            Point::Value(value) => self.sum += value,
            Point::Absent => self.has_gap = true,
            Point::Lost | Point::Refused => self.is_unproven = true,
        }
    }

    /// Promise P5, clause by clause.
    fn sample(self, signal: Signal, is_published: bool, has_evidence: bool) -> Sample {
        if self.is_unproven || (self.has_gap && !is_published) {
            return Sample::Unobserved;
        }
        let value = if signal.is_count() {
            if self.has_gap && !has_evidence {
                return Sample::NoData;
            }
            self.sum
        } else if self.weight > 0.0 {
            self.sum / self.weight
        } else {
            return Sample::NoData;
        };
        // Finite counts can still add up to infinity.
        let sample = signal.rounded(Sample::Value(value));
        if sample.value().is_some_and(f64::is_finite) {
            sample
        } else {
            Sample::Unobserved
        }
    }
}

/// Tokens charged to the TPM quota in one minute: CloudWatch's own figure, else the documented formula.
///
/// Where only the formula can speak, its absent parts are gaps: zero once the minute is published, unknown before.
fn charged(at: impl Fn(Measure) -> Point, rate: f64, cell: &mut Cell) -> Point {
    let estimated = at(Measure::Estimated);
    if estimated != Point::Absent {
        return estimated;
    }
    let parts = [
        (at(Measure::Input), 1.0),
        (at(Measure::CacheWrites), 1.0),
        (at(Measure::Output), rate),
    ];
    let mut sum = None;
    for (part, weight) in parts {
        match part {
            Point::Value(value) => sum = Some(sum.unwrap_or(0.0) + value * weight),
            Point::Absent => {}
            Point::Lost | Point::Refused => return part,
        }
    }
    // CloudWatch's own figure may still come.
    cell.has_gap = true;
    cell.is_by_formula |= sum.is_some();
    sum.map_or(Point::Absent, Point::Value)
}

/// Tokens charged in one minute by CloudWatch's own figure alone. Where it is absent although requests got through, they
/// may have failed, or the model publishes no such figure: a quick read can't tell, and the next one in full does.
fn estimated(at: impl Fn(Measure) -> Point) -> Point {
    match (at(Measure::Estimated), at(Measure::Invocations)) {
        (Point::Absent, Point::Value(through)) if 0.0 < through => Point::Refused,
        (Point::Absent, Point::Lost | Point::Refused) => Point::Refused,
        (estimated, _) => estimated,
    }
}

/// What is weighted instead of summed.
const fn weighed_of(signal: Signal) -> Option<Measure> {
    match signal {
        Signal::Latency => Some(Measure::Latency),
        Signal::LatencyP50 => Some(Measure::LatencyP50),
        Signal::LatencyP90 => Some(Measure::LatencyP90),
        Signal::LatencyP99 => Some(Measure::LatencyP99),
        Signal::FirstTokenP90 => Some(Measure::FirstTokenP90),
        Signal::LongInputs => Some(Measure::LongInputs),
        Signal::Invocations
        | Signal::Throttles
        | Signal::ClientErrors
        | Signal::ServerErrors
        | Signal::InputTokens
        | Signal::OutputTokens
        | Signal::ChargedTokens
        | Signal::CacheWriteTokens
        | Signal::CacheReadTokens => None,
    }
}

/// Adds one target's milliseconds or share, weighted by its invocations.
fn weigh(cell: &mut Cell, invocations: Point, millis: Point) {
    match (invocations, millis) {
        (Point::Lost | Point::Refused, _) | (_, Point::Lost | Point::Refused) => {
            cell.is_unproven = true;
        }
        (Point::Value(count), Point::Value(millis)) => {
            cell.sum += count * millis;
            cell.weight += count;
        }
        (Point::Value(count), Point::Absent) => cell.has_gap |= count > 0.0,
        (Point::Absent, _) => cell.has_gap = true,
    }
}

const fn value_of(point: Point) -> f64 {
    match point {
        Point::Value(value) => value,
        Point::Absent | Point::Lost | Point::Refused => 0.0,
    }
}
