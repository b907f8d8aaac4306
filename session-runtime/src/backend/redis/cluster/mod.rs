//! Redis Cluster: a connection to each master that is needed, and a map of who has which slot.
//!
//! The driver's own cluster client was not taken. It sends a request again after a lost connection whether that does
//! harm or not, keeps a connection on which nothing is heard, and knows nothing of a request that has to follow another
//! one to the same server. Here each master has a [`Connection`] with all that a single server's has, so that what is
//! promised for one server holds for each node.
//!
//! - The map comes from `CLUSTER SLOTS`. It is asked for when it is needed first, after `MOVED`, when a request is not
//!   answered for a while and when a node says that a slot is not served. A request that waits for a node goes to
//!   another one as soon as the map says so.
//! - `ASK` is followed for one request. `TRYAGAIN` is what a script hears whose keys are not all on one side of a
//!   migration: it is sent again until they are.
//! - One more connection leads to any node that sees a working cluster. The map is asked for there, and what is published
//!   is heard there: `PUBLISH` reaches all nodes. If it is lost, goes silent or its node is cut off from the others, another
//!   node is taken.

mod check;
mod nodes;
mod slots;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value};
use tokio::sync::watch;

pub(super) use self::check::commands;
pub use self::nodes::RedisNodes;
pub(super) use self::nodes::{Nodes, is_up};
use self::nodes::{cluster_slots, unreadable};
use self::slots::{Place, SLOTS, Told, redirected, slot_of};
use super::connection::{Answer, Connection, Loss, Request, Use};
use super::connector::Connector;
use super::heartbeat::{pause, within};
use super::wakers::Wakers;

/// After how long without an answer it is asked who has the slot by now.
const UNANSWERED: Duration = Duration::from_millis(200);
/// How long a node may take that a request was sent to by `ASK`.
const ASKED: Duration = Duration::from_millis(600);
/// How often the map is asked for at most, and how long that may take.
const BETWEEN_MAPS: Duration = Duration::from_millis(100);
const MAP: Duration = Duration::from_secs(2);
/// How long to wait before a request is sent again that no node takes at the moment.
const AGAIN: Duration = Duration::from_millis(20);
/// How many redirections are followed at once. More of them come while nodes do not agree.
const MOVES: usize = 3;

pub(super) struct Cluster(Arc<Inner>);

struct Inner {
    any: Connection,
    map: watch::Sender<Map>,
    /// Those that were connected to, while somebody uses them.
    nodes: Mutex<HashMap<Place, Weak<Node>>>,
    /// Whether the map is being asked for.
    asking: AtomicBool,
    asked: Mutex<Option<Instant>>,
    /// Whether it was told that slots are not served.
    told_down: AtomicBool,
    prefix: String,
    channel: String,
    wakers: Arc<Wakers>,
}

/// A master, or who may become one.
struct Node {
    place: Place,
    connection: Connection,
}

/// Who has which slot.
#[derive(Clone, Default)]
struct Map {
    nodes: Vec<Arc<Node>>,
    /// An index for each slot, if there is a map.
    owners: Vec<Option<u16>>,
}

/// What became of a request.
enum Outcome {
    Answered(RedisResult<Answer>),
    /// It has to be sent elsewhere, and whether it may have been run.
    Elsewhere(bool),
}

/// Why a request was not run.
enum Refusal {
    Moved(Place),
    Ask(Place),
    /// Its keys are on both sides of a migration.
    TryAgain,
    /// Nobody serves the slot.
    Down,
}

impl Refusal {
    fn of(error: &RedisError, from: &Place) -> Option<Self> {
        let ErrorKind::Server(kind) = error.kind() else { return None };
        let place = || redirected(error.redirect_node()?.0, from);
        match kind {
            ServerErrorKind::Moved => place().map(Self::Moved),
            ServerErrorKind::Ask => place().map(Self::Ask),
            ServerErrorKind::TryAgain => Some(Self::TryAgain),
            ServerErrorKind::ClusterDown => Some(Self::Down),
            _ => None,
        }
    }
}

impl Cluster {
    /// Nothing is connected before it is needed.
    pub(super) fn new(any: Connector, prefix: &str, channel: &str, wakers: Arc<Wakers>) -> Self {
        Self(Arc::new(Inner {
            any: Connection::new(Arc::new(any), prefix, channel, Arc::clone(&wakers), Use::default()),
            map: watch::Sender::default(),
            nodes: Mutex::default(),
            asking: AtomicBool::new(false),
            asked: Mutex::default(),
            told_down: AtomicBool::new(false),
            prefix: prefix.to_owned(),
            channel: channel.to_owned(),
            wakers,
        }))
    }

    /// The connection to any node.
    pub(super) fn any_node(&self) -> &Connection {
        &self.0.any
    }

    /// Sends a request to the master that has its keys, wherever they move meanwhile. The caller's deadline bounds it.
    pub(super) async fn send(&self, request: Request<'_>, loss: Loss) -> RedisResult<Answer> {
        let slot = usize::from(slot_of(key_of(request)));
        let (mut repeated, mut ask, mut moves) = (false, None, 0);
        loop {
            let asked = ask.take();
            let (node, outcome) = match asked {
                Some(place) => {
                    let node = self.0.node(&place);
                    let outcome = node.send_asking(request, loss).await;
                    (node, outcome)
                }
                None => {
                    let node = self.0.owner(slot).await;
                    let outcome = self.send_to(&node, slot, request, loss).await;
                    (node, outcome)
                }
            };
            let error = match outcome {
                Outcome::Answered(Ok(answer)) => {
                    self.0.told_down.store(false, Ordering::Relaxed);
                    return Ok(Answer { repeated: answer.repeated || repeated, ..answer });
                }
                Outcome::Elsewhere(sent) => {
                    repeated |= sent;
                    continue;
                }
                Outcome::Answered(Err(error)) => error,
            };
            match Refusal::of(&error, &node.place) {
                None => return Err(error),
                Some(Refusal::Moved(place)) => {
                    self.0.moved(slot, &place);
                    moves += 1;
                    if moves > MOVES {
                        pause(AGAIN).await;
                    }
                }
                Some(Refusal::Ask(place)) => ask = Some(place),
                Some(Refusal::TryAgain) => pause(AGAIN).await,
                Some(Refusal::Down) => {
                    self.0.is_down(&error);
                    self.0.ask_for_map();
                    pause(AGAIN).await;
                }
            }
        }
    }

    /// Sends it to this node, unless the slot has another owner before the answer comes.
    async fn send_to(&self, node: &Arc<Node>, slot: usize, request: Request<'_>, loss: Loss) -> Outcome {
        if loss == Loss::Fail {
            tokio::select! {
                biased;
                () = node.connection.ready() => {}
                () = self.0.left(slot, node) => return Outcome::Elsewhere(false),
            }
            return Outcome::Answered(node.connection.send(request, loss).await);
        }
        tokio::select! {
            biased;
            answer = node.connection.send(request, loss) => Outcome::Answered(answer),
            () = self.0.left(slot, node) => Outcome::Elsewhere(true),
        }
    }
}

impl Node {
    /// Sends it as one whose slot comes to this node. `ASKING` holds for one command, so both go in one piece.
    async fn send_asking(&self, request: Request<'_>, loss: Loss) -> Outcome {
        let mut pipeline = Pipeline::new();
        let mut add = |command: &Cmd| _ = pipeline.cmd("ASKING").add_command(command.clone());
        match request {
            Request::One(command) => add(command),
            Request::All(commands) => commands.cmd_iter().for_each(add),
        }
        let sent = self.connection.send(Request::All(&pipeline), loss);
        let sent = match loss {
            Loss::Fail => sent.await,
            // If the node is gone, its owner may have kept the slot.
            Loss::Resend | Loss::Follow => match within(ASKED, sent).await {
                Some(sent) => sent,
                None => return Outcome::Elsewhere(true),
            },
        };
        Outcome::Answered(sent.and_then(|answer| {
            let Value::Array(answers) = answer.value else { return Err(unreadable()) };
            let mut answers: Vec<Value> = answers.into_iter().skip(1).step_by(2).collect();
            let value = match request {
                Request::One(_) => answers.pop().ok_or_else(unreadable)?,
                Request::All(_) => Value::Array(answers),
            };
            Ok(Answer { value, ..answer })
        }))
    }
}

impl Inner {
    /// The master that has this slot, once that is known.
    async fn owner(self: &Arc<Self>, slot: usize) -> Arc<Node> {
        if let Some(node) = self.map.borrow().owner(slot) {
            return Arc::clone(node);
        }
        let mut map = self.map.subscribe();
        loop {
            if let Some(node) = map.borrow_and_update().owner(slot) {
                return Arc::clone(node);
            }
            self.ask_for_map();
            // It can't fail: this value keeps the sender.
            let _ = within(UNANSWERED, map.changed()).await;
        }
    }

    /// Waits until another node has this slot, and asks for the map meanwhile.
    async fn left(self: &Arc<Self>, slot: usize, node: &Arc<Node>) {
        let mut map = self.map.subscribe();
        let is_other = |map: &Map| map.owner(slot).is_some_and(|owner| !Arc::ptr_eq(owner, node));
        while within(UNANSWERED, map.wait_for(is_other)).await.is_none() {
            self.ask_for_map();
        }
    }

    /// A node said that another one has this slot.
    fn moved(self: &Arc<Self>, slot: usize, place: &Place) {
        let node = self.node(place);
        self.map.send_modify(|map| map.set(slot, node));
        self.ask_for_map();
    }

    /// The node at this place.
    fn node(&self, place: &Place) -> Arc<Node> {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(node) = nodes.get(place).and_then(Weak::upgrade) {
            return node;
        }
        nodes.retain(|_, node| node.strong_count() > 0);
        let node = Arc::new(Node {
            place: place.clone(),
            connection: Connection::new(
                Arc::new(self.any.connector().to(place)),
                &self.prefix,
                &self.channel,
                Arc::clone(&self.wakers),
                Use::default(),
            ),
        });
        nodes.insert(place.clone(), Arc::downgrade(&node));
        node
    }

    /// Tells that slots are not served, once until they are.
    fn is_down(&self, error: &RedisError) {
        if !self.told_down.swap(true, Ordering::Relaxed) {
            event!(warn, "session.backend_down", backend = "redis", %error, "the Redis cluster does not serve a slot");
        }
    }

    /// Has the map asked for, unless somebody does.
    fn ask_for_map(self: &Arc<Self>) {
        if self.asking.swap(true, Ordering::SeqCst) {
            return;
        }
        let asking = Asking(Arc::downgrade(self));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(asking.run());
        }
    }

    async fn try_ask_for_map(&self) {
        let last = *self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(early) = last.and_then(|last| BETWEEN_MAPS.checked_sub(last.elapsed())) {
            pause(early).await;
        }
        let command = cluster_slots();
        let answer = within(MAP, self.any.send(Request::One(&command), Loss::Resend)).await;
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let Some(Ok(answer)) = answer else { return };
        let Some(nodes) = self.any.connector().nodes() else { return };
        match Told::read(answer.value, &nodes.host()) {
            Some(told) if !told.ranges.is_empty() => {
                nodes.learn(&told.places);
                self.learn(&told);
            }
            // It has left the cluster.
            Some(_) | None => self.any.renew(&unreadable()),
        }
    }

    fn learn(&self, told: &Told) {
        let mut map = Map::default();
        for (first, last, place) in &told.ranges {
            let node = self.node(place);
            (*first..=*last).for_each(|slot| map.set(slot, Arc::clone(&node)));
        }
        self.map.send_replace(map);
    }
}

impl Map {
    fn owner(&self, slot: usize) -> Option<&Arc<Node>> {
        let index = (*self.owners.get(slot)?)?;
        self.nodes.get(usize::from(index))
    }

    fn set(&mut self, slot: usize, node: Arc<Node>) {
        let index = self.nodes.iter().position(|known| Arc::ptr_eq(known, &node)).unwrap_or_else(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        });
        self.owners.resize(SLOTS, None);
        if let Some(owner) = self.owners.get_mut(slot) {
            *owner = u16::try_from(index).ok();
        }
    }
}

/// The map is being asked for. Whatever ends that (the end of its runtime, say) leaves the next request free to ask.
struct Asking(Weak<Inner>);

impl Asking {
    async fn run(self) {
        if let Some(inner) = self.0.upgrade() {
            inner.try_ask_for_map().await;
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(inner) = self.0.upgrade() {
            inner.asking.store(false, Ordering::SeqCst);
        }
    }
}

/// The key by which a request finds its node: all of its keys are in one slot.
fn key_of(request: Request<'_>) -> &[u8] {
    let command = match request {
        Request::One(command) => Some(command),
        Request::All(commands) => commands.cmd_iter().next(),
    };
    command.and_then(first_key).unwrap_or_default()
}

/// The first key: behind the script and the number of keys, or behind the command's name.
fn first_key(command: &Cmd) -> Option<&[u8]> {
    let mut arguments = command.args_iter().filter_map(|argument| match argument {
        redis::Arg::Simple(bytes) => Some(bytes),
        _ => None,
    });
    match arguments.next()? {
        b"EVAL" | b"EVALSHA" => arguments.nth(2),
        _ => arguments.next(),
    }
}
