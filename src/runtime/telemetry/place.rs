//! Where an event is: fields of its line, so that a log can be asked for an account, a Region, a model or a quota.

use crate::model::{
    action::Effect,
    book::{Book, Record},
    catalog::PoolId,
    ids::{IncidentId, QuotaCode, Scope},
    incident::{Cause, Incident},
};

/// What is known of where an event is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Place {
    /// The account.
    pub account: Option<String>,
    /// The Region.
    pub region: Option<String>,
    /// The base model.
    pub model: Option<String>,
    /// The quota.
    pub quota_code: Option<String>,
    /// The incident, where the event is about something that serves one.
    pub incident: Option<String>,
}

const fn incident_of(record: &Record) -> Option<&Incident> {
    if let Record::Incident(incident) = record {
        return Some(incident);
    }
    None
}

impl Place {
    /// Of this record; incidents are looked up in the book and among the records that are written with it.
    pub(super) fn of(book: &Book, together: &[Record], record: &Record) -> Self {
        let incident = |id: &IncidentId| {
            let mut new = together.iter().filter_map(incident_of);
            let new = new.find(|it| it.id == *id);
            let known = new.or_else(|| book.incidents.get(id));
            Self {
                incident: known.map(|it| it.id.to_string()),
                ..known.map(Self::of_incident).unwrap_or_default()
            }
        };
        match record {
            Record::Incident(it) => Self::of_incident(it),
            Record::Handling(it) => incident(&it.incident),
            Record::Intent(it) => incident(&it.incident).with_effect(&it.effect),
            Record::Ask(it) => incident(&it.incident).at(&it.scope).of_quota(&it.code),
            Record::Investigation(it) => incident(&it.incident).at(&it.scope),
            Record::Pool(it) => Self::default().of_pool(&it.id),
            Record::QuotaChange(it) => Self::default().at(&it.scope).of_quota(&it.code),
            // They say nothing, or are about no place.
            Record::Track(..)
            | Record::Target(_)
            | Record::Quota(_)
            | Record::Hour(..)
            | Record::Discovered(..)
            | Record::Catalog(..)
            | Record::Reaches(..)
            | Record::Tags(..)
            | Record::Permits(..)
            | Record::Ran(..)
            | Record::UseDay(..)
            | Record::ReadThrough(..)
            | Record::ReadInFull(..)
            | Record::ReadInDepth(..)
            | Record::Spend(_)
            | Record::Silence(_)
            | Record::Entry(_)
            | Record::Remove(_) => Self::default(),
        }
    }

    fn of_incident(incident: &Incident) -> Self {
        match &incident.cause {
            Cause::Pool { pool, .. } => Self::default().of_pool(pool),
            Cause::Quota { scope, code } => {
                // Models may share a code: where there is one only, it is named.
                let mut models = incident.pools.iter().map(|it| &it.model);
                let first = models.next();
                let model = first.filter(|first| models.all(|it| it == *first));
                Self {
                    model: model.map(ToString::to_string),
                    ..Self::default().at(scope).of_quota(code)
                }
            }
        }
    }

    fn with_effect(self, effect: &Effect) -> Self {
        match effect {
            Effect::Notify { .. } => self,
            Effect::RequestQuota { scope, code, .. } => self.at(scope).of_quota(code),
            Effect::OpenCase { scope, .. }
            | Effect::Comment { scope, .. }
            | Effect::EndCase { scope, .. } => self.at(scope),
        }
    }

    fn at(self, scope: &Scope) -> Self {
        Self {
            account: Some(scope.account.to_string()),
            region: Some(scope.region.to_string()),
            ..self
        }
    }

    fn of_pool(self, pool: &PoolId) -> Self {
        Self {
            model: Some(pool.model.to_string()),
            ..self.at(&pool.scope)
        }
    }

    fn of_quota(self, code: &QuotaCode) -> Self {
        Self {
            quota_code: Some(code.to_string()),
            ..self
        }
    }
}
