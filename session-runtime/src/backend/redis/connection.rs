//! The one connection to Redis, which is replaced as soon as it is of no more use.
//!
//! The driver's own reconnecting connection replaces one that breaks. It keeps one on which nothing is
//! heard any more (packets are dropped, or a proxy has stopped forwarding), and one to a server that has
//! become a replica: both for as long as the process lives. So this module decides by itself:
//!
//! - A request that is not answered in time makes the heartbeat ask for a `PING`. So does a subscription
//!   on which nothing was heard for a second. Without an answer the connection is replaced.
//! - `READONLY`, `MASTERDOWN` and `LOADING` mean that this server can't serve, and that another one may be
//!   found under the same name by now. A new connection counts only once the server takes a write.
//!
//! A request whose connection was replaced is sent again on the new one, if that does no harm: nothing was
//! run in the second case, and in the first most requests may be run twice. Whoever sends it learns that
//! it may have run before ([`Answer::repeated`]). The caller's deadline bounds all of it.
//!
//! Requests that wait on the old connection keep it open: a server that was only slow still answers them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ErrorKind, Pipeline, RedisError, RedisResult, Value};
use tokio::sync::{OnceCell, watch};

use super::attempt::Attempt;
use super::connector::{Connector, Link};
use super::fault::Fault;
use super::heartbeat::{Pulse, Waiting, within};
use super::near_cache::NearCache;
use super::wakers::Wakers;

/// How long a `PING` may take, where nothing holds it up.
const PROBE: Duration = Duration::from_millis(400);
/// How often one request is sent at most.
const MOST_SENDS: usize = 4;

pub(super) struct Connection(Arc<Shared>);

#[derive(Clone, Copy)]
pub(super) enum Request<'a> {
    One(&'a Cmd),
    /// Several commands in one round trip, answered by an array.
    All(&'a Pipeline),
}

/// What becomes of a request whose connection is lost before its answer comes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// It is sent again: running it twice does no harm.
    Resend,
    /// The same, and it takes back what was sent before. While a silent connection is replaced it is sent there as well:
    /// should that server go on, it runs both in their order.
    Follow,
    /// It fails.
    Fail,
}

/// Redis's answer to a request.
pub(super) struct Answer {
    pub(super) value: Value,
    /// Whether the request may have been run before, unheard.
    pub(super) repeated: bool,
}

pub(super) struct Shared {
    pub(super) connector: Arc<Connector>,
    pub(super) config: AsyncConnectionConfig,
    /// A key that nothing is stored under, to see whether writes are taken.
    pub(super) probe: String,
    pub(super) channel: String,
    pub(super) wakers: Arc<Wakers>,
    pub(super) state: watch::Sender<State>,
    /// Whether somebody has subscribed, so that a new connection has to be subscribed before it is used.
    pub(super) subscribes: AtomicBool,
    attempts: AtomicU64,
    pub(super) use_of: Use,
}

/// What a connection is used for beside requests.
#[derive(Default)]
pub(super) struct Use {
    /// For how long the server may hold up an answer because it is asked to: so that is no sign of its death.
    pub(super) held_up: Duration,
    /// Where it is noted what is heard of changes.
    pub(super) near: Option<Arc<NearCache>>,
}

#[derive(Clone)]
pub(super) enum State {
    /// There is none, and nobody makes one.
    Closed,
    /// One is being made by the attempt of this number, in the place of a silent one.
    Opening(u64, Option<Arc<Live>>),
    Open(Arc<Live>),
}

/// A connection that is in use.
pub(super) struct Live {
    number: u64,
    connection: MultiplexedConnection,
    _link: Link,
    subscribed: OnceCell<()>,
    pub(super) pulse: Arc<Pulse>,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.pulse.bell.notify_one();
    }
}

impl Connection {
    /// Nothing is connected before it is needed.
    pub(super) fn new(
        connector: Arc<Connector>,
        prefix: &str,
        channel: &str,
        wakers: Arc<Wakers>,
        use_of: Use,
    ) -> Self {
        let (woken, near) = (Arc::clone(&wakers), use_of.near.clone());
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_push_sender(move |push: redis::PushInfo| {
                woken.hear(&push);
                if let Some(near) = &near {
                    near.hear(&push);
                }
                Ok::<(), std::convert::Infallible>(())
            });
        Self(Arc::new(Shared {
            connector,
            config,
            probe: format!("{prefix}probe"),
            channel: channel.to_owned(),
            wakers,
            state: watch::Sender::new(State::Closed),
            subscribes: AtomicBool::new(false),
            attempts: AtomicU64::new(0),
            use_of,
        }))
    }

    pub(super) fn connector(&self) -> &Arc<Connector> {
        &self.0.connector
    }

    /// Waits until there is a connection.
    #[cfg(feature = "redis-cluster")]
    pub(super) async fn ready(&self) {
        self.0.live().await;
    }

    /// Replaces the connection: its server is of no use, for this reason.
    #[cfg(feature = "redis-cluster")]
    pub(super) fn renew(&self, error: &RedisError) {
        self.0.replace(error, |state| matches!(state, State::Open(_)).then_some(None));
    }

    /// Sends a request, once there is a connection.
    pub(super) async fn send(&self, request: Request<'_>, loss: Loss) -> RedisResult<Answer> {
        let (mut repeated, mut sends) = (false, 0);
        loop {
            sends += 1;
            let live = match loss {
                Loss::Follow => self.0.live_or_silent().await,
                Loss::Resend | Loss::Fail => self.0.live().await,
            };
            let mut connection = live.connection.clone();
            let (waiting, asked) = (Waiting::new(&live.pulse), Instant::now());
            let answer = match loss {
                Loss::Fail => ask(&mut connection, request).await,
                Loss::Resend | Loss::Follow => tokio::select! {
                    biased;
                    answer = ask(&mut connection, request) => answer,
                    () = self.0.replaced(live.number) => {
                        repeated = true;
                        continue;
                    }
                },
            };
            waiting.answered();
            let error = match answer {
                Ok(value) => {
                    if let Some(near) = &self.0.use_of.near {
                        near.prove(live.number, asked);
                    }
                    return Ok(Answer { value, repeated });
                }
                Err(error) => error,
            };
            let again = match Fault::of(&error) {
                None => false,
                Some(fault) => {
                    self.0.give_up(live.number, &error);
                    let lost = matches!(fault, Fault::Lost);
                    repeated |= lost;
                    !lost || loss != Loss::Fail
                }
            };
            if !again || sends == MOST_SENDS {
                return Err(error);
            }
        }
    }

    /// Hears what is published from now on, on whatever connection. What may have been missed while a connection was
    /// replaced wakes everybody.
    pub(super) async fn subscribe(&self) -> RedisResult<()> {
        loop {
            let live = self.0.live().await;
            self.0.subscribes.store(true, Ordering::SeqCst);
            live.pulse.bell.notify_one();
            if let Err(error) = live.subscribe(&self.0.channel).await {
                if Fault::of(&error).is_some() {
                    self.0.give_up(live.number, &error);
                }
                return Err(error);
            }
            // A connection that was made before the note above may not be subscribed.
            match &*self.0.state.borrow() {
                State::Open(current) if current.number != live.number => {}
                State::Open(_) | State::Opening(..) | State::Closed => return Ok(()),
            }
        }
    }
}

pub(super) async fn ask(connection: &mut MultiplexedConnection, request: Request<'_>) -> RedisResult<Value> {
    match request {
        // Some refusals (out of memory, a read-only replica) come as a value.
        Request::One(command) => connection.send_packed_command(command).await.and_then(Value::extract_error),
        Request::All(pipeline) => {
            let answers = connection.send_packed_commands(pipeline, 0, pipeline.len()).await?;
            answers.into_iter().map(Value::extract_error).collect::<RedisResult<_>>().map(Value::Array)
        }
    }
}

impl Live {
    pub(super) fn new(number: u64, link: Link) -> Self {
        let connection = link.connection.clone();
        Self { number, connection, _link: link, subscribed: OnceCell::new(), pulse: Arc::default() }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) async fn subscribe(&self, channel: &str) -> RedisResult<()> {
        let subscribe = || async { self.connection.clone().subscribe(channel).await };
        self.subscribed.get_or_try_init(subscribe).await.copied()
    }

    /// Whether the server answers in time. An answer that it can't serve ends the connection, too.
    pub(super) async fn is_alive(&self, limit: Duration, connector: &Connector) -> Result<(), RedisError> {
        let mut connection = self.connection.clone();
        let asked = connector.sign_of_life(&mut connection);
        let late = || (ErrorKind::Io, "Redis did not answer a PING in time").into();
        match within(limit, asked).await.unwrap_or_else(|| Err(late())) {
            Err(error) if Fault::of(&error).is_some() => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Shared {
    pub(super) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// The connection, once there is one.
    async fn live(self: &Arc<Self>) -> Arc<Live> {
        if let State::Open(live) = &*self.state.borrow() {
            return Arc::clone(live);
        }
        let mut state = self.state.subscribe();
        loop {
            let now = state.borrow_and_update().clone();
            match now {
                State::Open(live) => return live,
                State::Opening(..) => {}
                State::Closed => _ = self.open(|state| matches!(state, State::Closed).then_some(None)),
            }
            // It can't fail: this value keeps the sender.
            let _ = state.changed().await;
        }
    }

    /// The same, or the silent one that is being replaced.
    async fn live_or_silent(self: &Arc<Self>) -> Arc<Live> {
        if let State::Opening(_, Some(silent)) = &*self.state.borrow() {
            return Arc::clone(silent);
        }
        self.live().await
    }

    /// Waits for a connection other than this one.
    async fn replaced(&self, number: u64) {
        let other = |state: &State| matches!(state, State::Open(live) if live.number != number);
        let _ = self.state.subscribe().wait_for(other).await;
    }

    /// Replaces this connection, unless somebody has.
    fn give_up(self: &Arc<Self>, number: u64, error: &RedisError) {
        self.replace(error, |state| matches!(state, State::Open(live) if live.number == number).then_some(None));
    }

    /// Replaces this connection, which is silent. Its server may only be slow, so it is kept until there is another.
    pub(super) fn give_up_silent(self: &Arc<Self>, silent: &Arc<Live>, error: &RedisError) {
        self.replace(error, |state| {
            let current = matches!(state, State::Open(live) if live.number == silent.number);
            current.then(|| Some(Arc::clone(silent)))
        });
    }

    fn replace(self: &Arc<Self>, error: &RedisError, due: impl FnOnce(&State) -> Option<Option<Arc<Live>>>) {
        if self.open(due) {
            event!(warn, "session.backend_down", backend = "redis", %error, "the connection to Redis is replaced");
            // Messages may be lost from here on: each waiter has to look for itself.
            self.wakers.wake_all();
            if let Some(near) = &self.use_of.near {
                near.close();
            }
        }
    }

    /// Begins to make a connection if the state is the one in which that is due; with the silent one that it replaces.
    fn open(self: &Arc<Self>, due: impl FnOnce(&State) -> Option<Option<Arc<Live>>>) -> bool {
        let number = self.attempts.fetch_add(1, Ordering::Relaxed);
        let begun = self.state.send_if_modified(|state| match due(state) {
            Some(silent) => {
                *state = State::Opening(number, silent);
                true
            }
            None => false,
        });
        if begun {
            let attempt = Attempt { shared: Arc::downgrade(self), number };
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(attempt.run());
            }
        }
        begun
    }

    pub(super) fn is_current(&self, live: &Live) -> bool {
        matches!(&*self.state.borrow(), State::Open(current) if current.number == live.number)
    }

    /// How long the answer to a `PING` may take.
    pub(super) fn probe_limit(&self) -> Duration {
        PROBE + self.use_of.held_up
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.state.receiver_count() > 0 || self.has_listeners()
    }

    pub(super) fn has_listeners(&self) -> bool {
        self.subscribes.load(Ordering::SeqCst) && !self.wakers.is_empty()
    }
}
