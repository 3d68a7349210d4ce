//! GetMetricData: up to 500 series, at most 100,800 datapoints a page.

use crate::{
    cloud::{Metric, MetricStatus},
    model::{
        ids::{AccountId, Scope, TargetId},
        time::{DAY, Minute},
    },
    sim::{
        ApiError,
        bucket::TargetMinute,
        kernel::Kernel,
        metric::{self, Bin, Name, Statistic},
        traffic::Source,
    },
};

/// Series in one call.
pub(crate) const QUERIES: usize = 500;
/// Datapoints in one call.
pub(crate) const DATAPOINTS: usize = 100_800;
/// Datapoints of one GetMetricStatistics call.
const STATISTICS_POINTS: i64 = 1_440;
/// Days for which datapoints of a minute, of five minutes and of an hour are kept.
const MINUTES_KEPT: i64 = 15 * DAY;
const FIVE_MINUTES_KEPT: i64 = 63 * DAY;
const HOURS_KEPT: i64 = 455 * DAY;

/// One series asked for.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) id: String,
    /// Whose metric; without it, the caller's.
    pub(crate) owner: Option<AccountId>,
    pub(crate) metric: Metric,
    pub(crate) statistic: String,
    pub(crate) period_seconds: i64,
    /// A unit that is not the metric's own finds nothing.
    pub(crate) unit: Option<String>,
}

/// A whole call.
#[derive(Clone, Debug)]
pub(crate) struct GetData {
    pub(crate) queries: Vec<Query>,
    /// Epoch seconds, inclusive.
    pub(crate) start: i64,
    /// Epoch seconds, exclusive.
    pub(crate) end: i64,
    pub(crate) order: Order,
    pub(crate) page: Option<String>,
    pub(crate) datapoints: usize,
}

/// `ScanBy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
}

/// One series' share of a page.
#[derive(Clone, Debug)]
pub(crate) struct SeriesPart {
    /// The index of its query.
    pub(crate) query: usize,
    pub(crate) status: MetricStatus,
    /// In the order asked for.
    pub(crate) points: Vec<(Minute, f64)>,
}

/// The series that a metric names.
struct Series {
    name: Name,
    targets: Vec<usize>,
    is_decoy: bool,
}

/// A target's past, ready to be read minute by minute.
struct Column<'a> {
    first: Minute,
    rows: &'a [TargetMinute],
    source: &'a Source,
    first_token_ms: f64,
}

impl Kernel {
    /// One page of datapoints, and the token of the next.
    pub(crate) fn metric_data(
        &mut self,
        scope: &Scope,
        call: &GetData,
    ) -> Result<(Vec<SeriesPart>, Option<String>), ApiError> {
        self.known_scope(scope)?;
        check(call)?;
        let (first, mut skip) = position(call)?;
        let mut budget = call.datapoints.clamp(1, DATAPOINTS);
        let mut parts = Vec::new();
        for (index, query) in call.queries.iter().enumerate().skip(first) {
            let of = Scope {
                account: query.owner.as_ref().unwrap_or(&scope.account).clone(),
                region: scope.region.clone(),
            };
            if !self.sees(&scope.account, &of.account) {
                parts.push(SeriesPart {
                    query: index,
                    status: MetricStatus::Forbidden,
                    points: Vec::new(),
                });
                continue;
            }
            let all = self.series_points(&of, call, query)?;
            let rest = all.get(skip..).unwrap_or_default();
            if rest.len() > budget {
                let points = rest.iter().take(budget).copied().collect();
                parts.push(SeriesPart {
                    query: index,
                    status: MetricStatus::Partial,
                    points,
                });
                return Ok((parts, Some(format!("d-{index}-{}", skip + budget))));
            }
            budget -= rest.len();
            skip = 0;
            parts.push(SeriesPart {
                query: index,
                status: MetricStatus::Complete,
                points: rest.to_vec(),
            });
            if budget == 0 && index + 1 < call.queries.len() {
                return Ok((parts, Some(format!("d-{}-0", index + 1))));
            }
        }
        Ok((parts, None))
    }

    /// GetMetricStatistics over the one query of `call`. Its datapoints come in no order: here, as good as any other,
    /// those of even minutes first.
    pub(crate) fn metric_statistics(
        &mut self,
        scope: &Scope,
        call: &GetData,
    ) -> Result<Vec<(Minute, f64)>, ApiError> {
        self.known_scope(scope)?;
        check(call)?;
        let mut points = Vec::new();
        for query in &call.queries {
            check_statistics(query.period_seconds, (call.start, call.end))?;
            points.extend(self.series_points(scope, call, query)?);
        }
        points.sort_by_key(|(minute, _)| minute.0.rem_euclid(2));
        Ok(points)
    }

    /// All visible datapoints of one series; empty, without error, where the query does not fit.
    pub(crate) fn series_points(
        &mut self,
        scope: &Scope,
        call: &GetData,
        query: &Query,
    ) -> Result<Vec<(Minute, f64)>, ApiError> {
        let statistic = Statistic::named(&query.statistic).ok_or_else(|| {
            let text = format!(
                "The parameter Stat `{}` is not a valid statistic.",
                query.statistic
            );
            ApiError::client("InvalidParameterValueException", &text).query("InvalidParameterValue")
        })?;
        let Some(series) = self.series(scope, query) else {
            return Ok(Vec::new());
        };
        let period = query.period_seconds / 60;
        let now = Minute::of(self.now);
        let Some(from) = first_kept(Minute(call.start.div_euclid(60)), period, now) else {
            return Ok(Vec::new());
        };
        let until = Minute(call.end.saturating_add(59).div_euclid(60)).min(now);
        self.compute(&series.targets);
        let columns: Vec<Column<'_>> = series
            .targets
            .iter()
            .filter_map(|target| self.column(*target))
            .collect();
        let mut points = Vec::new();
        let mut at = Minute(from.0.div_euclid(period) * period).max(self.history_start(period));
        while at < until {
            let bin = self.bin(&series, &columns, at, at.plus(period).min(now));
            if let Some(value) = bin.value(series.name, statistic) {
                points.push((at, value));
            }
            at = at.plus(period);
        }
        if call.order == Order::NewestFirst {
            points.reverse();
        }
        Ok(points)
    }

    /// Nothing exists before the world's history: no need to look there.
    fn history_start(&self, period: i64) -> Minute {
        Minute(self.world.first_minute().0.div_euclid(period) * period)
    }

    fn column(&self, target: usize) -> Option<Column<'_>> {
        let (first, rows) = self.rows(target)?;
        Some(Column {
            first,
            rows,
            source: self.sources.get(target)?,
            first_token_ms: self.world.targets.get(target)?.traffic.first_token_ms,
        })
    }

    fn bin(&self, series: &Series, columns: &[Column<'_>], from: Minute, until: Minute) -> Bin {
        let mut bin = Bin::default();
        for column in columns {
            for minute in from.until(until) {
                let index = usize::try_from(minute.since(column.first)).ok();
                if let Some(row) = index.and_then(|index| column.rows.get(index)) {
                    let seen =
                        metric::visible(&self.world.publication, column.source, minute, self.now);
                    bin.add(series.name, row, column.first_token_ms, seen);
                }
            }
        }
        if series.is_decoy { bin.decoy() } else { bin }
    }

    /// The exact dimension set decides; a subset or superset names nothing.
    fn series(&self, scope: &Scope, query: &Query) -> Option<Series> {
        let series = match query.metric.namespace.as_str() {
            metric::NAMESPACE => self.runtime_series(scope, query),
            metric::MANTLE_NAMESPACE => self.mantle_series(scope, query),
            _ => None,
        };
        let unit = query.unit.as_deref();
        series.filter(|series| unit.is_none_or(|unit| unit == series.name.unit()))
    }

    /// Each of the four levels is a series of its own over the same inferences.
    fn mantle_series(&self, scope: &Scope, query: &Query) -> Option<Series> {
        let mut known = metric::MANTLE.into_iter();
        let (_, name) = known.find(|(text, _)| *text == query.metric.name)?;
        let dimensions = &query.metric.dimensions;
        let (project, model) = (
            dimensions.get(metric::PROJECT),
            dimensions.get(metric::MODEL),
        );
        if dimensions.len() != usize::from(project.is_some()) + usize::from(model.is_some()) {
            return None;
        }
        let called = self.world.mantle.iter().filter(|it| {
            it.scope == *scope
                && project.is_none_or(|project| *project == it.project)
                && model.is_none_or(|model| model == it.model.as_str())
        });
        Some(Series {
            name,
            targets: called.filter_map(|it| it.target).collect(),
            is_decoy: false,
        })
    }

    fn runtime_series(&self, scope: &Scope, query: &Query) -> Option<Series> {
        let name = Name::named(&query.metric.name)?;
        let dimensions = &query.metric.dimensions;
        if dimensions.is_empty() {
            return Some(Series {
                name,
                targets: self.places.in_scope(scope).to_vec(),
                is_decoy: false,
            });
        }
        let id = dimensions.get(metric::MODEL_ID)?;
        let is_decoy = match (dimensions.len(), dimensions.get(metric::CONTEXT_WINDOW)) {
            (1, _) => false,
            (2, Some(window)) if window == metric::LONG_CONTEXT && name.has_decoy() => true,
            _ => return None,
        };
        let target = self.places.named(scope, &TargetId::new(id.as_str()))?;
        self.places.in_scope(scope).binary_search(&target).ok()?;
        Some(Series {
            name,
            targets: vec![target],
            is_decoy,
        })
    }
}

/// The first minute for which datapoints of this period are kept, when asked from `start`; `None` where the period does
/// not fit the age of the start.
fn first_kept(start: Minute, period: i64, now: Minute) -> Option<Minute> {
    let age = now.since(start);
    let (rounding, fits) = if age <= MINUTES_KEPT {
        (1, true)
    } else if age <= FIVE_MINUTES_KEPT {
        (5, period % 5 == 0)
    } else {
        (60, period % 60 == 0)
    };
    let rounded = Minute(start.0.div_euclid(rounding) * rounding);
    fits.then(|| rounded.max(now.plus(-HOURS_KEPT)))
}

/// What GetMetricStatistics refuses: a period that is none, and too many datapoints between the epoch seconds.
pub(crate) fn check_statistics(
    period_seconds: i64,
    (start, end): (i64, i64),
) -> Result<(), ApiError> {
    if period_seconds < 60 || period_seconds % 60 != 0 {
        let text = "The parameter Period must be a multiple of 60.";
        let refused = ApiError::client("InvalidParameterValueException", text);
        return Err(refused.query("InvalidParameterValue"));
    }
    let points = end.saturating_sub(start) / period_seconds;
    if points > STATISTICS_POINTS {
        let text = format!(
            "You have requested up to {points} datapoints, which exceeds the limit of {STATISTICS_POINTS}."
        );
        let refused = ApiError::client("InvalidParameterCombinationException", &text);
        return Err(refused.query("InvalidParameterCombination"));
    }
    Ok(())
}

fn check(call: &GetData) -> Result<(), ApiError> {
    let refuse = |text: String| {
        Err(ApiError::client("InvalidParameterValueException", &text)
            .query("InvalidParameterValue"))
    };
    if call.queries.is_empty() {
        return refuse(
            "The parameter MetricDataQueries must contain at least one query.".to_owned(),
        );
    }
    if call.queries.len() > QUERIES {
        return refuse(format!(
            "The collection MetricDataQueries must not have a size greater than {QUERIES}."
        ));
    }
    if call.start >= call.end {
        return refuse(
            "The parameter StartTime must be less than the parameter EndTime.".to_owned(),
        );
    }
    let mut ids = std::collections::BTreeSet::new();
    for query in &call.queries {
        let id = query.id.as_str();
        let is_good = id.starts_with(|c: char| c.is_ascii_lowercase())
            && id.len() <= 255
            && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_good {
            return refuse(format!(
                "The value `{id}` for parameter Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
            ));
        }
        if !ids.insert(id) {
            return refuse(format!(
                "The values for parameter Id in MetricDataQueries are not unique: `{id}`."
            ));
        }
        if query.period_seconds < 60 || query.period_seconds % 60 != 0 {
            return refuse(format!(
                "The parameter Period must be a multiple of 60, got {}.",
                query.period_seconds
            ));
        }
    }
    Ok(())
}

/// Where a page begins: the query and how many of its datapoints were told already.
fn position(call: &GetData) -> Result<(usize, usize), ApiError> {
    let Some(token) = &call.page else {
        return Ok((0, 0));
    };
    let mut parts = token.strip_prefix("d-").unwrap_or_default().split('-');
    let mut next = || parts.next().and_then(|part| part.parse::<usize>().ok());
    match (next(), next()) {
        (Some(query), Some(skip)) if query < call.queries.len() => Ok((query, skip)),
        _ => Err(ApiError::client(
            "InvalidNextToken",
            "The next token is invalid.",
        )),
    }
}
