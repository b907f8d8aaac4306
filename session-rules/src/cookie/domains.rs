//! The domains of an application of several, such as one for each tenant: which of them a request's host is at.

use super::{Cookie, CookieAttribute, broken};
use crate::Violation;

/// What is wrong with a `public_origin` beside domains that the request chooses from, and the fix.
pub const NO_SINGLE_ORIGIN: &str = "an application of several domains has no single origin; remove `public_origin`, and \
                                    let the proxy leave `Host` as it is";

/// Where the `Domain` of a cookie comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Domains {
    /// It is the same for all requests: [`Cookie::domain`].
    #[default]
    Fixed,
    /// The host of each request chooses one of these.
    List(Vec<String>),
    /// A function of each request names it.
    ByFunction,
}

impl Cookie {
    /// Whether the `Domain` depends on the request.
    pub fn has_domain_by_request(&self) -> bool {
        self.domains != Domains::Fixed
    }

    /// Whether its `Domain` is this one, or may be; it is empty for none.
    pub(super) fn has_domain(&self, domain: &str) -> bool {
        match &self.domains {
            Domains::Fixed => normal(self.domain.as_deref().unwrap_or_default()) == domain,
            Domains::List(domains) => domains.iter().any(|own| normal(own) == domain),
            Domains::ByFunction => false,
        }
    }

    /// The cookie of requests at this domain, in its [`normal`] form.
    ///
    /// A cookie of an earlier release is kept only if a response at this domain can remove it.
    ///
    /// ```
    /// use session_rules::cookie::{Cookie, Domains};
    /// let mut cookie = Cookie::for_type("User");
    /// cookie.name = "__Secure-user".into();
    /// cookie.domains = Domains::List(vec!["shop-a.example".into(), "shop-b.example".into()]);
    /// assert_eq!(cookie.at_domain("shop-a.example").domain.as_deref(), Some("shop-a.example"));
    /// ```
    #[must_use]
    pub fn at_domain(&self, domain: &str) -> Self {
        let related = |former: &String| {
            let another = normal(former) != domain;
            former.is_empty() || another && (covers(domain, former) || covers(former, domain))
        };
        Self {
            domain: Some(domain.to_owned()),
            domains: Domains::Fixed,
            former_domain: self.former_domain.clone().filter(related),
            ..self.clone()
        }
    }
}

/// What is wrong with a domain, and the fix.
///
/// ```
/// use session_rules::cookie::domain_violation;
/// assert_eq!(domain_violation("shop.example"), None);
/// assert!(domain_violation("https://shop.example").unwrap().contains("without scheme"));
/// assert!(domain_violation("b\u{fc}cher.example").unwrap().contains("\"xn--"));
/// ```
pub fn domain_violation(domain: &str) -> Option<String> {
    let host = domain.strip_prefix('.').unwrap_or(domain);
    let legal = !host.is_empty()
        && host.split('.').all(|l| !l.is_empty() && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
    let fix = if domain.is_ascii() {
        "without scheme, port or path, as in \"example.org\""
    } else {
        "in its ASCII form, as in \"xn--bcher-kva.example\""
    };
    (!legal).then(|| format!("{domain:?} is not a host name; write it {fix}"))
}

/// A domain in its one form: lower case, without the dot that browsers ignore.
///
/// ```
/// assert_eq!(session_rules::cookie::normal(".Shop.example"), "shop.example");
/// ```
pub fn normal(domain: &str) -> String {
    domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase()
}

/// Whether a host is a domain or lies under it. Neither has a port.
///
/// ```
/// use session_rules::cookie::covers;
/// assert!(covers("shop.example", "shop.example") && covers("shop.example", "WWW.shop.example"));
/// assert!(!covers("shop.example", "myshop.example") && !covers("www.shop.example", "shop.example"));
/// ```
pub fn covers(domain: &str, host: &str) -> bool {
    let domain = domain.strip_prefix('.').unwrap_or(domain);
    let Some(at) = host.len().checked_sub(domain.len()) else { return false };
    let (Some(before), Some(end)) = (host.get(..at), host.get(at..)) else { return false };
    end.eq_ignore_ascii_case(domain) && (before.is_empty() || before.ends_with('.') && before.len() > 1)
}

/// `domain = ["shop.example", "Shop.example"]`: a domain that is there twice.
pub fn repeated<'a>(domains: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut seen: Vec<String> = Vec::new();
    for domain in domains.into_iter().map(normal) {
        if seen.contains(&domain) {
            return Some(format!("{domain:?} is given twice; keep one of the two"));
        }
        seen.push(domain);
    }
    None
}

/// `domain = ["https://shop.example"]`, `domain = ["shop.example", "Shop.example"]`.
pub(super) fn domains_are_legal(cookie: &Cookie, found: &mut Vec<Violation>) {
    let Domains::List(domains) = &cookie.domains else { return };
    let illegal = domains.iter().filter_map(|domain| domain_violation(domain));
    let repeated = repeated(domains.iter().map(String::as_str));
    found.extend(illegal.chain(repeated).map(|message| broken(CookieAttribute::Domain, message)));
}

/// `domain = "shop.example", across_domains`.
pub(super) fn across_has_domains(cookie: &Cookie, found: &mut Vec<Violation>) {
    if cookie.across_domains && !cookie.has_domain_by_request() {
        found.push(broken(
            CookieAttribute::AcrossDomains,
            "the cookie has one domain, so `across_domains` has no effect; remove it, or list the domains: \
             `domain = [\"shop-a.example\", \"shop-b.example\"]`",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_covers_itself_and_what_is_under_it() {
        for (domain, host) in [
            ("shop.example", "shop.example"),
            (".shop.example", "SHOP.example"),
            ("shop.example", "a.b.shop.example"),
            ("10.0.0.1", "10.0.0.1"),
        ] {
            assert!(covers(domain, host), "{domain} {host}");
        }
        for (domain, host) in [
            ("shop.example", "myshop.example"),
            ("shop.example", "example"),
            ("shop.example", ".shop.example"),
            ("shop.example", "shop.example."),
            ("shop.example", "shop.example.evil.example"),
            ("shop.example", ""),
            ("hop.example", "\u{15f}hop.example"),
        ] {
            assert!(!covers(domain, host), "{domain} {host}");
        }
    }

    #[test]
    fn each_domain_of_a_list_keeps_the_rules_of_one_and_is_there_once() {
        let broken = |name: &str, domains: &[&str]| -> Vec<String> {
            let mut cookie = Cookie { name: name.into(), ..Cookie::for_type("User") };
            cookie.domains = Domains::List(domains.iter().map(|domain| (*domain).into()).collect());
            cookie.violations().into_iter().map(|violation| violation.message).collect()
        };
        assert!(broken("user", &["shop-a.example", "shop-b.example"]).is_empty());
        assert!(broken("user", &["a.example", "https://b.example"])[0].contains("not a host name"));
        assert!(broken("user", &["a.example", ".A.example"])[0].contains("given twice"));
        assert!(broken("__Host-user", &["a.example"])[0].contains("`__Host-` cookie with a domain"));
    }

    #[test]
    fn what_is_good_across_domains_has_several() {
        let mut cookie = Cookie { name: "user".into(), across_domains: true, ..Cookie::for_type("User") };
        assert_eq!(cookie.violations()[0].option, "across_domains");
        cookie.domains = Domains::ByFunction;
        assert!(cookie.violations().is_empty());
    }

    #[test]
    fn a_cookie_of_an_earlier_release_is_removed_where_a_response_can_do_that() {
        let former = |former: &str| {
            let cookie = Cookie { former_domain: Some(former.into()), ..Cookie::for_type("User") };
            cookie.at_domain("shop-a.example").former().into_iter().map(|cookie| cookie.domain).collect::<Vec<_>>()
        };
        assert_eq!(former(""), [None]);
        assert_eq!(former("www.shop-a.example"), [Some("www.shop-a.example".into())]);
        assert!(former("shop-b.example").is_empty());
        assert!(former(".shop-a.example").is_empty(), "browsers take it for the same cookie");
    }

    #[test]
    fn what_the_cookie_had_before_is_none_of_its_domains() {
        let broken = |domains: Domains, former: &str| {
            let cookie = Cookie { name: "user".into(), domains, ..Cookie::for_type("User") };
            !Cookie { former_domain: Some(former.into()), ..cookie }.violations().is_empty()
        };
        let list = || Domains::List(vec!["shop-a.example".into()]);
        assert!(broken(list(), ".shop-a.example") && !broken(list(), "") && !broken(list(), "shop-b.example"));
        assert!(!broken(Domains::ByFunction, "") && !broken(Domains::ByFunction, "shop-a.example"));
    }
}
