//! The making of a connection, again and again until there is one.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisResult};

use super::connection::{Live, Request, Shared, State, ask};
use super::fault::Fault;
use super::heartbeat::{heartbeat, within};
use super::near_cache::{self, beat};

/// How long one attempt to connect may take, and the longest pause between two attempts.
pub(super) const CONNECT: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
const FIRST_PAUSE: Duration = Duration::from_millis(10);

impl Shared {
    /// Connects, and sees that the server takes writes.
    async fn connect(self: &Arc<Self>, number: u64) -> RedisResult<Arc<Live>> {
        let link = self.connector.connect(&self.config).await?;
        let mut connection = link.connection.clone();
        // Such a command is refused by a replica whether the key is there or not, and changes nothing.
        let mut write = redis::cmd("GETEX");
        write.arg(&self.probe).arg("PERSIST");
        match ask(&mut connection, Request::One(&write)).await {
            Err(error) if Fault::of(&error).is_some() => return Err(error),
            // Missing rights are told to whoever needs them.
            Ok(_) | Err(_) => {}
        }
        self.connector.served();
        self.track(number, &mut connection).await?;
        let live = Live::new(number, link);
        if self.subscribes.load(Ordering::SeqCst)
            && let Err(error) = live.subscribe(&self.channel).await
            && Fault::of(&error).is_some()
        {
            return Err(error);
        }
        Ok(Arc::new(live))
    }

    /// Has Redis tell on this connection what changes of all that is read on it.
    async fn track(&self, number: u64, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        let Some(near) = &self.use_of.near else { return Ok(()) };
        let asked = Instant::now();
        match ask(connection, Request::One(&near_cache::tracking())).await {
            Ok(_) => near.open(number, asked),
            Err(error) if Fault::of(&error).is_some() => return Err(error),
            // Each read asks Redis, then.
            Err(error) => event!(warn, "session.not_tracked", backend = "redis", %error, "Redis tells of no changes"),
        }
        Ok(())
    }
}

/// The making of a connection. Whatever ends it before it is done (the end of its runtime, say) leaves the next
/// request free to begin anew.
pub(super) struct Attempt {
    pub(super) shared: Weak<Shared>,
    pub(super) number: u64,
}

impl Attempt {
    pub(super) async fn run(self) {
        let (mut pause, mut told) = (FIRST_PAUSE, false);
        while let Some(shared) = self.shared.upgrade() {
            let late = || Err((ErrorKind::Io, "Redis did not take a connection in time").into());
            match within(CONNECT, shared.connect(self.number)).await.unwrap_or_else(late) {
                Ok(live) => {
                    let (pulse, weak) = (Arc::clone(&live.pulse), Arc::downgrade(&live));
                    if let Some(near) = &shared.use_of.near {
                        tokio::spawn(beat(Weak::clone(&self.shared), Weak::clone(&weak), Arc::clone(near)));
                    }
                    tokio::spawn(heartbeat(Weak::clone(&self.shared), weak, pulse));
                    shared.state.send_replace(State::Open(live));
                    shared.wakers.wake_all();
                    return;
                }
                Err(error) if !told => {
                    told = true;
                    event!(warn, "session.backend_down", backend = "redis", %error, "Redis is not reachable");
                }
                Err(_) => {}
            }
            if !shared.is_wanted() {
                return;
            }
            drop(shared);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        shared.state.send_if_modified(|state| {
            let mine = matches!(state, State::Opening(number, _) if *number == self.number);
            if mine {
                *state = State::Closed;
            }
            mine
        });
    }
}
