//! Which tasks run: `--tags` and `--skip-tags` against a task's tags.

use crate::value::Str;

/// Whether a task with these tags runs.
#[must_use]
pub fn selected(tags: &[Str], only: &[Str], skip: &[Str]) -> bool {
    let has = |name: &str| tags.iter().any(|tag| &**tag == name);
    let asked = |list: &[Str], name: &str| list.iter().any(|tag| &**tag == name);
    let named = |list: &[Str]| tags.iter().any(|tag| list.contains(tag));
    let untagged = tags.iter().all(|tag| &**tag == "untagged");
    let run = if only.is_empty() {
        !has("never")
    } else {
        let unasked = has("always")
            || asked(only, "all")
            || asked(only, "tagged") && !untagged
            || asked(only, "untagged") && untagged;
        named(only) || unasked && !has("never")
    };
    let skipped = !skip.is_empty()
        && (named(skip)
            || asked(skip, "all") && (!has("always") || asked(skip, "always"))
            || asked(skip, "tagged") && !untagged
            || asked(skip, "untagged") && untagged);
    run && !skipped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_select_as_documented() {
        // tags of the task, --tags, --skip-tags, runs
        let cases: &[(&str, &str, &str, bool)] = &[
            ("", "", "", true),
            ("a", "", "", true),
            ("never", "", "", false),
            ("never a", "a", "", true),
            ("never a", "never", "", true),
            ("never a", "all", "", false),
            ("a", "a", "", true),
            ("b", "a", "", false),
            ("", "a", "", false),
            ("always", "a", "", true),
            ("always", "a", "always", false),
            ("a", "tagged", "", true),
            ("", "tagged", "", false),
            ("", "untagged", "", true),
            ("a", "untagged", "", false),
            ("a b", "", "b", false),
            ("a", "all", "", true),
            ("", "", "untagged", false),
            ("a", "", "tagged", false),
            ("always", "", "all", true),
        ];
        let list = |text: &str| text.split_whitespace().map(Str::from).collect::<Vec<_>>();
        for (tags, only, skip, runs) in cases {
            assert_eq!(
                selected(&list(tags), &list(only), &list(skip)),
                *runs,
                "{tags:?} -t {only:?} --skip-tags {skip:?}"
            );
        }
    }
}
