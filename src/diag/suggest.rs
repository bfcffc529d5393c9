//! "Did you mean": the one way to find a close name.

/// The known name that is closest to `word`, if one is close enough to be worth showing.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    let score = |name: &str| strsim::jaro_winkler(&folded, &name.to_lowercase());
    known
        .into_iter()
        .filter(|name| *name != word)
        .map(|name| (score(name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(score, _)| *score > 0.8)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn finds_near_misses_only() {
        assert_eq!(closest("ownr", ["owner", "group"]), Some("owner"));
        assert_eq!(closest("zzz", ["owner", "group"]), None);
    }
}
