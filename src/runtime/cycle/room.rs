//! Room on the disk: looked at first in each cycle, so that what is planned in it knows whether anything is filed.

use std::sync::Arc;

use super::{Cycle, CycleError};
use crate::{
    act::plan::{disk, disk_told},
    cloud::{Fault, FaultClass},
    model::{
        book::Record,
        room::{RoomSeen, RoomState},
        time::Timestamp,
    },
};

impl Cycle {
    /// Looks after the reserve, and tells people what changed.
    pub(super) async fn look_at_room(&mut self, now: Timestamp) -> Result<(), CycleError> {
        if !self.ledger.waits_for_disk() {
            return Ok(());
        }
        let ledger = Arc::clone(&self.ledger);
        let room = tokio::task::spawn_blocking(move || ledger.tend()).await?;
        let Some(room) = room else {
            return Ok(());
        };
        let bounds = self.settings.room;
        let seen = {
            let known = self.shared.health().room.clone();
            match known {
                Some(mut seen) => {
                    seen.look(room, bounds.warn_below, now);
                    seen
                }
                None => {
                    let told = disk_told(&self.shared.book(), now);
                    RoomSeen::first(room, told, bounds.warn_below, now)
                }
            }
        };
        self.shared.health_mut().room = Some(seen.clone());
        self.tell_scopes(&seen, now);
        let place = self.settings.store_path.display().to_string();
        let policy = &self.settings.policy;
        let told = disk(&self.shared.book(), policy, &seen, bounds, &place, now);
        self.commit(told.into_iter().map(Record::Intent).collect(), now)
            .await?;
        Ok(())
    }

    /// Whether nothing is read that could as well be read later.
    pub(super) fn saves_room(&self) -> bool {
        let health = self.shared.health();
        let seen = health.room.as_ref();
        seen.is_some_and(|it| it.state == RoomState::Short)
    }

    /// The disk is one for all: it is shown as a stage that fails in every account and Region.
    fn tell_scopes(&self, seen: &RoomSeen, now: Timestamp) {
        let fault = (seen.state != RoomState::Ample).then(|| Fault {
            operation: "store:Disk",
            code: "LittleRoom".to_owned(),
            message: seen.words(),
            class: FaultClass::Lost,
        });
        let faults = fault.as_slice();
        self.each_scope(|scope| self.note("disk", scope, faults, now));
    }
}
