//! `tags`: which targets are meant, by the tags of their application profiles.

use super::{
    fault::Wrong,
    sheet::{Section, Sheet},
};
use crate::model::{
    inert::{acts, inert},
    rule::Pattern,
    tags::Wanted,
};

/// As long as AWS takes them.
const KEY_CHARACTERS: usize = 128;
const VALUE_CHARACTERS: usize = 256;

/// The key `tags` of a section: no tags where it is left out, `None` with a fault.
pub(super) fn read(sheet: &mut Sheet, section: &mut Section<'_>) -> Option<Wanted> {
    let Some(entry) = section.take("tags") else {
        return Some(Wanted::default());
    };
    let before = sheet.faults.len();
    let mut wanted = Wanted::default();
    for (key, span, value) in sheet.table(&entry)?.names() {
        if let Err(wrong) = text(&key, KEY_CHARACTERS, "the key of a tag") {
            sheet.fault(span, &inert(&value.path), wrong);
        }
        let checked = sheet.parsed(&value, |it| {
            text(it, VALUE_CHARACTERS, "the value of a tag")
        });
        wanted
            .0
            .extend(checked.map(|value| (key, Pattern::new(value))));
    }
    if wanted.is_open() && before == sheet.faults.len() {
        let wrong = Wrong::new(
            "must name at least one tag",
            "empty",
            "such as { team = \"search\" }; leave the key out where all are meant",
        );
        sheet.wrong(&entry, wrong);
    }
    (before == sheet.faults.len()).then_some(wanted)
}

fn text(text: &str, most: usize, what: &str) -> Result<String, Wrong> {
    let length = text.chars().count();
    if (1..=most).contains(&length) && !text.chars().any(acts) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        format!("{what} must be 1 to {most} characters that can be seen"),
        "no tag is like this",
        "such as team = \"search\", or with * for any characters, team = \"search-*\"",
    ))
}
