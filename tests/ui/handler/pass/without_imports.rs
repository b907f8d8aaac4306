//! The attribute works where nothing is imported.

#[derive(::serde::Serialize, ::serde::Deserialize, ::session_runtime::SessionData)]
struct User {
    visits: u32,
}

#[::session_runtime::session(protected, guard = |user| user.visits < 9, wait = "1s", missing = redirect("/login"))]
async fn visit(user: &mut User) -> ::std::string::String {
    user.visits += 1;
    ::std::string::ToString::to_string(&user.visits)
}

#[::session_runtime::session(optional)]
async fn home(user: Option<&User>) -> &'static str {
    if user.is_some() { "again" } else { "welcome" }
}

#[::session_runtime::session(optional)]
async fn login(slot: ::session_runtime::SessionSlot<User>) -> ::core::result::Result<(), ::session_runtime::Error> {
    slot.start(User { visits: 0 }).await
}

#[::session_runtime::session(protected)]
async fn logout(session: ::session_runtime::Session<User>) -> ::core::result::Result<(), ::session_runtime::Error> {
    session.end().await
}

fn app(sessions: ::session_runtime::Sessions<User>) -> ::axum::Router {
    let home = ::axum::routing::get(home).post(visit).put(login).delete(logout);
    ::axum::Router::new().route("/", home).with_state(sessions)
}

fn main() {
    let _ = app;
}
