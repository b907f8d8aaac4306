//! What an answer depends on, said in one `Vary` line.
//!
//! HTTP lets an answer have several lines, and some caches read one of them alone: nginx keeps what the last line says.
//! With `Vary: Authorization` and `Vary: Cookie` in two lines it would serve one person's page to another. So whatever
//! is said here is merged with what the application has said before.

use std::fmt;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::header::VARY;
use http::{HeaderMap, HeaderValue, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::declaration::Transport;
use crate::sessions::{Core, SessionData, Sessions};

/// Says that the answer depends on each header in which a token of this type may be.
pub(super) fn vary(core: &Core, headers: &mut HeaderMap) {
    if let ([transport], None) = (core.transports(), headers.get(VARY)) {
        headers.insert(VARY, alone(transport));
        return;
    }
    vary_by(headers, core.transports().iter().map(request_header));
}

/// The header in which a request brings its token.
fn request_header(transport: &Transport) -> &str {
    match transport {
        Transport::Cookie | Transport::CookieOnLocalhost => "Cookie",
        Transport::Bearer => "Authorization",
        Transport::Header(name) => name.as_str(),
    }
}

/// The same, as all that an answer depends on.
fn alone(transport: &Transport) -> HeaderValue {
    match transport {
        Transport::Cookie | Transport::CookieOnLocalhost => HeaderValue::from_static("Cookie"),
        Transport::Bearer => HeaderValue::from_static("Authorization"),
        Transport::Header(name) => HeaderValue::from(name.clone()),
    }
}

/// Says that the answer depends on these request headers, beside those that it names already: all in one line.
pub(super) fn vary_by<'a>(headers: &mut HeaderMap, names: impl Iterator<Item = &'a str> + Clone) {
    let mut lines = headers.get_all(VARY).iter();
    let (first, second) = (lines.next(), lines.next());
    let missing = |line: &HeaderValue| names.clone().any(|name| !is_named(line, name));
    let is_complete = match (first, second) {
        (Some(line), None) => line == "*" || !missing(line),
        _ => false,
    };
    if is_complete {
        return;
    }
    let mut merged: Vec<&[u8]> = headers.get_all(VARY).iter().flat_map(named).collect();
    for name in names {
        merged.push(name.as_bytes());
    }
    let line = if merged.contains(&&b"*"[..]) { HeaderValue::from_static("*") } else { joined(&merged) };
    headers.insert(VARY, line);
}

/// The names in one line.
fn named(line: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    line.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|name| !name.is_empty())
}

fn is_named(line: &HeaderValue, name: &str) -> bool {
    named(line).any(|named| named.eq_ignore_ascii_case(name.as_bytes()))
}

/// One line with each of the names once.
fn joined(names: &[&[u8]]) -> HeaderValue {
    let mut line = Vec::new();
    for (at, name) in names.iter().enumerate() {
        if names[..at].iter().any(|earlier| earlier.eq_ignore_ascii_case(name)) {
            continue;
        }
        if !line.is_empty() {
            line.extend_from_slice(b", ");
        }
        line.extend_from_slice(name);
    }
    // Parts of header values with a comma between them are a header value. Were they not, nothing may be kept.
    HeaderValue::from_bytes(&line).unwrap_or(HeaderValue::from_static("*"))
}

impl<T: SessionData> Sessions<T> {
    /// A layer that adds the headers in which a token may travel to the `Vary` of every answer, and merges all that
    /// the answer says there into one line.
    ///
    /// Handlers under [`#[session]`](macro@crate::session) and routes behind [`protect`](Self::protect) need no help:
    /// their answers say it. Two things can't, and need this layer around them if a cache stands before the
    /// application:
    ///
    /// - a handler or middleware that reads the session by extracting `T` or by [`find`](Self::find): neither has a
    ///   hand in the answer;
    /// - a layer outside of the handler that adds a `Vary` line of its own, as layers for compression and CORS do.
    ///   Some caches, nginx among them, read only the last of several lines.
    ///
    /// So make it the outermost layer.
    #[doc = include_str!("../docs/examples/sessions_vary.md")]
    pub fn vary(&self) -> VaryLayer<T> {
        VaryLayer(self.clone())
    }
}

/// See [`Sessions::vary`].
pub struct VaryLayer<T: SessionData>(Sessions<T>);

impl<T: SessionData> Clone for VaryLayer<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: SessionData> fmt::Debug for VaryLayer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VaryLayer").field(&self.0).finish()
    }
}

impl<T: SessionData, I> Layer<I> for VaryLayer<T> {
    type Service = Vary<T, I>;

    fn layer(&self, inner: I) -> Vary<T, I> {
        Vary { sessions: self.0.clone(), inner }
    }
}

/// See [`Sessions::vary`].
pub struct Vary<T: SessionData, I> {
    sessions: Sessions<T>,
    inner: I,
}

impl<T: SessionData, I: Clone> Clone for Vary<T, I> {
    fn clone(&self) -> Self {
        Self { sessions: self.sessions.clone(), inner: self.inner.clone() }
    }
}

impl<T: SessionData, I: fmt::Debug> fmt::Debug for Vary<T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vary").field("sessions", &self.sessions).field("inner", &self.inner).finish()
    }
}

impl<T, I, B, R> Service<Request<B>> for Vary<T, I>
where
    T: SessionData,
    I: Service<Request<B>, Response = Response<R>>,
    I::Future: Send + 'static,
{
    type Response = Response<R>;
    type Error = I::Error;
    type Future = BoxFuture<'static, Result<Response<R>, I::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), I::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (core, answer) = (self.sessions.core().clone(), self.inner.call(request));
        Box::pin(async move {
            let mut response = answer.await?;
            vary(&core, response.headers_mut());
            Ok(response)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(before: &[&'static str], names: &[&str]) -> Vec<String> {
        let before = before.iter().map(|line| (VARY, HeaderValue::from_static(line)));
        let mut headers: HeaderMap = before.collect();
        vary_by(&mut headers, names.iter().copied());
        headers.get_all(VARY).iter().map(|line| line.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn all_that_an_answer_depends_on_stands_in_one_line_and_once() {
        assert_eq!(lines(&[], &["Cookie"]), ["Cookie"]);
        assert_eq!(lines(&[], &["Authorization", "Cookie"]), ["Authorization, Cookie"]);
        assert_eq!(lines(&["accept-encoding"], &["Cookie"]), ["accept-encoding, Cookie"]);
        assert_eq!(lines(&["accept", "origin", "Accept"], &["Cookie"]), ["accept, origin, Cookie"]);
        assert_eq!(lines(&["cookie", "authorization"], &["Authorization", "Cookie"]), ["cookie, authorization"]);
        assert_eq!(lines(&["accept ,, COOKIE"], &["Cookie"]), ["accept ,, COOKIE"]);
        assert_eq!(lines(&["x-cookie"], &["Cookie"]), ["x-cookie, Cookie"]);
        assert_eq!(lines(&["", ","], &["Cookie"]), ["Cookie"]);
    }

    #[test]
    fn an_answer_that_depends_on_everything_says_that_alone() {
        assert_eq!(lines(&["*"], &["Cookie"]), ["*"]);
        assert_eq!(lines(&["accept", "*"], &["Cookie"]), ["*"]);
        assert_eq!(lines(&["accept, *"], &["Cookie"]), ["*"]);
    }
}
