//! `drill`: an incident from its beginning to its end, told by the real planner through the real routes, each message
//! marked. Nothing is written down, and at AWS nothing happens but the publishing: of what is planned only messages are
//! carried out, and in mode `observe` nothing else is planned.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    act::{
        perform::{self, Known},
        plan::{self, Past, Wanted},
    },
    aws::{Patience, SdkCloud, SdkOptions},
    cloud::Cloud,
    collect::{long_input_tokens, most_reserved_output},
    model::{
        action::{Effect, Intent},
        alert::{AlertState, Track, Verdict},
        book::{Book, Record},
        catalog::{Family, PoolId},
        ids::{
            AccountId, ActionId, IncidentId, ModelId, QuotaCode, ReceiverName, Region, RuleName,
            Scope,
        },
        outcome::Outcome,
        policy::{Mode, Policy, Settings},
        reason::Reason,
        receiver::{Flag, Phase},
        rule::{Category, Remedy, Severity},
        series::PoolSeries,
        time::{Minute, Timestamp, after},
        units::QuotaKind,
    },
    runtime::clock,
};

use super::run::RunError;

/// Each message begins with this.
pub const MARK: &str = "DRILL";
/// SNS takes fewer than 100 characters of a subject.
const MOST_SUBJECT: usize = 99;
/// From the beginning to the end, as the messages tell it.
const LASTING_MINUTES: i64 = 10;

/// What is rehearsed.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// How loud.
    pub severity: Severity,
    /// About what.
    pub category: Category,
    /// Of which pool: routes may look at it. Without one, of a model that does not exist, where the first account is watched.
    pub pool: Option<PoolId>,
}

/// What one receiver made of one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Who.
    pub receiver: ReceiverName,
    /// Its kind, as in TOML.
    pub kind: &'static str,
    /// `opened` or `resolved`.
    pub phase: Phase,
    /// Whether it stands in for a receiver that did not take it.
    pub is_fallback: bool,
    /// What came of it.
    pub outcome: Outcome,
    /// How long that took.
    pub took: Duration,
}

/// What a drill came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// What it was about.
    pub pool: PoolId,
    /// Each message in the order in which it was sent.
    pub told: Vec<Told>,
    /// Receivers to which no route led.
    pub unheard: Vec<(ReceiverName, &'static str)>,
}

/// Runs a drill.
///
/// # Errors
/// When no client can be made. What receivers answer is part of the report.
pub async fn drill(settings: &Settings, wishes: &Wishes) -> Result<Report, RunError> {
    let cloud = SdkCloud::connect(SdkOptions {
        accounts: settings.accounts.clone(),
        patience: Patience::real(),
        endpoint: None,
    })
    .await?;
    Ok(rehearse(&cloud, settings, wishes, clock::wall()).await)
}

async fn rehearse(
    cloud: &dyn Cloud,
    settings: &Settings,
    wishes: &Wishes,
    now: Timestamp,
) -> Report {
    let pool = wishes.pool.clone().unwrap_or_else(|| nowhere(settings));
    let mut stage = Stage {
        cloud,
        policy: Policy {
            mode: Mode::Observe,
            digests: Vec::new(),
            ..settings.policy.clone()
        },
        book: Book::default(),
        incident: IncidentId::new(format!("drill-{}", now.as_millisecond())),
        taken: BTreeMap::new(),
        told: Vec::new(),
    };
    for (is_on, at) in [(true, now), (false, after(now, 1))] {
        let verdict = verdict(&pool, wishes, is_on, at);
        stage.play(&verdict, at).await;
    }
    let heard: BTreeSet<&ReceiverName> = stage.told.iter().map(|it| &it.receiver).collect();
    let receivers = settings.policy.receivers.iter();
    let unheard = receivers.filter(|(name, _)| !heard.contains(name));
    let unheard = unheard
        .map(|(name, it)| (name.clone(), it.kind()))
        .collect();
    Report {
        pool,
        told: stage.told,
        unheard,
    }
}

/// A pool that does not exist, in a place that is watched.
fn nowhere(settings: &Settings) -> PoolId {
    let first = settings.accounts.first();
    let region = first.and_then(|it| it.regions.known().first());
    PoolId {
        scope: Scope {
            account: first.map_or_else(|| AccountId::new("drill"), |it| it.id.clone()),
            region: region.cloned().unwrap_or_else(|| Region::new("drill")),
        },
        family: Family::Geo,
        model: ModelId::new("drill.no-such-model"),
    }
}

/// What a rule would say of this pool.
fn verdict(pool: &PoolId, wishes: &Wishes, is_on: bool, now: Timestamp) -> Verdict {
    let last = Minute::of(now);
    let began = last.plus(-LASTING_MINUTES);
    let state = if is_on {
        AlertState::Alerting
    } else {
        AlertState::Normal
    };
    let why = "this is a drill: no number stands behind this message".to_owned();
    let is_quota = wishes.category == Category::Quota;
    Verdict {
        rule: RuleName::new("drill"),
        rule_hash: String::new(),
        pool: pool.clone(),
        category: wishes.category,
        severity: wishes.severity,
        remedy: Remedy::Notify,
        runbook: "Do what you would do if this were real, and note how long it took.".to_owned(),
        quota: is_quota.then(|| (QuotaKind::Tpm, QuotaCode::new(MARK))),
        track: Track {
            state,
            since: began,
            through: last,
            began: is_on.then_some(began),
            last_bad: is_on.then_some(last),
        },
        state,
        is_provisional: false,
        began: is_on.then_some(began),
        last_bad: is_on.then_some(last),
        past: Vec::new(),
        reasons: if is_on {
            vec![Reason::Considered(why)]
        } else {
            Vec::new()
        },
    }
}

/// A book in memory, and what receivers have made of it so far.
struct Stage<'a> {
    cloud: &'a dyn Cloud,
    policy: Policy,
    book: Book,
    /// What the incident is called outside: another one each time, so that no receiver takes it for a repetition.
    incident: IncidentId,
    /// What each receiver called the last message that it took.
    taken: BTreeMap<ReceiverName, String>,
    told: Vec<Told>,
}

impl Stage<'_> {
    /// Plans on this verdict, and tells whoever is to hear of it; then those who hear instead.
    async fn play(&mut self, verdict: &Verdict, now: Timestamp) {
        let records = self.plan(verdict, now);
        self.book.apply(records);
        let mut due: Vec<Intent> = self.due(now);
        let mut is_fallback = false;
        while !due.is_empty() {
            let mut untaken = BTreeSet::new();
            for intent in due {
                let id = intent.id.clone();
                if !self.tell(&intent, is_fallback, now).await {
                    untaken.insert(id);
                }
            }
            due = plan::fallbacks(&self.book, &self.policy, &untaken, now);
            let planned = due.iter().cloned().map(Record::Intent).collect();
            self.book.apply(planned);
            is_fallback = true;
        }
    }

    fn plan(&self, verdict: &Verdict, now: Timestamp) -> Vec<Record> {
        let mut past = Past::new();
        past.insert(verdict.pool.clone(), Some(PoolSeries::default()));
        loop {
            let planned = plan::plan(plan::Inputs {
                book: &self.book,
                verdicts: std::slice::from_ref(verdict),
                orphans: &[],
                desk: &[],
                takers: &BTreeMap::new(),
                recent: &BTreeMap::new(),
                most_output: most_reserved_output(),
                long_input: long_input_tokens(),
                beside: plan::nothing_beside(),
                past: &past,
                filling: &BTreeSet::new(),

                policy: &self.policy,
                stop: None,
                now,
            });
            match planned {
                Ok(records) => return records,
                // Nothing was ever measured in a drill.
                Err(Wanted(pools)) => {
                    past.extend(
                        pools
                            .into_iter()
                            .map(|it| (it, Some(PoolSeries::default()))),
                    );
                }
            }
        }
    }

    /// Messages only: whatever else was planned stays in this book.
    fn due(&self, now: Timestamp) -> Vec<Intent> {
        let all = self.book.intents.values();
        let due = all.filter(|it| it.effect.may_repeat() && it.due(now).is_some());
        let mut due: Vec<Intent> = due.cloned().collect();
        due.sort_by_key(Intent::order);
        due
    }

    /// Sends one message, marked. Whether it was taken.
    async fn tell(&mut self, intent: &Intent, is_fallback: bool, now: Timestamp) -> bool {
        let Effect::Notify {
            receiver, notice, ..
        } = &intent.effect
        else {
            return true;
        };
        let begun = intent.begun(now);
        let earlier = self.taken.get(receiver).map(String::as_str);
        let marked = marked(&begun, &self.incident);
        let start = clock::monotonic();
        let known = Known {
            codes: &self.policy.case_codes.usual,
            earlier,
            offer: None, // nothing of a drill can be decided
            crowd: &[],
        };
        let outcome = perform::perform(self.cloud, &self.policy, &marked, known).await;
        let took = clock::monotonic().duration_since(start);
        let is_taken = matches!(outcome, Outcome::Done { .. });
        if let Outcome::Done { reference } = &outcome {
            self.taken.insert(receiver.clone(), reference.clone());
        }
        let kind = self.policy.receivers.get(receiver);
        self.told.push(Told {
            receiver: receiver.clone(),
            kind: kind.map_or("unknown", |it| it.kind()),
            phase: notice.as_ref().map_or(Phase::Note, |it| it.phase),
            is_fallback,
            outcome: outcome.clone(),
            took,
        });
        // One try: whoever did not take it is reported, and not waited for.
        let mut after = begun.after(&outcome, now);
        if !is_taken {
            after = after.refused("not taken in a drill", now);
        }
        self.book.apply(vec![Record::Intent(after)]);
        is_taken
    }
}

/// The same message, with the mark where it can't be missed, about an incident of its own.
fn marked(intent: &Intent, incident: &IncidentId) -> Intent {
    let mut marked = intent.clone();
    marked.incident = incident.clone();
    marked.id = ActionId::derive(incident, &intent.step);
    if let Effect::Notify {
        subject,
        body,
        notice,
        ..
    } = &mut marked.effect
    {
        let line: String = format!("[{MARK}] {subject}")
            .chars()
            .take(MOST_SUBJECT)
            .collect();
        *subject = line.trim_end().to_owned();
        *body = format!(
            "{MARK}. Nothing is wrong: somebody ran `bedrock-ops-alert drill`. No incident is known by the id below.\n{body}"
        );
        if let Some(notice) = notice {
            notice.title = format!("{MARK}: {}", notice.title);
            notice.flags.insert(Flag::Drill);
        }
    }
    marked
}
