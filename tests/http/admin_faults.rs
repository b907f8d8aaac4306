//! The page for operators where a store has little to show in much, fails half-way, or a link tells of what never was.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::Router;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use session_runtime::{
    SessionData, Sessions,
    admin::Admin,
    backend::{
        Backend, BackendError, Capabilities, List, ListCursor, ListPage, Memory, Record, RecordKey, Touch, Written,
    },
    testing::ManualClock,
};
use session_tests::{Client, Served, serve};

use crate::{
    admin_app::{Operator, client, location, open, site, values},
    support::{key, lends_as_its_memory},
};

#[derive(Serialize, Deserialize, SessionData)]
struct Member {
    #[session(owner)]
    name: String,
}

/// Memory whose list begins with so many pages of nothing, and fails after so many more.
struct Sparse {
    memory: Memory,
    empty: usize,
    full: usize,
    asked: AtomicUsize,
}

impl Sparse {
    fn new(empty: usize, full: usize) -> Arc<Self> {
        Arc::new(Self { memory: Memory::default(), empty, full, asked: AtomicUsize::new(0) })
    }

    /// How often it was asked for a page since this was asked last.
    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

impl Backend for Sparse {
    async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
        self.memory.create(key, record, touch).await
    }

    async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        self.memory.load(key, touch).await
    }

    async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        self.memory.peek(key).await
    }

    async fn update(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        self.memory.update(key, expected, record, touch).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        self.memory.delete(key).await
    }

    fn capabilities(self: &Arc<Self>) -> Capabilities {
        Capabilities::none().leases(self).list(self)
    }
}

lends_as_its_memory!(Sparse);

impl List for Sparse {
    /// A cursor is the number of pages before it, and the one of the memory.
    async fn list(&self, after: Option<&ListCursor>, _: usize) -> Result<ListPage, BackendError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let (number, place) = match after.map(ListCursor::as_bytes) {
            None => (0, &[][..]),
            Some(bytes) => {
                let (number, place) = bytes.split_at(8);
                (u64::from_be_bytes(number.try_into().unwrap()), place)
            }
        };
        let at = usize::try_from(number).unwrap();
        let cursor = |place: &[u8]| Some(ListCursor::from_bytes([&(number + 1).to_be_bytes(), place].concat()));
        if at < self.empty {
            return Ok(ListPage { records: Vec::new(), next: cursor(&[]) });
        }
        if at >= self.empty + self.full {
            return Err(BackendError::new("the disk is full of holes"));
        }
        let place = (!place.is_empty()).then(|| ListCursor::from_bytes(place.to_vec()));
        let page = self.memory.list(place.as_ref(), 100).await?;
        let next = page.next.and_then(|next| cursor(next.as_bytes()));
        Ok(ListPage { next, ..page })
    }
}

async fn served<T: SessionData + DeserializeOwned>(store: &Arc<Sparse>) -> (Sessions<T>, Served, Client) {
    let operators = open::<Operator>(&Arc::new(Memory::default()), &ManualClock::new()).await;
    let members = Sessions::<T>::builder().key(&key('k')).shared_backend(Arc::clone(store)).open().await.unwrap();
    let admin = Admin::new(&operators, |operator: &Operator| operator.admin).sessions("Members", &members);
    let server = serve(Router::new().nest("/admin", admin.router())).await;
    let operator = client(&server, &operators.start(Operator { admin: true }).await.unwrap());
    (members, server, operator)
}

#[tokio::test]
async fn no_request_reads_on_and_on_in_a_store_that_holds_much_else() {
    let store = Sparse::new(100_000, 1);
    let (_members, _server, operator) = served::<Member>(&store).await;
    for path in ["/admin", "/admin/members", "/admin/members/end-all"] {
        assert_eq!(operator.get(path).await.status, 200);
        assert!(store.asked() <= 2_500, "{path}");
    }
    assert!(operator.get("/admin").await.text().contains("at least 0"), "it is known that it is not known");
    store.asked();
    let reply = operator.post("/admin/members/end-all").await;
    assert!(store.asked() <= 2_500);
    let page = operator.get(location(&reply)).await.text().to_owned();
    assert!(page.contains("not all of the store was read"), "{page}");
}

#[tokio::test]
async fn what_is_left_is_ended_from_where_the_last_request_stopped() {
    let store = Sparse::new(4_500, 1_000);
    let (members, _server, operator) = served::<Member>(&store).await;
    for number in 0..30 {
        _ = members.start(Member { name: format!("m{number}") }).await.unwrap();
    }
    let mut reply = operator.post("/admin/members/end-all").await;
    for _ in 0..10 {
        let page = operator.get(location(&reply)).await.text().to_owned();
        let Some(rest) = values(&page, "name=\"after\" value=\"").first().map(ToString::to_string) else { break };
        assert!(page.contains("End the rest"), "{page}");
        reply = operator.post_form("/admin/members/end-all", &[("after", &rest)]).await;
    }
    let page = operator.get(location(&reply)).await.text().to_owned();
    assert!(page.contains("30 sessions ended.") && !page.contains("End the rest"), "{page}");
    let made_up = operator.post_form("/admin/members/end-all", &[("after", "made-up")]).await;
    assert_eq!(made_up.status, 404);
}

#[tokio::test]
async fn a_store_that_fails_half_way_does_not_hide_how_many_sessions_have_ended() {
    let store = Sparse::new(0, 1);
    let (members, _server, operator) = served::<Member>(&store).await;
    for number in 0..300 {
        _ = members.start(Member { name: format!("m{number}") }).await.unwrap();
    }
    let reply = operator.post("/admin/members/end-all").await;
    let mut left = 0;
    for number in 0..300 {
        left += members.of(format!("m{number}").as_str()).list().await.unwrap().len();
    }
    assert!((1..300).contains(&left), "{left}");
    assert_eq!(reply.status, 503);
    assert!(reply.text().contains(&format!("{} sessions had ended before.", 300 - left)), "{}", reply.text());
}

#[tokio::test]
async fn a_link_cannot_tell_of_sessions_that_have_ended() {
    let site = site().await;
    _ = site.member("ann", "phone").await;
    for query in ["ended=5000", "ended=5000&more=true", "ended=0", "done=5000", "done=made-up"] {
        let page = site.page(&format!("/admin/members?{query}")).await;
        assert!(!page.contains("role=\"status\"") && !page.contains("5000") && !page.contains("5,000"), "{page}");
    }
    let reply = site.admin.post("/admin/members/end-all").await;
    let told = location(&reply).to_owned();
    assert!(site.page(&told).await.contains("1 session ended."));
    // Whoever gets the address of what another operator has done is told nothing, and neither is another page.
    let other = client(&site.server, &site.operators.start(Operator { admin: true }).await.unwrap());
    let seen = other.get(&told).await;
    assert_eq!(seen.status, 200);
    assert!(!seen.text().contains("1 session ended."), "{}", seen.text());
    let robots = site.page(&told.replace("/members?", "/robots?")).await;
    assert!(!robots.contains("1 session ended."), "{robots}");
}

/// The page of an owner who was looked up like this.
async fn found<T: SessionData>(data: T, typed: &str) -> String {
    let (memory, clock) = (Arc::new(Memory::default()), ManualClock::new());
    let (operators, sessions) = (open::<Operator>(&memory, &clock).await, open::<T>(&memory, &clock).await);
    let admin = Admin::new(&operators, |operator: &Operator| operator.admin).sessions("Shown", &sessions);
    let server = serve(Router::new().nest("/admin", admin.router())).await;
    let operator = client(&server, &operators.start(Operator { admin: true }).await.unwrap());
    _ = sessions.start(data).await.unwrap();
    let reply = operator.post_form("/admin/shown/find", &[("owner", typed)]).await;
    operator.get(location(&reply)).await.text().to_owned()
}

#[tokio::test]
async fn an_owner_is_found_by_the_json_that_the_field_is_written_as() {
    /// Its fields are not in the order of the alphabet.
    #[derive(Serialize, Deserialize)]
    struct Account {
        tenant: u32,
        id: u32,
        note: String,
    }
    #[derive(Serialize, Deserialize, SessionData)]
    struct Tenant {
        #[session(owner)]
        account: Account,
    }
    #[derive(Serialize, Deserialize, SessionData)]
    struct Wide {
        #[session(owner)]
        id: u128,
    }
    let account = || Tenant { account: Account { tenant: 7, id: 2, note: "a \"b\"".into() } };
    for typed in
        [r#"{"tenant":7,"id":2,"note":"a \"b\""}"#, "  { \"tenant\" : 7,\n \"id\": 2, \"note\": \"a \\\"b\\\"\" } "]
    {
        let page = found(account(), typed).await;
        assert!(page.contains("Sessions of {&quot;tenant&quot;:7,&quot;id&quot;:2,"), "{typed}: {page}");
    }
    let most = u128::MAX.to_string();
    let page = found(Wide { id: u128::MAX }, &most).await;
    assert!(page.contains(&format!("<h1>Sessions of {most}</h1>")), "{page}");
    for (name, typed) in [("ann", " ann "), (" ann ", " ann "), ("42", "42"), ("\u{e9}ve", "\"\\u00e9ve\"")] {
        let page = found(Member { name: name.into() }, typed).await;
        assert!(page.contains(&format!("<h1>Sessions of {name}</h1>")), "{typed}: {page}");
    }
}
