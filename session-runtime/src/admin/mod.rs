//! A page for operators (cargo feature `admin`): who is in, on which devices and since when, and a button that ends it.
//!
//! [`Admin`] makes a router out of it, which can't be had without a guard. See [the page about it](crate::guide::admin).

mod handlers;
mod pages;
mod panel;
mod reply;
mod words;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};

use self::handlers::Viewer;
use self::panel::{Panel, Panels};
use crate::guard::{StatefulCheck, Verdict};
use crate::missing::Missing;
use crate::sessions::{SessionData, Sessions};
use crate::web::ProtectLayer;

/// A page for operators, for those whom a guard admits: the live sessions of one or more types, to look at and to end.
///
/// ```
/// use axum::Router;
/// use serde::{Deserialize, Serialize};
/// use session_runtime::{OpenError, SessionData, Sessions, admin::Admin};
///
/// #[derive(Serialize, Deserialize, SessionData)]
/// struct User {
///     #[session(owner)]
///     name: String,
///     is_admin: bool,
/// }
///
/// # #[derive(Serialize, Deserialize, SessionData)]
/// # struct Cart { items: Vec<u32> }
/// fn routes(users: &Sessions<User>, carts: &Sessions<Cart>) -> Router {
///     let admin = Admin::new(users, |user: &User| user.is_admin)
///         .sessions("Users", users)
///         .sessions_with("Carts", carts, |cart: &Cart| format!("{} items", cart.items.len()));
///     Router::new().nest("/admin/sessions", admin.router())
/// }
/// ```
///
/// The page shows no token, no key and no data, unless [`sessions_with`](Self::sessions_with) says what. It needs no
/// JavaScript. Its forms are refused where they come from another site, as all requests that change something are.
#[must_use = "it does nothing until it is made a router"]
pub struct Admin<T: SessionData> {
    viewers: Sessions<T>,
    protect: ProtectLayer<T>,
    panels: Vec<Panel>,
}

impl<T: SessionData> Admin<T> {
    /// A page for those of these sessions of whom the guard says so: `false` is 403, `Err(response)` is that response.
    /// Without a session the answer is what the type's `missing` says.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use session_runtime::{SessionData, Sessions, admin::Admin};
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct Staff { may_end_sessions: bool }
    /// # fn page(staff: &Sessions<Staff>) -> Admin<Staff> {
    /// Admin::new(staff, |staff: &Staff| staff.may_end_sessions)
    /// # }
    /// ```
    pub fn new<R: Verdict + 'static>(sessions: &Sessions<T>, guard: impl Fn(&T) -> R + Send + Sync + 'static) -> Self {
        Self::behind(sessions, sessions.protect().guard(guard))
    }

    /// The same with an async guard of the data, the request's parts and this state, such as a database.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use session_runtime::{SessionData, Sessions, admin::Admin};
    /// # #[derive(Clone)]
    /// # struct Pool;
    /// # impl Pool { async fn has_role(&self, _: u64, _: &str) -> bool { true } }
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct User { id: u64 }
    /// async fn is_operator(user: &User, _: &axum::http::request::Parts, pool: &Pool) -> bool {
    ///     pool.has_role(user.id, "operator").await
    /// }
    /// # fn page(users: &Sessions<User>, pool: Pool) -> Admin<User> {
    /// Admin::new_with(users, pool, is_operator)
    /// # }
    /// ```
    pub fn new_with<S: Send + Sync + 'static, M: 'static>(
        sessions: &Sessions<T>,
        state: S,
        guard: impl for<'a> StatefulCheck<'a, T, S, M>,
    ) -> Self {
        Self::behind(sessions, sessions.protect().guard_with(state, guard))
    }

    fn behind(sessions: &Sessions<T>, protect: ProtectLayer<T>) -> Self {
        Self { viewers: sessions.clone(), protect, panels: Vec::new() }
    }

    /// How long ago the last authentication may be, or the answer is 401 with `max_age`.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use session_runtime::{SessionData, admin::Admin};
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct Staff;
    /// # fn page(admin: Admin<Staff>) -> Admin<Staff> {
    /// admin.fresh(std::time::Duration::from_secs(600))
    /// # }
    /// ```
    pub fn fresh(mut self, age: Duration) -> Self {
        self.protect = self.protect.fresh(age);
        self
    }

    /// What an anonymous request gets, in place of the type's `missing`; with [`fresh`](Self::fresh), a stale session as
    /// well.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use session_runtime::{Missing, SessionData, admin::Admin};
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct Staff;
    /// # fn page(admin: Admin<Staff>) -> Result<Admin<Staff>, session_runtime::OpenError> {
    /// # let admin =
    /// admin.missing(Missing::redirect("/login")?)
    /// # ; Ok(admin)
    /// # }
    /// ```
    pub fn missing(mut self, missing: Missing) -> Self {
        self.protect = self.protect.missing(missing);
        self
    }

    /// Adds the sessions of a type under this title. Of their data only the owner is shown.
    ///
    /// A store that can't list its sessions says so on the page; if the type has an owner, an owner's sessions can be
    /// looked up all the same.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use session_runtime::{SessionData, Sessions, admin::Admin};
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct Staff;
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct Customer;
    /// # fn page(admin: Admin<Staff>, staff: &Sessions<Staff>, customers: &Sessions<Customer>) -> Admin<Staff> {
    /// admin.sessions("Customers", customers).sessions("Staff", staff)
    /// # }
    /// ```
    pub fn sessions<U: SessionData>(mut self, title: impl Into<String>, sessions: &Sessions<U>) -> Self {
        self.panels.push(Panel::new(title.into(), sessions, None));
        self
    }

    /// The same, with a line about each session that this function writes. What it returns is shown as text, whatever is
    /// in it.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use session_runtime::{SessionData, Sessions, admin::Admin};
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct Staff;
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct Cart { items: Vec<u32> }
    /// # fn page(admin: Admin<Staff>, carts: &Sessions<Cart>) -> Admin<Staff> {
    /// admin.sessions_with("Carts", carts, |cart: &Cart| format!("{} items", cart.items.len()))
    /// # }
    /// ```
    pub fn sessions_with<U: SessionData>(
        mut self,
        title: impl Into<String>,
        sessions: &Sessions<U>,
        line: impl Fn(&U) -> String + Send + Sync + 'static,
    ) -> Self {
        self.panels.push(Panel::new(title.into(), sessions, Some(panel::line_of(line))));
        self
    }

    /// The page as a router, for [`Router::nest`] at a path of its own, or to be served by itself.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use session_runtime::{SessionData, admin::Admin};
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct Staff;
    /// # fn routes(admin: Admin<Staff>) -> axum::Router {
    /// axum::Router::new().nest("/admin/sessions", admin.router())
    /// # }
    /// ```
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let Self { viewers, protect, panels } = self;
        handlers::routes(Arc::new(Panels::new(panels)))
            .route_layer(from_fn_with_state(viewers, note_viewer::<T>))
            .route_layer(map_response(reply::with_headers))
            .route_layer(protect)
    }
}

impl<T: SessionData> fmt::Debug for Admin<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles: Vec<&str> = self.panels.iter().map(Panel::title).collect();
        f.debug_struct("Admin").field("protect", &self.protect).field("sessions", &titles).finish()
    }
}

/// Tells the page whose browser it is: nobody ends the session by which they look at it.
async fn note_viewer<T: SessionData>(State(viewers): State<Sessions<T>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match viewers.peek(&parts).await {
        Ok(viewer) => {
            parts.extensions.insert(Viewer(viewer.map(|viewer| viewer.public_id())));
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => error.into_response(),
    }
}
