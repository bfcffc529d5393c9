//! Comments.

use super::check;

const CASES: &[(&str, &str)] = &[
    ("'hi'|comment", r"'#\n# hi\n#'"),
    (r"'hi\nthere\n'|comment", r"'#\n# hi\n# there\n# \n#'"),
    (r"'hi\nthere'|comment('erlang')", r"'%\n% hi\n% there\n%'"),
    (r"'hi\nthere'|comment('c')", r"'//\n// hi\n// there\n//'"),
    (r"'hi\nthere'|comment('cblock')", r"'/*\n *\n * hi\n * there\n *\n */'"),
    (r"'hi\nthere'|comment('xml')", r"'<!--\n -\n - hi\n - there\n -\n-->'"),
    ("'hi'|comment(decoration='! ')", r"'!\n! hi\n!'"),
    (r"'hi\n\nx'|comment(prefix='###',postfix='%%%')", r"'###\n# hi\n#\n# x\n%%%'"),
    (
        r"'hi'|comment('plain', prefix='#######\n#', postfix='#\n#######\n   ###\n    #')",
        r"'#######\n#\n# hi\n#\n#######\n   ###\n    #'",
    ),
    ("'hi'|comment(prefix_count=3,postfix_count=0)", r"'#\n#\n#\n# hi'"),
    (r"'hi'|comment('cblock',beginning='<<',end='>>',newline='\r\n')", r"'<<\r\n *\r\n * hi\r\n *\r\n>>'"),
    ("'hi'|comment('nope')", "!"),
    ("''|comment", r"'#\n# \n#'"),
];

#[test]
fn comments_look_as_ansibles() {
    check(CASES);
}
