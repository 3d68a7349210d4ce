use super::*;
use crate::model::ids::{ModelId, Region, Scope};

fn pool(region: &str, model: &str) -> PoolId {
    PoolId {
        scope: Scope {
            account: AccountId::new("111122223333"),
            region: Region::new(region),
        },
        family: Family::Geo,
        model: ModelId::new(model),
    }
}

fn written(key: &str, text: &str) -> Written {
    let list = vec![text.to_owned()];
    let mut it = Written::default();
    match key {
        "rule" => it.rules = list,
        "category" => it.categories = list,
        "account" => it.accounts = list,
        "region" => it.regions = list,
        "family" => it.families = list,
        "model" => it.models = list,
        _ => it.pools = list,
    }
    it
}

#[test]
fn each_part_narrows() {
    let rule = RuleName::new("throttles");
    let here = pool("us-east-1", "anthropic.claude-sonnet-4-6");
    for (key, fits, not) in [
        ("rule", "thr*", "tpm*"),
        ("category", "throttle", "latency"),
        ("account", "111122223333", "444455556666"),
        ("region", "us-*", "eu-*"),
        ("family", "geo", "global"),
        ("model", "*sonnet*", "*haiku*"),
        ("pool", "111122223333/us-east-1/geo/*", "*/on-demand/*"),
    ] {
        let is_fit = |text| {
            let selector = Selector::read(&written(key, text)).unwrap();
            assert!(!selector.is_open());
            assert_eq!(selector.to_string(), format!("{key} {text}"));
            selector.fits(&rule, Category::Throttle, &here)
        };
        assert!(is_fit(fits), "{key} {fits}");
        assert!(!is_fit(not), "{key} {not}");
    }
    assert_eq!(Selector::default().to_string(), "everything");
}

#[test]
fn what_is_wrong_is_named_with_what_would_be_right() {
    let why = |key, text| Selector::read(&written(key, text)).unwrap_err();
    insta::assert_snapshot!(why("category", "throttles"), @"`category` must be one of quota, throttle, client-error, server-error, latency, anomaly, lifecycle, residency, residency-breach: `throttles` is not");
    insta::assert_snapshot!(why("account", "prod"), @"`account` must be an AWS account id, twelve digits: `prod` is not");
    insta::assert_snapshot!(why("model", "claude sonnet"), @"`model` must be 1 to 300 printable ASCII characters without spaces, `*` for any of them: `claude sonnet` is not");
    insta::assert_snapshot!(why("pool", "\u{1b}[31m"), @r"`pool` must be 1 to 300 printable ASCII characters without spaces, `*` for any of them: `\u{1b}[31m` is not");
    let many = Written {
        models: vec!["a".to_owned(); MOST_ENTRIES + 1],
        ..Written::default()
    };
    assert!(Selector::read(&many).unwrap_err().contains("use `*`"));
}
