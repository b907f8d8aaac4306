//! The cookies of a test's client, as RFC 6265 has them, but for those without a `Domain`: they go to every host.

use std::collections::BTreeMap;

use cookie::Cookie;
use cookie::time::OffsetDateTime;
use session_rules::cookie::{covers, normal};

/// Cookies by name, path and domain.
#[derive(Default)]
pub(super) struct Jar(BTreeMap<(String, String, Option<String>), Stored>);

struct Stored {
    value: String,
    secure: bool,
}

/// Where a request goes.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    /// The host, without its port.
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) https: bool,
}

impl Jar {
    /// Puts one in that goes to every path.
    pub(super) fn put(&mut self, name: &str, value: &str, domain: Option<&str>) {
        let stored = Stored { value: value.into(), secure: false };
        self.0.insert((name.into(), "/".into(), domain.map(normal)), stored);
    }

    /// The value of one that goes to this host.
    pub(super) fn get(&self, name: &str, host: &str) -> Option<&str> {
        let mut kept = self.0.iter();
        let goes = |domain: &Option<String>| domain.as_ref().is_none_or(|domain| covers(domain, host));
        kept.find(|((kept, _, domain), _)| kept == name && goes(domain)).map(|(_, stored)| stored.value.as_str())
    }

    /// Takes a `Set-Cookie` header of a response to such a request. One that is `Secure` is not kept by plain `http`, one
    /// of another host's `Domain` is never kept, and one whose time is over is removed.
    pub(super) fn set(&mut self, header: &str, Target { host, path, https }: Target<'_>) {
        let Ok(cookie) = Cookie::parse(header) else { return };
        let secure = cookie.secure().unwrap_or(false);
        let path = match cookie.path() {
            Some(path) if path.starts_with('/') => path,
            _ => default_path(path),
        };
        let domain = cookie.domain().filter(|domain| !domain.is_empty());
        if domain.is_some_and(|domain| !covers(domain, host)) {
            return;
        }
        let place = (cookie.name().to_owned(), path.to_owned(), domain.map(normal));
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

    /// The `Cookie` header of such a request.
    pub(super) fn header(&self, Target { host, path, https }: Target<'_>) -> Option<String> {
        let goes = |((_, own, domain), stored): &(&(String, String, Option<String>), &Stored)| {
            let at = domain.as_ref().is_none_or(|domain| covers(domain, host));
            at && matches(own, path) && (https || !stored.secure)
        };
        let mut cookies: Vec<_> = self.0.iter().filter(goes).collect();
        // Longer paths first.
        cookies.sort_by_key(|((_, path, _), _)| std::cmp::Reverse(path.len()));
        let pairs: Vec<_> = cookies.iter().map(|((name, ..), stored)| format!("{name}={}", stored.value)).collect();
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

    fn at(path: &str, https: bool) -> Target<'_> {
        Target { host: "app.example", path, https }
    }

    fn jar(cookies: &[&str]) -> Jar {
        let mut jar = Jar::default();
        cookies.iter().for_each(|cookie| jar.set(cookie, at("/shop/cart", true)));
        jar
    }

    #[test]
    fn a_cookie_goes_to_its_path_and_what_is_below() {
        let jar = jar(&["a=1; Path=/", "b=2; Path=/shop", "c=3", "d=4; Path=elsewhere"]);
        assert_eq!(jar.header(at("/", true)).unwrap(), "a=1");
        assert_eq!(jar.header(at("/shopping", true)).unwrap(), "a=1");
        assert_eq!(jar.header(at("/shop", true)).unwrap(), "b=2; c=3; d=4; a=1");
        assert_eq!(jar.header(at("/shop/x", true)).unwrap(), "b=2; c=3; d=4; a=1");
    }

    #[test]
    fn a_secure_cookie_needs_https() {
        let mut jar = jar(&["a=1; Path=/; Secure"]);
        assert_eq!(jar.header(at("/", false)), None);
        jar.set("b=2; Path=/; Secure", at("/", false));
        assert_eq!(jar.header(at("/", true)).unwrap(), "a=1");
    }

    #[test]
    fn a_cookie_with_a_domain_goes_to_its_hosts_alone_and_comes_from_one_of_them() {
        let to = |host| Target { host, path: "/", https: true };
        let mut jar = jar(&["a=1; Path=/; Domain=app.example", "b=2; Path=/; Domain=other.example", "c=3; Path=/"]);
        jar.set("a=4; Path=/; Domain=Shop.example", to("www.shop.example"));
        assert_eq!(jar.header(to("www.app.example")).unwrap(), "a=1; c=3");
        assert_eq!(jar.header(to("shop.example")).unwrap(), "a=4; c=3");
        assert_eq!(jar.header(to("other.example")).unwrap(), "c=3");
        jar.set("a=; Path=/; Domain=shop.example; Max-Age=0", to("shop.example"));
        assert_eq!((jar.get("a", "app.example"), jar.get("a", "shop.example")), (Some("1"), None));
    }

    #[test]
    fn a_cookie_whose_time_is_over_is_removed_and_another_value_replaces_it() {
        for removal in ["a=; Path=/; Max-Age=0", "a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"] {
            let mut jar = jar(&["a=1; Path=/", "a=2; Path=/"]);
            assert_eq!(jar.get("a", "app.example"), Some("2"));
            jar.set(removal, at("/", true));
            assert_eq!((jar.get("a", "app.example"), jar.header(at("/", true))), (None, None), "{removal}");
        }
        let kept = jar(&["a=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "=", ""]);
        assert_eq!(kept.header(at("/", true)).unwrap(), "a=1");
    }
}
