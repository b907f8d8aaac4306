//! Whether another site may have made a request.
//!
//! What decides is what browsers say and pages can't forge (the way of Go 1.25's `CrossOriginProtection`): Fetch
//! Metadata, else the `Origin` against the host that was asked. A request with neither comes from no browser of this
//! decade, and nothing but a browser attaches a cookie for somebody else.
//!
//! Fetch Metadata is not always there: Chromium sends none by plain http, unless the host is this machine, and none when
//! a page opens a WebSocket. So the comparison of `Origin` is not for old browsers alone.

use http::header::{HOST, ORIGIN, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use session_rules::origin::Origin;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What is known of the application that is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'a> {
    /// Origins of others that are trusted.
    pub(super) trusted: &'a [Origin],
    /// The application's own origin as browsers see it, where it is declared. Without it that is the host that is
    /// asked, which a proxy may have changed.
    pub(super) public: Option<&'a Origin>,
    /// Whether its cookie is for TLS alone, so that its own pages come by `https`, or from this machine.
    pub(super) secure: bool,
}

/// Whether a request could do harm and may have been made by another site's page.
///
/// Harmless are `GET`, `HEAD`, `OPTIONS` and `TRACE`, unless they open a WebSocket: browsers let every site do that, with
/// cookies, and read what comes. Other methods that HTTP calls safe, such as `QUERY`, are asked about: handlers are known
/// to use methods for what they are not, and no page opens by them. Of what is said twice nothing is believed.
pub(super) fn is_cross_site(method: &Method, uri: &Uri, headers: &HeaderMap, site: Site<'_>) -> bool {
    if is_harmless(method) && !opens_a_websocket(headers) {
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

/// Named one by one: which methods `http` calls safe changes from release to release.
fn is_harmless(method: &Method) -> bool {
    matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

/// What a request says of where it comes from and where it goes, for the log: as it came, escaped and cut off.
pub(super) struct Compared<'a> {
    uri: &'a Uri,
    headers: &'a HeaderMap,
    public: Option<&'a Origin>,
}

impl<'a> Compared<'a> {
    pub(super) fn new(uri: &'a Uri, headers: &'a HeaderMap, site: Site<'a>) -> Self {
        Self { uri, headers, public: site.public }
    }

    /// The origin of the page.
    pub(super) fn origin(&self) -> String {
        shown(self.headers.get_all(ORIGIN).iter().map(HeaderValue::as_bytes))
    }

    /// What that had to be.
    pub(super) fn host(&self) -> String {
        match self.public {
            Some(public) => public.to_string(),
            None => {
                let authority = self.uri.authority().map(|authority| authority.as_str().as_bytes());
                shown(authority.into_iter().chain(self.headers.get_all(HOST).iter().map(HeaderValue::as_bytes)))
            }
        }
    }

    /// What the browser says of the two.
    pub(super) fn fetch_site(&self) -> String {
        shown(self.headers.get_all(SEC_FETCH_SITE).iter().map(HeaderValue::as_bytes))
    }
}

/// The values of a header in one line, `none` without any.
fn shown<'a>(values: impl Iterator<Item = &'a [u8]>) -> String {
    const LONGEST: usize = 255;
    let values: Vec<_> = values.map(|value| value[..value.len().min(LONGEST)].escape_ascii().to_string()).collect();
    if values.is_empty() { "none".into() } else { values.join(", ") }
}

/// The only value of a header; `Err` if there are several.
fn only(headers: &HeaderMap, name: HeaderName) -> Result<Option<&HeaderValue>, ()> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(()) } else { Ok(first) }
}

/// Whether an origin is the one that was asked: the declared one, or else that of the host.
///
/// The host is the request line's (HTTP/2's `:authority`) or `Host`'s; if both are there they have to agree. The scheme
/// by which the request came to the browser's end is not known behind a proxy, but pages of a site with a `Secure`
/// cookie come by `https`, or from this machine.
fn is_own(origin: &Origin, uri: &Uri, headers: &HeaderMap, site: Site<'_>) -> bool {
    if let Some(public) = site.public {
        return origin == public;
    }
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

    const UNSAFE: [&str; 8] = ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "PROPFIND", "QUERY", "get"];

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

    const STRICT: Site<'_> = Site { trusted: &[], public: None, secure: true };
    const PLAIN: Site<'_> = Site { trusted: &[], public: None, secure: false };
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
        let trusting = Site { trusted: &trusted, ..STRICT };
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
        let site = Site { trusted: &trusted, ..STRICT };
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
    fn a_declared_origin_stands_in_the_place_of_the_host() {
        let public = Origin::parse("https://app.example").unwrap();
        let site = Site { public: Some(&public), ..STRICT };
        let at =
            |host: &'static [u8], origin: &'static [u8]| refuses(post(&[("host", host), ("origin", origin)]), site);
        assert!(!at(b"10.0.0.7:3000", b"https://app.example"));
        assert!(!at(b"app.example", b"https://app.example:443"));
        for origin in [&b"https://evil.example"[..], b"http://app.example", b"https://app.example:8443", b"null"] {
            assert!(at(b"evil.example", origin) && at(b"app.example", origin), "{}", origin.escape_ascii());
        }
        assert!(at(b"internal", b"https://internal"), "the host is not asked any more");
        let evil: (&str, &[u8]) = ("origin", b"https://evil.example");
        let upgrade: (&str, &[u8]) = ("upgrade", b"websocket");
        for (origin, refused) in [(evil, true), (("origin", &b"https://app.example"[..]), false)] {
            let headers = [("host", &b"10.0.0.7"[..]), upgrade, origin];
            assert_eq!(refuses(Request { method: "GET", authority: None, headers: &headers }, site), refused);
        }
        let same_site: (&str, &[u8]) = ("sec-fetch-site", b"cross-site");
        assert!(
            refuses(post(&[HOST_, same_site, ("origin", b"https://app.example")]), site),
            "the browser knows better"
        );
    }

    #[test]
    fn what_was_compared_is_shown_as_it_came_and_no_longer_than_a_line() {
        let mut headers = HeaderMap::new();
        let uri: Uri = "/pay".parse().unwrap();
        let shown = |headers: &HeaderMap, site| {
            let compared = Compared::new(&uri, headers, site);
            [compared.origin(), compared.host(), compared.fetch_site()]
        };
        assert_eq!(shown(&headers, STRICT), ["none", "none", "none"]);
        headers.append(ORIGIN, HeaderValue::from_bytes(b"https://a\xff\"").unwrap());
        headers.append(HOST, HeaderValue::from_bytes(&[b'h'; 4000]).unwrap());
        headers.append(SEC_FETCH_SITE, HeaderValue::from_static("same-site"));
        headers.append(SEC_FETCH_SITE, HeaderValue::from_static("none"));
        assert_eq!(shown(&headers, STRICT), [r#"https://a\xff\""#, &"h".repeat(255), "same-site, none"]);
        let public = Origin::parse("https://app.example").unwrap();
        assert_eq!(shown(&headers, Site { public: Some(&public), ..STRICT })[1], "https://app.example");
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
