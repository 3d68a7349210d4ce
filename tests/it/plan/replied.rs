//! Our words in the case of a request come after AWS's automated first reply.

use super::*;

fn seen(is_answered: bool) -> [DeskReading; 2] {
    let display = DisplayId::new("171234567800001");
    [
        DeskReading::Request {
            request: RequestId::new("req-1"),
            status: RequestStatus::CaseOpened,
            display: Some(display.clone()),
        },
        DeskReading::Case {
            case: CaseId::new("case-1"),
            display,
            status: "unassigned".to_owned(),
            is_answered,
        },
    ]
}

/// A request that AWS took a while ago, whose case shows only now.
fn asked() -> Stage {
    let mut stage = Stage::new(Mode::File);
    shortage(&mut stage);
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
    stage.perform_all();
    stage.later(1).step(&[], &[]);
    stage.later(30).step(&[], &seen(false));
    stage
}

#[test]
fn the_numbers_come_after_the_automated_first_reply() {
    let mut stage = asked();
    assert_eq!(stage.effects("comment").len(), 0);
    stage.later(5).step(&[], &seen(true));
    assert_eq!(stage.effects("comment").len(), 1);
}

#[test]
fn a_reply_that_never_comes_is_waited_for_a_quarter_of_an_hour() {
    let mut stage = asked();
    stage.later(14).step(&[], &seen(false));
    assert_eq!(stage.effects("comment").len(), 0);
    stage.later(1).step(&[], &seen(false));
    assert_eq!(stage.effects("comment").len(), 1);
}
