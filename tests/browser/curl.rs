//! The quickstart with curl and its cookie jar, as one tries it from a shell.

use std::{fs, path::PathBuf, process::Stdio};

use session_tests::{App, tools, wait};
use tempfile::TempDir;
use tokio::process::Command;

pub(crate) struct Curl {
    program: PathBuf,
    folder: TempDir,
    url: String,
}

pub(crate) struct Answer {
    status: u16,
    head: String,
    pub(crate) body: String,
}

impl Curl {
    fn new(app: &App) -> Self {
        Self::at(app.address().port())
    }

    pub(crate) fn at(port: u16) -> Self {
        Self {
            program: tools::CURL.find().expect("curl is installed: run `cargo xtask setup`"),
            folder: tempfile::tempdir().unwrap(),
            url: format!("http://localhost:{port}"),
        }
    }

    fn jar(&self) -> PathBuf {
        self.folder.path().join("jar")
    }

    /// The cookies in the jar, each in its seven fields.
    pub(crate) fn cookies(&self) -> Vec<Vec<String>> {
        let text = fs::read_to_string(self.jar()).unwrap();
        let fields = text.lines().map(|line| line.split('\t').map(String::from).collect::<Vec<_>>());
        fields.filter(|fields| fields.len() == 7).collect()
    }

    /// `curl -c jar -b jar … http://localhost:3000/path`
    pub(crate) async fn run(&self, arguments: &[&str], path: &str) -> Answer {
        let head = self.folder.path().join("head");
        let mut command = Command::new(&self.program);
        // A developer's own .curlrc must not reach a test.
        command
            .args(["-q", "--silent", "--show-error", "--noproxy", "*", "-c"])
            .arg(self.jar())
            .arg("-b")
            .arg(self.jar());
        command.arg("-D").arg(&head).args(["-w", "\n%{http_code}"]).args(arguments).arg(format!("{}{path}", self.url));
        let output = wait::within(wait::ANSWER, "curl ends", command.stdin(Stdio::null()).output()).await.unwrap();
        assert!(output.status.success(), "curl: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        Answer { status: status.parse().unwrap(), head: fs::read_to_string(head).unwrap(), body: body.to_owned() }
    }
}

impl Answer {
    /// A header's value.
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next_back()
    }
}

#[tokio::test]
async fn curls_cookie_jar_goes_through_login_count_and_logout() {
    let app = App::example("quickstart").start().await;
    let curl = Curl::new(&app);

    let home = curl.run(&[], "/").await;
    assert_eq!(home.status, 200);
    assert!(home.body.contains("Hello, guest!"), "{}", home.body);
    assert_eq!(home.header("set-cookie"), None, "an anonymous client gets no cookie");

    let me = curl.run(&[], "/me").await;
    assert_eq!((me.status, me.header("content-type")), (401, Some("application/problem+json")));
    let problem: serde_json::Value = serde_json::from_str(&me.body).unwrap();
    assert_eq!(problem["status"], 401);
    assert_eq!(curl.run(&["-X", "POST"], "/visit").await.status, 401);
    let logout = curl.run(&["-X", "POST"], "/logout").await;
    assert_eq!((logout.status, logout.header("set-cookie")), (303, None), "a logout without a session is no error");

    let nameless = curl.run(&["-d", "name="], "/login").await;
    assert_eq!((nameless.status, nameless.header("set-cookie")), (422, None));
    assert!(nameless.body.contains("Please type a name."), "{}", nameless.body);

    let login = curl.run(&["-d", "name=Ada"], "/login").await;
    assert_eq!((login.status, login.header("location")), (303, Some("/")));
    let cookie = login.header("set-cookie").unwrap();
    assert!(cookie.starts_with("user="), "{cookie}");
    for attribute in ["Path=/", "HttpOnly", "SameSite=Lax"] {
        assert!(cookie.split("; ").any(|part| part == attribute), "{attribute}: {cookie}");
    }
    assert_eq!(login.header("cache-control"), Some("no-store"));

    for count in ["1", "2", "3"] {
        let visit = curl.run(&["-X", "POST"], "/visit").await;
        assert_eq!((visit.status, &*visit.body), (200, count));
    }
    let home = curl.run(&[], "/").await;
    assert!(home.body.contains("Hello, Ada!"), "{}", home.body);
    let me = curl.run(&[], "/me").await;
    assert_eq!((me.status, me.header("content-type")), (200, Some("application/json")));
    let me: serde_json::Value = serde_json::from_str(&me.body).unwrap();
    assert_eq!(me, serde_json::json!({ "name": "Ada", "visits": 3 }));

    let kept = fs::read_to_string(curl.jar()).unwrap();
    let logout = curl.run(&["-X", "POST"], "/logout").await;
    assert_eq!((logout.status, logout.header("location")), (303, Some("/")));
    assert!(!fs::read_to_string(curl.jar()).unwrap().contains("\tuser\t"), "curl has dropped the cookie");
    assert!(curl.run(&[], "/").await.body.contains("Hello, guest!"));
    fs::write(curl.jar(), kept).unwrap();
    assert_eq!(curl.run(&[], "/me").await.status, 401, "who kept the cookie has kept nothing");
}

#[tokio::test]
async fn a_login_over_a_session_is_another_session_and_the_former_one_is_dead() {
    let app = App::example("quickstart").start().await;
    let curl = Curl::new(&app);
    curl.run(&["-d", "name=Ada"], "/login").await;
    let kept = fs::read_to_string(curl.jar()).unwrap();
    assert_eq!(curl.run(&["-d", "name=Grace"], "/login").await.status, 303);
    assert!(curl.run(&[], "/").await.body.contains("Hello, Grace!"));
    fs::write(curl.jar(), kept).unwrap();
    assert!(curl.run(&[], "/").await.body.contains("Hello, guest!"));
}

#[tokio::test]
async fn a_login_follows_its_redirect_to_the_greeting() {
    let app = App::example("quickstart").start().await;
    let curl = Curl::new(&app);
    let home = curl.run(&["-L", "-d", "name=Ada"], "/login").await;
    assert_eq!(home.status, 200);
    assert!(home.body.contains("Hello, Ada!"), "{}", home.body);
}
