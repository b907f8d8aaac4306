//! The rules of cookies (RFC 6265bis and CHIPS), and the safe defaults.

mod attribute;
mod domains;

pub use self::attribute::{AttributeKind, CookieAttribute};
pub use self::domains::{Domains, NO_SINGLE_ORIGIN, covers, domain_violation, normal, repeated};
use crate::{Violation, is_token_char, parse_flag};

/// Browsers ignore a cookie whose name and value pass this many bytes together.
pub const MAX_NAME_AND_VALUE: usize = 4096;

/// The `SameSite` attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SameSite {
    /// Sent with same-site requests only, top-level navigation from elsewhere excluded.
    Strict,
    /// Sent with same-site requests and top-level navigation: the default.
    #[default]
    Lax,
    /// Sent with every request; browsers then demand `Secure`.
    None,
}

impl SameSite {
    /// The three values as they are spelled in the attribute and in the header.
    pub const NAMES: [&str; 3] = ["Strict", "Lax", "None"];

    /// Reads one of [`SameSite::NAMES`]; letter case does not matter.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "strict" => Ok(Self::Strict),
            "lax" => Ok(Self::Lax),
            "none" => Ok(Self::None),
            _ => Err(format!("`{text}` is not a value of `same_site`; write `Strict`, `Lax` or `None`")),
        }
    }
}

/// A cookie's attributes: one specification for setting and for removing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// The name, prefix included.
    pub name: String,
    /// The `Path` attribute.
    pub path: String,
    /// The `Domain` attribute; without it the cookie is for the host that set it alone.
    pub domain: Option<String>,
    /// Where the `Domain` attribute comes from, if the request decides.
    pub domains: Domains,
    /// Whether a token of one of the [`domains`](Self::domains) is good on the others.
    pub across_domains: bool,
    /// The `SameSite` attribute.
    pub same_site: SameSite,
    /// The `Secure` attribute.
    pub secure: bool,
    /// The `HttpOnly` attribute.
    pub http_only: bool,
    /// The `Partitioned` attribute.
    pub partitioned: bool,
    /// Whether the cookie outlives the browser's session (a `Max-Age`).
    pub persistent: bool,
    /// Whether pages at a loopback host get [`Cookie::on_localhost`] instead. For development: Safari keeps no `Secure`
    /// cookie of a page at `http://localhost`.
    pub http_on_localhost: bool,
    /// The `Domain` attribute of an earlier release, whose cookies browsers still have; empty for none.
    pub former_domain: Option<String>,
    /// The `Path` attribute of an earlier release.
    pub former_path: Option<String>,
}

impl Cookie {
    /// The defaults for a type of this name: `__Host-user` for `User`, `__Host-shopping-cart` for
    /// `ShoppingCart`, and the safest attributes.
    pub fn for_type(type_name: &str) -> Self {
        Self {
            name: format!("__Host-{}", kebab(type_name)),
            path: "/".into(),
            domain: None,
            domains: Domains::Fixed,
            across_domains: false,
            same_site: SameSite::Lax,
            secure: true,
            http_only: true,
            partitioned: false,
            persistent: false,
            http_on_localhost: false,
            former_domain: None,
            former_path: None,
        }
    }

    /// The cookie for pages at a loopback host by plain http, where [`http_on_localhost`](Self::http_on_localhost) allows
    /// it: without `Secure` and whatever needs it, under the same name without its prefix.
    ///
    /// ```
    /// use session_rules::cookie::{Cookie, CookieAttribute};
    /// let mut cookie = Cookie::for_type("User");
    /// assert_eq!(cookie.on_localhost(), None);
    /// cookie.set(CookieAttribute::HttpOnLocalhost, "true").unwrap();
    /// let local = cookie.on_localhost().unwrap();
    /// assert_eq!((local.name.as_str(), local.secure), ("user", false));
    /// assert!(local.violations().is_empty());
    /// ```
    pub fn on_localhost(&self) -> Option<Self> {
        let prefixed = ["__Host-", "__Secure-"].iter().any(|prefix| has_prefix(&self.name, prefix));
        self.http_on_localhost.then(|| Self {
            name: if prefixed { without_prefix(&self.name).into() } else { self.name.clone() },
            domain: None,
            domains: Domains::Fixed,
            across_domains: false,
            same_site: if self.same_site == SameSite::None { SameSite::Lax } else { self.same_site },
            secure: false,
            partitioned: false,
            former_domain: None,
            former_path: None,
            ..self.clone()
        })
    }

    /// The cookies of earlier releases that a browser may still have beside this one: they have its name, and another
    /// `Domain` or `Path`, so that a browser keeps and sends both.
    ///
    /// ```
    /// use session_rules::cookie::Cookie;
    /// let mut cookie = Cookie::for_type("User");
    /// cookie.name = "user".into();
    /// assert!(cookie.former().is_empty());
    /// cookie.former_path = Some("/app".into());
    /// assert_eq!(cookie.former()[0].path, "/app");
    /// ```
    pub fn former(&self) -> Vec<Self> {
        let domain_before = self.former_domain.as_ref().map(|domain| Some(domain.clone()).filter(|d| !d.is_empty()));
        let domains = [Some(self.domain.clone()), domain_before];
        let paths = [Some(self.path.clone()), self.former_path.clone()];
        let all = domains.iter().flatten().flat_map(|domain| paths.iter().flatten().map(move |path| (domain, path)));
        let former = all.filter(|(domain, path)| (*domain, *path) != (&self.domain, &self.path));
        former.map(|(domain, path)| Self { domain: domain.clone(), path: path.clone(), ..self.clone() }).collect()
    }

    /// Sets an attribute from its text, as the macro's option or an environment variable has it.
    ///
    /// # Errors
    /// What to write instead.
    ///
    /// ```
    /// use session_rules::cookie::{Cookie, CookieAttribute};
    /// let mut cookie = Cookie::for_type("User");
    /// cookie.set(CookieAttribute::Persistent, "true").unwrap();
    /// assert!(cookie.persistent);
    /// assert!(cookie.set(CookieAttribute::SameSite, "Relaxed").is_err());
    /// ```
    pub fn set(&mut self, attribute: CookieAttribute, text: &str) -> Result<(), String> {
        match attribute {
            CookieAttribute::Name => self.name = text.into(),
            CookieAttribute::Path => self.path = text.into(),
            CookieAttribute::Domain => self.domain = Some(text.into()),
            CookieAttribute::AcrossDomains => self.across_domains = parse_flag(text)?,
            CookieAttribute::SameSite => self.same_site = SameSite::parse(text)?,
            CookieAttribute::Secure => self.secure = parse_flag(text)?,
            CookieAttribute::HttpOnly => self.http_only = parse_flag(text)?,
            CookieAttribute::Partitioned => self.partitioned = parse_flag(text)?,
            CookieAttribute::Persistent => self.persistent = parse_flag(text)?,
            CookieAttribute::HttpOnLocalhost => self.http_on_localhost = parse_flag(text)?,
            CookieAttribute::FormerDomain => self.former_domain = Some(text.into()),
            CookieAttribute::FormerPath => self.former_path = Some(text.into()),
        }
        Ok(())
    }

    /// What is wrong with these attributes: every broken rule, each with the option to change.
    ///
    /// ```
    /// use session_rules::cookie::Cookie;
    /// let mut cookie = Cookie::for_type("User");
    /// assert!(cookie.violations().is_empty());
    /// cookie.domain = Some("example.org".into());
    /// assert_eq!(cookie.violations()[0].option, "domain");
    /// ```
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        name_is_a_token(self, &mut found);
        path_is_legal(self, &mut found);
        domain_is_legal(self, &mut found);
        domains::domains_are_legal(self, &mut found);
        domains::across_has_domains(self, &mut found);
        host_prefix_is_kept(self, &mut found);
        secure_prefix_is_kept(self, &mut found);
        same_site_none_is_secure(self, &mut found);
        partitioned_is_secure(self, &mut found);
        former_is_another(self, &mut found);
        found
    }
}

/// `name = "my cookie"`: a name is a token (RFC 9110, section 5.6.2).
fn name_is_a_token(cookie: &Cookie, found: &mut Vec<Violation>) {
    if cookie.name.is_empty() {
        found.push(broken(CookieAttribute::Name, "a cookie needs a name; write for example \"__Host-user\""));
    } else if let Some(bad) = cookie.name.chars().find(|c| !is_token_char(*c)) {
        found.push(broken(
            CookieAttribute::Name,
            format!("{bad:?} can't stand in a cookie's name; use letters, digits, `-` and `_`, as in \"__Host-user\""),
        ));
    } else if cookie.name.len() > 256 {
        found.push(broken(
            CookieAttribute::Name,
            "a cookie's name of over 256 bytes leaves too little room for its value; shorten it",
        ));
    }
}

/// `path = "admin"`: a path starts with a slash and holds no `;` or control character.
fn path_is_legal(cookie: &Cookie, found: &mut Vec<Violation>) {
    let paths =
        [(CookieAttribute::Path, Some(&cookie.path)), (CookieAttribute::FormerPath, cookie.former_path.as_ref())];
    for (attribute, path) in paths.into_iter().filter_map(|(attribute, path)| Some((attribute, path?))) {
        if !path.starts_with('/') {
            found.push(broken(attribute, format!("the path {path:?} doesn't start with a slash; write \"/{path}\"")));
        } else if path.chars().any(|c| c == ';' || !c.is_ascii() || c.is_ascii_control()) {
            found.push(broken(
                attribute,
                "a cookie's path holds ASCII characters other than `;` and controls; percent-encode the others",
            ));
        }
    }
}

/// `domain = "https://example.org"`: a domain is a host name, without scheme, port or path.
fn domain_is_legal(cookie: &Cookie, found: &mut Vec<Violation>) {
    // An empty former one says that the cookie had none.
    let former = cookie.former_domain.as_ref().filter(|domain| !domain.is_empty());
    let domains = [(CookieAttribute::Domain, cookie.domain.as_ref()), (CookieAttribute::FormerDomain, former)];
    for (attribute, domain) in domains.into_iter().filter_map(|(attribute, domain)| Some((attribute, domain?))) {
        found.extend(domain_violation(domain).map(|message| broken(attribute, message)));
    }
}

/// `name = "__Host-user", domain = "example.org"`: the prefix promises one host, all paths, `Secure`.
fn host_prefix_is_kept(cookie: &Cookie, found: &mut Vec<Violation>) {
    if !has_prefix(&cookie.name, "__Host-") {
        return;
    }
    let other_name = without_prefix(&cookie.name);
    if cookie.domain.is_some() || cookie.has_domain_by_request() {
        found.push(broken(CookieAttribute::Domain,
            format!("browsers refuse a `__Host-` cookie with a domain; remove `domain`, or name the cookie \"__Secure-{other_name}\""),
        ));
    }
    if cookie.path != "/" {
        found.push(broken(CookieAttribute::Path,
            format!("browsers refuse a `__Host-` cookie with another path than \"/\"; remove `path`, or name the cookie \"__Secure-{other_name}\""),
        ));
    }
    if !cookie.secure {
        found.push(broken(CookieAttribute::Secure,
            format!("browsers refuse a `__Host-` cookie without `secure`; remove `secure = false`, or name the cookie \"{other_name}\""),
        ));
    }
}

/// `name = "__Secure-user", secure = false`.
fn secure_prefix_is_kept(cookie: &Cookie, found: &mut Vec<Violation>) {
    if has_prefix(&cookie.name, "__Secure-") && !cookie.secure {
        found.push(broken(CookieAttribute::Secure,
            format!(
                "browsers refuse a `__Secure-` cookie without `secure`; remove `secure = false`, or name the cookie \"{}\"",
                without_prefix(&cookie.name)
            ),
        ));
    }
}

/// `same_site = None, secure = false`.
fn same_site_none_is_secure(cookie: &Cookie, found: &mut Vec<Violation>) {
    if cookie.same_site == SameSite::None && !cookie.secure {
        found.push(broken(
            CookieAttribute::SameSite,
            "browsers refuse `SameSite=None` without `Secure`; remove `secure = false`, or write `same_site = Lax`",
        ));
    }
}

/// `partitioned = true, secure = false`.
fn partitioned_is_secure(cookie: &Cookie, found: &mut Vec<Violation>) {
    if cookie.partitioned && !cookie.secure {
        found.push(broken(
            CookieAttribute::Partitioned,
            "browsers refuse a partitioned cookie without `Secure`; remove `secure = false` or `partitioned`",
        ));
    }
}

/// `domain = "example.org", former_domain = "example.org"`, `name = "__Host-user", former_path = "/app"`.
fn former_is_another(cookie: &Cookie, found: &mut Vec<Violation>) {
    let same_domain = cookie.former_domain.as_deref().is_some_and(|former| cookie.has_domain(&normal(former)));
    let same_path = cookie.former_path.as_ref().is_some_and(|former| *former == cookie.path);
    for (attribute, given, same) in [
        (CookieAttribute::FormerDomain, cookie.former_domain.is_some(), same_domain),
        (CookieAttribute::FormerPath, cookie.former_path.is_some(), same_path),
    ] {
        let key = attribute.key();
        if given && has_prefix(&cookie.name, "__Host-") {
            let message = format!("a `__Host-` cookie never had another domain or path; remove `{key}`");
            found.push(broken(attribute, message));
        } else if same {
            found.push(broken(
                attribute,
                format!("this is what the cookie has now; remove `{key}`, or write what it had"),
            ));
        }
    }
}

/// Browsers compare the prefixes without regard to letter case.
fn has_prefix(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn without_prefix(name: &str) -> &str {
    name.split_once('-').map(|(_, rest)| rest).filter(|rest| !rest.is_empty()).unwrap_or("session")
}

/// `ShoppingCart` becomes `shopping-cart`, `HTTPUser` becomes `http-user`.
pub fn kebab(type_name: &str) -> String {
    let chars: Vec<char> = type_name.trim_start_matches("r#").chars().collect();
    let mut out = String::new();
    for (i, &c) in chars.iter().enumerate() {
        if c == '_' {
            out.push('-');
            continue;
        }
        if !c.is_ascii_alphanumeric() {
            continue;
        }
        let after_lower = i > 0 && (chars[i - 1].is_ascii_lowercase() || chars[i - 1].is_ascii_digit());
        let word_starts =
            i > 0 && chars[i - 1].is_ascii_uppercase() && chars.get(i + 1).is_some_and(char::is_ascii_lowercase);
        if c.is_ascii_uppercase() && (after_lower || word_starts) {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    // A name such as `Größe` or `_` may leave nothing that a cookie's name can hold.
    let trimmed = out.trim_matches('-');
    if trimmed.is_empty() { "session".into() } else { trimmed.into() }
}

fn broken(attribute: CookieAttribute, message: impl Into<String>) -> Violation {
    Violation::new(attribute.key(), message)
}

#[cfg(test)]
mod tests;
