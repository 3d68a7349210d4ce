//! Stored shapes of hints, since format 4.

use super::{
    PoolId, TargetKind,
    shape::{Number, Shape, Wrong, stored_enum, stored_struct},
};
use crate::model::hint;

stored_struct!(Hint of hint::Hint {
    pool: PoolId, strength: u16, from: i64, until: i64, clue: Clue,
});
stored_enum!(Clue of hint::Clue {
    Reservation { it @ 0: Reservation, }
    Daily { it @ 0: Daily, }
    Capacity { it @ 0: Capacity, }
    Retries { it @ 0: Retries, }
    CacheFallen { it @ 0: CacheFallen, }
    Carrier { it @ 0: Carrier, }
    // Since format 5.
    Carried { it @ 0: Carried, }
    Denied { it @ 0: Denied, }
    RaisedHere { it @ 0: RaisedHere, }
    RaisedElsewhere { it @ 0: RaisedElsewhere, }
    Valley { it @ 0: Valley, }
    Headroom { it @ 0: Headroom, }
});
stored_struct!(Reservation of hint::Reservation {
    refused: Number, code: String, quota: Number, charged: Number, in_flight: Number, held: Number,
    output: Number, enough: Number, freed: Number,
});
stored_struct!(SharedDay of hint::SharedDay {
    code: String, today: Number, low: Number, high: Number,
});
stored_struct!(Daily of hint::Daily {
    refused: Number, highest: Number, today: Number, quota: Option<(String, Number)>,
    // Since format 6.
    #[serde(default, skip_serializing_if = "Option::is_none")] shared: Option<SharedDay>,
    left: u16,
});
stored_struct!(Capacity of hint::Capacity { errors: Number, refused: Number, highest: Number, });
stored_struct!(Retries of hint::Retries {
    since: i64, before: Number, started: Number, after: Number, through: Number,
});
stored_struct!(CacheFallen of hint::CacheFallen {
    before: Number, of: u32, now: Number, extra: Number, charged: Number,
});
stored_struct!(Carrier of hint::Carrier {
    target: String, name: Option<String>, share: u16, targets: u32,
});
stored_struct!(Carried of hint::Carried {
    counted: String, is_fall: bool, is_spread: bool, now: Number, usual: Number, days: u8, by: Number,
    parts: Vec<Part>, others: u32, against: Number,
});
stored_struct!(Part of hint::Part {
    target: String, kind: Option<TargetKind>, share: u16, by: Number,
});
stored_struct!(Denied of hint::Denied {
    errors: Number, demand: Number, plain_errors: Number, plain_demand: Number,
});
stored_struct!(RaisedHere of hint::RaisedHere {
    code: String, old: Number, new: Number, at: String, refused: Number, highest: Number,
});
stored_struct!(RaisedElsewhere of hint::RaisedElsewhere {
    code: String, old: Number, new: Number, at: String, raised: PoolId, refused: Number, here: Number,
});
stored_struct!(Valley of hint::Valley {
    peak: Number, quiet: Number, from: i64, hours: u32, free: Number,
});
stored_struct!(Headroom of hint::Headroom {
    pool: PoolId, quota: Number, is_default: bool, peak: Number, lacking: Option<Number>,
});
