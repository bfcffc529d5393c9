//! Playbooks run by the real program over the local connection: what a person sees, to the letter.
//!
//! Every `cases/*.yml` is run and compared with its snapshot. A line `# args: …` at its top gives options, one run a
//! line. Results are compared in the order of the hosts, since hosts answer when they are done. What tasks do is compared in
//! tests/compat; this is about the text.

mod ad_hoc;
mod canary;
mod interrupt;
mod mistakes;
mod restart;

use crate::support::run::{Run, by_host};

#[test]
fn playbooks_print_what_ansible_users_know() {
    insta::glob!("cases/*.yml", |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let mut runs: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# args:")).collect();
        if runs.is_empty() {
            runs.push("");
        }
        let mut shown = String::new();
        for args in runs {
            let name = path.file_name().unwrap().to_string_lossy();
            let output =
                Run::new(path.parent().unwrap()).args(["play", &name, "-i", "../hosts.ini"]).words(args).go();
            shown += &format!(
                "$ regatta play {name} {}\n{}exit {}\n",
                args.trim(),
                by_host(&output.text()),
                output.code
            );
        }
        insta::assert_snapshot!(shown);
    });
}
