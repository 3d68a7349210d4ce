//! What systemd is told. Without systemd (no NOTIFY_SOCKET) nothing is sent and nothing fails.

use sd_notify::NotifyState;

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

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(event = "service.notify", %error, "could not tell systemd");
    }
}
