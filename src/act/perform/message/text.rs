//! Outside text made fit for a receiver: nothing in it acts, nothing is too long, nothing reads as markup.

use crate::model::inert::{acts, inert};

/// What stands at the end of a text that was cut.
pub(super) const CUT: &str = "\n(cut)";

/// The text without characters that act, line breaks aside, and at most so many characters; a cut is said.
pub(super) fn clean(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut left = most.saturating_sub(CUT.len());
    for c in text.chars() {
        let named = (acts(c) && c != '\n').then(|| inert(&c.to_string()));
        let length = named.as_ref().map_or(1, String::len); // names are ASCII
        if left < length {
            out.push_str(CUT);
            return out;
        }
        left -= length;
        match named {
            Some(named) => out.push_str(&named),
            None => out.push(c),
        }
    }
    out
}

/// One line, without characters that act, of at most so many characters; a cut ends in `…`.
pub(super) fn line(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for c in text.trim().chars() {
        let piece = match c {
            '\n' | '\r' | '\t' => " ".to_owned(),
            c if acts(c) => inert(&c.to_string()),
            c => c.to_string(),
        };
        length += piece.chars().count();
        if most <= length {
            out.push('…');
            break;
        }
        out.push_str(&piece);
    }
    out
}

/// At most so many bytes, cut between characters, and said so.
pub(super) fn cut_bytes(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut end = most.saturating_sub(CUT.len());
    while !text.is_char_boundary(end) {
        end -= 1; // 0 is a boundary
    }
    format!("{}{CUT}", text.get(..end).unwrap_or(""))
}

/// The text as Slack shows it unchanged, in at most so many characters: escaped first and cut then, never inside an entity.
pub(super) fn for_slack(text: &str, most: usize) -> String {
    let whole: usize = text.chars().map(|c| entity(c).map_or(1, str::len)).sum();
    let room = if whole <= most {
        most
    } else {
        most.saturating_sub(CUT.len())
    };
    let mut out = String::new();
    let mut length = 0;
    for c in text.chars() {
        let entity = entity(c);
        length += entity.map_or(1, str::len); // entities are ASCII
        if room < length {
            out.push_str(CUT);
            break;
        }
        match entity {
            Some(entity) => out.push_str(entity),
            None => out.push(c),
        }
    }
    out
}

/// The three characters that Slack reads as markup for more than looks.
const fn entity(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slack_markup_is_escaped_and_never_cut_inside_an_entity() {
        assert_eq!(for_slack("a < b & c > d", 4_000), "a &lt; b &amp; c &gt; d");
        let long = for_slack(&"<".repeat(3_000), 4_000);
        assert!(long.len() <= 4_000, "{}", long.len());
        let entities = long.strip_suffix(CUT).unwrap();
        assert_eq!(entities.replace("&lt;", ""), "");
        let exact = "x".repeat(4_000);
        assert_eq!(for_slack(&exact, 4_000), exact);
    }

    #[test]
    fn bytes_are_cut_between_characters() {
        assert_eq!(cut_bytes("ä", 2), "ä");
        assert_eq!(cut_bytes("ääääää", 9), format!("ä{CUT}"));
    }

    #[test]
    fn what_acts_is_named_and_the_length_holds() {
        assert_eq!(clean("a\u{1b}[31m\nb", 100), "a<U+001B>[31m\nb");
        assert_eq!(line(" a\r\nb\u{202e} ", 100), "a  b<U+202E>");
        let long = clean(&"\u{7}".repeat(1_000), 100);
        assert!(long.chars().count() <= 100 && long.ends_with(CUT), "{long}");
        let long = line(&"x".repeat(1_000), 10);
        assert!(long.chars().count() <= 10 && long.ends_with('…'), "{long}");
    }
}
