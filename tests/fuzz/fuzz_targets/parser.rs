//! One binary for all parsers: `BOA_FUZZ` says which.
#![no_main]

use std::sync::LazyLock;

use bedrock_ops_alert::fuzzing::TARGETS;

static PARSER: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("BOA_FUZZ").expect("BOA_FUZZ names a parser");
    let found = TARGETS.iter().find(|it| it.0 == name);
    found.expect("BOA_FUZZ is one of the parsers of src/fuzzing.rs").1
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| PARSER(data));
