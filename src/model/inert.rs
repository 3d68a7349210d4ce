//! Makes outside text harmless where people read it: in the page, in a terminal, in a label, in a message.
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
}
