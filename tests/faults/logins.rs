//! One person who logs in everywhere at once.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use futures_util::future::join_all;
use session_tests::Client;

use crate::fleet::{Fleet, on_every_fleet};

on_every_fleet! {
    fifty_logins_at_once_leave_exactly_five_sessions
}

/// With a limit of five sessions for each owner, the oldest of which makes room.
async fn fifty_logins_at_once_leave_exactly_five_sessions(fleet: Fleet) {
    let clients: Vec<Client> = (0..50).map(|number| fleet.client(number % fleet.members.len())).collect();
    for reply in join_all(clients.iter().map(|client| client.post("/login/7"))).await {
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    }
    // Each asks the next member, which is another than the one it logged in at where there are two.
    let elsewhere = |number: usize| clients[number].at(&fleet.url((number + 1) % fleet.members.len()));
    let replies = join_all((0..50).map(async |number| elsewhere(number).get("/keeper").await)).await;
    let (alive, ended): (Vec<_>, Vec<_>) = replies.iter().enumerate().partition(|(_, reply)| reply.status.is_success());
    assert_eq!((alive.len(), ended.len()), (5, 45));
    for (_, reply) in ended {
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{}", reply.text());
    }
    let handles: BTreeSet<String> = alive.iter().map(|(_, reply)| reply.text().to_owned()).collect();
    for (number, _) in alive {
        assert_eq!(elsewhere(number).get("/logins").await.json::<BTreeSet<String>>(), handles);
    }
}
