//! A number in two bytes, for what is kept by the thousand: six bits of exponent and ten of mantissa.
//!
//! It holds 2^-13 to 2^50 to a twentieth of a percent, nothing, and a gap. Why not a half float of the standard: that
//! one ends at 65,504, and tokens a minute do not. Packing and unpacking shift bits, since a fit unpacks a thousand.

/// A number that is not known.
const GAP: u16 = 0;
/// A number that is known to be nothing.
const NOTHING: u16 = 1;
/// Bits of the mantissa that are left out of the 52 of a double.
const LEFT_OUT: u32 = 52 - 10;
/// What the exponent of a double is at the least number that is kept: 2^-13, less a step for the two codes above.
const LEAST: u64 = (1_023 - 13) << 10;

/// A mean in two bytes. What is negative is nothing, and what is not a number is a gap.
pub(super) fn packed(mean: f64) -> u16 {
    if mean.is_nan() {
        return GAP;
    }
    if mean <= 0.0 {
        return NOTHING;
    }
    // Rounded by half a step; a carry into the exponent is the next power of two, as it should be.
    let rounded = (mean.to_bits() + (1 << (LEFT_OUT - 1))) >> LEFT_OUT;
    match rounded.checked_sub(LEAST) {
        None => NOTHING,
        Some(code) => u16::try_from(code).unwrap_or(u16::MAX).max(NOTHING + 1),
    }
}

/// The mean again; `NaN` for a gap.
pub(super) const fn unpacked(packed: u16) -> f64 {
    match packed {
        GAP => f64::NAN,
        NOTHING => 0.0,
        code => f64::from_bits((LEAST + code as u64) << LEFT_OUT),
    }
}

/// Half the bytes are enough for what is kept: seven digits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "seven digits of a measurement are enough; too large becomes infinite"
)]
pub(super) const fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size_come_back_to_a_twentieth_of_a_percent() {
        for mean in [0.001, 0.2, 1.0, 1.999_9, 2.0, 63.3, 65_504.0, 7.7e6, 3.1e14] {
            let again = unpacked(packed(mean));
            assert!((again / mean - 1.0).abs() < 0.000_5, "{mean} {again}");
        }
    }

    #[test]
    fn nothing_is_nothing_and_a_gap_is_a_gap() {
        assert_eq!(packed(0.0), NOTHING);
        assert_eq!(packed(-1.0), NOTHING);
        assert_eq!(packed(1e-9), NOTHING);
        assert!(unpacked(NOTHING).to_bits() == 0);
        assert!(unpacked(packed(f64::NAN)).is_nan());
        assert!(1e15 < unpacked(packed(f64::INFINITY)));
    }
}
