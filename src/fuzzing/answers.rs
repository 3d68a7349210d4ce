//! Answers of AWS, through the real client: whatever comes back, a call ends with an answer or a fault.

use std::{
    sync::{Arc, LazyLock, Mutex, PoisonError},
    thread,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
};

use crate::{
    aws::{Endpoint, Patience, SdkCloud, SdkOptions},
    cloud::{
        CaseFilter, Cloud as _, Fault, Metric, MetricQuery, MetricRequest, NewCase, Publication,
        Simulation,
    },
    model::{
        ids::{AccountId, CaseId, PrincipalArn, QuotaCode, Region, RequestId, Scope, TargetId},
        time::{Minute, Timestamp},
        units::Amount,
    },
};

/// What the server answers next.
type Next = Arc<Mutex<(u16, Vec<u8>)>>;

struct Stage {
    runtime: Runtime,
    cloud: SdkCloud,
    next: Next,
}

static STAGE: LazyLock<Mutex<Stage>> = LazyLock::new(|| Mutex::new(Stage::new()));

/// The first byte chooses the call, the second one the status; the rest is the body.
pub(super) fn answer(data: &[u8]) {
    let [call, status, body @ ..] = data else {
        return;
    };
    let stage = STAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let status = [200, 200, 200, 400, 403, 503]
        .get(usize::from(status % 6))
        .copied();
    let mut next = stage.next.lock().unwrap_or_else(PoisonError::into_inner);
    *next = (status.unwrap_or(200), body.to_vec());
    drop(next);
    let ended = stage.runtime.block_on(ask(&stage.cloud, *call));
    if let Err(fault) = ended {
        assert!(!fault.operation.is_empty() && !fault.code.is_empty());
    }
}

async fn ask(cloud: &SdkCloud, call: u8) -> Result<(), Fault> {
    let scope = &Scope {
        account: AccountId::new("111122223333"),
        region: Region::new("us-east-1"),
    };
    let code = QuotaCode::new("L-12345678");
    let Some(one) = Amount::new(1.0) else {
        return Ok(());
    };
    match call % 17 {
        0 => cloud.metric_data(scope, request()).await.map(drop),
        1 => cloud
            .list_metrics(scope, "AWS/Bedrock", true, None)
            .await
            .map(drop),
        2 => cloud
            .metric_statistics(scope, &query(), (Minute(0), Minute(60)))
            .await
            .map(drop),
        3 => cloud.list_profiles(scope, None).await.map(drop),
        4 => cloud.list_models(scope).await.map(drop),
        5 => cloud.list_quotas(scope, None).await.map(drop),
        6 => cloud.get_quota(scope, &code).await.map(drop),
        7 => cloud.request_quota(scope, &code, one).await.map(drop),
        8 => cloud
            .get_quota_request(scope, &RequestId::new("1"))
            .await
            .map(drop),
        9 => cloud
            .quota_request_history(scope, &code, None)
            .await
            .map(drop),
        10 => cloud
            .list_cases(scope, &CaseFilter::After(Timestamp::UNIX_EPOCH), None)
            .await
            .map(drop),
        11 => cloud
            .list_communications(scope, &CaseId::new("case-1"), None)
            .await
            .map(drop),
        12 => cloud.create_case(scope, &case()).await.map(drop),
        13 => cloud
            .publish(
                scope,
                "arn:aws:sns:us-east-1:111122223333:t",
                &Publication {
                    subject: "s".to_owned(),
                    message: "m".to_owned(),
                    ..Publication::default()
                },
            )
            .await
            .map(drop),
        14 => cloud
            .list_tags(
                scope,
                &TargetId::new(
                    "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a",
                ),
            )
            .await
            .map(drop),
        15 => cloud.simulate(scope, &simulation(), None).await.map(drop),
        _ => cloud.caller(scope).await.map(drop),
    }
}

fn simulation() -> Simulation {
    Simulation {
        caller: PrincipalArn::new("arn:aws:iam::111122223333:role/app"),
        actions: vec!["bedrock:InvokeModel"],
        resource: "arn:aws:bedrock:us-east-1::foundation-model/a.b".to_owned(),
        context: [("aws:RequestedRegion", "us-east-1".to_owned())].into(),
    }
}

fn query() -> MetricQuery {
    MetricQuery {
        id: "m0".to_owned(),
        metric: Metric {
            namespace: "AWS/Bedrock".to_owned(),
            name: "Invocations".to_owned(),
            dimensions: [("ModelId".to_owned(), "a.b".to_owned())].into(),
        },
        statistic: "Sum".to_owned(),
        period_seconds: 60,
    }
}

fn request() -> MetricRequest {
    MetricRequest {
        queries: vec![query()],
        from: Minute(0),
        until: Minute(60),
        page: None,
    }
}

fn case() -> NewCase {
    let text = || "text".to_owned();
    NewCase {
        subject: text(),
        body: text(),
        service_code: text(),
        category_code: text(),
        severity_code: text(),
        issue_type: text(),
        cc: Vec::new(),
        attachments: None,
    }
}

impl Stage {
    #[expect(
        clippy::expect_used,
        reason = "without loopback there is nothing to test"
    )]
    fn new() -> Self {
        let next = Next::default();
        let server = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = server
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a port on loopback");
        let port = listener.local_addr().expect("it is bound").port();
        let serving = Arc::clone(&next);
        thread::spawn(move || server.block_on(serve(listener, serving)));
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let options = SdkOptions {
            accounts: Vec::new(),
            patience: Patience::at_speed(u32::MAX),
            endpoint: Some(Endpoint::simulated(
                format!("http://127.0.0.1:{port}"),
                Region::new("us-east-1"),
            )),
        };
        let cloud = runtime
            .block_on(SdkCloud::connect(options))
            .expect("an endpoint on loopback");
        Self {
            runtime,
            cloud,
            next,
        }
    }
}

async fn serve(listener: TcpListener, next: Next) {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::task::spawn_local(converse(stream, Arc::clone(&next)));
            }
        })
        .await;
}

/// Answers each request on a connection until the other side closes it.
async fn converse(stream: TcpStream, next: Next) {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut length, mut is_cbor, mut line) = (0_usize, false, String::new());
        loop {
            line.clear();
            match stream.read_line(&mut line).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let header = line.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            is_cbor |= header.starts_with("smithy-protocol") && header.ends_with("cbor");
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut sent = vec![0; length];
        if stream.read_exact(&mut sent).await.is_err() {
            return;
        }
        let (status, body) = next.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let kind = if is_cbor {
            "smithy-protocol: rpc-v2-cbor\r\ncontent-type: application/cbor"
        } else {
            "content-type: application/x-amz-json-1.1"
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\n{kind}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let answer = [head.as_bytes(), &body].concat();
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}
