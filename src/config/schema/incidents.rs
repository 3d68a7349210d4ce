//! How people are told of incidents: reminders, and what is not told twice.

use super::{
    Key, Shape, Table,
    form::{MINUTES, NAME, POOL, RULE},
    key,
    receivers::pools,
    settings::lasting,
};
use crate::{
    config::settings::{FIRST_REMINDER_MINUTES, LONGEST_REMINDER_MINUTES},
    model::{inhibit::Part, rule::Category},
};

/// `[reminder]`.
pub(super) fn reminder() -> Table {
    Table::of([
        key("first", "From a message to the first reminder.", &MINUTES)
            .default(lasting(FIRST_REMINDER_MINUTES)),
        key(
            "longest",
            "Each reminder waits twice as long as the one before, up to this.",
            &MINUTES,
        )
        .default(lasting(LONGEST_REMINDER_MINUTES)),
    ])
}

/// One `[[inhibit]]`.
pub(super) fn inhibit() -> Table {
    let parts = Part::ALL.map(Part::name);
    Table::of([
        key("name", "Told where it holds something back.", &NAME).required(),
        key(
            "enabled",
            "`false` with the name alone switches off a shipped one.",
            Shape::Flag,
        )
        .default(true),
        key("source", "What people know of.", Shape::Table(side())),
        key(
            "target",
            "What is not told beside it.",
            Shape::Table(side()),
        ),
        key(
            "equal",
            "What both must have in common.",
            Shape::list(Shape::choice(parts)),
        ),
    ])
}

/// Which incidents: at least one list.
fn side() -> Table {
    let categories = Category::ALL.map(Category::name);
    let mut keys: Vec<Key> = vec![
        key(
            "rules",
            "Of these rules; * stands for any characters.",
            Shape::list(&RULE),
        ),
        key(
            "categories",
            "Of these kinds.",
            Shape::list(Shape::choice(categories)),
        ),
    ];
    keys.extend(pools());
    keys.push(key(
        "pools",
        "Of pools with these names; * stands for any characters.",
        Shape::list(&POOL),
    ));
    Table::of(keys)
}
