//! What is particular about each database's SQL, and the statements that follow from it.

use std::sync::Arc;

use crate::error::OpenError;

/// What is particular about a database's SQL.
pub(super) struct Dialect {
    /// The backend's name in declarations and in messages.
    pub(super) name: &'static str,
    /// What encloses an identifier.
    quote: char,
    /// Whether a table can be named with its schema, `schema.table`.
    schemas: bool,
    /// Whether placeholders are `$1`, `$2` rather than `?`.
    numbered: bool,
    /// Whether an UPDATE can return what it changed.
    pub(super) returning: bool,
    /// The types of 32 bytes, of 16 bytes and of a body.
    key: &'static str,
    holder: &'static str,
    body: &'static str,
    /// What follows a table's columns. An index that isn't written here is a statement of its own.
    index_inside: &'static str,
    index_beside: &'static str,
    table_options: &'static str,
    /// Begins and ends a change of the schema, which one process makes at a time. If the connection
    /// breaks in between, the database ends it by itself.
    pub(super) lock: &'static str,
    pub(super) unlock: &'static str,
}

#[cfg(feature = "sqlite")]
pub(super) const SQLITE: Dialect = Dialect {
    name: "sqlite",
    quote: '"',
    schemas: false,
    numbered: false,
    returning: true,
    key: "BLOB",
    holder: "BLOB",
    body: "BLOB",
    index_inside: "",
    index_beside: "CREATE INDEX IF NOT EXISTS {index} ON {records} (keep_until)",
    table_options: " WITHOUT ROWID",
    lock: "BEGIN IMMEDIATE",
    unlock: "COMMIT",
};

#[cfg(feature = "postgres")]
pub(super) const POSTGRES: Dialect = Dialect {
    name: "postgres",
    quote: '"',
    schemas: true,
    numbered: true,
    returning: true,
    key: "BYTEA",
    holder: "BYTEA",
    body: "BYTEA",
    index_inside: "",
    index_beside: "CREATE INDEX IF NOT EXISTS {index} ON {records} (keep_until)",
    table_options: "",
    // Any constant will do, as long as nobody else uses it.
    lock: "BEGIN; SELECT pg_advisory_xact_lock(5215971372811893601)",
    unlock: "COMMIT",
};

#[cfg(feature = "mysql")]
pub(super) const MYSQL: Dialect = Dialect {
    name: "mysql",
    quote: '`',
    schemas: true,
    numbered: false,
    returning: false,
    key: "BINARY(32)",
    holder: "BINARY(16)",
    body: "MEDIUMBLOB",
    index_inside: ", KEY {index} (keep_until)",
    index_beside: "",
    table_options: " ENGINE=InnoDB",
    // Its schema changes know no transactions; each is idempotent instead.
    lock: "SELECT GET_LOCK('session_runtime schema', 5)",
    unlock: "SELECT RELEASE_LOCK('session_runtime schema')",
};

/// What an index and the second table add to the name of the table.
const INDEX: &str = "_keep";
const META: &str = "_meta";
/// PostgreSQL cuts longer identifiers off.
const LONGEST: usize = 63 - INDEX.len();

/// The names of the tables, checked and quoted.
pub(super) struct Names {
    records: String,
    meta: String,
    index: String,
}

impl Names {
    /// # Errors
    /// A name with anything but letters, digits and underscores in it.
    pub(super) fn new(dialect: &Dialect, table: &str) -> Result<Self, OpenError> {
        let legal = |part: &str| {
            part.len() <= LONGEST
                && part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let (schema, name) = match table.split_once('.') {
            Some((schema, name)) if dialect.schemas => (Some(schema), name),
            _ => (None, table),
        };
        if !legal(name) || !schema.is_none_or(legal) {
            let shape = if dialect.schemas { ", `table` or `schema.table`" } else { "" };
            let why = format!(
                "is {table:?}; a table's name is up to {LONGEST} letters, digits and underscores, not a digit first{shape}"
            );
            return Err(OpenError::option(format!("backend = {}(table)", dialect.name), None, why));
        }
        let quote = dialect.quote;
        let before = schema.map(|schema| format!("{quote}{schema}{quote}.")).unwrap_or_default();
        Ok(Self {
            records: format!("{before}{quote}{name}{quote}"),
            meta: format!("{before}{quote}{name}{META}{quote}"),
            index: format!("{quote}{name}{INDEX}{quote}"),
        })
    }

    /// A statement with the tables' names and the dialect's placeholders.
    fn fill(&self, dialect: &Dialect, template: &str) -> String {
        let sql =
            template.replace("{records}", &self.records).replace("{meta}", &self.meta).replace("{index}", &self.index);
        if !dialect.numbered {
            return sql;
        }
        let mut parts = sql.split('?');
        let mut numbered = String::from(parts.next().unwrap_or_default());
        for (before, part) in parts.enumerate() {
            numbered += &format!("${}{part}", before + 1);
        }
        numbered
    }
}

/// The statements, each prepared once on each connection.
pub(super) struct Statements {
    pub(super) create: Arc<str>,
    pub(super) load: Arc<str>,
    pub(super) touch: Arc<str>,
    pub(super) update: Arc<str>,
    pub(super) state: Arc<str>,
    pub(super) delete: Arc<str>,
    pub(super) take: Arc<str>,
    pub(super) extend: Arc<str>,
    pub(super) save: Arc<str>,
    pub(super) release: Arc<str>,
    pub(super) expired: Arc<str>,
    /// For [`Statements::BATCH`] keys at a time.
    pub(super) forget: Arc<str>,
    pub(super) claim: Arc<str>,
    pub(super) unclaim: Arc<str>,
    pub(super) version: Arc<str>,
    pub(super) schema: Migrations,
}

/// How the tables come to be.
pub(super) struct Migrations {
    /// Makes the table that knows the version of the other one.
    pub(super) meta: String,
    /// What leads from each version to the next one, the first from no table at all. Each statement
    /// can be run again over its own work.
    pub(super) steps: Vec<Vec<String>>,
    /// Notes the version, from nothing and from an earlier one.
    pub(super) note: Arc<str>,
    pub(super) note_again: Arc<str>,
}

impl Statements {
    /// How many records one statement forgets.
    pub(super) const BATCH: usize = 64;

    pub(super) fn new(dialect: &Dialect, names: &Names) -> Self {
        let sql = |template: &str| -> Arc<str> { names.fill(dialect, template).into() };
        let keys = vec!["?"; Self::BATCH].join(", ");
        let take = "UPDATE {records} SET lease_holder = ?, lease_until = ? WHERE id_hash = ? AND keep_until > ? \
                    AND (lease_holder IS NULL OR lease_holder = ? OR lease_until <= ?)";
        let returning = if dialect.returning { " RETURNING version, last_seen, expires, body" } else { "" };
        Self {
            create: sql("INSERT INTO {records} (id_hash, version, last_seen, expires, keep_until, body) \
                         VALUES (?, ?, ?, ?, ?, ?)"),
            load: sql("SELECT version, last_seen, expires, body FROM {records} WHERE id_hash = ?"),
            touch: sql("UPDATE {records} SET last_seen = ?, keep_until = ? \
                        WHERE id_hash = ? AND version = ? AND last_seen < ?"),
            update: sql("UPDATE {records} SET version = ?, last_seen = ?, expires = ?, keep_until = ?, body = ? \
                         WHERE id_hash = ? AND version = ? AND keep_until > ?"),
            state: sql("SELECT keep_until, lease_holder, lease_until FROM {records} WHERE id_hash = ?"),
            delete: sql("DELETE FROM {records} WHERE id_hash = ?"),
            take: sql(&[take, returning].concat()),
            extend: sql(
                "UPDATE {records} SET lease_until = ? WHERE id_hash = ? AND lease_holder = ? AND lease_until > ?",
            ),
            save: sql("UPDATE {records} SET version = ?, last_seen = ?, expires = ?, keep_until = ?, body = ?, \
                       lease_holder = NULL, lease_until = NULL \
                       WHERE id_hash = ? AND version = ? AND lease_holder = ? AND lease_until > ? AND keep_until > ?"),
            release: sql("UPDATE {records} SET lease_holder = NULL, lease_until = NULL \
                          WHERE id_hash = ? AND lease_holder = ?"),
            expired: sql("SELECT id_hash FROM {records} WHERE keep_until <= ? ORDER BY keep_until LIMIT ?"),
            forget: sql(&format!("DELETE FROM {{records}} WHERE id_hash IN ({keys}) AND keep_until <= ?")),
            claim: sql("UPDATE {meta} SET sweeper = ?, sweeping_until = ? \
                        WHERE id = 1 AND (sweeper IS NULL OR sweeper = ? OR sweeping_until <= ?)"),
            unclaim: sql("UPDATE {meta} SET sweeper = NULL, sweeping_until = NULL WHERE id = 1 AND sweeper = ?"),
            version: sql("SELECT version FROM {meta} WHERE id = 1"),
            schema: Migrations::new(dialect, names),
        }
    }
}

impl Migrations {
    fn new(dialect: &Dialect, names: &Names) -> Self {
        let Dialect { key, holder, body, index_inside, index_beside, table_options, .. } = *dialect;
        let sql = |template: &str| names.fill(dialect, template);
        let records = format!(
            "CREATE TABLE IF NOT EXISTS {{records}} (id_hash {key} NOT NULL PRIMARY KEY, version BIGINT NOT NULL, \
             last_seen BIGINT NOT NULL, expires BIGINT NOT NULL, keep_until BIGINT NOT NULL, body {body} NOT NULL, \
             lease_holder {holder}, lease_until BIGINT{index_inside}){table_options}"
        );
        // A table of that name which is somebody else's has other columns, and is refused here.
        let probe = "SELECT id_hash, version, last_seen, expires, keep_until, body, lease_holder, lease_until \
                     FROM {records} WHERE 1 = 0";
        let first = [&records, probe, index_beside].into_iter().filter(|sql| !sql.is_empty()).map(sql).collect();
        let meta = format!(
            "CREATE TABLE IF NOT EXISTS {{meta}} (id INTEGER NOT NULL PRIMARY KEY, version BIGINT NOT NULL, \
             sweeper {holder}, sweeping_until BIGINT)"
        );
        Self {
            meta: sql(&meta),
            steps: vec![first],
            note: sql("INSERT INTO {meta} (id, version) VALUES (1, ?)").into(),
            note_again: sql("UPDATE {meta} SET version = ? WHERE id = 1").into(),
        }
    }
}
