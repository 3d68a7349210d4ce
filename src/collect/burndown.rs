//! How often an output token counts against a TPM quota. The rates are data (`data/burndown.toml`).

use super::data::{Rate, tables};
use super::label::{Label, split_vendor};
use crate::model::ids::ModelId;

/// The most output that a request can reserve against TPM at admission, in tokens.
#[must_use]
pub fn most_reserved_output() -> f64 {
    tables().reservation.most_output
}

/// From how many input tokens on a request is a long one.
#[must_use]
pub fn long_input_tokens() -> u32 {
    tables().long_requests.input_tokens
}

/// The rate that a source states for this model on `bedrock-runtime`; `None` where none does.
pub(super) fn rate(model: &ModelId) -> Option<f64> {
    let (vendor, _) = split_vendor(model.as_str());
    let label = Label::of_model(model, tables());
    let rows = &tables().rates;
    let own: Vec<&Rate> = rows
        .iter()
        .filter(|row| row.vendor.as_deref() == Some(vendor))
        .collect();
    let fits = |row: &&Rate| fits(row, &label);
    if own.is_empty() {
        let everybody = rows.iter().filter(|row| row.vendor.is_none());
        return everybody.map(|row| row.rate).next();
    }
    own.into_iter().find(fits).map(|row| row.rate)
}

/// The highest rate of all rows: what a model is charged at for warning when its own rate is unknown.
#[must_use]
pub fn highest() -> f64 {
    let rates = tables().rates.iter().map(|row| row.rate);
    rates.fold(1.0, f64::max)
}

fn fits(row: &Rate, label: &Label) -> bool {
    let has_word = row.word.as_ref().is_none_or(|word| label.has_word(word));
    let version = label.version();
    let is_exact = match &row.version {
        None => true,
        Some(wanted) => version.is_some() && version == parse(wanted),
    };
    let is_within = match (&row.up_to, version) {
        (None, _) => true,
        (Some(limit), Some(version)) => parse(limit).is_some_and(|limit| version <= limit),
        (Some(_), None) => false,
    };
    has_word && is_exact && is_within
}

fn parse(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_table_and_an_unknown_claude_has_none() {
        let cases = [
            ("anthropic.claude-3-haiku-20240307-v1:0", Some(5.0)),
            ("anthropic.claude-3-5-sonnet-20241022-v2:0", Some(5.0)),
            ("anthropic.claude-v2:1", Some(5.0)),
            ("anthropic.claude-sonnet-4-20250514-v1:0", Some(5.0)),
            ("anthropic.claude-sonnet-4-6", Some(5.0)),
            ("anthropic.claude-opus-4-7", Some(5.0)),
            ("anthropic.claude-opus-4-8", Some(15.0)),
            ("anthropic.claude-sonnet-5", Some(10.0)),
            ("anthropic.claude-opus-5-5", Some(10.0)),
            ("anthropic.claude-fable-5-1", Some(10.0)),
            ("anthropic.claude-sonnet-5-5", None),
            ("anthropic.claude-haiku-5", None),
            ("anthropic.claude-next", None),
            ("anthropic.claude-4-9-sonnet", None),
            ("amazon.nova-pro-v1:0", Some(1.0)),
            ("deepseek.v3.2", Some(1.0)),
            ("somebody.new-model-9", Some(1.0)),
        ];
        for (model, expected) in cases {
            assert_eq!(rate(&ModelId::new(model)), expected, "{model}");
        }
        assert_eq!(Some(highest()), Some(15.0));
    }
}
