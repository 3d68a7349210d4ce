//! Answers that no AWS should give, on the wire: too long, packed, endless, and numbers that are no counts.

#![cfg(test)] // helpers count as tests, too

mod singles;

use std::{
    collections::BTreeMap,
    io::{BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use bedrock_ops_alert::{
    cloud::{Cloud as _, FaultClass},
    collect,
    model::{
        book::{Book, Record},
        catalog::{Family, PoolId, Target, TargetKind},
        ids::{ModelId, TargetId},
        series::{Depth, Reading, Sample, Signal},
        time::{Minute, Timestamp},
    },
};
use ciborium::{cbor, value::Value};
use flate2::{Compression, write::GzEncoder};

use crate::sdk_faults::{ACCOUNT, case, cloud, read_request, scope};

/// What a server would send, if it were let.
const FLOOD: usize = 100 << 20;
/// What the sockets of both sides may hold beyond what was read.
const IN_FLIGHT: u64 = 16 << 20;

/// How a flood is announced.
#[derive(Clone, Copy, Debug)]
enum Flood {
    WithLength,
    InChunks,
    /// 100 MiB of zeros, packed into a hundredth of a mebibyte or so.
    Packed,
}

/// A server on loopback that floods whoever asks; it ends with the test process. Counts what it got rid of, and how
/// often it was asked.
struct Flooder {
    url: String,
    sent: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
}

impl Flooder {
    fn start(flood: Flood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sent, asked) = (Arc::default(), Arc::default());
        let flooder = Self { url, sent, asked };
        let (sent, asked) = (Arc::clone(&flooder.sent), Arc::clone(&flooder.asked));
        let bomb: Arc<[u8]> = match flood {
            Flood::Packed => packed_zeros().into(),
            Flood::WithLength | Flood::InChunks => Arc::default(),
        };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (sent, asked) = (Arc::clone(&sent), Arc::clone(&asked));
                let bomb = Arc::clone(&bomb);
                thread::spawn(move || drown(stream.unwrap(), (flood, &bomb), &sent, &asked));
            }
        });
        flooder
    }
}

fn drown(
    mut stream: TcpStream,
    (flood, bomb): (Flood, &[u8]),
    sent: &AtomicU64,
    asked: &AtomicU64,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    if read_request(&mut reader).is_none() {
        return;
    }
    asked.fetch_add(1, Ordering::SeqCst);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\n";
    // The client hangs up in the midst of it, which is what it should do.
    let _hung_up = match flood {
        Flood::WithLength => write!(stream, "{head}content-length: {FLOOD}\r\n\r\n")
            .and_then(|()| pour(&mut stream, sent, false)),
        Flood::InChunks => write!(stream, "{head}transfer-encoding: chunked\r\n\r\n")
            .and_then(|()| pour(&mut stream, sent, true)),
        Flood::Packed => {
            let length = bomb.len();
            sent.fetch_add(length.try_into().unwrap(), Ordering::SeqCst);
            write!(
                stream,
                "{head}content-encoding: gzip\r\ncontent-length: {length}\r\n\r\n"
            )
            .and_then(|()| stream.write_all(bomb))
        }
    };
}

fn pour(stream: &mut TcpStream, sent: &AtomicU64, in_chunks: bool) -> std::io::Result<()> {
    const PIECE: usize = 1 << 16;
    let piece = vec![b' '; PIECE];
    for _ in 0..FLOOD / PIECE {
        if in_chunks {
            write!(stream, "{PIECE:x}\r\n")?;
        }
        stream.write_all(&piece)?;
        if in_chunks {
            stream.write_all(b"\r\n")?;
        }
        sent.fetch_add(PIECE.try_into().unwrap(), Ordering::SeqCst);
    }
    Ok(())
}

fn packed_zeros() -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(&vec![0; FLOOD]).unwrap();
    packer.finish().unwrap()
}

#[tokio::test]
async fn an_answer_without_end_is_read_to_its_bound_and_no_further() {
    for flood in [Flood::WithLength, Flood::InChunks, Flood::Packed] {
        let server = Flooder::start(flood);
        let port = cloud(&server.url, &[ACCOUNT]).await;
        let fault = port.list_quotas(&scope(ACCOUNT), None).await.unwrap_err();
        assert_eq!(fault.class, FaultClass::Garbled, "{flood:?}: {fault}");
        let asked = server.asked.load(Ordering::SeqCst);
        let sent = server.sent.load(Ordering::SeqCst);
        assert!(asked <= 3, "{flood:?}: asked {asked} times");
        let most = asked * ((8 << 20) + IN_FLIGHT);
        assert!(sent <= most, "{flood:?}: {sent} bytes in {asked} answers");
    }
}

#[tokio::test]
async fn what_files_a_case_reads_less_and_asks_once() {
    for flood in [Flood::WithLength, Flood::InChunks, Flood::Packed] {
        let server = Flooder::start(flood);
        let port = cloud(&server.url, &[ACCOUNT]).await;
        let fault = port
            .create_case(&scope(ACCOUNT), &case())
            .await
            .unwrap_err();
        // It may have been opened: somebody has to look.
        assert_eq!(fault.class, FaultClass::Garbled, "{flood:?}: {fault}");
        assert_eq!(server.asked.load(Ordering::SeqCst), 1, "{flood:?}");
        let sent = server.sent.load(Ordering::SeqCst);
        assert!(sent <= (1 << 20) + IN_FLIGHT, "{flood:?}: {sent} bytes");
    }
}

/// A server that gives these answers of GetMetricData one after another, and the last one for ever.
fn data_server(answers: Vec<Value>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers: Vec<Vec<u8>> = answers.iter().map(packed).collect();
    let next = Arc::new(AtomicU64::new(0));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (answers, next) = (answers.clone(), Arc::clone(&next));
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while read_request(&mut reader).is_some() {
                    let index = usize::try_from(next.fetch_add(1, Ordering::SeqCst)).unwrap();
                    let body = &answers[index.min(answers.len() - 1)];
                    let length = body.len();
                    write!(
                        stream,
                        "HTTP/1.1 200 OK\r\ncontent-type: application/cbor\r\nsmithy-protocol: rpc-v2-cbor\r\ncontent-length: {length}\r\n\r\n"
                    )
                    .unwrap();
                    stream.write_all(body).unwrap();
                }
            });
        }
    });
    url
}

fn packed(answer: &Value) -> Vec<u8> {
    let mut body = Vec::new();
    ciborium::into_writer(answer, &mut body).unwrap();
    body
}

fn now() -> Timestamp {
    "2026-11-24T12:00:30Z".parse().unwrap()
}

fn minute(ago: i64) -> Minute {
    Minute::of(now()).plus(-ago)
}

fn pool() -> PoolId {
    PoolId {
        scope: scope(ACCOUNT),
        family: Family::Geo,
        model: ModelId::new("anthropic.claude-sonnet-4-6"),
    }
}

/// One pool of one target, read through to five minutes ago.
fn book() -> Book {
    let mut book = Book::default();
    book.apply(vec![
        Record::Target(Target {
            id: TargetId::new("eu.anthropic.claude-sonnet-4-6"),
            kind: TargetKind::SystemProfile,
            pool: pool(),
            first_seen: Timestamp::UNIX_EPOCH,
        }),
        Record::ReadThrough(pool(), minute(5)),
    ]);
    book
}

/// A series of the answer. `t0_0` is the first target's first one: its invocations.
fn series(id: &str, status: &str, points: &[(i64, f64)]) -> Value {
    let times = points.iter().map(|(ago, _)| {
        let seconds = minute(*ago).start().as_second();
        Value::Tag(1, Box::new(Value::Integer(seconds.into())))
    });
    let times: Vec<Value> = times.collect();
    let values: Vec<Value> = points.iter().map(|(_, it)| Value::Float(*it)).collect();
    cbor!({ "Id" => id, "StatusCode" => status, "Timestamps" => Value::Array(times), "Values" => Value::Array(values) })
        .unwrap()
}

fn page(results: Vec<Value>, next: Option<&str>) -> Value {
    let mut page = BTreeMap::from([("MetricDataResults".to_owned(), Value::Array(results))]);
    if let Some(next) = next {
        page.insert("NextToken".to_owned(), Value::Text(next.to_owned()));
    }
    Value::Map(
        page.into_iter()
            .map(|(name, value)| (Value::Text(name), value))
            .collect(),
    )
}

/// What the daemon makes of these answers: the reading, if there is one, and the codes of the faults.
async fn read(answers: Vec<Value>) -> (Option<Reading>, Vec<String>) {
    let url = data_server(answers);
    let port = cloud(&url, &[ACCOUNT]).await;
    let pools = [(pool(), Depth::Full)];
    let mut got = collect::read(&port, &scope(ACCOUNT), &pools, &book(), &mut 0, now()).await;
    let codes = got.faults.iter().map(|fault| fault.code.clone()).collect();
    let reading = got.found.pop().map(|read| read.reading);
    (reading, codes)
}

fn invocations(reading: &Reading, ago: i64) -> Sample {
    let index = usize::try_from(minute(ago).since(reading.from)).unwrap();
    reading.signals[&Signal::Invocations][index]
}

#[tokio::test]
async fn numbers_that_are_no_counts_are_told_and_unobserved() {
    let bad = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -1.0,
        9_007_199_254_740_994.0, // 2^53 + 2: its neighbours can't be told apart
        f64::MAX,
    ];
    for value in bad {
        // Unordered, the bad one in the middle.
        let points = [(7, 3.0), (9, 4.0), (8, value), (6, 5.0)];
        let answer = page(vec![series("t0_0", "Complete", &points)], None);
        let (reading, codes) = read(vec![answer]).await;
        let reading = reading.unwrap();
        let known = [9, 8, 7, 6].map(|ago| invocations(&reading, ago));
        let expected = [
            Sample::Value(4.0),
            Sample::Unobserved,
            Sample::Value(3.0),
            Sample::Value(5.0),
        ];
        assert_eq!(known, expected, "{value}");
        assert!(
            codes.contains(&"NotACount".to_owned()),
            "{value}: {codes:?}"
        );
    }
}

#[tokio::test]
async fn words_and_parts_that_are_missing_prove_nothing() {
    let known = series("t0_0", "Complete", &[(9, 4.0)]);
    let without = |name: &str| {
        let Value::Map(members) = known.clone() else {
            panic!("a series is a map")
        };
        let left = members.into_iter();
        Value::Map(
            left.filter(|(key, _)| key.as_text() != Some(name))
                .collect(),
        )
    };
    for (answer, code) in [
        (series("t0_0", "Perhaps", &[(9, 4.0)]), "InternalError"),
        (without("StatusCode"), "InternalError"),
        (without("Id"), "IncompleteAnswer"),
        (without("Values"), "IncompleteAnswer"),
        (without("Timestamps"), "IncompleteAnswer"),
        (series("t9_9", "Complete", &[(9, 4.0)]), "NotAsked"),
        (series("t0_0", "Complete", &[(90, 4.0)]), "NotAsked"),
    ] {
        let (reading, codes) = read(vec![page(vec![answer], None)]).await;
        assert!(codes.contains(&code.to_owned()), "{code}: {codes:?}");
        let zeros = reading.map(|it| invocations(&it, 8));
        assert!(
            !matches!(zeros, Some(Sample::Value(_))),
            "{code}: no zero without proof"
        );
    }
}

#[tokio::test]
async fn pages_without_end_and_tokens_that_come_again_end() {
    let empty = |token: &str| page(Vec::new(), Some(token));
    let endless: Vec<Value> = (0..200).map(|number| empty(&number.to_string())).collect();
    let whole = page(vec![series("t0_0", "Complete", &[(9, 4.0)])], None);
    for (answers, code, is_read) in [
        (vec![empty("again")], "RepeatedToken", false),
        (endless, "PagesWithoutEnd", false),
        // Empty pages before the data, and an empty token at the end, are AWS's way.
        (vec![empty("1"), empty("2"), whole], "MissingResult", true),
    ] {
        let (reading, codes) = read(answers).await;
        assert!(codes.contains(&code.to_owned()), "{code}: {codes:?}");
        let known = invocations(&reading.unwrap(), 9);
        assert_eq!(known == Sample::Value(4.0), is_read, "{code}: {known:?}");
        assert!(is_read || known == Sample::Unobserved, "{code}: {known:?}");
    }
}
