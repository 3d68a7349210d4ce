//! Following a listing to its end, with a bound, and knowing whether the end was reached.

use std::collections::BTreeSet;

use crate::cloud::{Fault, FaultClass, Page};

/// Pages of one listing: 500 metrics a page make 50,000, of some 5,000 targets. More means that the listing has no end.
pub(super) const MAX_LIST_PAGES: usize = 100;

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
pub(super) async fn all_pages<T, F, A>(operation: &'static str, ask: F) -> Listing<T>
where
    F: FnMut(Option<String>) -> A,
    A: Future<Output = Result<Page<T>, Fault>>,
{
    let mut pages = Pages::new(operation);
    let fault = pages.read_on(ask).await.err();
    Listing {
        items: pages.items,
        fault,
    }
}

/// A listing that can be gone on with: where a page failed, the next try begins with that page.
#[derive(Debug)]
pub(super) struct Pages<T> {
    operation: &'static str,
    /// The items so far, in the order in which they came.
    pub items: Vec<T>,
    tokens: Tokens,
    place: Place,
}

/// How far a listing was read.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// The next page is the one of this token; the first has none.
    Page(Option<String>),
    /// The token is of no use: the next try begins anew.
    Lost,
    End,
}

impl<T> Pages<T> {
    /// Nothing read yet.
    pub(super) const fn new(operation: &'static str) -> Self {
        Self {
            operation,
            items: Vec::new(),
            tokens: Tokens::new(operation, MAX_LIST_PAGES),
            place: Place::Page(None),
        }
    }

    /// Whether the last page was reached.
    pub(super) fn is_whole(&self) -> bool {
        self.place == Place::End
    }

    /// Reads to the end, from the page that failed last.
    pub(super) async fn read_on<F, A>(&mut self, mut ask: F) -> Result<(), Fault>
    where
        F: FnMut(Option<String>) -> A,
        A: Future<Output = Result<Page<T>, Fault>>,
    {
        if self.place == Place::Lost {
            *self = Self::new(self.operation);
        }
        while let Place::Page(token) = &self.place {
            let page = match ask(token.clone()).await {
                Ok(page) => page,
                Err(fault) => {
                    if fault.class == FaultClass::Invalid {
                        self.place = Place::Lost;
                    }
                    return Err(fault);
                }
            };
            self.items.extend(page.items);
            match self.tokens.follow(page.next) {
                Ok(next) => self.place = next.map_or(Place::End, |token| Place::Page(Some(token))),
                Err(fault) => {
                    self.place = Place::Lost;
                    return Err(fault);
                }
            }
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn fault(class: FaultClass) -> Fault {
        Fault {
            operation: "a:List",
            code: "Failed".to_owned(),
            message: String::new(),
            class,
        }
    }

    /// Three pages of one number; `failing` calls fail first.
    async fn read(pages: &mut Pages<u8>, failing: &RefCell<Vec<Fault>>) -> (bool, Vec<u8>) {
        let ask = |token: Option<String>| {
            let number: u8 = token.map_or(1, |token| token.parse().unwrap());
            let is_failing = number == 2;
            let fault = is_failing.then(|| failing.borrow_mut().pop()).flatten();
            let next = (number < 3).then(|| (number + 1).to_string());
            let items = vec![number];
            async move { fault.map_or(Ok(Page { items, next }), Err) }
        };
        let is_fine = pages.read_on(ask).await.is_ok();
        (is_fine, pages.items.clone())
    }

    #[tokio::test]
    async fn a_page_that_failed_is_where_the_next_try_begins() {
        let failing = RefCell::new(vec![
            fault(FaultClass::Server),
            fault(FaultClass::Throttled),
        ]);
        let mut pages = Pages::new("a:List");
        assert_eq!(read(&mut pages, &failing).await, (false, vec![1]));
        assert_eq!(read(&mut pages, &failing).await, (false, vec![1]));
        assert_eq!(read(&mut pages, &failing).await, (true, vec![1, 2, 3]));
        assert!(pages.is_whole());
        assert_eq!(
            read(&mut pages, &failing).await,
            (true, vec![1, 2, 3]),
            "the end stays the end"
        );
    }

    #[tokio::test]
    async fn a_token_that_is_refused_makes_the_next_try_begin_anew() {
        let failing = RefCell::new(vec![fault(FaultClass::Invalid)]);
        let mut pages = Pages::new("a:List");
        assert_eq!(read(&mut pages, &failing).await, (false, vec![1]));
        assert_eq!(
            read(&mut pages, &failing).await,
            (true, vec![1, 2, 3]),
            "nothing twice"
        );
    }
}
