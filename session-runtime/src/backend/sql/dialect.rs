//! What is particular about each database's SQL, and the statements that follow from it.

use std::fmt::Write as _;
use std::sync::Arc;

use super::driver::SqlValue;
use super::many::ManyForm;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use super::many::Writers;
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
    /// How one statement changes many rows, where it can, and how many run before further calls wait to be in the next.
    pub(super) many: Option<ManyForm>,
    pub(super) at_once: usize,
    /// The current time in milliseconds since 1970: the same throughout a statement, so that an index on times can be
    /// used, and whatever time zone and modes the connection has.
    now: &'static str,
    /// What is run on each connection that the store has made, so that no default of the server or of the user changes
    /// what a statement does.
    pub(super) settings: &'static [&'static str],
    /// Asks for the shortest time in milliseconds after which the server ends a statement, zero if it ends none;
    /// then whether each statement is complete in itself.
    pub(super) limits: &'static str,
    /// What [`Statements::keep`] tells the mark on the lease by.
    told: (&'static str, &'static str),
    /// What stands before and behind bytes in hexadecimal.
    bytes: (&'static str, &'static str),
    /// The types of 32 bytes, of 16 bytes and of a body.
    key: &'static str,
    holder: &'static str,
    body: &'static str,
    /// What follows a table's columns. An index that isn't written here is a statement of its own.
    index_inside: &'static str,
    index_beside: &'static str,
    table_options: &'static str,
    /// Begins a transaction that writes.
    pub(super) begin: &'static str,
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
    many: Some(ManyForm::Returning(Writers::One)),
    at_once: 1,
    settings: &[],
    limits: "SELECT 0, 1",
    now: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    told: (MARK, " RETURNING lease_until % 2"),
    bytes: ("x'", "'"),
    key: "BLOB",
    holder: "BLOB",
    body: "BLOB",
    index_inside: "",
    index_beside: "CREATE INDEX IF NOT EXISTS {index} ON {records} (keep_until)",
    table_options: " WITHOUT ROWID",
    begin: "BEGIN IMMEDIATE",
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
    many: Some(ManyForm::Returning(Writers::Many)),
    at_once: 2,
    // Each statement is right under any isolation; but serializable ones of many at once undo each other.
    settings: &["SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED"],
    limits: "SELECT (EXTRACT(EPOCH FROM current_setting('statement_timeout')::INTERVAL) * 1000)::BIGINT, 1::BIGINT",
    now: "(EXTRACT(EPOCH FROM statement_timestamp()) * 1000)::BIGINT",
    told: (MARK, " RETURNING lease_until % 2"),
    bytes: ("decode('", "', 'hex')"),
    key: "BYTEA",
    holder: "BYTEA",
    body: "BYTEA",
    index_inside: "",
    index_beside: "CREATE INDEX IF NOT EXISTS {index} ON {records} (keep_until)",
    table_options: "",
    begin: "BEGIN",
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
    many: Some(ManyForm::Joined),
    at_once: 2,
    settings: &[
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE",
        "SET NAMES utf8mb4, autocommit = 1, time_zone = '+00:00', \
         sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
    ],
    // MariaDB alone reads the first comment, MySQL alone the second.
    limits: "SELECT CAST(0 /*M!100100 + @@max_statement_time * 1000 */ /*!50708 + @@max_execution_time */ AS SIGNED), \
             CAST(@@autocommit AS SIGNED)",
    now: "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)",
    // An UPDATE answers with the number that this function was given.
    told: ("LAST_INSERT_ID(lease_until % 2)", ""),
    bytes: ("x'", "'"),
    key: "BINARY(32)",
    holder: "BINARY(16)",
    body: "MEDIUMBLOB",
    index_inside: ", KEY {index} (keep_until)",
    index_beside: "",
    table_options: " ENGINE=InnoDB",
    begin: "START TRANSACTION",
    // Its schema changes know no transactions; each is idempotent instead.
    lock: "SELECT GET_LOCK('session_runtime schema', 5)",
    unlock: "SELECT RELEASE_LOCK('session_runtime schema')",
};

/// The last bit of a lease's end: somebody else waits for it.
const MARK: &str = "lease_until % 2";
/// The end of a lease that nobody waits for.
pub(super) const UNMARKED: &str = "({now} + ?) & -2";

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

    /// A statement with the tables' names in it.
    fn fill(&self, dialect: &Dialect, template: &str) -> String {
        let names = template.replace("{records}", &self.records).replace("{meta}", &self.meta);
        names.replace("{index}", &self.index).replace("{now}", dialect.now)
    }

    pub(super) fn sql(&self, dialect: &Dialect, template: &str) -> Sql {
        let text = self.fill(dialect, template);
        let pieces: Box<[Box<str>]> = text.split('?').map(Into::into).collect();
        if !dialect.numbered {
            return Sql { prepared: text.into(), pieces };
        }
        let mut numbered = String::new();
        for (place, piece) in pieces.iter().enumerate() {
            if place > 0 {
                let _ = write!(numbered, "${place}");
            }
            numbered += piece;
        }
        Sql { prepared: numbered.into(), pieces }
    }
}

/// A statement that is run with values.
pub(super) struct Sql {
    /// With placeholders, to be prepared.
    pub(super) prepared: Arc<str>,
    /// What stands before, between and behind the values.
    pieces: Box<[Box<str>]>,
}

impl Sql {
    /// A statement without values.
    pub(super) fn constant(text: &str) -> Self {
        Self { prepared: text.into(), pieces: [text.into()].into() }
    }

    /// The statement with its values written into it. They are numbers, and bytes in hexadecimal: nothing in them can
    /// be read as SQL.
    pub(super) fn with(&self, dialect: &Dialect, values: &[SqlValue<'_>]) -> String {
        let mut text = String::new();
        let (before, behind) = dialect.bytes;
        for (place, piece) in self.pieces.iter().enumerate() {
            // Writing to a string can't fail.
            let _ = match place.checked_sub(1).and_then(|place| values.get(place)) {
                None => Ok(()),
                Some(SqlValue::Number(number)) => write!(text, "{number}"),
                Some(SqlValue::Bytes(bytes)) => {
                    text += before;
                    for byte in *bytes {
                        let _ = write!(text, "{byte:02x}");
                    }
                    text.write_str(behind)
                }
            };
            text += piece;
        }
        text
    }
}

/// The statements. Those that are run often are prepared once on each connection.
pub(super) struct Statements {
    pub(super) create: Sql,
    pub(super) load: Sql,
    pub(super) touch: Sql,
    pub(super) update: Sql,
    pub(super) compare_and_set: Sql,
    pub(super) state: Sql,
    pub(super) delete: Sql,
    pub(super) take: Sql,
    pub(super) extend: Sql,
    pub(super) save: Sql,
    /// Saves without giving up the lease, and tells whether somebody else waits for it.
    pub(super) keep: Sql,
    pub(super) release: Sql,
    /// Notes that somebody else waits for a lease.
    pub(super) mark: Sql,
    pub(super) expired: Sql,
    pub(super) expired_records: Sql,
    pub(super) list: Sql,
    /// For [`Statements::BATCH`] keys at a time.
    pub(super) forget: Sql,
    pub(super) claim: Sql,
    pub(super) unclaim: Sql,
    pub(super) version: Sql,
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
    pub(super) note: Sql,
    pub(super) note_again: Sql,
}

impl Statements {
    /// How many records one statement forgets.
    pub(super) const BATCH: usize = 64;

    /// Durations are written, and moments made of them by the database: the clocks of the machines that share it may
    /// differ. What the runtime itself decides by, `last_seen` and `expires`, stays as it was given.
    pub(super) fn new(dialect: &Dialect, names: &Names) -> Self {
        let sql = |template: &str| names.sql(dialect, template);
        let keys = vec!["?"; Self::BATCH].join(", ");
        let take = format!(
            "UPDATE {{records}} SET lease_holder = ?, lease_until = {UNMARKED} \
             WHERE id_hash = ? AND keep_until > {{now}} \
             AND (lease_holder IS NULL OR lease_holder = ? OR lease_until <= {{now}})"
        );
        let record = "version = ?, last_seen = ?, expires = ?, keep_until = {now} + ?, body = ?";
        let held = "id_hash = ? AND version = ? AND lease_holder = ? AND lease_until > {now} AND keep_until > {now}";
        let (mark, told) = dialect.told;
        let update =
            format!("UPDATE {{records}} SET {record} WHERE id_hash = ? AND version = ? AND keep_until > {{now}}");
        let save = |end: &str| format!("UPDATE {{records}} SET {record}, {end} WHERE {held}");
        let keep = save(&format!("lease_until = ({UNMARKED}) | {mark}"));
        let columns = "version, last_seen, expires, body, keep_until - {now}";
        let returning = if dialect.returning { format!(" RETURNING {columns}") } else { String::new() };
        Self {
            create: sql("INSERT INTO {records} (id_hash, version, last_seen, expires, keep_until, body) \
                         VALUES (?, ?, ?, ?, {now} + ?, ?)"),
            load: sql(&format!("SELECT {columns} FROM {{records}} WHERE id_hash = ?")),
            // A machine whose clock is ahead may have written a later use; it stays the last one.
            touch: sql("UPDATE {records} SET last_seen = CASE WHEN last_seen < ? THEN ? ELSE last_seen END, \
                        keep_until = {now} + ? \
                        WHERE id_hash = ? AND version = ? AND (last_seen < ? OR keep_until < {now} + ?)"),
            update: sql(&update),
            compare_and_set: sql(&[&update, " AND (lease_holder IS NULL OR lease_until <= {now})"].concat()),
            state: sql(&format!(
                "SELECT keep_until - {{now}}, lease_holder, lease_until - {{now}}, {MARK}, version FROM {{records}} \
                 WHERE id_hash = ?"
            )),
            delete: sql("DELETE FROM {records} WHERE id_hash = ?"),
            take: sql(&[take, returning].concat()),
            extend: sql(&format!(
                "UPDATE {{records}} SET lease_until = ({UNMARKED}) | {MARK} \
                 WHERE id_hash = ? AND lease_holder = ? AND lease_until > {{now}}"
            )),
            save: sql(&save("lease_holder = NULL, lease_until = NULL")),
            keep: sql(&[&keep, told].concat()),
            release: sql("UPDATE {records} SET lease_holder = NULL, lease_until = NULL \
                          WHERE id_hash = ? AND lease_holder = ?"),
            mark: sql(&format!(
                "UPDATE {{records}} SET lease_until = lease_until + 1 \
                 WHERE id_hash = ? AND lease_holder = ? AND lease_until > {{now}} AND {MARK} = 0"
            )),
            expired: sql("SELECT id_hash FROM {records} WHERE keep_until <= {now} ORDER BY keep_until LIMIT ?"),
            expired_records: sql("SELECT version, last_seen, expires, body, id_hash FROM {records} \
                                  WHERE keep_until <= {now} ORDER BY keep_until LIMIT ?"),
            list: sql("SELECT version, last_seen, expires, body, id_hash FROM {records} WHERE id_hash > ? \
                       ORDER BY id_hash LIMIT ?"),
            forget: sql(&format!("DELETE FROM {{records}} WHERE id_hash IN ({keys}) AND keep_until <= {{now}}")),
            claim: sql("UPDATE {meta} SET sweeper = ?, sweeping_until = {now} + ? \
                        WHERE id = 1 AND (sweeper IS NULL OR sweeper = ? OR sweeping_until <= {now})"),
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
             sweeper {holder}, sweeping_until BIGINT){table_options}"
        );
        Self {
            meta: sql(&meta),
            steps: vec![first],
            note: names.sql(dialect, "INSERT INTO {meta} (id, version) VALUES (1, ?)"),
            note_again: names.sql(dialect, "UPDATE {meta} SET version = ? WHERE id = 1"),
        }
    }
}
