//! The tests that use the programs as they are: one binary, one folder a subject.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "long tests say how far they are")]

mod cluster;
mod compat;
mod docker;
mod fleet;
mod house;
mod kubernetes;
mod language;
mod play;
mod ssh;
mod support;
mod worker;
