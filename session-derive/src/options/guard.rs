//! `guard = path`, `guard = |data| ...`, `guard = |data, device| ...` or `guard = async path`: who may enter, beyond having a session.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Expr, Token, ext::IdentExt as _, parse::ParseStream};

use super::{OptionKey, device_bound::FEATURE, function};
use crate::{
    diag::Errors,
    paths::{Runtime, SpanRange},
};

pub(crate) const USAGE: &str = "guard = |user| user.admin";

const WHAT: &str = "a closure of the data, or the path of a function of it";
const PARAMETERS: &str = "a guard looks at the session's data, and at its device if the type says `device_bound`; write \
                          `|user| ...` or `|user, device| ...`";
const ASYNC: &str = "an async guard is a function; write it as one and name it: `guard = async may_enter`";

/// A guard that can be called with the data.
pub(crate) struct Guard {
    expr: TokenStream,
    /// Whether it is an async function, which is asked about the request as well.
    pub(crate) asynchronous: bool,
    /// Whether it is a closure, whose parameter has no type of its own.
    closure: bool,
    /// Whether it looks at the session's device as well.
    pub(crate) device: bool,
}

/// A guard as it was written.
pub(crate) struct RawGuard {
    pub(crate) key: Span,
    pub(crate) asynchronous: bool,
    expr: Expr,
}

/// Reads `= guard`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<RawGuard> {
    key.equals(input, WHAT)?;
    let span = input.span();
    // A mistake within a closure is reported where it is.
    let asynchronous = input.peek(Token![async]) && input.peek2(Ident::peek_any);
    let asynchronous = asynchronous && !input.peek2(Token![move]);
    if asynchronous {
        input.parse::<Token![async]>()?;
    }
    let closure = input.peek(Token![|]) || input.peek(Token![||]) || input.peek(Token![move]);
    let expr: Expr = input.parse().map_err(|error| if closure { error } else { key.misused(span, WHAT) })?;
    key.ends(input, input.span(), WHAT)?;
    Ok(RawGuard { key: key.span(), asynchronous, expr })
}

/// A guard of the right shape; its types are the compiler's to check.
pub(crate) fn check(raw: &RawGuard, errors: &mut Errors) -> Option<Guard> {
    let expr = bare(&raw.expr);
    function::names_no_self(expr, errors);
    if raw.asynchronous && !matches!(expr, Expr::Path(_) | Expr::Call(_)) {
        errors.over(expr, ASYNC);
        return None;
    }
    let mut device = false;
    match expr {
        Expr::Path(_) => {}
        Expr::Closure(closure) => {
            device = closure.inputs.len() == 2;
            if let Some(asyncness) = closure.asyncness {
                errors.at(asyncness.span, ASYNC);
            }
            if device {
                FEATURE.required(closure.inputs_begin.span, "a guard that looks at the device", errors);
            } else if closure.inputs.len() != 1 {
                errors.at(closure.inputs_begin.span, PARAMETERS);
            }
        }
        Expr::Call(call) => {
            let name = call.func.to_token_stream().to_string().replace(' ', "");
            let fix = match raw.asynchronous {
                true => format!("write `guard = async {name}`"),
                false => format!("write `guard = {name}`, or a closure"),
            };
            errors.over(expr, format!("the runtime calls the guard with the data; {fix}"));
            return None;
        }
        _ => {
            errors.over(expr, format!("`guard` takes {WHAT}; write `{USAGE}`"));
            return None;
        }
    }
    let closure = matches!(expr, Expr::Closure(_));
    Some(Guard { expr: expr.to_token_stream(), asynchronous: raw.asynchronous, closure, device })
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

    /// The expression of an async guard's verdict to come, on the data, the request and what it takes of the state.
    pub(crate) fn expand_async(
        &self,
        [data, parts, state]: [&Ident; 3],
        ty: &syn::Type,
        taken: Option<&syn::Type>,
        runtime: &Runtime,
    ) -> TokenStream {
        let guard = &self.expr;
        let asked = match taken {
            None => {
                let ask = runtime.ask_guard();
                quote!(#ask::<#ty, _, _>(#data, #parts, #guard))
            }
            Some(taken) => {
                let (ask, state_taken) = (runtime.ask_guard_with(), runtime.state_taken());
                quote!(#ask::<#ty, #taken, _, _>(#data, #parts, #state_taken(#state), #guard))
            }
        };
        self.place().put(asked)
    }

    /// The same of a guard that looks at the device as well.
    pub(crate) fn expand_with_device(
        &self,
        [data, noted]: [&Ident; 2],
        ty: &syn::Type,
        runtime: &Runtime,
    ) -> TokenStream {
        let (guard, verdict) = (&self.expr, runtime.verdict_with_device());
        self.place().put(quote!(#verdict::<#ty, _>(#data, #noted, #guard)))
    }

    /// The expression of the guard's verdict on `data`; the runtime's function gives a closure its type.
    pub(crate) fn expand(&self, data: &Ident, ty: &syn::Type, runtime: &Runtime) -> TokenStream {
        let guard = &self.expr;
        self.place().put(match self.closure {
            true => {
                let verdict = runtime.verdict();
                quote!(#verdict::<#ty, _>(#data, #guard))
            }
            false => {
                let verdict = runtime.verdict_of();
                quote!(#verdict::<#ty, _, _>(#data, #guard))
            }
        })
    }
}

impl Guard {
    /// As it was written.
    pub(crate) fn tokens(&self) -> &TokenStream {
        &self.expr
    }

    /// The expression of whether its refusal is the plain 403.
    pub(crate) fn expand_forbids(&self, ty: &syn::Type, runtime: &Runtime) -> TokenStream {
        let guard = &self.expr;
        self.place().put(match self.closure {
            true => {
                let forbids = if self.device { runtime.device_forbids() } else { runtime.forbids() };
                quote!(#forbids::<#ty, _>(#guard))
            }
            false => {
                let forbids = runtime.function_forbids();
                quote!(#forbids::<#ty, _, _>(#guard))
            }
        })
    }
}

/// The expression within parentheses and a macro's invisible groups.
fn bare(mut expr: &Expr) -> &Expr {
    while let Expr::Group(syn::ExprGroup { expr: inner, .. }) | Expr::Paren(syn::ExprParen { expr: inner, .. }) = expr {
        expr = inner;
    }
    expr
}
