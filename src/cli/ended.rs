//! How the service ended: its error, with the exit code and the remedy that fit.

use super::exit::{self, Exit};
use crate::{
    app::run::RunError,
    runtime::{cycle::CycleError, daemon::DaemonError, sim_clock::SimClockError, ticks::TickError},
};

/// Why the service ended, with the exit code that fits.
pub(super) fn ended(error: &RunError) -> Exit {
    match error {
        RunError::Store(cause)
        | RunError::Daemon(DaemonError::Cycle {
            source: CycleError::Store(cause),
            ..
        }) => Exit::new(cause.exit_code(), error, cause.help()),
        RunError::Connect(cause) if cause.is_configuration() => {
            Exit::new(exit::CONFIG, error, cause.help())
        }
        RunError::Connect(cause) => Exit::new(exit::UNREACHABLE, error, cause.help()),
        RunError::NotLoopback(_) => Exit::new(
            exit::CONFIG,
            error,
            "set AWS_ENDPOINT_URL to the simulated AWS, such as http://127.0.0.1:4566, and unset the others",
        ),
        RunError::SimClock(SimClockError::Url { .. } | SimClockError::NotLoopback { .. }) => {
            Exit::new(exit::CONFIG, error, "")
        }
        RunError::SimClock(_)
        | RunError::Ticks(TickError::Sim(_))
        | RunError::Daemon(DaemonError::Ticks(TickError::Sim(_))) => Exit::new(
            exit::UNREACHABLE,
            error,
            "start `bedrock-ops-alert sim` there first, or leave --sim-clock out to run on the real AWS in real time",
        ),
        RunError::Listen { .. } => Exit::new(
            exit::CONFIG,
            error,
            "another process may use the port: name another with --listen or BOA_LISTEN",
        ),
        RunError::Ticks(TickError::Scheduler(_))
        | RunError::Daemon(
            DaemonError::Cycle { .. } | DaemonError::Ticks(TickError::Scheduler(_)),
        )
        | RunError::Signals(_)
        | RunError::Open { .. } => Exit::new(
            exit::FAILED,
            error,
            "this is a fault of ours: please report it with the log",
        ),
    }
}
