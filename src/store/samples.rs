//! A run of samples as bytes: two bits a sample, then the numbers in their order.
//!
//! The bits: 0 unobserved, 1 no data, 2 a whole number (seven bits a byte, the highest bit says "more follows"),
//! 3 the eight bytes of the `f64`. Counts are small whole numbers, so an hour takes about 100 bytes instead of 480.

use super::record::v1::Wrong;
use crate::model::series::{Sample, exact_whole, whole_as_f64};

/// Appends these samples; how many there are is known to whoever reads them.
pub(crate) fn put(samples: &[Sample], out: &mut Vec<u8>) {
    let mut numbers = Vec::with_capacity(2 * samples.len());
    for four in samples.chunks(4) {
        let mut bits = 0_u8;
        for (sample, shift) in four.iter().zip([0, 2, 4, 6]) {
            bits |= tag(*sample, &mut numbers) << shift;
        }
        out.push(bits);
    }
    out.extend(numbers);
}

fn tag(sample: Sample, numbers: &mut Vec<u8>) -> u8 {
    let value = match sample {
        Sample::Unobserved => return 0,
        Sample::NoData => return 1,
        Sample::Value(value) => value,
    };
    if let Some(mut whole) = exact_whole(value) {
        while whole >= 0x80 {
            numbers.push(u8::try_from(whole & 0x7f).unwrap_or(0) | 0x80); // seven bits always fit
            whole >>= 7;
        }
        numbers.push(u8::try_from(whole).unwrap_or(0)); // below 0x80 here
        return 2;
    }
    numbers.extend(value.to_bits().to_be_bytes());
    3
}

/// Takes so many samples off the front.
pub(crate) fn take_samples(rest: &mut &[u8], count: usize) -> Result<Vec<Sample>, Wrong> {
    let (tags, numbers) = rest
        .split_at_checked(count.div_ceil(4))
        .ok_or_else(too_short)?;
    *rest = numbers;
    let shifts = tags
        .iter()
        .flat_map(|bits| [0, 2, 4, 6].map(|shift| (bits >> shift) & 3));
    let mut samples = Vec::with_capacity(count); // as many have a tag
    for tag in shifts.take(count) {
        samples.push(match tag {
            0 => Sample::Unobserved,
            1 => Sample::NoData,
            2 => Sample::Value(take_whole(rest)?),
            _three => Sample::Value(f64::from_bits(u64::from_be_bytes(take(rest)?))),
        });
    }
    Ok(samples)
}

/// Takes so many bytes off the front.
pub(crate) fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Wrong> {
    let (head, tail) = rest.split_first_chunk().ok_or_else(too_short)?;
    *rest = tail;
    Ok(*head)
}

/// Appends a text with its length in two bytes.
pub(crate) fn put_text(text: &str, out: &mut Vec<u8>) -> Result<(), Wrong> {
    let length =
        u16::try_from(text.len()).map_err(|_| Wrong::new("a name of more than 65,535 bytes"))?;
    out.extend(length.to_be_bytes());
    out.extend(text.as_bytes());
    Ok(())
}

/// Takes a text with its length in two bytes off the front.
pub(crate) fn take_text(rest: &mut &[u8]) -> Result<String, Wrong> {
    let length = usize::from(u16::from_be_bytes(take(rest)?));
    let (head, tail) = rest.split_at_checked(length).ok_or_else(too_short)?;
    *rest = tail;
    String::from_utf8(head.to_vec()).map_err(|_| Wrong::new("a name is not UTF-8"))
}

fn take_whole(rest: &mut &[u8]) -> Result<f64, Wrong> {
    let mut whole = 0_u64;
    for shift in (0..56).step_by(7) {
        let [byte] = take(rest)?;
        whole |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(whole_as_f64(whole));
        }
    }
    Err(Wrong::new("a whole number of more than eight bytes"))
}

fn too_short() -> Wrong {
    Wrong::new("the bytes end too early")
}
