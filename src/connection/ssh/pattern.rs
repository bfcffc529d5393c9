//! The patterns of ssh: `*` and `?`, lists of them, and `!` for "but not". Used by the configuration and by known_hosts.

/// Whether `text` is what the pattern describes: `*` is any run of characters, `?` any one.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen) = (0, 0);
    // Where to go on when what followed the last star turned out wrong.
    let mut retry: Option<(usize, usize)> = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some('*') => {
                retry = Some((at, seen));
                at += 1;
            }
            Some(&c) if c == '?' || c == text[seen] => {
                at += 1;
                seen += 1;
            }
            _ => {
                let Some((star, from)) = retry else { return false };
                retry = Some((star, from + 1));
                at = star + 1;
                seen = from + 1;
            }
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// Whether one of the patterns fits and none of those with `!` does.
pub(super) fn list_matches<'a>(patterns: impl IntoIterator<Item = &'a str>, text: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(except) if matches(except, text) => return false,
            Some(_) => {}
            None => found |= matches(pattern, text),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_as_in_ssh() {
        for (pattern, text, expected) in [
            ("web", "web", true),
            ("web", "web1", false),
            ("web?", "web1", true),
            ("web?", "web", false),
            ("*", "", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("10.0.*.?", "10.0.12.7", true),
            ("10.0.*.?", "10.0.12.77", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("**", "anything", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_negated_pattern_wins_wherever_it_stands() {
        for (patterns, text, expected) in [
            ("web*,!web3", "web1", true),
            ("web*,!web3", "web3", false),
            ("!web3,web*", "web3", false),
            ("!web3", "web1", false),
            ("", "web1", false),
        ] {
            assert_eq!(list_matches(patterns.split(','), text), expected, "{patterns} {text}");
        }
    }
}
