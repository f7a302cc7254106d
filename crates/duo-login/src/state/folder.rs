//! A folder of root's own, judged on its descriptor; files in it are reached through that.

use std::ffi::OsString;
use std::fs::{DirBuilder, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, unlinkat};

/// What of a file is read, from its end, in bytes: far more than it holds if all is well.
const LARGEST: u64 = 64 * 1024;

/// The folder for what may be forgotten at the next boot.
pub const RUN: &str = "/run/pam_duo";

/// A folder that nobody but root can enter.
#[derive(Debug)]
pub struct Folder {
    handle: File,
    path: PathBuf,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderFault {
    /// It cannot be made or opened.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others own it, or may enter it.
    #[error("{} must belong to root and have mode 0700", .0.display())]
    NotPrivate(PathBuf),
}

impl Folder {
    /// Opens the folder, and makes it if it is not there.
    ///
    /// # Errors
    /// [`FolderFault`] if it cannot be had, or is not private. Nothing is repaired: what others
    /// could write is not to be trusted afterwards either.
    pub fn open(path: &Path) -> Result<Self, FolderFault> {
        let failed = |source| FolderFault::Io {
            path: path.to_owned(),
            source,
        };
        if let Err(error) = DirBuilder::new().mode(0o700).create(path) {
            // It may be there all the same, on a read-only file system say.
            if !path.is_dir() {
                return Err(failed(error));
            }
        }
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let handle = File::options()
            .read(true)
            .custom_flags(flags.bits())
            .open(path)
            .map_err(failed)?;
        let status = handle.metadata().map_err(failed)?;
        let own = nix::unistd::geteuid().as_raw();
        if status.uid() != own || status.mode() & 0o077 != 0 {
            return Err(FolderFault::NotPrivate(path.to_owned()));
        }
        Ok(Self {
            handle,
            path: path.to_owned(),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends `line`, which is written as a whole or not at all, and lets no other writer in
    /// between. Makes the file if it is not there.
    ///
    /// # Errors
    /// As open(2) and write(2).
    pub fn append(&self, name: &str, line: &str) -> io::Result<()> {
        let flags = OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT;
        let mut file = self.file(name, flags)?;
        match file.write(line.as_bytes())? {
            whole if whole == line.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    /// The end of a file, as text; empty if it is not there. Bytes that are not UTF-8 become
    /// replacement characters.
    ///
    /// # Errors
    /// As open(2) and read(2).
    pub fn read(&self, name: &str) -> io::Result<String> {
        let mut file = match self.file(name, OFlag::O_RDONLY) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LARGEST)))?;
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Removes a file; one that is not there is as good as removed.
    ///
    /// # Errors
    /// As unlink(2).
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.handle, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(nix::errno::Errno::ENOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Names of the files whose names begin with `prefix`, at most `most`.
    ///
    /// # Errors
    /// As open(2) and getdents(2).
    pub fn names(&self, prefix: &str, most: usize) -> io::Result<Vec<String>> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut folder = Dir::openat(&self.handle, ".", flags, Mode::empty())?;
        let names = folder.iter().flatten().filter_map(|entry| {
            let bytes = entry.file_name().to_bytes().to_vec();
            let name: OsString = std::os::unix::ffi::OsStringExt::from_vec(bytes);
            name.into_string().ok()
        });
        Ok(names
            .filter(|name| name.starts_with(prefix))
            .take(most)
            .collect())
    }

    fn file(&self, name: &str, flags: OFlag) -> io::Result<File> {
        let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        let file = File::from(openat(&self.handle, name, flags, mode)?);
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::{Folder, FolderFault, LARGEST};
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn a_folder_is_made_private_and_one_that_others_may_enter_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("state");
        let folder = Folder::open(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o700);
        folder.append("a", "one\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let refused = Folder::open(&path).unwrap_err();
        assert!(matches!(refused, FolderFault::NotPrivate(_)), "{refused}");
    }

    #[test]
    fn a_link_in_the_place_of_folder_or_file_is_not_followed() {
        let parent = tempfile::tempdir().unwrap();
        let (real, link) = (parent.path().join("real"), parent.path().join("link"));
        let folder = Folder::open(&real).unwrap();
        symlink(&real, &link).unwrap();
        assert!(Folder::open(&link).is_err());
        let victim = parent.path().join("victim");
        symlink(&victim, real.join("file")).unwrap();
        assert!(folder.append("file", "x").is_err());
        assert!(folder.read("file").is_err());
        assert!(!victim.exists());
    }

    #[test]
    fn what_is_no_file_or_too_large_does_no_harm() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open(&parent.path().join("state")).unwrap();
        assert_eq!(folder.read("none").unwrap(), "");
        fs::create_dir(folder.path().join("folder")).unwrap();
        assert!(folder.read("folder").is_err());
        fs::write(folder.path().join("large"), vec![b'x'; 1_000_000]).unwrap();
        let read = folder.read("large").unwrap().len();
        assert_eq!(read, usize::try_from(LARGEST).unwrap());
        folder.remove("large").unwrap();
        folder.remove("large").unwrap();
        assert_eq!(folder.names("", 10).unwrap().len(), 3, "., .. and folder");
    }
}
