//! Shell patterns on names (not on paths: `/` is a character like any other).

/// Whether a text fits a pattern of `*`, `?`, `[a-z]` and `[!a-z]`.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    fits(pattern.as_bytes(), text.as_bytes())
}

/// Goes back to the last `*` only, so that time stays linear in pattern times text whatever the pattern is.
fn fits(mut pattern: &[u8], mut text: &[u8]) -> bool {
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        match step(pattern, text) {
            Step::Star(rest) => {
                star = Some((rest, text));
                pattern = rest;
            }
            Step::Match(rest) => (pattern, text) = (rest, &text[1..]),
            Step::End => return true,
            Step::Differs => match star {
                Some((rest, [_, later @ ..])) => {
                    star = Some((rest, later));
                    (pattern, text) = (rest, later);
                }
                _ => return false,
            },
        }
    }
}

/// What the next part of a pattern says of the next byte.
enum Step<'a> {
    Star(&'a [u8]),
    Match(&'a [u8]),
    End,
    Differs,
}

fn step<'a>(pattern: &'a [u8], text: &[u8]) -> Step<'a> {
    let (first, rest) = match (pattern.split_first(), text.first()) {
        (None, None) => return Step::End,
        (Some((b'*', rest)), _) => return Step::Star(rest),
        (Some((first, rest)), Some(_)) => (*first, rest),
        _ => return Step::Differs,
    };
    let byte = text.first().copied().unwrap_or_default();
    match (first, class(rest)) {
        (b'?', _) => Step::Match(rest),
        (b'[', Some((set, rest))) if set.holds(byte) => Step::Match(rest),
        (b'[', Some(_)) => Step::Differs,
        (literal, _) if literal == byte => Step::Match(rest),
        _ => Step::Differs,
    }
}

/// The inside of `[…]`.
struct Class<'a> {
    negated: bool,
    members: &'a [u8],
}

impl Class<'_> {
    fn holds(&self, byte: u8) -> bool {
        let mut rest = self.members;
        let mut found = false;
        while let Some((&first, after)) = rest.split_first() {
            rest = match after {
                [b'-', last, after @ ..] => {
                    found |= (first..=*last).contains(&byte);
                    after
                }
                _ => {
                    found |= first == byte;
                    after
                }
            };
        }
        found != self.negated
    }
}

/// Takes `[…]` apart after its opening bracket; `None` without a closing one.
fn class(rest: &[u8]) -> Option<(Class<'_>, &[u8])> {
    let (negated, inside) = match rest.split_first() {
        Some((b'!', inside)) => (true, inside),
        _ => (false, rest),
    };
    // A closing bracket right at the beginning stands for itself.
    let end = inside.iter().skip(1).position(|byte| *byte == b']')? + 1;
    Some((Class { negated, members: &inside[..end] }, &inside[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn patterns_fit_as_in_a_shell() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("*a*b*", "xxaxxb", true),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[", "[", true),
            ("1.2*", "1.2-3", true),
            ("1.2", "1x2", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_stay_cheap() {
        assert!(!glob(&format!("{}b", "*a".repeat(60)), &"a".repeat(10_000)));
    }
}
