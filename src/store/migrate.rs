//! Steps from one stored format to the next, run once at open.
//!
//! Order: all records are rewritten beside the old ledger (`rebuild`); then the file `FORMAT` is raised, so that an older
//! release keeps its hands off; then the new ledger takes the place of the old one. Killed in between, the head still tells
//! the old format and the next open begins anew, or the new ledger is whole. Each step has a folder under `migrations/` with a dump before and a dump after.

mod hours;

use super::scan::Raw;

/// Rewrites records: some thousand of them at a time, those of a pool together.
pub(crate) type Rewrite = fn(Vec<Raw>) -> Result<Vec<Raw>, String>;

/// One step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) rewrite: Rewrite,
}

/// What a release of the program reads and writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Release {
    /// The format it writes, and the newest it reads.
    pub(crate) format: u32,
    /// How it gets there from older ones.
    pub(crate) steps: &'static [Step],
}

/// This release. Format 1 is the first; see `migrations/`.
pub(crate) const THIS: Release = Release {
    format: 7,
    // Up to 6, kinds of record, of signal and of reason and what messages say as data are new, and none changed: an older
    // release must keep its hands off, that is all.
    steps: &[
        Step {
            from: 1,
            to: 2,
            rewrite: Ok,
        },
        Step {
            from: 2,
            to: 3,
            rewrite: Ok,
        },
        Step {
            from: 3,
            to: 4,
            rewrite: Ok,
        },
        Step {
            from: 4,
            to: 5,
            rewrite: Ok,
        },
        Step {
            from: 5,
            to: 6,
            rewrite: Ok,
        },
        Step {
            from: 6,
            to: 7,
            rewrite: hours::together,
        },
    ],
};

impl Release {
    /// The steps from `from` to this release's format, in order.
    pub(crate) fn route(&self, from: u32) -> Result<Vec<Step>, String> {
        let mut route = Vec::new();
        let mut at = from;
        while at < self.format {
            let step = self
                .steps
                .iter()
                .find(|step| step.from == at && at < step.to);
            let step = step.ok_or_else(|| format!("there is no step from format {at}"))?;
            route.push(*step);
            at = step.to;
        }
        if at != self.format {
            return Err(format!("the steps lead past it to format {at}"));
        }
        Ok(route)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
        process,
    };

    use super::*;
    use crate::model::{
        action::{Effect, Intent, IntentState},
        book::Record,
        ids::{AccountId, ActionId, IncidentId, ReceiverName, Region, Scope},
        rule::Severity,
        time::Timestamp,
    };
    use crate::store::{Ledger, Options, SledLedger, StoreError, place};

    /// A release before the first: there, Regions were written in capitals.
    const OLD: Release = Release {
        format: 0,
        steps: &[],
    };
    const NEW: Release = Release {
        format: 2,
        steps: &[
            Step {
                from: 1,
                to: 2,
                rewrite: |mut raws| {
                    for raw in &mut raws {
                        raw.body = replaced(&raw.body, "on-call", "people")?;
                    }
                    Ok(raws)
                },
            },
            Step {
                from: 0,
                to: 1,
                rewrite: |mut raws| {
                    for raw in &mut raws {
                        raw.body = replaced(&raw.body, "US-EAST-1", "us-east-1")?;
                        raw.key = replaced(&raw.key, "US-EAST-1", "us-east-1")?;
                    }
                    Ok(raws)
                },
            },
        ],
    };

    fn replaced(bytes: &[u8], from: &str, to: &str) -> Result<Vec<u8>, String> {
        let text = str::from_utf8(bytes).map_err(|fault| fault.to_string())?;
        Ok(text.replace(from, to).into_bytes())
    }

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tmp");
            let path = target.join(format!("migrate-{name}-{}", process::id()));
            let _gone = fs::remove_dir_all(&path);
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _gone = fs::remove_dir_all(&self.0);
        }
    }

    fn opened(folder: &Folder, release: &Release) -> Result<SledLedger, StoreError> {
        SledLedger::open_as(&folder.0, &Options::default(), release)
    }

    fn scope(region: &str) -> Scope {
        Scope {
            account: AccountId::new("111122223333"),
            region: Region::new(region),
        }
    }

    fn intent(revision: u64) -> Record {
        Record::Intent(Intent {
            id: ActionId::new("act-a"),
            incident: IncidentId::new("inc-a"),
            step: "notify/1".to_owned(),
            effect: Effect::Notify {
                receiver: ReceiverName::new("on-call"),
                severity: Severity::Info,
                subject: "s".to_owned(),
                body: "b".repeat(9_000),
                notice: None,
            },
            reasons: Vec::new(),
            created: Timestamp::UNIX_EPOCH,
            state: IntentState::Sending {
                at: Timestamp::UNIX_EPOCH,
            },
            attempts: 1,
            approved_by: None,
            last_failure: None,
            approved_at: None,
            declined: 0,
            worded: None,
            revision,
        })
    }

    fn old_store(folder: &Folder) {
        let ledger = opened(folder, &OLD).unwrap();
        let found = Record::Discovered(scope("US-EAST-1"), Timestamp::UNIX_EPOCH);
        ledger.commit(&[found, intent(1)]).unwrap();
        ledger.commit(&[intent(2)]).unwrap();
    }

    fn assert_new(ledger: &SledLedger) {
        let book = ledger.load().unwrap();
        let scopes: Vec<_> = book.discovered.keys().cloned().collect();
        assert_eq!(scopes, [scope("us-east-1")]);
        let intent = &book.intents[&ActionId::new("act-a")];
        assert_eq!(intent.revision, 2);
        assert!(
            matches!(&intent.effect, Effect::Notify { receiver, .. } if receiver.as_str() == "people")
        );
        assert_eq!(ledger.verified().unwrap().format, 2);
    }

    #[test]
    fn an_old_store_is_brought_forward_once_and_goes_on() {
        let folder = Folder::new("forward");
        old_store(&folder);
        assert_new(&opened(&folder, &NEW).unwrap());
        let ledger = opened(&folder, &NEW).unwrap();
        assert_new(&ledger);
        ledger.commit(&[intent(3)]).unwrap();
        drop(ledger);
        opened(&folder, &NEW).unwrap();
        // The older release keeps its hands off.
        let refused = opened(&folder, &OLD).unwrap_err();
        assert!(matches!(refused, StoreError::Newer { found: 2, .. }));
    }

    #[test]
    fn the_ledger_as_it_was_is_kept_and_the_older_release_goes_on_with_it() {
        let folder = Folder::new("kept");
        old_store(&folder);
        let kept = {
            let ledger = opened(&folder, &NEW).unwrap();
            let done = ledger.migrated().unwrap().clone();
            assert_eq!((done.from, done.to), (0, 2));
            ledger.commit(&[intent(3)]).unwrap();
            done.kept
        };
        assert!(kept.ends_with("before-format-2"), "{kept:?}");
        assert_eq!(opened(&folder, &NEW).unwrap().migrated(), None);
        // The way back: the copy is a store of its own.
        {
            let back = SledLedger::open_as(&kept, &Options::default(), &OLD).unwrap();
            let book = back.load().unwrap();
            assert_eq!(book.intents[&ActionId::new("act-a")].revision, 2);
            assert!(book.discovered.contains_key(&scope("US-EAST-1")));
            back.commit(&[intent(3)]).unwrap();
        }
        // And forward again, with what the older release did meanwhile: its copy takes the place of none or of an older one.
        for revision in [3, 3] {
            let again = SledLedger::open_as(&kept, &Options::default(), &NEW).unwrap();
            let book = again.load().unwrap();
            assert_eq!(book.intents[&ActionId::new("act-a")].revision, revision);
        }
    }

    /// What was kept before the format was marked is the old ledger; what lies there afterwards may be half of each.
    #[test]
    fn a_second_try_keeps_what_the_first_one_kept() {
        let folder = Folder::new("second-try");
        old_store(&folder);
        let kept = crate::store::backup::keep(&folder.0, NEW.format).unwrap();
        place::write_format(&folder.0, NEW.format).unwrap();
        assert_eq!(
            opened(&folder, &NEW).unwrap().migrated().unwrap().kept,
            kept
        );
        let back = SledLedger::open_as(&kept, &Options::default(), &OLD).unwrap();
        assert_eq!(back.load().unwrap().discovered.len(), 1);
        assert!(!folder.0.join("before-format-2.part").exists());
    }

    #[test]
    fn an_empty_store_of_an_older_release_says_its_format_once() {
        let folder = Folder::new("empty");
        drop(opened(&folder, &OLD).unwrap());
        assert_eq!(opened(&folder, &NEW).unwrap().migrated(), None);
        assert_eq!(
            place::inspect(&folder.0, NEW.format).unwrap(),
            place::Found::Store(NEW.format)
        );
    }

    #[test]
    fn killed_between_the_mark_of_the_new_format_and_the_rewriting_it_begins_anew() {
        let folder = Folder::new("killed");
        old_store(&folder);
        place::write_format(&folder.0, NEW.format).unwrap();
        let refused = opened(&folder, &OLD).unwrap_err();
        assert!(matches!(refused, StoreError::Newer { .. }), "{refused:?}");
        assert_new(&opened(&folder, &NEW).unwrap());
    }

    #[test]
    fn killed_while_the_new_ledger_takes_its_place_it_is_there_at_the_next_start() {
        let folder = Folder::new("swapped");
        old_store(&folder);
        assert_new(&opened(&folder, &NEW).unwrap());
        let (now, next) = (folder.0.join("sled"), folder.0.join("next"));
        fs::create_dir(&next).unwrap();
        fs::rename(&now, next.join("sled")).unwrap(); // the old one is gone already
        assert_new(&opened(&folder, &NEW).unwrap());
        assert!(!next.exists());
        // Half a ledger beside a whole one is nothing.
        fs::create_dir_all(next.join("sled")).unwrap();
        assert_new(&opened(&folder, &NEW).unwrap());
        assert!(!next.exists());
    }

    #[test]
    fn a_step_that_fails_or_lacks_changes_nothing() {
        let folder = Folder::new("lacking");
        old_store(&folder);
        let gap = Release {
            format: 3,
            steps: NEW.steps,
        };
        let failing = Release {
            format: 1,
            steps: &[Step {
                from: 0,
                to: 1,
                rewrite: |_| Err("no rule for that".to_owned()),
            }],
        };
        for release in [gap, failing] {
            let refused = opened(&folder, &release).unwrap_err();
            assert!(
                matches!(refused, StoreError::Migration { from: 0, .. }),
                "{refused:?}"
            );
        }
        let book = opened(&folder, &OLD).unwrap().load().unwrap();
        assert_eq!(book.discovered.len(), 1);
    }

    #[test]
    fn routes_go_step_by_step() {
        let ends = |from| {
            let route = NEW.route(from).unwrap();
            route.iter().map(|step| step.to).collect::<Vec<_>>()
        };
        assert_eq!(ends(0), [1, 2]);
        assert_eq!(ends(1), [2]);
        assert!(ends(2).is_empty());
        let lengths = (1..=THIS.format).map(|from| THIS.route(from).unwrap().len());
        assert_eq!(lengths.collect::<Vec<_>>(), [6, 5, 4, 3, 2, 1, 0]);
        assert!(THIS.route(0).is_err());
    }
}
