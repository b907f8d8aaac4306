//! Sessions in an OpenAPI description, and a documentation page whose buttons call the application.
//!
//! Run it: `cargo run --features openapi --bin openapi`, then open <http://localhost:3000/docs>: log in with the operation
//! `login`, then call the protected ones. `PORT=8080` listens elsewhere. The description is at `/openapi.json`.
//!
//! "Authorize" is for the bearer token alone: no page can set the `Cookie` header, so a value that is typed in there for a
//! cookie is not sent. The browser sends the cookie that `login` set.

mod api;
#[path = "../shared/serve.rs"]
mod serve;

use axum::response::Redirect;
use axum::routing::get;
use session_runtime::SessionData as _;
use utoipa_swagger_ui::SwaggerUi;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    serve::log();
    let shop = api::Shop {
        users: api::User::sessions().await?,
        carts: api::Cart::sessions().await?,
        devices: api::Device::sessions().await?,
    };
    let (router, description) = api::api(shop)?;
    let page = SwaggerUi::new("/docs").url("/openapi.json", description);
    serve::serve(router.merge(page).route("/", get(async || Redirect::to("/docs")))).await
}
