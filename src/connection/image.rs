//! Which program is the worker for a host's machine, by its hash, and its bytes for the way there.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::ConnectError;
use crate::proto::boot::{PROGRAM, Program};

/// The variable that names a folder of workers, one subfolder a target.
pub const WORKERS: &str = "REGATTA_WORKERS";

/// What `uname -sm` calls a machine, the number that ELF has for it, and the targets whose programs run there.
const MACHINES: &[(&str, u16, &[&str])] = &[
    ("Linux/x86_64", 62, &["x86_64-unknown-linux-musl", "x86_64-unknown-linux-gnu"]),
    ("Linux/aarch64", 183, &["aarch64-unknown-linux-musl", "aarch64-unknown-linux-gnu"]),
    ("Linux/armv7l", 40, &["armv7-unknown-linux-musleabihf", "armv7-unknown-linux-gnueabihf"]),
    ("Linux/armv6l", 40, &["arm-unknown-linux-musleabihf", "arm-unknown-linux-gnueabihf"]),
    ("Linux/i686", 3, &["i686-unknown-linux-musl", "i686-unknown-linux-gnu"]),
    ("Linux/riscv64", 243, &["riscv64gc-unknown-linux-musl", "riscv64gc-unknown-linux-gnu"]),
    ("Linux/ppc64le", 21, &["powerpc64le-unknown-linux-musl", "powerpc64le-unknown-linux-gnu"]),
    ("Linux/s390x", 22, &["s390x-unknown-linux-musl", "s390x-unknown-linux-gnu"]),
];

#[cfg(regatta_embedded_worker)]
const EMBEDDED: Option<&[u8]> = Some(include_bytes!(env!("REGATTA_EMBED_WORKER")));
#[cfg(not(regatta_embedded_worker))]
const EMBEDDED: Option<&[u8]> = None;

/// The workers that this controller can offer. A clone is the same.
#[derive(Clone)]
pub struct Images(Arc<Found>);

struct Found {
    images: OnceLock<Vec<Image>>,
    only: Option<PathBuf>,
}

/// One worker.
pub struct Image {
    /// Where it runs: `Linux/x86_64`.
    pub machine: &'static str,
    bytes: Bytes,
    program: OnceLock<Option<Program>>,
    /// The lock is held while it is packed, so that it is packed once.
    packed: Mutex<Option<Arc<Vec<u8>>>>,
}

enum Bytes {
    File(PathBuf),
    Static(&'static [u8]),
}

impl Images {
    /// Those that stand beside the controller's own program, in `$REGATTA_WORKERS`, or inside the controller; the
    /// first for a machine counts. They are looked for when one is first needed.
    #[must_use]
    pub fn new() -> Images {
        Images(Arc::new(Found { images: OnceLock::new(), only: None }))
    }

    /// Only the program at `path`.
    #[must_use]
    pub fn only(path: PathBuf) -> Images {
        Images(Arc::new(Found { images: OnceLock::new(), only: Some(path) }))
    }

    /// All of them.
    pub fn all(&self) -> &[Image] {
        self.0.images.get_or_init(|| match &self.0.only {
            Some(path) => Image::of_file(path.clone(), None).into_iter().collect(),
            None => find(),
        })
    }

    /// Where the worker for the machine that this process runs on is, if it is a file.
    #[must_use]
    pub fn of_this_machine(&self) -> Option<&Path> {
        let system = rustix::system::uname();
        let machine =
            format!("{}/{}", system.sysname().to_string_lossy(), system.machine().to_string_lossy());
        match &self.for_machine(&machine).ok()?.bytes {
            Bytes::File(path) => Some(path),
            Bytes::Static(_) => None,
        }
    }

    /// The one for a machine.
    ///
    /// # Errors
    /// There is none: says how to provide it.
    pub fn for_machine(&self, machine: &str) -> Result<&Image, ConnectError> {
        self.all().iter().find(|image| image.machine == machine).ok_or_else(|| missing(machine))
    }
}

impl Default for Images {
    fn default() -> Images {
        Images::new()
    }
}

/// What to say where no worker is for a machine.
pub(super) fn missing(machine: &str) -> ConnectError {
    let known = MACHINES.iter().find(|(name, ..)| *name == machine);
    let beside = std::env::current_exe()
        .ok()
        .and_then(|it| it.parent().map(|folder| folder.join(PROGRAM).display().to_string()))
        .unwrap_or_else(|| PROGRAM.to_owned());
    ConnectError::Worker(match known {
        Some((_, _, targets)) => format!(
            "there is no worker for this host's machine ({}). Put one at {beside}, or at \
             ${WORKERS}/{}/{PROGRAM}; `cargo build --release --bin {PROGRAM} --no-default-features --target {}` \
             builds it. Only raw and script work without a worker",
            machine.replace('/', " "),
            targets[0],
            targets[0],
        ),
        None => format!(
            "workers run on Linux only, on {}; this host is {}. Only raw and script work there",
            MACHINES
                .iter()
                .map(|(name, ..)| name.trim_start_matches("Linux/"))
                .collect::<Vec<_>>()
                .join(", "),
            machine.replace('/', " "),
        ),
    })
}

fn find() -> Vec<Image> {
    let mut found: Vec<Image> = Vec::new();
    let mut add = |image: Option<Image>| {
        found.extend(image.filter(|it| found.iter().all(|other| other.machine != it.machine)));
    };
    let own = std::env::current_exe().ok().and_then(|it| it.canonicalize().ok());
    add(own.and_then(|it| Image::of_file(it.with_file_name(PROGRAM), None)));
    if let Some(folder) = std::env::var_os(WORKERS).filter(|it| !it.is_empty()) {
        for (machine, _, targets) in MACHINES {
            for target in *targets {
                add(Image::of_file(Path::new(&folder).join(target).join(PROGRAM), Some(machine)));
            }
        }
    }
    if let Some(bytes) = EMBEDDED {
        add(Image::new(Bytes::Static(bytes), bytes, None));
    }
    found
}

impl Image {
    fn of_file(path: PathBuf, machine: Option<&str>) -> Option<Image> {
        let mut header = Vec::new();
        File::open(&path).ok()?.take(HEADER as u64).read_to_end(&mut header).ok()?;
        Image::new(Bytes::File(path), &header, machine)
    }

    /// None: this is not how a program begins for a machine that we know.
    fn new(bytes: Bytes, header: &[u8], machine: Option<&str>) -> Option<Image> {
        let own = elf_machine(header)?;
        let known =
            |(name, number, _): &&(&str, u16, _)| *number == own && machine.is_none_or(|it| it == *name);
        let (machine, ..) = MACHINES.iter().find(known)?;
        Some(Image { machine, bytes, program: OnceLock::new(), packed: Mutex::default() })
    }

    /// What it is; none if its file can't be read. Reads and hashes all of it the first time, which takes a moment.
    pub fn program(&self) -> Option<&Program> {
        let read = || {
            let bytes = self.bytes().ok()?;
            Some(Program {
                machine: self.machine.to_owned(),
                sha256: Sha256::digest(&*bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
                size: bytes.len() as u64,
            })
        };
        self.program.get_or_init(read).as_ref()
    }

    /// Its bytes.
    ///
    /// # Errors
    /// A file that can't be read any more.
    pub fn bytes(&self) -> io::Result<Arc<Vec<u8>>> {
        match &self.bytes {
            Bytes::File(path) => std::fs::read(path).map(Arc::new),
            Bytes::Static(bytes) => Ok(Arc::new(bytes.to_vec())),
        }
    }

    /// Its bytes, packed with gzip. Packed once, which takes a moment.
    ///
    /// # Errors
    /// A file that can't be read any more.
    pub fn packed(&self) -> io::Result<Arc<Vec<u8>>> {
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(packed) = packed.as_ref() {
            return Ok(Arc::clone(packed));
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&self.bytes()?)?;
        Ok(Arc::clone(packed.insert(Arc::new(encoder.finish()?))))
    }
}

/// How much of an ELF file says for which machine it is.
const HEADER: usize = 20;

/// For which machine an ELF file is, as its header has it.
fn elf_machine(header: &[u8]) -> Option<u16> {
    let header = header.first_chunk::<HEADER>()?;
    if !header.starts_with(b"\x7fELF") {
        return None;
    }
    let number = [header[18], header[19]];
    // Byte 5 says which byte of a number comes first.
    Some(if header[5] == 2 { u16::from_be_bytes(number) } else { u16::from_le_bytes(number) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;

    fn elf(machine: u8) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(64, 0);
        bytes[18] = machine;
        bytes
    }

    #[test]
    fn the_machine_is_read_from_the_program_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker");
        for (machine, name) in [(62, "Linux/x86_64"), (183, "Linux/aarch64"), (40, "Linux/armv7l")] {
            std::fs::write(&path, elf(machine)).unwrap();
            let images = Images::only(path.clone());
            assert_eq!(images.all()[0].machine, name);
            assert!(images.for_machine(name).is_ok());
        }
    }

    #[test]
    fn the_folder_s_name_tells_apart_what_elf_does_not_and_a_wrong_program_in_it_is_left_out() {
        let bytes = elf(40);
        let image = |machine| Image::new(Bytes::Static(&[]), &bytes, Some(machine));
        assert_eq!(image("Linux/armv6l").unwrap().machine, "Linux/armv6l");
        assert!(image("Linux/x86_64").is_none());
        assert!(Image::new(Bytes::Static(&[]), b"#!/bin/sh\nexit 0\n and more", None).is_none());
    }

    #[test]
    fn a_missing_worker_says_how_to_provide_it() {
        let images = Images::only("/nowhere/worker".into());
        let error = images.for_machine("Linux/aarch64").err().unwrap().to_string();
        assert!(error.contains("$REGATTA_WORKERS/aarch64-unknown-linux-musl/regatta-worker"), "{error}");
        let error = images.for_machine("SunOS/i86pc").err().unwrap().to_string();
        assert!(error.contains("this host is SunOS i86pc"), "{error}");
    }

    #[test]
    fn what_is_packed_is_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker");
        std::fs::write(&path, elf(62)).unwrap();
        let images = Images::only(path);
        let image = &images.all()[0];
        let mut bytes = Vec::new();
        GzDecoder::new(image.packed().unwrap().as_slice()).read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, elf(62));
        assert_eq!(image.program().unwrap().size, 64);
    }
}
