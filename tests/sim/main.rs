//! Simulated worlds by seed: every fault at once, promises checked after every step, convergence once the faults stop;
//! and how long it takes until people know.

mod cost;
mod dark;
mod keeping;
mod latency;
mod support;
mod wire_worlds;
mod worlds;
