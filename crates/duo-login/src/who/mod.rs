//! Who is this? From what PAM says to the user who has to approve.

pub mod address;
pub mod users;

use users::{LookUpError, UnixUser};

use crate::config::Config;
use crate::pam_items::PamItems;

/// Who has to approve.
#[derive(Debug)]
#[must_use]
pub enum Identity {
    /// This user.
    Asked {
        /// Unix user.
        user: UnixUser,
        /// Duo user name.
        duo_name: String,
        /// What the administrator should know about the name.
        note: Option<String>,
    },
    /// Nobody: the user is outside `groups`.
    Bypassed(UnixUser),
    /// There is no such user.
    Unknown,
}

/// Finds out who has to approve.
///
/// # Errors
/// [`LookUpError`] if the name service does not answer; the user then stays out.
pub fn identify(items: &PamItems, config: &Config) -> Result<Identity, LookUpError> {
    let Some(target) = users::by_name(&items.user)? else {
        return Ok(Identity::Unknown);
    };
    // With su to root, the one to challenge is whoever calls it, as with sudo.
    let user = if items.is_su() && target.uid == 0 {
        match users::caller()? {
            Some(caller) => caller,
            None => return Ok(Identity::Unknown),
        }
    } else {
        target
    };
    if !config.groups.is_everyone() && !config.groups.include(&users::groups_of(&user)?) {
        return Ok(Identity::Bypassed(user));
    }
    let (duo_name, note) = match config.gecos {
        None => (user.name.clone(), None),
        Some(gecos) => match gecos.name(&user.gecos) {
            Ok(name) => (
                name.to_owned(),
                Some(format!(
                    "send_gecos: Unix user '{}' is Duo user '{name}' by the GECOS field, which \
                     users may be able to change (chfn)",
                    user.name
                )),
            ),
            Err(problem) => (
                user.name.clone(),
                Some(format!(
                    "send_gecos: {problem}; Unix user '{0}' is Duo user '{0}'",
                    user.name
                )),
            ),
        },
    };
    Ok(Identity::Asked {
        user,
        duo_name,
        note,
    })
}
