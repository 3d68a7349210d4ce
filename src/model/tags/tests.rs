use super::*;
use crate::model::{
    book::Record,
    catalog::{Family, Target, TargetKind},
    ids::{AccountId, ModelId, Region, Scope},
    series::TargetUse,
    time::DAY,
    uses::UseDay,
};

fn tags(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    let of = of.iter();
    of.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn wanted(of: &[(&str, &str)]) -> Wanted {
    let of = tags(of).into_iter();
    Wanted(of.map(|(key, value)| (key, Pattern::new(value))).collect())
}

#[test]
fn all_tags_that_are_asked_for_must_be_there() {
    let own = tags(&[("team", "search"), ("cost-center", "4200")]);
    for (asked, fits) in [
        (&[][..], true),
        (&[("team", "search")], true),
        (&[("team", "sea*"), ("cost-center", "42*")], true),
        (&[("team", "search"), ("stage", "*")], false),
        (&[("team", "Search")], false),
        (&[("Team", "search")], false),
    ] {
        assert_eq!(wanted(asked).fits(&own), fits, "{asked:?}");
    }
    let narrower = [
        wanted(&[]),
        wanted(&[("team", "s*")]),
        wanted(&[("team", "search")]),
        wanted(&[("team", "s*"), ("stage", "*")]),
    ];
    assert!(narrower.iter().map(Wanted::narrowness).is_sorted());
}

fn pool(model: &str) -> PoolId {
    PoolId {
        scope: Scope {
            account: AccountId::new("111122223333"),
            region: Region::new("us-east-1"),
        },
        family: Family::Geo,
        model: ModelId::new(model),
    }
}

#[test]
fn a_pool_carries_a_tag_by_a_target_that_has_traffic() {
    let at = Minute(100 * DAY);
    let mut book = Book::default();
    for (id, model, team) in [
        ("a", "shared", "search"),
        ("b", "shared", "chat"),
        ("c", "alone", "batch"),
    ] {
        let key = if team == "batch" { "Team" } else { "team" };
        book.apply(vec![
            Record::Target(Target {
                id: TargetId::new(id),
                kind: TargetKind::ApplicationProfile {
                    name: id.to_owned(),
                },
                pool: pool(model),
                first_seen: at.start(),
            }),
            Record::Tags(
                pool(model).scope,
                TargetId::new(id),
                Tags {
                    by_key: tags(&[(key, team)]),
                    read_at: at.start(),
                },
            ),
        ]);
    }
    let carried = |book: &Book, model: &str| {
        let teams = ["search", "chat", "batch"].into_iter();
        let teams = teams.filter(|it| {
            let by_key = ["team", "Team"].map(|key| wanted(&[(key, *it)]));
            by_key.iter().any(|it| book.carries(&pool(model), it, at))
        });
        teams.collect::<Vec<_>>()
    };
    // Who takes what is not known yet.
    assert_eq!(carried(&book, "shared"), ["search", "chat"]);
    let mut day = UseDay::default();
    let took = TargetUse {
        demand: 1.0,
        charged: 1.0,
        throttled: 0.0,
    };
    day.set(3, 60, [(&TargetId::new("b"), took)].into());
    book.apply(vec![Record::UseDay(pool("shared"), 98, day.clone())]);
    assert_eq!(carried(&book, "shared"), ["chat"]);
    assert_eq!(carried(&book, "alone"), ["batch"]);
    let both = [pool("shared"), pool("alone"), pool("none")].into();
    assert_eq!(
        book.teams(&both, at),
        ["batch".to_owned(), "chat".to_owned()].into()
    );
    assert!(
        book.is_tagged(&pool("shared"), &wanted(&[("team", "search")])),
        "it has the tag all the same"
    );
    assert!(book.carries(&pool("none"), &Wanted::default(), at));
    // What was more than a week ago is forgotten, and then nothing is known again.
    book.apply(vec![Record::Remove(crate::model::book::Key::UseDay(
        pool("shared"),
        98,
    ))]);
    book.apply(vec![Record::UseDay(pool("shared"), 92, day)]);
    assert_eq!(carried(&book, "shared"), ["search", "chat"]);
}
