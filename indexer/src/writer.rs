//! The one writer of an index: follows the catalogue's change sequence.

use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use domain::{blind_index::BlindKey, ids::CaseFileId};
use tantivy::{
    Index, IndexBuilder, TantivyDocument,
    index::SegmentId,
    indexer::{LogMergePolicy, NoMergePolicy},
};

use crate::{
    document::CaseDocument,
    error::IndexError,
    folder,
    schema::{self, Fields},
    snapshot,
};

/// One change of the catalogue, as the index sees it.
#[derive(Debug, Clone)]
pub enum Change {
    /// The case file is new or different.
    Upsert(Box<CaseDocument>),
    /// The case file must no longer be found.
    Delete(CaseFileId),
}

/// What an index consists of at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexStatus {
    /// Number of the last change that is committed.
    pub reached: u64,
    /// Case files that can be found.
    pub case_files: u64,
    /// Deleted versions that are still on disk.
    pub deleted: u64,
    /// Segments; many make searching slower.
    pub segments: usize,
    /// Size of the folder.
    pub size_bytes: u64,
}

impl IndexStatus {
    /// Whether the folder is so much larger than its case files explain that somebody must look.
    ///
    /// A case file takes 400 bytes at most, deleted ones count until they are purged, and a merge may double it.
    pub const fn is_bloated(&self) -> bool {
        let explained = (self.case_files + self.deleted) * 400 * 2;
        self.size_bytes > SMALL_BYTES + explained
    }
}

/// What a purge did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purge {
    /// Segments that held deleted documents and were written anew, or dropped.
    pub segments_rewritten: usize,
    /// Size of the folder before.
    pub size_before_bytes: u64,
    /// Size of the folder after.
    pub size_after_bytes: u64,
}

/// A folder up to this size alarms nobody.
const SMALL_BYTES: u64 = 64 << 20;
/// Bytes of the buffer in which documents gather before they become a segment.
pub(crate) const FOLLOWING_BUFFER_BYTES: usize = 64 << 20;
const REBUILD_BUFFER_BYTES: usize = 256 << 20;
/// A segment with this share of deleted documents is written anew.
const DELETED_SHARE_BEFORE_MERGE: f32 = 0.25;

/// Writes an index; there is one at a time for each folder.
///
/// `apply` gathers, `commit` makes durable and visible. A committed index survives a crash and says with
/// `reached` where to resume; what was applied and not committed must be applied again. After an `Engine` or
/// `Storage` error drop the writer, open it again and resume.
pub struct IndexWriter {
    root: PathBuf,
    key: BlindKey,
    fields: Fields,
    index: Index,
    writer: Option<tantivy::IndexWriter<TantivyDocument>>,
    buffer_bytes: usize,
    generation: PathBuf,
    reached: u64,
    staged: Option<u64>,
    _lock: File,
}

impl IndexWriter {
    /// Opens the index in `root`, or makes an empty one that has reached 0.
    pub fn open(root: &Path, key: BlindKey) -> Result<Self, IndexError> {
        let lock = folder::lock(root)?;
        snapshot::remove_stale(root)?;
        let generation = if let Some(generation) = folder::current(root)? {
            folder::remove_others(root, &generation)?;
            generation
        } else {
            let generation = folder::create_generation(root, &key)?;
            create_index(&generation)?;
            folder::make_current(root, &generation)?;
            generation
        };
        Self::open_generation(root, generation, key, FOLLOWING_BUFFER_BYTES, lock)
    }

    pub(crate) fn open_generation(
        root: &Path,
        generation: PathBuf,
        key: BlindKey,
        buffer_bytes: usize,
        lock: File,
    ) -> Result<Self, IndexError> {
        let index = open_index(&generation, &key)?;
        let reached = reached(&index)?;
        let mut writer = Self {
            root: root.to_owned(),
            key,
            fields: schema::schema().1,
            index,
            writer: None,
            buffer_bytes,
            generation,
            reached,
            staged: None,
            _lock: lock,
        };
        writer.writer = Some(writer.start_engine()?);
        Ok(writer)
    }

    /// One thread, so that segments do not overlap in time more than the changes do.
    fn start_engine(&self) -> Result<tantivy::IndexWriter<TantivyDocument>, IndexError> {
        let writer =
            self.index.writer_with_num_threads(1, self.buffer_bytes).map_err(|error| match error {
                tantivy::TantivyError::LockFailure(..) => IndexError::Locked { folder: self.root.clone() },
                other => IndexError::on_open(other),
            })?;
        let mut policy = LogMergePolicy::default();
        policy.set_del_docs_ratio_before_merge(DELETED_SHARE_BEFORE_MERGE);
        writer.set_merge_policy(Box::new(policy));
        Ok(writer)
    }

    fn engine(&mut self) -> Result<&mut tantivy::IndexWriter<TantivyDocument>, IndexError> {
        self.writer.as_mut().ok_or_else(|| IndexError::Engine {
            source: tantivy::TantivyError::SystemError(
                "the writer was closed by an earlier error".to_owned(),
            ),
        })
    }

    /// Number of the last change that is committed; the next one to read is one more.
    pub const fn reached(&self) -> u64 {
        self.reached
    }

    /// Takes the changes up to and with number `up_to`. Repeating changes does no harm.
    pub fn apply(&mut self, changes: &[Change], up_to: u64) -> Result<(), IndexError> {
        let (fields, key) = (self.fields, self.key.clone());
        let engine = self.engine()?;
        for change in changes {
            match change {
                Change::Upsert(case) => {
                    engine.delete_term(schema::id_term(&fields, &key, case.case_file_id));
                    engine.add_document(schema::document(&fields, &key, case))?;
                }
                Change::Delete(id) => {
                    engine.delete_term(schema::id_term(&fields, &key, *id));
                }
            }
        }
        self.staged = Some(up_to.max(self.staged.unwrap_or(self.reached)));
        Ok(())
    }

    /// Makes all applied changes durable and visible to searchers that reload; returns the number reached.
    ///
    /// A commit costs about as much as a few thousand case files: commit every few seconds.
    pub fn commit(&mut self) -> Result<u64, IndexError> {
        let Some(staged) = self.staged else { return Ok(self.reached) };
        let engine = self.engine()?;
        // A plain `commit()` would erase the payload, and with it where to resume.
        let mut prepared = engine.prepare_commit()?;
        prepared.set_payload(&staged.to_string());
        prepared.commit()?;
        self.reached = staged;
        self.staged = None;
        Ok(staged)
    }

    /// Removes files that no commit needs any more.
    pub fn collect_garbage(&mut self) -> Result<(), IndexError> {
        self.engine()?.garbage_collect_files().wait()?;
        Ok(())
    }

    /// Writes every segment with deleted documents anew, so that their terms are gone from the folder.
    ///
    /// Costs the rewriting of each segment touched: delete in batches, by date. Searchers that have not reloaded
    /// still hold the removed files open.
    pub fn purge(&mut self) -> Result<Purge, IndexError> {
        let size_before_bytes = self.size_bytes()?;
        self.commit()?;
        self.wait_for_merges()?;
        let touched = self.segments_with_deletes()?;
        let engine = self.engine()?;
        engine.set_merge_policy(Box::new(NoMergePolicy));
        for segment in &touched {
            engine.merge(&[*segment]).wait()?;
        }
        engine.garbage_collect_files().wait()?;
        self.wait_for_merges()?;
        if !self.segments_with_deletes()?.is_empty() {
            return Err(IndexError::damaged("deleted documents remain after a purge"));
        }
        self.collect_garbage()?;
        Ok(Purge {
            segments_rewritten: touched.len(),
            size_before_bytes,
            size_after_bytes: self.size_bytes()?,
        })
    }

    /// Ids only: a segment's description kept alive would keep its files alive.
    fn segments_with_deletes(&self) -> Result<Vec<SegmentId>, IndexError> {
        let metas = self.index.searchable_segment_metas()?;
        Ok(metas.iter().filter(|meta| meta.has_deletes()).map(tantivy::SegmentMeta::id).collect())
    }

    /// Lets running merges end, and starts the engine anew.
    fn wait_for_merges(&mut self) -> Result<(), IndexError> {
        if let Some(writer) = self.writer.take() {
            writer.wait_merging_threads()?;
        }
        self.writer = Some(self.start_engine()?);
        Ok(())
    }

    /// Bytes on disk; watch it: it may double for a while when segments merge, not more.
    pub fn size_bytes(&self) -> Result<u64, IndexError> {
        folder::size_bytes(&self.generation)
    }

    /// What the index consists of.
    pub fn status(&self) -> Result<IndexStatus, IndexError> {
        let metas = self.index.searchable_segment_metas()?;
        Ok(IndexStatus {
            reached: self.reached,
            case_files: metas.iter().map(|meta| u64::from(meta.num_docs())).sum(),
            deleted: metas.iter().map(|meta| u64::from(meta.num_deleted_docs())).sum(),
            segments: metas.len(),
            size_bytes: self.size_bytes()?,
        })
    }

    /// Reads every file and compares its checksum; returns the names of those that are wrong.
    pub fn damaged_files(&self) -> Result<Vec<PathBuf>, IndexError> {
        let mut damaged: Vec<PathBuf> = self.index.validate_checksum()?.into_iter().collect();
        damaged.sort();
        Ok(damaged)
    }

    /// Ends after running merges.
    pub fn close(mut self) -> Result<(), IndexError> {
        match self.writer.take() {
            Some(writer) => Ok(writer.wait_merging_threads()?),
            None => Ok(()),
        }
    }
}

/// A new index beside the current one, which stays searchable until `finish`.
///
/// Holds the place of writer from start to end. Dropped or killed, it leaves the current index as it was.
pub struct Rebuild {
    writer: IndexWriter,
}

impl Rebuild {
    /// Starts with nothing, whatever the state of the current index.
    pub fn start(root: &Path, key: BlindKey) -> Result<Self, IndexError> {
        let lock = folder::lock(root)?;
        let generation = folder::create_generation(root, &key)?;
        create_index(&generation)?;
        let writer = IndexWriter::open_generation(root, generation, key, REBUILD_BUFFER_BYTES, lock)?;
        Ok(Self { writer })
    }

    /// Takes case files; in the order of their dates the index gets smaller and faster.
    pub fn apply(&mut self, changes: &[Change]) -> Result<(), IndexError> {
        self.writer.apply(changes, 0)
    }

    /// Commits as of change number `up_to`, puts the new index in the place of the old one, and goes on as its
    /// writer.
    pub fn finish(mut self, up_to: u64) -> Result<IndexWriter, IndexError> {
        self.writer.apply(&[], up_to)?;
        self.writer.commit()?;
        self.writer.buffer_bytes = FOLLOWING_BUFFER_BYTES;
        self.writer.wait_for_merges()?;
        self.writer.collect_garbage()?;
        folder::make_current(&self.writer.root, &self.writer.generation)?;
        Ok(self.writer)
    }
}

fn create_index(generation: &Path) -> Result<(), IndexError> {
    let (schema, _) = schema::schema();
    IndexBuilder::new().schema(schema).settings(schema::settings()).create_in_dir(generation)?;
    Ok(())
}

/// Opens a generation and everything in it, so that damage shows here and not in a search.
pub(crate) fn open_index(generation: &Path, key: &BlindKey) -> Result<Index, IndexError> {
    folder::check_format(generation, key)?;
    // Invariant: damaged files end in an error. The engine panics on some of them.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let index = Index::open_in_dir(generation)?;
        index.reader()?;
        Ok(index)
    }));
    let index = opened
        .map_err(|_| IndexError::damaged("a file of it cannot be decoded"))?
        .map_err(IndexError::on_open)?;
    if index.schema() != schema::schema().0 {
        return Err(IndexError::damaged("its fields are not those of its format"));
    }
    Ok(index)
}

/// The change number in the last commit; an index without commit has reached 0.
pub(crate) fn reached(index: &Index) -> Result<u64, IndexError> {
    let metas = index.load_metas().map_err(IndexError::on_open)?;
    match metas.payload {
        None if metas.segments.is_empty() => Ok(0),
        None => Err(IndexError::damaged("the number it reached is missing")),
        Some(payload) => {
            payload.parse().map_err(|_| IndexError::damaged("the number it reached is unreadable"))
        }
    }
}
