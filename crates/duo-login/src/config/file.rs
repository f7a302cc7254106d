//! Opens the configuration file and judges it on the open descriptor, never by path: what was
//! judged is what is read.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::libc::{O_CLOEXEC, O_NOCTTY, O_NONBLOCK};
use zeroize::Zeroizing;

/// Largest file that is read, in bytes.
pub const SIZE_LIMIT: u64 = 1024 * 1024;

/// Why a file is not read or not trusted.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// It cannot be opened or read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is a folder, a device, a pipe or a socket.
    #[error("not a regular file")]
    NotRegular,
    /// Someone else owns it.
    #[error("owned by user id {0}, not by root; whoever owns it could switch Duo off")]
    ForeignOwner(u32),
    /// Someone else may write to it.
    #[error("mode {0:04o} lets others write to it; make it 0600")]
    WritableByOthers(u32),
    /// It is larger than [`SIZE_LIMIT`].
    #[error("larger than 1 MiB")]
    TooLarge,
}

/// A file that is trusted.
pub struct TrustedFile {
    /// Its text; bytes that are not UTF-8 are replacement characters.
    pub text: Zeroizing<String>,
    /// Whether others may read it, and with it the skey.
    pub readable_by_others: bool,
}

/// Reads the file at `path` if it is regular, owned by root or by the process's own user, and not
/// writable by anyone else.
///
/// # Errors
/// [`FileFault`] if it is not so.
pub fn read_trusted(path: &Path) -> Result<TrustedFile, FileFault> {
    // Non-blocking, so that a pipe in the file's place cannot hold the login.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        .open(path)?;
    let status = file.metadata()?;
    if !status.is_file() {
        return Err(FileFault::NotRegular);
    }
    if status.uid() != 0 && status.uid() != nix::unistd::geteuid().as_raw() {
        return Err(FileFault::ForeignOwner(status.uid()));
    }
    let mode = status.mode() & 0o7777;
    if mode & 0o022 != 0 {
        return Err(FileFault::WritableByOthers(mode));
    }
    let bytes = read_bounded(&file, status.len())?;
    Ok(TrustedFile {
        text: match std::str::from_utf8(&bytes) {
            Ok(text) => Zeroizing::new(text.to_owned()),
            Err(_) => Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()),
        },
        readable_by_others: mode & 0o044 != 0,
    })
}

fn read_bounded(file: &File, length: u64) -> Result<Zeroizing<Vec<u8>>, FileFault> {
    // Room for all of it from the start: a buffer that grows leaves copies behind.
    let room = length.min(SIZE_LIMIT) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(room).unwrap_or(0)));
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(FileFault::TooLarge);
    }
    Ok(bytes)
}
