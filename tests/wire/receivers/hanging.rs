//! AWS's desk hangs: what people are to hear goes its own way.

use std::time::Duration;

use bedrock_ops_alert::model::rule::Severity;

use super::{
    Desk, incident,
    stand::{Reply, Stand},
    table,
};

/// Pitfall 30: the message after the slow work at the desk, and lost with it.
#[tokio::test]
async fn a_desk_that_hangs_holds_no_message_back() {
    let (aws, people) = (Stand::start(), Stand::start());
    aws.script([Reply::Hang, Reply::Hang]);
    let configuration = format!(
        "mode = \"file\"\n[receiver.people]\n{}",
        table("webhook", &people.url)
    );
    let mut desk = Desk::at(&aws.url, "hanging", &configuration).await;
    let mut told = incident("L-1");
    let asked = desk.ask(&told);
    desk.tell(&mut told, Severity::Critical, &["people"]);
    let heard = async {
        while people.requests().is_empty() || aws.requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = desk.minute() => panic!("nothing hung: {:?}", aws.requests()),
        heard = tokio::time::timeout(Duration::from_secs(8), heard) => heard.unwrap(),
    }
    assert_eq!(people.requests().len(), 1);
    // And that was while AWS had not answered, nor been given up.
    let book = desk.shared.book();
    assert_eq!(book.intents.get(&asked).unwrap().state.name(), "sending");
}
