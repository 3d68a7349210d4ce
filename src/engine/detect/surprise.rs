//! How surprising a count is.
//!
//! The statistic: the log-likelihood ratio between a negative binomial whose mean is what was counted and one whose mean
//! is usual, both of the same shape. Why this one: it needs no table and no tail sum, it is exact for small counts (two
//! failures are two failures), and it saturates at high volume: where counts are clumped, a large count is one clump
//! more and not a thousand proofs. A Poisson ratio (shape infinite) pages at every wobble of a busy pool.

/// Nats of evidence that `count` is not from a mean of `usual`; 0 where there is nothing to compare with.
///
/// `shape` is the square of mean over deviation that remains at high volume: 4 means a deviation of half the mean.
pub(super) fn surprise(count: f64, usual: f64, shape: f64) -> f64 {
    if !(0.0 < usual && 0.0 < shape && 0.0 <= count) {
        return 0.0;
    }
    let own = if 0.0 < count {
        count * (count / usual).ln()
    } else {
        0.0
    };
    let common = (count + shape) * ((count + shape) / (usual + shape)).ln();
    (own - common).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_surprises_where_all_is_usual() {
        assert!(surprise(7.0, 7.0, 3.0) < 1e-12);
        assert!(
            surprise(5.0, 0.0, 3.0) < 1e-12,
            "nothing is known to be usual"
        );
        assert!(surprise(f64::NAN, 1.0, 3.0) < 1e-12);
    }

    #[test]
    fn more_is_more_surprising_and_less_is_too() {
        assert!(surprise(20.0, 10.0, 5.0) < surprise(30.0, 10.0, 5.0));
        assert!(surprise(5.0, 10.0, 5.0) < surprise(0.0, 10.0, 5.0));
    }

    #[test]
    fn volume_adds_evidence_only_up_to_the_clumps() {
        let doubling = |volume: f64| surprise(2.0 * volume, volume, 4.0);
        assert!(2.0 * doubling(1.0) < doubling(10.0));
        assert!(doubling(1e9) < 1.01 * doubling(1e6));
    }
}
