//! Origins (RFC 6454): a scheme, a host and a port, as browsers send them and as `trusted_origins` and `public_origin`
//! name them.

use std::fmt;

/// An origin in its normal form: lower case, without a port that its scheme implies.
///
/// ```
/// use session_rules::origin::Origin;
/// let origin = Origin::parse("HTTPS://Shop.example:443").unwrap();
/// assert_eq!(origin.to_string(), "https://shop.example");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The scheme: `https`.
    pub scheme: String,
    /// The host without its port; an IPv6 address in its brackets.
    pub host: String,
    /// The port, unless it is the scheme's own.
    pub port: Option<u16>,
}

impl Origin {
    /// Reads `scheme://host` or `scheme://host:port`, and nothing more.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("{text:?} is not an origin: {why}, as in \"https://shop.example\""));
        if text == "null" {
            return wrong(
                "browsers send `null` for every hidden origin, so it can't be trusted; write a scheme and a host",
            );
        }
        if text.contains('*') {
            return wrong("each origin is named in full; write one for each host");
        }
        if !text.is_ascii() {
            return wrong("browsers send host names in ASCII; write it in its `xn--` form");
        }
        let Some((scheme, rest)) = text.split_once("://") else { return wrong("write it with its scheme") };
        if let Some((host, _)) = rest.split_once(['/', '?', '#']) {
            let text = format!("{scheme}://{host}");
            return match Self::parse(&text) {
                Ok(_) => Err(format!("an origin has no path; write {text:?}")),
                Err(error) => Err(error),
            };
        }
        if !is_scheme(scheme) {
            return wrong("its scheme is not one");
        }
        let scheme = scheme.to_ascii_lowercase();
        let Some((host, port)) = authority(rest) else { return wrong("write a host name, and a port if it has one") };
        let port = port.filter(|port| default_port(&scheme) != Some(*port));
        Ok(Self { scheme, host: host.to_ascii_lowercase(), port })
    }

    /// Reads several, comma-separated; none is fine.
    ///
    /// # Errors
    /// What to write instead of the first that is wrong.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Self::parse).collect()
    }

    /// Whether `host`, as a request's `Host` or `:authority` has it, is this origin's. A port that is not
    /// written is the one that the origin's scheme implies.
    pub fn is_at(&self, host: &str) -> bool {
        let own = |port: u16| default_port(&self.scheme) != Some(port);
        authority(host).is_some_and(|(name, port)| {
            name.eq_ignore_ascii_case(&self.host) && port.filter(|port| own(*port)) == self.port
        })
    }

    /// What speaks against this being where browsers see an application whose cookie is `Secure`, or isn't.
    pub fn public_violation(&self, secure: bool) -> Option<String> {
        let kept = match self.scheme.as_str() {
            "https" => true,
            "http" => !secure || self.is_loopback(),
            _ => false,
        };
        let host = &self.host;
        (!kept).then(|| {
            format!(
                "browsers send no `Secure` cookie to {self}, so no session would last; write the address that people see, \
                 such as \"https://{host}\", or `cookie(secure = false)` where there is no TLS"
            )
        })
    }

    /// Whether the host is this machine itself, which browsers trust without TLS.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

/// Whether a host, with or without a port, is this machine itself.
///
/// ```
/// use session_rules::origin::is_loopback;
/// for host in ["localhost:3000", "shop.localhost", "127.0.0.1", "[::1]:3000"] {
///     assert!(is_loopback(host), "{host}");
/// }
/// for host in ["localhost.example", "127.0.0.1.example", "192.168.0.1", ""] {
///     assert!(!is_loopback(host), "{host}");
/// }
/// ```
pub fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => return address.parse().is_ok_and(|address: std::net::Ipv6Addr| address.is_loopback()),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase(),
    };
    let v4 = name.parse().is_ok_and(|address: std::net::Ipv4Addr| address.is_loopback());
    v4 || name == "localhost" || name.ends_with(".localhost")
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// `ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )` (RFC 3986, section 3.1)
fn is_scheme(text: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(rest)
}

/// A host and its port, if one is written.
fn authority(text: &str) -> Option<(&str, Option<u16>)> {
    let end = text.find(']').map_or(0, |at| at + 1);
    let (host, port) = match text.get(end..)?.split_once(':') {
        Some((name, port)) => (&text[..end + name.len()], Some(port)),
        None => (text, None),
    };
    let port = match port {
        None => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok().filter(|p| *p > 0)?)
        }
        Some(_) => return None,
    };
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let legal = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(name),
    };
    legal.then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_form() {
        for (text, normal) in [
            ("https://shop.example", "https://shop.example"),
            ("https://shop.example:443", "https://shop.example"),
            ("http://shop.example:80", "http://shop.example"),
            ("http://shop.example:443", "http://shop.example:443"),
            ("HTTPS://SHOP.Example:8443", "https://shop.example:8443"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), normal);
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_with_the_fix() {
        for (text, fix) in [
            ("", "scheme"),
            ("null", "every hidden origin"),
            ("*", "one for each host"),
            ("https://*.example", "one for each host"),
            ("shop.example", "with its scheme"),
            ("https://shop.example/", "write \"https://shop.example\""),
            ("https://shop.example/admin?x", "write \"https://shop.example\""),
            ("https://", "a host name"),
            ("https:///x", "a host name"),
            ("https://a:b@shop.example", "a host name"),
            ("https://shop.example:", "a host name"),
            ("https://shop.example:0", "a host name"),
            ("https://shop.example:65536", "a host name"),
            ("https://shop.example:+80", "a host name"),
            ("https://[::1", "a host name"),
            ("https://[x]", "a host name"),
            ("https://a b", "a host name"),
            ("https://bücher.example", "`xn--`"),
            ("1https://shop.example", "its scheme"),
            ("://shop.example", "its scheme"),
            ("https://a,https://b", "a host name"),
        ] {
            let error = Origin::parse(text).unwrap_err();
            assert!(error.contains(fix), "{text}: {error}");
        }
    }

    #[test]
    fn a_list_may_be_empty_and_each_of_it_is_checked() {
        assert_eq!(Origin::parse_list(" ").unwrap(), []);
        let both = Origin::parse_list("https://a.example, https://b.example,").unwrap();
        assert_eq!(
            both.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["https://a.example", "https://b.example"]
        );
        assert!(Origin::parse_list("https://a.example,b.example").is_err());
    }

    #[test]
    fn a_host_is_an_origins_own_with_or_without_the_port_that_the_scheme_implies() {
        let at = |origin: &str, host: &str| Origin::parse(origin).unwrap().is_at(host);
        for (origin, host) in [
            ("https://shop.example", "shop.example"),
            ("https://shop.example", "SHOP.example:443"),
            ("http://shop.example", "shop.example:80"),
            ("http://shop.example:3000", "shop.example:3000"),
            ("http://[::1]:3000", "[::1]:3000"),
        ] {
            assert!(at(origin, host), "{origin} {host}");
        }
        for (origin, host) in [
            ("https://shop.example", "shop.example:80"),
            ("http://shop.example", "shop.example:443"),
            ("https://shop.example", "shop.example:8443"),
            ("https://shop.example:8443", "shop.example"),
            ("https://shop.example", "www.shop.example"),
            ("https://shop.example", "shop.example."),
            ("https://shop.example", "shop.example:"),
            ("https://shop.example", "user@shop.example"),
            ("https://shop.example", "shop.example, shop.example"),
            ("https://shop.example", ""),
        ] {
            assert!(!at(origin, host), "{origin} {host}");
        }
    }

    #[test]
    fn loopback_is_this_machine_and_no_look_alike() {
        for host in ["localhost", "app.localhost", "127.0.0.1", "127.9.9.9", "[::1]"] {
            assert!(Origin::parse(&format!("http://{host}:3000")).unwrap().is_loopback(), "{host}");
        }
        for host in ["localhost.example", "127.0.0.1.example", "10.0.0.1", "[::2]", "xlocalhost"] {
            assert!(!Origin::parse(&format!("http://{host}")).unwrap().is_loopback(), "{host}");
        }
    }
}
