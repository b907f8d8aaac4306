//! The ledger (see `fixtures/ledger`), served by one process or two, and those who write in it.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::http::{HeaderValue, Method, StatusCode, header::COOKIE};
use session_runtime::backend::Memory;
use session_tests::{App, Client, Cluster, Redis, Reply, Sentinels, Served, certificates::Authority, raw, serve, wait};
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub(crate) use crate::ledger::Terms;
use crate::{
    files,
    ledger::{Books, router},
    sql_fleet::SqlStore,
};

const KEY: &str = "kXUQ1cWZ7mHqLsTzRn3vB8yEoAdFgJiKpMxNwCbVtYU=";

/// Long enough that no test passes because a lease lapsed or a line grew impatient.
pub(crate) const PATIENT: Terms =
    Terms { lease: Duration::from_secs(600), wait: Duration::from_secs(60), deadline: Duration::from_secs(10) };

/// The processes that serve the ledger, and the store that they share.
pub(crate) struct Fleet {
    pub(crate) members: Vec<Member>,
    pub(crate) store: Store,
}

pub(crate) enum Member {
    Served(Served),
    App(App),
}

pub(crate) enum Store {
    Memory(Arc<Memory>),
    Redis(Redis),
    /// Tests share it, so each has names of its own.
    Cluster(Arc<Cluster>, String),
    Sql(SqlStore),
    Files(TempDir),
    /// The test has it.
    Elsewhere,
}

/// What a process is told of its way to Redis: variables of its environment.
pub(crate) type Way = Vec<(&'static str, String)>;

/// A Redis with these arguments, and the way to it over TLS.
pub(crate) async fn over_tls(arguments: &[&str]) -> (Redis, Way) {
    let authority = Authority::new();
    let redis = Redis::start_tls(&authority.sign(&["localhost", "127.0.0.1"]), &authority, arguments).await;
    let way = vec![("REDIS_URL", redis.tls_url()), ("REDIS_CA", authority.pem().to_owned())];
    (redis, way)
}

/// What processes are told of this cluster.
pub(crate) fn by_nodes(cluster: &Cluster) -> Way {
    // One that is not there makes no difference.
    vec![("REDIS_NODES", format!("127.0.0.1:1,{}", cluster.addresses()))]
}

/// What processes are told of a Redis that these Sentinels watch.
pub(crate) fn by_sentinels(sentinels: &Sentinels) -> Way {
    // One that is not there makes no difference.
    let addresses = format!("127.0.0.1:1,{}", sentinels.addresses());
    vec![("REDIS_SENTINELS", addresses), ("REDIS_MASTER", "main".to_owned())]
}

impl Fleet {
    /// Served inside the test, on memory.
    pub(crate) async fn on_memory(terms: Terms) -> Self {
        let memory = Arc::new(Memory::new(NonZeroUsize::new(100).unwrap()));
        let books = Books::open(Arc::clone(&memory), KEY, terms).await.unwrap();
        Self { members: vec![Member::Served(serve(router(books)).await)], store: Store::Memory(memory) }
    }

    /// Served by so many processes, on a Redis of their own.
    pub(crate) async fn on_redis(processes: usize, terms: Terms) -> Self {
        Self::with(Redis::start().await, processes, terms).await
    }

    /// Served by so many processes, on this Redis, which may be down.
    pub(crate) async fn with(redis: Redis, processes: usize, terms: Terms) -> Self {
        let urls = vec![redis.url(); processes];
        Self::by(&urls, redis, terms).await
    }

    /// Served by a process for each of these ways to a Redis.
    pub(crate) async fn by(urls: &[String], redis: Redis, terms: Terms) -> Self {
        let ways: Vec<Way> = urls.iter().map(|url| vec![("REDIS_URL", url.clone())]).collect();
        Self::by_ways(&ways, redis, terms).await
    }

    /// The same, with all that each process is told of its way.
    pub(crate) async fn by_ways(ways: &[Way], redis: Redis, terms: Terms) -> Self {
        Self { members: Self::serve(ways, terms).await, store: Store::Redis(redis) }
    }

    /// Served by so many processes, on a cluster that other tests use as well.
    pub(crate) async fn on_a_cluster(processes: usize, terms: Terms) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let cluster = Cluster::shared().await;
        let prefix = format!("fleet-{}:", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut way = by_nodes(&cluster);
        way.push(("REDIS_PREFIX", prefix.clone()));
        Self { members: Self::serve(&vec![way; processes], terms).await, store: Store::Cluster(cluster, prefix) }
    }

    /// Served by so many processes, on this cluster, which the test breaks by itself.
    pub(crate) async fn on_this_cluster(cluster: &Cluster, processes: usize, terms: Terms) -> Self {
        Self { members: Self::serve(&vec![by_nodes(cluster); processes], terms).await, store: Store::Elsewhere }
    }

    /// Served by so many processes, on files in one folder.
    pub(crate) async fn on_files(processes: usize, terms: Terms) -> Self {
        Self::in_a_folder(processes, terms, Way::new()).await
    }

    /// The same, where each write is on the disk before it is answered.
    pub(crate) async fn on_durable_files(processes: usize, terms: Terms) -> Self {
        Self::in_a_folder(processes, terms, vec![("DURABLE", "yes".to_owned())]).await
    }

    async fn in_a_folder(processes: usize, terms: Terms, mut way: Way) -> Self {
        let folder = tempfile::tempdir().unwrap();
        way.push(("FOLDER", folder.path().to_str().unwrap().to_owned()));
        Self { members: Self::serve(&vec![way; processes], terms).await, store: Store::Files(folder) }
    }

    pub(crate) async fn serve(ways: &[Way], terms: Terms) -> Vec<Member> {
        let mut members = Vec::new();
        for way in ways {
            let program = App::program(env!("CARGO_BIN_EXE_ledger"))
                .env("SESSION_KEYS", KEY)
                .env("LEASE", terms.lease.as_millis().to_string())
                .env("WAIT", terms.wait.as_millis().to_string())
                .env("DEADLINE", terms.deadline.as_millis().to_string());
            let program = way.iter().fold(program, |program, (name, value)| program.env(*name, value));
            members.push(Member::App(program.start().await));
        }
        members
    }

    /// Served by so many processes, on a Redis of their own that they reach over TLS.
    pub(crate) async fn over_tls(processes: usize, terms: Terms) -> Self {
        let (redis, way) = over_tls(&["--appendonly", "no"]).await;
        Self::by_ways(&vec![way; processes], redis, terms).await
    }

    /// The last member: another process than the first, where there are two.
    pub(crate) fn last(&self) -> usize {
        self.members.len() - 1
    }

    pub(crate) fn app(&mut self, member: usize) -> &mut App {
        match &mut self.members[member] {
            Member::App(app) => app,
            Member::Served(_) => panic!("this member has no process of its own"),
        }
    }

    pub(crate) fn redis(&mut self) -> &mut Redis {
        match &mut self.store {
            Store::Redis(redis) => redis,
            _ => panic!("there is no Redis, or more than one"),
        }
    }

    /// A client of a member, with a cookie jar.
    pub(crate) fn client(&self, member: usize) -> Client {
        match &self.members[member] {
            Member::Served(served) => served.client(),
            Member::App(app) => app.client(),
        }
    }

    pub(crate) fn url(&self, member: usize) -> String {
        match &self.members[member] {
            Member::Served(served) => served.url(),
            Member::App(app) => app.url(),
        }
    }

    /// Starts a session and gives its cookie to a writer.
    pub(crate) async fn writer(&self) -> Writer {
        let reply = self.client(0).post("/start").await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
        Writer { clients: (0..self.members.len()).map(|member| self.client(member)).collect(), cookie: cookie(&reply) }
    }

    /// Waits until a replica has what was written. `WAIT` looks at what its own connection wrote, which is the last here.
    pub(crate) async fn replicated(&mut self) {
        let mut connection = self.redis().connect().await;
        redis::cmd("SET").arg("marker").arg(1).arg("PX").arg(1).exec_async(&mut connection).await.unwrap();
        let mut wait = redis::cmd("WAIT");
        wait.arg(1).arg(0);
        let waiting = wait.query_async(&mut connection);
        let replicas: u32 = wait::within(wait::ANSWER, "a replica has it", waiting).await.unwrap();
        assert_eq!(replicas, 1);
    }

    /// How many things the store has: records and, on Redis and in files, leases that are held.
    pub(crate) async fn stored(&self) -> usize {
        match &self.store {
            Store::Memory(memory) => memory.len(),
            Store::Redis(redis) => redis::cmd("DBSIZE").query_async(&mut redis.connect().await).await.unwrap(),
            Store::Cluster(cluster, prefix) => cluster.keys(prefix).await.len(),
            Store::Sql(database) => database.stored().await,
            Store::Files(folder) => files::stored(folder.path()),
            Store::Elsewhere => panic!("the test has the store"),
        }
    }

    /// Waits until so many handlers of a member are held by its latch.
    pub(crate) async fn held(&self, member: usize, count: usize) {
        let what = format!("{count} handlers are held");
        wait::within(wait::ANSWER, &what, self.client(member).get(&format!("/held/{count}"))).await;
    }

    /// Opens a member's latch.
    pub(crate) async fn open(&self, member: usize) {
        self.client(member).post("/open").await;
    }

    /// Waits until somebody has told Redis that he waits for the one session that is held: a lease is a byte longer
    /// then.
    pub(crate) async fn announced(&mut self) {
        let mut connection = self.redis().connect().await;
        let announced = async || {
            let leases: Vec<String> = redis::cmd("KEYS").arg("*:lease").query_async(&mut connection).await.unwrap();
            let [lease] = &leases[..] else { panic!("one lease: {leases:?}") };
            redis::cmd("STRLEN").arg(lease).query_async::<usize>(&mut connection).await.unwrap() > 16
        };
        wait::until(wait::ANSWER, "the waiter has announced himself", announced).await;
    }

    /// Sends a request by hand and leaves the answer to come: dropping the connection is going away.
    pub(crate) async fn ask(&self, member: usize, path: &str, writer: &Writer) -> raw::Connection {
        let address = self.url(member)["http://".len()..].parse().unwrap();
        let cookie = writer.cookie.to_str().unwrap();
        let mut connection = raw::Connection::open(address).await;
        let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nContent-Length: 0\r\n\r\n");
        connection.send(head).await;
        connection
    }
}

/// One session's cookie, in the hands of someone who speaks to every member. It stays the same whatever the answers
/// set: a writer can be late.
#[derive(Clone)]
pub(crate) struct Writer {
    clients: Vec<Client>,
    cookie: HeaderValue,
}

impl Writer {
    pub(crate) async fn get(&self, member: usize, path: &str) -> Reply {
        self.clients[member].send(Method::GET, path, |request| request.header(COOKIE, &self.cookie)).await
    }

    pub(crate) async fn post(&self, member: usize, path: &str) -> Reply {
        self.clients[member].send(Method::POST, path, |request| request.header(COOKIE, &self.cookie)).await
    }

    /// As [`Writer::post`], where the connection may break.
    pub(crate) async fn try_post(&self, member: usize, path: &str) -> Option<Reply> {
        let cookie = |request: reqwest::RequestBuilder| request.header(COOKIE, &self.cookie);
        self.clients[member].try_send(Method::POST, path, cookie).await.ok()
    }

    /// A request under way in a task of its own.
    pub(crate) fn posting(&self, member: usize, path: &str) -> JoinHandle<Reply> {
        let (writer, path) = (self.clone(), path.to_owned());
        tokio::spawn(async move { writer.post(member, &path).await })
    }

    /// What the ledger has, read with a shared borrow.
    pub(crate) async fn entries(&self, member: usize) -> Vec<u32> {
        let reply = self.get(member, "/entries").await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        reply.json()
    }

    /// The same writer with the cookie that an answer set.
    pub(crate) fn rotated(&self, reply: &Reply) -> Self {
        Self { clients: self.clients.clone(), cookie: cookie(reply) }
    }
}

fn cookie(reply: &Reply) -> HeaderValue {
    let [cookie] = reply.set_cookies()[..] else { panic!("one cookie is set: {:?}", reply.headers) };
    cookie.split(';').next().unwrap().parse().unwrap()
}

/// Asserts that an answer is a problem of this kind, and sets no cookie.
#[track_caller]
pub(crate) fn assert_problem(reply: &Reply, status: StatusCode, kind: &str) {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    let problem: serde_json::Value = reply.json();
    assert_eq!(problem["type"], format!("urn:problem-type:session:{kind}"), "{problem}");
    assert_eq!(problem["status"], status.as_u16());
    assert!(reply.set_cookies().is_empty(), "no cookie is set: {:?}", reply.set_cookies());
}

/// Sorted, to compare what came in any order.
pub(crate) fn sorted(mut entries: Vec<u32>) -> Vec<u32> {
    entries.sort_unstable();
    entries
}

/// Makes each behaviour a test on memory, on Redis, on Redis with two processes, by each way to it, and on files.
macro_rules! on_every_fleet {
    ($($behaviour:ident)+) => {
        $crate::fleet::on_every_fleet! { @ on_memory { Fleet::on_memory(PATIENT) } $($behaviour)+ }
        $crate::fleet::on_every_fleet! { @ on_redis { Fleet::on_redis(1, PATIENT) } $($behaviour)+ }
        $crate::fleet::on_fleets_of_two! { $($behaviour)+ }
        $crate::fleet::on_every_fleet! { @ on_a_redis_cluster_across_two_processes { Fleet::on_a_cluster(2, PATIENT) } $($behaviour)+ }
        $crate::fleet::on_every_fleet! { @ on_redis_over_tls_across_two_processes { Fleet::over_tls(2, PATIENT) } $($behaviour)+ }
    };
    (@ $place:ident { $fleet:expr } $($behaviour:ident)+) => {
        mod $place {
            use crate::fleet::{Fleet, PATIENT};
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $behaviour() {
                    super::$behaviour($fleet.await).await;
                }
            )+
        }
    };
}
pub(crate) use on_every_fleet;

/// Makes each behaviour a test with two processes, on Redis and on files.
macro_rules! on_fleets_of_two {
    ($($behaviour:ident)+) => {
        $crate::fleet::on_every_fleet! { @ on_redis_across_two_processes { Fleet::on_redis(2, PATIENT) } $($behaviour)+ }
        $crate::fleet::on_every_fleet! { @ on_files_across_two_processes { Fleet::on_files(2, PATIENT) } $($behaviour)+ }
        $crate::fleet::on_every_fleet! { @ on_durable_files_across_two_processes { Fleet::on_durable_files(2, PATIENT) } $($behaviour)+ }
    };
}
pub(crate) use on_fleets_of_two;
