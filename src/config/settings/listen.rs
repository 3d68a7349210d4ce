//! `[listen]`: where health, metrics and the page are served, by which names, and to whom; and what people type for it.

mod alb;

use std::net::SocketAddr;

use super::{LISTEN, Origin, Reader, Surroundings};
use crate::{
    config::{
        builtin_places,
        fault::{Fault, Wrong},
        secret::{self, ACT_TOKEN, Kind, VIEW_TOKEN},
        sheet::Section,
        values,
    },
    model::{access::Access, links::Places, policy::Secret},
};

/// Names by which the page may be asked for.
const MOST_HOSTS: usize = 20;

/// What is said of the page.
pub(super) struct Listening {
    pub(super) address: SocketAddr,
    pub(super) access: Access,
    /// Where messages lead.
    pub(super) places: Places,
}

impl Reader<'_> {
    pub(super) fn listen(&mut self, root: &mut Section<'_>) -> Listening {
        let mut access = Access::default();
        let (mut written, mut place, mut page) = (None, None, None);
        let mut is_whole = true;
        if let Some(mut table) = self.table(root, "listen") {
            let entry = table.take("address");
            if let Some(entry) = &entry {
                self.origins.insert(entry.path.clone(), Origin::File);
                written = self.sheet.parsed(entry, values::address);
                is_whole = written.is_some();
            }
            let tokens = [&VIEW_TOKEN, &ACT_TOKEN].map(|kind| self.token(&mut table, kind));
            is_whole &= tokens.iter().all(Option::is_some);
            [access.view, access.act] = tokens.map(Option::flatten);
            if let Some(entry) = table.take("hosts") {
                self.origins.insert(entry.path.clone(), Origin::File);
                access.hosts = self.sheet.list(&entry, values::host);
                if MOST_HOSTS < access.hosts.len() {
                    let wrong = Wrong::new(
                        format!("must have at most {MOST_HOSTS} names"),
                        "too many",
                        "those by which people reach the page",
                    );
                    self.sheet.wrong(&entry, wrong);
                }
            }
            let alb = self.alb(&mut table);
            is_whole &= alb.is_some();
            access.alb = alb.flatten();
            page = self.value(&mut table, "url", |sheet, it| {
                sheet.parsed(it, values::page_url)
            });
            table.finish(&mut self.sheet);
            place = entry;
        }
        let given = self.overrides.listen;
        self.given("listen.address", given.is_some());
        let address = given.or(written).unwrap_or(LISTEN);
        if is_whole && !address.ip().is_loopback() && !access.is_guarded() {
            let wrong = Wrong::new(
                "is not on loopback, and nothing is asked for",
                "others could reach this",
                "set `[listen] token_file` or, behind a load balancer that signs people in, `[listen.alb]`; or listen on 127.0.0.1 behind a proxy that authenticates",
            );
            match place.filter(|_| given.is_none()) {
                Some(entry) => self.sheet.wrong(&entry, wrong),
                None => {
                    let message = format!("the listen address {address} {}", wrong.message);
                    let help = wrong.help.unwrap_or_default();
                    self.sheet.faults.push(Fault::nowhere(message, help));
                }
            }
        }
        if let Some(page) = &page {
            // People follow it from their messages, so that it is a name of ours.
            let host = values::host_of(page);
            if values::host(host).is_ok_and(|it| !access.hosts.contains(&it)) {
                access.hosts.push(host.to_ascii_lowercase());
            }
        }
        Listening {
            address,
            access,
            places: Places {
                page,
                ..builtin_places()
            },
        }
    }

    /// A token, where there is one; nothing at all for a fault.
    #[expect(clippy::option_option, reason = "a fault is not an absence")]
    fn token(&mut self, table: &mut Section<'_>, kind: &Kind) -> Option<Option<Secret>> {
        let around = Surroundings {
            folder: &self.folder,
            overrides: self.overrides,
            accounts: &[],
        };
        let read = secret::read(&mut self.sheet, table, kind, around);
        if read.as_ref().is_some_and(Option::is_some) {
            let path = format!("listen.{}", kind.key);
            self.origins.insert(path, Origin::File);
        }
        read
    }
}
