//! What a request without a session gets where one is needed.

use axum::{
    Router,
    extract::Query,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{Html, IntoResponse},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, session};
use session_tests::{Reply, Served, serve};

use crate::support::{Store, assert_problem, varies_by_cookie};

async fn sign(method: Method, uri: Uri, headers: HeaderMap) -> impl IntoResponse {
    let language = headers.get("accept-language").and_then(|value| value.to_str().ok()).unwrap_or("en").to_owned();
    (StatusCode::UNAUTHORIZED, Html(format!("no entry: {method} {uri} {language}")))
}

#[derive(Serialize, Deserialize, SessionData)]
struct Plain;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = status(404))]
struct Hidden;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = redirect("/login?why=needed"))]
struct Sent;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = sign)]
struct Signed;

/// The ways to need a session of one type, under the type's own `missing`.
macro_rules! ways {
    ($module:ident, $ty:ident) => {
        mod $module {
            use super::*;

            #[session(protected)]
            async fn shared(_session: &$ty) {}

            #[session(protected)]
            async fn exclusive(_session: &mut $ty) {}

            #[session(protected)]
            async fn owned(_session: Session<$ty>) {}

            #[session(protected($ty))]
            async fn guarded() {}

            async fn snapshot(_session: $ty) {}

            async fn plain() {}

            #[session(optional)]
            async fn login(slot: SessionSlot<$ty>) -> Result<(), Error> {
                slot.start($ty).await
            }

            #[session(protected)]
            async fn logout(session: Session<$ty>) -> Result<(), Error> {
                session.end().await
            }

            pub(super) const PATHS: [&str; 6] =
                ["/shared?x=1", "/exclusive?x=1", "/owned?x=1", "/guarded?x=1", "/snapshot?x=1", "/layer?x=1"];

            pub(super) async fn server() -> Served {
                let sessions = Store::memory().sessions::<$ty>().await;
                let behind = Router::new().route("/layer", get(plain)).route_layer(sessions.protect());
                let router = Router::new()
                    .route("/shared", get(shared))
                    .route("/exclusive", get(exclusive))
                    .route("/owned", get(owned))
                    .route("/guarded", get(guarded))
                    .route("/snapshot", get(snapshot))
                    .route("/login", post(login))
                    .route("/logout", post(logout))
                    .merge(behind);
                serve(router.with_state(sessions)).await
            }

            /// What an anonymous client gets on every way, and who has logged out while a copy of the cookie was kept.
            pub(super) async fn for_everybody(check: impl Fn(&str, &Reply)) {
                let server = server().await;
                let former = server.client();
                former.post("/login").await;
                let cookie = former.cookie(concat!("__Host-", stringify!($module))).unwrap();
                for path in PATHS {
                    assert_eq!(former.get(path).await.status, 200, "{path}");
                }
                former.post("/logout").await;
                let cookie = format!("{}={cookie}", concat!("__Host-", stringify!($module)));
                for path in PATHS {
                    check(path, &server.client().get(path).await);
                    check(path, &crate::support::send_with(&server, Method::GET, path, &cookie).await);
                }
            }
        }
    };
}

ways!(plain, Plain);
ways!(hidden, Hidden);
ways!(sent, Sent);
ways!(signed, Signed);

#[tokio::test]
async fn a_type_that_says_nothing_answers_401_with_a_problem() {
    plain::for_everybody(|_, reply| assert_problem(reply, 401, "missing")).await;
}

#[tokio::test]
async fn a_type_can_answer_another_status() {
    hidden::for_everybody(|path, reply| {
        assert_problem(reply, 404, "missing");
        assert_eq!(reply.header("www-authenticate"), None, "{path}");
    })
    .await;
}

#[tokio::test]
async fn a_type_can_send_to_its_login_page() {
    sent::for_everybody(|path, reply| {
        assert_eq!((reply.status.as_u16(), reply.header("location")), (303, Some("/login?why=needed")), "{path}");
        assert!(varies_by_cookie(reply), "{path}");
    })
    .await;
}

#[tokio::test]
async fn a_type_can_answer_with_a_handler_that_sees_the_request() {
    signed::for_everybody(|path, reply| {
        assert_eq!((reply.status.as_u16(), reply.text()), (401, format!("no entry: GET {path} en").as_str()));
        assert!(varies_by_cookie(reply), "{path}");
    })
    .await;
}

#[session(protected, missing = status(403))]
async fn other_status(_session: &Sent) {}

#[session(protected, missing = redirect("/elsewhere"))]
async fn other_place(_session: &mut Sent) {}

#[session(protected, missing = sign)]
async fn other_handler(_session: Session<Sent>) {}

#[session(protected, missing = sign)]
async fn other_handler_exclusive(_session: &mut Sent) {}

#[session(protected(Sent), missing = status(410))]
async fn guarded() {}

#[session(protected, missing = status(401))]
async fn asked_first(_session: &Sent, Query(()): Query<()>) {}

#[session(optional)]
async fn start(slot: SessionSlot<Sent>) -> Result<(), Error> {
    slot.start(Sent).await
}

async fn with_own_answers() -> Served {
    let router = Router::new()
        .route("/status", get(other_status))
        .route("/place", get(other_place))
        .route("/handler", get(other_handler))
        .route("/handler-exclusive", get(other_handler_exclusive))
        .route("/guarded", get(guarded))
        .route("/first", get(asked_first))
        .route("/start", post(start));
    serve(router.with_state(Store::memory().sessions::<Sent>().await)).await
}

#[tokio::test]
async fn a_handlers_own_answer_comes_before_its_types() {
    let server = with_own_answers().await;
    let client = server.client();
    assert_problem(&client.get("/status").await, 403, "missing");
    assert_problem(&client.get("/guarded").await, 410, "missing");
    assert_problem(&client.get("/first").await, 401, "missing");
    assert_eq!(client.get("/place").await.header("location"), Some("/elsewhere"));
    assert_eq!(client.get("/handler").await.text(), "no entry: GET /handler en");
    let german =
        client.send(Method::GET, "/handler-exclusive", |request| request.header("accept-language", "de")).await;
    assert_eq!(german.text(), "no entry: GET /handler-exclusive de");

    client.post("/start").await;
    for path in ["/status", "/place", "/handler", "/handler-exclusive", "/guarded"] {
        assert_eq!(client.get(path).await.status, 200, "{path}");
    }
}
