//! JSON that is harmless on a terminal. What text does is in `model/inert.rs`.

use std::fmt::Write;

pub use crate::model::inert::{acts, inert};

/// Pretty JSON in which acting characters inside strings are escaped: the same data, safe on a terminal.
///
/// # Errors
///
/// When the value can't be expressed as JSON, such as a map with keys that are no strings.
pub fn json<T: serde::Serialize>(value: &T) -> serde_json::Result<String> {
    let plain = serde_json::to_string_pretty(value)?;
    let mut out = String::with_capacity(plain.len() + 1);
    for c in plain.chars() {
        if acts(c) && c != '\n' {
            let mut units = [0_u16; 2];
            for unit in c.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04x}").unwrap_or_default();
            }
        } else {
            out.push(c); // A line break in a string is already `\n`; the ones here are the layout.
        }
    }
    out.push('\n');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_the_data_and_shows_nothing_that_acts() {
        let hostile = "a\u{1b}[31m\u{9b}\u{202e}\n\"\u{e0041}🙂";
        let text = json(&[hostile]).unwrap();
        assert!(text.chars().all(|c| c == '\n' || !acts(c)), "{text:?}");
        let back: Vec<String> = serde_json::from_str(&text).unwrap();
        assert_eq!(back, [hostile]);
    }
}
