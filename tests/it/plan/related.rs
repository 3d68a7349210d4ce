//! What AWS is told of the other quota that the same requests drain.

use bedrock_ops_alert::model::{
    action::Effect,
    alert::AlertState,
    book::Record,
    catalog::Mapping,
    ids::QuotaCode,
    policy::Mode,
    quota::Quota,
    rule::Category,
    units::{Amount, QuotaKind},
};

use super::{Stage, shortage, sonnet, verdict};

/// What is said of requests where 700 a minute are allowed, or as many as are given.
fn said(requests: Option<f64>) -> String {
    let mut stage = Stage::new(Mode::File);
    let code = QuotaCode::new("L-00FF3314");
    let mut pool = stage.book.pools.get(&sonnet()).unwrap().clone();
    let mapped = Mapping::Mapped {
        code: code.clone(),
        proof: "name and family match".to_owned(),
    };
    pool.mappings.insert(QuotaKind::Rpm, mapped);
    let tokens = stage.book.quotas.values().next().unwrap().clone();
    let quota = Quota {
        code,
        applied: requests.and_then(Amount::new),
        default: None,
        ..tokens
    };
    stage
        .book
        .apply(vec![Record::Pool(pool), Record::Quota(quota)]);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    let asks = stage.effects("request-quota");
    let line = match &asks.first().unwrap().effect {
        Effect::RequestQuota { context, .. } => {
            let mut lines = context.lines();
            lines.find(|it| it.starts_with("- requests per"))
        }
        _ => None,
    };
    let (_, stands) = line.unwrap().split_once("p90 of the minutes").unwrap();
    stands.to_owned()
}

#[test]
fn a_quota_that_is_short_as_well_is_named_and_an_unknown_one_is_not_called_so() {
    assert_eq!(
        said(Some(700.0)),
        " with use 300 / 300; 86 % of the quota L-00FF3314 of 700, which is short as well"
    );
    assert_eq!(
        said(Some(2_000.0)),
        " with use 300 / 300; 30 % of the quota L-00FF3314 of 2,000"
    );
    assert_eq!(
        said(None),
        " with use 300 / 300; the value of the quota L-00FF3314 is not known"
    );
}
