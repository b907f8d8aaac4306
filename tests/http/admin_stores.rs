//! The page for operators where a store can't list, is down, or holds what can't be read; and what it counts.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::{Method, header::COOKIE},
    routing::get,
};
use serde::{Deserialize, Serialize, Serializer};
use session_runtime::{
    SessionData, Sessions,
    admin::Admin,
    backend::{self, Backend as _, Cookie, Memory, Record, Touch, Written},
    testing::ManualClock,
};
use session_tests::{Redis, serve};

use crate::{
    admin_app::{HINT, Member, Operator, client, location, open, owner, row, site, values},
    support::{Ledger, key},
};

#[derive(Serialize, Deserialize, SessionData)]
struct Hidden {
    #[session(owner, secret)]
    email: String,
}

/// A secret owner, as serde may be told to write it.
#[derive(Serialize, Deserialize, SessionData)]
struct Renamed {
    #[serde(rename = "mail")]
    #[session(owner, secret)]
    email: String,
}

#[derive(Serialize, Deserialize, SessionData)]
#[serde(rename_all = "camelCase")]
struct Recased {
    #[session(owner, secret)]
    user_name: String,
}

#[derive(Serialize, Deserialize, SessionData)]
struct Wrapped(#[session(owner, secret)] String);

#[derive(Serialize, Deserialize, SessionData)]
struct Tuple(u32, #[session(owner, secret)] String);

#[derive(Serialize, Deserialize, SessionData)]
struct Rewritten {
    #[serde(serialize_with = "loudly")]
    #[session(owner, secret)]
    email: String,
}

fn loudly<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text.to_uppercase())
}

/// An owner who is no secret, beside a secret of the same value.
#[derive(Serialize, Deserialize, SessionData)]
struct Named {
    #[session(owner)]
    name: String,
    #[session(secret)]
    word: String,
}

/// The page of a type with one session, and the page of its owner.
async fn pages_of<T: SessionData>(data: T) -> [String; 2] {
    let (memory, clock) = (Arc::new(Memory::default()), ManualClock::new());
    let (operators, sessions) = (open::<Operator>(&memory, &clock).await, open::<T>(&memory, &clock).await);
    let admin = Admin::new(&operators, |operator: &Operator| operator.admin).sessions("Shown", &sessions);
    let server = serve(Router::new().nest("/admin", admin.router())).await;
    let operator = client(&server, &operators.start(Operator { admin: true }).await.unwrap());
    _ = sessions.start(data).label("a phone").await.unwrap();
    let page = operator.get("/admin/shown").await.text().to_owned();
    let of_owner = operator.get(owner(&page, "a phone")).await.text().to_owned();
    [page, of_owner]
}

#[tokio::test]
async fn an_owner_that_is_secret_is_not_shown_however_serde_writes_the_field() {
    const MAIL: &str = "ann@example.org";
    let mail = || MAIL.to_owned();
    for pages in [
        pages_of(Hidden { email: mail() }).await,
        pages_of(Renamed { email: mail() }).await,
        pages_of(Recased { user_name: mail() }).await,
        pages_of(Wrapped(mail())).await,
        pages_of(Tuple(7, mail())).await,
        pages_of(Rewritten { email: mail() }).await,
    ] {
        assert!(pages[0].contains(">secret<") && pages[1].contains("Sessions of an owner"), "{pages:?}");
        assert!(!pages.concat().to_lowercase().contains(MAIL), "{pages:?}");
    }
    let [page, of_owner] = pages_of(Named { name: "ann".into(), word: "ann".into() }).await;
    assert!(page.contains(">ann<") && of_owner.contains("<h1>Sessions of ann</h1>"), "{page}");
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("HTTP_TESTS_ADMIN_KEY"), name = "admin-carried")]
struct Carried {
    text: String,
}

#[tokio::test]
async fn an_owner_that_is_secret_is_not_shown_and_an_owner_by_number_is_found() {
    #[derive(Serialize, Deserialize, SessionData)]
    struct Numbered {
        #[session(owner)]
        id: u64,
    }
    let (memory, clock) = (Arc::new(Memory::default()), ManualClock::new());
    let (operators, hidden) = (open::<Operator>(&memory, &clock).await, open::<Hidden>(&memory, &clock).await);
    let numbered = open::<Numbered>(&memory, &clock).await;
    let admin = Admin::new(&operators, |operator: &Operator| operator.admin).sessions("Hidden", &hidden);
    let server = serve(Router::new().nest("/admin", admin.sessions("Numbers", &numbered).router())).await;
    let operator = client(&server, &operators.start(Operator { admin: true }).await.unwrap());
    _ = hidden.start(Hidden { email: "ann@example.org".into() }).await.unwrap();
    _ = numbered.start(Numbered { id: 42 }).await.unwrap();
    let page = operator.get("/admin/hidden").await.text().to_owned();
    let of_owner = operator.get(owner(&page, ">secret<")).await.text().to_owned();
    assert!(of_owner.contains("Sessions of an owner") && of_owner.contains("End all of this owner"), "{of_owner}");
    assert!(!page.contains("ann@example.org") && !of_owner.contains("ann@example.org"));
    let reply = operator.post_form("/admin/numbers/find", &[("owner", "42")]).await;
    assert!(operator.get(location(&reply)).await.text().contains("Sessions of 42"));
}

#[tokio::test]
async fn a_store_that_cannot_list_says_so_and_an_owners_sessions_are_found_all_the_same() {
    let (memory, clock) = (Arc::new(Memory::default()), ManualClock::new());
    let operators = open::<Operator>(&memory, &clock).await;
    let silent = Sessions::<Member>::builder().key(&key('k')).backend(Ledger::default()).open().await.unwrap();
    let carried = Sessions::<Carried>::builder().key(&key('k')).backend(Cookie).open().await.unwrap();
    let admin = Admin::new(&operators, |operator: &Operator| operator.admin);
    let admin = admin.sessions("Silent", &silent).sessions("Carried", &carried);
    let server = serve(Router::new().nest("/admin", admin.router())).await;
    let operator = client(&server, &operators.start(Operator { admin: true }).await.unwrap());
    let overview = operator.get("/admin").await;
    assert_eq!(
        (overview.status.as_u16(), overview.text().matches("This store can't list its sessions.").count()),
        (200, 2)
    );
    let page = operator.get("/admin/carried").await;
    assert!(page.text().contains("These sessions are kept in their cookies."), "{}", page.text());
    assert!(!page.text().contains("<form"), "{}", page.text());
    assert_eq!(operator.post("/admin/carried/end-all").await.status, 404);
    assert_eq!(operator.get("/admin/silent/end-all").await.status, 404);

    _ = silent.start(Member { name: "ann".into(), password_hint: HINT.into() }).label("phone").await.unwrap();
    assert!(operator.get("/admin/silent").await.text().contains("The store of these sessions can't list them."));
    let reply = operator.post_form("/admin/silent/find", &[("owner", "ann")]).await;
    let path = location(&reply).to_owned();
    assert!(row(operator.get(&path).await.text(), "phone").contains("<form"));
    let reply = operator.post(&format!("{path}/end")).await;
    assert!(operator.get(location(&reply)).await.text().contains("1 session ended."));
    assert_eq!(silent.of("ann").list().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_store_that_is_down_is_a_503_that_names_the_kind_of_failure_and_no_secret() {
    let (memory, clock) = (Arc::new(Memory::default()), ManualClock::new());
    let operators = open::<Operator>(&memory, &clock).await;
    let mut redis = Redis::start().await;
    let store = backend::Redis::new(&redis.url(), "test:").unwrap();
    let members = Sessions::<Member>::builder().key(&key('k')).deadline(Duration::from_secs(2)).backend(store);
    let members = members.open().await.unwrap();
    _ = members.start(Member { name: "ann".into(), password_hint: HINT.into() }).label("phone").await.unwrap();
    let admin = Admin::new(&operators, |operator: &Operator| operator.admin);
    let admin = admin.sessions("Members", &members).sessions("Operators", &operators);
    let server = serve(Router::new().nest("/admin", admin.router())).await;
    let operator = client(&server, &operators.start(Operator { admin: true }).await.unwrap());
    let page = operator.get("/admin/members").await.text().to_owned();
    let (session, ann) = (values(&page, "name=\"session\" value=\"")[0], owner(&page, "phone"));
    redis.kill();

    let overview = operator.get("/admin").await;
    assert_eq!(overview.status, 503);
    assert!(overview.text().contains("The session store is unavailable"), "{}", overview.text());
    assert!(overview.text().contains("<strong>1</strong> live"), "the other store is shown: {}", overview.text());
    let replies = [
        operator.get("/admin/members").await,
        operator.get("/admin/members/end-all").await,
        operator.get(ann).await,
        operator.post("/admin/members/end-all").await,
        operator.post(&format!("{ann}/end")).await,
        operator.post_form("/admin/members/end", &[("session", session)]).await,
    ];
    let url = redis.url();
    let place = url.trim_start_matches("redis://").trim_end_matches('/');
    for reply in replies {
        assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, Some("1")), "{}", reply.text());
        let text = reply.text();
        assert!(text.contains("The session store is unavailable") && text.contains("session.backend_down"), "{text}");
        let kinds = ["It did not answer within the deadline.", "It can't be reached, or answered with an error."];
        assert!(kinds.iter().any(|kind| text.contains(kind)), "{text}");
        assert!(!text.contains(place) && !text.contains("refused"), "{text}");
    }
    assert_eq!(operator.get("/admin/operators").await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_read_is_named_and_left_alone() {
    let site = site().await;
    let broken = site.member("ann", "phone").await.public_id();
    _ = site.member("bob", "desk").await;
    let records = site.records().await;
    let listed = records.into_iter().find(|listed| listed.key.public_id() == broken).expect("it is stored");
    let (key, record) = (listed.key, listed.record.unwrap());
    let touch = Touch { now: record.last_seen, idle: Duration::from_secs(3600), expires: record.expires };
    let body = record.body.slice(..record.body.len() - 1);
    let damaged = Record { version: record.version + 1, body, ..record.clone() };
    assert_eq!(site.memory.update(&key, record.version, damaged, touch).await.unwrap(), Written::Done);
    let page = site.page("/admin/members").await;
    assert!(page.contains("Not readable") && page.contains(&format!("<code>{broken}</code>: data")), "{page}");
    assert_eq!(values(&page, "name=\"session\" value=\"").len(), 1);
    assert!(page.contains("“End all sessions” leaves them alone."), "{page}");
    let reply = site.admin.post("/admin/members/end-all").await;
    assert!(site.page(location(&reply)).await.contains("1 session ended."));
    let page = site.page("/admin/members").await;
    assert!(page.contains(&broken.to_string()), "{page}");
    // It is in its owner's list, and ends with that.
    let reply = site.admin.post_form("/admin/members/find", &[("owner", "ann")]).await;
    let path = location(&reply).to_owned();
    let page = site.page(&path).await;
    assert!(page.contains(&broken.to_string()) && page.contains("They end with the others of this owner."), "{page}");
    site.admin.post(&format!("{path}/end")).await;
    assert!(!site.page("/admin/members").await.contains(&broken.to_string()));
}

#[tokio::test]
async fn events_of_the_last_hour_are_counted_by_type() {
    /// Of no other test, as the counts are those of the whole process.
    #[derive(Serialize, Deserialize, SessionData)]
    struct CountedByTheAdminPage;
    let (memory, clock) = (Arc::new(Memory::default()), ManualClock::new());
    let operators = open::<Operator>(&memory, &clock).await;
    let counted = open::<CountedByTheAdminPage>(&memory, &clock).await;
    let admin = Admin::new(&operators, |operator: &Operator| operator.admin).sessions("Counted", &counted);
    let behind = Router::new().route("/", get(async || ())).route_layer(counted.protect());
    let server = serve(behind.nest("/admin", admin.router())).await;
    let operator = client(&server, &operators.start(Operator { admin: true }).await.unwrap());
    for _ in 0..3 {
        _ = counted.start(CountedByTheAdminPage).await.unwrap();
    }
    operator.post("/admin/counted/end-all").await;
    let name = "__Host-counted-by-the-admin-page";
    for _ in 0..2 {
        let forged = format!("{name}={}", "A".repeat(120));
        let reply = server.client().send(Method::GET, "/", |request| request.header(COOKIE, forged)).await;
        assert_eq!(reply.status, 401);
    }
    let page = operator.get("/admin").await.text().to_owned();
    let count = |event: &str| {
        let row = page.split("<tr>").find(|row| row.contains(&format!("<th scope=\"row\">{event}</th>"))).unwrap();
        row.split("<td>").nth(1).unwrap().split('<').next().unwrap().to_owned()
    };
    let counts = ["Started", "Ended", "Refused", "Forged tokens", "Errors"].map(count);
    assert_eq!(counts, ["3", "3", "0", "2", "0"]);
    assert!(page.contains("Events are those of this process alone"), "{page}");
    // The three may lie on both sides of a minute's end.
    assert!(page.contains("aria-label=\"Started: at most ") && page.contains("<rect "), "{page}");
}
