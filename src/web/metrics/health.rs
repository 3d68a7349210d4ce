//! How the daemon itself does: its cycle, its store, AWS's answers, what gets out to people.

use std::collections::BTreeMap;

use super::{Row, Series, View, bare, count_u64, label, seconds};
use crate::model::action::Effect;

/// Quantiles of the time until a quota runs out.
const QUANTILES: [&str; 3] = ["0.1", "0.5", "0.9"];
/// Tries of a message that came to this reached people.
const DONE: &str = "done";

impl Series {
    pub(super) fn loop_and_store(&mut self, view: &View<'_>) {
        let health = view.health;
        if health.is_ready {
            let help = "Real seconds that the last cycle took";
            self.gauge("cycle_duration_seconds", help, bare(health.cycle_seconds));
        }
        let events = health.events.iter();
        let rows =
            events.map(|(event, count)| (vec![("event", (*event).to_owned())], count_u64(*count)));
        let help = "Changes of the book since the start, by their event in the log";
        self.counter("events", help, rows.collect());
        let (commits, seconds) = health.commits;
        let help = "Commits of the store since the start";
        self.counter("store_commits", help, bare(count_u64(commits)));
        let help = "Real seconds that those commits took";
        self.counter("store_commit_seconds", help, bare(seconds));
        let bytes = health.store_bytes.map(|bytes| bare(count_u64(bytes)));
        let help = "Bytes of the store, the history included";
        self.gauge("store_bytes", help, bytes.unwrap_or_default());
        if let Some(seen) = &health.room {
            let label = |of: &str| vec![("of", of.to_owned())];
            let mut rows = vec![(label("ledger"), count_u64(seen.room.free))];
            let elsewhere = seen.room.history_free;
            rows.extend(elsewhere.map(|free| (label("history"), count_u64(free))));
            let help = "Bytes that are free on the disk of the store; of the history, where it has a disk of its own";
            self.gauge("store_free_bytes", help, rows);
            let help = "Bytes of the reserve that are held now; fewer than `store.reserve` while the disk is full";
            self.gauge(
                "store_reserve_bytes",
                help,
                bare(count_u64(seen.room.reserve)),
            );
        }
        let now = view.now();
        let reads = health.last_success.iter();
        let reads = reads.filter(|((stage, _), _)| *stage == "read");
        let ages = reads.filter_map(|((_, scope), at)| {
            let labels = vec![
                ("account", label(scope.account.as_str())),
                ("region", label(scope.region.as_str())),
            ];
            Some((
                labels,
                (super::seconds(now?) - super::seconds(*at)).max(0.0),
            ))
        });
        let help = "Age of the newest metrics at the last cycle, in the daemon's time";
        self.gauge("data_age_seconds", help, ages.collect());
    }

    /// Whether what people last wrote is what holds.
    pub(super) fn configuration(&mut self, view: &View<'_>) {
        let reload = view.health.reload.as_ref();
        let is_in = reload.is_none_or(|it| it.faults.is_empty());
        let help = "0 when the last changed configuration had faults and was not taken in";
        let row = bare(f64::from(u8::from(is_in)));
        self.gauge("config_last_reload_successful", help, row);
        let waits = reload.map_or(0, |it| it.after_restart.len());
        let help = "Keys of the configuration file that only a restart takes in";
        let row = bare(super::count(waits));
        self.gauge("config_restart_needed", help, row);
        let at = reload.and_then(|it| it.succeeded).or(view.health.started);
        let help = "When the configuration that holds was taken in, in the daemon's time";
        let row = at.map(|at| bare(seconds(at))).unwrap_or_default(); // not before the first cycle
        self.gauge("config_last_reload_success_timestamp_seconds", help, row);
    }

    pub(super) fn answers(&mut self, view: &View<'_>) {
        let answers = &view.health.answers;
        let calls = answers.calls.iter().map(|((operation, class), count)| {
            let outcome = class.map_or("ok", |class| class.name());
            let labels = vec![("api", label(operation)), ("outcome", outcome.to_owned())];
            (labels, count_u64(*count))
        });
        let help = "What AWS calls came to since the start; retries are part of their call";
        self.counter("aws_answers", help, calls.collect());
        let of = |operation: &str| vec![("api", label(operation))];
        let throttled = answers.calls.iter();
        let throttled =
            throttled.filter(|((_, class), _)| class.is_some_and(|it| it.name() == "throttled"));
        let rows = throttled.map(|((operation, _), count)| (of(operation), count_u64(*count)));
        let help = "Calls that AWS throttled since the start";
        self.counter("aws_throttled", help, rows.collect());
        let (mut counts, mut waits) = (Vec::new(), Vec::new());
        for (operation, (count, seconds)) in &answers.waits {
            counts.push((of(operation), count_u64(*count)));
            waits.push((of(operation), *seconds));
        }
        let help = "Requests that AWS answered since the start";
        self.counter("aws_answered", help, counts);
        let help = "Real seconds until those answers came";
        self.counter("aws_request_seconds", help, waits);
        let ahead = answers.clock_ahead.map(bare).unwrap_or_default();
        let help = "Seconds that this machine's clock is ahead of AWS's";
        self.gauge("clock_offset_seconds", help, ahead);
    }

    /// What people hear, and whether anybody would notice our silence.
    pub(super) fn effects(&mut self, view: &View<'_>) {
        let (mut sent, mut failed) = (BTreeMap::new(), BTreeMap::new());
        let mut cases = 0;
        for ((effect, channel, outcome), count) in &view.health.tries {
            match *effect {
                "notify" => {
                    let by_channel = if *outcome == DONE {
                        &mut sent
                    } else {
                        &mut failed
                    };
                    *by_channel.entry(*channel).or_default() += count;
                }
                "open-case" if *outcome == DONE => cases += count,
                _ => {}
            }
        }
        let rows = |counts: BTreeMap<&str, u64>| -> Vec<Row> {
            let rows = counts.into_iter();
            rows.map(|(channel, count)| (vec![("channel", label(channel))], count_u64(count)))
                .collect()
        };
        let help = "Messages sent since the start";
        self.counter("notifications", help, rows(sent));
        let help = "Tries of messages since the start that did not get through, or may not have";
        self.counter("notifications_failed", help, rows(failed));
        let messages = view.book.intents.values().filter(|intent| {
            matches!(intent.effect, Effect::Notify { .. }) && !intent.state.is_final()
        });
        let oldest = messages.map(|intent| seconds(intent.created));
        let oldest = oldest.min_by(f64::total_cmp);
        let age = oldest.and_then(|at| Some(seconds(view.now()?) - at));
        let help = "Age of the oldest message that has not got through; 0 when there is none";
        let age = bare(age.unwrap_or(0.0).max(0.0));
        self.gauge("notifications_oldest_seconds", help, age);
        let help = "Support cases opened since the start";
        self.counter("cases_created", help, bare(count_u64(cases)));
        let cases = view.book.investigations.values();
        let twins = cases.filter(|it| it.twin.is_some()).count();
        let help = "Cases of ours in the book that turned out to be there twice";
        self.counter("duplicates_found", help, bare(super::count(twins)));
        let heartbeats = view.health.heartbeats;
        let last = heartbeats.last.map(|at| bare(seconds(at)));
        let help = "Cycle of the last heartbeat that got out";
        self.gauge(
            "last_heartbeat_timestamp_seconds",
            help,
            last.unwrap_or_default(),
        );
        let help = "Heartbeats since the start that did not get out";
        self.counter(
            "heartbeats_failed",
            help,
            bare(count_u64(heartbeats.failed)),
        );
        let help = "Heartbeats since the start that were withheld, since we were of no use";
        self.counter(
            "heartbeats_withheld",
            help,
            bare(count_u64(heartbeats.withheld)),
        );
    }

    /// When quotas run out, where the forecast sees an end within 30 days.
    pub(super) fn exhaustion(&mut self, view: &View<'_>, most: usize) {
        let mut rows = Vec::new();
        for ((pool, kind), outlook) in &view.health.outlooks {
            let ends = &outlook.exhaustion;
            for (quantile, minutes) in QUANTILES.iter().zip([ends.p10, ends.p50, ends.p90]) {
                let Some(minutes) = minutes else { continue };
                let labels = vec![
                    ("account", label(pool.scope.account.as_str())),
                    ("region", label(pool.scope.region.as_str())),
                    ("family", pool.family.name().to_owned()),
                    ("model", label(pool.model.as_str())),
                    ("kind", kind.name().to_owned()),
                    ("quantile", (*quantile).to_owned()),
                ];
                let seconds = count_u64(minutes.max(0).unsigned_abs().saturating_mul(60));
                rows.push((labels, seconds));
            }
        }
        rows.sort_by(|(_, one), (_, other)| one.total_cmp(other)); // the soonest first
        let help = "Seconds until a quota runs out by the forecast, with this probability";
        self.of_pools("time_to_quota_seconds", help, most, rows);
    }
}
