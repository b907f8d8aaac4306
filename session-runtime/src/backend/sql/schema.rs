//! Making the tables, and bringing them up to date.

use super::dialect::Statements;
use super::driver::{Columns as _, Driver, Mode, SqlValue};
use super::failure::is_missing_table;
use super::pool::Pool;

/// Makes what is missing. One query where nothing is; where something is, one process at a time does it.
///
/// Tables of a later version are used as they are: a step only ever adds what earlier versions can
/// ignore, so that the old and the new release of an application run side by side.
pub(super) async fn prepare<D: Driver>(pool: &Pool<D>, statements: &Statements) -> Result<(), sqlx::Error> {
    let schema = &statements.schema;
    let mut pooled = pool.get().await?;
    let connection = pooled.connection();
    let current = match version::<D>(connection, statements).await {
        Err(error) if is_missing_table(&error) => 0,
        version => version?.unwrap_or(0),
    };
    if current >= schema.steps.len() {
        pooled.keep();
        return Ok(());
    }
    // If this fails or is dropped on the way, so is the connection, and with it what it had begun.
    D::run_raw(connection, D::DIALECT.lock).await?;
    D::run_raw(connection, &schema.meta).await?;
    let noted = version::<D>(connection, statements).await?;
    let current = noted.unwrap_or(0);
    for step in schema.steps.iter().skip(current) {
        for sql in step {
            D::run_raw(connection, sql).await?;
        }
    }
    if current < schema.steps.len() {
        let note = if noted.is_some() { &schema.note_again } else { &schema.note };
        let version = SqlValue::Number(i64::try_from(schema.steps.len()).unwrap_or(i64::MAX));
        D::run(connection, note, &[version], Mode::Text).await?;
    }
    D::run_raw(connection, D::DIALECT.unlock).await?;
    pooled.keep();
    Ok(())
}

async fn version<D: Driver>(
    connection: &mut D::Connection,
    statements: &Statements,
) -> Result<Option<usize>, sqlx::Error> {
    let rows = D::run(connection, &statements.version, &[], Mode::Text).await?.rows;
    let version = rows.first().map(|row| row.number(0)).transpose()?.flatten();
    Ok(version.map(|version| usize::try_from(version).unwrap_or(0)))
}
