//! No file is a drawer.

use super::{files, root};

const MOST: usize = 500;

#[test]
fn no_file_is_over_five_hundred_lines() {
    let long: Vec<String> = ["src", "tests", "benches"]
        .iter()
        .flat_map(|folder| files(folder, "rs"))
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap().lines().count()))
        .filter(|(_, lines)| *lines > MOST)
        .map(|(path, lines)| format!("{}: {lines} lines", path.strip_prefix(root()).unwrap().display()))
        .collect();
    assert!(long.is_empty(), "make a folder of parts of these:\n{}", long.join("\n"));
}
