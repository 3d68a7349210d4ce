//! From format 6 to 7: what was a record for each signal of an hour becomes one. Thousands of pools have a thirteenth of the
//! keys then, and a start reads as many fewer.

use std::collections::BTreeMap;

use crate::{
    model::{
        book::{Key, Record},
        catalog::PoolId,
        series::PoolHour,
        time::Minute,
    },
    store::{
        key::{self, Kind},
        record,
        scan::Raw,
    },
};

/// All records, the hours put together.
pub(super) fn together(raws: Vec<Raw>) -> Result<Vec<Raw>, String> {
    let (hours, mut all): (Vec<Raw>, Vec<Raw>) =
        raws.into_iter().partition(|raw| raw.kind == Kind::Hour);
    let mut whole: BTreeMap<(PoolId, Minute), PoolHour> = BTreeMap::new();
    for raw in hours {
        let read = record::from_bytes(raw.shape, raw.kind, &raw.body);
        let record = read.map_err(|wrong| format!("an hour cannot be read: {wrong}"))?;
        let Record::Hour(pool, hour, it) = record else {
            return Err("what stands for an hour is none".to_owned());
        };
        whole.entry((pool, hour)).or_default().fill(&it);
    }
    for ((pool, hour), it) in whole {
        let key = key::bytes(&Key::Hour(pool.clone(), hour));
        let body = record::to_bytes(&Record::Hour(pool, hour, it));
        let body = body.map_err(|wrong| format!("an hour cannot be written: {wrong}"))?;
        all.push(Raw {
            kind: Kind::Hour,
            key,
            shape: record::shape_of(Kind::Hour),
            body: body.unwrap_or_default(), // only `Remove` has none
        });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            catalog::Family,
            ids::{AccountId, ModelId, Region, Scope},
            series::{Sample, Signal},
        },
        store::{record::v1::hour::tests::encode, scan},
    };

    #[test]
    fn the_signals_of_an_hour_come_together_and_nothing_is_lost() {
        let pool = |model: &str| PoolId {
            scope: Scope {
                account: AccountId::new("111122223333"),
                region: Region::new("us-east-1"),
            },
            family: Family::OnDemand,
            model: ModelId::new(model),
        };
        let block = |value: f64| [Sample::Value(value); 60];
        let rows = [
            ("a", Signal::Throttles, 0, 1.0),
            ("a", Signal::Invocations, 0, 2.0),
            ("a", Signal::Invocations, 60, 3.0),
            ("b", Signal::Latency, 0, 4.5),
        ];
        let mut raws: Vec<Raw> = rows
            .iter()
            .zip(0_u8..)
            .map(|((model, signal, hour, value), number)| Raw {
                kind: Kind::Hour,
                key: vec![number], // whatever it was
                shape: 1,
                body: encode(&pool(model), *signal, Minute(*hour), &block(*value)),
            })
            .collect();
        let other = Raw {
            kind: Kind::Discovered,
            key: vec![7],
            shape: 1,
            body: b"{}".to_vec(),
        };
        raws.insert(1, other.clone());

        let rewritten = together(raws).unwrap();
        assert_eq!(rewritten.len(), 4, "three hours and the other one");
        assert!(rewritten.contains(&other));
        let mut found = Vec::new();
        for raw in rewritten.iter().filter(|it| it.kind == Kind::Hour) {
            // Decoded as any record is at each start, its key included.
            let Record::Hour(pool, hour, whole) = scan::decoded(raw).unwrap() else {
                panic!("an hour");
            };
            for (signal, block) in whole.blocks() {
                let value = block[0].value().unwrap();
                found.push((pool.model.to_string(), signal, hour.0, value));
            }
        }
        found.sort_by(|one, two| one.partial_cmp(two).unwrap());
        let mut expected =
            rows.map(|(model, signal, hour, value)| (model.to_owned(), signal, hour, value));
        expected.sort_by(|one, two| one.partial_cmp(two).unwrap());
        assert_eq!(found, expected);
    }

    #[test]
    fn an_hour_that_cannot_be_read_stops_the_step() {
        let raw = Raw {
            kind: Kind::Hour,
            key: vec![0],
            shape: 1,
            body: vec![1, 2, 3],
        };
        assert!(together(vec![raw]).unwrap_err().contains("cannot be read"));
    }
}
