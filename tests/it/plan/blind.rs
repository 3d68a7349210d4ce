//! Accounts and Regions that are not seen: the words, and who hears them.

use std::collections::{BTreeMap, BTreeSet};

use bedrock_ops_alert::{
    act::plan::blind,
    model::{
        action::Effect,
        book::{Book, Record},
        catalog::{Family, PoolId},
        ids::{AccountId, ModelId, ReceiverName, Region, Scope},
        policy::{Mode, Policy, Route},
        rule::Severity,
        sight::{Sights, Unseen},
        time::{Timestamp, after},
    },
};

fn now() -> Timestamp {
    "2026-01-05T10:00:00Z".parse().unwrap()
}

fn policy() -> Policy {
    let mut policy = super::policy(Mode::Observe);
    let to = |name: &str, least| Route::all(ReceiverName::new(name), least);
    policy.routes = vec![
        to("oncall", Severity::Warning),
        to("pager", Severity::Critical),
    ];
    let usual = policy.receivers.values().next().unwrap().clone();
    let names = policy.routes.iter().map(|it| it.receiver.clone());
    policy.receivers = names.map(|name| (name, usual.clone())).collect();
    policy
}

fn scope(number: u32) -> Scope {
    Scope {
        account: AccountId::new(format!("1111222233{number:02}")),
        region: Region::new("us-east-1"),
    }
}

fn pools(scope: &Scope, models: &[&str]) -> Vec<PoolId> {
    let pools = models.iter().map(|model| PoolId {
        scope: scope.clone(),
        family: Family::Geo,
        model: ModelId::new(*model),
    });
    pools.collect()
}

fn refused(scope: &Scope, models: &[&str], since: Timestamp) -> Unseen {
    let why = format!(
        "cloudwatch:GetMetricData failed: NoCredentials: no usable credentials, so nothing was sent; check the role, its trust \
         policy and external id (not authorized to perform: sts:AssumeRole on arn:aws:iam::{}:role/boa)",
        scope.account
    );
    Unseen {
        failing: since,
        since,
        operation: "cloudwatch:GetMetricData".to_owned(),
        code: "NoCredentials".to_owned(),
        why,
        pools: pools(scope, models),
    }
}

fn throttled(scope: &Scope, since: Timestamp) -> Unseen {
    Unseen {
        operation: "cloudwatch:ListMetrics".to_owned(),
        code: "ThrottlingException".to_owned(),
        why: "cloudwatch:ListMetrics failed: ThrottlingException: Rate exceeded".to_owned(),
        ..refused(scope, &[], since)
    }
}

/// One minute: what is told in it, and the book after it.
fn tell(book: &mut Book, sights: &Sights, at: Timestamp) -> String {
    let records = blind(book, &policy(), sights, at);
    let mut told = String::new();
    for record in &records {
        if let Record::Intent(intent) = record
            && let Effect::Notify {
                receiver,
                severity,
                subject,
                body,
                ..
            } = &intent.effect
        {
            let severity = severity.name();
            told += &format!("{at} to {receiver}, {severity}: {subject}\n{body}\n\n");
        }
    }
    book.apply(records);
    assert_eq!(blind(book, &policy(), sights, at), Vec::new(), "told twice");
    told
}

#[test]
fn what_people_read_of_what_nobody_watches() {
    let (mut book, mut told) = (Book::default(), String::new());
    let models = [
        "anthropic.claude-sonnet-4-6",
        "amazon.nova-pro-v1:0",
        "c",
        "d",
        "e",
    ];
    let mut sights = Sights {
        watched: (0..20).map(scope).collect(),
        unseen: BTreeMap::from([
            (scope(1), refused(&scope(1), &models, now())),
            (scope(2), throttled(&scope(2), after(now(), 2))),
        ]),
        seen: BTreeMap::new(),
    };
    for minute in 0..20 {
        told += &tell(&mut book, &sights, after(now(), minute));
    }
    let late = (3..15).map(|it| {
        (
            scope(it),
            refused(&scope(it), &models[..1], after(now(), 25)),
        )
    });
    sights.unseen.extend(late);
    told += &tell(&mut book, &sights, after(now(), 40));
    told += &tell(&mut book, &sights, after(now(), 300));
    sights.unseen.clear();
    sights.seen = (1..15).map(|it| (scope(it), after(now(), 400))).collect();
    told += &tell(&mut book, &sights, after(now(), 402));
    told += &tell(&mut book, &sights, after(now(), 405));
    insta::assert_snapshot!("blind", told);
}

/// With nothing left to see, whoever is called for the worst only is called; and hears the end as well.
#[test]
fn where_nothing_is_seen_at_all_the_pager_rings() {
    let mut book = Book::default();
    let mut sights = Sights {
        watched: BTreeSet::from([scope(1)]),
        unseen: BTreeMap::from([(scope(1), throttled(&scope(1), now()))]),
        seen: BTreeMap::new(),
    };
    let mut told = tell(&mut book, &sights, after(now(), 15));
    sights.unseen.clear();
    sights.seen.insert(scope(1), after(now(), 20));
    told += &tell(&mut book, &sights, after(now(), 25));
    insta::assert_snapshot!("blind_everywhere", told);
}

#[test]
fn what_was_told_of_a_place_that_is_watched_no_more_is_forgotten() {
    let mut book = Book::default();
    let mut sights = Sights {
        watched: BTreeSet::from([scope(1), scope(2)]),
        unseen: BTreeMap::from([(scope(1), throttled(&scope(1), now()))]),
        seen: BTreeMap::new(),
    };
    tell(&mut book, &sights, after(now(), 15));
    assert_eq!(book.handlings.len(), 1);
    sights.unseen.clear();
    sights.watched.remove(&scope(1));
    assert_eq!(tell(&mut book, &sights, after(now(), 16)), "");
    assert_eq!(book.handlings.len(), 0);
}
