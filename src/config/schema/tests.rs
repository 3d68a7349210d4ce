//! The schema and the readers know the same keys, and each reads what the other says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use toml::{Table as Document, Value as Toml};

use super::*;
use crate::config::{Overrides, fault::Fault, rules as rule_files, settings as configuration};

/// Known keys by table, such as `account` or `rule.latency`; places in lists are left out.
type Keys = BTreeMap<String, BTreeSet<String>>;

/// No key is like it.
const STRANGE: &str = "no-key-of-ours-is-called-like-this-one";

/// Files with what each kind of secret looks like, and a template.
const SECRETS: [(&str, &str); 7] = [
    ("page-token", "0123456789abcdef0123456789abcdef"),
    ("template.j2", "[1]"),
    ("slack-app-token", "xapp-0-1-x"),
    ("slack-url", "https://hooks.example.com/T/B/x"),
    ("slack-token", "xoxb-0-1-x"),
    ("pagerduty-key", "0123456789abcdef0123456789abcdef"),
    ("webhook-secret", "0123456789-0123456789-0123456789"),
];

/// A receiver that another one may fall back to.
const SPARE: &str = "spare";
/// Another account that is watched.
const MONITORING: &str = "444455556666";

/// Files with secrets, and the values that only this machine can give.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("boa-schema-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        for (name, secret) in SECRETS {
            fs::write(path.join(name), secret).unwrap();
        }
        Self(path)
    }

    fn value(&self, path: &str) -> Option<String> {
        let of = |path: &str| format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
        match path {
            "account.metrics_through" => Some(MONITORING.to_owned()),
            "rules.folder" => Some(of("alert-rules")),
            "receiver.on-call.fallback" | "digest.receiver" => Some(SPARE.to_owned()),
            "receiver.on-call.url_file" | "heartbeat.url_file" => Some(self.file("slack-url")),
            "receiver.on-call.token_file" => Some(self.file("slack-token")),
            "listen.token_file" | "listen.act_token_file" => Some(self.file("page-token")),
            "listen.token" | "listen.act_token" => Some("credential:page-token".to_owned()),
            // Text for people and JSON for a webhook alike.
            "receiver.on-call.template_file" => Some(self.file("template.j2")),
            "receiver.on-call.app_token_file" => Some(self.file("slack-app-token")),
            "receiver.on-call.app_token" => Some("credential:slack-app-token".to_owned()),
            "receiver.on-call.routing_key_file" => Some(self.file("pagerduty-key")),
            "receiver.on-call.secret_file" => Some(self.file("webhook-secret")),
            "receiver.on-call.routing_key" => Some("credential:pagerduty-key".to_owned()),
            "receiver.on-call.secret" => Some("credential:webhook-secret".to_owned()),
            _ => None,
        }
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn overrides(&self) -> Overrides {
        Overrides {
            credentials: Some(self.0.clone()),
            ..Overrides::default()
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A document in which each table has all keys of one of its ways. The way of a table and those of the tables in it are
/// the digits of one number, so that counting it up meets them all.
struct Writer<'a> {
    place: &'a Place,
    strange: bool,
}

impl Writer<'_> {
    fn table(&self, table: &Table, path: &str, way: usize) -> Document {
        let many = table.ways.len();
        let mut document = Document::new();
        for key in &table.ways[way % many] {
            let below = format!("{path}{}", key.name);
            let value = self.value(&key.shape, &below, way / many);
            document.insert(key.name.to_owned(), value);
        }
        if self.strange {
            document.insert(STRANGE.to_owned(), Toml::Boolean(true));
        }
        document
    }

    fn value(&self, shape: &Shape, path: &str, way: usize) -> Toml {
        let below = format!("{path}.");
        match shape {
            Shape::Text(form) => {
                let given = self.place.value(path);
                Toml::String(given.unwrap_or_else(|| form.examples[0].to_owned()))
            }
            Shape::Choice(names) => Toml::String(names[way % names.len()].to_owned()),
            Shape::Flag => Toml::Boolean(true),
            Shape::Whole(least, _) => Toml::Integer(i64::from(*least)),
            Shape::Number(least) => Toml::Float(*least),
            Shape::List(of) => Toml::Array(vec![self.value(of, path, way)]),
            Shape::Either(shapes) => self.value(&shapes[0], path, way),
            Shape::Texts(form) => {
                let text = Toml::String(form.examples[0].to_owned());
                Toml::Table([("team".to_owned(), text)].into_iter().collect())
            }
            Shape::Table(table) => Toml::Table(self.table(table, &below, way)),
            Shape::Tables(table) => {
                let mut tables = vec![Toml::Table(self.table(table, &below, way))];
                if path == "account" {
                    let spare = format!("id = '{MONITORING}'\nregions = ['us-east-1']");
                    tables.push(Toml::Table(spare.parse().unwrap()));
                }
                Toml::Array(tables)
            }
            Shape::Named(known, other) => {
                let known = known.iter().map(|(name, table)| {
                    (
                        name.clone(),
                        Toml::Table(self.table(table, &format!("{below}{name}."), way)),
                    )
                });
                let mut tables: Document = known.collect();
                if tables.is_empty() {
                    let table = self.table(other, &format!("{below}on-call."), way);
                    tables.insert("on-call".to_owned(), Toml::Table(table));
                    let spare =
                        "kind = 'sns'\ntopic_arn = 'arn:aws:sns:us-east-1:111122223333:spare'";
                    tables.insert(SPARE.to_owned(), Toml::Table(spare.parse().unwrap()));
                }
                Toml::Table(tables)
            }
        }
    }
}

/// As many documents as it takes until each table was written in each of its ways: six conditions of a rule that may file
/// something, and as many of one that may not; one of them has seven ways.
const WAYS: usize = 2 * 6 * 7;

fn of_schema(table: &Table, path: &str, keys: &mut Keys) {
    for way in &table.ways {
        for key in way {
            let of_table = keys.entry(path.to_owned()).or_default();
            of_table.insert(key.name.to_owned());
            let below = if path.is_empty() {
                key.name.to_owned()
            } else {
                format!("{path}.{}", key.name)
            };
            match &key.shape {
                Shape::Table(table) | Shape::Tables(table) => of_schema(table, &below, keys),
                Shape::Named(known, _) if !known.is_empty() => {
                    for (name, table) in known {
                        of_schema(table, &format!("{below}.{name}"), keys);
                    }
                }
                Shape::Named(_, other) => of_schema(other, &format!("{below}.on-call"), keys),
                Shape::Text(_)
                | Shape::Choice(_)
                | Shape::Flag
                | Shape::Whole(..)
                | Shape::Number(_)
                | Shape::List(_)
                | Shape::Texts(_)
                | Shape::Either(_) => {}
            }
        }
    }
}

/// What the reader says it knows, of each table in which it met a key that it does not.
fn of_reader(faults: &[Fault], keys: &mut Keys) {
    for fault in faults {
        let Some(path) = fault.key().and_then(|it| it.strip_suffix(STRANGE)) else {
            continue; // a consequence, such as a rule that was not taken
        };
        let path = path.trim_end_matches('.').replace("[0]", "");
        let help = fault.help_text().unwrap();
        let (_, known) = help.split_once(": ").unwrap();
        let known = known.split(", ").map(str::to_owned);
        keys.entry(path).or_default().extend(known);
    }
}

fn held_both_ways(table: &Table, read: impl Fn(&str, &Place) -> Vec<Fault>, name: &str) {
    let place = Place::new(name);
    let (mut ours, mut theirs) = (Keys::new(), Keys::new());
    of_schema(table, "", &mut ours);
    for way in 0..WAYS {
        let written = |strange| {
            let place = &place;
            Writer { place, strange }.table(table, "", way).to_string()
        };
        let text = written(false);
        let faults = read(&text, &place);
        assert!(faults.is_empty(), "{faults:#?}\nin\n{text}");
        of_reader(&read(&written(true), &place), &mut theirs);
    }
    let paths: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    for path in paths {
        assert_eq!(
            ours.get(path),
            theirs.get(path),
            "keys of [{path}]: schema, then reader"
        );
    }
    assert!(ours.len() > 3, "{ours:?}");
}

#[test]
fn the_configuration_has_the_keys_that_are_read_and_no_others() {
    let read =
        |text: &str, place: &Place| configuration::read(text, "c.toml", &place.overrides()).1;
    held_both_ways(
        &settings::table(&builtin_rules().unwrap()),
        read,
        "settings",
    );
}

#[test]
fn rule_files_have_the_keys_that_are_read_and_no_others() {
    let read = |text: &str, _: &Place| rule_files::read("r.toml", text, &mut BTreeMap::new());
    held_both_ways(&rules::file(), read, "rules");
}

#[test]
fn what_an_editor_shows_of_a_table() {
    let schema = of_settings().unwrap();
    let shown = serde_json::json!({
        "budget": schema["properties"]["budget"],
        "receiver": schema["properties"]["receiver"],
        "latency": schema["properties"]["rule"]["properties"]["latency"],
    });
    insta::assert_snapshot!("editor", format!("{shown:#}"));
}
