//! A session's type among the security schemes of an OpenAPI description.

use std::error::Error;
use std::fmt;

use session_rules::transport::BEARER_ANSWER;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, RefOr};

use crate::declaration::{Declaration, Transport};

/// What the derive knows of a type, and a description needs.
pub trait DescribedSession {
    /// The names of its security schemes, one for each transport, in their order.
    const SCHEMES: &'static [&'static str];
    /// Whether its data has rules, so that a change may be refused.
    const VALIDATES: bool;
    /// Whether its sessions are in a store, which may be down.
    const STORED: bool;
}

/// The security schemes of one session type: what [`SessionData::openapi`](crate::SessionData::openapi) gives.
///
/// As a [`utoipa::Modify`] it adds them to a description. Two types whose schemes have one name are told by the event
/// `session.scheme_conflict`; [`add_to`](Self::add_to) tells them by an error.
#[derive(Clone)]
pub struct SecuritySchemes {
    session_type: String,
    schemes: Vec<(&'static str, SecurityScheme)>,
}

/// Marks whose a scheme is.
const TYPE: &str = "x-session-type";

impl SecuritySchemes {
    pub(crate) fn of(names: &'static [&'static str], declaration: &Declaration) -> Self {
        let (scope, (cookie, problem)) = (declaration.scope(), declaration.cookie_in_force());
        let session_type = scope.type_path();
        let scheme = |transport: &Transport| {
            let extensions = Some(ExtensionsBuilder::new().add(TYPE, session_type.as_str()).build());
            let start = format!("an operation that starts a session of `{}`", scope.type_name);
            match transport {
                Transport::Cookie | Transport::CookieOnLocalhost => {
                    let mut description = format!(
                        "The cookie that {start} sets (`Set-Cookie`). A browser sends it by itself, and no page can set \
                         the `Cookie` header: where a documentation page asks for a value, leave it empty, and log in."
                    );
                    if let Some(local) = cookie.on_localhost() {
                        description += &format!(" On a loopback host it is called `{}`.", local.name);
                    }
                    if let Some(problem) = &problem {
                        description += &format!(" Its name may be another one: {problem}.");
                    }
                    let mut key = ApiKeyValue::with_description(cookie.name.clone(), description);
                    key.extensions = extensions;
                    SecurityScheme::ApiKey(ApiKey::Cookie(key))
                }
                Transport::Bearer => {
                    let description = format!("The token that {start} answers in the header `{BEARER_ANSWER}`.");
                    let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description));
                    let mut http = http.build();
                    http.extensions = extensions;
                    SecurityScheme::Http(http)
                }
                Transport::Header(name) => {
                    let description = format!("The token that {start} answers in the header of the same name.");
                    let mut key = ApiKeyValue::with_description(name.to_string(), description);
                    key.extensions = extensions;
                    SecurityScheme::ApiKey(ApiKey::Header(key))
                }
            }
        };
        let schemes = names.iter().copied().zip(declaration.transports_in_force().iter().map(scheme)).collect();
        Self { session_type, schemes }
    }

    /// Adds the schemes to a description. Those that are there already, of the same type, are written anew.
    ///
    /// # Errors
    /// Another session type has a scheme of the same name. The description is as it was.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use session_runtime::SessionData;
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct User { name: String }
    /// # use utoipa::OpenApi as _;
    /// # #[derive(utoipa::OpenApi)]
    /// # struct Api;
    /// # fn main() -> Result<(), session_runtime::openapi::SchemeConflict> {
    /// let mut api = Api::openapi();
    /// User::openapi().add_to(&mut api)?;
    /// assert!(api.to_json().unwrap().contains(r#""name":"__Host-user""#));
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_to(&self, api: &mut OpenApi) -> Result<(), SchemeConflict> {
        let there = api.components.iter().flat_map(|components| &components.security_schemes);
        for (name, scheme) in there.filter(|(name, _)| self.schemes.iter().any(|(own, _)| own == name)) {
            let other = session_type(scheme);
            if other.as_deref() != Some(&self.session_type) {
                let types = [other.unwrap_or_else(|| "another one".into()), self.session_type.clone()];
                return Err(SchemeConflict { scheme: name.clone(), types });
            }
        }
        let components = api.components.get_or_insert_with(Components::new);
        for (name, scheme) in &self.schemes {
            components.add_security_scheme(*name, scheme.clone());
        }
        Ok(())
    }
}

/// The session type that a scheme was made for.
fn session_type(scheme: &RefOr<SecurityScheme>) -> Option<String> {
    let RefOr::T(scheme) = scheme else { return None };
    let extensions = match scheme {
        SecurityScheme::ApiKey(ApiKey::Header(key) | ApiKey::Query(key) | ApiKey::Cookie(key)) => &key.extensions,
        SecurityScheme::Http(http) => &http.extensions,
        _ => &None,
    };
    Some(extensions.as_ref()?.get(TYPE)?.as_str()?.to_owned())
}

impl utoipa::Modify for SecuritySchemes {
    fn modify(&self, api: &mut OpenApi) {
        if let Err(conflict) = self.add_to(api) {
            let SchemeConflict { scheme, types: [first, second] } = conflict;
            event!(
                error,
                "session.scheme_conflict",
                scheme,
                first,
                second,
                "two session types share a security scheme"
            );
        }
    }
}

impl fmt::Debug for SecuritySchemes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.schemes.iter().map(|(name, _)| name).collect();
        f.debug_struct("SecuritySchemes").field("session_type", &self.session_type).field("names", &names).finish()
    }
}

/// Two session types whose security schemes have one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemeConflict {
    scheme: String,
    types: [String; 2],
}

impl fmt::Display for SchemeConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, types: [first, second] } = self;
        write!(
            f,
            "the security scheme `{scheme}` is used by two types, {first} and {second}; name one of them with \
             `scheme = \"...\"` in its `#[session(...)]`"
        )
    }
}

impl Error for SchemeConflict {}
