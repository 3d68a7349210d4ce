//! Conditions that are judged by a pool's own past: from TOML to checked values.

use super::{
    rules::severities,
    sheet::{Entry, Section, Sheet},
    values,
};
use crate::model::{
    rule::{Chance, Climb, Condition, Standing, WarningRule},
    units::{QuotaKind, Share},
    unusual::{Beyond, Failing, Jump, Trouble, Unusual},
};

/// `{ of = "latency", factor = 1.5, rare = "30d" }`; which keys there are depends on `of`.
pub(super) fn unusual(sheet: &mut Sheet, mut table: Section<'_>) -> Option<Unusual> {
    let troubles = Trouble::ALL.map(|it| (it.name(), it));
    let of = table.take("of");
    let of = of.and_then(|it| sheet.choice(&it, &troubles));
    let of = sheet.require(&table, "of", "\"latency\"", of)?;
    let sought = match of {
        Trouble::Throttled => Some(Unusual::Throttled),
        Trouble::ClientErrors => failing(sheet, &mut table).map(Unusual::ClientErrors),
        Trouble::ServerErrors => failing(sheet, &mut table).map(Unusual::ServerErrors),
        Trouble::Slow => beyond(sheet, &mut table).map(Unusual::Slow),
        Trouble::TrafficUp => jump(sheet, &mut table).map(Unusual::TrafficUp),
        Trouble::TrafficDown => jump(sheet, &mut table).map(Unusual::TrafficDown),
        Trouble::TokensUp => beyond(sheet, &mut table).map(Unusual::TokensUp),
    };
    table.finish(sheet);
    sought
}

fn failing(sheet: &mut Sheet, table: &mut Section<'_>) -> Option<Failing> {
    let ratio = number(sheet, table, "ratio", "1.5");
    let excess = share(sheet, table, "excess", "\"1 %\"");
    let rare = minutes(sheet, table, "rare", "\"30d\"");
    Some(Failing {
        ratio: ratio?,
        excess: excess?,
        rare: rare?,
    })
}

fn beyond(sheet: &mut Sheet, table: &mut Section<'_>) -> Option<Beyond> {
    let factor = number(sheet, table, "factor", "1.5");
    let rare = minutes(sheet, table, "rare", "\"30d\"");
    Some(Beyond {
        factor: factor?,
        rare: rare?,
    })
}

fn jump(sheet: &mut Sheet, table: &mut Section<'_>) -> Option<Jump> {
    let jump = number(sheet, table, "jump", "3");
    let factor = number(sheet, table, "factor", "2");
    let rare = minutes(sheet, table, "rare", "\"30d\"");
    Some(Jump {
        jump: jump?,
        factor: factor?,
        rare: rare?,
    })
}

/// `{ kind = "tpm", early = "info", quiet = "7d", again = "5d", ahead = { … }, near = { … }, climb = { … }, soon = { … } }`;
/// without `climb` for `tpd`, since the pace of an hour says little of a day.
pub(super) fn runs_out(sheet: &mut Sheet, mut table: Section<'_>) -> Option<Condition> {
    let kinds = QuotaKind::ALL.map(|it| (it.name(), it));
    let kind = table.take("kind").and_then(|it| sheet.choice(&it, &kinds));
    let kind = sheet.require(&table, "kind", "\"tpm\"", kind);
    let early = table
        .take("early")
        .and_then(|it| sheet.choice(&it, &severities()));
    let early = sheet.require(&table, "early", "\"info\"", early);
    let quiet_minutes = minutes(sheet, &mut table, "quiet", "\"7d\"");
    let again_minutes = minutes(sheet, &mut table, "again", "\"5d\"");
    let ahead = table.take("ahead").and_then(|it| chance(sheet, &it));
    let ahead = sheet.require(
        &table,
        "ahead",
        "{ use = \"45 %\", chance = \"38 %\" }",
        ahead,
    );
    let near = table.take("near").and_then(|it| chance(sheet, &it));
    let near = sheet.require(
        &table,
        "near",
        "{ use = \"85 %\", chance = \"30 %\" }",
        near,
    );
    let climb = if kind.is_some_and(QuotaKind::is_daily) {
        Some(None) // what is written nevertheless is an unknown key
    } else {
        let climb = table.take("climb").and_then(|it| climb_of(sheet, &it));
        let such_as = "{ use = \"45 %\", usual = \"33 %\", within = \"6h\" }";
        sheet.require(&table, "climb", such_as, climb).map(Some)
    };
    let soon = table.take("soon").and_then(|it| standing(sheet, &it));
    let soon = sheet.require(
        &table,
        "soon",
        "{ chance = \"80 %\", lasts = \"15m\" }",
        soon,
    );
    table.finish(sheet);
    Some(Condition::RunsOut {
        kind: kind?,
        warning: WarningRule {
            ahead: ahead?,
            near: near?,
            soon: soon?,
            climb: climb?,
            early: early?,
            again_minutes: again_minutes?,
            quiet_minutes: quiet_minutes?,
        },
    })
}

/// `{ use = "45 %", chance = "38 %" }`
pub(super) fn chance(sheet: &mut Sheet, entry: &Entry<'_>) -> Option<Chance> {
    let mut table = sheet.table(entry)?;
    let use_share = share(sheet, &mut table, "use", "\"45 %\"");
    let chance = share(sheet, &mut table, "chance", "\"40 %\"");
    table.finish(sheet);
    Some(Chance {
        use_share: use_share?,
        chance: chance?,
    })
}

/// `{ use = "45 %", usual = "33 %", within = "6h" }`
pub(super) fn climb_of(sheet: &mut Sheet, entry: &Entry<'_>) -> Option<Climb> {
    let mut table = sheet.table(entry)?;
    let use_share = share(sheet, &mut table, "use", "\"45 %\"");
    let usual = share(sheet, &mut table, "usual", "\"33 %\"");
    let within = minutes(sheet, &mut table, "within", "\"6h\"");
    table.finish(sheet);
    Some(Climb {
        use_share: use_share?,
        usual: usual?,
        within_minutes: within?,
    })
}

/// `{ chance = "80 %", lasts = "15m" }`
pub(super) fn standing(sheet: &mut Sheet, entry: &Entry<'_>) -> Option<Standing> {
    let mut table = sheet.table(entry)?;
    let chance = share(sheet, &mut table, "chance", "\"80 %\"");
    let minutes = minutes(sheet, &mut table, "lasts", "\"15m\"");
    table.finish(sheet);
    Some(Standing {
        chance: chance?,
        minutes: minutes?,
    })
}

fn number(
    sheet: &mut Sheet,
    table: &mut Section<'_>,
    key: &'static str,
    such_as: &'static str,
) -> Option<f64> {
    let written = table.take(key);
    let number = written.and_then(|it| sheet.number(&it, 1.0));
    sheet.require(table, key, such_as, number)
}

fn share(
    sheet: &mut Sheet,
    table: &mut Section<'_>,
    key: &'static str,
    such_as: &'static str,
) -> Option<Share> {
    let written = table.take(key);
    let share = written.and_then(|it| sheet.parsed(&it, values::share));
    sheet.require(table, key, such_as, share)
}

fn minutes(
    sheet: &mut Sheet,
    table: &mut Section<'_>,
    key: &'static str,
    such_as: &'static str,
) -> Option<i64> {
    let written = table.take(key);
    let minutes = written.and_then(|it| sheet.parsed(&it, values::minutes));
    sheet.require(table, key, such_as, minutes)
}
