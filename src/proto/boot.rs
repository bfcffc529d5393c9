//! Bringing a worker up: the line of `sh` that runs the worker a user has cached or takes a new one from its
//! standard input, and what that line and the worker's start say back.
//!
//! Used twice: by the controller for a host (`connection::push`), by a worker for another user (`worker::identity`).
//!
//! Every message of the line begins with a nonce that the line itself holds only in two halves, so that neither the
//! greetings of a login shell nor a shell that echoes its commands can be taken for one.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// How much a login shell may print before the first message, in bytes.
pub const NOISE: usize = 64 << 10;

/// What the worker's program is called on a host.
pub const PROGRAM: &str = "regatta-worker";

/// The script. POSIX sh on one line without single quotes and exclamation marks, because it travels in single quotes
/// through whatever login shell there is, csh and fish included. Arguments: both halves of the nonce, and for each
/// machine `system/cpu=sha256:size` of the worker for it.
///
/// The rules it keeps: the program is only ever run from a directory that belongs to this user, has mode 0700 and is
/// no link, entered with `cd` first so that it can't be swapped; it is checked against its hash each time; a new one
/// is written beside it, checked, and renamed. Where the cache can't be used, a new private directory elsewhere
/// serves, which the worker removes as soon as it runs.
const SCRIPT: &str = concat!(
    r#"a=$1 b=$2 l=$3 o=$PWD w=regatta-worker h= t= c=; u=$(umask); umask 077; i=$(id -u); "#,
    r#"say() { printf "%s%s %s\n" "$a" "$b" "$*"; }; "#,
    r#"no() { say no "$1: $(printf %s "$2" | tr "\n\r" "  ")"; bye; }; "#,
    r#"bye() { rm -f "./.$a"; cd /; case $t in /*) rm -rf "$t"; t=;; esac; }; "#,
    r#"mine() { set -- $(ls -ldn .); case $1/$3 in drwx--?---*/$i) return 0;; esac; return 1; }; "#,
    r#"good() { if command -v sha256sum >/dev/null 2>&1; then case $(sha256sum < "$1") in $h*) return 0;; esac; "#,
    r#"return 1; fi; [ $(wc -c < "$1") -eq "$n" ]; }; "#,
    r#"run() { trap - 0; umask $u; exec "./$w" serve "$a" "$b" "$o" "$@"; }; "#,
    r#"set -- $(uname -sm); k=$1/$2; "#,
    r#"for x in $l; do case $x in "$k"=*) x=${x#*=}; h=${x%:*} n=${x#*:};; esac; done; "#,
    r#"case $h in "") say machine "$k"; exit 1;; esac; "#,
    r#"case ${XDG_CACHE_HOME:-} in /?*) c=$XDG_CACHE_HOME;; *) case ${HOME:-} in /?*) c=$HOME/.cache;; esac;; esac; "#,
    r#"d=$c/regatta/$h; "#,
    r#"if [ -d "$d" ] && cd "$d" 2>/dev/null && mine && [ -x $w ] && good $w; then run; fi; "#,
    r#"z=raw; if command -v gzip >/dev/null 2>&1; then z=gzip; fi; trap bye 0; trap "exit 1" 1 2 15; "#,
    r#"for d in "$d" "${XDG_RUNTIME_DIR:-}" /dev/shm /var/tmp /tmp; do "#,
    r#"case $d in "") continue;; "$c/regatta/$h") "#,
    r#"if [ -d "${c%/*}" ]; then e=$(mkdir -p "$d" 2>&1); else no "$d" "there is no ${c%/*}"; continue; fi;; "#,
    r#"*) d=$d/regatta-$a$b; e=$(mkdir "$d" 2>&1) && t=$d;; esac || { no "$d" "$e"; continue; }; "#,
    r#"cd "$d" 2>/dev/null && mine || { no "$d" "it is not a private directory of this user"; continue; }; "#,
    r#"e=$({ : > ".$a" && chmod 700 ".$a" && "./.$a"; } 2>&1) || { no "$d" "$e"; continue; }; "#,
    r#"say need "$k" $z; read -r s f || exit 1; "#,
    r#"e=$(head -c "$s" | { case $f in gzip) gzip -dc;; *) cat;; esac > ".$a"; x=$?; cat > /dev/null; exit $x; } 2>&1) "#,
    r#"|| { no "$d" "$e"; continue; }; "#,
    r#"good ".$a" || { no "$d" "what arrived is damaged"; continue; }; "#,
    r#"e=$({ chmod 700 ".$a" && mv -f ".$a" $w; } 2>&1) || { no "$d" "$e"; continue; }; "#,
    r#"run ${t:+"$t"}; done; say failed; exit 1"#
);

/// A nonce in its two halves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce {
    first: String,
    second: String,
}

/// A worker's program, by what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Where it runs: `Linux/x86_64`, what `uname -sm` says with a slash between.
    pub machine: String,
    /// SHA-256 in hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// A message of the line or of the worker's start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The worker runs; frames follow.
    Hello,
    /// The worker's program is to be sent: first [`Nonce::offer`], then the bytes.
    Need {
        /// For which machine.
        machine: String,
        /// Whether the host can unpack gzip.
        gzip: bool,
    },
    /// A directory that could not be used, and why.
    No(String),
    /// No program was offered for this machine.
    Machine(String),
    /// No directory could be used at all.
    Failed,
}

/// That many random bytes in hex.
///
/// # Errors
/// A system without `/dev/urandom`.
pub fn random_hex(bytes: usize) -> io::Result<String> {
    let mut random = vec![0; bytes];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Nonce {
    /// A new one, of 128 bits.
    ///
    /// # Errors
    /// A system that gives no random numbers.
    pub fn new() -> io::Result<Nonce> {
        Ok(Nonce { first: random_hex(8)?, second: random_hex(8)? })
    }

    /// From the halves that the line gave the worker.
    #[must_use]
    pub fn from_halves(first: &str, second: &str) -> Nonce {
        Nonce { first: first.to_owned(), second: second.to_owned() }
    }

    /// Both halves as one.
    #[must_use]
    pub fn token(&self) -> String {
        format!("{}{}", self.first, self.second)
    }

    /// What the worker writes before its first frame.
    #[must_use]
    pub fn hello(&self) -> String {
        format!("\n{}{} hello\n", self.first, self.second)
    }

    /// The command as words: `/bin/sh`, `-c`, the script and its arguments.
    #[must_use]
    pub fn argv(&self, programs: &[Program]) -> Vec<String> {
        let list: Vec<String> = programs
            .iter()
            .map(|program| format!("{}={}:{}", program.machine, program.sha256, program.size))
            .collect();
        let words = ["/bin/sh", "-c", SCRIPT, "regatta", &self.first, &self.second, &list.join(" ")];
        words.map(str::to_owned).to_vec()
    }

    /// The same as one line for any login shell: POSIX, csh or fish.
    #[must_use]
    pub fn line(&self, programs: &[Program]) -> String {
        let words: Vec<String> = self.argv(programs).iter().map(|word| format!("'{word}'")).collect();
        format!("exec {}", words.join(" "))
    }

    /// A line for `sh` that runs the worker at `path`, which is there already.
    #[must_use]
    pub fn line_for(&self, path: &Path) -> String {
        let path = path.to_string_lossy().replace('\'', r"'\''");
        format!("exec '{path}' serve {} {} .", self.first, self.second)
    }

    /// What goes before the bytes of a program: how many bytes come, and whether they are packed.
    #[must_use]
    pub fn offer(bytes: usize, gzip: bool) -> String {
        format!("{bytes} {}\n", if gzip { "gzip" } else { "raw" })
    }

    /// The message in a line of output, if it holds one; what stands before it is a login shell's noise.
    #[must_use]
    pub fn parse(&self, line: &[u8]) -> Option<Said> {
        let line = String::from_utf8_lossy(line);
        let (_, message) = line.split_once(&format!("{}{} ", self.first, self.second))?;
        let message = message.trim_end_matches(['\r', '\n']);
        let (verb, rest) = message.split_once(' ').unwrap_or((message, ""));
        match verb {
            "hello" => Some(Said::Hello),
            "need" => {
                let (machine, packing) = rest.split_once(' ')?;
                Some(Said::Need { machine: machine.to_owned(), gzip: packing == "gzip" })
            }
            "no" => Some(Said::No(rest.trim().to_owned())),
            "machine" => Some(Said::Machine(rest.to_owned())),
            "failed" => Some(Said::Failed),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_survives_every_login_shell_by_its_looks() {
        assert!(!SCRIPT.contains('\''), "single quotes end the quoting");
        assert!(!SCRIPT.contains('!'), "csh takes ! for history even in quotes");
        assert!(!SCRIPT.contains('\n'), "csh wants one line");
        assert!(!SCRIPT.contains(r"\\"), "fish takes one of two backslashes away");
        assert!(SCRIPT.len() < 4000, "csh has a limit on a word: {}", SCRIPT.len());
    }

    #[test]
    fn the_line_does_not_hold_the_nonce_in_one_piece() {
        let nonce = Nonce::new().unwrap();
        assert_eq!(nonce.parse(nonce.line(&[]).as_bytes()), None);
        assert_ne!(nonce, Nonce::new().unwrap());
    }

    #[test]
    fn messages_are_found_behind_noise_and_nothing_else_is_taken_for_one() {
        let nonce = Nonce::from_halves("ab", "cd");
        let need = Said::Need { machine: "Linux/x86_64".into(), gzip: true };
        let table: &[(&[u8], Option<Said>)] = &[
            (b"abcd hello\n", Some(Said::Hello)),
            (b"Welcome! abcd hello\r\n", Some(Said::Hello)),
            (b"abcd need Linux/x86_64 gzip\n", Some(need)),
            (b"abcd no /tmp: full \n", Some(Said::No("/tmp: full".into()))),
            (b"abcd machine SunOS/i86pc\n", Some(Said::Machine("SunOS/i86pc".into()))),
            (b"abcd failed\n", Some(Said::Failed)),
            (b"abcd\n", None),
            (b"abcd need\n", None),
            (b"ab cd hello\n", None),
            (b"\xff\xfe\n", None),
            (b"", None),
        ];
        for (line, said) in table {
            assert_eq!(nonce.parse(line), *said, "{}", String::from_utf8_lossy(line));
        }
    }
}
