//! What became of a changed configuration.

use super::View;
use crate::runtime::shared::Reload;

/// Faults that are told one by one.
const MOST_FAULTS: usize = 20;

impl View<'_> {
    /// Why the last changed configuration was not taken in, in a line.
    pub(super) fn refused(&self) -> Option<String> {
        let reload = self.health.reload.as_ref();
        let reload = reload.filter(|it| !it.faults.is_empty())?;
        let faults = match reload.faults.len() {
            1 => "1 fault".to_owned(),
            more => format!("{more} faults"),
        };
        Some(format!(
            "The changed configuration has {faults} and was not taken in; the one before goes on"
        ))
    }

    /// What people should know of it.
    pub(super) fn reload_notices(&self) -> Vec<String> {
        let Some(reload) = &self.health.reload else {
            return Vec::new();
        };
        let Reload {
            at,
            faults,
            after_restart,
            ..
        } = reload;
        let at = at.strftime("%Y-%m-%d %H:%M UTC");
        let told = faults.iter().take(MOST_FAULTS);
        let mut notices: Vec<String> = told
            .map(|fault| format!("configuration of {at}, not taken in: {fault}"))
            .collect();
        let more = faults.len().saturating_sub(MOST_FAULTS);
        if 0 < more {
            notices.push(format!(
                "and {more} more faults; `bedrock-ops-alert check` shows all"
            ));
        }
        if !after_restart.is_empty() {
            let keys = after_restart.join(", ");
            notices.push(format!(
                "the configuration file says something else of {keys} than what runs: that holds after a restart"
            ));
        }
        notices
    }
}
