//! The first line: what, where, how bad with a number, and the time that is left. Enough to decide whether to get up.
//!
//! A subject is short, and what it is cut by is the model's name: its vendor, then its middle. The account stays, and so does
//! what tells two models apart, which is mostly at the ends.

use crate::model::{
    incident::{Cause, Incident},
    reason::Measure,
    rule::Category,
    time::{Minute, Timestamp},
    units::grouped,
};

/// Characters of a subject: what SNS takes.
const MOST_SUBJECT: usize = 99;
/// Of the model's name in a subject: fewer tell nothing.
const LEAST_MODEL: usize = 12;
/// Where a name was cut.
const CUT: &str = "..";

/// What an incident is about, around the name of its model.
struct About {
    before: String,
    model: String,
    after: String,
}

/// What the incident is about, in few words and ASCII.
#[must_use]
pub fn headline(incident: &Incident) -> String {
    let About {
        before,
        model,
        after,
    } = about(incident);
    format!("{before}{model}{after}")
}

fn about(incident: &Incident) -> About {
    let pool = incident.pools.iter().next();
    let model = pool.map_or("", |pool| pool.model.as_str()).to_owned();
    let more = incident.pools.len().saturating_sub(1);
    let more = if more == 0 {
        String::new()
    } else {
        format!(" +{more}")
    };
    match &incident.cause {
        Cause::Quota { scope, code } => {
            let kind = incident.kind.map_or("quota", |kind| kind.name());
            let family = pool.map_or("", |pool| pool.family.name());
            About {
                before: format!("{} quota {code}, {family} ", kind.to_uppercase()),
                model,
                after: format!("{more}, {} {}", scope.region, scope.account),
            }
        }
        Cause::Pool { pool, category } => About {
            before: format!("{}, {} ", word(*category), pool.family),
            model: pool.model.to_string(),
            after: format!(", {} {}", pool.scope.region, pool.scope.account),
        },
    }
}

const fn word(category: Category) -> &'static str {
    match category {
        Category::Lifecycle => "end of life",
        Category::Residency => "data may leave",
        Category::ResidencyBreach => "requests ran outside of a rule",
        Category::Quota
        | Category::Throttle
        | Category::ClientError
        | Category::ServerError
        | Category::Latency
        | Category::Anomaly => category.name(),
    }
}

/// The first line of a message, with what is said beside the headline, such as ` (still)`, and figures.
pub(super) fn first_line(incident: &Incident, beside: &str, figures: &[String]) -> String {
    let figures = figures.join(", ");
    let gap = if figures.is_empty() { "" } else { ": " };
    format!("{}{beside}{gap}{figures}.", headline(incident))
}

/// The same as a subject, after what kind of message it is, such as `[warning] `.
pub(super) fn subject_of(
    lead: &str,
    incident: &Incident,
    beside: &str,
    figures: &[String],
) -> String {
    let About {
        before,
        model,
        after,
    } = about(incident);
    let least = short(&model).chars().count().min(LEAST_MODEL);
    // A number is worth more than what is said beside it, which the first line says as well, and than the middle of a name;
    // and less than the whole of that.
    let ways = (0..=figures.len()).rev();
    for (most, beside) in ways.flat_map(|most| [(most, beside), (most, "")]) {
        let said = figures.get(..most).unwrap_or_default();
        let said = said.join(", ");
        let gap = if said.is_empty() { "" } else { ": " };
        let rest = format!("{lead}{before}{after}{beside}{gap}{said}");
        let room = MOST_SUBJECT.saturating_sub(rest.chars().count());
        if least <= room {
            let model = shortened(&model, room);
            return super::subject(&format!("{lead}{before}{model}{after}{beside}{gap}{said}"));
        }
    }
    // A lead with numbers of cases leaves no room for a name.
    let what = before.split(", ").next().unwrap_or_default();
    super::subject(&format!("{lead}{what}{after}{beside}"))
}

/// Without the vendor.
fn short(model: &str) -> &str {
    model.split_once('.').map_or(model, |(_, rest)| rest)
}

/// A name in at most so many characters: without its vendor, or its middle as well.
fn shortened(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    let name = short(name);
    let length = name.chars().count();
    if length <= most {
        return name.to_owned();
    }
    let kept = most.saturating_sub(CUT.len());
    let end = kept * 2 / 3; // versions stand at the end
    let start: String = name.chars().take(kept - end).collect();
    let end: String = name.chars().skip(length - end).collect();
    format!("{start}{CUT}{end}")
}

/// How bad it is, of the worst alert that is on; then the time that is left. Once it is over: how long it was.
pub(super) fn figures(incident: &Incident, now: Timestamp) -> Vec<String> {
    if !incident.is_open() {
        return how_long(incident);
    }
    let mut on: Vec<_> = incident.members.values().filter(|it| it.is_on).collect();
    on.sort_by_key(|it| std::cmp::Reverse(it.severity));
    let reasons = on.into_iter().flat_map(|it| &it.reasons);
    let figures = reasons.filter_map(|it| it.figure(Minute::of(now)));
    let mut figures: Vec<(Measure, String)> = figures.collect();
    figures.sort_by_key(|(measure, _)| *measure); // stable: the worst of each stays first
    figures.dedup_by_key(|(measure, _)| *measure);
    figures.into_iter().map(|(_, said)| said).collect()
}

fn how_long(incident: &Incident) -> Vec<String> {
    if incident.is_of_lifecycle() || incident.is_unprompted() {
        return Vec::new();
    }
    let mut figures = vec![match incident.bad_minutes() {
        1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }];
    if 0.0 < incident.lost {
        figures.push(format!("{} throttled", grouped(incident.lost)));
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_too_long_loses_its_vendor_and_then_its_middle() {
        let name = "anthropic.claude-sonnet-4-6";
        assert_eq!(shortened(name, 27), name);
        assert_eq!(shortened(name, 20), "claude-sonnet-4-6");
        assert_eq!(shortened(name, 12), "clau..et-4-6");
        assert_eq!(shortened("x", 0), "..");
    }
}
