//! What keeps the three layers going: clock, ticks, the cycle, shutdown, and the view that the web shows.

pub mod buttons;
pub mod clock;
pub mod cycle;
pub mod daemon;
pub mod elsewhere;
pub mod heartbeat;
pub mod history;
pub mod moment;
pub mod portrait;
pub mod prospect;
mod pulse;
pub mod reload;
pub mod service;
pub mod shared;
pub mod sim_clock;
pub mod switch;
pub mod telemetry;
pub mod ticks;
