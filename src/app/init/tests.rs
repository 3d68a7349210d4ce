//! The text that is written, and that nothing is written over.

use super::*;

fn found() -> Vec<Found> {
    let region = Region::new;
    vec![
        Found {
            account: AccountId::new("111122223333"),
            role: None,
            regions: vec![
                (region("eu-central-1"), Some(1)),
                (region("us-east-1"), Some(12)),
            ],
            faults: Vec::new(),
        },
        Found {
            account: AccountId::new("444455556666"),
            role: Some("arn:aws:iam::444455556666:role/bedrock-ops-alert".to_owned()),
            regions: vec![(region("us-east-1"), None)],
            faults: vec!["account:ListRegions failed: AccessDenied: not\nallowed".to_owned()],
        },
    ]
}

#[test]
fn what_was_found_is_a_configuration_that_observes() {
    let mut all = String::new();
    for topic in [
        None,
        Some("arn:aws:sns:us-east-1:111122223333:on-call".to_owned()),
    ] {
        let wishes = Wishes {
            roles: Vec::new(),
            topic,
        };
        let schema = Path::new("/usr/share/bedrock-ops-alert/config.schema.json");
        let text = text(&found(), &wishes, wishes.topic.is_some().then_some(schema)).unwrap();
        let settings = config::parse(&text, "written", &Overrides::default()).unwrap();
        assert_eq!(settings.policy.mode, crate::model::policy::Mode::Observe);
        assert_eq!(settings.accounts.len(), 2);
        assert_eq!(
            settings.policy.routes.len(),
            usize::from(wishes.topic.is_some())
        );
        all.push_str(&text);
        all.push_str("\n=====\n");
    }
    insta::assert_snapshot!("written", all);
}

#[test]
fn an_option_that_makes_a_fault_is_told_before_anything_is_written() {
    let wishes = Wishes {
        roles: Vec::new(),
        topic: Some("on-call".to_owned()),
    };
    let error = text(&found(), &wishes, None).unwrap_err();
    assert!(matches!(error, InitError::Faults(_)), "{error}");
}

#[test]
fn a_file_that_is_there_stays_as_it_is() {
    let path = std::env::temp_dir().join(format!("boa-init-{}.toml", std::process::id()));
    std::fs::write(&path, "mine").unwrap();
    let error = write(&path, "theirs").unwrap_err();
    assert!(matches!(error, InitError::Exists(_)), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    std::fs::remove_file(&path).unwrap();
    write(&path, "theirs").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "theirs");
    std::fs::remove_file(&path).unwrap();
}
