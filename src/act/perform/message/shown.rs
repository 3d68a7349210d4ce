//! The links of a message, fit to be shown: an address stays one wherever it is put, and none makes a message too long.

use super::{Letter, text};
use crate::model::links::{Link, LinkKind};

/// Links that are shown, of one message.
const MOST_LINKS: usize = 8;
/// Characters of an address.
const MOST_URL: usize = 1_800;
/// Characters of the words for it.
const MOST_LINK_TEXT: usize = 120;
/// A link that is fit to be shown.
#[derive(Clone, Debug)]
pub(super) struct Shown<'a> {
    pub(super) kind: LinkKind,
    pub(super) text: String,
    pub(super) url: &'a str,
}

impl<'a> Shown<'a> {
    /// `None` of what is no address: a browser, or Slack, might read something else in it.
    fn of(link: &'a Link) -> Option<Self> {
        let Link { kind, text, url } = link;
        let is_web = url.starts_with("https://") || url.starts_with("http://");
        let is_fine = |c: char| c.is_ascii_graphic() && !"<>|\"\\".contains(c);
        let is_address = is_web && url.len() <= MOST_URL && url.chars().all(is_fine);
        is_address.then(|| Self {
            kind: *kind,
            text: text::line(text, MOST_LINK_TEXT),
            url,
        })
    }
}

impl<'a> Letter<'a> {
    /// Where it leads, fit to be shown.
    pub(super) fn links(&self) -> Vec<Shown<'a>> {
        let links = self.notice.map_or(&[][..], |it| &it.links);
        let shown = links.iter().filter_map(Shown::of);
        shown.take(MOST_LINKS).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::{
        super::{alertmanager, pagerduty, slack, sns, webhook},
        *,
    };
    use crate::model::{
        action::{Effect, Intent},
        ids::{AccountId, QuotaCode, Region, Scope},
        incident::Cause,
        receiver::{Notice, Phase, Secret, TopicFormat},
        rule::Severity,
        time::{Minute, Timestamp},
    };

    fn intent(links: Vec<Link>) -> Intent {
        let mut intent = crate::act::perform::tests::notice("x");
        let Effect::Notify { notice, .. } = &mut intent.effect else {
            panic!("not a message");
        };
        let scope = Scope {
            account: AccountId::new("111122223333"),
            region: Region::new("us-east-1"),
        };
        *notice = Some(Box::new(Notice {
            phase: Phase::Opened,
            number: 1,
            severity: Severity::Warning,
            title: "TPM quota L-1".to_owned(),
            cause: Cause::Quota {
                scope,
                code: QuotaCode::new("L-1"),
            },
            kind: None,
            pools: BTreeSet::new(),
            began: Minute(0),
            resolved: None,
            links,
            flags: BTreeSet::new(),
            teams: BTreeSet::new(),
        }));
        intent
    }

    fn topic(letter: &Letter<'_>) -> String {
        sns::publication(TopicFormat::Text, letter).message
    }

    fn custom_notification(letter: &Letter<'_>) -> Value {
        let publication = sns::publication(TopicFormat::AmazonQ, letter);
        serde_json::from_str(&publication.message).unwrap()
    }

    fn link(kind: LinkKind, text: &str, url: &str) -> Link {
        Link {
            kind,
            text: text.to_owned(),
            url: url.to_owned(),
        }
    }

    #[test]
    fn each_receiver_shows_links_in_its_way() {
        let page = "https://ops.example/#inc-1";
        let quota = "https://us-east-1.console.example/quotas/L-1?region=us-east-1&x=y";
        let intent = intent(vec![
            link(LinkKind::Incident, "Incident inc-1", page),
            link(LinkKind::Quota, "Quota L-1, 111122223333 us-east-1", quota),
        ]);
        let letter = Letter::of(&intent, None, None).unwrap();
        let notice = letter.notice.unwrap();
        let event = pagerduty::event(&Secret::new("key"), &letter);
        let alert = &alertmanager::alerts(&letter, notice, Timestamp::UNIX_EPOCH)[0];
        let shown = json!({
            "sns": topic(&letter).lines().collect::<Vec<_>>(),
            "slack": slack::webhook_body(&letter)["text"],
            "slack-bot": slack::message(&letter)["blocks"][2]["text"],
            "pagerduty": [event["client_url"], event["links"]],
            "alertmanager": [alert["generatorURL"], alert["annotations"]],
            "webhook": webhook::message(&letter)["links"],
            "sns, amazon-q": custom_notification(&letter),
        });
        insta::assert_snapshot!(serde_json::to_string_pretty(&shown).unwrap());
    }

    /// A thread is one incident's: a message about several would go below one of them.
    #[test]
    fn several_in_one_have_no_thread() {
        let intent = intent(Vec::new());
        let crowd = [intent.clone(), intent.clone()];
        let alone = crate::act::perform::tests::notice("x");
        let letter = Letter::of(&alone, None, None).unwrap().of_all(&crowd);
        assert_eq!(
            custom_notification(&letter)["metadata"],
            json!({ "enableCustomActions": false })
        );
    }

    #[test]
    fn the_document_of_a_topic_is_that_of_a_webhook() {
        let intent = intent(Vec::new());
        let letter = Letter::of(&intent, None, None).unwrap();
        let publication = sns::publication(TopicFormat::Json, &letter);
        assert_eq!(publication.message, webhook::message(&letter).to_string());
    }

    #[test]
    fn a_message_that_leads_nowhere_is_as_it_was() {
        let intent = intent(Vec::new());
        let letter = Letter::of(&intent, None, None).unwrap();
        assert_eq!(topic(&letter), "a < b");
        assert_eq!(slack::webhook_body(&letter)["text"], "*hot*\na &lt; b");
        let alert =
            &alertmanager::alerts(&letter, letter.notice.unwrap(), Timestamp::UNIX_EPOCH)[0];
        assert_eq!(alert["generatorURL"], Value::Null);
    }

    #[test]
    fn a_text_of_ones_own_has_the_links_that_one_puts_there() {
        let intent = intent(vec![link(
            LinkKind::Incident,
            "it",
            "https://ops.example/#x",
        )]);
        let letter = Letter {
            has_own_text: true,
            ..Letter::of(&intent, None, None).unwrap()
        };
        assert_eq!(topic(&letter), "a < b");
    }

    #[test]
    fn what_is_no_address_is_not_shown() {
        for bad in [
            "",
            "javascript:alert(1)",
            "https://a b",
            "https://a|b",
            "https://a>b",
            "https://\u{202e}",
            &format!("https://{}", "x".repeat(MOST_URL)),
        ] {
            assert!(
                Shown::of(&link(LinkKind::Case, "x", bad)).is_none(),
                "{bad}"
            );
        }
    }
}
