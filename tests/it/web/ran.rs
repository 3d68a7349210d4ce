//! Where requests ran, as the API tells it.

use bedrock_ops_alert::model::{
    book::Record,
    ids::{AccountId, Region, Scope, TargetId},
    policy::{Account, Regions},
    ran::{Count, RanDay, place},
    time::Minute,
};

use super::{books, get};

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

#[tokio::test]
async fn where_requests_ran_is_told_with_its_shares_and_what_was_read() {
    let (mut book, health) = books::busy();
    book.apply(days());
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
    super::serving_with(settings, (book, health), async |served| {
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
