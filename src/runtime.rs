//! What keeps the three layers going: clock, cycle, ticks, shutdown, and the view that the web shows.

pub mod shared;
