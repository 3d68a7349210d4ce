//! The entry: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    bedrock_ops_alert::cli::main()
}
