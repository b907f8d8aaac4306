//! How much of `on_end` there is at a time, and what the page for operators tells it.

use std::{sync::Arc, time::Duration};

use axum::Router;
use session_runtime::{EndReason, Sessions, admin::Admin, backend::Memory, testing::ManualClock};
use session_tests::{serve, wait};
use tokio::{
    sync::{Semaphore, mpsc},
    time::Instant,
};

use crate::{
    admin_app::{HINT, Member, Operator, Robot, client, location, open, owner, values},
    support::{Events, key},
};

const LIMIT: Duration = Duration::from_secs(60);

type Told = mpsc::UnboundedSender<(String, EndReason)>;

async fn tell(member: Member, reason: EndReason, told: &Told) {
    told.send((member.name, reason)).unwrap();
}

#[tokio::test]
async fn what_the_page_for_operators_ends_is_told_as_revoked() {
    let (memory, clock) = (Arc::new(Memory::default()), ManualClock::new());
    let (sender, mut told) = mpsc::unbounded_channel();
    let operators = open::<Operator>(&memory, &clock).await;
    let builder = Sessions::<Member>::builder().key(&key('k')).clock(clock).shared_backend(memory);
    let members = builder.on_end_with(sender, tell).open().await.unwrap();
    let admin = Admin::new(&operators, |operator: &Operator| operator.admin).sessions("Members", &members);
    let server = serve(Router::new().nest("/admin", admin.router())).await;
    let admin = client(&server, &operators.start(Operator { admin: true }).await.unwrap());
    let start = async |name: &str| {
        let member = Member { name: name.into(), password_hint: HINT.into() };
        _ = members.start(member).await.unwrap();
    };
    let mut next = async || wait::within(LIMIT, "`on_end` is called", told.recv()).await.unwrap();
    let revoked = |name: &str| (name.to_owned(), EndReason::Revoked);

    start("ann").await;
    let page = admin.get("/admin/members").await;
    let session = values(page.text(), "name=\"session\" value=\"")[0];
    location(&admin.post_form("/admin/members/end", &[("session", session)]).await);
    assert_eq!(next().await, revoked("ann"));

    start("bea").await;
    let page = admin.get("/admin/members").await;
    location(&admin.post(&format!("{}/end", owner(page.text(), "bea"))).await);
    assert_eq!(next().await, revoked("bea"));

    start("cat").await;
    location(&admin.post("/admin/members/end-all").await);
    assert_eq!(next().await, revoked("cat"));
}

async fn never_done(_: Robot, _: EndReason, (): &()) {
    std::future::pending::<()>().await;
}

/// With a clock of the test's own: nothing is waited for.
#[tokio::test(start_paused = true)]
async fn a_call_that_takes_longer_than_30_s_is_given_up_and_told() {
    let events = Events::listen();
    let robots = Sessions::<Robot>::builder().on_end_with((), never_done).open().await.unwrap();
    _ = robots.start(Robot { serial: 1 }).await.unwrap();
    let before = Instant::now();
    assert_eq!(robots.end_where(|_| true).await.unwrap(), 1);
    let failed = || events.named("session.end_hook_failed");
    while failed().is_empty() && before.elapsed() < LIMIT * 10 {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let failed = failed();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!((failed[0].field("reason"), failed[0].field("error")), ("revoked", "it was not done after 30 s"));
    assert!((Duration::from_secs(30)..Duration::from_secs(32)).contains(&before.elapsed()), "{:?}", before.elapsed());
}

/// What is called, once it may be.
struct Gate {
    open: Semaphore,
    called: mpsc::UnboundedSender<u64>,
}

async fn waits(robot: Robot, _: EndReason, gate: &Arc<Gate>) {
    gate.open.acquire().await.unwrap().forget();
    gate.called.send(robot.serial).unwrap();
}

/// The calls would be given up after 30 s, which this clock reaches only when there is nothing else to do.
#[tokio::test(start_paused = true)]
async fn of_more_than_10_000_ended_sessions_that_wait_the_rest_is_told_by_an_event_alone() {
    const ENDED: u64 = 10_020;
    /// 16 are called at once, and 10,000 wait.
    const ROOM: usize = 10_016;
    let (called, mut calls) = mpsc::unbounded_channel();
    let gate = Arc::new(Gate { open: Semaphore::new(0), called });
    let robots = Sessions::<Robot>::builder().on_end_with(Arc::clone(&gate), waits).open().await.unwrap();
    for serial in 0..ENDED {
        _ = robots.start(Robot { serial }).await.unwrap();
    }
    let events = Events::listen();
    assert_eq!(robots.end_where(|_| true).await.unwrap() as u64, ENDED);
    let failed = events.named("session.end_hook_failed");
    assert_eq!(failed.len(), usize::try_from(ENDED).unwrap() - ROOM);
    assert!(failed.iter().all(|told| told.field("error") == "too many ended sessions wait for it"), "{failed:?}");
    gate.open.add_permits(ROOM);
    for _ in 0..ROOM {
        wait::within(LIMIT, "those that had room are called", calls.recv()).await.unwrap();
    }
    assert!(calls.try_recv().is_err(), "nobody else is");
    assert_eq!(events.named("session.end_hook_failed").len(), failed.len());
}
