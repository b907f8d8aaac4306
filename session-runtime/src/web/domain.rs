//! Which of an application's domains a request is at.

use http::header::HOST;
use http::request::Parts;

use super::authorize::Denied;
use super::problem;
use super::transport::is_on_localhost;
use crate::error::Error;
use crate::sessions::{Core, NoDomain, SessionData, Sessions};

/// The sessions at a request's domain. For a type with one domain these are the same.
///
/// # Errors
/// 421 where the host is none of the application's, and 500 where its function names an impossible domain.
pub(super) fn at_domain(core: &Core, parts: &Parts) -> Result<Core, Denied> {
    if !core.has_domain_by_request() {
        return Ok(core.clone());
    }
    let host = asked_host(parts);
    core.at_host(parts, host, is_on_localhost(core, parts)).map_err(|reason| match reason {
        NoDomain::Elsewhere => {
            unknown_host(core.session_type(), host);
            Denied::Refused(problem::misdirected())
        }
        NoDomain::Wrong => Denied::Error(Error::NoDomain),
    })
}

/// A request asks for a host that is under none of the application's domains.
fn unknown_host(session_type: &'static str, host: Option<&str>) {
    let host =
        host.map_or_else(|| "none".into(), |host| host.as_bytes()[..host.len().min(255)].escape_ascii().to_string());
    event!(
        info,
        "session.unknown_host",
        session_type,
        host,
        "a request was refused: its host is under none of the domains of `cookie(domain)`; if it is the application's own, \
         add it; if a proxy changes `Host`, let it leave that as it is"
    );
}

/// The host that a request asks for, without its port: the request line's (HTTP/2's `:authority`) or that of `Host`. If
/// both are there they have to agree, and of several none counts.
fn asked_host(parts: &Parts) -> Option<&str> {
    let authority = parts.uri.authority().map(|authority| Some(authority.as_str()));
    let hosts = parts.headers.get_all(HOST).iter().map(|host| host.to_str().ok());
    let mut hosts = authority.into_iter().chain(hosts);
    let first = without_port(hosts.next()??)?;
    hosts.all(|host| host.and_then(without_port).is_some_and(|host| host.eq_ignore_ascii_case(first))).then_some(first)
}

/// `shop.example:443` and `[::1]:3000` without the port. `None` for anything else.
fn without_port(host: &str) -> Option<&str> {
    let end = host.find(']').map_or(0, |at| at + 1);
    let (name, port) = match host[end..].split_once(':') {
        Some((name, port)) => (&host[..end + name.len()], port),
        None => (host, ""),
    };
    (!name.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

impl<T: SessionData> Sessions<T> {
    /// The same sessions at the domain of this request, where each request's host chooses it (`cookie(domain = [..])`): for
    /// [`start`](Self::start) in a handler without [`SessionSlot`](crate::SessionSlot), such as the callback of an identity
    /// provider.
    ///
    /// # Errors
    /// [`Error::NoDomain`](crate::Error::NoDomain) if the host is none of the application's.
    #[doc = include_str!("../docs/examples/sessions_for_request.md")]
    pub fn for_request(&self, parts: &Parts) -> Result<Self, Error> {
        at_domain(self.core(), parts).map(Self::of_core).map_err(|_| Error::NoDomain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(uri: &str, hosts: &[&str]) -> Option<String> {
        let request = http::Request::builder().uri(uri);
        let request = hosts.iter().fold(request, |request, host| request.header(HOST, *host));
        asked_host(&request.body(()).unwrap().into_parts().0).map(str::to_owned)
    }

    #[test]
    fn the_host_is_what_all_that_name_it_agree_on() {
        for (uri, hosts, asked) in [
            ("/", &["shop.example"][..], "shop.example"),
            ("/", &["shop.example:8443"], "shop.example"),
            ("/", &["[::1]:3000"], "[::1]"),
            ("https://shop.example/", &[], "shop.example"),
            ("https://shop.example:443/", &["Shop.example"], "shop.example"),
        ] {
            assert_eq!(host(uri, hosts).as_deref(), Some(asked), "{uri} {hosts:?}");
        }
    }

    #[test]
    fn a_host_that_is_missing_or_in_doubt_is_none() {
        for (uri, hosts) in [
            ("/", &[][..]),
            ("/", &[""]),
            ("/", &[":80"]),
            ("/", &["shop-a.example", "shop-b.example"]),
            ("/", &["shop.example:8443, other.example"]),
            ("https://shop-a.example/", &["shop-b.example"]),
        ] {
            assert_eq!(host(uri, hosts), None, "{uri} {hosts:?}");
        }
    }
}
