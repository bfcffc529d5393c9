//! The program on the host: serves one controller over its standard input and output.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    regatta::worker::run(&arguments)
}
