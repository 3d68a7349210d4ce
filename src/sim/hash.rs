//! Chance without order: every number is a function of the seed and of what it is for, so that the same minute of the
//! same target is the same whoever asks first.

/// A well-spread number from the parts, by the finaliser of SplitMix64.
pub(crate) fn mix(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9E37_79B9_7F4A_7C15, |state, part| {
        let mut x = state
            .wrapping_add(*part)
            .wrapping_add(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    })
}

/// A text as a number (FNV-1a).
pub(crate) fn of_text(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// `0.0 <= x < 1.0`, from the upper 32 bits.
pub(crate) fn unit(hash: u64) -> f64 {
    f64::from(u32::try_from(hash >> 32).unwrap_or(u32::MAX)) / 4_294_967_296.0
}

/// Nearly normal with mean 0 and deviation 1, never beyond 3.5: the sum of four uniform numbers.
pub(crate) fn normal(hash: u64) -> f64 {
    let part = |shift: u32| f64::from(u16::try_from((hash >> shift) & 0xFFFF).unwrap_or(u16::MAX));
    let sum = (part(0) + part(16) + part(32) + part(48)) / 65_536.0;
    (sum - 2.0) * 1.732_050_8
}

/// A whole number near `value`: the fraction is the chance of the next one.
pub(crate) fn round(value: f64, hash: u64) -> f64 {
    (value + unit(hash)).floor()
}

/// A whole number in `0..=below` out of 32 bits of the hash.
pub(crate) fn seconds(hash: u64, least: i64, most: i64) -> i64 {
    let span = most.saturating_sub(least).max(0).saturating_add(1);
    let drawn = i64::from(u32::try_from(hash >> 32).unwrap_or(u32::MAX)) % span;
    least.saturating_add(drawn)
}

/// A count as a float; counts here stay far below 2^32.
pub(crate) fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_spread_and_repeatable() {
        let draws: Vec<f64> = (0..20_000_u64).map(|n| normal(mix(&[7, n]))).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|x| x * x).sum::<f64>() / 20_000.0 - mean * mean;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((0.95..1.05).contains(&variance), "{variance}");
        assert_eq!(mix(&[1, 2]), mix(&[1, 2]));
        assert_ne!(mix(&[1, 2]), mix(&[2, 1]));
        assert!((0..1_000).all(|n| (60..=120).contains(&seconds(mix(&[n]), 60, 120))));
    }
}
