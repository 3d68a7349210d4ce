//! Everything between two modules: contracts, laws, judgements, plans, and the texts that people and scripts read.

mod plan;
mod store;
#[cfg(test)]
mod web;
