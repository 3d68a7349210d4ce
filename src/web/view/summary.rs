//! The one line that answers "how is it?".

use super::{View, incident::Waiting};
use crate::web::json::{Headroom, IncidentBrief, Level, Summary};

impl View<'_> {
    /// The first of these that holds: starting, stale, an incident, something that waits for a person, fine.
    pub(super) fn summary(
        &self,
        headroom: &[Headroom],
        open: &[IncidentBrief],
        waiting: &Waiting,
        stale: &[String],
    ) -> Summary {
        if let Some(summary) = self.not_knowing(open, stale) {
            return summary;
        }
        let worst = open.iter().map(|it| level(&it.severity)).max();
        if let (Some(worst), Some(first)) = (worst, open.first()) {
            let text = match open.len() {
                1 => format!("1 incident open ({}): {}", first.severity, first.title),
                more => format!(
                    "{more} incidents open, worst ({}): {}",
                    first.severity, first.title
                ),
            };
            return Summary {
                level: worst.max(self.trouble(waiting).map_or(Level::Ok, |it| it.level)),
                text,
            };
        }
        self.trouble(waiting).unwrap_or_else(|| self.fine(headroom))
    }

    /// We don't know how it is: never green.
    fn not_knowing(&self, open: &[IncidentBrief], stale: &[String]) -> Option<Summary> {
        if !self.health.is_ready {
            let why = self.health.failing.iter().next();
            let text = why.map_or_else(
                || "Starting: the first cycle is not done yet".to_owned(),
                |((stage, scope), why)| {
                    format!(
                        "Not started: {stage} fails in {}: {}",
                        self.place(scope),
                        why.why
                    )
                },
            );
            return Some(Summary {
                level: Level::Starting,
                text,
            });
        }
        let first = stale.first()?;
        let before = match open.len() {
            0 => String::new(),
            count => format!(" ({count} open when last seen)"),
        };
        Some(Summary {
            level: Level::Stale,
            text: format!("This page is stale: {first}{before}"),
        })
    }

    /// No incident, and yet something that a person should see.
    fn trouble(&self, waiting: &Waiting) -> Option<Summary> {
        let failing = self.health.failing.iter().next();
        if let Some(((stage, scope), why)) = failing {
            let more = match self.health.failing.len() {
                1 => String::new(),
                all => format!(" (and {} more)", all - 1),
            };
            return Some(Summary {
                level: Level::Warning,
                text: format!("{stage} fails in {}: {}{more}", self.place(scope), why.why),
            });
        }
        let unheard = self.unheard();
        if let Some(first) = unheard.first() {
            let messages = count(unheard.len(), "message");
            return Some(Summary {
                level: Level::Warning,
                text: format!("{messages} reached nobody so far: see {}", first.incident),
            });
        }
        if let Some(text) = self.refused() {
            return Some(Summary {
                level: Level::Warning,
                text,
            });
        }
        if let Some(first) = waiting.held.first() {
            return Some(Summary {
                level: Level::Warning,
                text: format!(
                    "{} given up and in need of a person: {}",
                    count(waiting.held.len(), "action"),
                    first.what
                ),
            });
        }
        if let Some(stop) = self.stop {
            return Some(Summary {
                level: Level::Attention,
                text: capital(&stop.to_string()),
            });
        }
        waiting.proposals.first().map(|first| Summary {
            level: Level::Attention,
            text: format!(
                "{} to approve or reject: {}",
                count(waiting.proposals.len(), "proposal"),
                first.what
            ),
        })
    }

    fn fine(&self, headroom: &[Headroom]) -> Summary {
        if self.book.pools.is_empty() {
            return Summary {
                level: Level::Attention,
                text: "Nothing to watch: no pool was discovered".to_owned(),
            };
        }
        let pools = count(self.book.pools.len(), "pool");
        let least = headroom.iter().find_map(|row| Some((row, row.share?)));
        let text = least.map_or_else(
            || format!("No incident on {pools}; no use of a known quota yet"),
            |(row, share)| {
                format!(
                    "No incident on {pools}; least headroom {:.0} % ({} of {}, {})",
                    100.0 * (1.0 - share),
                    row.kind.to_uppercase(),
                    row.model,
                    row.region
                )
            },
        );
        Summary {
            level: Level::Ok,
            text,
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

fn level(severity: &str) -> Level {
    match severity {
        "critical" => Level::Critical,
        "warning" => Level::Warning,
        _ => Level::Attention,
    }
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
