//! Tokens become a function with its body unread, and raw options; nothing is compared here.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, LitStr, Path, Signature, Token, Visibility,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use crate::{
    diag::Errors,
    options::{
        OptionSpec, Reader, Slot,
        access::{self, Access, AccessWord},
        csrf, device_bound,
        guard::{self, RawGuard},
        missing::{self, RawMissing},
        runtime, save, state, timeouts, touch,
        value::RawValue,
    },
    paths::Runtime,
};

/// The user's function. Its body is tokens, or nothing: what is in it is between the user and the compiler.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: TokenStream,
}

/// The options of the handler attribute.
#[derive(Default)]
pub(crate) struct HandlerOptions {
    pub(crate) protected: Slot<AccessWord>,
    pub(crate) optional: Slot<AccessWord>,
    pub(crate) or_default: Slot<AccessWord>,
    pub(crate) guard: Slot<RawGuard>,
    pub(crate) missing: Slot<RawMissing>,
    pub(crate) fresh: Slot<RawValue>,
    pub(crate) device: Slot<RawValue>,
    pub(crate) wait: Slot<RawValue>,
    pub(crate) csrf: Slot<csrf::CsrfOff>,
    pub(crate) touch: Slot<touch::TouchOff>,
    pub(crate) save: Slot<save::SaveAlways>,
    pub(crate) state: Slot<state::StateType>,
    pub(crate) runtime: Slot<Path>,
    /// Whether something unknown was written, which may have been meant for an option that is missing.
    pub(crate) unknown: bool,
}

/// Every option of the handler attribute. A new one is a row here, a field above and a file in `options`.
const TABLE: &[OptionSpec<HandlerOptions>] = &[
    OptionSpec {
        name: "protected",
        usage: "protected(User)",
        read: |options, key, input, _| options.protected.read(access::parse(Access::Protected, key, input)),
    },
    OptionSpec {
        name: "optional",
        usage: "optional(User)",
        read: |options, key, input, _| options.optional.read(access::parse(Access::Optional, key, input)),
    },
    OptionSpec {
        name: "or_default",
        usage: "or_default(Cart)",
        read: |options, key, input, _| options.or_default.read(access::parse(Access::OrDefault, key, input)),
    },
    OptionSpec {
        name: "guard",
        usage: guard::USAGE,
        read: |options, key, input, _| options.guard.read(guard::parse(key, input)),
    },
    OptionSpec {
        name: "missing",
        usage: missing::USAGE,
        read: |options, key, input, _| options.missing.read(missing::parse(key, input)),
    },
    OptionSpec {
        name: "fresh",
        usage: timeouts::FRESH,
        read: |options, key, input, _| options.fresh.read(timeouts::parse_constant(key, input)),
    },
    OptionSpec {
        name: "device",
        usage: device_bound::RECENT,
        read: |options, key, input, _| options.device.read(timeouts::parse_constant(key, input)),
    },
    OptionSpec {
        name: "wait",
        usage: timeouts::WAIT,
        read: |options, key, input, _| options.wait.read(timeouts::parse_constant(key, input)),
    },
    OptionSpec {
        name: "save",
        usage: save::USAGE,
        read: |options, key, input, _| options.save.read(save::parse(key, input)),
    },
    OptionSpec {
        name: "state",
        usage: state::USAGE,
        read: |options, key, input, _| options.state.read(state::parse(key, input)),
    },
    OptionSpec {
        name: "csrf",
        usage: csrf::USAGE,
        read: |options, key, input, _| options.csrf.read(csrf::parse(key, input)),
    },
    OptionSpec {
        name: "touch",
        usage: touch::USAGE,
        read: |options, key, input, _| options.touch.read(touch::parse(key, input)),
    },
    OptionSpec {
        name: "crate",
        usage: runtime::USAGE,
        read: |options, key, input, _| options.runtime.read(runtime::parse(key, input)),
    },
];

impl HandlerOptions {
    pub(crate) fn runtime(&self) -> Runtime {
        Runtime::at(self.runtime.as_ref().written())
    }
}

/// Reads the attribute's own list.
pub(crate) fn options(arguments: TokenStream, errors: &mut Errors) -> HandlerOptions {
    let mut options = HandlerOptions::default();
    let mut reader = Reader::new("option", TABLE);
    reader.read_tokens(arguments, &mut options, errors);
    options.unknown = reader.met_unknown();
    options
}

/// Reads the item that the attribute is on.
pub(crate) fn function(item: TokenStream) -> syn::Result<Function> {
    // The body isn't even looked at: it may be long.
    let mut item: Vec<TokenTree> = item.into_iter().collect();
    let is_body =
        |token: &mut TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    let body = item.pop_if(is_body);
    let parser = |input: ParseStream| {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        is_a_function(input, &attributes)?;
        let signature: Signature = input.parse()?;
        if body.is_none() {
            input.parse::<Token![;]>()?;
        }
        if !input.is_empty() {
            return Err(input.error("expected nothing behind the handler's body"));
        }
        Ok(Function { attributes, visibility, signature, body: body.into_token_stream() })
    };
    parser.parse2(item.into_iter().collect())
}

/// `#[session] struct ..`, `impl ..`, `mod ..`: where the attribute belongs instead.
fn is_a_function(input: ParseStream, attributes: &[Attribute]) -> syn::Result<()> {
    let Some(keyword) = keyword(&input.fork()) else {
        return Err(input.error("`#[session]` goes on a handler: an async function"));
    };
    let message = match keyword.to_string().as_str() {
        "fn" => return Ok(()),
        "struct" | "enum" | "union" => return Err(on_data(attributes, keyword.span())),
        "impl" => "`#[session]` goes on a handler; mark each async function of the `impl` that takes a session",
        "trait" => "`#[session]` goes on a handler, which is a free async function; move it out and mark it there",
        "mod" => "`#[session]` goes on a handler; mark each async function of the module that takes a session",
        _ => "`#[session]` goes on a handler: an async function",
    };
    Err(syn::Error::new(keyword.span(), message))
}

/// The word that says what an item is: the first that isn't a modifier.
fn keyword(input: ParseStream) -> Option<Ident> {
    loop {
        let word = input.call(Ident::parse_any).ok()?;
        if !["async", "const", "default", "extern", "safe", "unsafe"].iter().any(|modifier| word == modifier) {
            return Some(word);
        }
        let _: syn::Result<LitStr> = input.parse();
    }
}

/// A session type whose options stand above its derive, or that has no derive.
fn on_data(attributes: &[Attribute], keyword: Span) -> syn::Error {
    let derives = |attribute: &&Attribute| {
        let words = attribute.meta.to_token_stream().to_string();
        let mut words = words.split(|c: char| !c.is_alphanumeric());
        words.next() == Some("derive") && words.any(|word| word == "SessionData")
    };
    match attributes.iter().find(derives) {
        Some(derive) => syn::Error::new_spanned(
            derive,
            "`#[session(...)]` stands above this derive, so it is taken for a handler's; put it below the derive",
        ),
        None => syn::Error::new(
            keyword,
            "`#[session]` goes on a handler; to declare a session, derive `SessionData` and put `#[session(...)]` below \
             the derive",
        ),
    }
}
