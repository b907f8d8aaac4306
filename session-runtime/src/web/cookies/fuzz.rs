//! `Cookie` headers of any bytes.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use super::super::transport::Presented;
use super::presented;

const NAME: &str = "__Host-user";

/// Each line is a header. What is found is what a slow and plain reading finds.
pub fn cookie_headers(input: &[u8]) {
    let values = input.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    let headers: HeaderMap = values.map(|value| (COOKIE, value)).collect();
    assert_eq!(presented(&headers, NAME), read_slowly(&headers), "{headers:?}");
}

fn read_slowly(headers: &HeaderMap) -> Presented<'_> {
    let pairs = headers.get_all(COOKIE).iter().flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
    let mut values = pairs.filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (bare(&pair[..equals]), bare(&pair[equals + 1..]));
        (name == NAME.as_bytes()).then_some(value)
    });
    match (values.next().map(str::from_utf8), values.next()) {
        (None, _) => Presented::Nothing,
        (Some(_), Some(_)) => Presented::Ambiguous,
        (Some(Ok(value)), None) => Presented::Token(value),
        (Some(Err(_)), None) => Presented::Illegible,
    }
}

/// Without the spaces and tabs around it.
fn bare(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes.iter().position(|byte| !blank(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}
