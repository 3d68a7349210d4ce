//! Values of quotas over time: changed, unreadable, not on record any more.

use super::*;
use crate::collect::reread_quotas;

#[tokio::test]
async fn a_granted_value_is_a_change_and_an_unreadable_one_is_stale() {
    let us = format!("us.{SONNET}");
    let mut fake = region(&[&us]);
    let mut book = Book::default();
    let first = discovered(&fake, &mut book, now()).await;
    assert!(
        !first
            .gathered
            .found
            .iter()
            .any(|it| matches!(it, Record::QuotaChange(_)))
    );
    let codes = [QuotaCode::new(GEO_TPM)];
    fake.quotas[0].value = Amount::new(2_000.0);
    let later = after(now(), 5);
    let got = reread_quotas(&fake, &scope(), &codes, &book, later).await;
    book.apply(got.found);
    assert_eq!(quota(&book).applied, Amount::new(2_000.0));
    assert_eq!(quota(&book).default, Amount::new(1_000.0));
    let changes: Vec<_> = book.quota_changes.values().collect();
    assert_eq!(changes.len(), 1);
    assert_eq!(
        (changes[0].old, changes[0].new),
        (Amount::new(1_000.0), Amount::new(2_000.0))
    );
    // The service cannot read it: neither zero nor a change.
    fake.quotas[0].value = None;
    fake.quotas[0].error = Some("DEPENDENCY_THROTTLING_ERROR".to_owned());
    book.apply(
        reread_quotas(&fake, &scope(), &codes, &book, after(now(), 10))
            .await
            .found,
    );
    fake.fail("servicequotas:GetServiceQuota", 0, FaultClass::Throttled);
    let got = reread_quotas(&fake, &scope(), &codes, &book, after(now(), 15)).await;
    assert_eq!(got.faults.len(), 1);
    book.apply(got.found);
    assert_eq!(quota(&book).applied, Amount::new(2_000.0));
    assert_eq!(quota(&book).read_at, later);
    assert!(quota(&book).stale.is_some());
    assert_eq!(book.quota_changes.len(), 1);
    // No applied value on record any more: the default holds, and that is a change.
    fake.quotas.remove(0);
    book.apply(
        reread_quotas(&fake, &scope(), &codes, &book, after(now(), 20))
            .await
            .found,
    );
    assert_eq!(
        (quota(&book).applied, quota(&book).stale.clone()),
        (None, None)
    );
    assert_eq!(book.quota_changes.len(), 2);
    assert_eq!(quota(&book).limit().source(), "default");
    let nobody = [QuotaCode::new("L-NOBODY")];
    let got = reread_quotas(&fake, &scope(), &nobody, &book, now()).await;
    assert!(got.found.is_empty() && got.faults.len() == 1);
}

/// The first pages of a listing that failed midway are older than what was read singly while it waited.
#[tokio::test]
async fn a_listing_that_is_gone_on_with_takes_no_newer_value_back() {
    let us = format!("us.{SONNET}");
    let mut fake = region(&[&us]);
    let mut book = Book::default();
    discovered(&fake, &mut book, now()).await;
    let mut unfinished = None;
    let begun = after(now(), 60);
    let defaults = "servicequotas:ListAWSDefaultServiceQuotas";
    fake.fail(defaults, 0, FaultClass::Throttled);
    let got = discover(&fake, &scope(), &book, true, &mut unfinished, begun).await;
    book.apply(got.gathered.found);
    assert!(
        unfinished.is_some(),
        "the values are read, the defaults are not"
    );
    fake.quotas[0].value = Amount::new(2_000.0);
    let codes = [QuotaCode::new(GEO_TPM)];
    let granted = after(begun, 5);
    book.apply(
        reread_quotas(&fake, &scope(), &codes, &book, granted)
            .await
            .found,
    );
    assert_eq!(quota(&book).applied, Amount::new(2_000.0));
    fake.defaults[0].value = Amount::new(1_200.0);
    let later = after(begun, 20);
    let got = discover(&fake, &scope(), &book, true, &mut unfinished, later).await;
    book.apply(got.gathered.found);
    assert!(unfinished.is_none());
    let now = quota(&book);
    assert_eq!(now.applied, Amount::new(2_000.0));
    assert_eq!(now.read_at, granted);
    assert_eq!(
        now.default,
        Amount::new(1_200.0),
        "which nothing newer is known of"
    );
    assert_eq!(book.quota_changes.len(), 1);
}

/// What an account without a value of its own may take changes with AWS's default.
#[tokio::test]
async fn another_default_is_a_change_where_it_is_in_force() {
    let us = format!("us.{SONNET}");
    let mut fake = region(&[&us]);
    let own = fake.quotas.remove(0);
    let mut book = Book::default();
    discovered(&fake, &mut book, now()).await;
    assert_eq!(quota(&book).limit().source(), "default");
    fake.defaults[0].value = Amount::new(3_000.0);
    let changed = after(now(), DAY);
    discovered(&fake, &mut book, changed).await;
    let changes: Vec<_> = book.quota_changes.values().cloned().collect();
    let [change] = changes.as_slice() else {
        panic!("{changes:?}");
    };
    assert_eq!(
        (change.old, change.new, change.at),
        (Amount::new(1_000.0), Amount::new(3_000.0), changed)
    );
    // The account gets the same value as its own: nothing else is in force.
    let value = Amount::new(3_000.0);
    fake.quotas.insert(0, ListedQuota { value, ..own });
    discovered(&fake, &mut book, after(now(), 2 * DAY)).await;
    assert_eq!(quota(&book).limit().source(), "applied");
    // And with it a new default means nothing.
    fake.defaults[0].value = Amount::new(4_000.0);
    discovered(&fake, &mut book, after(now(), 3 * DAY)).await;
    assert_eq!(quota(&book).default, Amount::new(4_000.0));
    assert_eq!(book.quota_changes.len(), 1);
}
