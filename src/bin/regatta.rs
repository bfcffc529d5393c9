//! The controller's command line.

fn main() {}
