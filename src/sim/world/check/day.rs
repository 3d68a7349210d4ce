//! What a world says of the daily quota across all models: prices become weights, once for each account and Region.

use std::collections::BTreeMap;

use super::values::Check;
use crate::{
    model::{
        catalog::Family,
        ids::{AccountId, ModelId, Scope},
    },
    sim::{
        quota_table,
        world::{CrossModelDay, TokenWeights, World, raw},
    },
};

/// Reads one entry; the pools of the world are known by now.
pub(super) fn cross_model(check: &mut Check, world: &mut World, raw: &raw::CrossModelDay) {
    let region = raw.region.as_deref();
    let place = match region {
        Some(region) => format!("cross_model_day of {}/{region}", raw.account),
        None => format!("cross_model_day of {}", raw.account),
    };
    let Some(code) = quota_table::cross_model_per_day() else {
        check.fault(&place, "no quota of the list counts all models");
        return;
    };
    let weights = weights(check, &place, world, raw);
    for scope in scopes(check, &place, world, raw) {
        if world.cross_model_days.iter().any(|it| it.scope == scope) {
            check.fault(&place, &format!("{scope} is there twice"));
        }
        let mut pools = BTreeMap::new();
        for (index, pool) in world.pools.iter().enumerate() {
            if pool.id.scope != scope || pool.id.family == Family::Mantle {
                continue;
            }
            match weights.get(&pool.id.model) {
                Some(weights) => _ = pools.insert(index, *weights),
                None => check.fault(
                    &place,
                    &format!(
                        "`prices` has no `{}`, which is called in {scope}",
                        pool.id.model
                    ),
                ),
            }
        }
        world.cross_model_days.push(CrossModelDay {
            scope,
            code: code.clone(),
            pools,
        });
    }
}

/// The account in the Region that is named, or in all of its Regions.
fn scopes(check: &mut Check, place: &str, world: &World, raw: &raw::CrossModelDay) -> Vec<Scope> {
    if let Some(region) = &raw.region {
        return vec![check.scope(place, &world.accounts, &raw.account, region)];
    }
    let account = AccountId::new(&raw.account);
    let Some(known) = world.account(&account) else {
        check.fault(
            place,
            &format!("no [[account]] has the id `{}`", raw.account),
        );
        return Vec::new();
    };
    let regions = known.regions.iter().map(|region| Scope {
        account: account.clone(),
        region: region.clone(),
    });
    regions.collect()
}

/// What a token of each priced model takes of the quota.
fn weights(
    check: &mut Check,
    place: &str,
    world: &World,
    raw: &raw::CrossModelDay,
) -> BTreeMap<ModelId, TokenWeights> {
    let unit = raw.usd_per_million;
    if !(0.0 < unit && unit <= 1e12) {
        check.fault(
            place,
            "`usd_per_million` is a price above 0 and at most 1e12, of which a token counts once",
        );
    }
    let mut read = BTreeMap::new();
    for price in &raw.prices {
        let place = format!("{place}, price of `{}`", price.model);
        let mut weight = |usd| check.amount(&place, usd) / unit;
        let weights = TokenWeights {
            input: weight(price.input),
            output: weight(price.output),
            cache_read: weight(price.cache_read.unwrap_or(price.input)),
            cache_write: weight(price.cache_write.unwrap_or(price.input)),
        };
        let model = ModelId::new(&price.model);
        if !world.models.contains_key(&model) {
            check.fault(&place, &format!("no [[model]] has the id `{model}`"));
        }
        if read.insert(model, weights).is_some() {
            check.fault(&place, "is there twice");
        }
    }
    read
}
