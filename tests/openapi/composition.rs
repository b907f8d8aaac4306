//! Descriptions of handlers of every kind, by every way in which utoipa collects them.

use axum::extract::{FromRef, Path, Query, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session_runtime::openapi::{Problem, mark_protected};
use session_runtime::{Error, Invalid, Session, SessionData, SessionSlot, Sessions, session};
use session_tests::serve;
use utoipa::{Modify as _, OpenApi, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(Clone, Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    admin: bool,
}

#[derive(Clone, Default, Serialize, Deserialize, SessionData)]
#[session(transport = [cookie, bearer, header("X-Cart")], validate = is_small, invalid = reject)]
struct Cart {
    items: Vec<String>,
}

fn is_small(cart: &Cart) -> Result<(), Invalid> {
    if cart.items.len() < 10 { Ok(()) } else { Err(Invalid::field("items", "at most nine")) }
}

#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("VISITOR_KEYS"), missing = redirect("/visit"), scheme = "guest.1")]
struct Visitor {
    name: String,
}

#[derive(Clone)]
struct App {
    users: Sessions<User>,
    carts: Sessions<Cart>,
    visitors: Sessions<Visitor>,
}

macro_rules! state {
    ($($field:ident: $ty:ty,)+) => {$(
        impl FromRef<App> for Sessions<$ty> {
            fn from_ref(app: &App) -> Self {
                app.$field.clone()
            }
        }
    )+};
}
state! { users: User, carts: Cart, visitors: Visitor, }

#[derive(Deserialize, Serialize, ToSchema)]
struct Order {
    items: Vec<String>,
}

#[derive(Deserialize, utoipa::IntoParams)]
struct Page {
    page: u32,
}

/// Orders.
///
/// And pays.
#[session(protected(User), or_default(Cart))]
#[utoipa::path(
    post,
    path = "/orders/{id}",
    params(("id" = u32, Path), Page),
    request_body = Order,
    responses((status = 201, description = "Ordered", body = Order), (status = 409, description = "Sold out")),
)]
#[deprecated]
async fn order(
    user: &User,
    Path(id): Path<u32>,
    cart: &mut Cart,
    Query(page): Query<Page>,
    Json(order): Json<Order>,
) -> Result<(StatusCode, Json<Order>), (StatusCode, &'static str)> {
    cart.items.push(format!("{} {id} {}", user.name, page.page));
    Ok((StatusCode::CREATED, Json(order)))
}

/// Of any state.
#[session(protected)]
#[utoipa::path(get, path = "/generic", responses((status = 200, description = "Text")))]
async fn generic<S, R: IntoText>(user: &User, State(_): State<S>, rest: R) -> impl IntoResponse
where
    S: FromRef<App> + Send + Sync + 'static,
{
    format!("{} {}", user.name, rest.text())
}

trait IntoText: axum::extract::FromRequestParts<App> + Send + 'static {
    fn text(self) -> String;
}

impl IntoText for Method {
    fn text(self) -> String {
        self.to_string()
    }
}

mod inner {
    use super::*;

    /// Two methods.
    #[session(optional)]
    #[utoipa::path(method(get, put), path = "/visit", tag = "visits", security(()), responses((status = 200, description = "Hello")))]
    pub(super) async fn visit(slot: SessionSlot<Visitor>) -> Result<&'static str, Error> {
        slot.start(Visitor { name: "ann".into() }).await?;
        Ok("hello")
    }

    #[session(protected)]
    #[utoipa::path(get, path = "/visitor", responses((status = "2XX", description = "A name")))]
    pub(super) async fn visitor(visitor: &Visitor) -> String {
        visitor.name.clone()
    }

    #[session(protected, csrf = off, missing = super::please)]
    #[utoipa::path(delete, path = "/cart", operation_id = "forget", responses((status = 204, description = "Gone")))]
    pub(super) async fn clear(cart: Session<Cart>) -> Result<StatusCode, Error> {
        cart.end().await?;
        Ok(StatusCode::NO_CONTENT)
    }

    #[session(protected, guard = super::may)]
    #[utoipa::path(put, path = "/user", security(("user" = [], "key" = [])), responses((status = 200, description = "Ok")))]
    pub(super) async fn rename(user: &mut User) {
        user.name.push('!');
    }
}

async fn please() -> Redirect {
    Redirect::temporary("/visit")
}

fn may(user: &User) -> Result<(), (StatusCode, &'static str)> {
    if user.admin { Ok(()) } else { Err((StatusCode::PAYMENT_REQUIRED, "pay")) }
}

#[utoipa::path(post, path = "/plain", responses((status = 200, description = "Ok")))]
async fn plain() {}

#[derive(OpenApi)]
#[openapi(
    paths(order, generic, inner::visit, inner::visitor, inner::clear, inner::rename, plain),
    components(schemas(Problem))
)]
struct Everything;

fn document(api: &utoipa::openapi::OpenApi) -> Value {
    serde_json::to_value(api).expect("a document")
}

fn described() -> Value {
    let mut api = Everything::openapi();
    User::openapi().modify(&mut api);
    Cart::openapi().modify(&mut api);
    Visitor::openapi().modify(&mut api);
    document(&api)
}

fn statuses(operation: &Value) -> Vec<&str> {
    operation["responses"].as_object().expect("responses").keys().map(String::as_str).collect()
}

#[test]
fn an_operation_keeps_what_its_author_wrote_and_gets_what_its_sessions_add() {
    let api = described();
    let order = &api["paths"]["/orders/{id}"]["post"];
    assert_eq!((&order["summary"], &order["description"]), (&json!("Orders."), &json!("And pays.")));
    assert_eq!((&order["operationId"], &order["deprecated"]), (&json!("order"), &json!(true)));
    assert_eq!(statuses(order), ["201", "400", "401", "403", "409", "422", "503"]);
    assert_eq!(order["responses"]["409"], json!({ "description": "Sold out" }));
    let schemes = ["cart-cookie", "cart-bearer", "cart-x-cart"];
    let mut alternatives: Vec<_> = schemes.map(|cart| json!({ "user": [], cart: [] })).into();
    alternatives.push(json!({ "user": [] }));
    assert_eq!(order["security"], json!(alternatives));
    let headers = order["responses"]["201"]["headers"].as_object().expect("headers");
    assert_eq!(headers.keys().collect::<Vec<_>>(), ["session-token", "set-cookie", "x-cart"]);
    let parameters = order["parameters"].as_array().expect("parameters");
    let names: Vec<_> = parameters.iter().map(|parameter| &parameter["name"]).collect();
    assert_eq!(names, ["id", "page"], "no session is a parameter");
    assert_eq!(order["requestBody"]["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/Order");
    let problem = &order["responses"]["403"]["content"]["application/problem+json"]["schema"]["$ref"];
    assert_eq!(problem, "#/components/schemas/Problem");
}

#[test]
fn each_schemes_transport_is_described_with_its_real_name() {
    let schemes = &described()["components"]["securitySchemes"];
    let is = |name: &str, expected: &Value| {
        let scheme = schemes[name].as_object().unwrap_or_else(|| panic!("{name}: {schemes}"));
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&scheme[key], value, "{name}");
        }
        let description = scheme["description"].as_str().unwrap();
        assert!(description.contains("an operation that starts a session of"), "{description}");
    };
    is("user", &json!({ "type": "apiKey", "in": "cookie", "name": "__Host-user" }));
    is("cart-cookie", &json!({ "type": "apiKey", "in": "cookie", "name": "__Host-cart" }));
    is("cart-bearer", &json!({ "type": "http", "scheme": "bearer" }));
    is("cart-x-cart", &json!({ "type": "apiKey", "in": "header", "name": "x-cart" }));
    is("guest.1", &json!({ "type": "apiKey", "in": "cookie", "name": "__Host-visitor" }));
    assert_eq!(schemes.as_object().unwrap().len(), 5);
}

#[test]
fn generics_modules_several_methods_and_every_option_are_described() {
    let api = described();
    let generic = &api["paths"]["/generic"]["get"];
    assert_eq!(statuses(generic), ["200", "401", "503"]);
    assert_eq!(generic["security"], json!([{ "user": [] }]));

    for method in ["get", "put"] {
        let visit = &api["paths"]["/visit"][method];
        assert_eq!(visit["security"], json!([{}]), "what the author wrote");
        assert_eq!(visit["tags"], json!(["visits"]));
        assert!(visit["responses"]["200"]["headers"]["set-cookie"].is_object());
        assert_eq!(statuses(visit), ["200", "403"], "its sessions are in no store");
    }
    let visitor = &api["paths"]["/visitor"]["get"];
    assert_eq!(statuses(visitor), ["2XX", "303"]);
    assert!(visitor["responses"]["303"]["headers"]["location"].is_object());
    assert!(visitor["responses"]["303"]["content"].is_null());

    let clear = &api["paths"]["/cart"]["delete"];
    assert_eq!(clear["operationId"], "forget");
    assert_eq!(statuses(clear), ["204", "400", "503", "default"], "from any site, and its `missing` is a handler");
    assert!(clear["responses"]["204"]["headers"]["x-cart"].is_object());

    let rename = &api["paths"]["/user"]["put"];
    assert_eq!(rename["security"], json!([{ "user": [], "key": [] }]));
    let forbidden = rename["responses"]["403"]["description"].as_str().unwrap();
    assert!(forbidden.contains("session:cross-site") && !forbidden.contains("session:forbidden"), "{forbidden}");
    assert!(api["paths"]["/plain"]["post"]["security"].is_null());
}

#[test]
fn the_schema_of_problems_lists_every_type_that_is_in_the_reference() {
    let api = described();
    let problem = &api["components"]["schemas"]["Problem"];
    let types: Vec<String> = serde_json::from_value(problem["properties"]["type"]["enum"].clone()).expect("texts");
    let reference = include_str!("../../session-runtime/docs/reference.md");
    let (_, section) = reference.split_once("\n## Responses\n").expect("the answers");
    let rows =
        section.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let mut words: Vec<String> =
        rows.map(|row| format!("urn:problem-type:session:{}", row.split('`').nth(1).expect("a word"))).collect();
    words.sort_unstable();
    assert_eq!(types, words);
}

#[tokio::test]
#[allow(deprecated, reason = "it is described as such")]
async fn nested_routers_serve_what_they_describe() {
    let app = App {
        users: User::sessions().await.unwrap(),
        carts: Cart::sessions().await.unwrap(),
        visitors: Sessions::builder().key(&format!("{}A=", "k".repeat(42))).open().await.unwrap(),
    };
    let mut behind = OpenApiRouter::new().routes(routes!(plain)).routes(routes!(inner::visitor));
    mark_protected::<User>(behind.get_openapi_mut());
    let behind = behind.route_layer(app.users.protect());
    let (router, api): (Router, _) = OpenApiRouter::new()
        .nest("/api", OpenApiRouter::new().routes(routes!(inner::visit)).nest("/deep", behind))
        .routes(routes!(order))
        .routes(routes!(inner::clear))
        .routes(routes!(inner::rename))
        .route("/generic", get(generic::<App, Method>))
        .with_state(app)
        .split_for_parts();
    let api = document(&api);
    let plain = &api["paths"]["/api/deep/plain"]["post"];
    assert_eq!(plain["security"], json!([{ "user": [] }]));
    assert_eq!(statuses(plain), ["200", "401", "403", "503"]);
    let visitor = &api["paths"]["/api/deep/visitor"]["get"];
    assert_eq!(visitor["security"], json!([{ "user": [], "guest.1": [] }]), "the layer's and its own");
    assert_eq!(statuses(visitor), ["2XX", "303", "401", "503"]);

    let server = serve(router).await;
    let client = server.client();
    assert_eq!(client.get("/api/visit").await.text(), "hello");
    for path in ["/api/deep/plain", "/orders/1?page=2"] {
        assert_eq!(client.send(Method::POST, path, |request| request.json(&json!({ "items": [] }))).await.status, 401);
    }
    assert_eq!(client.get("/generic").await.status, 401);
}

mod other {
    use super::*;

    #[derive(Serialize, Deserialize, SessionData)]
    #[session(transport = bearer)]
    pub(super) struct User {
        name: String,
    }
}

#[test]
fn two_types_whose_schemes_have_one_name_are_told() {
    let mut api = Everything::openapi();
    User::openapi().add_to(&mut api).unwrap();
    User::openapi().add_to(&mut api).expect("the same type twice is no conflict");
    let conflict = other::User::openapi().add_to(&mut api).unwrap_err().to_string();
    for part in ["security scheme `user`", "composition::User", "composition::other::User", "scheme = \"...\""] {
        assert!(conflict.contains(part), "{conflict}");
    }
    let before = document(&api);
    other::User::openapi().modify(&mut api);
    assert_eq!(document(&api), before, "the first one stays");
}

#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(cookie(name = "__Secure-tenant", domain = ["shop-a.example", "shop-b.example"]))]
struct Tenant {
    name: String,
}

#[session(protected)]
#[utoipa::path(get, path = "/tenant", responses((status = 200, description = "A name")))]
async fn tenant(tenant: &Tenant) -> String {
    tenant.name.clone()
}

#[derive(OpenApi)]
#[openapi(paths(tenant))]
struct Tenants;

#[test]
fn a_host_that_is_none_of_the_applications_domains_is_an_answer() {
    let api = document(&Tenants::openapi());
    let operation = &api["paths"]["/tenant"]["get"];
    assert!(statuses(operation).contains(&"421"), "{operation}");
    let description = operation["responses"]["421"]["description"].as_str().expect("a description");
    assert!(description.contains("no sessions at this host"), "{description}");
}
