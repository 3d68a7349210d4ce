//! Files that a configuration is made of: read with a bound, and with an error that says which and why.

use std::{
    fs,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use super::{
    fault::Fault,
    hints,
    rules::{self, BUILTIN, RuleBook},
};
use crate::model::hint::HintRules;

/// A larger file is refused before it is parsed.
pub const MOST_FILE_BYTES: u64 = 1024 * 1024;
/// A folder with more rule files is refused.
const MOST_RULE_FILES: usize = 1_000;

/// The text of this file; `what` says what it is for.
pub(super) fn read(path: &Path, what: &str) -> Result<String, Box<Fault>> {
    let shown = path.display();
    let failed = |error: std::io::Error| {
        Fault::boxed(
            format!("could not read the {what} {shown}: {}", reason(&error)),
            remedy(&error),
        )
    };
    let file = fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MOST_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MOST_FILE_BYTES {
        return Err(Fault::boxed(
            format!("the {what} {shown} is larger than 1 MiB and was not parsed"),
            "check that this is the right file; rules can be spread over several files of a folder",
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        Fault::boxed(
            format!("the {what} {shown} is not UTF-8 text: byte {good} is no character"),
            "save it as UTF-8",
        )
    })
}

/// Short and the same on every platform; the number that the system adds tells people nothing.
fn reason(error: &std::io::Error) -> String {
    const KNOWN: [(ErrorKind, &str); 4] = [
        (ErrorKind::NotFound, "there is no such file"),
        (ErrorKind::PermissionDenied, "permission denied"),
        (ErrorKind::IsADirectory, "this is a folder"),
        (ErrorKind::NotADirectory, "this is not a folder"),
    ];
    let kind = error.kind();
    let known = KNOWN.iter().find(|(known, _)| *known == kind);
    known.map_or_else(|| kind.to_string(), |(_, text)| (*text).to_owned())
}

fn remedy(error: &std::io::Error) -> &'static str {
    if error.kind() == ErrorKind::NotFound {
        "check the path; relative paths in a configuration start at the folder of that file"
    } else if error.kind() == ErrorKind::PermissionDenied {
        "let the user that runs the service read it"
    } else {
        "check that the path names what is meant"
    }
}

/// The compiled-in rules.
pub(super) fn builtin_rules() -> (RuleBook, Vec<Fault>) {
    let mut book = RuleBook::new();
    let mut faults = Vec::new();
    for (name, text) in BUILTIN {
        faults.extend(rules::read(name, text, &mut book));
    }
    (book, faults)
}

/// The rules of a folder: all its `.toml` files, in the order of their names.
pub(super) fn rules_in(folder: &Path) -> (RuleBook, Vec<Fault>) {
    let mut book = RuleBook::new();
    let mut faults = Vec::new();
    let paths = match rule_files(folder) {
        Ok(paths) => paths,
        Err(fault) => return (book, vec![*fault]),
    };
    for path in paths {
        match read(&path, "rule file") {
            Ok(text) => faults.extend(rules::read(&path.display().to_string(), &text, &mut book)),
            Err(fault) => faults.push(*fault),
        }
    }
    (book, faults)
}

/// The rules of hints of a folder, `hints/causes.toml` in it; `None` where it has none and the built-in ones stay.
pub(super) fn hints_in(folder: &Path) -> Option<(Option<HintRules>, Vec<Fault>)> {
    let path = folder.join("hints").join("causes.toml");
    // What can't be looked at is read, so that the error tells why.
    if matches!(path.try_exists(), Ok(false)) {
        return None;
    }
    Some(match read(&path, "file of hints") {
        Ok(text) => hints::read(&path.display().to_string(), &text),
        Err(fault) => (None, vec![*fault]),
    })
}

fn rule_files(folder: &Path) -> Result<Vec<PathBuf>, Box<Fault>> {
    let help = "put rule files there, or leave out [rules] folder to use the built-in rules";
    toml_files(folder, ("rule folder", "nothing would be watched"), help)
}

/// The `.toml` files of a folder, in the order of their names; without any its loss is told, and what helps.
pub(super) fn toml_files(
    folder: &Path,
    (what, loss): (&str, &str),
    help: &str,
) -> Result<Vec<PathBuf>, Box<Fault>> {
    let shown = folder.display();
    let failed = |error: std::io::Error| {
        Fault::boxed(
            format!("could not read the {what} {shown}: {}", reason(&error)),
            "check the path and who may read it; without [rules] folder the built-in rules are used",
        )
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            paths.push(path);
        }
    }
    paths.sort();
    match paths.len() {
        0 => Err(Fault::boxed(
            format!("the {what} {shown} has no .toml file, {loss}"),
            help,
        )),
        1..=MOST_RULE_FILES => Ok(paths),
        many => Err(Fault::boxed(
            format!("the {what} {shown} has {many} files, at most {MOST_RULE_FILES} are read"),
            "put several rules into one file",
        )),
    }
}
