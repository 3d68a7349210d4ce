//! Finds what an id means, and gathers all that is known of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cut, MOST_ROWS, View, headroom::least_headroom_first, portrait::charge_check, text};
use crate::{
    model::{
        action::Intent,
        book::Book,
        catalog::{Catalog, Pool, PoolId, Target, TargetKind},
        ids::{IncidentId, QuotaCode, RuleName, Scope},
        incident::{Cause, Incident},
        quota::QuotaChange,
        reason::Reason,
        series::TargetUse,
        silence::Silence,
        time::{HOUR, Minute, Timestamp},
        units::QuotaKind,
        uses::{day_of, hour_of},
    },
    web::json::{Explanation, Incidents, Judgement, Target as TargetDocument, TargetDay},
};

/// Incidents told in full in one explanation.
const MOST_INCIDENTS: usize = 20;

/// What an id turned out to be.
enum Found<'a> {
    /// An incident, directly or through something that serves it.
    Incident(&'static str, &'a IncidentId),
    /// An action about none.
    Action(&'a Intent),
    /// A silence.
    Silence(&'a Silence),
    /// A pool.
    Pool(&'a Pool),
    /// A target, in every scope where it is known.
    Targets(Vec<&'a Target>),
    /// A quota, in every scope where it is known.
    Quota(QuotaCode),
}

impl View<'_> {
    /// All incidents in brief: open ones, then ended ones.
    pub(in crate::web) fn incidents(&self) -> Incidents {
        let mut cut = Cut::default();
        let (mut incidents, ended) = self.incident_briefs();
        incidents.extend(ended);
        Incidents {
            now: self.now().map(text),
            incidents: cut.rows("incidents", incidents, MOST_ROWS),
            left_out: cut.0,
        }
    }

    /// One incident by its id, and nothing else.
    pub(in crate::web) fn incident_by_id(&self, id: &str) -> Option<crate::web::json::Incident> {
        let id = IncidentId::new(id);
        self.book.incidents.get(&id).map(|it| self.incident(it))
    }

    /// What is known of an incident, action, marker, silence, pool, target, quota code, request or case; `None` if it is none of these.
    pub(in crate::web) fn explain(&self, asked: &str) -> Option<Explanation> {
        let mut explanation = Explanation {
            asked: asked.to_owned(),
            kind: String::new(),
            now: self.now().map(text),
            is_simulated: self.is_simulated,
            incidents: Vec::new(),
            actions: Vec::new(),
            silences: Vec::new(),
            headroom: Vec::new(),
            quotas: Vec::new(),
            quota_changes: Vec::new(),
            targets: Vec::new(),
            elsewhere: Vec::new(),
            life: None,
            per_request: None,
            charge_check: None,
            judgements: Vec::new(),
            left_out: BTreeMap::new(),
        };
        match self.find(asked)? {
            Found::Incident(kind, id) => {
                kind.clone_into(&mut explanation.kind);
                let incident = self.book.incidents.get(id)?;
                explanation.incidents.push(self.incident(incident));
            }
            Found::Action(intent) => {
                "action".clone_into(&mut explanation.kind);
                explanation.actions.push(self.action(intent));
            }
            Found::Silence(silence) => {
                "silence".clone_into(&mut explanation.kind);
                self.explain_silence(&mut explanation, silence);
            }
            Found::Targets(targets) => {
                "target".clone_into(&mut explanation.kind);
                self.explain_targets(&mut explanation, &targets);
            }
            Found::Pool(pool) => {
                "pool".clone_into(&mut explanation.kind);
                self.explain_pool(&mut explanation, pool);
            }
            Found::Quota(code) => {
                "quota".clone_into(&mut explanation.kind);
                let pools: Vec<&Pool> = self.pools_with(&code);
                let keys = self.book.quotas.keys();
                let keys = keys.filter(|(_, it)| *it == code).cloned().collect();
                self.fill(
                    &mut explanation,
                    &pools,
                    &keys,
                    |it| matches!(&it.cause, Cause::Quota { code: of, .. } if *of == code),
                );
                explanation
                    .headroom
                    .retain(|row| row.quota_code.as_deref() == Some(code.as_str()));
            }
        }
        Some(explanation)
    }

    fn explain_pool(&self, explanation: &mut Explanation, pool: &Pool) {
        self.fill(explanation, &[pool], &codes_of(pool), |it| {
            it.pools.contains(&pool.id)
                || matches!(&it.cause, Cause::Pool { pool: of, .. } if *of == pool.id)
        });
        let targets = self.book.targets.values();
        let of_pool = targets.filter(|it| it.pool == pool.id);
        let catalog = self.book.catalogs.get(&pool.id.scope);
        explanation.targets = of_pool.map(|it| self.target(it, catalog)).collect();
        explanation.elsewhere = self.elsewhere_of_pool(&pool.id);
        let life = catalog.and_then(|it| it.lives.get(&pool.id.model));
        explanation.life = life.map(Into::into);
        explanation.per_request = self.per_request(&pool.id);
        let check = self.health.checks.get(&pool.id);
        explanation.charge_check = check.map(charge_check);
    }

    /// A silence with the open incidents that nobody hears of for it.
    fn explain_silence(&self, explanation: &mut Explanation, silence: &Silence) {
        let told = self.silence(silence);
        let under = told.incidents.iter().filter_map(|id| {
            let id = IncidentId::new(id.as_str());
            self.book.incidents.get(&id)
        });
        let mut cut = Cut::default();
        let under = cut.rows("incidents", under.collect(), MOST_INCIDENTS);
        explanation.incidents = under.into_iter().map(|it| self.incident(it)).collect();
        explanation.silences.push(told);
        explanation.left_out = cut.0;
    }

    /// A target by the pools that it drains.
    fn explain_targets(&self, explanation: &mut Explanation, targets: &[&Target]) {
        let ids: BTreeSet<&PoolId> = targets.iter().map(|it| &it.pool).collect();
        let pools = ids.iter().filter_map(|id| self.book.pools.get(*id));
        let pools: Vec<&Pool> = pools.collect();
        let codes = pools.iter().flat_map(|pool| codes_of(pool)).collect();
        self.fill(explanation, &pools, &codes, |it| {
            it.pools.iter().any(|pool| ids.contains(pool))
        });
        let told = targets.iter().map(|it| {
            let catalog = self.book.catalogs.get(&it.pool.scope);
            self.target(it, catalog)
        });
        explanation.targets = told.collect();
    }

    fn find<'a>(&'a self, asked: &str) -> Option<Found<'a>> {
        let book = self.book;
        if let Some((id, _)) = book.incidents.iter().find(|(id, _)| id.as_str() == asked) {
            return Some(Found::Incident("incident", id));
        }
        let is_action = |id: &str, marker: &str| id == asked || marker == asked;
        let mut intents = book.intents.values();
        if let Some(intent) = intents.find(|it| is_action(it.id.as_str(), it.marker().as_str())) {
            let has_incident = book.incidents.contains_key(&intent.incident);
            return Some(if has_incident {
                Found::Incident("action", &intent.incident)
            } else {
                Found::Action(intent)
            });
        }
        let mut silences = book.silences.values();
        if let Some(silence) = silences.find(|it| it.id.as_str() == asked) {
            return Some(Found::Silence(silence));
        }
        if let Some(ask) = book.asks.values().find(|it| it.request.as_str() == asked) {
            return Some(Found::Incident("request", &ask.incident));
        }
        let is_case = |case: Option<&str>, display: Option<&str>| {
            case == Some(asked) || display == Some(asked)
        };
        let of_ask = book.asks.values().find(|it| {
            is_case(
                it.case.as_ref().map(|it| it.as_str()),
                it.display.as_ref().map(|it| it.as_str()),
            )
        });
        if let Some(ask) = of_ask {
            return Some(Found::Incident("case", &ask.incident));
        }
        let of_case = book.investigations.values().find(|it| {
            is_case(
                Some(it.case.as_str()),
                it.display.as_ref().map(|it| it.as_str()),
            )
        });
        if let Some(case) = of_case {
            return Some(Found::Incident("case", &case.incident));
        }
        let mut pools = book.pools.values();
        if let Some(pool) = pools.find(|it| it.id.to_string() == asked) {
            return Some(Found::Pool(pool));
        }
        let targets = book.targets.values().filter(|it| is_called(it, asked));
        let targets: Vec<&Target> = targets.collect();
        if !targets.is_empty() {
            return Some(Found::Targets(targets));
        }
        let code = QuotaCode::new(asked);
        let is_known = book.quotas.keys().any(|(_, it)| *it == code);
        (is_known || !self.pools_with(&code).is_empty()).then_some(Found::Quota(code))
    }

    /// What overrides gave this rule on this pool.
    fn overridden(&self, pool: &PoolId, rule: &RuleName) -> Vec<String> {
        let given = self.settings.rules.given(pool, rule).into_iter();
        let given = given.map(|it| {
            format!(
                "{} = {} by override {} ({})",
                it.key, it.value, it.by.name, it.by.place
            )
        });
        given.collect()
    }

    fn pools_with(&self, code: &QuotaCode) -> Vec<&Pool> {
        let has = |pool: &&Pool| pool.mappings.values().any(|it| it.code() == Some(code));
        self.book.pools.values().filter(has).collect()
    }

    /// What pools and quotas have in common: use, values, changes, judgements and incidents.
    fn fill(
        &self,
        explanation: &mut Explanation,
        pools: &[&Pool],
        codes: &BTreeSet<(Scope, QuotaCode)>,
        is_about: impl Fn(&Incident) -> bool,
    ) {
        let mut cut = Cut::default();
        let mut rows: Vec<_> = pools.iter().flat_map(|pool| self.rows_of(pool)).collect();
        rows.sort_by(least_headroom_first);
        explanation.headroom = cut.rows("headroom", rows, MOST_ROWS);
        let quotas = codes.iter().filter_map(|key| self.book.quotas.get(key));
        let quotas = quotas.map(|quota| self.quota(quota)).collect();
        explanation.quotas = cut.rows("quotas", quotas, MOST_ROWS);
        let of_codes = |change: &&QuotaChange| {
            codes
                .iter()
                .any(|(scope, code)| change.scope == *scope && change.code == *code)
        };
        let changes = self.quota_changes(of_codes);
        explanation.quota_changes = cut.rows("quota_changes", changes, MOST_ROWS);
        let ids: BTreeSet<&PoolId> = pools.iter().map(|pool| &pool.id).collect();
        let judgements = ids.iter().filter_map(|id| self.health.verdicts.get(*id));
        let judgements = judgements.flatten();
        let judgements = judgements.map(|it| Judgement {
            rule: it.rule.to_string(),
            pool: it.pool.to_string(),
            state: it.state.name().to_owned(),
            is_provisional: it.is_provisional,
            reasons: it.reasons.iter().map(Reason::to_string).collect(),
            overridden: self.overridden(&it.pool, &it.rule),
        });
        explanation.judgements = cut.rows("judgements", judgements.collect(), MOST_ROWS);
        explanation
            .judgements
            .sort_by(|a, b| (&a.pool, &a.rule).cmp(&(&b.pool, &b.rule)));
        let mut incidents: Vec<&Incident> = self.book.incidents.values().collect();
        incidents.retain(|it| is_about(it));
        incidents.sort_by_key(|it| (!it.is_open(), std::cmp::Reverse(it.opened), &it.id));
        let incidents = cut.rows("incidents", incidents, MOST_INCIDENTS);
        explanation.incidents = incidents.into_iter().map(|it| self.incident(it)).collect();
        explanation.left_out = cut.0;
    }
}

/// Whether people call this target so: by its id, or an application profile by its name.
fn is_called(target: &Target, asked: &str) -> bool {
    target.id.as_str() == asked
        || match &target.kind {
            TargetKind::ApplicationProfile { name } => name == asked,
            TargetKind::Base | TargetKind::SystemProfile | TargetKind::Mantle => false,
        }
}

fn codes_of(pool: &Pool) -> BTreeSet<(Scope, QuotaCode)> {
    let codes = QuotaKind::ALL
        .into_iter()
        .filter_map(|kind| pool.mapping(kind).code());
    codes
        .map(|code| (pool.id.scope.clone(), code.clone()))
        .collect()
}

impl View<'_> {
    fn target(&self, target: &Target, catalog: Option<&Catalog>) -> TargetDocument {
        let lately = self.now().and_then(|now| lately(self.book, target, now));
        TargetDocument {
            lately,
            ..described(target, catalog, self.book)
        }
    }
}

fn lately(book: &Book, target: &Target, now: Timestamp) -> Option<TargetDay> {
    let until = Minute::of(now).hour();
    let hours = (1..=24).map(|back| until.plus(-back * HOUR));
    let known = hours.filter_map(|hour| {
        let day = book.uses.get(&(target.pool.clone(), day_of(hour)))?;
        day.took(hour_of(hour), &target.id)
    });
    let (hours, sum) = known.fold((0, TargetUse::default()), |(hours, sum), it| {
        (hours + 1, sum.plus(it))
    });
    (0 < hours).then_some(TargetDay {
        hours,
        requests: sum.demand,
        throttled: sum.throttled,
        tokens: sum.charged,
    })
}

fn described(target: &Target, catalog: Option<&Catalog>, book: &Book) -> TargetDocument {
    let vanished = catalog.and_then(|it| it.vanished.get(&target.id));
    let name = match &target.kind {
        TargetKind::ApplicationProfile { name } => Some(name.clone()),
        TargetKind::Base | TargetKind::SystemProfile | TargetKind::Mantle => None,
    };
    let tags = book.tags_of(&target.pool, &target.id);
    TargetDocument {
        id: target.id.to_string(),
        kind: target.kind.name().to_owned(),
        name,
        tags: tags.map(|it| it.by_key.clone()),
        tags_read: tags.map(|it| text(it.read_at)),
        first_seen: text(target.first_seen),
        vanished: vanished.map(|at| text(*at)),
        lately: None,
    }
}
