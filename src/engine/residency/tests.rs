use super::*;
use crate::model::{
    book::Record,
    catalog::Family,
    ids::{AccountId, ModelId, Region, RuleName, Scope},
    residency::Reaches,
    rule::{Matcher, Pattern, Severity},
    series::{PoolSeries, Reading},
    tags::{Tags, Wanted},
    time::Timestamp,
};

const MODEL: &str = "anthropic.claude-sonnet-4-6";

fn pool(region: &str, family: Family) -> PoolId {
    PoolId {
        scope: Scope {
            account: AccountId::new("111122223333"),
            region: Region::new(region),
        },
        family,
        model: ModelId::new(MODEL),
    }
}

/// A rule on data of this model.
fn rule(name: &str, allowed: &[&str]) -> Residency {
    Residency {
        name: RuleName::new(name),
        matcher: Matcher {
            models: vec![Pattern::new("anthropic.*")],
            ..Matcher::default()
        },
        tags: Wanted::default(),
        written: allowed.iter().map(|it| (*it).to_owned()).collect(),
        allowed: allowed.iter().map(|it| Pattern::new(*it)).collect(),
        is_anywhere: false,
        severity: Severity::Critical,
    }
}

fn eu() -> Residency {
    rule(
        "residency-eu",
        &[
            "eu-central-1",
            "eu-north-1",
            "eu-south-*",
            "eu-west-1",
            "eu-west-3",
        ],
    )
}

/// A book in which these profiles lead to these Regions, each with its pool. `*` is any Region.
fn book(profiles: &[(&PoolId, &str, &[&str])]) -> Book {
    let mut book = Book::default();
    for (pool, id, regions) in profiles {
        let is_base = !id.contains("claude") || *id == MODEL;
        let target = Target {
            id: TargetId::new(*id),
            kind: if is_base {
                TargetKind::Base
            } else {
                TargetKind::SystemProfile
            },
            pool: (*pool).clone(),
            first_seen: Timestamp::UNIX_EPOCH,
        };
        let mut reaches: Reaches = book.reaches.get(&pool.scope).cloned().unwrap_or_default();
        if !regions.is_empty() {
            let named = regions.iter().filter(|it| **it != "*");
            let reach = Reach {
                regions: named.map(|it| Region::new(*it)).collect(),
                is_anywhere: regions.contains(&"*"),
            };
            reaches.insert(target.id.clone(), reach);
        }
        book.apply(vec![
            Record::Target(target),
            Record::Reaches(pool.scope.clone(), reaches),
        ]);
    }
    book
}

/// One request in each of these minutes, read up to the last of them; who was used in it is said by `used`.
fn feed(book: &mut Book, pool: &PoolId, from: Minute, requests: &[f64]) {
    let samples = requests.iter().map(|it| Sample::Value(*it)).collect();
    let reading = Reading {
        pool: pool.clone(),
        from,
        signals: BTreeMap::from([(Signal::Invocations, samples)]),
        by_target: BTreeMap::new(),
    };
    let series = book.series.get(pool).cloned().unwrap_or_default();
    let updates = PoolSeries::updates(&series, &reading).into_iter();
    let updates = updates.map(|(hour, it)| Record::Hour(pool.clone(), hour, it));
    let mut records: Vec<Record> = updates.collect();
    let length = i64::try_from(requests.len()).unwrap();
    records.push(Record::ReadThrough(pool.clone(), from.plus(length)));
    book.apply(records);
}

fn said(book: &Book, rules: &[Residency], pool: &PoolId, used: &[&str]) -> Vec<Verdict> {
    let used = used.iter().map(|it| TargetId::new(*it)).collect();
    let used = Used::from([(pool.clone(), used)]);
    let law = Law { rules, book };
    judge(law, &used, &BTreeSet::from([pool.clone()]))
}

const START: Minute = Minute(29_500_000);

/// One profile id leads elsewhere from elsewhere: what counts is where it leads from the Region that is called.
#[test]
fn where_a_profile_leads_from_here_decides_and_not_its_prefix() {
    let (paris, london) = (
        pool("eu-west-3", Family::Geo),
        pool("eu-west-2", Family::Geo),
    );
    let id = "eu.anthropic.claude-sonnet-4-6";
    let mut book = book(&[
        (&paris, id, &["eu-west-3", "eu-central-1", "eu-south-2"]),
        (&london, id, &["eu-west-2", "eu-central-1", "eu-west-1"]),
    ]);
    for pool in [&paris, &london] {
        feed(&mut book, pool, START, &[0.0, 3.0, 0.0]);
    }
    assert_eq!(said(&book, &[eu()], &paris, &[id]), Vec::new());
    let verdicts = said(&book, &[eu()], &london, &[id]);
    let [verdict] = verdicts.as_slice() else {
        panic!("{verdicts:?}");
    };
    assert_eq!(verdict.state, AlertState::Alerting);
    assert_eq!(
        verdict.began,
        Some(START.plus(1)),
        "the minute of the request"
    );
    let reason = verdict.reasons.first().unwrap().to_string();
    assert!(reason.contains("answered in eu-west-2,"), "{reason}");
}

/// A rule that keeps data in the EU, and a `global.` profile, were taken side by side without a word.
#[test]
fn a_global_profile_leaves_every_rule_but_one_that_allows_it() {
    let here = pool("eu-west-1", Family::Global);
    let id = "global.anthropic.claude-sonnet-4-6";
    let mut book = book(&[(&here, id, &["eu-west-1", "*"])]);
    feed(&mut book, &here, START, &[1.0]);
    let open = Residency {
        is_anywhere: true,
        ..eu()
    };
    assert_eq!(said(&book, &[open], &here, &[id]), Vec::new());
    let verdicts = said(&book, &[eu()], &here, &[id]);
    let reason = verdicts[0].reasons[0].to_string();
    assert!(reason.contains("any commercial Region"), "{reason}");
    let law = |rules| Law { rules, book: &book };
    let eu = [eu()];
    assert!(law(&eu).barred(&here).is_some());
    assert!(law(&[]).barred(&here).is_none());
}

#[test]
fn only_what_is_used_counts_and_an_hour_without_it_ends_it() {
    let here = pool("ap-northeast-1", Family::Geo);
    let (in_japan, in_asia) = (
        "jp.anthropic.claude-sonnet-4-6",
        "apac.anthropic.claude-sonnet-4-6",
    );
    let mut book = book(&[
        (&here, in_japan, &["ap-northeast-1", "ap-northeast-3"]),
        (&here, in_asia, &["ap-northeast-1", "ap-southeast-1"]),
    ]);
    let rules = [rule("residency-jp", &["ap-northeast-1", "ap-northeast-3"])];
    feed(&mut book, &here, START, &[5.0; 10]);
    assert_eq!(said(&book, &rules, &here, &[in_japan]), Vec::new());
    assert!(
        Law {
            rules: &rules,
            book: &book
        }
        .barred(&here)
        .is_none()
    );
    let law = Law {
        rules: &rules,
        book: &book,
    };
    assert_eq!(law.ways(&here, &here), [&TargetId::new(in_japan)]);
    let verdicts = said(&book, &rules, &here, &[in_japan, in_asia]);
    let on = verdicts[0].clone();
    assert!(
        on.runbook.starts_with("Within the rule: `jp."),
        "{}",
        on.runbook
    );
    let key = AlertKey {
        rule: on.rule.clone(),
        pool: here.clone(),
    };
    book.apply(vec![Record::Track(key, on.track)]);
    feed(&mut book, &here, START.plus(10), &[5.0; 59]);
    assert_eq!(
        said(&book, &rules, &here, &[in_japan]),
        Vec::new(),
        "not yet"
    );
    feed(&mut book, &here, START.plus(69), &[5.0]);
    let verdicts = said(&book, &rules, &here, &[in_japan]);
    assert_eq!(verdicts[0].state, AlertState::Normal);
}

/// What is not known is neither a breach nor its end.
#[test]
fn a_profile_that_was_never_listed_proves_nothing() {
    let here = pool("eu-west-1", Family::Geo);
    let id = "eu.anthropic.claude-sonnet-4-6";
    let mut book = book(&[(&here, id, &[])]);
    feed(&mut book, &here, START, &[1.0]);
    let rules = [eu()];
    let verdicts = said(&book, &rules, &here, &[id]);
    assert_eq!(verdicts[0].state, AlertState::NoData);
    assert!(!verdicts[0].state.is_on());
    let law = Law {
        rules: &rules,
        book: &book,
    };
    assert!(law.barred(&here).is_none(), "nothing is refused on it");
    assert!(law.ways(&here, &here).is_empty(), "nor advised");
}

/// What is answered where it is asked needs no listing.
#[test]
fn a_bare_model_stays_where_it_is_called() {
    let (dublin, ohio) = (
        pool("eu-west-1", Family::OnDemand),
        pool("us-east-2", Family::OnDemand),
    );
    let mut book = book(&[(&dublin, MODEL, &[]), (&ohio, MODEL, &[])]);
    for pool in [&dublin, &ohio] {
        feed(&mut book, pool, START, &[1.0]);
    }
    assert_eq!(said(&book, &[eu()], &dublin, &[MODEL]), Vec::new());
    assert_eq!(said(&book, &[eu()], &ohio, &[MODEL]).len(), 1);
}

/// An application profile of this pool, and its tags where they were read.
fn apply_profile(book: &mut Book, pool: &PoolId, id: &str, tags: Option<&[(&str, &str)]>) {
    let target = Target {
        id: TargetId::new(id),
        kind: TargetKind::ApplicationProfile {
            name: id.to_owned(),
        },
        pool: pool.clone(),
        first_seen: Timestamp::UNIX_EPOCH,
    };
    let mut reaches = book.reaches.get(&pool.scope).cloned().unwrap_or_default();
    let anywhere = Reach {
        is_anywhere: true,
        ..Reach::default()
    };
    reaches.insert(target.id.clone(), anywhere);
    book.apply(vec![
        Record::Target(target.clone()),
        Record::Reaches(pool.scope.clone(), reaches),
    ]);
    if let Some(tags) = tags {
        let by_key = tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let tags = Tags {
            by_key: by_key.collect(),
            read_at: Timestamp::UNIX_EPOCH,
        };
        book.apply(vec![Record::Tags(pool.scope.clone(), target.id, tags)]);
    }
}

/// Personal data stays in the EU; what else runs in the same pools may go anywhere.
fn personal() -> Residency {
    let wanted = BTreeMap::from([("data".to_owned(), Pattern::new("personal*"))]);
    Residency {
        name: RuleName::new("residency-personal"),
        tags: Wanted(wanted),
        ..eu()
    }
}

#[test]
fn a_rule_by_tag_is_about_the_profiles_that_have_it_and_no_other() {
    let here = pool("eu-west-1", Family::Global);
    let shared = "global.anthropic.claude-sonnet-4-6";
    let mut book = book(&[(&here, shared, &["eu-west-1", "*"])]);
    apply_profile(
        &mut book,
        &here,
        "aaaa",
        Some(&[("data", "personal-health")]),
    );
    apply_profile(&mut book, &here, "bbbb", Some(&[("data", "public")]));
    apply_profile(&mut book, &here, "cccc", None);
    feed(&mut book, &here, START, &[1.0]);
    let rules = [personal()];
    assert_eq!(said(&book, &rules, &here, &[shared, "bbbb"]), Vec::new());

    let verdicts = said(&book, &rules, &here, &[shared, "aaaa", "bbbb", "cccc"]);
    let texts: Vec<String> = verdicts[0]
        .reasons
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(verdicts[0].state, AlertState::Alerting);
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].contains("`aaaa`"), "{texts:?}");

    let verdicts = said(&book, &rules, &here, &["cccc"]);
    let text = verdicts[0].reasons[0].to_string();
    assert_eq!(verdicts[0].state, AlertState::NoData);
    assert!(
        text.contains("tags of that profile were never read"),
        "{text}"
    );
}

/// The owner took the tag away: an hour later it is over, though the rule is about no target of the pool any more.
#[test]
fn what_is_not_tagged_any_more_ends() {
    let here = pool("eu-west-1", Family::Global);
    let mut book = book(&[]);
    apply_profile(&mut book, &here, "aaaa", Some(&[("data", "personal")]));
    feed(&mut book, &here, START, &[1.0]);
    let rules = [personal()];
    let verdict = said(&book, &rules, &here, &["aaaa"]).remove(0);
    let key = AlertKey {
        rule: verdict.rule.clone(),
        pool: here.clone(),
    };
    book.apply(vec![Record::Track(key, verdict.track)]);
    apply_profile(&mut book, &here, "aaaa", Some(&[]));
    feed(&mut book, &here, START.plus(1), &[1.0; 60]);
    let verdicts = said(&book, &rules, &here, &["aaaa"]);
    assert_eq!(verdicts[0].state, AlertState::Normal);
}

/// Of a pool that is short nobody knows which requests would move: one tagged profile in it binds all, and so does one whose
/// tags are not known yet.
#[test]
fn data_under_a_tag_is_sent_nowhere_that_its_rule_does_not_allow() {
    let (geo, global) = (
        pool("eu-west-1", Family::Geo),
        pool("eu-west-1", Family::Global),
    );
    let (near, far) = (
        "eu.anthropic.claude-sonnet-4-6",
        "global.anthropic.claude-sonnet-4-6",
    );
    let profiles: &[(&PoolId, &str, &[&str])] = &[
        (&geo, near, &["eu-west-1", "eu-west-3"]),
        (&global, far, &["eu-west-1", "*"]),
    ];
    let rules = [personal()];
    let ways = |book: &Book| {
        let law = Law {
            rules: &rules,
            book,
        };
        let all = law.ways(&geo, &global).into_iter();
        all.map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(ways(&book(profiles)), [far], "nothing is tagged");
    for tags in [Some(&[("data", "personal")][..]), None] {
        let mut book = book(profiles);
        apply_profile(&mut book, &geo, "aaaa", tags);
        assert_eq!(ways(&book), Vec::<String>::new(), "{tags:?}");
    }
    let mut public = book(profiles);
    apply_profile(&mut public, &geo, "aaaa", Some(&[("data", "public")]));
    apply_profile(&mut public, &global, "bbbb", Some(&[("data", "personal")]));
    assert_eq!(
        ways(&public),
        [far],
        "the tagged one is no way, the plain one is"
    );
}

/// A request for more is barred only where all that uses the quota is outside of a rule.
#[test]
fn one_target_that_no_rule_is_about_keeps_a_request_open() {
    let here = pool("eu-west-1", Family::Global);
    let mut book = book(&[]);
    apply_profile(&mut book, &here, "aaaa", Some(&[("data", "personal")]));
    let rules = [personal()];
    assert!(
        Law {
            rules: &rules,
            book: &book
        }
        .barred(&here)
        .is_some()
    );
    apply_profile(&mut book, &here, "bbbb", Some(&[]));
    assert!(
        Law {
            rules: &rules,
            book: &book
        }
        .barred(&here)
        .is_none()
    );
}
