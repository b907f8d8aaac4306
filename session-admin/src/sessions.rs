//! `list`, `show`, `end` and `check`.

use std::collections::BTreeMap;
use std::io::{BufRead as _, IsTerminal as _};
use std::time::SystemTime;

use serde_json::json;
use session_runtime::backend::{ListCursor, ListedRecord, PublicId, RecordKey};
use session_runtime::inspect::{Contents, Purpose, SessionRecord, read};

use crate::cli::{EndArgs, ListArgs, ShowArgs, StoreArgs};
use crate::failure::{Exit, Failure, Result};
use crate::output;
use crate::store::{Store, purpose};

/// A stored session, or what is there in its place.
enum Found {
    Session(Box<SessionRecord>),
    /// A live session of another type, by the hash of that.
    Another(String),
    Unreadable,
}

/// What a record is to whoever asks for these sessions; `None` if it is a list, or has expired.
fn found(listed: ListedRecord, purpose: Option<&Purpose>, now: SystemTime) -> Option<(RecordKey, Found)> {
    let ListedRecord { key, record } = listed;
    let found = match record.as_ref().map(read) {
        Some(Contents::Session(session)) => {
            // One that does not say whose it is may be of this type.
            let other = purpose.is_some_and(|purpose| !purpose.is_of(&session));
            match session.type_hash() {
                _ if session.expires_at() <= now => return None,
                Some(hash) if other => Found::Another(hash),
                _ => Found::Session(session),
            }
        }
        Some(Contents::OwnerList { .. }) => return None,
        Some(_) | None => Found::Unreadable,
    };
    Some((key, found))
}

/// How many live sessions of other types were passed by, by the hashes of those.
type Others = BTreeMap<String, usize>;

/// What to look at where nothing was found beside these.
fn of_others(others: &Others) -> String {
    let types: Vec<String> = others.iter().map(|(hash, count)| format!("{hash} ({count})")).collect();
    format!(
        "the store has live sessions of other types: {}; see whether --type and --cookie are right",
        types.join(", ")
    )
}

/// Goes through the sessions of a store.
async fn each(store: &Store, purpose: Option<&Purpose>, mut visit: impl FnMut(RecordKey, Found)) -> Result<Others> {
    let mut others = Others::new();
    let (bar, now) = (output::counter("reading the store"), SystemTime::now());
    let mut after: Option<ListCursor> = None;
    loop {
        let page = store.list(after.as_ref()).await?;
        bar.inc(page.records.len() as u64);
        for (key, found) in page.records.into_iter().filter_map(|listed| found(listed, purpose, now)) {
            match found {
                Found::Another(hash) => *others.entry(hash).or_default() += 1,
                found => bar.suspend(|| visit(key, found)),
            }
        }
        after = page.next;
        if after.is_none() {
            bar.finish_and_clear();
            return Ok(others);
        }
    }
}

/// An owner as the command line names it, as the list's name has it: compact JSON. What is none is a text.
///
/// Members keep their order and numbers their digits, which a parsed value would not.
fn owner_of(text: &str) -> String {
    match serde_json::from_str(text) {
        Ok(serde_json::Value::String(text)) => json!(text).to_string(),
        Ok(_) => without_spaces(text),
        Err(_) => json!(text).to_string(),
    }
}

/// JSON without the white space between its tokens.
fn without_spaces(json: &str) -> String {
    let (mut compact, mut in_text, mut escaped) = (String::with_capacity(json.len()), false, false);
    for c in json.chars() {
        if in_text || !c.is_ascii_whitespace() {
            compact.push(c);
        }
        (in_text, escaped) = match c {
            _ if escaped => (in_text, false),
            '\\' => (in_text, in_text),
            '"' => (!in_text, false),
            _ => (in_text, false),
        };
    }
    compact
}

/// The type that `--owner` and `--all` need.
fn one_type(args: &StoreArgs) -> Result<Purpose> {
    purpose(args).ok_or_else(|| Failure::wrong("say of which type by --type"))
}

/// An owner's list: the keys in it, ended sessions included, and whether it has all.
struct OwnersSessions {
    keys: Vec<RecordKey>,
    is_whole: bool,
}

/// What there is of an owner's list; `None` if there is none.
async fn owners(store: &Store, args: &StoreArgs, owner: &str) -> Result<Option<OwnersSessions>> {
    let Some(record) = store.peek(&one_type(args)?.owner_list(&owner_of(owner))).await? else { return Ok(None) };
    match read(&record) {
        Contents::OwnerList { keys, whole_from } => {
            let is_whole = whole_from.is_none_or(|whole_from| whole_from <= SystemTime::now());
            Ok(Some(OwnersSessions { keys, is_whole }))
        }
        _ => Err(Failure::store("the list of the owner's sessions can't be read")),
    }
}

const NO_LIST: &str = "there is no list of this owner's sessions: nobody of this name has logged in lately, or the owner is \
                       written otherwise (compact JSON, as the field has it), or --type or --cookie is another";
const NOT_WHOLE: &str = "the list of the owner's sessions was lost, and lacks those that were not used since";

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
                true => output::json(&output::object(&key, &session)),
                false => output::row(&key, &session, now),
            }
        }
        Found::Unreadable => {
            unreadable += 1;
            output::unreadable(&key, is_json);
        }
        Found::Another(_) => {}
    };
    let remark;
    match &args.owner {
        None => {
            let others = each(&store, purpose.as_ref(), show).await?;
            remark = (shown == 0 && !others.is_empty()).then(|| of_others(&others));
        }
        Some(owner) => {
            let list = owners(&store, &args.store, owner).await?;
            remark = match &list {
                None => Some(NO_LIST.to_owned()),
                Some(list) => (!list.is_whole).then(|| NOT_WHOLE.to_owned()),
            };
            for key in list.into_iter().flat_map(|list| list.keys) {
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
    if let Some(remark) = remark {
        output::note(&remark);
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
    let _ = each(store, purpose.as_ref(), |key, found| {
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
        None | Some((_, Found::Another(_))) => Err(Failure::absent(format!("there is no session {name}"))),
        Some((key, Found::Unreadable)) => {
            output::unreadable(&key, is_json);
            Ok(Exit::Unreadable)
        }
        Some((key, Found::Session(session))) => {
            let object = output::object(&key, &session);
            match is_json {
                true => output::json(&object),
                false => output::details(&object),
            }
            Ok(Exit::Done)
        }
    }
}

/// How often an owner's list is read again, for logins that came meanwhile.
const ROUNDS: usize = 10;

pub(crate) async fn end(args: &EndArgs, is_json: bool) -> Result<Exit> {
    let mut names: Vec<PublicId> = Vec::new();
    for name in &args.sessions {
        let name = public_id(name)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let store = Store::open(&args.store, false).await?;
    let mut unreadable = 0;
    let mut keys: Vec<RecordKey> = if let Some(owner) = &args.owner {
        let list = owners(&store, &args.store, owner).await?;
        live(&store, list.ok_or_else(|| Failure::absent(NO_LIST))?.keys).await?
    } else {
        let mut keys = Vec::new();
        let purpose = if args.all { Some(one_type(&args.store)?) } else { purpose(&args.store) };
        let others = each(&store, purpose.as_ref(), |key, found| {
            let meant = args.all || names.contains(&key.public_id());
            match found {
                // What does not say whose it is ends by its name alone.
                Found::Session(session) if meant && (!args.all || session.type_hash().is_some()) => keys.push(key),
                Found::Session(_) | Found::Unreadable => unreadable += usize::from(meant),
                Found::Another(_) => {}
            }
        })
        .await?;
        if keys.is_empty() && unreadable == 0 && !others.is_empty() {
            return Err(Failure::absent(format!("there is no such session; {}", of_others(&others))));
        }
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
    let mut ended = end_each(&store, &keys, 0).await?;
    let mut left_over = None;
    if let Some(owner) = &args.owner {
        left_over = Some("the owner logs in again and again: some sessions are left");
        for _ in 0..ROUNDS {
            let list = owners(&store, &args.store, owner).await?;
            let is_whole = list.as_ref().is_none_or(|list| list.is_whole);
            let left = live(&store, list.map(|list| list.keys).unwrap_or_default()).await?;
            if left.is_empty() {
                left_over = (!is_whole).then_some(NOT_WHOLE);
                break;
            }
            ended += end_each(&store, &left, ended).await?;
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
    if let Some(why) = left_over {
        return Err(Failure { exit: Exit::Unreadable, why: why.into() });
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

/// Ends them, once so many had been ended.
async fn end_each(store: &Store, keys: &[RecordKey], before: usize) -> Result<usize> {
    let (bar, mut ended) = (output::progress("ending", keys.len()), 0);
    for key in keys {
        ended += usize::from(store.delete(key).await.map_err(|failure| failure.after(before + ended))?);
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

#[cfg(test)]
mod tests {
    use super::owner_of;

    #[test]
    fn an_owner_is_compact_json_with_its_members_and_digits_as_they_were_given() {
        for (given, json) in [
            ("42", "42"),
            ("ada", "\"ada\""),
            ("\"ada\\u0021\"", "\"ada!\""),
            ("{ \"tenant\": \"a b\\\" {\", \"id\": 1 }", "{\"tenant\":\"a b\\\" {\",\"id\":1}"),
            ("340282366920938463463374607431768211455", "340282366920938463463374607431768211455"),
            ("[1, 2]", "[1,2]"),
        ] {
            assert_eq!(owner_of(given), json);
        }
    }
}
