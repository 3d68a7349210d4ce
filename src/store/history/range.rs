//! One range of one signal, put together of what is held: coarse buckets first, finer ones over them.

use super::History;
use crate::{
    model::{
        catalog::PoolId,
        history::{Bucket, Resolution, Stretch, StretchKey},
        series::{Sample, Signal},
        time::Minute,
    },
    store::StoreError,
};

/// Buckets of `resolution` from the one that `from` lies in up to `until` (exclusive), of one signal of one pool.
/// `recent` are days that are not in the history yet; they have the last word. What is not known, or known in coarser
/// buckets only, is unobserved.
///
/// # Errors
///
/// As [`History::stretch`].
pub fn read_range(
    history: &dyn History,
    recent: &[Stretch],
    (pool, signal): (&PoolId, Signal),
    resolution: Resolution,
    (from, until): (Minute, Minute),
) -> Result<Vec<Bucket>, StoreError> {
    let minutes = resolution.minutes();
    let first = Minute(from.0.div_euclid(minutes) * minutes);
    let length = usize::try_from((until.since(first) + minutes - 1) / minutes).unwrap_or(0);
    let mut out = vec![Bucket::default(); length];
    if length == 0 {
        return Ok(out);
    }
    let mut lay = |stretch: &Stretch| {
        let begin = stretch.key.first_minute();
        for (bucket, offset) in stretch.coarser(signal, resolution).into_iter().zip(0_i64..) {
            let at = begin.plus(offset * minutes).since(first) / minutes;
            let is_before = begin.plus(offset * minutes) < first;
            let slot = usize::try_from(at).ok().filter(|_| !is_before);
            let Some(own) = slot.and_then(|at| out.get_mut(at)) else {
                continue;
            };
            if bucket.value != Sample::Unobserved && own.known <= bucket.known {
                *own = bucket;
            }
        }
    };
    let held = history.held(pool);
    for source in Resolution::ALL.into_iter().rev() {
        if resolution < source {
            continue;
        }
        let (first, last) = (source.stretch_of(first), source.stretch_of(until.plus(-1)));
        for (_, number) in held.range((source, first)..=(source, last)) {
            let key = StretchKey {
                pool: pool.clone(),
                resolution: source,
                number: *number,
            };
            if let Some(stretch) = history.stretch(&key)? {
                lay(&stretch);
            }
        }
    }
    for stretch in recent.iter().filter(|it| it.key.pool == *pool) {
        lay(stretch);
    }
    Ok(out)
}
