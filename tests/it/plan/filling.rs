//! A start while a quota runs short: the weeks before are read within minutes, and AWS is told of them, not of their lack.

use super::*;
use bedrock_ops_alert::model::time::DAY;

/// Five days are known at the start, and the back-fill has just begun.
fn just_started(throttled: f64) -> Stage {
    let mut stage = Stage::new(Mode::File);
    let from = Minute::of(stage.now).plus(-8);
    stage.feed(&sonnet(), from, &[(600.0, throttled, 900_000.0); 8]);
    stage.filling.insert(sonnet());
    stage
}

/// What the back-fill brings: a week of use that is higher than what is known of.
fn read_past(stage: &mut Stage) {
    let from = Minute::of(stage.now).plus(-14 * DAY);
    let minutes = usize::try_from(9 * DAY).unwrap();
    let week = vec![(500.0, 0.0, 950_000.0); minutes];
    stage.feed(&sonnet(), from, &week);
    stage.filling.clear();
}

fn go(stage: &mut Stage) {
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
}

fn context(stage: &Stage) -> String {
    let requests = stage.effects("request-quota");
    assert_eq!(requests.len(), 1, "{:#?}", stage.decisions());
    let contexts = requests.iter().filter_map(|it| match &it.effect {
        Effect::RequestQuota { context, .. } => Some(context.clone()),
        _ => None,
    });
    contexts.collect::<Vec<_>>().concat()
}

#[test]
fn a_request_waits_until_the_weeks_before_are_read() {
    let mut stage = just_started(0.0);
    go(&mut stage);
    assert_eq!(stage.effects("request-quota").len(), 0);
    assert_eq!(stage.effects("notify").len(), 1, "people hear at once");
    let said = stage.decisions().join("\n");
    assert!(said.contains("is being read"), "{said}");
    read_past(stage.later(4));
    go(&mut stage);
    let context = context(&stage);
    assert!(
        context.contains("peak of the last 14 days: 950,000"),
        "{context}"
    );
}

#[test]
fn a_past_that_never_comes_is_waited_for_half_an_hour() {
    let mut stage = just_started(0.0);
    go(&mut stage);
    go(stage.later(29));
    assert_eq!(stage.effects("request-quota").len(), 0);
    go(stage.later(1));
    let context = context(&stage);
    assert!(
        context.contains("peak of the last 14 days, as far as observed: 900,000"),
        "{context}"
    );
}

#[test]
fn what_is_refused_now_waits_for_nothing_and_its_words_say_what_was_read_since() {
    let mut stage = just_started(60.0);
    go(&mut stage);
    let first = context(&stage);
    assert!(first.contains("as far as observed: 990,000"), "{first}");
    stage.perform_all();
    go(stage.later(1));
    let display = DisplayId::new("171234567800001");
    let opened = [
        DeskReading::Request {
            request: RequestId::new("req-1"),
            status: RequestStatus::CaseOpened,
            display: Some(display.clone()),
        },
        DeskReading::Case {
            case: CaseId::new("case-1"),
            display,
            status: "opened".to_owned(),
            is_answered: true,
        },
    ];
    stage.later(1).step(&[], &opened);
    assert_eq!(stage.effects("comment").len(), 0, "the past is being read");
    read_past(stage.later(3));
    stage.step(&[], &opened);
    let [comment] = stage.effects("comment")[..] else {
        panic!("{:#?}", stage.decisions());
    };
    let Effect::Comment { body, .. } = &comment.effect else {
        panic!("another effect");
    };
    assert!(body.contains("peak of the last 14 days: 990,000"), "{body}");
    let value = first.lines().nth(3).unwrap();
    assert!(body.contains(value), "how the value came about: {body}");
}
