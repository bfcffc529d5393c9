//! The program on the host: serves one controller over its standard input and output.

fn main() {}
