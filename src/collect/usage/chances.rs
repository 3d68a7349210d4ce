//! All targets of a stretch, asked in as many requests as it takes, and a second chance for the few that were lost.
//!
//! A pool is whole only if each of its targets is. Of a thousand targets some request fails nearly each time, and without
//! a second chance such a pool would stay behind for hours while all the others move on. Where much is lost, asking again
//! at once would only add to the trouble: the next read does it.

use super::{ask::Asker, targets_a_request};
use crate::collect::{
    endpoint::Endpoint,
    sum::{Answers, Measure, Point},
};
use crate::model::{ids::TargetId, series::Depth, time::Minute};

/// How often what was lost is asked for again within one read.
const CHANCES: usize = 2;
/// Only if at most one target in so many lost something.
const FEW: usize = 4;

/// The answers of these targets, in their order; `None` where nothing was answered. Minutes in which any series had data
/// are marked in `evidence`.
pub(super) async fn ask_all(
    asker: &mut Asker<'_>,
    targets: &[&TargetId],
    depth: Depth,
    stretch: (Minute, Minute),
    evidence: &mut [bool],
) -> Vec<Option<Answers>> {
    let mut known: Vec<Option<Answers>> = vec![None; targets.len()];
    let mut open: Vec<(usize, &TargetId)> = (0..).zip(targets.iter().copied()).collect();
    let size = targets_a_request(depth, stretch.1.since(stretch.0));
    for chance in 0..=CHANCES {
        for batch in open.chunks(size) {
            let ids: Vec<&TargetId> = batch.iter().map(|(_, target)| *target).collect();
            let answer = asker.targets(&ids, depth, stretch, evidence).await;
            for ((at, _), newer) in batch.iter().zip(answer.into_iter().flatten()) {
                if let Some(known) = known.get_mut(*at) {
                    complete(known.get_or_insert_default(), newer);
                }
            }
        }
        open.retain(|(at, target)| {
            let answers = known.get(*at).and_then(Option::as_ref);
            answers.is_none_or(|answers| is_lost(answers, target, depth))
        });
        let are_few = open.len() * FEW <= targets.len();
        if open.is_empty() || !are_few || chance == CHANCES || asker.is_stopped() {
            break;
        }
        asker.forgive();
    }
    known
}

/// Fills in what was lost.
fn complete(known: &mut Answers, newer: Answers) {
    for (measure, points) in newer {
        let Some(before) = known.get_mut(&measure) else {
            known.insert(measure, points);
            continue;
        };
        for (known, point) in before.iter_mut().zip(points) {
            if *known == Point::Lost {
                *known = point;
            }
        }
    }
}

fn is_lost(answers: &Answers, target: &TargetId, depth: Depth) -> bool {
    let (endpoint, _) = Endpoint::of_target(target);
    Measure::up_to(depth, endpoint).any(|measure| {
        let points = answers.get(&measure);
        points.is_none_or(|points| points.contains(&Point::Lost))
    })
}
