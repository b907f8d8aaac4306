//! In what form a client gets a refusal: a program as `application/problem+json`, a browser as a page.
//!
//! A person whose session has expired, and who presses a button, should read a sentence and not JSON. The page is made
//! of the same words as the JSON. It has no style and no script, so that no content security policy has anything against
//! it.

use axum::body::{Body, HttpBody as _};
use axum::response::Response;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

use super::problem::PROBLEM_JSON;
use super::vary::vary_by;

/// What a problem says, kept in its response's extensions.
#[derive(Clone)]
pub(super) struct ProblemText {
    title: String,
    detail: String,
    /// What is wrong one by one: the fields of data that is not valid.
    pub(super) items: Vec<String>,
    /// The length of the JSON. A body of another length is somebody else's, and is left alone.
    json_len: usize,
}

impl ProblemText {
    pub(super) fn new(title: &str, detail: &str, json_len: usize) -> Self {
        Self { title: title.into(), detail: detail.into(), items: Vec::new(), json_len }
    }

    fn page(&self) -> String {
        let (title, detail) = (escaped(&self.title), escaped(&self.detail));
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n</head>\n<body>\n<main>\n\
             <h1>{title}</h1>\n<p>{detail}</p>\n"
        );
        if !self.items.is_empty() {
            let items = self.items.iter().map(|item| format!("<li>{}</li>\n", escaped(item)));
            page += &format!("<ul>\n{}</ul>\n", items.collect::<String>());
        }
        page + "</main>\n</body>\n</html>\n"
    }
}

/// Text as it stands in HTML, between tags and in attributes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The form in which a client wants its problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProblemFormat {
    Json,
    Html,
}

impl ProblemFormat {
    /// What a request's `Accept` prefers. JSON where that is all the same, as to programs that accept anything.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let (mut html, mut json) = (Quality::default(), Quality::default());
        let lines = headers.get_all(ACCEPT).iter().map(HeaderValue::as_bytes).filter(|line| *line != b"*/*");
        for range in lines.flat_map(|line| line.split(|byte| *byte == b',')) {
            let mut parameters = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let kind = parameters.next().unwrap_or_default();
            let is = |name: &str| kind.eq_ignore_ascii_case(name.as_bytes());
            let [mut for_html, mut for_json] = [0; 2];
            if is("*/*") {
                [for_html, for_json] = [1; 2];
            } else if let Some(at) = ["text/*", "text/html"].iter().position(|name| is(name)) {
                for_html = at + 2;
            } else if let Some(at) = JSON.iter().position(|name| is(name)) {
                for_json = at + 2;
            } else {
                continue;
            }
            let quality = parameters.find_map(quality).unwrap_or(1000);
            html.offer(for_html, quality);
            json.offer(for_json, quality);
        }
        if html.value > json.value { Self::Html } else { Self::Json }
    }

    /// Gives a problem this form. Status and headers stay. Any other answer is left as it is.
    pub(super) fn apply(self, response: &mut Response) {
        let Some(text) = response.extensions_mut().remove::<ProblemText>() else { return };
        let is_ours = response.headers().get(CONTENT_TYPE) == Some(&PROBLEM_JSON)
            && response.body().size_hint().exact() == u64::try_from(text.json_len).ok();
        if !is_ours {
            return;
        }
        vary_by(response.headers_mut(), std::iter::once("Accept"));
        if self == Self::Html {
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            headers.remove(CONTENT_LENGTH);
            *response.body_mut() = Body::from(text.page());
        }
    }
}

/// What asks for JSON, the most specific last.
const JSON: [&str; 3] = ["application/*", "application/json", "application/problem+json"];

/// How much a kind of answer is wanted, by the most specific word on it.
#[derive(Default)]
struct Quality {
    specific: usize,
    value: u16,
}

impl Quality {
    fn offer(&mut self, specific: usize, value: u16) {
        if specific > self.specific {
            *self = Self { specific, value };
        }
    }
}

/// The thousandths in `q=0.8`. What can't be read is the least that is not nothing.
fn quality(parameter: &[u8]) -> Option<u16> {
    let (name, value) = parameter.split_at_checked(2)?;
    if !name.eq_ignore_ascii_case(b"q=") {
        return None;
    }
    let value: Option<f32> = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    let thousandths = value.filter(|value| (0.0..=1.0).contains(value)).map_or(1.0, |value| value * 1000.0);
    Some(thousandths as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(lines: &[&str]) -> ProblemFormat {
        let lines = lines.iter().map(|line| (ACCEPT, HeaderValue::from_str(line).unwrap()));
        ProblemFormat::of(&lines.collect())
    }

    #[test]
    fn a_browser_that_opens_a_page_gets_a_page() {
        for accept in [
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,\
             application/signed-exchange;v=b3;q=0.7",
            "text/html",
            "TEXT/HTML; charset=utf-8",
            "text/*, application/json;q=0.5",
            "text/html;level=1;q=0.4, */*;q=0.1",
            "text/html, */*;q=x",
        ] {
            assert_eq!(format(&[accept]), ProblemFormat::Html, "{accept}");
        }
        assert_eq!(format(&["application/json;q=0.1", "text/html"]), ProblemFormat::Html);
    }

    #[test]
    fn a_program_gets_json() {
        for accept in [
            "",
            "*/*",
            "application/json",
            "application/json, text/plain, */*",
            "application/problem+json, text/html",
            "application/json, text/html",
            "application/json, text/html;q=0.9",
            "text/html;q=0",
            "text/html;q=0.5, */*",
            "text/plain",
            "image/avif,image/webp,*/*;q=0.8",
            "text/event-stream",
            ";;,,=",
        ] {
            assert_eq!(format(&[accept]), ProblemFormat::Json, "{accept}");
        }
        assert_eq!(format(&[]), ProblemFormat::Json);
    }

    #[test]
    fn a_page_shows_what_is_markup_as_text() {
        let mut text = ProblemText::new("<b> & \"c\"", "it's", 0);
        text.items = vec!["name: <script>alert(1)</script>".into()];
        let page = text.page();
        assert!(page.contains("<h1>&lt;b&gt; &amp; &quot;c&quot;</h1>") && page.contains("<p>it&#39;s</p>"), "{page}");
        assert!(page.contains("<li>name: &lt;script&gt;alert(1)&lt;/script&gt;</li>"), "{page}");
    }
}
