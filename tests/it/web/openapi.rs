//! The API as a document: it has every route and no other, and real answers are as it says.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Served, books, client, get, serving};

async fn document(url: &str) -> Value {
    let (status, text) = get(&format!("{url}/api/v1/openapi.json")).await;
    assert_eq!(status, 200);
    serde_json::from_str(&text).unwrap()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What is wrong with a value by its schema; strict: what the schema does not name is not there.
fn faults(value: &Value, schema: &Value, document: &Value, path: &str, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/components/schemas/").unwrap();
        let known = &document["components"]["schemas"][name];
        assert!(known.is_object(), "{name} is not in the document");
        return faults(value, known, document, path, found);
    }
    for several in ["anyOf", "oneOf"] {
        if let Some(schemas) = schema[several].as_array() {
            let fits = |schema: &Value| {
                let mut wrong = Vec::new();
                faults(value, schema, document, path, &mut wrong);
                wrong.is_empty()
            };
            if !schemas.iter().any(fits) {
                found.push(format!("{path}: none of {several}: {value}"));
            }
            return;
        }
    }
    if let Some(only) = schema.get("const") {
        if only != value {
            found.push(format!("{path}: {value} is not {only}"));
        }
        return;
    }
    let types: Vec<&str> = match schema["type"].as_array() {
        Some(several) => several.iter().map(|it| it.as_str().unwrap()).collect(),
        None => vec![schema["type"].as_str().unwrap()],
    };
    let is = kind(value);
    let is_fitting = types.contains(&is) || (is == "integer" && types.contains(&"number"));
    if !is_fitting {
        return found.push(format!("{path}: {is} instead of {types:?}"));
    }
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}[{index}]");
                faults(item, &schema["items"], document, &path, found);
            }
        }
        Value::Object(fields) => {
            let named = schema["properties"].as_object();
            for (key, field) in fields {
                let path = format!("{path}.{key}");
                match named.and_then(|it| it.get(key)) {
                    Some(schema) => faults(field, schema, document, &path, found),
                    None if schema["additionalProperties"].is_object() => {
                        faults(
                            field,
                            &schema["additionalProperties"],
                            document,
                            &path,
                            found,
                        );
                    }
                    None => found.push(format!("{path}: not in the schema")),
                }
            }
            for key in schema["required"].as_array().into_iter().flatten() {
                if !fields.contains_key(key.as_str().unwrap()) {
                    found.push(format!("{path}: {key} is missing"));
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A path as it can be asked of the busy book.
fn asked(path: &str, served: &Served) -> String {
    let book = served.shared.book();
    let incident = book.incidents.keys().next().unwrap();
    let pool = "111122223333/us-east-1/geo/anthropic.claude-sonnet-4-6";
    path.replace("/explain/{id}", &format!("/explain/{pool}"))
        .replace("{pool}", pool)
        .replace("/incidents/{id}", &format!("/incidents/{incident}"))
        .replace("{id}", "nothing")
}

#[tokio::test]
async fn real_answers_are_as_the_document_says() {
    serving(books::busy(), async |served: Served| {
        let document = document(&served.url).await;
        let mut checked = 0;
        for (path, operations) in document["paths"].as_object().unwrap() {
            let answers = &operations["get"]["responses"];
            let schema = &answers["200"]["content"]["application/json"]["schema"];
            if !schema.is_object() {
                continue;
            }
            let (status, text) = get(&format!("{}{}", served.url, asked(path, &served))).await;
            assert!([200, 503].contains(&status), "{path}: {status} {text}");
            let answer: Value = serde_json::from_str(&text).unwrap();
            let schema = &answers[status.to_string()]["content"]["application/json"]["schema"];
            let mut found = Vec::new();
            faults(&answer, schema, &document, path, &mut found);
            assert!(found.is_empty(), "{found:#?}");
            checked += 1;
        }
        assert!(10 <= checked, "only {checked} answers");
    })
    .await;
}

/// Asked with a method that nothing takes, a route names those that it does take.
#[tokio::test]
async fn the_document_has_every_method_of_every_route() {
    serving(books::quiet(), async |served: Served| {
        let document = document(&served.url).await;
        let text = std::fs::read_to_string("docs/api.md").unwrap();
        for (path, operations) in document["paths"].as_object().unwrap() {
            let url = format!("{}{}", served.url, asked_nothing(path));
            let answer = client().delete(&url).send().await.unwrap();
            assert_eq!(answer.status(), 405, "{path}");
            let allowed = answer.headers()["allow"].to_str().unwrap().to_lowercase();
            let allowed: BTreeSet<&str> = allowed.split(',').filter(|it| *it != "head").collect();
            let told: BTreeSet<&str> = operations
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            assert_eq!(told, allowed, "{path}");
            let why: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            assert_eq!(why["error"], "method not allowed");
            for method in told {
                let line = format!("`{} {path}`", method.to_uppercase());
                assert!(text.contains(&line), "docs/api.md has no {line}");
            }
        }
    })
    .await;
}

fn asked_nothing(path: &str) -> String {
    path.replace("{id}", "x").replace("{pool}", "x")
}

#[tokio::test]
async fn what_the_router_refuses_says_why_in_json_too() {
    serving(books::quiet(), async |served: Served| {
        for (path, status, part) in [
            ("/api/v1/audit?before=many", 400, "before"),
            ("/api/v1/moments/x?when=now", 400, "when"),
            ("/api/v1/incidents/%ff", 400, "UTF-8"),
        ] {
            let (found, text) = get(&format!("{}{path}", served.url)).await;
            assert_eq!(found, status, "{path}: {text}");
            let why: Value = serde_json::from_str(&text).unwrap();
            let why = why["error"].as_str().unwrap();
            assert!(why.contains(part), "{path}: {why}");
        }
    })
    .await;
}
