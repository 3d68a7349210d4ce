//! What systemd is told. Without systemd (no NOTIFY_SOCKET) nothing is sent and nothing fails.

use std::sync::atomic::{AtomicBool, Ordering};

use sd_notify::NotifyState;

/// Whether systemd did not hear the last word.
static UNHEARD: AtomicBool = AtomicBool::new(false);

/// Store, configuration and identity are proved: the unit is up.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The loop is alive; called once a cycle, by the loop itself.
pub fn alive(status: &str) {
    tell(&[NotifyState::Watchdog, NotifyState::Status(status)]);
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
