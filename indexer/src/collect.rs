//! Own collectors: the documents of a segment stand newest first, so the first living ones are the hits.
//!
//! A date range is a range of document ids, found by binary search. Segments are visited newest first and the
//! walk ends as soon as no segment can hold anything better.

use std::{cmp::Reverse, collections::BinaryHeap, ops::Bound};

use tantivy::{
    DocId, TERMINATED,
    columnar::StrColumn,
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
    schema::Fields,
    segment::SegmentView,
};

/// Up to so many slip numbers with a prefix are looked up one by one; of more, every document is asked.
const MAX_LISTED_SLIPS: u64 = 2048;

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
        self.newest_and_tally(wanted, after, &mut Tally::none())
    }

    /// The first `wanted` hits, newest first, and how many there are: one walk for both.
    pub(crate) fn newest_counted(
        &self,
        wanted: usize,
        counting: Counting,
    ) -> Result<(Vec<Placed>, Option<Count>), QueryError> {
        let mut tally = Tally::of(counting);
        let placed = self.newest_and_tally(wanted, None, &mut tally)?;
        Ok((placed, tally.count()))
    }

    fn newest_and_tally(
        &self,
        wanted: usize,
        after: Option<&Position>,
        tally: &mut Tally,
    ) -> Result<Vec<Placed>, QueryError> {
        let after = match after {
            Some(Position::Order(order, id)) => Some((*order, *id)),
            _ => None,
        };
        let newest = after.map_or(u64::MAX, |(order, _)| order).min(*self.plan.orders.end());
        let oldest = *self.plan.orders.start();
        let mut best: Vec<(u64, Uuid)> = Vec::new();
        for segment in self.segments {
            let worst = if best.len() == wanted { best[wanted - 1].0 } else { oldest };
            if segment.newest() < worst && !tally.goes_on() {
                break;
            }
            let lowest = if tally.goes_on() { oldest } else { worst.max(oldest) };
            let documents = segment.documents(lowest, newest);
            if documents.is_empty() {
                continue;
            }
            let mut walk = Walk::start(segment, self, documents)?;
            let mut taken = 0;
            let mut last = u64::MAX;
            while let Some(doc) = walk.next() {
                let order = segment.order.get_val(doc);
                // Documents of one order stand in no order among themselves: all of them are looked at.
                if order < worst || (taken >= wanted && order < last) {
                    tally.add_one();
                    break;
                }
                tally.add_one();
                let id = segment.id(doc);
                if after.is_none_or(|after| (order, id) < after) {
                    best.push((order, id));
                    taken += 1;
                    last = order;
                }
            }
            tally.add_rest(&mut walk);
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
        let mut tally = Tally::of(counting);
        for segment in self.segments {
            if !tally.goes_on() {
                break;
            }
            let documents = segment.documents(*self.plan.orders.start(), *self.plan.orders.end());
            if !documents.is_empty() {
                tally.add_rest(&mut Walk::start(segment, self, documents)?);
            }
        }
        Ok(tally.count())
    }
}

/// Counts documents up to where it was asked to.
struct Tally {
    /// `None`: nothing is counted.
    cap: Option<u64>,
    value: u64,
    is_capped: bool,
}

impl Tally {
    const fn none() -> Self {
        Self { cap: None, value: 0, is_capped: false }
    }

    const fn of(counting: Counting) -> Self {
        let cap = match counting {
            Counting::No => None,
            Counting::Capped => Some(COUNT_CAP),
            Counting::Exact => Some(u64::MAX),
        };
        Self { cap, ..Self::none() }
    }

    /// Whether more documents would change the count.
    const fn goes_on(&self) -> bool {
        self.cap.is_some() && !self.is_capped
    }

    fn add_one(&mut self) {
        match self.cap {
            Some(cap) if self.value < cap => self.value += 1,
            Some(_) => self.is_capped = true,
            None => {}
        }
    }

    fn add_rest(&mut self, walk: &mut Walk<'_>) {
        while self.goes_on() && walk.next().is_some() {
            self.add_one();
        }
    }

    fn count(&self) -> Option<Count> {
        self.cap.map(|_| Count { value: self.value, is_capped: self.is_capped })
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
