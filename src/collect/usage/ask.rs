//! One request to CloudWatch, over all its pages: merged by id, judged by status, cleaned of values that are no counts.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use crate::cloud::{
    Cloud, Fault, FaultClass, Metric, MetricQuery, MetricRequest, MetricResult, MetricStatus,
};
use crate::collect::endpoint::Endpoint;
use crate::collect::pages::Tokens;
use crate::collect::sum::{Answers, Measure, Point};
use crate::model::ids::{Scope, TargetId};
use crate::model::series::Depth;
use crate::model::time::Minute;

/// Series that one request may name.
pub(super) const MAX_QUERIES: usize = 500;

/// Pages of one request: at 500 series and 100,800 datapoints a handful is normal.
const MAX_DATA_PAGES: usize = 100;

/// Failed requests in a read, however many succeed between them, after which the rest waits: each may take its full time.
const MOST_FAILURES: usize = 10;

/// Failed requests in a row after which the rest of a read waits for the next cycle.
const MAX_FAILURES: usize = 3;

/// Examples named in the text of a fault that stands for many.
const MAX_EXAMPLES: usize = 5;

/// Series of one read that are asked for one by one at most: each takes a call of its own.
const MAX_SINGLE: usize = 60;

/// How many of those are asked for at a time: one after the other, sixty could take longer than a cycle waits.
const ABREAST: usize = 8;

/// 2^53: beyond it a number can't be told from its neighbours, so it was never counted.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

const OPERATION: &str = "cloudwatch:GetMetricData";
/// Datapoints that a request for a single series may answer with.
const MOST_SINGLE_POINTS: i64 = 1_440;

/// Asks for one scope, and remembers what went wrong.
#[derive(Debug)]
pub(super) struct Asker<'a> {
    cloud: &'a dyn Cloud,
    scope: &'a Scope,
    /// Minutes from one datapoint to the next.
    step: i64,
    faults: Vec<Fault>,
    /// In all, and in a row.
    failures: (usize, usize),
    is_stopped: bool,
    /// Requests for single series that may still be made.
    free: u32,
    /// We may not make them: that is a permission of its own, and the other call may well be allowed. Nor can we where
    /// metrics come through another account.
    is_single_denied: bool,
    /// Series with a problem of their own, by what it is.
    troubles: BTreeMap<Trouble, (usize, Vec<String>)>,
}

/// What can be wrong with a series of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Partial,
    InternalError,
    Forbidden,
    Missing,
    NotACount,
    NotAsked,
}

impl Trouble {
    const fn words(self) -> (&'static str, FaultClass, &'static str) {
        match self {
            Self::Partial => (
                "PartialData",
                FaultClass::Server,
                "series without their last datapoints and without a further page",
            ),
            Self::InternalError => (
                "InternalError",
                FaultClass::Server,
                "series that CloudWatch failed on",
            ),
            Self::Forbidden => (
                "Forbidden",
                FaultClass::Denied,
                "series that we may not read: allow cloudwatch:GetMetricData",
            ),
            Self::Missing => (
                "MissingResult",
                FaultClass::Garbled,
                "series that were asked for and not answered",
            ),
            Self::NotACount => (
                "NotACount",
                FaultClass::Garbled,
                "datapoints that are negative, not finite or beyond 2^53, treated as unobserved",
            ),
            Self::NotAsked => (
                "NotAsked",
                FaultClass::Garbled,
                "datapoints or series that were not asked for, ignored",
            ),
        }
    }
}

/// One series while its pages come in.
#[derive(Clone, Debug)]
struct Merged {
    points: Vec<Point>,
    status: Option<MetricStatus>,
}

/// `of` is what the target is called at the endpoint; without it the series is that of the whole account.
fn query(
    id: String,
    measure: Measure,
    endpoint: Endpoint,
    of: Option<&str>,
    step: i64,
) -> MetricQuery {
    let dimensions = of.map(|name| (endpoint.dimension().to_owned(), name.to_owned()));
    MetricQuery {
        id,
        metric: Metric {
            namespace: endpoint.namespace().to_owned(),
            name: measure.metric(endpoint).to_owned(),
            dimensions: dimensions.into_iter().collect(),
        },
        statistic: measure.statistic().to_owned(),
        period_seconds: i32::try_from(60 * step).unwrap_or(i32::MAX), // a day at most
    }
}

impl<'a> Asker<'a> {
    /// For one read of one scope, by requests for single series only where there is a way for them. Up to `free` series are asked for one by one, as long as those requests are free.
    pub(super) fn new(cloud: &'a dyn Cloud, scope: &'a Scope, free: u32) -> Self {
        Self {
            cloud,
            scope,
            step: 1,
            faults: Vec::new(),
            failures: (0, 0),
            is_stopped: false,
            free,
            is_single_denied: cloud.access(scope).metrics_through.is_some(),
            troubles: BTreeMap::new(),
        }
    }

    /// From here on, asks for one datapoint for so many minutes.
    pub(super) const fn every(&mut self, step: i64) {
        self.step = step;
    }

    /// Whether so much failed that asking on would only add to the load.
    pub(super) const fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Takes back what is told of series that are asked for again.
    pub(super) fn forgive(&mut self) {
        for trouble in [Trouble::Partial, Trouble::InternalError, Trouble::Missing] {
            self.troubles.remove(&trouble);
        }
    }

    /// Requests for single series that were not made.
    pub(super) const fn free(&self) -> u32 {
        self.free
    }

    /// The measures of these targets that a read of this depth asks for, in the targets' order; `None` when nothing was
    /// answered or nothing may be asked any more. Minutes in which any series had data are marked in `evidence`.
    pub(super) async fn targets(
        &mut self,
        targets: &[&TargetId],
        depth: Depth,
        stretch: (Minute, Minute),
        evidence: &mut [bool],
    ) -> Option<Vec<Answers>> {
        let mut queries = Vec::with_capacity(MAX_QUERIES);
        // Those that only a request for many series may ask for come last, and go back to their places in the end.
        let (mut places, mut last) = (Vec::with_capacity(MAX_QUERIES), Vec::new());
        let mut last_places = Vec::new();
        for (index, target) in targets.iter().enumerate() {
            let (endpoint, name) = Endpoint::of_target(target);
            for (number, measure) in Measure::up_to(depth, endpoint).enumerate() {
                let id = format!("t{index}_{number}");
                let place = places.len() + last_places.len();
                let query = query(id, measure, endpoint, Some(name), self.step);
                if measure.may_be_single() {
                    places.push(place);
                    queries.push(query);
                } else {
                    last_places.push(place);
                    last.push(query);
                }
            }
        }
        let most_single = queries.len();
        queries.append(&mut last);
        places.append(&mut last_places);
        let free = usize::try_from(self.free).unwrap_or(usize::MAX);
        let (single, _) = queries.split_at(most_single.min(free).min(MAX_SINGLE));
        let mut series = self.singles(single, stretch).await;
        let together = queries.get(series.len()..).unwrap_or_default();
        let mut is_answered = series.iter().any(Option::is_some);
        if !together.is_empty() {
            let answer = self.ask(together, stretch).await;
            is_answered |= answer.is_some();
            match answer {
                Some(answer) => series.extend(answer.into_iter().map(Some)),
                None => series.extend(together.iter().map(|_| None)),
            }
        }
        if !is_answered {
            return None;
        }
        for points in series.iter().flatten() {
            for (seen, point) in evidence.iter_mut().zip(points) {
                *seen |= matches!(point, Point::Value(_));
            }
        }
        let mut in_place: Vec<_> = places.into_iter().zip(series).collect();
        in_place.sort_unstable_by_key(|(place, _)| *place);
        // A series without an answer is lost, which is what a missing one counts as.
        let mut series = in_place.into_iter().map(|(_, points)| points);
        let of_target = |target: &&TargetId| {
            let (endpoint, _) = Endpoint::of_target(target);
            let answers = Measure::up_to(depth, endpoint).zip(series.by_ref());
            answers
                .filter_map(|(measure, points)| Some((measure, points?)))
                .collect()
        };
        Some(targets.iter().map(of_target).collect())
    }

    /// The datapoints of one measure of the whole account: no dimensions at all is a series of its own.
    pub(super) async fn total(
        &mut self,
        measure: Measure,
        endpoint: Endpoint,
        stretch: (Minute, Minute),
    ) -> Vec<(Minute, f64)> {
        let query = query("total".to_owned(), measure, endpoint, None, self.step);
        self.one(&query, stretch).await
    }

    /// The datapoints of one measure of this target.
    pub(super) async fn of_target(
        &mut self,
        measure: Measure,
        target: &TargetId,
        stretch: (Minute, Minute),
    ) -> Vec<(Minute, f64)> {
        let (endpoint, name) = Endpoint::of_target(target);
        let query = query("one".to_owned(), measure, endpoint, Some(name), self.step);
        self.one(&query, stretch).await
    }

    /// The datapoints of one series, by a request of its own where there is a way for it.
    async fn one(&mut self, query: &MetricQuery, stretch: (Minute, Minute)) -> Vec<(Minute, f64)> {
        let fits = stretch.1.since(stretch.0) / self.step <= MOST_SINGLE_POINTS;
        let mut series = None;
        if fits && !self.is_stopped && !self.is_single_denied {
            let answer = self.cloud.metric_statistics(self.scope, query, stretch);
            series = self.take_single(query, answer.await, stretch);
        }
        if !fits || self.is_single_denied {
            let answer = self.ask(std::slice::from_ref(query), stretch).await;
            series = answer.into_iter().flatten().next();
        }
        let points = series.into_iter().flatten();
        let step = self.step;
        let labelled = (0_i64..).zip(points);
        let values = labelled.filter_map(|(offset, point)| match point {
            Point::Value(value) => Some((stretch.0.plus(offset * step), value)),
            Point::Absent | Point::Lost | Point::Refused => None,
        });
        values.collect()
    }

    /// A series of which nothing came in yet.
    fn nothing_yet(&self, (from, until): (Minute, Minute)) -> Merged {
        let slots = usize::try_from(until.since(from) / self.step).unwrap_or(0);
        Merged {
            points: vec![Point::Absent; slots],
            status: None,
        }
    }

    /// Series by a request of their own each, side by side: one point a minute, or `None` where there was no answer. They
    /// end with the first that we may not ask for so.
    async fn singles(
        &mut self,
        queries: &[MetricQuery],
        stretch: (Minute, Minute),
    ) -> Vec<Option<Vec<Point>>> {
        let mut series = Vec::with_capacity(queries.len());
        let mut rest = queries;
        while !rest.is_empty() && !self.is_stopped && !self.is_single_denied {
            // The first goes alone: where it is throttled or denied, so would all be.
            let abreast = if series.is_empty() { 1 } else { ABREAST };
            let (abreast, later) = rest.split_at(rest.len().min(abreast));
            let (cloud, scope) = (self.cloud, self.scope);
            let asked = abreast
                .iter()
                .map(|query| cloud.metric_statistics(scope, query, stretch));
            for (query, answer) in abreast.iter().zip(join_all(asked).await) {
                let points = self.take_single(query, answer, stretch);
                if self.is_single_denied {
                    break;
                }
                self.free = self.free.saturating_sub(1);
                series.push(points);
            }
            rest = later;
        }
        if self.is_stopped && !self.is_single_denied {
            series.resize(queries.len(), None);
        }
        series
    }

    /// What a request for a single series came to.
    fn take_single(
        &mut self,
        query: &MetricQuery,
        answer: Result<Vec<(Minute, f64)>, Fault>,
        stretch: (Minute, Minute),
    ) -> Option<Vec<Point>> {
        match answer {
            Ok(points) => {
                self.failures.1 = 0;
                let mut merged = self.nothing_yet(stretch);
                let id = query.id.clone();
                let status = MetricStatus::Complete;
                let result = MetricResult { id, status, points };
                self.merge(query, &mut merged, stretch.0, result);
                Some(merged.points)
            }
            Err(fault) if fault.class == FaultClass::Denied => {
                self.is_single_denied = true;
                self.faults.push(fault);
                None
            }
            Err(fault) => {
                self.failed(fault);
                None
            }
        }
    }

    /// What failed, in order; problems of single series are told once a kind.
    pub(super) fn into_faults(self) -> Vec<Fault> {
        let troubles = self.troubles.into_iter().map(|(trouble, (count, names))| {
            let (code, class, words) = trouble.words();
            Fault {
                operation: OPERATION,
                code: code.to_owned(),
                message: format!("{count} {words}, such as {}", names.join(", ")),
                class,
            }
        });
        self.faults.into_iter().chain(troubles).collect()
    }

    /// One request over all its pages: per query one point a minute. `None` when not even the first page came.
    async fn ask(
        &mut self,
        queries: &[MetricQuery],
        (from, until): (Minute, Minute),
    ) -> Option<Vec<Vec<Point>>> {
        let mut merged = vec![self.nothing_yet((from, until)); queries.len()];
        let index: BTreeMap<&str, usize> = queries
            .iter()
            .enumerate()
            .map(|(index, query)| (query.id.as_str(), index))
            .collect();
        let mut tokens = Tokens::new(OPERATION, MAX_DATA_PAGES);
        let mut token = None;
        let mut pages = 0_usize;
        let is_whole = loop {
            if self.is_stopped {
                break false;
            }
            let request = MetricRequest {
                queries: queries.to_vec(),
                from,
                until,
                page: token,
            };
            let page = match self.cloud.metric_data(self.scope, request).await {
                Ok(page) => page,
                Err(fault) => {
                    self.failed(fault);
                    break false;
                }
            };
            pages += 1;
            for result in page.items {
                let slot = index.get(result.id.as_str()).copied();
                match slot.and_then(|at| Some((queries.get(at)?, merged.get_mut(at)?))) {
                    Some((query, merged)) => self.merge(query, merged, from, result),
                    None => self.note(Trouble::NotAsked, || format!("id {}", result.id)),
                }
            }
            match tokens.follow(page.next) {
                Ok(None) => break true,
                Ok(next) => token = next,
                Err(fault) => {
                    self.failed(fault);
                    break false;
                }
            }
        };
        if is_whole {
            self.failures.1 = 0;
        }
        let judged = queries.iter().zip(merged);
        let judged = judged.map(|(query, merged)| self.judge(query, merged, is_whole));
        let judged: Vec<Vec<Point>> = judged.collect();
        (pages > 0).then_some(judged)
    }

    /// Puts one page's share into a series. Pages may repeat datapoints: the later page is the newer word.
    fn merge(
        &mut self,
        query: &MetricQuery,
        merged: &mut Merged,
        from: Minute,
        result: MetricResult,
    ) {
        for (minute, value) in result.points {
            let slot = usize::try_from(minute.since(from) / self.step).ok();
            let slot =
                slot.filter(|_| minute.since(from).rem_euclid(self.step) == 0 && from <= minute);
            let Some(slot) = slot.and_then(|slot| merged.points.get_mut(slot)) else {
                self.note(Trouble::NotAsked, || format!("{} at {minute}", name(query)));
                continue;
            };
            *slot = if (0.0..=MOST_EXACT).contains(&value) {
                Point::Value(value)
            } else {
                self.note(Trouble::NotACount, || {
                    format!("{} = {value} at {minute}", name(query))
                });
                Point::Refused
            };
        }
        // An error on any page stands; otherwise the last page knows best.
        merged.status = match (merged.status, result.status) {
            (Some(MetricStatus::Forbidden), _) => Some(MetricStatus::Forbidden),
            (Some(MetricStatus::InternalError), MetricStatus::Complete | MetricStatus::Partial) => {
                Some(MetricStatus::InternalError)
            }
            (_, newer) => Some(newer),
        };
    }

    /// What an absent datapoint of this series means. Datapoints that did come are trusted either way.
    fn judge(&mut self, query: &MetricQuery, merged: Merged, is_whole: bool) -> Vec<Point> {
        let (trouble, absent) = match merged.status {
            Some(MetricStatus::Complete) if is_whole => return merged.points,
            Some(MetricStatus::Forbidden) => (Some(Trouble::Forbidden), Point::Refused),
            Some(MetricStatus::InternalError) => (Some(Trouble::InternalError), Point::Lost),
            // A fault of the whole request is told already, not once a series.
            _ if !is_whole => (None, Point::Lost),
            Some(MetricStatus::Complete | MetricStatus::Partial) => {
                (Some(Trouble::Partial), Point::Lost)
            }
            None => (Some(Trouble::Missing), Point::Lost),
        };
        if let Some(trouble) = trouble {
            self.note(trouble, || name(query));
        }
        let points = merged.points.into_iter();
        let points = points.map(|point| match point {
            Point::Absent => absent,
            Point::Value(_) | Point::Lost | Point::Refused => point,
        });
        points.collect()
    }

    /// One failure among many answers is an accident, several in a row are a state.
    fn failed(&mut self, fault: Fault) {
        let (all, in_a_row) = (self.failures.0 + 1, self.failures.1 + 1);
        self.failures = (all, in_a_row);
        let is_hopeless = matches!(fault.class, FaultClass::Throttled | FaultClass::Denied);
        self.is_stopped |= is_hopeless || MAX_FAILURES <= in_a_row || MOST_FAILURES <= all;
        self.faults.push(fault);
    }

    fn note(&mut self, trouble: Trouble, name: impl FnOnce() -> String) {
        let (count, names) = self.troubles.entry(trouble).or_default();
        *count += 1;
        if names.len() < MAX_EXAMPLES {
            names.push(name());
        }
    }
}

/// A series as people read it: metric and target.
fn name(query: &MetricQuery) -> String {
    let target = query.metric.dimensions.values().next();
    let target = target.map_or("the whole account", String::as_str);
    format!("{} of {target}", query.metric.name)
}
