use super::*;
use crate::model::{
    book::{Book, Record},
    catalog::{Target, TargetKind},
    ids::{AccountId, RuleName},
    ran::Count,
    rule::{Matcher, Pattern, Severity},
    tags::Wanted,
    time::Timestamp,
};

const PROFILE: &str = "eu.anthropic.claude-sonnet-4-6";
const TODAY: i64 = 20_400;

fn scope() -> Scope {
    Scope {
        account: AccountId::new("111122223333"),
        region: Region::new("eu-west-1"),
    }
}

fn pool() -> PoolId {
    PoolId {
        scope: scope(),
        family: Family::Geo,
        model: ModelId::new("anthropic.claude-sonnet-4-6"),
    }
}

fn rule() -> Residency {
    Residency {
        name: RuleName::new("residency-ireland"),
        matcher: Matcher {
            models: vec![Pattern::new("anthropic.*")],
            ..Matcher::default()
        },
        tags: Wanted::default(),
        written: vec!["eu-west-1".to_owned()],
        allowed: vec![Pattern::new("eu-west-1")],
        is_anywhere: false,
        severity: Severity::Critical,
    }
}

/// A book in which the profile has its pool.
fn book() -> Book {
    let mut book = Book::default();
    book.apply(vec![Record::Target(Target {
        id: TargetId::new(PROFILE),
        kind: TargetKind::SystemProfile,
        pool: pool(),
        first_seen: Timestamp::UNIX_EPOCH,
    })]);
    book
}

/// What went where on a day of which so many hours were read. `""` is a place that is not told.
fn read(book: &mut Book, day: i64, hours: u8, ways: &[(&str, &str, u64)]) {
    let way = |(target, region, requests): &(&str, &str, u64)| {
        let ran_in = (!region.is_empty()).then(|| Region::new(*region));
        let count = Count {
            requests: *requests,
            ..Count::default()
        };
        ((TargetId::new(*target), ran_in), count)
    };
    let known = RanDay {
        hours: (0..hours).collect(),
        ways: ways.iter().map(way).collect(),
        bytes_scanned: 0,
    };
    book.apply(vec![Record::Ran(scope(), day, known)]);
}

/// Judges, keeps the tracks, and tells what was said: rule, pool's model, state and reasons.
fn said(book: &mut Book, rules: &[Residency]) -> Vec<String> {
    let verdicts = judge(Law { rules, book });
    let mut said = Vec::new();
    for verdict in verdicts {
        let key = AlertKey {
            rule: verdict.rule.clone(),
            pool: verdict.pool.clone(),
        };
        book.apply(vec![Record::Track(key, verdict.track)]);
        let reasons: Vec<String> = verdict.reasons.iter().map(Reason::to_string).collect();
        said.push(format!(
            "{} {} {:?}: {}",
            verdict.rule,
            verdict.pool.model,
            verdict.state,
            reasons.join("; ")
        ));
    }
    said
}

#[test]
fn what_ran_outside_is_told_and_a_whole_clean_day_ends_it() {
    let (mut book, rules) = (book(), [rule()]);
    let [inside, outside] = [(PROFILE, "eu-west-1", 138), (PROFILE, "eu-north-1", 62)];
    read(&mut book, TODAY, 2, &[inside]);
    assert!(said(&mut book, &rules).is_empty());
    read(&mut book, TODAY, 3, &[inside, outside]);
    assert_eq!(
        said(&mut book, &rules),
        [
            "ran-residency-ireland anthropic.claude-sonnet-4-6 Alerting: 62 requests to `eu.anthropic.claude-sonnet-4-6` ran in eu-north-1 (of 200 answered ones of this pool), from 2025-11-08 00:00 UTC to 2025-11-08 02:59 UTC by the 3 hours of log that were read; allowed is eu-west-1"
        ]
    );
    // The day after is clean as far as it was read, which proves nothing yet.
    read(&mut book, TODAY + 1, 23, &[inside]);
    assert!(said(&mut book, &rules)[0].contains("Alerting"));
    read(&mut book, TODAY + 1, 24, &[inside]);
    let over = said(&mut book, &rules);
    assert_eq!(
        over,
        ["ran-residency-ireland anthropic.claude-sonnet-4-6 Normal: "]
    );
    assert!(said(&mut book, &rules).is_empty(), "told once");
    // It comes back: another run of days, of its own.
    read(&mut book, TODAY + 2, 1, &[outside]);
    let again = said(&mut book, &rules);
    assert!(again[0].contains("from 2025-11-10 00:00 UTC"), "{again:?}");
}

#[test]
fn days_that_do_not_say_all_end_nothing_however_long_that_lasts() {
    let (mut book, rules) = (book(), [rule()]);
    read(&mut book, TODAY, 24, &[(PROFILE, "eu-north-1", 1)]);
    assert_eq!(said(&mut book, &rules).len(), 1);
    for later in 1..20 {
        // Hours are missing on one, and on the other it is not told where a request ran.
        let (hours, untold) = if later % 2 == 0 { (23, 0) } else { (24, 1) };
        read(&mut book, TODAY + later, hours, &[(PROFILE, "", untold)]);
        let still = said(&mut book, &rules);
        assert!(still[0].contains("Alerting"), "{later}: {still:?}");
        assert!(still[0].contains("1 request to"), "{still:?}");
    }
    // A day on which nobody called is clean when it was read.
    read(&mut book, TODAY + 20, 24, &[]);
    assert!(said(&mut book, &rules)[0].contains("Normal"));
}

#[test]
fn what_is_old_begins_nothing() {
    let (mut book, rules) = (book(), [rule()]);
    read(&mut book, TODAY - 3, 24, &[(PROFILE, "eu-north-1", 5)]);
    read(&mut book, TODAY, 1, &[(PROFILE, "eu-west-1", 5)]);
    assert!(said(&mut book, &rules).is_empty());
}

/// Requests of which no pool is known are not lost, and an application profile is of its pool's model.
#[test]
fn targets_are_told_whether_a_pool_is_known_or_not() {
    let (mut book, rules) = (book(), [rule()]);
    let own = Target {
        id: TargetId::new("abc123"),
        kind: TargetKind::SystemProfile,
        pool: pool(),
        first_seen: Timestamp::UNIX_EPOCH,
    };
    book.apply(vec![Record::Target(own)]);
    let ways = [
        ("abc123", "eu-west-3", 4),
        (PROFILE, "eu-north-1", 9),
        ("us.anthropic.claude-new", "us-east-1", 7),
        ("amazon.nova-pro", "us-east-1", 7),
    ];
    read(&mut book, TODAY, 24, &ways);
    let told = said(&mut book, &rules);
    assert_eq!(told.len(), 2, "{told:?}");
    let [mine, new] = [
        "anthropic.claude-sonnet-4-6 Alerting",
        "us.anthropic.claude-new Alerting",
    ]
    .map(|what| told.iter().find(|it| it.contains(what)).unwrap());
    assert!(new.contains("7 requests to `us.anthropic.claude-new` ran in us-east-1"));
    let (most, less) = (
        mine.find("9 requests").unwrap(),
        mine.find("4 requests").unwrap(),
    );
    assert!(most < less, "{mine}");
}

#[test]
fn what_a_changed_rule_allows_is_over() {
    let mut book = book();
    read(&mut book, TODAY, 4, &[(PROFILE, "eu-north-1", 5)]);
    assert_eq!(said(&mut book, &[rule()]).len(), 1);
    let mut wider = rule();
    wider.allowed.push(Pattern::new("eu-north-1"));
    assert!(said(&mut book, &[wider])[0].contains("Normal"));
}
