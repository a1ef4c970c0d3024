//! The cursor: where a page ended, by sort key and id, so that changes in between neither repeat nor skip.

use domain::blind_index::BlindKey;
use uuid::Uuid;

use crate::{
    folder::hex,
    query::{Query, QueryError, Sort},
};

const VERSION: u8 = 1;
/// Version, fingerprint of the question, id.
const HEAD_LENGTH: usize = 1 + 8 + 16;

/// The last hit of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Position {
    /// Sorted by date: the order column and the id.
    Order(u64, Uuid),
    /// Sorted by slip number: it and the id.
    Slip(Option<Vec<u8>>, Uuid),
}

pub(crate) fn encode(key: &BlindKey, query: &Query, position: &Position) -> String {
    let (Position::Order(_, id) | Position::Slip(_, id)) = position;
    let mut bytes = vec![VERSION];
    bytes.extend(fingerprint(key, query));
    bytes.extend(id.as_bytes());
    match position {
        Position::Order(order, _) => bytes.extend(order.to_be_bytes()),
        Position::Slip(None, _) => bytes.push(0),
        Position::Slip(Some(slip), _) => {
            bytes.push(1);
            bytes.extend(slip);
        }
    }
    hex(&bytes)
}

pub(crate) fn decode(key: &BlindKey, query: &Query) -> Result<Option<Position>, QueryError> {
    let Some(text) = &query.cursor else { return Ok(None) };
    let bytes = from_hex(text).ok_or(QueryError::Cursor)?;
    let (head, rest) = bytes.split_at_checked(HEAD_LENGTH).ok_or(QueryError::Cursor)?;
    if head[0] != VERSION {
        return Err(QueryError::Cursor);
    }
    if head[1..9] != fingerprint(key, query) {
        return Err(QueryError::CursorOfOtherQuery);
    }
    let id = Uuid::from_slice(&head[9..]).map_err(|_| QueryError::Cursor)?;
    match (query.sort, rest) {
        (Sort::NewestFirst, order) => {
            let order = order.try_into().map_err(|_| QueryError::Cursor)?;
            Ok(Some(Position::Order(u64::from_be_bytes(order), id)))
        }
        (Sort::SlipNumber, [0]) => Ok(Some(Position::Slip(None, id))),
        (Sort::SlipNumber, [1, slip @ ..]) => Ok(Some(Position::Slip(Some(slip.to_vec()), id))),
        (Sort::SlipNumber, _) => Err(QueryError::Cursor),
    }
}

/// Two questions with the same conditions and order have the same fingerprint; it is keyed, since it goes out.
fn fingerprint(key: &BlindKey, query: &Query) -> [u8; 8] {
    let patterns = format!(
        "{:?} {:?} {:?} {:?}",
        query.phone.as_ref().map(number_text),
        query.id_number.as_ref().map(number_text),
        query.name.as_ref().map(name_text),
        query.address,
    );
    let clear = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        query.scope,
        query.accepted_from,
        query.accepted_to,
        query.outlets,
        query.channel,
        query.states,
        query.finding_code,
        query.open_findings,
        query.slip_number,
        query.archival_code,
        query.sort,
    );
    key.digest(&format!("{patterns} {clear}"))
}

fn number_text(pattern: &domain::blind_index::NumberPattern) -> (u8, &str) {
    use domain::blind_index::NumberPattern as N;
    match pattern {
        N::Whole(text) => (0, text),
        N::Prefix(text) => (1, text),
        N::Suffix(text) => (2, text),
        N::Part(text) => (3, text),
    }
}

fn name_text(pattern: &domain::blind_index::NamePattern) -> (u8, &str) {
    use domain::blind_index::NamePattern as N;
    match pattern {
        N::Whole(text) => (0, text),
        N::Part(text) => (1, text),
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| (high << 4) | low).collect())
}
