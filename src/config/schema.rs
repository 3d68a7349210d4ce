//! What may be written in the files that people write: each key once, with its form, as JSON Schema for their editors.
//!
//! The readers go on after a fault and so can't be derived; the names of choices and the values of rules are taken from
//! the types they stand for. A test reads a document made of this table by the readers and asks them, table by table,
//! which keys they know: neither side can have one that the other lacks.
//!
//! - `form`: texts with a form, such as a length of time;
//! - `prices`: what tokens cost;
//! - `settings`: the configuration; `rules`: rule files, and what `[rule.NAME]` changes.

mod form;
mod incidents;
mod listen;
mod prices;
mod receivers;
mod rules;
mod settings;

use serde_json::{Map, Value, json};

use super::{ConfigError, builtin_rules};
use form::Form;

/// The dialect that editors for TOML understand.
const DIALECT: &str = "http://json-schema.org/draft-07/schema#";

/// JSON Schema of the configuration file, which knows the shipped rules by name.
///
/// # Errors
/// As [`builtin_rules`].
pub fn of_settings() -> Result<Value, ConfigError> {
    let rules = builtin_rules()?;
    let table = settings::table(&rules);
    Ok(document("Bedrock Ops Alert: configuration", &table))
}

/// JSON Schema of a rule file.
#[must_use]
pub fn of_rules() -> Value {
    document("Bedrock Ops Alert: rules", &rules::file())
}

fn document(title: &str, table: &Table) -> Value {
    let mut document = of_table(table);
    document.insert("$schema".to_owned(), json!(DIALECT));
    document.insert("title".to_owned(), json!(title));
    Value::Object(document)
}

/// A table of the file: the keys that may stand in it together, in one way or several.
#[derive(Clone, Debug)]
struct Table {
    ways: Vec<Vec<Key>>,
}

impl Table {
    fn of(keys: impl IntoIterator<Item = Key>) -> Self {
        let keys = keys.into_iter().collect();
        Self { ways: vec![keys] }
    }

    /// Keys that all ways have, and those that each has besides.
    fn ways(common: &[Key], ways: impl IntoIterator<Item = Vec<Key>>) -> Self {
        let whole = |own: Vec<Key>| common.iter().cloned().chain(own).collect();
        let ways = ways.into_iter().map(whole).collect();
        Self { ways }
    }
}

/// A key, and what is written behind it.
#[derive(Clone, Debug)]
struct Key {
    name: &'static str,
    says: String,
    shape: Shape,
    is_required: bool,
    default: Option<Value>,
}

fn key(name: &'static str, says: impl Into<String>, shape: impl Into<Shape>) -> Key {
    Key {
        name,
        says: says.into(),
        shape: shape.into(),
        is_required: false,
        default: None,
    }
}

impl Key {
    fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }
}

/// What is written behind a key.
#[derive(Clone, Debug)]
enum Shape {
    Text(&'static Form),
    Choice(Vec<&'static str>),
    Flag,
    /// From and to, both included.
    Whole(u32, u32),
    /// At least so much.
    Number(f64),
    /// At least one.
    List(Box<Shape>),
    Either(Vec<Shape>),
    Table(Table),
    Tables(Table),
    /// Texts by a name that the operator knows; at least one.
    Texts(&'static Form),
    /// Tables by name: those that are known, and what any other has.
    Named(Vec<(String, Table)>, Table),
}

impl From<&'static Form> for Shape {
    fn from(form: &'static Form) -> Self {
        Self::Text(form)
    }
}

impl Shape {
    fn choice(names: impl IntoIterator<Item = &'static str>) -> Self {
        Self::Choice(names.into_iter().collect())
    }

    fn list(of: impl Into<Self>) -> Self {
        Self::List(Box::new(of.into()))
    }
}

fn of_table(table: &Table) -> Map<String, Value> {
    let mut ways = table.ways.iter().map(|keys| of_keys(keys));
    match (ways.next(), ways.len()) {
        (Some(only), 0) => only,
        (first, _) => {
            let all: Vec<Value> = first.into_iter().chain(ways).map(Value::Object).collect();
            Map::from_iter([("oneOf".to_owned(), Value::Array(all))])
        }
    }
}

fn of_keys(keys: &[Key]) -> Map<String, Value> {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| {
            let mut shape = of_shape(&key.shape);
            shape.insert("description".to_owned(), json!(key.says));
            if let Some(default) = &key.default {
                shape.insert("default".to_owned(), default.clone());
            }
            (key.name.to_owned(), Value::Object(shape))
        })
        .collect();
    let required: Vec<&str> = keys
        .iter()
        .filter(|key| key.is_required)
        .map(|key| key.name)
        .collect();
    let mut object = object(json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    }));
    if !required.is_empty() {
        object.insert("required".to_owned(), json!(required));
    }
    object
}

fn of_shape(shape: &Shape) -> Map<String, Value> {
    object(match shape {
        Shape::Text(form) => json!({
            "type": "string",
            "pattern": form.pattern,
            "examples": form.examples,
        }),
        Shape::Choice(names) => json!({ "type": "string", "enum": names }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Whole(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Shape::Number(least) => json!({ "type": "number", "minimum": least }),
        Shape::List(of) => json!({ "type": "array", "minItems": 1, "items": of_shape(of) }),
        Shape::Either(shapes) => {
            let shapes: Vec<_> = shapes.iter().map(of_shape).collect();
            json!({ "anyOf": shapes })
        }
        Shape::Texts(form) => json!({
            "type": "object",
            "minProperties": 1,
            "additionalProperties": of_shape(&Shape::Text(form)),
        }),
        Shape::Table(table) => Value::Object(of_table(table)),
        Shape::Tables(table) => json!({ "type": "array", "items": of_table(table) }),
        Shape::Named(known, other) => {
            let known = known.iter().map(|(name, it)| (name.clone(), of_table(it)));
            let known: Map<String, Value> =
                known.map(|(name, it)| (name, Value::Object(it))).collect();
            json!({
                "type": "object",
                "properties": known,
                "additionalProperties": of_table(other),
            })
        }
    })
}

/// What `json!` made of braces.
fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(members) = value {
        return members;
    }
    Map::from_iter([("const".to_owned(), value)])
}

#[cfg(test)]
mod tests;
