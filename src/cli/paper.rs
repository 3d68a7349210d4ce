//! What is printed without asking anybody: completions, manual pages, schemas.

use std::{
    io::{self, Write},
    path::Path,
};

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::Value;

use super::args::{SchemaOf, program};
use crate::config::{ConfigError, schema};

/// Completions of all commands and options for this shell.
pub(super) fn completions(shell: Shell, out: &mut dyn Write) -> io::Result<()> {
    let mut command = program();
    let name = command.get_name().to_owned();
    // It panics where it can't write, which a pipe may well do.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut text);
    out.write_all(&text)
}

/// The page of the program, or of one command; `None` where there is no such command.
pub(super) fn page(of: Option<&str>, out: &mut dyn Write) -> Option<io::Result<()>> {
    let program = built();
    let command = match of {
        None => program,
        Some(name) => program.find_subcommand(name)?.clone(),
    };
    Some(Man::new(command).render(out))
}

/// The pages of all commands, one file each, in a folder that exists.
pub(super) fn pages(folder: &Path) -> io::Result<()> {
    clap_mangen::generate_to(program(), folder)
}

/// A command knows the whole name of each of its own once it is built.
fn built() -> Command {
    let mut program = program().disable_help_subcommand(true);
    program.build();
    program
}

/// JSON Schema of a file that people write.
pub(super) fn schema(of: SchemaOf) -> Result<Value, ConfigError> {
    match of {
        SchemaOf::Config => schema::of_settings(),
        SchemaOf::Rules => Ok(schema::of_rules()),
    }
}
