//! `device_bound`: what is declared of it, and what it resolves to.

use std::time::Duration;

use session_rules::cookie::Cookie;
use session_rules::device;

use super::{Problems, Transport};
use crate::error::OpenError;

/// `device_bound(every = .., except = [..], require = true)`, checked by the derive.
#[derive(Debug, Clone, Copy)]
pub struct DeviceBinding {
    /// How often the device proves its key.
    pub(crate) every: Duration,
    /// The beginnings of paths for which no proof is asked.
    pub(crate) except: &'static [&'static str],
    /// Whether a session that is not bound is refused.
    pub(crate) require: bool,
    /// Where keys are registered and proved.
    pub(crate) path: &'static str,
}

impl DeviceBinding {
    /// A binding to the device, with its route.
    pub const fn new(every: Duration, except: &'static [&'static str], require: bool, path: &'static str) -> Self {
        Self { every, except, require, path }
    }
}

/// The rules that the derive applies to what is written, for what comes from the environment.
pub(super) fn check(cookie: &Cookie, transports: &[Transport], problems: &mut Problems) {
    for violation in device::cookie_violations(cookie) {
        problems.add(OpenError::option(format!("cookie({})", violation.option), None, violation.message));
    }
    if !transports.contains(&Transport::Cookie) {
        problems.add(OpenError::option("device_bound", None, "needs a cookie, and this type sends none"));
    }
}
