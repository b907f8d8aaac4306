//! The cookies of a test's client: as RFC 6265 has them, for one host.

use std::collections::BTreeMap;

use cookie::Cookie;
use cookie::time::OffsetDateTime;

/// Cookies by name and path.
#[derive(Default)]
pub(super) struct Jar(BTreeMap<(String, String), Stored>);

struct Stored {
    value: String,
    secure: bool,
}

impl Jar {
    /// Puts one in that goes to every path.
    pub(super) fn put(&mut self, name: &str, value: &str) {
        self.0.insert((name.into(), "/".into()), Stored { value: value.into(), secure: false });
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|((kept, _), _)| kept == name).map(|(_, stored)| stored.value.as_str())
    }

    /// Takes a `Set-Cookie` header of a response to a request for this path. One that is `Secure` is not kept by plain
    /// `http`, and one whose time is over is removed.
    pub(super) fn set(&mut self, header: &str, path: &str, https: bool) {
        let Ok(cookie) = Cookie::parse(header) else { return };
        let secure = cookie.secure().unwrap_or(false);
        let path = match cookie.path() {
            Some(path) if path.starts_with('/') => path,
            _ => default_path(path),
        };
        let place = (cookie.name().to_owned(), path.to_owned());
        // A lifetime in seconds comes before a date.
        let over = match (cookie.max_age(), cookie.expires_datetime()) {
            (Some(age), _) => age <= cookie::time::Duration::ZERO,
            (None, Some(date)) => date <= OffsetDateTime::now_utc(),
            (None, None) => false,
        };
        if over {
            self.0.remove(&place);
        } else if https || !secure {
            self.0.insert(place, Stored { value: cookie.value().to_owned(), secure });
        }
    }

    /// The `Cookie` header of a request for this path.
    pub(super) fn header(&self, path: &str, https: bool) -> Option<String> {
        let goes =
            |(place, stored): &(&(String, String), &Stored)| matches(&place.1, path) && (https || !stored.secure);
        let mut cookies: Vec<_> = self.0.iter().filter(goes).collect();
        // Longer paths first.
        cookies.sort_by_key(|(place, _)| std::cmp::Reverse(place.1.len()));
        let pairs: Vec<_> = cookies.iter().map(|((name, _), stored)| format!("{name}={}", stored.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// The folder of a request's path (RFC 6265, section 5.1.4).
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(end) => &path[..end],
    }
}

/// Whether a cookie of this path goes with a request for that one.
fn matches(cookie: &str, request: &str) -> bool {
    request.strip_prefix(cookie).is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar(cookies: &[&str]) -> Jar {
        let mut jar = Jar::default();
        cookies.iter().for_each(|cookie| jar.set(cookie, "/shop/cart", true));
        jar
    }

    #[test]
    fn a_cookie_goes_to_its_path_and_what_is_below() {
        let jar = jar(&["a=1; Path=/", "b=2; Path=/shop", "c=3", "d=4; Path=elsewhere"]);
        assert_eq!(jar.header("/", true).unwrap(), "a=1");
        assert_eq!(jar.header("/shopping", true).unwrap(), "a=1");
        assert_eq!(jar.header("/shop", true).unwrap(), "b=2; c=3; d=4; a=1");
        assert_eq!(jar.header("/shop/x", true).unwrap(), "b=2; c=3; d=4; a=1");
    }

    #[test]
    fn a_secure_cookie_needs_https() {
        let mut jar = jar(&["a=1; Path=/; Secure"]);
        assert_eq!(jar.header("/", false), None);
        jar.set("b=2; Path=/; Secure", "/", false);
        assert_eq!(jar.header("/", true).unwrap(), "a=1");
    }

    #[test]
    fn a_cookie_whose_time_is_over_is_removed_and_another_value_replaces_it() {
        for removal in ["a=; Path=/; Max-Age=0", "a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"] {
            let mut jar = jar(&["a=1; Path=/", "a=2; Path=/"]);
            assert_eq!(jar.get("a"), Some("2"));
            jar.set(removal, "/", true);
            assert_eq!((jar.get("a"), jar.header("/", true)), (None, None), "{removal}");
        }
        let kept = jar(&["a=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "=", ""]);
        assert_eq!(kept.header("/", true).unwrap(), "a=1");
    }
}
