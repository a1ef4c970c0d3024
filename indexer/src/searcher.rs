//! The searching side: a snapshot of the index that is exchanged on reload.

use std::{
    cmp::Reverse,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use domain::{
    blind_index::{BlindField, BlindKey, MAX_SLOTS, NumberShape, shape_token},
    ids::CaseFileId,
};
use tantivy::{Index, IndexReader, ReloadPolicy, Term};

use crate::{
    collect::{Placed, Search},
    cursor::{self, Position},
    error::IndexError,
    folder,
    plan::{self, Shapes},
    query::{Hit, Page, Query, QueryError, Sort},
    schema::{self, Fields},
    segment::SegmentView,
    writer::{open_index, reached},
};

/// Answers questions; share it among threads. It sees a commit after `reload`.
pub struct Searcher {
    root: PathBuf,
    key: BlindKey,
    fields: Fields,
    snapshot: RwLock<Arc<Snapshot>>,
}

/// The index as of one commit.
struct Snapshot {
    generation: PathBuf,
    index: Index,
    reader: IndexReader,
    searcher: tantivy::Searcher,
    /// Newest first.
    segments: Vec<SegmentView>,
    shapes: Shapes,
    reached: u64,
}

impl Searcher {
    /// Opens the index in `root`; a writer must have made it.
    pub fn open(root: &Path, key: BlindKey) -> Result<Self, IndexError> {
        let fields = schema::schema().1;
        let snapshot = open_snapshot(root, &key, &fields)?;
        Ok(Self { root: root.to_owned(), key, fields, snapshot: RwLock::new(Arc::new(snapshot)) })
    }

    /// Moves on to the last commit, or to the index that a rebuild put in the place of the old one.
    pub fn reload(&self) -> Result<(), IndexError> {
        let current = self.snapshot();
        let generation = current_generation(&self.root)?;
        let next = if generation == current.generation {
            let number = reached(&current.index)?;
            current.reader.reload().map_err(IndexError::on_open)?;
            let reader = current.reader.clone();
            snapshot(generation, current.index.clone(), reader, number, &self.key, &self.fields)?
        } else {
            open_snapshot(&self.root, &self.key, &self.fields)?
        };
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(())
    }

    /// Number of the change up to which this searcher sees the catalogue.
    pub fn reached(&self) -> u64 {
        self.snapshot().reached
    }

    /// Case files that can be found.
    pub fn case_files(&self) -> u64 {
        self.snapshot().searcher.num_docs()
    }

    /// The id of every case file in the index, in no order; to compare it with the catalogue.
    pub fn ids(&self) -> Vec<CaseFileId> {
        let snapshot = self.snapshot();
        snapshot.segments.iter().flat_map(SegmentView::ids).map(CaseFileId::from_uuid).collect()
    }

    /// Answers a question.
    pub fn search(&self, query: &Query) -> Result<Page, QueryError> {
        let snapshot = self.snapshot();
        // Invariant: damaged files end in an error. The engine panics on some of them.
        catch_unwind(AssertUnwindSafe(|| self.search_in(&snapshot, query)))
            .unwrap_or_else(|_| Err(IndexError::damaged("a file of it cannot be decoded").into()))
    }

    fn search_in(&self, snapshot: &Snapshot, query: &Query) -> Result<Page, QueryError> {
        let plan = plan::plan(&self.fields, &self.key, &snapshot.shapes, query)?;
        let after = cursor::decode(&self.key, query)?;
        let search = Search::new(&self.fields, &plan, &snapshot.searcher, &snapshot.segments)?;
        let (mut placed, count) = match (query.sort, after) {
            (Sort::NewestFirst, None) => search.newest_counted(query.limit + 1, query.counting)?,
            (Sort::NewestFirst, after) => {
                (search.newest(query.limit + 1, after.as_ref())?, search.count(query.counting)?)
            }
            (Sort::SlipNumber, after) => {
                (search.by_slip(query.limit + 1, after.as_ref())?, search.count(query.counting)?)
            }
        };
        let has_more = placed.len() > query.limit;
        placed.truncate(query.limit);
        let next = placed.last().filter(|_| has_more).map(|last| {
            let position = match query.sort {
                Sort::NewestFirst => Position::Order(last.order, last.id),
                Sort::SlipNumber => Position::Slip(last.slip.clone(), last.id),
            };
            cursor::encode(&self.key, query, &position)
        });
        Ok(Page { hits: placed.into_iter().map(hit).collect(), next, count, reached: snapshot.reached })
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn hit(placed: Placed) -> Hit {
    Hit {
        case_file_id: CaseFileId::from_uuid(placed.id),
        accepted_on: schema::day_of(placed.order),
        slip_number: placed.slip.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    }
}

fn current_generation(root: &Path) -> Result<PathBuf, IndexError> {
    folder::current(root)?.ok_or_else(|| IndexError::Missing { folder: root.to_owned() })
}

fn open_snapshot(root: &Path, key: &BlindKey, fields: &Fields) -> Result<Snapshot, IndexError> {
    let generation = current_generation(root)?;
    let index = match open_index(&generation, key) {
        // A rebuild may have removed the generation between the two lines above.
        Err(_) if current_generation(root)? != generation => return open_snapshot(root, key, fields),
        index => index?,
    };
    // Asked before the reader opens: a commit in between makes the number too small, never too great.
    let number = reached(&index)?;
    let reader =
        index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().map_err(IndexError::on_open)?;
    snapshot(generation, index, reader, number, key, fields)
}

fn snapshot(
    generation: PathBuf,
    index: Index,
    reader: IndexReader,
    reached: u64,
    key: &BlindKey,
    fields: &Fields,
) -> Result<Snapshot, IndexError> {
    let searcher = reader.searcher();
    let opened: tantivy::Result<(Vec<SegmentView>, Shapes)> = catch_unwind(AssertUnwindSafe(|| {
        let mut segments =
            searcher.segment_readers().iter().map(SegmentView::open).collect::<tantivy::Result<Vec<_>>>()?;
        segments.sort_by_key(|segment| Reverse(segment.newest()));
        Ok((segments, shapes(&searcher, key, fields)?))
    }))
    .map_err(|_| IndexError::damaged("a file of it cannot be decoded"))?;
    let (segments, shapes) = opened.map_err(IndexError::on_open)?;
    Ok(Snapshot { generation, index, reader, searcher, segments, shapes, reached })
}

fn shapes(searcher: &tantivy::Searcher, key: &BlindKey, fields: &Fields) -> tantivy::Result<Shapes> {
    Ok(Shapes {
        phone: shapes_of(searcher, key, fields, BlindField::Phone)?,
        id_number: shapes_of(searcher, key, fields, BlindField::IdNumber)?,
    })
}

fn shapes_of(
    searcher: &tantivy::Searcher,
    key: &BlindKey,
    fields: &Fields,
    field: BlindField,
) -> tantivy::Result<Vec<NumberShape>> {
    let mut found = Vec::new();
    for slot in 0..MAX_SLOTS {
        let before = found.len();
        for shape in NumberShape::all_lengths(slot) {
            let token = shape_token(key, field, shape);
            if searcher.doc_freq(&Term::from_field_bytes(fields.tokens, token.bytes()))? > 0 {
                found.push(shape);
            }
        }
        // Slots are taken from 0 on: the first empty one is the last.
        if found.len() == before {
            break;
        }
    }
    Ok(found)
}
