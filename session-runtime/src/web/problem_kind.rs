//! Every kind of problem that is answered: the one list from which `type` is written, here and in an OpenAPI description.

macro_rules! kinds {
    ($($kind:ident = $name:literal,)+) => {
        /// What went wrong, for programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum ProblemKind {
            $($kind,)+
        }

        impl ProblemKind {
            /// All of them.
            #[cfg(any(test, feature = "utoipa"))]
            pub(crate) const ALL: &[Self] = &[$(Self::$kind),+];

            /// The end of its `type`.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }
        }
    };
}

kinds! {
    BadToken = "bad-token",
    Busy = "busy",
    Conflict = "conflict",
    CrossSite = "cross-site",
    DeviceProof = "device-proof",
    DeviceUnbound = "device-unbound",
    DeviceUnproven = "device-unproven",
    Ended = "ended",
    Forbidden = "forbidden",
    Internal = "internal",
    Invalid = "invalid",
    LeaseLost = "lease-lost",
    Misdirected = "misdirected",
    Missing = "missing",
    NotListed = "not-listed",
    Stale = "stale",
    TooManySessions = "too-many-sessions",
    Unavailable = "unavailable",
}

impl ProblemKind {
    /// The problem's `type`.
    pub(crate) fn uri(self) -> String {
        format!("urn:problem-type:session:{}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_in_the_reference() {
        let reference = include_str!("../../docs/reference.md");
        for kind in ProblemKind::ALL {
            assert!(reference.contains(&format!("`{}`", kind.name())), "{kind:?}");
        }
    }
}
