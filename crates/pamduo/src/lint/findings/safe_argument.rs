//! A note where the argument `failmode=safe` stands on Duo's line of a program that users start.

use std::collections::BTreeMap;

use duo_auth::clean;
use duo_login::args::Arguments;
use duo_login::config::Failmode;

use super::report::Report;
use crate::finding::Place;
use crate::lint::pam::modules;
use crate::lint::pam::stack::Stack;

/// Duo's lines with the argument, each with the services of programs that users start.
#[derive(Debug, Default)]
pub(super) struct SafeArguments {
    lines: BTreeMap<Place, Vec<String>>,
}

impl SafeArguments {
    /// Looks at the stack of `service`.
    pub(super) fn look(&mut self, service: &str, stack: &Stack) {
        if !modules::is_started_by_users(service) {
            return;
        }
        for duo in stack.duo() {
            let words = duo.arguments().iter().map(String::as_bytes);
            let arguments = Arguments::parse(words);
            // With a bad argument, nobody gets in.
            if arguments.failmode == Some(Failmode::Safe) && arguments.bad.is_empty() {
                let services = self.lines.entry(duo.place.clone()).or_default();
                services.push(service.to_owned());
            }
        }
    }

    /// Adds a note for each line: what the argument gives away.
    pub(super) fn note(&self, report: &mut Report) {
        for (place, services) in &self.lines {
            let services = clean(&services.join(", "));
            report.note(format!(
                "{place}: failmode=safe for {services}, which users start: whoever may run it can \
                 make an outage (by freezing a thread of it, say) and get in without Duo; leave the \
                 argument out if that is not meant"
            ));
        }
    }
}
