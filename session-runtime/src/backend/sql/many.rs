//! The statements for many sessions at once, in each dialect.
//!
//! Each takes a table of rows, one a call, and returns the names of the sessions that it changed. A row that another
//! transaction has locked is left out, so that no statement waits for another one while it has locks itself. SQLite has one
//! writer, and needs none of that.

use super::batch::{Call, OwnValue};
use super::dialect::{Dialect, Names, Sql};
use super::driver::SqlValue;

/// How a dialect changes rows by a table of values, and tells which ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ManyForm {
    /// `UPDATE ... FROM (SELECT ... UNION ALL ...) RETURNING`, by the only writer.
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "it is SQLite's"))]
    OneWriter,
    /// `UPDATE ... FROM (VALUES ...) RETURNING`.
    Returning,
}

/// A column of the rows, and its type.
type Column = (&'static str, Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Bytes,
}

const TAKE: &[Column] = &[("id", Kind::Bytes), ("holder", Kind::Bytes), ("ttl", Kind::Number)];
const SAVE: &[Column] = &[
    ("id", Kind::Bytes),
    ("expected", Kind::Number),
    ("holder", Kind::Bytes),
    ("version", Kind::Number),
    ("last_seen", Kind::Number),
    ("expires", Kind::Number),
    ("keep", Kind::Number),
    ("body", Kind::Bytes),
    // Below zero where the lease is given up.
    ("ttl", Kind::Number),
];

/// How many rows a statement has: a batch takes the shortest that has room for it.
const SIZES: [usize; 4] = [4, 8, 16, 32];

/// A statement for many calls of one kind, with room for so many.
pub(super) struct Many {
    sizes: Vec<(usize, Sql)>,
    /// The column of the answer that names the session.
    pub(super) named: usize,
}

impl Many {
    /// Takes leases, and returns the records and the names.
    pub(super) fn take(form: ManyForm, dialect: &Dialect, names: &Names) -> Self {
        let set = "lease_holder = v.holder, lease_until = ({now} + v.ttl) & -2";
        let free =
            "r.keep_until > {now} AND (r.lease_holder IS NULL OR r.lease_holder = v.holder OR r.lease_until <= {now})";
        let record = "version, last_seen, expires, body, keep_until - {now}, id_hash";
        let statement = |rows: usize| format!("{} RETURNING {record}", update(form, TAKE, rows, set, free));
        Self { sizes: sized(dialect, names, statement), named: 5 }
    }

    /// Saves records, gives up their leases or keeps them, and returns the names, and whether somebody else waits for
    /// what is kept.
    pub(super) fn save(form: ManyForm, dialect: &Dialect, names: &Names) -> Self {
        let set = "version = v.version, last_seen = v.last_seen, expires = v.expires, keep_until = {now} + v.keep, \
                   body = v.body, lease_holder = CASE WHEN v.ttl < 0 THEN NULL ELSE v.holder END, \
                   lease_until = CASE WHEN v.ttl < 0 THEN NULL ELSE (({now} + v.ttl) & -2) | (r.lease_until % 2) END";
        let held =
            "r.version = v.expected AND r.lease_holder = v.holder AND r.lease_until > {now} AND r.keep_until > {now}";
        let statement =
            |rows: usize| format!("{} RETURNING id_hash, lease_until % 2", update(form, SAVE, rows, set, held));
        Self { sizes: sized(dialect, names, statement), named: 0 }
    }

    /// The most calls that one statement has room for.
    pub(super) fn most(&self) -> usize {
        self.sizes.last().map_or(0, |(rows, _)| *rows)
    }

    /// The shortest statement with room for these calls, and its values.
    pub(super) fn fill<'a>(&'a self, calls: &'a [Call]) -> Option<(&'a Sql, Vec<SqlValue<'a>>)> {
        let (rows, sql) = self.sizes.iter().find(|(rows, _)| *rows >= calls.len())?;
        let blank = calls.first()?;
        let mut values = Vec::with_capacity(rows * blank.values.len());
        for row in 0..*rows {
            match calls.get(row) {
                Some(call) => values.extend(call.values.iter().map(OwnValue::borrow)),
                None => values.extend(blank.values.iter().map(OwnValue::blank)),
            }
        }
        Some((sql, values))
    }
}

fn sized(dialect: &Dialect, names: &Names, statement: impl Fn(usize) -> String) -> Vec<(usize, Sql)> {
    SIZES.into_iter().map(|rows| (rows, names.sql(dialect, &statement(rows)))).collect()
}

/// An UPDATE of `r` by the rows `v`.
fn update(form: ManyForm, columns: &[Column], rows: usize, set: &str, only: &str) -> String {
    let values = values(form, columns, rows);
    match form {
        ManyForm::OneWriter => {
            format!(
                "UPDATE {{records}} AS r SET {set} FROM (SELECT * FROM {values}) AS v WHERE r.id_hash = v.id AND {only}"
            )
        }
        ManyForm::Returning => format!(
            "UPDATE {{records}} AS r SET {set} FROM (SELECT k.* FROM {values} JOIN {{records}} AS l ON l.id_hash = k.id \
             FOR UPDATE OF l SKIP LOCKED) AS v WHERE r.id_hash = v.id AND {only}"
        ),
    }
}

/// The rows as the table `k`.
fn values(form: ManyForm, columns: &[Column], rows: usize) -> String {
    let row = |first: bool| -> String {
        let column = |(name, kind): &Column| match (form, kind) {
            // A placeholder has no type by itself.
            (ManyForm::Returning, Kind::Bytes) => "CAST(? AS BYTEA)".to_owned(),
            (ManyForm::Returning, Kind::Number) => "CAST(? AS BIGINT)".to_owned(),
            _ if first => format!("? AS {name}"),
            _ => "?".to_owned(),
        };
        columns.iter().map(column).collect::<Vec<_>>().join(", ")
    };
    if form == ManyForm::Returning {
        let rows = vec![format!("({})", row(false)); rows].join(", ");
        let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        return format!("(VALUES {rows}) AS k ({names})");
    }
    let rows: Vec<_> = (0..rows).map(|number| format!("SELECT {}", row(number == 0))).collect();
    format!("({}) AS k", rows.join(" UNION ALL "))
}
