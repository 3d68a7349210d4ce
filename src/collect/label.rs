//! What a model id and a quota label have in common: words and version numbers.
//!
//! `anthropic.claude-sonnet-4-5-20250929-v1:0` and `Anthropic Claude Sonnet 4.5 V1` are the same model. Word order is
//! free, since it changed (`Claude 3.7 Sonnet`, `Claude Sonnet 4`); the order of the numbers is not, since 3.5 is not 5.3.
//! Every number must be on both sides: `Sonnet 4` lies inside `Sonnet 4.5`, and `3.5 Sonnet` inside `3.5 Sonnet V2`.
//! A number has one spelling here, whatever it was written as (see [`numbers`]).

use super::data::{Tables, Vendor};
use crate::model::ids::ModelId;

/// The part of a name that tells models apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// Words and sizes (`8b`, `8x7b`), sorted.
    words: Vec<String>,
    /// Numbers (`3`, `5`, `v2`), in their order.
    versions: Vec<String>,
    /// Words that this side may leave out, and the size of the part that works (`a22b`), sorted.
    optional: Vec<String>,
}

/// How well a quota label and a model id say the same, best last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// They do, but for words that one side may leave out.
    Loose,
    /// Word for word.
    Exact,
}

impl Label {
    /// Of a model id. Dates and `:0` say nothing, and a last `v1` (or `1` before a colon) is irregular in labels.
    pub(super) fn of_model(model: &ModelId, tables: &Tables) -> Self {
        let (vendor, rest) = split_vendor(model.as_str());
        let (name, revision) = match rest.split_once(':') {
            Some((name, revision)) => (name, Some(revision)),
            None => (rest, None),
        };
        let mut parts = tokens(name);
        parts.retain(|part| !is_date(part));
        let is_bare_one = parts.len() > 1 && parts.last().is_some_and(|last| last == "1");
        match revision {
            Some("0") if is_bare_one => drop(parts.pop()),
            None | Some("0") => {}
            // Any other revision is a version of its own: `claude-v2:1` is Claude V2.1.
            Some(revision) => parts.extend(tokens(revision)),
        }
        let vendor = tables.vendor(vendor);
        let parts = vendor.strip(parts).into_iter();
        let parts = parts.map(|part| vendor.spelled(part)).collect();
        Self::new(parts, &vendor)
    }

    /// Of a quota's label, read as one of this model's vendor.
    pub(super) fn of_quota(label: &str, model: &ModelId, tables: &Tables) -> Self {
        let vendor = tables.vendor(split_vendor(model.as_str()).0);
        Self::new(vendor.strip(tokens(label)), &vendor)
    }

    /// A label as a whole, for comparing with a reviewed one: lower case, single spaces.
    pub(super) fn normal(label: &str) -> String {
        let lower = label.to_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        words.join(" ")
    }

    /// Whether this label of a quota names that label of a model, and how well. Words that the vendor leaves out may
    /// lack on either side; everything else must be on both.
    pub(super) fn names(&self, model: &Self) -> Option<Fit> {
        let is_same = self.words == model.words && self.versions == model.versions;
        let is_other_size = matches!(
            (self.working_size(), model.working_size()),
            (Some(one), Some(other)) if one != other
        );
        let fit = if self.optional == model.optional {
            Fit::Exact
        } else {
            Fit::Loose
        };
        (is_same && !is_other_size).then_some(fit)
    }

    /// Whether the words of one are all among those of the other: another version of the model, or a model beside it.
    pub(super) fn is_kin_of(&self, model: &Self) -> bool {
        let within = |one: &[String], other: &[String]| one.iter().all(|word| other.contains(word));
        let is_within = within(&self.words, &model.words) || within(&model.words, &self.words);
        is_within && !self.words.is_empty() && !model.words.is_empty()
    }

    /// Whether a word is among the words.
    pub(super) fn has_word(&self, word: &str) -> bool {
        self.words.iter().any(|it| it == word)
    }

    /// Major and minor version: the first two plain numbers, or the number of a lone `v2`.
    pub(super) fn version(&self) -> Option<(u32, u32)> {
        let mut plain = self.versions.iter().map_while(|it| it.parse().ok());
        let first: Option<u32> = plain.next();
        let lone = self.versions.first().and_then(|it| it.strip_prefix('v'));
        let major = first.or_else(|| lone.and_then(|it| it.parse().ok()))?;
        Some((major, plain.next().unwrap_or(0)))
    }

    fn new(mut parts: Vec<String>, vendor: &Vendor) -> Self {
        let mut optional = vendor.take_left_out(&mut parts);
        let is_version = |part: &String| is_number(part) || is_v_number(part);
        let (versions, words): (Vec<_>, Vec<_>) = numbers(parts).into_iter().partition(is_version);
        let (sizes, mut words): (Vec<_>, Vec<_>) =
            words.into_iter().partition(|word| is_working_size(word));
        optional.extend(sizes);
        words.sort();
        optional.sort();
        Self {
            words,
            versions,
            optional,
        }
    }

    /// The active parameters of a mixture of experts, where the name tells them.
    fn working_size(&self) -> Option<&String> {
        self.optional.iter().find(|word| is_working_size(word))
    }
}

/// Lower-case pieces: split at everything but letters and digits, and between letters and the digits after them.
///
/// `Llama3.1` is `llama 3 1` and `K2.5` is `k 2 5`; `v2` stays whole, since V2 is another thing than 2; so do sizes.
pub(super) fn tokens(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let pieces = lower.split(|c: char| !c.is_alphanumeric());
    let mut out = Vec::new();
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        match piece.find(|c: char| c.is_ascii_digit()) {
            Some(at) if at > 0 && !is_v_number(piece) && !is_working_size(piece) => {
                let (letters, rest) = piece.split_at(at);
                out.push(letters.to_owned());
                out.push(rest.to_owned());
            }
            Some(_) | None => out.push(piece.to_owned()),
        }
    }
    out
}

/// One spelling for each number: `v3-5`, `V3.5` and `3.5` are `3 5`; `3.0` is `3`; `25.02` is `2502`; a last `V1` or `1.0`
/// says nothing, since labels carry it irregularly.
fn numbers(parts: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(parts.len());
    let mut parts = parts.into_iter().peekable();
    let mut is_last_one = false; // the last two tokens were `1.0` or `v1`
    while let Some(mut part) = parts.next() {
        let next = parts.peek().map_or("", String::as_str);
        is_last_one = part == "v1" && !is_number(next);
        let number = part.strip_prefix('v').filter(|rest| is_number(rest));
        if let (Some(number), true) = (number, is_number(next)) {
            part = number.to_owned();
        }
        if is_number(&part) && next == "0" {
            is_last_one = part == "1";
            parts.next();
        } else if is_year(&part) && is_month(next) {
            part.push_str(next);
            parts.next();
        }
        out.push(part);
    }
    if is_last_one && out.len() > 1 {
        out.pop();
    }
    out
}

/// The vendor part of a model id and the rest; the vendor is empty where there is no dot.
pub(super) fn split_vendor(id: &str) -> (&str, &str) {
    id.split_once('.').unwrap_or(("", id))
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_v_number(part: &str) -> bool {
    part.strip_prefix('v').is_some_and(is_number)
}

/// `a22b`: 22 billion active parameters.
fn is_working_size(part: &str) -> bool {
    let digits = part.strip_prefix('a').and_then(|it| it.strip_suffix('b'));
    digits.is_some_and(is_number)
}

fn is_date(part: &str) -> bool {
    part.len() == 8 && part.starts_with("20") && is_number(part)
}

fn is_year(part: &str) -> bool {
    part.len() == 2 && is_number(part)
}

fn is_month(part: &str) -> bool {
    is_year(part) && matches!(part.parse(), Ok(1..=12_u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(text: &str) -> String {
        numbers(tokens(text)).join(" ")
    }

    #[test]
    fn a_number_has_one_spelling() {
        for (text, expected) in [
            ("Rerank v3-5", "rerank 3 5"),
            ("DeepSeek V3.2", "deepseek 3 2"),
            ("DeepSeek V3 V1", "deepseek v3"),
            ("Ministral 14B 3.0", "ministral 14b 3"),
            ("Pixtral Large 25.02 V1", "pixtral large 2502"),
            ("Rerank 1.0", "rerank"),
            ("Claude 3.5 Sonnet V2", "claude 3 5 sonnet v2"),
            ("Claude Sonnet 4.10", "claude sonnet 4 10"),
            ("GPT-6.0 Sol", "gpt 6 sol"),
            ("Nova Reel1.0", "nova reel"),
            ("Qwen3 235B a22b 2507 V1", "qwen 3 235b a22b 2507"),
            ("V1", "v1"),
        ] {
            assert_eq!(spelled(text), expected, "{text}");
        }
    }
}
