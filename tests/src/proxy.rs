//! nginx and Varnish as caching proxies, and nginx as one that changes `Host`.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Command,
};

use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::{Client, port::Port, process::Process, tools};

/// A proxy before a server. It ends with this value.
///
/// A caching one keeps for ten minutes whatever it may, under the path alone, whoever asked for it, and tells answers
/// apart by their `Vary`. Every answer says in `X-Cache` whether it was kept: `MISS`, `HIT`, and so on.
#[derive(Debug)]
pub struct Proxy {
    port: Port,
    _process: Process,
    _folder: TempDir,
}

/// What a proxy does with an answer that sets a cookie and doesn't say that it must not be kept.
#[derive(Clone, Copy, Debug)]
pub enum SetCookie {
    /// Passes it on and doesn't keep it, as proxies do by default.
    Respect,
    /// Keeps it, and hands the cookie to everybody, as a careless configuration does.
    Ignore,
}

impl Proxy {
    /// Starts nginx as a cache before this server.
    ///
    /// # Panics
    ///
    /// When it is not installed or doesn't come up.
    pub async fn before(server: SocketAddr, set_cookie: SetCookie) -> Self {
        let ignored = match set_cookie {
            SetCookie::Respect => "",
            SetCookie::Ignore => "proxy_ignore_headers Set-Cookie;",
        };
        Self::nginx(
            server,
            Port::reserve(),
            &format!(
                "proxy_set_header Host $http_host;
            proxy_cache pages;
            proxy_cache_key $request_uri;
            proxy_cache_valid any 10m;
            {ignored}
            add_header X-Cache $upstream_cache_status always;"
            ),
        )
        .await
    }

    /// Starts nginx at this port, before a server that it asks as `backend.internal`, whatever `Host` the client asks for.
    /// WebSockets pass, and nothing is kept.
    ///
    /// # Panics
    ///
    /// When it is not installed or doesn't come up.
    pub async fn renaming(port: Port, server: SocketAddr) -> Self {
        Self::nginx(
            server,
            port,
            "proxy_set_header Host backend.internal;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;",
        )
        .await
    }

    async fn nginx(server: SocketAddr, port: Port, location: &str) -> Self {
        let program = tools::NGINX.find().expect("nginx is installed: run `cargo xtask setup`");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("nginx.conf");
        fs::write(&config, configuration(server, &port, folder.path(), location)).expect("a file can be written");
        let mut command = Command::new(program);
        command.arg("-p").arg(folder.path()).arg("-c").arg(config).args(["-e", "stderr"]);
        Self::start("nginx", command, port, folder).await
    }

    /// Starts Varnish as a cache before this server.
    ///
    /// # Panics
    ///
    /// When it is not installed or doesn't come up.
    pub async fn varnish_before(server: SocketAddr, set_cookie: SetCookie) -> Self {
        let program = tools::VARNISH.find().expect("varnish is installed: run `cargo xtask setup`");
        let (port, folder) = (Port::reserve(), tempfile::tempdir().expect("a temporary folder"));
        let config = folder.path().join("cache.vcl");
        fs::write(&config, vcl(server, set_cookie)).expect("a file can be written");
        let mut command = Command::new(program);
        // In the foreground, without a port for its administration, and without a change of user.
        command.args(["-F", "-T", "none", "-j", "none", "-s", "malloc,16m", "-p", "thread_pools=1"]);
        command.arg("-a").arg(format!("127.0.0.1:{}", port.number()));
        command.arg("-n").arg(folder.path().join("varnish")).arg("-f").arg(config);
        Self::start("varnishd", command, port, folder).await
    }

    async fn start(name: &str, command: Command, port: Port, folder: TempDir) -> Self {
        let mut process = Process::spawn(name, command, &folder.path().join("log"));
        let address = (Ipv4Addr::LOCALHOST, port.number());
        process.wait_until("it listens", async |_: &Process| TcpStream::connect(address).await.is_ok()).await;
        Self { port, _process: process, _folder: folder }
    }

    /// Its address as a URL without a path.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    /// A client that speaks to it, with an empty cookie jar.
    pub fn client(&self) -> Client {
        Client::new(&self.url())
    }
}

// As root, the workers are root's too: the folder is for nobody else.
fn configuration(server: SocketAddr, port: &Port, folder: &Path, location: &str) -> String {
    let (port, folder) = (port.number(), folder.display());
    format!(
        "user root;
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log stderr warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/cache keys_zone=pages:1m;
    map $http_upgrade $connection_upgrade {{
        default upgrade;
        '' close;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://{server};
            {location}
        }}
    }}
}}
"
    )
}

// Varnish by itself keeps nothing for a request with a cookie or with `Authorization`, and nothing that sets a cookie. Who
// wants pages kept tells it otherwise, as here.
fn vcl(server: SocketAddr, set_cookie: SetCookie) -> String {
    let (host, port) = (server.ip(), server.port());
    let ignored = match set_cookie {
        SetCookie::Respect => "",
        SetCookie::Ignore => "return (deliver);",
    };
    format!(
        r#"vcl 4.1;
backend default {{ .host = "{host}"; .port = "{port}"; }}
sub vcl_recv {{
    if (req.method != "GET" && req.method != "HEAD") {{ return (pass); }}
    return (hash);
}}
sub vcl_hash {{
    hash_data(req.url);
    return (lookup);
}}
sub vcl_backend_response {{
    if (beresp.http.Cache-Control !~ "no-store" && beresp.http.Vary != "*") {{
        set beresp.ttl = 10m;
        {ignored}
    }}
}}
sub vcl_deliver {{
    if (obj.hits > 0) {{ set resp.http.X-Cache = "HIT"; }} else {{ set resp.http.X-Cache = "MISS"; }}
}}
"#
    )
}
