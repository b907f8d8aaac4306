//! A small shop: its session types, its operations, and their description.

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use session_runtime::openapi::{SchemeConflict, mark_protected};
use session_runtime::{Error, SessionData, SessionSlot, Sessions, session};
use utoipa::openapi::OpenApi;
use utoipa::{OpenApi as _, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Who has logged in, with a cookie.
#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(cookie(http_on_localhost))]
pub(crate) struct User {
    name: String,
    is_admin: bool,
}

/// What a visitor wants to buy, whether logged in or not.
#[derive(Clone, Default, Serialize, Deserialize, SessionData)]
#[session(cookie(http_on_localhost))]
pub(crate) struct Cart {
    items: Vec<String>,
}

/// A program of a user's, with a token in a header. In the description its scheme is called `token`.
#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(transport = bearer, scheme = "token")]
pub(crate) struct Device {
    owner: String,
}

/// The application's state.
#[derive(Clone, FromRef)]
pub(crate) struct Shop {
    pub(crate) users: Sessions<User>,
    pub(crate) carts: Sessions<Cart>,
    pub(crate) devices: Sessions<Device>,
}

#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "Shop",
    description = "Log in with the operation `login`. The browser keeps the cookie and sends it with every call from this \
                   page. \"Authorize\" is for the scheme `token` alone: no page can set the `Cookie` header."
))]
struct Description;

/// The routes and their description.
pub(crate) fn api(shop: Shop) -> Result<(Router, OpenApi), SchemeConflict> {
    let mut reports = OpenApiRouter::new().routes(routes!(report));
    mark_protected::<User>(reports.get_openapi_mut());
    let reports = reports.route_layer(shop.users.protect());

    let (router, mut description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(login))
        .routes(routes!(logout))
        .routes(routes!(profile, rename))
        .routes(routes!(cart, add_to_cart))
        .routes(routes!(devices::register, devices::whose))
        .nest("/admin", OpenApiRouter::new().routes(routes!(admin::audit)).routes(routes!(admin::close)))
        .merge(reports)
        .with_state(shop)
        .split_for_parts();
    for schemes in [User::openapi(), Cart::openapi(), Device::openapi()] {
        schemes.add_to(&mut description)?;
    }
    Ok((router, description))
}

#[derive(Deserialize, ToSchema)]
struct Login {
    /// `root` is an administrator.
    #[schema(example = "ada")]
    name: String,
}

#[derive(Deserialize, ToSchema)]
struct Item {
    #[schema(example = "tea")]
    name: String,
}

#[derive(Serialize, ToSchema)]
struct Profile {
    name: String,
    is_admin: bool,
}

impl From<&User> for Profile {
    fn from(user: &User) -> Self {
        Self { name: user.name.clone(), is_admin: user.is_admin }
    }
}

/// Logs in.
#[session(optional)]
#[utoipa::path(
    post,
    path = "/login",
    tag = "account",
    request_body = Login,
    responses((status = 200, description = "The person", body = Profile))
)]
async fn login(slot: SessionSlot<User>, Json(login): Json<Login>) -> Result<Json<Profile>, Error> {
    let user = User { is_admin: login.name == "root", name: login.name };
    let profile = Profile::from(&user);
    slot.start(user).await?;
    Ok(Json(profile))
}

/// Logs out.
#[session(optional)]
#[utoipa::path(post, path = "/logout", tag = "account", responses((status = 204, description = "No session is left")))]
async fn logout(slot: SessionSlot<User>) -> Result<StatusCode, Error> {
    slot.end().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who has logged in.
#[session(protected)]
#[utoipa::path(
    get,
    path = "/profile",
    tag = "account",
    responses((status = 200, description = "The person", body = Profile))
)]
async fn profile(user: &User) -> Json<Profile> {
    Json(user.into())
}

/// Takes another name.
#[session(protected)]
#[utoipa::path(
    put,
    path = "/profile",
    tag = "account",
    request_body = Login,
    responses((status = 200, description = "The person", body = Profile))
)]
async fn rename(user: &mut User, Json(login): Json<Login>) -> Json<Profile> {
    user.name = login.name;
    Json((&*user).into())
}

/// What is in the cart.
#[session(or_default)]
#[utoipa::path(
    get,
    path = "/cart",
    tag = "cart",
    responses((status = 200, description = "The items", body = Vec<String>))
)]
async fn cart(cart: &Cart) -> Json<Vec<String>> {
    Json(cart.items.clone())
}

/// Puts something into the cart.
#[session(or_default)]
#[utoipa::path(
    post,
    path = "/cart",
    tag = "cart",
    request_body = Item,
    responses((status = 200, description = "The items", body = Vec<String>))
)]
async fn add_to_cart(cart: &mut Cart, Json(item): Json<Item>) -> Json<Vec<String>> {
    cart.items.push(item.name);
    Json(cart.items.clone())
}

/// How the shop is doing: behind a layer.
#[utoipa::path(get, path = "/report", tag = "reports", responses((status = 200, description = "Text", body = String)))]
async fn report(State(_): State<Sessions<User>>) -> &'static str {
    "all is well"
}

mod devices {
    use super::*;

    /// Gives a program a token.
    #[session(protected(User), optional(Device))]
    #[utoipa::path(
        post,
        path = "/device",
        tag = "devices",
        responses((status = 201, description = "The token is in the header"))
    )]
    pub(super) async fn register(user: &User, slot: SessionSlot<Device>) -> Result<StatusCode, Error> {
        slot.start(Device { owner: user.name.clone() }).await?;
        Ok(StatusCode::CREATED)
    }

    /// Whose the program is.
    #[session(protected)]
    #[utoipa::path(
        get,
        path = "/device",
        tag = "devices",
        responses((status = 200, description = "Text", body = String))
    )]
    pub(super) async fn whose(device: &Device) -> String {
        device.owner.clone()
    }
}

mod admin {
    use super::*;

    /// What administrators see.
    #[session(protected, guard = |user: &User| user.is_admin)]
    #[utoipa::path(get, path = "/audit", tag = "admin", responses((status = 200, description = "Text", body = String)))]
    pub(super) async fn audit(user: &User) -> String {
        format!("{} looked", user.name)
    }

    /// Closes the shop: by administrators who have logged in within the last ten minutes.
    #[session(protected(User), guard = |user| user.is_admin, fresh = "10m")]
    #[utoipa::path(post, path = "/close", tag = "admin", responses((status = 204, description = "The shop is closed")))]
    pub(super) async fn close() -> StatusCode {
        StatusCode::NO_CONTENT
    }
}
