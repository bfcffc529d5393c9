//! The tests that use the programs as they are: one binary, one folder a subject.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod compat;
mod docker;
mod house;
mod kubernetes;
mod language;
mod play;
mod security;
mod ssh;
mod support;
mod worker;
