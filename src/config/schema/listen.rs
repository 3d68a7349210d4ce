//! Where health, metrics and the page are served, and to whom.

use super::{
    Key, Shape, Table,
    form::{ADDRESS, CLAIM, CLIENT, Form, HOST, ISSUER, LOAD_BALANCER, LOOPBACK, PAGE, SOCKET},
    key,
    receivers::secret,
    settings::table_of,
};
use crate::config::settings as defaults;

/// Without a token or a load balancer on loopback only; with a token for reading, for deciding or both, each from its file
/// or by reference.
pub(super) fn listen() -> Table {
    let common = [
        key(
            "hosts",
            "Names by which the page is asked for, beside localhost and addresses.",
            Shape::list(&HOST),
        ),
        key(
            "url",
            "The page as people reach it: messages lead there.",
            &PAGE,
        ),
    ];
    let address = |says, form: &'static Form| {
        key("address", says, form).default(defaults::LISTEN.to_string())
    };
    let here = || {
        let says = "Another one than loopback wants a token or [listen.alb].";
        address(says, &LOOPBACK)
    };
    let elsewhere = || address("Where others reach it: it speaks plain HTTP.", &SOCKET);
    let of = |names| {
        let each = secret(names).map(|it| Some(it.required()));
        [None].into_iter().chain(each)
    };
    let tokens = of(("token", "token_file"))
        .flat_map(|view| of(("act_token", "act_token_file")).map(move |act| [view.clone(), act]));
    let ways = tokens.map(|tokens| {
        let tokens: Vec<Key> = tokens.into_iter().flatten().collect();
        if tokens.is_empty() {
            return vec![here()];
        }
        [vec![elsewhere(), alb()], tokens].concat()
    });
    let by_alb = vec![elsewhere(), alb().required()];
    Table::ways(&common, ways.chain([by_alb]))
}

fn alb() -> Key {
    table_of(
        "alb",
        "The load balancer in front that signs people in.",
        [
            key("signer", "Its ARN.", &LOAD_BALANCER).required(),
            key("issuer", "As its rule names it.", &ISSUER).required(),
            key("client", "The client id that its rule names.", &CLIENT),
            key(
                "keys",
                "Where its public keys are, without the id of a key; known for most Regions.",
                &ADDRESS,
            ),
            key(
                "act",
                "Who may decide: an e-mail address, a subject, or claim=pattern. The others may read.",
                Shape::list(&CLAIM),
            ),
        ],
    )
}
