//! What can be asked of the index, and what comes back.

use std::fmt;

use chrono::NaiveDate;
use domain::{
    blind_index::{NamePattern, NumberPattern, PatternError},
    case_file::CaseState,
    finding::FindingCode,
    ids::CaseFileId,
};
use thiserror::Error;

use crate::error::IndexError;

/// Hits on one page at most.
pub const MAX_PAGE: usize = 1000;
/// Where a capped count stops.
pub const COUNT_CAP: u64 = 10_000;

/// Whose case files may be found at all. Stands inside the query, never after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    Everything,
    /// Those of these branches.
    Branches(Vec<String>),
    /// Those of these outlets.
    Outlets(Vec<String>),
}

/// How a slip number is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlipPattern {
    /// It is exactly this.
    Whole(String),
    /// It starts with this.
    Prefix(String),
}

/// The order of the hits; hits that are equal in it are ordered by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Day of acceptance, then the moment the case file was made; newest first.
    NewestFirst,
    /// Slip number, in ascending order.
    SlipNumber,
}

/// Whether the hits are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// No.
    No,
    /// Up to `COUNT_CAP`.
    Capped,
    /// All of them; costs as much as there are hits.
    Exact,
}

/// A mixture of conditions that must all hold. Printing it shows no personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Query {
    /// What the person asking may see.
    pub scope: Scope,
    /// First day of acceptance.
    pub accepted_from: Option<NaiveDate>,
    /// Last day of acceptance.
    pub accepted_to: Option<NaiveDate>,
    /// Any of these outlets; empty for all.
    pub outlets: Vec<String>,
    /// Sales channel.
    pub channel: Option<String>,
    /// Any of these states; empty for all.
    pub states: Vec<CaseState>,
    /// Has a finding of this kind.
    pub finding_code: Option<FindingCode>,
    /// Has, or has not, an open finding.
    pub open_findings: Option<bool>,
    /// Slip number.
    pub slip_number: Option<SlipPattern>,
    /// Archival code (档号).
    pub archival_code: Option<String>,
    /// A service number or the contact phone.
    pub phone: Option<NumberPattern>,
    /// Identity number of the customer or agent.
    pub id_number: Option<NumberPattern>,
    /// Name of the customer or agent.
    pub name: Option<NamePattern>,
    /// Two or more characters side by side in an address.
    pub address: Option<String>,
    /// Order of the hits.
    pub sort: Sort,
    /// Hits on the page, 1 to `MAX_PAGE`.
    pub limit: usize,
    /// Where the page before ended: its `next`.
    pub cursor: Option<String>,
    /// Whether to count.
    pub counting: Counting,
}

impl Query {
    /// Everything in scope, newest first, twenty to a page, not counted.
    pub const fn within(scope: Scope) -> Self {
        Self {
            scope,
            accepted_from: None,
            accepted_to: None,
            outlets: Vec::new(),
            channel: None,
            states: Vec::new(),
            finding_code: None,
            open_findings: None,
            slip_number: None,
            archival_code: None,
            phone: None,
            id_number: None,
            name: None,
            address: None,
            sort: Sort::NewestFirst,
            limit: 20,
            cursor: None,
            counting: Counting::No,
        }
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query")
            .field("scope", &self.scope)
            .field("accepted_from", &self.accepted_from)
            .field("accepted_to", &self.accepted_to)
            .field("phone", &self.phone)
            .field("id_number", &self.id_number)
            .field("name", &self.name)
            .field("address", &self.address.as_ref().map(|_| "***"))
            .field("sort", &self.sort)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// One case file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The case file; the catalogue knows the rest.
    pub case_file_id: CaseFileId,
    /// Day of acceptance.
    pub accepted_on: NaiveDate,
    /// Slip number; only when the hits are sorted by it, and empty when it has none.
    pub slip_number: Option<String>,
}

/// How many case files were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The number; at most `COUNT_CAP` when capped.
    pub value: u64,
    /// Whether there are more than `value`.
    pub is_capped: bool,
}

/// One page of hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The hits in order.
    pub hits: Vec<Hit>,
    /// Cursor of the next page; `None` on the last one.
    pub next: Option<String>,
    /// The count, when asked for.
    pub count: Option<Count>,
    /// Number of the change up to which the index knew the catalogue.
    pub reached: u64,
}

/// A question that cannot be answered, in words for the person who asked.
#[derive(Debug, Error)]
pub enum QueryError {
    /// A phone number that cannot be looked for.
    #[error("phone number: {0}")]
    Phone(PatternError),
    /// An identity number that cannot be looked for.
    #[error("identity number: {0}")]
    IdNumber(PatternError),
    /// A name that cannot be looked for.
    #[error("name: {0}")]
    Name(PatternError),
    /// An address that cannot be looked for.
    #[error("address: {0}")]
    Address(PatternError),
    /// A condition was given without a value.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// The first day is after the last.
    #[error("the first day {from} is after the last day {to}")]
    DaysReversed {
        /// First day.
        from: NaiveDate,
        /// Last day.
        to: NaiveDate,
    },
    /// Not a page.
    #[error("a page holds 1 to {MAX_PAGE} case files, {given} asked for")]
    PageSize {
        /// What was asked for.
        given: usize,
    },
    /// Nobody's case files may be seen.
    #[error("no outlet or branch is in reach of this account")]
    EmptyScope,
    /// Not a cursor this index gave.
    #[error("the cursor is not valid; start again from the first page")]
    Cursor,
    /// A cursor of other conditions.
    #[error("the cursor belongs to another search; start again from the first page")]
    CursorOfOtherQuery,
    /// The index failed.
    #[error("the search index failed")]
    Index {
        /// How.
        #[from]
        source: IndexError,
    },
}

impl QueryError {
    /// Whether the person who asked can mend it.
    pub const fn is_users(&self) -> bool {
        !matches!(self, Self::Index { .. })
    }
}

impl From<tantivy::TantivyError> for QueryError {
    fn from(source: tantivy::TantivyError) -> Self {
        Self::Index { source: source.into() }
    }
}

impl From<std::io::Error> for QueryError {
    fn from(source: std::io::Error) -> Self {
        Self::Index { source: source.into() }
    }
}
