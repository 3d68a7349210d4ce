//! The planner over hand-made books: what opens, what is asked, in which words, and what is not done twice.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that meets the unexpected should stop"
)]

mod asked;
mod blind;
mod carriers;
mod closing;
mod daily;
mod digest;
mod disk;
mod filling;
mod flap;
mod forecast;
mod held;
mod hints;
mod inhibited;
mod late;
mod lifecycle;
mod links;
mod over;
mod overtaken;
mod pitfalls;
mod price;
mod promised;
mod proposed;
mod queue;
mod related;
mod replied;
mod residency;
mod retention;
mod routes;
mod said;
mod spare;
mod stopped;
mod support_plan;
mod waited;
mod waits_for_us;

use std::collections::{BTreeMap, BTreeSet};

use bedrock_ops_alert::{
    act::plan::{Beside, Inputs, Past, Wanted, obey, plan},
    model::{
        action::{Effect, Evidence, Intent, IntentState},
        alert::{AlertState, Episode, Track, Verdict},
        book::{Book, Record},
        catalog::{Family, Mapping, Pool, PoolId, Target, TargetKind},
        desk::{AskEnd, DeskReading, RequestStatus},
        ids::{
            AccountId, CaseId, DisplayId, ModelId, QuotaCode, ReceiverName, Region, RequestId,
            RuleName, Scope, TargetId,
        },
        incident::{AlertKey, Scenario},
        order::{Answer, Command, Order, Stop},
        outcome::Outcome,
        policy::{Budgets, CaseCodes, Mode, Organisation, Policy, Receiver, Reminders, Route},
        quota::Quota,
        reason::Reason,
        receiver::{Flag, TopicFormat},
        rule::{Category, Remedy, Severity},
        series::{PoolSeries, Sample, Signal},
        time::{Minute, Timestamp, after},
        units::{Amount, QuotaKind, Share},
        uses::RecentUse,
    },
};

const CODE: &str = "L-15B8E632";

fn scope() -> Scope {
    Scope {
        account: AccountId::new("111122223333"),
        region: Region::new("us-east-1"),
    }
}

fn pool_id(model: &str) -> PoolId {
    PoolId {
        scope: scope(),
        family: Family::Geo,
        model: ModelId::new(model),
    }
}

fn sonnet() -> PoolId {
    pool_id("anthropic.claude-sonnet-4-6")
}

fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

fn policy(mode: Mode) -> Policy {
    let topic_arn = "arn:aws:sns:us-east-1:111122223333:oncall".to_owned();
    Policy {
        mode,
        budgets: Budgets {
            requests_per_day: 3,
            cases_per_hour: 3,
            cases_per_day: 10,
            highest_factor: 3.0,
            highest_value: None,
        },
        routes: vec![Route::all(ReceiverName::new("oncall"), Severity::Info)],
        receivers: BTreeMap::from([(
            ReceiverName::new("oncall"),
            Receiver::Sns {
                topic_arn,
                format: TopicFormat::Text,
            },
        )]),
        fallbacks: BTreeMap::new(),
        templates: BTreeMap::new(),
        organisation: Organisation::default(),
        case_codes: CaseCodes {
            service: "service-bedrock".to_owned(),
            category: "general-guidance".to_owned(),
            severity: "normal".to_owned(),
            issue_type: "technical".to_owned(),
            cc: Vec::new(),
        }
        .into(),
        hints: bedrock_ops_alert::config::builtin_hints().unwrap(),
        approval_minutes: 1_440,
        cooldown_minutes: 7 * 1_440,
        inhibits: Vec::new(),
        digests: Vec::new(),
        residency: Vec::new(),
        prices: bedrock_ops_alert::model::price::Prices::default(),
        metrics_only: BTreeMap::new(),
        callers: BTreeMap::new(),
        invocation_logs: BTreeMap::new(),
        places: bedrock_ops_alert::config::builtin_places(),
        reminders: Reminders {
            first_minutes: 240,
            longest_minutes: 1_440,
        },
        blind_minutes: 15,
    }
}

/// A book with one pool on a TPM quota of 1,000,000, a day of 400,000 tokens a minute, and `tail` after that.
struct Stage {
    book: Book,
    past: Past,
    filling: BTreeSet<PoolId>,
    beside: Beside,
    policy: Policy,
    stop: Option<Stop>,
    orphans: Vec<(AlertKey, String)>,
    recent: BTreeMap<PoolId, RecentUse>,
    now: Timestamp,
}

impl Stage {
    fn new(mode: Mode) -> Self {
        let mut stage = Self {
            book: Book::default(),
            past: Past::new(),
            filling: BTreeSet::new(),
            beside: Beside::default(),
            policy: policy(mode),
            stop: None,
            orphans: Vec::new(),
            recent: BTreeMap::new(),
            now: noon(),
        };
        stage.add_pool(&sonnet());
        stage.set_quota(1_000_000.0);
        stage
    }

    fn add_pool(&mut self, id: &PoolId) {
        let code = QuotaCode::new(CODE);
        let proof = "name and family match".to_owned();
        let mapped = Mapping::Mapped { code, proof };
        let mappings =
            BTreeMap::from([(QuotaKind::Tpm, mapped), (QuotaKind::Rpm, Mapping::Absent)]);
        let pool = Pool {
            id: id.clone(),
            burndown: Some(5.0),
            worth: None,
            mappings,
        };
        let target = Target {
            id: TargetId::new(format!("us.{}", id.model)),
            kind: TargetKind::SystemProfile,
            pool: id.clone(),
            first_seen: after(self.now, -10 * 1_440),
        };
        self.book
            .apply(vec![Record::Pool(pool), Record::Target(target)]);
        self.past.insert(id.clone(), Some(PoolSeries::default()));
        let now = Minute::of(self.now);
        self.feed(
            id,
            now.plus(-5 * 1_440),
            &[(300.0, 0.0, 400_000.0); 5 * 1_440],
        );
    }

    /// Minutes of (invocations, throttles, charged tokens) from `from` on.
    fn feed(&mut self, id: &PoolId, from: Minute, minutes: &[(f64, f64, f64)]) {
        let mut series = self.book.series.remove(id).unwrap_or_default();
        let signals = [
            (
                Signal::Invocations,
                minutes.iter().map(|it| Sample::Value(it.0)).collect(),
            ),
            (
                Signal::Throttles,
                minutes.iter().map(|it| Sample::Value(it.1)).collect(),
            ),
            (
                Signal::ChargedTokens,
                minutes.iter().map(|it| Sample::Value(it.2)).collect(),
            ),
            (
                Signal::InputTokens,
                minutes.iter().map(|it| Sample::Value(it.2 / 2.0)).collect(),
            ),
            (
                Signal::OutputTokens,
                minutes
                    .iter()
                    .map(|it| Sample::Value(it.2 / 10.0))
                    .collect(),
            ),
            (
                Signal::LongInputs,
                minutes.iter().map(|_| Sample::Value(4.2)).collect(),
            ),
        ];
        let reading = bedrock_ops_alert::model::series::Reading {
            pool: id.clone(),
            from,
            signals: BTreeMap::from(signals),
            by_target: BTreeMap::new(),
        };
        series.absorb(&reading);
        self.book.series.insert(id.clone(), series);
    }

    fn set_quota(&mut self, value: f64) {
        let quota = Quota {
            scope: scope(),
            code: QuotaCode::new(CODE),
            name: "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.6"
                .to_owned(),
            applied: Amount::new(value),
            default: Amount::new(500_000.0),
            adjustable: true,
            read_at: self.now,
            stale: None,
        };
        self.book.apply(vec![Record::Quota(quota)]);
    }

    fn plan(&self, verdicts: &[Verdict], desk: &[DeskReading]) -> Result<Vec<Record>, Wanted> {
        plan(self.inputs(verdicts, desk))
    }

    fn inputs<'a>(&'a self, verdicts: &'a [Verdict], desk: &'a [DeskReading]) -> Inputs<'a> {
        static NOBODY: BTreeMap<PoolId, Vec<Reason>> = BTreeMap::new();
        Inputs {
            book: &self.book,
            verdicts,
            orphans: &self.orphans,
            desk,
            takers: &NOBODY,
            recent: &self.recent,
            most_output: 128_000.0,
            long_input: 25_000,
            beside: &self.beside,
            past: &self.past,
            filling: &self.filling,
            policy: &self.policy,
            stop: self.stop.as_ref(),
            now: self.now,
        }
    }

    /// What Kim asks.
    fn say(&mut self, why: Option<&str>, command: Command) -> Result<Answer, String> {
        let order = Order {
            by: "Kim".to_owned(),
            why: why.map(str::to_owned),
            command,
        };
        let (records, answer) = obey(self.inputs(&[], &[]), &order).map_err(|it| it.to_string())?;
        self.book.apply(records);
        Ok(answer)
    }

    fn step(&mut self, verdicts: &[Verdict], desk: &[DeskReading]) -> Vec<Record> {
        let records = self.plan(verdicts, desk).unwrap();
        let again = self.plan(verdicts, desk).unwrap();
        assert_eq!(records, again, "the same in, the same out");
        for record in &records {
            assert_reads_at_night(record);
        }
        self.book.apply(records.clone());
        records
    }

    fn later(&mut self, minutes: i64) -> &mut Self {
        self.now = after(self.now, minutes);
        self
    }

    /// Everything that is planned now goes through, requests as `req-1`, cases as `case-1`.
    fn perform_all(&mut self) {
        let planned: Vec<Intent> = self
            .book
            .intents
            .values()
            .filter(|it| it.due(self.now).is_some())
            .cloned()
            .collect();
        for intent in planned {
            let reference = match intent.effect {
                Effect::RequestQuota { .. } => "req-1",
                Effect::OpenCase { .. } => "case-1",
                Effect::Notify { .. } | Effect::Comment { .. } | Effect::EndCase { .. } => {
                    "message-1"
                }
            };
            let done = Outcome::Done {
                reference: reference.to_owned(),
            };
            let after = intent.begun(self.now).after(&done, self.now);
            self.book.apply(vec![Record::Intent(after)]);
        }
    }

    fn effects(&self, name: &str) -> Vec<&Intent> {
        self.book
            .intents
            .values()
            .filter(|it| it.effect.name() == name)
            .collect()
    }

    fn message(&self, word: &str) -> String {
        let texts = self
            .book
            .intents
            .values()
            .filter_map(|it| match &it.effect {
                Effect::Notify { subject, body, .. } if subject.starts_with(word) => {
                    Some(format!("{subject}\n\n{body}"))
                }
                _ => None,
            });
        texts.collect::<Vec<_>>().join("\n---\n")
    }

    fn decisions(&self) -> Vec<&str> {
        let incidents = self.book.incidents.values();
        incidents
            .flat_map(|it| it.decisions.iter().map(|decision| decision.what.as_str()))
            .collect()
    }
}

/// Twelve lines at most; the subject and the first line say where it is, whatever is cut.
fn assert_reads_at_night(record: &Record) {
    let Record::Intent(intent) = record else {
        return;
    };
    let Effect::Notify {
        subject,
        body,
        notice: Some(notice),
        ..
    } = &intent.effect
    else {
        return;
    };
    assert!(body.lines().count() <= 12, "{body}");
    let scope = notice.cause.scope();
    let there = format!("{} {}", scope.region, scope.account);
    assert!(subject.contains(&there), "{subject}");
    assert!(subject.len() <= 99, "{subject}");
    let first = body.lines().next().unwrap();
    assert!(first.contains(&there), "{first}");
}

fn verdict(pool: &PoolId, category: Category, state: AlertState, now: Timestamp) -> Verdict {
    let last = Minute::of(now).plus(-3);
    let began = last.plus(-4);
    let (reasons, quota, remedy) = match category {
        Category::Quota => {
            let reason = Reason::QuotaUse {
                kind: QuotaKind::Tpm,
                code: QuotaCode::new(CODE),
                minute: last,
                used: Amount::new(900_000.0).unwrap(),
                quota: Amount::new(1_000_000.0).unwrap(),
                is_default: false,
                above: Share::from_basis_points(8_000).unwrap(),
                bad: 3,
                of: 5,
            };
            (
                vec![reason],
                Some((QuotaKind::Tpm, QuotaCode::new(CODE))),
                Remedy::RequestQuota,
            )
        }
        _ => {
            let reason = Reason::Count {
                signal: Signal::Throttles,
                minute: last,
                count: 40.0,
                demand: 300.0,
                bad: 2,
                of: 3,
            };
            (vec![reason], None, Remedy::RequestQuota)
        }
    };
    let is_on = state.is_on();
    Verdict {
        rule: RuleName::new(format!("{}-high", category.name())),
        rule_hash: "0123456789ab".to_owned(),
        pool: pool.clone(),
        category,
        severity: Severity::Warning,
        remedy,
        runbook: "Look at who grew, and whether max_tokens is set.".to_owned(),
        quota,
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
        reasons,
    }
}

fn shortage(stage: &mut Stage) {
    let from = Minute::of(stage.now).plus(-8);
    stage.feed(&sonnet(), from, &[(600.0, 0.0, 900_000.0); 8]);
}

#[test]
fn a_shortage_opens_one_incident_and_asks_once() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(std::slice::from_ref(&on), &[]);
    assert_eq!(stage.book.incidents.len(), 1);
    assert_eq!(stage.effects("request-quota").len(), 1);
    assert_eq!(stage.effects("notify").len(), 1);
    assert_eq!(
        stage.step(std::slice::from_ref(&on), &[]),
        Vec::new(),
        "nothing new, nothing planned"
    );
    stage.perform_all();
    stage.later(1).step(std::slice::from_ref(&on), &[]);
    stage.perform_all();
    assert_eq!(stage.later(1).step(&[on], &[]), Vec::new());
    assert_eq!(stage.effects("request-quota").len(), 1);
    let incident = stage.book.incidents.values().next().unwrap();
    assert_eq!(incident.scenario, Some(Scenario::HighUsage));
    insta::assert_snapshot!("opened", stage.message("[warning]"));
    let Effect::RequestQuota {
        context, desired, ..
    } = &stage.effects("request-quota")[0].effect
    else {
        panic!("a request");
    };
    assert_eq!(desired.to_string(), "1,500,000");
    insta::assert_snapshot!("context", context);
}

/// Moves the minutes before the last three days out of the book, as the daemon does.
fn let_minutes_go(stage: &mut Stage) {
    let first = Minute::of(stage.now).0.div_euclid(1_440) - 2;
    let series = stage.book.series.get_mut(&sonnet()).unwrap();
    let past = series.clone();
    series.forget_before(first);
    stage.past.insert(sonnet(), Some(past));
}

#[test]
fn what_is_asked_is_the_same_whether_older_minutes_are_in_the_book_or_given() {
    let (mut whole, mut split) = (Stage::new(Mode::File), Stage::new(Mode::File));
    for stage in [&mut whole, &mut split] {
        shortage(stage);
    }
    let_minutes_go(&mut split);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, whole.now);
    let planned = whole.step(std::slice::from_ref(&on), &[]);
    assert_eq!(planned, split.step(std::slice::from_ref(&on), &[]));
    assert_eq!(whole.effects("request-quota").len(), 1);
}

#[test]
fn a_plan_that_needs_older_minutes_says_of_which_pools() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    stage.past.clear();
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    assert_eq!(
        stage.plan(std::slice::from_ref(&on), &[]),
        Err(Wanted(BTreeSet::from([sonnet()])))
    );
}

#[test]
fn nothing_is_asked_on_a_history_that_could_not_be_read() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let_minutes_go(&mut stage);
    stage.past.insert(sonnet(), None);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(std::slice::from_ref(&on), &[]);
    assert_eq!(stage.effects("request-quota").len(), 0);
    let incident = stage.book.incidents.values().next().unwrap();
    assert_eq!(incident.scenario, Some(Scenario::Unreadable));
}

#[test]
fn two_models_on_one_code_are_one_incident_and_one_request() {
    let mut stage = Stage::new(Mode::File);
    let sibling = pool_id("anthropic.claude-sonnet-4-6-b");
    stage.add_pool(&sibling);
    shortage(&mut stage);
    let on = [
        verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now),
        verdict(&sibling, Category::Quota, AlertState::Alerting, stage.now),
    ];
    stage.step(&on, &[]);
    assert_eq!(stage.book.incidents.len(), 1);
    assert_eq!(stage.effects("request-quota").len(), 1);
}

/// Of a message about an incident.
fn flags(intent: &Intent) -> BTreeSet<Flag> {
    match &intent.effect {
        Effect::Notify {
            notice: Some(notice),
            ..
        } => notice.flags.clone(),
        _ => BTreeSet::new(),
    }
}

#[test]
fn observe_files_nothing_and_propose_waits() {
    for (mode, expected) in [(Mode::Observe, None), (Mode::Propose, Some("proposed"))] {
        let mut stage = Stage::new(mode);
        shortage(&mut stage);
        let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
        stage.step(&[on], &[]);
        let states: Vec<_> = stage
            .effects("request-quota")
            .iter()
            .map(|it| it.state.name())
            .collect();
        assert_eq!(states, Vec::from_iter(expected), "{mode:?}");
        assert_eq!(
            stage.effects("notify").len(),
            1,
            "people hear in every mode"
        );
        let waits = flags(stage.effects("notify")[0]).contains(&Flag::Proposal);
        assert_eq!(waits, mode == Mode::Propose, "an approver can filter by it");
    }
}

#[test]
fn a_grant_is_followed_to_the_value_and_not_asked_again() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(std::slice::from_ref(&on), &[]);
    stage.perform_all();
    stage.later(1).step(std::slice::from_ref(&on), &[]);
    let request = RequestId::new("req-1");
    let display = DisplayId::new("171234567800001");
    let opened = [
        DeskReading::Request {
            request: request.clone(),
            status: RequestStatus::CaseOpened,
            display: Some(display.clone()),
        },
        DeskReading::Case {
            case: CaseId::new("case-9"),
            display: display.clone(),
            status: "opened".to_owned(),
            is_answered: true,
        },
    ];
    stage.later(5).step(std::slice::from_ref(&on), &opened);
    assert_eq!(
        stage.effects("comment").len(),
        1,
        "the context goes into the case"
    );
    stage.perform_all();
    let closed = [DeskReading::Request {
        request,
        status: RequestStatus::CaseClosed,
        display: Some(display),
    }];
    stage.later(60).step(&[], &closed);
    assert!(
        stage.book.asks.values().all(|ask| ask.end.is_none()),
        "a closed case says nothing of the decision"
    );
    stage.set_quota(1_200_000.0);
    stage.later(60).step(&[], &[]);
    let ends = stage.book.asks.values().filter_map(|ask| ask.end.clone());
    let ends: Vec<AskEnd> = ends.map(|(end, _)| end).collect();
    assert_eq!(
        ends,
        [AskEnd::PartlyGranted {
            value: Amount::new(1_200_000.0).unwrap()
        }]
    );
    let again = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.later(5).step(&[again], &[]);
    assert_eq!(
        stage.effects("request-quota").len(),
        1,
        "no new evidence: {:#?}",
        stage.decisions()
    );
    let comments = stage.effects("comment");
    assert_eq!(comments.len(), 1);
    let Effect::Comment {
        evidence: Some(file),
        ..
    } = &comments[0].effect
    else {
        panic!("the context, with its file")
    };
    insta::assert_snapshot!("context_file", in_short(file));
    insta::assert_snapshot!("partly_granted", stage.message("[granted in part]"));
}

#[test]
fn a_request_that_somebody_else_made_is_followed_and_keeps_its_own_words() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(std::slice::from_ref(&on), &[]);
    let intent = stage
        .effects("request-quota")
        .first()
        .copied()
        .unwrap()
        .clone();
    let theirs = Outcome::Theirs {
        reference: "req-of-others".to_owned(),
        desired: Amount::new(1_100_000.0).unwrap(),
    };
    let after = intent.begun(stage.now).after(&theirs, stage.now);
    stage.book.apply(vec![Record::Intent(after)]);
    stage.later(1).step(std::slice::from_ref(&on), &[]);
    let display = DisplayId::new("171234567800001");
    let opened = [
        DeskReading::Request {
            request: RequestId::new("req-of-others"),
            status: RequestStatus::CaseOpened,
            display: Some(display.clone()),
        },
        DeskReading::Case {
            case: CaseId::new("case-9"),
            display,
            status: "opened".to_owned(),
            is_answered: true,
        },
    ];
    stage.later(5).step(std::slice::from_ref(&on), &opened);
    assert_eq!(stage.effects("comment").len(), 0, "their case is theirs");
    insta::assert_snapshot!("asked_by_others", stage.message("[asked by others]"));
    // What they asked for decides whether it is granted.
    stage.set_quota(1_100_000.0);
    stage.later(60).step(&[], &[]);
    let ends = stage.book.asks.values().filter_map(|ask| ask.end.clone());
    let ends: Vec<AskEnd> = ends.map(|(end, _)| end).collect();
    let value = Amount::new(1_100_000.0).unwrap();
    assert_eq!(ends, [AskEnd::Granted { value }]);
}

#[test]
fn people_hear_once_that_a_filing_waits_and_for_what() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(std::slice::from_ref(&on), &[]);
    let refused = |stage: &mut Stage, request: u32| {
        let intent = stage
            .effects("request-quota")
            .first()
            .copied()
            .unwrap()
            .clone();
        let denied = Outcome::NotYet {
            wait_minutes: 15,
            why: format!("the quota request was not taken: access was denied (request {request})"),
        };
        let after = intent.begun(stage.now).after(&denied, stage.now);
        stage.book.apply(vec![Record::Intent(after)]);
    };
    let waits = |stage: &Stage| {
        let notices = stage.effects("notify").into_iter();
        let subjects = notices.filter_map(|it| match &it.effect {
            Effect::Notify { subject, .. } => Some(subject.contains("[not done yet]")),
            _ => None,
        });
        subjects.filter(|is_it| *is_it).count()
    };
    refused(&mut stage, 1);
    stage.later(5).step(std::slice::from_ref(&on), &[]);
    assert_eq!(waits(&stage), 0, "a short wait is nobody's business");
    stage.later(15).step(std::slice::from_ref(&on), &[]);
    assert_eq!(waits(&stage), 1);
    insta::assert_snapshot!("not_done_yet", stage.message("[not done yet]"));
    refused(&mut stage, 2);
    stage.later(60).step(std::slice::from_ref(&on), &[]);
    assert_eq!(waits(&stage), 1, "told once");
}

#[test]
fn an_alert_that_nothing_judges_any_more_ends_once_it_has_settled() {
    let mut stage = Stage::new(Mode::Observe);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(std::slice::from_ref(&on), &[]);
    let key = AlertKey {
        rule: on.rule.clone(),
        pool: on.pool.clone(),
    };
    let last_bad = stage.book.incidents.values().next().unwrap().last_bad;
    stage.orphans = vec![(key, "the rule is no longer configured".to_owned())];
    stage.now = last_bad.plus(14).start();
    stage.step(&[], &[]);
    assert!(stage.book.incidents.values().all(|it| it.is_open()));
    stage.later(1).step(&[], &[]);
    let incident = stage.book.incidents.values().next().unwrap();
    assert!(!incident.is_open());
    let told = stage.message("[resolved]");
    assert!(told.contains("Judged over"), "{told}");
    let decided = incident.decisions.last().unwrap();
    assert!(decided.what.contains("no longer configured"), "{decided:?}");
}

#[test]
fn throttling_joins_the_quota_that_is_used_up() {
    let mut stage = Stage::new(Mode::File);
    let from = Minute::of(stage.now).plus(-8);
    stage.feed(&sonnet(), from, &[(600.0, 60.0, 990_000.0); 8]);
    let now = stage.now;
    let on = |category| verdict(&sonnet(), category, AlertState::Alerting, now);
    stage.step(&[on(Category::Quota), on(Category::Throttle)], &[]);
    assert_eq!(stage.book.incidents.len(), 1);
    assert_eq!(stage.effects("open-case").len(), 0);
    assert_eq!(stage.effects("request-quota").len(), 1);
}

/// Whatever leads to a quota that weighs output tokens: a rule on its share, of minutes or days, or throttling under it.
#[test]
fn nothing_is_asked_on_a_burndown_rate_that_is_not_known() {
    for kind in [QuotaKind::Tpm, QuotaKind::Tpd] {
        for categories in [
            &[Category::Quota][..],
            &[Category::Throttle],
            &[Category::Quota, Category::Throttle],
        ] {
            let mut stage = Stage::new(Mode::File);
            let mut pool = stage.book.pools[&sonnet()].clone();
            pool.burndown = None;
            let mapped = pool.mapping(QuotaKind::Tpm).clone();
            pool.mappings = BTreeMap::from([(kind, mapped)]);
            stage.book.apply(vec![Record::Pool(pool)]);
            let from = Minute::of(stage.now).plus(-8);
            stage.feed(&sonnet(), from, &[(600.0, 60.0, 990_000.0); 8]);
            let verdicts: Vec<Verdict> = categories
                .iter()
                .map(|category| {
                    let on = verdict(&sonnet(), *category, AlertState::Alerting, stage.now);
                    let quota = on.quota.clone().map(|(_, code)| (kind, code));
                    Verdict { quota, ..on }
                })
                .collect();
            stage.step(&verdicts, &[]);
            assert!(
                !stage.book.incidents.is_empty(),
                "people are warned all the same"
            );
            assert!(!stage.effects("notify").is_empty());
            assert_eq!(
                stage.effects("request-quota").len(),
                0,
                "{kind} {categories:?}"
            );
            let is_quota = categories.contains(&Category::Quota);
            let why = stage.decisions().join("; ");
            assert!(!is_quota || why.contains("burndown rate"), "{why}");
        }
    }
}

#[test]
fn throttling_far_below_every_quota_is_investigated() {
    let mut stage = Stage::new(Mode::File);
    let from = Minute::of(stage.now).plus(-8);
    stage.feed(&sonnet(), from, &[(100.0, 40.0, 100_000.0); 8]);
    let on = verdict(
        &sonnet(),
        Category::Throttle,
        AlertState::Alerting,
        stage.now,
    );
    stage.step(&[on], &[]);
    assert_eq!(stage.effects("request-quota").len(), 0);
    let cases = stage.effects("open-case");
    assert_eq!(cases.len(), 1);
    let Effect::OpenCase {
        subject,
        body,
        evidence: Some(file),
        ..
    } = &cases[0].effect
    else {
        panic!("a case with its file")
    };
    assert!(body.starts_with(cases[0].marker().as_str()));
    insta::assert_snapshot!("case", format!("{subject}\n\n{body}"));
    insta::assert_snapshot!("case_file", in_short(file));
}

#[test]
fn what_came_and_went_unseen_is_told_once_and_never_filed() {
    let mut stage = Stage::new(Mode::File);
    let mut quiet = verdict(&sonnet(), Category::Quota, AlertState::Normal, stage.now);
    let began = Minute::of(stage.now).plus(-120);
    let reasons = quiet.reasons.clone();
    quiet.past.push(Episode {
        began,
        ended: began.plus(20),
        reasons,
    });
    stage.step(&[quiet.clone()], &[]);
    assert_eq!(stage.effects("notify").len(), 1);
    assert_eq!(stage.effects("request-quota").len(), 0);
    assert_eq!(stage.later(1).step(&[quiet], &[]), Vec::new(), "told once");
    insta::assert_snapshot!("past", stage.message("[was]"));
}

#[test]
fn what_was_lost_is_not_forgotten_when_its_minutes_can_not_be_read_any_more() {
    let mut stage = Stage::new(Mode::Observe);
    let from = Minute::of(stage.now).plus(-8);
    stage.feed(&sonnet(), from, &[(600.0, 60.0, 990_000.0); 8]);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(std::slice::from_ref(&on), &[]);
    let lost = |stage: &Stage| stage.book.incidents.values().next().unwrap().lost;
    let counted = lost(&stage);
    assert!(100.0 < counted, "{counted}");
    stage.book.series.remove(&sonnet());
    stage.past.insert(sonnet(), None);
    let over = verdict(&sonnet(), Category::Quota, AlertState::Normal, stage.now);
    stage.later(40).step(&[over], &[]);
    assert!(lost(&stage) >= counted, "{} < {counted}", lost(&stage));
}

#[test]
fn recovery_is_told_with_what_was_lost() {
    let mut stage = Stage::new(Mode::Observe);
    let from = Minute::of(stage.now).plus(-8);
    stage.feed(&sonnet(), from, &[(600.0, 60.0, 990_000.0); 8]);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    let over = verdict(&sonnet(), Category::Quota, AlertState::Normal, stage.now);
    stage.later(40).step(&[over], &[]);
    assert!(
        stage
            .book
            .incidents
            .values()
            .all(|incident| !incident.is_open())
    );
    insta::assert_snapshot!("resolved", stage.message("[resolved]"));
}

#[test]
fn a_proposal_expires_and_is_told() {
    let mut stage = Stage::new(Mode::Propose);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(std::slice::from_ref(&on), &[]);
    let proposal = stage.effects("request-quota")[0].clone();
    assert!(proposal.approved("Kim", stage.now).is_some());
    stage.later(1_441);
    assert!(proposal.approved("Kim", stage.now).is_none(), "too late");
    let refused = proposal.refused("nobody approved it in time", stage.now);
    stage.book.apply(vec![Record::Intent(refused)]);
    stage.step(&[], &[]);
    assert!(
        stage
            .message("[not done]")
            .contains("nobody approved it in time")
    );
}

#[test]
fn in_doubt_looks_twice_before_it_sends_again_and_messages_just_repeat() {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    let lost = Outcome::InDoubt {
        why: "the answer was lost".to_owned(),
    };
    let request = stage.effects("request-quota")[0]
        .begun(stage.now)
        .after(&lost, stage.now);
    let mut now = stage.now;
    let mut intent = request;
    let mut looks = 0;
    while matches!(intent.state, IntentState::Unknown { .. }) {
        now = after(now, 1);
        if intent.due(now).is_some() {
            looks += 1;
            intent = intent.after(&Outcome::Absent, now);
        }
        assert!(looks < 10);
    }
    assert_eq!(intent.state, IntentState::Planned { not_before: now });
    assert!(
        after(stage.now, 30) <= now,
        "two looks that count, a settle window apart"
    );
    let message = stage.effects("notify")[0]
        .begun(stage.now)
        .after(&lost, stage.now);
    assert!(matches!(message.state, IntentState::Planned { .. }));
}

/// A file for Support: its name, its columns, an hour of which nothing is known, and the newest ones.
fn in_short(file: &Evidence) -> String {
    let lines: Vec<&str> = file.csv.lines().collect();
    assert_eq!(lines.len(), 1 + 14 * 24, "an hour a line");
    let minutes: Vec<&str> = file.minutes.lines().collect();
    assert_eq!(minutes.len(), 1 + 24 * 60, "a minute a line");
    let known_minutes = minutes.iter().filter(|line| !line.contains("Z,,"));
    let known_minutes: Vec<&str> = known_minutes.copied().collect();
    let known = lines.iter().filter(|line| !line.contains("Z,0,"));
    let known: Vec<&str> = known.copied().collect();
    let head = known.first().unwrap();
    let newest: Vec<&str> = known.iter().skip(known.len() - 3).copied().collect();
    let silent = lines.iter().find(|line| line.contains("Z,0,")).unwrap();
    format!(
        "{}\n{head}\n{silent}\n… {} hours observed, the newest:\n{}\n\n{}\n… {} minutes observed, the newest:\n{}",
        file.name,
        known.len() - 1,
        newest.join("\n"),
        minutes.first().unwrap(),
        known_minutes.len() - 1,
        known_minutes.last().unwrap(),
    )
}
