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
        told_waiting: false,
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
        polled: now(),
        ended: None,
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
