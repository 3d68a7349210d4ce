//! What is called at the mantle endpoint, and the pools that it makes.

use super::{target, values::Check};
use crate::{
    model::{
        catalog::{Family, PoolId},
        ids::ModelId,
        units::QuotaKind,
    },
    sim::{
        quota_table,
        world::{MantleModel, World, raw},
    },
};

pub(super) fn model(check: &mut Check, world: &mut World, raw: raw::Mantle) {
    let place = format!("mantle `{}`", raw.model);
    let scope = check.scope(&place, &world.accounts, &raw.account, &raw.region);
    let mut known = world.mantle.iter();
    if known
        .any(|it| it.scope == scope && it.project == raw.project && it.model.as_str() == raw.model)
    {
        check.fault(&place, "is there twice");
    }
    let mut model = MantleModel {
        scope: scope.clone(),
        project: raw.project,
        model: ModelId::new(&raw.model),
        target: None,
    };
    if let Some(traffic) = raw.traffic {
        let codes = [QuotaKind::InputTpm, QuotaKind::OutputTpm].map(|kind| {
            let label = raw.label.as_deref().unwrap_or_default();
            Some((kind, quota_table::code_of(label, Family::Mantle, kind)?))
        });
        if codes.contains(&None) {
            check.fault(
                &place,
                "with traffic it needs a `label` that its quotas are named for; compare tests/data/aws/mantle-quota-names.csv",
            );
        }
        let id = PoolId {
            scope,
            family: Family::Mantle,
            model: model.model.clone(),
        };
        let pool = target::pool(world, id, || codes.into_iter().flatten().collect());
        let name = format!("bedrock-mantle/{}/{}", model.project, raw.model);
        let raw = traffic.target(raw.account, raw.region, name);
        model.target = Some(target::add(check, world, &raw, pool));
    }
    world.mantle.push(model);
}
