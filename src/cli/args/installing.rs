//! Options of the commands around installing.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};
use clap_complete::Shell;

use crate::cli::{host, remote};

#[derive(Debug, Args)]
pub(in crate::cli) struct CompletionsArgs {
    /// For which shell.
    pub(in crate::cli) shell: Shell,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ManArgs {
    /// Of which command; without it, of the program.
    #[arg(conflicts_with = "folder")]
    pub(in crate::cli) command: Option<String>,
    /// Write the pages of all commands into this folder instead.
    #[arg(long, value_name = "FOLDER")]
    pub(in crate::cli) folder: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SchemaArgs {
    /// Of which file.
    #[arg(default_value = "config")]
    pub(in crate::cli) of: SchemaOf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum SchemaOf {
    /// The configuration.
    Config,
    /// A file with rules.
    Rules,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct HealthArgs {
    /// Address of the running service; without it, BOA_LISTEN or http://127.0.0.1:9464.
    #[arg(long, env = "BOA_URL", value_name = "URL")]
    pub(in crate::cli) url: Option<String>,
    /// Where the service listens.
    #[arg(long, env = "BOA_LISTEN", value_name = "ADDRESS:PORT", hide = true)]
    pub(in crate::cli) listen: Option<SocketAddr>,
    /// Ask whether it does its work everywhere, and not only whether it is alive.
    #[arg(long)]
    pub(in crate::cli) ready: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DoctorArgs {
    #[command(flatten)]
    pub(in crate::cli) overrides: super::Overrides,
    /// Print JSON; the shape is in docs/troubleshooting.md.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    /// Where the configuration is written; never over a file that is there.
    #[arg(long, short, value_name = "FILE", default_value = "config.toml")]
    pub(in crate::cli) output: PathBuf,
    /// A role in a further account; may be given several times.
    #[arg(long, value_name = "ARN")]
    pub(in crate::cli) role: Vec<String>,
    /// The SNS topic that people hear by.
    #[arg(long, value_name = "ARN")]
    pub(in crate::cli) topic: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BundleArgs {
    #[command(flatten)]
    pub(in crate::cli) overrides: super::Overrides,
    /// Where it is written; never over a file that is there.
    #[arg(long, short, value_name = "FILE", default_value = "bundle.json.gz")]
    pub(in crate::cli) output: PathBuf,
    /// Address of the running service; without it that of this machine.
    #[arg(long, env = "BOA_URL", value_name = "URL")]
    url: Option<String>,
    /// The file with the token, where the service asks for one.
    #[arg(long, env = "BOA_TOKEN_FILE", value_name = "FILE", value_parser = remote::Token::in_file)]
    token_file: Option<remote::Token>,
}

impl BundleArgs {
    /// Where the service is, with the token.
    pub(in crate::cli) fn address(&self) -> String {
        host::address(self.url.as_deref(), self.token_file.as_ref())
    }
}
