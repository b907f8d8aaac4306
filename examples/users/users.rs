//! Users, their groups and what these may do, in SQLite.

use axum::http::StatusCode;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, password TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS users_groups (user_id INTEGER NOT NULL, group_name TEXT NOT NULL, PRIMARY KEY (user_id, group_name));
CREATE TABLE IF NOT EXISTS permissions (group_name TEXT NOT NULL, permission TEXT NOT NULL, PRIMARY KEY (group_name, permission));
INSERT OR IGNORE INTO permissions VALUES ('users', 'protected.read'), ('admins', 'restricted.read');
";

#[derive(Clone)]
pub(crate) struct Users(SqlitePool);

/// The database did not answer: the request is told so, and the log why.
pub(crate) struct Broken(sqlx::Error);

impl From<sqlx::Error> for Broken {
    fn from(error: sqlx::Error) -> Self {
        Self(error)
    }
}

impl From<Broken> for StatusCode {
    fn from(Broken(error): Broken) -> Self {
        tracing::error!(%error, "the users' database");
        Self::SERVICE_UNAVAILABLE
    }
}

impl Users {
    /// Opens the file, and adds two people to an empty one: `ferris` (a user) and `admin` (a user and an administrator).
    pub(crate) async fn open(file: &str) -> Result<(Self, SqlitePool), sqlx::Error> {
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        let pool = SqlitePool::connect_with(options.journal_mode(SqliteJournalMode::Wal)).await?;
        sqlx::raw_sql(TABLES).execute(&pool).await?;
        let users = Self(pool.clone());
        if sqlx::query_scalar::<_, i64>("SELECT count(*) FROM users").fetch_one(&pool).await? == 0 {
            users.add("ferris", "hunter42", &["users"]).await?;
            users.add("admin", "hunter43", &["users", "admins"]).await?;
        }
        Ok((users, pool))
    }

    async fn add(&self, name: &str, password: &str, groups: &[&str]) -> Result<(), sqlx::Error> {
        let insert = sqlx::query_scalar::<_, i64>("INSERT INTO users (name, password) VALUES (?, ?) RETURNING id");
        let id = insert.bind(name).bind(password_auth::generate_hash(password)).fetch_one(&self.0).await?;
        for group in groups {
            sqlx::query("INSERT INTO users_groups VALUES (?, ?)").bind(id).bind(group).execute(&self.0).await?;
        }
        Ok(())
    }

    /// Whose name and password these are. Who is unknown is told the same as with a wrong password, after the same time.
    pub(crate) async fn authenticate(&self, name: &str, password: String) -> Result<Option<i64>, Broken> {
        const NOBODY: &str =
            "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5aXNoZXJl$LX1y/vfm2ZrbDy/Y5pFkXnpV0bMPOC6aZm3ZUQ3yUIs";
        let find = sqlx::query_as::<_, (i64, String)>("SELECT id, password FROM users WHERE name = ?");
        let account = find.bind(name).fetch_optional(&self.0).await?;
        let (id, hash) = account.map_or((None, NOBODY.to_owned()), |(id, hash)| (Some(id), hash));
        // A password takes long to check, which is the point; other requests go on.
        let checked = tokio::task::spawn_blocking(move || password_auth::verify_password(password, &hash).is_ok());
        let right = checked.await.unwrap_or(false);
        Ok(id.filter(|_| right))
    }

    /// Whether one of the person's groups has the permission now.
    pub(crate) async fn may(&self, id: i64, permission: &str) -> Result<bool, Broken> {
        let count = sqlx::query_scalar::<_, i64>(
            "SELECT count(*) FROM users_groups JOIN permissions USING (group_name) WHERE user_id = ? AND permission = ?",
        );
        Ok(count.bind(id).bind(permission).fetch_one(&self.0).await? > 0)
    }
}
