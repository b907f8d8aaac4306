//! The domains of an application of several, of which each request's host chooses one: `cookie(domain = [..])`, or
//! `cookie(domain = path)`.

use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use session_rules::cookie::{Cookie, Domains, NO_SINGLE_ORIGIN, normal};

use super::{Declaration, Problems};
use crate::error::OpenError;
use crate::setting::Value;

const OPTION: &str = "cookie(domain)";

/// What is declared of them.
#[derive(Debug, Clone)]
pub(super) enum Declared {
    /// `domain = ["shop-a.example", env("MORE")]`
    List(Vec<Value>),
    /// `domain = path`
    Function(fn(&Parts) -> Option<String>),
}

/// Where the domain of a request comes from.
#[derive(Clone)]
pub(crate) enum DomainSource {
    /// One of these, in their normal form.
    List(Vec<String>),
    /// What this function says of it.
    Function(Arc<DomainOf>),
}

/// Names the domain of a request.
type DomainOf = dyn Fn(&Parts) -> Option<String> + Send + Sync;

impl fmt::Debug for DomainSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(domains) => f.debug_tuple("List").field(domains).finish(),
            Self::Function(_) => f.write_str("Function"),
        }
    }
}

impl Declaration {
    /// `cookie(domain = [..])`, once for each value.
    #[must_use]
    pub fn cookie_domains(mut self, value: Value) -> Self {
        match &mut self.domains {
            Some(Declared::List(values)) => values.push(value),
            domains => *domains = Some(Declared::List(vec![value])),
        }
        self
    }

    /// `cookie(domain = path)`
    #[must_use]
    pub fn cookie_domain_by(mut self, function: fn(&Parts) -> Option<String>) -> Self {
        self.domains = Some(Declared::Function(function));
        self
    }

    /// Whether each request's host chooses the domain.
    #[cfg(feature = "utoipa")]
    pub(crate) const fn has_domain_by_request(&self) -> bool {
        self.domains.is_some()
    }

    /// The value of the list with the domain that a broken rule's message begins with, if a variable gave it. A literal's
    /// faults are told by the compiler.
    pub(super) fn domain_value(&self, message: &str) -> Option<Value> {
        let Some(Declared::List(values)) = &self.domains else { return None };
        let begins = |domain: &str| message.starts_with(&format!("{domain:?}"));
        let is_meant = |domain: &str| begins(domain) || begins(&normal(domain));
        let gives = |value: &Value| value.read_with(OPTION, |text| Ok(split(text).any(is_meant))).unwrap_or_default();
        values.iter().find(|value| value.variable().is_some() && gives(value)).copied()
    }

    pub(super) fn read_domains(&self, problems: &mut Problems) -> Option<DomainSource> {
        let values = match self.domains.as_ref()? {
            Declared::Function(function) => return Some(DomainSource::Function(Arc::new(*function))),
            Declared::List(values) => values,
        };
        let read = |value: &Value| {
            problems.take(value.read_with(OPTION, |text| Ok(split(text).map(str::to_owned).collect::<Vec<_>>())))
        };
        let domains: Vec<String> = values.iter().filter_map(read).flatten().collect();
        if domains.is_empty() && problems.0.is_none() {
            let why = "names no domain; set it to for example shop-a.example,shop-b.example";
            problems.add(OpenError::option(OPTION, values.iter().find_map(|value| value.variable()), why));
            return None;
        }
        Some(DomainSource::List(domains))
    }
}

/// The domains in one value.
fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|domain| !domain.is_empty())
}

/// What an application's builder and declaration say of the domains goes into the cookie, whose rules look at the whole.
pub(super) fn put(source: Option<&DomainSource>, cookie: &mut Cookie) {
    cookie.domains = match source {
        None => return,
        Some(DomainSource::List(domains)) => Domains::List(domains.clone()),
        Some(DomainSource::Function(_)) => Domains::ByFunction,
    };
    // A declared `domain` gives way to a builder's domains.
    cookie.domain = None;
}

/// The rules that look at other options as well.
pub(super) fn check(source: Option<&DomainSource>, has_public_origin: bool, problems: &mut Problems) {
    if let Some(DomainSource::List(domains)) = source
        && domains.is_empty()
    {
        problems.add(OpenError::option(OPTION, None, "a list of domains needs at least one"));
    }
    if source.is_some() && has_public_origin {
        problems.add(OpenError::option(super::PUBLIC_ORIGIN, None, NO_SINGLE_ORIGIN));
    }
}

impl DomainSource {
    pub(super) fn normal(self) -> Self {
        match self {
            Self::List(domains) => Self::List(domains.iter().map(|domain| normal(domain)).collect()),
            Self::Function(function) => Self::Function(function),
        }
    }
}
