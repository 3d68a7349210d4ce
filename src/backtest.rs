//! Rules over measured minutes, judged and planned as the daemon does it, without any effect: for `test` and `backtest`.
//!
//! - `walk`: a book in memory that moves through time;
//! - `replay`: which minutes have to be looked at closely;
//! - `cases`: unit tests of rules;
//! - `source`, `table`: where measured minutes come from;
//! - `found`, `score`: what a backtest found;
//! - `difference`: what one configuration does otherwise than another.

pub mod cases;
pub mod difference;
pub mod found;
mod replay;
pub mod score;
pub mod source;
pub mod table;
mod walk;

pub use replay::{Past, Replay};
pub use walk::{By, Step, Walk};
