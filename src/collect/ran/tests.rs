use super::*;

fn taken(texts: &[&str]) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for text in texts {
        let faults = tally.take(serde_json::from_str(text).unwrap());
        if let Some(first) = faults.into_iter().next() {
            return Err(first);
        }
    }
    Ok(tally)
}

const LOGGED: &str = r#"{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-11-25T10:00:00Z",
  "accountId":"111122223333","region":"eu-west-2","requestId":"r-1","operation":"Converse",
  "modelId":"arn:aws:bedrock:eu-west-2:111122223333:inference-profile/eu.anthropic.claude-sonnet-4-6",
  "inferenceRegion":"eu-central-1",
  "input":{"inputBodyJson":{"messages":["secret"]},"inputTokenCount":100,"cacheReadInputTokenCount":7},
  "output":{"outputTokenCount":20}}"#;
const TRAILED: &str = r#"{"Records":[
  {"eventSource":"bedrock.amazonaws.com","eventName":"Converse","eventTime":"2026-11-25T11:00:00Z",
   "awsRegion":"eu-west-2","recipientAccountId":"111122223333","requestID":"r-2",
   "requestParameters":{"modelId":"eu.anthropic.claude-sonnet-4-6"},
   "additionalEventData":{"inferenceRegion":"eu-west-2"}},
  {"eventSource":"bedrock.amazonaws.com","eventName":"ListFoundationModels","eventTime":"2026-11-25T11:00:00Z",
   "awsRegion":"eu-west-2","requestParameters":null},
  {"eventSource":"bedrock.amazonaws.com","eventName":"Converse","eventTime":"2026-11-25T11:00:01Z",
   "awsRegion":"eu-west-2","recipientAccountId":"111122223333","requestID":"r-3","errorCode":"ThrottlingException",
   "requestParameters":{"modelId":"eu.anthropic.claude-sonnet-4-6"}}]}"#;

#[test]
fn logs_and_trails_are_counted_by_where_they_ran() {
    let tally = taken(&[LOGGED, TRAILED, LOGGED]).unwrap();
    assert_eq!((tally.other, tally.repeated), (1, 1));
    let rows: Vec<_> = tally
        .ways
        .iter()
        .map(|(way, it)| {
            let ran_in = way.ran_in.as_ref().map(Region::as_str);
            (
                way.target.as_str(),
                ran_in,
                it.requests,
                it.failed,
                it.input,
                it.output,
            )
        })
        .collect();
    let profile = "eu.anthropic.claude-sonnet-4-6";
    assert_eq!(
        rows,
        [
            (profile, None, 0, 1, 0, 0), // refused: it ran nowhere
            (profile, Some("eu-central-1"), 1, 0, 100, 20),
            (profile, Some("eu-west-2"), 1, 0, 0, 0),
        ]
    );
    assert!(!format!("{tally:?}").contains("secret"));
}

#[test]
fn a_request_that_lacks_what_counts_is_told() {
    let without = |key: &str| {
        let mut entry: serde_json::Value = serde_json::from_str(LOGGED).unwrap();
        entry.as_object_mut().unwrap().remove(key);
        taken(&[&entry.to_string()]).unwrap_err()
    };
    assert_eq!(without("timestamp"), "a request without its time");
    assert_eq!(without("accountId"), "a request without its account");
    assert_eq!(
        without("region"),
        "a request without the Region that was called"
    );
    assert_eq!(without("modelId"), "a request without its model");
}

/// What comes after it in the same file is counted all the same.
#[test]
fn a_faulty_record_takes_no_other_with_it() {
    let without = r#"{"eventSource":"bedrock.amazonaws.com","eventName":"Converse"},"#;
    let trail = TRAILED.replacen('[', &format!("[{without}{without}"), 1);
    let mut tally = Tally::default();
    let faults = tally.take(serde_json::from_str(&trail).unwrap());
    assert_eq!(faults, ["a request without its time"; 2]);
    assert_eq!((tally.ways.len(), tally.other), (2, 1));
}

#[test]
fn an_event_of_cloudwatch_logs_holds_a_record() {
    let message = serde_json::Value::String(LOGGED.to_owned());
    let events = format!("{{\"events\":[{{\"message\":{message},\"timestamp\":1764064800000}}]}}");
    assert_eq!(taken(&[&events]).unwrap().ways.len(), 1);
}

#[test]
fn what_ran_elsewhere_is_outside_of_the_rules_that_fit() {
    let text = "[[residency]]\nname = \"eu-data\"\nmodels = [\"anthropic.*\"]\nallow = [\"eu\"]\n\
        [[residency]]\nname = \"us-data\"\nmodels = [\"amazon.*\"]\nallow = [\"us\"]\n";
    let settings = crate::config::parse(text, "c.toml", &crate::config::Overrides::default());
    let rules = settings.unwrap().policy.residency;
    let tally = taken(&[LOGGED, TRAILED]).unwrap();
    let broken: Vec<_> = tally.ways.keys().map(|way| outside(way, &rules)).collect();
    assert_eq!(broken, [vec![], vec![], vec!["residency-eu-data"]]); // London is not in `eu`
}
