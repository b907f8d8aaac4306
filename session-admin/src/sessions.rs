//! `list`, `show`, `end` and `check`.

use std::io::{BufRead as _, IsTerminal as _};
use std::time::SystemTime;

use serde_json::{Value, json};
use session_runtime::backend::{ListCursor, ListedRecord, PublicId, RecordKey};
use session_runtime::inspect::{Contents, Purpose, SessionRecord, read};

use crate::cli::{EndArgs, ListArgs, ShowArgs, StoreArgs};
use crate::failure::{Exit, Failure, Result};
use crate::output;
use crate::store::{Store, purpose};

/// A stored session, or what is there in its place.
enum Found {
    Session(Box<SessionRecord>),
    Unreadable,
}

/// What a record is to whoever asks for these sessions; `None` if it is none of them.
fn found(listed: ListedRecord, purpose: Option<&Purpose>, now: SystemTime) -> Option<(RecordKey, Found)> {
    let ListedRecord { key, record } = listed;
    let found = match record.as_ref().map(read) {
        Some(Contents::Session(session)) => {
            // One that does not say whose it is may be of this type.
            let other = purpose.is_some_and(|purpose| session.type_hash().is_some() && !purpose.is_of(&session));
            if other || session.expires_at() <= now {
                return None;
            }
            Found::Session(session)
        }
        Some(Contents::OwnerList(_)) => return None,
        Some(_) | None => Found::Unreadable,
    };
    Some((key, found))
}

/// Goes through the sessions of a store, and says how many can't be read.
async fn each(store: &Store, purpose: Option<&Purpose>, mut visit: impl FnMut(RecordKey, Found)) -> Result<()> {
    let (bar, now) = (output::counter("reading the store"), SystemTime::now());
    let mut after: Option<ListCursor> = None;
    loop {
        let page = store.list(after.as_ref()).await?;
        bar.inc(page.records.len() as u64);
        for (key, found) in page.records.into_iter().filter_map(|listed| found(listed, purpose, now)) {
            bar.suspend(|| visit(key, found));
        }
        after = page.next;
        if after.is_none() {
            bar.finish_and_clear();
            return Ok(());
        }
    }
}

/// An owner as the command line names it: JSON, or a text that is none.
fn owner_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

/// The type that `--owner` and `--all` need.
fn one_type(args: &StoreArgs) -> Result<Purpose> {
    purpose(args).ok_or_else(|| Failure::wrong("say of which type by --type"))
}

/// The keys in an owner's list, ended sessions included.
async fn owners(store: &Store, args: &StoreArgs, owner: &str) -> Result<Vec<RecordKey>> {
    let Some(record) = store.peek(&one_type(args)?.owner_list(&owner_of(owner))).await? else { return Ok(Vec::new()) };
    match read(&record) {
        Contents::OwnerList(keys) => Ok(keys),
        _ => Err(Failure::store("the list of the owner's sessions can't be read")),
    }
}

pub(crate) async fn list(args: &ListArgs, is_json: bool) -> Result<Exit> {
    let (store, purpose) = (Store::open(&args.store, false).await?, purpose(&args.store));
    let (now, mut shown, mut unreadable) = (SystemTime::now(), 0_usize, 0_usize);
    let mut show = |key: RecordKey, found: Found| match found {
        Found::Session(session) => {
            if shown == 0 && !is_json {
                output::head();
            }
            shown += 1;
            match is_json {
                true => output::line(&output::object(&key, &session).to_string()),
                false => output::row(&key, &session, now),
            }
        }
        Found::Unreadable => {
            unreadable += 1;
            output::unreadable(&key, is_json);
        }
    };
    match &args.owner {
        None => each(&store, purpose.as_ref(), show).await?,
        Some(owner) => {
            for key in owners(&store, &args.store, owner).await? {
                let Some(record) = store.peek(&key).await? else { continue };
                let listed = ListedRecord { key, record: Some(record) };
                if let Some((key, found)) = found(listed, purpose.as_ref(), now) {
                    show(key, found);
                }
            }
        }
    }
    if !is_json {
        output::note(&format!("{shown} sessions, {unreadable} that can't be read"));
    }
    Ok(if unreadable > 0 { Exit::Unreadable } else { Exit::Done })
}

fn public_id(text: &str) -> Result<PublicId> {
    text.parse().map_err(|_| Failure::wrong(format!("{text:?} is no public id, which has 12 characters")))
}

/// Where the sessions of these names are: a name is a hash, so that all are looked through.
async fn keys_of(store: &Store, args: &StoreArgs, names: &[PublicId]) -> Result<Vec<(RecordKey, Found)>> {
    let mut keys = Vec::new();
    let purpose = purpose(args);
    each(store, purpose.as_ref(), |key, found| {
        if names.contains(&key.public_id()) && !keys.iter().any(|(known, _)| *known == key) {
            keys.push((key, found));
        }
    })
    .await?;
    Ok(keys)
}

pub(crate) async fn show(args: &ShowArgs, is_json: bool) -> Result<Exit> {
    let name = public_id(&args.session)?;
    let store = Store::open(&args.store, false).await?;
    match keys_of(&store, &args.store, &[name]).await?.pop() {
        None => Err(Failure::absent(format!("there is no session {name}"))),
        Some((key, Found::Unreadable)) => {
            output::unreadable(&key, is_json);
            Ok(Exit::Unreadable)
        }
        Some((key, Found::Session(session))) => {
            let object = output::object(&key, &session);
            match is_json {
                true => output::line(&object.to_string()),
                false => output::details(&object),
            }
            Ok(Exit::Done)
        }
    }
}

/// How often an owner's list is read again, for logins that came meanwhile.
const ROUNDS: usize = 10;

pub(crate) async fn end(args: &EndArgs, is_json: bool) -> Result<Exit> {
    let names = args.sessions.iter().map(|name| public_id(name)).collect::<Result<Vec<_>>>()?;
    let store = Store::open(&args.store, false).await?;
    let mut unreadable = 0;
    let mut keys: Vec<RecordKey> = if let Some(owner) = &args.owner {
        live(&store, owners(&store, &args.store, owner).await?).await?
    } else {
        let mut keys = Vec::new();
        let purpose = if args.all { Some(one_type(&args.store)?) } else { purpose(&args.store) };
        each(&store, purpose.as_ref(), |key, found| {
            let meant = args.all || names.contains(&key.public_id());
            match found {
                // What does not say whose it is ends by its name alone.
                Found::Session(session) if meant && (!args.all || session.type_hash().is_some()) => keys.push(key),
                Found::Session(_) | Found::Unreadable => unreadable += usize::from(meant),
            }
        })
        .await?;
        keys
    };
    keys.sort_unstable();
    keys.dedup();
    if !names.is_empty() && keys.len() < names.len() && keys.is_empty() && unreadable == 0 {
        return Err(Failure::absent("there is no such session"));
    }
    if keys.len() > 1 && !args.yes && !asked(keys.len())? {
        return Ok(Exit::Declined);
    }
    let mut ended = end_each(&store, &keys).await?;
    if let Some(owner) = &args.owner {
        for _ in 0..ROUNDS {
            let left = live(&store, owners(&store, &args.store, owner).await?).await?;
            if left.is_empty() {
                break;
            }
            ended += end_each(&store, &left).await?;
        }
    }
    match is_json {
        true => output::line(&json!({ "ended": ended, "unreadable": unreadable }).to_string()),
        false => output::line(&format!("{ended} ended")),
    }
    if unreadable > 0 {
        output::note(&format!("{unreadable} can't be read or do not say whose they are, and were left"));
        return Ok(Exit::Unreadable);
    }
    if ended < names.len() {
        return Err(Failure::absent(format!("{} of them are not there", names.len() - ended)));
    }
    Ok(Exit::Done)
}

async fn live(store: &Store, keys: Vec<RecordKey>) -> Result<Vec<RecordKey>> {
    let mut live = Vec::new();
    for key in keys {
        if store.peek(&key).await?.is_some() {
            live.push(key);
        }
    }
    Ok(live)
}

async fn end_each(store: &Store, keys: &[RecordKey]) -> Result<usize> {
    let (bar, mut ended) = (output::progress("ending", keys.len()), 0);
    for key in keys {
        ended += usize::from(store.delete(key).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(ended)
}

/// Whether somebody at the terminal says that so many sessions may end.
fn asked(count: usize) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        output::error(&format!("{count} sessions would end, and nobody can be asked; say --yes"));
        return Ok(false);
    }
    output::note(&format!("{count} sessions will end. Type yes to go on:"));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(|error| Failure::wrong(error.to_string()))?;
    Ok(matches!(answer.trim(), "y" | "yes"))
}

pub(crate) async fn check(args: &StoreArgs, is_json: bool) -> Result<Exit> {
    let store = Store::open(args, true).await?;
    // A store that is down is no error for an application that starts. It is one here.
    store.peek(&RecordKey::from_bytes([0; 32])).await?;
    store.list(None).await.map_err(|Failure { exit, why }| {
        let why =
            format!("sessions can live there, but not be listed, which this program and `sessions.all()` need: {why}");
        Failure { exit, why }
    })?;
    match is_json {
        true => output::line(&json!({ "usable": true }).to_string()),
        false => output::line("sessions can live there"),
    }
    Ok(Exit::Done)
}
