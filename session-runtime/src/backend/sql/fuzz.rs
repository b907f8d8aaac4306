//! Rows of anything from a database.

use super::driver::Columns;
use super::store::read;

/// Columns that hold these values, whatever is asked for.
struct Row {
    numbers: [Option<i64>; 3],
    body: Option<Vec<u8>>,
}

impl Columns for Row {
    fn number(&self, column: usize) -> Result<Option<i64>, sqlx::Error> {
        self.numbers.get(column).copied().ok_or(sqlx::Error::ColumnIndexOutOfBounds { index: column, len: 4 })
    }

    fn bytes(&self, _: usize) -> Result<Option<Vec<u8>>, sqlx::Error> {
        Ok(self.body.clone())
    }
}

/// Three numbers, each NULL or of eight bytes, and a body. What is read is what stands there; what can't be a moment is
/// the first of all, long past.
pub(in crate::backend) fn row(input: &[u8]) {
    let Some((nulls, rest)) = input.split_first() else { return };
    let (words, body) = rest.as_chunks::<8>();
    let numbers = std::array::from_fn(|at| {
        let word = words.get(at).copied().unwrap_or_default();
        (nulls >> at & 1 == 0).then(|| i64::from_be_bytes(word))
    });
    let row = Row { numbers, body: (nulls & 8 == 0).then(|| body.to_vec()) };
    let record = read(&row).expect("the columns are there");
    let moment = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
    assert_eq!(record.version, numbers[0].unwrap_or(0).cast_unsigned());
    assert_eq!(record.last_seen.as_millis(), moment(numbers[1]));
    assert_eq!(record.expires.as_millis(), moment(numbers[2]));
    assert_eq!(record.body, row.body.unwrap_or_default());
}
