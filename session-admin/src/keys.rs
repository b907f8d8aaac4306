//! `decode`, `keygen` and `rotate`.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};
use session_rules::cookie::domain_violation;
use session_runtime::generate_key;
use session_runtime::inspect::{Contents, Keys};

use crate::cli::{DecodeArgs, KeyArgs, KeygenArgs, RotateArgs};
use crate::failure::{Exit, Failure, Result};
use crate::output;
use crate::store::{Store, purpose};

const VARIABLE: &str = "SESSION_KEYS";

/// The keys as they were written, newest first.
fn read_keys(args: &KeyArgs) -> Result<Vec<String>> {
    let (text, source) = match &args.keys_file {
        Some(path) => {
            let read = fs::read_to_string(path);
            let text = read.map_err(|error| Failure::wrong(format!("{} can't be read: {error}", path.display())))?;
            (text, path.display().to_string())
        }
        None => {
            let text = std::env::var(VARIABLE).unwrap_or_default();
            if text.trim().is_empty() {
                return Err(Failure::wrong(format!("there are no keys; set {VARIABLE}, or give --keys-file")));
            }
            (text, VARIABLE.to_owned())
        }
    };
    let keys: Vec<String> =
        text.split([',', '\n']).map(str::trim).filter(|key| !key.is_empty()).map(Into::into).collect();
    Keys::parse(&keys.join(",")).map_err(|why| Failure::wrong(format!("{source} {why}")))?;
    Ok(keys)
}

/// More than any token has.
const LONGEST: u64 = 8192;

pub(crate) async fn decode(args: &DecodeArgs, is_json: bool) -> Result<Exit> {
    let purpose = purpose(&args.store).ok_or_else(|| Failure::wrong("say of which type by --type"))?;
    if let Some(problem) = args.domain.as_deref().and_then(domain_violation) {
        return Err(Failure::wrong(format!("--domain: {problem}")));
    }
    let keys = Keys::parse(&read_keys(&args.keys)?.join(",")).map_err(Failure::wrong)?;
    let mut token = String::new();
    let read = io::stdin().lock().take(LONGEST).read_to_string(&mut token);
    read.map_err(|_| Failure::wrong("the standard input has no token"))?;
    let contents = match &args.domain {
        Some(domain) => keys.decode_at(&purpose, domain, token.trim()),
        None => keys.decode(&purpose, token.trim()),
    };
    let Some(contents) = contents else {
        return Err(Failure::absent(
            "none of the keys has signed this token for this type and cookie; of a type with several domains, say which \
             by --domain",
        ));
    };
    let carried = match contents.carried() {
        Some(Contents::Session(session)) => Some(output::object(&contents.record_key(), &session)),
        _ => None,
    };
    let mut object = json!({
        "session": contents.public_id().to_string(),
        "issued": output::time(contents.issued_at()),
        "expires": output::time(contents.expires_at()),
        "expired": contents.expires_at() <= SystemTime::now(),
        "idle_seconds": contents.idle().map(|idle| idle.as_secs()),
        "signed_by": if contents.is_by_newest_key() { "the newest key" } else { "an older key" },
    });
    if let Some(carried) = carried {
        object["data"] = carried["data"].clone();
        object["label"] = carried["label"].clone();
        object["last_used"] = carried["last_used"].clone();
    }
    if args.stored {
        let store = Store::open(&args.store, false).await?;
        let state = match store.peek(&contents.record_key()).await? {
            None => "absent",
            Some(record) if !contents.is_in_force(&record) => "there, under another id: the token was replaced",
            Some(_) => "there, and the token is in force",
        };
        object["stored"] = Value::from(state);
    }
    match is_json {
        true => output::json(&object),
        false => output::details(&object),
    }
    Ok(Exit::Done)
}

/// A new file that only its owner can read.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

pub(crate) fn keygen(args: &KeygenArgs, is_json: bool) -> Result<Exit> {
    let key = generate_key();
    let Some(path) = &args.out else {
        match is_json {
            true => output::line(&json!({ "key": key }).to_string()),
            false => output::line(&key),
        }
        return Ok(Exit::Done);
    };
    create(path, &(key + "\n"))
        .map_err(|error| Failure::wrong(format!("{} can't be made: {error}", path.display())))?;
    match is_json {
        true => output::line(&json!({ "file": path.display().to_string() }).to_string()),
        false => output::line(&format!("the key is in {}", path.display())),
    }
    Ok(Exit::Done)
}

pub(crate) fn rotate(args: &RotateArgs, is_json: bool) -> Result<Exit> {
    let out = args.out.as_ref().or(args.keys.keys_file.as_ref());
    let out = out.ok_or_else(|| Failure::wrong("say by --out where the keys are to be written"))?;
    if args.out.is_some() && out.exists() {
        return Err(Failure::wrong(format!("{} is there already; give --keys-file to rotate it", out.display())));
    }
    let mut keys = read_keys(&args.keys)?;
    let before = keys.len();
    keys.truncate(args.keep.unwrap_or(before));
    let kept = keys.len();
    keys.insert(0, generate_key());
    replace(out, &(keys.join(",") + "\n"))
        .map_err(|error| Failure::wrong(format!("{} can't be written: {error}", out.display())))?;
    match is_json {
        true => output::line(&json!({ "new": 1, "kept": kept, "dropped": before - kept }).to_string()),
        false => output::line(&format!("a new key is in front of {kept} older ones; {} dropped", before - kept)),
    }
    Ok(Exit::Done)
}

/// Lets the same people read a file as that one.
#[cfg(unix)]
fn readable_as(path: &Path, former: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, chown};

    let now = fs::metadata(path)?;
    let owner = (now.uid() != former.uid()).then_some(former.uid());
    let group = (now.gid() != former.gid()).then_some(former.gid());
    if owner.is_some() || group.is_some() {
        chown(path, owner, group)?;
    }
    fs::set_permissions(path, former.permissions())
}

#[cfg(not(unix))]
fn readable_as(_: &Path, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

/// Puts a file in the place of another in one step, so that no moment has half of the keys. Who may read it stays, and a
/// link to it leads to the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let former = fs::metadata(path).ok();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let draft: PathBuf = path.with_file_name(name);
    create(&draft, text)?;
    let replaced = former.map_or(Ok(()), |former| readable_as(&draft, &former)).and_then(|()| fs::rename(&draft, path));
    replaced.inspect_err(|_| _ = fs::remove_file(&draft))
}
