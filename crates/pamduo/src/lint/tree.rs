//! Files of the system that is examined, which may be below a folder.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

/// Largest file that is read, in bytes.
const SIZE_LIMIT: u64 = 1024 * 1024;

/// How many symbolic links a path may lead through, as in Linux.
const LINK_LIMIT: usize = 40;

/// The system below a folder. Paths are given and printed as they are on that system.
pub(crate) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// The system below `root`.
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Where `path` is on this machine. Links are followed as on that system: an absolute one
    /// begins at its root.
    ///
    /// # Errors
    /// If there are too many links, as in a loop.
    pub(crate) fn locate(&self, path: &Path) -> io::Result<PathBuf> {
        let mut left: Vec<PathBuf> = parts(path);
        let mut inside = PathBuf::new();
        let mut links = 0;
        while let Some(part) = left.pop() {
            if part.as_os_str() == ".." {
                inside.pop();
                continue;
            }
            let Ok(target) = fs::read_link(self.root.join(&inside).join(&part)) else {
                inside.push(part);
                continue;
            };
            links += 1;
            if links > LINK_LIMIT {
                return Err(io::Error::other("too many symbolic links"));
            }
            if target.is_absolute() {
                inside = PathBuf::new();
            }
            left.extend(parts(&target));
        }
        Ok(self.root.join(inside))
    }

    /// The text of a regular file; bytes that are not UTF-8 are replacement characters.
    ///
    /// # Errors
    /// If it is not there, not regular, not readable, or larger than 1 MiB.
    pub(crate) fn read(&self, path: &Path) -> io::Result<String> {
        let here = self.locate(path)?;
        if !fs::metadata(&here)?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let mut bytes = Vec::new();
        File::open(here)?
            .take(SIZE_LIMIT + 1)
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 > SIZE_LIMIT {
            return Err(io::Error::other("larger than 1 MiB"));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The names in a folder, sorted; none if it cannot be read.
    pub(crate) fn names(&self, folder: &Path) -> Vec<String> {
        let entries = self.locate(folder).and_then(fs::read_dir);
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    /// A file's metadata.
    pub(crate) fn metadata(&self, path: &Path) -> io::Result<fs::Metadata> {
        fs::metadata(self.locate(path)?)
    }
}

/// The parts of a path below the root, last one first.
fn parts(path: &Path) -> Vec<PathBuf> {
    let parts = path.components().rev();
    parts
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(|part| PathBuf::from(part.as_os_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_stay_within_the_root() {
        let root = tempfile::tempdir().unwrap();
        let tree = Tree::new(root.path());
        fs::create_dir_all(root.path().join("usr/lib")).unwrap();
        fs::write(root.path().join("usr/lib/file"), "text").unwrap();
        symlink("/usr/lib", root.path().join("lib")).unwrap();
        symlink("../../../../lib/file", root.path().join("usr/link")).unwrap();
        symlink("circle", root.path().join("circle")).unwrap();
        assert_eq!(tree.read(Path::new("/lib/file")).unwrap(), "text");
        assert_eq!(tree.read(Path::new("/usr/link")).unwrap(), "text");
        assert!(tree.read(Path::new("/circle")).is_err());
        assert!(tree.read(Path::new("/usr")).is_err());
        assert_eq!(tree.names(Path::new("/lib")), ["file"]);
    }
}
