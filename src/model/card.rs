//! The report card: what was said, held to what came.

/// How often what came lay inside the band that was to hold four fifths of it. Older forecasts count less: half after
/// three weeks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coverage {
    /// The forecasts were made so many hours before.
    pub hours: i64,
    /// How many lay inside.
    pub inside: f64,
    /// How many were compared.
    pub compared: f64,
}

impl Coverage {
    /// So many must be compared before a share says anything.
    const LEAST: f64 = 10.0;

    /// The share that lay inside; `None` while hardly any were compared.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (Self::LEAST <= self.compared).then(|| self.inside / self.compared)
    }
}

/// What became of the warnings about one quota of one pool, since it is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Warnings {
    /// The quota was exhausted within the time that the warning named.
    pub right: u16,
    /// It was not.
    pub wrong: u16,
    /// The quota was changed first, so that nobody will know.
    pub moot: u16,
    /// Exhausted without a warning in the week before.
    pub missed: u16,
    /// Minutes from the warning to the exhaustion of the latest right ones, the newest first; zero for none.
    pub leads: [u16; 8],
}

/// How the forecasts of one quota of one pool did so far.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Card {
    /// By how many hours ahead they were, the nearest first.
    pub coverage: Vec<Coverage>,
    /// What came of the warnings.
    pub warnings: Warnings,
}

impl Card {
    /// All of these together.
    #[must_use]
    pub fn sum<'a>(cards: impl Iterator<Item = &'a Self>) -> (Vec<Coverage>, Outcomes) {
        let mut coverage: Vec<Coverage> = Vec::new();
        let mut outcomes = Outcomes::default();
        for card in cards {
            for one in &card.coverage {
                match coverage.iter_mut().find(|it| it.hours == one.hours) {
                    Some(sum) => {
                        sum.inside += one.inside;
                        sum.compared += one.compared;
                    }
                    None => coverage.push(*one),
                }
            }
            outcomes.add(&card.warnings);
        }
        (coverage, outcomes)
    }
}

/// What came of the warnings about several quotas.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// As [`Warnings::right`].
    pub right: u64,
    /// As [`Warnings::wrong`].
    pub wrong: u64,
    /// As [`Warnings::moot`].
    pub moot: u64,
    /// As [`Warnings::missed`].
    pub missed: u64,
    leads: Vec<u16>,
}

impl Outcomes {
    fn add(&mut self, warnings: &Warnings) {
        self.right += u64::from(warnings.right);
        self.wrong += u64::from(warnings.wrong);
        self.moot += u64::from(warnings.moot);
        self.missed += u64::from(warnings.missed);
        self.leads
            .extend(warnings.leads.iter().filter(|it| 0 < **it));
    }

    /// The median of the latest leads, in minutes.
    #[must_use]
    pub fn lead(&self) -> Option<i64> {
        let mut leads = self.leads.clone();
        leads.sort_unstable();
        leads.get(leads.len() / 2).map(|it| i64::from(*it))
    }
}
