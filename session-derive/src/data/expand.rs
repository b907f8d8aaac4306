//! The implementations that a declaration stands for. Nothing can go wrong here.
//!
//! Names begin with two underscores: hygiene does not keep a binding apart from a constant or a unit struct of its name.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;

use super::model::{Declaration, Owner};
use crate::{
    options::{
        backend::Backend, cookie::CookieOptions, owner::Limit, timeouts::Timeouts, verify::Verify, version::Version,
    },
    paths::{self, Runtime, SpanRange},
};

/// `impl SessionData`, and the two extractors of a snapshot.
pub(crate) fn expand(declaration: &Declaration, runtime: &Runtime) -> TokenStream {
    let session_data = session_data(declaration, runtime);
    let extractors = extractors(&declaration.ident, runtime);
    let owner = declaration.owner.iter().map(|owner| session_owner(&declaration.ident, owner, runtime));
    let bound = declaration.device_bound.iter().map(|device| device_bound(&declaration.ident, &device.path, runtime));
    let borrows = borrows(&declaration.ident, runtime);
    quote!(#session_data #extractors #borrows #(#owner)* #(#bound)*)
}

fn session_data(declaration: &Declaration, runtime: &Runtime) -> TokenStream {
    let Declaration {
        ident,
        backend,
        key,
        cookie,
        transports,
        trusted_origins,
        public_origin,
        timeouts: Timeouts { idle, lifetime, rotate_every },
        rejects,
        clear_site_data,
        missing,
        verify,
        on_end,
        validate,
        version,
        device_bound,
        encrypt,
        attributes,
        owner,
        limit: Limit { max, on_excess },
        name: stated,
        scheme: _,
    } = declaration;
    let (trait_, declared) = (runtime.session_data(), runtime.declaration());
    let (env, module_path) = (paths::env(), paths::module_path());
    let name = ident.unraw().to_string();

    let stated = stated.iter().map(|name| quote!(.name(#name)));
    let key = key.iter().map(|value| {
        let value = value.expand(runtime);
        quote!(.key(#value))
    });
    let attribute = runtime.cookie_attribute();
    let CookieOptions { attributes: cookie, domains } = cookie;
    let cookie = cookie.iter().map(|(option, value)| {
        let value = value.expand(runtime);
        let option = Ident::new(option.variant(), Span::mixed_site());
        quote!(.cookie(#attribute::#option, #value))
    });
    let domains = domains.iter().map(|domains| domains.expand(runtime));
    let transports = transports.iter().map(|transport| {
        let transport = transport.expand(runtime);
        quote!(.transport(#transport))
    });
    let trusted_origins = trusted_origins.iter().map(|value| {
        let value = value.expand(runtime);
        quote!(.trusted_origins(#value))
    });
    let public_origin = public_origin.iter().map(|value| {
        let value = value.expand(runtime);
        quote!(.public_origin(#value))
    });
    let idle = idle.iter().map(|value| {
        let value = value.expand(runtime);
        quote!(.idle(#value))
    });
    let lifetime = lifetime.iter().map(|value| {
        let value = value.expand(runtime);
        quote!(.lifetime(#value))
    });
    let rotate_every = rotate_every.iter().map(|value| {
        let value = value.expand(runtime);
        quote!(.rotate_every(#value))
    });
    let max = max.iter().map(|value| {
        let value = value.expand(runtime);
        quote!(.max_per_owner(#value))
    });
    let on_excess = on_excess.iter().map(|value| {
        let value = value.expand(runtime);
        quote!(.on_excess(#value))
    });
    let device_bound = device_bound.iter().map(|device| {
        let binding = device.expand(runtime);
        quote!(.device_bound(#binding))
    });
    let owner = owner.iter().map(|owner| expand_owner(owner, runtime));
    let missing = missing.iter().map(|missing| {
        let (answer, missing) = (runtime.missing(), missing.expand(None, runtime));
        quote!(fn missing() -> #answer { #missing })
    });

    let (debug, attributes) = (attributes.expand_debug(ident, runtime), attributes.expand(runtime));
    let verify = verify.iter().map(|verify| expand_verify(verify, runtime));
    let on_end = on_end.iter().map(|on_end| {
        let (option, hook, some) = (paths::option(), runtime.end_hook(), paths::some());
        let told = on_end.expand(runtime);
        quote_spanned!(Span::mixed_site()=> fn on_end() -> #option<#hook> { #some(#told) })
    });
    let validate = validate.iter().map(|validate| {
        let (result, invalid) = (paths::result(), runtime.invalid());
        let validity = validate.expand(&quote_spanned!(Span::mixed_site()=> self), runtime);
        quote_spanned!(Span::mixed_site()=> fn validate(&self) -> #result<(), #invalid> { #validity })
    });
    let migrate = version.iter().map(|version| expand_migrate(version, runtime));
    let assertion = version.iter().map(|version| version.expand_assertion(runtime));
    let flags = [("ENCRYPT", *encrypt), ("REJECTS", *rejects), ("CLEAR_SITE_DATA", *clear_site_data)];
    let flags = flags.into_iter().filter(|(_, on)| *on).map(|(name, _)| {
        let (name, bool) = (Ident::new(name, Span::mixed_site()), paths::bool());
        quote_spanned!(Span::mixed_site()=> const #name: #bool = true;)
    });

    let backend_type = backend.expand_type(runtime);
    let opening = opening(backend, runtime);
    let (lending, bool) = (runtime.lease_support(), paths::bool());

    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #trait_ for #ident {
            type Backend = #backend_type;
            #(#flags)*

            fn declaration() -> #declared {
                #declared::new(#name, #env!("CARGO_PKG_NAME"), #module_path!()) #(#stated)* #(#key)* #(#cookie)* #(#domains)* #(#transports)* #(#trusted_origins)* #(#public_origin)* #(#idle)* #(#lifetime)* #(#rotate_every)* #(#max)* #(#on_excess)* #(#device_bound)*
            }

            #opening

            fn lends() -> #bool {
                #lending::<#backend_type>::OF.implemented()
            }

            #(#owner)*
            #(#missing)*
            #(#migrate)*
            #(#validate)*
            #(#verify)*
            #(#on_end)*
            #attributes
        }

        #debug
        #(#assertion)*
    }
}

/// `fn open_backend`. It names the backend's type, not `Self::Backend`, which may be a variant of the user's.
fn opening(backend: &Backend, runtime: &Runtime) -> TokenStream {
    let ty = backend.expand_type(runtime);
    let (scope, result, error) = (runtime.scope(), paths::result(), runtime.open_error());
    let (set, config) = (runtime.set(), Ident::new("__config", Span::mixed_site()));
    let assignments: Vec<TokenStream> = backend
        .arguments()
        .map(|(argument, label, value)| {
            let value = value.expand(runtime);
            let place = SpanRange::of(argument);
            let held = place.put(quote!(&mut #config.));
            let set = place.put(quote!(#set(#held #argument, #label, #value)));
            quote_spanned!(Span::mixed_site()=> #set?;)
        })
        .collect();
    let body = if assignments.is_empty() {
        let open = runtime.open();
        quote_spanned!(Span::mixed_site()=> #open::<Self>(__scope).await)
    } else {
        let (open_backend, default, open_with) = (runtime.open_backend(), paths::default(), runtime.open_with());
        let arguments = backend.arguments().map(|(_, label, value)| {
            let value = value.expand(runtime);
            quote_spanned!(Span::mixed_site()=> (#label, #value))
        });
        quote_spanned! {Span::mixed_site()=>
            let mut #config = <<#ty as #open_backend>::Config as #default>::default();
            #(#assignments)*
            #open_with::<#ty>(#config, __scope, &[#(#arguments),*]).await
        }
    };
    quote_spanned! {Span::mixed_site()=>
        async fn open_backend(__scope: &#scope) -> #result<#ty, #error> {
            #body
        }
    }
}

/// Whose a session is, for the runtime.
fn expand_owner(Owner { member, ty: _, secret }: &Owner, runtime: &Runtime) -> TokenStream {
    let (bool, key, owner_key) = (paths::bool(), runtime.owner_json(), runtime.owner_key());
    let secret = secret.then(|| quote_spanned!(Span::mixed_site()=> const OWNER_IS_SECRET: #bool = true;));
    quote_spanned! {Span::mixed_site()=>
        const OWNED: #bool = true;
        #secret

        fn owner_key(data: &Self) -> #key {
            #owner_key(&data.#member)
        }
    }
}

/// Whose a session is, for the application.
fn session_owner(ident: &Ident, Owner { member: _, ty, secret: _ }: &Owner, runtime: &Runtime) -> TokenStream {
    let session_owner = runtime.session_owner();
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #session_owner for #ident {
            type Owner = #ty;
        }
    }
}

/// Where browsers register and prove the key of a device.
fn device_bound(ident: &Ident, path: &str, runtime: &Runtime) -> TokenStream {
    let (device_bound, str) = (runtime.device_bound(), paths::str());
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #device_bound for #ident {
            const DEVICE_PATH: &'static #str = #path;
        }
    }
}

fn expand_migrate(version: &Version, runtime: &Runtime) -> TokenStream {
    let Version { number, from: _ } = version;
    let (option, result, error) = (paths::option(), paths::result(), runtime.decode_error());
    let (u32, u8) = (paths::u32(), paths::u8());
    let [written, data] = ["__version", "__data"].map(|name| Ident::new(name, Span::mixed_site()).into_token_stream());
    let migrated = version.expand(&written, &data, runtime);
    quote_spanned! {Span::mixed_site()=>
        const VERSION: #u32 = #number;

        fn migrate(#written: #u32, #data: &[#u8]) -> #option<#result<Self, #error>> {
            #migrated
        }
    }
}

fn expand_verify(verify: &Verify, runtime: &Runtime) -> TokenStream {
    let (option, result, response) = (paths::option(), paths::result(), runtime.response());
    let bool = paths::bool();
    let (this, parts) = (quote_spanned!(Span::mixed_site()=> self), quote_spanned!(Span::mixed_site()=> __parts));
    let (parts_type, verdict) = (runtime.parts(), verify.expand(&this, &parts, runtime));
    quote_spanned! {Span::mixed_site()=>
        const VERIFIES: #bool = true;

        async fn verify(&self, __parts: &#parts_type) -> #result<(), #option<#response>> {
            #verdict
        }
    }
}

/// The extractors that need no attribute on the handler: a snapshot, read-only.
fn extractors(ident: &Ident, runtime: &Runtime) -> TokenStream {
    let (has_sessions, parts, rejection) = (runtime.has_sessions(), runtime.parts(), runtime.rejection());
    let (required, optional) = (runtime.from_request_parts(), runtime.optional_from_request_parts());
    let (snapshot, snapshot_optional) = (runtime.snapshot(), runtime.snapshot_optional());
    let (option, result, send, sync) = (paths::option(), paths::result(), paths::send(), paths::sync());
    let (future, state) = (paths::future(), Ident::new("__State", Span::mixed_site()));

    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl<#state> #required<#state> for #ident
        where
            #state: #has_sessions<#ident> + #send + #sync,
        {
            type Rejection = #rejection;

            fn from_request_parts(
                __parts: &mut #parts,
                __state: &#state,
            ) -> impl #future<Output = #result<Self, #rejection>> + #send {
                #snapshot::<#ident, #state>(__parts, __state)
            }
        }

        #[automatically_derived]
        impl<#state> #optional<#state> for #ident
        where
            #state: #has_sessions<#ident> + #send + #sync,
        {
            type Rejection = #rejection;

            fn from_request_parts(
                __parts: &mut #parts,
                __state: &#state,
            ) -> impl #future<Output = #result<#option<Self>, #rejection>> + #send {
                #snapshot_optional::<#ident, #state>(__parts, __state)
            }
        }
    }
}

/// What tells of a borrow in a handler without `#[session]`. Only the user's crate can implement a trait of axum's for it.
///
/// The state that it asks for is found by a function's parameter: where the compiler has taken another one for the
/// router's, it tells of that, and of no other condition.
fn borrows(ident: &Ident, runtime: &Runtime) -> TokenStream {
    let (state, never, infallible) = (runtime.without_attribute(), runtime.never(), runtime.infallible());
    let (required, optional) = (runtime.from_request_parts(), runtime.optional_from_request_parts());
    let (option, result, send, sync) = (paths::option(), paths::result(), paths::send(), paths::sync());
    let (future, fn_once, parts) = (paths::future(), paths::fn_once(), runtime.parts());
    let mutability = [None, Some(quote_spanned!(Span::mixed_site()=> mut))];
    let forms = mutability.iter().map(|mutability| {
        quote_spanned! {Span::mixed_site()=>
            #[automatically_derived]
            #[diagnostic::do_not_recommend]
            impl<'__a, __S: #send + #sync> #required<__S> for &'__a #mutability #ident
            where
                fn(#state<&'__a #mutability #ident>): #fn_once(__S),
            {
                type Rejection = #infallible;

                fn from_request_parts(
                    _: &mut #parts,
                    _: &__S,
                ) -> impl #future<Output = #result<Self, #infallible>> + #send {
                    #never()
                }
            }

            #[automatically_derived]
            #[diagnostic::do_not_recommend]
            impl<'__a, __S: #send + #sync> #optional<__S> for &'__a #mutability #ident
            where
                fn(#state<&'__a #mutability #ident>): #fn_once(__S),
            {
                type Rejection = #infallible;

                fn from_request_parts(
                    _: &mut #parts,
                    _: &__S,
                ) -> impl #future<Output = #result<#option<Self>, #infallible>> + #send {
                    #never()
                }
            }
        }
    });
    quote_spanned!(Span::mixed_site()=> #(#forms)*)
}
