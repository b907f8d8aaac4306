//! How tokens travel: out of a request's headers, and into an answer's.

use http::header::{AUTHORIZATION, CACHE_CONTROL, FORWARDED, HOST, ORIGIN, SET_COOKIE, VIA, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use session_rules::origin::{Origin, is_loopback};
use session_rules::transport::BEARER_ANSWER;

use super::cookies;
use super::device;
use crate::declaration::Transport;
use crate::error::Error;
use crate::session::TokenChange;
use crate::sessions::Core;

const ANSWER: HeaderName = HeaderName::from_static(BEARER_ANSWER);
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// What a request presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presented<'a> {
    Nothing,
    Token(&'a str),
    /// Bytes that can't be a token.
    Illegible,
    /// Several at once: one of them may be somebody else's plant, so none is used, unless only one cookie of them turns
    /// out to be a session's.
    Ambiguous,
}

impl<'a> Presented<'a> {
    fn of(value: &'a [u8]) -> Self {
        std::str::from_utf8(value).map_or(Self::Illegible, Self::Token)
    }

    /// This, and one value more.
    pub(super) fn and(self, value: &'a [u8]) -> Self {
        if self == Self::Nothing { Self::of(value) } else { Self::Ambiguous }
    }
}

/// The first transport, in the type's order, by which a request presents something, and what that is. Without any
/// that is the first one.
pub(super) fn presented<'a>(core: &'a Core, parts: &'a Parts) -> (&'a Transport, Presented<'a>) {
    let headers = &parts.headers;
    let on_localhost = is_on_localhost(core, parts);
    let transports = core.transports().iter().map(|transport| match transport {
        Transport::Cookie if on_localhost => ON_LOCALHOST,
        transport => transport,
    });
    let all = transports.clone().map(|transport| {
        let presented = match transport {
            Transport::Cookie | Transport::CookieOnLocalhost => {
                cookies::presented(headers, &core.cookie(transport).name)
            }
            Transport::Bearer => bearer(headers),
            Transport::Header(name) => header(headers, name),
        };
        (transport, presented)
    });
    let mut found = all.filter(|(_, presented)| *presented != Presented::Nothing);
    found
        .next()
        .or_else(|| Some((transports.clone().next()?, Presented::Nothing)))
        .unwrap_or((ON_LOCALHOST, Presented::Nothing))
}

const PROXY_HEADERS: [HeaderName; 4] =
    [FORWARDED, VIA, HeaderName::from_static("x-forwarded-for"), HeaderName::from_static("x-forwarded-host")];

const ON_LOCALHOST: &Transport = &Transport::CookieOnLocalhost;

/// Whether a request's cookie is the one for pages at a loopback host.
pub(super) fn is_on_localhost(core: &Core, parts: &Parts) -> bool {
    core.has_cookie_on_localhost() && is_at_loopback(parts)
}

/// Whether the page is at a loopback host, by the request line's authority and by `Host`, which have to agree. A client
/// that sends a false one gets a cookie without `Secure` for itself alone, in a mode that is for development.
///
/// A proxy may write its own address of the application into `Host` while the page is anywhere. What tells of a proxy, or
/// of a page at another host, counts against it.
fn is_at_loopback(parts: &Parts) -> bool {
    let proxied = PROXY_HEADERS.iter().any(|name| parts.headers.contains_key(name));
    let mut origins = parts.headers.get_all(ORIGIN).iter().map(|origin| Origin::parse(origin.to_str().ok()?).ok());
    if proxied || origins.any(|origin| origin.is_none_or(|origin| !origin.is_loopback())) {
        return false;
    }
    let authority = parts.uri.authority().map(|authority| Some(authority.as_str()));
    let hosts = parts.headers.get_all(HOST).iter().map(|host| host.to_str().ok());
    let mut hosts = authority.into_iter().chain(hosts).peekable();
    hosts.peek().is_some() && hosts.all(|host| host.is_some_and(is_loopback))
}

/// The token in `Authorization: Bearer`; other schemes are other people's.
fn bearer(headers: &HeaderMap) -> Presented<'_> {
    let tokens = headers.get_all(AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, token) = value.as_bytes().split_at_checked(b"Bearer".len())?;
        let separated = token.first().is_none_or(|byte| matches!(byte, b' ' | b'\t'));
        (separated && scheme.eq_ignore_ascii_case(b"Bearer")).then(|| token.trim_ascii())
    });
    tokens.fold(Presented::Nothing, Presented::and)
}

/// The token in a header of the type's own. An empty one says that there is none.
fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Presented<'a> {
    let values = headers.get_all(name).iter().map(|value| value.as_bytes().trim_ascii());
    values.filter(|value| !value.is_empty()).fold(Presented::Nothing, Presented::and)
}

/// Tells the client of a change of its token, by this transport.
///
/// # Errors
/// The cookie is too large: nothing is told.
pub(super) fn announce(
    core: &Core,
    by: &Transport,
    change: &TokenChange,
    headers: &mut HeaderMap,
) -> Result<(), Error> {
    let token = match change {
        TokenChange::Unchanged => return Ok(()),
        TokenChange::Set { token, .. } => token.as_str(),
        TokenChange::Removed => "",
    };
    match by {
        // A cookie without its domain would be another one, for the host alone.
        Transport::Cookie if core.lacks_domain() => return Err(Error::NoDomain),
        Transport::Cookie | Transport::CookieOnLocalhost => {
            let spec = core.cookie(by);
            let cookie = match change {
                TokenChange::Set { expires, persistent, .. } => {
                    let persistent = persistent.unwrap_or(spec.persistent);
                    cookies::set(spec, token, persistent.then(|| expires.since(core.now())))?
                }
                TokenChange::Removed | TokenChange::Unchanged => cookies::remove(spec)?,
            };
            let former = cookies::remove_former(spec)?;
            for cookie in [cookie].into_iter().chain(former) {
                cookies::append(headers, cookie);
            }
            device::announce(core, by, change, headers)?;
        }
        // A token is base64, so it always is a header's value.
        Transport::Bearer => drop(headers.insert(ANSWER, HeaderValue::try_from(token).unwrap_or(EMPTY))),
        Transport::Header(name) => drop(headers.insert(name, HeaderValue::try_from(token).unwrap_or(EMPTY))),
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(())
}

const EMPTY: HeaderValue = HeaderValue::from_static("");

/// Asks the browser to clear what it keeps of the site.
pub(super) fn clear_site_data(headers: &mut HeaderMap) {
    headers.insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cookies\", \"storage\""));
}

/// Whether an answer tells of a change of the token by this transport already.
pub(super) fn is_told(core: &Core, by: &Transport, headers: &HeaderMap) -> bool {
    match by {
        Transport::Cookie | Transport::CookieOnLocalhost => cookies::is_set(headers, core.cookie(by)),
        Transport::Bearer => headers.contains_key(ANSWER),
        Transport::Header(name) => headers.contains_key(name),
    }
}

/// Takes what an answer tells of the token by this transport out of it: it is about to tell something newer.
pub(super) fn take_back(core: &Core, by: &Transport, headers: &mut HeaderMap) {
    match by {
        Transport::Cookie | Transport::CookieOnLocalhost => cookies::take_back(headers, core.cookie(by)),
        // These are replaced.
        Transport::Bearer | Transport::Header(_) => {}
    }
}

/// Takes what one answer tells of tokens by this transport into another one, and what goes with them.
pub(super) fn pass(by: &Transport, from: &HeaderMap, to: &mut HeaderMap) {
    let name = match by {
        Transport::Cookie | Transport::CookieOnLocalhost => &SET_COOKIE,
        Transport::Bearer => &ANSWER,
        Transport::Header(name) => name,
    };
    for name in [name, &CLEAR_SITE_DATA, &device::REGISTRATION] {
        to.remove(name);
        for value in from.get_all(name) {
            to.append(name, value.clone());
        }
    }
}

/// The challenges of a 401, which RFC 9110 asks for: one for each transport. The scheme for cookies names the cookie.
pub(super) fn challenge(core: &Core, headers: &mut HeaderMap) {
    let on_localhost = core.has_cookie_on_localhost().then_some(ON_LOCALHOST);
    for transport in core.transports().iter().chain(on_localhost) {
        let challenge = match transport {
            Transport::Cookie | Transport::CookieOnLocalhost => {
                format!("Cookie cookie-name=\"{}\"", core.cookie(transport).name)
            }
            Transport::Bearer => "Bearer".into(),
            Transport::Header(name) => format!("Header header-name=\"{name}\""),
        };
        if let Ok(challenge) = HeaderValue::try_from(challenge) {
            headers.append(WWW_AUTHENTICATE, challenge);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, values: &[&[u8]]) -> HeaderMap {
        let values = values.iter().map(|value| HeaderValue::from_bytes(value).unwrap());
        values.map(|value| (HeaderName::from_static(name), value)).collect()
    }

    #[test]
    fn a_bearer_token_is_found_whatever_the_case_of_its_scheme() {
        for value in [&b"Bearer abc"[..], b"bearer abc", b"BEARER  abc ", b"Bearer\tabc"] {
            assert_eq!(bearer(&headers("authorization", &[value])), Presented::Token("abc"));
        }
        let beside = headers("authorization", &[b"Basic dTpw", b"Bearer abc"]);
        assert_eq!(bearer(&beside), Presented::Token("abc"));
    }

    #[test]
    fn what_is_no_bearer_token_is_none() {
        for value in [&b""[..], b"abc", b"Basic abc", b"Bearerabc", b"Bear", b"Token abc", b"\xff\xff\xff\xff\xff\xff"]
        {
            assert_eq!(bearer(&headers("authorization", &[value])), Presented::Nothing, "{value:?}");
        }
        assert_eq!(bearer(&HeaderMap::new()), Presented::Nothing);
    }

    #[test]
    fn a_token_that_cannot_be_one_is_presented_all_the_same() {
        assert_eq!(bearer(&headers("authorization", &[b"Bearer"])), Presented::Token(""));
        assert_eq!(bearer(&headers("authorization", &[b"Bearer a\xff"])), Presented::Illegible);
        assert_eq!(bearer(&headers("authorization", &[b"Bearer a", b"Bearer a"])), Presented::Ambiguous);
        let name = HeaderName::from_static("x-session");
        assert_eq!(header(&headers("x-session", &[b"a\xff"]), &name), Presented::Illegible);
        assert_eq!(header(&headers("x-session", &[b"a", b"b"]), &name), Presented::Ambiguous);
    }

    #[test]
    fn a_header_of_ones_own_holds_the_token_alone_and_an_empty_one_holds_none() {
        let name = HeaderName::from_static("x-session");
        assert_eq!(header(&headers("x-session", &[b" abc "]), &name), Presented::Token("abc"));
        assert_eq!(header(&headers("x-session", &[b"", b"abc"]), &name), Presented::Token("abc"));
        assert_eq!(header(&headers("x-session", &[b"", b" "]), &name), Presented::Nothing);
        assert_eq!(header(&headers("x-other", &[b"abc"]), &name), Presented::Nothing);
    }
}
