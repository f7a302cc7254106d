//! From a [`Config`] back to a file that means the same.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::{Bypass, Config, Failmode, Menu, StatusMode};
use crate::duo::sign::Signature;

impl Config {
    /// The text of a file that [`super::read`] reads to the same configuration and `failmode`. It
    /// holds the skey.
    #[must_use]
    pub fn to_text(&self, failmode: Option<Failmode>) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::from("[duo]\n"));
        let mut line = |key: &str, value: &str| {
            let _ = writeln!(text, "{key} = {value}");
        };
        let switch = |on: bool| if on { "yes" } else { "no" };
        line("ikey", &self.keys.ikey);
        line("skey", self.keys.skey.expose());
        line("host", self.host.as_str());
        for list in self.groups.lines() {
            line("groups", &list);
        }
        if let Some(failmode) = failmode {
            line(
                "failmode",
                match failmode {
                    Failmode::Safe => "safe",
                    Failmode::Secure => "secure",
                },
            );
        }
        line("pushinfo", switch(self.pushinfo));
        if let Some(proxy) = &self.http_proxy {
            line("http_proxy", proxy.expose());
        }
        line("autopush", switch(self.autopush));
        line("verified_push", switch(self.verified_push));
        line("prompts", &self.prompts.to_string());
        line("fallback_local_ip", switch(self.fallback_local_ip));
        line("https_timeout", &self.https_timeout.as_secs().to_string());
        if let Some(cafile) = self.cafile.as_ref().and_then(|path| path.to_str()) {
            line("cafile", cafile);
        }
        if let Some(gecos) = self.gecos {
            line("send_gecos", "yes");
            line("gecos_delim", &gecos.delimiter.to_string());
            if let Some(position) = gecos.position {
                line("gecos_username_pos", &position.to_string());
            }
        }
        line(
            "signature",
            match self.signature {
                Signature::V2Sha1 => "v2-sha1",
                Signature::V2Sha512 => "v2-sha512",
                Signature::V5 => "v5",
            },
        );
        line(
            "menu",
            match self.menu {
                Menu::Devices => "devices",
                Menu::Server => "server",
            },
        );
        line("login_timeout", &self.login_timeout.as_secs().to_string());
        line(
            "bypass",
            match self.bypass {
                Bypass::Success => "success",
                Bypass::Ignore => "ignore",
            },
        );
        line(
            "status",
            match self.status {
                StatusMode::Auto => "auto",
                StatusMode::Live => "live",
                StatusMode::Prompt => "prompt",
                StatusMode::Quiet => "quiet",
            },
        );
        // A sign that would begin a comment behind the blank stands right behind the equals sign.
        for sign in ['#', ';'] {
            let commented = format!(" = {sign}");
            if text.contains(&commented) {
                let mended = text.replace(&commented, &format!(" ={sign}"));
                *text = mended;
            }
        }
        text
    }
}
