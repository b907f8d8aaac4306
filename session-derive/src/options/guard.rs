//! `guard = path` or `guard = |data| ...`: who may enter, beyond having a session.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Expr, Token, parse::ParseStream};

use super::{OptionKey, function};
use crate::{
    diag::Errors,
    paths::{Runtime, SpanRange},
};

pub(crate) const USAGE: &str = "guard = |user| user.admin";

const WHAT: &str = "a closure of the data, or the path of a function of it";

/// A guard that can be called with the data.
pub(crate) struct Guard {
    expr: TokenStream,
}

/// A guard as it was written.
pub(crate) struct RawGuard {
    pub(crate) key: Span,
    expr: Expr,
}

/// Reads `= guard`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<RawGuard> {
    key.equals(input, WHAT)?;
    let span = input.span();
    // A mistake within a closure is reported where it is.
    let closure = input.peek(Token![|]) || input.peek(Token![||]) || input.peek(Token![move]);
    let expr: Expr = input.parse().map_err(|error| if closure { error } else { key.misused(span, WHAT) })?;
    key.ends(input, input.span(), WHAT)?;
    Ok(RawGuard { key: key.span(), expr })
}

/// A guard of the right shape; its types are the compiler's to check.
pub(crate) fn check(raw: &RawGuard, errors: &mut Errors) -> Option<Guard> {
    let expr = bare(&raw.expr);
    function::names_no_self(expr, errors);
    match expr {
        Expr::Path(_) => {}
        Expr::Closure(closure) => {
            if let Some(asyncness) = closure.asyncness {
                errors.at(asyncness.span, "a guard answers at once; remove `async`");
            }
            if closure.inputs.len() != 1 {
                errors.at(
                    closure.inputs_begin.span,
                    "a guard looks at one value, the session's data; write `|user| ...`",
                );
            }
        }
        Expr::Call(call) => {
            let name = call.func.to_token_stream().to_string().replace(' ', "");
            errors
                .over(expr, format!("the runtime calls the guard with the data; write `guard = {name}`, or a closure"));
            return None;
        }
        _ => {
            errors.over(expr, format!("`guard` takes {WHAT}; write `{USAGE}`"));
            return None;
        }
    }
    Some(Guard { expr: expr.to_token_stream() })
}

impl ToTokens for Guard {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.expr.clone());
    }
}

impl Guard {
    /// Where a guard that doesn't fit is reported.
    pub(crate) fn place(&self) -> SpanRange {
        SpanRange::of(&self.expr)
    }

    /// The expression of the guard's verdict on `data`; the runtime's function gives a closure its type.
    pub(crate) fn expand(&self, data: &Ident, ty: &syn::Type, runtime: &Runtime) -> TokenStream {
        let (verdict, guard) = (runtime.verdict(), &self.expr);
        self.place().put(quote!(#verdict::<#ty, _>(#data, #guard)))
    }
}

/// The expression within parentheses and a macro's invisible groups.
fn bare(mut expr: &Expr) -> &Expr {
    while let Expr::Group(syn::ExprGroup { expr: inner, .. }) | Expr::Paren(syn::ExprParen { expr: inner, .. }) = expr {
        expr = inner;
    }
    expr
}
