//! Every path that generated code names, in one table.

use std::fmt::Display;

use proc_macro2::{Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt as _, quote, quote_spanned};

/// Where the runtime is: `::session_runtime`, or what `crate = path` says.
#[derive(Clone)]
pub(crate) struct Runtime {
    root: Vec<TokenTree>,
}

/// A path that generated code names. Its tokens are made where they go: a stream of them would be handed to the compiler
/// and back.
#[derive(Clone, Copy)]
pub(crate) struct RuntimePath<'a> {
    root: &'a [TokenTree],
    segments: &'static [&'static str],
}

impl ToTokens for RuntimePath<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.root.iter().cloned());
        for segment in self.segments {
            for spacing in [Spacing::Joint, Spacing::Alone] {
                let mut colon = Punct::new(':', spacing);
                colon.set_span(Span::mixed_site());
                tokens.append(colon);
            }
            tokens.append(Ident::new(segment, Span::mixed_site()));
        }
    }
}

impl Runtime {
    pub(crate) fn at(path: Option<&syn::Path>) -> Self {
        let root =
            path.map_or_else(|| quote_spanned!(Span::mixed_site()=> ::session_runtime), ToTokens::to_token_stream);
        Self { root: root.into_iter().collect() }
    }
}

macro_rules! runtime_paths {
    ($($name:ident => $($segment:ident)::+;)*) => {
        // The methods have the names of what they lead to.
        #[allow(clippy::wrong_self_convention)]
        impl Runtime {
            $(pub(crate) fn $name(&self) -> RuntimePath<'_> {
                RuntimePath { root: &self.root, segments: &[$(stringify!($segment)),+] }
            })*
        }
    };
}

runtime_paths! {
    session_data => SessionData;
    session_owner => SessionOwner;
    device_bound => DeviceBound;
    device_binding => __private::DeviceBinding;
    sessions => Sessions;
    open_error => OpenError;
    backend => backend;
    open_backend => backend::OpenBackend;
    scope => backend::Scope;
    add_privilege => __private::add_privilege;
    answer => __private::answer;
    answer_unless_failed => __private::answer_unless_failed;
    erased_data => __private::ErasedData;
    handler_future => __private::HandlerFuture;
    ask => __private::ask;
    ask_guard => __private::ask_guard;
    ask_guard_with => __private::ask_guard_with;
    erased_state => __private::ErasedState;
    guard_future => __private::GuardFuture;
    noted => __private::Noted;
    verdict_with_device => __private::verdict_with_device;
    holds_state => __private::HoldsState;
    state_taken => __private::state_taken;
    take_state => __private::take_state;
    takes_state => __private::TakesState;
    session_policy => __private::SessionPolicy;
    begins_response => __private::begins_response;
    before_others => __private::before_others;
    boxed => __private::Box;
    boxed_data => __private::BoxedData;
    cookie_attribute => __private::CookieAttribute;
    declaration => __private::Declaration;
    decode_error => __private::DecodeError;
    handler_sessions => __private::HandlerSessions;
    exclusive => __private::ExclusiveFromRef;
    extracted => __private::extracted;
    flash => __private::Flash;
    previous_version => __private::previous_version;
    infallible => __private::Infallible;
    never => __private::never;
    without_attribute => __private::AddSessionAttributeToHandlerOf;
    from_ref => __private::FromRef;
    from_request_parts => __private::FromRequestParts;
    has_sessions => __private::HasSessions;
    into_response => __private::IntoResponse;
    invalid => __private::Invalid;
    json => __private::Json;
    json_error => __private::JsonError;
    json_serializer => __private::JsonSerializer;
    key => __private::SpecKey;
    key_of => __private::spec_key;
    keyed => __private::Keyed;
    lease_support => __private::LeaseSupport;
    lends => __private::lends;
    missing => __private::Missing;
    domain_of => __private::domain_of;
    end_hook => __private::EndHook;
    on_end => __private::on_end;
    open => __private::open;
    open_with => __private::open_with;
    optional => __private::Optional;
    optional_from_request_parts => __private::OptionalFromRequestParts;
    owned => __private::OwnedFromRef;
    owner_key => __private::owner_key;
    owner_json => __private::OwnerKey;
    parameter => __private::Parameter;
    parts => __private::Parts;
    privileges => __private::Privileges;
    protected => __private::Protected;
    public => __private::Public;
    read => __private::read;
    redacted => __private::Redacted;
    rejection => __private::Rejection;
    responds => __private::responds;
    returned => __private::returned;
    responds_in_part => __private::responds_in_part;
    response => __private::Response;
    response_future => __private::ResponseFuture;
    serve => __private::serve;
    set => __private::set;
    shared => __private::SharedFromRef;
    slot => __private::SlotFromRef;
    snapshot => __private::snapshot;
    snapshot_optional => __private::snapshot_optional;
    spec => __private::Spec;
    spec_of => __private::SpecOf;
    state => __private::State;
    transport => __private::Transport;
    unreachable => __private::unreachable;
    validate => __private::validate;
    validate_garde => __private::validate_garde;
    value => __private::Value;
    verdict => __private::verdict;
    verdict_of => __private::verdict_of;
    verified => __private::verified;
    are_distinct => __private::openapi::are_distinct;
    assert_stands_above_path => __private::openapi::stands_above_path;
    described_handler => __private::openapi::DescribedHandler;
    described_session => __private::openapi::DescribedSession;
    forbids => __private::openapi::forbids;
    device_forbids => __private::openapi::device_forbids;
    function_forbids => __private::openapi::function_forbids;
    http_method => __private::openapi::HttpMethod;
    name_one_of => __private::openapi::name_one_of;
    operation => __private::openapi::operation;
    operation_methods => __private::openapi::methods;
    operation_path => __private::openapi::path;
    operation_schemas => __private::openapi::schemas;
    operation_tags => __private::openapi::tags;
    ref_or => __private::openapi::RefOr;
    schema_references => __private::openapi::SchemaReferences;
    session_use => __private::openapi::SessionUse;
    stands_above_path => __private::openapi::StandsAbovePath;
    string => __private::openapi::String;
    undescribed => __private::openapi::unreachable;
    utoipa_operation => __private::openapi::Operation;
    utoipa_path => __private::openapi::Path;
    utoipa_schema => __private::openapi::Schema;
    utoipa_tags => __private::openapi::Tags;
    vec => __private::openapi::Vec;
}

macro_rules! core_paths {
    ($($name:ident => $($segment:ident)::+;)*) => {
        $(pub(crate) fn $name() -> RuntimePath<'static> {
            RuntimePath { root: &[], segments: &[$(stringify!($segment)),+] }
        })*
    };
}

core_paths! {
    assert => core::assert;
    column => core::column;
    bool => core::primitive::bool;
    clone => core::clone::Clone;
    debug => core::fmt::Debug;
    debug_struct => core::fmt::DebugStruct;
    debug_tuple => core::fmt::DebugTuple;
    default => core::default::Default;
    duration => core::time::Duration;
    env => core::env;
    line => core::line;
    module_path => core::module_path;
    fmt_result => core::fmt::Result;
    fn_once => core::ops::FnOnce;
    formatter => core::fmt::Formatter;
    future => core::future::Future;
    option => core::option::Option;
    phantom_data => core::marker::PhantomData;
    result => core::result::Result;
    result_ok => core::result::Result::Ok;
    send => core::marker::Send;
    some => core::option::Option::Some;
    str => core::primitive::str;
    sync => core::marker::Sync;
    u32 => core::primitive::u32;
    u64 => core::primitive::u64;
    u8 => core::primitive::u8;
}

/// A place in the user's source, from its first token to its last.
///
/// Generated tokens put there keep the macro's hygiene: an error lands on the user's tokens, a lint stays away.
#[derive(Clone, Copy)]
pub(crate) struct SpanRange {
    first: Span,
    last: Span,
}

impl SpanRange {
    pub(crate) fn at(span: Span) -> Self {
        Self { first: span, last: span }
    }

    pub(crate) fn of(tokens: impl ToTokens) -> Self {
        let mut spans = tokens.into_token_stream().into_iter().map(|token| token.span());
        let first = spans.next().unwrap_or_else(Span::call_site);
        Self { first, last: spans.last().unwrap_or(first) }
    }

    /// The tokens at this place. The compiler sees one expression that reaches from its first token to its last.
    pub(crate) fn put(self, tokens: impl ToTokens) -> TokenStream {
        let first = Span::mixed_site().located_at(self.first);
        let last = Span::mixed_site().located_at(self.last);
        let mut span = first;
        let moved = |mut token: TokenTree| {
            token.set_span(std::mem::replace(&mut span, last));
            token
        };
        tokens.into_token_stream().into_iter().map(moved).collect()
    }

    /// An error that underlines this place.
    pub(crate) fn error(self, message: impl Display) -> syn::Error {
        let ends = [Ident::new("first", self.first), Ident::new("last", self.last)];
        syn::Error::new_spanned(quote!(#(#ends)*), message)
    }

    /// Where to quote what goes around other tokens.
    pub(crate) fn span(self) -> Span {
        Span::mixed_site().located_at(self.first)
    }
}

/// Where a path's name is: the one token that stands for the whole.
pub(crate) fn name_span(path: &syn::Path) -> Span {
    path.segments.last().map_or_else(Span::call_site, |segment| segment.ident.span())
}
