//! Our AWS clients against a server that fails: how often a request is sent, and what the failure is taken for.

#![cfg(test)] // helpers count as tests, too

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use bedrock_ops_alert::{
    aws::{Endpoint, Patience, SdkCloud, SdkOptions},
    cloud::{CaseFilter, Cloud as _, Fault, FaultClass, NewCase, Post, Publication},
    model::{
        ids::{AccountId, CaseId, DisplayId, QuotaCode, Region, Scope},
        policy::{Account, Regions},
        units::Amount,
    },
};

/// What the server does with every request, once it has read it whole.
#[derive(Clone, Debug)]
pub(crate) enum Reaction {
    /// Answers.
    Answer(u16, &'static str),
    /// Answers well the first time, and closes the connection in the middle of the second request's wait.
    DropLater(&'static str),
    /// Closes the connection without a word.
    Drop,
    /// Announces more than it sends, then closes.
    Truncate,
    /// Keeps silent, with the connection open.
    Hang,
}

fn message(subject: &str, text: &str) -> Publication {
    Publication {
        subject: subject.to_owned(),
        message: text.to_owned(),
        ..Publication::default()
    }
}

/// A server on loopback; it ends with the test process.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
    /// Dropped at the end, which lets hanging connections go.
    _release: Sender<()>,
}

impl Server {
    pub(crate) fn start(reaction: Reaction) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (release, held) = channel();
        let held = Arc::new(Mutex::new(held));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, held, reaction) =
                    (Arc::clone(&seen), Arc::clone(&held), reaction.clone());
                thread::spawn(move || serve(stream.unwrap(), &reaction, &seen, &held));
            }
        });
        Self {
            url,
            requests,
            _release: release,
        }
    }

    /// Head and body of each request that arrived.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(
    stream: TcpStream,
    reaction: &Reaction,
    seen: &Mutex<Vec<String>>,
    held: &Mutex<Receiver<()>>,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(request) = read_request(&mut reader) {
        let mut requests = seen.lock().unwrap();
        requests.push(request);
        let count = requests.len();
        drop(requests);
        match reaction {
            Reaction::Answer(status, body) => answer(&mut stream, *status, body),
            Reaction::DropLater(body) if count == 1 => answer(&mut stream, 200, body),
            Reaction::DropLater(_) | Reaction::Drop => return,
            Reaction::Truncate => {
                let torn = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"caseId\":\"case-1";
                stream.write_all(torn.as_bytes()).unwrap();
                return;
            }
            Reaction::Hang => {
                let _released = held.lock().unwrap().recv();
                return;
            }
        }
    }
}

fn answer(stream: &mut TcpStream, status: u16, body: &str) {
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).unwrap();
}

/// `None` when the client is gone.
pub(crate) fn read_request(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
        if head.get(before..) == Some("\r\n") {
            break;
        }
    }
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, length)| length.trim().parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8_lossy(&body))
}

pub(crate) async fn cloud(url: &str, accounts: &[&str]) -> SdkCloud {
    let accounts = accounts.iter().map(|id| Account {
        id: AccountId::new(*id),
        name: None,
        regions: Regions::These(vec![Region::new("eu-central-1")]),
        role_arn: None,
        external_id: None,
        metrics_through: None,
    });
    SdkCloud::connect(SdkOptions {
        accounts: accounts.collect(),
        patience: Patience::loopback(),
        endpoint: Some(Endpoint::simulated(url, Region::new("eu-central-1"))),
    })
    .await
    .unwrap()
}

pub(crate) fn scope(account: &str) -> Scope {
    Scope {
        account: AccountId::new(account),
        region: Region::new("eu-central-1"),
    }
}

fn post(url: &str) -> Post {
    Post {
        operation: "webhook:Post",
        url: url.to_owned(),
        headers: Vec::new(),
        body: "{}".to_owned(),
    }
}

pub(crate) const ACCOUNT: &str = "111122223333";

pub(crate) fn case() -> NewCase {
    NewCase {
        subject: "Throttling of a model".to_owned(),
        body: "Numbers.".to_owned(),
        service_code: "service-bedrock".to_owned(),
        category_code: "general-guidance".to_owned(),
        severity_code: "normal".to_owned(),
        issue_type: "technical".to_owned(),
        cc: Vec::new(),
        attachments: None,
    }
}

/// Opens a case at a server that reacts like this; the fault, after exactly one request.
async fn create_once(reaction: Reaction) -> Fault {
    let server = Server::start(reaction.clone());
    let cloud = cloud(&server.url, &[ACCOUNT]).await;
    let fault = cloud
        .create_case(&scope(ACCOUNT), &case())
        .await
        .unwrap_err();
    assert_eq!(server.requests().len(), 1, "{reaction:?}");
    assert_eq!(
        cloud.calls().by_operation()["support:CreateCase"],
        1,
        "{reaction:?}"
    );
    fault
}

#[tokio::test]
async fn a_case_is_sent_once_whatever_happens() {
    for (reaction, class) in [
        (Reaction::Answer(500, "{}"), FaultClass::Server),
        (
            Reaction::Answer(503, "<html>busy</html>"),
            FaultClass::Server,
        ),
        (
            Reaction::Answer(400, r#"{"__type":"ThrottlingException"}"#),
            FaultClass::Throttled,
        ),
        (
            Reaction::Answer(400, r#"{"__type":"SubscriptionRequiredException"}"#),
            FaultClass::NoPlan,
        ),
        (Reaction::Answer(200, "{}"), FaultClass::Garbled),
        (
            Reaction::Answer(200, "<html>sign in</html>"),
            FaultClass::Garbled,
        ),
        (Reaction::Drop, FaultClass::Lost),
        (Reaction::Truncate, FaultClass::Garbled),
        (Reaction::Hang, FaultClass::Lost),
    ] {
        let fault = create_once(reaction.clone()).await;
        assert_eq!(fault.class, class, "{reaction:?}: {fault}");
    }
}

/// What may be tried again is bounded; one account that fails must not use it up for all.
#[tokio::test]
async fn the_second_tries_of_an_account_are_its_own() {
    let server = Server::start(Reaction::Answer(500, "{}"));
    let (failing, other) = (ACCOUNT, "444455556666");
    let cloud = cloud(&server.url, &[failing, other]).await;
    let tries = async |account: &str| {
        let before = server.requests().len();
        let code = QuotaCode::new("L-1");
        let read = cloud.get_quota(&scope(account), &code).await;
        assert_eq!(read.unwrap_err().class, FaultClass::Server);
        server.requests().len() - before
    };
    let mut left = 100;
    while 1 < tries(failing).await {
        left -= 1;
        assert!(0 < left, "nothing bounds the second tries");
    }
    assert_eq!(tries(other).await, 3);
}

#[tokio::test]
async fn a_reused_connection_that_breaks_is_not_tried_again() {
    let server = Server::start(Reaction::DropLater(r#"{"caseId":"case-1"}"#));
    let cloud = cloud(&server.url, &[ACCOUNT]).await;
    let opened = cloud.create_case(&scope(ACCOUNT), &case()).await.unwrap();
    assert_eq!(opened.as_str(), "case-1");
    let fault = cloud
        .create_case(&scope(ACCOUNT), &case())
        .await
        .unwrap_err();
    assert_eq!(fault.class, FaultClass::Lost, "{fault}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn every_call_that_files_or_publishes_is_sent_once() {
    let server = Server::start(Reaction::Answer(500, "{}"));
    let cloud = cloud(&server.url, &[ACCOUNT]).await;
    let (scope, code) = (scope(ACCOUNT), QuotaCode::new("L-1"));
    let topic = "arn:aws:sns:us-west-2:111122223333:alerts";
    let webhook = format!("{}/services/SECRET", server.url);
    let faults = [
        cloud
            .request_quota(&scope, &code, Amount::ZERO)
            .await
            .unwrap_err(),
        cloud
            .add_communication(&scope, &CaseId::new("case-1"), "x", None)
            .await
            .unwrap_err(),
        cloud
            .publish(&scope, topic, &message("s", "m"))
            .await
            .unwrap_err(),
        cloud
            .attach(&scope, &[("a.csv".to_owned(), "a")])
            .await
            .unwrap_err(),
    ];
    // What a receiver of messages answers is for who asked, and no fault; the URL is none of the answer.
    let answer = cloud.post(&post(&webhook)).await.unwrap();
    assert_eq!(answer.status, 500);
    for (sent, fault) in faults.iter().enumerate() {
        assert_eq!(fault.class, FaultClass::Server, "{sent}: {fault}");
        assert!(!fault.to_string().contains("SECRET"), "{fault}");
    }
    let requests = server.requests();
    assert_eq!(requests.len(), faults.len() + 1);
    // SNS is asked in the Region of the topic, whatever Region is watched.
    assert!(
        requests[2].contains("/us-west-2/sns/aws4_request"),
        "{}",
        requests[2]
    );
}

#[tokio::test]
async fn a_read_is_tried_three_times_at_most() {
    for reaction in [Reaction::Answer(500, "{}"), Reaction::Drop] {
        let server = Server::start(reaction.clone());
        let cloud = cloud(&server.url, &[ACCOUNT]).await;
        let filter = CaseFilter::Display(DisplayId::new("17"));
        let fault = cloud
            .list_cases(&scope(ACCOUNT), &filter, None)
            .await
            .unwrap_err();
        assert!(fault.may_have_happened(), "{fault}");
        assert_eq!(server.requests().len(), 3, "{reaction:?}");
        assert_eq!(
            cloud.calls().by_operation()["support:DescribeCases"],
            3,
            "{reaction:?}"
        );
    }
    let server = Server::start(Reaction::Hang);
    let cloud = cloud(&server.url, &[ACCOUNT]).await;
    let fault = cloud.list_quotas(&scope(ACCOUNT), None).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::Lost, "{fault}");
    assert!((1..=3).contains(&server.requests().len()));
}

#[tokio::test]
async fn nobody_listening_means_that_nothing_happened() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let cloud = cloud(&url, &[ACCOUNT]).await;
    let fault = cloud
        .create_case(&scope(ACCOUNT), &case())
        .await
        .unwrap_err();
    assert_eq!(fault.class, FaultClass::Connect, "{fault}");
    let fault = cloud
        .post(&post(&format!("{url}/SECRET")))
        .await
        .unwrap_err();
    assert_eq!(fault.class, FaultClass::Connect, "{fault}");
    assert!(!fault.to_string().contains("SECRET"), "{fault}");
}

#[tokio::test]
async fn support_is_asked_where_it_is_and_each_account_by_its_own_key() {
    let server = Server::start(Reaction::Answer(200, r#"{"cases":[]}"#));
    let cloud = cloud(&server.url, &[ACCOUNT, "444455556666"]).await;
    let filter = CaseFilter::After("2026-11-23T10:20:30.5Z".parse().unwrap());
    let page = cloud
        .list_cases(&scope("444455556666"), &filter, None)
        .await
        .unwrap();
    assert!(page.items.is_empty() && page.next.is_none());
    let request = server.requests().remove(0);
    assert!(request.contains("Credential=444455556666/"), "{request}");
    assert!(
        request.contains("/us-east-1/support/aws4_request"),
        "{request}"
    );
    for field in [
        r#""includeResolvedCases":true"#,
        r#""includeCommunications":true"#,
        r#""maxResults":100"#,
        r#""afterTime":"2026-11-23T10:20:30.000Z""#,
    ] {
        assert!(request.contains(field), "{field} in {request}");
    }
}

#[tokio::test]
async fn a_first_in_first_out_topic_gets_its_group() {
    const DELIVERED: &str = "<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>";
    let server = Server::start(Reaction::Answer(200, DELIVERED));
    let cloud = cloud(&server.url, &[ACCOUNT]).await;
    for topic in ["ops", "ops.fifo"] {
        let topic = format!("arn:aws:sns:us-east-1:{ACCOUNT}:{topic}");
        let id = cloud
            .publish(&scope(ACCOUNT), &topic, &message("hot", "text"))
            .await;
        assert_eq!(id.unwrap(), "m-1");
    }
    let grouped: Vec<_> = server
        .requests()
        .iter()
        .map(|request| {
            request.contains("MessageGroupId=bedrock-ops-alert")
                && request.contains("MessageDeduplicationId=")
        })
        .collect();
    assert_eq!(grouped, [false, true]);
}
