//! Who hears what, and who hears instead.

use super::{Fallback, Receivers};
use crate::{
    config::{
        by_pool,
        fault::{Wrong, nearest},
        rules::severities,
        sheet::{Section, Sheet, one_of},
    },
    model::{
        ids::ReceiverName,
        policy::{Account, Route},
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
        section.finish(sheet);
        // A route without a severity hears what is worth getting up for.
        let least = least.unwrap_or(Some(Severity::Warning));
        if let (Some(receiver), Some(least)) = (name, least) {
            routes.push(Route {
                receiver,
                least,
                categories,
                matcher,
            });
        }
    }
    routes
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
