//! The chat's sockets close by themselves when their session ends, whichever process ends it, and whatever became of
//! the store meanwhile.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use axum::http::{Method, StatusCode};
use session_tests::{App, Client, Redis, Socket, wait};

const KEY: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkA=";
const COOKIE: &str = "member";
/// Far more than it takes, and far less than until a store that tells of ends is looked at all the same.
const SOON: Duration = Duration::from_secs(15);

/// The processes that serve the chat: one in memory, two on a store.
async fn chat(store: Option<String>) -> Vec<App> {
    let Some(store) = store else { return vec![App::example("chat").start().await] };
    let program = || App::example("chat").env("SESSION_STORE", &store).env("SESSION_KEYS", KEY);
    vec![program().start().await, program().start().await]
}

async fn logged_in(app: &App, name: &str) -> Client {
    let client = app.client();
    let reply = client.post_form("/login", &[("name", name)]).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text());
    client
}

/// A socket, on which what is said is heard.
async fn enter(app: &App, client: &Client) -> Socket {
    let cookie = format!("{COOKIE}={}", client.cookie(COOKIE).expect("there is a session"));
    let mut socket = Socket::open(app.address(), "/room", &cookie).await.expect("the session is alive");
    assert!(said(&mut socket, "hello").await.contains("\"hello\""));
    socket
}

async fn said(socket: &mut Socket, text: &str) -> String {
    socket.say(text).await;
    socket.hear().await
}

async fn log_out(client: &Client, app: &App) {
    assert_eq!(client.at(&app.url()).post("/logout").await.status, StatusCode::SEE_OTHER);
}

fn logged_out() -> (u16, String) {
    (1008, "you have been logged out".into())
}

async fn sockets_close_when_the_person_logs_out_elsewhere(store: Option<String>) {
    let apps = chat(store).await;
    let (first, last) = (&apps[0], &apps[apps.len() - 1]);
    let (ada, grace) = (logged_in(first, "Ada").await, logged_in(last, "Grace").await);
    let mut adas = vec![];
    for app in &apps {
        adas.push(enter(app, &ada).await);
    }
    let mut graces = enter(first, &grace).await;
    log_out(&ada, last).await;
    for socket in &mut adas {
        assert_eq!(socket.closed(SOON).await, logged_out());
    }
    assert!(said(&mut graces, "still here").await.contains("still here"), "it is somebody else's session");
    log_out(&grace, first).await;
    assert_eq!(graces.closed(SOON).await, logged_out());
}

#[tokio::test]
async fn a_logout_closes_the_sockets_in_memory() {
    sockets_close_when_the_person_logs_out_elsewhere(None).await;
}

#[tokio::test]
async fn a_logout_closes_the_sockets_of_two_processes_on_redis() {
    let redis = Redis::start().await;
    sockets_close_when_the_person_logs_out_elsewhere(Some(redis.url())).await;
}

fn in_folder(kind: &str, folder: &Path) -> Option<String> {
    Some(format!("{kind}:{}", folder.join("sessions").display()))
}

#[tokio::test]
async fn a_logout_closes_the_sockets_of_two_processes_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    sockets_close_when_the_person_logs_out_elsewhere(in_folder("sqlite", folder.path())).await;
}

#[tokio::test]
async fn a_logout_closes_the_sockets_of_two_processes_on_files() {
    let folder = tempfile::tempdir().unwrap();
    sockets_close_when_the_person_logs_out_elsewhere(in_folder("file", folder.path())).await;
}

#[tokio::test]
async fn sockets_outlive_a_redis_that_is_killed_and_close_at_a_logout_after_it_is_back() {
    let mut redis = Redis::start_durable().await;
    let apps = chat(Some(redis.url())).await;
    let ada = logged_in(&apps[0], "Ada").await;
    let mut sockets = [enter(&apps[0], &ada).await, enter(&apps[1], &ada).await];
    for _ in 0..2 {
        redis.kill();
        for socket in &mut sockets {
            assert!(socket.stays_open(Duration::from_secs(1)).await, "a store that is down has ended nothing");
        }
        redis.restart().await;
    }
    // Both are connected again, which takes a request as long as it takes.
    for app in &apps {
        let client = ada.at(&app.url());
        wait::until(wait::ANSWER, "Redis is in use again", async || {
            client.send(Method::GET, "/", |request| request).await.status == StatusCode::OK
        })
        .await;
    }
    log_out(&ada, &apps[1]).await;
    for socket in &mut sockets {
        assert_eq!(socket.closed(SOON).await, logged_out());
    }
}

#[tokio::test]
async fn a_session_that_redis_lost_with_its_memory_closes_its_socket() {
    let mut redis = Redis::start().await;
    let apps = chat(Some(redis.url())).await;
    let ada = logged_in(&apps[0], "Ada").await;
    let mut socket = enter(&apps[0], &ada).await;
    redis.restart().await;
    assert_eq!(socket.closed(SOON).await, logged_out());
}

/// A process shows once a second at most that its subscription is alive, however many sockets wait on it.
#[tokio::test]
async fn open_sockets_cost_redis_a_ping_a_second_for_each_process_while_nothing_happens() {
    let redis = Redis::start().await;
    let apps = chat(Some(redis.url())).await;
    let ada = logged_in(&apps[0], "Ada").await;
    let mut sockets = [
        enter(&apps[0], &ada).await,
        enter(&apps[0], &ada).await,
        enter(&apps[1], &ada).await,
        enter(&apps[1], &ada).await,
    ];
    let (recording, start) = (redis.record().await, Instant::now());
    // Time has to pass for a poll to show.
    for socket in &mut sockets {
        assert!(socket.stays_open(Duration::from_millis(750)).await);
    }
    let commands = recording.finish().await;
    assert!(commands.iter().all(|command| command == "\"PING\""), "{commands:#?}");
    let most = (start.elapsed().as_secs() as usize + 1) * apps.len();
    assert!((1..=most).contains(&commands.len()), "{} in {:?}", commands.len(), start.elapsed());
}

#[tokio::test]
async fn nobody_enters_without_a_session() {
    let apps = chat(None).await;
    assert_eq!(Socket::open(apps[0].address(), "/room", "").await.unwrap_err(), StatusCode::UNAUTHORIZED);
}
