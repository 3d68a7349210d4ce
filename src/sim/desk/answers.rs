//! What the desk answers: the world's script, or chance by seed.

use crate::{
    model::time::SignedDuration,
    sim::{
        hash,
        kernel::Kernel,
        world::{Answer, Outcome},
    },
};

impl Kernel {
    /// The script's answer of this number to a request; by seed where there is no script.
    pub(super) fn answer(&self, request: usize, number: usize) -> Answer {
        let Some(filed) = self.quotas.requests.get(request) else {
            return self.drawn_answer(request, number);
        };
        let script = self.world.desk.iter().find(|script| {
            script.code == filed.code
                && script
                    .account
                    .as_ref()
                    .is_none_or(|account| *account == filed.scope.account)
                && script
                    .region
                    .as_ref()
                    .is_none_or(|region| *region == filed.scope.region)
        });
        let answers = script
            .map(|script| script.answers.as_slice())
            .unwrap_or_default();
        match answers.get(number).or(answers.last()).copied() {
            // A question as the script's last word would be asked for ever.
            Some(last) if number > filed.nth && last.outcome == Outcome::AskBack => Answer {
                outcome: Outcome::Grant,
                ..last
            },
            Some(answer) => answer,
            None => self.drawn_answer(request, number),
        }
    }

    /// Half are granted, a fifth in part, the rest is asked back or denied; after half an hour to a day.
    fn drawn_answer(&self, request: usize, number: usize) -> Answer {
        let number = u64::try_from(number).unwrap_or(0);
        let chance = self.desk_chance(request, 16 + number);
        let filed_nth = self
            .quotas
            .requests
            .get(request)
            .map_or(0, |filed| filed.nth);
        let is_second_look = number > u64::try_from(filed_nth).unwrap_or(0);
        let outcome = match chance % 20 {
            0..10 => Outcome::Grant,
            10..14 => Outcome::Partial(0.5),
            14..17 if !is_second_look => Outcome::AskBack,
            17..20 => Outcome::Deny,
            _ => Outcome::Grant,
        };
        let apply = self.desk_chance(request, 64 + number);
        Answer {
            outcome,
            after: SignedDuration::from_secs(hash::seconds(chance, 1_800, 86_400)),
            apply_after: SignedDuration::from_secs(match apply % 3 {
                0 => hash::seconds(apply, 600, 6 * 3_600),
                _ => hash::seconds(apply, 0, 120),
            }),
        }
    }

    /// Chance about a request: by its quota and how often it was asked, not by the order of other requests.
    pub(super) fn desk_chance(&self, request: usize, purpose: u64) -> u64 {
        let about = self.quotas.requests.get(request);
        let text = about.map_or_else(String::new, |filed| {
            format!("{}/{}/{}", filed.scope, filed.code, filed.nth)
        });
        hash::mix(&[self.seed, 0xDE5C, hash::of_text(&text), purpose])
    }

    pub(super) fn case_chance(&self, case: usize, purpose: u64) -> u64 {
        hash::mix(&[self.seed, 0xCA5E, u64::try_from(case).unwrap_or(0), purpose])
    }
}
