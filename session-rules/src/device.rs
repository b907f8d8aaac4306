//! The rules of `device_bound`: how often a browser proves its key, and which cookie can say that it did.

use std::time::Duration;

use crate::cookie::{Cookie, SameSite};
use crate::{Violation, time};

/// How often a browser proves its key, unless the type says.
pub const DEFAULT_EVERY: Duration = Duration::from_secs(10 * 60);

const SHORTEST: Duration = Duration::from_secs(4 * 60);
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// What is wrong with `every`.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(session_rules::device::every_violation(Duration::from_secs(240)), None);
/// assert!(session_rules::device::every_violation(Duration::from_secs(239)).is_some());
/// assert!(session_rules::device::every_violation(Duration::from_secs(3601)).is_some());
/// ```
pub fn every_violation(every: Duration) -> Option<Violation> {
    let given = time::format(every);
    let message = if every < SHORTEST {
        format!(
            "`every` is {given}, and browsers prove a key again when less than 2 minutes are left, and at most 6 times in 9 \
             minutes; write \"4m\" or more"
        )
    } else if every > LONGEST {
        format!("`every` is {given}, and a stolen cookie is of use for that long; write \"1h\" or less")
    } else {
        return None;
    };
    Some(Violation::new("every", message))
}

/// What is wrong with a path in `except`: it covers itself and everything below.
///
/// ```
/// use session_rules::device::except_violation;
/// assert_eq!(except_violation("/static"), None);
/// assert!(except_violation("static").is_some());
/// assert!(except_violation("/static/*").is_some());
/// assert!(except_violation("/").is_some());
/// ```
pub fn except_violation(path: &str) -> Option<Violation> {
    let message = if path == "/" {
        "this excepts every path, so the browser would never prove its key; remove it".to_owned()
    } else if !path.starts_with('/') {
        format!("the path {path:?} doesn't start with a slash; write \"/{path}\"")
    } else if path.contains(['*', '?', '#', ' ', '"', '\\']) || !path.is_ascii() || path.contains(char::is_control) {
        "a path in `except` is the beginning of paths, such as \"/static\", without wildcards, query or spaces; write the \
         folder alone"
            .to_owned()
    } else {
        return None;
    };
    Some(Violation::new("except", message))
}

/// What is wrong with the cookie of a type that is bound to a device, each with the attribute to change.
///
/// ```
/// use session_rules::{cookie::Cookie, device::cookie_violations};
/// let mut cookie = Cookie::for_type("User");
/// assert!(cookie_violations(&cookie).is_empty());
/// cookie.path = "/app".into();
/// assert_eq!(cookie_violations(&cookie)[0].option, "path");
/// ```
pub fn cookie_violations(cookie: &Cookie) -> Vec<Violation> {
    let mut found = Vec::new();
    if !cookie.secure {
        let message = "browsers bind sessions over TLS alone; remove `secure = false`, or remove `device_bound`";
        found.push(Violation::new("secure", message));
    }
    if cookie.same_site == SameSite::None {
        let message = "a bound session is proved for its own site's pages, and for links to it; write `same_site = Lax`, or \
                       remove `device_bound`";
        found.push(Violation::new("same_site", message));
    }
    if cookie.partitioned {
        let message = "browsers can't bind a partitioned cookie; remove `partitioned`, or remove `device_bound`";
        found.push(Violation::new("partitioned", message));
    }
    if cookie.domain.is_some() || cookie.has_domain_by_request() {
        let message = "a session is bound for one host; remove `domain`, or remove `device_bound`";
        found.push(Violation::new("domain", message));
    }
    if cookie.path != "/" {
        let message = "a session is bound for the whole host; remove `path`, and except parts of it by `device_bound(except = \
                       [\"/static\"])`, or remove `device_bound`";
        found.push(Violation::new("path", message));
    }
    found
}

/// The cookie that says that the device has proved its key.
///
/// ```
/// use session_rules::{cookie::Cookie, device::device_cookie};
/// assert_eq!(device_cookie(&Cookie::for_type("User")).name, "__Host-user-device");
/// ```
#[must_use]
pub fn device_cookie(cookie: &Cookie) -> Cookie {
    Cookie {
        name: format!("{}-device", cookie.name),
        http_on_localhost: false,
        former_domain: None,
        former_path: None,
        ..cookie.clone()
    }
}

/// Where browsers register and prove the key of a type's sessions.
///
/// ```
/// assert_eq!(session_rules::device::path("ShoppingCart"), "/.session/shopping-cart/device");
/// ```
#[must_use]
pub fn path(type_name: &str) -> String {
    format!("/.session/{}/device", crate::cookie::kebab(type_name))
}
