//! Logs of model invocations: the world's own traffic, as Logs Insights counts it. One question is understood, the
//! product's; no records are held.

use std::collections::BTreeMap;

use super::{
    ApiError, bucket::TargetMinute, hash, kernel::Kernel, world::SystemProfile, world::Target,
};
use crate::{
    cloud::{LogAnswer, LogQuery, LogState},
    model::{
        ids::{Region, Scope},
        time::{Minute, SignedDuration, Timestamp},
    },
};

/// Until then a question is running.
const RUNS: SignedDuration = SignedDuration::from_secs(5);
/// Bytes of a record: invented, since prompts make it anything.
const RECORD_BYTES: u64 = 2_048;

/// A question that was asked.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    scope: Scope,
    query: LogQuery,
    asked_at: Timestamp,
}

/// What went one way, in whole numbers.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    records: u64,
    failed: u64,
    /// Input, output, cache reads, cache writes.
    tokens: [u64; 4],
}

impl Kernel {
    pub(crate) fn start_query(
        &mut self,
        scope: &Scope,
        query: &LogQuery,
    ) -> Result<String, ApiError> {
        self.known_scope(scope)?;
        let account = self.world.account(&scope.account);
        let group = account.and_then(|it| it.invocation_logs.as_ref());
        if group != Some(&query.group) {
            let text = format!(
                "Log group '{}' does not exist for account ID '{}'",
                query.group, scope.account
            );
            return Err(ApiError::client("ResourceNotFoundException", &text));
        }
        self.questions.push(Question {
            scope: scope.clone(),
            query: query.clone(),
            asked_at: self.now,
        });
        let number = self.questions.len();
        let chance = hash::mix(&[self.seed, hash::of_text("question")]);
        Ok(format!("{chance:016x}-{number}"))
    }

    pub(crate) fn query_results(&mut self, scope: &Scope, id: &str) -> Result<LogAnswer, ApiError> {
        self.known_scope(scope)?;
        let number = id.rsplit_once('-').and_then(|(_, it)| it.parse().ok());
        let at = number.and_then(|it: usize| it.checked_sub(1));
        let own = at.and_then(|at| self.questions.get(at));
        let Some(question) = own.filter(|it| it.scope == *scope).cloned() else {
            let text = "The specified query ID does not exist.";
            return Err(ApiError::client("ResourceNotFoundException", text));
        };
        if self.now < question.asked_at.saturating_add(RUNS).unwrap_or(self.now) {
            return Ok(LogAnswer {
                state: LogState::Running,
                rows: Vec::new(),
                bytes_scanned: 0,
            });
        }
        let rows = self.counted(&question);
        let records: u64 = rows.values().map(|row| row.records).sum();
        Ok(LogAnswer {
            state: LogState::Complete,
            rows: rows.into_iter().map(fields).collect(),
            bytes_scanned: records.saturating_mul(RECORD_BYTES),
        })
    }

    /// By target as callers write it, and by where it ran.
    fn counted(&mut self, question: &Question) -> BTreeMap<(String, Option<Region>), Row> {
        let world = std::sync::Arc::clone(&self.world);
        let mantle = |index: usize| world.mantle.iter().any(|it| it.target == Some(index));
        let targets = world.targets.iter().enumerate();
        let own: Vec<(usize, &Target)> = targets
            .filter(|(index, target)| target.scope == question.scope && !mantle(*index))
            .collect();
        self.compute(&own.iter().map(|(index, _)| *index).collect::<Vec<_>>());
        let (from, until) = (question.query.from, question.query.until);
        let mut rows = BTreeMap::new();
        for (index, target) in own {
            let mut sum = TargetMinute::default();
            for minute in Minute::of(from).until(Minute::of(until)) {
                if let Some(row) = self.row(index, minute) {
                    sum.add(row);
                }
            }
            let name = target.id.as_str();
            let applications = world.applications.iter();
            let mut applications = applications.filter(|it| it.scope == target.scope);
            let application = applications.find(|it| it.id == name);
            let source = application.map_or(name, |it| it.copied_from.as_str());
            let called = application.map_or_else(
                || name.to_owned(),
                |it| {
                    let Scope { account, region } = &target.scope;
                    format!(
                        "arn:aws:bedrock:{region}:{account}:application-inference-profile/{}",
                        it.id
                    )
                },
            );
            let profile = world.profiles.get(source);
            for (ran_in, row) in spread(&sum, &target.scope.region, profile) {
                rows.insert((called.clone(), ran_in), row);
            }
        }
        rows
    }
}

/// Where the requests of a target ran. What failed ran nowhere, and a model without a profile is where it was called,
/// which its records do not say.
fn spread(
    sum: &TargetMinute,
    here: &Region,
    profile: Option<&SystemProfile>,
) -> BTreeMap<Option<Region>, Row> {
    let failed = whole(sum.client_errors + sum.server_errors + sum.throttles);
    let tokens = [sum.input, sum.output, sum.cache_read, sum.cache_write].map(whole);
    let mut rest = Row {
        records: whole(sum.successes()),
        failed: 0,
        tokens,
    };
    let mut rows: BTreeMap<Option<Region>, Row> = BTreeMap::new();
    if let Some(profile) = profile {
        let all = super::bedrock::destinations(profile);
        let others: Vec<Region> = all.into_iter().filter(|it| it != here).collect();
        let share =
            profile.ran_elsewhere / f64::from(u32::try_from(others.len()).unwrap_or(1).max(1));
        let there = Row {
            records: part(rest.records, share),
            failed: 0,
            tokens: tokens.map(|it| part(it, share)),
        };
        for region in others {
            if 0 < there.records {
                rest.records -= there.records;
                for (rest, there) in rest.tokens.iter_mut().zip(there.tokens) {
                    *rest -= there;
                }
                rows.insert(Some(region), there);
            }
        }
    }
    let ran_here = profile.map(|_| here.clone());
    if 0 < rest.records {
        rows.insert(ran_here, rest);
    }
    if 0 < failed {
        let nowhere = rows.entry(None).or_default();
        nowhere.records += failed;
        nowhere.failed += failed;
    }
    rows
}

fn fields(((called, ran_in), row): ((String, Option<Region>), Row)) -> BTreeMap<String, String> {
    let [input, output, read, written] = row.tokens;
    let numbers = [
        ("records", row.records),
        ("failed", row.failed),
        ("tokensIn", input),
        ("tokensOut", output),
        ("cacheRead", read),
        ("cacheWrite", written),
    ];
    let numbers = numbers.map(|(name, it)| (name.to_owned(), it.to_string()));
    let mut fields = BTreeMap::from(numbers);
    fields.insert("modelId".to_owned(), called);
    if let Some(region) = ran_in {
        fields.insert("inferenceRegion".to_owned(), region.to_string());
    }
    fields
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of one hour of a simulated world"
)]
fn whole(count: f64) -> u64 {
    count.round().max(0.0) as u64
}

/// Rounded down, so that parts never come to more than the whole.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "counts of one hour of a simulated world"
)]
fn part(whole: u64, share: f64) -> u64 {
    (whole as f64 * share).floor() as u64
}
