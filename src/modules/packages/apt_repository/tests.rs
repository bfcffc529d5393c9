//! Tests of `apt_repository`.

use super::Args;
use crate::modules::api::Ran;
use crate::modules::api::fake::FakeHost;

const UPDATE: &str = "apt-get -y -o APT::Update::Error-Mode=any update";
const LINE: &str = "deb https://h.org/debian stable main";

fn host() -> FakeHost {
    FakeHost::new()
        .file("/etc/apt/sources.list", "# main\ndeb http://deb.debian.org/debian bookworm main # all\n")
        .dir("/etc/apt/sources.list.d")
        .answer(UPDATE, 0, "")
}

#[test]
fn a_repository_comes_once_and_the_lists_are_updated() {
    let mut host = host();
    let outcome = host.converge::<Args>(&format!("{{repo: '{LINE}'}}"));
    assert_eq!(host.text("/etc/apt/sources.list.d/h_org_debian.list"), format!("{LINE}\n"));
    assert_eq!(host.ran, [UPDATE]);
    assert_eq!(outcome.fields["sources_added"].to_string(), "['/etc/apt/sources.list.d/h_org_debian.list']");
    assert_eq!(
        (outcome.diff[0].before_header.as_str(), outcome.diff[0].after.as_str()),
        ("/dev/null", Some("deb https://h.org/debian stable main\n"))
    );
}

#[test]
fn names_and_modes_of_files_are_obeyed() {
    let mut host = host();
    host.converge::<Args>(&format!("{{repo: '{LINE}', filename: own, mode: '0600', update_cache: false}}"));
    assert_eq!(host.mode("/etc/apt/sources.list.d/own.list"), 0o600);
    assert_eq!(host.ran, [""; 0]);
    // A second line joins the first.
    host.play::<Args>(
        "{repo: 'deb-src https://h.org/debian stable main', filename: own.list, update_cache: false}",
    )
    .unwrap();
    assert_eq!(host.text("/etc/apt/sources.list.d/own.list").lines().count(), 2);
    assert!(host.play::<Args>("{repo: 'deb http://z s m', filename: ../x}").is_err());
}

#[test]
fn a_source_that_is_there_in_any_spelling_is_left_alone() {
    for repo in [
        "deb  http://deb.debian.org/debian   bookworm main",
        "deb http://deb.debian.org/debian bookworm main",
    ] {
        assert!(!host().play::<Args>(&format!("{{repo: '{repo}'}}")).unwrap().changed);
    }
}

#[test]
fn a_source_that_is_commented_out_is_enabled() {
    let mut host = host().file("/etc/apt/sources.list.d/old.list", format!("#{LINE}\n"));
    host.converge::<Args>(&format!("{{repo: '{LINE}'}}"));
    assert_eq!(host.text("/etc/apt/sources.list.d/old.list"), format!("{LINE}\n"));
}

#[test]
fn a_repository_goes_and_its_file_with_it() {
    let mut host = host()
        .file("/etc/apt/sources.list.d/a.list", format!("{LINE}\n"))
        .file("/etc/apt/sources.list.d/b.list", format!("# keep\n{LINE} # note\n"));
    let outcome = host.converge::<Args>(&format!("{{repo: '{LINE}', state: absent}}"));
    assert!(!host.has("/etc/apt/sources.list.d/a.list"));
    assert_eq!(host.text("/etc/apt/sources.list.d/b.list"), "# keep\n");
    assert_eq!(outcome.fields["sources_removed"].to_string(), "['/etc/apt/sources.list.d/a.list']");
}

#[test]
fn a_failed_update_takes_the_change_back() {
    let ran = Ran {
        rc: 100,
        stderr: b"E: The repository 'https://h.org' does not have a Release file.\n".to_vec(),
        ..Ran::default()
    };
    let mut host = FakeHost::new().dir("/etc/apt/sources.list.d").answer_with(UPDATE, ran, None);
    let fail = host.play::<Args>(&format!("{{repo: '{LINE}', update_cache_retries: 0}}")).unwrap_err();
    assert!(fail.msg.starts_with("Failed to update apt cache: "), "{}", fail.msg);
    assert!(fail.msg.contains("does not have a Release file"));
    assert!(!host.has("/etc/apt/sources.list.d/h_org_debian.list"));
}

#[test]
fn nonsense_is_refused() {
    for repo in ["deb", "http://h.org", "deb http://h stable", "ppa:a/b"] {
        assert!(host().play::<Args>(&format!("{{repo: '{repo}'}}")).is_err(), "{repo}");
    }
}
