//! Polls of the desk against a scripted cloud.

use super::*;
use crate::cloud::{Case, QuotaRequest};
use crate::collect::fake::{Fake, scope};
use crate::model::book::Record;
use crate::model::desk::{Investigation, RequestStatus};
use crate::model::ids::{ActionId, CaseId, DisplayId, IncidentId, Marker, QuotaCode, RequestId};
use crate::model::units::{Amount, QuotaKind};

fn now() -> Timestamp {
    "2026-11-24T12:00:30Z".parse().unwrap()
}

fn ask(id: &str, display: Option<&str>) -> Ask {
    Ask {
        request: RequestId::new(id),
        action: ActionId::new("act-1"),
        incident: IncidentId::new("inc-1"),
        scope: scope(),
        code: QuotaCode::new("L-15B8E632"),
        kind: QuotaKind::Tpm,
        before: Amount::ZERO,
        desired: Amount::ZERO,
        filed: now(),
        status: RequestStatus::Pending,
        closed: None,
        display: display.map(DisplayId::new),
        case: None,
        case_seen: None,
        no_plan: None,
        told_waiting: false,
        waiting: None,
        polled: now(),
        end: None,
    }
}

fn investigation(case: &str) -> Investigation {
    Investigation {
        case: CaseId::new(case),
        action: ActionId::new("act-2"),
        incident: IncidentId::new("inc-2"),
        scope: scope(),
        display: None,
        marker: Marker::new("[BOA-AAAAAAAAAA]"),
        opened: now(),
        status: "opened".to_owned(),
        told_waiting: false,
        waiting: None,
        polled: now(),
        ended: None,
        twin: None,
    }
}

fn case(id: &str, display: &str) -> Case {
    Case {
        id: CaseId::new(id),
        display: DisplayId::new(display),
        subject: String::new(),
        status: "pending-customer-action".to_owned(),
        created: None,
        recent: Vec::new(),
    }
}

fn cloud(ids: &[(&str, Option<&str>)]) -> Fake {
    let mut fake = Fake::default();
    for (id, display) in ids {
        let request = QuotaRequest {
            id: RequestId::new(*id),
            code: QuotaCode::new("L-15B8E632"),
            desired: Amount::ZERO,
            status: RequestStatus::CaseOpened,
            display: display.map(DisplayId::new),
            created: None,
            requester: None,
        };
        fake.asks.insert(request.id.clone(), request);
    }
    fake
}

#[tokio::test]
async fn a_request_is_followed_to_the_case_whose_number_came_late() {
    let mut fake = cloud(&[("r1", Some("100")), ("r2", None)]);
    fake.page_size = 1;
    fake.cases = vec![
        case("case-other", "999"),
        case("case-1", "100"),
        case("case-2", "200"),
    ];
    let mut book = Book::default();
    book.apply(vec![
        Record::Ask(ask("r1", None)),
        Record::Ask(ask("r2", None)),
        Record::Investigation(investigation("case-2")),
    ]);
    let got = poll_desk(&fake, &scope(), &book, now()).await;
    assert!(got.faults.is_empty(), "{:?}", got.faults);
    let status = "pending-customer-action".to_owned();
    let of_case = |id: &str, display: &str| DeskReading::Case {
        case: CaseId::new(id),
        display: DisplayId::new(display),
        status: status.clone(),
        is_answered: false,
    };
    let of_request = |id: &str, display: Option<&str>| DeskReading::Request {
        request: RequestId::new(id),
        status: RequestStatus::CaseOpened,
        display: display.map(DisplayId::new),
    };
    let expected = [
        of_request("r1", Some("100")),
        of_case("case-1", "100"),
        of_request("r2", None),
        of_case("case-2", "200"),
    ];
    assert_eq!(got.found, expected);
    let early = poll_desk(
        &fake,
        &scope(),
        &book,
        "2026-11-24T12:00:29Z".parse().unwrap(),
    )
    .await;
    assert!(early.found.is_empty(), "polled later than that already");
}

#[tokio::test]
async fn an_account_without_a_plan_is_told_once_and_keeps_its_requests() {
    let fake = cloud(&[("r1", Some("100")), ("r2", Some("200"))]);
    fake.fail("support:DescribeCases", 0, FaultClass::NoPlan);
    let mut book = Book::default();
    book.apply(vec![
        Record::Ask(ask("r1", None)),
        Record::Ask(ask("r2", None)),
    ]);
    let got = poll_desk(&fake, &scope(), &book, now()).await;
    assert!(got.faults.is_empty(), "{:?}", got.faults);
    let plans = got
        .found
        .iter()
        .filter(|it| matches!(it, DeskReading::NoPlan { .. }));
    assert_eq!(plans.count(), 1);
    let requests = got
        .found
        .iter()
        .filter(|it| matches!(it, DeskReading::Request { .. }));
    assert_eq!(requests.count(), 2);
    let calls = fake.calls.lock().unwrap().clone();
    assert_eq!(
        calls
            .iter()
            .filter(|it| *it == "support:DescribeCases")
            .count(),
        1
    );
}

#[tokio::test]
async fn whether_aws_has_spoken_in_a_case_is_read() {
    for (by, expected) in [
        ("Amazon Web Services", true),
        ("arn:aws:sts::111122223333:assumed-role/people/kim", false),
    ] {
        let mut fake = cloud(&[("r1", Some("100"))]);
        fake.cases = vec![Case {
            recent: vec![Communication {
                submitted_by: by.to_owned(),
                body: String::new(),
                created: None,
            }],
            ..case("case-1", "100")
        }];
        let mut book = Book::default();
        book.apply(vec![Record::Ask(ask("r1", None))]);
        let got = poll_desk(&fake, &scope(), &book, now()).await;
        let answered = got.found.iter().find_map(|it| match it {
            DeskReading::Case { is_answered, .. } => Some(*is_answered),
            DeskReading::Request { .. } | DeskReading::Twin { .. } | DeskReading::NoPlan { .. } => {
                None
            }
        });
        assert_eq!(answered, Some(expected), "{by}");
    }
}

#[tokio::test]
async fn an_account_without_a_plan_is_asked_for_cases_once_a_day() {
    for (minutes, calls) in [(1_439, 0), (1_440, 1)] {
        let fake = cloud(&[("r1", Some("100"))]);
        fake.fail("support:DescribeCases", 0, FaultClass::NoPlan);
        let mut book = Book::default();
        book.apply(vec![Record::Ask(Ask {
            no_plan: Some(after(now(), -minutes)),
            ..ask("r1", None)
        })]);
        let got = poll_desk(&fake, &scope(), &book, now()).await;
        let told = got.found.iter();
        let told = told.filter(|it| matches!(it, DeskReading::NoPlan { .. }));
        assert_eq!(told.count(), calls, "{minutes}");
        let made = fake.calls.lock().unwrap().clone();
        let made = made.iter().filter(|it| *it == "support:DescribeCases");
        assert_eq!(made.count(), calls, "{minutes}");
    }
}

#[tokio::test]
async fn a_failed_poll_says_nothing_of_the_status_and_a_missing_case_is_a_fault() {
    let fake = cloud(&[("r1", None), ("r2", None)]);
    fake.fail(
        "servicequotas:GetRequestedServiceQuotaChange",
        0,
        FaultClass::Throttled,
    );
    let mut book = Book::default();
    book.apply(vec![
        Record::Ask(ask("r1", Some("100"))),
        Record::Ask(ask("r2", None)),
    ]);
    let got = poll_desk(&fake, &scope(), &book, now()).await;
    assert!(got.found.is_empty(), "{:?}", got.found);
    let codes: Vec<&str> = got.faults.iter().map(|fault| fault.code.as_str()).collect();
    assert_eq!(codes, ["Throttled", "NotListed"]);
}

fn cases_at(times: &[(&str, &str, Option<&str>, &str)]) -> Vec<Case> {
    let cases = times.iter().map(|(id, subject, created, status)| Case {
        subject: (*subject).to_owned(),
        created: created.map(|it| it.parse().unwrap()),
        status: (*status).to_owned(),
        ..case(id, &id.replace("case-", "10"))
    });
    cases.collect()
}

async fn twins_of(cases: Vec<Case>, own: &[&str]) -> Vec<(String, String, bool)> {
    let fake = Fake {
        page_size: 1,
        cases,
        ..Fake::default()
    };
    let mut book = Book::default();
    book.apply(
        own.iter()
            .map(|id| Record::Investigation(investigation(id)))
            .collect(),
    );
    let got = find_twins(&fake, &scope(), &book).await;
    assert!(got.faults.is_empty(), "{:?}", got.faults);
    let twins = got.found.into_iter().filter_map(|it| match it {
        DeskReading::Twin {
            case,
            twin,
            is_older,
            ..
        } => Some((case.to_string(), twin.to_string(), is_older)),
        DeskReading::Request { .. } | DeskReading::Case { .. } | DeskReading::NoPlan { .. } => None,
    });
    twins.collect()
}

#[tokio::test]
async fn a_second_case_about_the_same_is_found_and_the_oldest_is_named() {
    let mine = "errors of sonnet [BOA-AAAAAAAAAA]";
    let other_count = "errors of sonnet [BOA-BBBBBBBBBB]";
    let (early, late) = (
        Some("2026-11-24T11:00:00.100Z"),
        Some("2026-11-24T11:00:00.200Z"),
    );
    let of = |id: &str, twin: &str, is_older| vec![(id.to_owned(), twin.to_owned(), is_older)];

    // The same marker, in the same second.
    let cases = cases_at(&[
        ("case-1", mine, early, "opened"),
        ("case-2", mine, late, "opened"),
    ]);
    assert_eq!(
        twins_of(cases.clone(), &["case-1"]).await,
        of("case-1", "case-2", false)
    );
    assert_eq!(
        twins_of(cases, &["case-2"]).await,
        of("case-2", "case-1", true)
    );

    // Incidents counted differently; of two others the older one is named.
    let cases = cases_at(&[
        ("case-3", mine, late, "opened"),
        ("case-2", other_count, late, "opened"),
        ("case-1", other_count, early, "opened"),
    ]);
    assert_eq!(
        twins_of(cases, &["case-3"]).await,
        of("case-3", "case-1", true)
    );

    // Where nobody can tell, both sides come to the same.
    let cases = cases_at(&[
        ("case-1", mine, None, "opened"),
        ("case-2", mine, None, "opened"),
    ]);
    assert_eq!(
        twins_of(cases.clone(), &["case-1"]).await,
        of("case-1", "case-2", false)
    );
    assert_eq!(
        twins_of(cases, &["case-2"]).await,
        of("case-2", "case-1", true)
    );
}

#[tokio::test]
async fn cases_of_people_of_the_past_and_about_other_problems_are_no_twins() {
    let mine = "errors of sonnet [BOA-AAAAAAAAAA]";
    let cases = cases_at(&[
        ("case-1", mine, Some("2026-11-24T11:00:00Z"), "opened"),
        (
            "case-2",
            "errors of sonnet",
            Some("2026-11-24T10:00:00Z"),
            "opened",
        ),
        (
            "case-3",
            "errors of haiku [BOA-CCCCCCCCCC]",
            Some("2026-11-24T10:00:00Z"),
            "opened",
        ),
        (
            "case-4",
            "errors of sonnet [BOA-BBBBBBBBBB]",
            Some("2026-11-24T09:00:00Z"),
            "resolved",
        ),
    ]);
    assert_eq!(twins_of(cases, &["case-1"]).await, []);
    assert_eq!(
        twins_of(Vec::new(), &[]).await,
        [],
        "nothing of ours is open: nothing is asked"
    );
}

/// An earlier incident of the same cause is over, and its case still open: no second service.
#[tokio::test]
async fn an_earlier_case_of_our_own_is_no_twin() {
    let cases = cases_at(&[
        (
            "case-1",
            "errors of sonnet [BOA-BBBBBBBBBB]",
            Some("2026-11-24T09:00:00Z"),
            "opened",
        ),
        (
            "case-2",
            "errors of sonnet [BOA-AAAAAAAAAA]",
            Some("2026-11-24T11:00:00Z"),
            "opened",
        ),
    ]);
    assert_eq!(twins_of(cases, &["case-1", "case-2"]).await, []);
}
