//! `discover`: one look at AWS, or at two lists, and nothing written anywhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::Path,
};

use serde::Deserialize;

use crate::{
    aws::{self, ConnectError, Patience, SdkCloud, SdkOptions},
    collect::{
        enabled_regions,
        survey::{Survey, Terms, survey, survey_lists},
    },
    model::{
        ids::{AccountId, QuotaCode, Region, Scope, TargetId},
        policy::Account,
        units::Amount,
    },
    runtime::clock,
};

use super::run::{RunError, accounts};

/// The longest list that is read, in bytes: all of Bedrock's quotas are below a megabyte.
const MOST_BYTES: u64 = 64 << 20;

/// Why a list could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The file.
    #[error("could not read `{path}`")]
    Open {
        /// Which.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It is too long.
    #[error("`{path}` is longer than 64 MiB")]
    TooLong {
        /// Which.
        path: String,
    },
    /// A row.
    #[error("`{path}` is not a CSV with the columns {columns}")]
    Row {
        /// Which.
        path: String,
        /// What was expected.
        columns: &'static str,
        /// Where and why.
        #[source]
        source: csv::Error,
    },
    /// A number.
    #[error("`{path}`, quota {code}: `{value}` is no amount")]
    Amount {
        /// Which.
        path: String,
        /// Of which quota.
        code: String,
        /// As written.
        value: String,
    },
    /// Nothing in it.
    #[error("`{path}` has no rows; an empty list proves nothing")]
    Empty {
        /// Which.
        path: String,
    },
}

/// Asks every configured account and Region, or those of the credentials, one after another.
///
/// # Errors
/// When no client can be made. What fails later is part of the answer.
pub async fn ask(configured: Vec<Account>) -> Result<Vec<Survey>, RunError> {
    // A simulated AWS answers at once or never.
    let patience = if aws::endpoints_are_loopback().is_ok() {
        Patience::loopback()
    } else {
        Patience::real()
    };
    let accounts = accounts(configured, patience).await?;
    let cloud = SdkCloud::connect(SdkOptions {
        accounts: accounts.clone(),
        patience,
        endpoint: None,
    })
    .await?;
    let mut surveys = Vec::new();
    for account in &accounts {
        let regions = match account.asked_at() {
            None => account.regions.known().to_vec(),
            Some(home) => {
                let regions = enabled_regions(&cloud, &home).await;
                regions.map_err(ConnectError::Regions)?
            }
        };
        for region in regions {
            let scope = Scope {
                account: account.id.clone(),
                region,
            };
            surveys.push(survey(&cloud, &scope, clock::wall()).await);
        }
    }
    Ok(surveys)
}

/// Maps the ids of one list against the quotas of another, Region by Region. No account is asked.
///
/// # Errors
/// When a list can't be read, has no rows, or a row is not of its form.
pub fn compare(corpus: &Path, quotas: &Path) -> Result<Vec<Survey>, ListError> {
    let terms = read_quotas(quotas)?;
    let mut regions: BTreeMap<Region, BTreeSet<TargetId>> = BTreeMap::new();
    for row in rows::<IdRow>(corpus, "model_id,region")? {
        let ids = regions.entry(Region::new(row.region)).or_default();
        ids.insert(TargetId::new(row.model_id));
    }
    let surveys = regions.into_iter().map(|(region, ids)| {
        let scope = Scope {
            account: AccountId::new(""),
            region,
        };
        survey_lists(&scope, &ids, &terms)
    });
    Ok(surveys.collect())
}

/// The quotas of a list, by code.
///
/// # Errors
/// As [`compare`].
pub fn read_quotas(path: &Path) -> Result<BTreeMap<QuotaCode, Terms>, ListError> {
    let rows = rows::<QuotaRow>(path, "quota_code,quota_name")?;
    let terms = rows.into_iter().map(|row| {
        let default = match row.default_value.as_deref() {
            None | Some("") => None,
            Some(value) => {
                let amount = value.parse().ok().and_then(Amount::new);
                Some(amount.ok_or_else(|| ListError::Amount {
                    path: path.display().to_string(),
                    code: row.quota_code.clone(),
                    value: value.to_owned(),
                })?)
            }
        };
        let adjustable = row.adjustable.as_deref().map(str::to_ascii_lowercase);
        let terms = Terms {
            name: row.quota_name,
            applied: None,
            default,
            adjustable: match adjustable.as_deref() {
                Some("yes" | "true") => Some(true),
                Some("no" | "false") => Some(false),
                Some(_) | None => None,
            },
            error: None,
        };
        Ok((QuotaCode::new(row.quota_code), terms))
    });
    terms.collect()
}

#[derive(Debug, Deserialize)]
struct IdRow {
    model_id: String,
    region: String,
}

#[derive(Debug, Deserialize)]
struct QuotaRow {
    quota_code: String,
    quota_name: String,
    default_value: Option<String>,
    adjustable: Option<String>,
}

fn rows<T: serde::de::DeserializeOwned>(
    path: &Path,
    columns: &'static str,
) -> Result<Vec<T>, ListError> {
    let shown = path.display().to_string();
    let failed = |source| ListError::Open {
        path: shown.clone(),
        source,
    };
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(failed)?;
    if u64::try_from(text.len()).is_ok_and(|length| MOST_BYTES < length) {
        return Err(ListError::TooLong { path: shown });
    }
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_slice());
    let rows: Vec<T> = reader
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(|source| ListError::Row {
            path: shown.clone(),
            columns,
            source,
        })?;
    if rows.is_empty() {
        return Err(ListError::Empty { path: shown });
    }
    Ok(rows)
}
