use proptest::prelude::*;

use super::*;
use crate::{
    engine::{
        judge,
        tests::{START, pool, quotas, share_rule, usage},
    },
    model::alert::AlertState,
};

fn book_at(series: &PoolSeries, minute: Minute) -> Book {
    let pool = pool();
    let end = minute.plus(1);
    let mut known = PoolSeries::default();
    for (signal, hour) in series.held() {
        let mut block = series.block(signal, hour).unwrap();
        for (at, slot) in hour.until(hour.plus(60)).zip(&mut block) {
            if end <= at {
                *slot = crate::model::series::Sample::Unobserved;
            }
        }
        known.restore(signal, hour, block);
    }
    Book {
        pools: [(pool.id.clone(), pool.clone())].into(),
        quotas: quotas(Some(100.0)),
        series: [(pool.id.clone(), known)].into(),
        read_through: [(pool.id.clone(), end)].into(),
        read_in_full: [(pool.id.clone(), end)].into(),
        read_in_depth: [(pool.id, end)].into(),
        ..Book::default()
    }
}

fn moment_at(text: &str, after: i64) -> Moment {
    let rules = Rules::from(vec![share_rule()]);
    let minute = START.plus(after);
    let book = book_at(&usage(text), minute);
    let mut all = at(&rules, &Calendar::default(), &book, &pool(), minute);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[test]
fn a_near_miss_shows_what_was_missing() {
    // Bad from 80 % in 3 of 5 minutes, good below 70 %.
    let moment = moment_at("60x10 85 75 60 90 60", 13);
    let verdict = moment.verdict.as_ref().unwrap();
    assert_eq!(verdict.state, AlertState::Pending);
    let seen: Vec<String> = moment
        .seen
        .iter()
        .map(|it| format!("{} {}", it.value.unwrap(), it.says.name()))
        .collect();
    assert_eq!(
        seen,
        ["60 good", "85 bad", "75 between", "60 good", "90 bad"]
    );
    assert_eq!(moment.good_run, 0);
    let line = moment.line.unwrap();
    assert_eq!((line.above.get(), line.clear.get()), (80.0, 70.0));
}

#[test]
fn a_minute_that_nobody_observed_is_unclear_and_has_no_number() {
    let moment = moment_at("60x10 ?", 10);
    let last = moment.seen.last().unwrap();
    assert_eq!((last.says, last.value), (Says::Unclear, None));
}

#[test]
fn a_rule_that_is_not_about_the_pool_says_why() {
    let rules = Rules::from(vec![share_rule()]);
    let mut pool = pool();
    pool.mappings.clear();
    for kind in QuotaKind::ALL {
        let absent = crate::model::catalog::Mapping::Absent;
        pool.mappings.insert(kind, absent);
    }
    let mut book = book_at(&usage("60x10"), START.plus(9));
    book.pools.insert(pool.id.clone(), pool.clone());
    let all = at(&rules, &Calendar::default(), &book, &pool, START.plus(9));
    let why = all[0].is_not_for(&pool);
    assert_eq!(why, Some("the account lists no such quota for this model"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// What is told of a past minute is what the service said then, minute by minute and with what could still change.
    #[test]
    fn a_past_minute_is_judged_as_it_was(
        words in proptest::collection::vec((0_usize..5, 1_usize..7), 4..14),
    ) {
        let words = words.iter().map(|(which, times)| format!("{}x{times}", ["60", "75", "85", "?", "_"][*which]));
        let text = words.collect::<Vec<_>>().join(" ");
        let series = usage(&text);
        let minutes = i64::try_from(crate::engine::tests::samples(&text).len()).unwrap();
        let (rule, pool, quotas) = (share_rule(), pool(), quotas(Some(100.0)));
        let mut track = None;
        for after in 0..minutes {
            let end = START.plus(after + 1);
            let said = judge(&rule, &pool, &series, &quotas, track.as_ref(), end, end.start()).unwrap();
            track = Some(said.track);
            let again = moment_at(&text, after);
            let verdict = again.verdict.unwrap();
            prop_assert_eq!(verdict.state, said.state, "minute {} of {}", after, text);
            prop_assert_eq!(verdict.began, said.began, "minute {} of {}", after, text);
        }
    }
}
