//! Every text an operator can get from the store, as they see it.

use std::{error::Error, fmt::Write, io, path::PathBuf};

use bedrock_ops_alert::{model::ids::ActionId, store::StoreError};

fn all() -> Vec<StoreError> {
    let path = PathBuf::from("/var/lib/bedrock-ops-alert");
    let cause = || io::Error::other("No space left on device");
    vec![
        StoreError::Io {
            doing: "open",
            path: path.join("mark"),
            cause: cause(),
        },
        StoreError::Engine {
            doing: "flush",
            path: path.clone(),
            why: "IO error: Input/output error".to_owned(),
        },
        StoreError::Damaged {
            path: path.clone(),
            what: "intent `act-abc` is missing, and the chain of intents tells of it".to_owned(),
        },
        StoreError::Newer {
            path: path.clone(),
            found: 3,
            supported: 1,
        },
        StoreError::Migration {
            path: path.clone(),
            from: 1,
            to: 3,
            why: "there is no step from format 2".to_owned(),
        },
        StoreError::NotAStore {
            path: path.clone(),
            found: "thesis.tex".to_owned(),
        },
        StoreError::NotAFolder {
            path: path.join("store"),
            file: path.clone(),
        },
        StoreError::Missing { path: path.clone() },
        StoreError::InUse { path: path.clone() },
        StoreError::Conflict {
            action: ActionId::new("act-abcdefghij"),
            stored: Some(4),
            offered: 4,
        },
        StoreError::Conflict {
            action: ActionId::new("act-abcdefghij"),
            stored: None,
            offered: 2,
        },
        StoreError::Unstorable {
            what: "hour".to_owned(),
            why: "`hour`: minute 61 is not the first of an hour".to_owned(),
        },
        StoreError::NotDurable {
            path: path.clone(),
            why: "IO error: No space left on device".to_owned(),
        },
        StoreError::Poisoned {
            path,
            why: "IO error: No space left on device".to_owned(),
        },
        StoreError::DumpIo {
            doing: "write",
            cause: cause(),
        },
        StoreError::Dump {
            line: 17,
            why: "the end is missing: the dump was cut short".to_owned(),
        },
        StoreError::NotEmpty { records: 412 },
    ]
}

#[test]
fn every_error_says_what_where_and_what_to_do() {
    let mut text = String::new();
    for error in all() {
        writeln!(text, "exit {}: {error}", error.exit_code()).unwrap();
        let mut cause = error.source();
        while let Some(it) = cause {
            writeln!(text, "  cause: {it}").unwrap();
            cause = it.source();
        }
        writeln!(text, "  help: {}\n", error.help()).unwrap();
    }
    insta::assert_snapshot!(text);
}
