//! What people say.

use bedrock_ops_alert::model::{
    audit::Entry,
    catalog::Family,
    handling::{Ack, Event, Handling, Held, Hold, Rejected},
    ids::{AccountId, IncidentId, SilenceId},
    rule::{Category, Matcher, Pattern, Severity},
    selector::Selector,
    silence::Silence,
};
use fastrand::Rng;

use super::{instant, maybe, text};

fn severity(rng: &mut Rng) -> Severity {
    Severity::ALL[rng.usize(0..3)]
}

pub(super) fn silence(slot: u8, rng: &mut Rng) -> Silence {
    let patterns = |rng: &mut Rng| -> Vec<Pattern> {
        (0..rng.u8(0..3)).map(|_| Pattern::new(text(rng))).collect()
    };
    Silence {
        id: SilenceId::new(format!("sil-{slot}")),
        selector: Selector {
            rules: patterns(rng),
            categories: vec![Category::ALL[rng.usize(0..7)]],
            pools: Matcher {
                accounts: vec![AccountId::new("111122223333")],
                regions: patterns(rng),
                families: vec![Family::ALL[rng.usize(0..4)]],
                models: patterns(rng),
            },
            names: patterns(rng),
        },
        by: text(rng),
        why: text(rng),
        created: instant(rng),
        from: instant(rng),
        until: instant(rng),
        holds_requests: rng.bool(),
        expired_by: maybe(rng, text),
    }
}

pub(super) fn handling(slot: u8, rng: &mut Rng) -> Handling {
    Handling {
        incident: IncidentId::new(format!("inc-{slot}")),
        returns: rng.u32(..),
        heard_end: rng.bool(),
        end_due: maybe(rng, instant),
        held: maybe(rng, held),
        ack: maybe(rng, |rng| Ack {
            by: text(rng),
            at: instant(rng),
            note: maybe(rng, text),
            severity: severity(rng),
            until: maybe(rng, instant),
        }),
        rejected: maybe(rng, |rng| Rejected {
            by: text(rng),
            at: instant(rng),
            why: maybe(rng, text),
            severity: severity(rng),
        }),
        last_told: maybe(rng, instant),
        reminders: rng.u32(..),
    }
}

fn held(rng: &mut Rng) -> Held {
    let hold = if rng.bool() {
        let by = (0..rng.u8(1..4)).map(|slot| SilenceId::new(format!("sil-{slot}")));
        Hold::Silenced { by: by.collect() }
    } else {
        Hold::Inhibited {
            by: IncidentId::new("inc-9"),
            rule: text(rng),
        }
    };
    let event = |rng: &mut Rng| Event {
        at: instant(rng),
        what: text(rng),
    };
    Held {
        hold,
        since: instant(rng),
        severity: severity(rng),
        was_told: rng.bool(),
        events: (0..rng.u8(0..10)).map(|_| event(rng)).collect(),
        dropped: rng.u32(..),
    }
}

pub(super) fn entry(slot: u8, rng: &mut Rng) -> Entry {
    Entry {
        number: u64::from(slot) + 1,
        at: instant(rng),
        by: maybe(rng, text),
        kind: "approve".to_owned(),
        subject: text(rng),
        what: text(rng),
        why: maybe(rng, text),
    }
}
