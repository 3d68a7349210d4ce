//! The end of a case: once, only of ours, and only where nobody else speaks in it.

use super::*;
use crate::model::ids::Marker;

const AWS: &str = "Amazon Web Services";
const US: &str = "arn:aws:sts::111122223333:assumed-role/bedrock-ops-alert/x";
const KIM: &str = "arn:aws:sts::111122223333:assumed-role/people/kim";
const OURS: &str = "[BOA-ABCDEFGHIJ]";

fn ending(thanks: Option<&str>) -> Intent {
    let marked = |words: &str| {
        let marker = intent(Effect::Notify {
            receiver: ReceiverName::new("x"),
            severity: Severity::Info,
            subject: String::new(),
            body: String::new(),
            notice: None,
        })
        .marker();
        format!("{marker}\n{words}")
    };
    intent(Effect::EndCase {
        scope: scope(),
        case: CaseId::new("case-1"),
        ours: Marker::new(OURS),
        request: Some(RequestId::new("r-1")),
        thanks: thanks.map(marked),
    })
}

/// A case of Service Quotas in this state, whose first words are theirs, then ours, then these.
fn desk(status: &str, later: &[(&str, &str)]) -> Fake {
    let mut said_so_far = vec![
        (
            "arn:aws:sts::111122223333:assumed-role/ServiceQuotas/x",
            "Quota: L-1",
        ),
        (AWS, "Thank you for contacting us."),
        (US, "[BOA-ABCDEFGHIJ]\nthe numbers"),
    ];
    said_so_far.extend(later);
    let said = said_so_far
        .iter()
        .zip(0_i64..)
        .map(|((by, body), minute)| Communication {
            created: Some(after(CREATED, minute)),
            ..said(by, *body)
        });
    let case = Case {
        status: status.to_owned(),
        ..case("case-1", "Quota Increase: Bedrock", 0, Vec::new())
    };
    let mut said: Vec<Communication> = said.collect();
    said.reverse(); // in no promised order
    Fake {
        cases: pages(vec![vec![case]]),
        communications: pages(vec![said]),
        history: pages(vec![vec![request("r-1", "CASE_OPENED", amount(200.0), 0)]]),
        ..Fake::default()
    }
}

fn did(fake: &Fake) -> Vec<String> {
    let asked = fake.asked().into_iter();
    asked
        .filter(|it| it.starts_with("comment") || it.starts_with("resolve"))
        .collect()
}

#[tokio::test]
async fn thanks_are_said_and_the_case_is_closed() {
    let thanks = ending(Some("thank you"));
    let fake = desk("work-in-progress", &[]);
    let outcome = perform(&fake, &policy(), &thanks).await;
    assert_eq!(kind(&outcome), "done case-1");
    assert_eq!(did(&fake).len(), 1);
    assert!(did(&fake)[0].ends_with("thank you"));
    let fake = desk("work-in-progress", &[]);
    let outcome = perform(&fake, &policy(), &ending(None)).await;
    assert_eq!(kind(&outcome), "done case-1");
    assert_eq!(did(&fake), ["resolve case-1"]);
}

#[tokio::test]
async fn what_is_closed_is_left_alone() {
    for intent in [ending(Some("thank you")), ending(None)] {
        let fake = desk("resolved", &[]);
        let outcome = perform(&fake, &policy(), &intent).await;
        assert_eq!(kind(&outcome), "done case-1", "{}", intent.effect.name());
        assert!(did(&fake).is_empty(), "words would open it again");
    }
}

#[tokio::test]
async fn a_case_in_which_others_speak_or_we_never_did_is_not_ours_to_end() {
    let no_mark = ending(None);
    let Effect::EndCase { scope, case, .. } = no_mark.effect.clone() else {
        panic!("another effect");
    };
    let not_there = Intent {
        effect: Effect::EndCase {
            scope,
            case,
            ours: Marker::new("[BOA-ZZZZZZZZZZ]"),
            request: None,
            thanks: None,
        },
        ..no_mark
    };
    for intent in [ending(Some("thank you")), ending(None)] {
        let spoken = desk("work-in-progress", &[(KIM, "And what of the other model?")]);
        let outcome = perform(&spoken, &policy(), &intent).await;
        assert_eq!(kind(&outcome), "never");
        assert!(why(&outcome).contains("somebody else"), "{outcome:?}");
        assert!(did(&spoken).is_empty());
    }
    let fake = desk("work-in-progress", &[]);
    let outcome = perform(&fake, &policy(), &not_there).await;
    assert_eq!(kind(&outcome), "never");
    assert!(did(&fake).is_empty());
    // AWS quoting our marker is not us.
    let quoted = desk(
        "work-in-progress",
        &[(AWS, "[BOA-ZZZZZZZZZZ] was your marker")],
    );
    assert_eq!(
        kind(&perform(&quoted, &policy(), &not_there).await),
        "never"
    );
}

#[tokio::test]
async fn the_case_of_a_request_that_a_person_made_is_not_ours_to_end() {
    let ours = "arn:aws:sts::111122223333:assumed-role/bedrock-ops-alert/y";
    for intent in [ending(Some("thank you")), ending(None)] {
        let mut fake = desk("work-in-progress", &[]);
        let request = || request("r-1", "CASE_OPENED", amount(200.0), 0);
        fake.history = pages(vec![vec![made_by(KIM, request())]]);
        let outcome = perform(&fake, &policy(), &intent).await;
        assert_eq!(kind(&outcome), "never");
        assert!(
            why(&outcome).contains("people/kim made request r-1"),
            "{outcome:?}"
        );
        assert!(did(&fake).is_empty());
        fake.history = vec![Err(fault(FaultClass::Lost))];
        let outcome = perform(&fake, &policy(), &intent).await;
        assert_eq!(kind(&outcome), "done case-1", "not in the history any more");
        let mut fake = desk("work-in-progress", &[]);
        fake.history = pages(vec![vec![made_by(ours, request())]]);
        let outcome = perform(&fake, &policy(), &intent).await;
        assert_eq!(kind(&outcome), "done case-1");
    }
}

#[tokio::test]
async fn a_question_of_aws_is_answered_by_people_before_the_case_is_closed() {
    let asks = [(AWS, "Do you need it elsewhere, too?")];
    let fake = desk("pending-customer-action", &asks);
    let outcome = perform(&fake, &policy(), &ending(None)).await;
    assert_eq!(kind(&outcome), "not yet 60");
    assert!(did(&fake).is_empty());
}

#[tokio::test]
async fn an_end_in_doubt_is_looked_for_and_not_said_twice() {
    let thanks = ending(Some("thank you"));
    let Effect::EndCase {
        thanks: Some(words),
        ..
    } = &thanks.effect
    else {
        panic!("another effect");
    };
    for (intent, status, later, expected) in [
        (&thanks, "work-in-progress", &[][..], "absent"),
        (
            &thanks,
            "work-in-progress",
            &[(US, words.as_str())],
            "done case-1",
        ),
        (&ending(None), "work-in-progress", &[], "absent"),
        (&ending(None), "resolved", &[], "done case-1"),
    ] {
        let fake = desk(status, later);
        let outcome = look(&fake, intent, NOW).await;
        assert_eq!(
            kind(&outcome),
            expected,
            "{} {status}",
            intent.effect.name()
        );
        assert!(did(&fake).is_empty());
    }
    // What is there already is not said again by a first try, either.
    let fake = desk("work-in-progress", &[(US, words)]);
    assert_eq!(
        kind(&perform(&fake, &policy(), &thanks).await),
        "done case-1"
    );
    assert!(did(&fake).is_empty());
    for class in [FaultClass::Server, FaultClass::Lost] {
        let fake = Fake {
            effect: Err(fault(class)),
            ..desk("work-in-progress", &[])
        };
        assert_eq!(
            kind(&perform(&fake, &policy(), &ending(None)).await),
            "in doubt"
        );
    }
}
