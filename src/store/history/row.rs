//! A stretch of history as a dump shows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    model::{
        history::{Bucket, Resolution, Stretch, StretchKey},
        series::{Sample, Signal},
    },
    store::record::v1::{PoolId, SampleRow, Shape, Wrong},
};

/// One stretch: per signal its values, and where a bucket is longer than a minute, its known minutes and peaks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StretchRow {
    pool: PoolId,
    resolution: String,
    /// The first minute, since 1970.
    from: i64,
    signals: BTreeMap<String, Columns>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Columns {
    values: Vec<SampleRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    known: Vec<u8>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    peaks: Vec<SampleRow>,
}

impl StretchRow {
    pub(crate) fn of(stretch: &Stretch) -> Self {
        let is_fine = stretch.key.resolution == Resolution::Minute;
        let columns = |buckets: &Vec<Bucket>| {
            let coarse = if is_fine { &[][..] } else { buckets };
            Columns {
                values: buckets.iter().map(|it| SampleRow::of(it.value)).collect(),
                known: coarse.iter().map(|it| it.known).collect(),
                peaks: coarse.iter().map(|it| SampleRow::of(it.peak)).collect(),
            }
        };
        let signals = stretch.signals.iter();
        Self {
            pool: Shape::of(&stretch.key.pool),
            resolution: stretch.key.resolution.name().to_owned(),
            from: stretch.key.first_minute().0,
            signals: signals
                .map(|(signal, buckets)| (signal.name().to_owned(), columns(buckets)))
                .collect(),
        }
    }

    pub(crate) fn back(self) -> Result<Stretch, Wrong> {
        let resolution = Resolution::named(&self.resolution);
        let resolution = resolution.ok_or_else(|| {
            Wrong::new(format!("`{}` is no resolution", self.resolution)).within("resolution")
        })?;
        let from = crate::model::time::Minute(self.from);
        let key = StretchKey {
            pool: self.pool.back().map_err(|wrong| wrong.within("pool"))?,
            resolution,
            number: resolution.stretch_of(from),
        };
        if key.first_minute() != from {
            let why = format!("no stretch of this resolution begins at {}", self.from);
            return Err(Wrong::new(why).within("from"));
        }
        let mut signals = BTreeMap::new();
        for (name, columns) in self.signals {
            let signal = Signal::named(&name);
            let signal = signal.ok_or_else(|| Wrong::new(format!("`{name}` is no signal")))?;
            let buckets = columns.back(resolution).map_err(|it| it.within(name))?;
            signals.insert(signal, buckets);
        }
        Ok(Stretch { key, signals })
    }
}

impl Columns {
    fn back(self, resolution: Resolution) -> Result<Vec<Bucket>, Wrong> {
        let count = usize::try_from(resolution.buckets()).unwrap_or(0);
        let coarse = if resolution == Resolution::Minute {
            0
        } else {
            count
        };
        let lengths = [self.values.len(), self.known.len(), self.peaks.len()];
        if lengths != [count, coarse, coarse] {
            return Err(Wrong::new(format!(
                "{lengths:?} buckets instead of {count}"
            )));
        }
        let values = self.values.into_iter().map(SampleRow::back);
        if coarse == 0 {
            return Ok(values.map(Bucket::of_minute).collect());
        }
        let peaks = self.peaks.into_iter().map(SampleRow::back);
        let columns = values.zip(peaks).zip(self.known);
        let bucket = |((value, peak), known): ((Sample, Sample), u8)| Bucket { value, peak, known };
        Ok(columns.map(bucket).collect())
    }
}
