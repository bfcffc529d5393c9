//! The tests on whole hosts, from `scripts/fleet`. They wait for their turn: the cluster alone wants the machine for itself.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod cluster;
mod fleet;
#[allow(dead_code, reason = "the other tests use all of it")]
#[path = "../support/run.rs"]
mod run;

/// A line for whoever waits. What is printed through macros is shown at the end, and only of tests that failed.
fn say(line: &str) {
    use std::io::Write;
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
