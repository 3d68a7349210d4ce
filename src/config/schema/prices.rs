//! What tokens cost.

use super::{
    Shape, Table,
    form::{ACCOUNT, MODEL, REGIONS, TOKEN_PRICE},
    key,
};
use crate::model::catalog::Family;

/// `[[price]]`.
pub(super) fn price() -> Table {
    let families = Family::ALL.map(Family::name);
    let usd = |name, says| key(name, says, &TOKEN_PRICE);
    Table::of([
        key(
            "models",
            "Of these base models; * stands for any characters.",
            Shape::list(&MODEL),
        )
        .required(),
        key(
            "families",
            "Of these kinds of pools; left out for all, global ones with their published discount.",
            Shape::list(Shape::choice(families)),
        ),
        key(
            "regions",
            "Called in these Regions; * stands for any characters.",
            Shape::list(&REGIONS),
        ),
        key("accounts", "For these accounts.", Shape::list(&ACCOUNT)),
        usd("input", "A million tokens of input, not cached.").required(),
        usd("output", "A million tokens of output.").required(),
        usd("cache_read", "A million tokens read from the prompt cache."),
        usd("cache_write", "A million tokens written to it."),
    ])
}
