//! Where inside a value something is: `vars.users[2].name`. Errors carry it, and source positions are found by it.

use std::fmt;

use super::{Str, Value};

/// A way from the root of a value to something inside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into a mapping.
    Key(Str),
    /// Into a list.
    Index(usize),
}

impl Path {
    /// This path and one more key.
    #[must_use]
    pub fn key(mut self, key: &str) -> Path {
        self.0.push(Step::Key(key.into()));
        self
    }

    /// This path and one more index.
    #[must_use]
    pub fn index(mut self, index: usize) -> Path {
        self.0.push(Step::Index(index));
        self
    }

    /// What is at this path in `root`.
    #[must_use]
    pub fn find<'a>(&self, root: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(root, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.as_list()?.get(*index),
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if i == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_it_prints() {
        let root = Value::from_pairs([("a", Value::list(vec![Value::from_pairs([("b", 1)])]))]);
        let path = Path::default().key("a").index(0).key("b");
        assert_eq!(path.to_string(), "a[0].b");
        assert_eq!(path.find(&root), Some(&Value::from(1)));
        assert_eq!(Path::default().key("x").find(&root), None);
    }
}
