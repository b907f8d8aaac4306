//! Several processes on one folder: killed, frozen, without room, without permission.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, SystemTime},
};

use rustix::process::getuid;
use session_runtime::{
    Clock, SystemClock,
    backend::{Acquired, Backend, File, Holder, Lease, Leases, Record, RecordKey, Sweep, Touch, Written},
};
use session_tests::{app::describe, process::Process, wait};
use tempfile::TempDir;

const HOUR: Duration = Duration::from_secs(3600);
const KEY: RecordKey = RecordKey::from_bytes([1; 32]);

fn touch() -> Touch {
    let now = SystemClock.now();
    Touch { now, idle: HOUR, expires: now.plus(HOUR) }
}

fn record(version: u64, body: &[u8]) -> Record {
    let now = SystemClock.now();
    Record { version, last_seen: now, expires: now.plus(HOUR), body: body.to_vec().into() }
}

fn lease(holder: Holder) -> Lease {
    Lease { holder, ttl: HOUR, now: SystemClock.now() }
}

/// A folder for what the processes print, and in it the sessions' folder with one session.
async fn begun(body: &[u8]) -> (TempDir, File) {
    begun_as(body, false).await
}

async fn begun_as(body: &[u8], is_durable: bool) -> (TempDir, File) {
    let folder = tempfile::tempdir().unwrap();
    let sessions = folder.path().join("sessions");
    let file = if is_durable { File::durable(sessions) } else { File::new(sessions) }.unwrap();
    assert!(file.create(&KEY, record(1, body), touch()).await.unwrap());
    (folder, file)
}

async fn loaded(file: &File) -> Record {
    file.load(&KEY, touch()).await.unwrap().expect("a session is never lost")
}

async fn is_granted(file: &File, holder: Holder) -> bool {
    matches!(file.acquire(&KEY, lease(holder), touch()).await.unwrap(), Acquired::Granted(_))
}

fn spawn(folder: &Path, log: &str, arguments: &[&str]) -> Process {
    spawn_as(folder, log, arguments, false)
}

fn spawn_as(folder: &Path, log: &str, arguments: &[&str], is_durable: bool) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_filer"));
    command.arg(folder.join("sessions")).args(arguments).current_dir(folder);
    if is_durable {
        command.env("DURABLE", "yes");
    }
    Process::spawn("filer", command, &folder.join(log))
}

/// What the killed had begun to write.
fn drafts(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder.join("sessions/01")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "draft")).collect()
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_is_killed_at_any_instant_leaves_the_old_record_or_the_new_one() {
    killed_at_any_instant(40, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_durable_writer_that_is_killed_at_any_instant_leaves_the_old_record_or_the_new_one() {
    killed_at_any_instant(15, true).await;
}

async fn killed_at_any_instant(rounds: usize, is_durable: bool) {
    let (folder, file) = begun_as(&1u64.to_be_bytes(), is_durable).await;
    let check = async |last: u64| {
        let record = loaded(&file).await;
        assert!(record.version >= last, "{} came after {last}", record.version);
        let body: Vec<u8> = record.version.to_be_bytes().into_iter().cycle().take(record.body.len()).collect();
        assert_eq!(record.body, body, "the body is that of its version");
        record.version
    };
    let mut version = 1;
    for round in 0..rounds {
        let mut writer = spawn_as(folder.path(), &format!("log{round}"), &["churn"], is_durable);
        wait::progress(wait::START, "the writer writes: what the last one locked is free", version + 20, async || {
            version = check(version).await;
            version
        })
        .await;
        for _ in 0..round * 7 {
            version = check(version).await;
        }
        writer.kill();
        assert_eq!(writer.log(), "");
        version = check(version).await;
        assert!(is_granted_and_released(&file).await, "a dead process holds no lease");
    }
    let left = drafts(folder.path());
    for draft in &left {
        let draft = fs::File::options().append(true).open(draft).unwrap();
        draft.set_modified(SystemTime::now() - HOUR).unwrap();
    }
    assert_eq!(file.sweep(SystemClock.now(), 10).await.unwrap(), 0);
    assert_eq!(drafts(folder.path()), [] as [&Path; 0], "of {}", left.len());
    check(version).await;
}

#[tokio::test]
async fn a_lease_whose_holder_is_killed_is_free_at_once() {
    let (folder, file) = begun(b"first").await;
    for (log, task) in [("first", "hold"), ("second", "keep"), ("third", "hold")] {
        let mut holder = spawn(folder.path(), log, &[task, "3600000", "never"]);
        says(&mut holder, "held").await;
        assert!(!is_granted_and_released(&file).await, "it is held");
        holder.stop();
        assert!(!is_granted_and_released(&file).await, "frozen is not dead");
        holder.kill();
        assert!(is_granted_and_released(&file).await, "the first who asks has it");
    }
}

async fn is_granted_and_released(file: &File) -> bool {
    let holder = Holder::new();
    let granted = is_granted(file, holder).await;
    file.release(&KEY, lease(holder)).await.unwrap();
    granted
}

#[tokio::test]
async fn a_lease_that_runs_out_under_a_frozen_holder_is_taken_over_and_the_late_save_is_refused() {
    for (task, version, next_has_saved) in
        [("hold", 1, true), ("hold", 1, false), ("keep", 2, true), ("keep", 2, false)]
    {
        let (folder, file) = begun(b"first").await;
        let mut late = spawn(folder.path(), "log", &[task, "400", "gate"]);
        says(&mut late, "held").await;
        late.stop();
        let next = Holder::new();
        wait::until(wait::ANSWER, "the lease runs out", async || is_granted(&file, next).await).await;
        let save = async || file.save(&KEY, lease(next), version, record(version + 1, b"next"), touch()).await.unwrap();
        if next_has_saved {
            assert_eq!(save().await, Written::Done);
        }
        late.resume();
        fs::write(folder.path().join("gate"), "").unwrap();
        assert_eq!(ended(&mut late).await, "held\nextended: false\nsaved: Conflict\n");
        if !next_has_saved {
            assert!(!is_granted(&file, Holder::new()).await, "the late one took nothing from the next");
            assert_eq!(save().await, Written::Done);
        }
        assert_eq!(loaded(&file).await.body, b"next".to_vec());
        assert!(is_granted(&file, Holder::new()).await);
    }
}

#[tokio::test]
async fn a_session_that_ends_under_a_frozen_holder_stays_ended() {
    let (folder, file) = begun(b"first").await;
    let mut late = spawn(folder.path(), "log", &["hold", "3600000", "gate"]);
    says(&mut late, "held").await;
    late.stop();
    assert!(file.delete(&KEY).await.unwrap());
    late.resume();
    fs::write(folder.path().join("gate"), "").unwrap();
    assert_eq!(ended(&mut late).await, "held\nextended: false\nsaved: Absent\n");
    assert_eq!(file.load(&KEY, touch()).await.unwrap(), None);
}

#[tokio::test]
async fn fifty_exclusive_changes_over_two_processes_are_all_there() {
    let (folder, file) = begun(b"").await;
    let mut processes = ["one", "other"].map(|log| spawn(folder.path(), log, &["append", "25", "gate"]));
    for process in &mut processes {
        says(process, "ready").await;
    }
    fs::write(folder.path().join("gate"), "").unwrap();
    for process in &mut processes {
        let log = ended(process).await;
        assert_eq!(log.lines().filter(|line| *line == "saved: Done").count(), 25, "{log}");
    }
    let record = loaded(&file).await;
    assert_eq!((record.version, record.body), (51, vec![b'.'; 50].into()));
}

#[tokio::test]
async fn ten_processes_open_one_folder_at_once_and_create_one_session_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut processes: Vec<_> = (10..20)
        .map(|number: u8| spawn(folder.path(), &number.to_string(), &["begin", &number.to_string(), "gate"]))
        .collect();
    for process in &mut processes {
        says(process, "ready").await;
    }
    fs::write(folder.path().join("gate"), "").unwrap();
    let mut creators = 0;
    for process in &mut processes {
        let log = ended(process).await;
        assert!(log.contains("own: true"), "{log}");
        creators += log.matches("common: true").count();
    }
    assert_eq!(creators, 1);
    let file = File::new(folder.path().join("sessions")).unwrap();
    for number in [0].into_iter().chain(10..20) {
        assert!(file.load(&RecordKey::from_bytes([number; 32]), touch()).await.unwrap().is_some(), "{number}");
    }
}

/// Somebody whom permissions bind: root may write what nobody may.
const NOBODY: u32 = 65534;

/// Runs `filer` as somebody whom permissions bind, and gives a line for each of its answers.
fn bound(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(folder.join("filer"));
    if getuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.arg(folder.join("sessions")).args(arguments).current_dir("/").output().unwrap();
    printed(&output)
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", describe(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Makes the folder and all below it that of whom permissions bind, with a copy of `filer` that they can run.
fn given_away(folder: &Path, shard: &str) -> (PathBuf, PathBuf) {
    // Where it was built others may not look. By `cp`: a copy of our own, open in a child of another test, is busy.
    let copy = Command::new("cp").arg(env!("CARGO_BIN_EXE_filer")).arg(folder.join("filer")).status();
    assert!(copy.unwrap().success());
    mode(folder, 0o755);
    let sessions = folder.join("sessions");
    let shard = sessions.join(shard);
    if getuid().is_root() {
        let everything = [sessions.clone(), sessions.join("sweeper"), shard.clone()];
        for path in everything.into_iter().chain(files(&shard)) {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    (sessions, shard)
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())
}

#[tokio::test]
async fn in_a_folder_that_is_read_only_whatever_writes_is_an_error_and_nothing_is_lost() {
    let (folder, file) = begun(b"first").await;
    drop(file);
    let (sessions, shard) = given_away(folder.path(), "01");
    for path in [&shard, &sessions] {
        mode(path, 0o500);
    }
    let said = bound(folder.path(), &["attempt", "10"]);
    let answers: Vec<_> = said.lines().map(|line| line.split(" in ").next().unwrap()).collect();
    let expected = [
        "load: version 1",
        "touch: error: can't write a session",
        "create: error: can't make a folder for sessions",
        "update: error: can't write a session",
        "acquire: error: can't lease a session",
        "delete: false",
        "load: version 1",
    ];
    assert_eq!(answers, expected, "{said}");
    assert!(said.contains("Permission denied"), "{said}");
    for path in [&sessions, &shard] {
        mode(path, 0o700);
    }
    let said = bound(folder.path(), &["attempt", "10"]);
    assert!(!said.contains("error") && said.ends_with("load: version 3\n"), "{said}");
}

/// A folder that may be written and not be read is one that can't be synced.
#[tokio::test]
async fn a_durable_save_whose_folder_is_not_synced_is_an_error_and_the_old_record_stays_whole_until_it_is() {
    for number in [2, 3] {
        let (folder, file) = begun_as(b"first", true).await;
        let (first, key) = (loaded(&file).await, RecordKey::from_bytes([number; 32]));
        assert!(file.create(&key, first.clone(), touch()).await.unwrap());
        let (_, shard) = given_away(folder.path(), &format!("{number:02x}"));
        mode(&shard, 0o300);
        let said = bound(folder.path(), &["replace", &number.to_string()]);
        let answers: Vec<_> = said.lines().map(|line| line.split(" in ").next().unwrap()).collect();
        let saved = ["save: error: can't write a session", "keep: error: can't write a session"];
        let saved = saved[usize::from(number % 2)];
        assert_eq!(answers, ["acquire: true", saved, "next: error: can't write a session"], "{said}");
        mode(&shard, 0o700);
        let (record, lease) = (shard.join(key.to_string()), shard.join(format!("{key}.lease")));
        // Which of the names are on the disk is not known: after a power cut either may be the record's.
        fs::rename(&record, folder.path().join("new")).unwrap();
        fs::copy(&lease, &record).unwrap();
        assert_eq!(file.load(&key, touch()).await.unwrap(), Some(first), "it is whole under the name of the lease");
        fs::rename(folder.path().join("new"), &record).unwrap();
        assert_eq!(file.load(&key, touch()).await.unwrap().unwrap().body, b"new".to_vec());
        let holder = Holder::new();
        assert!(matches!(file.acquire(&key, self::lease(holder), touch()).await.unwrap(), Acquired::Granted(_)));
        assert_ne!(fs::read(&lease).unwrap()[..8], *b"session1", "it is written once the folder is synced");
    }
}

/// As what was restored from a copy may be.
#[tokio::test]
async fn a_record_that_may_only_be_read_is_replaced_by_a_save_that_is_told_as_done() {
    let (folder, file) = begun(b"first").await;
    let (_, shard) = given_away(folder.path(), "01");
    for path in files(&shard).filter(|path| path.file_name().is_some_and(|name| name != "lock")) {
        mode(&path, 0o400);
    }
    let said = bound(folder.path(), &["append", "1", "/"]);
    assert_eq!(said, "ready\nsaved: Done\n");
    assert_eq!(loaded(&file).await.body, b"first.".to_vec());
    assert_eq!(bound(folder.path(), &["append", "1", "/"]), said);
    assert_eq!(loaded(&file).await.body, b"first..".to_vec());
}

/// Runs `filer` in a shell that first does something to leave it no room.
fn cramped(folder: &Path, shell: &[&str], prepare: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).args(["-c", &format!("{prepare} && exec \"$@\""), "sh", env!("CARGO_BIN_EXE_filer")]);
    command.arg(folder.join("sessions")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// What is left of `attempt` when only what is small can be written.
fn assert_small_is_written_and_large_refused(said: &str, why: &str) {
    let answers: Vec<_> = said.lines().map(|line| line.split(" in ").next().unwrap()).collect();
    let expected = [
        "load: version 1",
        "touch: version 1",
        "create: error: can't write a session",
        "update: error: can't write a session",
        "save: error: can't write a session",
        "release: done",
        "next: true",
        "delete: false",
        "load: version 1",
    ];
    assert_eq!(answers, expected, "{said}");
    assert_eq!(said.matches(why).count(), 3, "{said}");
}

#[tokio::test]
async fn a_write_beyond_the_largest_file_allowed_is_an_error_and_loses_nothing() {
    let (folder, file) = begun(b"first").await;
    // Without the signal, which would end the process: then a write fails as on a full disk.
    let output = cramped(folder.path(), &["sh"], "trap '' XFSZ && ulimit -f 16", &["attempt", "1000000"]);
    assert_small_is_written_and_large_refused(&printed(&output), "File too large");
    assert_eq!(loaded(&file).await.body, b"first".to_vec());
    assert_eq!(drafts(folder.path()), [] as [&Path; 0]);
}

/// A disk of its own for one process, which goes with it. Machines that let nobody mount have the test above.
#[tokio::test]
async fn a_full_disk_is_an_error_and_loses_nothing() {
    let shell = ["unshare", "--user", "--map-root-user", "--mount", "sh"];
    let (folder, _file) = begun(b"first").await;
    let mount = format!("mount -t tmpfs -o size=192k,mode=700 none '{}'", folder.path().join("sessions").display());
    let output = cramped(folder.path(), &shell, &mount, &["fill"]);
    if String::from_utf8_lossy(&output.stderr).contains("unshare:") {
        return;
    }
    let said = printed(&output);
    let count = |line: &str| said.lines().filter(|said| *said == line).count();
    assert!(said.starts_with("full: can't ") && said.contains("No space left on device"), "{said}");
    assert!(count("loaded: true") > 10 && count("loaded: false") == 0, "{said}");
    assert_eq!((count("deleted: true"), count("created: true"), count("drafts: 0")), (4, 1, 1), "{said}");
}
