//! Where log lines go: one a line on standard error, JSON when nobody sits at the terminal.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt};

/// Sets up logging once for the process. `BOA_LOG` filters, as in `info,bedrock_ops_alert=debug`.
pub fn init() {
    let filter = EnvFilter::try_from_env("BOA_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,aws_config=warn,tokio_cron_scheduler=warn"));
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let result = if std::io::stderr().is_terminal() {
        let is_plain = std::env::var_os("NO_COLOR").is_some();
        lines.with_ansi(!is_plain).with_target(false).try_init()
    } else {
        lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .try_init()
    };
    if result.is_err() {
        tracing::debug!("logging is set up already");
    }
}
