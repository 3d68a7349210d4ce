//! The lines of a message: twelve at most, since nobody reads more at night. What matters least goes first, and that it went
//! is said.

/// Lines of a message, the first one and the last one included.
pub(in crate::act::plan) const MOST_LINES: usize = 12;
/// Lines of one text from elsewhere, such as a runbook.
const MOST_OF_ONE: usize = 4;

/// Lines with their ranks: those of the highest rank go first, from the end. Those of rank 0 stay.
#[derive(Debug, Default)]
pub(in crate::act::plan) struct Lines(Vec<(u8, String)>);

impl Lines {
    /// A line that stays.
    pub(super) fn push(&mut self, line: String) {
        self.0.push((0, line));
    }

    /// Lines that stay.
    pub(super) fn extend(&mut self, lines: impl IntoIterator<Item = String>) {
        self.0.extend(lines.into_iter().map(|line| (0, line)));
    }

    /// A line that goes where there is no room for it, the sooner the higher its rank.
    pub(in crate::act::plan) fn may(&mut self, rank: u8, line: String) {
        let parts: Vec<&str> = line.lines().take(MOST_OF_ONE).collect();
        self.0
            .extend(parts.into_iter().map(|it| (rank, it.to_owned())));
    }

    /// The text, with a last line that tells where the rest is.
    pub(super) fn text(mut self, first: String, incident: &impl std::fmt::Display) -> String {
        let mut gone = 0_usize;
        while MOST_LINES < self.0.len() + 2 {
            let ranked = self.0.iter().enumerate();
            let Some((place, _)) = ranked.max_by_key(|(place, (rank, _))| (*rank, *place)) else {
                break;
            };
            self.0.remove(place);
            gone += 1;
        }
        let more = match gone {
            0 => String::new(),
            1 => " (1 more line)".to_owned(),
            gone => format!(" ({gone} more lines)"),
        };
        let last = format!("Incident {incident}: bedrock-ops-alert explain {incident}{more}");
        let middle = self.0.into_iter().map(|(_, line)| line);
        let lines = std::iter::once(first).chain(middle).chain([last]);
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_matters_least_goes_first_and_is_counted() {
        let mut lines = Lines::default();
        lines.push("since".to_owned());
        for number in 0..6 {
            lines.may(5, format!("reason {number}"));
        }
        for number in 0..6 {
            lines.may(7, format!("hint {number}"));
        }
        lines.push("next".to_owned());
        insta::assert_snapshot!(lines.text("title.".to_owned(), &"inc-1"), @r"
        title.
        since
        reason 0
        reason 1
        reason 2
        reason 3
        reason 4
        reason 5
        hint 0
        hint 1
        next
        Incident inc-1: bedrock-ops-alert explain inc-1 (4 more lines)
        ");
    }

    proptest! {
        #[test]
        fn no_message_has_more_than_twelve_lines(ranks in prop::collection::vec(0_u8..9, 0..60)) {
            let mut lines = Lines::default();
            for rank in ranks {
                lines.may(rank, "a\nb\nc".to_owned());
            }
            let text = lines.text("title.".to_owned(), &"inc-1");
            prop_assert!(text.lines().count() <= MOST_LINES);
        }
    }
}
