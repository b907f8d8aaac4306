//! Sentinels that watch a Redis and its replica.

use std::{collections::HashMap, time::Duration};

use redis::cmd;

use crate::{Redis, redis_server::EAGER, wait};

/// How long a machine that does much else may take for what Sentinels do in seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// Sentinels, which know a Redis as `main`, and its replica.
#[derive(Debug)]
pub struct Sentinels {
    /// The replica.
    pub replica: Redis,
    sentinels: Vec<Redis>,
}

impl Sentinels {
    /// Starts a Redis with a replica, and so many Sentinels, most of whom have to agree. They all know each other when it
    /// returns.
    ///
    /// # Panics
    ///
    /// When one does not come up.
    pub async fn start(count: usize) -> (Redis, Self) {
        let main = Redis::start_with(EAGER).await;
        let replica = Redis::start_replica(main.port()).await;
        let mut sentinels = Vec::new();
        let quick = "sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000";
        for _ in 0..count {
            sentinels.push(Redis::start_sentinel_with(main.port(), count / 2 + 1, quick).await);
        }
        let this = Self { replica, sentinels };
        for sentinel in &this.sentinels {
            let knows = async || {
                let told: HashMap<String, String> = cmd("SENTINEL")
                    .arg("MASTER")
                    .arg("main")
                    .query_async(&mut sentinel.connect().await)
                    .await
                    .expect("a Sentinel answers");
                told["num-slaves"] == "1" && told["num-other-sentinels"] == (count - 1).to_string()
            };
            wait::until(PATIENCE, "a Sentinel knows the replica and the others", knows).await;
        }
        (main, this)
    }

    /// Their addresses, separated by commas.
    pub fn addresses(&self) -> String {
        let each: Vec<_> = self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port())).collect();
        each.join(",")
    }

    /// Tells them to make the replica the master, though nothing is wrong.
    ///
    /// # Panics
    ///
    /// When they refuse for long.
    pub async fn fail_over(&self) {
        let asked = async || {
            let mut sentinel = self.sentinels[0].connect().await;
            cmd("SENTINEL").arg("FAILOVER").arg("main").query_async::<String>(&mut sentinel).await.is_ok()
        };
        wait::until(PATIENCE, "a Sentinel begins a failover", asked).await;
    }

    /// Waits until the replica is the master.
    pub async fn promoted(&self) {
        // A Sentinel closes the connections of whom it promotes.
        let is_master = async || {
            let Ok(mut replica) = self.replica.try_connect().await else { return false };
            let info: redis::RedisResult<String> = cmd("INFO").arg("replication").query_async(&mut replica).await;
            info.is_ok_and(|info| info.contains("role:master"))
        };
        wait::until(PATIENCE, "the replica is the master", is_master).await;
    }
}
