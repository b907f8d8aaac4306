//! What is served where.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequestParts, OriginalUri, Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use http::StatusCode;
use http::request::Parts;
use serde::Deserialize;

use super::pages::{self, Counted};
use super::panel::{Panel, Panels};
use super::reply;
use crate::id::PublicId;
use crate::sessions::Notice;

type Shown = State<Arc<Panels>>;

pub(super) fn routes<S: Clone + Send + Sync + 'static>(panels: Arc<Panels>) -> Router<S> {
    Router::new()
        .route("/", get(overview))
        .route("/style.css", get(async || reply::style()))
        .route("/{panel}", get(list))
        .route("/{panel}/end", post(end))
        .route("/{panel}/end-all", get(ask_end_all).post(end_all))
        .route("/{panel}/find", post(find))
        .route("/{panel}/owner/{owner}", get(owner))
        .route("/{panel}/owner/{owner}/end", post(end_owner))
        .with_state(panels)
}

/// The session of whoever looks at the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Viewer(pub(super) Option<PublicId>);

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(None)))
    }
}

/// The path that the page is nested at, as browsers know it: empty at the root.
#[derive(Debug)]
pub(super) struct Base(String);

impl Base {
    /// The address of a page, by its path in here.
    pub(super) fn at(&self, path: &str) -> String {
        if path.is_empty() && self.0.is_empty() { "/".into() } else { format!("{}{path}", self.0) }
    }

    fn of(original: &str, inner: &str) -> Self {
        let base = original.strip_suffix(inner).unwrap_or(original).trim_matches('/');
        // One slash in front: two would name a host.
        Self(if base.is_empty() { String::new() } else { format!("/{base}") })
    }
}

impl<S: Sync> FromRequestParts<S> for Base {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let inner = parts.uri.path();
        Ok(match parts.extensions.get::<OriginalUri>() {
            Some(OriginalUri(original)) => Self::of(original.path(), inner),
            None => Self(String::new()),
        })
    }
}

#[derive(Deserialize)]
struct OverviewQuery {
    /// `all`: counts however long it takes.
    count: Option<String>,
}

async fn overview(State(panels): Shown, base: Base, Query(query): Query<OverviewQuery>) -> Response {
    let (all, mut counted, mut status) = (query.count.as_deref() == Some("all"), Vec::new(), StatusCode::OK);
    for panel in &panels.0 {
        let count = count(panel, all).await;
        if matches!(count, Counted::Failed(..)) {
            status = StatusCode::SERVICE_UNAVAILABLE;
        }
        counted.push((panel, count));
    }
    reply::page(status, pages::overview(&base, &counted))
}

async fn count(panel: &Panel, all: bool) -> Counted {
    if !panel.core.can_list() {
        return Counted::CannotList;
    }
    match panel.core.count_some(all).await {
        Ok((count, false)) => Counted::All(count),
        Ok((count, true)) => Counted::AtLeast(count),
        Err(error) => {
            let (title, text) = reply::kind(&error);
            Counted::Failed(title, text)
        }
    }
}

/// Where a page begins, and what was done before it is shown.
#[derive(Deserialize)]
struct ListQuery {
    after: Option<String>,
    /// Sealed, so that no link can tell of what never was.
    done: Option<String>,
}

impl ListQuery {
    fn notice(&self, panel: &Panel, viewer: Option<PublicId>) -> Option<Notice> {
        panel.core.open_notice(viewer, self.done.as_deref()?)
    }
}

async fn list(
    State(panels): Shown,
    base: Base,
    Viewer(viewer): Viewer,
    Path(panel): Path<String>,
    Query(query): Query<ListQuery>,
) -> Response {
    let Some(panel) = panels.find(&panel) else { return reply::not_found(&base) };
    let notice = query.notice(panel, viewer);
    if !panel.core.can_list() {
        return reply::page(StatusCode::OK, pages::cannot_list(&base, panel, notice.as_ref()));
    }
    let place = query.after.as_deref();
    match panel.core.page_at(place).await {
        Some(Ok(page)) => reply::page(StatusCode::OK, pages::list(&base, panel, &page, place, notice.as_ref(), viewer)),
        Some(Err(error)) => reply::failed(&base, error),
        None => reply::not_found(&base),
    }
}

async fn owner(
    State(panels): Shown,
    base: Base,
    Viewer(viewer): Viewer,
    Path((panel, owner)): Path<(String, String)>,
    Query(query): Query<ListQuery>,
) -> Response {
    let Some(panel) = panels.find(&panel).filter(|panel| panel.owned) else { return reply::not_found(&base) };
    let notice = query.notice(panel, viewer);
    match panel.core.rows_of_owner(&owner).await {
        Some(Ok(rows)) => {
            reply::page(StatusCode::OK, pages::owner(&base, panel, &owner, &rows, notice.as_ref(), viewer))
        }
        Some(Err(error)) => reply::failed(&base, error),
        None => reply::not_found(&base),
    }
}

#[derive(Deserialize)]
struct FindForm {
    owner: String,
}

/// Not in the address, which logs and histories keep: it may be a person's name.
async fn find(State(panels): Shown, base: Base, Path(panel): Path<String>, Form(form): Form<FindForm>) -> Response {
    let Some(panel) = panels.find(&panel).filter(|panel| panel.owned) else { return reply::not_found(&base) };
    match panel.core.find_owner(&form.owner).await {
        Ok(owner) => reply::see_other(&base.at(&format!("/{}/owner/{owner}", panel.slug()))),
        Err(error) => reply::failed(&base, error),
    }
}

#[derive(Deserialize)]
struct EndForm {
    session: String,
    /// The page that it was on: where it begins, or whose sessions it shows.
    after: Option<String>,
    owner: Option<String>,
}

async fn end(
    State(panels): Shown,
    base: Base,
    Viewer(viewer): Viewer,
    Path(panel): Path<String>,
    Form(form): Form<EndForm>,
) -> Response {
    let Some(panel) = panels.find(&panel) else { return reply::not_found(&base) };
    match panel.core.end_named(&form.session, viewer).await {
        Some(Ok(ended)) => {
            let path = match form.owner {
                Some(owner) => format!("/owner/{}", encoded(&owner)),
                None => String::new(),
            };
            let mut query = format!("?done={}", panel.core.seal_notice(viewer, ended.into(), None));
            if let Some(after) = form.after {
                query += &format!("&after={}", encoded(&after));
            }
            reply::see_other(&base.at(&format!("/{}{path}{query}", panel.slug())))
        }
        Some(Err(error)) => reply::failed(&base, error),
        None => reply::not_found(&base),
    }
}

async fn end_owner(
    State(panels): Shown,
    base: Base,
    Viewer(viewer): Viewer,
    Path((panel, owner)): Path<(String, String)>,
) -> Response {
    let Some(panel) = panels.find(&panel).filter(|panel| panel.owned) else { return reply::not_found(&base) };
    match panel.core.end_owner(&owner, viewer).await {
        Some(Ok(ended)) => {
            let done = panel.core.seal_notice(viewer, ended as u64, None);
            reply::see_other(&base.at(&format!("/{}/owner/{}?done={done}", panel.slug(), encoded(&owner))))
        }
        Some(Err(error)) => reply::failed(&base, error),
        None => reply::not_found(&base),
    }
}

async fn ask_end_all(State(panels): Shown, base: Base, Path(panel): Path<String>) -> Response {
    let Some(panel) = panels.find(&panel).filter(|panel| panel.core.can_list()) else {
        return reply::not_found(&base);
    };
    match panel.core.count_some(false).await {
        Ok((count, more)) => reply::page(StatusCode::OK, pages::ask_end_all(&base, panel, count, more)),
        Err(error) => reply::failed(&base, error),
    }
}

#[derive(Deserialize)]
struct EndAllForm {
    /// Where the last request stopped.
    after: Option<String>,
}

async fn end_all(
    State(panels): Shown,
    base: Base,
    Viewer(viewer): Viewer,
    Path(panel): Path<String>,
    form: Result<Form<EndAllForm>, FormRejection>,
) -> Response {
    let Some(panel) = panels.find(&panel).filter(|panel| panel.core.can_list()) else {
        return reply::not_found(&base);
    };
    let after = match form {
        Ok(Form(form)) => form.after,
        // Without a body a script says of no form that it is one.
        Err(FormRejection::InvalidFormContentType(_)) => None,
        Err(refused) => return refused.into_response(),
    };
    let Some(done) = panel.core.end_some(after.as_deref(), viewer).await else { return reply::not_found(&base) };
    match done.failure {
        Some(error) => reply::failed_after(&base, error, done.ended),
        None => {
            let done = panel.core.seal_notice(viewer, done.ended as u64, done.rest.as_ref());
            reply::see_other(&base.at(&format!("/{}?done={done}", panel.slug())))
        }
    }
}

/// As part of an address: what came in a form goes out as what it is, and never as more.
pub(super) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_knows_where_it_is_nested() {
        for (original, inner, base) in [
            ("/admin/sessions", "/", "/admin/sessions"),
            ("/admin/sessions/users/end", "/users/end", "/admin/sessions"),
            ("/", "/", ""),
            ("/users", "/users", ""),
            ("//evil.example/users", "/users", "/evil.example"),
        ] {
            assert_eq!(Base::of(original, inner).0, base);
        }
        assert_eq!((Base::of("/", "/").at(""), Base::of("/a", "/").at("")), ("/".into(), "/a".into()));
    }
}
