//! The statements for many sessions at once, in each dialect.
//!
//! Each takes a table of rows, one a call, and returns the names of the sessions that it changed. A row that another
//! transaction has locked is left out, so that no statement waits for another one while it has locks itself. SQLite has one
//! writer, and needs none of that.

use super::batch::Call;
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
    /// Several statements in one message of text: an UPDATE returns nothing there.
    Message,
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
];

/// How many rows a statement has: a batch takes the shortest that has room for it.
const SIZES: [usize; 4] = [4, 8, 16, 32];

/// A statement for many calls of one kind, with room for so many.
pub(super) struct Many {
    sizes: Vec<(usize, Sql)>,
    /// Which columns of all rows the statement takes, one list of rows after the other.
    lists: &'static [&'static [usize]],
    /// The column of the answer that names the session.
    pub(super) named: usize,
}

impl Many {
    /// Takes leases, and returns the records and the names.
    pub(super) fn take(dialect: &Dialect, names: &Names) -> Self {
        let set = "lease_holder = v.holder, lease_until = {now} + v.ttl";
        let free =
            "r.keep_until > {now} AND (r.lease_holder IS NULL OR r.lease_holder = v.holder OR r.lease_until <= {now})";
        let record = "version, last_seen, expires, body, keep_until - {now}, id_hash";
        let statement = |rows: usize| match dialect.many {
            ManyForm::Message => {
                let places = places(rows);
                let update = update(dialect, TAKE, rows, set, free);
                format!(
                    "{update}; SELECT {record} FROM {{records}} WHERE id_hash IN ({places}) AND lease_holder IN ({places})"
                )
            }
            _ => format!("{} RETURNING {record}", update(dialect, TAKE, rows, set, free)),
        };
        let lists: &[&[usize]] =
            if dialect.many == ManyForm::Message { &[&[0, 1, 2], &[0], &[1]] } else { &[&[0, 1, 2]] };
        Self { sizes: sized(dialect, names, statement), lists, named: 5 }
    }

    /// Saves records and gives up their leases, and returns the names.
    pub(super) fn save(dialect: &Dialect, names: &Names) -> Self {
        let set = "version = v.version, last_seen = v.last_seen, expires = v.expires, keep_until = {now} + v.keep, \
                   body = v.body, lease_holder = NULL, lease_until = NULL";
        let held = |row: &str, from: &str, now: &str| {
            format!(
                "{row}.version = {from}.expected AND {row}.lease_holder = {from}.holder AND {row}.lease_until > {now} \
                 AND {row}.keep_until > {now}"
            )
        };
        let statement = |rows: usize| match dialect.many {
            // The time is taken once: what was found to be held is what is saved, and those rows are locked until then.
            ManyForm::Message => {
                let now = "@session_now";
                let found = values(dialect, &SAVE[..3], rows);
                let update = update(dialect, SAVE, rows, set, &held("r", "v", now));
                let held = held("l", "k", now);
                format!(
                    "SET @session_now = {{now}}; START TRANSACTION; \
                     SELECT l.id_hash FROM {found} {BY_NAME} WHERE {held} \
                     FOR UPDATE SKIP LOCKED; {update}; COMMIT"
                )
            }
            _ => format!("{} RETURNING id_hash", update(dialect, SAVE, rows, set, &held("r", "v", "{now}"))),
        };
        const ALL: &[usize] = &[0, 1, 2, 3, 4, 5, 6, 7];
        let lists: &[&[usize]] = if dialect.many == ManyForm::Message { &[&[0, 1, 2], ALL] } else { &[ALL] };
        Self { sizes: sized(dialect, names, statement), lists, named: 0 }
    }

    /// The most calls that one statement has room for.
    pub(super) fn most(&self) -> usize {
        self.sizes.last().map_or(0, |(rows, _)| *rows)
    }

    /// The shortest statement with room for these calls, and its values.
    pub(super) fn fill<'a>(&'a self, calls: &'a [Call]) -> Option<(&'a Sql, Vec<SqlValue<'a>>)> {
        let (rows, sql) = self.sizes.iter().find(|(rows, _)| *rows >= calls.len())?;
        let mut values = Vec::with_capacity(rows * self.lists.iter().map(|list| list.len()).sum::<usize>());
        for list in self.lists {
            for row in 0..*rows {
                for &column in *list {
                    values.push(match calls.get(row) {
                        Some(call) => call.values.get(column)?.borrow(),
                        None => calls.first()?.values.get(column)?.blank(),
                    });
                }
            }
        }
        Some((sql, values))
    }
}

fn sized(dialect: &Dialect, names: &Names, statement: impl Fn(usize) -> String) -> Vec<(usize, Sql)> {
    SIZES.into_iter().map(|rows| (rows, names.sql(dialect, &statement(rows)))).collect()
}

/// The sessions' rows by their names, one after the other. MySQL locks each row that it looks at, so that it must not look
/// at all of them, which it does by itself while there are few.
const BY_NAME: &str = "STRAIGHT_JOIN {records} AS l FORCE INDEX (PRIMARY) ON l.id_hash = k.id";

fn places(rows: usize) -> String {
    vec!["?"; rows].join(", ")
}

/// An UPDATE of `r` by the rows `v`.
fn update(dialect: &Dialect, columns: &[Column], rows: usize, set: &str, only: &str) -> String {
    let values = values(dialect, columns, rows);
    match dialect.many {
        ManyForm::OneWriter => {
            format!(
                "UPDATE {{records}} AS r SET {set} FROM (SELECT * FROM {values}) AS v WHERE r.id_hash = v.id AND {only}"
            )
        }
        ManyForm::Returning => format!(
            "UPDATE {{records}} AS r SET {set} FROM (SELECT k.* FROM {values} JOIN {{records}} AS l ON l.id_hash = k.id \
             FOR UPDATE OF l SKIP LOCKED) AS v WHERE r.id_hash = v.id AND {only}"
        ),
        // The limit is none: with one, MySQL makes a table of the rows before it updates the one that they come from.
        ManyForm::Message => format!(
            "UPDATE (SELECT k.* FROM {values} {BY_NAME} LIMIT 1000 FOR UPDATE SKIP LOCKED) AS v \
             STRAIGHT_JOIN {{records}} AS r FORCE INDEX (PRIMARY) ON r.id_hash = v.id SET {} WHERE {only}",
            // Which table a column is of has to be said where both have it.
            set.split(", ").map(|one| format!("r.{one}")).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// The rows as the table `k`.
fn values(dialect: &Dialect, columns: &[Column], rows: usize) -> String {
    let row = |first: bool| -> String {
        let column = |(name, kind): &Column| match (dialect.many, kind) {
            // A placeholder has no type by itself.
            (ManyForm::Returning, Kind::Bytes) => "CAST(? AS BYTEA)".to_owned(),
            (ManyForm::Returning, Kind::Number) => "CAST(? AS BIGINT)".to_owned(),
            _ if first => format!("? AS {name}"),
            _ => "?".to_owned(),
        };
        columns.iter().map(column).collect::<Vec<_>>().join(", ")
    };
    if dialect.many == ManyForm::Returning {
        let rows = vec![format!("({})", row(false)); rows].join(", ");
        let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        return format!("(VALUES {rows}) AS k ({names})");
    }
    let rows: Vec<_> = (0..rows).map(|number| format!("SELECT {}", row(number == 0))).collect();
    format!("({}) AS k", rows.join(" UNION ALL "))
}
