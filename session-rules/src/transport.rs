//! The headers by which a token may travel.

use crate::is_token_char;

/// Where a token travels under `bearer`: there in `Authorization: Bearer`, back in this header.
pub const BEARER_ANSWER: &str = "session-token";

/// Headers that mean something already, with what to write where a token is meant to travel in them.
const TAKEN: &[(&str, &str)] = &[
    ("authorization", "write `transport = bearer`"),
    ("cookie", "write `transport = cookie`"),
    ("set-cookie", "write `transport = cookie`"),
];

/// Headers that browsers, proxies and servers set, read, combine or drop by themselves. Some of them a page may set on
/// another site's requests without asking, and none of those may hold a token.
const FORBIDDEN: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "alt-svc",
    "cache-control",
    "clear-site-data",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-security-policy",
    "content-type",
    "cookie2",
    "date",
    "device-memory",
    "dnt",
    "downlink",
    "dpr",
    "ect",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "last-event-id",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "origin",
    "ping-from",
    "ping-to",
    "pragma",
    "priority",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "purpose",
    "range",
    "referer",
    "referrer-policy",
    "refresh",
    "retry-after",
    "rtt",
    "save-data",
    "server",
    "set-cookie2",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "via",
    "viewport-width",
    "warning",
    "width",
    "www-authenticate",
    "x-content-type-options",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-frame-options",
    "x-real-ip",
];

/// The header's name in lower case, if a token may travel in it both ways.
///
/// # Errors
/// What to write instead.
///
/// ```
/// use session_rules::transport::header;
/// assert_eq!(header("X-Session").unwrap(), "x-session");
/// assert!(header("Authorization").unwrap_err().contains("transport = bearer"));
/// ```
pub fn header(name: &str) -> Result<String, String> {
    if name.is_empty() {
        return Err("a header needs a name; write for example `header(\"x-session\")`".into());
    }
    if let Some(bad) = name.chars().find(|c| !is_token_char(*c)) {
        return Err(format!(
            "{bad:?} can't stand in a header's name; use letters, digits and `-`, as in `header(\"x-session\")`"
        ));
    }
    if name.len() > 64 {
        return Err("a header name has at most 64 bytes; shorten it".into());
    }
    let lower = name.to_ascii_lowercase();
    if let Some((_, fix)) = TAKEN.iter().find(|(taken, _)| *taken == lower) {
        return Err(format!("`{name}` already has a meaning in HTTP; {fix}"));
    }
    let browsers_own = ["sec-", "access-control-", "proxy-"].iter().any(|prefix| lower.starts_with(prefix));
    if browsers_own || FORBIDDEN.contains(&lower.as_str()) {
        return Err(format!(
            "`{name}` is reserved by browsers and proxies; choose another name, as in `header(\"x-session\")`"
        ));
    }
    Ok(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_ones_own_is_taken_in_lower_case() {
        for name in ["x-session", "X-Auth-Token", "session", "x_1"] {
            assert_eq!(header(name).unwrap(), name.to_lowercase());
        }
        assert_eq!(header(BEARER_ANSWER).unwrap(), BEARER_ANSWER);
    }

    #[test]
    fn a_name_that_cannot_be_a_header_or_is_anothers_is_refused_with_the_fix() {
        for (name, fix) in [
            ("", "needs a name"),
            ("x session", "' ' can't stand"),
            ("x-session:", "':' can't stand"),
            ("x-sessión", "can't stand"),
            ("Authorization", "transport = bearer"),
            ("cookie", "transport = cookie"),
            ("Set-Cookie", "transport = cookie"),
            ("Host", "choose another name"),
            ("Sec-Fetch-Site", "choose another name"),
            ("Access-Control-Allow-Origin", "choose another name"),
        ] {
            let error = header(name).unwrap_err();
            assert!(error.contains(fix), "{name}: {error}");
        }
        assert!(header(&"x".repeat(65)).unwrap_err().contains("shorten"));
    }
}
