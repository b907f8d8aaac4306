//! Descriptions by utoipa leave no warning, whatever the lints, the visibility and the names.
#![forbid(unsafe_code, non_local_definitions, unreachable_code)]
#![deny(warnings, unused, non_camel_case_types, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, SessionSlot, Sessions, session};
use utoipa::OpenApi as _;

/// A person.
#[derive(Clone, Default, Serialize, Deserialize, SessionData)]
#[session(scheme = "person")]
pub struct User {
    name: String,
}

mod pages {
    use super::{SessionSlot, User, session};
    use axum::{Json, extract::Path, http::StatusCode, response::IntoResponse};
    use utoipa::path;

    /// By an imported name.
    #[session(or_default)]
    #[self::path(get, path = "/home", responses((status = 200, description = "Text")))]
    pub(super) async fn home(user: &mut User) -> impl IntoResponse + use<> {
        user.name.clone()
    }

    #[session(optional)]
    #[cfg_attr(all(), utoipa::path(post, path = "/login/{name}", responses((status = 204, description = "Done"))))]
    pub(super) async fn login(
        slot: SessionSlot<User>,
        Path(name): Path<String>,
        Json(_): Json<()>,
    ) -> Result<StatusCode, session_runtime::Error> {
        slot.start(User { name }).await?;
        Ok(StatusCode::NO_CONTENT)
    }

    #[session(protected)]
    #[cfg(any())]
    #[utoipa::path(get, path = "/absent", responses((status = 200)))]
    async fn absent(user: &NobodyKnowsThisType) {}

    #[session(protected(User), guard = |user| user.name == "root", missing = super::please)]
    #[utoipa::path(get, path = "/type", operation_id = "named", responses((status = 200, description = "Text")))]
    pub(super) async fn kind() -> &'static str {
        "type"
    }

    /// Not described.
    #[session(protected)]
    pub(super) async fn plain(user: &User) -> String {
        user.name.clone()
    }
}

async fn please() -> &'static str {
    "please"
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(pages::home, pages::login, pages::kind))]
struct Api;

fn main() {
    let app: axum::Router<Sessions<User>> = axum::Router::new()
        .route("/home", axum::routing::get(pages::home).post(pages::login))
        .route("/type", axum::routing::get(pages::kind).put(pages::plain));
    drop(app);
    let mut api = Api::openapi();
    User::openapi().add_to(&mut api).unwrap();
    let text = api.to_json().unwrap();
    for part in ["\"person\"", "\"home\"", "\"login\"", "\"named\"", "\"default\"", "By an imported name."] {
        assert!(text.contains(part), "{part} {text}");
    }
}
