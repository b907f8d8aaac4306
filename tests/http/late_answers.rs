//! Writes whose answers don't come in time: what has been done is found out, and nothing is told that isn't so.

use std::time::Duration;

use axum::{
    Router,
    http::Method,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{Client, Reply, Served, serve, wait};

use crate::support::{Answers, DEADLINE, Events, Late, assert_problem, key, send_with};

const COOKIE: &str = "__Host-clerk";

#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(rotate_every = "15m")]
struct Clerk {
    visits: u32,
    #[session(privilege)]
    level: u32,
}

#[session(optional)]
async fn login(slot: SessionSlot<Clerk>) -> Result<(), Error> {
    slot.start(Clerk { visits: 0, level: 0 }).await
}

#[session(protected)]
async fn shared(clerk: &Clerk) -> String {
    format!("{} {}", clerk.visits, clerk.level)
}

#[session(protected)]
async fn visit(clerk: &mut Clerk) -> String {
    clerk.visits += 1;
    clerk.visits.to_string()
}

#[session(protected)]
async fn visit_by_update(mut session: Session<Clerk>) -> Result<String, Error> {
    session
        .update(|clerk| {
            clerk.visits += 1;
            clerk.visits.to_string()
        })
        .await
}

#[session(protected)]
async fn raise(clerk: &mut Clerk) {
    clerk.level += 1;
}

#[session(protected)]
async fn raise_by_update(mut session: Session<Clerk>) -> Result<(), Error> {
    session.update(|clerk| clerk.level += 1).await
}

#[session(protected)]
async fn rotate(mut session: Session<Clerk>) -> Result<(), Error> {
    session.rotate_id().await
}

#[session(protected)]
async fn prove_again(mut session: Session<Clerk>) -> Result<(), Error> {
    session.mark_reauthenticated().await
}

#[session(protected)]
async fn logout(session: Session<Clerk>) -> Result<(), Error> {
    session.end().await
}

async fn served(sessions: Sessions<Clerk>) -> Served {
    let router = Router::new()
        .route("/login", post(login))
        .route("/shared", get(shared))
        .route("/visit", post(visit))
        .route("/visit-by-update", post(visit_by_update))
        .route("/raise", post(raise))
        .route("/raise-by-update", post(raise_by_update))
        .route("/rotate", post(rotate))
        .route("/prove-again", post(prove_again))
        .route("/logout", post(logout));
    serve(router.with_state(sessions)).await
}

struct Scene {
    late: Late,
    clock: ManualClock,
    here: Served,
    /// Another process.
    there: Served,
}

impl Scene {
    async fn set() -> Self {
        let (late, clock) = (Late::default(), ManualClock::new());
        let open = async || {
            let builder = Sessions::<Clerk>::builder().backend(late.clone()).key(&key('k'));
            served(builder.clock(clock.clone()).deadline(DEADLINE).open().await.unwrap()).await
        };
        let (here, there) = (open().await, open().await);
        Self { late, clock, here, there }
    }

    async fn logged_in(&self) -> Client {
        let client = self.here.client();
        assert_eq!(client.post("/login").await.status, 200);
        client
    }

    /// Sends a request whose write is answered like this.
    async fn send(&self, client: &Client, (method, path): (Method, &str), answers: Answers) -> Reply {
        if path == "/shared" {
            self.clock.advance(Duration::from_secs(15 * 60));
        }
        self.late.answers(answers);
        let reply = client.send(method, path, |request| request).await;
        if answers != Answers::LosesAllFromAWrite {
            self.late.answers(Answers::Prompt);
        }
        reply
    }
}

fn token(client: &Client) -> String {
    client.cookie(COOKIE).expect("the client has a session's cookie")
}

async fn with(server: &Served, token: &str) -> u16 {
    send_with(server, Method::GET, "/shared", &format!("{COOKIE}={token}")).await.status.as_u16()
}

/// Every way in which an id is rotated: on a schedule by a read, by a privilege, and because a handler says so.
const ROTATIONS: [(Method, &str); 5] = [
    (Method::GET, "/shared"),
    (Method::POST, "/raise"),
    (Method::POST, "/raise-by-update"),
    (Method::POST, "/rotate"),
    (Method::POST, "/prove-again"),
];

#[tokio::test]
async fn a_rotation_whose_answer_is_late_is_found_out_and_its_token_is_told() {
    for rotation in ROTATIONS {
        let scene = Scene::set().await;
        let client = scene.logged_in().await;
        let old = token(&client);
        let reply = scene.send(&client, rotation.clone(), Answers::LosesWrites).await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1), "{rotation:?}: {}", reply.text());
        assert_ne!(token(&client), old);
        scene.clock.advance(Duration::from_secs(10));
        for server in [&scene.here, &scene.there] {
            assert_eq!((with(server, &token(&client)).await, with(server, &old).await), (200, 401), "{rotation:?}");
        }
    }
}

#[tokio::test]
async fn a_rotation_that_the_store_would_do_later_is_never_done() {
    for rotation in ROTATIONS {
        let scene = Scene::set().await;
        let client = scene.logged_in().await;
        let old = token(&client);
        let reply = scene.send(&client, rotation.clone(), Answers::HoldsOneBack).await;
        assert_problem(&reply, 503, "unavailable");
        assert!(reply.text().contains("not lost") && reply.set_cookies().is_empty(), "{rotation:?}: {}", reply.text());
        scene.late.release();
        tokio::time::sleep(DEADLINE).await;
        scene.clock.advance(Duration::from_secs(11));
        for server in [&scene.here, &scene.there] {
            assert_eq!(with(server, &old).await, 200, "{rotation:?}: the id that the client has is in force");
        }
        assert_eq!(client.get("/shared").await.text(), "0 0", "{rotation:?}: nothing was changed");
    }
}

#[tokio::test]
async fn a_rotation_of_which_nobody_could_be_told_is_taken_back() {
    for rotation in ROTATIONS {
        let scene = Scene::set().await;
        let events = Events::listen();
        let client = scene.logged_in().await;
        let old = token(&client);
        let reply = scene.send(&client, rotation.clone(), Answers::LosesAllFromAWrite).await;
        assert_problem(&reply, 503, "unavailable");
        assert!(reply.text().contains("may have been made or not"), "{rotation:?}: {}", reply.text());
        assert_eq!(token(&client), old);
        scene.clock.advance(Duration::from_secs(11));
        scene.late.answers(Answers::Prompt);
        wait::until(wait::ANSWER, "the session is back", async || match with(&scene.here, &old).await {
            200 => true,
            status => {
                assert_eq!(status, 503, "{rotation:?}: it is never said that there is no session");
                false
            }
        })
        .await;
        assert_eq!(with(&scene.there, &old).await, 200, "{rotation:?}");
        assert!(events.named("session.replayed").is_empty(), "{rotation:?}: nobody is taken for a thief");
        let before = token(&client);
        assert_eq!(client.post("/rotate").await.status, 200, "{rotation:?}: it goes on as any session");
        assert_ne!(token(&client), before);
        assert_eq!(client.get("/shared").await.status, 200);
    }
}

#[tokio::test]
async fn a_change_whose_answer_is_late_is_found_out() {
    let scene = Scene::set().await;
    let client = scene.logged_in().await;
    for (visit, visits) in [("/visit", "1"), ("/visit-by-update", "2")] {
        let reply = scene.send(&client, (Method::POST, visit), Answers::LosesWrites).await;
        assert_eq!((reply.status.as_u16(), reply.text()), (200, visits), "{visit}");
    }
    assert_eq!(client.get("/shared").await.text(), "2 0");
}

/// Two processes change the same in the same way. What is stored looks like the change of either.
#[tokio::test]
async fn a_change_whose_answer_is_late_is_not_taken_for_an_equal_one_of_another_process() {
    let scene = Scene::set().await;
    let client = scene.logged_in().await;
    let cookie = format!("{COOKIE}={}", token(&client));
    scene.late.answers(Answers::HoldsOneBack);
    let held = send_with(&scene.here, Method::POST, "/visit-by-update", &cookie);
    let other = async {
        wait::until(wait::ANSWER, "the first change is on its way", async || scene.late.holds_one_back()).await;
        send_with(&scene.there, Method::POST, "/visit-by-update", &cookie).await
    };
    let (held, other) = tokio::join!(held, other);
    assert_eq!((other.status.as_u16(), other.text()), (200, "1"));
    assert_problem(&held, 503, "unavailable");
    assert!(held.text().contains("may have been made or not"), "{}", held.text());
    scene.late.release();
    assert_eq!(client.post("/visit-by-update").await.text(), "2", "one of three was told that it may be lost");
}

#[tokio::test]
async fn a_logout_whose_answer_is_late_is_done_and_so_is_that_of_a_login_over_a_session() {
    let scene = Scene::set().await;
    let client = scene.logged_in().await;
    let old = token(&client);
    let reply = scene.send(&client, (Method::POST, "/logout"), Answers::LosesAnEnd).await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1));
    assert_eq!((client.cookie(COOKIE), with(&scene.there, &old).await), (None, 401));

    let client = scene.logged_in().await;
    let old = token(&client);
    let reply = scene.send(&client, (Method::POST, "/login"), Answers::LosesAnEnd).await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1));
    assert_eq!((with(&scene.there, &token(&client)).await, with(&scene.there, &old).await), (200, 401));
}

#[tokio::test]
async fn a_write_without_an_answer_is_told_neither_as_done_nor_as_failed() {
    for write in
        ["/login", "/logout", "/visit", "/visit-by-update", "/raise", "/raise-by-update", "/rotate", "/prove-again"]
    {
        let scene = Scene::set().await;
        let client = scene.logged_in().await;
        let old = token(&client);
        let reply = scene.send(&client, (Method::POST, write), Answers::LosesAllFromAWrite).await;
        assert_problem(&reply, 503, "unavailable");
        assert!(reply.text().contains("may have been made or not"), "{write}: {}", reply.text());
        assert_eq!((reply.set_cookies().len(), token(&client)), (0, old), "{write}");
    }
    let scene = Scene::set().await;
    let client = scene.logged_in().await;
    scene.late.answers(Answers::LosesAll);
    for read in [(Method::GET, "/shared"), (Method::POST, "/visit"), (Method::POST, "/logout")] {
        let reply = client.send(read.0, read.1, |request| request).await;
        assert_problem(&reply, 503, "unavailable");
        assert!(reply.text().contains("not lost"), "nothing was written yet: {}", reply.text());
    }
}
