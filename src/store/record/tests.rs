//! Bytes that nobody wrote: they are a record or an error, never a panic, and what is a record is written back as one.

use proptest::prelude::*;

use super::*;

/// Text that begins as records do, and bytes of all kinds.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let text =
        "\\{(\"[a-z_]{1,12}\":(null|true|-?[0-9]{1,30}|\"\\PC{0,12}\"|\\[\\]|\\{\\}),?){0,6}\\}?";
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..400),
        text.prop_map(String::into_bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn strange_bytes_are_refused_or_are_a_record(bytes in bytes(), kind in 0..Kind::ALL.len()) {
        if let Ok(record) = from_bytes(shape_of(Kind::ALL[kind]), Kind::ALL[kind], &bytes) {
            let again = to_bytes(&record).unwrap().unwrap();
            prop_assert_eq!(from_bytes(shape_of(Kind::ALL[kind]), Kind::ALL[kind], &again).unwrap(), record);
        }
    }

    /// An hour is the one record of bytes: cut and changed at any place.
    #[test]
    fn a_changed_hour_is_refused_or_is_an_hour(
        values in prop::collection::vec(any::<Option<f64>>(), 60),
        at in any::<prop::sample::Index>(),
        other in any::<u8>(),
        length in any::<prop::sample::Index>(),
    ) {
        use crate::model::{
            catalog::{Family, PoolId},
            ids::{AccountId, ModelId, Region, Scope},
            series::{HourBlock, Sample, Signal},
            time::Minute,
        };
        let scope = Scope { account: AccountId::new("111122223333"), region: Region::new("us-east-1") };
        let pool = PoolId { scope, family: Family::Geo, model: ModelId::new("anthropic.claude-sonnet-4-6") };
        let mut block: HourBlock = [Sample::Unobserved; 60];
        for (slot, value) in block.iter_mut().zip(&values) {
            let value = value.filter(|it| it.is_finite() && 0.0 <= *it);
            *slot = value.map_or(Sample::NoData, |it| Signal::Invocations.rounded(Sample::Value(it)));
        }
        let hour = [(Signal::Invocations, block), (Signal::Throttles, block)];
        let record = Record::Hour(pool, Minute(0), hour.into_iter().collect());
        let Ok(Some(mut bytes)) = to_bytes(&record) else { return Ok(()) };
        prop_assert_eq!(from_bytes(HOURS, Kind::Hour, &bytes).unwrap(), record);
        let place = at.index(bytes.len());
        bytes[place] = other;
        for changed in [&bytes[..], &bytes[..length.index(bytes.len())]] {
            if let Ok(record) = from_bytes(HOURS, Kind::Hour, changed) {
                let is_hour = matches!(record, Record::Hour(..));
                prop_assert!(is_hour);
            }
        }
    }
}
