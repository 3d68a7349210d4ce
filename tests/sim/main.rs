//! Simulated worlds by seed: every fault at once, promises checked after every step, convergence once the faults stop.

mod support;
mod worlds;
