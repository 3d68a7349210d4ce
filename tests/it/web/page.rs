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
        assert_eq!(html.matches("<script").count(), 1, "ours and no other");
        assert!(html.contains("<script src=\"/live.js\" defer></script>"));
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
async fn the_page_renews_itself_unless_asked_to_keep_still() {
    serving(books::quiet(), async |served: Served| {
        for (path, renews) in [("/", true), ("/?refresh=off", false)] {
            let (_, html) = get(&format!("{}{path}", served.url)).await;
            assert_eq!(html.contains("http-equiv=\"refresh\""), renews, "{path}");
            assert_eq!(html.contains("<script"), renews, "{path}");
        }
        let (status, script) = get(&format!("{}/live.js", served.url)).await;
        assert_eq!(status, 200);
        for way in ["eval", "innerHTML", "http:", "https:"] {
            assert!(!script.contains(way), "the script has {way}");
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
pub(super) fn as_text(html: &str) -> String {
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

/// An open page hears of each cycle, and holds up no stop.
#[tokio::test]
async fn open_pages_are_told_of_each_cycle_until_the_daemon_ends() {
    serving(books::quiet(), async |served: Served| {
        let Served {
            url, shared, inbox, ..
        } = served;
        let mut live = client().get(format!("{url}/live")).send().await.unwrap();
        assert_eq!(live.headers()["content-type"], "text/event-stream");
        let first = live.chunk().await.unwrap().unwrap();
        assert_eq!(first, ": here\n\n");
        shared.health_mut().cycles += 1;
        let event = live.chunk().await.unwrap().unwrap();
        let cycles = shared.health().cycles;
        assert_eq!(event, format!("event: cycle\ndata: {cycles}\n\n"));
        drop(inbox);
        assert_eq!(live.chunk().await.unwrap(), None);
    })
    .await;
}
