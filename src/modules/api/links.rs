//! Following symbolic links by looking.

use std::path::{Path, PathBuf};

use super::{Fail, FileKind, Look};

/// Where a chain of links that begins at `path` ends, whether something is there or not.
///
/// # Errors
/// More than 40 links one after another.
pub fn follow_links(host: &dyn Look, path: &Path) -> Result<PathBuf, Fail> {
    let mut at = path.to_owned();
    for _ in 0..40 {
        if host.stat(&at, false)?.is_none_or(|stat| stat.kind != FileKind::Symlink) {
            return Ok(at);
        }
        let target = host.read_link(&at)?;
        at = at.parent().map_or_else(|| target.clone(), |parent| parent.join(&target));
    }
    Err(Fail::new(format!("{}: too many links one after another", path.display())))
}
