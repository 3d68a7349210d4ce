//! What a model id and a quota label have in common: words and version numbers.
//!
//! `anthropic.claude-sonnet-4-5-20250929-v1:0` and `Anthropic Claude Sonnet 4.5 V1` are the same model. Word order is
//! free, since it changed (`Claude 3.7 Sonnet`, `Claude Sonnet 4`); the order of the numbers is not, since 3.5 is not 5.3.
//! Every number must be on both sides: `Sonnet 4` lies inside `Sonnet 4.5`, and `3.5 Sonnet` inside `3.5 Sonnet V2`.

use super::data::tables;
use crate::model::ids::ModelId;

/// The part of a name that tells models apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// Words and sizes (`8b`, `8x7b`), sorted.
    words: Vec<String>,
    /// Numbers (`3`, `5`, `v2`), in their order.
    versions: Vec<String>,
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
            Some(at) if at > 0 && !is_v_number(piece) => {
                let (letters, rest) = piece.split_at(at);
                out.push(letters.to_owned());
                out.push(rest.to_owned());
            }
            Some(_) | None => out.push(piece.to_owned()),
        }
    }
    out
}

impl Label {
    /// Of a model id. Dates and `:0` say nothing, and a last `v1` (or `1` before a colon) is irregular in labels.
    pub(super) fn of_model(model: &ModelId) -> Self {
        let (vendor, rest) = split_vendor(model.as_str());
        let (name, revision) = match rest.split_once(':') {
            Some((name, revision)) => (name, Some(revision)),
            None => (rest, None),
        };
        let mut parts = tokens(name);
        parts.retain(|part| !is_date(part));
        let is_bare_one = revision.is_some() && parts.last().is_some_and(|last| last == "1");
        if is_bare_one && parts.len() > 1 {
            parts.pop();
        }
        drop_last_v1(&mut parts);
        let mut label = Self::new(strip_vendor(parts, vendor));
        // Any other revision is a model of its own: `claude-v2:1` is not Claude V2.
        let revision = revision.filter(|revision| *revision != "0");
        label.versions.extend(revision.map(|it| format!(":{it}")));
        label
    }

    /// Of a quota's label, read as one of this model's vendor.
    pub(super) fn of_quota(label: &str, model: &ModelId) -> Self {
        let mut parts = tokens(label);
        drop_last_v1(&mut parts);
        Self::new(strip_vendor(parts, split_vendor(model.as_str()).0))
    }

    /// A label as a whole, for comparing with a reviewed one: lower case, single spaces.
    pub(super) fn normal(label: &str) -> String {
        let lower = label.to_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        words.join(" ")
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

    fn new(parts: Vec<String>) -> Self {
        let is_version = |part: &String| is_number(part) || is_v_number(part);
        let (versions, mut words): (Vec<_>, Vec<_>) = parts.into_iter().partition(is_version);
        words.sort();
        Self { words, versions }
    }
}

/// The vendor part of a model id and the rest; the vendor is empty where there is no dot.
pub(super) fn split_vendor(id: &str) -> (&str, &str) {
    id.split_once('.').unwrap_or(("", id))
}

/// Takes the vendor's own words from the front, as often as they stand there (`Mistral AI Mistral Large`), and never all.
fn strip_vendor(mut parts: Vec<String>, vendor: &str) -> Vec<String> {
    let own = vec![tokens(vendor)];
    let phrases = tables().vendors.get(vendor).unwrap_or(&own);
    loop {
        let found = phrases.iter().find(|phrase| {
            !phrase.is_empty() && parts.len() > phrase.len() && parts.starts_with(phrase)
        });
        let Some(phrase) = found else { return parts };
        parts.drain(..phrase.len());
    }
}

fn drop_last_v1(parts: &mut Vec<String>) {
    if parts.len() > 1 && parts.last().is_some_and(|last| last == "v1") {
        parts.pop();
    }
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_v_number(part: &str) -> bool {
    part.strip_prefix('v').is_some_and(is_number)
}

fn is_date(part: &str) -> bool {
    part.len() == 8 && part.starts_with("20") && is_number(part)
}
