//! The vocabulary: plain data that every layer shares, and nothing that acts.
//!
//! Belongs here: ids, units, time, what was measured, what was judged, what is open, what is to be done.
//! Does not belong here: IO, clocks, async, randomness, serialisation (the store and the config lay out their own
//! bytes; a minute and a way are themselves wherever the engine's state is kept).

pub mod access;
pub mod action;
pub mod alert;
pub mod audit;
pub mod book;
pub mod calendar;
pub mod card;
pub mod catalog;
pub mod desk;
pub mod digest;
pub mod handling;
pub mod hint;
pub mod history;
pub mod ids;
pub mod incident;
pub mod inert;
pub mod inhibit;
pub mod links;
pub mod order;
pub mod outcome;
pub mod outlook;
pub mod permit;
pub mod policy;
pub mod price;
pub mod quota;
pub mod ran;
pub mod reason;
pub mod receiver;
pub mod residency;
pub mod room;
pub mod rule;
pub mod selector;
pub mod series;
pub mod sight;
pub mod silence;
pub mod spend;
pub mod tags;
pub mod time;
pub mod units;
pub mod unusual;
pub mod uses;
pub mod worth;
