//! One hour of a pool, all its signals: the unit in which minutes are held and made durable.

use super::{
    HourBlock, Signal,
    packed::{Hour, packed},
};

/// What is known of one hour of a pool, packed, in one place: thousands of pools have some seventy of them each.
///
/// No byte at all is an hour of which nothing was ever read. Else which signals there are, a bit each; where the bytes of
/// each of them end; those bytes.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PoolHour(Box<[u8]>);

/// Which signals there are, by their index.
type Mask = u16;
const _: () = assert!(Signal::ALL.len() <= Mask::BITS as usize);

const MASK_BYTES: usize = size_of::<Mask>();
/// Where the bytes of a signal end, after those of all ends: fifteen signals of at most half a kilobyte.
const END_BYTES: usize = size_of::<u16>();

impl PoolHour {
    /// The samples of one signal; `None` where nothing was ever read of it.
    #[must_use]
    pub fn block(&self, signal: Signal) -> Option<HourBlock> {
        self.get(signal).map(|hour| hour.samples(0..60))
    }

    /// The samples of all signals of which something was read.
    pub fn blocks(&self) -> impl Iterator<Item = (Signal, HourBlock)> {
        let signals = self.signals();
        signals.filter_map(|signal| Some((signal, self.block(signal)?)))
    }

    /// The signals of which something was read.
    pub fn signals(&self) -> impl Iterator<Item = Signal> {
        let mask = self.mask();
        let signals = Signal::ALL.into_iter();
        signals.filter(move |signal| mask & bit(*signal) != 0)
    }

    /// Puts the samples of one signal in the place of those that are there; nothing takes them away.
    pub fn put(&mut self, signal: Signal, block: Option<&HourBlock>) {
        let new = block.map(packed);
        *self = Self::of(|its| {
            if its == signal {
                new.as_deref()
            } else {
                self.packed(its)
            }
        });
    }

    /// Takes over the signals that this one lacks.
    pub fn fill(&mut self, other: &Self) {
        *self = Self::of(|signal| self.packed(signal).or_else(|| other.packed(signal)));
    }

    /// Whether nothing was read of any signal.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, signal: Signal) -> Option<Hour<'_>> {
        Hour::of(self.packed(signal)?)
    }

    /// Of what each signal has, as [`packed`] made it.
    fn of<'a>(bytes_of: impl Fn(Signal) -> Option<&'a [u8]>) -> Self {
        let parts = Signal::ALL.map(|signal| (signal, bytes_of(signal)));
        let parts = || {
            let parts = parts.iter();
            parts.filter_map(|(signal, bytes)| Some((*signal, (*bytes)?)))
        };
        let mask = parts().fold(0, |mask, (signal, _)| mask | bit(signal));
        if mask == 0 {
            return Self::default();
        }
        let length: usize = parts().map(|(_, bytes)| END_BYTES + bytes.len()).sum();
        let mut all = Vec::with_capacity(MASK_BYTES + length);
        all.extend(mask.to_le_bytes());
        let mut end = 0_u16;
        for (_, bytes) in parts() {
            end = end.saturating_add(u16::try_from(bytes.len()).unwrap_or(u16::MAX)); // far below
            all.extend(end.to_le_bytes());
        }
        for (_, bytes) in parts() {
            all.extend(bytes);
        }
        Self(all.into_boxed_slice())
    }

    fn mask(&self) -> Mask {
        let mask = self.0.first_chunk();
        mask.map_or(0, |mask| Mask::from_le_bytes(*mask))
    }

    fn packed(&self, signal: Signal) -> Option<&[u8]> {
        let (mask, bit) = (self.mask(), bit(signal));
        if mask & bit == 0 {
            return None;
        }
        let place = (mask & (bit - 1)).count_ones() as usize;
        let bytes = MASK_BYTES + END_BYTES * mask.count_ones() as usize;
        let end = |place: usize| -> Option<usize> {
            let end = self.0.get(MASK_BYTES + END_BYTES * place..)?;
            Some(bytes + usize::from(u16::from_le_bytes(*end.first_chunk()?)))
        };
        let begin = match place.checked_sub(1) {
            Some(before) => end(before)?,
            None => bytes,
        };
        self.0.get(begin..end(place)?)
    }
}

const fn bit(signal: Signal) -> Mask {
    1 << signal as Mask
}

impl FromIterator<(Signal, HourBlock)> for PoolHour {
    fn from_iter<T: IntoIterator<Item = (Signal, HourBlock)>>(blocks: T) -> Self {
        let mut all = [const { None }; Signal::ALL.len()];
        for (signal, block) in blocks {
            if let Some(slot) = all.get_mut(signal as usize) {
                *slot = Some(packed(&block));
            }
        }
        Self::of(|signal| all.get(signal as usize)?.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::series::Sample;

    #[test]
    fn signals_come_and_go_and_the_others_stay() {
        let block = |value: f64| [Sample::Value(value); 60];
        let mut hour = PoolHour::default();
        let order = [Signal::LongInputs, Signal::Invocations, Signal::Latency];
        for (signal, value) in order.into_iter().zip([3.0, 1.0, 2.5]) {
            hour.put(signal, Some(&block(value)));
        }
        let whole: PoolHour = order.into_iter().zip([3.0, 1.0, 2.5].map(block)).collect();
        assert_eq!(hour, whole, "in whichever order");
        assert_eq!(hour.block(Signal::Latency), Some(block(2.5)));
        assert_eq!(hour.block(Signal::Throttles), None);

        hour.put(Signal::Latency, None);
        let left: Vec<Signal> = hour.signals().collect();
        assert_eq!(left, [Signal::Invocations, Signal::LongInputs]);
        let mut other = PoolHour::default();
        other.put(Signal::Invocations, Some(&block(9.0)));
        other.put(Signal::Throttles, Some(&[Sample::NoData; 60]));
        hour.fill(&other);
        assert_eq!(hour.block(Signal::Invocations), Some(block(1.0)), "stays");
        assert_eq!(hour.block(Signal::Throttles), Some([Sample::NoData; 60]));

        for signal in Signal::ALL {
            hour.put(signal, None);
        }
        assert!(hour.is_empty());
        assert_eq!(hour, PoolHour::default());
    }
}
