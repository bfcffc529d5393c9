//! The figures that are promised, measured: `cargo bench`. Ratios are taken in one run against plain `ssh` doing the same
//! checks; every figure is the median of several runs. Prints a table; judges nothing.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures and fails by panicking"
)]

#[allow(dead_code, reason = "the benches use some of it")]
#[path = "../tests/support/sshd.rs"]
mod sshd;

mod library;
mod programs;

use std::time::{Duration, Instant};

fn main() {
    // `cargo test --benches` calls with `--test`: nothing is measured then.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    println!("{:<58} {:>12} {:>12}", "figure", "measured", "target");
    library::all();
    programs::all();
}

/// Prints a row of the table.
fn row(name: &str, measured: &str, target: &str) {
    println!("{name:<58} {measured:>12} {target:>12}");
}

/// The median time of several runs after one that does not count.
fn median(runs: usize, mut work: impl FnMut()) -> Duration {
    work();
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
