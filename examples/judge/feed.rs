//! Feeds one scenario through the engine, minute by minute, as the daemon would have lived it.

use std::collections::BTreeMap;

use bedrock_ops_alert::{
    config,
    engine::{
        self, forecast,
        learned::{Ground, Learned, Reach},
    },
    model::{
        alert::{Track, Verdict},
        calendar::Windows,
        catalog::{Family, Mapping, Pool, PoolId},
        ids::{AccountId, ModelId, QuotaCode, Region, RuleName, Scope},
        outlook::Way,
        quota::Quota,
        reason::Reason,
        rule::{Category, Rule, Severity},
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
    learned: Learned,
    pool: Pool,
    quotas: BTreeMap<(Scope, QuotaCode), Quota>,
    series: PoolSeries,
    tracks: BTreeMap<RuleName, Track>,
    /// The alerts that people know of, and when a warning was told last.
    told: BTreeMap<RuleName, Option<Minute>>,
    alerts: Vec<Alert>,
}

impl<'a> World<'a> {
    fn new(scenario: &'a Scenario, has_shares: bool) -> Result<Self, Failure> {
        Ok(Self {
            scenario,
            rules: rules(has_shares)?,
            learned: Learned::default(),
            pool: pool(scenario),
            quotas: BTreeMap::new(),
            series: PoolSeries::default(),
            tracks: BTreeMap::new(),
            told: BTreeMap::new(),
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
        let mut verdicts = self.judge_by_past(known_until);
        let others = self.rules.iter().filter_map(|rule| {
            engine::judge(
                rule,
                &self.pool,
                &self.series,
                &self.quotas,
                self.tracks.get(&rule.name),
                known_until,
                known_until.start(),
            )
        });
        verdicts.extend(others);
        for verdict in verdicts {
            self.tracks.insert(verdict.rule.clone(), verdict.track);
            self.tell(minute, &verdict);
        }
    }

    /// A minute's data is taken as there at its end, so that every minute is settled then.
    fn judge_by_past(&mut self, known_until: Minute) -> Vec<Verdict> {
        let rules: Vec<&Rule> = self.rules.iter().collect();
        let changes = BTreeMap::new(); // no minute is judged twice, and each by the quota of its time
        let ground = Ground {
            pool: &self.pool,
            series: &self.series,
            quotas: &self.quotas,
            changes: &changes,
            windows: Windows::default(),
            growth: Vec::new(),
        };
        let tracks = &self.tracks;
        let reach = Some(Reach::up_to(known_until));
        self.learned
            .judge(&rules, &ground, |rule| tracks.get(rule).copied(), |_| reach)
    }

    /// An alert is told when it begins, and a forecast again when the daemon would send a message.
    fn tell(&mut self, minute: i64, verdict: &Verdict) {
        if !verdict.state.is_on() {
            self.told.remove(&verdict.rule);
            return;
        }
        let ahead = verdict.reasons.iter().find_map(Reason::ahead);
        let told = ahead.map(|(_, _, told)| told);
        if self
            .told
            .get(&verdict.rule)
            .is_some_and(|known| told <= *known)
        {
            return;
        }
        self.told.insert(verdict.rule.clone(), told);
        self.alerts.push(alert(self.scenario, minute, verdict));
    }

    /// The live value of a quota.
    fn quota(&self, kind: QuotaKind) -> Option<f64> {
        let quota = self.quotas.get(&(self.pool.id.scope.clone(), code(kind)))?;
        quota.limit().amount().map(Amount::get)
    }

    /// The forecast of what gets through: of what is wanted, and at most the quota.
    fn answer(&self, task: &Task) -> Option<Forecast> {
        let kind = match task.metric.as_str() {
            "invocations" => QuotaKind::Rpm,
            _ => QuotaKind::Tpm,
        };
        let outlook = self.learned.outlooks().find(|it| it.kind == kind)?;
        let quota = self.quota(kind).unwrap_or(f64::INFINITY);
        let forecast = outlook.forecast()?;
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

    /// The UTC minute of a minute of the scenario.
    fn at(&self, minute: i64) -> Minute {
        self.scenario.start.plus(minute)
    }
}

/// The shipped rules, without those about shares of a quota unless they are asked for.
fn rules(has_shares: bool) -> Result<Vec<Rule>, Failure> {
    let rules = config::builtin_rules().map_err(|error| format!("{error:?}"))?;
    let is_wanted = |rule: &Rule| has_shares || rule.condition.is_learned();
    Ok(rules.into_iter().filter(is_wanted).collect())
}

fn alert(scenario: &Scenario, minute: i64, verdict: &Verdict) -> Alert {
    // Notices of use say no time; a warning of the day ahead does.
    let ahead = verdict.reasons.iter().find_map(Reason::ahead);
    let soon = ahead.and_then(|(way, it, _)| (way == Way::Soon).then_some(it));
    let eta_minute = soon.and_then(|it| {
        let known = it.origin.since(scenario.start);
        it.if_within_day.map(|minutes| known + minutes)
    });
    Alert {
        scenario: scenario.name.clone(),
        minute,
        kind: match verdict.category {
            Category::Quota if soon.is_some() => "quota_forecast",
            Category::Quota => "quota_usage",
            Category::Throttle => "throttle",
            Category::ClientError | Category::ServerError => "error",
            Category::Latency => "latency",
            Category::Anomaly
            | Category::Lifecycle
            | Category::Residency
            | Category::ResidencyBreach => "anomaly",
        },
        quota: verdict
            .quota
            .as_ref()
            .map_or("none", |(kind, _)| kind.name()),
        eta_minute,
        page: verdict.severity == Severity::Critical,
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
        QuotaKind::Tpd | QuotaKind::InputTpm | QuotaKind::OutputTpm | QuotaKind::CrossModelTpd => {
            Mapping::Absent
        }
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
        worth: None,
        mappings: QuotaKind::ALL.map(|kind| (kind, mapping(kind))).into(),
    }
}
