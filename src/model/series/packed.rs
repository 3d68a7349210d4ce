//! An hour of samples in few bytes: bit for bit as it went in, and any of them at the cost of an index.
//!
//! A day of minutes of eight signals would be 184 KB as samples; counts are small whole numbers close to one another, so
//! a byte or two are enough for most of them. Only memory looks like this: what is stored is laid out by `store`.
//!
//! No byte at all is an hour of silence. Else a head of three bytes (what the numbers are, whether tags follow, bytes of
//! the lowest number; bits a number; zeros that all of them end in); the lowest number; a tag of two bits a sample, where
//! some are no numbers; how far each is above the lowest, bit after bit. An hour of zeros is its head.

use std::ops::Range;

use super::{HourBlock, Sample};

/// Whole numbers below this are exact in an `f64`.
const EXACT: u64 = 1 << 53;
/// Means are kept in tenths.
const TENTHS: f64 = 10.0;

/// What the numbers of an hour are: bits 0 and 1 of the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Whole = 0,
    Tenths = 1,
    /// The bits of the `f64`.
    Bits = 2,
}

const UNIT: u8 = 0b11;
const HAS_TAGS: u8 = 0b100;
/// Above it in the head: bytes of the lowest number, 0 to 7.
const BASE_SHIFT: u32 = 4;
const TAG_BYTES: usize = 60_usize.div_ceil(4);

/// An hour as bytes, at most half a kilobyte.
pub(super) fn packed(samples: &HourBlock) -> Vec<u8> {
    if samples.iter().all(|it| *it == Sample::NoData) {
        return Vec::new();
    }
    let fitting = [Unit::Whole, Unit::Tenths].into_iter();
    let mut fitting = fitting.filter_map(|unit| Some((unit, unit.numbers(samples)?)));
    let (unit, mut numbers) = fitting.next().unwrap_or_else(|| {
        let bits = samples.map(|it| it.value().map(f64::to_bits)); // these fit everything
        (Unit::Bits, bits)
    });
    let known = || numbers.iter().flatten().copied();
    let base = match unit {
        Unit::Whole | Unit::Tenths => known().min().unwrap_or(0),
        Unit::Bits => 0,
    };
    let all = known().fold(0, |all, number| all | (number - base));
    let shift = if all == 0 { 0 } else { all.trailing_zeros() };
    let width = u64::BITS - (all >> shift).leading_zeros();
    let has_tags = known().count() < samples.len();
    for number in numbers.iter_mut().flatten() {
        *number = (*number - base) >> shift;
    }

    let base_bytes = (u64::BITS - base.leading_zeros()).div_ceil(8);
    let tags = if has_tags { HAS_TAGS } else { 0 };
    let mut bytes = Vec::with_capacity(3 + 7 + TAG_BYTES + numbers.len() * 8);
    bytes.push(unit as u8 | tags | small(base_bytes << BASE_SHIFT));
    bytes.extend([small(width), small(shift)]);
    let base = base.to_le_bytes();
    bytes.extend(base.iter().take(base_bytes as usize));
    if has_tags {
        bytes.extend(samples.chunks(4).map(|four| {
            let tags = four.iter().zip([0, 2, 4, 6]);
            tags.fold(0, |bits, (sample, shift)| bits | (tag(*sample) << shift))
        }));
    }
    put_bits(numbers.map(Option::unwrap_or_default), width, &mut bytes);
    bytes
}

/// So many bits of each number, the lowest first.
fn put_bits(numbers: [u64; 60], width: u32, bytes: &mut Vec<u8>) {
    let mut waiting: u128 = 0;
    let mut filled = 0;
    for number in numbers {
        waiting |= u128::from(number) << filled; // below 8 + 64 bits
        filled += width;
        while 8 <= filled {
            let [low, ..] = waiting.to_le_bytes();
            bytes.push(low);
            waiting >>= 8;
            filled -= 8;
        }
    }
    if 0 < filled {
        let [low, ..] = waiting.to_le_bytes();
        bytes.push(low);
    }
}

/// The bytes of an hour, taken apart.
#[derive(Clone, Copy)]
pub(super) enum Hour<'a> {
    Silence,
    Numbers {
        unit: u8,
        base: u64,
        width: usize,
        shift: u8,
        tags: Option<&'a [u8]>,
        numbers: &'a [u8],
    },
}

impl<'a> Hour<'a> {
    /// Of what [`packed`] made; `None` of anything else.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::Silence);
        }
        let (&[head, width, shift], rest) = bytes.split_first_chunk()?;
        let (base, rest) = rest.split_at_checked(usize::from(head >> BASE_SHIFT))?;
        let (tags, numbers) = if head & HAS_TAGS == 0 {
            (None, rest)
        } else {
            let (tags, numbers) = rest.split_at_checked(TAG_BYTES)?;
            (Some(tags), numbers)
        };
        Some(Self::Numbers {
            unit: head & UNIT,
            base: base
                .iter()
                .rev()
                .fold(0, |number, byte| (number << 8) | u64::from(*byte)),
            width: usize::from(width),
            shift,
            tags,
            numbers,
        })
    }

    /// Unobserved beyond the end.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Sample {
        if 60 <= index {
            return Sample::Unobserved;
        }
        let Self::Numbers {
            unit,
            base,
            width,
            shift,
            tags,
            numbers,
        } = *self
        else {
            return Sample::NoData;
        };
        let tag = tags.and_then(|tags| tags.get(index / 4));
        match tag.map(|four| (four >> (2 * (index % 4))) & 0b11) {
            Some(0) => return Sample::Unobserved,
            Some(1) => return Sample::NoData,
            Some(_) | None => {}
        }
        let number = base + (bits(numbers, index * width, width) << shift);
        Sample::Value(match unit {
            0 => whole_as_f64(number),
            1 => whole_as_f64(number) / TENTHS,
            _bits => f64::from_bits(number),
        })
    }

    /// These samples at their places; all others are unobserved.
    pub(super) fn samples(&self, places: Range<usize>) -> HourBlock {
        let mut samples = [Sample::Unobserved; 60];
        let wanted = samples.get_mut(places.clone()).unwrap_or_default();
        for (sample, place) in wanted.iter_mut().zip(places) {
            *sample = self.get(place);
        }
        samples
    }
}

/// So many bits from this one on: 64 at most. What lies beyond the end is zeros.
#[inline]
fn bits(bytes: &[u8], from: usize, width: usize) -> u64 {
    let bytes = bytes.get(from / 8..).unwrap_or_default();
    let word = match bytes.first_chunk() {
        Some(whole) => u128::from_le_bytes(*whole),
        None => bytes
            .iter()
            .rev()
            .fold(0, |word, byte| (word << 8) | u128::from(*byte)),
    };
    let mask = (1_u128 << width) - 1;
    u64::try_from((word >> (from % 8)) & mask).unwrap_or(u64::MAX) // at most 64 bits
}

const fn tag(sample: Sample) -> u8 {
    match sample {
        Sample::Unobserved => 0,
        Sample::NoData => 1,
        Sample::Value(_) => 2,
    }
}

impl Unit {
    /// The numbers that lead back to the same bits, where there are such for all.
    fn numbers(self, samples: &HourBlock) -> Option<[Option<u64>; 60]> {
        let mut numbers = [None; 60];
        for (number, sample) in numbers.iter_mut().zip(samples) {
            if let Some(value) = sample.value() {
                *number = Some(self.number(value)?);
            }
        }
        Some(numbers)
    }

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

/// Lengths and shifts are at most 7 << 4.
fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
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
        let bytes = packed(samples);
        let packed = Hour::of(&bytes).unwrap();
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
    fn what_an_hour_takes() {
        let of = |value: fn(u32) -> f64| {
            let mut place = 0;
            packed(&[(); 60].map(|()| {
                place += 1;
                Sample::Value(value(place))
            }))
            .len()
        };
        assert_eq!(of(|_| 0.0), 3);
        assert_eq!(of(|_| 9_000_000.0), 3 + 3, "the same each minute");
        assert_eq!(
            of(|place| f64::from(place % 2)),
            3 + 60_usize.div_ceil(8),
            "one bit"
        );
        let counts = of(|place| f64::from(9_000_000 + 7 * place));
        assert_eq!(counts, 3 + 3 + (60 * 9_usize).div_ceil(8), "nine bits");
        let means = of(|place| f64::from(2_048 + 64 * (place % 32)));
        assert_eq!(
            means,
            3 + 2 + (60 * 5_usize).div_ceil(8),
            "five bits that differ"
        );
        assert_eq!(packed(&[Sample::NoData; 60]).len(), 0);
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
