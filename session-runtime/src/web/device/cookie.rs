//! The device's cookie, in the two places where a browser reads it: the header, and the JSON that tells it which cookie to
//! keep fresh. A difference between the two is not refused by browsers: they prove the key for every request, until they
//! may not any more. So one function makes both from one specification.

use std::time::Duration;

use http::HeaderValue;
use session_rules::cookie::Cookie;

use super::super::cookies;
use crate::error::Error;

/// The device's cookie for a browser.
pub(super) struct DeviceCookie {
    /// The `Set-Cookie` header.
    pub(super) header: HeaderValue,
    /// The attributes, as the JSON has them: without an age, with which browsers refuse them.
    pub(super) attributes: String,
}

impl DeviceCookie {
    pub(super) fn new(cookie: &Cookie, token: &str, every: Duration) -> Result<Self, Error> {
        let header = cookies::set(cookie, token, Some(every))?;
        let bare = cookies::set(cookie, "", None)?;
        let attributes = bare.to_str().unwrap_or_default().split("; ").skip(1).collect::<Vec<_>>().join("; ");
        Ok(Self { header, attributes })
    }
}

#[cfg(test)]
mod tests {
    use session_rules::cookie::SameSite;
    use session_rules::device::device_cookie;

    use super::*;

    #[test]
    fn the_header_and_the_attributes_say_the_same() {
        let mut plain = Cookie::for_type("User");
        plain.name = "u".into();
        let strict = Cookie { same_site: SameSite::Strict, http_only: false, persistent: true, ..plain.clone() };
        for cookie in [Cookie::for_type("User"), plain, strict] {
            let cookie = device_cookie(&cookie);
            let DeviceCookie { header, attributes } =
                DeviceCookie::new(&cookie, "token==", Duration::from_secs(600)).unwrap();
            let header = header.to_str().unwrap();
            let (pair, rest) = header.split_once("; ").unwrap();
            assert_eq!(pair, format!("{}=token==", cookie.name));
            let (aged, rest): (Vec<&str>, Vec<&str>) = rest.split("; ").partition(|part| part.starts_with("Max-Age"));
            assert_eq!((aged, rest.join("; ")), (vec!["Max-Age=600"], attributes));
        }
    }
}
