//! What the listings say beside targets and pools: mantle, life cycles, new profiles, vanished targets.

use super::*;
use crate::{
    cloud::Metric,
    model::{permit::Permits, worth::Worth},
};

const NOVA: &str = "amazon.nova-lite-v1:0";

fn mantle(name: &str, dimensions: &[(&str, &str)]) -> Metric {
    let dimensions = dimensions.iter();
    Metric {
        namespace: "AWS/BedrockMantle".to_owned(),
        name: name.to_owned(),
        dimensions: dimensions
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

fn catalog(book: &Book) -> &Catalog {
    &book.catalogs[&scope()]
}

#[tokio::test]
async fn a_model_at_the_mantle_endpoint_is_a_pool_of_its_own_taken_from_one_level() {
    let mut fake = region(&[NOVA]);
    let levels: [&[(&str, &str)]; 4] = [
        &[],
        &[("Project", "p")],
        &[("Model", NOVA)],
        &[("Model", NOVA), ("Project", "p")],
    ];
    for level in levels {
        fake.metrics.push(mantle("TotalInputTokens", level));
        fake.metrics.push(mantle("Inferences", level));
    }
    fake.quotas.extend([
        listed(
            "L-IN",
            "[bedrock-mantle endpoint] Input tokens per minute for Nova Lite",
            1.0,
        ),
        listed(
            "L-OUT",
            "[bedrock-mantle endpoint] Output tokens per minute for Nova Lite",
            1.0,
        ),
    ]);
    let mut book = Book::default();
    let got = discovered(&fake, &mut book, now()).await;
    assert_eq!((&got.gathered.faults, &got.news), (&vec![], &vec![]));
    assert_eq!(book.targets.len(), 2);
    let target = target(&book, &format!("bedrock-mantle/{NOVA}")).unwrap();
    assert_eq!(target.kind, TargetKind::Mantle);
    assert_eq!(
        target.pool.to_string(),
        format!("{}/mantle/{NOVA}", scope())
    );
    let pool = &book.pools[&target.pool];
    let code = |kind| pool.mapping(kind).code().map(QuotaCode::as_str);
    assert_eq!(code(QuotaKind::InputTpm), Some("L-IN"));
    assert_eq!(code(QuotaKind::OutputTpm), Some("L-OUT"));
    assert_eq!(pool.mapping(QuotaKind::Rpm), &Mapping::Absent);
    assert_eq!(pool.burndown, Some(1.0));
    assert!(book.quotas.contains_key(&(scope(), QuotaCode::new("L-IN"))));
}

#[tokio::test]
async fn the_dates_of_a_model_are_kept_when_it_is_listed_no_more() {
    let mut fake = region(&[NOVA]);
    let end = "2027-03-01T00:00:00Z";
    fake.models[0].life = life("LEGACY", Some(end));
    let mut book = Book::default();
    discovered(&fake, &mut book, now()).await;
    let told = life("LEGACY", Some(end));
    assert_eq!(catalog(&book).lives[&ModelId::new(NOVA)], told);
    // Silence is no end, and a failed listing is none either.
    fake.models.clear();
    discovered(&fake, &mut book, after(now(), 15)).await;
    assert_eq!(catalog(&book).lives[&ModelId::new(NOVA)], told);
    fake.fail("bedrock:ListFoundationModels", 0, FaultClass::Throttled);
    discovered(&fake, &mut book, after(now(), 30)).await;
    assert_eq!(catalog(&book).lives[&ModelId::new(NOVA)], told);
}

#[tokio::test]
async fn a_profile_that_was_never_seen_is_told_once() {
    let mut fake = region(&[NOVA]);
    let mut book = Book::default();
    let first = discovered(&fake, &mut book, now()).await;
    assert_eq!(
        first.news,
        [],
        "at first sight all are new, which is no news"
    );
    let new = format!("kr.{SONNET}");
    fake.profiles.push(profile(&new, false, us_arns()));
    // Part of a listing proves nothing of what was not there before.
    fake.fail("bedrock:ListInferenceProfiles", 0, FaultClass::Throttled);
    let failed = discovered(&fake, &mut book, after(now(), 15)).await;
    assert_eq!(failed.news, []);
    let told = discovered(&fake, &mut book, after(now(), 30)).await;
    assert_eq!(told.news, [News::NewProfiles(vec![new.clone()])]);
    assert!(news(&told).contains(&new), "{}", news(&told));
    let gone = fake.profiles.pop().unwrap();
    discovered(&fake, &mut book, after(now(), 45)).await;
    fake.profiles.push(gone);
    let back = discovered(&fake, &mut book, after(now(), 60)).await;
    assert_eq!(back.news, [], "it was seen before");
}

#[tokio::test]
async fn a_vanished_target_is_shown_for_two_weeks_and_then_forgotten() {
    let us = format!("us.{SONNET}");
    let mut fake = region(&[&us, NOVA]);
    let mut book = Book::default();
    discovered(&fake, &mut book, now()).await;
    let id = TargetId::new(us.clone());
    fake.metrics
        .retain(|metric| metric.dimensions["ModelId"] == NOVA);
    let gone = after(now(), DAY);
    let told = discovered(&fake, &mut book, gone).await;
    assert_eq!(told.news, [News::Vanished(vec![id.clone()])]);
    assert_eq!(catalog(&book).vanished, [(id.clone(), gone)].into());
    let again = discovered(&fake, &mut book, after(gone, 14 * DAY - 1)).await;
    assert_eq!(again.news, [], "told once");
    assert_eq!(catalog(&book).vanished[&id], gone, "the first time counts");
    assert!(target(&book, &us).is_some());
    discovered(&fake, &mut book, after(gone, 14 * DAY)).await;
    assert!(target(&book, &us).is_none());
    assert!(catalog(&book).vanished.is_empty());
}

#[tokio::test]
async fn a_target_that_comes_back_is_no_longer_vanished() {
    let mut fake = region(&[NOVA]);
    let mut book = Book::default();
    discovered(&fake, &mut book, now()).await;
    let metrics = std::mem::take(&mut fake.metrics);
    discovered(&fake, &mut book, after(now(), 15)).await;
    assert_eq!(catalog(&book).vanished.len(), 1);
    fake.metrics = metrics;
    discovered(&fake, &mut book, after(now(), 30)).await;
    assert!(catalog(&book).vanished.is_empty());
    assert_eq!(target(&book, NOVA).unwrap().first_seen, now());
}

#[tokio::test]
async fn the_quota_of_the_whole_account_is_recorded_and_is_no_pools() {
    let mut fake = region(&[NOVA]);
    let code = "L-E3F10727";
    fake.quotas
        .push(listed(code, "Cross-Model Max Tokens Per Day", 7e8));
    let mut book = Book::default();
    discovered(&fake, &mut book, now()).await;
    let quota = &book.quotas[&(scope(), QuotaCode::new(code))];
    assert_eq!(quota.applied, Amount::new(7e8));
    let [model, account] = [0, 1].map(|at| book.pools.values().nth(at).unwrap());
    assert_eq!(model.mapping(QuotaKind::Tpd), &Mapping::Absent);
    let kind = QuotaKind::CrossModelTpd;
    assert_eq!(model.mapping(kind), &Mapping::Absent);
    assert_eq!(account.id, PoolId::of_account(&scope()));
    assert_eq!(account.mapping(kind).code(), Some(&QuotaCode::new(code)));
    // What was learned of it stays; that it is gone is believed only when all names were read.
    let worth = Worth {
        low: 1.0,
        high: 2.0,
        passed: None,
        stopped: None,
    };
    let weighed = Pool {
        worth: Some(worth),
        ..account.clone()
    };
    book.apply(vec![Record::Pool(weighed)]);
    fake.quotas.pop();
    fake.fail("servicequotas:ListServiceQuotas", 0, FaultClass::Throttled);
    discovered(&fake, &mut book, after(now(), 15)).await;
    let kept = &book.pools[&PoolId::of_account(&scope())];
    assert_eq!(kept.worth, Some(worth));
    assert!(kept.mapping(kind).code().is_some());
    discovered(&fake, &mut book, after(now(), 30)).await;
    let gone = &book.pools[&PoolId::of_account(&scope())];
    assert_eq!(gone.mapping(kind), &Mapping::Absent);
}

#[tokio::test]
async fn an_account_whose_models_nobody_calls_has_no_day() {
    let mut fake = region(&[]);
    fake.quotas
        .push(listed("L-E3F10727", "Cross-Model Max Tokens Per Day", 7e8));
    let mut book = Book::default();
    discovered(&fake, &mut book, now()).await;
    assert!(book.pools.is_empty());
}

/// Each profile by where it leads from here; application profiles only while somebody uses them.
#[tokio::test]
async fn where_profiles_lead_is_kept_and_a_listing_that_fails_takes_nothing_away() {
    let (geo, global) = (format!("us.{SONNET}"), format!("global.{SONNET}"));
    let mut fake = region(&[&geo, "used12345678"]);
    for id in ["used12345678", "idle12345678"] {
        fake.profiles.push(profile(id, true, us_arns()));
    }
    let mut book = Book::default();
    discovered(&fake, &mut book, now()).await;
    let reach = |book: &Book, id: &str| {
        let reaches = &book.reaches[&scope()];
        let reach = reaches.of(&TargetId::new(id))?;
        let regions: Vec<String> = reach.regions.iter().map(|it| it.to_string()).collect();
        Some((regions.join(" "), reach.is_anywhere))
    };
    let us = Some(("us-east-1 us-west-2".to_owned(), false));
    assert_eq!(reach(&book, &geo), us);
    assert_eq!(
        reach(&book, &global),
        Some(("us-east-1".to_owned(), true)),
        "the ARN without a Region is any"
    );
    assert_eq!(reach(&book, "used12345678"), us);
    assert_eq!(reach(&book, "idle12345678"), None);
    // Its owner deleted it; its metrics live on, and so does what is known of it.
    fake.profiles.retain(|it| it.id != "used12345678");
    let got = discovered(&fake, &mut book, now()).await;
    assert_eq!(reach(&book, "used12345678"), us);
    let is_reach = |record: &Record| matches!(record, Record::Reaches(..));
    assert!(!got.gathered.found.iter().any(is_reach), "nothing changed");
}

#[tokio::test]
async fn tags_go_with_their_profile_and_not_with_a_listing_that_was_cut() {
    let geo = format!("us.{SONNET}");
    let mut fake = region(&[&geo, "abc123def456"]);
    let own = profile("abc123def456", true, us_arns());
    fake.profiles.push(own);
    let mut book = Book::default();
    discovered(&fake, &mut book, now()).await;
    let tags = crate::model::tags::Tags {
        by_key: [("team".to_owned(), "search".to_owned())].into(),
        read_at: now(),
    };
    let id = TargetId::new("abc123def456");
    book.apply(vec![Record::Tags(scope(), id.clone(), tags)]);
    discovered(&fake, &mut book, now()).await;
    assert_eq!(book.tags.len(), 1);
    fake.profiles.pop();
    fake.fail("bedrock:ListInferenceProfiles", 0, FaultClass::Throttled);
    discovered(&fake, &mut book, now()).await;
    assert_eq!(book.tags.len(), 1, "nothing proves that it is gone");
    // Who may call it is kept as long as it is known at all.
    let permits = Permits {
        by_caller: BTreeMap::new(),
        asked_at: now(),
    };
    let gone = TargetId::new("no-more");
    book.apply(vec![
        Record::Permits(scope(), id.clone(), permits.clone()),
        Record::Permits(scope(), gone, permits),
    ]);
    discovered(&fake, &mut book, now()).await;
    assert!(book.tags.is_empty());
    assert!(
        book.targets.contains_key(&(scope(), id.clone())),
        "its metrics live on"
    );
    let known: Vec<_> = book.permits.into_keys().collect();
    assert_eq!(known, [(scope(), id)]);
}

#[tokio::test]
async fn what_nothing_watches_is_kept_with_its_first_day() {
    let odd = "abcd1234efgh";
    let bought = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abc";
    let mut fake = region(&[NOVA, odd, bought]);
    let mut book = Book::default();
    fake.fail("bedrock:ListInferenceProfiles", 0, FaultClass::Throttled);
    discovered(&fake, &mut book, now()).await;
    let none = book.catalogs.get(&scope());
    let is_empty = none.is_none_or(|it| it.unwatched.is_empty());
    assert!(is_empty, "the next listing may place it");

    discovered(&fake, &mut book, after(now(), 15)).await;
    discovered(&fake, &mut book, after(now(), 30)).await;
    let unwatched = &catalog(&book).unwatched;
    let ids: Vec<&str> = unwatched.keys().map(TargetId::as_str).collect();
    assert_eq!(ids, [odd], "no quota limits what was bought");
    assert_eq!(unwatched[&TargetId::new(odd)].since, after(now(), 15));

    fake.fail("cloudwatch:ListMetrics", 0, FaultClass::Throttled);
    discovered(&fake, &mut book, after(now(), 45)).await;
    assert_eq!(catalog(&book).unwatched.len(), 1, "part proves nothing");
    fake.profiles.push(profile(odd, true, us_arns()));
    discovered(&fake, &mut book, after(now(), 60)).await;
    assert!(catalog(&book).unwatched.is_empty(), "it has a pool now");
    assert!(target(&book, odd).is_some());
}

#[tokio::test]
async fn a_new_profile_is_news_for_a_week() {
    let mut fake = region(&[NOVA]);
    let mut book = Book::default();
    discovered(&fake, &mut book, now()).await;
    assert!(catalog(&book).new_profiles.is_empty());
    let new = format!("kr.{SONNET}");
    fake.profiles.push(profile(&new, false, us_arns()));
    let seen = after(now(), 15);
    for minutes in [0, 60, Catalog::NEW_DAYS * DAY - 1] {
        discovered(&fake, &mut book, after(seen, minutes)).await;
        assert_eq!(catalog(&book).new_profiles, [(new.clone(), seen)].into());
    }
    discovered(&fake, &mut book, after(seen, Catalog::NEW_DAYS * DAY)).await;
    assert!(catalog(&book).new_profiles.is_empty());
}
