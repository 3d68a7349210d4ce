//! A run of samples in few bytes: bit for bit as it went in, and any of them at the cost of an index.
//!
//! A day of minutes of eight signals would be 184 KB as samples; counts are small whole numbers close to one another, so
//! two bytes are enough for most of them. Only memory looks like this: what is stored is laid out by `store`.

use std::ops::Range;

use super::Sample;

/// Whole numbers below this are exact in an `f64`.
const EXACT: u64 = 1 << 53;
/// Means are kept in tenths.
const TENTHS: f64 = 10.0;
/// Bytes of the lowest number: enough for every exact one.
const BASE: usize = 7;

/// `N` samples. Most hours of most pools are nothing but zeros or nothing but silence: those take no room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Packed<const N: usize> {
    Zeros,
    /// No byte at all is silence: a variant of its own would take eight bytes more in every hour of every pool.
    ///
    /// Else a head of one byte (bits 0 and 1: what the numbers are; bit 2: whether tags follow; bits 4 to 7: bytes a number);
    /// the lowest number; a tag of two bits a sample, where some are no numbers; how far each is above the lowest.
    Bytes(Box<[u8]>),
}

/// What the numbers of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Whole = 0,
    Tenths = 1,
    /// The bits of the `f64`.
    Bits = 2,
}

const HAS_TAGS: u8 = 0b100;

impl<const N: usize> Packed<N> {
    pub(super) fn of(samples: &[Sample; N]) -> Self {
        let is_zero = |sample: &Sample| sample.value().is_some_and(|it| it.to_bits() == 0);
        if samples.iter().all(is_zero) {
            return Self::Zeros;
        }
        if samples.iter().all(|it| *it == Sample::NoData) {
            return Self::Bytes(Box::default());
        }
        let in_unit = |unit: Unit| -> Option<Vec<u64>> {
            let values = samples.iter().filter_map(|it| it.value());
            values.map(|value| unit.number(value)).collect()
        };
        let fitting = [Unit::Whole, Unit::Tenths, Unit::Bits].into_iter();
        let mut fitting = fitting.filter_map(|unit| Some((unit, in_unit(unit)?)));
        let (unit, numbers) = fitting.next().unwrap_or((Unit::Bits, Vec::new())); // bits fit everything
        let lowest = numbers.iter().copied().min().unwrap_or(0);
        let base = if unit == Unit::Bits { 0 } else { lowest };
        let highest = numbers.iter().copied().max().unwrap_or(0);
        let width = width_of(highest - base);
        let has_tags = numbers.len() < N;
        let length = 1 + BASE + if has_tags { N.div_ceil(4) } else { 0 } + N * width;
        let mut bytes = Vec::with_capacity(length);
        let flags = unit as u8 | if has_tags { HAS_TAGS } else { 0 };
        bytes.push(flags | u8::try_from(width << 4).unwrap_or(0)); // at most 8 << 4
        bytes.extend(base.to_le_bytes().iter().take(BASE));
        if has_tags {
            bytes.extend(samples.chunks(4).map(|four| {
                let tags = four.iter().zip([0, 2, 4, 6]);
                tags.fold(0, |bits, (sample, shift)| bits | (tag(*sample) << shift))
            }));
        }
        let mut numbers = numbers.into_iter();
        for sample in samples {
            let number = sample.value().and_then(|_| numbers.next());
            let above = number.map_or(0, |number| number - base);
            bytes.extend(above.to_le_bytes().iter().take(width));
        }
        Self::Bytes(bytes.into_boxed_slice())
    }

    /// Unobserved beyond the end.
    pub(super) fn get(&self, index: usize) -> Sample {
        match self {
            _ if N <= index => Sample::Unobserved,
            Self::Zeros => Sample::Value(0.0),
            Self::Bytes(bytes) if bytes.is_empty() => Sample::NoData,
            Self::Bytes(bytes) => Run::<N>::of(bytes)
                .and_then(|run| run.get(index))
                .unwrap_or_default(), // as long as `of` made it
        }
    }

    /// These samples at their places; all others are unobserved.
    pub(super) fn samples(&self, places: Range<usize>) -> [Sample; N] {
        let mut samples = [Sample::Unobserved; N];
        let wanted = samples.get_mut(places.clone()).unwrap_or_default();
        match self {
            Self::Zeros => wanted.fill(Sample::Value(0.0)),
            Self::Bytes(bytes) if bytes.is_empty() => wanted.fill(Sample::NoData),
            Self::Bytes(bytes) => {
                if let Some(run) = Run::<N>::of(bytes) {
                    for (sample, place) in wanted.iter_mut().zip(places) {
                        *sample = run.get(place).unwrap_or_default(); // as long as `of` made it
                    }
                }
            }
        }
        samples
    }
}

/// The bytes of a run, taken apart.
struct Run<'a, const N: usize> {
    unit: u8,
    base: u64,
    width: usize,
    tags: Option<&'a [u8]>,
    numbers: &'a [u8],
}

impl<'a, const N: usize> Run<'a, N> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (&head, rest) = bytes.split_first()?;
        let (base, rest) = rest.split_at_checked(BASE)?;
        let (tags, numbers) = if head & HAS_TAGS == 0 {
            (None, rest)
        } else {
            let (tags, numbers) = rest.split_at_checked(N.div_ceil(4))?;
            (Some(tags), numbers)
        };
        Some(Self {
            unit: head & 0b11,
            base: little(base),
            width: usize::from(head >> 4),
            tags,
            numbers,
        })
    }

    #[inline]
    fn get(&self, index: usize) -> Option<Sample> {
        if let Some(tags) = self.tags {
            match (tags.get(index / 4)? >> (2 * (index % 4))) & 0b11 {
                0 => return Some(Sample::Unobserved),
                1 => return Some(Sample::NoData),
                _number => {}
            }
        }
        let bytes = self
            .numbers
            .get(index * self.width..(index + 1) * self.width)?;
        let number = self.base + little(bytes);
        Some(Sample::Value(match self.unit {
            0 => whole_as_f64(number),
            1 => whole_as_f64(number) / TENTHS,
            _bits => f64::from_bits(number),
        }))
    }
}

const fn tag(sample: Sample) -> u8 {
    match sample {
        Sample::Unobserved => 0,
        Sample::NoData => 1,
        Sample::Value(_) => 2,
    }
}

impl Unit {
    /// The number that leads back to the same bits, where there is one.
    fn number(self, value: f64) -> Option<u64> {
        match self {
            Self::Whole => exact_whole(value),
            Self::Tenths => {
                let scaled = exact_whole((value * TENTHS).round())?;
                let back = whole_as_f64(scaled) / TENTHS;
                (back.to_bits() == value.to_bits()).then_some(scaled)
            }
            Self::Bits => Some(value.to_bits()),
        }
    }
}

/// Bytes that hold this number: 0 to 8.
fn width_of(number: u64) -> usize {
    8 - usize::try_from(number.leading_zeros() / 8).unwrap_or(0) // at most 8
}

fn little(bytes: &[u8]) -> u64 {
    let bytes = bytes.iter().rev();
    bytes.fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// The whole number below 2^53 that is this value bit for bit.
pub(crate) fn exact_whole(value: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and is compared bit for bit below"
    )]
    let whole = value as u64;
    (whole < EXACT && whole_as_f64(whole).to_bits() == value.to_bits()).then_some(whole)
}

/// A whole number below 2^53 as it was.
pub(crate) fn whole_as_f64(whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    let value = whole as f64;
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assert_same(samples: &[Sample; 60]) {
        let packed = Packed::of(samples);
        for (index, (was, is)) in samples.iter().zip(packed.samples(0..60)).enumerate() {
            let bits = |it: Sample| it.value().map(f64::to_bits);
            assert_eq!(bits(*was), bits(is), "{index} of {samples:?}");
            assert_eq!(tag(*was), tag(is), "{index} of {samples:?}");
        }
        assert_eq!(packed.get(60), Sample::Unobserved);
        let some = packed.samples(7..31);
        for (index, (was, is)) in packed.samples(0..60).iter().zip(some).enumerate() {
            let wanted = if (7..31).contains(&index) {
                *was
            } else {
                Sample::Unobserved
            };
            assert_eq!(tag(wanted), tag(is), "{index} of a part");
            let bits = |it: Sample| it.value().map(f64::to_bits);
            assert_eq!(bits(wanted), bits(is), "{index} of a part");
        }
    }

    #[test]
    fn what_takes_no_room_and_what_is_odd_come_back_bit_for_bit() {
        let mut mixed = [Sample::Value(0.0); 60];
        mixed[59] = Sample::NoData;
        for samples in [
            [Sample::Value(0.0); 60],
            [Sample::Value(-0.0); 60],
            [Sample::NoData; 60],
            [Sample::Unobserved; 60],
            [Sample::Value(f64::NAN); 60],
            [Sample::Value(f64::INFINITY); 60],
            mixed,
        ] {
            assert_same(&samples);
        }
    }

    #[test]
    fn an_hour_without_bytes_takes_two_words() {
        assert_eq!(size_of::<Packed<60>>(), 16);
    }

    #[test]
    fn an_hour_of_counts_takes_a_byte_or_two_a_minute() {
        let counts: [Sample; 60] = std::array::from_fn(|index| {
            Sample::Value(whole_as_f64(9_000_000 + 400 * (index as u64)))
        });
        let Packed::Bytes(bytes) = Packed::of(&counts) else {
            panic!("counts are no zeros");
        };
        assert_eq!(bytes.len(), 1 + BASE + 2 * 60);
    }

    fn sample() -> impl Strategy<Value = Sample> {
        prop_oneof![
            Just(Sample::Unobserved),
            Just(Sample::NoData),
            (0_u32..3_000).prop_map(|it| Sample::Value(f64::from(it))),
            (0_u32..90_000_000).prop_map(|it| Sample::Value(f64::from(it) / 10.0)),
            any::<f64>().prop_map(Sample::Value),
        ]
    }

    proptest! {
        #[test]
        fn whatever_goes_in_comes_out(
            mixed in proptest::collection::vec(sample(), 60),
            whole in proptest::collection::vec(0_u64..EXACT, 60),
            tenths in proptest::collection::vec(0_u32..u32::MAX, 60),
            holes in proptest::collection::vec(0_u8..4, 60),
        ) {
            assert_same(&std::array::from_fn(|index| mixed[index]));
            let holed = |value: f64, index: usize| match holes[index] {
                0 => Sample::Unobserved,
                1 => Sample::NoData,
                _ => Sample::Value(value),
            };
            assert_same(&std::array::from_fn(|index| holed(whole_as_f64(whole[index]), index)));
            assert_same(&std::array::from_fn(|index| holed(f64::from(tenths[index]) / 10.0, index)));
        }
    }
}
