//! Every option of the data attribute that these cargo features have, in each of its forms.

use axum::http::{StatusCode, request::Parts};
use serde::{Deserialize, Serialize};
use session_runtime::{EndReason, Invalid, SessionData, StoredSession};

#[derive(Serialize, Deserialize, SessionData, garde::Validate)]
#[session(
    backend = redis(url = env("REDIS_URL", default = "redis://localhost"), prefix = "shop"),
    key = env("SESSION_KEYS"),
    cookie(
        name = "__Secure-user",
        path = "/app",
        domain = env("DOMAIN"),
        same_site = None,
        secure,
        http_only = true,
        partitioned = env("PARTITIONED", default = "false"),
        persistent = env("PERSISTENT", default = true),
    ),
    transport = [bearer, header("X-Session"), cookie],
    trusted_origins = ["https://app.example", env("PARTNERS", default = "")],
    public_origin = env("PUBLIC_ORIGIN", default = "https://shop.example"),
    invalid = reject,
    clear_site_data,
    idle = "1h 30m",
    lifetime = env("LIFETIME", default = "14d"),
    missing = redirect("/login"),
    verify = is_active,
    on_end = ended,
    validate,
    version = 2,
    from = UserV1,
)]
struct User {
    #[garde(length(min = 1))]
    name: String,
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = memory(capacity = 10_000), missing = status(403))]
#[session(validate = check, verify = may_enter, on_end = told, crate = ::session_runtime)]
struct UserV1 {
    nick: String,
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = memory, missing = anonymous, transport = bearer, invalid = anonymous)]
enum Visitor {
    Guest,
    Named(String),
    Known { id: u64 },
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(trusted_origins = env("PARTNERS"), device_bound)]
struct Unit;

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound(every = "10m", except = ["/static", "/images"], require))]
struct Pair(u8, #[serde(skip)] &'static str);

impl From<UserV1> for User {
    fn from(old: UserV1) -> Self {
        Self { name: old.nick }
    }
}

async fn is_active(user: &User, parts: &Parts) -> bool {
    !user.name.is_empty() && parts.method != "TRACE"
}

async fn may_enter(_: &UserV1, _: &Parts) -> Result<(), (StatusCode, &'static str)> {
    std::future::ready(()).await;
    Err((StatusCode::FORBIDDEN, "closed"))
}

fn check(user: &UserV1) -> Result<(), Invalid> {
    if user.nick.is_empty() { Err(Invalid::field("nick", "is empty")) } else { Ok(()) }
}

async fn ended(user: User, reason: EndReason) {
    println!("{}: {reason:?}", user.name);
}

async fn told(session: StoredSession<UserV1>, _: EndReason) -> Result<(), std::io::Error> {
    if session.nick.is_empty() { Err(std::io::ErrorKind::Other.into()) } else { Ok(()) }
}

async fn anonymous(parts: Parts) -> StatusCode {
    if parts.uri.path() == "/" { StatusCode::UNAUTHORIZED } else { StatusCode::NOT_FOUND }
}

fn main() {}
