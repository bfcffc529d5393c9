//! What docs/SECURITY.md claims is shown by tests that are there.

use super::{files, root};

#[test]
fn every_test_that_the_page_on_security_names_is_there() {
    let page = std::fs::read_to_string(root().join("docs/SECURITY.md")).unwrap();
    let code: String = ["src", "tests"]
        .iter()
        .flat_map(|folder| files(folder, "rs"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let quoted: Vec<&str> = page.split('`').skip(1).step_by(2).collect();
    // Names of tests are sentences; others are options and files.
    let names: Vec<&&str> = quoted.iter().filter(|it| it.matches('_').count() > 2).collect();
    assert!(names.len() > 90, "{}", names.len());
    for name in names {
        assert!(code.contains(&format!("fn {name}(")), "there is no test {name}");
    }
}
