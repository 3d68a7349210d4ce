//! Who hears what, and who hears instead.

use super::{Fallback, Receivers};
use crate::{
    config::{
        by_pool, events,
        fault::{Wrong, nearest},
        rules::severities,
        sheet::{Section, Sheet, one_of},
        tags,
    },
    model::{
        digest::{Digest, Nothing, Often},
        ids::ReceiverName,
        policy::{Account, Receiver, Route},
        rule::{Category, Severity},
    },
};

/// All `[[route]]` tables, in the order of the file.
pub(in crate::config) fn routes(
    sheet: &mut Sheet,
    sections: Vec<Section<'_>>,
    receivers: &Receivers,
    accounts: &[Account],
) -> Vec<Route> {
    let categories = Category::ALL.map(|it| (it.name(), it));
    let mut routes = Vec::new();
    for mut section in sections {
        let entry = section.take("receiver");
        let name = entry.as_ref().and_then(|it| {
            let known = receivers.keys().map(ReceiverName::as_str);
            sheet.parsed(it, |text| known_receiver(text, known.collect()))
        });
        let name = sheet.require(&section, "receiver", "\"on-call\"", name);
        let least = section
            .take("severity")
            .map(|it| sheet.choice(&it, &severities()));
        let categories = by_pool::list(sheet, &mut section, "categories", |it| {
            one_of(it, &categories)
        });
        let matcher = by_pool::matcher(sheet, &mut section, accounts);
        let tags = tags::read(sheet, &mut section);
        section.finish(sheet);
        // A route without a severity hears what is worth getting up for.
        let least = least.unwrap_or(Some(Severity::Warning));
        if let (Some(receiver), Some(least), Some(tags)) = (name, least, tags) {
            routes.push(Route {
                receiver,
                least,
                categories,
                matcher,
                tags,
            });
        }
    }
    routes
}

/// All `[[digest]]` tables, in the order of the file.
pub(in crate::config) fn digests(
    sheet: &mut Sheet,
    root: &mut Section<'_>,
    receivers: &Receivers,
    accounts: &[Account],
) -> Vec<Digest> {
    let sections = root.take("digest").map(|it| sheet.tables(&it));
    let mut digests: Vec<Digest> = Vec::new();
    for mut section in sections.unwrap_or_default() {
        let entry = section.take("receiver");
        let name = entry
            .as_ref()
            .and_then(|it| sheet.parsed(it, |text| reader(text, receivers)));
        let name = sheet.require(&section, "receiver", "\"team\"", name);
        if let (Some(entry), Some(name)) = (&entry, &name)
            && digests.iter().any(|it| it.receiver == *name)
        {
            let wrong = Wrong::new(
                "this receiver has a digest already",
                "the second one",
                "a receiver has one digest: leave out `accounts` and their like to have all in it",
            );
            sheet.wrong(entry, wrong);
        }
        let at = section.take("at").map(|it| sheet.parsed(&it, often));
        let matcher = by_pool::matcher(sheet, &mut section, accounts);
        let choices = Nothing::ALL.map(|it| (it.name(), it));
        let nothing = section.take("nothing");
        let nothing = nothing.and_then(|it| sheet.choice(&it, &choices));
        section.finish(sheet);
        if let (Some(receiver), Some(at)) = (name, at.unwrap_or_else(|| often(DIGEST).ok())) {
            digests.push(Digest {
                receiver,
                at,
                matcher,
                nothing: nothing.unwrap_or(Nothing::Silent),
            });
        }
    }
    digests
}

/// When a digest is sent where nothing is said.
pub(in crate::config) const DIGEST: &str = "08:00";

/// One whom a text that is no alert reaches.
fn reader(text: &str, receivers: &Receivers) -> Result<ReceiverName, Wrong> {
    let name = known_receiver(text, receivers.keys().map(ReceiverName::as_str).collect())?;
    let receiver = receivers.get(&name).and_then(|it| it.receiver.as_ref());
    if receiver.is_some_and(Receiver::keeps_state) {
        return Err(Wrong::new(
            "is a receiver that knows alerts only",
            "a digest would stay open there",
            "name one of kind sns, slack, slack-bot or webhook",
        ));
    }
    Ok(name)
}

fn often(text: &str) -> Result<Often, Wrong> {
    if text.contains(' ') {
        return events::weekly(text).map(Often::Weekly);
    }
    // Of any day: the first one of the week counts from its midnight.
    let daily = events::weekly(&format!("Mon {text}")).map(Often::Daily);
    daily.map_err(|_| {
        Wrong::new(
            "must be a time in UTC, with a day of the week before it or without",
            "such as \"08:00\" or \"Mon 08:00\"",
            "days are Mon, Tue, Wed, Thu, Fri, Sat, Sun; the time is UTC all year round",
        )
    })
}

/// Fallbacks that don't exist, and those that lead back to where they began.
pub(in crate::config) fn check_fallbacks(sheet: &mut Sheet, receivers: &Receivers) {
    for (name, read) in receivers {
        let (Some(fallback), Some((span, path))) = (&read.fallback, &read.fallback_at) else {
            continue;
        };
        let known = receivers.keys().map(ReceiverName::as_str);
        let known = known.filter(|it| *it != name.as_str());
        let wrong = match known_receiver(fallback.receiver.as_str(), known.collect()) {
            Err(_) if fallback.receiver == *name => Some(Wrong::new(
                "is the receiver itself",
                "it would be told by the way that has just failed",
                "name another receiver, best one of another kind",
            )),
            Err(wrong) => Some(wrong),
            Ok(_) => leads_back(name, fallback, receivers).then(|| {
                Wrong::new(
                    "leads back to this receiver",
                    "the fallbacks make a circle",
                    "leave the last one of them without a fallback",
                )
            }),
        };
        if let Some(wrong) = wrong {
            sheet.fault(span.clone(), path, wrong);
        }
    }
}

fn leads_back(name: &ReceiverName, fallback: &Fallback, receivers: &Receivers) -> bool {
    let mut at = &fallback.receiver;
    for _ in 0..receivers.len() {
        if at == name {
            return true;
        }
        match receivers.get(at).and_then(|it| it.fallback.as_ref()) {
            Some(next) => at = &next.receiver,
            None => return false,
        }
    }
    false // a circle further on, which is told where it is
}

fn known_receiver(text: &str, known: Vec<&str>) -> Result<ReceiverName, Wrong> {
    if known.contains(&text) {
        return Ok(ReceiverName::new(text));
    }
    let all = known.join(", ");
    let help = match nearest(text, known) {
        Some(name) => format!("did you mean \"{name}\"?"),
        None if all.is_empty() => format!("add [receiver.{text}]"),
        None => format!("receivers in this file: {all}"),
    };
    Err(Wrong::new(
        "no receiver has this name",
        "unknown receiver",
        help,
    ))
}
