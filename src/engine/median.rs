//! The middle of some numbers.

/// `None` for an empty slice; between the two in the middle for an even number.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let high = values.get(values.len() / 2)?;
    let low = values.get(values.len().checked_sub(1)? / 2)?;
    Some(f64::midpoint(*low, *high))
}
