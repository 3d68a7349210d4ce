//! Names and texts from outside are inert wherever they are shown.

use bedrock_ops_alert::{
    cli::{explain::explain, remote::Format, status::status},
    web::inert::acts,
};

use super::{
    Served,
    books::{self, HOSTILE},
    get, serving,
};

fn no_acting_character(text: &str, place: &str) {
    let found = text.chars().find(|c| *c != '\n' && acts(*c));
    assert_eq!(found, None, "{place}");
}

#[tokio::test]
async fn nothing_hostile_acts_in_the_page() {
    serving(books::busy(), async |served: Served| {
        let (_, html) = get(&served.url).await;
        no_acting_character(&html, "the page");
        assert_eq!(html.matches("<script").count(), 1, "markup came through");
        assert!(!html.contains("\" onload="), "a quote ended an attribute");
        // The forged line stands on the line of the name it belongs to.
        assert!(html.contains("&lt;script&gt;alert('x')&lt;/script&gt;&quot; onload="));
        assert!(html.contains("&lt;U+000A&gt;forged line&lt;U+202E&gt;txt.exe"));
    })
    .await;
}

#[tokio::test]
async fn nothing_hostile_acts_in_a_terminal_or_in_json() {
    serving(books::busy(), async |served: Served| {
        let hostile_pool = format!("111122223333/eu-west-1/geo/{HOSTILE}");
        for id in ["req-8f2c", hostile_pool.as_str()] {
            for format in [Format::Text, Format::Json] {
                let mut out = Vec::new();
                explain(&served.url, id, format, &mut out).await.unwrap();
                let text = String::from_utf8(out).unwrap();
                no_acting_character(&text, id);
                assert!(text.contains("forged line"), "the fixture lost its sting");
                assert!(
                    !text.lines().any(|line| line.starts_with("forged")),
                    "{text}"
                );
            }
        }
        for format in [Format::Text, Format::Json] {
            let mut out = Vec::new();
            status(&served.url, format, &mut out).await.unwrap();
            no_acting_character(&String::from_utf8(out).unwrap(), "status");
        }
        let (_, text) = get(&format!("{}/api/v1/status", served.url)).await;
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let rows = document["headroom"].as_array().unwrap();
        assert!(
            rows.iter().any(|row| row["model"] == HOSTILE),
            "JSON keeps the data as it is"
        );
    })
    .await;
}
