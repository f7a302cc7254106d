//! Who started this program.

use duo_login::Starter;
use nix::libc::{self, AT_UID};

/// Who started this program: the real user id at exec, which the kernel wrote into the auxiliary
/// vector, and which nobody can change afterwards. Under sudo and su started by a user, it is the
/// user's, whatever ids they have taken since; in a fork of sshd, root's.
///
/// Where the kernel said nothing (`ENOENT`), the value would be root's by accident, so that counts as
/// a user.
pub(crate) fn starter() -> Starter {
    // Cleared first: getauxval(3) tells "0" and "not there" apart by errno alone.
    nix::errno::Errno::clear();
    // SAFETY: getauxval(3) takes any number and only reads what the kernel gave this process.
    let real_user_id = unsafe { libc::getauxval(AT_UID) };
    if real_user_id == 0 && nix::errno::Errno::last() == nix::errno::Errno::ENOENT {
        return Starter::User;
    }
    Starter::of(real_user_id)
}

#[cfg(test)]
mod tests {
    use super::starter;
    use duo_login::Starter;

    #[test]
    fn the_starter_is_the_user_who_runs_the_tests() {
        let expected = Starter::of(u64::from(nix::unistd::getuid().as_raw()));
        assert_eq!(starter(), expected);
    }
}
