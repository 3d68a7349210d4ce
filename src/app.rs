//! Wiring: which parts make the service, the demo and the simulated AWS.

pub mod cost;
pub mod demo;
pub mod discover;
pub mod doctor;
pub mod drill;
pub mod init;
pub mod log;
pub mod notify;
pub mod ran;
pub mod run;
pub mod sim;
pub mod summary;
