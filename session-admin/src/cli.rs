//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The exit codes, as `--help` shows them.
const EXITS: &str = "\
Exit codes:
  0  done
  1  there is no such session, or no key has signed the token
  2  the command line, the store's address or the keys are wrong
  3  the store does not answer, or refuses
  4  nothing was ended, since nobody said yes
  5  done, but some stored sessions can't be read, or may be left";

/// Looks at the sessions of session-runtime in their store, ends them, and makes and rotates keys.
///
/// The store's address is read from SESSION_STORE: redis://host:6379, postgres://host/database, mysql://host/database,
/// sqlite:sessions.db or file:/var/lib/shop/sessions. Tokens, keys, ids and the data of sessions are never printed, except
/// for the key that `keygen` makes without --out.
#[derive(Debug, Parser)]
#[command(name = "session-admin", version, after_help = EXITS, after_long_help = EXITS)]
pub(crate) struct Cli {
    /// One JSON object per line, for other programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the stored sessions
    ///
    /// A session that has passed its idle timeout is listed for as long as the store keeps it: the timeout is its type's, and
    /// no record says it. Redis keeps none of these.
    #[command(after_help = "\
Examples:
  SESSION_STORE=redis://localhost session-admin list --type shop/User
  SESSION_STORE=sqlite:sessions.db session-admin list
  session-admin list --type shop/User --owner 42 --json")]
    List(ListArgs),
    /// Shows one session: its times, its label, and the names of its data's fields
    #[command(after_help = "\
Examples:
  session-admin show --type shop/User k3Jx0Q2mVd1s")]
    Show(ShowArgs),
    /// Ends sessions, and asks before it ends more than one
    #[command(after_help = "\
Examples:
  session-admin end --type shop/User k3Jx0Q2mVd1s
  session-admin end --type shop/User --owner 42
  session-admin end --type shop/User --all --yes")]
    End(EndArgs),
    /// Says what is in a token, which is read from the standard input
    ///
    /// With --stored the store is asked as well, whether the session lives and the token has its id in force.
    #[command(after_help = "\
Examples:
  session-admin decode --type shop/User --keys-file keys < token
  SESSION_KEYS=... session-admin decode --type shop/User --stored < token")]
    Decode(DecodeArgs),
    /// Makes a signing key
    #[command(after_help = "\
Examples:
  session-admin keygen --out keys
  export SESSION_KEYS=\"$(session-admin keygen)\"")]
    Keygen(KeygenArgs),
    /// Puts a new key in front of the others, in a file that only its owner can read
    ///
    /// Restart the application with it. The older keys still verify tokens: drop them with --keep once the longest lifetime
    /// has passed.
    #[command(after_help = "\
Examples:
  session-admin rotate --keys-file keys
  session-admin rotate --keys-file keys --keep 1
  SESSION_KEYS=... session-admin rotate --out keys")]
    Rotate(RotateArgs),
    /// Sees whether sessions can live in the store, and names the rights that are missing
    ///
    /// This is what an application does when it starts: tables that are missing are made, and a session is stored and removed
    /// again, or its storing is undone.
    #[command(after_help = "\
Examples:
  SESSION_STORE=redis://localhost session-admin check --type shop/User
  SESSION_STORE=postgres://localhost/shop session-admin check --table sessions")]
    Check(StoreArgs),
}

/// Where sessions are, and whose.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// The store's address, if it holds no password
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// The type's identity: `package/Type`, or what its option `name` says. Without it all types of the store are meant
    #[arg(long = "type", value_name = "IDENTITY")]
    pub(crate) identity: Option<String>,
    /// The name of the type's cookie [default: `__Host-` and the type's name in kebab case]
    #[arg(long, requires = "identity")]
    pub(crate) cookie: Option<String>,
    /// What the names of keys in Redis begin with [default: `package:Type:`, by --type]
    #[arg(long)]
    pub(crate) prefix: Option<String>,
    /// The table in a SQL database
    #[arg(long, default_value = "sessions")]
    pub(crate) table: String,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Only this owner's: JSON, or a text. Needs --type
    #[arg(long, requires = "identity")]
    pub(crate) owner: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The session's public id, as lists and logs show it
    pub(crate) session: String,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(crate) struct EndArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The sessions' public ids
    #[arg(group = "which", value_name = "SESSION")]
    pub(crate) sessions: Vec<String>,
    /// All sessions of this owner: JSON, or a text. Needs --type
    #[arg(long, requires = "identity", group = "which")]
    pub(crate) owner: Option<String>,
    /// All sessions of the type. Needs --type
    #[arg(long, requires = "identity", group = "which")]
    pub(crate) all: bool,
    /// Ends more than one without asking
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Where keys come from: never the command line, which other users of a machine can read.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// A file of keys, newest first, separated by commas or lines [default: the variable SESSION_KEYS]
    #[arg(long, value_name = "FILE")]
    pub(crate) keys_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DecodeArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// The domain of the token, for a type with `cookie(domain = [..])`
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
    /// Asks the store whether the session lives
    #[arg(long)]
    pub(crate) stored: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KeygenArgs {
    /// Writes it to a new file that only its owner can read, and prints nothing of it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// Where to write, if not to the file that the keys come from
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// How many of the older keys stay [default: all]
    #[arg(long, value_name = "COUNT")]
    pub(crate) keep: Option<usize>,
}
