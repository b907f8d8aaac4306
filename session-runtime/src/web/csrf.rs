//! Whether another site may have made a request.
//!
//! What decides is what browsers say and pages can't forge (the way of Go 1.25's `CrossOriginProtection`): Fetch
//! Metadata, else the `Origin` against the host that was asked. A request with neither comes from no browser of this
//! decade, and nothing but a browser attaches a cookie for somebody else.

use http::header::{HOST, ORIGIN, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use session_rules::origin::Origin;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What is known of the application that is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'a> {
    /// Origins of others that are trusted.
    pub(super) trusted: &'a [Origin],
    /// Whether its cookie is for TLS alone, so that its own pages come by `https`, or from this machine.
    pub(super) secure: bool,
}

/// Whether a request could do harm and may have been made by another site's page.
///
/// Harmless are `GET`, `HEAD`, `OPTIONS` and `TRACE`, unless they open a WebSocket: browsers let every site do that, with
/// cookies, and read what comes. Of what is said twice nothing is believed.
pub(super) fn is_cross_site(method: &Method, uri: &Uri, headers: &HeaderMap, site: Site<'_>) -> bool {
    if method.is_safe() && !opens_a_websocket(headers) {
        return false;
    }
    let (Ok(fetch_site), Ok(origin)) = (only(headers, SEC_FETCH_SITE), only(headers, ORIGIN)) else { return true };
    let parsed = origin.and_then(|origin| Origin::parse(origin.to_str().ok()?).ok());
    if parsed.as_ref().is_some_and(|origin| site.trusted.contains(origin)) {
        return false;
    }
    match (fetch_site, origin) {
        (Some(fetch_site), _) => fetch_site != "same-origin" && fetch_site != "none",
        (None, None) => false,
        (None, Some(_)) => !parsed.is_some_and(|origin| is_own(&origin, uri, headers, site)),
    }
}

/// The only value of a header; `Err` if there are several.
fn only(headers: &HeaderMap, name: HeaderName) -> Result<Option<&HeaderValue>, ()> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(()) } else { Ok(first) }
}

/// Whether an origin is the one that was asked.
///
/// The host is the request line's (HTTP/2's `:authority`) or `Host`'s; if both are there they have to agree. The scheme
/// by which the request came to the browser's end is not known behind a proxy, but pages of a site with a `Secure`
/// cookie come by `https`, or from this machine.
fn is_own(origin: &Origin, uri: &Uri, headers: &HeaderMap, site: Site<'_>) -> bool {
    let Ok(host) = only(headers, HOST) else { return false };
    let hosts = [uri.authority().map(|authority| Some(authority.as_str())), host.map(|host| host.to_str().ok())];
    let mut hosts = hosts.into_iter().flatten().peekable();
    let web = origin.scheme == "https" || (origin.scheme == "http" && (!site.secure || origin.is_loopback()));
    web && hosts.peek().is_some() && hosts.all(|host| host.is_some_and(|host| origin.is_at(host)))
}

fn opens_a_websocket(headers: &HeaderMap) -> bool {
    headers.get_all(UPGRADE).iter().any(|value| {
        let mut protocols = value.as_bytes().split(|byte| *byte == b',');
        protocols.any(|protocol| {
            let name = protocol.split(|byte| *byte == b'/').next().unwrap_or_default();
            name.trim_ascii().eq_ignore_ascii_case(b"websocket")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNSAFE: [&str; 7] = ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "PROPFIND", "get"];

    /// One request: its headers, and the authority of its request line.
    #[derive(Clone, Copy)]
    struct Request<'a> {
        method: &'a str,
        authority: Option<&'a str>,
        headers: &'a [(&'static str, &'a [u8])],
    }

    fn refuses(request: Request<'_>, site: Site<'_>) -> bool {
        let method = Method::from_bytes(request.method.as_bytes()).unwrap();
        let uri: Uri = match request.authority {
            Some(authority) => format!("https://{authority}/pay").parse().unwrap(),
            None => "/pay".parse().unwrap(),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in request.headers {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        is_cross_site(&method, &uri, &headers, site)
    }

    fn post<'a>(headers: &'a [(&'static str, &'a [u8])]) -> Request<'a> {
        Request { method: "POST", authority: None, headers }
    }

    const STRICT: Site<'_> = Site { trusted: &[], secure: true };
    const PLAIN: Site<'_> = Site { trusted: &[], secure: false };
    const HOST_: (&str, &[u8]) = ("host", b"shop.example");

    #[test]
    fn fetch_metadata_decides_where_it_is_said() {
        for (value, refused) in [
            (&b"same-origin"[..], false),
            (b"none", false),
            (b"same-site", true),
            (b"cross-site", true),
            (b"", true),
            (b"Same-Origin", true),
            (b"same-origin, cross-site", true),
            (b"same-origin\xff", true),
            (b"future-word", true),
        ] {
            for method in UNSAFE {
                for origin in [&b"https://shop.example"[..], b"https://evil.example", b"null"] {
                    let headers = [HOST_, ("sec-fetch-site", value), ("origin", origin)];
                    let request = Request { method, authority: None, headers: &headers };
                    assert_eq!(refuses(request, STRICT), refused, "{method} {:?}", value.escape_ascii());
                    let request = Request { headers: &headers[..2], ..request };
                    assert_eq!(refuses(request, STRICT), refused, "{method} {:?}", value.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn without_fetch_metadata_the_origin_has_to_be_the_host() {
        for (host, origin, refused) in [
            (&b"shop.example"[..], &b"https://shop.example"[..], false),
            (b"shop.example:443", b"https://shop.example", false),
            (b"shop.example", b"https://shop.example:443", false),
            (b"SHOP.example", b"https://shop.example", false),
            (b"shop.example:8443", b"https://shop.example:8443", false),
            (b"127.0.0.1:3000", b"http://127.0.0.1:3000", false),
            (b"localhost:3000", b"http://localhost:3000", false),
            (b"[::1]:3000", b"http://[::1]:3000", false),
            (b"shop.example", b"https://evil.example", true),
            (b"shop.example", b"https://www.shop.example", true),
            (b"shop.example", b"https://shop.example.evil.example", true),
            (b"shop.example", b"https://shop.example:8443", true),
            (b"shop.example:8443", b"https://shop.example", true),
            (b"shop.example:80", b"https://shop.example", true),
            (b"localhost:3000", b"http://localhost:3001", true),
            (b"shop.example", b"null", true),
            (b"shop.example", b"", true),
            (b"shop.example", b"shop.example", true),
            (b"shop.example", b"https://shop.example/", true),
            (b"shop.example", b"https://user@shop.example", true),
            (b"shop.example", b"https://shop.example https://evil.example", true),
            (b"shop.example", b"https://shop.example, https://evil.example", true),
            (b"shop.example", b"https://shop.example\xff", true),
            (b"shop.example\xff", b"https://shop.example", true),
            (b"user@shop.example", b"https://shop.example", true),
            (b"", b"https://shop.example", true),
            (b"shop.example", b"ftp://shop.example", true),
            (b"shop.example", b"chrome-extension://shop.example", true),
        ] {
            for method in UNSAFE {
                let headers = [("host", host), ("origin", origin)];
                let request = Request { method, authority: None, headers: &headers };
                let shown = (host.escape_ascii().to_string(), origin.escape_ascii().to_string());
                assert_eq!(refuses(request, STRICT), refused, "{method} {shown:?}");
            }
        }
    }

    #[test]
    fn a_page_by_plain_http_is_another_one_than_the_site_of_a_secure_cookie() {
        let headers = [HOST_, ("origin", &b"http://shop.example"[..])];
        assert!(refuses(post(&headers), STRICT));
        assert!(!refuses(post(&headers), PLAIN));
        let headers = [HOST_, ("origin", &b"http://shop.example:443"[..])];
        assert!(refuses(post(&headers), PLAIN), "http on the port of https is another origin");
    }

    #[test]
    fn a_request_without_either_header_passes() {
        assert!(!refuses(post(&[]), STRICT));
        assert!(!refuses(post(&[HOST_]), STRICT));
        assert!(!refuses(post(&[HOST_, ("referer", b"https://evil.example/")]), STRICT));
    }

    #[test]
    fn an_origin_without_a_host_to_compare_it_with_is_refused() {
        assert!(refuses(post(&[("origin", b"https://shop.example")]), STRICT));
    }

    #[test]
    fn safe_methods_pass_whatever_is_said() {
        for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            let headers = [HOST_, ("sec-fetch-site", &b"cross-site"[..]), ("origin", b"https://evil.example")];
            assert!(!refuses(Request { method, authority: None, headers: &headers }, STRICT), "{method}");
        }
    }

    #[test]
    fn of_headers_that_come_twice_nothing_is_believed() {
        let own: (&str, &[u8]) = ("origin", b"https://shop.example");
        let same: (&str, &[u8]) = ("sec-fetch-site", b"same-origin");
        let trusted = [Origin::parse("https://shop.example").unwrap()];
        let trusting = Site { trusted: &trusted, secure: true };
        for headers in [&[HOST_, own, own][..], &[HOST_, own, same, same], &[HOST_, same, own, own]] {
            assert!(refuses(post(headers), STRICT) && refuses(post(headers), trusting), "{headers:?}");
        }
        assert!(refuses(post(&[HOST_, HOST_, own]), STRICT));
        assert!(refuses(post(&[HOST_, ("host", b"evil.example"), own]), STRICT));
    }

    #[test]
    fn the_request_lines_authority_is_the_host_and_a_host_beside_it_agrees() {
        let own: (&str, &[u8]) = ("origin", b"https://shop.example");
        fn h2<'a>(headers: &'a [(&'static str, &'a [u8])]) -> Request<'a> {
            Request { method: "POST", authority: Some("shop.example"), headers }
        }
        assert!(!refuses(h2(&[own]), STRICT));
        assert!(!refuses(h2(&[own, HOST_]), STRICT));
        assert!(!refuses(h2(&[own, ("host", b"shop.example:443")]), STRICT));
        assert!(refuses(h2(&[own, ("host", b"evil.example")]), STRICT));
        assert!(refuses(h2(&[("origin", b"https://evil.example")]), STRICT));
        assert!(refuses(h2(&[("origin", b"https://evil.example"), ("host", b"evil.example")]), STRICT));
        assert!(refuses(Request { authority: Some("user@shop.example"), ..h2(&[own]) }, STRICT));
    }

    #[test]
    fn a_trusted_origin_passes_whatever_fetch_metadata_says() {
        let trusted = [Origin::parse("https://app.example:8443").unwrap(), Origin::parse("tauri://localhost").unwrap()];
        let site = Site { trusted: &trusted, secure: true };
        for origin in [&b"https://app.example:8443"[..], b"HTTPS://APP.example:8443", b"tauri://localhost"] {
            for fetch_site in [&b"cross-site"[..], b"same-site", b"same-origin", b"whatever"] {
                assert!(!refuses(post(&[HOST_, ("origin", origin), ("sec-fetch-site", fetch_site)]), site));
            }
            assert!(!refuses(post(&[HOST_, ("origin", origin)]), site));
        }
        for origin in [
            &b"https://app.example"[..],
            b"http://app.example:8443",
            b"https://x.app.example:8443",
            b"https://app.example:8443/",
            b"tauri://localhost.evil",
            b"null",
        ] {
            assert!(refuses(post(&[HOST_, ("origin", origin), ("sec-fetch-site", b"cross-site")]), site));
            assert!(refuses(post(&[HOST_, ("origin", origin)]), site));
        }
    }

    #[test]
    fn who_opens_a_websocket_is_asked_whatever_the_method() {
        fn asks<'a>(method: &'a str, headers: &'a [(&'static str, &'a [u8])]) -> Request<'a> {
            Request { method, authority: None, headers }
        }
        let evil: (&str, &[u8]) = ("origin", b"https://evil.example");
        for upgrade in [&b"websocket"[..], b"WebSocket", b"h2c, websocket", b" websocket/13 ,x"] {
            for method in ["GET", "HEAD", "OPTIONS", "POST"] {
                let upgrade = ("upgrade", upgrade);
                assert!(refuses(asks(method, &[HOST_, upgrade, evil]), STRICT));
                assert!(refuses(asks(method, &[HOST_, upgrade, ("sec-fetch-site", b"cross-site")]), STRICT));
                assert!(!refuses(asks(method, &[HOST_, upgrade, ("origin", b"https://shop.example")]), STRICT));
                assert!(!refuses(asks(method, &[HOST_, upgrade]), STRICT), "no browser");
            }
        }
        for upgrade in [&b"h2c"[..], b"websockets", b"", b"x-websocket"] {
            let headers = [HOST_, ("upgrade", upgrade), evil];
            assert!(!refuses(Request { method: "GET", authority: None, headers: &headers }, STRICT));
        }
    }
}
