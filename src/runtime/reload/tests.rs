use super::*;

fn fresh(text: &str) -> Fresh {
    let settings = crate::config::parse(text, "config.toml", &crate::config::Overrides::default());
    Fresh {
        settings: settings.unwrap(),
        values: BTreeMap::new(),
    }
}

const TWO: &str =
    "[[account]]\nid = \"111122223333\"\nregions = [\"us-east-1\"]\n[store]\npath = \"a\"\n";

#[test]
fn what_only_a_restart_changes_is_named_and_the_rest_holds() {
    let begun = fresh(TWO).settings;
    let mut running = begun.clone();
    running.accounts.clear(); // whatever was found out at the start
    let text = "mode = \"file\"\n[listen]\naddress = \"127.0.0.1:1\"\n[store]\npath = \"b\"\n";
    let (settings, keys) = applicable(fresh(text).settings, &running, &begun);
    assert_eq!(keys, ["[[account]]", "store.path", "listen.address"]);
    assert_eq!(settings.policy.mode.name(), "file");
    assert_eq!(settings.accounts, running.accounts);
    assert_eq!(settings.store_path, begun.store_path);
    assert_eq!(settings.listen, begun.listen);
    let (settings, keys) = applicable(begun.clone(), &running, &begun);
    assert!(keys.is_empty(), "{keys:?}");
    assert_eq!(settings.accounts, running.accounts);
}

/// What is filed where follows from how accounts are reached, and that is decided at the start.
#[test]
fn how_accounts_are_reached_waits_for_a_restart_as_a_whole() {
    let begun = fresh(TWO).settings;
    let linked = "[[account]]\nid = \"444455556666\"\nregions = [\"us-east-1\"]\nmetrics_through = \"111122223333\"\n";
    let changed = fresh(&format!("{linked}{TWO}")).settings;
    assert_eq!(changed.policy.metrics_only.len(), 1);
    let (settings, keys) = applicable(changed.clone(), &begun, &begun);
    assert_eq!(keys, ["[[account]]"]);
    assert!(settings.policy.metrics_only.is_empty());
    let (settings, _) = applicable(begun, &changed, &changed);
    assert_eq!(settings.policy.metrics_only, changed.policy.metrics_only);
}

#[test]
fn what_waits_for_a_restart_is_not_said_to_hold() {
    let fresh = fresh(TWO);
    let (whole, _) = held_now(&fresh, Vec::new(), &[]);
    let changed = vec!["account[0].id: a (was b)".to_owned()];
    let (part, told) = held_now(&fresh, changed, &["[[account]]"]);
    assert_ne!(whole, part, "the restart is noted");
    assert_eq!(told[0], "without [[account]], which only a restart changes");
    assert_eq!(told.len(), 2);
}

#[test]
fn differences_are_told_by_key() {
    let values = |these: &[(&str, &str)]| -> BTreeMap<String, String> {
        let these = these.iter();
        these
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    let old = values(&[("a", "1"), ("b", "2"), ("c", "3")]);
    let new = values(&[("b", "2"), ("c", "4"), ("d", "5")]);
    let told = differences(&old, &new).join("\n");
    insta::assert_snapshot!(told, @r"
    a: gone (was 1)
    c: 4 (was 3)
    d: 5 (is new)
    ");
}

#[tokio::test]
async fn a_storm_of_signals_is_one_and_none_is_lost() {
    let read: Read = Arc::new(|| Err(Vec::new()));
    let known = fresh(TWO);
    let mut reload = Reload::new(Source { known, read }).unwrap();
    let began = clock::monotonic();
    reload.is_asked = true;
    reload.asked().await;
    reload.is_asked = true;
    {
        let mut asked = std::pin::pin!(reload.asked());
        let polled = std::future::poll_fn(|context| {
            std::task::Poll::Ready(asked.as_mut().poll(context).is_ready())
        });
        assert!(!polled.await, "within the second nothing is read again");
    }
    assert!(reload.is_asked, "and yet it is not forgotten");
    assert!(clock::monotonic().duration_since(began) < REST);
}
