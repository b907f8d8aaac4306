//! A server under load: this program again, in a process of its own, and the sessions logged in to it.

use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use crate::{
    Outcome,
    client::{Client, request},
    databases::Places,
    host,
    load::{Answered, Crowd},
    variant::{Load, Variant},
};

const CONNECTIONS: usize = 32;
/// How many visitors the kinds of load are about.
pub(crate) const SESSIONS: usize = 1000;

/// Long enough for connections, caches and branch predictors to be warm.
const WARM_UP: Duration = Duration::from_millis(300);

pub(crate) struct ServerProcess {
    process: Child,
    address: SocketAddr,
}

impl ServerProcess {
    /// Starts what `command` says (this program, possibly within valgrind) as the server `variant`.
    pub(crate) fn start(mut command: Command, variant: Variant, places: &Places) -> Outcome<Self> {
        command.args(["serve", variant.name()]).stdin(Stdio::null()).stdout(Stdio::piped());
        command.env("SESSION_KEYS", fernet::Fernet::generate_key());
        command.envs(places.environment().iter().map(|(name, value)| (name, value)));
        let mut process = command.spawn()?;
        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        // From here on the process is ended by `drop`.
        let mut server = Self { process, address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) };
        let port = line.trim().parse().map_err(|_| format!("the server `{}` did not start", variant.name()))?;
        server.address.set_port(port);
        Ok(server)
    }

    pub(crate) fn cpu_time(&self) -> Outcome<Duration> {
        host::cpu_time(self.process.id())
    }

    pub(crate) fn resident(&self) -> Outcome<u64> {
        host::resident(self.process.id())
    }

    pub(crate) fn connect(&self) -> Outcome<Client> {
        Client::connect(self.address)
    }

    /// Logs so many visitors in, and one more whose session all will write.
    pub(crate) fn log_in(&self, visitors: usize) -> Outcome<Sessions> {
        let mut client = self.connect()?;
        let cookies = (0..visitors).map(|number| log_in(&mut client, number)).collect::<Outcome<_>>()?;
        Ok(Sessions { cookies, hot: log_in(&mut client, visitors)? })
    }

    /// Connections with their requests, warmed up; each session has been read before reads are measured, since a cache helps with
    /// what it has seen.
    pub(crate) fn crowd(&self, load: Load, sessions: &Sessions) -> Outcome<Crowd> {
        let mut crowd = Crowd::open(self.address, sessions.requests(load))?;
        crowd.run(WARM_UP)?;
        while matches!(load, Load::Read | Load::ReadMany) && !crowd.has_seen_all() {
            crowd.run(WARM_UP)?;
        }
        Ok(crowd)
    }

    /// Connections that have sent nothing yet, over which all sessions are read.
    pub(crate) fn fresh_crowd(&self, sessions: &Sessions) -> Outcome<Crowd> {
        Crowd::open(self.address, sessions.requests(Load::ReadMany))
    }

    /// Tells the process to end and gives what it then printed on its standard error, which must be a pipe.
    pub(crate) fn terminate(mut self) -> Outcome<String> {
        Command::new("kill").arg(self.process.id().to_string()).status()?;
        let stderr = self.process.stderr.take().ok_or("the server's standard error is not a pipe")?;
        let said = std::io::read_to_string(stderr)?;
        Ok(said)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Logs one visitor in; gives the cookie, if this server has such a thing.
pub(crate) fn log_in(client: &mut Client, number: usize) -> Outcome<Option<String>> {
    let (cookie, _) = client.send(&request("POST", &format!("/login/{number}"), None))?;
    Ok(cookie)
}

/// The request of `load` under a cookie.
pub(crate) fn request_of(load: Load, cookie: Option<&str>) -> Vec<u8> {
    match load {
        Load::Read | Load::ReadMany => request("GET", "/read", cookie),
        Load::Write | Load::WriteOne => request("POST", "/write", cookie),
    }
}

/// The cookies of all visitors.
pub(crate) struct Sessions {
    cookies: Vec<Option<String>>,
    hot: Option<String>,
}

impl Sessions {
    /// One request of each visitor, in turn.
    pub(crate) fn reads(&self) -> impl Iterator<Item = Vec<u8>> {
        self.cookies.iter().map(|cookie| request_of(Load::Read, cookie.as_deref()))
    }

    /// The first of them.
    pub(crate) fn first(&self, visitors: usize) -> Self {
        let cookies = self.cookies[..visitors.min(self.cookies.len())].to_vec();
        Self { cookies, hot: self.hot.clone() }
    }

    /// What each connection sends.
    fn requests(&self, load: Load) -> Vec<Vec<Arc<[u8]>>> {
        let requests: Vec<Arc<[u8]>> =
            self.cookies.iter().map(|cookie| request_of(load, cookie.as_deref()).into()).collect();
        let of_connection = |index: usize| match load {
            Load::Read => vec![requests[0].clone()],
            Load::WriteOne => vec![request_of(load, self.hot.as_deref()).into()],
            Load::ReadMany | Load::Write => requests.iter().skip(index).step_by(CONNECTIONS).cloned().collect(),
        };
        (0..CONNECTIONS).map(of_connection).collect()
    }
}

/// Whether each connection's last answer counts all writes of its session.
pub(crate) fn check_writes(variant: Variant, connections: &[(u64, String)]) -> Outcome<()> {
    for (writes, last) in connections {
        if last.parse().ok() != variant.counted(*writes) {
            return Err(
                format!("`{}` lost writes: {writes} were answered, the counter is {last}", variant.name()).into()
            );
        }
    }
    Ok(())
}

/// How many of all writes of the one session it has counted.
pub(crate) fn kept_writes(variant: Variant, connections: &[(u64, String)]) -> Outcome<f64> {
    let answered: u64 = connections.iter().map(|(writes, _)| writes).sum();
    let counted = connections.iter().filter_map(|(_, last)| last.parse::<u64>().ok()).max().unwrap_or(0);
    if variant.is_exclusive() && counted != answered {
        return Err(format!("`{}` lost writes: {answered} were answered, {counted} are counted", variant.name()).into());
    }
    Ok(counted as f64 / answered as f64)
}

/// What the server did within `window`, and the processor time it took.
pub(crate) fn observe(server: &ServerProcess, crowd: &mut Crowd, window: Duration) -> Outcome<(Answered, Duration)> {
    let before = server.cpu_time()?;
    let answered = crowd.run(window)?;
    Ok((answered, server.cpu_time()? - before))
}
