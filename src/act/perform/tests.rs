mod ending;

use std::collections::BTreeMap;

use super::{
    fake::{ACCOUNT, Fake, caller_of, fault, pages},
    pages::MOST_PAGES,
    *,
};
use crate::{
    cloud::{Caller, Case, Communication, Page, QuotaRequest},
    model::{
        action::{Evidence, IntentState},
        desk::RequestStatus,
        ids::{
            AccountId, ActionId, CaseId, DisplayId, IncidentId, PrincipalArn, QuotaCode,
            ReceiverName, Region, RequestId,
        },
        policy::{Budgets, CaseCodes, Mode, Organisation, Receiver, Reminders, Secret},
        receiver::TopicFormat,
        rule::Severity,
        time::{Timestamp, after},
        units::Amount,
    },
};

const CREATED: Timestamp = Timestamp::UNIX_EPOCH;
const NOW: Timestamp = Timestamp::MAX;
const CLASSES: [FaultClass; 11] = [
    FaultClass::Throttled,
    FaultClass::Denied,
    FaultClass::Invalid,
    FaultClass::NotFound,
    FaultClass::Exists,
    FaultClass::Full,
    FaultClass::NoPlan,
    FaultClass::Server,
    FaultClass::Connect,
    FaultClass::Lost,
    FaultClass::Garbled,
];

fn amount(value: f64) -> Amount {
    Amount::new(value).unwrap()
}

/// A request made so many minutes after the intent.
pub(super) fn request(id: &str, status: &str, desired: Amount, minutes: i64) -> QuotaRequest {
    QuotaRequest {
        id: RequestId::new(id),
        code: QuotaCode::new("L-1"),
        desired,
        status: RequestStatus::parse(status),
        display: None,
        created: Some(after(CREATED, minutes)),
        requester: None,
    }
}

/// As [`request`], made by this identity.
fn made_by(arn: &str, request: QuotaRequest) -> QuotaRequest {
    QuotaRequest {
        requester: Some(PrincipalArn::new(arn)),
        ..request
    }
}

fn case(id: &str, subject: &str, minutes: i64, recent: Vec<Communication>) -> Case {
    Case {
        id: CaseId::new(id),
        display: DisplayId::new("1"),
        subject: subject.to_owned(),
        status: "opened".to_owned(),
        created: Some(after(CREATED, minutes)),
        recent,
    }
}

fn said(by: &str, body: impl Into<String>) -> Communication {
    Communication {
        submitted_by: by.to_owned(),
        body: body.into(),
        created: None,
    }
}

fn scope() -> Scope {
    Scope {
        account: AccountId::new(ACCOUNT),
        region: Region::new("eu-west-1"),
    }
}

fn intent(effect: Effect) -> Intent {
    let incident = IncidentId::new("inc-1");
    Intent {
        id: ActionId::derive(&incident, "step"),
        incident,
        step: "step".to_owned(),
        effect,
        reasons: Vec::new(),
        created: CREATED,
        state: IntentState::Sending { at: CREATED },
        attempts: 1,
        approved_by: None,
        last_failure: None,
        approved_at: None,
        declined: 0,
        worded: None,
        revision: 1,
    }
}

fn quota_request() -> Intent {
    intent(Effect::RequestQuota {
        scope: scope(),
        code: QuotaCode::new("L-1"),
        desired: amount(200.0),
        context: String::new(),
    })
}

fn new_case() -> Intent {
    intent(Effect::OpenCase {
        scope: scope(),
        subject: "subject".to_owned(),
        body: "body".to_owned(),
        evidence: None,
        desired: None,
    })
}

fn comment() -> Intent {
    intent(Effect::Comment {
        scope: scope(),
        case: CaseId::new("case-1"),
        body: "text".to_owned(),
        evidence: None,
    })
}

pub(super) fn notice(receiver: &str) -> Intent {
    intent(Effect::Notify {
        receiver: ReceiverName::new(receiver),
        severity: Severity::Warning,
        subject: "hot".to_owned(),
        body: "a < b".to_owned(),
        notice: None,
    })
}

fn desk_effects() -> [Intent; 3] {
    [quota_request(), new_case(), comment()]
}

fn policy() -> Policy {
    let sns = Receiver::Sns {
        topic_arn: "arn:aws:sns:us-west-2:444455556666:ops".to_owned(),
        format: TopicFormat::Text,
    };
    let slack = Receiver::Slack {
        url: Secret::new("https://hooks.example/secret"),
    };
    Policy {
        mode: Mode::File,
        budgets: Budgets {
            requests_per_day: 3,
            cases_per_hour: 3,
            cases_per_day: 10,
            highest_factor: 4.0,
            highest_value: None,
        },
        routes: Vec::new(),
        receivers: BTreeMap::from([
            (ReceiverName::new("topic"), sns),
            (ReceiverName::new("slack"), slack),
        ]),
        fallbacks: BTreeMap::new(),
        templates: BTreeMap::new(),
        organisation: Organisation::default(),
        case_codes: CaseCodes {
            service: "service-bedrock".to_owned(),
            category: "general-guidance".to_owned(),
            severity: "normal".to_owned(),
            issue_type: "technical".to_owned(),
            cc: Vec::new(),
        }
        .into(),
        hints: crate::config::builtin_hints().unwrap(),
        approval_minutes: 60,
        cooldown_minutes: 60,
        inhibits: Vec::new(),
        digests: Vec::new(),
        residency: Vec::new(),
        prices: crate::model::price::Prices::default(),
        metrics_only: BTreeMap::new(),
        callers: BTreeMap::new(),
        invocation_logs: BTreeMap::new(),
        places: crate::model::links::Places::default(),
        reminders: Reminders {
            first_minutes: 240,
            longest_minutes: 1_440,
        },
        blind_minutes: 15,
    }
}

fn failing(class: FaultClass) -> Fake {
    Fake {
        effect: Err(fault(class)),
        ..Fake::default()
    }
}

/// The first message of its incident, or one of which nothing else is known.
async fn perform(cloud: &Fake, policy: &Policy, intent: &Intent) -> Outcome {
    let known = Known {
        codes: &policy.case_codes.usual,
        earlier: None,
        offer: None,
        crowd: &[],
    };
    super::perform(cloud, policy, intent, known).await
}

fn kind(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done { reference } => format!("done {reference}"),
        Outcome::Theirs { reference, desired } => format!("{reference} of others for {desired}"),
        Outcome::NotYet { wait_minutes, .. } => format!("not yet {wait_minutes}"),
        Outcome::Refused { wait_minutes, .. } => format!("refused {wait_minutes}"),
        Outcome::Never { .. } => "never".to_owned(),
        Outcome::InDoubt { .. } => "in doubt".to_owned(),
        Outcome::Absent => "absent".to_owned(),
        Outcome::CouldNotLook { .. } => "could not look".to_owned(),
    }
}

fn why(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::NotYet { why, .. }
        | Outcome::Refused { why, .. }
        | Outcome::Never { why }
        | Outcome::InDoubt { why }
        | Outcome::CouldNotLook { why } => why,
        Outcome::Done { .. } | Outcome::Theirs { .. } | Outcome::Absent => "",
    }
}

#[tokio::test]
async fn each_class_has_its_outcome() {
    for class in CLASSES {
        let expected = match class {
            FaultClass::Throttled | FaultClass::Connect => "not yet 1",
            FaultClass::Denied => "not yet 15",
            FaultClass::Full => "not yet 60",
            FaultClass::Invalid
            | FaultClass::NotFound
            | FaultClass::Exists
            | FaultClass::NoPlan => "never",
            FaultClass::Server | FaultClass::Lost | FaultClass::Garbled => "in doubt",
        };
        assert_eq!(fault(class).may_have_happened(), expected == "in doubt");
        for intent in [new_case(), comment(), notice("topic"), notice("slack")] {
            let outcome = perform(&failing(class), &policy(), &intent).await;
            // No message is refused for good by a failed call: people must hear.
            let expected = match expected {
                "never" | "not yet 15" if intent.effect.may_repeat() => "refused 15",
                expected => expected,
            };
            assert_eq!(
                kind(&outcome),
                expected,
                "{class:?} {}",
                intent.effect.name()
            );
            assert!(why(&outcome).contains(&format!("{class:?}")), "{outcome:?}");
        }
        if class != FaultClass::Exists {
            let outcome = perform(&failing(class), &policy(), &quota_request()).await;
            assert_eq!(kind(&outcome), expected, "{class:?}");
        }
    }
}

#[tokio::test]
async fn what_is_sent_is_what_was_decided() {
    let fake = Fake::default();
    for (intent, reference) in [
        (quota_request(), "done id-1"),
        (new_case(), "done id-1"),
        (comment(), "done case-1"),
        (notice("topic"), "done id-1"),
        (notice("slack"), "done posted to slack"),
    ] {
        let outcome = perform(&fake, &policy(), &intent).await;
        assert_eq!(kind(&outcome), reference);
    }
    let caller = "caller 111122223333/eu-west-1";
    assert_eq!(
        fake.asked(),
        [
            caller,
            "request 111122223333/eu-west-1 L-1 200",
            caller,
            "cases After(1969-12-31T00:00:00Z)",
            "case 111122223333/eu-west-1 service-bedrock normal subject",
            caller,
            "communications case-1",
            "comment case-1 text",
            "publish 444455556666/us-west-2 arn:aws:sns:us-west-2:444455556666:ops hot a < b",
            r#"post https://hooks.example/secret {"text":"*hot*\na &lt; b","unfurl_links":false,"unfurl_media":false}"#,
        ]
    );
}

#[tokio::test]
async fn nothing_is_filed_as_another_account() {
    for intent in desk_effects() {
        let fake = Fake {
            caller: Ok(caller_of("999999999999")),
            ..Fake::default()
        };
        let outcome = perform(&fake, &policy(), &intent).await;
        let words = "the credentials belong to account 999999999999, not 111122223333";
        assert_eq!(kind(&outcome), "never");
        assert!(why(&outcome).starts_with(words), "{outcome:?}");
        // In a foreign desk nothing would be found, and that would prove nothing.
        assert_eq!(kind(&look(&fake, &intent, NOW).await), "could not look");
        assert_eq!(fake.asked(), vec!["caller 111122223333/eu-west-1"; 2]);
    }
}

#[tokio::test]
async fn nothing_is_filed_while_the_account_is_not_known() {
    for intent in desk_effects() {
        // Also what may have happened: it was only a question.
        for (class, expected) in [
            (FaultClass::Denied, "not yet 15"),
            (FaultClass::Lost, "not yet 1"),
        ] {
            let fake = Fake {
                caller: Err(fault(class)),
                ..Fake::default()
            };
            assert_eq!(kind(&perform(&fake, &policy(), &intent).await), expected);
            assert_eq!(kind(&look(&fake, &intent, NOW).await), "could not look");
            assert_eq!(fake.asked().len(), 2);
        }
    }
}

#[tokio::test]
async fn an_open_request_is_adopted_whoever_made_it() {
    let closed = request("closed", "CASE_CLOSED", amount(200.0), 1);
    let theirs = request("theirs", "CASE_OPENED", amount(500.0), -9_000);
    let mut fake = failing(FaultClass::Exists);
    fake.history = pages(vec![vec![closed.clone()], vec![], vec![theirs]]);
    let outcome = perform(&fake, &policy(), &quota_request()).await;
    assert_eq!(kind(&outcome), "theirs of others for 500");

    // Not shown yet, or not readable: nothing of ours happened, so it is tried again and never in doubt.
    fake.history = pages(vec![vec![closed]]);
    let outcome = perform(&fake, &policy(), &quota_request()).await;
    assert_eq!(kind(&outcome), "not yet 15");
    fake.history = vec![Err(fault(FaultClass::Lost))];
    let outcome = perform(&fake, &policy(), &quota_request()).await;
    assert_eq!(kind(&outcome), "not yet 15");
}

#[tokio::test]
async fn a_request_in_doubt_is_found_by_value_and_time() {
    let ours = amount(200.0);
    let old = request("old", "CASE_CLOSED", ours, -16);
    let other = request("other", "DENIED", amount(300.0), 1);
    let early = request("early", "CASE_CLOSED", ours, -15); // our clock may be ahead
    let open = request("open", "PENDING", amount(300.0), -9_000);
    let mut timeless = request("timeless", "DENIED", ours, 0);
    timeless.created = None;
    for (requests, expected) in [
        (vec![], "absent"),
        (vec![vec![old.clone(), other.clone()]], "absent"),
        (vec![vec![old.clone()], vec![early.clone()]], "done early"),
        (
            vec![vec![old], vec![open.clone()]],
            "open of others for 300",
        ),
        (vec![vec![open, other], vec![early]], "done early"),
        (vec![vec![timeless]], "done timeless"),
    ] {
        let fake = Fake {
            history: pages(if requests.is_empty() {
                vec![vec![]]
            } else {
                requests
            }),
            ..Fake::default()
        };
        assert_eq!(kind(&look(&fake, &quota_request(), NOW).await), expected);
    }
}

/// Pitfall 18: people type the value that a proposal names, and their request is theirs.
#[tokio::test]
async fn a_request_for_the_same_value_is_ours_only_where_we_may_have_sent_it() {
    let person = "arn:aws:iam::111122223333:user/kim";
    let role = |session: &str| {
        format!("arn:aws:sts::111122223333:assumed-role/bedrock-ops-alert/{session}")
    };
    let same = || request("same", "PENDING", amount(200.0), 1);
    let first = quota_request();
    let again = Intent {
        attempts: 2,
        ..quota_request()
    };
    // The desk was full once, and plainly took nothing.
    let declined = Intent {
        declined: 1,
        ..again.clone()
    };
    let theirs = "same of others for 200";
    for (intent, request, expected) in [
        // What AWS refuses at our first try is nothing that we sent, whoever made it.
        (&first, same(), theirs),
        (&first, made_by(person, same()), theirs),
        (&first, made_by(&role("x"), same()), theirs),
        (&declined, same(), theirs),
        (&again, same(), "done same"),
        (&again, made_by(person, same()), theirs),
        (&again, made_by(&role("x"), same()), "done same"),
        // Before a restart our session may have had another name.
        (&again, made_by(&role("y"), same()), "done same"),
    ] {
        let by = request.requester.clone();
        let mut fake = failing(FaultClass::Exists);
        fake.history = pages(vec![vec![request]]);
        let outcome = perform(&fake, &policy(), intent).await;
        assert_eq!(kind(&outcome), expected, "{} {by:?}", intent.attempts);
    }
    // In doubt, it is looked for: theirs is followed while it is open, and is nothing once it is closed.
    let closed = || request("same", "CASE_CLOSED", amount(200.0), 1);
    for (request, expected) in [
        (made_by(person, same()), theirs),
        (made_by(person, closed()), "absent"),
        (made_by(&role("y"), closed()), "done same"),
        (closed(), "done same"),
    ] {
        let fake = Fake {
            history: pages(vec![vec![request]]),
            ..Fake::default()
        };
        assert_eq!(kind(&look(&fake, &first, NOW).await), expected);
    }
    // Who we are was not told in full: value and time decide, as where the requester is not known.
    let mut fake = failing(FaultClass::Exists);
    fake.caller = Ok(Caller {
        arn: None,
        ..caller_of(ACCOUNT)
    });
    fake.history = pages(vec![vec![made_by(person, same())]]);
    let outcome = perform(&fake, &policy(), &again).await;
    assert_eq!(kind(&outcome), "done same");
}

#[tokio::test]
async fn a_clock_that_was_set_back_hides_nothing() {
    let ours = request("ours", "CASE_CLOSED", amount(200.0), -600);
    let fake = Fake {
        history: pages(vec![vec![ours]]),
        ..Fake::default()
    };
    let outcome = look(&fake, &quota_request(), after(CREATED, -599)).await;
    assert_eq!(kind(&outcome), "done ours");
}

#[tokio::test]
async fn a_case_in_doubt_is_found_on_a_later_page() {
    let marker = new_case().marker();
    let first = case("c-1", "[BOA-AAAAAAAAAA] other", 1, vec![]);
    let newer = case("c-3", &format!("{marker} twice"), 30, vec![]);
    let ours = case("c-2", &format!("{marker} pool is hot"), 1, vec![]);
    let fake = Fake {
        cases: pages(vec![vec![first.clone(), newer], vec![], vec![ours]]),
        ..Fake::default()
    };
    let outcome = look(&fake, &new_case(), NOW).await;
    assert_eq!(kind(&outcome), "done c-2", "the oldest of two");
    assert_eq!(fake.asked()[1], "cases After(1969-12-31T00:00:00Z)");

    let fake = Fake {
        cases: pages(vec![vec![first]]),
        ..Fake::default()
    };
    assert_eq!(kind(&look(&fake, &new_case(), NOW).await), "absent");
}

#[tokio::test]
async fn a_case_in_doubt_is_found_by_its_text() {
    let marker = new_case().marker();
    let chatter: Vec<_> = (0..5)
        .map(|n| said("Amazon Web Services", format!("{n}")))
        .collect();
    let recent = vec![said("Role <a@example.com>", format!("{marker}\nbody"))];
    let short = Fake {
        cases: pages(vec![vec![case("c-1", "cut", 1, recent.clone())]]),
        ..Fake::default()
    };
    assert_eq!(kind(&look(&short, &new_case(), NOW).await), "done c-1");

    // Five newest hide it: the whole conversation is read.
    let mut long = Fake {
        cases: pages(vec![vec![case("c-1", "cut", 1, chatter.clone())]]),
        communications: pages(vec![chatter, recent]),
        ..Fake::default()
    };
    assert_eq!(kind(&look(&long, &new_case(), NOW).await), "done c-1");
    long.communications = vec![Err(fault(FaultClass::Throttled))];
    assert_eq!(kind(&look(&long, &new_case(), NOW).await), "could not look");
}

#[tokio::test]
async fn a_marker_that_aws_quotes_is_not_ours() {
    let marker = comment().marker();
    let quoted = said("Amazon Web Services", format!("{marker}\nyou wrote"));
    let inside = said("Role <a@example.com>", format!("about {marker}"));
    let below = said("Role <a@example.com>", format!("see below\n{marker}"));
    let ours = said("Role <a@example.com>", format!("{marker}\nnumbers"));
    let mut fake = Fake {
        communications: pages(vec![vec![quoted.clone(), inside], vec![below]]),
        ..Fake::default()
    };
    assert_eq!(kind(&look(&fake, &comment(), NOW).await), "absent");
    fake.communications = pages(vec![vec![quoted], vec![ours]]);
    assert_eq!(kind(&look(&fake, &comment(), NOW).await), "done case-1");
}

#[tokio::test]
async fn a_look_that_does_not_reach_the_end_proves_nothing() {
    let page_to = |next: &str| {
        Ok(Page {
            items: Vec::new(),
            next: Some(next.to_owned()),
        })
    };
    let circle = Fake {
        communications: vec![page_to("1"), page_to("1")],
        ..Fake::default()
    };
    let outcome = look(&circle, &comment(), NOW).await;
    assert!(why(&outcome).contains("leads back"), "{outcome:?}");

    let endless = Fake {
        communications: (1..=MOST_PAGES + 5)
            .map(|n| page_to(&n.to_string()))
            .collect(),
        ..Fake::default()
    };
    let outcome = look(&endless, &comment(), NOW).await;
    assert!(why(&outcome).contains("more than 100 pages"), "{outcome:?}");
    assert_eq!(endless.asked().len(), 1 + MOST_PAGES);

    for class in CLASSES {
        let broken = Fake {
            communications: vec![page_to("1"), Err(fault(class))],
            ..Fake::default()
        };
        let outcome = look(&broken, &comment(), NOW).await;
        assert_eq!(kind(&outcome), "could not look", "{class:?}");
    }
}

#[tokio::test]
async fn what_does_not_exist_holds_nothing() {
    let fake = Fake {
        history: vec![Err(fault(FaultClass::NotFound))],
        cases: vec![Err(fault(FaultClass::NotFound))],
        communications: vec![Err(fault(FaultClass::NotFound))],
        ..Fake::default()
    };
    assert_eq!(kind(&look(&fake, &quota_request(), NOW).await), "absent");
    assert_eq!(kind(&look(&fake, &comment(), NOW).await), "absent");
    assert_eq!(kind(&look(&fake, &new_case(), NOW).await), "could not look");
}

#[tokio::test]
async fn messages_are_sent_again_and_never_looked_for() {
    let fake = Fake::default();
    let outcome = look(&fake, &notice("topic"), NOW).await;
    assert_eq!(kind(&outcome), "in doubt");
    assert!(fake.asked().is_empty());
    let next = notice("topic").after(&outcome, CREATED);
    assert_eq!(next.state.name(), "planned");
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_refused_by_name() {
    let outcome = perform(&Fake::default(), &policy(), &notice("nobody")).await;
    assert_eq!(kind(&outcome), "never");
    assert!(why(&outcome).contains("`nobody`"), "{outcome:?}");
}

/// Another service of ours on the same account, or a ledger that was lost.
#[tokio::test]
async fn what_support_has_already_is_not_sent_again() {
    let marker = new_case().marker();
    let fake = Fake {
        cases: pages(vec![
            vec![],
            vec![case("c-1", &format!("pool is hot {marker}"), 1, vec![])],
        ]),
        ..Fake::default()
    };
    assert_eq!(
        kind(&perform(&fake, &policy(), &new_case()).await),
        "done c-1"
    );
    let ours = said(
        "Role <a@example.com>",
        format!("{}\ntext", comment().marker()),
    );
    let fake = Fake {
        communications: pages(vec![vec![ours]]),
        ..fake
    };
    assert_eq!(
        kind(&perform(&fake, &policy(), &comment()).await),
        "done case-1"
    );
    let asked = fake.asked();
    let is_write = |it: &String| it.starts_with("case ") || it.starts_with("comment ");
    assert!(!asked.iter().any(is_write), "{asked:?}");
}

/// Another service of ours may have been there, or the ledger was lost: what could not be looked up is not sent.
#[tokio::test]
async fn a_look_that_fails_before_the_first_try_holds_it() {
    let fake = Fake {
        cases: vec![Err(fault(FaultClass::Throttled))],
        communications: vec![Err(fault(FaultClass::Denied))],
        ..Fake::default()
    };
    for intent in [new_case(), comment()] {
        let outcome = perform(&fake, &policy(), &intent).await;
        assert_eq!(kind(&outcome), "not yet 1", "{outcome:?}");
    }
    let asked = fake.asked();
    let is_write = |it: &String| it.starts_with("case ") || it.starts_with("comment ");
    assert!(!asked.iter().any(is_write), "{asked:?}");
}

/// Words with a file: laid aside right before, named in the words; and whatever becomes of the file, the words go once.
#[tokio::test]
async fn a_file_goes_with_the_words_and_never_holds_them_up() {
    let evidence = || {
        Some(Box::new(Evidence {
            name: "hours.csv".to_owned(),
            csv: "a\n1\n".to_owned(),
            minutes: "a\n1\n2\n".to_owned(),
        }))
    };
    let case = intent(Effect::OpenCase {
        scope: scope(),
        subject: "subject".to_owned(),
        body: "body".to_owned(),
        evidence: evidence(),
        desired: None,
    });
    let comment = intent(Effect::Comment {
        scope: scope(),
        case: CaseId::new("case-1"),
        body: "text".to_owned(),
        evidence: evidence(),
    });
    let expired = Fault {
        code: "AttachmentSetExpired".to_owned(),
        ..fault(FaultClass::Invalid)
    };
    let lost = Fault {
        code: "AttachmentSetExpired".to_owned(),
        ..fault(FaultClass::Lost)
    };
    let mut told = String::new();
    for (what, attached, refuses_files) in [
        ("taken", Ok("set-1".to_owned()), None),
        ("no right to attach", Err(fault(FaultClass::Denied)), None),
        ("attaching got lost", Err(fault(FaultClass::Lost)), None),
        ("expired", Ok("set-1".to_owned()), Some(expired)),
        // What may have happened is looked for, and never sent once more.
        ("in doubt", Ok("set-1".to_owned()), Some(lost)),
        (
            "throttled",
            Ok("set-1".to_owned()),
            Some(fault(FaultClass::Throttled)),
        ),
    ] {
        for intent in [&case, &comment] {
            let fake = Fake {
                attached: attached.clone(),
                refuses_files: refuses_files.clone(),
                ..Fake::default()
            };
            let outcome = perform(&fake, &policy(), intent).await;
            let asked = fake.asked();
            told += &format!("{what}: {}\n", kind(&outcome));
            for call in asked.iter().filter(|it| !it.starts_with("caller")) {
                told += &format!("  {}\n", call.replace('\n', " | "));
            }
        }
    }
    insta::assert_snapshot!("files", told);
}
