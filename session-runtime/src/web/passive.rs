//! Requests that only look: `HEAD`, and what a browser loads before anybody has asked for it.
//!
//! Such a request is no use of the session. It reads it as it is: its idle timeout goes on, its id stays, a flash is left
//! for the page that a person sees. What a handler changes explicitly is stored as ever.

use http::request::Parts;
use http::{HeaderMap, Method};

const SEC_PURPOSE: &str = "sec-purpose";
/// What browsers sent before there was `Sec-Purpose`, and Chromium sends beside it.
const PURPOSE: &str = "purpose";
/// What scripts send that load a page ahead of time, such as Hotwire Turbo: `Sec-Purpose` is not theirs to set.
const X_SEC_PURPOSE: &str = "x-sec-purpose";

/// Whether a request only looks.
pub(super) fn only_looks(parts: &Parts) -> bool {
    match parts.method {
        Method::HEAD => true,
        Method::GET => is_ahead_of_time(&parts.headers),
        // Nothing else is loaded ahead of time.
        _ => false,
    }
}

/// Whether a request uses a session that it reads, or only looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Its idle timeout starts again.
    Use,
    /// Nothing is noted or written.
    Look,
}

impl Reading {
    /// For who counts each request as a use that isn't one that only looks, or none of them.
    pub(super) fn of(parts: &Parts, touches: bool) -> Self {
        if touches && !only_looks(parts) { Self::Use } else { Self::Look }
    }
}

/// Whether a browser prefetches or prerenders a page: `prefetch`, `prefetch;prerender`.
fn is_ahead_of_time(headers: &HeaderMap) -> bool {
    // Each request is asked: one look at the names costs less than three hashes of names that are rarely there.
    let said = headers.iter().filter(|(name, _)| [SEC_PURPOSE, PURPOSE, X_SEC_PURPOSE].contains(&name.as_str()));
    said.flat_map(|(_, value)| value.as_bytes().split(|byte| *byte == b',')).any(|purpose| {
        let mut words = purpose.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        words.any(|word| word.eq_ignore_ascii_case(b"prefetch") || word.eq_ignore_ascii_case(b"prerender"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(method: &Method, headers: &[(&str, &str)]) -> bool {
        let request = http::Request::builder().method(method);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        only_looks(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_head_and_what_a_browser_loads_ahead_of_time_only_look() {
        assert!(looks(&Method::HEAD, &[]));
        for value in
            ["prefetch", "prefetch;prerender", "prefetch; anonymous-client-ip", "Prefetch", "prerender", "x, prefetch"]
        {
            assert!(looks(&Method::GET, &[("sec-purpose", value)]), "{value}");
            assert!(looks(&Method::GET, &[("purpose", value)]), "{value}");
            assert!(looks(&Method::GET, &[("x-sec-purpose", value)]), "{value}");
        }
    }

    #[test]
    fn every_other_request_is_a_use() {
        assert!(!looks(&Method::GET, &[]));
        for value in ["", "prefetched", "noprefetch", "fetch"] {
            assert!(!looks(&Method::GET, &[("sec-purpose", value)]), "{value}");
        }
        assert!(!looks(&Method::POST, &[("sec-purpose", "prefetch")]), "no browser sends a form ahead of time");
    }
}
