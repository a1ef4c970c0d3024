//! Pages of scans, and the fingerprints by which a picture is found again.

use async_trait::async_trait;
use domain::ids::{PageId, ScanId};
use uuid::Uuid;

use crate::{error::StorageError, vault::SealedPlace};

/// One page of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRow {
    /// Its id.
    pub id: PageId,
    /// Its scan.
    pub scan_id: ScanId,
    /// 0 for the first.
    pub page_index: i64,
    /// Pixels, EXIF orientation honoured.
    pub width: i64,
    /// Pixels.
    pub height: i64,
    /// Why this page cannot be decoded, as a code of `docs/errors`.
    pub problem: Option<String>,
    /// What was found on it besides print (barcodes, text layer), sealed at `PageRow::place`.
    pub facts_sealed: Option<Vec<u8>>,
    /// Description of the picture that survives re-saving, sealed at `PageRow::fingerprint_place`.
    pub fingerprint_sealed: Option<Vec<u8>>,
    /// Coarse parts of the fingerprint; the same picture shares at least one.
    pub bands: Vec<i64>,
}

impl PageRow {
    /// Where the sealed facts stand.
    pub const fn place(id: PageId) -> SealedPlace {
        SealedPlace { column: "pages.facts_sealed", row: id.uuid() }
    }

    /// Where the sealed fingerprint stands.
    pub const fn fingerprint_place(id: PageId) -> SealedPlace {
        SealedPlace { column: "pages.fingerprint_sealed", row: id.uuid() }
    }
}

/// Pages.
#[async_trait]
pub trait PageRepository: Send {
    /// Replaces the pages of a scan. Pages keep their id when one with the same index was there.
    async fn put(&mut self, pages: &[PageRow]) -> Result<(), StorageError>;
    /// Pages of a scan in order; bands are left empty.
    async fn of_scan(&mut self, id: ScanId) -> Result<Vec<PageRow>, StorageError>;
    /// The page with this id; bands are left empty.
    async fn find(&mut self, id: PageId) -> Result<Option<PageRow>, StorageError>;
    /// Other pages that share a band with this one, at most `limit`; bands are left empty.
    async fn alike(&mut self, id: PageId, limit: i64) -> Result<Vec<PageRow>, StorageError>;
}

#[derive(sqlx::FromRow)]
struct Stored {
    id: Uuid,
    scan_id: Uuid,
    page_index: i64,
    width: i64,
    height: i64,
    problem: Option<String>,
    facts_sealed: Option<Vec<u8>>,
    fingerprint_sealed: Option<Vec<u8>>,
}

impl Stored {
    fn typed(self) -> PageRow {
        PageRow {
            id: PageId::from_uuid(self.id),
            scan_id: ScanId::from_uuid(self.scan_id),
            page_index: self.page_index,
            width: self.width,
            height: self.height,
            problem: self.problem,
            facts_sealed: self.facts_sealed,
            fingerprint_sealed: self.fingerprint_sealed,
            bands: Vec::new(),
        }
    }
}

for_each_engine! {
    #[async_trait]
    impl PageRepository for EngineTransaction {
        async fn put(&mut self, pages: &[PageRow]) -> Result<(), StorageError> {
            for page in pages {
                let upsert = "INSERT INTO pages (id, scan_id, page_index, width, height, problem, facts_sealed, fingerprint_sealed)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                    ON CONFLICT (scan_id, page_index) DO UPDATE SET width = excluded.width, height = excluded.height,
                        problem = excluded.problem, facts_sealed = excluded.facts_sealed,
                        fingerprint_sealed = excluded.fingerprint_sealed";
                sqlx::query(upsert)
                    .bind(page.id.uuid())
                    .bind(page.scan_id.uuid())
                    .bind(page.page_index)
                    .bind(page.width)
                    .bind(page.height)
                    .bind(&page.problem)
                    .bind(&page.facts_sealed)
                    .bind(&page.fingerprint_sealed)
                    .execute(self.connection())
                    .await?;
                let delete = "DELETE FROM page_bands WHERE page_id = $1";
                sqlx::query(delete).bind(page.id.uuid()).execute(self.connection()).await?;
                for (band, value) in page.bands.iter().enumerate() {
                    let insert = "INSERT INTO page_bands (band, value, page_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
                    sqlx::query(insert)
                        .bind(band as i64)
                        .bind(value)
                        .bind(page.id.uuid())
                        .execute(self.connection())
                        .await?;
                }
            }
            Ok(())
        }

        async fn of_scan(&mut self, id: ScanId) -> Result<Vec<PageRow>, StorageError> {
            let select = "SELECT * FROM pages WHERE scan_id = $1 ORDER BY page_index";
            let stored: Vec<Stored> = sqlx::query_as(select).bind(id.uuid()).fetch_all(self.connection()).await?;
            Ok(stored.into_iter().map(Stored::typed).collect())
        }

        async fn find(&mut self, id: PageId) -> Result<Option<PageRow>, StorageError> {
            let select = "SELECT * FROM pages WHERE id = $1";
            let found: Option<Stored> =
                sqlx::query_as(select).bind(id.uuid()).fetch_optional(self.connection()).await?;
            Ok(found.map(Stored::typed))
        }

        async fn alike(&mut self, id: PageId, limit: i64) -> Result<Vec<PageRow>, StorageError> {
            let select = "SELECT * FROM pages WHERE id IN (
                    SELECT DISTINCT other.page_id FROM page_bands mine
                    JOIN page_bands other ON other.band = mine.band AND other.value = mine.value
                    WHERE mine.page_id = $1 AND other.page_id <> $1)
                ORDER BY id LIMIT $2";
            let stored: Vec<Stored> =
                sqlx::query_as(select).bind(id.uuid()).bind(limit).fetch_all(self.connection()).await?;
            Ok(stored.into_iter().map(Stored::typed).collect())
        }
    }
}
