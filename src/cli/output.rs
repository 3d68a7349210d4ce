//! Where commands print: standard output for data, standard error for talk. Whoever reads them may stop at any time
//! (`| head`), which is no failure of the command.

use std::io::{self, ErrorKind, Stdout, Write};

/// Standard output of a command.
///
/// Once nobody reads it any more, the rest is let go in silence, and the command ends as it would have ended: what it was
/// asked to do is done, and `test` says whether the tests passed.
#[derive(Debug)]
pub(super) struct Output {
    out: Stdout,
    is_closed: bool,
}

impl Output {
    pub(super) fn new() -> Self {
        Self {
            out: io::stdout(),
            is_closed: false,
        }
    }

    fn settle<T>(&mut self, written: io::Result<T>, unheard: T) -> io::Result<T> {
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(unheard)
            }
            written => written,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed {
            return Ok(bytes.len());
        }
        let written = self.out.write(bytes);
        self.settle(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_closed {
            return Ok(());
        }
        let flushed = self.out.flush();
        self.settle(flushed, ())
    }
}

/// Standard output of a command that has much to say and nothing else to do: it fails once nobody reads it, so that the
/// command can end there ([`is_unread`]).
pub(super) fn long() -> io::StdoutLock<'static> {
    io::stdout().lock()
}

/// Whether this failed because nobody reads the output any more.
pub(super) fn is_unread(error: &io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
}

/// Talk. Where the terminal is gone, nobody is there to hear it.
pub(super) fn say(text: &str) {
    if let Err(failed) = writeln!(io::stderr(), "{text}") {
        tracing::debug!(%failed, "the terminal is gone");
    }
}
