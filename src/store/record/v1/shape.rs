//! How a domain value becomes a stored one and comes back: one trait, its plain cases, and the macros for structs and enums.
//!
//! Field names here are the stored names. They stay as they are when the domain renames its own.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::model::{
    alert::AlertState,
    catalog::Family,
    desk::RequestStatus,
    hint::Counted,
    ids::{
        AccountId, ActionId, CaseId, DisplayId, IncidentId, Marker, ModelId, PrincipalArn,
        QuotaCode, ReceiverName, Region, RequestId, RuleName, SilenceId, TargetId,
    },
    incident::Scenario,
    links::LinkKind,
    outlook::Way,
    permit::Denier,
    receiver::{Flag, Phase},
    rule::{Category, Pattern, Remedy, Severity},
    series::Signal,
    spend::Month,
    time::{Minute, Timestamp},
    units::{Amount, QuotaKind, Share},
    unusual::Trouble,
};

/// A stored value that the domain does not accept, and where in the record it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    at: Vec<String>,
    why: String,
}

impl Wrong {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self {
            at: Vec::new(),
            why: why.into(),
        }
    }

    /// The same fault, seen from one level further out.
    pub(crate) fn within(mut self, field: impl Into<String>) -> Self {
        self.at.push(field.into());
        self
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.at.is_empty() {
            return f.write_str(&self.why);
        }
        let path: Vec<&str> = self.at.iter().rev().map(String::as_str).collect();
        write!(f, "`{}`: {}", path.join("."), self.why)
    }
}

/// The stored form of `D`. `of` never fails; `back` fails on what `of` never writes.
pub(crate) trait Shape<D>: Sized {
    fn of(domain: &D) -> Self;
    fn back(self) -> Result<D, Wrong>;
}

/// A struct whose stored fields carry the names written here.
macro_rules! stored_struct {
    ($(#[$meta:meta])* $name:ident of $domain:ty { $($(#[$how:meta])* $field:ident : $ty:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name { $($(#[$how])* $field: $ty,)* }

        impl Shape<$domain> for $name {
            fn of(domain: &$domain) -> Self {
                Self { $($field: Shape::of(&domain.$field),)* }
            }

            fn back(self) -> Result<$domain, Wrong> {
                type Domain = $domain;
                Ok(Domain { $($field: self.$field.back().map_err(|wrong| wrong.within(stringify!($field)))?,)* })
            }
        }
    };
}

/// An enum, stored as an object with the variant's name as its only key. `text @ 0` names a tuple field.
macro_rules! stored_enum {
    ($(#[$meta:meta])* $name:ident of $domain:ty { $($variant:ident { $($(#[$how:meta])* $field:ident $(@ $place:tt)? : $ty:ty,)* })* }) => {
        $(#[$meta])*
        #[derive(Debug, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub(crate) enum $name { $($variant { $($(#[$how])* $field: $ty,)* },)* }

        impl Shape<$domain> for $name {
            fn of(domain: &$domain) -> Self {
                type Domain = $domain;
                match domain {
                    $(Domain::$variant { $($($place :)? $field,)* } => Self::$variant { $($field: Shape::of($field),)* },)*
                }
            }

            fn back(self) -> Result<$domain, Wrong> {
                type Domain = $domain;
                match self {
                    $(Self::$variant { $($field,)* } => {
                        $(let $field = $field.back().map_err(|wrong| {
                            wrong.within(stringify!($field)).within(stringify!($variant))
                        })?;)*
                        Ok(Domain::$variant { $($($place :)? $field,)* })
                    })*
                }
            }
        }
    };
}
pub(crate) use {stored_enum, stored_struct};

macro_rules! as_itself {
    ($($ty:ty),*) => {$(
        impl Shape<$ty> for $ty {
            fn of(domain: &$ty) -> Self {
                domain.clone()
            }
            fn back(self) -> Result<$ty, Wrong> {
                Ok(self)
            }
        }
    )*};
}
as_itself!(String, bool, u8, u16, u32, u64, i64);

macro_rules! as_text {
    ($($id:ty),*) => {$(
        impl Shape<$id> for String {
            fn of(domain: &$id) -> Self {
                domain.as_str().to_owned()
            }
            fn back(self) -> Result<$id, Wrong> {
                Ok(<$id>::new(self))
            }
        }
    )*};
}
as_text!(
    AccountId,
    ActionId,
    CaseId,
    DisplayId,
    IncidentId,
    Marker,
    ModelId,
    PrincipalArn,
    QuotaCode,
    ReceiverName,
    Region,
    RequestId,
    RuleName,
    SilenceId,
    TargetId,
    Pattern
);

/// Enums without fields are stored under their `name()`.
macro_rules! as_name {
    ($($ty:ty = [$($value:expr),* $(,)?];)*) => {$(
        impl Shape<$ty> for String {
            fn of(domain: &$ty) -> Self {
                domain.name().to_owned()
            }
            fn back(self) -> Result<$ty, Wrong> {
                let known: &[$ty] = &[$($value),*];
                let found = known.iter().find(|value| value.name() == self);
                found.copied().ok_or_else(|| Wrong::new(format!("`{self}` is not a {} we know", stringify!($ty))))
            }
        }
    )*};
}
as_name! {
    AlertState = [
        AlertState::Normal, AlertState::Pending, AlertState::Alerting,
        AlertState::Recovering, AlertState::NoData, AlertState::Error,
    ];
    Category = [
        Category::Quota, Category::Throttle, Category::ClientError,
        Category::ServerError, Category::Latency, Category::Anomaly, Category::Lifecycle,
        Category::Residency,
        // Since format 6.
        Category::ResidencyBreach,
    ];
    Denier = [Denier::Nothing, Denier::Policy, Denier::Organization, Denier::Boundary];
    Family = [
        Family::OnDemand, Family::Geo, Family::Global, Family::Mantle, Family::Account,
    ];
    Counted = [Counted::Requests, Counted::Tokens, Counted::TokensARequest];
    QuotaKind = [
        QuotaKind::Tpm, QuotaKind::Rpm, QuotaKind::Tpd, QuotaKind::InputTpm, QuotaKind::OutputTpm,
        QuotaKind::CrossModelTpd,
    ];
    LinkKind = [
        LinkKind::Incident, LinkKind::Metric, LinkKind::Quota, LinkKind::Request, LinkKind::Case,
        LinkKind::Decide,
    ];
    Phase = [
        Phase::Opened, Phase::Updated, Phase::Acknowledged,
        Phase::Resolved, Phase::Past, Phase::Note,
    ];
    Flag = [Flag::Reminder, Flag::Proposal, Flag::Test, Flag::Drill];
    Remedy = [Remedy::Notify, Remedy::Investigate, Remedy::RequestQuota];
    Scenario = [
        Scenario::NonQuota, Scenario::NewModel, Scenario::HighUsage,
        Scenario::Growth, Scenario::LowUsage, Scenario::Unreadable,
    ];
    Severity = [Severity::Info, Severity::Warning, Severity::Critical];
    Signal = [
        Signal::Invocations, Signal::Throttles, Signal::ClientErrors, Signal::ServerErrors,
        Signal::InputTokens, Signal::OutputTokens, Signal::ChargedTokens, Signal::Latency,
        Signal::CacheWriteTokens, Signal::CacheReadTokens, Signal::LatencyP50,
        Signal::LatencyP90, Signal::LatencyP99, Signal::FirstTokenP90, Signal::LongInputs,
    ];
    Trouble = [
        Trouble::Throttled, Trouble::ClientErrors, Trouble::ServerErrors, Trouble::Slow,
        Trouble::TrafficUp, Trouble::TrafficDown, Trouble::TokensUp,
    ];
    Way = [Way::Ahead, Way::Near, Way::Climb, Way::Soon];
}

impl Shape<Month> for String {
    fn of(domain: &Month) -> Self {
        domain.name()
    }
    fn back(self) -> Result<Month, Wrong> {
        Month::named(&self).ok_or_else(|| Wrong::new(format!("`{self}` is not a month")))
    }
}

impl Shape<RequestStatus> for String {
    fn of(domain: &RequestStatus) -> Self {
        domain.as_str().to_owned()
    }

    fn back(self) -> Result<RequestStatus, Wrong> {
        Ok(RequestStatus::parse(&self))
    }
}

impl Shape<Timestamp> for String {
    fn of(domain: &Timestamp) -> Self {
        domain.to_string()
    }

    fn back(self) -> Result<Timestamp, Wrong> {
        self.parse()
            .map_err(|_| Wrong::new(format!("`{self}` is not an RFC 3339 instant")))
    }
}

impl Shape<Minute> for i64 {
    fn of(domain: &Minute) -> Self {
        domain.0
    }

    fn back(self) -> Result<Minute, Wrong> {
        Ok(Minute(self))
    }
}

impl Shape<Share> for u16 {
    fn of(domain: &Share) -> Self {
        domain.basis_points()
    }

    fn back(self) -> Result<Share, Wrong> {
        let wrong = || {
            Wrong::new(format!(
                "a share of {self} basis points is not in 1..=10000"
            ))
        };
        Share::from_basis_points(self).ok_or_else(wrong)
    }
}

/// A number that comes back bit for bit: whole numbers as JSON numbers, all others as their shortest exact text.
///
/// JSON itself knows no NaN, and the parser we use may round the last digit of a fraction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number(pub(crate) f64);

/// Whole numbers up to here are exact in an `f64`.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.0;
        let is_whole = -EXACT < value && value < EXACT && value.fract() == 0.0;
        if is_whole && !(value == 0.0 && value.is_sign_negative()) {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
            return serializer.serialize_i64(value as i64);
        }
        serializer.serialize_str(&format!("{value:?}"))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl de::Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number, or a number as text")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Number, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Number, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Number, E> {
        Ok(Number(value))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
        let wrong = |_| E::custom(format!("`{text}` is not a number"));
        text.parse().map(Number).map_err(wrong)
    }
}

impl Shape<f64> for Number {
    fn of(domain: &f64) -> Self {
        Self(*domain)
    }

    fn back(self) -> Result<f64, Wrong> {
        Ok(self.0)
    }
}

impl Shape<Amount> for Number {
    fn of(domain: &Amount) -> Self {
        Self(domain.get())
    }

    fn back(self) -> Result<Amount, Wrong> {
        let wrong = || Wrong::new(format!("{:?} is not an amount", self.0));
        Amount::new(self.0).ok_or_else(wrong)
    }
}

impl<D, S: Shape<D>> Shape<Option<D>> for Option<S> {
    fn of(domain: &Option<D>) -> Self {
        domain.as_ref().map(S::of)
    }

    fn back(self) -> Result<Option<D>, Wrong> {
        self.map(S::back).transpose()
    }
}

impl<D, S: Shape<D>> Shape<Box<D>> for Box<S> {
    fn of(domain: &Box<D>) -> Self {
        Self::new(S::of(domain))
    }

    fn back(self) -> Result<Box<D>, Wrong> {
        (*self).back().map(Box::new)
    }
}

impl<D, S: Shape<D>> Shape<Vec<D>> for Vec<S> {
    fn of(domain: &Vec<D>) -> Self {
        domain.iter().map(S::of).collect()
    }

    fn back(self) -> Result<Vec<D>, Wrong> {
        let each = self.into_iter().enumerate();
        each.map(|(index, stored)| {
            stored
                .back()
                .map_err(|wrong| wrong.within(index.to_string()))
        })
        .collect()
    }
}

impl<D: Ord, S: Shape<D>> Shape<BTreeSet<D>> for Vec<S> {
    fn of(domain: &BTreeSet<D>) -> Self {
        domain.iter().map(S::of).collect()
    }

    fn back(self) -> Result<BTreeSet<D>, Wrong> {
        let mut set = BTreeSet::new();
        for (index, stored) in self.into_iter().enumerate() {
            let value = stored
                .back()
                .map_err(|wrong| wrong.within(index.to_string()))?;
            if !set.insert(value) {
                return Err(Wrong::new("stands twice in the list").within(index.to_string()));
            }
        }
        Ok(set)
    }
}

impl<A, B, SA: Shape<A>, SB: Shape<B>> Shape<(A, B)> for (SA, SB) {
    fn of(domain: &(A, B)) -> Self {
        (SA::of(&domain.0), SB::of(&domain.1))
    }

    fn back(self) -> Result<(A, B), Wrong> {
        let first = self.0.back().map_err(|wrong| wrong.within("0"))?;
        let second = self.1.back().map_err(|wrong| wrong.within("1"))?;
        Ok((first, second))
    }
}

/// Maps are stored as lists of pairs, since keys are more than text.
impl<K: Ord, V, SK: Shape<K>, SV: Shape<V>> Shape<BTreeMap<K, V>> for Vec<(SK, SV)> {
    fn of(domain: &BTreeMap<K, V>) -> Self {
        let pairs = domain.iter();
        pairs
            .map(|(key, value)| (SK::of(key), SV::of(value)))
            .collect()
    }

    fn back(self) -> Result<BTreeMap<K, V>, Wrong> {
        let mut map = BTreeMap::new();
        for (index, pair) in self.into_iter().enumerate() {
            let (key, value) = pair
                .back()
                .map_err(|wrong| wrong.within(index.to_string()))?;
            if map.insert(key, value).is_some() {
                return Err(Wrong::new("stands twice in the list").within(index.to_string()));
            }
        }
        Ok(map)
    }
}
