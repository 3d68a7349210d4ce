//! Models that will be gone: the shipped rules, judged and planned as the daemon does.

use std::collections::BTreeMap;

use bedrock_ops_alert::{
    config,
    engine::{Kept, Taught, judge_all, orphans},
    model::{
        book::Record,
        catalog::{Catalog, LifeCycle},
        policy::Mode,
        rule::{Category, Rules, Severity},
        time::{DAY, Minute, Timestamp, after},
    },
};

use super::{Stage, noon, scope, shortage, sonnet};

impl Stage {
    fn announce(&mut self, status: &str, end: Option<Timestamp>) {
        let life = LifeCycle {
            status: status.to_owned(),
            legacy: None,
            extended: None,
            end,
        };
        let catalog = Catalog {
            lives: BTreeMap::from([(sonnet().model, life)]),
            ..Catalog::default()
        };
        self.book.apply(vec![Record::Catalog(scope(), catalog)]);
    }

    /// Judges and plans by the shipped rules of these categories.
    fn judge(&mut self, categories: &[Category]) {
        let mut rules = config::builtin_rules().unwrap();
        rules.retain(|rule| categories.contains(&rule.category));
        let rules = Rules::from(rules);
        let read = Minute::of(self.now);
        self.book.apply(vec![Record::ReadThrough(sonnet(), read)]);
        self.orphans = orphans(&rules, Kept::default(), &self.book);
        let verdicts = judge_all(&rules, &self.book, &mut Taught::new(), self.now);
        self.step(&verdicts, &[]);
    }

    fn live(&mut self, days: i64) {
        self.later(days * DAY).judge(&[Category::Lifecycle]);
    }
}

#[test]
fn one_incident_grows_louder_as_the_day_comes_nearer() {
    let mut stage = Stage::new(Mode::File);
    stage.policy.routes[0].least = Severity::Info;
    stage.announce("LEGACY", Some(after(noon(), 100 * DAY)));
    stage.live(0);
    assert_eq!(stage.book.incidents.len(), 0, "100 days are far away");
    let mut told = Vec::new();
    for days in [11, 30, 30, 1, 24] {
        stage.live(days);
        let incident = stage.book.incidents.values().next().unwrap();
        told.push((incident.severity, stage.effects("notify").len()));
    }
    assert_eq!(stage.book.incidents.len(), 1);
    let (info, warning, critical) = (Severity::Info, Severity::Warning, Severity::Critical);
    assert_eq!(
        told,
        [
            (info, 1),
            (info, 1),
            (warning, 2),
            (warning, 2),
            (critical, 3)
        ]
    );
    insta::assert_snapshot!("ends", stage.message("["));
    assert_eq!(stage.effects("request-quota").len(), 0);
    assert_eq!(stage.effects("open-case").len(), 0);
}

#[test]
fn a_day_that_moves_away_ends_it() {
    let mut stage = Stage::new(Mode::Observe);
    stage.policy.routes[0].least = Severity::Info;
    stage.announce("ACTIVE", Some(after(noon(), 20 * DAY)));
    stage.live(0);
    stage.announce("ACTIVE", Some(after(noon(), 400 * DAY)));
    stage.live(1);
    let incident = stage.book.incidents.values().next().unwrap();
    assert!(!incident.is_open(), "{incident:#?}");
    insta::assert_snapshot!("moved", stage.message("[resolved]"));
}

#[test]
fn an_end_that_is_announced_no_more_ends_it_too() {
    let mut stage = Stage::new(Mode::Observe);
    stage.announce("ACTIVE", Some(after(noon(), 20 * DAY)));
    stage.live(0);
    stage.announce("ACTIVE", None);
    stage.live(1);
    let incident = stage.book.incidents.values().next().unwrap();
    assert!(!incident.is_open(), "{incident:#?}");
    let decided = &incident.decisions.last().unwrap().what;
    assert!(decided.contains("no longer announces an end"), "{decided}");
}

#[test]
fn no_quota_is_asked_for_a_model_that_is_leaving() {
    for (status, asked) in [("LEGACY", 0), ("ACTIVE", 1)] {
        let mut stage = Stage::new(Mode::File);
        stage.announce(status, None);
        shortage(&mut stage);
        stage.judge(&[Category::Quota]);
        assert_eq!(stage.book.incidents.len(), 1, "{status}");
        assert_eq!(stage.effects("request-quota").len(), asked, "{status}");
        let said = stage.decisions().iter().any(|it| it.contains("LEGACY"));
        assert_eq!(said, asked == 0, "{:?}", stage.decisions());
    }
}
