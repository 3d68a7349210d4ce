//! Names with `*` in them, as matchers write them.

/// A name, in which `*` stands for any characters, none included. Case counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(String);

impl Pattern {
    /// As written.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for one name only.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// How narrow it is: a whole name is narrower than any pattern, and of two patterns the one with more characters.
    #[must_use]
    pub fn narrowness(&self) -> usize {
        if self.is_exact() {
            usize::MAX
        } else {
            1 + self.0.chars().filter(|it| *it != '*').count()
        }
    }

    /// Whether this name is meant.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        let Some((head, rest)) = self.0.split_once('*') else {
            return self.0 == name;
        };
        let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
        let inner = name.strip_prefix(head);
        let Some(mut left) = inner.and_then(|it| it.strip_suffix(tail)) else {
            return false;
        };
        // Each piece at its first place leaves the most for those after it.
        middle.split('*').all(|piece| match left.split_once(piece) {
            Some((_, after)) => {
                left = after;
                true
            }
            None => false,
        })
    }

    /// Whether some name fits both.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        meet(self.0.as_bytes(), other.0.as_bytes())
    }
}

/// Whether two patterns have a name in common. Row by row: `row[i]` says whether what was read of the right one can be what
/// was read of the left one, up to `i`.
fn meet(left: &[u8], right: &[u8]) -> bool {
    let is_star = |byte: &u8| *byte == b'*';
    let step = |row: &mut Vec<bool>| {
        // A star of the left may stand for nothing.
        let mut before = false;
        for (place, byte) in row.iter_mut().zip(std::iter::once(&0).chain(left)) {
            *place |= before && is_star(byte);
            before = *place;
        }
    };
    let mut row = vec![false; left.len() + 1];
    if let Some(first) = row.first_mut() {
        *first = true;
    }
    step(&mut row);
    for byte in right {
        let is_wild = is_star(byte);
        let mut next = vec![is_wild && row.first().copied().unwrap_or(false)];
        let pairs = row.iter().zip(row.iter().skip(1)).zip(left);
        for ((diagonal, above), own) in pairs {
            let is_met = if is_wild {
                // The right star stands for nothing, or for one more of the left.
                *above || next.last().copied().unwrap_or(false)
            } else {
                (*diagonal && own == byte) || (*above && is_star(own))
            };
            next.push(is_met);
        }
        row = next;
        step(&mut row);
    }
    row.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        let fits = |pattern: &str, name: &str| Pattern::new(pattern).fits(name);
        assert!(fits("anthropic.*", "anthropic.claude-sonnet-4-6"));
        assert!(fits("*sonnet*", "anthropic.claude-sonnet-4-6"));
        assert!(fits("*", "") && fits("a*b*c", "abc") && fits("a*b*c", "axxbxbc"));
        assert!(!fits("anthropic", "anthropic.claude") && !fits("a*b*c", "abcd"));
        assert!(!fits("eu-*", "us-east-1") && fits("a*", "a*"));
        assert!(!fits("x", "*"), "a name is not a pattern");
    }

    proptest! {
        /// The name read as a pattern has no star, so that both ways of reading must agree.
        #[test]
        fn a_name_fits_exactly_where_it_meets(pattern in "[ab*]{0,7}", name in "[ab]{0,9}") {
            let (pattern, name) = (Pattern::new(pattern), Pattern::new(name));
            prop_assert_eq!(pattern.fits(name.as_str()), pattern.meets(&name));
        }
    }

    #[test]
    fn patterns_meet_when_a_name_fits_both() {
        let meet = |a: &str, b: &str| {
            let (a, b) = (Pattern::new(a), Pattern::new(b));
            assert_eq!(a.meets(&b), b.meets(&a), "{a:?} {b:?}");
            a.meets(&b)
        };
        assert!(meet("anthropic.*", "*sonnet*") && meet("a*b", "a*c*b") && meet("*", "x"));
        assert!(meet("a*", "*b") && meet("x", "x") && meet("ab*cd*", "*bc*d"));
        assert!(!meet("a*", "b*") && !meet("*a", "*b") && !meet("x", "y") && !meet("a*b", "ac"));
    }

    #[test]
    fn whole_names_are_narrowest() {
        let of = |text: &str| Pattern::new(text).narrowness();
        assert!(of("*") < of("anthropic.*") && of("anthropic.*") < of("anthropic.claude-*"));
        assert!(of("anthropic.claude-*") < of("a"));
    }
}
