//! An incoming webhook: it posts to its channel, and can do no more.

use serde_json::{Value, json};

use super::{MOST_LINKS, MOST_TEXT, links, of_error, parsed};
use crate::{
    act::perform::message::{
        Letter,
        answer::{Said, told},
        text,
    },
    cloud::{Answer, Cloud, Post},
    model::receiver::Secret,
};

/// Posts to an incoming webhook.
pub(in crate::act::perform::message) async fn by_webhook(
    cloud: &dyn Cloud,
    url: &Secret,
    letter: &Letter<'_>,
) -> Said {
    let post = Post {
        operation: "slack:Post",
        url: url.expose().to_owned(),
        headers: vec![("content-type", "application/json".to_owned())],
        body: webhook_body(letter).to_string(),
    };
    match cloud.post(&post).await {
        // A webhook gives no id.
        Ok(answer) => judge_webhook(&answer, format!("posted to {}", letter.receiver)),
        Err(fault) => Said::None(fault),
    }
}

/// The text with what Slack reads as markup escaped; links in it are not opened up.
pub(in crate::act::perform::message) fn webhook_body(letter: &Letter<'_>) -> Value {
    let subject = text::line(letter.subject, MOST_TEXT);
    let whole = format!("*{subject}*\n{}", letter.body);
    let links = links(letter, MOST_LINKS);
    let room = MOST_TEXT - links.chars().count() - 1;
    let whole = text::for_slack(&text::clean(&whole, room), room);
    let whole = if links.is_empty() {
        whole
    } else {
        format!("{whole}\n{links}")
    };
    json!({ "text": whole, "unfurl_links": false, "unfurl_media": false })
}

/// Slack answers 200 and `ok`; its other interfaces 200 and `{"ok":false,"error":…}`.
fn judge_webhook(answer: &Answer, reference: String) -> Said {
    let said = answer.body.trim();
    match Said::by_status(answer) {
        // The webhook is right and the channel is not, or the other way round: only these are about the message.
        Some(Said::NotThis(why)) if !matches!(said, "invalid_payload" | "no_text") => {
            Said::Nothing(why)
        }
        Some(other) => other,
        None if said == "ok" => Said::Taken(reference),
        None => match parsed(answer) {
            Some(Ok(_)) => Said::Taken(reference),
            Some(Err(error)) => of_error(&error),
            None => Said::Unclear(told(answer)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            retry_after_seconds: None,
            body: body.to_owned(),
        }
    }

    #[test]
    fn only_ok_is_delivered_by_a_webhook() {
        let said = |status, body: &str| judge_webhook(&answer(status, body), "posted".to_owned());
        let taken = Said::Taken("posted".to_owned());
        assert_eq!(said(200, "ok\n"), taken);
        assert_eq!(said(200, r#"{"ok":true}"#), taken);
        for (status, body) in [
            (200, "<html>sign in</html>"),
            (200, ""),
            (500, "rollup_error"),
        ] {
            let said = said(status, body);
            assert!(
                matches!(said, Said::Unclear(_)),
                "{status} {body}: {said:?}"
            );
        }
        assert!(matches!(said(400, "invalid_payload"), Said::NotThis(_)));
        assert!(matches!(said(429, "rate_limited"), Said::Busy(..)));
        for (status, body) in [
            (200, r#"{"ok":false,"error":"x"}"#),
            (302, ""),
            (400, "user_not_found"),
            (403, "action_prohibited"),
            (404, "no_service"),
            (410, "channel_is_archived"),
        ] {
            let said = said(status, body);
            assert!(
                matches!(said, Said::Nothing(_)),
                "{status} {body}: {said:?}"
            );
        }
    }
}
