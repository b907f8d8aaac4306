//! An application with a page for operators, for its tests.

use std::sync::Arc;

use axum::Router;
use serde::{Deserialize, Serialize};
use session_runtime::{
    SessionData, Sessions, Started,
    admin::Admin,
    backend::{List as _, ListPage, ListedRecord, Memory},
    testing::ManualClock,
};
use session_tests::{Client, Reply, Served, serve};

use crate::support::key;

#[derive(Serialize, Deserialize, SessionData)]
pub(crate) struct Operator {
    pub(crate) admin: bool,
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = "1h", lifetime = "7d")]
pub(crate) struct Member {
    #[session(owner)]
    pub(crate) name: String,
    pub(crate) password_hint: String,
}

/// In the same store as members.
#[derive(Serialize, Deserialize, SessionData)]
pub(crate) struct Robot {
    pub(crate) serial: u64,
}

/// An application with a page for operators, and somebody who may see it.
pub(crate) struct Site {
    pub(crate) memory: Arc<Memory>,
    pub(crate) clock: ManualClock,
    pub(crate) operators: Sessions<Operator>,
    pub(crate) members: Sessions<Member>,
    pub(crate) robots: Sessions<Robot>,
    pub(crate) server: Served,
    pub(crate) admin: Client,
}

pub(crate) const HINT: &str = "a hint that nobody is shown";

pub(crate) async fn open<T: SessionData>(memory: &Arc<Memory>, clock: &ManualClock) -> Sessions<T> {
    let builder = Sessions::<T>::builder().key(&key('k')).clock(clock.clone());
    builder.shared_backend(Arc::clone(memory)).open().await.unwrap()
}

pub(crate) async fn site() -> Site {
    let (memory, clock) = (Arc::new(Memory::default()), ManualClock::new());
    let operators = open::<Operator>(&memory, &clock).await;
    let (members, robots) = (open::<Member>(&memory, &clock).await, open::<Robot>(&memory, &clock).await);
    let admin = Admin::new(&operators, |operator: &Operator| operator.admin)
        .sessions("Members", &members)
        .sessions_with("Robots", &robots, |robot: &Robot| format!("<i>serial {}</i>", robot.serial))
        .sessions("Operators", &operators);
    let server = serve(Router::new().nest("/admin", admin.router())).await;
    let admin = client(&server, &operators.start(Operator { admin: true }).await.unwrap());
    Site { memory, clock, operators, members, robots, server, admin }
}

pub(crate) fn client(server: &Served, started: &Started) -> Client {
    let client = server.client();
    client.set_cookie(&format!("{}; Path=/; Secure", started.cookie().unwrap().to_str().unwrap()));
    client
}

impl Site {
    pub(crate) async fn member(&self, name: &str, device: &str) -> Started {
        let member = Member { name: name.into(), password_hint: HINT.into() };
        self.members.start(member).label(device.to_owned()).await.unwrap()
    }

    pub(crate) async fn robot(&self, serial: u64) {
        _ = self.robots.start(Robot { serial }).await.unwrap();
    }

    /// What the store holds.
    pub(crate) async fn records(&self) -> Vec<ListedRecord> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let ListPage { records, next } = self.memory.list(after.as_ref(), 100).await.unwrap();
            found.extend(records);
            after = next;
            if after.is_none() {
                return found;
            }
        }
    }

    pub(crate) async fn page(&self, path: &str) -> String {
        let reply = self.admin.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.text().to_owned()
    }

    pub(crate) async fn live(&self) -> usize {
        self.members.count().await.unwrap()
    }
}

/// The values of all attributes of this kind: `values(page, "name=\"session\" value=\"")`.
pub(crate) fn values<'a>(page: &'a str, before: &str) -> Vec<&'a str> {
    page.split(before).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// The row of a page in which this stands.
pub(crate) fn row<'a>(page: &'a str, text: &str) -> &'a str {
    let rows = page.split("<tr role=\"row\">").filter(|row| row.contains(text));
    let rows: Vec<_> = rows.map(|row| row.split("</tr>").next().unwrap()).collect();
    assert_eq!(rows.len(), 1, "{text} in {page}");
    rows[0]
}

pub(crate) fn location(reply: &Reply) -> &str {
    assert_eq!(reply.status, 303, "{}", reply.text());
    reply.header("location").unwrap()
}

/// The path of the only owner with this name.
pub(crate) fn owner<'a>(page: &'a str, name: &str) -> &'a str {
    values(row(page, name), "href=\"")[0]
}
