//! `on_end` where a process has a type open on several stores, and another type's sweep finds its sessions; and where a
//! session is ended outside a runtime.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use session_runtime::{
    EndReason, SessionData, Sessions,
    backend::{Backend, File, Memory},
    testing::ManualClock,
};

use crate::support::{Events, key};

/// The names that one opening of a type was told of.
type Told = Arc<Mutex<Vec<String>>>;

trait Named: SessionData {
    fn name(&self) -> &str;
}

macro_rules! named {
    ($($name:ident),+) => {$(
        /// Of one test: which sessions are open is known to the whole process.
        #[derive(Serialize, Deserialize, SessionData)]
        struct $name {
            name: String,
        }

        impl Named for $name {
            fn name(&self) -> &str {
                &self.name
            }
        }
    )+};
}

named!(Lodger, Neighbour, Visitor);

#[derive(Serialize, Deserialize, SessionData)]
struct Basket;

async fn note<T: Named>(session: T, _: EndReason, told: &Told) {
    told.lock().unwrap().push(session.name().to_owned());
}

async fn open<T: Named>(backend: Arc<impl Backend>, clock: &ManualClock) -> (Sessions<T>, Told) {
    let told = Told::default();
    let builder = Sessions::<T>::builder().key(&key('k')).clock(clock.clone()).shared_backend(backend);
    (builder.on_end_with(Arc::clone(&told), note::<T>).open().await.unwrap(), told)
}

async fn baskets(backend: Arc<impl Backend>, clock: &ManualClock) -> Sessions<Basket> {
    let builder = Sessions::<Basket>::builder().key(&key('k')).clock(clock.clone());
    builder.shared_backend(backend).open().await.unwrap()
}

#[tokio::test]
async fn a_sweep_of_another_type_tells_those_who_are_open_on_its_store() {
    let clock = ManualClock::new();
    let (here, elsewhere) = (Arc::new(Memory::default()), Arc::new(Memory::default()));
    let (lodgers, told) = open::<Lodger>(Arc::clone(&here), &clock).await;
    let (_others, wrong) = open::<Lodger>(elsewhere, &clock).await;
    let _started = lodgers.start(Lodger { name: "ann".into() }).await.unwrap();
    clock.advance(Duration::from_secs(31 * 60));
    assert_eq!(baskets(here, &clock).await.sweep().await.unwrap(), 1);
    assert_eq!((&*told.lock().unwrap(), wrong.lock().unwrap().len()), (&vec!["ann".to_owned()], 0));
}

#[tokio::test]
async fn what_another_type_cannot_tell_of_is_left_to_its_own_sweep_for_an_hour() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    // Each has a store of its own on the same folder, as two calls of `T::sessions()` have.
    let file = || Arc::new(File::new(folder.path()).unwrap());
    let (neighbours, told) = open::<Neighbour>(file(), &clock).await;
    let (others, wrong) = open::<Neighbour>(Arc::new(Memory::default()), &clock).await;
    let baskets = baskets(file(), &clock).await;
    for name in ["ann", "bob"] {
        let _started = neighbours.start(Neighbour { name: name.into() }).await.unwrap();
        let _started = baskets.start(Basket).await.unwrap();
    }
    clock.advance(Duration::from_secs(31 * 60));
    assert_eq!(baskets.sweep().await.unwrap(), 2, "its own");
    assert!(told.lock().unwrap().is_empty() && wrong.lock().unwrap().is_empty());
    assert_eq!(neighbours.sweep().await.unwrap(), 2);
    told.lock().unwrap().sort();
    assert_eq!(*told.lock().unwrap(), ["ann", "bob"]);

    // Nobody sweeps with the type, so that the records would stay.
    let _started = neighbours.start(Neighbour { name: "cat".into() }).await.unwrap();
    clock.advance(Duration::from_secs(2 * 3600));
    assert_eq!(baskets.sweep().await.unwrap(), 1);
    assert_eq!(told.lock().unwrap().len() + wrong.lock().unwrap().len(), 3, "one of the two is told");
    drop((neighbours, others));
}

#[test]
fn a_session_that_is_ended_outside_a_runtime_is_told_by_an_event() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (visitors, told) = runtime.block_on(open::<Visitor>(Arc::new(Memory::default()), &ManualClock::new()));
    let _started = runtime.block_on(visitors.start(Visitor { name: "ann".into() }).into_future()).unwrap();
    let events = Events::listen();
    // The background sweeper ends with the runtime; memory needs none.
    drop(runtime);
    let mut ending = Box::pin(visitors.end_where(|_| true));
    let ended = loop {
        if let Some(ended) = ending.as_mut().now_or_never() {
            break ended.unwrap();
        }
    };
    assert_eq!((ended, told.lock().unwrap().len()), (1, 0));
    let failed = events.named("session.end_hook_failed");
    assert!(failed.len() == 1 && failed[0].field("error").contains("outside"), "{failed:?}");
}
