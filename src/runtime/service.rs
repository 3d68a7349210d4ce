//! What systemd is told. Without systemd (no NOTIFY_SOCKET) nothing is sent and nothing fails.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sd_notify::NotifyState;

/// Whether systemd did not hear the last word.
static UNHEARD: AtomicBool = AtomicBool::new(false);
/// How often the process said how things stand.
static STEPS: AtomicU64 = AtomicU64::new(0);

/// Store, configuration and identity are proved: the unit is up.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The loop is alive; called every few seconds, by the loop itself.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// One line on how things stand; called once a cycle, and where there is none for a reason.
pub fn status(line: &str) {
    STEPS.fetch_add(1, Ordering::Relaxed);
    tell(&[NotifyState::Status(line)]);
}

/// How often that was said: whoever says how things stand has not come to a stop.
pub fn steps() -> u64 {
    STEPS.load(Ordering::Relaxed)
}

/// A changed configuration is taken in; [`ready`] ends it.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(since) => tell(&[NotifyState::Reloading, since]),
        Err(error) => {
            tracing::warn!(event = "service.notify", %error, "could not tell systemd");
        }
    }
}

/// On the way out.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// A socket that is gone is told once, and again after it was there: each cycle writes to it.
fn tell(state: &[NotifyState<'_>]) {
    let told = sd_notify::notify(state);
    let was_unheard = UNHEARD.swap(told.is_err(), Ordering::Relaxed);
    if let (Err(error), false) = (told, was_unheard) {
        tracing::warn!(event = "service.notify", %error, "could not tell systemd; told again only after it could");
    }
}
