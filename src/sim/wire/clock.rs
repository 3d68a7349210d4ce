//! Who holds the simulated clock: a pure state machine, told of each event and of real time as a duration.
//!
//! At speed `max` the clock may jump when every registered client waits, and then to the earliest instant waited for.
//! A client that does not wait is busy, or dead; nobody can tell which, so it holds the clock until it is heard again
//! or its grace of real time is over. Nobody registered means that nobody would see time pass: the clock stands.

use std::{collections::BTreeMap, time::Duration};

use crate::model::time::Timestamp;

/// How many clients may be registered at once.
pub const MAX_CLIENTS: usize = 32;
/// The longest name of a client, in bytes.
pub const MAX_NAME_BYTES: usize = 100;

/// One wait of one client; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// What became of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// The clock is there already; the client is busy again.
    Reached,
    /// The client waits.
    Waiting {
        /// Its wait.
        ticket: Ticket,
        /// An older wait of the same client, which will never be answered with a time.
        replaced: Option<Ticket>,
    },
}

/// Why a client is turned away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockRefusal {
    /// No name, or one that is too long.
    #[error("a client's name has 1 to {MAX_NAME_BYTES} bytes")]
    Name,
    /// Too many clients.
    #[error(
        "{MAX_CLIENTS} clients are registered already; let one leave by POST /_sim/clock/leave"
    )]
    Full,
}

/// What a client does, as far as the clock knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// Works, or died; last heard at this real time since the server's start.
    Busy {
        /// Real time since the start.
        heard: Duration,
    },
    /// Waits.
    Waiting {
        /// For this simulated instant.
        until: Timestamp,
        /// Its wait.
        ticket: Ticket,
    },
}

/// The registered clients.
#[derive(Debug)]
pub struct Arbiter {
    grace: Duration,
    clients: BTreeMap<String, Client>,
    tickets: u64,
}

impl Arbiter {
    /// Nobody is registered. A busy client that is not heard for `grace` of real time is taken for dead.
    #[must_use]
    pub const fn new(grace: Duration) -> Self {
        Self {
            grace,
            clients: BTreeMap::new(),
            tickets: 0,
        }
    }

    /// A client wants to be woken at `until`; this registers it, too.
    ///
    /// # Errors
    ///
    /// A name out of bounds, or too many clients.
    pub fn wait(
        &mut self,
        client: &str,
        until: Timestamp,
        now: Timestamp,
        real: Duration,
    ) -> Result<Posted, ClockRefusal> {
        if client.is_empty() || MAX_NAME_BYTES < client.len() {
            return Err(ClockRefusal::Name);
        }
        let known = self.clients.get(client).copied();
        if known.is_none() && MAX_CLIENTS <= self.clients.len() {
            return Err(ClockRefusal::Full);
        }
        if until <= now {
            self.clients
                .insert(client.to_owned(), Client::Busy { heard: real });
            return Ok(Posted::Reached);
        }
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.clients
            .insert(client.to_owned(), Client::Waiting { until, ticket });
        let replaced = match known {
            Some(Client::Waiting { ticket, .. }) => Some(ticket),
            Some(Client::Busy { .. }) | None => None,
        };
        Ok(Posted::Waiting { ticket, replaced })
    }

    /// The connection of a wait broke: its client is busy, or dead. A wait that is over already changes nothing.
    pub fn hung_up(&mut self, lost: Ticket, real: Duration) {
        for client in self.clients.values_mut() {
            if matches!(client, Client::Waiting { ticket, .. } if *ticket == lost) {
                *client = Client::Busy { heard: real };
            }
        }
    }

    /// A busy client showed that it lives. Who is not registered stays so.
    pub fn heard(&mut self, client: &str, real: Duration) {
        if let Some(Client::Busy { heard }) = self.clients.get_mut(client) {
            *heard = real;
        }
    }

    /// A client says goodbye; returns its wait, if it had one. Leaving twice is fine.
    pub fn leave(&mut self, client: &str) -> Option<Ticket> {
        match self.clients.remove(client) {
            Some(Client::Waiting { ticket, .. }) => Some(ticket),
            Some(Client::Busy { .. }) | None => None,
        }
    }

    /// Forgets the clients whose grace is over, and names them.
    pub fn expire(&mut self, real: Duration) -> Vec<String> {
        let grace = self.grace;
        let is_over = |client: &Client| match client {
            Client::Busy { heard } => grace <= real.saturating_sub(*heard),
            Client::Waiting { .. } => false,
        };
        let gone: Vec<String> = self
            .clients
            .iter()
            .filter(|(_, client)| is_over(client))
            .map(|(name, _)| name.clone())
            .collect();
        self.clients.retain(|_, client| !is_over(client));
        gone
    }

    /// Where the clock may jump to: the earliest instant waited for, once everybody waits.
    #[must_use]
    pub fn target(&self) -> Option<Timestamp> {
        let mut earliest = None;
        for client in self.clients.values() {
            match client {
                Client::Busy { .. } => return None,
                Client::Waiting { until, .. } => {
                    earliest = Some(earliest.map_or(*until, |known: Timestamp| known.min(*until)));
                }
            }
        }
        earliest
    }

    /// The clock stands at `now`: whoever waited for it is busy again. Returns their waits.
    pub fn reached(&mut self, now: Timestamp, real: Duration) -> Vec<Ticket> {
        let mut woken = Vec::new();
        for client in self.clients.values_mut() {
            if let Client::Waiting { until, ticket } = *client
                && until <= now
            {
                woken.push(ticket);
                *client = Client::Busy { heard: real };
            }
        }
        woken
    }

    /// The registered clients.
    #[must_use]
    pub const fn clients(&self) -> &BTreeMap<String, Client> {
        &self.clients
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn real(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// An arbiter at simulated second 0 with a grace of 120 s.
    fn arbiter() -> Arbiter {
        Arbiter::new(real(120))
    }

    fn wait(arbiter: &mut Arbiter, client: &str, until: i64) -> Ticket {
        match arbiter.wait(client, at(until), at(0), real(0)).unwrap() {
            Posted::Waiting { ticket, .. } => ticket,
            Posted::Reached => panic!("second {until} lies ahead"),
        }
    }

    #[test]
    fn without_clients_the_clock_stands() {
        assert_eq!(arbiter().target(), None);
    }

    #[test]
    fn the_clock_jumps_to_the_earliest_once_all_wait() {
        let mut arbiter = arbiter();
        assert_eq!(
            arbiter.wait("b", at(0), at(0), real(0)),
            Ok(Posted::Reached)
        );
        let a = wait(&mut arbiter, "a", 60);
        assert_eq!(arbiter.target(), None, "b is busy");
        let b = wait(&mut arbiter, "b", 120);
        assert_eq!(arbiter.target(), Some(at(60)));
        assert_eq!(arbiter.reached(at(60), real(1)), vec![a]);
        assert_eq!(arbiter.target(), None, "a works on the minute");
        wait(&mut arbiter, "a", 180);
        assert_eq!(arbiter.target(), Some(at(120)));
        assert_eq!(arbiter.reached(at(120), real(1)), vec![b]);
    }

    #[test]
    fn a_dead_client_holds_the_clock_until_it_is_back() {
        let mut arbiter = arbiter();
        let lost = wait(&mut arbiter, "daemon", 60);
        wait(&mut arbiter, "other", 60);
        arbiter.hung_up(lost, real(10));
        assert_eq!(arbiter.target(), None);
        assert!(arbiter.expire(real(129)).is_empty());
        wait(&mut arbiter, "daemon", 300);
        assert_eq!(arbiter.target(), Some(at(60)));
        assert!(
            arbiter.expire(real(9_999)).is_empty(),
            "waiting is no death"
        );
    }

    #[test]
    fn a_dead_client_holds_the_clock_for_its_grace_only() {
        let mut arbiter = arbiter();
        let lost = wait(&mut arbiter, "daemon", 60);
        wait(&mut arbiter, "other", 90);
        arbiter.hung_up(lost, real(10));
        assert_eq!(arbiter.expire(real(130)), vec!["daemon".to_owned()]);
        assert_eq!(arbiter.target(), Some(at(90)));
    }

    #[test]
    fn a_busy_client_that_is_heard_keeps_its_hold() {
        let mut arbiter = arbiter();
        assert_eq!(
            arbiter.wait("a", at(0), at(0), real(0)),
            Ok(Posted::Reached)
        );
        arbiter.heard("a", real(100));
        arbiter.heard("stranger", real(100));
        assert!(arbiter.expire(real(219)).is_empty());
        assert_eq!(arbiter.clients().len(), 1);
        assert_eq!(arbiter.expire(real(220)), vec!["a".to_owned()]);
    }

    #[test]
    fn leaving_frees_the_clock_at_once() {
        let mut arbiter = arbiter();
        wait(&mut arbiter, "a", 60);
        assert_eq!(
            arbiter.wait("b", at(0), at(0), real(0)),
            Ok(Posted::Reached)
        );
        assert_eq!(arbiter.leave("b"), None);
        assert_eq!(arbiter.target(), Some(at(60)));
        assert!(arbiter.leave("a").is_some());
        assert_eq!(arbiter.leave("a"), None);
        assert_eq!(arbiter.target(), None);
    }

    #[test]
    fn a_second_wait_replaces_the_first_and_its_late_hang_up_is_ignored() {
        let mut arbiter = arbiter();
        let first = wait(&mut arbiter, "a", 60);
        let posted = arbiter.wait("a", at(90), at(0), real(0)).unwrap();
        assert!(matches!(posted, Posted::Waiting { replaced: Some(old), .. } if old == first));
        arbiter.hung_up(first, real(1));
        assert_eq!(arbiter.target(), Some(at(90)));
    }

    #[test]
    fn names_and_numbers_are_bounded() {
        let mut arbiter = arbiter();
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        for name in ["", &long] {
            let refused = arbiter.wait(name, at(1), at(0), real(0));
            assert_eq!(refused, Err(ClockRefusal::Name));
        }
        for n in 0..MAX_CLIENTS {
            wait(&mut arbiter, &n.to_string(), 60);
        }
        let refused = arbiter.wait("one more", at(1), at(0), real(0));
        assert_eq!(refused, Err(ClockRefusal::Full));
        wait(&mut arbiter, "0", 61);
    }
}
