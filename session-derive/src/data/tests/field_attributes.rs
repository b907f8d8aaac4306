//! Options of fields, and what goes with an owner.

use super::*;

#[test]
fn an_owner_is_one_field() {
    snapshot(
        "data/owner",
        derive(quote! {
            #[session(max_per_owner = 5, on_excess = refuse)]
            struct User(String, #[session(owner)] accounts::Id);
        }),
    );
    let refused = |input| messages(&derive(input));
    assert_refused(
        &refused(quote!(
            struct User {
                #[session(owner)]
                id: u64,
                #[session(owner)]
                name: String,
            }
        )),
        &["a session has one owner", "`owner` is first given here"],
    );
    assert_refused(
        &refused(quote!(
            struct User {
                #[serde(default, skip)]
                #[session(owner)]
                id: u64,
            }
        )),
        &["remove the field's `#[serde(skip)]`"],
    );
    assert_refused(
        &refused(quote!(
            #[session(backend = cookie, key = env("K"))]
            struct User {
                #[session(owner)]
                id: u64,
            }
        )),
        &["`backend = cookie` stores nothing on the server", "the backend is chosen here"],
    );
}

#[test]
fn a_limit_of_sessions_needs_an_owner() {
    let refused = |options| {
        messages(&derive(quote! {
            #[session(#options)]
            struct User { #[session(owner)] id: u64 }
        }))
    };
    assert_refused(&refused(quote!(max_per_owner = 5)), &[]);
    assert_refused(&refused(quote!(max_per_owner = env("MAX", default = 5), on_excess = env("EXCESS"))), &[]);
    assert_refused(
        &refused(quote!(max_per_owner = 0)),
        &["a limit of 0 would refuse every login; write `max_per_owner = 5`"],
    );
    assert_refused(
        &refused(quote!(max_per_owner = env("MAX", default = 0))),
        &["a limit of 0 would refuse every login"],
    );
    assert_refused(&refused(quote!(max_per_owner = 99999999999)), &["an owner has at most 10000 sessions"]);
    assert_refused(&refused(quote!(max_per_owner = 10_000)), &[]);
    assert_refused(&refused(quote!(max_per_owner = "many")), &["`max_per_owner` takes a whole number"]);
    assert_refused(&refused(quote!(on_excess = refuse)), &["add `max_per_owner = 5`"]);
    assert_refused(
        &refused(quote!(max_per_owner = 5, on_excess = end_oldst)),
        &["`end_oldst` is not a value of `on_excess`; did you mean `end_oldest`?"],
    );
    assert_refused(&refused!(max_per_owner = 5), &["put `#[session(owner)]` on the field"]);
}

#[test]
fn a_field_has_options_of_its_own() {
    let refused = |field| messages(&derive(quote! { struct User { #field } }));
    assert_refused(
        &refused(quote!(#[session(ownr)] id: u64)),
        &["unknown option of a field `ownr`; did you mean `owner`?"],
    );
    assert_refused(
        &refused(quote!(#[session(idle = "30m")] id: u64)),
        &["expected `owner`, `privilege`, `flash` or `secret`"],
    );
    assert_refused(&refused(quote!(#[session] id: u64)), &["write `#[session(owner)]` or remove it"]);
    assert_refused(&refused(quote!(#[session = owner] id: u64)), &["in parentheses; write `#[session(owner)]`"]);
    assert_refused(&refused(quote!(#[session(owner = true)] id: u64)), &["`owner` takes no value; write `owner`"]);
    assert_refused(
        &refused(quote!(#[session(secret)] #[session(secret)] id: u64)),
        &["`secret` is given twice", "`secret` is first given here"],
    );
    let of_a_variant = derive(quote! { enum User { Known { #[session(owner)] id: u64 }, Guest } });
    assert_refused(&messages(&of_a_variant), &["move it to a struct"]);
}

#[test]
fn marked_fields_are_known_to_the_runtime() {
    snapshot(
        "data/marked",
        derive(quote! {
            #[serde(rename_all = "camelCase")]
            #[session(rotate_every = env("RENEW_EVERY", default = "15m"))]
            struct User {
                user_name: String,
                #[session(privilege)]
                roles: Vec<Role>,
                #[session(privilege, secret)]
                api_token: String,
                #[session(flash)]
                notice: Option<String>,
                #[session(flash)]
                news: Vec<String>,
                #[serde(skip)]
                cached: u32,
                #[serde(with = "clock::seconds", skip_serializing_if = "clock::is_zero")]
                r#since: Duration,
                #[serde(flatten)]
                rest: Rest,
            }
        }),
    );
}

#[test]
fn marks_that_contradict_something_are_refused() {
    let refused = |input| messages(&derive(input));
    assert_refused(
        &refused(quote! { struct User { #[session(flash, privilege)] a: Vec<u8> } }),
        &["can't be `privilege` too"],
    );
    assert_refused(
        &refused(quote! {
            #[session(backend = cookie, key = env("K"), rotate_every = "15m")]
            struct User { #[session(privilege)] a: u8, #[session(flash)] b: Vec<u8>, #[session(secret)] c: u8 }
        }),
        &["an old privilege would stay in force", "could be read more than once", "rotating ids has no effect"],
    );
    assert_refused(&refused!(rotate_every = "59s"), &["write \"1m\" or longer"]);
    assert_refused(&refused!(rotate_every = "13h"), &["`lifetime` is 12h"]);
    assert_refused(&refused!(rotate_every = "13h", lifetime = env("LIFETIME")), &[]);
    assert_refused(&refused!(rotate_every = "often"), &["is not a duration"]);
    assert_refused(&refused!(rotate_every = env("EVERY")), &[]);
}
