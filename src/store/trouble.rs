//! Failures deep inside, where the store's path is not known yet; and the guard against panics of the storage engine.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use super::StoreError;

/// A failure before it is given its place.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// What is stored contradicts itself.
    Damaged(String),
    /// The engine failed while doing this.
    Engine(&'static str, String),
    /// Refused for a reason that needs no place; nothing was written.
    Refused(StoreError),
}

impl Trouble {
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    pub(crate) fn at(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        match self {
            Self::Damaged(what) => StoreError::Damaged { path, what },
            Self::Engine(doing, why) => StoreError::Engine { doing, path, why },
            Self::Refused(error) => error,
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

/// Runs `work`, and turns a panic of the storage engine into damage: that is how it reports a broken file.
pub(crate) fn guarded<T>(
    doing: &'static str,
    work: impl FnOnce() -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    // What `work` touched is not used again after a panic: the store is dropped or takes no more writes.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(payload) => Err(Trouble::damaged(format!(
            "the storage engine gave up while trying to {doing} it ({})",
            words(payload.as_ref())
        ))),
    }
}

/// The first line of what a panic said, bounded.
fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no words");
    text.lines()
        .next()
        .unwrap_or("no words")
        .chars()
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_damage_with_its_words() {
        let result: Result<(), Trouble> = guarded("open", || panic!("segment {} is torn\nmore", 7));
        let error = result.unwrap_err().at(Path::new("/var/lib/boa"));
        assert_eq!(
            error.to_string(),
            "the store `/var/lib/boa` is damaged: the storage engine gave up while trying to open it (segment 7 is torn)"
        );
    }
}
