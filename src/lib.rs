//! Bedrock Ops Alert: watches Amazon Bedrock capacity and acts on it. Start reading at `ARCHITECTURE.md`.

// In reading order: vocabulary, the port to the world, the three layers, what serves them, the edge.
pub mod model;

pub mod cloud;
pub mod template;

pub mod act;
pub mod collect;
pub mod engine;

pub mod aws;
pub mod config;
pub mod runtime;
pub mod sim;
pub mod store;
pub mod web;

pub mod backtest;

#[cfg(any(test, fuzzing))]
pub mod fuzzing;

pub mod app;
pub mod cli;
