//! A session that was started without a request, in the headers of a request or of a response.

use axum::response::{IntoResponseParts, ResponseParts};
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::transport;
use super::vary::vary;
use crate::declaration::Transport;
use crate::error::Error;
use crate::session::Started;

impl Started {
    /// The value of the request header `Cookie` that carries the token, such as `__Host-user=gAAA..`; `None` if sessions of
    /// the type do not travel in a cookie.
    #[doc = include_str!("../docs/examples/started_cookie.md")]
    pub fn cookie(&self) -> Option<HeaderValue> {
        let core = self.core();
        core.transports().contains(&Transport::Cookie).then(|| {
            let name = &core.cookie(&Transport::Cookie).name;
            value(&format!("{name}={}", self.token().as_str()))
        })
    }

    /// The value of the request header `Authorization` that carries the token, `Bearer gAAA..`; `None` if `bearer` is not
    /// among the type's transports.
    #[doc = include_str!("../docs/examples/started_authorization.md")]
    pub fn authorization(&self) -> Option<HeaderValue> {
        let bearer = self.core().transports().contains(&Transport::Bearer);
        bearer.then(|| value(&format!("Bearer {}", self.token().as_str())))
    }

    /// The headers of a request that carries the token, by the first transport of the type.
    #[doc = include_str!("../docs/examples/started_request_headers.md")]
    pub fn request_headers(&self) -> HeaderMap {
        let header: Option<(HeaderName, HeaderValue)> = match self.core().transports().first() {
            Some(Transport::Cookie | Transport::CookieOnLocalhost) => self.cookie().map(|value| (COOKIE, value)),
            Some(Transport::Bearer) => self.authorization().map(|value| (AUTHORIZATION, value)),
            Some(Transport::Header(name)) => Some((name.clone(), value(self.token().as_str()))),
            None => None,
        };
        header.into_iter().collect()
    }
}

/// A token is base64 and a cookie's name was checked at opening, so this is a header's value.
fn value(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

/// Hands the token to the client, by the first transport of the type, with `Cache-Control: no-store`.
impl IntoResponseParts for Started {
    type Error = Error;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Error> {
        let core = self.core();
        if let Some(by) = core.transports().first() {
            transport::announce(core, by, &self.change(), response.headers_mut())?;
            vary(core, response.headers_mut());
        }
        Ok(response)
    }
}
