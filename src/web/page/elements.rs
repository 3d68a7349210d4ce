//! Small elements that all sections share.

use maud::{Markup, html};

use crate::{model::units::grouped, web::words::clock};

/// An instant as a `time` element.
pub(super) fn when(at: &str) -> Markup {
    html! { time datetime=(at) { (clock(at)) } }
}

/// A number, or a dash with a word for those who hear the page.
pub(super) fn number(value: Option<f64>) -> Markup {
    html! {
        @match value {
            Some(value) => { (grouped(value)) }
            None => { span aria-hidden="true" { "–" } span.heard { "not known" } }
        }
    }
}
