use quote::quote;

use proc_macro2::TokenStream;

use super::derive_with;
use crate::testing::{assert_refused, messages, snapshot};

/// What the macro writes without the feature `utoipa`.
fn derive(input: TokenStream) -> TokenStream {
    derive_with(input, false)
}

/// The errors of a type with these options.
macro_rules! refused {
    ($($options:tt)*) => {
        messages(&derive(quote! { #[session($($options)*)] struct User { name: String } }))
    };
}

mod device_bound;
mod domains;
mod field_attributes;
mod origins;
mod redis;
mod transport;

#[test]
fn a_bare_type_gets_the_defaults() {
    snapshot("data/bare", derive(quote! { struct User { name: String } }));
}

#[test]
fn every_option_reaches_the_declaration() {
    snapshot(
        "data/every_option",
        derive(quote! {
            #[session(
                backend = memory(capacity = 10_000),
                key = env("SESSION_KEYS"),
                cookie(
                    name = "__Secure-user",
                    path = "/app",
                    domain = env("DOMAIN", default = "example.org"),
                    same_site = None,
                    secure,
                    http_only = true,
                    partitioned = env("PARTITIONED"),
                    persistent = env("PERSISTENT", default = false),
                    former_domain = "",
                    former_path = "/old",
                ),
                name = "shop-user",
                idle = "30m",
                lifetime = env("SESSION_LIFETIME", default = "12h"),
                transport = [bearer, header("X-Session"), cookie],
                trusted_origins = ["https://app.example", env("PARTNERS", default = "")],
                public_origin = env("PUBLIC_ORIGIN", default = "http://localhost:3000"),
                missing = redirect("/login"),
                invalid = reject,
                clear_site_data,
                crate = my::sessions,
            )]
            enum User { Guest, Named(String) }
        }),
    );
}

#[test]
fn with_descriptions_a_type_has_a_scheme_for_each_transport() {
    let described = |options: TokenStream| {
        let expansion = derive_with(
            quote!(
                #[session(#options)]
                struct AdminUser {
                    name: String,
                }
            ),
            true,
        )
        .to_string();
        let (_, rest) = expansion.split_once("SCHEMES").expect("the schemes are there");
        rest.split(['[', ']']).nth(3).expect("a list").replace(' ', "")
    };
    assert_eq!(described(quote!()), r#""admin-user""#);
    assert_eq!(described(quote!(transport = bearer)), r#""admin-user""#);
    let several = described(quote!(transport = [cookie, bearer, header("X-Admin")]));
    assert_eq!(several, r#""admin-user-cookie","admin-user-bearer","admin-user-x-admin""#);
}

#[test]
fn an_own_backend_is_a_path_with_arguments_of_its_own() {
    snapshot(
        "data/own_backend",
        derive(quote! {
            #[session(backend = crate::Store<u8>(dir = "/tmp", sync = true, size = env("SIZE", default = 5)), key = env("K"))]
            #[session(missing = self::anonymous)]
            struct User;
        }),
    );
}

#[test]
#[cfg(feature = "redis")]
fn redis_is_a_type_of_the_runtime() {
    snapshot(
        "data/redis",
        derive(quote! {
            #[session(backend = redis(url = env("REDIS_URL"), prefix = "shop"), key = env("K"), missing = status(403))]
            struct r#User;
        }),
    );
}

/// With the feature the use is correct; without it the refusal says what to run.
fn needs(feature: &str, enabled: bool, found: &[String]) {
    let command = format!("run `cargo add session-runtime --features {feature}`");
    if enabled { assert_refused(found, &[]) } else { assert_refused(found, &[&command]) }
}

#[test]
fn what_needs_a_feature_that_is_off_names_the_command_to_run() {
    macro_rules! needs {
        ($feature:literal: $($options:tt)*) => {
            needs($feature, cfg!(feature = $feature), &refused!($($options)*));
        };
    }
    needs!("redis": backend = redis(url = env("REDIS_URL"), prefix = "shop"), key = env("K"));
    needs!("file": backend = file(dir = "/tmp", durable), key = env("K"));
    needs!("sqlite": backend = sqlite(path = "sessions.db", table = "s"), key = env("K"));
    needs!("postgres": backend = postgres(url = env("DATABASE_URL"), table = env("T")), key = env("K"));
    needs!("mysql": backend = mysql(url = env("DATABASE_URL")), key = env("K"));
    needs!("encrypt": encrypt);
    needs!("garde": validate);
    needs!("utoipa": scheme = "user");
}

#[test]
#[cfg(all(feature = "encrypt", feature = "file", feature = "garde"))]
fn data_that_lives_longer_than_code() {
    snapshot(
        "data/long_lived",
        derive(quote! {
            #[session(
                backend = file(dir = env("SESSIONS"), durable = true),
                key = env("K"),
                verify = accounts::is_active,
                on_end = accounts::ended,
                validate,
                version = 3,
                from = history::UserV2,
                encrypt,
            )]
            struct User { name: String }
        }),
    );
}

#[test]
fn after_a_mistake_a_stub_stands_in() {
    snapshot("data/fallback", derive(quote! { #[session(idel = "30m", crate = sessions)] struct User; }));
}

#[test]
fn a_type_that_serde_cannot_read_has_no_stub() {
    for input in [
        quote!(union U { a: u8 }),
        quote!(
            struct U<T>(T);
        ),
        quote!(
            struct U(&'static str);
        ),
    ] {
        assert!(!derive(input).to_string().contains("impl"));
    }
}

#[test]
fn an_unknown_option_is_answered_with_the_table() {
    assert_refused(&refused!(idel = "30m"), &["unknown option `idel`; did you mean `idle`?"]);
    assert_refused(
        &refused!(csrf = off),
        &[concat!(
            "expected `backend`, `key`, `cookie`, `transport`, `trusted_origins`, `public_origin`, `idle`, `lifetime`, \
             `rotate_every`, ",
            "`missing`, `invalid`, `clear_site_data`, `verify`, `on_end`, `validate`, `version`, `from`, `device_bound`, ",
            "`encrypt`, ",
            "`max_per_owner`, `on_excess`, `name`, `scheme` or `crate`"
        )],
    );
    assert_refused(&refused!(cookie(nam = "x")), &["unknown attribute of the cookie `nam`; did you mean `name`?"]);
    assert_refused(&refused!(backend = memory(capcity = 5)), &["did you mean `capacity`?"]);
    assert_refused(&refused!(backend = memroy), &["unknown backend `memroy`; did you mean `memory`?"]);
    assert_refused(&refused!(backend = mongo), &["as in `crate::Store`"]);
    assert_refused(&refused!(backend = cookie(size = 5), key = env("K")), &["no argument `size`; it takes none"]);
    assert_refused(&refused!(backend = cookie("a"), key = env("K")), &["this backend takes no arguments"]);
    assert_refused(&refused!(backend = memory("a")), &["by its name, as in `capacity = 10_000`"]);
    assert_refused(&refused!(backend = crate::Store("a"), key = env("K")), &["as in `name = env(\"VAR\")`"]);
    assert_refused(&refused!(backend = cookie), &["`key"]);
    assert_refused(&refused!(backend = postgress, key = env("K")), &["did you mean `postgres`?"]);
}

#[test]
fn a_duplicate_points_at_both_places() {
    let expected = ["`idle` is given twice", "`idle` is first given here"];
    assert_refused(&refused!(idle = "1m", idle = "2m"), &expected);
    let apart = derive(quote! { #[session(idle = "1m")] #[session(idle = "2m")] struct User; });
    assert_refused(&messages(&apart), &expected);
    assert_refused(&refused!(cookie(secure, secure)), &["`secure` is given twice", "`secure` is first given here"]);
    assert_refused(&refused!(backend = memory(capacity = 1, capacity = 2)), &["is given twice", "is first given here"]);
}

#[test]
fn every_mistake_is_reported_at_once() {
    assert_refused(
        &refused!(
            idle = 30,
            colour = red,
            lifetime = "soon",
            cookie(path = "/;", name = "u", same_site = Sometimes),
            key = "abc"
        ),
        &[
            "`idle` takes a string or `env(\"VAR\")`; write `idle = \"30m\"`",
            "unknown option `colour`",
            "a key in the source is not secret",
            "`Sometimes` is not a value of `same_site`",
            "percent-encode the others",
            "\"soon\" is not a duration",
        ],
    );
}

#[test]
fn values_of_the_wrong_kind_show_the_right_one() {
    assert_refused(&refused!(idle), &["write `idle = \"30m\"`"]);
    assert_refused(&refused!(idle =), &["write `idle = \"30m\"`"]);
    assert_refused(&refused!(idle = "30m" "1h"), &["write `idle = \"30m\"`"]);
    assert_refused(&refused!(idle = env!("IDLE")), &["without `!`"]);
    assert_refused(&refused!(idle = env(IDLE)), &["in quotes"]);
    assert_refused(&refused!(idle = env()), &["in quotes"]);
    assert_refused(&refused!(idle = env), &["write `env(\"VAR\")`"]);
    assert_refused(&refused!(idle = env("IDLE", "30m")), &["default = "]);
    assert_refused(&refused!(idle = envv("IDLE")), &["did you mean `env`?"]);
    assert_refused(&refused!(idle = env("A=B")), &["no environment variable"]);
    assert_refused(&refused!(cookie), &["write `cookie(name = "]);
    assert_refused(&refused!(cookie = "name"), &["write `cookie(name = "]);
    assert_refused(&refused!(cookie(secure = "yes")), &["write `secure = true`"]);
    assert_refused(&refused!(cookie(secure = env("SECURE", default = "yes"))), &["write `secure = true`"]);
    assert_refused(&refused!(backend = "memory"), &["a backend's name or the path of its type"]);
    assert_refused(&refused!(backend = memory(capacity = "many")), &["write `capacity = 10_000`"]);
    assert_refused(&refused!(backend = memory(capacity = 0)), &["holds no session"]);
    assert_refused(&refused!(backend = memory(capacity = -1)), &["`capacity` is a number of sessions"]);
    assert_refused(&refused!(backend = crate::Store(self = 5), key = env("K")), &["expected an argument"]);
    assert_refused(&refused!(crate = "sessions"), &["without quotes"]);
    assert_refused(&refused!(idle = "30m" lifetime = "1h"), &["a comma is missing before `lifetime`"]);
    assert_refused(&refused!(backend = memory(capacity = 5) encrypt), &["a comma is missing before `encrypt`"]);
    assert_refused(&refused!(cookie(secure = true persistent)), &["a comma is missing before `persistent`"]);
    assert_refused(&refused!(idle("30m")), &["write `idle = \"30m\"`"]);
    assert_refused(&refused!("30m"), &["expected an option"]);
    assert_refused(&refused!(idle = "30m"; lifetime = "1h"), &["write `idle = \"30m\"`"]);
}

#[test]
fn durations_are_read_and_compared() {
    assert_refused(&refused!(idle = "30 minuets"), &["\"30 minuets\" is not a duration"]);
    assert_refused(&refused!(idle = env("IDLE", default = "0s")), &["it is zero"]);
    assert_refused(&refused!(idle = "2d", lifetime = "1d"), &["longer than the lifetime"]);
    assert_refused(&refused!(idle = "13h"), &["longer than the lifetime (12h)"]);
    assert_refused(&refused!(lifetime = "401d"), &["over 400 days"]);
    assert_refused(&refused!(lifetime = "10m"), &["shorter than the idle timeout (default: 30m)"]);
    assert_refused(&refused!(lifetime = env("L", default = "10m")), &["shorter than the idle timeout"]);
    // What only the environment knows, or what has been reported, is compared with nothing.
    assert_refused(&refused!(idle = "2d", lifetime = env("L")), &[]);
    assert_refused(&refused!(idle = env("I"), lifetime = "1m"), &[]);
    assert_refused(&refused!(idle = 5, lifetime = "1m"), &["`idle` takes"]);
}

#[test]
fn a_key_comes_from_the_environment_and_is_there_when_it_must_be() {
    assert_refused(&refused!(key = "0123"), &["a key in the source is not secret"]);
    assert_refused(&refused!(key = env("K", default = "0123")), &["a default for a key is not secret"]);
    assert_refused(&refused!(key = 5), &["a key in the source"]);
    assert_refused(&refused!(key = SECRET), &["write `key = env(\"SESSION_KEYS\")`"]);
    assert_refused(&refused!(backend = crate::Store), &["sessions in `crate::Store` outlive the process"]);
    assert_refused(&refused!(backend = crate::Store, key = "0123"), &["a key in the source"]);
    assert_refused(&refused!(backend = memory), &[]);
    assert_refused(&refused!(backend = crate::Store, kee = env("K")), &["did you mean `key`?"]);
}

#[test]
fn the_response_to_anonymous_requests_is_one_that_http_has() {
    assert_refused(&refused!(missing = 401), &["write `missing = status(401)`"]);
    assert_refused(&refused!(missing = "/login"), &["write `missing = redirect(\"/login\")`"]);
    assert_refused(&refused!(missing = status), &["write `status(401)`"]);
    assert_refused(&refused!(missing = status("401")), &["write `status(401)`"]);
    assert_refused(&refused!(missing = status(42)), &["not the status"]);
    assert_refused(&refused!(missing = status(302)), &["write `redirect(\"/login\")`"]);
    assert_refused(&refused!(missing = status(401, 403)), &["takes one value"]);
    assert_refused(&refused!(missing = redirect()), &["write `redirect(\"/login\")`"]);
    assert_refused(&refused!(missing = redirect("login")), &["write `redirect(\"/login\")`"]);
    assert_refused(&refused!(missing = redirect("/a b")), &["percent-encode"]);
    assert_refused(&refused!(missing = redirect("/login", next = "next")), &[]);
    assert_refused(&refused!(missing = redirect("/login?a=b#form", next = "return-to",)), &[]);
    for written in [quote!("/orders"), quote!(next), quote!(next = next), quote!(next("a")), quote!(nxt = "next")] {
        assert_refused(&refused!(missing = redirect("/login", #written)), &["there may be `next = \"next\"`"]);
    }
    for elsewhere in ["https://login.example", "//login.example/"] {
        assert_refused(&refused!(missing = redirect(#elsewhere, next = "next")), &["a path of this application"]);
    }
    for name in ["", "a b", "a=", "näxt", "a[b]"] {
        assert_refused(&refused!(missing = redirect("/login", next = #name)), &["the name of a parameter"]);
    }
    assert_refused(&refused!(missing = redirect("/login?next=1", next = "next")), &["has a parameter `next` already"]);
    assert_refused(&refused!(missing = redirct("/login")), &["did you mean `redirect`?"]);
    assert_refused(&refused!(missing = login()), &["the runtime calls the handler; write `missing = login`"]);
    assert_refused(&refused!(missing = login(5)), &["`missing` takes"]);
}

#[test]
fn a_type_that_cannot_be_stored_is_refused() {
    let refused = |input| messages(&derive(input));
    assert_refused(&refused(quote! { union User { a: u8, b: i8 } }), &["serde can't store a union"]);
    assert_refused(&refused(quote! { struct User<'a> { name: &'a str } }), &["remove `'a`"]);
    assert_refused(
        &refused(quote! { struct User<T, const N: usize>([T; N]); }),
        &["can't be generic", "can't be generic"],
    );
    assert_refused(&refused(quote! { struct User { name: &'static str } }), &["write `String` instead of `&str`"]);
    assert_refused(&refused(quote! { enum User { A(Vec<(u8, &'static [u8])>) } }), &["its data is owned"]);
    assert_refused(&refused(quote! { struct User { #[serde(skip)] name: &'static str } }), &[]);
    assert_refused(&refused(quote! { enum User { #[session] A } }), &["a variant has no options"]);
    assert_refused(&refused(quote! { #[session] struct User; }), &["has no options here"]);
    assert_refused(&refused(quote! { #[session = "30m"] struct User; }), &["in parentheses"]);
}

#[test]
fn a_version_and_the_one_before_it_go_together() {
    assert_refused(
        &refused!(version = 2),
        &["sessions of version 1 are still in the store; keep their type as `UserV1`, write `impl From<UserV1> for \
           User`, and add `from = UserV1`"],
    );
    assert_refused(&refused!(version = 7), &["add `from = UserV6`"]);
    assert_refused(&refused!(from = UserV1), &["add `version = 2`"]);
    assert_refused(&refused!(version = 1, from = UserV1), &["write `version = 2`"]);
    assert_refused(&refused!(version = 0, from = UserV1), &["write `version = 2`"]);
    assert_refused(&refused!(version = 0), &["versions count from 1; write `version = 1`"]);
    assert_refused(&refused!(version = 1), &[]);
    assert_refused(&refused!(version = 2, from = User), &["this is the type itself"]);
    assert_refused(&refused!(version = 2, from = Self), &["this is the type itself"]);
    assert_refused(&refused!(version = 2, form = UserV1), &["did you mean `from`?"]);
    for version in [quote!("2"), quote!(2.0), quote!(-2), quote!(99999999999), quote!(env("V")), quote!(two)] {
        let found = messages(&derive(quote! { #[session(version = #version, from = UserV1)] struct User; }));
        assert_refused(&found, &["`version` takes a whole number; write `version = 2`"]);
    }
    assert_refused(&refused!(version, from = "UserV1"), &["write `version = 2`", "write `from = UserV1`"]);
}

#[test]
fn functions_are_named_by_their_path() {
    assert_refused(&refused!(verify), &["write `verify = is_active`"]);
    assert_refused(&refused!(verify = "is_active"), &["write `verify = is_active`"]);
    assert_refused(&refused!(verify = is_active(5)), &["write `verify = is_active`"]);
    assert_refused(&refused!(verify = |user, parts| true), &["write a function and name it: `verify = is_active`"]);
    assert_refused(&refused!(verify = async |user, parts| true), &["write a function and name it"]);
    assert_refused(&refused!(on_end), &["write `on_end = ended`"]);
    assert_refused(&refused!(on_end = "ended"), &["write `on_end = ended`"]);
    assert_refused(&refused!(on_end = ended(5)), &["write `on_end = ended`"]);
    assert_refused(&refused!(on_end = |user, reason| ()), &["write a function and name it: `on_end = ended`"]);
    assert_refused(&refused!(validate("check")), &["write `validate = check`"]);
    assert_refused(&refused!(validate = rules::check()), &["write `validate = rules::check`"]);
    assert_refused(&refused!(validate = |user| Ok(())), &["write a function and name it: `validate = check`"]);
    assert_refused(&refused!(validate = 5), &["or the path of a function of the data"]);
    assert_refused(&refused!(encrypt = true), &["`encrypt` takes no value; write `encrypt`"]);
}

#[test]
fn a_bad_token_is_anonymous_or_rejected() {
    assert_refused(&refused!(invalid = anonymous), &[]);
    assert_refused(&refused!(invalid = rejct), &["did you mean `reject`?"]);
    assert_refused(&refused!(invalid = 400), &["`invalid` takes `anonymous` or `reject`; write `invalid = reject`"]);
    assert_refused(&refused!(invalid = "reject"), &["`invalid` takes `anonymous` or `reject`"]);
    assert_refused(&refused!(invalid = env("INVALID")), &["`invalid` takes `anonymous` or `reject`"]);
    assert_refused(&refused!(invalid), &["`invalid` takes `anonymous` or `reject`"]);
    assert_refused(&refused!(clear_site_data = true), &["`clear_site_data` takes no value; write `clear_site_data`"]);
}

#[cfg(feature = "postgres")]
#[test]
fn a_pool_of_connections_has_some_and_waits_for_a_duration() {
    let refused = |argument: proc_macro2::TokenStream| refused!(backend = postgres(url = env("DATABASE_URL"), #argument), key = env("SESSION_KEYS"));
    for none in [quote!(max_connections = 0), quote!(max_connections = 10_001)] {
        assert_refused(&refused(none), &["a pool has 1 to 10000 connections; write `max_connections = 10`"]);
    }
    assert_refused(&refused(quote!(max_connections = 10_000)), &[]);
    assert_refused(&refused(quote!(acquire_timeout = "soon")), &["\"soon\" is not a duration"]);
    assert_refused(&refused(quote!(acquire_timeout = "1s")), &[]);
}
