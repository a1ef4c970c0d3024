//! Own collectors: the documents of a segment stand newest first, so the first living ones are the hits.
//!
//! A date range is a range of document ids, found by binary search. Segments are visited newest first and the
//! walk ends as soon as no segment can hold anything better.

use std::{cmp::Reverse, collections::BinaryHeap, ops::Bound, sync::Arc};

use tantivy::{
    DocId, SegmentReader, TERMINATED,
    columnar::{ColumnValues, StrColumn},
    fastfield::AliveBitSet,
    postings::Postings,
    query::{EnableScoring, Scorer, Weight},
    schema::IndexRecordOption,
};
use uuid::Uuid;

use crate::{
    cursor::Position,
    plan::Plan,
    query::{COUNT_CAP, Count, Counting, QueryError},
    schema::{self, Fields},
};

/// Up to so many slip numbers with a prefix are looked up one by one; of more, every document is asked.
const MAX_LISTED_SLIPS: u64 = 2048;

/// A segment with its columns at hand.
pub(crate) struct SegmentView {
    reader: SegmentReader,
    order: Arc<dyn ColumnValues<u64>>,
    id_middle: Arc<dyn ColumnValues<u64>>,
    id_low: Arc<dyn ColumnValues<u64>>,
    slips: Option<StrColumn>,
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

    fn id(&self, doc: DocId) -> Uuid {
        schema::id_from_columns(
            self.order.get_val(doc),
            self.id_middle.get_val(doc),
            self.id_low.get_val(doc),
        )
    }

    /// The documents whose order lies in the range; they stand side by side.
    fn documents(&self, oldest: u64, newest: u64) -> std::ops::Range<DocId> {
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
    fn slip_ordinal(&self, doc: DocId) -> Option<u64> {
        self.slips.as_ref().and_then(|slips| slips.ords().first(doc))
    }

    fn slip_number(&self, ordinal: Option<u64>) -> Result<Option<Vec<u8>>, QueryError> {
        let (Some(slips), Some(ordinal)) = (&self.slips, ordinal) else { return Ok(None) };
        let mut bytes = Vec::new();
        slips.dictionary().ord_to_term(ordinal, &mut bytes)?;
        Ok(Some(bytes))
    }
}

/// What the slip number must be, in terms of one segment.
enum SlipFilter {
    Any,
    /// A prefix that many have.
    Ordinals(std::ops::Range<u64>),
    /// A prefix that few have: the documents, in descending order so that the next one is at the end.
    Documents(Vec<DocId>),
}

impl SlipFilter {
    fn new(segment: &SegmentView, fields: &Fields, prefix: Option<&str>) -> Result<Self, QueryError> {
        let Some(prefix) = prefix else { return Ok(Self::Any) };
        let Some(slips) = &segment.slips else { return Ok(Self::Documents(Vec::new())) };
        let after = after_prefix(prefix);
        let upper = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let (start, end) = ordinal_range(slips, prefix.as_bytes(), upper)?;
        if end - start > MAX_LISTED_SLIPS {
            return Ok(Self::Ordinals(start..end));
        }
        let index = segment.reader.inverted_index(fields.slip_number)?;
        let mut stream = index.terms().range().ge(prefix.as_bytes());
        if let Some(after) = &after {
            stream = stream.lt(after);
        }
        let mut stream = stream.into_stream()?;
        let mut documents = Vec::new();
        while stream.advance() {
            let mut postings = index.read_postings_from_terminfo(stream.value(), IndexRecordOption::Basic)?;
            push_all(&mut postings, &mut documents);
        }
        documents.sort_unstable_by_key(|doc| Reverse(*doc));
        Ok(Self::Documents(documents))
    }
}

fn push_all(postings: &mut impl Postings, documents: &mut Vec<DocId>) {
    while postings.doc() != TERMINATED {
        documents.push(postings.doc());
        postings.advance();
    }
}

fn ordinal_range(slips: &StrColumn, lower: &[u8], upper: Bound<&[u8]>) -> Result<(u64, u64), QueryError> {
    let (lower, upper) = slips.dictionary().term_bounds_to_ord(Bound::Included(lower), upper)?;
    let start = match lower {
        Bound::Included(ordinal) => ordinal,
        Bound::Excluded(ordinal) => ordinal + 1,
        Bound::Unbounded => 0,
    };
    let end = match upper {
        Bound::Included(ordinal) => ordinal + 1,
        Bound::Excluded(ordinal) => ordinal,
        Bound::Unbounded => slips.dictionary().num_terms() as u64,
    };
    Ok((start, end.max(start)))
}

/// The smallest text greater than all that start with `prefix`.
fn after_prefix(prefix: &str) -> Option<Vec<u8>> {
    let mut bytes = prefix.as_bytes().to_vec();
    while let Some(last) = bytes.pop() {
        if last < u8::MAX {
            bytes.push(last + 1);
            return Some(bytes);
        }
    }
    None
}

/// Walks through the living documents of a segment that meet all conditions, in order.
struct Walk<'a> {
    segment: &'a SegmentView,
    scorer: Box<dyn Scorer>,
    slips: SlipFilter,
    alive: Option<&'a AliveBitSet>,
    end: DocId,
}

impl<'a> Walk<'a> {
    fn start(
        segment: &'a SegmentView,
        search: &Search<'_>,
        documents: std::ops::Range<DocId>,
    ) -> Result<Self, QueryError> {
        let mut scorer = search.weight.scorer(&segment.reader, 1.0)?;
        if scorer.doc() < documents.start {
            scorer.seek(documents.start);
        }
        let slips = SlipFilter::new(segment, search.fields, search.plan.slip_prefix.as_deref())?;
        Ok(Self { segment, scorer, slips, alive: segment.reader.alive_bitset(), end: documents.end })
    }

    fn next(&mut self) -> Option<DocId> {
        loop {
            let doc = self.candidate()?;
            if self.alive.is_none_or(|alive| alive.is_alive(doc)) {
                return Some(doc);
            }
        }
    }

    fn candidate(&mut self) -> Option<DocId> {
        loop {
            let doc = self.scorer.doc();
            if doc >= self.end {
                return None;
            }
            if let SlipFilter::Documents(documents) = &mut self.slips {
                while documents.last().is_some_and(|listed| *listed < doc) {
                    documents.pop();
                }
                let listed = *documents.last()?;
                if listed > doc {
                    self.scorer.seek(listed);
                    continue;
                }
            }
            self.scorer.advance();
            if self.is_in_ordinals(doc) {
                return Some(doc);
            }
        }
    }

    fn is_in_ordinals(&self, doc: DocId) -> bool {
        match &self.slips {
            SlipFilter::Ordinals(range) => {
                self.segment.slip_ordinal(doc).is_some_and(|ordinal| range.contains(&ordinal))
            }
            SlipFilter::Any | SlipFilter::Documents(_) => true,
        }
    }
}

/// One search over all segments.
pub(crate) struct Search<'a> {
    pub fields: &'a Fields,
    pub plan: &'a Plan,
    pub weight: Box<dyn Weight>,
    /// Newest first.
    pub segments: &'a [SegmentView],
}

/// A hit with where it stands in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    pub order: u64,
    pub id: Uuid,
    pub slip: Option<Vec<u8>>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(
        fields: &'a Fields,
        plan: &'a Plan,
        searcher: &tantivy::Searcher,
        segments: &'a [SegmentView],
    ) -> Result<Self, QueryError> {
        let weight = plan.clause.weight(EnableScoring::disabled_from_searcher(searcher))?;
        Ok(Self { fields, plan, weight, segments })
    }

    /// The first `wanted` hits after the cursor, newest first.
    pub(crate) fn newest(&self, wanted: usize, after: Option<&Position>) -> Result<Vec<Placed>, QueryError> {
        let after = match after {
            Some(Position::Order(order, id)) => Some((*order, *id)),
            _ => None,
        };
        let newest = after.map_or(u64::MAX, |(order, _)| order).min(*self.plan.orders.end());
        let oldest = *self.plan.orders.start();
        let mut best: Vec<(u64, Uuid)> = Vec::new();
        for segment in self.segments {
            let worst = if best.len() == wanted { best[wanted - 1].0 } else { oldest };
            if segment.newest() < worst {
                break;
            }
            let documents = segment.documents(worst.max(oldest), newest);
            if documents.is_empty() {
                continue;
            }
            let mut walk = Walk::start(segment, self, documents)?;
            let mut taken = 0;
            let mut last = u64::MAX;
            while let Some(doc) = walk.next() {
                let order = segment.order.get_val(doc);
                // Documents of one order stand in no order among themselves: all of them are looked at.
                if taken >= wanted && order < last {
                    break;
                }
                let id = segment.id(doc);
                if after.is_none_or(|after| (order, id) < after) {
                    best.push((order, id));
                    taken += 1;
                    last = order;
                }
            }
            best.sort_unstable_by_key(|place| Reverse(*place));
            best.truncate(wanted);
        }
        Ok(best.into_iter().map(|(order, id)| Placed { order, id, slip: None }).collect())
    }

    /// The first `wanted` hits after the cursor, by slip number.
    pub(crate) fn by_slip(&self, wanted: usize, after: Option<&Position>) -> Result<Vec<Placed>, QueryError> {
        let after = match after {
            Some(Position::Slip(slip, id)) => Some((slip.clone(), *id)),
            _ => None,
        };
        let mut best: Vec<Placed> = Vec::new();
        for segment in self.segments {
            let documents = segment.documents(*self.plan.orders.start(), *self.plan.orders.end());
            if documents.is_empty() {
                continue;
            }
            for (ordinal, doc) in self.smallest_in(segment, documents, wanted, after.as_ref())? {
                let slip = segment.slip_number(ordinal)?;
                best.push(Placed { order: segment.order.get_val(doc), id: segment.id(doc), slip });
            }
            best.sort_unstable_by(|a, b| (&a.slip, a.id).cmp(&(&b.slip, b.id)));
            best.truncate(wanted);
        }
        Ok(best)
    }

    /// Within a segment ordinals compare as the slip numbers do.
    fn smallest_in(
        &self,
        segment: &SegmentView,
        documents: std::ops::Range<DocId>,
        wanted: usize,
        after: Option<&(Option<Vec<u8>>, Uuid)>,
    ) -> Result<Vec<(Option<u64>, DocId)>, QueryError> {
        let first = match (after, &segment.slips) {
            (Some((Some(slip), _)), Some(slips)) => Some(ordinal_range(slips, slip, Bound::Unbounded)?.0),
            _ => None,
        };
        let mut walk = Walk::start(segment, self, documents)?;
        let mut smallest: BinaryHeap<(Option<u64>, Uuid, DocId)> = BinaryHeap::new();
        while let Some(doc) = walk.next() {
            let ordinal = segment.slip_ordinal(doc);
            let is_full = smallest.len() == wanted;
            if ordinal < first || (is_full && smallest.peek().is_some_and(|worst| ordinal > worst.0)) {
                continue;
            }
            let id = segment.id(doc);
            if ordinal == first && !is_after(segment, ordinal, id, after)? {
                continue;
            }
            smallest.push((ordinal, id, doc));
            if smallest.len() > wanted {
                smallest.pop();
            }
        }
        Ok(smallest.into_iter().map(|(ordinal, _, doc)| (ordinal, doc)).collect())
    }

    /// How many documents meet the conditions.
    pub(crate) fn count(&self, counting: Counting) -> Result<Option<Count>, QueryError> {
        let cap = match counting {
            Counting::No => return Ok(None),
            Counting::Capped => COUNT_CAP,
            Counting::Exact => u64::MAX,
        };
        let mut value = 0;
        for segment in self.segments {
            let documents = segment.documents(*self.plan.orders.start(), *self.plan.orders.end());
            if documents.is_empty() {
                continue;
            }
            let mut walk = Walk::start(segment, self, documents)?;
            while walk.next().is_some() {
                if value == cap {
                    return Ok(Some(Count { value, is_capped: true }));
                }
                value += 1;
            }
        }
        Ok(Some(Count { value, is_capped: false }))
    }
}

/// The slip number at the cursor's ordinal may be the cursor's own or the next greater one.
fn is_after(
    segment: &SegmentView,
    ordinal: Option<u64>,
    id: Uuid,
    after: Option<&(Option<Vec<u8>>, Uuid)>,
) -> Result<bool, QueryError> {
    let Some((cursor_slip, cursor_id)) = after else { return Ok(true) };
    let slip = segment.slip_number(ordinal)?;
    Ok((&slip, &id) > (cursor_slip, cursor_id))
}
