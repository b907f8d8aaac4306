//! An HTTP client with a cookie jar.

use std::sync::Arc;

use axum::http::{HeaderMap, Method, StatusCode, header::SET_COOKIE};
use reqwest::{
    RequestBuilder, Url,
    cookie::{CookieStore, Jar},
    redirect::Policy,
};
use serde::de::DeserializeOwned;

use crate::wait;

/// An HTTP client of one server, with a cookie jar, over real connections.
///
/// Redirects are not followed. As in a browser, the jar gives `Secure` cookies to a server on loopback although it
/// speaks plain HTTP, and cookies don't tell ports apart, so that two servers of a fleet share them ([`Client::at`]).
#[derive(Clone, Debug)]
pub struct Client {
    base: Url,
    http: reqwest::Client,
    jar: Arc<Jar>,
}

impl Client {
    /// A client of the server at `base`, for example `http://127.0.0.1:3000`, with an empty jar.
    ///
    /// # Panics
    ///
    /// When `base` is no URL.
    pub fn new(base: &str) -> Self {
        let jar = Arc::new(Jar::default());
        let http = reqwest::Client::builder()
            .cookie_provider(Arc::clone(&jar))
            .redirect(Policy::none())
            .no_proxy()
            .timeout(wait::ANSWER)
            .build()
            .expect("a client needs nothing from its surroundings");
        Self { base: parse(base), http, jar }
    }

    /// The same client, cookie jar included, speaking to another server.
    pub fn at(&self, base: &str) -> Self {
        Self { base: parse(base), ..self.clone() }
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, |request| request).await
    }

    /// `POST` without a body.
    pub async fn post(&self, path: &str) -> Reply {
        self.send(Method::POST, path, |request| request).await
    }

    /// `POST` of a form.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send(Method::POST, path, |request| request.form(fields)).await
    }

    /// Any request: `change` adds headers, a body, a timeout. A `Cookie` header that it sets is sent in place of the
    /// jar's.
    ///
    /// # Panics
    ///
    /// When no answer comes. [`Client::try_send`] returns the error instead.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        change: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Reply {
        let what = format!("{method} {}{path}", self.base.origin().ascii_serialization());
        self.try_send(method, path, change).await.unwrap_or_else(|error| panic!("{what} has no answer: {error:?}"))
    }

    /// As [`Client::send`], for a server that may be down, hung or killed.
    ///
    /// # Errors
    ///
    /// When no whole answer comes: the connection is refused or breaks, or the time is up.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        change: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> reqwest::Result<Reply> {
        let url = self.base.join(path).expect("a path is part of a URL");
        let response = change(self.http.request(method, url)).send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Reply { status, headers, body: response.bytes().await?.to_vec() })
    }

    /// The jar's value for the cookie `name`, if the next request to `/` would carry one.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let header = self.jar.cookies(&self.base)?;
        let text = header.to_str().expect("the jar holds ASCII").to_owned();
        text.split("; ").find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    }

    /// Puts a cookie in the jar, written as a `Set-Cookie` header: `"name=value; Path=/; Secure"`.
    pub fn set_cookie(&self, cookie: &str) {
        self.jar.add_cookie_str(cookie, &self.base);
    }
}

fn parse(base: &str) -> Url {
    base.parse().unwrap_or_else(|error| panic!("{base} is no URL: {error}"))
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers, each line of a repeated one by itself.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Every `Set-Cookie` header, as it came.
    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().expect("cookies are ASCII")).collect()
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// When it is not UTF-8.
    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("the body is text")
    }

    /// The body read as JSON.
    ///
    /// # Panics
    ///
    /// When it is something else.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not the JSON expected ({error}): {}", String::from_utf8_lossy(&self.body)))
    }
}
