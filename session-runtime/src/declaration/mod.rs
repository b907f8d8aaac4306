//! The declaration of a session's type, and the settings it resolves to.

#[cfg(feature = "device-bound")]
mod device;
mod domains;
mod limit;

use std::time::Duration;

use http::HeaderName;
use session_rules::cookie::{Cookie, CookieAttribute};
use session_rules::origin::Origin;
use session_rules::time;

#[cfg(feature = "device-bound")]
pub use self::device::DeviceBinding;
use self::domains::Declared;
pub(crate) use self::domains::DomainSource;
pub(crate) use self::limit::{Limit, OnExcess};
use crate::backend::Scope;
use crate::crypto::{Keyring, REMEDY};
use crate::error::OpenError;
use crate::setting::Value;

/// What `#[derive(SessionData)]` read in the attribute: only what the user wrote.
#[derive(Debug, Clone)]
pub struct Declaration {
    scope: Scope,
    key: Option<Value>,
    idle: Option<Value>,
    lifetime: Option<Value>,
    rotate_every: Option<Value>,
    cookie: Vec<(CookieAttribute, Value)>,
    domains: Option<Declared>,
    transports: Vec<Transport>,
    trusted_origins: Vec<Value>,
    public_origin: Option<Value>,
    max_per_owner: Option<Value>,
    on_excess: Option<Value>,
    #[cfg(feature = "device-bound")]
    device: Option<DeviceBinding>,
}

impl Declaration {
    /// A declaration with nothing but defaults.
    pub const fn new(type_name: &'static str, application: &'static str, module: &'static str) -> Self {
        Self {
            scope: Scope::new(application, type_name).in_module(module),
            key: None,
            idle: None,
            lifetime: None,
            rotate_every: None,
            cookie: Vec::new(),
            domains: None,
            transports: Vec::new(),
            trusted_origins: Vec::new(),
            public_origin: None,
            max_per_owner: None,
            on_excess: None,
            #[cfg(feature = "device-bound")]
            device: None,
        }
    }

    /// `name = ...`
    #[must_use]
    pub fn name(mut self, name: &'static str) -> Self {
        self.scope = self.scope.named(name);
        self
    }

    /// `key = ...`
    #[must_use]
    pub const fn key(mut self, value: Value) -> Self {
        self.key = Some(value);
        self
    }

    /// `idle = ...`
    #[must_use]
    pub const fn idle(mut self, value: Value) -> Self {
        self.idle = Some(value);
        self
    }

    /// `lifetime = ...`
    #[must_use]
    pub const fn lifetime(mut self, value: Value) -> Self {
        self.lifetime = Some(value);
        self
    }

    /// `rotate_every = ...`
    #[must_use]
    pub const fn rotate_every(mut self, value: Value) -> Self {
        self.rotate_every = Some(value);
        self
    }

    /// `cookie(option = ...)`
    #[must_use]
    pub fn cookie(mut self, option: CookieAttribute, value: Value) -> Self {
        self.cookie.push((option, value));
        self
    }

    /// `transport = ...`, once for each, in order.
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transports.push(transport);
        self
    }

    /// `trusted_origins = ...`, once for each value.
    #[must_use]
    pub fn trusted_origins(mut self, value: Value) -> Self {
        self.trusted_origins.push(value);
        self
    }

    /// `public_origin = ...`
    #[must_use]
    pub const fn public_origin(mut self, value: Value) -> Self {
        self.public_origin = Some(value);
        self
    }

    /// `max_per_owner = ...`
    #[must_use]
    pub const fn max_per_owner(mut self, value: Value) -> Self {
        self.max_per_owner = Some(value);
        self
    }

    /// `on_excess = ...`
    #[must_use]
    pub const fn on_excess(mut self, value: Value) -> Self {
        self.on_excess = Some(value);
        self
    }

    /// `device_bound`
    #[cfg(feature = "device-bound")]
    #[must_use]
    pub const fn device_bound(mut self, binding: DeviceBinding) -> Self {
        self.device = Some(binding);
        self
    }

    #[cfg(feature = "device-bound")]
    pub(crate) const fn is_device_bound(&self) -> bool {
        self.device.is_some()
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The transports, in order, never empty.
    pub(crate) fn transports_in_force(&self) -> &[Transport] {
        if self.transports.is_empty() { &[Transport::Cookie] } else { &self.transports }
    }

    /// The cookie with what the environment says of it, and what is wrong there: that stands as it does without it.
    #[cfg(feature = "utoipa")]
    pub(crate) fn cookie_in_force(&self) -> (Cookie, Option<OpenError>) {
        let mut problems = Problems(None);
        (self.read_cookie(&mut problems), problems.0)
    }

    fn read_cookie(&self, problems: &mut Problems) -> Cookie {
        let mut cookie = Cookie::for_type(self.scope.type_name);
        for &(option, value) in &self.cookie {
            problems.take(value.read_with(&format!("cookie({})", option.key()), |text| cookie.set(option, text)));
        }
        cookie
    }
}

/// How a token travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// In the type's cookie.
    Cookie,
    /// In `Authorization: Bearer`, and back in `Session-Token`.
    Bearer,
    /// In this header, both ways.
    Header(HeaderName),
    /// What [`Transport::Cookie`] is for a page at a loopback host, under `cookie(http_on_localhost)`. It is not declared
    /// by itself: it is how a request's token came.
    CookieOnLocalhost,
}

impl Transport {
    /// Whether a browser sends the token by itself, so that another site's page can make it do so. Each transport is
    /// named: a new one does not compile until this is decided for it.
    pub(crate) fn is_sent_by_browsers(&self) -> bool {
        match self {
            Self::Cookie | Self::CookieOnLocalhost => true,
            Self::Bearer | Self::Header(_) => false,
        }
    }

    /// `header("x-session")`. The name was checked by the derive, and is in lower case.
    pub fn header(name: &'static str) -> Self {
        Self::Header(HeaderName::from_static(name))
    }
}

/// A declaration with the environment read and every rule checked.
#[derive(Debug)]
pub(crate) struct Settings {
    /// `None`: nothing was declared, so a key that ends with the process.
    pub(crate) keyring: Option<Keyring>,
    pub(crate) idle: Duration,
    pub(crate) lifetime: Duration,
    pub(crate) rotate_every: Option<Duration>,
    pub(crate) cookie: Cookie,
    /// Where the cookie's domain comes from, if each request's host chooses it.
    pub(crate) domains: Option<DomainSource>,
    /// In order, never empty.
    pub(crate) transports: Vec<Transport>,
    pub(crate) trusted_origins: Vec<Origin>,
    pub(crate) public_origin: Option<Origin>,
    pub(crate) limit: Limit,
    #[cfg(feature = "device-bound")]
    pub(crate) device: Option<DeviceBinding>,
}

/// What a builder puts in a declaration's place.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) keyring: Option<Result<Keyring, String>>,
    pub(crate) idle: Option<Duration>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) rotate_every: Option<Duration>,
    pub(crate) domains: Option<DomainSource>,
    pub(crate) trusted_origins: Option<Result<Vec<Origin>, String>>,
    pub(crate) public_origin: Option<Result<Origin, String>>,
}

impl Settings {
    /// Resolves a declaration, reporting every problem of it at once.
    pub(crate) fn resolve(declaration: &Declaration, overrides: Overrides) -> Result<Self, OpenError> {
        let Overrides { keyring, idle, lifetime, rotate_every, domains, trusted_origins, public_origin } = overrides;
        let mut problems = Problems(None);
        let keyring = match (keyring, declaration.key) {
            (Some(keyring), _) => problems.take(keyring.map_err(|why| OpenError::option("key", None, why))),
            (None, Some(value)) => problems.take(read_keyring(value)),
            (None, None) => None,
        };
        let mut timeout = |option, given: Option<Duration>, declared: Option<Value>, default| match (given, declared) {
            (Some(given), _) => given,
            (None, Some(value)) => problems.take(value.read(option)).unwrap_or(default),
            (None, None) => default,
        };
        let idle = timeout("idle", idle, declaration.idle, time::DEFAULT_IDLE);
        let lifetime = timeout("lifetime", lifetime, declaration.lifetime, time::DEFAULT_LIFETIME);
        let rotate_every = match (rotate_every, declaration.rotate_every) {
            (Some(given), _) => Some(given),
            (None, Some(value)) => problems.take(value.read("rotate_every")),
            (None, None) => None,
        };
        let unkept = rotate_every.and_then(|every| time::rotation_violation(every, lifetime));
        for violation in time::violations(Some(idle), Some(lifetime)).into_iter().chain(unkept) {
            let value = match violation.option {
                "idle" => declaration.idle,
                "rotate_every" => declaration.rotate_every,
                _ => declaration.lifetime,
            };
            problems.add(broken(violation.option.into(), value, violation.message));
        }
        let mut cookie = declaration.read_cookie(&mut problems);
        let are_declared = domains.is_none();
        let source = domains.or_else(|| declaration.read_domains(&mut problems));
        domains::put(source.as_ref(), &mut cookie);
        for violation in cookie.violations() {
            let found = declaration.cookie.iter().find(|(option, _)| option.key() == violation.option);
            let value = match found {
                None if are_declared => declaration.domain_value(&violation.message),
                found => found.map(|(_, value)| *value),
            };
            problems.add(broken(format!("cookie({})", violation.option), value, violation.message));
        }
        let trusted_origins = match trusted_origins {
            Some(given) => {
                problems.take(given.map_err(|why| OpenError::option(TRUSTED_ORIGINS, None, why))).unwrap_or_default()
            }
            None => {
                let read = |value: &Value| problems.take(value.read_with(TRUSTED_ORIGINS, Origin::parse_list));
                declaration.trusted_origins.iter().filter_map(read).flatten().collect()
            }
        };
        let public_origin = match (public_origin, declaration.public_origin) {
            (Some(given), _) => problems.take(given.map_err(|why| OpenError::option(PUBLIC_ORIGIN, None, why))),
            (None, Some(value)) => problems.take(value.read_with(PUBLIC_ORIGIN, Origin::parse)),
            (None, None) => None,
        };
        if let Some(message) = public_origin.as_ref().and_then(|origin| origin.public_violation(cookie.secure)) {
            problems.add(broken(PUBLIC_ORIGIN.into(), declaration.public_origin, message));
        }
        domains::check(source.as_ref(), public_origin.is_some(), &mut problems);
        let transports = declaration.transports_in_force().to_vec();
        #[cfg(feature = "device-bound")]
        if declaration.device.is_some() {
            device::check(&cookie, &transports, &mut problems);
        }
        let max = declaration.max_per_owner.map(|value| value.read_with("max_per_owner", limit::parse_max));
        let max = max.and_then(|max| problems.take(max));
        let on_excess = declaration.on_excess.map(|value| value.read_with("on_excess", OnExcess::parse));
        let on_excess = on_excess.and_then(|on_excess| problems.take(on_excess)).unwrap_or_default();
        let limit = max.map_or_else(Limit::default, |max| Limit { max, on_excess });
        match problems.0 {
            Some(error) => Err(error),
            None => Ok(Self {
                keyring,
                idle,
                lifetime,
                rotate_every,
                cookie,
                domains: source.map(DomainSource::normal),
                transports,
                trusted_origins,
                public_origin,
                limit,
                #[cfg(feature = "device-bound")]
                device: declaration.device,
            }),
        }
    }
}

const TRUSTED_ORIGINS: &str = "trusted_origins";
const PUBLIC_ORIGIN: &str = "public_origin";

/// An error sink: nothing is lost, and everything is told at once.
struct Problems(Option<OpenError>);

impl Problems {
    fn add(&mut self, error: OpenError) {
        self.0 = Some(match self.0.take() {
            Some(first) => first.and(error),
            None => error,
        });
    }

    fn take<V>(&mut self, result: Result<V, OpenError>) -> Option<V> {
        result.map_err(|error| self.add(error)).ok()
    }
}

fn broken(option: String, value: Option<Value>, message: String) -> OpenError {
    match value.and_then(Value::variable) {
        Some(variable) => OpenError::option(option, Some(variable), format!("breaks a rule: {message}")),
        None => OpenError::option(option, None, message),
    }
}

fn read_keyring(value: Value) -> Result<Keyring, OpenError> {
    if value.is_unset() {
        let why = format!("is not set; {REMEDY}, and set the variable to it");
        return Err(OpenError::option("key", value.variable(), why));
    }
    value.read_with("key", Keyring::parse)
}

#[cfg(test)]
mod tests;
