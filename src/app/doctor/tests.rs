//! What is asked, and how the answers are told.

use super::{here::file_system, *};
use std::{fmt::Write as _, sync::Arc};

use crate::{
    aws::actions::{ALL, Need},
    cloud::FaultClass,
    config::{Overrides, parse},
    sim::{self, Faults, Sim, World},
};

fn fault(operation: &'static str, class: FaultClass) -> Fault {
    Fault {
        operation,
        code: "Code".to_owned(),
        message: "words".to_owned(),
        class,
    }
}

#[test]
fn each_action_says_what_is_lost_without_it_and_what_only_reads_is_asked() {
    for (operation, need) in ALL {
        assert!(
            actions::loss(operation).is_some_and(|it| 20 < it.len()),
            "{operation}"
        );
        assert!(
            !asking::writes(operation) || *need != Need::Observe,
            "{operation}"
        );
    }
    assert_eq!(actions::loss("bedrock:InvokeModel"), None);
}

#[test]
fn not_found_is_allowed_and_no_answer_is_not_a_no() {
    let operation = "servicequotas:GetServiceQuota";
    let of = |class| Item::of_call("p", operation, Err::<(), _>(fault(operation, class))).verdict;
    assert_eq!(of(FaultClass::NotFound), Verdict::Fine);
    assert_eq!(of(FaultClass::Denied), Verdict::Failed);
    assert_eq!(of(FaultClass::NoPlan), Verdict::Failed);
    for class in [
        FaultClass::Throttled,
        FaultClass::Server,
        FaultClass::Connect,
        FaultClass::Garbled,
    ] {
        assert_eq!(of(class), Verdict::Unknown, "{class:?}");
    }
}

#[test]
fn the_clock_may_be_off_by_seconds_and_not_by_minutes() {
    assert_eq!(clock_item(None), None);
    assert_eq!(clock_item(Some(-3.2)).unwrap().verdict, Verdict::Fine);
    let late = clock_item(Some(-301.0)).unwrap();
    assert_eq!(
        (late.verdict, late.found.as_str()),
        (Verdict::Failed, "301 s behind AWS")
    );
    assert_eq!(clock_item(Some(f64::NAN)).unwrap().verdict, Verdict::Failed);
}

#[test]
fn a_folder_is_of_the_file_system_that_is_mounted_nearest_above_it() {
    let mounts = "\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
40 22 0:40 / /var/lib rw - nfs4 fs.example.com:/ rw,vers=4.1
41 40 254:2 / /var/lib/my\\040store rw - xfs /dev/vdb rw
42 22 0:41 / /var/library rw - tmpfs tmpfs rw
broken line
";
    for (folder, kind) in [
        ("/", "ext4"),
        ("/var/lib/bedrock-ops-alert", "nfs4"),
        ("/var/lib/my store/x", "xfs"),
        ("/var/library", "tmpfs"),
        ("/home", "ext4"),
    ] {
        let found = file_system(mounts, std::path::Path::new(folder));
        assert_eq!(found.as_deref(), Some(kind), "{folder}");
    }
    assert_eq!(file_system("", std::path::Path::new("/")), None);
}

/// Whether the account is linked is CloudWatch's to say; without the link nothing is listed and nothing may be read.
#[tokio::test]
async fn of_a_linked_account_metrics_alone_are_asked_for() {
    let text = include_str!("../../../tests/data/worlds/fortnight.toml");
    let name = "name = \"production\"\n";
    let linked = format!("{name}monitors = [\"444455556666\"]\n");
    let text_of_config = "mode = \"file\"\n\
        [[account]]\nid = \"111122223333\"\nregions = [\"us-east-1\"]\n\
        [[account]]\nid = \"444455556666\"\nregions = [\"us-east-1\"]\nmetrics_through = \"111122223333\"\n";
    let settings = parse(text_of_config, "c.toml", &Overrides::default()).unwrap();
    let mut told = String::new();
    for world in [text.to_owned(), text.replacen(name, &linked, 1)] {
        let sim = Sim::new(World::parse(&world).unwrap(), 1);
        let first = sim.world().first_account();
        let faults = Arc::new(Faults::none());
        let cloud = sim::linked_cloud(&sim, first, faults, &settings.accounts);
        let account = &settings.accounts[1];
        let mut items = Vec::new();
        let scopes = of_account(&*cloud, account, &mut items).await.unwrap();
        items.extend(asking::region(&*cloud, &scopes[0], sim.now()).await);
        items.extend(asking::account(&*cloud, account, &settings, sim.now()).await);
        for Item {
            place,
            what,
            verdict,
            found,
            help,
            ..
        } in items
        {
            writeln!(
                told,
                "{place}: {what}: {}: {found} ({help:?})",
                verdict.name()
            )
            .unwrap();
        }
    }
    insta::assert_snapshot!("linked", told);
}

/// A server that has no key says that there could be one.
#[tokio::test]
async fn people_can_be_signed_in_where_keys_are_read() {
    use crate::model::{
        access::{Claim, SignIn},
        rule::Pattern,
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let keys = format!("http://{}/keys", listener.local_addr().unwrap());
    let router = axum::Router::new();
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    tokio::spawn(async { axum::serve(listener, router).await });
    let sign_in = |keys: &str, act: &[&str]| SignIn {
        signer: String::new(),
        issuer: String::new(),
        client: None,
        keys: keys.to_owned(),
        act: act
            .iter()
            .map(|it| Claim {
                name: "email".to_owned(),
                is: Pattern::new(*it),
            })
            .collect(),
    };
    let mut told = String::new();
    for (sign_in, has_tokens) in [
        (sign_in(&keys, &["a@b.c"]), true),
        (sign_in(&keys, &["a@b.c"]), false),
        (sign_in(&keys, &[]), true),
        (sign_in("http://127.0.0.1:1/keys", &["a@b.c"]), true),
    ] {
        let item = here::sign_in_item(&sign_in, has_tokens).await;
        let found = item.found.replace(&keys, "http://KEYS");
        let verdict = item.verdict.name();
        let help = item.help.unwrap_or_default();
        writeln!(told, "{}: {verdict}: {found} ({help})", item.what).unwrap();
    }
    insta::assert_snapshot!("sign_in", told);
}
