//! An application whose sessions have owners, served twice on one store.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use session_runtime::{
    Error, PublicId, Session, SessionData, SessionOwner, SessionSlot, Sessions, session, testing::ManualClock,
};
use session_tests::{Client, Reply, Served, serve};

use super::Stored;
use crate::store::Store;

const KEY: &str = "kXUQ1cWZ7mHqLsTzRn3vB8yEoAdFgJiKpMxNwCbVtYU=";
pub(super) const IDLE: Duration = Duration::from_secs(1800);

/// A session type and its application.
pub(super) trait App: SessionOwner<Owner = Option<u64>> {
    fn router() -> Router<Sessions<Self>>;
}

macro_rules! applications {
    ($($module:ident: $Person:ident [$($options:tt)*];)+) => {$(
        mod $module {
            use super::*;

            #[derive(Serialize, Deserialize, SessionData)]
            #[session($($options)*)]
            pub(in crate::owners) struct $Person {
                #[session(owner)]
                id: Option<u64>,
            }

            #[session(optional)]
            async fn login(slot: SessionSlot<$Person>, Path((id, label)): Path<(u64, String)>) -> Result<String, Error> {
                // Nobody, for who is not known yet.
                slot.start($Person { id: (id > 0).then_some(id) }).label(label).await?;
                Ok(slot.get().map(|session| session.public_id().to_string()).unwrap_or_default())
            }

            #[session(protected)]
            async fn me(session: Session<$Person>) -> String {
                session.public_id().to_string()
            }

            #[session(protected)]
            async fn logout(session: Session<$Person>) -> Result<(), Error> {
                session.end().await
            }

            impl App for $Person {
                fn router() -> Router<Sessions<Self>> {
                    Router::new()
                        .route("/login/{id}/{label}", post(login))
                        .route("/me", get(me))
                        .route("/logout", post(logout))
                }
            }
        }
        pub(super) use self::$module::$Person;
    )+};
}

applications! {
    any: Any [];
    two: Two [max_per_owner = 2];
    five: Five [max_per_owner = 5, on_excess = end_oldest];
    strict: Strict [max_per_owner = 5, on_excess = refuse];
}

/// The application in two processes, as far as the store can tell.
pub(super) struct World<T> {
    pub(super) sessions: [Sessions<T>; 2],
    pub(super) servers: [Served; 2],
    pub(super) clock: ManualClock,
}

impl<T: App> World<T> {
    pub(super) async fn open<B: Stored>(store: &Store<B>) -> Self {
        Self::on(Arc::clone(&store.one), Arc::clone(&store.other)).await
    }

    pub(super) async fn on<A: Stored, B: Stored>(one: Arc<A>, other: Arc<B>) -> Self {
        let clock = ManualClock::new();
        let builder = || {
            let builder = Sessions::<T>::builder().key(KEY).clock(clock.clone()).idle(IDLE);
            builder.deadline(Duration::from_secs(20))
        };
        let one = builder().shared_backend(one).open().await.unwrap();
        let other = builder().shared_backend(other).open().await.unwrap();
        let app = async |sessions: &Sessions<T>| serve(T::router().with_state(sessions.clone())).await;
        Self { servers: [app(&one).await, app(&other).await], sessions: [one, other], clock }
    }

    /// A client of one of the processes.
    pub(super) fn client(&self, number: usize) -> Client {
        self.servers[number % 2].client()
    }

    /// The handles of an owner's sessions, as the other process lists them.
    pub(super) async fn handles(&self, owner: u64) -> Vec<String> {
        let listed = self.sessions[1].of(&Some(owner)).list().await.unwrap();
        listed.iter().map(|listing| listing.public_id().to_string()).collect()
    }

    /// How many of these clients have a session, wherever they ask, each of which is listed.
    pub(super) async fn alive(&self, clients: &[Client], owner: u64) -> usize {
        let listed = self.handles(owner).await;
        let replies = join_all(clients.iter().map(|client| client.get("/me"))).await;
        let alive = replies.iter().filter(|reply| reply.status == 200);
        alive.inspect(|reply| assert!(listed.contains(&reply.text().to_owned()), "it is used and not listed")).count()
    }
}

/// Logs in, and gives the session's handle.
pub(super) async fn login(client: &Client, owner: u64, label: &str) -> PublicId {
    let reply = try_login(client, owner, label).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.text().parse().unwrap()
}

pub(super) async fn try_login(client: &Client, owner: u64, label: &str) -> Reply {
    client.post(&format!("/login/{owner}/{label}")).await
}

pub(super) async fn is_alive(client: &Client) -> bool {
    client.get("/me").await.status == 200
}
