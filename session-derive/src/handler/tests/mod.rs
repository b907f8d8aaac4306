mod expansion;

use proc_macro2::TokenStream;
use quote::quote;

use super::wrap_with;
use crate::testing::{assert_refused, messages, places, snapshot};

/// What the macro writes without the feature `utoipa`.
fn wrap(options: TokenStream, item: &TokenStream) -> TokenStream {
    wrap_with(options, item, false)
}

/// The errors of a handler under these options.
macro_rules! refused {
    ([$($options:tt)*] $($item:tt)*) => {
        messages(&wrap(quote! { $($options)* }, &quote! { $($item)* }))
    };
}

fn expansion(options: TokenStream, item: &TokenStream) -> TokenStream {
    let expansion = wrap(options, item);
    assert_eq!(messages(&expansion), Vec::<String>::new());
    expansion
}

#[test]
fn after_a_mistake_the_function_stays_in_a_stub() {
    snapshot(
        "handler/fallback",
        wrap(
            quote!(protectd),
            &quote! {
                /// Counts a visit.
                #[instrument]
                pub async fn visit<T: Clone>(user: &mut User) -> String { user.visit() }
            },
        ),
    );
}

#[test]
fn a_handler_says_which_requests_are_allowed() {
    assert_refused(&refused!([] async fn f(u: &User) {}), &["say which requests are allowed"]);
    assert_refused(&refused!([wait = "2s"] async fn f(u: &User) {}), &["say which requests are allowed"]);
    assert_refused(
        &refused!([protected, optional] async fn f(u: &User) {}),
        &["`protected` alone is for every session"],
    );
    assert_refused(
        &refused!([protected(User), optional(User)] async fn f(u: &User) {}),
        &["is named twice", "is first named"],
    );
    assert_refused(&refused!([protected, protected] async fn f(u: &User) {}), &["given twice", "first given here"]);
    assert_refused(&refused!([protected()] async fn f(u: &User) {}), &["`protected` takes nothing, or session types"]);
    assert_refused(
        &refused!([protected = User] async fn f(u: &User) {}),
        &["`protected` takes nothing, or session types"],
    );
    assert_refused(&refused!([protected(&User)] async fn f(u: &User) {}), &["`protected(User)`"]);
    assert_refused(&refused!([protectd] async fn f(u: &User) {}), &["did you mean `protected`?"]);
}

#[test]
fn the_parameter_agrees_with_the_word() {
    assert_refused(&refused!([protected] async fn f(u: Option<&User>) {}), &["write `&User`, or `optional`"]);
    assert_refused(&refused!([protected] async fn f(u: Option<&mut User>) {}), &["write `&mut User`, or `optional`"]);
    assert_refused(
        &refused!([protected] async fn f(u: Option<Session<User>>) {}),
        &["write `Session<User>`, or `optional`"],
    );
    assert_refused(&refused!([optional] async fn f(u: &User) {}), &["write `Option<&User>`, or `protected`"]);
    assert_refused(&refused!([optional] async fn f(u: &mut User) {}), &["write `Option<&mut User>`, or `protected`"]);
    assert_refused(
        &refused!([optional] async fn f(u: Session<User>) {}),
        &["write `Option<Session<User>>`, or `protected`"],
    );
    assert_refused(
        &refused!([protected] async fn f(u: SessionSlot<User>) {}),
        &["write `optional`, or take `Session<User>`"],
    );
    assert_refused(&refused!([or_default] async fn f(u: Option<&Cart>) {}), &["write `&Cart`, or `optional`"]);
    assert_refused(&refused!([or_default] async fn f(u: Session<Cart>) {}), &["write `&Cart` or `&mut Cart`"]);
    assert_refused(&refused!([or_default] async fn f(u: SessionSlot<Cart>) {}), &["write `optional`"]);
}

#[test]
fn a_parameter_of_the_wrong_form_is_told_the_right_one() {
    assert_refused(&refused!([protected] async fn f(u: &Session<User>) {}), &["write `Session<User>`"]);
    assert_refused(&refused!([protected] async fn f(u: &mut Session<User>) {}), &["write `Session<User>`"]);
    assert_refused(&refused!([optional] async fn f(u: Option<&Session<User>>) {}), &["write `Option<Session<User>>`"]);
    assert_refused(&refused!([optional] async fn f(u: &mut SessionSlot<User>) {}), &["write `SessionSlot<User>`"]);
    assert_refused(&refused!([optional] async fn f(u: Option<SessionSlot<User>>) {}), &["write `SessionSlot<User>`"]);
    assert_refused(&refused!([optional] async fn f(u: &Option<User>) {}), &["write `Option<&User>`"]);
    assert_refused(&refused!([optional] async fn f(u: &mut Option<User>) {}), &["write `Option<&mut User>`"]);
    assert_refused(&refused!([protected] async fn f(u: &'static User) {}), &["write `&User`"]);
    assert_refused(&refused!([protected] async fn f(u: &[u8]) {}), &["take anything else by value"]);
}

#[test]
fn a_session_by_value_is_told_to_borrow() {
    let expected = ["write `&User` to read it, `&mut User` to change it, or `Session<User>` to rotate or end it"];
    assert_refused(&refused!([protected] async fn f(u: User) {}), &expected);
    assert_refused(&refused!([protected(User)] async fn f(h: HeaderMap, u: User) {}), &expected);
    assert_refused(
        &refused!([optional] async fn f(u: Option<User>) {}),
        &["write `Option<&User>` or `Option<&mut User>`"],
    );
    assert_refused(&refused!([protected] async fn f(a: &User, b: User) {}), &["is taken already"]);
    // Left over from tower-sessions, or the type is forgotten.
    assert_refused(&refused!([optional] async fn f(s: Session) {}), &["write `Session<User>`, with your type"]);
    assert_refused(
        &refused!([optional] async fn f(s: Session) {}),
        &["A type of your own of that name is lent as `&Session`"],
    );
    assert_refused(&refused!([optional] async fn f(s: SessionSlot) {}), &["write `SessionSlot<User>`, with your type"]);
}

#[test]
fn a_handler_takes_each_session_once_and_at_least_one() {
    assert_refused(&refused!([protected] async fn f() {}), &["takes no session"]);
    assert_refused(&refused!([protected] async fn f(Form(f): Form<Login>, b: Bytes) {}), &["takes no session"]);
    assert_refused(
        &refused!([protected] async fn f(a: &User, b: &mut User) {}),
        &["is taken twice", "is first taken here"],
    );
    assert_refused(&refused!([protected(User)] async fn f(a: &User, b: &Cart) {}), &["add `protected(Cart)`"]);
    assert_refused(&refused!([optional(Cart)] async fn f(h: HeaderMap) {}), &["no parameter takes `Cart`"]);
    assert_refused(
        &refused!([protected(E)] async fn f(a: &A, b: &B, c: &C, d: &D) {}),
        &["`A` is not named", "`B` is not named", "`C` is not named", "`D` is not named", "at most 4 session types"],
    );
}

#[test]
fn a_guard_looks_at_one_session() {
    assert_refused(&refused!([optional, guard = g] async fn f(u: Option<&User>) {}), &["add `protected`"]);
    assert_refused(
        &refused!([protected, guard = g] async fn f(u: &User, c: &Cart) {}),
        &[
            "this guard may be for `User` and `Cart`; name the one it checks in `protected(..)`, as in `protected(User)`",
        ],
    );
    assert_refused(&refused!([protected, guard = is_root(5)] async fn f(u: &User) {}), &["write `guard = is_root`"]);
    assert_refused(&refused!([protected, guard = true] async fn f(u: &User) {}), &["`guard` takes a closure"]);
    assert_refused(
        &refused!([protected, guard = async |u| true] async fn f(u: &User) {}),
        &["write it as one and name it"],
    );
    assert_refused(
        &refused!([protected, guard = |a, b, c| true, wait = 5] async fn f(u: &mut User) {}),
        &["`wait` takes", "or `|user, device| ...`"],
    );
    assert_refused(&refused!([protected, guard] async fn f(u: &User) {}), &["`guard` takes a closure"]);
    assert_refused(
        &refused!([protected, guard = Self::is_root, missing = Self::sorry] async fn f(u: &User) {}),
        &["write the type's name", "write the type's name"],
    );
    assert_refused(
        &refused!([protected, guard = |user| Self::is_root(user)] async fn f(u: &User) {}),
        &["write the type's name"],
    );
    let feature: &[&str] =
        if cfg!(feature = "device-bound") { &[] } else { &["needs the cargo feature `device-bound`"] };
    assert_refused(&refused!([protected, guard = |user, device| true] async fn f(u: &User) {}), feature);
    assert_refused(&refused!([protected, device = "1m"] async fn f(u: &User) {}), feature);
    assert_refused(&refused!([protected, gaurd = |a, b| a] async fn f(u: &User) {}), &["did you mean `guard`?"]);
}

#[test]
fn an_async_guard_and_a_missing_handler_take_the_state() {
    snapshot(
        "handler/async_guard",
        expansion(
            quote!(protected, guard = async guards::may_enter, missing = crate::sorry, state = Pool),
            &quote!(
                async fn report(user: &mut User) -> String {
                    user.name.clone()
                }
            ),
        ),
    );
    assert_refused(&refused!([protected, guard = async g] async fn f(u: &User) {}), &[]);
    assert_refused(&refused!([protected, guard = async g(5)] async fn f(u: &User) {}), &["write `guard = async g`"]);
    assert_refused(
        &refused!([protected, guard = async true] async fn f(u: &User) {}),
        &["write it as one and name it"],
    );
    assert_refused(&refused!([protected, guard = async move |u| true] async fn f(u: &User) {}), &["write it as one"]);
    assert_refused(&refused!([protected, missing = m, state = App] async fn f(u: &User) {}), &[]);
    assert_refused(&refused!([protected, state = App] async fn f(u: &User) {}), &["remove `state`"]);
    assert_refused(&refused!([protected, guard = g, state = App] async fn f(u: &User) {}), &["remove `state`"]);
    assert_refused(&refused!([protected, missing = status(404), state = App] async fn f(u: &User) {}), &["remove"]);
    assert_refused(&refused!([protected, state] async fn f(u: &User) {}), &["write `state = App`"]);
    assert_refused(&refused!([protected, state = 5] async fn f(u: &User) {}), &["write `state = App`"]);
}

#[test]
fn a_signature_that_another_macro_reads_names_its_types_plainly() {
    for attribute in [
        quote!(#[axum::debug_handler]),
        quote!(#[utoipa::path(get, path = "/")]),
        quote!(#[cfg_attr(feature = "docs", utoipa::path(get, path = "/"))]),
    ] {
        let expansion = wrap(quote!(protected, fresh = "10m"), &quote! { #attribute async fn f(u: &User) {} });
        let text = expansion.to_string().replace(' ', "");
        assert!(!text.contains("State<impl::") && !text.contains("Keyed<"), "{text}");
    }
    let expansion = wrap(quote!(protected), &quote! { #[cfg_attr(x, allow(unused))] async fn f(u: &User) {} });
    assert!(expansion.to_string().replace(' ', "").contains("State<impl::"), "{expansion}");
}

#[test]
fn options_without_effect_are_refused() {
    assert_refused(
        &refused!([optional, missing = status(404)] async fn f(u: Option<&User>) {}),
        &["never sends this response"],
    );
    assert_refused(&refused!([protected, wait = "2s"] async fn f(u: &User) {}), &["`wait` is for `&mut` borrows"]);
    assert_refused(&refused!([protected, wait = env("WAIT")] async fn f(u: &mut User) {}), &["no variable can give"]);
    assert_refused(&refused!([protected, wait = "2 sex"] async fn f(u: &mut User) {}), &["is not a duration"]);
}

#[test]
fn only_a_change_is_saved_always() {
    assert_refused(&refused!([protected, save = always] async fn f(u: &mut User) {}), &[]);
    assert_refused(&refused!([protected, save = always] async fn f(u: &User) {}), &["take the session by `&mut`"]);
    assert_refused(&refused!([protected, save = never] async fn f(u: &mut User) {}), &["is borrowed by `&`"]);
    assert_refused(&refused!([protected, save] async fn f(u: &mut User) {}), &["write `save = always`"]);
    assert_refused(&refused!([protected, save = alway] async fn f(u: &mut User) {}), &["did you mean `always`?"]);
}

#[test]
fn a_function_that_axum_cannot_call_is_refused() {
    assert_refused(&refused!([protected] fn f(u: &User) {}), &["write `async fn f`"]);
    assert_refused(&refused!([protected] async fn f(&self, u: &User) {}), &["a free function"]);
    assert_refused(&refused!([protected] async unsafe fn f(u: &User) {}), &["remove `unsafe`"]);
    assert_refused(&refused!([protected] async extern "C" fn f(u: &User) {}), &["remove `extern`"]);
    assert_refused(
        &refused!([protected] async unsafe extern "C" fn f(u: &User, ...) {}),
        &["`unsafe`", "`extern`", "`...`"],
    );
    assert_refused(&refused!([protected] async fn f(u: &User);), &["a handler has a body"]);
    assert_refused(
        &refused!([protected] #[session(optional)] async fn f(u: &User) {}),
        &["`#[session]` is given twice"],
    );
    assert_refused(&refused!([protected] async fn f(#[cfg(x)] u: &User) {}), &["two versions of the handler"]);
}

#[test]
fn another_item_is_left_as_it_is() {
    let item = quote! { #[derive(Clone, SessionData)] struct User { name: String } };
    let expansion = wrap(quote!(idle = "30m"), &item);
    assert_refused(&messages(&expansion), &["put it below the derive"]);
    assert!(expansion.to_string().ends_with(&item.to_string()));
    assert_refused(&refused!([idle = "30m"] pub struct User;), &["derive `SessionData`"]);
    assert_refused(
        &refused!([protected] impl User { async fn f(u: &User) {} }),
        &["each async function of the `impl`"],
    );
    assert_refused(&refused!([protected] pub mod handlers { fn f() {} }), &["mark each async function"]);
    assert_refused(&refused!([protected] const N: usize = 5;), &["an async function"]);
    assert_refused(&refused!([protected] extern crate core;), &["an async function"]);
}

#[test]
fn the_body_is_never_read() {
    let expansion = wrap(quote!(protected), &quote! { async fn f(u: &User) -> u8 { this is no Rust @ 5 } });
    assert!(expansion.to_string().contains("this is no Rust @ 5") && !expansion.to_string().contains("compile_error"));
}

#[test]
fn an_editor_finds_the_users_function_and_its_names_where_they_were_written() {
    let written = "pub async fn visit(user: &mut User, Form(form): Form<Login>) -> Result<String, Refused> {
        user.visits += form.times;
        Ok(user.visits.to_string())
    }";
    let item: TokenStream = written.parse().unwrap();
    let words = places(item.clone());
    let function = words.iter().position(|(word, ..)| word == "fn").unwrap();
    for options in [quote!(protected, wait = "2s"), quote!(optional)] {
        let expansion = places(wrap(options, &item));
        let found: Vec<_> = expansion.into_iter().filter(|word| words.contains(word)).collect();
        let own = (0..found.len()).find(|from| found[*from..].starts_with(&words[function..]));
        let own = own.expect("the function is there as it was written");
        // What is told of a name's first place in the expansion is what the editor shows.
        for name in ["user", "form", "visits", "times", "to_string"] {
            assert!(found.iter().position(|(word, ..)| word == name) > Some(own), "`{name}` is first met elsewhere");
        }
    }
}

#[test]
fn requests_of_other_sites_are_let_in_by_one_word() {
    assert_refused(&refused!([protected, csrf = off] async fn f(u: &User) {}), &[]);
    assert_refused(&refused!([protected, csrf = on] async fn f(u: &User) {}), &["remove `csrf = on`"]);
    for value in [quote!(false), quote!("off"), quote!(0)] {
        let expansion = wrap(quote!(protected, csrf = #value), &quote! { async fn f(u: &User) {} });
        assert_refused(&messages(&expansion), &["`csrf` takes `off`; write `csrf = off`"]);
    }
    assert_refused(
        &refused!([or_default, csrf = off] async fn f(c: &mut Cart) {}),
        &["write `optional` with `Option<&mut Cart>`"],
    );
    assert_refused(
        &refused!([protected(User), or_default(Cart), csrf = off] async fn f(u: &mut User, c: &mut Cart) {}),
        &["replace the visitor's `Cart`"],
    );
    assert_refused(&refused!([or_default, csrf = off] async fn f(c: &Cart) {}), &[]);
    assert_refused(&refused!([protected, csrf] async fn f(u: &User) {}), &["write `csrf = off`"]);
}

#[test]
fn a_request_is_no_use_by_one_word() {
    assert_refused(&refused!([protected, touch = off] async fn f(u: &User) {}), &[]);
    assert_refused(&refused!([optional, touch = off] async fn f(s: SessionSlot<User>) {}), &[]);
    assert_refused(&refused!([protected(User), touch = off] async fn f() {}), &[]);
    assert_refused(&refused!([protected, touch = on] async fn f(u: &User) {}), &["remove `touch = on`"]);
    for value in [quote!(false), quote!("off"), quote!(0)] {
        let expansion = wrap(quote!(protected, touch = #value), &quote! { async fn f(u: &User) {} });
        assert_refused(&messages(&expansion), &["`touch` takes `off`; write `touch = off`"]);
    }
    assert_refused(&refused!([protected, touch = off] async fn f(u: &mut User) {}), &["or take `&User`"]);
    assert_refused(
        &refused!([protected(User), or_default(Cart), touch = off] async fn f(u: &User, c: &mut Cart) {}),
        &["or take `&Cart`"],
    );
}

#[test]
fn a_middleware_has_next_as_its_last_parameter() {
    assert_refused(&refused!([protected] async fn f(u: &mut User, request: Request, next: Next) -> Response {}), &[]);
    assert_refused(&refused!([protected(User)] async fn f(request: Request, next: middleware::Next) {}), &[]);
    assert_refused(
        &refused!([protected] async fn f(u: &User, next: Next, request: Request) {}),
        &["`Next` is the last parameter of a middleware"],
    );
    assert_refused(
        &refused!([protected] async fn f(request: Request, next: Next) {}),
        &["this handler takes no session"],
    );
    // Another type of that name has parameters of its own.
    assert_refused(&refused!([protected] async fn f(u: &User, next: Next<u32>, request: Request) {}), &[]);
}
