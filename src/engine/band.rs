//! What is usual at this time of day.
//!
//! The statistic: of each of the last [`BAND_DAYS`] days the busiest minute within a quarter of an hour of the same
//! time of day; of these day-peaks the median, plus three times their median absolute deviation (scaled by 1.4826, so
//! that it estimates a standard deviation). Why this one:
//! - an incident last week makes one day-peak huge. Median and deviation ignore it, and go on ignoring it up to six of
//!   fourteen days; a quantile over all minutes would be moved by it, and a mean even more;
//! - peaks, not all minutes: we ask "is this minute higher than this time of day ever is on a usual day", and traffic
//!   of a few requests a minute has a spread within the quarter hour that a median of minutes would call unusual;
//! - a window around the time of day absorbs jobs that start some minutes early or late;
//! - minutes of one quarter share one edge, so that judging a minute costs no scan of its own;
//! - it needs no more of a day than the peak of each quarter, so memory holds the minutes of the last days only.
//!
//! Cold start: with fewer than [`LEAST_BAND_DAYS`] days that have evidence there is no edge, and the minute is unclear.
//! What fools it: a weekly rhythm (Monday is judged by Sunday, too; the deviation widens, so it errs on the quiet side),
//! steady growth above the deviation (the factor of the rule must absorb it), and clock changes (all is UTC).

use std::collections::BTreeMap;

use crate::model::{
    calendar::Windows,
    series::{PoolSeries, Quarter, Signal},
    time::{DAY, Minute},
};

/// So many past days are looked at.
pub const BAND_DAYS: i64 = 14;
/// Below so many days with evidence there is no band.
pub const LEAST_BAND_DAYS: usize = 3;

/// Minutes that share an edge.
const QUARTER: i64 = 15;
/// A day counts when at least so many of the 45 minutes around the quarter are known.
const LEAST_KNOWN: u8 = 10;
/// Estimates the standard deviation of a normal distribution from the median absolute deviation.
const NORMAL: f64 = 1.4826;
/// How many deviations above the median are still usual.
const SPREAD: f64 = 3.0;

/// The upper edge of what is usual, and how many days it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Edge {
    pub(super) usual: f64,
    pub(super) days: u8,
}

/// The edges of one signal, computed when first asked for, one a quarter of an hour.
#[derive(Debug)]
pub(super) struct Band<'a> {
    series: &'a PoolSeries,
    signal: Signal,
    windows: &'a Windows,
    edges: BTreeMap<Minute, Option<Edge>>,
}

impl<'a> Band<'a> {
    pub(super) const fn new(series: &'a PoolSeries, signal: Signal, windows: &'a Windows) -> Self {
        Self {
            series,
            signal,
            windows,
            edges: BTreeMap::new(),
        }
    }

    /// `None` while the history is too young.
    pub(super) fn edge(&mut self, minute: Minute) -> Option<Edge> {
        let quarter = Minute(minute.0.div_euclid(QUARTER) * QUARTER);
        if let Some(known) = self.edges.get(&quarter) {
            return *known;
        }
        let edge = self.edge_of(quarter);
        self.edges.insert(quarter, edge);
        edge
    }

    fn edge_of(&self, quarter: Minute) -> Option<Edge> {
        let days = (1..=BAND_DAYS).map(|back| quarter.plus(-back * DAY));
        edge(days.filter_map(|quarter| self.day_peak(quarter)).collect())
    }

    /// The busiest minute within [`QUARTER`] minutes of this quarter; `None` where too little is known. A quarter that a
    /// planned event touches teaches nothing.
    fn day_peak(&self, quarter: Minute) -> Option<f64> {
        let around = [-QUARTER, 0, QUARTER].map(|away| {
            let start = quarter.plus(away);
            if self.windows.touch(start, start.plus(QUARTER)) {
                Quarter::default()
            } else {
                self.series.quarter(self.signal, start)
            }
        });
        let known: u8 = around.iter().map(|it| it.known).sum(); // at most 45
        let peak = around.iter().map(|it| it.peak).fold(0.0, f64::max);
        (LEAST_KNOWN <= known).then_some(peak)
    }
}

fn edge(mut peaks: Vec<f64>) -> Option<Edge> {
    if peaks.len() < LEAST_BAND_DAYS {
        return None;
    }
    let days = u8::try_from(peaks.len()).ok()?; // at most BAND_DAYS
    let middle = median(&mut peaks)?;
    let mut away: Vec<f64> = peaks.iter().map(|peak| (peak - middle).abs()).collect();
    let deviation = NORMAL * median(&mut away)?;
    Some(Edge {
        usual: middle + SPREAD * deviation,
        days,
    })
}

/// `None` for an empty slice. Of an even number the upper of the two in the middle: the band errs on the quiet side.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        catalog::{Family, PoolId},
        ids::{AccountId, ModelId, Region, Scope},
        series::{Reading, Sample},
    };

    fn days_of(levels: &[f64]) -> PoolSeries {
        let mut series = PoolSeries::default();
        for (back, level) in (1..).zip(levels) {
            series.absorb(&Reading {
                pool: PoolId {
                    scope: Scope {
                        account: AccountId::new("111122223333"),
                        region: Region::new("us-east-1"),
                    },
                    family: Family::Geo,
                    model: ModelId::new("m"),
                },
                from: Minute(100 * DAY - back * DAY),
                signals: BTreeMap::from([(Signal::Invocations, vec![Sample::Value(*level); 1440])]),
                by_target: BTreeMap::new(),
            });
        }
        series
    }

    #[test]
    fn an_incident_last_week_moves_nothing() {
        let quiet = days_of(&[100.0, 110.0, 90.0, 100.0, 95.0, 105.0, 100.0]);
        let shaken = days_of(&[100.0, 9_000.0, 90.0, 100.0, 9_000.0, 105.0, 100.0]);
        let noon = Minute(100 * DAY + 720);
        let none = Windows::default();
        let (quiet, shaken) = (
            Band::new(&quiet, Signal::Invocations, &none)
                .edge(noon)
                .unwrap(),
            Band::new(&shaken, Signal::Invocations, &none)
                .edge(noon)
                .unwrap(),
        );
        assert!((110.0..150.0).contains(&quiet.usual), "{quiet:?}");
        assert!((100.0..150.0).contains(&shaken.usual), "{shaken:?}");
        assert_eq!(quiet.days, 7);
    }

    #[test]
    fn two_days_are_too_young() {
        let young = days_of(&[100.0, 100.0]);
        assert_eq!(
            Band::new(&young, Signal::Invocations, &Windows::default())
                .edge(Minute(100 * DAY + 720)),
            None
        );
    }
}
