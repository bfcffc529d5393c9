//! Playbooks that ansible-core ran once, run again by the real program: the same tasks, results, counts and exit codes.
//!
//! `cases/AREA/NAME.yml` is a case; `NAME.txt` beside it is what ansible-core did (`record.py` writes it and describes the
//! form). Where the two differ for a reason, `NAME.differs.txt` is what this program does instead, and docs/COMPATIBILITY.md
//! says why. `COMPAT=word` picks the cases with that word in their path; `UPDATE=1` writes the `.differs.txt` that exist.

mod support;
mod transcript;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::run::Run;

/// One run that a case asks for.
struct Wanted {
    args: String,
    env: Vec<(String, String)>,
}

/// The runs of a playbook, and whether the order of its tasks does not matter.
fn header(text: &str) -> (Vec<Wanted>, bool) {
    let (mut runs, mut env, mut any_order) = (Vec::new(), Vec::new(), false);
    for line in text.lines() {
        if let Some(args) = line.strip_prefix("# args:") {
            runs.push(Wanted { args: args.trim().to_owned(), env: env.clone() });
        } else if let Some(words) = line.strip_prefix("# env:") {
            let words = shlex::split(words).unwrap();
            env.extend(
                words
                    .iter()
                    .filter_map(|word| word.split_once('='))
                    .map(|(a, b)| (a.to_owned(), b.to_owned())),
            );
        } else if line.starts_with("# any order") {
            any_order = true;
        }
    }
    if runs.is_empty() {
        runs.push(Wanted { args: String::new(), env });
    }
    (runs, any_order)
}

/// What this program does with a case, as a transcript.
fn play(case: &Path) -> String {
    let (runs, any_order) = header(&std::fs::read_to_string(case).unwrap());
    let name = case.file_name().unwrap().to_string_lossy().into_owned();
    let mut text = String::new();
    for wanted in runs {
        let mut run =
            Run::new(case.parent().unwrap()).args(["play", &name, "--output", "jsonl"]).words(&wanted.args);
        if !shlex::split(&wanted.args).unwrap().iter().any(|word| word == "-i" || word == "--inventory") {
            run = run.args(["-i", "../../hosts.ini"]);
        }
        for (key, value) in &wanted.env {
            run = run.env(key, value);
        }
        let output = run.go();
        text += format!("$ {name} {}", wanted.args).trim_end();
        text += "\n";
        text += &transcript::of(&output.stdout.replace(&output.home, "HOME"), case, any_order);
        text += &format!("EXIT {}\n", output.code);
    }
    text
}

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat/cases");
    let word = std::env::var("COMPAT").unwrap_or_default();
    let mut found: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .flat_map(|area| std::fs::read_dir(area.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yml"))
        .filter(|path| path.to_string_lossy().contains(&word))
        .collect();
    found.sort();
    found
}

/// What is wrong with a case: nothing, or a text for the one who reads.
fn compare(case: &Path, documented: &str) -> Option<String> {
    let short =
        format!("{}/{}", case.parent()?.file_name()?.to_string_lossy(), case.file_stem()?.to_string_lossy());
    let Ok(theirs) = std::fs::read_to_string(case.with_extension("txt")) else {
        return Some(format!("{short}: not recorded yet: run tests/compat/record.py"));
    };
    let ours = play(case);
    let differs = case.with_extension("differs.txt");
    if !differs.exists() {
        return (ours != theirs)
            .then(|| format!("{short} differs from ansible-core\n{}", diff(&theirs, &ours)));
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&differs, &ours).unwrap();
    }
    let kept = std::fs::read_to_string(&differs).unwrap();
    if ours != kept {
        Some(format!("{short} changed\n{}", diff(&kept, &ours)))
    } else if ours == theirs {
        Some(format!("{short} does not differ any more: remove its .differs.txt"))
    } else if !documented.contains(&format!("`{short}`")) {
        Some(format!("{short} differs, and docs/COMPATIBILITY.md does not say why"))
    } else {
        None
    }
}

fn diff(theirs: &str, ours: &str) -> String {
    similar::TextDiff::from_lines(theirs, ours)
        .unified_diff()
        .context_radius(2)
        .header("ansible-core", "regatta")
        .to_string()
}

#[test]
fn playbooks_do_what_they_do_with_ansible() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documented = std::fs::read_to_string(root.join("docs/COMPATIBILITY.md")).unwrap_or_default();
    let cases = cases();
    let (next, problems) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(problem) = compare(case, &documented) {
                        problems.lock().unwrap().push(problem);
                    }
                }
            });
        }
    });
    let mut problems = problems.into_inner().unwrap();
    problems.sort();
    assert!(problems.is_empty(), "{} of {} cases:\n{}", problems.len(), cases.len(), problems.join("\n"));
}
