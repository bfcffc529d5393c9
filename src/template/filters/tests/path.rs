//! Paths.

use super::check;

const CASES: &[(&str, &str)] = &[
    ("'/a/b/c.txt'|basename", "'c.txt'"),
    ("'/a/b/'|basename", "''"),
    ("'/a/b/c.txt'|dirname", "'/a/b'"),
    ("'/a/b/'|dirname", "'/a/b'"),
    ("'c'|dirname", "''"),
    ("'/c'|dirname", "'/'"),
    ("['/a','b','c']|path_join", "'/a/b/c'"),
    ("['/a','/b','c']|path_join", "'/b/c'"),
    ("['a/','b']|path_join", "'a/b'"),
    ("['a','']|path_join", "'a/'"),
    ("'a'|path_join", "'a'"),
    ("'/a/b.tar.gz'|splitext", "('/a/b.tar', '.gz')"),
    ("'.bashrc'|splitext", "('.bashrc', '')"),
    ("'/a.b/c'|splitext", "('/a.b/c', '')"),
    ("'a.'|splitext", "('a', '.')"),
    ("'/a/./b//../c'|normpath", "'/a/c'"),
    ("'../../a'|normpath", "'../../a'"),
    ("'//a/b'|normpath", "'//a/b'"),
    ("''|normpath", "'.'"),
    ("'/../a'|normpath", "'/a'"),
    ("'a/..'|normpath", "'.'"),
    ("'/a/b/c'|relpath('/a')", "'b/c'"),
    ("'/a/b'|relpath('/a/c/d')", "'../../b'"),
    ("'/a'|relpath('/a')", "'.'"),
    ("['/a/b/c','/a/b/d']|commonpath", "'/a/b'"),
    ("['a/b','a']|commonpath", "'a'"),
    ("'$NOPE/x${NOPE}'|expandvars", "'$NOPE/x${NOPE}'"),
    (r"'C:\\a\\b.txt'|win_basename", "'b.txt'"),
    (r"'C:\\a\\b.txt'|win_dirname", r"'C:\\a'"),
    (r"'C:\\a\\b.txt'|win_splitdrive", r"('C:', '\\a\\b.txt')"),
    (r"'\\\\host\\share\\x\\y'|win_splitdrive", r"('\\\\host\\share', '\\x\\y')"),
    (r"'C:\\'|win_dirname", r"'C:\\'"),
    ("'a/b'|win_basename", "'b'"),
];

#[test]
fn paths_behave_as_in_python() {
    check(CASES);
}
