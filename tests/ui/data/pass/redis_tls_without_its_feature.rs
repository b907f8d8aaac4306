//! A URL that comes from the environment is not known here, so the feature that it needs is told at start-up.

use session_runtime::backend::Redis;

fn main() {
    for url in ["rediss://:hunter2@redis.example", "valkeys://redis.example:6380/1"] {
        let error = Redis::new(url, "shop:").expect_err("TLS needs a cargo feature").to_string();
        assert!(error.contains("`backend = redis(url)`") && error.contains("the cargo feature `redis-tls`"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
