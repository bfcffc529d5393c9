//! The controller's command line.

use regatta::cli::{self, Exit};

fn main() -> Exit {
    cli::main(std::env::args_os().collect())
}
