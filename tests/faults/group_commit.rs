//! Many requests that write one session as fast as they can: one save carries the changes of many of them. What is promised
//! of each does not change by it: each entry is there once if its request was answered with success, and only then.

use std::time::Duration;

use axum::http::StatusCode;
use redis::aio::MultiplexedConnection;
use session_tests::{Redis, Reply};
use tokio::task::JoinSet;

use crate::{
    files,
    fleet::{Fleet, PATIENT, Store, Terms, Writer, on_every_fleet, sorted},
    near_cache,
    sql_fleet::on_every_database,
};

on_every_fleet! {
    who_fails_or_leaves_between_writers_leaves_nothing
    what_a_handler_has_read_is_stored_once_it_is_answered
    updates_between_writers_lose_nothing
}

on_every_database! {
    who_fails_or_leaves_between_writers_leaves_nothing
    what_a_handler_has_read_is_stored_once_it_is_answered
    exactly_what_was_answered_with_success_is_kept_though_leases_are_lost
}

on_every_fleet! { @ on_redis_by_one_process { Fleet::on_redis(1, PATIENT) } writers_of_one_process_share_their_saves }
on_every_fleet! { @ on_sqlite_by_one_process { Fleet::on_sqlite(1, PATIENT) } writers_of_one_process_share_their_saves }
on_every_fleet! { @ on_postgres_by_one_process { Fleet::on_postgres(1, PATIENT) } writers_of_one_process_share_their_saves }
on_every_fleet! { @ on_mariadb_by_one_process { Fleet::on_mariadb(1, PATIENT) } writers_of_one_process_share_their_saves }

mod between_processes {
    use super::{
        a_logout_between_writers_brings_nothing_back, a_rotation_between_writers_loses_nothing_that_was_answered,
    };
    use crate::fleet::on_fleets_of_two;

    on_fleets_of_two! {
        a_logout_between_writers_brings_nothing_back
        a_rotation_between_writers_loses_nothing_that_was_answered
    }
}

/// How many write in each process, and how often.
const WRITERS: u32 = 16;
const WRITES: u32 = 15;

/// Writers of every member, at once: what each entry was answered.
struct Storm(JoinSet<Vec<(u32, StatusCode)>>);

impl Storm {
    fn begin(fleet: &Fleet, writer: &Writer) -> Self {
        Self::of(&["add"], fleet, writer)
    }

    /// Writers that do these in turn.
    fn of(actions: &'static [&str], fleet: &Fleet, writer: &Writer) -> Self {
        let mut tasks = JoinSet::new();
        for task in 0..WRITERS * u32::try_from(fleet.members.len()).unwrap() {
            let (writer, member) = (writer.clone(), task as usize % fleet.members.len());
            tasks.spawn(async move {
                let mut answers = Vec::new();
                for entry in task * WRITES..(task + 1) * WRITES {
                    let action = actions[entry as usize % actions.len()];
                    let status = writer.post(member, &format!("/{action}/{entry}")).await.status;
                    answers.push((entry, status));
                    if status == StatusCode::SERVICE_UNAVAILABLE {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
                answers
            });
        }
        Self(tasks)
    }

    async fn end(self) -> Vec<(u32, StatusCode)> {
        self.0.join_all().await.into_iter().flatten().collect()
    }
}

fn with(answers: &[(u32, StatusCode)], status: StatusCode) -> Vec<u32> {
    sorted(answers.iter().filter(|answer| answer.1 == status).map(|answer| answer.0).collect())
}

async fn who_fails_or_leaves_between_writers_leaves_nothing(fleet: Fleet) {
    let writer = fleet.writer().await;
    let storm = Storm::begin(&fleet, &writer);
    let mut failing = JoinSet::new();
    for entry in 10_000..10_030 {
        let (failer, member) = (writer.clone(), entry as usize % fleet.members.len());
        let action = if entry % 4 == 0 { "panic" } else { "fail" };
        failing.spawn(async move { failer.try_post(member, &format!("/{action}/{entry}")).await });
        // In the middle of its handler, or while it waits for its turn.
        let leaving = fleet.ask(member, &format!("/hold/{}", entry + 10_000), &writer).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        drop(leaving);
    }
    for reply in failing.join_all().await {
        assert!(reply.is_none_or(|reply| reply.status == StatusCode::INTERNAL_SERVER_ERROR));
    }
    let answers = storm.end().await;
    assert_eq!(with(&answers, StatusCode::OK).len(), answers.len());
    assert_eq!(sorted(writer.entries(fleet.last()).await), with(&answers, StatusCode::OK));
}

/// Why data was refused.
fn reason(reply: &Reply) -> String {
    reply.json::<serde_json::Value>()["errors"][0]["detail"].as_str().unwrap().to_owned()
}

/// Asks how many entries there are, without a change that is kept, and then what is stored, until all have written.
async fn looks(reader: usize, writer: &Writer, storm: Storm) -> Vec<(u32, StatusCode)> {
    let ended = tokio::spawn(storm.end());
    for look in ["/look", "/failing-look", "/refused-look"].into_iter().cycle() {
        if ended.is_finished() {
            break;
        }
        let look = writer.post(0, look).await;
        let said = match look.status {
            StatusCode::OK | StatusCode::INTERNAL_SERVER_ERROR => Some(look.text().to_owned()),
            StatusCode::UNPROCESSABLE_ENTITY => Some(reason(&look)),
            _ => None,
        };
        if let Some(said) = said {
            let seen: usize = said.parse().unwrap();
            let stored = writer.entries(reader).await.len();
            assert!(stored >= seen, "a handler was answered with {seen} entries, and {stored} are stored");
        } else {
            assert_eq!(look.status, StatusCode::CONFLICT, "{}", look.text());
        }
    }
    ended.await.unwrap()
}

async fn what_a_handler_has_read_is_stored_once_it_is_answered(fleet: Fleet) {
    what_a_handler_has_read_is_stored_once_it_is_answered_to(fleet.last(), fleet).await;
}

async fn what_a_handler_has_read_is_stored_once_it_is_answered_to(reader: usize, fleet: Fleet) {
    let writer = fleet.writer().await;
    let answers = looks(reader, &writer, Storm::begin(&fleet, &writer)).await;
    assert_eq!(with(&answers, StatusCode::OK).len(), answers.len());
    assert_eq!(sorted(writer.entries(0).await), with(&answers, StatusCode::OK));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_handler_has_read_is_in_its_process_once_it_is_answered_though_records_are_read_from_memory() {
    what_a_handler_has_read_is_stored_once_it_is_answered_to(0, near_cache::fleet().await).await;
}

async fn updates_between_writers_lose_nothing(fleet: Fleet) {
    let writer = fleet.writer().await;
    let answers = Storm::of(&["add", "update", "add", "append"], &fleet, &writer).end().await;
    assert_eq!(with(&answers, StatusCode::OK).len(), answers.len());
    assert_eq!(sorted(writer.entries(fleet.last()).await), with(&answers, StatusCode::OK));
}

async fn leases(connection: &mut MultiplexedConnection) -> Vec<String> {
    redis::cmd("KEYS").arg("*:lease").query_async(connection).await.unwrap()
}

/// Takes leases away while it is polled, as if they had run out.
async fn take_leases_away(fleet: &mut Fleet) {
    if let Store::Sql(database) = &fleet.store {
        loop {
            database.sql("UPDATE sessions SET lease_holder = NULL, lease_until = NULL").await;
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }
    if let Store::Files(folder) = &fleet.store {
        loop {
            files::take_leases_away(folder.path());
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }
    let mut connection = fleet.redis().connect().await;
    loop {
        for lease in leases(&mut connection).await {
            let _: u32 = redis::cmd("DEL").arg(lease).query_async(&mut connection).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

async fn exactly_what_was_answered_with_success_is_kept_though_leases_are_lost(mut fleet: Fleet) {
    let writer = fleet.writer().await;
    let storm = tokio::spawn(Storm::begin(&fleet, &writer).end());
    let answers = tokio::select! {
        answers = storm => answers.unwrap(),
        () = take_leases_away(&mut fleet) => unreachable!(),
    };
    let (kept, refused) = (with(&answers, StatusCode::OK), with(&answers, StatusCode::CONFLICT));
    assert_eq!(kept.len() + refused.len(), answers.len(), "{answers:?}");
    assert!(!refused.is_empty(), "no lease was lost");
    assert_eq!(sorted(writer.entries(0).await), kept);
    assert_eq!(writer.post(fleet.last(), "/append/30000").await.status, StatusCode::OK);
    assert_eq!(fleet.stored().await, 1, "no lease is left behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_in_a_batch_fail_with_it_and_leave_nothing() {
    let fleet = Fleet::on_redis(1, PATIENT).await;
    exactly_what_was_answered_with_success_is_kept_though_leases_are_lost(fleet).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_in_a_batch_fail_with_it_and_leave_nothing_while_another_process_writes() {
    let fleet = Fleet::on_redis(2, PATIENT).await;
    exactly_what_was_answered_with_success_is_kept_though_leases_are_lost(fleet).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_in_a_batch_on_files_fail_with_it_and_leave_nothing_while_another_process_writes() {
    for fleet in [Fleet::on_files(2, PATIENT).await, Fleet::on_durable_files(2, PATIENT).await] {
        exactly_what_was_answered_with_success_is_kept_though_leases_are_lost(fleet).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_of_a_batch_that_fails_is_not_answered() {
    for fleet in [Fleet::on_redis(1, PATIENT).await, Fleet::on_files(1, PATIENT).await] {
        nothing_is_answered_that_was_read_of_a_batch_that_fails(fleet).await;
    }
}

async fn nothing_is_answered_that_was_read_of_a_batch_that_fails(mut fleet: Fleet) {
    let writer = fleet.writer().await;
    let storm = Storm::begin(&fleet, &writer);
    let answers = tokio::select! {
        answers = looks(0, &writer, storm) => answers,
        () = take_leases_away(&mut fleet) => unreachable!(),
    };
    assert!(!with(&answers, StatusCode::CONFLICT).is_empty(), "no lease was lost");
}

async fn writers_of_one_process_share_their_saves(mut fleet: Fleet) {
    let writer = fleet.writer().await;
    let before = match &fleet.store {
        Store::Redis(redis) => Some(redis.commands().await),
        _ => {
            fleet.database().count_changes().await;
            None
        }
    };
    let answers = Storm::begin(&fleet, &writer).end().await;
    let calls = match before {
        Some(before) => fleet.redis().commands().await.since(&before).of("evalsha"),
        None => fleet.database().changes().await,
    };
    let writes = u64::from(WRITERS * WRITES);
    assert_eq!(with(&answers, StatusCode::OK).len() as u64, writes);
    assert_eq!(sorted(writer.entries(0).await), with(&answers, StatusCode::OK));
    // Where each is saved by itself there are as many, and one or more to take the lease. How many share one depends on how
    // long a save takes beside a handler: on Redis, across the network, it takes the longer.
    let most = if matches!(fleet.store, Store::Redis(_)) { writes / 2 } else { writes };
    assert!(calls < most, "{calls} calls for {writes} writes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_one_process_share_their_saves_of_a_file() {
    let fleet = Fleet::on_durable_files(1, PATIENT).await;
    let writer = fleet.writer().await;
    let Store::Files(folder) = &fleet.store else { unreachable!("it is on files") };
    let renames = files::Renames::watch(folder.path());
    let answers = Storm::begin(&fleet, &writer).end().await;
    let saves = renames.count();
    let writes = (WRITERS * WRITES) as usize;
    assert_eq!(with(&answers, StatusCode::OK).len(), writes);
    assert_eq!(sorted(writer.entries(0).await), with(&answers, StatusCode::OK));
    assert!(saves > 0 && saves < writes, "{saves} saves for {writes} writes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_stops_answering_fails_all_in_a_batch_and_loses_nothing_that_was_answered() {
    const HASTY: Terms = Terms { deadline: Duration::from_millis(700), ..PATIENT };
    let mut fleet = Fleet::on_redis(2, HASTY).await;
    let writer = fleet.writer().await;
    let storm = tokio::spawn(Storm::begin(&fleet, &writer).end());
    tokio::time::sleep(Duration::from_millis(40)).await;
    fleet.redis().stop();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    fleet.redis().resume();
    let answers = storm.await.unwrap();
    let (kept, unknown) = (with(&answers, StatusCode::OK), with(&answers, StatusCode::SERVICE_UNAVAILABLE));
    let entries = sorted(writer.entries(0).await);
    assert!(kept.iter().all(|entry| entries.contains(entry)), "kept {kept:?}, stored {entries:?}");
    let refused: Vec<_> = answers.iter().filter(|answer| answer.1 == StatusCode::CONFLICT).collect();
    assert!(refused.iter().all(|answer| !entries.contains(&answer.0)), "{refused:?}, stored {entries:?}");
    let known = entries.iter().filter(|entry| kept.contains(entry) || unknown.contains(entry)).count();
    assert_eq!(known, entries.len(), "nothing else is stored, and nothing twice");
    let mut once = entries.clone();
    once.dedup();
    assert_eq!(once, entries);
}

async fn a_rotation_between_writers_loses_nothing_that_was_answered(fleet: Fleet) {
    let writer = fleet.writer().await;
    let storm = tokio::spawn(Storm::begin(&fleet, &writer).end());
    tokio::time::sleep(Duration::from_millis(40)).await;
    let rotated = wait_for_rotation(&writer).await;
    let answers = storm.await.unwrap();
    let kept = with(&answers, StatusCode::OK);
    let others = with(&answers, StatusCode::CONFLICT).len() + with(&answers, StatusCode::UNAUTHORIZED).len();
    assert_eq!(kept.len() + others, answers.len(), "{answers:?}");
    assert_eq!(sorted(rotated.entries(0).await), kept);
}

/// A rotation tries to come between writers so often, and no more.
async fn wait_for_rotation(writer: &Writer) -> Writer {
    loop {
        let reply = writer.post(1, "/rotate").await;
        if reply.status == StatusCode::OK {
            return writer.rotated(&reply);
        }
        assert_eq!(reply.status, StatusCode::CONFLICT, "{}", reply.text());
    }
}

async fn a_logout_between_writers_brings_nothing_back(fleet: Fleet) {
    let writer = fleet.writer().await;
    let storm = tokio::spawn(Storm::begin(&fleet, &writer).end());
    tokio::time::sleep(Duration::from_millis(40)).await;
    assert_eq!(writer.post(1, "/end").await.status, StatusCode::OK);
    let answers = storm.await.unwrap();
    let refused = with(&answers, StatusCode::CONFLICT).len() + with(&answers, StatusCode::UNAUTHORIZED).len();
    assert_eq!(with(&answers, StatusCode::OK).len() + refused, answers.len(), "{answers:?}");
    assert_eq!(fleet.stored().await, 0, "neither the session nor a lease");
}

/// Kills the store and starts it again in a storm of writers. What these were answered.
async fn killed_in_a_storm(fleet: &mut Fleet, writer: &Writer) -> Vec<(u32, StatusCode)> {
    let storm = tokio::spawn(Storm::begin(fleet, writer).end());
    tokio::time::sleep(Duration::from_millis(40)).await;
    fleet.redis().kill();
    fleet.redis().restart().await;
    storm.await.unwrap()
}

const SHORT: Terms = Terms { lease: Duration::from_secs(2), ..PATIENT };

async fn what_was_answered_outlives_a_store_that_is_killed_in_a_batch(processes: usize) {
    let mut fleet = Fleet::with(Redis::start_durable().await, processes, SHORT).await;
    for round in 1..4 {
        let writer = fleet.writer().await;
        let answers = killed_in_a_storm(&mut fleet, &writer).await;
        let (kept, unknown) = (with(&answers, StatusCode::OK), with(&answers, StatusCode::SERVICE_UNAVAILABLE));
        let refused = with(&answers, StatusCode::CONFLICT);
        assert_eq!(kept.len() + unknown.len() + refused.len(), answers.len(), "{answers:?}");
        let entries = sorted(writer.entries(0).await);
        assert!(kept.iter().all(|entry| entries.contains(entry)), "kept {kept:?}, stored {entries:?}");
        assert!(refused.iter().all(|entry| !entries.contains(entry)), "{refused:?}, stored {entries:?}");
        assert!(entries.iter().all(|entry| kept.contains(entry) || unknown.contains(entry)), "{entries:?}");
        let mut once = entries.clone();
        once.dedup();
        assert_eq!(once, entries);
        assert_eq!(writer.post(fleet.last(), "/add/30000").await.status, StatusCode::OK);
        assert_eq!(fleet.stored().await, round, "no lease is left behind");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_outlives_a_store_that_is_killed_in_a_batch_of_one_process() {
    what_was_answered_outlives_a_store_that_is_killed_in_a_batch(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_outlives_a_store_that_is_killed_in_batches_of_two_processes() {
    what_was_answered_outlives_a_store_that_is_killed_in_a_batch(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_killed_in_a_batch_and_loses_its_data_has_ended_the_session() {
    let mut fleet = Fleet::on_redis(2, SHORT).await;
    for _ in 0..3 {
        let writer = fleet.writer().await;
        let answers = killed_in_a_storm(&mut fleet, &writer).await;
        let known = [StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE, StatusCode::CONFLICT, StatusCode::UNAUTHORIZED];
        assert!(answers.iter().all(|answer| known.contains(&answer.1)), "{answers:?}");
        assert_eq!(writer.get(fleet.last(), "/entries").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(fleet.stored().await, 0, "neither the session nor a lease");
    }
}
