//! Requests that load a page, as against what a page loads: pictures, scripts, JSON that it polls.
//!
//! A flash is for a person to see. A browser asks for a site's icon beside each page, and a script may ask for news every
//! few seconds; if such a request took the flash, it would be gone before the page shows it, now and then. Browsers say
//! what a request is for in `Sec-Fetch-Dest`, but not by plain `http` (unless the host is `localhost`), and not before
//! 2023. Then `Accept` tells pictures, style sheets and streams of events apart. What can't be told apart counts as a
//! page, since programs without these headers ask for one thing at a time.

use http::header::{ACCEPT, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::problem_format::ProblemFormat;

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// What htmx sends where it fetches a whole page in the place of the browser.
const HX_BOOSTED: HeaderName = HeaderName::from_static("hx-boosted");

/// Whether a request loads a page that a person will see.
pub(super) fn loads_page(parts: &Parts) -> bool {
    let headers = &parts.headers;
    match headers.get(SEC_FETCH_DEST).map(HeaderValue::as_bytes) {
        Some(b"document" | b"iframe" | b"frame" | b"fencedframe") => true,
        // A script, or a service worker that passes a request on.
        Some(b"empty") => ProblemFormat::of(headers) == ProblemFormat::Html || headers.contains_key(HX_BOOSTED),
        Some(_) => false,
        None => !headers.contains_key(UPGRADE) && !wants_part(headers),
    }
}

/// Whether `Accept` asks first for what is part of a page.
fn wants_part(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).map(|accept| accept.as_bytes().trim_ascii_start()).unwrap_or_default();
    let parts: [&[u8]; 6] = [b"image/", b"video/", b"audio/", b"font/", b"text/css", b"text/event-stream"];
    parts.iter().any(|part| accept.get(..part.len()).is_some_and(|start| start.eq_ignore_ascii_case(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_page(headers: &[(&str, &str)]) -> bool {
        let request =
            headers.iter().fold(http::Request::builder(), |request, (name, value)| request.header(*name, *value));
        loads_page(&request.body(()).unwrap().into_parts().0)
    }

    const PAGE: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

    #[test]
    fn browsers_say_what_a_request_is_for() {
        for dest in ["document", "iframe", "frame", "fencedframe"] {
            assert!(is_page(&[("sec-fetch-dest", dest)]), "{dest}");
        }
        for dest in ["image", "script", "style", "font", "manifest", "serviceworker", "report", "empty", ""] {
            assert!(!is_page(&[("sec-fetch-dest", dest)]), "{dest}");
            assert!(!is_page(&[("sec-fetch-dest", dest), ("accept", "*/*")]), "{dest}");
            assert!(!is_page(&[("sec-fetch-dest", dest), ("accept", "application/json")]), "{dest}");
        }
        assert!(!is_page(&[("sec-fetch-dest", "image"), ("accept", PAGE)]));
    }

    #[test]
    fn a_script_that_asks_for_a_page_loads_one() {
        assert!(is_page(&[("sec-fetch-dest", "empty"), ("accept", PAGE)]));
        assert!(is_page(&[("sec-fetch-dest", "empty"), ("accept", "text/html, application/xhtml+xml")]));
        assert!(is_page(&[("sec-fetch-dest", "empty"), ("accept", "*/*"), ("hx-boosted", "true")]));
        assert!(!is_page(&[("sec-fetch-dest", "empty"), ("accept", "*/*"), ("hx-request", "true")]));
    }

    #[test]
    fn without_that_header_only_what_asks_for_a_part_is_none() {
        for accept in ["*/*", PAGE, "application/json", ""] {
            assert!(is_page(&[("accept", accept)]), "{accept}");
        }
        assert!(is_page(&[]));
        for accept in [
            "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
            "Image/png",
            "text/css,*/*;q=0.1",
            "text/event-stream",
            "video/*",
        ] {
            assert!(!is_page(&[("accept", accept)]), "{accept}");
        }
        assert!(!is_page(&[("upgrade", "websocket")]));
    }
}
