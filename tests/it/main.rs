//! Everything between two modules: contracts, laws, judgements, plans, and the texts that people and scripts read.

#[cfg(test)]
mod discover;
mod hints;
mod iam;
mod plan;
mod store;
#[cfg(test)]
mod web;
