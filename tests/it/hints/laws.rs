//! Laws of hints, whatever was measured.

use proptest::prelude::*;

use super::{
    BTreeMap, Book, CALM, Family, PoolSeries, Reading, Sample, Signal, World, geo, hints_of, id,
    last_bad, short_of_tokens, throttled,
};

fn sample() -> impl Strategy<Value = Sample> {
    prop_oneof![
        3 => (0_u32..2_000_000).prop_map(|value| Sample::Value(f64::from(value))),
        1 => Just(Sample::Value(0.0)),
        1 => Just(Sample::Value(1e300)),
        1 => Just(Sample::NoData),
        1 => Just(Sample::Unobserved),
    ]
}

fn with(world: &mut World, samples: &[Vec<Sample>]) {
    for family in [Family::Geo, Family::OnDemand, Family::Global] {
        let pool = id(family);
        let length = i64::try_from(samples[0].len()).unwrap();
        let signals = Signal::ALL.into_iter().zip(samples.iter().cloned());
        let mut series = PoolSeries::default();
        series.absorb(&Reading {
            pool: pool.clone(),
            from: last_bad().plus(1 - length),
            signals: signals.collect(),
            by_target: BTreeMap::new(),
        });
        world.book.series.insert(pool, series);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn whatever_was_measured_hints_are_few_ordered_and_of_numbers(
        samples in prop::collection::vec(prop::collection::vec(sample(), 150), Signal::ALL.len()),
        changed in any::<bool>(),
    ) {
        let mut world = World::new(|_| CALM, |_| CALM);
        for family in [Family::OnDemand, Family::Global] {
            world.add(&id(family), [Some(900_000.0), Some(700.0), Some(50_000_000.0)]);
        }
        if changed {
            world.change(Family::Geo, 400_000.0, 1_000_000.0, "2026-03-01T09:30:00Z");
            world.change(Family::Global, 400_000.0, 900_000.0, "2026-03-01T09:30:00Z");
        }
        with(&mut world, &samples);
        for incident in [throttled(), short_of_tokens()] {
            let hints = world.hints(&incident);
            prop_assert!(hints.len() <= 4);
            prop_assert!(hints.is_sorted_by(|a, b| b.strength <= a.strength));
            for hint in hints {
                let text = hint.to_string();
                prop_assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
            }
        }
    }

    #[test]
    fn nothing_known_nothing_told(is_answered in prop::collection::vec(any::<bool>(), 150)) {
        let mut world = World::new(|_| CALM, |_| CALM);
        let gap = |known: &bool| if *known { Sample::NoData } else { Sample::Unobserved };
        let gaps: Vec<Sample> = is_answered.iter().map(gap).collect();
        let samples = vec![gaps; Signal::ALL.len()];
        with(&mut world, &samples);
        prop_assert!(world.hints(&throttled()).is_empty());
        prop_assert!(world.hints(&short_of_tokens()).is_empty());
        let empty = Book::default();
        let takers = BTreeMap::from([(geo(), Vec::new())]);
        prop_assert!(hints_of(&empty, (&takers, &BTreeMap::new()), &throttled(), &|_, _| true).is_empty());
    }
}
