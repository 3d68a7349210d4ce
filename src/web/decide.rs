//! `/decide/{id}`: the page on which a person decides about a proposal, an incident, a silence or the switch, by plain forms.
//!
//! What a form says becomes the same order as a body of the API does, under the name that a load balancer vouches for, or else
//! under the one that is typed. A post is answered with a redirect to the same page, which says what it came to; so a reload
//! repeats nothing. Posts must come from a page of ours by what the browser says, and carry its seal (`seal`).

use std::{convert::Infallible, sync::Arc};

use axum::{
    Form,
    extract::{DefaultBodyLimit, FromRequestParts, Path, Query, State, rejection::FormRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use serde::Deserialize;

use super::{Web, access, alb::Person, guard::PAGE, page};
use crate::model::access::{Access, Role};

mod seal;
mod typed;

pub(super) use seal::Seals;
pub(super) use typed::{Fault, PERIODS, Typed};

/// Bytes of a form. Browsers write most characters of other scripts as six to twelve bytes, so 500 of them are longer than what
/// the API takes.
const MOST_FORM: usize = 16_384;

/// Where all of it is.
pub(super) fn route() -> (&'static str, MethodRouter<Arc<Web>>) {
    let both = get(shown).post(posted);
    ("/decide/{id}", both.layer(DefaultBodyLimit::max(MOST_FORM)))
}

/// Who looks, and what they may do.
#[derive(Debug)]
pub(super) struct Visitor {
    headers: HeaderMap,
    role: Role,
    person: Option<Person>,
}

/// How the page lets somebody decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deciding {
    /// By commands: nobody is asked who they are, and any page could pretend to be them.
    ByCommand,
    /// Not as who they are; this is what it takes.
    NotYou(String),
    /// Here.
    Here,
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let role = parts.extensions.get();
        Ok(Self {
            headers: parts.headers.clone(),
            role: role.copied().unwrap_or(Role::Stranger),
            person: parts.extensions.get().cloned(),
        })
    }
}

impl Visitor {
    /// How they decide.
    pub(super) fn deciding(&self, access: &Access) -> Deciding {
        if !access.is_guarded() {
            return Deciding::ByCommand;
        }
        if self.role == Role::Actor {
            return Deciding::Here;
        }
        Deciding::NotYou(match (&self.person, &access.act) {
            (Some(Person { name, .. }), _) => format!(
                "{name} may read: deciding on this page takes one of the claims in `[listen.alb] act`"
            ),
            (None, Some(_)) => "This sign-in may read: to decide on this page, open it in a private window and give the token of `[listen] act_token` as the password".to_owned(),
            (None, None) => "This sign-in may read: deciding on this page takes `[listen] act_token` in the configuration".to_owned(),
        })
    }

    /// The name that nobody can type otherwise.
    pub(super) fn proved_name(&self) -> Option<&str> {
        self.person.as_ref().map(|it| it.name.as_str())
    }

    /// The name that they gave to sign in with a token.
    pub(super) fn given_name(&self) -> String {
        access::basic_name(&self.headers).unwrap_or_default()
    }

    /// Who a form is made for: a person, or whoever shows this token under this name.
    fn whom(&self) -> String {
        let shown = self.headers.get(header::AUTHORIZATION);
        match &self.person {
            Some(person) => format!("person {}", person.name),
            None => format!("token {:?}", shown.map(|it| it.as_bytes())),
        }
    }
}

/// Which form's outcome is asked for.
#[derive(Debug, Default, Deserialize)]
struct Said {
    said: Option<u64>,
}

/// `GET /decide/{id}`.
async fn shown(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    Query(Said { said }): Query<Said>,
    visitor: Visitor,
) -> Response {
    let decision = said.and_then(|number| web.seals.decision(number, &id));
    let outcome = match decision {
        Some(decision) => Some(decision.said().await),
        None => None,
    };
    let told = page::decide::Told {
        outcome,
        ..page::decide::Told::default()
    };
    answer(&web, &visitor, &id, StatusCode::OK, &told)
}

/// `POST /decide/{id}`.
async fn posted(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    visitor: Visitor,
    form: Result<Form<Typed>, FormRejection>,
) -> Response {
    let settings = web.shared.settings();
    let refused = |status, why: &str| refusal(&web, status, why);
    if visitor.deciding(&settings.access) != Deciding::Here {
        let why = "no token and no sign-in is asked for here, so nobody can decide on this page: use the command, or set `[listen] act_token` or `[listen.alb]`";
        return refused(StatusCode::FORBIDDEN, why);
    }
    if !access::is_from_us(&settings.access, &visitor.headers) {
        let why = "by what the browser says, this did not come from a page of this service under the name that it was asked by: open that page, and decide there; behind a proxy name its host in `[listen] hosts`";
        return refused(StatusCode::FORBIDDEN, why);
    }
    let typed = match form {
        Ok(Form(typed)) => typed,
        Err(why) => return refused(why.status(), &why.body_text()),
    };
    let old = "this form was not made for you, or a while ago, or before the service was started again: open the page again, and decide there";
    let Some(number) = web.seals.number(&typed.seal, &visitor.whom(), &id) else {
        return refused(StatusCode::FORBIDDEN, old);
    };
    if web.seals.decision(number, &id).is_some() {
        return see(&id, number);
    }
    let Some(matter) = web.with_view(|view| view.matter(&id)) else {
        return refused(StatusCode::NOT_FOUND, NOTHING);
    };
    match typed.order(&matter, visitor.proved_name()) {
        Ok(order) => {
            let decided = web.seals.once(number, &id, || web.shared.post(order));
            decided.map_or_else(
                || refused(StatusCode::FORBIDDEN, old),
                |()| see(&id, number),
            )
        }
        Err(faults) => {
            let told = page::decide::Told {
                outcome: None,
                faults,
                typed,
            };
            answer(&web, &visitor, &id, StatusCode::UNPROCESSABLE_ENTITY, &told)
        }
    }
}

const NOTHING: &str = "nothing to decide about is called so: it may have been forgotten by now";

/// To the page that says what it came to.
fn see(id: &str, number: u64) -> Response {
    // Only ids of the book come here.
    let place = format!("/decide/{id}?said={number}");
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

fn answer(
    web: &Web,
    visitor: &Visitor,
    id: &str,
    status: StatusCode,
    told: &page::decide::Told,
) -> Response {
    let found = web.with_view(|view| view.matter(id).map(|it| (view.status(), it)));
    let Some((standing, matter)) = found else {
        return refusal(web, StatusCode::NOT_FOUND, NOTHING);
    };
    let deciding = visitor.deciding(&web.shared.settings().access);
    let whom = visitor.whom();
    let shown = page::decide::Shown {
        status: &standing,
        id,
        matter: &matter,
        deciding: &deciding,
        proved_name: visitor.proved_name(),
        given_name: &visitor.given_name(),
        seal: &|| web.seals.issue(&whom, id),
        told,
    };
    html(status, page::decide::render(&shown).into_string())
}

fn refusal(web: &Web, status: StatusCode, why: &str) -> Response {
    let standing = web.with_view(|view| view.status());
    html(status, page::decide::refusal(&standing, why).into_string())
}

fn html(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, PAGE)], body).into_response()
}
