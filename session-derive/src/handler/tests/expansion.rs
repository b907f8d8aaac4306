//! What the macro writes.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::wrap_with;
use super::expansion;
use crate::testing::{assert_refused, messages, snapshot};

#[test]
fn an_exclusive_borrow() {
    snapshot(
        "handler/exclusive",
        expansion(
            quote!(protected),
            &quote! {
                /// Counts a visit.
                #[tracing::instrument(skip_all)]
                #[must_use]
                pub async fn visit(user: &mut User, Form(form): Form<Login>) -> Result<String, Refused> {
                    user.visits += 1;
                    Ok(user.visits.to_string())
                }
            },
        ),
    );
}

#[test]
fn a_guard_without_a_parameter() {
    snapshot(
        "handler/guard_only",
        expansion(
            quote!(
                protected(User),
                guard = |u| u.name == "root",
                missing = redirect("/login"),
                fresh = "10m",
                touch = off
            ),
            &quote!(
                async fn admin() -> &'static str {
                    "the back room"
                }
            ),
        ),
    );
}

#[test]
fn every_form_and_option() {
    snapshot(
        "handler/every_form",
        expansion(
            quote!(
                protected(User),
                or_default(Cart),
                optional(Visitor, Login),
                guard = guards::is_member,
                missing = crate::sorry,
                wait = "1500ms",
                csrf = off,
                save = always,
                crate = my_sessions
            ),
            &quote! {
                #[cfg(feature = "shop")]
                async fn shop(
                    State(db): State<Pool>,
                    mut user: Session<User>,
                    cart: &Cart,
                    visitor: Option<&mut Visitor>,
                    slot: SessionSlot<Login>,
                ) {}
            },
        ),
    );
}

#[test]
fn generics_follow() {
    snapshot(
        "handler/generics",
        expansion(
            quote!(protected),
            &quote! {
                pub(crate) async fn generic<'a, 'b, T: Clone, U, const N: usize>(
                    user: &'a User,
                    Path(path): Path<Text<'b, T>>,
                    rest: impl FromRequest<U>,
                ) -> impl IntoResponse
                where
                    T: Send,
                    U: Send,
                    'b: 'a,
                {
                }
            },
        ),
    );
}

#[test]
fn a_described_handler_gets_the_description_that_its_name_stands_for() {
    let described = wrap_with(
        quote!(protected(User), optional(Visitor), or_default(Cart), guard = |user| user.admin, fresh = "10m"),
        &quote! {
            /// Orders what is in the cart.
            #[utoipa::path(post, path = "/orders/{id}", security(("user" = [])), responses((status = 200)))]
            #[cfg(feature = "shop")]
            pub(crate) async fn order(
                user: &mut User,
                Path(id): Path<u32>,
                cart: &mut Cart,
                visitor: SessionSlot<Visitor>,
                Json(order): Json<Order>,
            ) -> Json<Receipt> {
            }
        },
        true,
    );
    assert_eq!(messages(&described), Vec::<String>::new());
    snapshot("handler/described", described);
}

#[test]
fn with_descriptions_a_handler_without_one_asserts_that_none_stands_above() {
    let item = quote!(
        async fn home(user: Option<&User>) {}
    );
    snapshot("handler/undescribed", wrap_with(quote!(optional), &item, true));
}

#[test]
fn a_description_is_of_one_session_and_names_no_struct_of_its_own() {
    let refused = |item: TokenStream| messages(&wrap_with(quote!(protected), &item, true));
    assert_refused(
        &refused(quote!(
            #[utoipa::path(get, path = "/")]
            async fn f<T: SessionData>(user: &T) {}
        )),
        &["describes one operation, and which session this is depends on the router"],
    );
    assert_refused(
        &refused(quote!(
            #[utoipa::path(get, path = "/", impl_for = Home)]
            async fn f(user: &User) {}
        )),
        &["`#[session]` uses `impl_for` itself"],
    );
}

#[test]
fn a_seventeenth_parameter_is_paired_with_the_first() {
    let headers = (0..16).map(|index| quote::format_ident!("h{index}"));
    snapshot(
        "handler/sixteen",
        expansion(quote!(protected(User)), &quote! { async fn many(#(#headers: HeaderMap),*) {} }),
    );
}
