//! How every call is made: in its turn, counted, bounded, and its failure told in our words.

/// Sends an SDK request and waits for its answer: `send!(meter, read | once, "service:Operation", request)`.
///
/// `read` and `once` choose the bound of the answer; the client decides about retries. `send!(probe, request)` where the
/// probe is special.
macro_rules! send {
    ($meter:expr, $kind:ident, $operation:expr, $request:expr) => {
        $crate::aws::call::send!(
            $crate::aws::meter::Probe::$kind(&$meter, $operation),
            $request
        )
    };
    ($probe:expr, $request:expr) => {{
        let probe = $probe;
        probe.turn().await;
        let answer = $request
            .customize()
            .interceptor(probe.clone())
            .send()
            .await
            .map_err(|error| $crate::aws::fault::of(&probe, &error));
        probe.note(answer.as_ref().err().map(|fault| fault.class));
        answer
    }};
}

pub(super) use send;

/// The token of the next page; AWS sends an empty one now and then, which names no page.
pub(super) fn token(next: Option<String>) -> Option<String> {
    next.filter(|token| !token.is_empty())
}
