//! Whoever is to approve something hears of it: with the first message, or by one of its own.

use bedrock_ops_alert::model::{
    action::{Effect, UNANSWERED},
    alert::AlertState,
    book::Record,
    ids::ActionId,
    policy::Mode,
    receiver::Flag,
    rule::Category,
    time::Minute,
};

use super::{Stage, flags, flap::words, price, sonnet, verdict};

fn step(stage: &mut Stage) {
    let on = verdict(&sonnet(), Category::Quota, AlertState::Alerting, stage.now);
    stage.step(&[on], &[]);
}

fn proposal(stage: &Stage) -> ActionId {
    let requests = stage.effects("request-quota");
    assert_eq!(requests.len(), 1);
    let request = requests.first().unwrap();
    assert_eq!(request.state.name(), "proposed");
    request.id.clone()
}

#[test]
fn the_first_message_says_what_waits_and_what_it_may_cost() {
    let mut stage = price::short_with_prices(Mode::Propose);
    step(&mut stage);
    proposal(&stage);
    insta::assert_snapshot!("first", stage.message("[warning]"));
    assert_eq!(words(&stage), ["warning"], "one message, with its buttons");
    let notice = stage.effects("notify")[0];
    assert!(flags(notice).contains(&Flag::Proposal));
}

/// A slot that becomes free, a budget of a new day, a history that could be read at last.
#[test]
fn what_is_proposed_later_is_told_then() {
    let mut stage = price::short_with_prices(Mode::Propose);
    stage.policy.budgets.requests_per_day = 0;
    step(&mut stage);
    assert!(stage.effects("request-quota").is_empty());
    stage.policy.budgets.requests_per_day = 3;
    step(stage.later(1));
    proposal(&stage);
    insta::assert_snapshot!("later", stage.message("[waits for you]"));
    let told = stage.effects("notify").into_iter();
    let mut told = told.filter(|it| flags(it).contains(&Flag::Proposal));
    let Some(Effect::Notify { subject, .. }) = told.next().map(|it| &it.effect) else {
        panic!("with its buttons");
    };
    assert!(subject.starts_with("[waits for you]"), "{subject}");
    assert_eq!(told.count(), 0);
    step(stage.later(1));
    assert_eq!(words(&stage).len(), 2, "once");
}

/// A proposal that nobody answered is made anew while it is short: whoever hears of the end of the one reads of the other.
#[test]
fn what_is_proposed_again_is_in_the_message_that_the_last_one_expired() {
    let mut stage = price::short_with_prices(Mode::Propose);
    step(&mut stage);
    let first = stage.effects("request-quota")[0].clone();
    stage.later(1_441);
    let expired = first.refused(UNANSWERED, stage.now);
    stage.book.apply(vec![Record::Intent(expired)]);
    let from = Minute::of(stage.now).plus(-1_441);
    stage.feed(&sonnet(), from, &[(600.0, 0.0, 900_000.0); 1_441]);
    step(&mut stage);
    let again = stage.effects("request-quota").into_iter();
    let again: Vec<_> = again.filter(|it| it.id != first.id).collect();
    assert_eq!(again.len(), 1);
    let told = stage.message("[not done]");
    let waits = format!("`approve {}`", again[0].id);
    assert!(told.contains(&waits), "{told}");
    assert_eq!(words(&stage), ["warning", "not done"], "in one message");
}
