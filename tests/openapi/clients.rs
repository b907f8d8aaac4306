//! The example's description in other hands: an independent validator, and a client that a generator makes of it.

use std::{fs, path::Path, process::Output, time::Duration};

use session_tests::{App, tools, wait};
use tempfile::TempDir;
use tokio::process::Command;

/// How long a generator may take to start on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(180);

/// Runs one of the programs of `requirements.txt`.
async fn run(program: &str, arguments: &[&str], folder: &Path) -> Output {
    let programs = tools::python_packages().join("bin");
    let path = programs.join(program);
    assert!(path.is_file(), "{} is not there: run `cargo xtask setup`", path.display());
    let mut command = Command::new(path);
    // The generator calls a formatter that stands beside it.
    command.args(arguments).current_dir(folder).env("PATH", programs).kill_on_drop(true);
    wait::within(LIMIT, program, command.output()).await.expect("it can be run")
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The example, and its description in a file.
async fn example() -> (App, TempDir) {
    let (app, folder) = (App::example("openapi").start().await, tempfile::tempdir().expect("a folder"));
    let description = app.client().get("/openapi.json").await;
    assert_eq!(description.status, 200);
    fs::write(folder.path().join("openapi.json"), &description.body).expect("the description can be written");
    (app, folder)
}

#[tokio::test]
async fn an_independent_validator_finds_a_valid_openapi_3_1_document() {
    let (_app, folder) = example().await;
    let output = run("openapi-spec-validator", &["--schema", "3.1", "openapi.json"], folder.path()).await;
    assert!(output.status.success(), "{}", told(&output));
}

const CALLS: &str = r#"
import sys
from shop import AuthenticatedClient, Client
from shop.api.account import login, logout, profile
from shop.api.cart import add_to_cart
from shop.api.devices import register, whose
from shop.models import Item, Login, Problem, ProblemType

client = Client(base_url=sys.argv[1])
refused = profile.sync_detailed(client=client)
assert refused.status_code == 401 and isinstance(refused.parsed, Problem), refused
assert refused.parsed.type_ == ProblemType("urn:problem-type:session:missing"), refused.parsed
assert add_to_cart.sync(client=client, body=Item(name="tea")) == ["tea"]
assert login.sync(client=client, body=Login(name="ada")).name == "ada"
assert profile.sync(client=client).name == "ada"

token = register.sync_detailed(client=client).headers["session-token"]
device = AuthenticatedClient(base_url=sys.argv[1], token=token)
assert whose.sync_detailed(client=device).content == b"ada"

assert logout.sync_detailed(client=client).status_code == 204
assert profile.sync_detailed(client=client).status_code == 401
"#;

#[tokio::test]
async fn a_generated_client_logs_in_and_calls_what_is_protected() {
    let (app, folder) = example().await;
    let arguments = ["generate", "--path", "openapi.json", "--meta", "none", "--output-path", "shop"];
    let generated = run("openapi-python-client", &arguments, folder.path()).await;
    assert!(generated.status.success() && !told(&generated).contains("WARNING"), "{}", told(&generated));

    fs::write(folder.path().join("calls.py"), CALLS).expect("the script can be written");
    let called = run("python", &["calls.py", &app.url()], folder.path()).await;
    assert!(called.status.success(), "{}", told(&called));
}
