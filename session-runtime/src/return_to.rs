//! Where somebody wanted to go before they had to log in.
//!
//! It comes back from the client, so it may be anybody's: a link `/login?next=https://evil.example` would make the login
//! page of an honest site lead to another one. What is accepted is a path of this application in the form in which
//! browsers send one, and nothing that a browser might read as another host:
//!
//! - `//host` and `/\host` are addresses of other hosts, as browsers read a `\` as a `/`.
//! - Browsers drop tabs and line breaks inside of an address, so `/<tab>/host` is one too.
//! - Other characters that no browser sends in a path are refused as well; quotation marks and `<` among them, so that a
//!   page that forgets to escape it is not open to scripts.

use std::fmt;

use axum::response::Redirect;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The path that a request was for before it was sent to the login page, by
/// `missing = redirect("/login", next = "next")`. Deserialize it where the login page gets it: from the query, or from a
/// hidden field of the form.
///
/// What is no path of this application counts as none, so that a forged link leads nowhere else.
///
/// ```
/// # use axum::{Form, response::Redirect};
/// # use serde::{Deserialize, Serialize};
/// use session_runtime::{Error, ReturnTo, SessionData, SessionSlot, session};
///
/// #[derive(Serialize, Deserialize, SessionData)]
/// #[session(missing = redirect("/login", next = "next"))]
/// struct User {
///     name: String,
/// }
///
/// #[derive(Deserialize)]
/// struct Login {
///     name: String,
///     #[serde(default)]
///     next: ReturnTo,
/// }
///
/// #[session(optional)]
/// async fn login(slot: SessionSlot<User>, Form(form): Form<Login>) -> Result<Redirect, Error> {
///     slot.start(User { name: form.name }).await?;
///     Ok(form.next.redirect_or("/"))
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReturnTo(Option<String>);

impl ReturnTo {
    /// The most bytes of a path with its query. What is longer is not remembered: servers and proxies refuse long headers.
    const LONGEST: usize = 2048;

    /// Reads a path with its query, such as `/orders?page=2`. Anything else counts as none.
    ///
    /// ```
    /// use session_runtime::ReturnTo;
    /// assert_eq!(ReturnTo::new("/orders?page=2").path(), Some("/orders?page=2"));
    /// for elsewhere in ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "orders", ""] {
    ///     assert_eq!(ReturnTo::new(elsewhere).path(), None);
    /// }
    /// ```
    pub fn new(path: &str) -> Self {
        Self(is_local(path).then(|| path.to_owned()))
    }

    /// The path with its query, if there is one.
    pub fn path(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// A redirect (303) there, or to `fallback` without one.
    ///
    /// ```
    /// # use session_runtime::ReturnTo;
    /// assert_eq!(ReturnTo::new("/orders").redirect_or("/").location(), "/orders");
    /// assert_eq!(ReturnTo::default().redirect_or("/").location(), "/");
    /// ```
    pub fn redirect_or(&self, fallback: &str) -> Redirect {
        Redirect::to(self.path().unwrap_or(fallback))
    }
}

/// Whether this is a path of the application that answers with it.
fn is_local(path: &str) -> bool {
    let browsers_send = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>' | b'`');
    path.len() <= ReturnTo::LONGEST
        && path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(browsers_send)
}

impl fmt::Display for ReturnTo {
    /// The path, for the hidden field of a form; empty without one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path().unwrap_or_default())
    }
}

impl Serialize for ReturnTo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ReturnTo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = Option::<String>::deserialize(deserializer)?;
        Ok(path.map(|path| Self::new(&path)).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_application_is_kept_as_it_is() {
        for path in [
            "/",
            "/orders",
            "/a/b?x=1&y=%2F%20#part",
            "/caf%C3%A9",
            "/a//b",
            "/.//b",
            "/@a",
            "/a:b?c=http://d",
            "/|^{}'",
        ] {
            assert_eq!(ReturnTo::new(path).path(), Some(path));
        }
    }

    #[test]
    fn whatever_a_browser_may_read_as_another_place_is_none() {
        let elsewhere = [
            "",
            "orders",
            "?x",
            "#x",
            " /orders",
            "http:/a",
            "https://evil.example",
            "javascript:alert(1)",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "\\\\evil.example",
            "/a\\b",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r/evil.example",
            "/a\r\nSet-Cookie: a=b",
            "/\0",
            "/\u{7f}",
            "/a b",
            "/é",
            "/\u{ff0f}evil.example",
            "/\u{2028}",
            "/\"><script>",
            "/`",
        ];
        for path in elsewhere {
            assert_eq!(ReturnTo::new(path).path(), None, "{path:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_none() {
        let longest = format!("/{}", "a".repeat(ReturnTo::LONGEST - 1));
        assert_eq!(ReturnTo::new(&longest).path(), Some(longest.as_str()));
        assert_eq!(ReturnTo::new(&format!("{longest}a")).path(), None);
    }

    #[test]
    fn it_is_read_from_anything_that_may_be_text_and_is_written_as_that() {
        let read = |json: &str| serde_json::from_str::<ReturnTo>(json).unwrap();
        assert_eq!(read("\"/a?b\"").path(), Some("/a?b"));
        for none in ["\"//evil.example\"", "\"\"", "null"] {
            assert_eq!(read(none), ReturnTo::default());
        }
        assert_eq!(serde_json::to_string(&[read("\"/a?b\""), read("null")]).unwrap(), "[\"/a?b\",\"\"]");
    }
}
