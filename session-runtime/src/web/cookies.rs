//! The session's cookie in a request's and a response's headers.

use std::time::Duration;

use cookie::time::OffsetDateTime;
use cookie::{Cookie, SameSite};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use session_rules::cookie::{Cookie as Spec, MAX_NAME_AND_VALUE, SameSite as SpecSameSite};

use super::transport::Presented;
use crate::error::Error;

/// The cookie of this name, compared byte by byte.
///
/// A cookie crate's parser would trim white space outside ASCII from a name, which lets a page of another
/// host smuggle `__Host-` names past the browser; so the bytes are cut here, at `;` and `=` and nothing
/// else, with the space and tab of HTTP around them.
pub(super) fn presented<'a>(headers: &'a HeaderMap, name: &str) -> Presented<'a> {
    let mut found = Presented::Nothing;
    each(headers, name, |value| found = found.and(value));
    found
}

/// The values of all cookies of this name.
pub(super) fn all<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a [u8]> {
    let mut found = Vec::new();
    each(headers, name, |value| found.push(value));
    found
}

fn each<'a>(headers: &'a HeaderMap, name: &str, mut found: impl FnMut(&'a [u8])) {
    for header in headers.get_all(COOKIE) {
        let mut rest = header.as_bytes();
        while !rest.is_empty() {
            let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
            let pair = &rest[..end];
            rest = rest.get(end + 1..).unwrap_or_default();
            if let Some(value) = value_of(pair, name.as_bytes()) {
                found(value);
            }
        }
    }
}

/// The value in `name=value`, if the name is this one.
fn value_of<'a>(pair: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let value = trim(pair).strip_prefix(name)?;
    trim(value).strip_prefix(b"=").map(trim)
}

/// Without the optional white space of HTTP (RFC 9110, section 5.6.3).
fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// One specification for setting and for removing: they differ in value and age alone.
fn cookie<'a>(spec: &'a Spec, value: &'a str) -> Cookie<'a> {
    // Each attribute is named, so that a new one does not compile until it is written here; a token's age is its own.
    let Spec {
        name,
        path,
        domain,
        domains: _,
        across_domains: _,
        same_site,
        secure,
        http_only,
        partitioned,
        persistent: _,
        http_on_localhost: _,
        former_domain: _,
        former_path: _,
    } = spec;
    let mut cookie = Cookie::build((name.as_str(), value))
        .path(path.as_str())
        .secure(*secure)
        .http_only(*http_only)
        .partitioned(*partitioned)
        .same_site(match same_site {
            SpecSameSite::Strict => SameSite::Strict,
            SpecSameSite::Lax => SameSite::Lax,
            SpecSameSite::None => SameSite::None,
        })
        .build();
    if let Some(domain) = domain {
        cookie.set_domain(domain.as_str());
    }
    cookie
}

/// The header that hands over a token. `age` is how long the session still lives, if its cookie outlives the
/// browser.
pub(super) fn set(spec: &Spec, token: &str, age: Option<Duration>) -> Result<HeaderValue, Error> {
    let size = spec.name.len() + token.len();
    if size > MAX_NAME_AND_VALUE {
        return Err(Error::CookieTooLarge { size });
    }
    let mut cookie = cookie(spec, token);
    if let Some(age) = age {
        cookie.set_max_age(cookie::time::Duration::try_from(age).unwrap_or(cookie::time::Duration::MAX));
    }
    header(&cookie)
}

/// The header that takes the token away.
pub(super) fn remove(spec: &Spec) -> Result<HeaderValue, Error> {
    let mut cookie = cookie(spec, "");
    cookie.set_max_age(cookie::time::Duration::ZERO);
    cookie.set_expires(OffsetDateTime::UNIX_EPOCH);
    header(&cookie)
}

/// The headers that take away what earlier releases may have left beside the cookie.
pub(super) fn remove_former(spec: &Spec) -> Result<Vec<HeaderValue>, Error> {
    spec.former().iter().map(remove).collect()
}

fn header(cookie: &Cookie<'_>) -> Result<HeaderValue, Error> {
    let text = cookie.to_string();
    // Name, path and domain were checked at opening and a token is base64, so this doesn't fail.
    let size = text.len();
    HeaderValue::try_from(text).map_err(|_| Error::CookieTooLarge { size })
}

/// Adds the cookie.
pub(super) fn append(headers: &mut HeaderMap, cookie: HeaderValue) {
    headers.append(SET_COOKIE, cookie);
}

/// Whether an answer sets or removes this cookie already.
pub(super) fn is_set(headers: &HeaderMap, spec: &Spec) -> bool {
    headers.get_all(SET_COOKIE).iter().any(|value| is_of(value, spec))
}

/// Takes this cookie out of an answer.
pub(super) fn take_back(headers: &mut HeaderMap, spec: &Spec) {
    let others: Vec<HeaderValue> =
        headers.get_all(SET_COOKIE).iter().filter(|value| !is_of(value, spec)).cloned().collect();
    headers.remove(SET_COOKIE);
    others.into_iter().for_each(|cookie| append(headers, cookie));
}

fn is_of(value: &HeaderValue, spec: &Spec) -> bool {
    value.as_bytes().strip_prefix(spec.name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
}

#[cfg(feature = "testing")]
pub(crate) mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[&[u8]]) -> HeaderMap {
        headers.iter().map(|value| (COOKIE, HeaderValue::from_bytes(value).unwrap())).collect()
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        for headers in [
            &[&b"__Host-user=abc"[..]][..],
            &[b"a=1; __Host-user=abc; b=2"],
            &[b"a=1;__Host-user=abc"],
            &[b"a=\xc3\xa9; __Host-user=abc"],
            &[b"a=1", b"__Host-user=abc"],
            &[b"__Host-user2=no; x__Host-user=no; __Host-user=abc"],
        ] {
            assert_eq!(presented(&request(headers), "__Host-user"), Presented::Token("abc"), "{headers:?}");
        }
    }

    #[test]
    fn what_only_looks_like_the_cookie_is_not_it() {
        for header in [
            &b"__host-user=abc"[..],
            b"\xe2\x80\x80__Host-user=abc",
            b"\xc2\xa0__Host-user=abc",
            b"__Host-user\xc2\xa0=abc",
            b"__Host-user",
            b"=__Host-user=abc",
            b"",
        ] {
            assert_eq!(presented(&request(&[header]), "__Host-user"), Presented::Nothing, "{header:?}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_a_token_is_presented_all_the_same() {
        assert_eq!(presented(&request(&[b"s=ab\xff"]), "s"), Presented::Illegible);
        assert_eq!(presented(&request(&[b"s="]), "s"), Presented::Token(""));
    }

    #[test]
    fn two_cookies_of_one_name_are_told_from_one() {
        for header in [&b"s=a; s=b"[..], b"s=b; s=a", b"s=a; s=a"] {
            assert_eq!(presented(&request(&[header]), "s"), Presented::Ambiguous);
        }
        let two = request(&[b"s=a; x=s=; s=", b"s=b\xff"]);
        assert_eq!(presented(&two, "s"), Presented::Ambiguous);
        assert_eq!(all(&two, "s"), [&b"a"[..], b"", b"b\xff"]);
    }

    #[test]
    fn set_and_removal_differ_in_value_and_age_alone() {
        let mut spec = Spec::for_type("User");
        (spec.name, spec.domain, spec.path) = ("u".into(), Some("example.org".into()), "/app".into());
        let set = set(&spec, "tok", Some(Duration::from_secs(60))).unwrap();
        let removed = remove(&spec).unwrap();
        let strip = |header: &HeaderValue| -> Vec<String> {
            let text = header.to_str().unwrap().to_owned();
            text.split("; ")
                .skip(1)
                .filter(|part| !part.starts_with("Max-Age") && !part.starts_with("Expires"))
                .map(String::from)
                .collect()
        };
        assert_eq!(strip(&set), strip(&removed));
        assert_eq!(strip(&set), ["HttpOnly", "SameSite=Lax", "Secure", "Path=/app", "Domain=example.org"]);
        assert!(set.to_str().unwrap().contains("Max-Age=60"));
        assert!(removed.to_str().unwrap().starts_with("u=; ") && removed.to_str().unwrap().contains("Max-Age=0"));
    }

    #[test]
    fn a_cookie_of_4096_bytes_is_sent_and_one_of_4097_is_not() {
        let spec = Spec::for_type("User");
        let room = 4096 - spec.name.len();
        assert!(set(&spec, &"a".repeat(room), None).is_ok());
        assert!(matches!(set(&spec, &"a".repeat(room + 1), None), Err(Error::CookieTooLarge { size: 4097 })));
    }
}
