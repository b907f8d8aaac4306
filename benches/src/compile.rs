//! How long the macros take to compile: a struct of 50 fields and 200 handlers, beside the same on plain axum extractors.
//!
//! There are two such: extractors that hand over what somebody else has put into the request, the least that axum can be
//! asked for; and those of a session by hand, which find it in a store by its cookie, read it from JSON, and leave it to
//! the handlers to ask who may enter and to store what they changed. All have a state of two fields, as applications do.
//!
//! All are libraries written here and built by cargo in its debug profile, in turns, with every dependency built
//! before. What is compared is the processor time of the build: the wall clock moves with everything else that runs.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::Outcome;

const FIELDS: usize = 50;
const HANDLERS: usize = 200;
/// What the macros may add.
const AIM: Duration = Duration::from_millis(500);

#[derive(Clone, Copy)]
enum Written {
    Plain,
    ByHand,
    Session,
}

const ALL: [Written; 3] = [Written::Plain, Written::ByHand, Written::Session];

/// The processor time and the wall clock of a build.
#[derive(Clone, Copy)]
struct Took {
    processor: f64,
    wall: f64,
}

/// Of several builds: the medians, and the least processor time.
#[derive(Clone, Copy)]
struct Summary {
    processor: f64,
    least: f64,
    wall: f64,
}

pub(crate) fn measure(rounds: usize) -> Outcome<()> {
    let target = PathBuf::from(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
    let folder = std::path::absolute(target)?.join("compile");
    let packages = ALL.map(|written| folder.join(written.name()));
    for (written, package) in ALL.into_iter().zip(&packages) {
        written.write(package)?;
        eprintln!("building the dependencies of `{}`", written.name());
        build(package)?;
    }
    let mut taken: [Vec<Took>; 3] = Default::default();
    for round in 0..rounds {
        for turn in 0..ALL.len() {
            let at = (round + turn) % ALL.len();
            // A new text, so that nothing is kept from the build before.
            let file = packages[at].join("src/lib.rs");
            let text = fs::read_to_string(&file)?;
            fs::write(&file, format!("{text}// {round}\n"))?;
            taken[at].push(build(&packages[at])?);
        }
    }
    let [plain, by_hand, session] = taken.map(|taken| summary(&taken));
    println!(
        "A struct of {FIELDS} fields and {HANDLERS} handlers, debug build, medians of {rounds}; whatever else runs can"
    );
    println!("only add to a build, so the least is shown as well:\n");
    println!("| | processor s | least | wall s |\n|---|---|---|---|");
    let line = |what: &str, Summary { processor, least, wall }: Summary| {
        println!("| {what} | {processor:.2} | {least:.2} | {wall:.2} |");
    };
    line("extractors that hand over what is there", plain);
    line("a session by hand on plain axum extractors", by_hand);
    line("`SessionData` and `#[session]`", session);
    for (what, beside) in [("the first", plain), ("the second", by_hand)] {
        let added = Summary {
            processor: session.processor - beside.processor,
            least: session.least - beside.least,
            wall: session.wall - beside.wall,
        };
        let missed = if added.processor < AIM.as_secs_f64() { "" } else { ", MISSED" };
        line(&format!("added to {what} (aim: under {} s{missed})", AIM.as_secs_f64()), added);
    }
    Ok(())
}

/// Builds a package and says what that took.
fn build(package: &Path) -> Outcome<Took> {
    let (before, started) = (children()?, Instant::now());
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--quiet", "--jobs", "1"]).current_dir(package).env("CARGO_INCREMENTAL", "0");
    command.env("CARGO_TARGET_DIR", package.with_file_name("target")).stdout(Stdio::null());
    if !command.status()?.success() {
        return Err(format!("`{}` does not build", package.display()).into());
    }
    Ok(Took { processor: children()? - before, wall: started.elapsed().as_secs_f64() })
}

/// The seconds of processor time of all processes that were started and have ended.
fn children() -> Outcome<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name, in parentheses, may hold spaces; behind it the times are the 14th and the 15th.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace().skip(13).take(2));
    let ticks = fields.into_iter().flatten().map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    // Linux shows its times in hundredths of a second.
    Ok(Duration::from_millis(ticks * 10).as_secs_f64())
}

fn summary(taken: &[Took]) -> Summary {
    let sorted = |of: fn(&Took) -> f64| {
        let mut all: Vec<f64> = taken.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all
    };
    let (processor, wall, middle) = (sorted(|took| took.processor), sorted(|took| took.wall), taken.len() / 2);
    Summary { processor: processor[middle], least: processor[0], wall: wall[middle] }
}

impl Written {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::ByHand => "by-hand",
            Self::Session => "session",
        }
    }

    /// Writes the package.
    fn write(self, package: &Path) -> Outcome<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let runtime = std::path::absolute(root.join("session-runtime"))?;
        fs::create_dir_all(package.join("src"))?;
        fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock"))?;
        fs::write(
            package.join("Cargo.toml"),
            format!(
                "[package]\nname = \"compiled-{}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
                 [dependencies]\naxum = {{ version = \"0.8\", default-features = false, features = [\"form\", \"macros\", \"query\"] }}\n\
                 serde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\nsession-runtime = {{ path = {runtime:?} }}\n",
                self.name(),
            ),
        )?;
        Ok(fs::write(package.join("src/lib.rs"), self.source()?)?)
    }

    fn source(self) -> Result<String, std::fmt::Error> {
        let mut text = String::from(
            "use std::sync::Arc;\nuse axum::{Form, Router, extract::{FromRef, Path, Query}, routing::get};\n\
             use serde::{Deserialize, Serialize};\n",
        );
        let (imports, derive, sessions, extractors) = match self {
            Self::Plain => (PLAIN_IMPORTS, "", "Arc<str>", PLAIN_EXTRACTORS),
            Self::ByHand => (BY_HAND_IMPORTS, "", "Store", BY_HAND_EXTRACTORS),
            Self::Session => {
                ("use session_runtime::{SessionData, Sessions, session};\n", ", SessionData", "Sessions<User>", "")
            }
        };
        text.push_str(imports);
        writeln!(text, "#[derive(Deserialize)]\npub struct Change {{ pub by: u64 }}")?;
        writeln!(text, "#[derive(Clone, Default, Serialize, Deserialize{derive})]\npub struct User {{")?;
        for field in 0..FIELDS {
            writeln!(
                text,
                "    pub field{field}: {},",
                ["String", "u64", "Option<String>", "Vec<u32>", "bool"][field % 5]
            )?;
        }
        writeln!(text, "}}\n{extractors}")?;
        for handler in 0..HANDLERS {
            writeln!(text, "{}", self.handler(handler))?;
        }
        writeln!(
            text,
            "#[derive(Clone, FromRef)]\npub struct App {{\n    pub sessions: {sessions},\n    pub title: Arc<String>,\n}}"
        )?;
        writeln!(text, "pub fn app(state: App) -> Router {{\n    Router::new()")?;
        for handler in 0..HANDLERS {
            writeln!(text, "        .route(\"/{handler}/{{id}}\", get(handler{handler}))")?;
        }
        writeln!(text, "        .with_state(state)\n}}")?;
        Ok(text)
    }

    /// One handler: a read, a change, a read by anonymous requests too, and a change from a form behind a check.
    fn handler(self, at: usize) -> String {
        let handlers = match self {
            Self::Plain => PLAIN_HANDLERS,
            Self::ByHand => BY_HAND_HANDLERS,
            Self::Session => SESSION_HANDLERS,
        };
        handlers[at % handlers.len()].replace("handler", &format!("handler{at}"))
    }
}

const SESSION_HANDLERS: [&str; 4] = [
    r#"#[session(protected)]
async fn handler(user: &User, Path(id): Path<u64>) -> String {
    format!("{} {id}", user.field0)
}"#,
    r#"#[session(protected)]
async fn handler(user: &mut User, Query(change): Query<Change>) -> String {
    user.field1 += change.by;
    user.field1.to_string()
}"#,
    r#"#[session(optional)]
async fn handler(user: Option<&User>) -> &'static str {
    if user.is_some() { "again" } else { "welcome" }
}"#,
    r#"#[session(protected, guard = |user| user.field4)]
async fn handler(user: &mut User, Form(change): Form<Change>) -> Result<String, &'static str> {
    user.field1 += change.by;
    if user.field1 > 9 { Err("enough") } else { Ok(user.field0.clone()) }
}"#,
];

/// The same on values that nobody stores.
const PLAIN_HANDLERS: [&str; 4] = [
    r#"async fn handler(user: User, Path(id): Path<u64>) -> String {
    format!("{} {id}", user.field0)
}"#,
    r#"async fn handler(mut user: User, Query(change): Query<Change>) -> String {
    user.field1 += change.by;
    user.field1.to_string()
}"#,
    r#"async fn handler(user: Option<User>) -> &'static str {
    if user.is_some() { "again" } else { "welcome" }
}"#,
    r#"async fn handler(mut user: User, Form(change): Form<Change>) -> Result<String, &'static str> {
    user.field1 += change.by;
    if user.field1 > 9 { Err("enough") } else { Ok(user.field0.clone()) }
}"#,
];

/// The same with the check and the store.
const BY_HAND_HANDLERS: [&str; 4] = [
    r#"async fn handler(Visit { user, .. }: Visit, Path(id): Path<u64>) -> String {
    format!("{} {id}", user.field0)
}"#,
    r#"async fn handler(mut visit: Visit, Query(change): Query<Change>) -> Result<String, StatusCode> {
    visit.user.field1 += change.by;
    let answer = visit.user.field1.to_string();
    visit.save()?;
    Ok(answer)
}"#,
    r#"async fn handler(visit: Option<Visit>) -> &'static str {
    if visit.is_some() { "again" } else { "welcome" }
}"#,
    r#"async fn handler(mut visit: Visit, Form(change): Form<Change>) -> Result<Result<String, &'static str>, StatusCode> {
    if !visit.user.field4 {
        return Err(StatusCode::FORBIDDEN);
    }
    visit.user.field1 += change.by;
    if visit.user.field1 > 9 {
        return Ok(Err("enough"));
    }
    let answer = visit.user.field0.clone();
    visit.save()?;
    Ok(Ok(answer))
}"#,
];

const PLAIN_IMPORTS: &str = "\
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::{StatusCode, request::Parts};
";

const PLAIN_EXTRACTORS: &str = "\
impl<S: Send + Sync> FromRequestParts<S> for User {
    type Rejection = StatusCode;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        parts.extensions.remove().ok_or(StatusCode::UNAUTHORIZED)
    }
}
impl<S: Send + Sync> OptionalFromRequestParts<S> for User {
    type Rejection = StatusCode;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, StatusCode> {
        Ok(parts.extensions.remove())
    }
}";

const BY_HAND_IMPORTS: &str = "\
use std::collections::HashMap;
use std::sync::Mutex;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::{StatusCode, header::COOKIE, request::Parts};
";

const BY_HAND_EXTRACTORS: &str = "\
#[derive(Clone, Default)]
pub struct Store(Arc<Mutex<HashMap<String, Vec<u8>>>>);
pub struct Visit {
    store: Store,
    cookie: String,
    user: User,
}
impl Visit {
    fn find(store: Store, parts: &Parts) -> Option<Self> {
        let cookie = parts.headers.get(COOKIE)?.to_str().ok()?.to_owned();
        let user = serde_json::from_slice(store.0.lock().ok()?.get(&cookie)?).ok()?;
        Some(Self { store, cookie, user })
    }
    fn save(self) -> Result<(), StatusCode> {
        let json = serde_json::to_vec(&self.user).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        self.store.0.lock().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?.insert(self.cookie, json);
        Ok(())
    }
}
impl<S: Send + Sync> FromRequestParts<S> for Visit
where
    Store: FromRef<S>,
{
    type Rejection = StatusCode;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StatusCode> {
        Self::find(Store::from_ref(state), parts).ok_or(StatusCode::UNAUTHORIZED)
    }
}
impl<S: Send + Sync> OptionalFromRequestParts<S> for Visit
where
    Store: FromRef<S>,
{
    type Rejection = StatusCode;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, StatusCode> {
        Ok(Self::find(Store::from_ref(state), parts))
    }
}";
