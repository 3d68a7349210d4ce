//! Clients that are slow on purpose, over real sockets. Nothing is timed: each waits until the other side closes.

use axum::routing::get;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::oneshot,
};

use super::*;

const SOON: Duration = Duration::from_millis(50);

/// Runs this against a listener with a short deadline for headers, then stops it.
async fn against<T>(headers: Duration, visit: impl AsyncFnOnce(std::net::SocketAddr) -> T) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(async || "well"));
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async {
        stopped.await.unwrap_or(());
    };
    let serving = serve(Limited::new(listener), router, headers, stopped);
    let visiting = async {
        let seen = visit(address).await;
        drop(stop);
        seen
    };
    let ((), seen) = tokio::join!(serving, visiting);
    seen
}

/// All that the other side says until it closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let end = stream.read_to_end(&mut said).await; // a reset is a close, too
    drop(end);
    String::from_utf8(said).unwrap()
}

async fn ask(address: std::net::SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    rest(&mut stream).await
}

#[tokio::test]
async fn connections_that_say_nothing_are_closed_and_the_next_client_is_served() {
    let answer = against(SOON, async |address| {
        let mut silent = Vec::new();
        for _ in 0..MOST_CONNECTIONS + 10 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let answer = ask(address).await;
        for stream in &mut silent {
            assert!(!rest(stream).await.contains("well"));
        }
        answer
    })
    .await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("well"),
        "{answer}"
    );
}

#[tokio::test]
async fn headers_that_never_end_are_not_waited_for() {
    let (said, again) = against(SOON, async |address| {
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nHost: loc")
            .await
            .unwrap();
        let said = rest(&mut slow).await;
        // One that was answered and then drips.
        let mut kept = TcpStream::connect(address).await.unwrap();
        kept.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET ")
            .await
            .unwrap();
        (said, rest(&mut kept).await)
    })
    .await;
    assert!(!said.contains("well"), "{said}");
    assert_eq!(again.matches("well").count(), 1, "{again}");
}

/// A stop lets go of whoever only waits.
#[tokio::test]
async fn a_stop_ends_connections_that_wait() {
    let mut waiting = against(Duration::from_secs(3_600), async |address| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        stream
    })
    .await;
    assert!(rest(&mut waiting).await.ends_with("well"));
}
