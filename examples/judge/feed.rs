//! Feeds one scenario through the engine, minute by minute, as the daemon would have lived it.

use std::collections::{BTreeMap, BTreeSet};

use bedrock_ops_alert::{
    config,
    engine::{
        self,
        detect::{Detectors, Kind, Measured, Sensitivity},
        forecast::{
            self, Lookout, Seen, demand,
            warning::{Warning, Way},
        },
    },
    model::{
        alert::{Track, Verdict},
        catalog::{Family, Mapping, Pool, PoolId},
        ids::{AccountId, ModelId, QuotaCode, Region, RuleName, Scope},
        quota::Quota,
        rule::{Category, Rule, Severity, WarningRule},
        series::{PoolSeries, Reading, Sample, Signal},
        time::Minute,
        units::{Amount, QuotaKind},
    },
};

use crate::{
    Failure,
    lines::{Alert, Forecast, Quantiles},
    scenario::{Era, Row, Scenario, Task},
};

/// What came of one scenario.
#[derive(Debug)]
pub(crate) struct Judged {
    pub scenario: String,
    /// In order of minutes.
    pub alerts: Vec<Alert>,
    /// In order of origins.
    pub forecasts: Vec<Forecast>,
}

/// Judges every minute of the scenario with what was known at its end. `rows` may lack minutes: no metric arrived there.
pub(crate) fn feed(
    scenario: &Scenario,
    rows: &[Row],
    tasks: &[&Task],
    has_shares: bool,
) -> Result<Judged, Failure> {
    let mut world = World::new(scenario, has_shares)?;
    let mut forecasts = Vec::new();
    let mut eras = scenario.quotas.iter().peekable();
    let mut rows = rows.iter().peekable();
    for minute in 0..scenario.minutes {
        for task in tasks.iter().filter(|task| task.origin == minute) {
            forecasts.extend(world.answer(task));
        }
        while let Some(era) = eras.next_if(|era| era.from_minute <= minute) {
            world.grant(era, minute);
        }
        let row = rows.next_if(|row| row.minute == minute);
        if let Some(row) = row {
            world.observe(row);
        }
        world.judge(minute);
        world.look_out(minute);
        if let Some(row) = row {
            world.detect(row);
        }
    }
    Ok(Judged {
        scenario: scenario.name.clone(),
        alerts: world.alerts,
        forecasts,
    })
}

/// What is known so far.
#[derive(Debug)]
struct World<'a> {
    scenario: &'a Scenario,
    rules: Vec<Rule>,
    warnings: WarningRule,
    lookouts: [(QuotaKind, Lookout); 2],
    pool: Pool,
    quotas: BTreeMap<(Scope, QuotaCode), Quota>,
    series: PoolSeries,
    tracks: BTreeMap<RuleName, Track>,
    detectors: Detectors,
    /// The rules whose alert people know of.
    told: BTreeSet<RuleName>,
    alerts: Vec<Alert>,
}

impl<'a> World<'a> {
    fn new(scenario: &'a Scenario, has_shares: bool) -> Result<Self, Failure> {
        Ok(Self {
            scenario,
            rules: if has_shares {
                quota_rules()?
            } else {
                Vec::new()
            },
            warnings: config::builtin_warnings().map_err(|error| format!("{error:?}"))?,
            lookouts: [QuotaKind::Rpm, QuotaKind::Tpm].map(|kind| (kind, Lookout::default())),
            pool: pool(scenario),
            quotas: BTreeMap::new(),
            series: PoolSeries::default(),
            tracks: BTreeMap::new(),
            detectors: Detectors::default(),
            told: BTreeSet::new(),
            alerts: Vec::new(),
        })
    }

    fn grant(&mut self, era: &Era, minute: i64) {
        for (kind, value) in [(QuotaKind::Rpm, era.rpm), (QuotaKind::Tpm, era.tpm)] {
            let scope = self.pool.id.scope.clone();
            let quota = Quota {
                scope: scope.clone(),
                code: code(kind),
                name: kind.unit().to_owned(),
                applied: Amount::new(value),
                default: None,
                adjustable: true,
                read_at: self.at(minute).start(),
                stale: None,
            };
            self.quotas.insert((scope, code(kind)), quota);
        }
    }

    fn observe(&mut self, row: &Row) {
        let latency = row.latency_ms_avg.map_or(Sample::NoData, Sample::Value);
        let signals = [
            (Signal::Invocations, Sample::Value(row.invocations)),
            (Signal::Throttles, Sample::Value(row.throttles)),
            (Signal::ClientErrors, Sample::Value(row.client_errors)),
            (Signal::ServerErrors, Sample::Value(row.server_errors)),
            (Signal::InputTokens, Sample::Value(row.input_tokens)),
            (Signal::OutputTokens, Sample::Value(row.output_tokens)),
            (Signal::ChargedTokens, Sample::Value(row.estimated_tpm)),
            (Signal::Latency, latency),
        ];
        self.series.absorb(&Reading {
            pool: self.pool.id.clone(),
            from: self.at(row.minute),
            signals: signals
                .into_iter()
                .map(|(signal, sample)| (signal, vec![sample]))
                .collect(),
            by_target: BTreeMap::new(),
        });
    }

    fn judge(&mut self, minute: i64) {
        let known_until = self.at(minute + 1);
        for rule in &self.rules {
            let track = self.tracks.get(&rule.name);
            let verdict = engine::judge(
                rule,
                &self.pool,
                &self.series,
                &self.quotas,
                track,
                known_until,
                known_until.start(),
            );
            let Some(verdict) = verdict else { continue };
            self.tracks.insert(rule.name.clone(), verdict.track);
            if !verdict.state.is_on() {
                self.told.remove(&rule.name);
            } else if self.told.insert(rule.name.clone()) {
                self.alerts.push(alert(self.scenario, minute, &verdict));
            }
        }
    }

    /// The live value of a quota.
    fn quota(&self, kind: QuotaKind) -> Option<f64> {
        let quota = self.quotas.get(&(self.pool.id.scope.clone(), code(kind)))?;
        quota.limit().amount().map(Amount::get)
    }

    fn look_out(&mut self, minute: i64) {
        let at = self.at(minute);
        let throttles = self.series.get(Signal::Throttles, at);
        let quotas = [QuotaKind::Rpm, QuotaKind::Tpm].map(|kind| self.quota(kind));
        for ((kind, lookout), quota) in self.lookouts.iter_mut().zip(quotas) {
            let seen = Seen {
                minute: at,
                wanted: demand(*kind, &self.series, at),
                throttles,
                quota,
            };
            let warning = lookout.push(&seen, &self.warnings, &[]);
            let alert = warning.map(|it| warning_alert(self.scenario, minute, *kind, &it));
            self.alerts.extend(alert);
        }
    }

    /// The forecast of what gets through: of what is wanted, and at most the quota.
    fn answer(&self, task: &Task) -> Option<Forecast> {
        let kind = match task.metric.as_str() {
            "invocations" => QuotaKind::Rpm,
            _ => QuotaKind::Tpm,
        };
        let (_, lookout) = self.lookouts.iter().find(|(of, _)| *of == kind)?;
        let quota = self.quota(kind).unwrap_or(f64::INFINITY);
        let forecast = lookout.forecast()?;
        let buckets = forecast.quantiles(self.at(task.origin), task.step, task.steps);
        let column = |of: fn(&forecast::Quantiles) -> f64| {
            buckets.iter().map(|it| of(it).min(quota)).collect()
        };
        Some(Forecast {
            task: task.task.clone(),
            quantiles: Quantiles {
                low: column(|it| it.p10),
                median: column(|it| it.p50),
                high: column(|it| it.p90),
            },
        })
    }

    /// What the detectors make of a minute that has a row. One that has none was not measured, which is no zero.
    fn detect(&mut self, row: &Row) {
        let measured = Measured {
            invocations: Sample::Value(row.invocations),
            throttles: Sample::Value(row.throttles),
            client_errors: Sample::Value(row.client_errors),
            server_errors: Sample::Value(row.server_errors),
            input_tokens: Sample::Value(row.input_tokens),
            output_tokens: Sample::Value(row.output_tokens),
            latency: row.latency_ms_avg.map_or(Sample::NoData, Sample::Value),
        };
        let findings = self
            .detectors
            .push(self.at(row.minute), &measured, &Sensitivity::default());
        let begun = findings.iter().filter(|finding| finding.began);
        self.alerts.extend(begun.map(|finding| Alert {
            scenario: self.scenario.name.clone(),
            minute: row.minute,
            kind: match finding.kind {
                Kind::Throttled => "throttle",
                Kind::ClientErrors | Kind::ServerErrors => "error",
                Kind::Slow => "latency",
                Kind::TrafficUp | Kind::TrafficDown | Kind::TokensUp => "anomaly",
            },
            quota: "none",
            eta_minute: None,
            page: true,
        }));
    }

    /// The UTC minute of a minute of the scenario.
    fn at(&self, minute: i64) -> Minute {
        self.scenario.start.plus(minute)
    }
}

/// The shipped rules about quotas. All others are the detectors' business here.
fn quota_rules() -> Result<Vec<Rule>, Failure> {
    let rules = config::builtin_rules().map_err(|error| format!("{error:?}"))?;
    let quota = rules.into_iter();
    Ok(quota
        .filter(|rule| rule.category == Category::Quota)
        .collect())
}

fn alert(scenario: &Scenario, minute: i64, verdict: &Verdict) -> Alert {
    Alert {
        scenario: scenario.name.clone(),
        minute,
        kind: match verdict.category {
            Category::Quota => "quota_usage",
            Category::Throttle => "throttle",
            Category::ClientError | Category::ServerError => "error",
            Category::Latency => "latency",
            Category::Anomaly | Category::Lifecycle => "anomaly",
        },
        quota: verdict
            .quota
            .as_ref()
            .map_or("none", |(kind, _)| kind.name()),
        eta_minute: None,
        page: verdict.severity == Severity::Critical,
    }
}

/// Notices of use say no time; a warning of the day ahead does, and pages.
fn warning_alert(scenario: &Scenario, minute: i64, kind: QuotaKind, warning: &Warning) -> Alert {
    let chances = &warning.exhaustion;
    let known = chances.origin.since(scenario.start);
    let eta_minute = match warning.way {
        Way::Ahead | Way::Near | Way::Climb => None,
        Way::Soon => chances.if_within_day.map(|minutes| known + minutes),
    };
    Alert {
        scenario: scenario.name.clone(),
        minute,
        kind: match warning.way {
            Way::Ahead | Way::Near | Way::Climb => "quota_usage",
            Way::Soon => "quota_forecast",
        },
        quota: kind.name(),
        eta_minute,
        page: warning.way == Way::Soon,
    }
}

fn code(kind: QuotaKind) -> QuotaCode {
    QuotaCode::new(kind.name())
}

fn pool(scenario: &Scenario) -> Pool {
    let mapping = |kind| match kind {
        QuotaKind::Rpm | QuotaKind::Tpm => Mapping::Mapped {
            code: code(kind),
            proof: "given".to_owned(),
        },
        QuotaKind::Tpd | QuotaKind::InputTpm | QuotaKind::OutputTpm => Mapping::Absent,
    };
    Pool {
        id: PoolId {
            scope: Scope {
                account: AccountId::new("111122223333"),
                region: Region::new("us-east-1"),
            },
            family: Family::Geo,
            model: ModelId::new(scenario.name.as_str()),
        },
        burndown: Some(scenario.burndown),
        mappings: QuotaKind::ALL.map(|kind| (kind, mapping(kind))).into(),
    }
}
