//! A page for operators: who is in, on which devices, and a button that ends it. No JavaScript.
//!
//! Run it: `cargo run --features admin --bin admin`, open <http://localhost:3000> in two browsers, log in as a customer in
//! one of them and as an operator in the other one, and open the page about sessions.
//!
//! `SESSION_STORE` and `SESSION_KEYS` put the sessions elsewhere than in memory, as in the example `account`.

#[path = "shared/page.rs"]
mod page;
#[path = "shared/serve.rs"]
mod serve;
#[path = "shared/store.rs"]
mod store;

use axum::extract::FromRef;
use axum::http::{HeaderMap, header};
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Form, Router};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use session_runtime::admin::Admin;
use session_runtime::{Error, SessionData, SessionSlot, Sessions, session};

use crate::page::page;

/// A person who is logged in. A real application would look the role up when the person logs in.
#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = "8h", lifetime = "7d", missing = redirect("/"), cookie(http_on_localhost))]
struct Person {
    #[session(owner)]
    name: String,
    #[session(privilege)]
    is_operator: bool,
}

/// What an anonymous visitor has chosen.
#[derive(Default, Serialize, Deserialize, SessionData)]
#[session(idle = "30m", cookie(http_on_localhost))]
struct Cart {
    items: Vec<String>,
}

#[derive(Clone)]
struct App {
    people: Sessions<Person>,
    carts: Sessions<Cart>,
}

impl FromRef<App> for Sessions<Person> {
    fn from_ref(app: &App) -> Self {
        app.people.clone()
    }
}

impl FromRef<App> for Sessions<Cart> {
    fn from_ref(app: &App) -> Self {
        app.carts.clone()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    serve::log();
    let app = App { people: store::open().await?, carts: store::open().await? };
    // Of a cart the number of items is shown, and of people nothing but their names.
    let admin = Admin::new(&app.people, |person: &Person| person.is_operator)
        .sessions("People", &app.people)
        .sessions_with("Carts", &app.carts, |cart: &Cart| format!("{} items", cart.items.len()));
    let routes = Router::new()
        .route("/", get(home))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/cart", post(add))
        .nest("/admin/sessions", admin.router())
        .with_state(app);
    serve::serve(routes).await
}

#[session(optional)]
async fn home(person: Option<&Person>, cart: Option<&Cart>) -> Markup {
    page(
        "Shop",
        &html! {
            @match person {
                Some(person) => {
                    h1 { "Hello, " (person.name) "!" }
                    @if person.is_operator { p { a href="/admin/sessions" { "All sessions" } } }
                    form action="/logout" method="post" { button .quiet { "Log out" } }
                }
                None => {
                    h1 { "Welcome" }
                    form action="/login" method="post" {
                        label { "Your name" input name="name" required autofocus maxlength="40"; }
                        div .row {
                            button { "Log in" }
                            button .quiet name="operator" value="yes" { "Log in as an operator" }
                        }
                    }
                }
            }
            section {
                h2 { "Cart" }
                ul { @for item in cart.iter().flat_map(|cart| &cart.items) { li { (item) } } }
                form action="/cart" method="post" {
                    label { "Item" input name="item" required maxlength="40"; }
                    button { "Add" }
                }
            }
        },
    )
}

#[derive(Deserialize)]
struct Login {
    name: String,
    /// The name of the button that was pressed.
    operator: Option<String>,
}

#[session(optional)]
async fn login(slot: SessionSlot<Person>, headers: HeaderMap, Form(form): Form<Login>) -> Result<Redirect, Error> {
    let browser = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("unknown");
    let person = Person { name: form.name, is_operator: form.operator.is_some() };
    slot.start(person).label(browser.to_owned()).await?;
    Ok(Redirect::to("/"))
}

#[session(optional)]
async fn logout(slot: SessionSlot<Person>) -> Result<Redirect, Error> {
    slot.end().await?;
    Ok(Redirect::to("/"))
}

#[derive(Deserialize)]
struct Item {
    item: String,
}

#[session(or_default)]
async fn add(cart: &mut Cart, Form(form): Form<Item>) -> Redirect {
    cart.items.push(form.item);
    Redirect::to("/")
}
