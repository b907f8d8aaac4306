//! The attributes of `cookie(...)`: one list, from which the macros and the runtime take the rest.

/// What is written as the value of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// Text.
    Text,
    /// `true` or `false`.
    Flag,
    /// One of [`crate::cookie::SameSite::NAMES`].
    SameSite,
    /// Text, several texts in brackets, or the path of a function.
    Domain,
}

macro_rules! attributes {
    ($($(#[$doc:meta])* $variant:ident = $key:literal, $kind:ident, $usage:literal;)*) => {
        /// An attribute of `cookie(...)`.
        ///
        /// The macros' grammar and checks and what the runtime reads at start-up are made from this list. A new
        /// attribute is a line here and a field of [`crate::cookie::Cookie`]; whatever else it needs does not compile without it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum CookieAttribute {
            $($(#[$doc])* $variant,)*
        }

        impl CookieAttribute {
            /// All of them.
            pub const ALL: [Self; [$($key),*].len()] = [$(Self::$variant),*];

            /// Its name in `cookie(...)`.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$variant => $key,)*
                }
            }

            /// Its name as the enum spells it, for generated code.
            pub const fn variant(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)*
                }
            }

            /// What is written as its value.
            pub const fn kind(self) -> AttributeKind {
                match self {
                    $(Self::$variant => AttributeKind::$kind,)*
                }
            }

            /// An example of its use.
            pub const fn usage(self) -> &'static str {
                match self {
                    $(Self::$variant => $usage,)*
                }
            }
        }
    };
}

attributes! {
    /// The cookie's name.
    Name = "name", Text, "name = \"__Host-user\"";
    /// `Path`.
    Path = "path", Text, "path = \"/\"";
    /// `Domain`.
    Domain = "domain", Domain, "domain = \"example.org\"";
    /// Whether a token of one of several domains is good on the others.
    AcrossDomains = "across_domains", Flag, "across_domains";
    /// `SameSite`.
    SameSite = "same_site", SameSite, "same_site = Lax";
    /// `Secure`.
    Secure = "secure", Flag, "secure = true";
    /// `HttpOnly`.
    HttpOnly = "http_only", Flag, "http_only = true";
    /// `Partitioned`.
    Partitioned = "partitioned", Flag, "partitioned = true";
    /// Whether the cookie outlives the browser.
    Persistent = "persistent", Flag, "persistent = true";
    /// Whether pages at a loopback host get the cookie without `Secure`, for development.
    HttpOnLocalhost = "http_on_localhost", Flag, "http_on_localhost = true";
    /// The `Domain` that the cookie had in an earlier release.
    FormerDomain = "former_domain", Text, "former_domain = \"www.example.org\"";
    /// The `Path` that the cookie had in an earlier release.
    FormerPath = "former_path", Text, "former_path = \"/app\"";
}

impl CookieAttribute {
    /// The attribute of this name in `cookie(...)`.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attribute| attribute.key() == key)
    }
}
