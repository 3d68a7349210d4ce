//! A stand-in for every receiver of messages, on loopback: it answers as each of them does, unless it is told otherwise.

use std::{
    collections::{BTreeMap, VecDeque},
    io::{BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use serde_json::{Value, json};

use crate::sdk_faults::read_request;

/// What is done with one request, once it was read whole.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// This status, with these header lines and this text, and nothing done.
    Answer(u16, &'static str, &'static str),
    /// Nothing done, and no word.
    Close,
    /// Done, and no word.
    DoneAndClose,
    /// Nothing done, and silence.
    Hang,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Debug, Default)]
struct State {
    script: VecDeque<Reply>,
    requests: Vec<Request>,
    /// What a Slack channel shows.
    channel: Vec<Value>,
    /// Where Slack's sockets are.
    sockets: String,
}

/// It ends with the test process.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    /// Dropped at the end, which lets hanging connections go.
    _release: Sender<()>,
}

impl Stand {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let (release, held) = channel();
        let held = Arc::new(Mutex::new(held));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (state, held) = (Arc::clone(&shared), Arc::clone(&held));
                thread::spawn(move || serve(stream.unwrap(), &state, &held));
            }
        });
        Self {
            url,
            state,
            _release: release,
        }
    }

    /// The next requests are answered like this, and those after them well.
    pub(crate) fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.lock().unwrap().script.extend(replies);
    }

    /// Sockets are opened at this address.
    pub(crate) fn opens(&self, address: String) {
        self.state.lock().unwrap().sockets = address;
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// The messages that a Slack channel shows.
    pub(crate) fn channel(&self) -> Vec<Value> {
        self.state.lock().unwrap().channel.clone()
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>, held: &Mutex<Receiver<()>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(text) = read_request(&mut reader) {
        let request = parsed(&text);
        let (reply, done) = {
            let mut state = state.lock().unwrap();
            state.requests.push(request.clone());
            let reply = state.script.pop_front();
            let is_done = matches!(reply, None | Some(Reply::DoneAndClose));
            (reply, is_done.then(|| state.take(&request)))
        };
        match (reply, done) {
            (None, Some((status, body))) => answer(&mut stream, status, "", &body),
            (Some(Reply::Answer(status, headers, body)), _) => {
                answer(&mut stream, status, headers, body);
            }
            (Some(Reply::Hang), _) => {
                let _released = held.lock().unwrap().recv();
                return;
            }
            (Some(Reply::Close | Reply::DoneAndClose) | None, _) => return,
        }
    }
}

impl State {
    /// The effect of a request and the answer that says so.
    fn take(&mut self, request: &Request) -> (u16, String) {
        let ok = |mut value: Value| {
            value["ok"] = json!(true);
            (200, value.to_string())
        };
        match request.path.as_str() {
            "/v2/enqueue" => {
                let key = request.json()["dedup_key"].clone();
                let said =
                    json!({ "status": "success", "message": "Event processed", "dedup_key": key });
                (202, said.to_string())
            }
            "/api/v2/alerts" => (200, String::new()),
            "/chat.postMessage" => {
                let mut message = request.json();
                let ts = format!("1700000000.{:06}", self.channel.len() + 1);
                message["ts"] = json!(ts);
                let channel = message["channel"].clone();
                self.channel.push(message);
                ok(json!({ "channel": channel, "ts": ts }))
            }
            "/chat.update" => {
                let update = request.json();
                let mut messages = self.channel.iter_mut();
                match messages.find(|it| it["ts"] == update["ts"]) {
                    Some(message) => {
                        message["text"] = update["text"].clone();
                        message["blocks"] = update["blocks"].clone();
                        ok(json!({ "ts": update["ts"] }))
                    }
                    None => (
                        200,
                        json!({ "ok": false, "error": "message_not_found" }).to_string(),
                    ),
                }
            }
            "/conversations.history" => {
                let top = self.channel.iter().filter(|it| it["thread_ts"].is_null());
                ok(json!({ "messages": top.collect::<Vec<_>>() }))
            }
            "/apps.connections.open" => ok(json!({ "url": self.sockets })),
            "/conversations.replies" => ok(json!({ "messages": self.channel })),
            path if path.starts_with("/services/") || path.starts_with("/actions/") => {
                (200, "ok".to_owned())
            }
            _ => (204, String::new()),
        }
    }
}

fn parsed(text: &str) -> Request {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let path = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers = lines.filter_map(|line| line.split_once(": "));
    Request {
        path: path.to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}

fn answer(stream: &mut TcpStream, status: u16, headers: &str, body: &str) {
    let length = match status {
        204 => String::new(),
        _ => format!("content-length: {}\r\n", body.len()),
    };
    let text = format!("HTTP/1.1 {status} X\r\n{headers}{length}\r\n{body}");
    // Whoever gave up waiting is gone.
    drop(stream.write_all(text.as_bytes()));
}
