//! Users and groups, by way of the system's name service (NSS).

use std::ffi::CString;

use nix::unistd::{Gid, Group, User, getgrouplist, getuid};

/// A user of this machine.
#[derive(Clone, Debug)]
pub struct UnixUser {
    /// Name.
    pub name: String,
    /// Number.
    pub uid: u32,
    /// The GECOS field.
    pub gecos: String,
    gid: Gid,
}

impl From<User> for UnixUser {
    fn from(user: User) -> Self {
        Self {
            name: user.name,
            uid: user.uid.as_raw(),
            gecos: user.gecos.to_string_lossy().into_owned(),
            gid: user.gid,
        }
    }
}

/// A look-up that failed: not the same as finding nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LookUpError(String);

/// The user called `name`; `None` if there is none.
///
/// # Errors
/// [`LookUpError`] if the name service does not answer.
pub fn by_name(name: &str) -> Result<Option<UnixUser>, LookUpError> {
    match User::from_name(name) {
        Ok(user) => Ok(user.map(UnixUser::from)),
        Err(error) => Err(LookUpError(format!(
            "the user cannot be looked up: {error}"
        ))),
    }
}

/// The user who runs this process (real user id): with su, the one who called it.
///
/// # Errors
/// [`LookUpError`] if the name service does not answer.
pub fn caller() -> Result<Option<UnixUser>, LookUpError> {
    match User::from_uid(getuid()) {
        Ok(user) => Ok(user.map(UnixUser::from)),
        Err(error) => Err(LookUpError(format!(
            "the calling user cannot be looked up: {error}"
        ))),
    }
}

/// Names of the user's groups, primary and supplementary.
///
/// # Errors
/// [`LookUpError`] with the group's number if one of them cannot be looked up or has no name: it
/// may be the one that decides.
pub fn groups_of(user: &UnixUser) -> Result<Vec<String>, LookUpError> {
    let name = CString::new(user.name.as_str())
        .map_err(|_| LookUpError("the user's name has a NUL character".to_owned()))?;
    let ids = getgrouplist(&name, user.gid)
        .map_err(|error| LookUpError(format!("the user's groups cannot be looked up: {error}")))?;
    ids.into_iter()
        .map(|id| match Group::from_gid(id) {
            Ok(Some(group)) => Ok(group.name),
            Ok(None) => Err(LookUpError(format!(
                "group id {id} of the user has no name"
            ))),
            Err(error) => Err(LookUpError(format!(
                "group id {id} of the user cannot be looked up: {error}"
            ))),
        })
        .collect()
}
