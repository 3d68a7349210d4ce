//! The page as a reader without style sheets gets it.

use super::{Served, books, client, get, serving};

#[tokio::test]
async fn the_page_tells_all_in_order() {
    serving(books::busy(), async |served: Served| {
        let (status, html) = get(&served.url).await;
        assert_eq!(status, 200);
        insta::assert_snapshot!("page_busy", as_text(&html));
        let order = [
            "verdict",
            "headroom",
            "incidents",
            "proposals",
            "held",
            "desk",
            "ended",
            "aws",
        ];
        let places = order.map(|id| html.find(&format!("id=\"{id}\"")).unwrap());
        assert!(places.is_sorted(), "{places:?}");
        assert!(!html.contains("<script"));
        assert!(
            !html.contains("style=\""),
            "the policy forbids inline style"
        );
    })
    .await;
    serving(books::quiet(), async |served: Served| {
        insta::assert_snapshot!("page_quiet", as_text(&get(&served.url).await.1));
    })
    .await;
}

#[tokio::test]
async fn the_page_refreshes_unless_asked_to_keep_still() {
    serving(books::quiet(), async |served: Served| {
        for (path, refresh) in [("/", Some("30")), ("/?refresh=off", None)] {
            let response = client()
                .get(format!("{}{path}", served.url))
                .send()
                .await
                .unwrap();
            let header = response
                .headers()
                .get("refresh")
                .map(|it| it.to_str().unwrap());
            assert_eq!(header, refresh, "{path}");
        }
        let (status, style) = get(&format!("{}/style.css", served.url)).await;
        assert_eq!(status, 200);
        assert!(!style.contains("url("), "the style sheet loads nothing");
    })
    .await;
}

#[tokio::test]
async fn an_empty_book_says_that_nothing_is_known() {
    let nothing = (Default::default(), Default::default());
    serving(nothing, async |served: Served| {
        let text = as_text(&get(&served.url).await.1);
        assert!(
            text.contains("Starting: the first cycle is not done yet"),
            "{text}"
        );
        assert!(text.contains("No cycle has begun yet."), "{text}");
        assert!(!text.contains("OK"), "{text}");
    })
    .await;
}

/// The texts between the tags, a block element a line. Good for our own markup only.
fn as_text(html: &str) -> String {
    let body = html.split_once("<body").unwrap().1;
    let title = html.split_once("<title>").unwrap().1;
    let title = title.split_once("</title>").unwrap().0;
    let mut out = format!("{title}\n");
    let mut rest = body.split_once('>').unwrap().1;
    while let Some((text, after)) = rest.split_once('<') {
        out.push_str(text);
        let (tag, after) = after.split_once('>').unwrap();
        let name = tag.trim_start_matches('/');
        let name = name.split_whitespace().next().unwrap();
        let is_block = [
            "p", "h1", "h2", "h3", "h4", "li", "tr", "summary", "ul", "section",
        ];
        if is_block.contains(&name) {
            out.push('\n');
        } else if ["td", "th", "span"].contains(&name) && tag.starts_with('/') {
            out.push(' ');
        }
        rest = after;
    }
    let lines = out
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    lines
        .join("\n")
        .replace(env!("CARGO_PKG_VERSION"), "VERSION")
}
