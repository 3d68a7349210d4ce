//! A custom notification of Amazon Q Developer in chat applications, as Slack and Teams show it.
//!
//! Source: "Custom notifications using Amazon Q Developer in chat applications", its administrator guide: what has another
//! shape is dropped without a word. It names no lengths, so each part is kept to what Slack takes of one block.

use serde_json::{Value, json};

use super::{
    super::{Letter, models, text},
    subject,
};

/// Characters of the text.
const MOST_TEXT: usize = 2_900;
/// Characters of the title, and of any other line.
const MOST_LINE: usize = 250;
/// Characters of an address with its words.
const MOST_LINK: usize = 2_000;
/// Models that are named.
const MOST_MODELS: usize = 10;

/// Messages of one incident have one thread; what is about none, or about several, has none.
pub(super) fn notification(letter: &Letter<'_>) -> Value {
    let line = |it: &str| text::for_slack(&text::line(it, MOST_LINE), 5 * MOST_LINE);
    let severity = letter.severity.name();
    // Cut before it is escaped as well, so that what is said of a cut stays whole.
    let description = text::for_slack(&text::clean(letter.body, MOST_TEXT), MOST_TEXT);
    let mut document = json!({
        "version": "1.0",
        "source": "custom",
        "id": letter.intent.id.as_str(),
        "content": {
            "textType": "client-markdown",
            "title": line(letter.subject),
            "description": if description.trim().is_empty() { line(&subject(letter.subject)) } else { description },
        },
        "metadata": { "enableCustomActions": false },
    });
    let links = letter.links();
    let links = links.iter().map(|it| {
        // Its own words and address, since what makes a link differs by application, and each makes one of an address.
        text::for_slack(&format!("{}: {}", it.text, it.url), MOST_LINK)
    });
    let links: Vec<String> = links.filter(|it| !it.ends_with(text::CUT)).collect();
    put(&mut document, "content", "nextSteps", json!(links));
    let Some(notice) = letter.notice else {
        put(&mut document, "content", "keywords", json!([severity]));
        return document;
    };
    let scope = notice.cause.scope();
    let category = notice.category().name();
    let (account, region) = (line(scope.account.as_str()), line(scope.region.as_str()));
    let keywords = json!([severity, category, account, region]);
    put(&mut document, "content", "keywords", keywords);
    let context = json!({
        "severity": severity,
        "category": category,
        "account": account,
        "region": region,
        "incident": line(letter.intent.incident.as_str()),
    });
    let thread = text::line(letter.intent.incident.as_str(), MOST_LINE);
    let models: Vec<String> = models(notice, MOST_MODELS, MOST_LINE)
        .iter()
        .map(|it| line(it))
        .collect();
    for (key, value) in [
        ("threadId", json!(thread)),
        ("summary", json!(line(&notice.title))),
        ("eventType", json!(notice.phase.name())),
        ("relatedResources", json!(models)),
        ("additionalContext", context),
    ] {
        put(&mut document, "metadata", key, value);
    }
    document
}

fn put(document: &mut Value, part: &str, key: &str, value: Value) {
    if let Some(part) = document.get_mut(part).and_then(Value::as_object_mut) {
        part.insert(key.to_owned(), value);
    }
}
