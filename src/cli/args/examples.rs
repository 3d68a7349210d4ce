//! An example for each command, as its help shows it. Each can be typed as it stands; a test reads them all.

use clap::{Command, CommandFactory as _};

use super::Cli;

/// What is typed before each.
pub(in crate::cli) const PROGRAM: &str = "bedrock-ops-alert";

/// Command, with the words of one below it, and what stands behind it.
const EXAMPLES: [(&str, &str); 36] = [
    ("run", "--config config.toml"),
    ("demo", "--for 2d --speed max"),
    ("sim", "--port 8711 --world world.toml --speed 60"),
    ("check", "--config config.toml --deny-warnings"),
    ("test", "tests --junit report.xml"),
    ("backtest", "--state store --from 2026-01-05T00:00:00Z"),
    ("discover", "--config config.toml --json"),
    ("status", "--exit-code"),
    ("cost", "--plan --config config.toml --targets 50"),
    ("explain", "inc-3f9a1c20d4e5"),
    (
        "history",
        "111122223333/us-east-1/geo/anthropic.claude-sonnet-4-6 --signal tpm",
    ),
    ("iam-policy", "--config config.toml --mode file"),
    ("ran", "--config config.toml logs --csv"),
    (
        "plan",
        "111122223333/us-east-1/geo/anthropic.claude-sonnet-4-6",
    ),
    (
        "ask",
        "111122223333/us-east-1/geo/anthropic.claude-sonnet-4-6 2000000 --reason launch --by Kim",
    ),
    ("approve", "act-3f9a1c20d4e5 --by Kim"),
    ("reject", "act-3f9a1c20d4e5 --by Kim --reason planned"),
    (
        "silence add",
        "--account 111122223333 --for 2h --reason load-test --by Kim",
    ),
    ("silence list", "--json"),
    ("silence expire", "sil-3f9a1c20d4e5 --by Kim"),
    ("ack", "inc-3f9a1c20d4e5 --by Kim"),
    ("snooze", "inc-3f9a1c20d4e5 --for 4h --by Kim"),
    ("stop-writes", "--reason wrong-table --by Kim"),
    ("resume-writes", "--by Kim"),
    ("audit", "--json"),
    ("notify test", "on-call"),
    ("drill", "--config config.toml"),
    ("store dump", "bedrock-ops-alert-store"),
    ("store load", "new-store"),
    ("store verify", "bedrock-ops-alert-store"),
    ("store salvage", "bedrock-ops-alert-store"),
    ("init", "--output config.toml"),
    ("doctor", "--config config.toml"),
    ("bundle", "--output bundle.json.gz"),
    ("health", "--ready"),
    ("schema", "rules"),
];

/// The whole command line, each command with its example.
pub(in crate::cli) fn program() -> Command {
    EXAMPLES
        .iter()
        .fold(Cli::command(), |program, (path, rest)| {
            let example = format!("Example:\n  {PROGRAM} {path} {rest}");
            let words: Vec<&str> = path.split(' ').collect();
            with(program, &words, &example)
        })
}

fn with(command: Command, path: &[&str], example: &str) -> Command {
    match path.split_first() {
        None => command.after_long_help(example.to_owned()),
        Some((first, rest)) => command.mut_subcommand(first, |it| with(it, rest, example)),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    /// Those without commands of their own; the two that print paper say how in their first line.
    fn commands(of: &Command, path: &str, found: &mut Vec<String>) {
        let below: Vec<&Command> = of
            .get_subcommands()
            .filter(|it| it.get_name() != "help")
            .collect();
        if below.is_empty() && !["completions", "man"].contains(&path) {
            found.push(path.to_owned());
        }
        for it in below {
            let path = format!("{path} {}", it.get_name());
            commands(it, path.trim(), found);
        }
    }

    #[test]
    fn each_command_has_an_example_that_can_be_typed() {
        let mut all = Vec::new();
        commands(&Cli::command(), "", &mut all);
        let mut with_example: Vec<String> = EXAMPLES
            .iter()
            .map(|(path, _)| (*path).to_owned())
            .collect();
        all.sort();
        with_example.sort();
        assert_eq!(all, with_example);
        for (path, rest) in EXAMPLES {
            let line = format!("{PROGRAM} {path} {rest}");
            if let Err(error) = Cli::try_parse_from(line.split(' ')) {
                panic!("{line}: {error}");
            }
        }
    }
}
