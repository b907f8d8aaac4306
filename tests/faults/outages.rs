//! A Redis that is killed, hung or restarted while the fleet is under load.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::http::StatusCode;
use redis::cmd;
use session_tests::{App, Redis, Reply, wait};
use tokio::{task::JoinHandle, time::Instant};

use crate::fleet::{Fleet, PATIENT, Terms, Writer, assert_problem};

pub(crate) const TERMS: Terms =
    Terms { lease: Duration::from_secs(2), wait: Duration::from_secs(10), deadline: Duration::from_millis(500) };

/// What a request takes at most while Redis is gone: the deadlines of the calls that it makes to Redis (an exclusive
/// borrow takes and gives up a lease), and a machine that is busy.
const BOUND: Duration = Duration::from_secs(4);

/// Writers who never pause, each in a session of its own, and everything they were answered.
struct Load {
    phase: Arc<AtomicUsize>,
    workers: Vec<JoinHandle<Worker>>,
    seen: Vec<Arc<[AtomicUsize; PHASES]>>,
}

const PHASES: usize = 4;
const STOP: usize = PHASES;

pub(crate) struct Worker {
    writer: Writer,
    answers: Vec<Answer>,
}

struct Answer {
    path: String,
    reply: Reply,
    took: Duration,
    /// The phases at its beginning and at its end.
    phases: (usize, usize),
}

impl Load {
    async fn start(fleet: &Fleet, workers: usize) -> Self {
        let mut load = Self { phase: Arc::default(), workers: Vec::new(), seen: Vec::new() };
        for worker in 0..workers {
            let writer = fleet.writer().await;
            let (phase, seen) = (Arc::clone(&load.phase), Arc::<[AtomicUsize; PHASES]>::default());
            load.seen.push(Arc::clone(&seen));
            let member = worker % fleet.members.len();
            load.workers.push(tokio::spawn(async move {
                let mut answers = Vec::new();
                for step in 0.. {
                    let before = phase.load(Ordering::SeqCst);
                    if before == STOP {
                        break;
                    }
                    let path = match step % 3 {
                        0 => format!("/append/{step}"),
                        1 => "/entries".to_owned(),
                        _ => "/greeting".to_owned(),
                    };
                    let start = Instant::now();
                    let reply = match step % 3 {
                        0 => writer.post(member, &path).await,
                        _ => writer.get(member, &path).await,
                    };
                    let after = phase.load(Ordering::SeqCst);
                    if before == after {
                        seen[before].fetch_add(1, Ordering::SeqCst);
                    }
                    answers.push(Answer { path, reply, took: start.elapsed(), phases: (before, after) });
                }
                Worker { writer, answers }
            }));
        }
        load
    }

    /// What has begun before this call counts for no phase.
    fn enter(&self, phase: usize) {
        self.phase.store(phase, Ordering::SeqCst);
    }

    /// Waits until each worker has had so many answers to what it asked in this phase.
    async fn answers(&self, count: usize) {
        let phase = self.phase.load(Ordering::SeqCst);
        let enough = async || self.seen.iter().all(|seen| seen[phase].load(Ordering::SeqCst) >= count);
        wait::until(wait::ANSWER, &format!("{count} answers each in phase {phase}"), enough).await;
    }

    async fn stop(self) -> Vec<Worker> {
        self.enter(STOP);
        let mut workers = Vec::new();
        for worker in self.workers {
            workers.push(wait::within(wait::ANSWER, "a worker stops", worker).await.unwrap());
        }
        workers
    }
}

/// A 503 as it must be: in time, with `Retry-After`, and without a cookie.
fn assert_unavailable(reply: &Reply, took: Duration) {
    assert_problem(reply, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    let retry: u32 = reply.header("retry-after").expect("Retry-After").parse().unwrap();
    assert!(retry > 0);
    assert!(took < BOUND, "a 503 after {took:?}");
}

impl Worker {
    /// Everything was answered as it should, or with a 503; in phase `down` with nothing else, in the phases `up` not
    /// at all. Nobody was ever taken for an anonymous client.
    pub(crate) fn assert_nothing_but_503(&self, up: &[usize], down: usize) {
        for Answer { path, reply, took, phases } in &self.answers {
            let within = |phase: usize| *phases == (phase, phase);
            let unavailable = reply.status == StatusCode::SERVICE_UNAVAILABLE;
            if unavailable {
                assert_unavailable(reply, *took);
            } else {
                assert_eq!(reply.status, StatusCode::OK, "{path} in {phases:?}: {}", reply.text());
                assert!(path != "/greeting" || reply.text() == "known", "{path} in {phases:?}: {}", reply.text());
            }
            assert!(!within(down) || unavailable, "{path} was answered while Redis was down");
            assert!(!unavailable || !up.iter().any(|phase| within(*phase)), "{path}: 503 in {phases:?}");
        }
    }

    /// What a client was told is written is there, once; what it was told is not may be there, once.
    pub(crate) async fn assert_nothing_lost(&self) {
        let entries = self.writer.entries(0).await;
        let written: BTreeSet<_> = entries.iter().copied().collect();
        assert_eq!(written.len(), entries.len(), "an entry is doubled: {entries:?}");
        for answer in self.answers.iter().filter(|answer| answer.reply.status == StatusCode::OK) {
            if let Some(entry) = answer.path.strip_prefix("/append/") {
                assert!(written.contains(&entry.parse().unwrap()), "{entry} is lost: {entries:?}");
            }
        }
    }
}

/// Awaits the recovery, which may begin with a 503: sessions start again on every member.
async fn recovered(fleet: &Fleet) {
    for member in 0..fleet.members.len() {
        let client = fleet.client(member);
        let served = async || client.post("/start").await.status == StatusCode::CREATED;
        wait::until(wait::ANSWER, "sessions start again", served).await;
    }
}

/// Puts the fleet under load through an outage: phase 0 is before it, 2 in it, 3 after it, and 1 between these.
pub(crate) async fn through_an_outage(
    fleet: &mut Fleet,
    begin: impl FnOnce(&mut Redis),
    end: impl AsyncFnOnce(&mut Redis),
) -> Vec<Worker> {
    let load = Load::start(fleet, 8).await;
    load.answers(6).await;
    load.enter(1);
    begin(fleet.redis());
    load.enter(2);
    load.answers(6).await;
    load.enter(1);
    end(fleet.redis()).await;
    recovered(fleet).await;
    load.enter(3);
    load.answers(9).await;
    load.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_under_load_costs_503s_and_nothing_is_lost() {
    let mut fleet = Fleet::on_redis(2, TERMS).await;
    for worker in through_an_outage(&mut fleet, Redis::stop, async |redis| redis.resume()).await {
        worker.assert_nothing_but_503(&[0, 3], 2);
        worker.assert_nothing_lost().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_durable_redis_that_is_killed_and_restarted_under_load_costs_503s_and_nothing_is_lost() {
    let mut fleet = Fleet::with(Redis::start_durable().await, 2, TERMS).await;
    for worker in through_an_outage(&mut fleet, Redis::kill, Redis::restart).await {
        worker.assert_nothing_but_503(&[0, 3], 2);
        worker.assert_nothing_lost().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_without_persistence_that_is_killed_forgets_and_says_so_only_when_it_is_back() {
    let mut fleet = Fleet::on_redis(2, TERMS).await;
    for worker in through_an_outage(&mut fleet, Redis::kill, Redis::restart).await {
        for Answer { path, reply, took, phases } in worker.answers {
            let anonymous = if path == "/greeting" { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
            match phases {
                (0, 0) => assert_eq!(reply.status, StatusCode::OK, "{path}"),
                (2, 2) => assert_unavailable(&reply, took),
                (3, 3) => assert_eq!(reply.status, anonymous, "{path}: {}", reply.text()),
                _ if reply.status == StatusCode::SERVICE_UNAVAILABLE => assert_unavailable(&reply, took),
                _ => {}
            }
            if path == "/greeting" && reply.status == StatusCode::OK {
                let expected = match phases.0 {
                    0 => ["known"].as_slice(),
                    3 => &["anonymous"],
                    _ => &["known", "anonymous"],
                };
                assert!(expected.contains(&reply.text()), "{} in {phases:?}", reply.text());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_after_another_is_answered_within_the_deadline_while_redis_hangs() {
    let deadline = Duration::from_secs(2);
    let mut fleet = Fleet::on_redis(1, Terms { deadline, ..PATIENT }).await;
    let writer = fleet.writer().await;
    fleet.redis().stop();
    for path in ["/append/1", "/append/2", "/look", "/update/3", "/rotate", "/end", "/start"] {
        let start = Instant::now();
        let reply = writer.post(0, path).await;
        let took = start.elapsed();
        assert_unavailable(&reply, took);
        assert!(took < deadline * 8 / 5, "{path} took {took:?} with a deadline of {deadline:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_wanted_while_redis_hung_is_free_as_soon_as_redis_goes_on() {
    // Its lease would lock it for ten minutes.
    let mut fleet = Fleet::on_redis(1, Terms { deadline: TERMS.deadline, wait: TERMS.wait, ..PATIENT }).await;
    let writer = fleet.writer().await;
    assert_eq!(writer.post(0, "/append/1").await.status, StatusCode::OK);
    fleet.redis().stop();
    for path in ["/append/2", "/look", "/update/3"] {
        let start = Instant::now();
        assert_unavailable(&writer.post(0, path).await, start.elapsed());
    }
    fleet.redis().resume();
    recovered(&fleet).await;
    let reply = writer.post(0, "/append/4").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(writer.entries(0).await, [1, 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_for_one_session_is_answered_in_time_while_redis_hangs() {
    let mut fleet = Fleet::on_redis(1, TERMS).await;
    let writer = fleet.writer().await;
    fleet.redis().stop();
    let start = Instant::now();
    let line: Vec<_> = (0..20).map(|entry| writer.posting(0, &format!("/append/{entry}"))).collect();
    for request in line {
        // What the first is told all of the line is told: one deadline for twenty.
        assert_unavailable(&request.await.unwrap(), start.elapsed());
    }
    println!("a line of twenty is answered after {:?}", start.elapsed());
    fleet.redis().resume();
    recovered(&fleet).await;
    let reply = writer.post(0, "/append/100").await;
    assert!([StatusCode::OK, StatusCode::CONFLICT].contains(&reply.status), "{}", reply.text());
    let free = async || writer.post(0, "/append/101").await.status == StatusCode::OK;
    wait::until(wait::ANSWER, "the session is free", free).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_goes_away_under_a_handler_is_a_503_and_its_change_is_not_there() {
    let mut fleet = Fleet::with(Redis::start_durable().await, 1, TERMS).await;
    let writer = fleet.writer().await;
    let slow = writer.posting(0, "/hold/1");
    fleet.held(0, 1).await;
    fleet.redis().kill();
    fleet.open(0).await;
    assert_problem(&slow.await.unwrap(), StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    fleet.redis().restart().await;
    recovered(&fleet).await;
    assert_eq!(writer.entries(0).await, [] as [u32; 0]);
    assert_eq!(writer.post(0, "/append/2").await.status, StatusCode::OK, "the lease of before has run out by now");
    assert_eq!(writer.entries(0).await, [2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_and_a_logout_while_redis_is_down_are_503s_and_change_no_cookie() {
    let mut fleet = Fleet::with(Redis::start_durable().await, 1, TERMS).await;
    let writer = fleet.writer().await;
    fleet.redis().kill();
    for path in ["/start", "/end", "/rotate", "/update/1", "/look"] {
        let start = Instant::now();
        assert_unavailable(&writer.post(0, path).await, start.elapsed());
    }
    let anonymous = fleet.client(0);
    let start = Instant::now();
    assert_unavailable(&anonymous.post("/start").await, start.elapsed());
    assert_eq!(anonymous.get("/greeting").await.text(), "anonymous", "who has no cookie needs no Redis");
    assert_eq!(anonymous.get("/entries").await.status, StatusCode::UNAUTHORIZED);
    fleet.redis().restart().await;
    recovered(&fleet).await;
    assert_eq!(writer.entries(0).await, [] as [u32; 0], "the session lives on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_starts_while_redis_is_down_serves_as_soon_as_it_is_up() {
    let mut redis = Redis::start().await;
    redis.kill();
    let key = String::from_utf8(App::example("keygen").run().await.stdout).unwrap();
    let fleet = App::example("fleet").env("REDIS_URL", redis.url()).env("SESSION_KEYS", key.trim()).start().await;
    let client = fleet.client();
    assert!(client.get("/").await.text().contains("Hello, guest"));
    let start = Instant::now();
    assert_unavailable(&client.post_form("/login", &[("name", "Ada")]).await, start.elapsed());
    redis.restart().await;
    let served = async || client.post_form("/login", &[("name", "Ada")]).await.status == StatusCode::SEE_OTHER;
    wait::until(wait::ANSWER, "a login succeeds", served).await;
    assert_eq!(client.post("/visit").await.text(), "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiters_are_woken_after_a_restart_of_redis_as_before() {
    let mut fleet = Fleet::on_redis(2, PATIENT).await;
    for restarted in [false, true] {
        if restarted {
            fleet.redis().restart().await;
            recovered(&fleet).await;
            let redis = fleet.redis();
            let mut connection = redis.connect().await;
            let listening = async || {
                let (_, count): (String, usize) =
                    cmd("PUBSUB").arg("NUMSUB").arg("ledger:freed").query_async(&mut connection).await.unwrap();
                count > 0
            };
            wait::until(wait::ANSWER, "who listened before listens again", listening).await;
        }
        let writer = fleet.writer().await;
        let slow = writer.posting(0, "/hold/1");
        fleet.held(0, 1).await;
        let waiter = writer.posting(1, "/append/2");
        fleet.announced().await;
        fleet.open(0).await;
        assert_eq!(slow.await.unwrap().status, StatusCode::OK);
        assert_eq!(waiter.await.unwrap().status, StatusCode::OK);
        assert_eq!(writer.entries(0).await, [1, 2]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_that_redis_has_forgotten_are_taught_again() {
    let mut fleet = Fleet::on_redis(2, PATIENT).await;
    let writer = fleet.writer().await;
    for (path, member) in [("/append/1", 0), ("/look", 1), ("/update/2", 0), ("/rotate", 1)] {
        let mut connection = fleet.redis().connect().await;
        let _: () = cmd("SCRIPT").arg("FLUSH").query_async(&mut connection).await.unwrap();
        let reply = writer.post(member, path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
        if path == "/rotate" {
            let rotated = writer.rotated(&reply);
            let _: () = cmd("SCRIPT").arg("FLUSH").query_async(&mut connection).await.unwrap();
            assert_eq!(rotated.entries(0).await, [1, 2]);
            assert_eq!(rotated.post(0, "/end").await.status, StatusCode::OK);
        }
    }
    assert_eq!(fleet.stored().await, 0);
}
