//! What holds of an index by owner, whatever the store.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use session_tests::Client;

use super::{
    Stored,
    interrupted::Watched,
    people::{Any, Five, IDLE, Strict, World, is_alive, login, try_login},
};
use crate::store::Store;

pub(super) async fn each_session_of_an_owner_is_listed_and_nobody_elses<B: Stored>(store: &Store<B>) {
    let world = World::<Any>::open(store).await;
    let clients: Vec<Client> = (0..4).map(|number| world.client(number)).collect();
    let mut handles = Vec::new();
    for (client, (owner, label)) in clients.iter().zip([(7, "phone"), (7, "laptop"), (8, "anonymous"), (7, "tablet")]) {
        handles.push(login(client, owner, label).await);
        // More than any store is late in noting a use.
        world.clock.advance(Duration::from_secs(120));
    }
    assert!(is_alive(&clients[0]).await, "used last");
    for sessions in &world.sessions {
        let listed = sessions.of(&Some(7)).list().await.unwrap();
        let labels: Vec<_> = listed.iter().map(|listing| listing.label().unwrap()).collect();
        assert_eq!(labels, ["phone", "tablet", "laptop"], "the one that was used last comes first");
        let [phone, tablet, laptop] = &listed[..] else { panic!("{listed:?}") };
        assert!(phone.is(handles[0]) && tablet.is(handles[3]) && laptop.is(handles[1]));
        assert!(phone.created_at() < laptop.created_at() && laptop.created_at() < tablet.created_at());
        assert_eq!(laptop.last_seen_at(), laptop.created_at());
        assert!(phone.last_seen_at() > tablet.last_seen_at());
        assert!(phone.expires_at() > phone.last_seen_at());
        assert!(sessions.of(&Some(9)).list().await.unwrap().is_empty());
    }
    assert!(clients[1].post("/logout").await.status.is_success());
    assert_eq!(world.handles(7).await, [handles[0].to_string(), handles[3].to_string()]);
}

pub(super) async fn looking_at_the_list_is_no_use_of_a_session<B: Stored>(store: &Store<B>) {
    let world = World::<Any>::open(store).await;
    let client = world.client(0);
    login(&client, 7, "phone").await;
    for _ in 0..4 {
        world.clock.advance(IDLE / 3);
        world.handles(7).await;
    }
    assert!(world.handles(7).await.is_empty(), "it has expired");
    assert!(!is_alive(&client).await);
}

pub(super) async fn a_session_that_is_ended_by_its_handle_is_dead_everywhere<B: Stored>(store: &Store<B>) {
    let world = World::<Any>::open(store).await;
    let (ended, other) = (world.client(0), world.client(1));
    let handle = login(&ended, 7, "phone").await;
    login(&other, 7, "laptop").await;
    let [_, sessions] = &world.sessions;
    assert!(!sessions.of(&Some(8)).end(handle).await.unwrap(), "it is not hers");
    assert!(is_alive(&ended).await);
    assert!(sessions.of(&Some(7)).end(handle).await.unwrap());
    for server in &world.servers {
        assert!(!is_alive(&ended.at(&server.url())).await);
        assert!(is_alive(&other.at(&server.url())).await);
    }
    assert!(!sessions.of(&Some(7)).end(handle).await.unwrap(), "it has ended");
    assert_eq!(world.handles(7).await.len(), 1);
}

pub(super) async fn all_sessions_end_or_all_but_one<B: Stored>(store: &Store<B>) {
    let world = World::<Any>::open(store).await;
    let clients: Vec<Client> = (0..20).map(|number| world.client(number)).collect();
    let anonymous = world.client(0);
    login(&anonymous, 8, "anonymous").await;
    let kept = login(&clients[0], 7, "kept").await;
    for client in &clients[1..] {
        login(client, 7, "other").await;
    }
    let owned = world.sessions[1].of(&Some(7));
    assert_eq!(owned.end_others(kept).await.unwrap(), 19);
    assert_eq!((world.alive(&clients, 7).await, is_alive(&clients[0]).await), (1, true));
    assert_eq!(owned.end_others(kept).await.unwrap(), 0);
    assert_eq!(owned.end_all().await.unwrap(), 1);
    assert_eq!((world.alive(&clients, 7).await, owned.end_all().await.unwrap()), (0, 0));
    assert!(is_alive(&anonymous).await);
    // An empty list is begun anew.
    login(&clients[0], 7, "again").await;
    assert_eq!(world.alive(&clients, 7).await, 1);
}

pub(super) async fn fifty_logins_at_once_leave_exactly_five_sessions<B: Stored>(store: &Store<B>) {
    let world = World::<Five>::open(store).await;
    let clients: Vec<Client> = (0..50).map(|number| world.client(number)).collect();
    let replies = join_all(clients.iter().map(|client| try_login(client, 7, "phone"))).await;
    for reply in &replies {
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    assert_eq!(world.alive(&clients, 7).await, 5);
    assert_eq!(world.handles(7).await.len(), 5);
}

pub(super) async fn of_fifty_logins_at_once_exactly_five_are_let_in<B: Stored>(store: &Store<B>) {
    let world = World::<Strict>::open(store).await;
    let clients: Vec<Client> = (0..50).map(|number| world.client(number)).collect();
    let replies = join_all(clients.iter().map(|client| try_login(client, 7, "phone"))).await;
    let (let_in, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    assert_eq!((let_in.len(), refused.len()), (5, 45));
    for reply in refused {
        assert_eq!(reply.status, 409);
        assert!(reply.text().contains("urn:problem-type:session:too-many-sessions"), "{}", reply.text());
        assert!(reply.set_cookies().is_empty());
    }
    assert_eq!(world.alive(&clients, 7).await, 5);
    // Who leaves makes room.
    let anonymous = world.client(1);
    assert_eq!(try_login(&anonymous, 7, "late").await.status, 409);
    let first = clients.iter().zip(&replies).find(|(_, reply)| reply.status == 200).unwrap().0;
    assert!(first.post("/logout").await.status.is_success());
    login(&anonymous, 7, "late").await;
    assert_eq!(world.handles(7).await.len(), 5);
}

pub(super) async fn the_oldest_session_makes_room<B: Stored>(store: &Store<B>) {
    let world = World::<Five>::open(store).await;
    let clients: Vec<Client> = (0..8).map(|number| world.client(number)).collect();
    for (number, client) in clients.iter().enumerate() {
        login(client, 7, "phone").await;
        for (earlier, client) in clients[..=number].iter().enumerate() {
            assert_eq!(is_alive(client).await, earlier + 5 > number, "{earlier} after {number}");
        }
        assert_eq!(world.handles(7).await.len(), 5.min(number + 1));
    }
    let anonymous = world.client(0);
    login(&anonymous, 8, "phone").await;
    assert_eq!(world.alive(&clients, 7).await, 5, "another owner's");
}

pub(super) async fn who_logs_in_anew_takes_nobodys_place<B: Stored>(store: &Store<B>) {
    let world = World::<Strict>::open(store).await;
    let clients: Vec<Client> = (0..5).map(|number| world.client(number)).collect();
    for client in &clients {
        login(client, 7, "phone").await;
    }
    for client in &clients {
        login(client, 7, "again").await;
    }
    assert_eq!(world.alive(&clients, 7).await, 5);
    // Somebody else at one of their machines: the session that was there ends, and makes room.
    login(&clients[0], 8, "phone").await;
    assert_eq!(world.handles(7).await.len(), 4);
}

pub(super) async fn what_has_expired_takes_nobodys_place<B: Stored>(store: &Store<B>) {
    let world = World::<Strict>::open(store).await;
    for round in 0..4 {
        let clients: Vec<Client> = (0..5).map(|number| world.client(number)).collect();
        for client in &clients {
            login(client, 7, "phone").await;
        }
        assert_eq!(try_login(&world.client(round), 7, "late").await.status, 409);
        assert_eq!(world.alive(&clients, 7).await, 5);
        // The second time the list itself reaches its end.
        world.clock.advance(if round % 2 == 0 { IDLE * 2 } else { Duration::from_secs(86_400) });
        assert!(world.handles(7).await.is_empty());
    }
}

pub(super) async fn an_entry_that_outlives_its_session_is_struck<B: Stored>(store: &Store<B>) {
    let one = Watched::new(Arc::clone(&store.one));
    let world = World::<Strict>::on(Arc::clone(&one), Arc::clone(&store.other)).await;
    let clients: Vec<Client> = (0..5).map(|_| world.client(0)).collect();
    for client in &clients {
        login(client, 7, "phone").await;
    }
    // Their records go, behind the back of the list.
    let records = one.created();
    assert_eq!(records.len(), 5);
    for key in &records[..2] {
        assert!(store.other.delete(key).await.unwrap());
    }
    assert_eq!(world.handles(7).await.len(), 3);
    assert!(store.other.delete(&records[2]).await.unwrap());
    for _ in 0..3 {
        login(&world.client(1), 7, "another").await;
    }
    assert_eq!(try_login(&world.client(0), 7, "late").await.status, 409);
    assert_eq!((world.handles(7).await.len(), world.alive(&clients, 7).await), (5, 2));
}

pub(super) async fn sessions_without_an_owner_are_listed_nowhere_and_never_too_many<B: Stored>(store: &Store<B>) {
    let world = World::<Strict>::open(store).await;
    let clients: Vec<Client> = (0..7).map(|number| world.client(number)).collect();
    for client in &clients {
        login(client, 0, "nobody").await;
    }
    let nobody = world.sessions[0].of(&None);
    assert!(nobody.list().await.unwrap().is_empty());
    assert_eq!(nobody.end_all().await.unwrap(), 0);
    assert!(!nobody.end(login(&clients[0], 0, "nobody").await).await.unwrap());
    for client in &clients {
        assert!(is_alive(client).await);
    }
}
