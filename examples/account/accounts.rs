//! Names and passwords. An application has a database for that; here they are in memory or in a file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::{env, fmt, fs};

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString, rand_core::OsRng};

/// The hash of each person's password.
type Hashes = BTreeMap<String, String>;

pub(crate) struct Accounts {
    /// Where processes share them.
    file: Option<PathBuf>,
    hashes: Mutex<Hashes>,
}

/// What a person is told.
#[derive(Debug)]
pub(crate) struct Refusal(&'static str);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Accounts {
    pub(crate) fn open() -> Self {
        Self { file: env::var_os("ACCOUNTS").map(PathBuf::from), hashes: Mutex::default() }
    }

    pub(crate) async fn create(&self, name: &str, password: &str) -> Result<(), Refusal> {
        let name = name.trim();
        if !(1..=40).contains(&name.chars().count()) {
            return Err(Refusal("Please type a name of 1 to 40 characters."));
        }
        let hash = hash(password).await?;
        self.with(|hashes| match hashes.contains_key(name) {
            true => Err(Refusal("That name is taken. Choose another one, or log in.")),
            false => {
                hashes.insert(name.into(), hash);
                Ok(())
            }
        })
    }

    pub(crate) async fn verify(&self, name: &str, password: &str) -> Result<(), Refusal> {
        // Somebody who doesn't exist is told the same, after the same time.
        const NOBODY: &str =
            "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5aXNoZXJl$LX1y/vfm2ZrbDy/Y5pFkXnpV0bMPOC6aZm3ZUQ3yUIs";
        let hash = self.with(|hashes| hashes.get(name.trim()).cloned()).unwrap_or_else(|| NOBODY.into());
        let password = password.to_owned();
        let right = tokio::task::spawn_blocking(move || {
            PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        });
        if right.await.unwrap_or(false) { Ok(()) } else { Err(Refusal("That is not the right name and password.")) }
    }

    pub(crate) async fn change(&self, name: &str, current: &str, new: &str) -> Result<(), Refusal> {
        self.verify(name, current).await.map_err(|_| Refusal("That is not your current password."))?;
        let hash = hash(new).await?;
        self.with(|hashes| hashes.insert(name.into(), hash));
        Ok(())
    }

    pub(crate) fn remove(&self, name: &str) {
        self.with(|hashes| hashes.remove(name));
    }

    /// Looks at the accounts as they are now, and keeps what was changed.
    fn with<R>(&self, ask: impl FnOnce(&mut Hashes) -> R) -> R {
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &self.file {
            *hashes = fs::read(file).ok().and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
        }
        let before = hashes.clone();
        let answer = ask(&mut hashes);
        if let (Some(file), true) = (&self.file, *hashes != before) {
            let draft = file.with_extension("draft");
            let json = serde_json::to_vec(&*hashes).unwrap_or_default();
            if let Err(error) = fs::write(&draft, json).and_then(|()| fs::rename(&draft, file)) {
                tracing::error!(%error, "the accounts were not written");
            }
        }
        answer
    }
}

async fn hash(password: &str) -> Result<String, Refusal> {
    if password.chars().count() < 8 {
        return Err(Refusal("Please choose a password of 8 characters at least."));
    }
    let password = password.to_owned();
    let hash = tokio::task::spawn_blocking(move || {
        let salt = SaltString::generate(&mut OsRng);
        Argon2::default().hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string())
    });
    match hash.await {
        Ok(Ok(hash)) => Ok(hash),
        _ => Err(Refusal("That did not work. Please try again.")),
    }
}
