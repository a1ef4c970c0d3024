//! Many rows in one statement: asked for by their ids, for pages of results, or written together.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

/// Ids that one statement asks for at most.
const MOST: usize = 128;
/// Rows that one statement writes at most: few lengths of statements, each prepared once, and far from the number of
/// values that either engine takes.
pub(super) const ROWS: usize = 16;

/// Ids for one statement after another. Each part is filled up to a power of two with its last id, so that there are
/// few different statements and each is prepared once.
pub(super) fn parts(ids: impl IntoIterator<Item = Uuid>) -> Vec<Vec<Uuid>> {
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let fill_up = |part: &[Uuid]| {
        let mut part = part.to_vec();
        if let Some(last) = part.last().copied() {
            part.resize(part.len().next_power_of_two(), last);
        }
        part
    };
    ids.chunks(MOST).map(fill_up).collect()
}

/// `select`, which ends with `IN`, with as many places as there are ids.
pub(super) fn select_in(select: &'static str, ids: &[Uuid]) -> AssertSqlSafe<String> {
    let places: Vec<String> = (1..=ids.len()).map(|place| format!("${place}")).collect();
    // Only numbers of places are added to a text of our own.
    AssertSqlSafe(format!("{select} ({})", places.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_asked_for_in_statements_of_few_lengths() {
        for count in [0_usize, 1, 3, 20, 128, 129, 300] {
            let ids: Vec<Uuid> = (0..count as u128).map(Uuid::from_u128).collect();

            let parts = parts(ids.iter().copied());

            let mut asked: Vec<Uuid> = parts.concat();
            asked.dedup();
            assert_eq!(asked, ids);
            assert!(parts.iter().all(|part| part.len().is_power_of_two() && part.len() <= MOST));
        }
    }
}
