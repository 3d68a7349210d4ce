//! `explain mapping POOL`: why a quota is the pool's, or why none is.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::{
    discover,
    remote::{Daemon, Format, RemoteError, write_json},
    text::Text,
};
use crate::{
    collect::survey::{Terms, survey_lists, survey_model},
    model::{
        catalog::Family,
        ids::{AccountId, ModelId, QuotaCode, Region, Scope, TargetId},
    },
    web::json::Explanation,
};

/// From the running daemon: what it knows of the pool's quotas.
///
/// # Errors
///
/// When no daemon answers, when it knows no such pool, or the output can't be written.
pub async fn explain(
    base_url: &str,
    pool: &str,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), RemoteError> {
    let path = ["api", "v1", "explain", pool];
    let told: Explanation = Daemon::at(base_url)?.get(&path).await?;
    if format == Format::Json {
        return write_json(out, &told.headroom);
    }
    let mut text = Text::new(out);
    text.line(0, &format!("pool {pool}"))?;
    for row in told.headroom.iter().filter(|row| row.pool == pool) {
        let code = row.quota_code.as_deref().unwrap_or(&row.source);
        text.line(1, &format!("{}: {code}", row.kind))?;
        let why = match row.note.as_str() {
            "" => "the account's list of quotas has none of this kind for this model and family",
            note => note,
        };
        text.line(2, why)?;
    }
    Ok(())
}

/// From a list of quotas, without a daemon and without an account. `pool` is `account/region/family/model`, or an id as
/// CloudWatch has it, such as `us.anthropic.claude-sonnet-4-6`.
///
/// # Errors
/// When the output can't be written.
pub fn explain_list(
    pool: &str,
    quotas: &BTreeMap<QuotaCode, Terms>,
    format: Format,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (scope, family, model) = parts(pool);
    let survey = match family {
        Some(family) => survey_model(&scope, family, &ModelId::new(model), quotas),
        None => survey_lists(&scope, &[TargetId::new(model)].into(), quotas),
    };
    if format == Format::Json {
        return discover::write(&[survey], discover::Style::Json, out);
    }
    let mut text = Text::new(out);
    for pool in &survey.pools {
        text.line(0, &format!("{} of {}", pool.id.family, pool.id.model))?;
        let standard = pool.quotas.iter().map(|(kind, it)| (kind.to_string(), it));
        let variants = pool.variants.iter().flat_map(|(variant, found)| {
            let found = found.iter();
            found.map(|(kind, it)| (format!("{kind} {}", variant.name()), it))
        });
        for (kind, finding) in standard.chain(variants) {
            let code = finding.mapping.code().map_or("none", QuotaCode::as_str);
            text.line(1, &format!("{kind}: {code}"))?;
            text.line(2, &finding.why)?;
        }
    }
    for odd in &survey.unplaced {
        text.line(0, &format!("no pool for `{}`: {}", odd.id, odd.why))?;
    }
    Ok(())
}

/// Scope, family and model of a pool as people type it; an id alone has no family of its own.
fn parts(pool: &str) -> (Scope, Option<Family>, &str) {
    let mut parts = pool.rsplitn(4, '/');
    let model = parts.next().unwrap_or(pool);
    let named = parts.next();
    let family = Family::ALL.into_iter().find(|it| Some(it.name()) == named);
    let region = Region::new(parts.next().unwrap_or_default());
    let account = AccountId::new(parts.next().unwrap_or_default());
    (Scope { account, region }, family, model)
}
