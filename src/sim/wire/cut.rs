//! Connections that can be cut in the middle of an answer, byte by byte as a broken network would.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

const WHOLE: u8 = 0;
const NOTHING: u8 = 1;
const HALF: u8 = 2;

/// The scissors of one connection; handlers get them as connect info.
#[derive(Clone, Debug, Default)]
pub(super) struct Scissors(Arc<AtomicU8>);

impl Scissors {
    /// The next byte written ends the connection: the answer is lost.
    pub(super) fn drop_answer(&self) {
        self.0.store(NOTHING, Ordering::Release);
    }

    /// The next write is cut in half and the connection ends: the answer is truncated.
    pub(super) fn cut_answer(&self) {
        self.0.store(HALF, Ordering::Release);
    }
}

/// A TCP listener whose connections carry scissors.
#[derive(Debug)]
pub(super) struct CutListener(pub(super) TcpListener);

/// A connection with scissors.
#[derive(Debug)]
pub(super) struct CutStream {
    stream: TcpStream,
    scissors: Scissors,
}

impl Listener for CutListener {
    type Io = CutStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Answers are small and clients wait for each: coalescing would cost 40 ms a call.
        if let Err(cause) = stream.set_nodelay(true) {
            tracing::debug!(%cause, "a connection of the simulator keeps its delay");
        }
        let scissors = Scissors::default();
        (CutStream { stream, scissors }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, CutListener>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, CutListener>) -> Self {
        stream.io().scissors.clone()
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "cut by the simulator's faults")
}

impl AsyncRead for CutStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for CutStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.scissors.0.load(Ordering::Acquire) {
            WHOLE => Pin::new(&mut self.stream).poll_write(context, bytes),
            HALF => {
                let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
                let written = Pin::new(&mut self.stream).poll_write(context, half);
                if written.is_ready() {
                    self.scissors.drop_answer();
                }
                written
            }
            _ => Poll::Ready(Err(cut())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
