//! A segment of the index with its columns: its documents stand newest first.

use std::sync::Arc;

use tantivy::{
    DocId, SegmentReader,
    columnar::{ColumnValues, StrColumn},
};
use uuid::Uuid;

use crate::{query::QueryError, schema};

/// A segment with its columns at hand.
pub(crate) struct SegmentView {
    pub reader: SegmentReader,
    pub order: Arc<dyn ColumnValues<u64>>,
    id_middle: Arc<dyn ColumnValues<u64>>,
    id_low: Arc<dyn ColumnValues<u64>>,
    pub slips: Option<StrColumn>,
}

impl SegmentView {
    pub(crate) fn open(reader: &SegmentReader) -> tantivy::Result<Self> {
        let columns = reader.fast_fields();
        Ok(Self {
            order: columns.column_first_or_default(schema::ORDER)?,
            id_middle: columns.column_first_or_default(schema::ID_MIDDLE)?,
            id_low: columns.column_first_or_default(schema::ID_LOW)?,
            slips: columns.str(schema::SLIP_NUMBER)?,
            reader: reader.clone(),
        })
    }

    /// The greatest order in the segment.
    pub(crate) fn newest(&self) -> u64 {
        if self.reader.max_doc() == 0 { 0 } else { self.order.get_val(0) }
    }

    /// Every living case file of the segment.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Uuid> + '_ {
        self.reader.doc_ids_alive().map(|doc| self.id(doc))
    }

    pub(crate) fn id(&self, doc: DocId) -> Uuid {
        schema::id_from_columns(
            self.order.get_val(doc),
            self.id_middle.get_val(doc),
            self.id_low.get_val(doc),
        )
    }

    /// The documents whose order lies in the range; they stand side by side.
    pub(crate) fn documents(&self, oldest: u64, newest: u64) -> std::ops::Range<DocId> {
        let start = self.first_where(|order| order <= newest);
        let end = self.first_where(|order| order < oldest);
        start..end.max(start)
    }

    fn first_where(&self, holds: impl Fn(u64) -> bool) -> DocId {
        let (mut low, mut high) = (0, self.reader.max_doc());
        while low < high {
            let middle = low + (high - low) / 2;
            if holds(self.order.get_val(middle)) { high = middle } else { low = middle + 1 }
        }
        low
    }

    /// Ordinal of the slip number of a document; `None` stands before all.
    pub(crate) fn slip_ordinal(&self, doc: DocId) -> Option<u64> {
        self.slips.as_ref().and_then(|slips| slips.ords().first(doc))
    }

    pub(crate) fn slip_number(&self, ordinal: Option<u64>) -> Result<Option<Vec<u8>>, QueryError> {
        let (Some(slips), Some(ordinal)) = (&self.slips, ordinal) else { return Ok(None) };
        let mut bytes = Vec::new();
        slips.dictionary().ord_to_term(ordinal, &mut bytes)?;
        Ok(Some(bytes))
    }
}
