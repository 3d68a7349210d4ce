//! Every quota that the simulated Service Quotas knows: the real names and codes of Amazon Bedrock, and invented ones
//! beside them so that a full list needs as many pages as the real one.

use std::{collections::BTreeMap, sync::OnceLock};

use crate::model::{catalog::Family, ids::QuotaCode, quota::DOUBLED_FOR_GEO, units::QuotaKind};

/// Rows in all, real and invented: about as many as the real service listed in 2026.
const ROWS: usize = 1_123;

const RUNTIME: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/data/aws/quota-names.csv"
));
const MANTLE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/data/aws/mantle-quota-names.csv"
));

/// One quota, the same in every account and Region.
#[derive(Clone, Debug)]
pub(crate) struct QuotaRow {
    /// The code.
    pub(crate) code: QuotaCode,
    /// The name, verbatim.
    pub(crate) name: String,
    /// The default; invented where none is published.
    pub(crate) default: f64,
    /// Whether it can be asked for; invented where not published.
    pub(crate) is_adjustable: bool,
}

#[derive(serde::Deserialize)]
struct Line {
    quota_code: String,
    quota_name: String,
    default_value: Option<f64>,
    adjustable: Option<String>,
}

/// All rows by code.
pub(crate) fn rows() -> &'static BTreeMap<QuotaCode, QuotaRow> {
    static TABLE: OnceLock<BTreeMap<QuotaCode, QuotaRow>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table: BTreeMap<QuotaCode, QuotaRow> = BTreeMap::new();
        for text in [RUNTIME, MANTLE] {
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let lines = reader.deserialize::<Line>().flatten(); // part of the program; the test below counts the rows
            table.extend(
                lines
                    .map(|line| row(&line))
                    .map(|row| (row.code.clone(), row)),
            );
        }
        for number in 1.. {
            if table.len() >= ROWS {
                break;
            }
            let code = QuotaCode::new(format!("L-FFFF{number:04X}"));
            let name = format!("(Simulated) Invented quota {number:04} of the simulated AWS");
            table.entry(code.clone()).or_insert(QuotaRow {
                code,
                name,
                default: 10.0,
                is_adjustable: false,
            });
        }
        table
    })
}

/// The code of the row with exactly this name.
pub(crate) fn code_named(name: &str) -> Option<QuotaCode> {
    static NAMES: OnceLock<BTreeMap<&'static str, &'static QuotaCode>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        rows()
            .iter()
            .map(|(code, row)| (row.name.as_str(), code))
            .collect()
    });
    names.get(name).map(|code| (*code).clone())
}

/// The code of the per-minute quota of this label, family and kind, if AWS has one.
pub(crate) fn code_of(label: &str, family: Family, kind: QuotaKind) -> Option<QuotaCode> {
    let front = match family {
        Family::OnDemand => "On-demand model inference",
        Family::Geo => "Cross-region model inference",
        Family::Global => "Global cross-region model inference",
        Family::Mantle => "[bedrock-mantle endpoint]",
        Family::Account => return None, // by the day only
    };
    let unit = match (family, kind) {
        (Family::Mantle, QuotaKind::InputTpm) => "Input tokens",
        (Family::Mantle, QuotaKind::OutputTpm) => "Output tokens",
        (Family::OnDemand | Family::Geo | Family::Global, QuotaKind::Rpm) => "requests",
        (Family::OnDemand | Family::Geo | Family::Global, QuotaKind::Tpm) => "tokens",
        (
            _,
            QuotaKind::Rpm
            | QuotaKind::Tpm
            | QuotaKind::Tpd
            | QuotaKind::CrossModelTpd
            | QuotaKind::InputTpm
            | QuotaKind::OutputTpm,
        ) => return None,
    };
    code_named(&format!("{front} {unit} per minute for {label}"))
}

/// The code of the daily quota of this label and family, if AWS has one. On-demand and geo have one for both.
pub(crate) fn per_day_code_of(label: &str, family: Family) -> Option<QuotaCode> {
    let name = match family {
        Family::OnDemand | Family::Geo => {
            format!("Model invocation max tokens per day for {label}")
        }
        Family::Global => {
            format!("Global cross-region model inference tokens per day for {label}")
        }
        Family::Mantle | Family::Account => return None,
    };
    code_named(&format!("{name} {DOUBLED_FOR_GEO}")).or_else(|| code_named(&name))
}

/// The code of the daily quota that counts all models of an account together.
pub(crate) fn cross_model_per_day() -> Option<QuotaCode> {
    code_named("Cross-Model Max Tokens Per Day")
}

fn row(line: &Line) -> QuotaRow {
    let name = line.quota_name.as_str();
    let is_cross_region = name.starts_with("Cross-") || name.starts_with("Global");
    QuotaRow {
        code: QuotaCode::new(line.quota_code.as_str()),
        name: name.to_owned(),
        default: line.default_value.unwrap_or_else(|| invented_default(name)),
        is_adjustable: match line.adjustable.as_deref() {
            Some("Yes") => true,
            Some(_) => false,
            None => is_cross_region && name.contains("per minute"),
        },
    }
}

/// Invented: AWS publishes few defaults, and they differ by Region and account.
fn invented_default(name: &str) -> f64 {
    let is_on_demand = name.starts_with("On-demand");
    match name {
        _ if name.contains("Output tokens per minute") => 200_000.0,
        _ if name.contains("tokens per minute") && is_on_demand => 1_000_000.0,
        _ if name.contains("tokens per minute") => 2_000_000.0,
        _ if name.contains("requests per minute") && is_on_demand => 500.0,
        _ if name.contains("requests per minute") => 1_000.0,
        _ if name.contains("tokens per day") => 1_440_000_000.0,
        _ => 20.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_all_real_rows_and_enough_invented_ones() {
        let real = rows()
            .values()
            .filter(|row| !row.name.starts_with("(Simulated)"))
            .count();
        assert_eq!((rows().len(), real), (ROWS, 372));
        let opus = "Anthropic Claude Opus 4.7";
        assert_eq!(code_of(opus, Family::Geo, QuotaKind::Rpm), None);
        assert_eq!(
            code_of(opus, Family::Geo, QuotaKind::Tpm),
            Some(QuotaCode::new("L-5DB28B7B"))
        );
        assert_eq!(
            code_of("GPT-5.5", Family::Mantle, QuotaKind::OutputTpm),
            Some(QuotaCode::new("L-8A643E07"))
        );
        assert_eq!(cross_model_per_day(), Some(QuotaCode::new("L-E3F10727")));
        for (label, family, code) in [
            ("Amazon Nova Pro", Family::OnDemand, Some("L-D690997B")),
            ("Amazon Nova Pro", Family::Geo, Some("L-D690997B")),
            ("Amazon Nova Pro", Family::Mantle, None),
            ("Anthropic Claude Sonnet 4.6", Family::Geo, None),
            (
                "Anthropic Claude Sonnet 4.6",
                Family::Global,
                Some("L-248E47B7"),
            ),
        ] {
            let found = per_day_code_of(label, family);
            assert_eq!(found, code.map(QuotaCode::new), "{label} {family}");
        }
        assert!(!rows()[&QuotaCode::new("L-70423BF8")].is_adjustable);
    }
}
