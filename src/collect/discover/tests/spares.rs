//! Ways out that nobody uses: what is one, what is none, and what stays when a listing fails.

use super::*;
use crate::model::catalog::Spare;

const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";

/// Each spare way as `family: targets, TPM quota`.
fn spares(book: &Book) -> Vec<String> {
    let said = |it: &Spare| {
        let ids: Vec<&str> = it.targets.iter().map(|it| it.id.as_str()).collect();
        let code = it.pool.mapping(QuotaKind::Tpm).code().unwrap();
        format!("{}: {}, {code}", it.pool.id.family, ids.join(" "))
    };
    book.spares_in(&scope()).map(said).collect()
}

fn global() -> String {
    format!("global: global.{SONNET}, L-7BEE40FB")
}

#[tokio::test]
async fn a_profile_that_nobody_calls_is_a_way_out_and_no_pool() {
    let us = format!("us.{SONNET}");
    let mut book = Book::default();
    discovered(&region(&[&us]), &mut book, now()).await;
    // `apac.amazon.nova-pro` is of a model that nobody calls here.
    assert_eq!(spares(&book), [global()]);
    assert_eq!(book.pools.len(), 1, "nothing of it is watched");
    assert_eq!(book.targets.len(), 1);
    let quota = &book.quotas[&(scope(), QuotaCode::new("L-7BEE40FB"))];
    assert_eq!(quota.applied, Amount::new(1_000.0));
    let way = TargetId::new(format!("global.{SONNET}"));
    assert!(book.reaches[&scope()].of(&way).unwrap().is_anywhere);
    // Nothing new, nothing written; quotas are not listed for it either.
    let (fake, later) = (region(&[&us]), after(now(), 15));
    let again = discover(&fake, &scope(), &book, false, &mut None, later).await;
    let again = again.gathered.found;
    let is_discovered = |it: &Record| matches!(it, Record::Discovered(..));
    assert!(again.iter().all(is_discovered), "{again:?}");
}

#[tokio::test]
async fn once_it_is_called_it_is_a_pool_and_no_way_that_nobody_uses() {
    let (us, global_id) = (format!("us.{SONNET}"), format!("global.{SONNET}"));
    let mut book = Book::default();
    discovered(&region(&[&us]), &mut book, now()).await;
    discovered(&region(&[&us, &global_id]), &mut book, after(now(), 15)).await;
    assert_eq!(spares(&book), Vec::<String>::new());
    assert_eq!(book.pools.len(), 2);
}

#[tokio::test]
async fn what_could_not_be_read_proves_nothing_of_ways_out() {
    let us = format!("us.{SONNET}");
    let mut book = Book::default();
    for (nth, operation) in [
        "cloudwatch:ListMetrics",
        "bedrock:ListInferenceProfiles",
        "bedrock:ListFoundationModels",
    ]
    .into_iter()
    .enumerate()
    {
        let fake = region(&[&us]);
        fake.fail(operation, 0, FaultClass::Throttled);
        let mut first = Book::default();
        discovered(&fake, &mut first, now()).await;
        assert_eq!(spares(&first), Vec::<String>::new(), "{operation}");
        // What was found before stands.
        if nth == 0 {
            discovered(&region(&[&us]), &mut book, now()).await;
        }
        let fake = region(&[&us]);
        fake.fail(operation, 0, FaultClass::Throttled);
        discovered(&fake, &mut book, after(now(), 15)).await;
        assert_eq!(spares(&book), [global()], "{operation}");
    }
}

#[tokio::test]
async fn a_profile_that_is_listed_no_more_and_one_that_is_not_active_is_none() {
    let us = format!("us.{SONNET}");
    let mut book = Book::default();
    discovered(&region(&[&us]), &mut book, now()).await;
    let mut fake = region(&[&us]);
    fake.profiles[1].status = "DELETING".to_owned();
    discovered(&fake, &mut book, after(now(), 15)).await;
    assert_eq!(spares(&book), Vec::<String>::new());
}

#[tokio::test]
async fn an_ambiguous_quota_and_a_missing_one_are_no_room() {
    let us = format!("us.{SONNET}");
    let mut fake = region(&[&us]);
    fake.quotas.push(listed(
        "L-TWIN",
        "Global cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.6",
        1.0,
    ));
    let mut book = Book::default();
    discovered(&fake, &mut book, now()).await;
    assert_eq!(spares(&book), Vec::<String>::new(), "two quotas fit");
    let mut fake = region(&[&us]);
    fake.quotas.truncate(1);
    fake.defaults.truncate(1);
    let mut book = Book::default();
    discovered(&fake, &mut book, now()).await;
    assert_eq!(spares(&book), Vec::<String>::new(), "none fits");
}

/// The bare id is a way only of a model that says so, and that is not about to go.
#[tokio::test]
async fn a_bare_id_is_a_way_out_where_the_model_says_so() {
    let us = format!("us.{HAIKU}");
    let haiku = |is_on_demand, life: LifeCycle| {
        let mut fake = region(&[&us]);
        fake.profiles = vec![profile(&us, false, vec![arn("us-west-2", HAIKU)])];
        fake.models = vec![FoundationModel {
            id: HAIKU.to_owned(),
            life,
            is_on_demand,
        }];
        let name = "On-demand model inference tokens per minute for Anthropic Claude 3 Haiku";
        fake.quotas.push(listed("L-BARE", name, 7.0));
        fake
    };
    let open = format!("on-demand: {HAIKU}, L-BARE");
    let cases = [
        (haiku(true, life("ACTIVE", None)), vec![open.clone()]),
        (haiku(false, life("ACTIVE", None)), vec![]),
        (haiku(true, life("LEGACY", None)), vec![]),
        (
            haiku(true, life("ACTIVE", Some("2026-11-24T00:00:00Z"))),
            vec![],
        ),
        (
            haiku(true, life("ACTIVE", Some("2027-11-24T00:00:00Z"))),
            vec![open],
        ),
    ];
    for (nth, (fake, expected)) in cases.into_iter().enumerate() {
        let mut book = Book::default();
        discovered(&fake, &mut book, now()).await;
        assert_eq!(spares(&book), expected, "case {nth}");
    }
}
