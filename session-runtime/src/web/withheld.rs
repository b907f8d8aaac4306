//! Requests that a browser sends without the session's cookie, though it may have one.
//!
//! A browser keeps a `Strict` cookie back from every request that another site caused, and a `Lax` one from those that are
//! no navigation by a safe method. Such a request looks as if it had no session. Starting one would put its cookie in the
//! place of the one that was kept back, and a full cart would give way to an empty one.

use http::request::Parts;
use http::{HeaderName, Method};
use session_rules::cookie::SameSite;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Whether the browser kept a cookie of this `SameSite` back from a request, if it has one. Browsers that send no Fetch
/// Metadata do not tell.
pub(super) fn is_withheld(same_site: SameSite, parts: &Parts) -> bool {
    let says = |name, word: &str| parts.headers.get(name).is_some_and(|value| value == word);
    let by_safe_method = matches!(parts.method, Method::GET | Method::HEAD);
    says(SEC_FETCH_SITE, "cross-site")
        && match same_site {
            SameSite::Strict => true,
            SameSite::Lax => !(by_safe_method && says(SEC_FETCH_MODE, "navigate")),
            SameSite::None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn withheld(same_site: SameSite, method: &str, site: &str, mode: &str) -> bool {
        let request = http::Request::builder().method(method);
        let request = request.header(SEC_FETCH_SITE, site).header(SEC_FETCH_MODE, mode);
        is_withheld(same_site, &request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_strict_cookie_is_kept_back_from_all_that_another_site_causes() {
        for (method, mode) in [("GET", "navigate"), ("GET", "no-cors"), ("POST", "navigate"), ("POST", "cors")] {
            assert!(withheld(SameSite::Strict, method, "cross-site", mode));
            for site in ["same-origin", "same-site", "none"] {
                assert!(!withheld(SameSite::Strict, method, site, mode));
            }
        }
    }

    #[test]
    fn a_lax_cookie_comes_with_a_navigation_by_a_safe_method() {
        assert!(!withheld(SameSite::Lax, "GET", "cross-site", "navigate"));
        for (method, mode) in [("GET", "no-cors"), ("GET", "cors"), ("POST", "navigate"), ("POST", "cors")] {
            assert!(withheld(SameSite::Lax, method, "cross-site", mode));
            assert!(!withheld(SameSite::Lax, method, "same-site", mode));
            assert!(!withheld(SameSite::None, method, "cross-site", mode));
        }
    }
}
