//! Handlers stand in an `impl` with every option, where they take no `self`.
#![deny(warnings, missing_docs, non_local_definitions, private_bounds, private_interfaces, unnameable_types)]
#![deny(unreachable_pub)]

use axum::{Router, extract::FromRef, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions};

/// A user.
#[derive(Serialize, Deserialize, SessionData)]
pub struct User {
    name: String,
    visits: u32,
}

/// A cart.
#[derive(Default, Serialize, Deserialize, SessionData)]
pub struct Cart {
    items: u32,
}

mod pages {
    use axum::extract::Path;
    use session_runtime::{Session, session};

    use super::{Cart, User};

    pub(crate) struct Pages;
    pub(crate) struct Staff;

    async fn sorry() -> &'static str {
        "sorry"
    }

    impl Pages {
        #[session(protected)]
        pub(crate) async fn home(user: &User) -> String {
            user.name.clone()
        }

        #[session(protected, guard = |user| user.visits < 10, fresh = "10m", csrf = off)]
        pub(crate) async fn visit(user: &mut User) -> String {
            user.visits += 1;
            user.visits.to_string()
        }

        #[session(protected, touch = off)]
        pub(crate) async fn is_alive(user: &User) -> String {
            user.visits.to_string()
        }

        #[session(protected, guard = |user| user.visits < 10)]
        pub(crate) async fn of<T: Send>(user: &User, _: Path<u32>) -> String {
            user.name.clone()
        }
    }

    /// Several handlers of one name, in one macro.
    macro_rules! handlers {
        ($($of:ident)*) => {$(
            impl $of {
                fn is_root(user: &User) -> bool {
                    user.name == "root"
                }

                #[session(protected(User), or_default(Cart), guard = $of::is_root, missing = sorry)]
                pub(crate) async fn cart(user: Session<User>, cart: &mut Cart) -> String {
                    cart.items += 1;
                    format!("{} {}", user.name, cart.items)
                }

                #[session(protected, guard = $of::is_root, missing = redirect("/login"))]
                pub(crate) async fn leave(user: &User) -> String {
                    user.name.clone()
                }
            }
        )*};
    }

    handlers!(Pages);
    handlers!(Staff);
}

use pages::{Pages, Staff};

#[derive(Clone, FromRef)]
struct App {
    users: Sessions<User>,
    carts: Sessions<Cart>,
}

#[allow(dead_code)]
fn app(state: App) -> Router {
    Router::new()
        .route("/", get(Pages::home).post(Pages::visit))
        .route("/cart", get(Pages::cart).post(Pages::leave))
        .route("/staff", get(Staff::cart).post(Staff::leave))
        .with_state(state)
}

fn main() {}
