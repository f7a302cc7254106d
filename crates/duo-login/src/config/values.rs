//! The values of a file while it is read, and what they make together.

use std::path::PathBuf;
use std::time::Duration;

use duo_auth::net::{BadProxy, ProxyAddress};
use duo_auth::sign::{Application, Keys, Signature};
use duo_auth::{Host, Secret};

use super::keys::KEYS;
use super::{
    Bypass, Config, ConfigFault, Failmode, Gecos, Groups, LogStyle, MenuSource, StatusMode,
};

/// One field for each key of the table that has an effect.
#[allow(clippy::struct_excessive_bools)] // one for each switch of the file
pub(super) struct Values {
    pub(super) ikey: Option<String>,
    pub(super) skey: Option<Secret>,
    pub(super) host: Option<String>,
    pub(super) groups: Groups,
    pub(super) failmode: Option<Failmode>,
    pub(super) pushinfo: bool,
    pub(super) http_proxy: Option<Result<ProxyAddress, BadProxy>>,
    pub(super) autopush: bool,
    pub(super) verified_push: bool,
    pub(super) prompts: u64,
    pub(super) fallback_local_ip: bool,
    pub(super) https_timeout: u64,
    pub(super) cafile: Option<PathBuf>,
    /// Whether `cafile` is there and says nothing that can be used.
    pub(super) bad_cafile: bool,
    pub(super) noverify: bool,
    pub(super) send_gecos: bool,
    pub(super) gecos_delim: char,
    pub(super) gecos_username_pos: Option<u32>,
    pub(super) signature: Signature,
    pub(super) menu: MenuSource,
    pub(super) login_timeout: u64,
    pub(super) bypass: Bypass,
    pub(super) status: StatusMode,
    /// 0 switches it off.
    pub(super) push_limit: u64,
    pub(super) log: LogStyle,
}

/// The defaults of the table.
impl Default for Values {
    fn default() -> Self {
        let mut values = Self {
            ikey: None,
            skey: None,
            host: None,
            groups: Groups::default(),
            failmode: None,
            pushinfo: false,
            http_proxy: None,
            autopush: false,
            verified_push: false,
            prompts: 0,
            fallback_local_ip: false,
            https_timeout: 0,
            cafile: None,
            bad_cafile: false,
            noverify: false,
            send_gecos: false,
            gecos_delim: '\0',
            gecos_username_pos: None,
            signature: Signature::V2Sha1,
            menu: MenuSource::Devices,
            login_timeout: 0,
            bypass: Bypass::Success,
            status: StatusMode::Auto,
            push_limit: 0,
            log: LogStyle::Pam,
        };
        for key in KEYS.iter().filter(|key| !key.default.is_empty()) {
            let _ = key.take(&mut values, key.default);
        }
        values
    }
}

impl Values {
    /// The configuration, if the file has all it needs.
    pub(super) fn config(self) -> Result<Config, ConfigFault> {
        let (Some(ikey), Some(skey), Some(host)) = (self.ikey, self.skey, self.host) else {
            return Err(ConfigFault::MissingKeys);
        };
        if self.noverify {
            return Err(ConfigFault::NoVerify);
        }
        if self.bad_cafile {
            // Not the default: whoever sets it does not mean the system's store, and what is then
            // not trusted would be an outage.
            return Err(ConfigFault::Trust(
                "no CA certificate could be read: cafile is not an absolute path".to_owned(),
            ));
        }
        Ok(Config {
            application: Application {
                host: Host::parse(&host).map_err(ConfigFault::BadHost)?,
                keys: Keys { ikey, skey },
                signature: self.signature,
            },
            groups: self.groups,
            pushinfo: self.pushinfo,
            http_proxy: self.http_proxy.transpose().map_err(ConfigFault::BadProxy)?,
            autopush: self.autopush,
            verified_push: self.verified_push,
            prompts: u8::try_from(self.prompts).unwrap_or(u8::MAX),
            fallback_local_ip: self.fallback_local_ip,
            https_timeout: Duration::from_secs(self.https_timeout),
            cafile: self.cafile,
            gecos: self.send_gecos.then_some(Gecos {
                delimiter: self.gecos_delim,
                position: self.gecos_username_pos,
            }),
            menu: self.menu,
            login_timeout: Duration::from_secs(self.login_timeout),
            bypass: self.bypass,
            status: self.status,
            push_limit: u8::try_from(self.push_limit)
                .ok()
                .filter(|limit| *limit > 0),
            log: self.log,
        })
    }
}
