//! An application's client in tests: a router is called as it stands, without a network.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, to_bytes};
use axum::response::IntoResponse;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower_service::Service;

use super::jar::{Jar, Target};
use crate::declaration::Transport;
use crate::session::Started;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// In which a response hands over a token of `transport = bearer`.
const SESSION_TOKEN: HeaderName = HeaderName::from_static(session_rules::transport::BEARER_ANSWER);

/// A client of a router, as a browser is one: with a cookie jar, and with the headers of a page of the same origin. Clones
/// share the jar; each client that is made by [`new`](Self::new) is another person's.
///
/// It calls the router by `tower::Service`, without a network. Redirects are not followed. What a request says itself in a
/// header comes first: a test of another site's request sets `sec-fetch-site`.
///
/// A token of `transport = bearer` is kept as well: it is taken from `Session-Token` and sent in `Authorization`.
///
/// ```
/// # use axum::{Router, routing::get};
/// # use serde::{Deserialize, Serialize};
/// # use session_runtime::{SessionData, Sessions, backend::Memory, session, testing::Client};
/// # #[derive(Serialize, Deserialize, SessionData)]
/// # struct User { name: String }
/// # #[session(protected)]
/// # async fn me(user: &User) -> String { user.name.clone() }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let users = Sessions::builder().backend(Memory::default()).ephemeral_key().open().await?;
/// let app = Router::new().route("/me", get(me)).with_state(users.clone());
///
/// let client = Client::new(app);
/// assert_eq!(client.get("/me").await.status(), 401);
/// client.log_in(&users.start(User { name: "Ann".into() }).await?);
/// assert_eq!(client.get("/me").await.text(), "Ann");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client<S = axum::Router> {
    app: S,
    origin: Arc<str>,
    kept: Arc<Mutex<Kept>>,
}

/// What a client keeps from one response to the next request.
#[derive(Default)]
struct Kept {
    jar: Jar,
    /// A header that carries a token, where no cookie does.
    header: Option<(HeaderName, HeaderValue)>,
}

impl<S> Client<S>
where
    S: Service<Request<Body>, Error = Infallible> + Clone,
    S::Response: IntoResponse,
{
    /// A client of this router with an empty jar. It says that it is at `https://app.example`.
    pub fn new(app: S) -> Self {
        Self { app, origin: "https://app.example".into(), kept: Arc::default() }
    }

    /// The same client, with its jar, at another origin, such as `http://localhost:3000`.
    ///
    /// # Panics
    /// Without `http://` or `https://`, or with anything behind the host and the port.
    #[must_use]
    pub fn at(&self, origin: &str) -> Self {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let plain =
            host.is_some_and(|host| !host.is_empty() && HeaderValue::from_str(host).is_ok() && !host.contains('/'));
        assert!(plain, "{origin:?} is no origin; write \"https://app.example\"");
        Self { origin: origin.into(), ..self.clone() }
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> ClientResponse {
        self.send(request(Method::GET, path, Body::empty())).await
    }

    /// `POST` without a body.
    pub async fn post(&self, path: &str) -> ClientResponse {
        self.send(request(Method::POST, path, Body::empty())).await
    }

    /// `POST` of a form, as a page sends it.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> ClientResponse {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post_as(path, "application/x-www-form-urlencoded", form.into()).await
    }

    /// `POST` of JSON.
    ///
    /// # Panics
    /// If the value can't be written as JSON.
    pub async fn post_json(&self, path: &str, value: &impl Serialize) -> ClientResponse {
        let json = serde_json::to_vec(value).expect("the value can be written as JSON");
        self.post_as(path, "application/json", json.into()).await
    }

    async fn post_as(&self, path: &str, kind: &'static str, body: Body) -> ClientResponse {
        let mut request = request(Method::POST, path, body);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        self.send(request).await
    }

    /// Any request, with the cookies of the jar and the headers of a page of the same origin, as far as it does not set
    /// them itself.
    ///
    /// # Panics
    /// If the router's body breaks off.
    pub async fn send(&self, mut request: Request<Body>) -> ClientResponse {
        self.prepare(&mut request);
        let path = request.uri().path().to_owned();
        let mut app = self.app.clone();
        let Ok(()) = std::future::poll_fn(|cx| app.poll_ready(cx)).await;
        let Ok(response) = app.call(request).await;
        let (parts, body) = response.into_response().into_parts();
        self.keep(&parts.headers, &path);
        let body = to_bytes(body, usize::MAX).await.expect("the response has a whole body");
        ClientResponse { status: parts.status, headers: parts.headers, body }
    }

    /// Gives the client the session that was started, by the first transport of its type.
    pub fn log_in(&self, started: &Started) {
        let headers = started.request_headers();
        for (name, value) in &headers {
            let pair = value.to_str().ok().filter(|_| *name == COOKIE).and_then(|pair| pair.split_once('='));
            match pair {
                Some((name, value)) => {
                    let domain = started.core().cookie(&Transport::Cookie).domain.as_deref();
                    self.kept().jar.put(name, value, domain);
                }
                None => self.kept().header = Some((name.clone(), value.clone())),
            }
        }
    }

    /// Sends this token in `Authorization: Bearer` from now on.
    ///
    /// # Panics
    /// If it can't stand in a header.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a token can stand in a header");
        self.kept().header = Some((AUTHORIZATION, value));
        self
    }

    /// The value of a cookie in the jar.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.kept().jar.get(name, self.target("/").host).map(str::to_owned)
    }

    /// Forgets all cookies and tokens, as another person's browser has none of them.
    pub fn forget(&self) {
        *self.kept() = Kept::default();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn target<'a>(&'a self, path: &'a str) -> Target<'a> {
        let host = self.origin.rsplit("//").next().unwrap_or_default();
        // This may cut an IPv6 address short. No cookie has one as its domain.
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        Target { host, path, https: self.origin.starts_with("https:") }
    }

    fn prepare(&self, request: &mut Request<Body>) {
        let host = self.origin.rsplit("//").next().unwrap_or_default();
        let cookies = self.kept().jar.header(self.target(request.uri().path()));
        let kept = self.kept().header.clone();
        let same = |text: &str| HeaderValue::from_str(text).ok();
        let unsafe_method = !request.method().is_safe();
        let headers = [
            (HOST, same(host)),
            (SEC_FETCH_SITE, Some(HeaderValue::from_static("same-origin"))),
            (ORIGIN, same(&self.origin).filter(|_| unsafe_method)),
            (COOKIE, cookies.and_then(|cookies| same(&cookies))),
        ];
        for (name, value) in headers.into_iter().chain(kept.map(|(name, value)| (name, Some(value)))) {
            if let Some(value) = value
                && !request.headers().contains_key(&name)
            {
                request.headers_mut().insert(name, value);
            }
        }
    }

    fn keep(&self, headers: &HeaderMap, path: &str) {
        let mut kept = self.kept();
        for cookie in headers.get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok()) {
            kept.jar.set(cookie, self.target(path));
        }
        if let Some(token) = headers.get(SESSION_TOKEN).and_then(|token| token.to_str().ok()) {
            let bearer = HeaderValue::try_from(format!("Bearer {token}")).ok();
            kept.header = bearer.filter(|_| !token.is_empty()).map(|bearer| (AUTHORIZATION, bearer));
        }
    }
}

fn request(method: Method, path: &str, body: Body) -> Request<Body> {
    let uri: Uri = path.parse().unwrap_or_else(|_| panic!("{path:?} is no path of a request"));
    let mut request = Request::new(body);
    (*request.method_mut(), *request.uri_mut()) = (method, uri);
    request
}

impl<S> fmt::Debug for Client<S> {
    /// What it keeps are tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// A response, read to its end.
#[derive(Clone)]
pub struct ClientResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl fmt::Debug for ClientResponse {
    /// Its headers may hold a token, and its body anybody's data: print what you want to see of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = format_args!("{} bytes", self.body.len());
        f.debug_struct("ClientResponse").field("status", &self.status).field("body", &body).finish_non_exhaustive()
    }
}

impl ClientResponse {
    /// The status; it can be compared with a number.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The first value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Each `Set-Cookie` header, as it came.
    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok()).collect()
    }

    /// The body.
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The body as text.
    ///
    /// # Panics
    /// If it is not UTF-8.
    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("the body is text")
    }

    /// The body read as JSON.
    ///
    /// # Panics
    /// If it is something else.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not the JSON expected ({error}): {}", String::from_utf8_lossy(&self.body)))
    }
}
