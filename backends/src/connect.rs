//! Connecting: the one place that looks at URL schemes.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    blob_store::{BlobStore, S3Settings},
    clock::Clock,
    database::{Database, PostgresOptions, postgres, sqlite},
    error::StorageError,
    queue::{InProcessQueue, JobQueue, QueueError, RabbitQueue},
    vault::{KeyTable, RootKey, RootKeyError, SpoolFolder, Vault},
};

/// Where everything is kept. Addresses may hold passwords: of those only the scheme is ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct BackendsConfig {
    /// `sqlite:PATH` or `postgres://…`.
    pub database_url: String,
    /// `sqlite:PATH` or `postgres://…`; never the catalogue's own database.
    pub keys_url: String,
    /// `in-process:` or `amqp://…`.
    pub queue_url: String,
    /// File with the certificate authorities of the broker; none: those of the system.
    pub queue_ca_file: Option<PathBuf>,
    /// `file:FOLDER` or `s3://BUCKET[/PREFIX]`.
    pub objects_url: String,
    /// How an S3-compatible store is reached.
    pub s3: S3Settings,
    /// File with the root key.
    pub root_key: PathBuf,
    /// How PostgreSQL is used, where it is.
    pub postgres: PostgresOptions,
    /// Folder on this machine where large files lie sealed while they are looked at.
    pub spool: PathBuf,
}

impl fmt::Debug for BackendsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schemes = [&self.database_url, &self.keys_url, &self.queue_url, &self.objects_url];
        f.debug_tuple("BackendsConfig").field(&schemes.map(|url| split(url).0)).finish()
    }
}

impl BackendsConfig {
    /// The embedded shape inside one data folder.
    pub fn embedded(data: &Path) -> Self {
        Self {
            database_url: format!("sqlite:{}", data.join("catalogue.db").display()),
            keys_url: format!("sqlite:{}", data.join("keys").join("keys.db").display()),
            queue_url: "in-process:".to_owned(),
            queue_ca_file: None,
            objects_url: format!("file:{}", data.join("objects").display()),
            s3: S3Settings::default(),
            root_key: data.join("keys").join("root.key"),
            postgres: PostgresOptions::default(),
            spool: data.join("spool"),
        }
    }
}

/// Why the archive cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A URL names nothing this program can talk to.
    #[error("{key} does not take {scheme:?}; it takes {takes}")]
    Scheme {
        /// Key of the configuration.
        key: &'static str,
        /// What stands before the first colon.
        scheme: String,
        /// What may stand there.
        takes: &'static str,
    },
    /// The root key cannot be used.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// The queue cannot be used.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// An engine cannot be used.
    #[error("{key} cannot be opened")]
    Engine {
        /// Key of the configuration.
        key: &'static str,
        /// Why.
        source: StorageError,
    },
}

/// Both sides of every seam, ready for use. Cheap to clone.
#[derive(Clone)]
pub struct Backends {
    /// The catalogue.
    pub database: Arc<dyn Database>,
    /// The bell.
    pub queue: Arc<dyn JobQueue>,
    /// The objects.
    pub blobs: BlobStore,
    /// The keys.
    pub vault: Vault,
    /// Where large files lie until it is decided what becomes of them.
    pub spool: SpoolFolder,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Backends {
    /// Opens everything, bringing schemas to the present version. Refuses an archive that a copy has not filled yet.
    /// The queue connects by itself; `JobQueue::probe` says whether it could.
    pub async fn connect(config: &BackendsConfig, clock: Arc<dyn Clock>) -> Result<Self, ConnectError> {
        // First of all: without the key nothing is made in what may be the wrong place.
        let root = RootKey::load(&config.root_key)?;
        let database = open_database(config, &clock).await?;
        // Before the key store is opened: it makes the keys that are missing, and those of the copy are still to come.
        let unfinished = database.unfinished_copy().await.map_err(engine("database.url"))?;
        if unfinished.is_some() {
            let detail =
                "a restore or migrate-data into it has not ended; run the same command again".to_owned();
            let source = StorageError::Unsupported { what: "catalogue", detail };
            return Err(ConnectError::Engine { key: "database.url", source });
        }
        Self::with_database(database, root, config, clock).await
    }

    /// Opens everything, whether it is whole or not: for whoever fills it.
    pub(crate) async fn open_unfinished(
        config: &BackendsConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConnectError> {
        let root = RootKey::load(&config.root_key)?;
        let database = open_database(config, &clock).await?;
        Self::with_database(database, root, config, clock).await
    }

    async fn with_database(
        database: Arc<dyn Database>,
        root: RootKey,
        config: &BackendsConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConnectError> {
        let vault = open_vault(root, config, &clock).await?;
        let queue: Arc<dyn JobQueue> = match split(&config.queue_url) {
            ("in-process", _) => Arc::new(InProcessQueue::new()),
            ("amqp" | "amqps", _) => {
                Arc::new(RabbitQueue::open(&config.queue_url, config.queue_ca_file.as_deref())?)
            }
            (scheme, _) => return Err(unknown("queue.url", scheme, "in-process: or amqp:")),
        };
        let blobs = open_objects(config, &clock).await?;
        let spool = SpoolFolder::new(&config.spool);
        Ok(Self { database, queue, blobs, vault, spool, clock })
    }
}

/// Whether the key store holds keys already; nothing is made where there is none.
pub async fn has_keys(config: &BackendsConfig, clock: &Arc<dyn Clock>) -> Result<bool, ConnectError> {
    let count = match split(&config.keys_url) {
        ("sqlite", path) if !Path::new(path).exists() => return Ok(false),
        ("sqlite", path) => {
            sqlite::open_keys(Path::new(path)).await.map_err(engine("keys.url"))?.count().await
        }
        ("postgres" | "postgresql", _) => {
            let table = postgres::open_keys(&config.keys_url, &config.postgres, clock).await;
            table.map_err(engine("keys.url"))?.count().await
        }
        (scheme, _) => return Err(unknown("keys.url", scheme, "sqlite: or postgres:")),
    };
    Ok(count.map_err(engine("keys.url"))? > 0)
}

async fn open_vault(
    root: RootKey,
    config: &BackendsConfig,
    clock: &Arc<dyn Clock>,
) -> Result<Vault, ConnectError> {
    let vault = match split(&config.keys_url) {
        ("sqlite", path) => {
            let table = sqlite::open_keys(Path::new(path)).await.map_err(engine("keys.url"))?;
            Vault::open(root, table, clock.now()).await
        }
        ("postgres" | "postgresql", _) => {
            let table = postgres::open_keys(&config.keys_url, &config.postgres, clock).await;
            Vault::open(root, table.map_err(engine("keys.url"))?, clock.now()).await
        }
        (scheme, _) => return Err(unknown("keys.url", scheme, "sqlite: or postgres:")),
    };
    vault.map_err(engine("keys.url"))
}

async fn open_database(
    config: &BackendsConfig,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Database>, ConnectError> {
    match split(&config.database_url) {
        ("sqlite", path) => {
            let opened = sqlite::SqliteDatabase::open(Path::new(path)).await;
            Ok(Arc::new(opened.map_err(engine("database.url"))?))
        }
        ("postgres" | "postgresql", _) => {
            let url = &config.database_url;
            let opened = postgres::PostgresDatabase::connect(url, &config.postgres, clock).await;
            Ok(Arc::new(opened.map_err(engine("database.url"))?))
        }
        (scheme, _) => Err(unknown("database.url", scheme, "sqlite: or postgres:")),
    }
}

/// Opens the objects alone.
pub(crate) async fn open_objects(
    config: &BackendsConfig,
    clock: &Arc<dyn Clock>,
) -> Result<BlobStore, ConnectError> {
    let opened = match split(&config.objects_url) {
        ("file", folder) => local_objects(Path::new(folder.strip_prefix("//").unwrap_or(folder))),
        ("s3", _) => BlobStore::s3(&config.objects_url, &config.s3, Arc::clone(clock)).await,
        (scheme, _) => return Err(unknown("objects.url", scheme, "file: or s3:")),
    };
    opened.map_err(engine("objects.url"))
}

fn local_objects(folder: &Path) -> Result<BlobStore, StorageError> {
    let unavailable =
        |source: std::io::Error| StorageError::Unavailable { what: "object store", source: source.into() };
    std::fs::create_dir_all(folder).map_err(unavailable)?;
    BlobStore::local(folder)
}

pub(crate) fn split(url: &str) -> (&str, &str) {
    url.split_once(':').unwrap_or((url, ""))
}

pub(crate) fn engine(key: &'static str) -> impl Fn(StorageError) -> ConnectError {
    move |source| ConnectError::Engine { key, source }
}

fn unknown(key: &'static str, scheme: &str, takes: &'static str) -> ConnectError {
    ConnectError::Scheme { key, scheme: scheme.to_owned(), takes }
}
