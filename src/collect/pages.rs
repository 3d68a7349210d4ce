//! Following a listing to its end, with a bound, and knowing whether the end was reached.

use std::collections::BTreeSet;

use crate::cloud::{Fault, FaultClass, Page};

/// Pages of one listing: 500 metrics a page make half a million metrics. More means that the listing has no end.
pub(super) const MAX_LIST_PAGES: usize = 1_000;

/// A listing as far as it could be read.
#[derive(Debug)]
pub(super) struct Listing<T> {
    /// The items of all pages that were read, in the order in which they came; pages may repeat items.
    pub items: Vec<T>,
    /// Why the listing is not whole.
    pub fault: Option<Fault>,
}

impl<T> Listing<T> {
    /// Whether the last page was reached.
    pub(super) const fn is_complete(&self) -> bool {
        self.fault.is_none()
    }
}

/// Reads page after page until there is no further token, a page fails, a token repeats, or the bound is reached.
pub(super) async fn all_pages<T, F, A>(operation: &'static str, mut ask: F) -> Listing<T>
where
    F: FnMut(Option<String>) -> A,
    A: Future<Output = Result<Page<T>, Fault>>,
{
    let mut items = Vec::new();
    let mut tokens = Tokens::new(operation, MAX_LIST_PAGES);
    let mut token = None;
    loop {
        let page = match ask(token).await {
            Ok(page) => page,
            Err(fault) => {
                return Listing {
                    items,
                    fault: Some(fault),
                };
            }
        };
        items.extend(page.items);
        token = match tokens.follow(page.next) {
            Ok(Some(next)) => Some(next),
            Ok(None) => return Listing { items, fault: None },
            Err(fault) => {
                return Listing {
                    items,
                    fault: Some(fault),
                };
            }
        };
    }
}

/// The tokens of one listing: told apart, so that a listing that turns in a circle is noticed, and counted.
#[derive(Debug)]
pub(super) struct Tokens {
    operation: &'static str,
    limit: usize,
    seen: BTreeSet<String>,
}

impl Tokens {
    /// For a listing of at most `limit` pages.
    pub(super) const fn new(operation: &'static str, limit: usize) -> Self {
        Self {
            operation,
            limit,
            seen: BTreeSet::new(),
        }
    }

    /// The token to ask with next, or `None` at the end; a fault when there is no end in sight.
    pub(super) fn follow(&mut self, next: Option<String>) -> Result<Option<String>, Fault> {
        let Some(token) = next else { return Ok(None) };
        if self.seen.len() + 1 >= self.limit {
            let message = format!(
                "more than {} pages; the rest is treated as unread",
                self.limit
            );
            return Err(self.fault("PagesWithoutEnd", message));
        }
        if !self.seen.insert(token.clone()) {
            let message = "a page token came twice; the rest is treated as unread".to_owned();
            return Err(self.fault("RepeatedToken", message));
        }
        Ok(Some(token))
    }

    fn fault(&self, code: &str, message: String) -> Fault {
        Fault {
            operation: self.operation,
            code: code.to_owned(),
            message,
            class: FaultClass::Garbled,
        }
    }
}
