//! Where requests ran, as the API tells it.

use bedrock_ops_alert::{
    cli::ran::{Asked, Form, service},
    model::{
        book::{Book, Record},
        ids::{AccountId, Region, RuleName, Scope, TargetId},
        policy::{Account, Regions, Settings},
        ran::{Count, RanDay, place},
        residency::Residency,
        rule::{Matcher, Pattern, Severity},
        tags::Wanted,
        time::Minute,
    },
    runtime::shared::Health,
};

use super::{books, get, page::as_text};

/// Two days, of the later of which some hours were read.
fn days() -> Vec<Record> {
    let scope = Scope {
        account: AccountId::new("111122223333"),
        region: Region::new("eu-west-1"),
    };
    let today = place(Minute::of(books::now())).0;
    let day = |hours: u8| {
        let way = |target: &str, ran_in: Option<&str>, requests, failed| {
            let count = Count {
                requests,
                failed,
                input: 10 * requests,
                output: requests,
                ..Count::default()
            };
            ((TargetId::new(target), ran_in.map(Region::new)), count)
        };
        RanDay {
            hours: (0..hours).collect(),
            ways: [
                way("eu.anthropic.claude-haiku", Some("eu-north-1"), 31, 0),
                way("eu.anthropic.claude-haiku", Some("eu-west-1"), 69, 0),
                way("eu.anthropic.claude-haiku", None, 0, 4),
            ]
            .into(),
            bytes_scanned: 1_000,
        }
    };
    vec![
        Record::Ran(scope.clone(), today - 1, day(24)),
        Record::Ran(scope, today, day(2)),
    ]
}

/// A rule that one of the ways is outside of, and logs that are asked for in two Regions.
pub(super) fn settings() -> Settings {
    let mut settings = books::settings();
    let account = AccountId::new("111122223333");
    settings.accounts = vec![Account {
        id: account.clone(),
        name: None,
        regions: Regions::These(vec![Region::new("eu-west-1"), Region::new("us-east-1")]),
        role_arn: None,
        external_id: None,
        metrics_through: None,
    }];
    let group = "/bedrock/invocations".to_owned();
    settings.policy.invocation_logs = [(account, group)].into();
    settings.policy.residency = vec![Residency {
        name: RuleName::new("residency-ireland"),
        matcher: Matcher::default(),
        tags: Wanted::default(),
        written: vec!["eu-west-1".to_owned()],
        allowed: vec![Pattern::new("eu-west-1")],
        is_anywhere: false,
        severity: Severity::Critical,
    }];
    settings
}

pub(super) fn book() -> (Book, Health) {
    let (mut book, health) = books::busy();
    book.apply(days());
    (book, health)
}

#[tokio::test]
async fn where_requests_ran_is_told_with_its_shares_and_what_was_read() {
    super::serving_with(settings(), book(), async |served| {
        let url = format!("{}/api/v1/ran", served.url);
        let (status, all) = get(&url).await;
        assert_eq!(status, 200, "{all}");
        let day = &books::now().to_string()[..10];
        let (_, one) = get(&format!("{url}?from={day}&to={day}")).await;
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        insta::assert_snapshot!("ran", format!("{:#}\n{:#}", json(&all), json(&one)["read"]));
        for query in [
            "from=yesterday",
            "from=2026-02-02&to=2026-02-01",
            "from=2001-01-01",
        ] {
            let (status, why) = get(&format!("{url}?{query}")).await;
            assert_eq!(status, 400, "{query}: {why}");
        }
    })
    .await;
}

/// For whoever files it: each line says by itself what period it is of and what that lacks, and nothing in it is a formula.
#[tokio::test]
async fn it_is_a_file_and_a_page() {
    let (mut known, health) = book();
    let (scope, mut day) = known
        .ran
        .iter()
        .map(|((scope, day), it)| ((scope.clone(), *day), it.clone()))
        .next()
        .unwrap();
    let strange = (TargetId::new("=HYPERLINK(\"x\")\u{1b}"), None);
    let count = Count {
        requests: 1,
        ..Count::default()
    };
    day.ways.insert(strange, count);
    known.apply(vec![Record::Ran(scope.0, scope.1, day)]);
    super::serving_with(settings(), (known, health), async |served| {
        let response = super::client().get(format!("{}/api/v1/ran.csv", served.url));
        let response = response.send().await.unwrap();
        let headers = ["content-type", "content-disposition"];
        let headers = headers.map(|it| response.headers()[it].to_str().unwrap().to_owned());
        let file = response.text().await.unwrap();
        insta::assert_snapshot!("ran_csv", format!("{}\n{file}", headers.join("\n")));
        let (status, html) = get(&format!("{}/ran", served.url)).await;
        assert_eq!(status, 200, "{html}");
        assert!(!html.contains("<script"), "a record stays still");
        insta::assert_snapshot!("ran_page", as_text(&html));
        let day = &books::now().to_string()[..10];
        let (status, html) = get(&format!("{}/ran?from={day}&to={day}", served.url)).await;
        assert_eq!(status, 200, "{html}");
        let (status, _) = get(&format!("{}/ran?from=yesterday", served.url)).await;
        assert_eq!(status, 400);
        let mut out = Vec::new();
        let asked = Asked {
            from: Some(day.to_owned()),
            to: None,
        };
        let is_good = service(&served.url, &asked, Form::Text, &mut out).await;
        assert!(!is_good.unwrap(), "some ran outside of a rule");
        let told = String::from_utf8(out).unwrap();
        insta::assert_snapshot!("ran_service", told);
        let mut same = Vec::new();
        let all = Asked::default();
        service(&served.url, &all, Form::Csv, &mut same)
            .await
            .unwrap();
        assert_eq!(String::from_utf8(same).unwrap(), file);
    })
    .await;
}

#[tokio::test]
async fn a_record_of_nothing_says_that_nothing_is_known() {
    super::serving(books::busy(), async |served| {
        let (status, html) = get(&format!("{}/ran", served.url)).await;
        assert_eq!(status, 200, "{html}");
        let text = as_text(&html);
        assert!(
            text.contains("it is not known where requests ran"),
            "{text}"
        );
        assert!(!text.contains("OK"), "{text}");
    })
    .await;
}
