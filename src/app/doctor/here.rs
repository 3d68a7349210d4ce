//! This machine: where the store is to lie, the page's address, and who is told.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use super::{Item, Verdict};
use crate::{
    model::{
        access::SignIn,
        policy::{Receiver, Settings},
    },
    store, web,
};

const PLACE: &str = "here";
/// File systems over a network: their locks and flushes don't hold what the store builds on.
const REMOTE: [&str; 8] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "ceph",
    "fuse.sshfs",
];

/// All of it.
pub(super) async fn items(settings: &Settings) -> Vec<Item> {
    let mode = settings.policy.mode.name();
    let rules = settings.rules.everywhere().len();
    let mut items = vec![
        Item::fine(
            PLACE,
            "configuration",
            format!("mode {mode}, {rules} rules"),
        ),
        store_item(&settings.store_path),
        listen_item(settings).await,
    ];
    if let Some(sign_in) = &settings.access.alb {
        items.push(sign_in_item(sign_in, settings.access.has_tokens()).await);
    }
    items.extend(receivers(settings));
    items
}

/// Whether a store is there, or can be made, and is of a format that we know.
fn store_item(path: &Path) -> Item {
    let shown = path.display();
    let found = match store::look(path) {
        Ok(found) => found,
        Err(error) => {
            let item = Item::new(PLACE, "store", Verdict::Failed, chain(&error));
            return item.help(error.help());
        }
    };
    let folder = existing(path);
    if let Err(error) = can_write(&folder) {
        let found = format!("{} can't be written: {error}", folder.display());
        return Item::new(PLACE, "store", Verdict::Failed, found)
            .help("give it to the user that runs the service, or name another by [store] path");
    }
    let kind = fs::read_to_string("/proc/self/mountinfo");
    let kind = kind.ok().and_then(|mounts| file_system(&mounts, &folder));
    if let Some(kind) = kind.filter(|kind| REMOTE.contains(&kind.as_str())) {
        let found = format!("{shown} lies on {kind}, a file system over the network");
        return Item::new(PLACE, "store", Verdict::Failed, found)
            .help("name a folder on a disk of this machine: an attached volume is one, NFS and EFS are not");
    }
    match found {
        None => Item::fine(PLACE, "store", format!("will be made in {shown}")),
        Some(format) if format < store::FORMAT => Item::new(
            PLACE,
            "store",
            Verdict::Warning,
            format!("{shown} has format {format}; the next start brings it to {}", store::FORMAT),
        )
        .help("dump it first, so that the way back is open: `bedrock-ops-alert store dump FOLDER > FILE`"),
        Some(format) => Item::fine(PLACE, "store", format!("{shown}, format {format}")),
    }
}

/// The folder itself, or the nearest one above it that is there.
fn existing(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = whole.ancestors().find(|above| above.is_dir());
    found.unwrap_or(Path::new("/")).to_owned()
}

/// Makes a file there and takes it away.
fn can_write(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".bedrock-ops-alert-doctor-{}", std::process::id()));
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)?;
    fs::remove_file(&path)
}

/// The kind of file system that this folder lies on, by the longest mount point above it.
pub(super) fn file_system(mounts: &str, folder: &Path) -> Option<String> {
    let lines = mounts.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let point = before.split(' ').nth(4)?.replace("\\040", " ");
        let kind = after.split(' ').next()?;
        folder
            .starts_with(&point)
            .then(|| (point.len(), kind.to_owned()))
    });
    // The last one mounted hides those before it.
    let longest = lines.max_by_key(|(length, _)| *length);
    longest.map(|(_, kind)| kind)
}

/// Whether the address is free, or our own service has it.
async fn listen_item(settings: &Settings) -> Item {
    let address = settings.listen;
    match tokio::net::TcpListener::bind(address).await {
        Ok(_) => Item::fine(PLACE, "page", format!("{address} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let found = format!("{address} is taken");
            Item::new(PLACE, "page", Verdict::Warning, found).help(
                "by the running service, if there is one; else name another address by [listen]",
            )
        }
        Err(error) => {
            let found = format!("{address} can't be listened on: {error}");
            Item::new(PLACE, "page", Verdict::Failed, found)
                .help("name another address by [listen]")
        }
    }
}

/// Whether people can be signed in: the keys of the load balancer come from AWS.
pub(super) async fn sign_in_item(sign_in: &SignIn, has_tokens: bool) -> Item {
    const WHAT: &str = "sign-in";
    let keys = &sign_in.keys;
    if let Err(why) = web::keys_answer(sign_in).await {
        let found = format!("public keys of load balancers can't be read at {keys}: {why}");
        return Item::new(PLACE, WHAT, Verdict::Failed, found).help(
            "open outbound HTTPS to that host, or name another address by [listen.alb] keys: until then nobody can be signed in",
        );
    }
    let found = format!("public keys of load balancers are read at {keys}");
    if sign_in.act.is_empty() {
        let found = format!("{found}; whoever is signed in may read, and nobody decide");
        return Item::new(PLACE, WHAT, Verdict::Warning, found)
            .help("name by [listen.alb] act who may");
    }
    if !has_tokens {
        let found = format!("{found}; commands on this machine are refused, for lack of a token");
        return Item::new(PLACE, WHAT, Verdict::Warning, found)
            .help("give them one by [listen] token_file or act_token_file");
    }
    Item::fine(PLACE, WHAT, found)
}

/// Receivers whose references held: those that don't stop the configuration from being read.
fn receivers(settings: &Settings) -> Vec<Item> {
    let policy = &settings.policy;
    let mut items = Vec::new();
    for (name, receiver) in &policy.receivers {
        let what = format!("receiver {name}");
        let found = match receiver {
            Receiver::Sns { topic_arn, .. } => format!("topic {topic_arn}"),
            Receiver::Slack { .. } => "its webhook's URL is there".to_owned(),
            Receiver::SlackBot {
                channel, buttons, ..
            } => match buttons {
                None => format!("its token is there, for {channel}"),
                Some(_) => format!("its token is there, for {channel}, and that of its app"),
            },
            Receiver::PagerDuty { .. } => "its key is there".to_owned(),
            Receiver::Webhook { secret, .. } => match secret {
                Some(_) => "its URL and its secret are there".to_owned(),
                None => "its URL is there; what it gets is not signed".to_owned(),
            },
            Receiver::Alertmanager { url, .. } => format!("Alertmanager at {url}"),
        };
        let is_routed = policy.routes.iter().any(|route| route.receiver == *name);
        items.push(if is_routed {
            Item::fine(PLACE, &what, found)
        } else {
            Item::new(PLACE, &what, Verdict::Warning, "no [[route]] leads to it")
                .help(format!("add [[route]] with receiver = \"{name}\""))
        });
    }
    if policy.receivers.is_empty() {
        let item = Item::new(
            PLACE,
            "receivers",
            Verdict::Warning,
            "nobody is told anything",
        );
        items.push(item.help("add [receiver.NAME] and a [[route]]; docs/config.md shows both"));
    }
    items
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}
