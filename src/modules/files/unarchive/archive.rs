//! An archive: where it is, and what kind it is by its first bytes.

use std::path::Path;

use crate::modules::api::{Cmd, Fail, Look};

/// What an archive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// For tar, and how it is compressed.
    Tar(Packing),
    /// For unzip.
    Zip,
}

/// How a tar archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
    Bzip2,
    Xz,
    Zstd,
    Compress,
}

impl Kind {
    fn of(start: &[u8]) -> Kind {
        match start {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Kind::Zip,
            [0x1f, 0x8b, ..] => Kind::Tar(Packing::Gzip),
            [0x1f, 0x9d, ..] => Kind::Tar(Packing::Compress),
            [b'B', b'Z', b'h', ..] => Kind::Tar(Packing::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Kind::Tar(Packing::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Kind::Tar(Packing::Zstd),
            _ => Kind::Tar(Packing::None),
        }
    }

    /// Ansible's name for what handles it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Zip => "ZipArchive",
            Kind::Tar(Packing::None) => "TarArchive",
            Kind::Tar(Packing::Gzip | Packing::Compress) => "TgzArchive",
            Kind::Tar(Packing::Bzip2) => "TarBzipArchive",
            Kind::Tar(Packing::Xz) => "TarXzArchive",
            Kind::Tar(Packing::Zstd) => "TarZstdArchive",
        }
    }
}

impl Packing {
    /// The option of tar.
    pub(super) fn option(self) -> Option<&'static str> {
        match self {
            Packing::None => None,
            Packing::Gzip => Some("--gzip"),
            Packing::Bzip2 => Some("--bzip2"),
            Packing::Xz => Some("--xz"),
            Packing::Zstd => Some("--zstd"),
            Packing::Compress => Some("--uncompress"),
        }
    }
}

/// An archive to look into.
pub(super) struct Archive<'a> {
    pub(super) kind: Kind,
    pub(super) place: Place<'a>,
}

/// Where its bytes are.
pub(super) enum Place<'a> {
    /// In a file of the host.
    File(&'a Path),
    /// In memory.
    Memory(&'a [u8]),
}

impl<'a> Archive<'a> {
    /// A file of the host.
    ///
    /// # Errors
    /// A file that can't be read.
    pub(super) fn at(host: &dyn Look, path: &'a Path) -> Result<Archive<'a>, Fail> {
        let start = host.query(&Cmd::new(["head", "-c", "6"]).arg(path))?;
        let start = start.success(&format!("reading {}", path.display()))?.stdout;
        Ok(Archive { kind: Kind::of(&start), place: Place::File(path) })
    }

    /// Bytes in memory.
    ///
    /// # Errors
    /// No bytes at all.
    pub(super) fn of(bytes: &'a [u8], name: &str) -> Result<Archive<'a>, Fail> {
        if bytes.is_empty() {
            return Err(Fail::new(format!("Invalid archive '{name}', the file is 0 bytes")));
        }
        Ok(Archive { kind: Kind::of(bytes), place: Place::Memory(bytes) })
    }
}
