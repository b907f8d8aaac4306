//! The statements for many sessions where an UPDATE returns nothing, as in MySQL and MariaDB.
//!
//! Each changes a join of the table with the rows of it that may be changed, which are looked for and locked in the same
//! statement: it has its own commit, so nothing is locked while the database waits for this process. The inner query
//! passes by what another transaction has locked. No other condition follows it, so that exactly those rows are changed
//! that it found. LIMIT and the window function keep the optimizer from merging it into the statement, where the table
//! could not be read and changed at once. The index is forced since a scan would lock the whole table.
//!
//! A take writes a holder that nobody else has: a query for it tells afterwards which sessions were taken. Nothing is left
//! of a save that would tell it from another's, so one is carried out for all of its calls or for none, and the number of
//! rows tells which.

use super::dialect::{Dialect, Names};
use super::many::{Column, Form, SAVE, TAKE, Value};

/// A statement in the making, for so many calls with these columns.
struct Text {
    calls: usize,
    columns: &'static [Column],
    sql: String,
    values: Vec<Value>,
}

impl Text {
    fn new(calls: usize, columns: &'static [Column]) -> Self {
        Self { calls, columns, sql: String::new(), values: Vec::new() }
    }

    fn add(mut self, sql: &str) -> Self {
        self.sql += sql;
        self
    }

    /// A piece for each call, with its number in place of `{n}` and a placeholder for each of these columns.
    fn each(mut self, piece: &str, separator: &str, columns: &[&str]) -> Self {
        for call in 0..self.calls {
            if call > 0 {
                self.sql += separator;
            }
            self.sql += &piece.replace("{n}", &(call + 1).to_string());
            let places = columns.iter().filter_map(|name| self.columns.iter().position(|(column, _)| column == name));
            self.values.extend(places.map(|column| Value::Of { call, column }));
        }
        self
    }

    /// What the call of the row of `v` has in this column.
    fn case(self, column: &str) -> Self {
        self.add("CASE v.n ").each("WHEN {n} THEN ?", " ", &[column]).add(" END")
    }

    /// The number of calls.
    fn calls(mut self) -> Self {
        self.values.push(Value::Calls);
        self.add("?")
    }

    fn finish(self, dialect: &Dialect, names: &Names) -> Form {
        Form { sql: names.sql(dialect, &self.sql), values: self.values }
    }
}

const TABLE: &str = "{records} AS r FORCE INDEX (PRIMARY)";

/// Takes the leases that are free.
pub(super) fn take(dialect: &Dialect, names: &Names, calls: usize) -> Form {
    Text::new(calls, TAKE)
        .add("UPDATE (SELECT r.id_hash AS id, FIELD(r.id_hash, ")
        .each("?", ", ", &["id"])
        .add(") AS n FROM ")
        .add(TABLE)
        .add(" WHERE r.id_hash IN (")
        .each("?", ", ", &["id"])
        .add(") AND r.keep_until > {now} AND (r.lease_holder IS NULL OR r.lease_until <= {now}) LIMIT ")
        .add(&calls.to_string())
        .add(" FOR UPDATE SKIP LOCKED) AS v STRAIGHT_JOIN {records} AS r ON r.id_hash = v.id SET r.lease_holder = ")
        .case("holder")
        .add(", r.lease_until = ({now} + ")
        .case("ttl")
        .add(") & -2")
        .finish(dialect, names)
}

/// The records and the names of the sessions that these calls hold.
pub(super) fn taken(dialect: &Dialect, names: &Names, calls: usize) -> Form {
    Text::new(calls, TAKE)
        .add("SELECT r.version, r.last_seen, r.expires, r.body, r.keep_until - {now}, r.id_hash FROM ")
        .add(TABLE)
        .add(" WHERE ")
        .each("(r.id_hash = ? AND r.lease_holder = ?)", " OR ", &["id", "holder"])
        .finish(dialect, names)
}

/// Saves the records of all calls and gives up their leases or keeps them, or changes nothing.
pub(super) fn save(dialect: &Dialect, names: &Names, calls: usize) -> Form {
    Text::new(calls, SAVE)
        .add("UPDATE (SELECT r.id_hash AS id, FIELD(r.id_hash, ")
        .each("?", ", ", &["id"])
        .add(") AS n, COUNT(*) OVER () AS found FROM ")
        .add(TABLE)
        .add(" WHERE (")
        .each("(r.id_hash = ? AND r.version = ? AND r.lease_holder = ?)", " OR ", &["id", "expected", "holder"])
        .add(
            ") AND r.lease_until > {now} AND r.keep_until > {now} FOR UPDATE SKIP LOCKED) AS v \
             STRAIGHT_JOIN {records} AS r ON r.id_hash = v.id SET r.version = ",
        )
        .case("version")
        .add(", r.last_seen = ")
        .case("last_seen")
        .add(", r.expires = ")
        .case("expires")
        .add(", r.keep_until = {now} + ")
        .case("keep")
        .add(", r.body = ")
        .case("body")
        .add(", r.lease_holder = CASE WHEN ")
        .case("ttl")
        .add(" < 0 THEN NULL ELSE r.lease_holder END, r.lease_until = CASE WHEN ")
        .case("ttl")
        .add(" < 0 THEN NULL ELSE (({now} + ")
        .case("ttl")
        .add(") & -2) | (r.lease_until % 2) END WHERE v.found = ")
        .calls()
        .finish(dialect, names)
}

/// The names of the sessions, and whether somebody else waits for the leases on them.
pub(super) fn marks(dialect: &Dialect, names: &Names, calls: usize) -> Form {
    Text::new(calls, SAVE)
        .add("SELECT r.id_hash, r.lease_until % 2 FROM ")
        .add(TABLE)
        .add(" WHERE ")
        .each("(r.id_hash = ? AND r.lease_holder = ?)", " OR ", &["id", "holder"])
        .finish(dialect, names)
}
