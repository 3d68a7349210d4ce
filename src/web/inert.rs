//! Makes outside text harmless where people read it: in the page, in a terminal, in a label.
//!
//! Names of models, application profiles and quotas, reasons and AWS's answers come from outside. Markup is escaped
//! by whoever writes markup; here go the characters that act on a terminal or that change what a line seems to say.

use std::fmt::Write;

/// Whether this character acts instead of showing: controls (C0, DEL, C1), line separators, bidi marks and the
/// invisible ones that hide or join text (zero width, soft hyphen, byte order mark, tags).
#[must_use]
pub fn acts(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The text with each acting character replaced by its visible name, such as `<U+202E>`.
#[must_use]
pub fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) {
            // Writing to a string cannot fail; were it to, the character is dropped, which is harmless as well.
            write!(out, "<U+{:04X}>", u32::from(c)).unwrap_or_default();
        } else {
            out.push(c);
        }
    }
    out
}

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
    fn what_acts_is_named_and_what_shows_stays() {
        assert_eq!(
            inert("a\u{1b}[31mb\u{9b}c\n"),
            "a<U+001B>[31mb<U+009B>c<U+000A>"
        );
        assert_eq!(inert("\u{202e}gpj\u{2066}"), "<U+202E>gpj<U+2066>");
        assert_eq!(inert("Größe 日本 é 🙂"), "Größe 日本 é 🙂");
    }

    #[test]
    fn json_keeps_the_data_and_shows_nothing_that_acts() {
        let hostile = "a\u{1b}[31m\u{9b}\u{202e}\n\"\u{e0041}🙂";
        let text = json(&[hostile]).unwrap();
        assert!(text.chars().all(|c| c == '\n' || !acts(c)), "{text:?}");
        let back: Vec<String> = serde_json::from_str(&text).unwrap();
        assert_eq!(back, [hostile]);
    }
}
