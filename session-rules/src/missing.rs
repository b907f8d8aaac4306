//! What a request without a session can be answered: a status, or a redirect.

/// Whether `missing = status(..)` can be this number.
///
/// # Errors
/// What to write instead.
///
/// ```
/// use session_rules::missing::status;
///
/// assert_eq!(status(404), Ok(()));
/// assert!(status(302).is_err());
/// assert!(status(42).is_err());
/// ```
pub fn status(code: u16) -> Result<(), &'static str> {
    match code {
        200..=299 | 400..=599 => Ok(()),
        300..=399 => Err("a redirect needs a target; write `redirect(\"/login\")`"),
        _ => Err(NO_STATUS),
    }
}

/// What is said of a number that is no status.
pub const NO_STATUS: &str =
    "this is not the status of an HTTP response; write `status(401)`, `status(403)` or `status(404)`";

/// Whether `missing = redirect(..)` can go there.
///
/// # Errors
/// What to write instead.
///
/// ```
/// use session_rules::missing::redirect;
///
/// assert_eq!(redirect("/login"), Ok(()));
/// assert_eq!(redirect("https://login.example.org"), Ok(()));
/// assert!(redirect("login").unwrap_err().contains(r#"redirect("/login")"#));
/// assert!(redirect("/lögin").is_err());
/// ```
pub fn redirect(to: &str) -> Result<(), String> {
    let visible = |to: &str| to.bytes().all(|byte| byte.is_ascii_graphic());
    if !["/", "https://", "http://"].iter().any(|start| to.starts_with(start)) {
        let path = if !to.is_empty() && visible(to) { to } else { "login" };
        return Err(format!("a redirect goes to a path or to a full address; write `redirect(\"/{path}\")`"));
    }
    match visible(to) {
        true => Ok(()),
        false => Err("an address has only visible ASCII characters; percent-encode the others".into()),
    }
}

/// Whether a redirect can take a path of the application along: only to a page of the application itself.
///
/// # Errors
/// What to write instead.
///
/// ```
/// use session_rules::missing::redirect_of_this_site;
///
/// assert_eq!(redirect_of_this_site("/login"), Ok(()));
/// assert!(redirect_of_this_site("https://login.example").is_err());
/// ```
pub fn redirect_of_this_site(to: &str) -> Result<(), &'static str> {
    match to.starts_with('/') && !to.starts_with("//") {
        true => Ok(()),
        false => {
            Err("`next` is a path of this application, of which another site can't make anything; redirect to a path, \
                      or write a handler that gives the whole address")
        }
    }
}

/// Whether this can be the name of the parameter that is added to the address.
///
/// # Errors
/// What to write instead.
///
/// ```
/// use session_rules::missing::next;
///
/// assert_eq!(next("/login?lang=en", "next"), Ok(()));
/// assert!(next("/login", "a b").is_err());
/// assert!(next("/login?next=/", "next").is_err());
/// ```
pub fn next(to: &str, name: &str) -> Result<(), String> {
    let query = to.split(['?', '#']).nth(1).unwrap_or_default();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Err("this is the name of a parameter in the address; write letters, as in `next = \"next\"`".into());
    }
    match query.split('&').any(|pair| pair.split('=').next() == Some(name)) {
        true => Err(format!("the address has a parameter `{name}` already; give this one another name")),
        false => Ok(()),
    }
}
