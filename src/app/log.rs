//! Where log lines go: one a line on standard error, JSON when nobody sits at the terminal.

use std::{env::VarError, io::IsTerminal as _};

use tracing::Level;
use tracing_subscriber::{Layer as _, filter::Targets, fmt, prelude::*};

/// What filters the lines.
const FILTER: &str = "BOA_LOG";

/// Sets up logging once for the process. `BOA_LOG` filters, as in `info,bedrock_ops_alert=debug`.
pub fn init() {
    let (filter, fault) = filter(std::env::var(FILTER));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = if std::io::stderr().is_terminal() {
        let is_plain = std::env::var_os("NO_COLOR").is_some();
        lines.with_ansi(!is_plain).with_target(false).boxed()
    } else {
        let lines = lines.json().flatten_event(true);
        lines.with_current_span(false).boxed()
    };
    let result = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init();
    if result.is_err() {
        tracing::debug!("logging is set up already");
    }
    if let Some(fault) = fault {
        tracing::warn!(event = "log.filter", "{fault}");
    }
}

/// What is asked for, and what is wrong with it: then it is as if nothing was.
fn filter(asked: Result<String, VarError>) -> (Targets, Option<String>) {
    let usual = Targets::new()
        .with_default(Level::INFO)
        .with_target("aws_config", Level::WARN)
        .with_target("tokio_cron_scheduler", Level::WARN);
    let why = match asked {
        Err(VarError::NotPresent) => return (usual, None),
        Ok(text) => match text.parse() {
            Ok(targets) => return (targets, None),
            Err(why) => format!("`{text}`: {why}"),
        },
        Err(why @ VarError::NotUnicode(_)) => why.to_string(),
    };
    let fault = format!(
        "{FILTER} can't be read ({why}) and changes nothing; it reads like `info` or `info,bedrock_ops_alert=debug`"
    );
    (usual, Some(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> (Targets, Option<String>) {
        filter(Ok(text.to_owned()))
    }

    #[test]
    fn lines_are_filtered_by_level_and_by_who_says_them() {
        let (usual, fault) = filter(Err(VarError::NotPresent));
        assert_eq!(fault, None);
        assert!(usual.would_enable("bedrock_ops_alert::runtime", &Level::INFO));
        assert!(!usual.would_enable("bedrock_ops_alert::runtime", &Level::DEBUG));
        assert!(!usual.would_enable("aws_config::profile", &Level::INFO));
        let (own, fault) = asked("warn,bedrock_ops_alert=debug");
        assert_eq!(fault, None);
        assert!(own.would_enable("bedrock_ops_alert::runtime", &Level::DEBUG));
        assert!(!own.would_enable("aws_config", &Level::INFO));
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_told_and_hides_nothing() {
        let (filter, fault) = asked("bedrock_ops_alert=loud");
        assert!(filter.would_enable("bedrock_ops_alert", &Level::INFO));
        let fault = fault.unwrap();
        for part in [
            "BOA_LOG",
            "bedrock_ops_alert=loud",
            "info,bedrock_ops_alert=debug",
        ] {
            assert!(fault.contains(part), "{fault}");
        }
    }
}
