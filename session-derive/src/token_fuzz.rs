//! Nothing that a user can type makes a macro panic, and what it writes is Rust.

use proc_macro2::{Group, TokenStream, TokenTree};
use proptest::{collection::vec, prelude::*, sample::select};
use quote::quote;

use crate::{data, handler};

/// Words and signs that the attributes, and Rust around them, are made of.
const TOKENS: &str = r##"
    protected optional or_default guard missing wait crate backend key cookie idle lifetime name path domain same_site
    owner privilege flash secret rotate_every fresh max_per_owner on_excess end_oldest
    transport bearer header trusted_origins public_origin invalid anonymous reject clear_site_data csrf off on
    verify on_end validate version from encrypt file sqlite postgres mysql dir durable table
    secure env default memory redis capacity url status redirect Lax None User Cart Session SessionSlot Option T r#type
    self _ async fn pub struct enum union impl mod unsafe extern const where mut dyn move derive SessionData session cfg
    doc = , , , , : :: ; & < > | -> => == ! # ... . - ? 'a 'static "30m" "" "/login" "__Host-user" "a\0b=" c"x" b"x"
    b'x' 'x' 401 99999999999999999999999 0x_u8 1.5 true false
"##;

/// A tree of tokens.
fn soup() -> impl Strategy<Value = TokenStream> {
    let leaf =
        select(TOKENS.split_whitespace().collect::<Vec<_>>()).prop_map(|token| token.parse().unwrap_or_default());
    leaf.prop_recursive(4, 48, 8, |inner| {
        let delimiters = select(vec!["()", "[]", "{}", ""]);
        (vec(inner, 0..8), delimiters).prop_map(|(streams, delimiters)| {
            let content: TokenStream = streams.into_iter().collect();
            let delimiter = match delimiters {
                "()" => proc_macro2::Delimiter::Parenthesis,
                "[]" => proc_macro2::Delimiter::Bracket,
                "{}" => proc_macro2::Delimiter::Brace,
                _ => proc_macro2::Delimiter::None,
            };
            TokenTree::Group(Group::new(delimiter, content)).into()
        })
    })
}

/// Correct uses, to be broken.
fn uses() -> Vec<(TokenStream, TokenStream)> {
    vec![
        (
            quote!(
                protected(User),
                or_default(Cart),
                guard = |u| u.a || b(u),
                missing = redirect("/login"),
                wait = "2s"
            ),
            quote! {
                #[doc = "x"]
                pub async fn f<'a, T: Clone, const N: usize>(mut user: &'a mut User, cart: &Cart, Form(x): Form<T>) -> Result<(), T>
                where T: Send { body() }
            },
        ),
        (
            quote!(optional),
            quote!(
                async fn f(a: Option<&User>, b: SessionSlot<Cart>, c: Option<Session<Seat>>) {}
            ),
        ),
        (
            quote!(
                backend = redis(url = env("REDIS_URL", default = "x"), prefix = "y"),
                key = env("K"),
                idle = "30m",
                cookie(name = "__Host-user", same_site = Lax, secure, persistent = env("P")),
                lifetime = "12h",
                max_per_owner = 5,
                on_excess = refuse,
                missing = status(403),
                crate = a::b
            ),
            quote!(
                struct User {
                    #[serde(skip)]
                    name: String,
                    #[session(owner, privilege)]
                    #[session(secret)]
                    id: u64,
                    #[session(flash)]
                    visits: Vec<u32>,
                }
            ),
        ),
        (
            quote!(
                verify = accounts::is_active,
                validate = rules::check,
                version = 2,
                from = UserV1,
                encrypt,
                backend = file(dir = "x", durable),
                key = env("K")
            ),
            quote!(
                struct User(UserV1);
            ),
        ),
        (
            quote!(backend = crate::Store<u8>(dir = "x"), key = env("K")),
            quote!(
                pub enum User {
                    A(u8),
                    B { c: u8 },
                }
            ),
        ),
    ]
}

/// The tokens with one of them, at any depth, dropped, doubled or replaced.
fn mutate(tokens: TokenStream, at: &mut usize, change: u8, other: &TokenStream) -> TokenStream {
    let mut out = TokenStream::new();
    for token in tokens {
        let here = *at == 0;
        *at = at.wrapping_sub(1);
        let token = match token {
            TokenTree::Group(group) => {
                let mut changed = Group::new(group.delimiter(), mutate(group.stream(), at, change, other));
                changed.set_span(group.span());
                TokenTree::Group(changed)
            }
            token => token,
        };
        match change % 4 {
            0 if here => {}
            1 if here => out.extend([token.clone(), token]),
            2 if here => out.extend(other.clone()),
            3 if here => out.extend(other.clone().into_iter().chain([token])),
            _ => out.extend([token]),
        }
    }
    out
}

/// Runs every entry point. What comes out parses, unless the item that went in was handed back and didn't.
fn survives(options: &TokenStream, item: &TokenStream) -> Result<(), TestCaseError> {
    let was_rust = syn::parse2::<syn::File>(item.clone()).is_ok();
    let written = handler::wrap(options.clone(), item);
    prop_assert!(!was_rust || syn::parse2::<syn::File>(written.clone()).is_ok(), "{written}");
    let written = data::derive(quote!(#[session(#options)] #item));
    prop_assert!(syn::parse2::<syn::File>(written.clone()).is_ok(), "{written}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_options_on_a_correct_item(options in vec(soup(), 0..10), which in 0..5_usize) {
        survives(&options.into_iter().collect(), &uses().swap_remove(which).1)?;
    }

    #[test]
    fn any_item_under_correct_options(item in vec(soup(), 0..16), which in 0..5_usize) {
        survives(&uses().swap_remove(which).0, &item.into_iter().collect())?;
    }

    #[test]
    fn a_correct_use_with_a_few_tokens_changed(
        which in 0..5_usize,
        changes in vec((0..80_usize, any::<u8>(), soup(), any::<bool>()), 1..4),
    ) {
        let (mut options, mut item) = uses().swap_remove(which);
        for (mut at, change, other, of_item) in changes {
            let part = if of_item { &mut item } else { &mut options };
            *part = mutate(std::mem::take(part), &mut at, change, &other);
        }
        survives(&options, &item)?;
    }
}
