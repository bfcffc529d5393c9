//! `vault` and `unvault` against ansible-core 2.18.

use super::check;

#[test]
fn text_is_encrypted_as_ansible_does_with_the_same_salt() {
    let body = "37343638363537333631366337340a30326436653237356461383635313530376437653765616335\\n\
                6364323037643138656236623134323339373934363233346338623039336662373636656439300a\\n\
                6332633162366532303863313635343063303061626536396539333364623235\\n";
    let default = format!("'$ANSIBLE_VAULT;1.2;AES256;filter_default\\n{body}'");
    let labelled = format!("'$ANSIBLE_VAULT;1.2;AES256;lab\\n{body}'");
    check(&[
        ("'abc' | vault('k', 'thesalt')", &default),
        ("'abc' | vault('k', 'thesalt', 'lab')", &labelled),
        ("'abc' | vault('k') | unvault('k')", "'abc'"),
        ("'abc' | unvault('k')", "'abc'"),
        ("'abc' | vault('k') | unvault('other')", "!"),
        ("('abc' | vault('k')) is vault_encrypted", "False"),
    ]);
}
