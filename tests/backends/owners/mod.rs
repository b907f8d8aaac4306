//! Sessions by their owner, on every store: who has which, who ends them, and no more of them than allowed.

mod behaviours;
mod interrupted;
mod people;

use std::sync::Arc;

use session_runtime::backend::{Leases, Memory};
use session_tests::{MariaDb, Postgres};

use crate::{
    file, redis, redis_cluster, redis_sentinel, redis_tls,
    sql::{Database, SqliteFile},
    store::Store,
};

/// Makes a test of each behaviour for a store.
macro_rules! owners {
    ($($name:ident => $store:expr;)+) => {$(
        mod $name {
            use super::*;

            owners! { @tests [$store] behaviours
                each_session_of_an_owner_is_listed_and_nobody_elses
                looking_at_the_list_is_no_use_of_a_session
                a_session_that_is_ended_by_its_handle_is_dead_everywhere
                all_sessions_end_or_all_but_one
                fifty_logins_at_once_leave_exactly_five_sessions
                of_fifty_logins_at_once_exactly_five_are_let_in
                the_oldest_session_makes_room
                who_logs_in_anew_takes_nobodys_place
                what_has_expired_takes_nobodys_place
                an_entry_that_outlives_its_session_is_struck
                sessions_without_an_owner_are_listed_nowhere_and_never_too_many
            }
            owners! { @tests [$store] interrupted
                a_login_that_breaks_off_anywhere_leaves_no_session_that_is_used_and_not_listed
            }
        }
    )+};
    (@tests [$store:expr] $module:ident $($behaviour:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $behaviour() {
            let (store, _home) = $store;
            super::$module::$behaviour(&store).await;
        }
    )+};
}

owners! {
    on_memory => memory();
    on_files => file::store();
    on_redis => redis::store().await;
    on_redis_by_its_sentinels => redis_sentinel::store().await;
    on_a_redis_cluster => redis_cluster::store().await;
    on_redis_over_tls => redis_tls::store().await;
    on_sqlite => database::<SqliteFile>().await;
    on_postgres => database::<Postgres>().await;
    on_mysql => database::<MariaDb>().await;
}

fn memory() -> (Store<Memory>, ()) {
    let memory = Arc::new(Memory::default());
    (Store { one: Arc::clone(&memory), other: memory }, ())
}

async fn database<D: Database>() -> (Store<D::Backend>, D) {
    let database = D::start().await;
    let (one, other) = (Arc::new(database.open().await), Arc::new(database.open().await));
    (Store { one, other }, database)
}

/// Two processes' handles on the store, as the behaviours take them.
trait Stored: Leases {}
impl<B: Leases> Stored for B {}
