//! Facts that are kept from run to run, as Ansible's `jsonfile` cache does: a folder with a JSON file for each host.
//!
//! A file that can't be read counts as none. What is in it came from a host: it is data, never a template.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::value::{Map, Value};

/// The cache of facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactCache {
    /// The folder (`fact_caching_connection`).
    pub folder: PathBuf,
    /// What file names begin with (`fact_caching_prefix`).
    pub prefix: String,
    /// How long facts count (`fact_caching_timeout`); none: for ever.
    pub timeout: Option<Duration>,
}

impl FactCache {
    /// The file of a host; none for a name that would lead elsewhere.
    fn file(&self, host: &str) -> Option<PathBuf> {
        let safe = !host.contains('/') && host != "." && host != "..";
        safe.then(|| self.folder.join(format!("{}{host}", self.prefix)))
    }

    /// The facts of a host, if there are some that are not too old.
    #[must_use]
    pub fn load(&self, host: &str) -> Option<Map> {
        let path = self.file(host)?;
        let modified = fs::metadata(&path).ok()?.modified().ok()?;
        let age = SystemTime::now().duration_since(modified).unwrap_or_default();
        if self.timeout.is_some_and(|timeout| age > timeout) {
            return None;
        }
        match serde_json::from_slice::<serde_json::Value>(&fs::read(&path).ok()?).map(Value::from) {
            Ok(Value::Map(facts)) => Some((*facts).clone()),
            _ => None,
        }
    }

    /// Keeps the facts of a host.
    ///
    /// # Errors
    /// If the folder or the file can't be written.
    pub fn store(&self, host: &str, facts: &Map) -> io::Result<()> {
        let Some(path) = self.file(host) else { return Ok(()) };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        let mut sorted: Vec<_> = facts.iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(b.0));
        let sorted =
            Value::map(sorted.into_iter().map(|(name, value)| (name.clone(), value.clone())).collect());
        let json = serde_json::to_vec_pretty(&serde_json::Value::from(&sorted))?;
        file.write_all(&json)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Forgets the facts of a host.
    pub fn forget(&self, host: &str) {
        if let Some(path) = self.file(host) {
            // There is nothing to forget if there is no such file.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn cache(folder: &std::path::Path, timeout: Option<u64>) -> FactCache {
        FactCache {
            folder: folder.join("facts"),
            prefix: "p_".into(),
            timeout: timeout.map(Duration::from_secs),
        }
    }

    #[test]
    fn facts_are_kept_until_they_are_too_old_or_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), Some(60));
        let facts = Map::from_iter([("b".into(), Value::Int(1)), ("a".into(), Value::from("{{ x }}"))]);
        assert_eq!(cache.load("h"), None);
        cache.store("h", &facts).unwrap();
        let path = cache.folder.join("p_h");
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\n  \"a\": \"{{ x }}\",\n  \"b\": 1\n}");
        assert_eq!(fs::metadata(&cache.folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(cache.load("h").unwrap().get("b"), Some(&Value::Int(1)));

        let old = SystemTime::now() - Duration::from_secs(61);
        fs::File::open(&path).unwrap().set_modified(old).unwrap();
        assert_eq!(cache.load("h"), None);
        assert!(self::cache(folder.path(), None).load("h").is_some());
        fs::write(&path, "no json").unwrap();
        assert_eq!(cache.load("h"), None);
        cache.forget("h");
        assert!(!path.exists());
    }

    #[test]
    fn a_host_can_not_name_a_file_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let cache = FactCache { prefix: String::new(), ..cache(folder.path(), None) };
        cache.store("../x", &Map::new()).unwrap();
        cache.store("..", &Map::new()).unwrap();
        assert!(!folder.path().join("x").exists());
        assert_eq!(cache.load("../x"), None);
    }
}
