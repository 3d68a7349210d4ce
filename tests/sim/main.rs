//! Simulated worlds by seed: every fault at once, promises checked after every step, convergence once the faults stop;
//! how long it takes until people know, and whether
//! what they know is what happened.

mod all_models;
mod blind;
mod by_pool;
mod callers;
mod carried;
mod closed;
mod cost;
mod crowd;
mod dark;
mod drift;
mod files;
mod keeping;
mod latency;
mod leaving;
mod linked;
mod lost;
mod mantle;
mod organisation;
mod ran;
mod residency;
mod silences;
mod stopped;
mod support;
mod tags;
mod theirs;
mod totals;
mod trail;
mod twins;
mod unused;
mod week;
mod wire_worlds;
mod worlds;
