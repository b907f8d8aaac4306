//! How long the macros take to compile: a struct of 50 fields and 200 handlers, beside the same on plain axum extractors.
//!
//! Both are libraries written here and built by cargo in its debug profile, in turns, with every dependency built
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
const AIM: Duration = Duration::from_secs(1);

#[derive(Clone, Copy)]
enum Written {
    Plain,
    Session,
}

/// The processor time and the wall clock of a build.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Took {
    processor: f64,
    wall: f64,
}

pub(crate) fn measure(rounds: usize) -> Outcome<()> {
    let target = PathBuf::from(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
    let folder = std::path::absolute(target)?.join("compile");
    let both = [Written::Plain, Written::Session].map(|written| folder.join(written.name()));
    for (written, package) in [Written::Plain, Written::Session].into_iter().zip(&both) {
        written.write(package)?;
        eprintln!("building the dependencies of `{}`", written.name());
        build(package)?;
    }
    let mut taken: [Vec<Took>; 2] = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        for at in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            // A new text, so that nothing is kept from the build before.
            let file = both[at].join("src/lib.rs");
            let text = fs::read_to_string(&file)?;
            fs::write(&file, format!("{text}// {round}\n"))?;
            taken[at].push(build(&both[at])?);
        }
    }
    let [plain, session] = taken.map(|taken| median(&taken));
    println!("A struct of {FIELDS} fields and {HANDLERS} handlers, debug build, medians of {rounds}:\n");
    println!("| | processor s | wall s |\n|---|---|---|");
    println!("| plain axum extractors | {:.2} | {:.2} |", plain.processor, plain.wall);
    println!("| `SessionData` and `#[session]` | {:.2} | {:.2} |", session.processor, session.wall);
    let added = session.processor - plain.processor;
    let missed = if added < AIM.as_secs_f64() { "" } else { ", MISSED" };
    println!("| added (aim: under {} s{missed}) | {added:.2} | {:.2} |", AIM.as_secs(), session.wall - plain.wall);
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

fn median(taken: &[Took]) -> Took {
    let middle = |of: fn(&Took) -> f64| {
        let mut all: Vec<f64> = taken.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    Took { processor: middle(|took| took.processor), wall: middle(|took| took.wall) }
}

impl Written {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
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
                 [dependencies]\naxum = {{ version = \"0.8\", default-features = false, features = [\"form\", \"query\"] }}\n\
                 serde = {{ version = \"1\", features = [\"derive\"] }}\nsession-runtime = {{ path = {runtime:?} }}\n",
                self.name(),
            ),
        )?;
        Ok(fs::write(package.join("src/lib.rs"), self.source()?)?)
    }

    fn source(self) -> Result<String, std::fmt::Error> {
        let mut text = String::from(
            "use axum::{Form, Router, extract::{Path, Query}, routing::get};\nuse serde::{Deserialize, Serialize};\n",
        );
        let (derive, state) = match self {
            Self::Plain => {
                text.push_str("use axum::extract::{FromRequestParts, OptionalFromRequestParts};\n");
                text.push_str("use axum::http::{StatusCode, request::Parts};\n");
                ("", "()")
            }
            Self::Session => {
                text.push_str("use session_runtime::{SessionData, Sessions, session};\n");
                (", SessionData", "Sessions<User>")
            }
        };
        writeln!(text, "#[derive(Deserialize)]\npub struct Change {{ pub by: u64 }}")?;
        writeln!(text, "#[derive(Clone, Default, Serialize, Deserialize{derive})]\npub struct User {{")?;
        for field in 0..FIELDS {
            writeln!(
                text,
                "    pub field{field}: {},",
                ["String", "u64", "Option<String>", "Vec<u32>", "bool"][field % 5]
            )?;
        }
        writeln!(text, "}}")?;
        if matches!(self, Self::Plain) {
            writeln!(text, "{PLAIN_EXTRACTORS}")?;
        }
        for handler in 0..HANDLERS {
            writeln!(text, "{}", self.handler(handler))?;
        }
        writeln!(text, "pub fn app(state: {state}) -> Router {{\n    Router::new()")?;
        for handler in 0..HANDLERS {
            writeln!(text, "        .route(\"/{handler}/{{id}}\", get(handler{handler}))")?;
        }
        writeln!(text, "        .with_state(state)\n}}")?;
        Ok(text)
    }

    /// One handler: a read, a change, a read by strangers too, and a change from a form behind a check.
    fn handler(self, at: usize) -> String {
        let attribute = |options: &str| match self {
            Self::Plain => String::new(),
            Self::Session => format!("#[session({options})]\n"),
        };
        let (shared, exclusive) = match self {
            Self::Plain => ("User", "User"),
            Self::Session => ("&User", "&mut User"),
        };
        let mutable = if matches!(self, Self::Plain) { "mut " } else { "" };
        match at % 4 {
            0 => format!(
                "{}async fn handler{at}(user: {shared}, Path(id): Path<u64>) -> String {{\n    format!(\"{{}} {{id}}\", user.field0)\n}}",
                attribute("protected"),
            ),
            1 => format!(
                "{}async fn handler{at}({mutable}user: {exclusive}, Query(change): Query<Change>) -> String {{\n    user.field1 += change.by;\n    user.field1.to_string()\n}}",
                attribute("protected"),
            ),
            2 => format!(
                "{}async fn handler{at}(user: Option<{shared}>) -> &'static str {{\n    if user.is_some() {{ \"again\" }} else {{ \"welcome\" }}\n}}",
                attribute("optional"),
            ),
            _ => format!(
                "{}async fn handler{at}({mutable}user: {exclusive}, Form(change): Form<Change>) -> Result<String, &'static str> {{\n    user.field1 += change.by;\n    if user.field1 > 9 {{ Err(\"enough\") }} else {{ Ok(user.field0.clone()) }}\n}}",
                attribute("protected, guard = |user| user.field4"),
            ),
        }
    }
}

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
