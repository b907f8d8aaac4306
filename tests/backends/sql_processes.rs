//! Several processes on one SQL table: started together, killed, frozen.

use std::{fs, path::Path, process::Command, time::Duration};

use session_runtime::backend::{Acquired, Backend, Holder, Leases, Written};
use session_tests::{process::Process, wait};
use tempfile::TempDir;

use crate::sql::{Database, KEY, lease, on_each, record, touch};

on_each! {
    sqlite: crate::sql::SqliteFile, postgres: session_tests::Postgres, mysql: session_tests::MariaDb => [
        ten_processes_that_start_at_once_make_the_table_together
        ten_pools_that_open_at_once_make_the_table_together
        of_fifty_concurrent_changes_in_two_processes_none_is_lost
        a_lease_that_runs_out_under_a_frozen_holder_is_taken_over_and_the_late_save_is_refused
        a_lease_whose_holder_is_killed_is_free_when_it_has_run_out
        a_writer_that_is_killed_at_any_instant_leaves_the_old_record_or_the_new_one
    ]
}

fn spawn<D: Database>(database: &D, folder: &Path, log: &str, task: &[&str]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clerk"));
    command.arg(database.address()).args(task).current_dir(folder);
    Process::spawn("clerk", command, &folder.join(log))
}

async fn says(process: &mut Process, line: &str) {
    process.wait_until(line, async |process: &Process| process.log().lines().any(|said| said == line)).await;
}

/// Waits for its end and gives what it printed.
async fn ended(process: &mut Process) -> String {
    wait::within(wait::START, "the process ends", async {
        while process.is_running() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
    process.log()
}

/// A database, and a folder for what the processes print, with one session begun.
async fn begun<D: Database>(body: &str) -> (D, TempDir, D::Backend) {
    let (database, folder) = (D::start().await, tempfile::tempdir().unwrap());
    let backend = database.open().await;
    assert!(backend.create(&KEY, record(1, body), touch()).await.unwrap());
    (database, folder, backend)
}

async fn ten_processes_that_start_at_once_make_the_table_together<D: Database>() {
    let (database, folder) = (D::start().await, tempfile::tempdir().unwrap());
    let numbers: Vec<_> = (1..=10).map(|number: u8| number.to_string()).collect();
    let start = |number: &String| spawn(&database, folder.path(), number, &["begin", number, "gate"]);
    let mut processes: Vec<_> = numbers.iter().map(start).collect();
    for process in &mut processes {
        says(process, "ready").await;
    }
    fs::write(folder.path().join("gate"), "").unwrap();
    let mut first = 0;
    for process in &mut processes {
        let said = ended(process).await;
        first += usize::from(said == "ready\nown: true\ncommon: true\n");
        assert!(said.starts_with("ready\nown: true\ncommon: ") && said.lines().count() == 3, "{said}");
    }
    assert_eq!(first, 1, "the common session was created once");
    assert_eq!(database.number("SELECT COUNT(*) FROM sessions").await, 11);
    assert_eq!(database.number("SELECT COUNT(*) FROM sessions_meta").await, 1);
    assert_eq!(database.complaints(), [""; 0], "they waited for each other");
}

async fn ten_pools_that_open_at_once_make_the_table_together<D: Database>() {
    let database = D::start().await;
    let opened = futures(10, || database.open()).await;
    let (one, other) = (&opened[0], &opened[9]);
    assert!(one.create(&KEY, record(1, "x"), touch()).await.unwrap());
    assert_eq!(&other.load(&KEY, touch()).await.unwrap().unwrap().body[..], b"x");
}

/// Awaits that many at once.
async fn futures<F: Future>(count: usize, make: impl Fn() -> F) -> Vec<F::Output> {
    let mut pending: Vec<_> = (0..count).map(|_| Some(Box::pin(make()))).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        for slot in &mut pending {
            if let Some(future) = slot
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                done.push(output);
                *slot = None;
            }
        }
        if done.len() == count { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done
}

async fn of_fifty_concurrent_changes_in_two_processes_none_is_lost<D: Database>() {
    let (database, folder, backend) = begun::<D>("").await;
    let mut processes = ["1", "2"].map(|log| spawn(&database, folder.path(), log, &["append", "25", "gate"]));
    for process in &mut processes {
        says(process, "ready").await;
    }
    fs::write(folder.path().join("gate"), "").unwrap();
    for process in &mut processes {
        let said = ended(process).await;
        assert_eq!(said.lines().filter(|line| *line == "saved: Done").count(), 25, "{said}");
    }
    let last = backend.load(&KEY, touch()).await.unwrap().unwrap();
    assert_eq!((last.version, &last.body[..]), (51, &[b'.'; 50][..]));
}

async fn a_lease_that_runs_out_under_a_frozen_holder_is_taken_over_and_the_late_save_is_refused<D: Database>() {
    for next_has_saved in [true, false] {
        let (database, folder, backend) = begun::<D>("first").await;
        let mut late = spawn(&database, folder.path(), "log", &["hold", "400", "gate"]);
        says(&mut late, "held").await;
        late.stop();
        let next = lease(Holder::new());
        wait::until(wait::ANSWER, "the lease runs out", async || is_granted(&backend, next.holder).await).await;
        if next_has_saved {
            let saved = backend.save(&KEY, lease(next.holder), 1, record(2, "next"), touch()).await.unwrap();
            assert_eq!(saved, Written::Done);
        }
        late.resume();
        fs::write(folder.path().join("gate"), "").unwrap();
        assert_eq!(ended(&mut late).await, "held\nextended: false\nsaved: Conflict\n");
        if !next_has_saved {
            assert!(!is_granted(&backend, Holder::new()).await, "the late one took nothing from the next");
            let saved = backend.save(&KEY, lease(next.holder), 1, record(2, "next"), touch()).await.unwrap();
            assert_eq!(saved, Written::Done);
        }
        assert_eq!(&backend.load(&KEY, touch()).await.unwrap().unwrap().body[..], b"next");
    }
}

async fn is_granted<B: Leases>(backend: &B, holder: Holder) -> bool {
    matches!(backend.acquire(&KEY, lease(holder), touch()).await.unwrap(), Acquired::Granted(_))
}

async fn a_lease_whose_holder_is_killed_is_free_when_it_has_run_out<D: Database>() {
    let (database, folder, backend) = begun::<D>("first").await;
    let mut holder = spawn(&database, folder.path(), "log", &["hold", "1000", "never"]);
    says(&mut holder, "held").await;
    holder.kill();
    let next = Holder::new();
    let granted = async {
        loop {
            match backend.acquire(&KEY, lease(next), touch()).await.unwrap() {
                Acquired::Granted(record) => break record,
                Acquired::Busy(freed) => freed.await,
                Acquired::Absent => panic!("it was lost"),
            }
        }
    };
    assert_eq!(wait::within(wait::ANSWER, "the lease runs out", granted).await.version, 1);
}

async fn a_writer_that_is_killed_at_any_instant_leaves_the_old_record_or_the_new_one<D: Database>() {
    let (database, folder, backend) = begun::<D>("\0\0\0\0\0\0\0\u{1}").await;
    let mut version = 1;
    for round in 0..10u32 {
        let mut writer = spawn(&database, folder.path(), &format!("log{round}"), &["churn"]);
        wait::progress(wait::START, "the writer writes", version + 11 + u64::from(round), async || {
            let record = backend.load(&KEY, touch()).await.unwrap().expect("a session is never lost");
            assert!(record.version >= version, "{} came after {version}", record.version);
            let body: Vec<u8> = record.version.to_be_bytes().into_iter().cycle().take(record.body.len()).collect();
            assert_eq!(record.body, body, "the body is that of its version");
            version = record.version;
            version
        })
        .await;
        writer.kill();
        assert_eq!(writer.log(), "");
    }
}
