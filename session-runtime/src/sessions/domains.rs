//! The domains of an application of several, such as one for each tenant.
//!
//! A [`Core`] that is bound to a domain makes and takes that domain's tokens, under a key of their own, and its cookie has
//! that `Domain`. So nothing that is done with a session has to ask where it is. What makes or verifies a token without a
//! domain, where there are several, gets an error, and never the token of some domain.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use quick_cache::sync::Cache;
use session_rules::cookie::{Cookie, covers, domain_violation, normal};

use super::core::Core;
use super::{SessionData, Sessions};
use crate::crypto::Keyring;
use crate::declaration::{DomainSource, Transport};
use crate::error::{DomainError, Error};
use crate::token::Tokens;

/// How many domains that a function has named are remembered with their keys, which take a moment to derive.
const REMEMBERED: usize = 1024;

/// The domains of a type.
pub(super) struct Domains {
    source: DomainSource,
    keyring: Keyring,
    purpose: String,
    lifetime: Duration,
    /// The cookie without its domain.
    cookie: Cookie,
    /// Those of a list.
    listed: Vec<Arc<Domain>>,
    /// Those that a function has named, and loopback hosts.
    met: Cache<String, Arc<Domain>>,
}

/// One of them.
pub(crate) struct Domain {
    name: String,
    pub(super) cookie: Cookie,
    /// `None`: a token is good on all of them.
    pub(super) tokens: Option<Tokens>,
}

/// Why a request has none.
pub(crate) enum NoDomain {
    /// Its host is none of the application's.
    Elsewhere,
    /// The function names what can't be the domain of its cookie. It has been told.
    Wrong,
}

impl Domains {
    pub(super) fn new(
        source: DomainSource,
        keyring: &Keyring,
        purpose: &str,
        lifetime: Duration,
        cookie: &Cookie,
    ) -> Self {
        let mut domains = Self {
            source,
            keyring: keyring.clone(),
            purpose: purpose.to_owned(),
            lifetime,
            cookie: cookie.clone(),
            listed: Vec::new(),
            met: Cache::new(REMEMBERED),
        };
        if let DomainSource::List(names) = &domains.source {
            domains.listed = names.iter().map(|name| Arc::new(domains.make(name))).collect();
            // Of several that cover a host the closest one counts.
            domains.listed.sort_by_key(|domain| std::cmp::Reverse(domain.name.len()));
        }
        domains
    }

    fn make(&self, name: &str) -> Domain {
        let tokens = || Tokens::of_domain(&self.keyring, &self.purpose, name, self.lifetime);
        let cookie = self.cookie.at_domain(name);
        Domain { name: name.to_owned(), cookie, tokens: (!self.cookie.across_domains).then(tokens) }
    }

    /// One that is not listed, in its normal form.
    fn meet(&self, name: &str) -> Arc<Domain> {
        self.met.get(name).unwrap_or_else(|| {
            let domain = Arc::new(self.make(name));
            self.met.insert(name.to_owned(), Arc::clone(&domain));
            domain
        })
    }

    /// The cookies by which browsers tell this type from another, as far as they are known.
    pub(super) fn cookies(&self) -> impl Iterator<Item = &Cookie> {
        self.listed.iter().map(|domain| &domain.cookie)
    }
}

impl Core {
    /// Whether each request's host chooses the domain of its cookie.
    pub(crate) fn has_domain_by_request(&self) -> bool {
        self.0.domains.is_some()
    }

    /// Whether a domain is still to be chosen.
    pub(crate) fn lacks_domain(&self) -> bool {
        self.has_domain_by_request() && self.1.is_none()
    }

    /// These sessions at the domain of a request. `host` is what it asks for, without a port.
    pub(crate) fn at_host(&self, parts: &Parts, host: Option<&str>, on_localhost: bool) -> Result<Self, NoDomain> {
        let Some(domains) = &self.0.domains else { return Ok(self.clone()) };
        let host = host.ok_or(NoDomain::Elsewhere)?;
        if on_localhost {
            // Its cookie is for that host alone, and so are its tokens.
            return Ok(self.bound_to(domains.meet(&host.to_ascii_lowercase())));
        }
        match &domains.source {
            DomainSource::List(_) => {
                let domain = domains.listed.iter().find(|domain| covers(&domain.name, host));
                domain.map(|domain| self.bound_to(Arc::clone(domain))).ok_or(NoDomain::Elsewhere)
            }
            DomainSource::Function(function) => {
                let named = function(parts).ok_or(NoDomain::Elsewhere)?;
                let why = match domain_violation(&named) {
                    None if covers(&named, host) => return Ok(self.bound_to(domains.meet(&normal(&named)))),
                    None => "the request's host is not under it, so browsers would refuse the cookie",
                    Some(_) => "it is not a host name",
                };
                wrong_domain(self.session_type(), &named, host, why);
                Err(NoDomain::Wrong)
            }
        }
    }

    fn bound_to(&self, domain: Arc<Domain>) -> Self {
        Self(Arc::clone(&self.0), Some(domain))
    }

    /// These sessions at a domain that is known without a request.
    fn at_domain(&self, domain: &str) -> Result<Self, DomainError> {
        let wrong = |why: &str| DomainError::new(domain, why);
        let domains =
            self.0.domains.as_ref().ok_or_else(|| wrong("these sessions have one domain for all requests"))?;
        if domain_violation(domain).is_some() {
            return Err(wrong("it is not a host name"));
        }
        let name = normal(domain);
        match &domains.source {
            DomainSource::Function(_) => Ok(self.bound_to(domains.meet(&name))),
            DomainSource::List(_) => {
                let listed = domains.listed.iter().find(|domain| domain.name == name);
                listed.map(|domain| self.bound_to(Arc::clone(domain))).ok_or_else(|| wrong("it is not in the list"))
            }
        }
    }

    /// The cookie by which a token came, or will go. Its `Domain` is known once there is a request.
    pub(crate) fn cookie(&self, by: &Transport) -> &Cookie {
        match (by, &self.0.cookie_on_localhost, &self.1) {
            (Transport::CookieOnLocalhost, Some(cookie), _) => cookie,
            (_, _, Some(domain)) => &domain.cookie,
            _ => &self.0.cookie,
        }
    }

    /// What makes and verifies tokens here.
    ///
    /// # Errors
    /// [`Error::NoDomain`]: there are several domains, and none was chosen.
    pub(super) fn tokens(&self) -> Result<&Tokens, Error> {
        match &self.1 {
            Some(domain) => Ok(domain.tokens.as_ref().unwrap_or(&self.0.tokens)),
            None if self.0.domains.is_some() => Err(Error::NoDomain),
            None => Ok(&self.0.tokens),
        }
    }

    /// What a token is remembered as: one that was verified on a domain was not verified on another.
    pub(super) fn remembered_as<'a>(&self, token: &'a str) -> Cow<'a, str> {
        match &self.1 {
            Some(domain) if domain.tokens.is_some() => Cow::Owned(format!("{} {token}", domain.name)),
            _ => Cow::Borrowed(token),
        }
    }
}

/// The function of `cookie(domain = path)` named a domain that no cookie of this request can have.
fn wrong_domain(session_type: &'static str, domain: &str, host: &str, why: &str) {
    event!(
        error,
        "session.wrong_domain",
        session_type,
        domain = ?domain,
        host = ?host,
        why,
        "the function of `cookie(domain)` named a domain that the request's cookie can't have"
    );
}

impl<T: SessionData> Sessions<T> {
    /// The same sessions at one of the application's domains, where each request's host chooses it
    /// (`cookie(domain = [..])`): for [`start`](Self::start) without a request. Requests come with their own.
    ///
    /// # Errors
    /// The domain is not in the list, is not a host name, or all requests have the same one.
    #[doc = include_str!("../docs/examples/sessions_for_domain.md")]
    pub fn for_domain(&self, domain: &str) -> Result<Self, DomainError> {
        self.core().at_domain(domain).map(Self::of_core)
    }
}
