//! Which accounts and Regions are watched, and in which of them a round runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::{
    sync::{Semaphore, mpsc},
    task::{self, JoinSet},
};

use crate::{
    collect::round::{Find, Watch},
    model::{
        book::Book,
        ids::{AccountId, Region, Scope},
        policy::Account,
        time::Timestamp,
    },
};

/// Finds that wait to be taken in; each may hold a day of 28 pools, a megabyte each, while its round reads the next.
const MOST_WAITING: usize = 2;

/// Rounds that read days at once, for new pools and for the past: of so many the answers are in memory together.
const MOST_LONG_READS: usize = 3;

/// The rounds of all accounts and Regions.
#[derive(Debug)]
pub(in crate::runtime::cycle) struct Rounds {
    /// Those that no round runs in.
    pub(super) idle: BTreeMap<Scope, Watch>,
    /// Since when a round runs in the others, and in which task.
    pub(super) busy: BTreeMap<Scope, (Timestamp, task::Id)>,
    /// Of the busy ones those that are not watched any more once they are over.
    pub(super) leaving: BTreeSet<Scope>,
    pub(super) running: JoinSet<(Scope, Watch)>,
    pub(super) finds: mpsc::Receiver<(Scope, Find)>,
    pub(super) sender: mpsc::Sender<(Scope, Find)>,
    /// Who may read days now.
    pub(super) turns: Arc<Semaphore>,
}

impl Rounds {
    /// Regions where an account had pools are watched until it says that it has them no more.
    pub(in crate::runtime::cycle) fn of(accounts: &[Account], book: &Book) -> Self {
        let known = accounts.iter().flat_map(Account::scopes);
        let asking = accounts.iter().filter(|it| it.regions.is_asked());
        let asking: BTreeSet<&AccountId> = asking.map(|account| &account.id).collect();
        let found = book.discovered.keys();
        let found = found.filter(|scope| asking.contains(&scope.account));
        let scopes = known.chain(found.cloned());
        let (sender, finds) = mpsc::channel(MOST_WAITING);
        Self {
            idle: scopes.map(|scope| (scope, Watch::default())).collect(),
            busy: BTreeMap::new(),
            leaving: BTreeSet::new(),
            running: JoinSet::new(),
            finds,
            sender,
            turns: Arc::new(Semaphore::new(MOST_LONG_READS)),
        }
    }

    /// All accounts and Regions that are watched.
    pub(in crate::runtime::cycle) fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.idle.keys().chain(self.busy.keys())
    }

    /// Minutes from ring to ring where the account's throttles wake all pools. Of a round that still runs it is not known.
    pub(in crate::runtime::cycle) fn woken(&self) -> BTreeMap<Scope, i64> {
        let rings = self.idle.iter();
        let rings = rings.filter_map(|(scope, watch)| Some((scope.clone(), watch.rings_every()?)));
        rings.collect()
    }

    /// A round is over: another one may begin there, unless its Region is gone. Whether it is watched on.
    pub(super) fn over(&mut self, scope: Scope, watch: Watch) -> bool {
        self.busy.remove(&scope);
        let is_gone = self.leaving.remove(&scope);
        if !is_gone {
            self.idle.insert(scope, watch);
        }
        !is_gone
    }

    /// Watches these Regions of the account, and no others. A round that runs there ends first.
    pub(super) fn watch(&mut self, account: &AccountId, regions: &[Region]) -> Change {
        let named = |scope: &Scope| scope.account == *account && !regions.contains(&scope.region);
        let idle = self.idle.extract_if(.., |scope, _| named(scope));
        let idle: Vec<Region> = idle.map(|(scope, _)| scope.region).collect();
        self.leaving.retain(|scope| scope.account != *account);
        let busy = self.busy.keys().filter(|scope| named(scope)).cloned();
        let busy: Vec<Scope> = busy.collect();
        let gone = idle.into_iter();
        let gone = gone
            .chain(busy.iter().map(|it| it.region.clone()))
            .collect();
        self.leaving.extend(busy);
        let scopes = regions.iter().map(|region| Scope {
            account: account.clone(),
            region: region.clone(),
        });
        let new: Vec<Scope> = scopes
            .filter(|it| !self.idle.contains_key(it) && !self.busy.contains_key(it))
            .collect();
        let come = new.iter().map(|scope| scope.region.clone()).collect();
        let fresh = new.into_iter().map(|scope| (scope, Watch::default()));
        self.idle.extend(fresh);
        Change { come, gone }
    }
}

/// Regions that are watched from now on, and those that are no more.
pub(super) struct Change {
    pub(super) come: Vec<Region>,
    pub(super) gone: Vec<Region>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{book::Record, policy::Regions};

    fn scope(region: &str) -> Scope {
        Scope {
            account: AccountId::new("111122223333"),
            region: Region::new(region),
        }
    }

    fn asked() -> Account {
        Account {
            id: scope("us-east-1").account,
            name: None,
            regions: Regions::Enabled {
                home: Region::new("us-east-1"),
            },
            role_arn: None,
            external_id: None,
            metrics_through: None,
        }
    }

    fn watched(rounds: &Rounds) -> Vec<&str> {
        let mut regions: Vec<&str> = rounds.scopes().map(|it| it.region.as_str()).collect();
        regions.sort_unstable();
        regions
    }

    #[tokio::test]
    async fn regions_come_and_go_with_what_the_account_says() {
        let mut rounds = Rounds::of(&[asked()], &Book::default());
        assert_eq!(watched(&rounds), ["us-east-1"]);
        let account = asked().id;
        let said = ["us-east-1", "eu-west-1"].map(Region::new);
        let Change { come, gone } = rounds.watch(&account, &said);
        assert_eq!((come, gone), (vec![Region::new("eu-west-1")], Vec::new()));
        let said = ["us-east-1", "af-south-1"].map(Region::new);
        let Change { come, gone } = rounds.watch(&account, &said);
        assert_eq!(come, [Region::new("af-south-1")]);
        assert_eq!(gone, [Region::new("eu-west-1")]);
        assert_eq!(watched(&rounds), ["af-south-1", "us-east-1"]);
        // Most rounds run while the answer comes in.
        let far = scope("af-south-1");
        rounds.idle.remove(&far);
        let place = far.clone();
        let round = async { (place, Watch::default()) };
        let task = rounds.running.spawn(round).id();
        rounds
            .busy
            .insert(far.clone(), (Timestamp::UNIX_EPOCH, task));
        let home = ["us-east-1"].map(Region::new);
        let Change { gone, .. } = rounds.watch(&account, &home);
        assert_eq!(gone, [Region::new("af-south-1")]);
        assert!(!rounds.over(far, Watch::default()));
        assert_eq!(watched(&rounds), ["us-east-1"]);
        let other = rounds.watch(&AccountId::new("444455556666"), &[]);
        assert!(other.come.is_empty() && other.gone.is_empty());
    }

    #[test]
    fn after_a_restart_nothing_that_was_watched_waits_for_an_answer() {
        let mut book = Book::default();
        let at = Timestamp::UNIX_EPOCH;
        book.apply(vec![Record::Discovered(scope("eu-west-1"), at)]);
        let rounds = Rounds::of(&[asked()], &book);
        assert_eq!(watched(&rounds), ["eu-west-1", "us-east-1"]);
        let listed = Account {
            regions: Regions::These(vec![Region::new("us-west-2")]),
            ..asked()
        };
        assert_eq!(watched(&Rounds::of(&[listed], &book)), ["us-west-2"]);
    }
}
