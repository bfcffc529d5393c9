//! Filters of listings: `{label: [a, b], until: 24h}` as the client's `--filter` words.

use super::pairs::Pairs;
use crate::modules::api::{Fail, Value};

/// The client's words for filters. A list gives one filter an item, a truth value its word.
///
/// # Errors
/// A mapping as a value.
pub fn words(filters: &Pairs) -> Result<Vec<String>, Fail> {
    let mut words = Vec::new();
    for (name, value) in &filters.0 {
        let values = match value {
            Value::List(values) => values.to_vec(),
            value => vec![value.clone()],
        };
        for value in values {
            let text = match value {
                Value::Bool(it) => it.to_string(),
                Value::Map(_) => {
                    return Err(Fail::new(format!("the filter {name} must be text or a list of texts")));
                }
                other => other.to_string(),
            };
            words.extend(["--filter".to_owned(), format!("{name}={text}")]);
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_all_kinds_are_filters() {
        let filters = Pairs(
            Value::from_pairs([
                ("label", Value::list(vec!["a".into(), "b=c".into()])),
                ("dangling", Value::from(true)),
                ("until", Value::from("24h")),
            ])
            .into_map(),
        );
        assert_eq!(
            words(&filters).unwrap().join(" "),
            "--filter label=a --filter label=b=c --filter dangling=true --filter until=24h"
        );
        assert!(
            words(&Pairs(Value::from_pairs([("a", Value::from_pairs([("b", "c")]))]).into_map())).is_err()
        );
    }
}
