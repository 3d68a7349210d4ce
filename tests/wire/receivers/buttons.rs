//! Slack's Socket Mode from its other end: what is pressed, by whom, and what they hear.

use std::{
    net::{TcpListener, TcpStream},
    sync::Arc,
    time::Duration,
};

use bedrock_ops_alert::{
    model::{ids::ReceiverName, rule::Severity},
    runtime::buttons,
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tungstenite::{Message, WebSocket};

use super::{
    Desk, incident,
    stand::{Reply, Stand},
    table,
};
use crate::sdk_faults::cloud;

/// May approve; so may nobody else.
const APPROVER: &str = "U0123ABCDEF";
const CHANNEL: &str = "C0123456789";

/// Slack's end of the sockets.
struct Sockets(TcpListener);

impl Sockets {
    /// Its address is what `apps.connections.open` of the stand names.
    fn start(stand: &Stand) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        stand.opens(format!("ws://{}/link", listener.local_addr().unwrap()));
        Self(listener)
    }

    /// The next socket that is opened, once it was greeted.
    async fn next(&self) -> Socket {
        let listener = self.0.try_clone().unwrap();
        let accepted = tokio::task::spawn_blocking(move || {
            let (stream, _) = listener.accept().unwrap();
            let patience = Some(Duration::from_secs(30));
            stream.set_read_timeout(patience).unwrap();
            tungstenite::accept(stream).unwrap()
        });
        let mut socket = Socket(Some(accepted.await.unwrap()));
        socket
            .say(&json!({ "type": "hello", "num_connections": 1 }))
            .await;
        socket
    }
}

struct Socket(Option<WebSocket<TcpStream>>);

impl Socket {
    async fn on<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut WebSocket<TcpStream>) -> T + Send + 'static,
    ) -> T {
        let mut socket = self.0.take().unwrap();
        let worked = tokio::task::spawn_blocking(move || {
            let worked = work(&mut socket);
            (socket, worked)
        });
        let (socket, worked) = worked.await.unwrap();
        self.0 = Some(socket);
        worked
    }

    async fn say(&mut self, word: &Value) {
        let text = word.to_string();
        self.on(move |it| it.send(Message::text(text)).unwrap())
            .await;
    }

    /// The next text from the service.
    async fn hear(&mut self) -> Value {
        let text = self.on(|it| {
            loop {
                if let Message::Text(text) = it.read().unwrap() {
                    return text.as_str().to_owned();
                }
            }
        });
        serde_json::from_str(&text.await).unwrap()
    }

    /// A press, as Slack sends it, and the word that it arrived.
    async fn press(&mut self, stand: &Stand, id: &str, user: &str, button: &Value) {
        let press = json!({
            "type": "interactive",
            "envelope_id": id,
            "accepts_response_payload": false,
            "payload": {
                "type": "block_actions",
                "user": { "id": user, "username": "sam", "name": "sam", "team_id": "T1" },
                "channel": { "id": CHANNEL, "name": "ops" },
                "response_url": format!("{}/actions/{id}", stand.url),
                "actions": [{
                    "type": "button",
                    "block_id": "b",
                    "action_id": button["action_id"],
                    "value": button["value"],
                    "action_ts": "1700000000.1",
                }],
            },
        });
        self.say(&press).await;
        assert_eq!(self.hear().await, json!({ "envelope_id": id }));
    }
}

fn receiver(stand: &Stand) -> String {
    format!(
        "[receiver.chat]\n{}app_token = \"credential:app-token\"\napprovers = [\"{APPROVER}\"]\n[[route]]\nreceiver = \"chat\"\n",
        table("slack-bot", &stand.url)
    )
}

/// Listens for presses beside the desk.
#[expect(
    clippy::disallowed_methods,
    reason = "a task of the test, ended with it"
)]
async fn listen(desk: &Desk) -> JoinHandle<()> {
    let cloud = Arc::new(cloud("http://127.0.0.1:1", &[crate::sdk_faults::ACCOUNT]).await);
    tokio::spawn(buttons::serve(cloud, Arc::clone(&desk.shared)))
}

/// The buttons of the channel's first message, by their labels.
fn buttons_of(stand: &Stand) -> Vec<(String, Value)> {
    let message = stand.channel().into_iter().next().unwrap();
    let blocks = message["blocks"].as_array().unwrap().clone();
    let actions = blocks.into_iter().filter(|it| it["type"] == "actions");
    let elements = actions.flat_map(|it| it["elements"].as_array().unwrap().clone());
    elements
        .map(|it| (it["text"]["text"].as_str().unwrap().to_owned(), it))
        .collect()
}

fn labels(stand: &Stand) -> Vec<String> {
    buttons_of(stand)
        .into_iter()
        .map(|(label, _)| label)
        .collect()
}

fn button(stand: &Stand, label: &str) -> Value {
    let found = buttons_of(stand).into_iter().find(|(it, _)| it == label);
    found.unwrap().1
}

/// What the presser of this envelope was told, once it was.
async fn told(stand: &Stand, id: &str) -> String {
    let path = format!("/actions/{id}");
    loop {
        let requests = stand.requests();
        if let Some(request) = requests.iter().find(|it| it.path == path) {
            let said = request.json();
            assert_eq!(said["response_type"], "ephemeral");
            return said["text"].as_str().unwrap().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_press_is_an_order_of_whoever_may_and_they_hear_what_it_came_to() {
    let stand = Stand::start();
    let sockets = Sockets::start(&stand);
    let mut desk = Desk::new("buttons", &receiver(&stand)).await;
    let mut incident = incident("L-1");
    let proposal = desk.propose(&incident);
    desk.tell(&mut incident, Severity::Warning, &["chat"]);
    desk.minute().await;
    assert_eq!(
        labels(&stand),
        ["Approve", "Reject", "I look after it", "Snooze 4 h"]
    );

    let listening = listen(&desk).await;
    let mut socket = sockets.next().await;
    let reject = button(&stand, "Reject");
    socket.press(&stand, "e1", "U9999999999", &reject).await;
    let said = told(&stand, "e1").await;
    assert_eq!(
        said,
        "Nothing was decided: U9999999999 is not among the `approvers` of receiver chat."
    );
    assert_eq!(desk.state(&proposal), "proposed");

    socket.press(&stand, "e2", APPROVER, &reject).await;
    desk.obey().await;
    let said = told(&stand, "e2").await;
    assert_eq!(
        said,
        format!("{proposal}: rejected by sam ({APPROVER} in Slack).")
    );
    assert_eq!(desk.state(&proposal), "refused");
    desk.minute().await;
    assert_eq!(
        labels(&stand),
        ["I look after it", "Snooze 4 h"],
        "what was decided is shown, and no button for it"
    );

    // Pressed once more before the message has changed: the same check as for any order.
    socket.press(&stand, "e3", APPROVER, &reject).await;
    desk.obey().await;
    let said = told(&stand, "e3").await;
    assert_eq!(
        said,
        format!("Nothing was decided: {proposal} does not wait for approval: it is refused.")
    );

    let mine = button(&stand, "I look after it");
    socket.press(&stand, "e4", "U9999999999", &mine).await;
    desk.obey().await;
    let said = told(&stand, "e4").await;
    assert!(
        said.contains("acknowledged by sam (U9999999999 in Slack)"),
        "{said}"
    );
    for _ in 0..2 {
        desk.minute().await;
    }
    assert_eq!(
        labels(&stand),
        Vec::<String>::new(),
        "nothing is left to decide"
    );

    // What we know nothing of is acknowledged, so that it does not come again.
    socket
        .say(&json!({ "type": "events_api", "envelope_id": "e5", "payload": {} }))
        .await;
    assert_eq!(socket.hear().await, json!({ "envelope_id": "e5" }));
    listening.abort();
}

/// What goes out by itself can be stopped from where people read of it.
#[tokio::test]
async fn all_writes_are_stopped_by_whoever_may_decide() {
    let stand = Stand::start();
    let sockets = Sockets::start(&stand);
    let mut desk = Desk::new("stop", &receiver(&stand)).await;
    let mut incident = incident("L-1");
    desk.ask(&incident);
    desk.tell(&mut incident, Severity::Warning, &["chat"]);
    desk.minute().await;
    assert_eq!(
        labels(&stand),
        ["I look after it", "Snooze 4 h", "Stop all writes"]
    );
    let listening = listen(&desk).await;
    let mut socket = sockets.next().await;
    let stop = button(&stand, "Stop all writes");
    assert!(
        stop["confirm"]["text"]["text"].is_string(),
        "asked once more"
    );
    socket.press(&stand, "e1", "U9999999999", &stop).await;
    let said = told(&stand, "e1").await;
    assert!(said.starts_with("Nothing was decided"), "{said}");
    assert!(desk.shared.switch.stop().is_none());
    socket.press(&stand, "e2", APPROVER, &stop).await;
    desk.obey().await;
    let said = told(&stand, "e2").await;
    assert_eq!(
        said,
        format!(
            "writes at AWS are stopped by sam ({APPROVER} in Slack): pressed below a message in Slack."
        )
    );
    assert!(desk.shared.switch.stop().is_some());
    listening.abort();
}

#[tokio::test]
async fn a_socket_that_is_refused_or_closed_is_told_and_opened_again() {
    let stand = Stand::start();
    let sockets = Sockets::start(&stand);
    stand.script([Reply::Answer(
        200,
        "",
        r#"{"ok":false,"error":"invalid_auth"}"#,
    )]);
    let desk = Desk::new("sockets", &receiver(&stand)).await;
    let listening = listen(&desk).await;
    let unheard = || {
        let health = desk.shared.health();
        health
            .unheard_buttons
            .get(&ReceiverName::new("chat"))
            .cloned()
    };
    while unheard().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(unheard().as_deref(), Some("invalid_auth"));
    let mut socket = sockets.next().await;
    while unheard().is_some() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Slack says so before it closes one.
    socket
        .say(&json!({ "type": "disconnect", "reason": "refresh_requested" }))
        .await;
    let mut second = sockets.next().await;
    drop(socket);
    // And one may just be gone.
    second
        .on(|it| it.get_mut().shutdown(std::net::Shutdown::Both).unwrap())
        .await;
    let _third = sockets.next().await;
    assert_eq!(unheard(), None, "a socket that served is not missed");
    let opened = stand.requests();
    let keys = opened
        .iter()
        .filter(|it| it.path == "/apps.connections.open")
        .map(|it| it.headers["authorization"].clone());
    assert_eq!(keys.collect::<Vec<_>>(), ["Bearer xapp-1-A1-1-abc"; 4]);
    listening.abort();
}
