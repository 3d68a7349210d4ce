//! `GET /api/v1/openapi.json`: the API as a document, made from the table of routes and the types of its documents.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use schemars::{
    SchemaGenerator,
    generate::{Contract, SchemaSettings},
};
use serde_json::{Map, Value, json};

use super::{
    json::Problem,
    orders::REQUEST_HEADER,
    routes::{self, Answer, Operation, Route},
};

/// Refusals that every route may give: what can't be read, no token, another method, another host, and a sign-in that can't be
/// checked now.
const ALWAYS: [u16; 5] = [400, 401, 405, 421, 503];

/// `GET /api/v1/openapi.json`.
pub(super) async fn openapi() -> Response {
    let kind = (header::CONTENT_TYPE, "application/json");
    ([kind], format!("{:#}", document())).into_response()
}

/// What comes out and what goes in: a field with a default is always there in an answer, and may be left out of a body.
struct Shapes {
    out: SchemaGenerator,
    into: SchemaGenerator,
}

fn generator(contract: Contract) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|it| {
        it.meta_schema = None;
        it.definitions_path = "/components/schemas".into();
        it.contract = contract;
    });
    settings.into_generator()
}

/// The document.
fn document() -> Value {
    let mut shapes = Shapes {
        out: generator(Contract::Serialize),
        into: generator(Contract::Deserialize),
    };
    let paths: Map<String, Value> = routes::all()
        .iter()
        .map(|it| (it.path.replace("{*", "{"), path(it, &mut shapes)))
        .collect();
    let mut schemas = shapes.out.take_definitions(true);
    schemas.extend(shapes.into.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Bedrock Ops Alert",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What the daemon serves: to everybody on loopback, or to those who show a token where it asks for one. Times are RFC 3339 in UTC; what is not known is null, never 0. docs/api.md tells it in words.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "security": [{}, {"bearer": []}, {"basic": []}],
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "that of `[listen] token` to read, of `act_token` to decide, too"},
                "basic": {"type": "http", "scheme": "basic", "description": "the same as the password, with any name"},
            },
        },
    })
}

fn path(route: &Route, shapes: &mut Shapes) -> Value {
    let operations = route.operations.iter().map(|it| {
        let method = if it.is_post { "post" } else { "get" };
        (method.to_owned(), operation(route.path, it, shapes))
    });
    Value::Object(operations.collect())
}

fn operation(path: &str, it: &Operation, shapes: &mut Shapes) -> Value {
    let mut parameters: Vec<Value> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({
                "name": name.trim_start_matches('*'),
                "in": "path",
                "required": true,
                "schema": {"type": "string", "minLength": 1},
            })
        })
        .collect();
    parameters.extend(it.query.iter().map(|(name, kind, what)| {
        json!({"name": name, "in": "query", "description": what, "schema": {"type": kind}})
    }));
    if it.is_post {
        parameters.push(json!({
            "name": REQUEST_HEADER,
            "in": "header",
            "required": true,
            "description": "no form and no foreign page can send it",
            "schema": {"const": "1"},
        }));
    }
    let body = it.body.map(|shape| {
        let schema = shape(&mut shapes.into);
        json!({
            "required": true,
            "content": {"application/json": {"schema": schema}},
        })
    });
    let parts = [
        ("summary", Some(json!(it.summary))),
        ("parameters", Some(json!(parameters))),
        ("requestBody", body),
        ("responses", Some(responses(it, shapes))),
    ];
    let parts = parts.into_iter();
    let parts = parts.filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(parts.collect())
}

fn responses(it: &Operation, shapes: &mut Shapes) -> Value {
    let problem = shapes.out.subschema_for::<Problem>();
    let refusals = ALWAYS.iter().chain(it.refusals).map(|status| {
        let content = json!({"application/json": {"schema": problem}});
        let refusal = json!({"description": "why not", "content": content});
        (status.to_string(), refusal)
    });
    let mut all: Map<String, Value> = refusals.collect();
    let content = match &it.answer {
        Answer::Json(shape) => json!({"application/json": {"schema": shape(&mut shapes.out)}}),
        Answer::Condition(shape) => {
            let content = json!({"application/json": {"schema": shape(&mut shapes.out)}});
            let not_well = json!({"description": "not all is well", "content": content.clone()});
            all.insert("503".to_owned(), not_well);
            content
        }
        Answer::Other(kind) => json!({(*kind): {}}),
    };
    all.insert(
        "200".to_owned(),
        json!({"description": it.summary, "content": content}),
    );
    Value::Object(all)
}
