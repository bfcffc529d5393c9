//! The lines of `/etc/fstab`. Comments and lines of other mounts stay as they are.

/// A line of fstab, its fields without escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// What is mounted.
    pub source: String,
    /// Where; `none` or `swap` for swap.
    pub path: String,
    /// The type of file system.
    pub kind: String,
    pub options: String,
    pub dump: String,
    pub pass: String,
}

impl Entry {
    /// None for comments, empty lines and what is no entry.
    pub(super) fn parse(line: &str) -> Option<Entry> {
        let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
        let [source, path, kind, rest @ ..] = words.as_slice() else { return None };
        let field =
            |at: usize, default: &str| rest.get(at).map_or_else(|| default.to_owned(), |it| unescape(it));
        (rest.len() <= 3).then(|| Entry {
            source: unescape(source),
            path: unescape(path),
            kind: unescape(kind),
            options: field(0, "defaults"),
            dump: field(1, "0"),
            pass: field(2, "0"),
        })
    }

    /// The line, with its newline.
    pub(super) fn line(&self) -> String {
        let Entry { source, path, kind, options, dump, pass } = self;
        let fields = [source, path, kind, options, dump, pass].map(|field| escape(field));
        format!("{}\n", fields.join(" "))
    }

    pub(super) fn is_swap(&self) -> bool {
        self.kind == "swap"
    }
}

/// Which lines are meant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Which<'a> {
    pub path: &'a str,
    pub source: Option<&'a str>,
    pub swap: bool,
}

impl Which<'_> {
    /// Swap areas all have the same path: it is the source that tells them apart.
    fn is(self, entry: &Entry) -> bool {
        let same_path = trimmed(&entry.path) == trimmed(self.path);
        match self.source {
            Some(source) if entry.is_swap() => entry.source == source && (self.swap || same_path),
            _ => same_path,
        }
    }
}

fn trimmed(path: &str) -> &str {
    if path == "/" { path } else { path.trim_end_matches('/') }
}

/// A table with changed lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changed {
    /// The whole text.
    pub text: String,
    /// The lines that were there.
    pub old: Vec<Entry>,
}

/// The table with one line for the entry; none if it is so already.
pub(super) fn with(text: &str, which: Which<'_>, wanted: &Entry) -> Option<Changed> {
    let mut changed = cut(text, which);
    if changed.old == [wanted.clone()] {
        return None;
    }
    let at = text.split_inclusive('\n').take_while(|line| !is(line, which)).map(str::len).sum::<usize>();
    // What stands before the first of the old lines was kept whole.
    let at = if changed.old.is_empty() { changed.text.len() } else { at };
    let mut line = wanted.line();
    if at > 0 && !changed.text[..at].ends_with('\n') {
        line.insert(0, '\n');
    }
    changed.text.insert_str(at, &line);
    Some(changed)
}

/// The table without the lines; none if there are none.
pub(super) fn without(text: &str, which: Which<'_>) -> Option<Changed> {
    Some(cut(text, which)).filter(|changed| !changed.old.is_empty())
}

fn is(line: &str, which: Which<'_>) -> bool {
    Entry::parse(line).is_some_and(|entry| which.is(&entry))
}

fn cut(text: &str, which: Which<'_>) -> Changed {
    let (own, others): (Vec<&str>, Vec<&str>) = text.split_inclusive('\n').partition(|line| is(line, which));
    Changed { text: others.concat(), old: own.into_iter().filter_map(Entry::parse).collect() }
}

fn escape(field: &str) -> String {
    let mut out = String::with_capacity(field.len());
    for c in field.chars() {
        match c {
            ' ' | '\t' | '\n' | '\r' | '\\' | '&' | '#' => out.push_str(&format!("\\{:03o}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// A field without its octal escapes; mountinfo has the same.
pub(super) fn unescape(field: &str) -> String {
    let bytes = field.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = field.get(at + 1..at + 4).filter(|_| byte == b'\\');
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(escaped) => {
                out.push(escaped);
                at += 4;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: &str) -> Entry {
        Entry::parse(line).unwrap()
    }

    const FSTAB: &str = "# all\n/dev/sda1 / ext4 defaults 0 1\n\n/swap1 none swap sw 0 0\n/swap2 none swap sw 0 0\n\
                         /dev/sdb1 /data xfs noatime # old\n";

    #[test]
    fn lines_are_added_changed_and_removed() {
        let which = |path| Which { path, source: None, swap: false };
        let new = entry("/dev/sdb1 /data xfs ro 0 2");
        let changed = with(FSTAB, which("/data"), &new).unwrap();
        assert_eq!(
            changed.text,
            FSTAB.replace("/dev/sdb1 /data xfs noatime # old", "/dev/sdb1 /data xfs ro 0 2")
        );
        assert_eq!(changed.old[0].options, "noatime");
        assert_eq!(with(&changed.text, which("/data/"), &new), None);

        let more = entry("a:/b /mnt nfs");
        let changed = with(FSTAB.trim_end(), which("/mnt"), &more).unwrap();
        assert_eq!(changed.text, format!("{FSTAB}a:/b /mnt nfs defaults 0 0\n"));
        assert_eq!(with("", which("/mnt"), &more).unwrap().text, "a:/b /mnt nfs defaults 0 0\n");

        assert_eq!(
            without(FSTAB, which("/")).unwrap().text,
            FSTAB.replace("/dev/sda1 / ext4 defaults 0 1\n", "")
        );
        assert_eq!(without(FSTAB, which("/none")), None);
    }

    #[test]
    fn swap_areas_are_told_apart_by_their_source() {
        let all = Which { path: "none", source: None, swap: true };
        assert_eq!(without(FSTAB, all).unwrap().old.len(), 2);
        for path in ["none", "swap"] {
            let one = Which { path, source: Some("/swap2"), swap: true };
            assert_eq!(without(FSTAB, one).unwrap().text, FSTAB.replace("/swap2 none swap sw 0 0\n", ""));
        }
        let third = Which { path: "none", source: Some("/swap3"), swap: true };
        assert_eq!(with(FSTAB, third, &entry("/swap3 none swap")).unwrap().old, []);
    }

    #[test]
    fn fields_are_escaped() {
        let strange = Entry { source: "//h/a b#c".into(), path: "/x\\y\tz&".into(), ..entry("a b c") };
        let line = strange.line();
        assert_eq!(line, "//h/a\\040b\\043c /x\\134y\\011z\\046 c defaults 0 0\n");
        assert_eq!(entry(&line), strange);
        assert_eq!(unescape("a\\9z\\04"), "a\\9z\\04");
        for line in ["", "# a b c", "a b", "a b c d 0 0 more"] {
            assert_eq!(Entry::parse(line), None, "{line}");
        }
    }
}
