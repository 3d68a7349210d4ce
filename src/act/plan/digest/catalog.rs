//! What a digest tells of the listings: profiles that are new, and targets that nothing watches.

use super::section;
use crate::{
    act::plan::draft::Draft,
    model::{
        catalog::Catalog,
        ids::Scope,
        rule::Matcher,
        time::{Minute, Timestamp},
    },
};

/// Both where there is any; nothing to say is no line here.
pub(super) fn sections(lines: &mut Vec<String>, draft: &Draft<'_>, matcher: &Matcher) {
    let of = |(scope, catalog): (&Scope, &Catalog)| {
        let place = format!("{} {}", scope.region, scope.account);
        let unwatched = catalog.unwatched.iter().map(|(id, it)| {
            let since = Minute::of(it.since);
            format!("`{id}` in {place}, since {since}: {}", it.why)
        });
        let new = catalog.new_profiles.iter().map(|(id, since)| {
            let since = Minute::of(*since);
            format!("`{id}` in {place}, since {since}")
        });
        (unwatched.collect(), new.collect())
    };
    let all: (Vec<Vec<String>>, Vec<Vec<String>>) = ours(draft, matcher).map(of).unzip();
    let titles = [
        "Targets that nothing watches, since their pool is not known",
        "Inference profiles that are new here",
    ];
    for (title, found) in titles.into_iter().zip([all.0.concat(), all.1.concat()]) {
        if !found.is_empty() {
            section(lines, title, found);
        }
    }
}

/// Whether any of it came within this stretch.
pub(super) fn has_news(
    draft: &Draft<'_>,
    matcher: &Matcher,
    (from, until): (Timestamp, Timestamp),
) -> bool {
    let is_new = |since: Timestamp| from < since && since <= until;
    ours(draft, matcher).any(|(_, catalog)| {
        catalog.unwatched.values().any(|it| is_new(it.since))
            || catalog.new_profiles.values().any(|it| is_new(*it))
    })
}

fn ours<'a>(
    draft: &'a Draft<'_>,
    matcher: &'a Matcher,
) -> impl Iterator<Item = (&'a Scope, &'a Catalog)> {
    let catalogs = draft.book().catalogs.iter();
    catalogs.filter(|(scope, _)| matcher.fits_all_of(scope))
}
