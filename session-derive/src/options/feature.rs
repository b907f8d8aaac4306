//! What is there only with a cargo feature of the runtime.

use proc_macro2::Span;

use crate::diag::Errors;

/// A cargo feature, which this crate has by the same name.
#[derive(Clone, Copy)]
pub(crate) struct Feature {
    pub(crate) name: &'static str,
    pub(crate) enabled: bool,
}

impl Feature {
    /// Reports that `what` needs the feature, with the command that turns it on.
    pub(crate) fn required(self, span: Span, what: &str, errors: &mut Errors) {
        let Self { name, enabled } = self;
        if !enabled {
            // `cargo add` leaves the version, path or workspace from which the crate comes as it is.
            errors.at(
                span,
                format!("{what} needs the cargo feature `{name}`; run `cargo add session-runtime --features {name}`"),
            );
        }
    }
}
