use std::path::Path;

use crate::{
    config::{
        Overrides, load_traced, parse,
        tests::{Folder, faults_of},
    },
    model::rule::Severity,
};

const SECRETS: [(&str, &str); 8] = [
    ("slack-app-token", "xapp-1-T000"),
    ("slack-url", "https://hooks.slack.example/services/T000"),
    ("slack-token", "xoxb-1-T000"),
    ("pagerduty-key", "T00023456789abcdef0123456789abcd"),
    ("alertmanager-token", "T000-bearer"),
    ("webhook-url", "https://automation.example/T000"),
    ("webhook-secret", "whsec_T000AAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ("short", "T000"),
];

fn with_secrets(name: &str) -> (Folder, Overrides) {
    let folder = Folder::new(name);
    for (file, text) in SECRETS {
        folder.put(file, text.as_bytes());
    }
    let credentials = Some(folder.0.clone());
    let overrides = Overrides {
        credentials,
        ..Overrides::default()
    };
    (folder, overrides)
}

/// What the page on receivers shows is taken as it stands, and nothing of a secret is shown.
#[test]
fn every_snippet_of_the_page_is_a_configuration() {
    let (folder, overrides) = with_secrets("snippets");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/receivers.md");
    let page = std::fs::read_to_string(page).unwrap();
    let snippets: Vec<&str> = page.split("```toml\n").skip(1).collect();
    assert_eq!(snippets.len(), 11);
    let teams = include_bytes!("../../../deploy/templates/teams.j2");
    folder.put("teams.j2", teams);
    let mut shown = String::new();
    for snippet in snippets {
        let (text, _) = snippet.split_once("```").unwrap();
        let path = folder.put("config.toml", text.as_bytes());
        let loaded = load_traced(Some(&path), &overrides)
            .unwrap_or_else(|error| panic!("{text}: {:?}", error.faults()));
        let said = loaded.show();
        let debug = format!("{:?}", loaded.settings);
        assert!(!said.contains("T000") && !debug.contains("T000"), "{text}");
        let lines = said
            .lines()
            .filter(|it| it.starts_with("receiver.") || it.starts_with("route["));
        for line in lines {
            shown += line.trim_end();
            shown.push('\n');
        }
    }
    insta::assert_snapshot!("shown", shown);
}

#[test]
fn each_key_of_a_receiver_says_what_is_wrong_and_what_to_write() {
    let (_folder, overrides) = with_secrets("receiver-faults");
    let text = include_str!("faulty.toml");
    let error = parse(text, "config.toml", &overrides).unwrap_err();
    // So wide that the length of the folder's name moves no line break.
    let shown = crate::config::tests::report_in(&error, 1_000);
    let shown = shown.replace(&overrides.credentials.unwrap().display().to_string(), "DIR");
    assert!(!shown.contains("T000"), "{shown}");
    insta::assert_snapshot!("receiver_faults", shown);
}

#[test]
fn fallbacks_lead_to_others_and_never_in_a_circle() {
    let sns = |name: &str, rest: &str| {
        format!(
            "[receiver.{name}]\nkind = \"sns\"\ntopic_arn = \"arn:aws:sns:us-east-1:111122223333:{name}\"\n{rest}\n"
        )
    };
    let text = [
        sns("itself", "fallback = \"itself\""),
        sns("lost", "fallback = \"chatt\""),
        sns("one", "fallback = \"two\""),
        sns("two", "fallback = \"one\"\nfallback_after = \"90s\""),
        sns("waits", "fallback_after = \"10m\""),
        sns("chat", "fallback = 7"),
        sns("fine", "fallback = \"waits\""),
    ];
    insta::assert_snapshot!("fallback_faults", faults_of(&text.concat()));
}

#[test]
fn a_route_names_what_it_hears() {
    let sns = "[receiver.on-call]\nkind = \"sns\"\ntopic_arn = \"arn:aws:sns:us-east-1:111122223333:a\"\n";
    let account = "[[account]]\nid = \"111122223333\"\nregions = [\"us-east-1\"]\n";
    let text = format!(
        "{account}{sns}[[route]]\nreceiver = \"on-call\"\ncategories = [\"quotas\"]\naccounts = [\"444455556666\"]\n\
         regions = [\"EU-*\"]\nfamilies = [\"regional\"]\nmodels = []\nteam = \"a\"\n"
    );
    insta::assert_snapshot!("route_faults", faults_of(&text));
    let text = format!("{sns}[[route]]\nreceiver = \"on-call\"\nmodels = [\"anthropic.*\"]\n");
    let settings = parse(&text, "config.toml", &Overrides::default()).unwrap();
    let [route] = settings.policy.routes.as_slice() else {
        panic!("{:?}", settings.policy.routes);
    };
    assert_eq!(route.least, Severity::Warning);
    assert!(route.categories.is_empty());
    assert_eq!(route.matcher.models.len(), 1);
}
