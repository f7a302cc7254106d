//! Writes the file: whole or not at all, and never readable by others.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::date;
use crate::private_file::create_private;

/// `path` with a suffix.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Copies the file; returns the copy's path.
pub(super) fn back_up(path: &Path) -> io::Result<PathBuf> {
    let mut text = Zeroizing::new(Vec::new());
    File::open(path)?.read_to_end(&mut text)?;
    let stamp = date::stamp();
    let mut copy = beside(path, &format!(".bak-{stamp}"));
    let mut file = create_private(&copy);
    for number in 1..100 {
        match &file {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                copy = beside(path, &format!(".bak-{stamp}-{number}"));
                file = create_private(&copy);
            }
            _ => break,
        }
    }
    let mut file = file?;
    file.write_all(&text)?;
    file.sync_all()?;
    Ok(copy)
}

/// Writes `text` to a new file beside `path` and renames that, so that a login reads either the old
/// file or the new one. An existing file is replaced only if `replace` says so.
pub(super) fn write(path: &Path, text: &str, replace: bool) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    if !folder.as_os_str().is_empty() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(folder)?;
    }
    let draft = beside(
        path,
        &format!(".new-{}-{}", date::stamp(), std::process::id()),
    );
    let mut file = create_private(&draft)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| {
            if replace {
                return fs::rename(&draft, path);
            }
            // A hard link fails if a file was created meanwhile.
            fs::hard_link(&draft, path)?;
            fs::remove_file(&draft)
        });
    if written.is_err() {
        let _ = fs::remove_file(&draft);
        return written;
    }
    // The name has to reach the disk as well; an error is not fatal, since the file is complete.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}
