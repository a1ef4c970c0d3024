//! Pages of lists: a limit, and a cursor that says where the page before ended.

use serde::{Deserialize, Serialize};

use crate::problem::{Problem, kinds};

/// Rows of a page unless asked otherwise.
const DEFAULT_LIMIT: usize = 50;
/// Rows of a page at most.
const MAX_LIMIT: usize = 500;

/// The part of a query that every list understands.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    limit: Option<usize>,
    cursor: Option<String>,
}

impl Paging {
    /// Takes over what a larger query was given.
    pub(crate) const fn new(limit: Option<usize>, cursor: Option<String>) -> Self {
        Self { limit, cursor }
    }

    /// How many rows.
    pub(crate) fn limit(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT)
    }

    /// The id after which the page begins.
    pub(crate) fn after<K>(&self) -> Result<Option<domain::ids::Id<K>>, Problem> {
        match self.cursor.as_deref().filter(|cursor| !cursor.is_empty()) {
            None => Ok(None),
            Some(cursor) => cursor.parse().map(Some).map_err(|_| {
                Problem::new(kinds::QUERY_INVALID).with_detail(
                    "翻页标记无效，请从第一页重新开始。",
                    "The cursor is not valid; start again from the first page.",
                )
            }),
        }
    }
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
