//! Layer 3: from verdicts to effects. `plan` decides and is pure; `perform` carries out and decides nothing.

pub mod perform;
pub mod plan;
