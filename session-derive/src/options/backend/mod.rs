//! `backend = name(...)` or `backend = path::Of::Type(...)`: where sessions are kept.

mod redis;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Path, ext::IdentExt, parse::ParseStream, token};

use super::{
    OptionKey, at_end, each,
    feature::Feature,
    parenthesized,
    value::{ANY, COUNT, Expected, FLAG, Literal, RawValue, Setting, TEXT, not_empty},
};
use crate::{
    diag::{Errors, choice, closest, suggestion},
    paths::{Runtime, name_span},
};

pub(crate) const USAGE: &str = "backend = redis(url = env(\"REDIS_URL\"))";

const WHAT: &str = "a backend's name or the path of its type";

/// A backend of the runtime.
struct Builtin {
    name: &'static str,
    /// Its type in the runtime's module `backend`.
    type_name: &'static str,
    arguments: &'static [BackendArgument],
    /// Whether its sessions are still there when the process is not, so that their key must be, too.
    outlives_the_process: bool,
    availability: Availability,
}

struct BackendArgument {
    name: &'static str,
    usage: &'static str,
    expected: Expected,
    availability: Availability,
    /// Whether it may be written as several in brackets.
    is_list: bool,
}

#[derive(Clone, Copy)]
enum Availability {
    Always,
    With(Feature),
}

const MEMORY: Builtin = Builtin {
    name: "memory",
    type_name: "Memory",
    arguments: &[argument("capacity", "capacity = 10_000", COUNT)],
    outlives_the_process: false,
    availability: Availability::Always,
};

const BACKENDS: &[Builtin] = &[
    MEMORY,
    Builtin {
        name: "redis",
        type_name: "Redis",
        arguments: redis::ARGUMENTS,
        outlives_the_process: true,
        availability: with("redis", cfg!(feature = "redis")),
    },
    Builtin {
        name: "file",
        type_name: "File",
        arguments: &[
            argument("dir", "dir = \"/var/lib/shop/sessions\"", TEXT),
            argument("durable", "durable = true", FLAG),
        ],
        outlives_the_process: true,
        availability: with("file", cfg!(feature = "file")),
    },
    Builtin {
        name: "sqlite",
        type_name: "Sqlite",
        arguments: &[argument("path", "path = \"sessions.db\"", TEXT), SQL_TABLE],
        outlives_the_process: true,
        availability: with("sqlite", cfg!(feature = "sqlite")),
    },
    Builtin {
        name: "postgres",
        type_name: "Postgres",
        arguments: &[
            DATABASE_URL,
            SQL_TABLE,
            MAX_CONNECTIONS,
            ACQUIRE_TIMEOUT,
            argument("prepared_statements", "prepared_statements = false", FLAG),
        ],
        outlives_the_process: true,
        availability: with("postgres", cfg!(feature = "postgres")),
    },
    Builtin {
        name: "mysql",
        type_name: "MySql",
        arguments: &[DATABASE_URL, SQL_TABLE, MAX_CONNECTIONS, ACQUIRE_TIMEOUT],
        outlives_the_process: true,
        availability: with("mysql", cfg!(feature = "mysql")),
    },
    Builtin {
        name: "cookie",
        type_name: "Cookie",
        arguments: &[],
        outlives_the_process: true,
        availability: Availability::Always,
    },
];

const DATABASE_URL: BackendArgument = argument("url", "url = env(\"DATABASE_URL\")", TEXT);
const SQL_TABLE: BackendArgument = argument("table", "table = \"sessions\"", TEXT);

const MAX_CONNECTIONS: BackendArgument = argument("max_connections", "max_connections = 10", COUNT);
const ACQUIRE_TIMEOUT: BackendArgument = argument("acquire_timeout", "acquire_timeout = \"1s\"", TEXT);

const fn argument(name: &'static str, usage: &'static str, expected: Expected) -> BackendArgument {
    BackendArgument { name, usage, expected, availability: Availability::Always, is_list: false }
}

impl BackendArgument {
    const fn needs(self, feature: Feature) -> Self {
        Self { availability: Availability::With(feature), ..self }
    }

    const fn list(self) -> Self {
        Self { is_list: true, ..self }
    }
}

const fn with(name: &'static str, enabled: bool) -> Availability {
    Availability::With(Feature { name, enabled })
}

/// A backend as it was written.
pub(crate) struct RawBackend {
    path: Path,
    builtin: Option<&'static Builtin>,
    arguments: Vec<(Ident, RawValue)>,
    /// Whether each argument could be read, so that one that is missing was not written.
    is_whole: bool,
}

/// A backend that can be opened.
pub(crate) struct Backend {
    path: BackendType,
    arguments: Vec<(Ident, Setting)>,
    label: String,
}

enum BackendType {
    Runtime(&'static str),
    Own(Path),
}

/// Reads `= name(...)`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream, errors: &mut Errors) -> syn::Result<RawBackend> {
    key.equals(input, WHAT)?;
    let span = input.span();
    let path: Path = input.parse().map_err(|_| key.misused(span, WHAT))?;
    let builtin = find(&path)?;
    let (mut arguments, mut is_whole) = (Vec::new(), true);
    if input.peek(token::Paren) {
        parenthesized(input, |content| {
            each(content, errors, |input, errors| {
                let read = parse_argument(input, builtin, &mut arguments, errors);
                is_whole &= read.is_ok();
                read
            });
            Ok(())
        })?;
    }
    key.ends(input, input.span(), WHAT)?;
    Ok(RawBackend { path, builtin, arguments, is_whole })
}

/// One lower-case word names a backend of the runtime; anything else is the path of a type.
fn find(path: &Path) -> syn::Result<Option<&'static Builtin>> {
    let Some(ident) = path.get_ident() else { return Ok(None) };
    let name = ident.unraw().to_string();
    let found = BACKENDS.iter().find(|backend| backend.name == name);
    if found.is_none() && name.starts_with(char::is_lowercase) {
        let hint = match closest(&name, BACKENDS.iter().map(|backend| backend.name)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => {
                format!("expected {}, or the path of a backend of your own, as in `crate::Store`", available())
            }
        };
        let message = format!("unknown backend `{name}`; {hint}");
        return Err(syn::Error::new(ident.span(), message));
    }
    Ok(found)
}

/// How an argument of this backend is written, if it takes any.
fn example(builtin: Option<&'static Builtin>) -> Option<&'static str> {
    match builtin {
        None => Some("name = env(\"VAR\")"),
        Some(builtin) => builtin.arguments.first().map(|argument| argument.usage),
    }
}

/// Reads `url = env("REDIS_URL")`.
fn parse_argument(
    input: ParseStream,
    builtin: Option<&'static Builtin>,
    arguments: &mut Vec<(Ident, RawValue)>,
    errors: &mut Errors,
) -> syn::Result<()> {
    let span = input.span();
    let ident = input.parse::<Ident>().map_err(|_| {
        let message = match example(builtin) {
            Some(usage) => format!("expected an argument of the backend by its name, as in `{usage}`"),
            None => "this backend takes no arguments; remove the parentheses".to_owned(),
        };
        syn::Error::new(span, message)
    })?;
    let name = ident.unraw().to_string();
    let (usage, expected, is_list) = match builtin {
        None => ("name = env(\"VAR\")", ANY, false),
        Some(builtin) => {
            let row = builtin.arguments.iter().find(|argument| argument.name == name).ok_or_else(|| {
                let hint = match builtin.arguments {
                    [] => "it takes none".to_owned(),
                    known => suggestion(&name, known.iter().map(|argument| argument.name)),
                };
                syn::Error::new(ident.span(), format!("`{}` has no argument `{name}`; {hint}", builtin.name))
            })?;
            (row.usage, row.expected, row.is_list)
        }
    };
    let key = OptionKey { ident, usage };
    let bare_flag = expected.is_flag() && at_end(input);
    let value = match is_list {
        _ if bare_flag => RawValue::flag(span),
        true => RawValue::parse_list(&key, input)?,
        false => RawValue::parse(&key, input, expected)?,
    };
    if let Some((first, _)) = arguments.iter().find(|(seen, _)| *seen == key.ident) {
        errors.at(key.span(), format!("`{name}` is given twice; keep one of the two"));
        errors.at(first.span(), format!("`{name}` is first given here"));
    } else {
        arguments.push((key.ident, value));
    }
    Ok(())
}

impl RawBackend {
    /// Where the backend is named, and the name, if its sessions outlive the process (as far as we know).
    pub(crate) fn outliving(&self) -> Option<(Span, String)> {
        let outlives = self.builtin.is_none_or(|builtin| builtin.outlives_the_process);
        outlives.then(|| (self.span(), self.name()))
    }

    /// Where the backend is named, if it is the one that keeps nothing.
    pub(crate) fn carried(&self) -> Option<Span> {
        self.builtin.is_some_and(|builtin| builtin.name == "cookie").then(|| self.span())
    }

    fn name(&self) -> String {
        self.path.to_token_stream().to_string().replace(' ', "")
    }

    fn span(&self) -> Span {
        name_span(&self.path)
    }
}

/// A backend that is there, with arguments it can use.
pub(crate) fn check(raw: RawBackend, errors: &mut Errors) -> Backend {
    it_is_available(&raw, errors);
    its_arguments_are_available(&raw, errors);
    redis::check(&raw, errors);
    arguments_say_something(&raw, errors);
    memory_holds_something(&raw, errors);
    a_pool_has_connections(&raw, errors);
    a_pool_has_patience(&raw, errors);
    let label = format!("backend = {}", raw.name());
    let RawBackend { path, builtin, arguments, is_whole: _ } = raw;
    Backend {
        path: builtin.map_or(BackendType::Own(path), |builtin| BackendType::Runtime(builtin.type_name)),
        arguments: arguments.into_iter().map(|(ident, value)| (ident, value.setting())).collect(),
        label,
    }
}

/// `backend = redis` without the feature `redis`
fn it_is_available(raw: &RawBackend, errors: &mut Errors) {
    let Some(builtin) = raw.builtin else { return };
    let what = format!("the backend `{}`", builtin.name);
    match builtin.availability {
        Availability::Always => {}
        Availability::With(feature) => feature.required(raw.span(), &what, errors),
    }
}

/// `redis(ca = ..)` without the feature `redis-tls`
fn its_arguments_are_available(raw: &RawBackend, errors: &mut Errors) {
    let Some(builtin) = raw.builtin else { return };
    for (ident, _) in &raw.arguments {
        let row = builtin.arguments.iter().find(|argument| ident == argument.name);
        if let Some(Availability::With(feature)) = row.map(|row| row.availability) {
            feature.required(ident.span(), &format!("`{ident}`"), errors);
        }
    }
}

fn available() -> String {
    choice(BACKENDS.iter().map(|backend| backend.name))
}

/// `redis(url = "")`
fn arguments_say_something(raw: &RawBackend, errors: &mut Errors) {
    if raw.builtin.is_some() {
        for (ident, value) in &raw.arguments {
            not_empty(value, &ident.to_string(), errors);
        }
    }
}

/// `memory(capacity = 0)`
fn memory_holds_something(raw: &RawBackend, errors: &mut Errors) {
    let Some((_, value)) = raw.arguments.iter().find(|(ident, _)| raw.path.is_ident("memory") && ident == "capacity")
    else {
        return;
    };
    let Some(literal) = value.known() else { return };
    match literal.text.parse::<usize>() {
        Ok(1..) => {}
        Ok(0) => errors.at(literal.span, "a capacity of zero holds no session; write `capacity = 10_000`"),
        Err(_) => errors.at(literal.span, "`capacity` is a number of sessions; write `capacity = 10_000`"),
    }
}

/// `postgres(max_connections = 0)`
fn a_pool_has_connections(raw: &RawBackend, errors: &mut Errors) {
    let Some(literal) = raw.builtin_argument("max_connections") else { return };
    if !literal.text.parse::<u32>().is_ok_and(|count| (1..=10_000).contains(&count)) {
        errors.at(literal.span, "a pool has 1 to 10000 connections; write `max_connections = 10`");
    }
}

/// `mysql(acquire_timeout = "soon")`
fn a_pool_has_patience(raw: &RawBackend, errors: &mut Errors) {
    let Some(literal) = raw.builtin_argument("acquire_timeout") else { return };
    if let Err(why) = session_rules::time::parse(&literal.text) {
        errors.at(literal.span, why);
    }
}

impl RawBackend {
    /// An argument of a backend of the runtime, as far as it is known at compile time.
    fn builtin_argument(&self, name: &str) -> Option<&Literal> {
        self.builtin?;
        self.arguments.iter().find(|(ident, _)| ident == name)?.1.known()
    }
}

impl Backend {
    /// What a type has that names no backend.
    pub(crate) fn memory() -> Self {
        Self { path: BackendType::Runtime(MEMORY.type_name), arguments: Vec::new(), label: String::new() }
    }

    /// Whether the sessions travel with the token, so that there is no store.
    pub(crate) fn is_carried(&self) -> bool {
        matches!(self.path, BackendType::Runtime("Cookie"))
    }

    /// The backend's type.
    pub(crate) fn expand_type(&self, runtime: &Runtime) -> TokenStream {
        match &self.path {
            BackendType::Own(path) => path.to_token_stream(),
            BackendType::Runtime(name) => {
                let (backend, ident) = (runtime.backend(), Ident::new(name, Span::mixed_site()));
                quote!(#backend::#ident)
            }
        }
    }

    /// The arguments: each with its place in the configuration, a label for messages, and its value.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = (&Ident, String, &Setting)> {
        self.arguments.iter().map(|(ident, value)| (ident, format!("{}({})", self.label, ident.unraw()), value))
    }
}
