//! Targets, their traffic, and the pools that they make.

use super::values::{Check, FOREVER};
use crate::{
    model::{
        catalog::PoolId,
        ids::{QuotaCode, TargetId},
        time::Minute,
        units::QuotaKind,
    },
    sim::{
        quota_table, trace,
        world::{Pool, Span, Target, Traffic, World, raw, when},
    },
};

pub(super) fn target(check: &mut Check, world: &mut World, raw: &raw::Target) {
    let place = format!("target `{}` in {}/{}", raw.id, raw.account, raw.region);
    let scope = check.scope(&place, &world.accounts, &raw.account, &raw.region);
    if world
        .targets
        .iter()
        .any(|known| known.scope == scope && known.id.as_str() == raw.id)
    {
        check.fault(&place, "is there twice");
    }
    let Some((family, model)) = world.resolve(&scope, &raw.id) else {
        check.fault(&place, "is no [[model]], no [[profile]] and no [[application_profile]] of this account and Region");
        return;
    };
    let label = world
        .models
        .get(&model)
        .map_or("", |it| &it.label)
        .to_owned();
    let id = PoolId {
        scope,
        family,
        model,
    };
    let pool = pool(world, id, || {
        let kinds = [QuotaKind::Rpm, QuotaKind::Tpm].into_iter();
        let limits =
            kinds.filter_map(|kind| Some((kind, quota_table::code_of(&label, family, kind)?)));
        let limits: Vec<_> = limits.collect();
        if limits.is_empty() {
            check.fault(&place, &format!("no {family} quota is named for the label `{label}`; compare tests/data/aws/quota-names.csv"));
        }
        limits
    });
    add(check, world, raw, pool);
}

/// The index of this pool, which is made where it is new.
pub(super) fn pool(
    world: &mut World,
    id: PoolId,
    limits: impl FnOnce() -> Vec<(QuotaKind, QuotaCode)>,
) -> usize {
    let known = world.pools.iter().position(|pool| pool.id == id);
    known.unwrap_or_else(|| {
        let model = world.models.get(&id.model);
        world.pools.push(Pool {
            burndown: model.map_or(1.0, |model| model.burndown),
            per_day: model.and_then(|model| quota_table::per_day_code_of(&model.label, id.family)),
            id,
            limits: limits(),
            targets: Vec::new(),
        });
        world.pools.len() - 1
    })
}

/// Adds a target to a pool, and returns its index.
pub(super) fn add(check: &mut Check, world: &mut World, raw: &raw::Target, pool: usize) -> usize {
    let place = format!("target `{}` in {}/{}", raw.id, raw.account, raw.region);
    let index = world.targets.len();
    if let Some(known) = world.pools.get_mut(pool) {
        known.targets.push(index);
    }
    world.targets.push(Target {
        scope: check.scope(&place, &world.accounts, &raw.account, &raw.region),
        id: TargetId::new(&raw.id),
        pool,
        traffic: traffic(check, &place, raw),
    });
    index
}

fn traffic(check: &mut Check, place: &str, raw: &raw::Target) -> Traffic {
    let trace = trace::named(&raw.trace);
    if trace.is_none() {
        let known = trace::NAMES.join(", ");
        check.fault(
            place,
            &format!("no trace `{}`; there are: {known}", raw.trace),
        );
    }
    if !(-0.5..=1.0).contains(&raw.growth_per_day) {
        check.fault(
            place,
            "`growth_per_day` is a number from -0.5 to 1; 0.02 is 2 % a day",
        );
    }
    let input_tokens = raw
        .input_tokens
        .or(trace.map(|trace| trace.input_mean))
        .unwrap_or(0.0);
    let output_tokens = raw
        .output_tokens
        .or(trace.map(|trace| trace.output_mean))
        .unwrap_or(0.0);
    let mut bursts = check.spans(place, &raw.bursts);
    for step in &raw.steps {
        bursts.push(Span {
            from: check.minute(place, &step.at),
            until: FOREVER,
            factor: check.amount(place, step.factor),
        });
    }
    let shift = raw.shift.as_deref().map_or(0, |text| {
        when::duration(text).map_or_else(
            |fault| {
                check.fault(place, &fault);
                0
            },
            |shift| shift.as_secs() / 60,
        )
    });
    Traffic {
        trace: raw.trace.clone(),
        is_evened: raw.evened,
        shift,
        requests_per_minute: check.amount(place, raw.requests_per_minute),
        input_tokens: check.amount(place, input_tokens),
        output_tokens: check.amount(place, output_tokens),
        cache_read_share: check.amount(place, raw.cache_read_share),
        cache_write_share: check.amount(place, raw.cache_write_share),
        growth_per_day: raw.growth_per_day,
        from: check.minute_or(place, raw.from.as_deref(), Minute(-FOREVER.0)),
        until: check.minute_or(place, raw.until.as_deref(), FOREVER),
        ramps: check.spans(place, &raw.ramps),
        bursts,
        client_error_share: check.share(place, raw.client_error_share),
        server_error_share: check.share(place, raw.server_error_share),
        client_errors: check.shares(place, &raw.client_errors),
        server_errors: check.shares(place, &raw.server_errors),
        slow: check.spans(place, &raw.slow),
        first_token_ms: check.amount(place, raw.first_token_ms),
        token_ms: check.amount(place, raw.token_ms),
    }
}
