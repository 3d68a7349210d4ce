//! Discovery against a scripted cloud: what is placed where, what stays when a listing fails, and what is refused.

mod catalog;
mod spares;
mod values;

use super::*;
use crate::cloud::{Access, FaultClass, FoundationModel, ListedQuota, Profile};
use crate::collect::fake::{Fake, fault, listed, metric, scope};
use crate::collect::read;
use crate::model::catalog::{LifeCycle, TargetKind};
use crate::model::ids::{AccountId, ModelId};
use crate::model::series::{Depth, Sample, Signal};
use crate::model::time::Minute;
use crate::model::units::{Amount, QuotaKind};

const SONNET: &str = "anthropic.claude-sonnet-4-6";
const GEO_TPM: &str = "L-15B8E632";

fn now() -> Timestamp {
    "2026-11-24T12:00:30Z".parse().unwrap()
}

fn arn(region: &str, model: &str) -> String {
    format!("arn:aws:bedrock:{region}::foundation-model/{model}")
}

fn profile(id: &str, is_application: bool, model_arns: Vec<String>) -> Profile {
    Profile {
        id: id.to_owned(),
        name: format!("name of {id}"),
        arn: format!("arn:aws:bedrock:us-east-1:111122223333:inference-profile/{id}"),
        is_application,
        status: "ACTIVE".to_owned(),
        model_arns,
    }
}

fn us_arns() -> Vec<String> {
    ["us-east-1", "us-west-2"]
        .map(|region| arn(region, SONNET))
        .into()
}

/// A Region with a geo, a global and an `apac` profile, one bare model, and the quotas of Sonnet 4.6.
fn region(targets: &[&str]) -> Fake {
    let geo = "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.6";
    let global =
        "Global cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.6";
    let names = [(GEO_TPM, geo), ("L-7BEE40FB", global)];
    let quotas: Vec<ListedQuota> = names.map(|(code, name)| listed(code, name, 1_000.0)).into();
    let global_arns = vec![arn("us-east-1", SONNET), arn("", SONNET)];
    Fake {
        metrics: targets.iter().map(|id| metric("Invocations", id)).collect(),
        profiles: vec![
            profile(&format!("us.{SONNET}"), false, us_arns()),
            profile(&format!("global.{SONNET}"), false, global_arns),
            profile(
                "apac.amazon.nova-pro-v1:0",
                false,
                vec![arn("ap-south-1", "amazon.nova-pro-v1:0")],
            ),
        ],
        models: vec![FoundationModel {
            id: "amazon.nova-lite-v1:0".to_owned(),
            life: life("ACTIVE", None),
            is_on_demand: true,
        }],
        quotas: quotas.clone(),
        defaults: quotas,
        ..Fake::default()
    }
}

fn life(status: &str, end: Option<&str>) -> LifeCycle {
    LifeCycle {
        status: status.to_owned(),
        legacy: None,
        extended: None,
        end: end.map(|end| end.parse().unwrap()),
    }
}

async fn discovered(fake: &Fake, book: &mut Book, at: Timestamp) -> Discovery {
    let got = discover(fake, &scope(), book, true, &mut None, at).await;
    book.apply(got.gathered.found.clone());
    got
}

fn news(got: &Discovery) -> String {
    let told: Vec<String> = got.news.iter().map(ToString::to_string).collect();
    told.join("\n")
}

fn target<'a>(book: &'a Book, id: &str) -> Option<&'a Target> {
    book.targets.get(&(scope(), TargetId::new(id)))
}

fn family(book: &Book, id: &str) -> Option<(Family, String)> {
    target(book, id).map(|it| (it.pool.family, it.pool.model.to_string()))
}

fn quota(book: &Book) -> &crate::model::quota::Quota {
    &book.quotas[&(scope(), QuotaCode::new(GEO_TPM))]
}

#[tokio::test]
async fn families_come_from_the_listed_profiles_and_not_from_their_prefixes() {
    let us = format!("us.{SONNET}");
    let global = format!("global.{SONNET}");
    let retired = format!("apac.{SONNET}");
    let ids = [
        us.as_str(),
        &global,
        "apac.amazon.nova-pro-v1:0",
        "amazon.nova-lite-v1:0",
        "anthropic.claude-v2",
        &retired,
        "xx.unheard-of",
        "arn:aws:bedrock:us-east-1:1:provisioned-model/x",
    ];
    let mut book = Book::default();
    let got = discovered(&region(&ids), &mut book, now()).await;
    let sonnet = SONNET.to_owned();
    assert_eq!(family(&book, &us), Some((Family::Geo, sonnet.clone())));
    assert_eq!(
        family(&book, &global),
        Some((Family::Global, sonnet.clone()))
    );
    assert_eq!(
        family(&book, ids[2]),
        Some((Family::Geo, "amazon.nova-pro-v1:0".to_owned()))
    );
    assert_eq!(
        family(&book, ids[3]),
        Some((Family::OnDemand, ids[3].to_owned()))
    );
    assert_eq!(
        family(&book, ids[4]),
        Some((Family::OnDemand, ids[4].to_owned())),
        "retired model"
    );
    assert_eq!(
        family(&book, &retired),
        Some((Family::Geo, sonnet)),
        "retired profile, listed prefix"
    );
    assert_eq!(family(&book, ids[6]), None);
    assert_eq!(family(&book, ids[7]), None);
    assert!(got.gathered.faults.is_empty());
    let told = news(&got);
    assert!(told.contains("xx.unheard-of"), "{told}");
    assert_eq!(book.discovered[&scope()], now());
    let geo = &book.pools[&target(&book, &us).unwrap().pool];
    assert_eq!(
        geo.mapping(QuotaKind::Tpm).code(),
        Some(&QuotaCode::new(GEO_TPM))
    );
    assert_eq!(geo.mapping(QuotaKind::Rpm), &Mapping::Absent);
    assert_eq!(geo.burndown, Some(5.0));
}

#[tokio::test]
async fn other_dimension_sets_make_no_target() {
    let mut fake = region(&[]);
    let mut wide = metric("Invocations", "amazon.nova-lite-v1:0");
    wide.dimensions
        .insert("ContextWindow".to_owned(), "1M".to_owned());
    let mut none = metric("Invocations", "x");
    none.dimensions.clear();
    fake.metrics = vec![
        wide,
        none,
        metric(
            "ModelInvocationLogsS3DeliverySuccess",
            "amazon.nova-lite-v1:0",
        ),
    ];
    let mut book = Book::default();
    discovered(&fake, &mut book, now()).await;
    assert!(book.targets.is_empty());
}

#[tokio::test]
async fn an_application_profile_that_fits_none_or_several_has_no_pool() {
    let mut fake = region(&["app-geo", "app-base", "app-none", "app-some", "app-both"]);
    let lone = arn("us-east-1", "amazon.nova-lite-v1:0");
    let both = arn("us-east-1", "amazon.nova-micro-v1:0");
    fake.profiles.extend([
        profile("us.amazon.nova-micro-v1:0", false, vec![both.clone()]),
        profile("app-geo", true, us_arns().into_iter().rev().collect()),
        profile("app-base", true, vec![lone]),
        profile(
            "app-none",
            true,
            vec![arn("eu-west-1", SONNET), arn("eu-west-3", SONNET)],
        ),
        profile("app-some", true, vec![arn("us-west-2", SONNET)]),
        profile("app-both", true, vec![both]),
    ]);
    let mut book = Book::default();
    let got = discovered(&fake, &mut book, now()).await;
    assert_eq!(
        family(&book, "app-geo"),
        Some((Family::Geo, SONNET.to_owned()))
    );
    let kind = TargetKind::ApplicationProfile {
        name: "name of app-geo".to_owned(),
    };
    assert_eq!(target(&book, "app-geo").unwrap().kind, kind);
    let base = (Family::OnDemand, "amazon.nova-lite-v1:0".to_owned());
    assert_eq!(family(&book, "app-base"), Some(base));
    for id in ["app-none", "app-some", "app-both"] {
        assert_eq!(family(&book, id), None, "{id}");
        assert!(news(&got).contains(id), "{id}");
    }
    assert!(news(&got).contains("fit 2 pools alike"));
}

#[tokio::test]
async fn twelve_hundred_application_profiles_over_pages_are_one_exact_sum() {
    let names: Vec<String> = (0..1_200).map(|n| format!("app{n:09}")).collect();
    let mut fake = region(&[]);
    fake.page_size = 100;
    let minute = Minute::of(now()).plus(-10);
    let mut expected = 0.0;
    for (n, name) in (1_u16..).zip(&names) {
        fake.profiles.push(profile(name, true, us_arns()));
        fake.metrics.push(metric("Invocations", name));
        fake.metrics.push(metric("InvocationThrottles", name));
        fake.put("Invocations", name, minute, f64::from(n));
        expected += f64::from(n);
    }
    let mut book = Book::default();
    let got = discovered(&fake, &mut book, now()).await;
    assert!(got.gathered.faults.is_empty(), "{:?}", got.gathered.faults);
    assert_eq!((book.targets.len(), book.pools.len()), (1_200, 1));
    let pool = book.pools.keys().next().unwrap().clone();
    book.apply(vec![Record::ReadThrough(
        pool.clone(),
        Minute::of(now()).plus(-5),
    )]);
    let full = [(pool, Depth::Full)];
    let got = read(&fake, &scope(), &full, &book, &mut 0, now()).await;
    let reading = &got.found[0].reading;
    let index = usize::try_from(minute.since(reading.from)).unwrap();
    assert_eq!(
        reading.signals[&Signal::Invocations][index],
        Sample::Value(expected)
    );
    assert_eq!(reading.by_target.len(), 1_200);
}

#[tokio::test]
async fn a_new_target_makes_its_pool_be_read_anew_and_an_unchanged_catalog_writes_no_target() {
    let us = format!("us.{SONNET}");
    let mut fake = region(&[&us]);
    let mut book = Book::default();
    discovered(&fake, &mut book, now()).await;
    let pool = target(&book, &us).unwrap().pool.clone();
    book.apply(vec![Record::ReadThrough(pool.clone(), Minute::of(now()))]);
    let later = after(now(), 15);
    let same = discovered(&fake, &mut book, later).await;
    let is_catalog = |record: &Record| {
        matches!(
            record,
            Record::Target(_) | Record::Pool(_) | Record::Remove(_)
        )
    };
    assert!(
        !same.gathered.found.iter().any(is_catalog),
        "{:?}",
        same.gathered.found
    );
    fake.profiles.push(profile("app-geo", true, us_arns()));
    fake.metrics.push(metric("Invocations", "app-geo"));
    discovered(&fake, &mut book, later).await;
    assert!(!book.read_through.contains_key(&pool));
    assert_eq!(target(&book, "app-geo").unwrap().first_seen, later);
    assert_eq!(target(&book, &us).unwrap().first_seen, now());
}

#[tokio::test]
async fn a_listing_that_fails_takes_nothing_away() {
    let us = format!("us.{SONNET}");
    let operations = [
        "cloudwatch:ListMetrics",
        "bedrock:ListInferenceProfiles",
        "bedrock:ListFoundationModels",
        "servicequotas:ListServiceQuotas",
        "servicequotas:ListAWSDefaultServiceQuotas",
    ];
    for operation in operations {
        let fake = region(&[&us, "amazon.nova-lite-v1:0"]);
        let mut book = Book::default();
        discovered(&fake, &mut book, now()).await;
        let before = book.clone();
        fake.fail(operation, 0, FaultClass::Throttled);
        let got = discovered(&fake, &mut book, after(now(), 30 * DAY)).await;
        assert_eq!(
            got.gathered.faults.first(),
            Some(&fault(operation, FaultClass::Throttled))
        );
        assert_eq!(book.targets, before.targets, "{operation}");
        assert_eq!(book.pools, before.pools, "{operation}");
        assert_eq!(book.discovered, before.discovered, "{operation}");
        assert_eq!(quota(&book).applied, Amount::new(1_000.0), "{operation}");
        assert_eq!(
            quota(&book).stale,
            None,
            "each value is read by itself, too"
        );
        assert_eq!(
            quota(&book).read_at == now(),
            operation.starts_with("servicequotas:"),
            "the age of the value is kept"
        );
    }
}

#[tokio::test]
async fn quota_names_that_could_not_be_read_leave_a_new_pool_unknown() {
    let fake = region(&["amazon.nova-lite-v1:0"]);
    fake.fail("servicequotas:ListServiceQuotas", 0, FaultClass::Denied);
    let mut book = Book::default();
    discovered(&fake, &mut book, now()).await;
    let pool = book.pools.values().next().unwrap();
    assert_eq!(pool.mapping(QuotaKind::Tpm), &Mapping::Unknown);
}

/// Nothing is read through the monitoring account but metrics: what the port says no to is not even tried to be explained.
#[tokio::test]
async fn where_metrics_alone_can_be_read_ids_tell_what_they_can_and_the_rest_is_told() {
    let us = format!("us.{SONNET}");
    let mut fake = Fake {
        access: Access {
            metrics_through: Some(AccountId::new("999988887777")),
            is_metrics_only: true,
        },
        ..region(&[&us, "amazon.nova-lite-v1:0", "app-of-a-team"])
    };
    for operation in [
        "servicequotas:ListServiceQuotas",
        "servicequotas:ListAWSDefaultServiceQuotas",
    ] {
        for _ in 0..2 {
            fake.fail(operation, 0, FaultClass::Denied);
        }
    }
    fake.profiles
        .push(profile("app-of-a-team", true, us_arns()));
    let mut book = Book::default();
    let got = discovered(&fake, &mut book, now()).await;
    assert_eq!(got.gathered.faults, []);
    assert!(got.has_listed_quotas, "or it would be tried in each round");
    assert_eq!(book.discovered[&scope()], now());
    assert_eq!(family(&book, &us), Some((Family::Geo, SONNET.to_owned())));
    let bare = family(&book, "amazon.nova-lite-v1:0");
    assert_eq!(bare.unwrap().0, Family::OnDemand);
    assert_eq!(target(&book, "app-of-a-team"), None);
    let mut mappings = book.pools.values().flat_map(|pool| pool.mappings.values());
    assert!(mappings.all(|it| *it == Mapping::Unknown));
    let told = news(&got);
    assert!(
        told.contains("`app-of-a-team` (an application profile names no model"),
        "{told}"
    );
    assert!(told.contains("read through account 999988887777"), "{told}");
    let calls = fake.calls.lock().unwrap();
    assert!(
        !calls.iter().any(|it| it.starts_with("bedrock:")),
        "{calls:?}"
    );
}

#[tokio::test]
async fn a_listing_without_end_is_a_fault() {
    let fake = Fake {
        is_circular: true,
        ..region(&[])
    };
    let mut book = Book::default();
    let got = discovered(&fake, &mut book, now()).await;
    assert!(
        got.gathered
            .faults
            .iter()
            .all(|fault| fault.code == "RepeatedToken")
    );
    assert_eq!(got.gathered.faults.len(), 5);
    assert!(book.discovered.is_empty());
}
