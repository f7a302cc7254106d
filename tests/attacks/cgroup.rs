//! A control group (cgroup v2) that is a user's own, as `systemd-run --user --scope` gives one.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::site::ALICE;

/// A group of alice's.
pub struct Group {
    path: PathBuf,
}

/// Where cgroup v2 is mounted.
fn mounted() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    mounts.lines().find_map(|line| {
        let mut words = line.split(' ');
        let place = words.nth(1)?;
        (words.next()? == "cgroup2").then(|| PathBuf::from(place))
    })
}

impl Group {
    /// Makes one.
    ///
    /// # Errors
    /// Why this machine has none to give.
    pub fn new() -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mounted = mounted().ok_or("no cgroup v2 is mounted")?;
        let path = mounted.join(format!("pam-duo-attacks-{}-{number}", std::process::id()));
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        fs::create_dir(&path).map_err(failed)?;
        let group = Self { path: path.clone() };
        for name in [
            "",
            "cgroup.procs",
            "cgroup.threads",
            "cgroup.subtree_control",
        ] {
            chown(path.join(name), Some(ALICE), Some(ALICE)).map_err(failed)?;
        }
        let probe = path.join("probe");
        fs::create_dir(&probe).map_err(failed)?;
        let threaded = fs::write(probe.join("cgroup.type"), "threaded")
            .and_then(|()| fs::metadata(probe.join("cgroup.freeze")));
        fs::remove_dir(&probe).map_err(failed)?;
        threaded.map_err(failed)?;
        Ok(group)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(self.path.join("frozen"));
        let _ = fs::remove_dir(&self.path);
    }
}
