//! Child processes that can be hung and killed, and that never outlive the test.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::time::{Instant, sleep};

use crate::wait;

// A shell that waits for the end of its input, which only this process can bring about, by ending in any way
// whatever, and then kills the group that it is named. It covers what `Drop` can't: a test process that is killed.
const WATCH: &str = r#"read -r _; kill -s KILL -- "-$0""#;

/// A child process, leader of a process group of its own, which ends as a whole with this value or with the test
/// process, whichever comes first.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    group: Pid,
    watcher: Option<Child>,
    log: PathBuf,
}

/// How long a process that is asked to end is waited for.
const SOON: Duration = Duration::from_secs(2);

impl Process {
    /// Starts `command` without input; what it prints is appended to the file `log`.
    ///
    /// # Panics
    ///
    /// When the program can't be started.
    pub fn spawn(name: &str, mut command: Command, log: &Path) -> Self {
        let output = File::options().create(true).append(true).open(log).expect("the log can be written");
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("the log can be shared"))
            .stderr(output)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} can't be started ({:?}): {error}", command.get_program()));
        let watcher = Command::new("sh")
            .args(["-c", WATCH, &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("a shell can be started");
        let group = Pid::from_child(&child);
        Self { name: name.to_owned(), child, group, watcher: Some(watcher), log: log.to_owned() }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process is there, hung or not.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_none())
    }

    /// Hangs the process (SIGSTOP): its sockets stay open and nothing answers. Returns when it has come to a halt.
    pub fn stop(&mut self) {
        self.signal(Signal::STOP);
        while self.is_running() && !self.is_halted() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets a hung process go on (SIGCONT).
    pub fn resume(&mut self) {
        self.signal(Signal::CONT);
    }

    /// Whether the process has ended, or does so soon after this signal. One that hangs is not waited for.
    pub fn ends_by(&mut self, signal: Signal) -> bool {
        if !self.is_halted() {
            self.signal(signal);
            let end = Instant::now() + SOON;
            while self.is_running() && Instant::now() < end {
                thread::sleep(Duration::from_millis(1));
            }
        }
        !self.is_running()
    }

    /// Kills the process and its group (SIGKILL), hung or not. Returns when it is gone.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.child.wait().expect("a killed process ends");
        if let Some(mut watcher) = self.watcher.take() {
            // Before its input closes: there is nothing left for it to kill.
            watcher.kill().expect("the watcher can be killed");
            watcher.wait().expect("a killed watcher ends");
        }
    }

    /// What the process has printed so far, on standard output and standard error.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Asks again and again until `ready` holds.
    ///
    /// # Panics
    ///
    /// When the process ends first, or [`wait::START`] has passed; the message has what it printed.
    pub async fn wait_until(&mut self, what: &str, mut ready: impl AsyncFnMut(&Self) -> bool) {
        let end = Instant::now() + wait::START;
        while !wait::within(wait::START, what, ready(self)).await {
            let (name, log) = (&self.name, self.log());
            assert!(self.child.try_wait().is_ok_and(|status| status.is_none()), "{name} ended before {what}:\n{log}");
            assert!(Instant::now() < end, "{name} has been given {:?}, yet not: {what}:\n{log}", wait::START);
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn signal(&self, signal: Signal) {
        // The only failure left is that the group is gone already.
        _ = kill_process_group(self.group, signal);
    }

    fn is_halted(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
