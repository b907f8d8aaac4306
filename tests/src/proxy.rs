//! nginx as a caching proxy.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Command,
};

use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::{Client, port::Port, process::Process, tools};

/// A proxy that keeps for ten minutes whatever it may, under the path alone, whoever asked for it. It ends with this
/// value.
///
/// Every answer says in `X-Cache` whether it was kept: `MISS`, `HIT`, and so on.
#[derive(Debug)]
pub struct Proxy {
    port: Port,
    _process: Process,
    _folder: TempDir,
}

/// What a proxy does with an answer that sets a cookie and doesn't say that it must not be kept.
#[derive(Clone, Copy, Debug)]
pub enum SetCookie {
    /// Passes it on and doesn't keep it, as nginx does unless told.
    Respect,
    /// Keeps it, and hands the cookie to everybody, as a careless configuration does.
    Ignore,
}

impl Proxy {
    /// Starts a proxy before this server.
    ///
    /// # Panics
    ///
    /// When no nginx is installed or it doesn't come up.
    pub async fn before(server: SocketAddr, set_cookie: SetCookie) -> Self {
        let program = tools::NGINX.find().expect("nginx is installed: run `cargo xtask setup`");
        let (port, folder) = (Port::reserve(), tempfile::tempdir().expect("a temporary folder"));
        let config = folder.path().join("nginx.conf");
        fs::write(&config, configuration(server, &port, folder.path(), set_cookie)).expect("a file can be written");
        let mut command = Command::new(program);
        command.arg("-p").arg(folder.path()).arg("-c").arg(config).args(["-e", "stderr"]);
        let mut process = Process::spawn("nginx", command, &folder.path().join("log"));
        let address = (Ipv4Addr::LOCALHOST, port.number());
        process.wait_until("it listens", async |_: &Process| TcpStream::connect(address).await.is_ok()).await;
        Self { port, _process: process, _folder: folder }
    }

    /// A client that speaks to it, with an empty cookie jar.
    pub fn client(&self) -> Client {
        Client::new(&format!("http://127.0.0.1:{}", self.port.number()))
    }
}

// As root, the workers are root's too: the folder is for nobody else.
fn configuration(server: SocketAddr, port: &Port, folder: &Path, set_cookie: SetCookie) -> String {
    let (port, folder) = (port.number(), folder.display());
    let ignored = match set_cookie {
        SetCookie::Respect => "",
        SetCookie::Ignore => "proxy_ignore_headers Set-Cookie;",
    };
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
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://{server};
            proxy_set_header Host $http_host;
            proxy_cache pages;
            proxy_cache_key $request_uri;
            proxy_cache_valid any 10m;
            {ignored}
            add_header X-Cache $upstream_cache_status always;
        }}
    }}
}}
"
    )
}
