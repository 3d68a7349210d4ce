//! What fuzzers found worth keeping: inputs that reach every branch they could find, one a line, in base 64.

use std::{fs, path::Path};

use data_encoding::BASE64;

use super::TARGETS;

#[test]
fn what_fuzzers_kept_holds_every_law() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz");
    for (name, parser) in TARGETS {
        let path = folder.join(name).with_extension("txt");
        let corpus = fs::read_to_string(&path).unwrap();
        let inputs: Vec<Vec<u8>> = corpus
            .lines()
            .map(|line| BASE64.decode(line.as_bytes()).unwrap())
            .collect();
        assert!(!inputs.is_empty(), "{} is empty", path.display());
        for input in &inputs {
            parser(input);
        }
    }
}
