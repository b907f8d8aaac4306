//! The statements for many sessions at once, in each dialect.
//!
//! Each takes a table of rows, one a call, and returns the names of the sessions that it changed. A row that another
//! transaction has locked is left out, so that no statement waits for another one while it has locks itself. SQLite has one
//! writer, and needs none of that. MySQL's are in [`super::joined`].

use super::batch::{Call, OwnValue};
use super::dialect::{Dialect, Names, Sql};
use super::driver::SqlValue;
use super::joined;

/// How a dialect changes rows by a table of values, and tells which ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ManyForm {
    /// `UPDATE ... FROM ... RETURNING`.
    #[cfg_attr(not(any(feature = "sqlite", feature = "postgres")), expect(dead_code, reason = "MySQL has none"))]
    Returning(Writers),
    /// An UPDATE of a join, which returns nothing.
    #[cfg_attr(not(feature = "mysql"), expect(dead_code, reason = "it is MySQL's"))]
    Joined,
}

/// How many write at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writers {
    /// SQLite's. It does without the types of the values, too.
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "it is SQLite's"))]
    One,
    Many,
}

/// A column of the rows, and its type.
pub(super) type Column = (&'static str, Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Bytes,
}

pub(super) const TAKE: &[Column] = &[("id", Kind::Bytes), ("holder", Kind::Bytes), ("ttl", Kind::Number)];
pub(super) const SAVE: &[Column] = &[
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

/// Where a value of a statement comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    /// A column of a call.
    Of { call: usize, column: usize },
    /// The number of calls.
    Calls,
}

/// A statement, and its values.
pub(super) struct Form {
    pub(super) sql: Sql,
    pub(super) values: Vec<Value>,
}

impl Form {
    /// Its values for these calls, of which there may be fewer than it has room for.
    fn fill<'a>(&'a self, calls: &'a [Call]) -> Option<Filled<'a>> {
        let first = calls.first()?;
        let value = |value: &Value| match *value {
            Value::Of { call, column } => match calls.get(call) {
                Some(call) => call.values.get(column).map(OwnValue::borrow),
                None => first.values.get(column).map(OwnValue::blank),
            },
            Value::Calls => i64::try_from(calls.len()).ok().map(SqlValue::Number),
        };
        Some(Filled { sql: &self.sql, values: self.values.iter().map(value).collect::<Option<_>>()? })
    }
}

/// A statement with its values.
pub(super) struct Filled<'a> {
    pub(super) sql: &'a Sql,
    pub(super) values: Vec<SqlValue<'a>>,
}

/// What tells which calls a statement has carried out.
pub(super) enum Told {
    /// The rows that it returns.
    Returned,
    /// The rows that this query returns after it.
    Asked(Form),
    /// How many rows it changes: it carries out all of them or none. The query tells what there is to know of leases that
    /// are kept.
    Counted(Form),
}

/// Statements of one kind for so many calls.
struct Sized {
    calls: usize,
    change: Form,
    told: Told,
}

/// What carries out many calls of one kind.
pub(super) struct Many {
    sizes: Vec<Sized>,
    /// The column of the rows that names the session.
    pub(super) named: usize,
}

/// What is run for some calls.
pub(super) struct ManyStatements<'a> {
    pub(super) change: Filled<'a>,
    /// The query after it, if there is one.
    pub(super) query: Option<Filled<'a>>,
    /// Whether the number of rows that it changed tells of all calls.
    pub(super) is_counted: bool,
}

impl Many {
    /// Takes leases, and returns the records and the names.
    pub(super) fn take(form: ManyForm, dialect: &Dialect, names: &Names) -> Self {
        let set = "lease_holder = v.holder, lease_until = ({now} + v.ttl) & -2";
        let free =
            "r.keep_until > {now} AND (r.lease_holder IS NULL OR r.lease_holder = v.holder OR r.lease_until <= {now})";
        let record = "version, last_seen, expires, body, keep_until - {now}, id_hash";
        let sized = |calls: usize| {
            let (change, told) = match form {
                ManyForm::Returning(writers) => {
                    let sql = format!("{} RETURNING {record}", update(writers, TAKE, calls, set, free));
                    (by_rows(names.sql(dialect, &sql), TAKE, calls), Told::Returned)
                }
                ManyForm::Joined => {
                    let query = joined::taken(dialect, names, calls);
                    (joined::take(dialect, names, calls), Told::Asked(query))
                }
            };
            Sized { calls, change, told }
        };
        Self { sizes: SIZES.into_iter().map(sized).collect(), named: 5 }
    }

    /// Saves records, gives up their leases or keeps them, and returns the names, and whether somebody else waits for
    /// what is kept.
    pub(super) fn save(form: ManyForm, dialect: &Dialect, names: &Names) -> Self {
        let set = "version = v.version, last_seen = v.last_seen, expires = v.expires, keep_until = {now} + v.keep, \
                   body = v.body, lease_holder = CASE WHEN v.ttl < 0 THEN NULL ELSE v.holder END, \
                   lease_until = CASE WHEN v.ttl < 0 THEN NULL ELSE (({now} + v.ttl) & -2) | (r.lease_until % 2) END";
        let held =
            "r.version = v.expected AND r.lease_holder = v.holder AND r.lease_until > {now} AND r.keep_until > {now}";
        let sized = |calls: usize| {
            let (change, told) = match form {
                ManyForm::Returning(writers) => {
                    let sql = format!("{} RETURNING id_hash, lease_until % 2", update(writers, SAVE, calls, set, held));
                    (by_rows(names.sql(dialect, &sql), SAVE, calls), Told::Returned)
                }
                ManyForm::Joined => {
                    let marks = joined::marks(dialect, names, calls);
                    (joined::save(dialect, names, calls), Told::Counted(marks))
                }
            };
            Sized { calls, change, told }
        };
        Self { sizes: SIZES.into_iter().map(sized).collect(), named: 0 }
    }

    /// The most calls that one statement has room for.
    pub(super) fn most(&self) -> usize {
        self.sizes.last().map_or(0, |sized| sized.calls)
    }

    /// The shortest statements with room for these calls.
    pub(super) fn fill<'a>(&'a self, calls: &'a [Call]) -> Option<ManyStatements<'a>> {
        let sized = self.sizes.iter().find(|sized| sized.calls >= calls.len())?;
        let query = match &sized.told {
            Told::Asked(query) => Some(query.fill(calls)?),
            Told::Counted(marks) if calls.iter().any(Call::keeps) => Some(marks.fill(calls)?),
            Told::Returned | Told::Counted(_) => None,
        };
        let is_counted = matches!(sized.told, Told::Counted(_));
        Some(ManyStatements { change: sized.change.fill(calls)?, query, is_counted })
    }
}

/// A statement that has the calls as rows.
fn by_rows(sql: Sql, columns: &[Column], calls: usize) -> Form {
    let row = |call: usize| (0..columns.len()).map(move |column| Value::Of { call, column });
    Form { sql, values: (0..calls).flat_map(row).collect() }
}

/// An UPDATE of `r` by the rows `v`.
fn update(writers: Writers, columns: &[Column], rows: usize, set: &str, only: &str) -> String {
    let values = values(writers, columns, rows);
    match writers {
        Writers::One => {
            format!(
                "UPDATE {{records}} AS r SET {set} FROM (SELECT * FROM {values}) AS v WHERE r.id_hash = v.id AND {only}"
            )
        }
        Writers::Many => format!(
            "UPDATE {{records}} AS r SET {set} FROM (SELECT k.* FROM {values} JOIN {{records}} AS l ON l.id_hash = k.id \
             FOR UPDATE OF l SKIP LOCKED) AS v WHERE r.id_hash = v.id AND {only}"
        ),
    }
}

/// The rows as the table `k`.
fn values(writers: Writers, columns: &[Column], rows: usize) -> String {
    let row = |first: bool| -> String {
        let column = |(name, kind): &Column| match (writers, kind) {
            // A placeholder has no type by itself.
            (Writers::Many, Kind::Bytes) => "CAST(? AS BYTEA)".to_owned(),
            (Writers::Many, Kind::Number) => "CAST(? AS BIGINT)".to_owned(),
            _ if first => format!("? AS {name}"),
            _ => "?".to_owned(),
        };
        columns.iter().map(column).collect::<Vec<_>>().join(", ")
    };
    if writers == Writers::Many {
        let rows = vec![format!("({})", row(false)); rows].join(", ");
        let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        return format!("(VALUES {rows}) AS k ({names})");
    }
    let rows: Vec<_> = (0..rows).map(|number| format!("SELECT {}", row(number == 0))).collect();
    format!("({}) AS k", rows.join(" UNION ALL "))
}
