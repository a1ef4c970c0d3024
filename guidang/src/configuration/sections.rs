//! The configuration: one struct for each concern. Empty texts stand for what the data folder suggests.

use std::{collections::BTreeMap, fs, net::SocketAddr, path::PathBuf, time::Duration};

use archive_api::entries::ColumnMapping;
use backends::database::PostgresOptions;
use domain::{archival_code::DEFAULT_PATTERN, deadline::Deadlines};
use ingest::Limits;
use serde::{Deserialize, Serialize};

use super::secret_url::SecretUrl;

/// Everything an operator may set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// Where the API and the console answer.
    pub server: ServerSection,
    /// The catalogue.
    pub database: DatabaseSection,
    /// The key store.
    pub keys: KeysSection,
    /// The bell of the workers.
    pub queue: QueueSection,
    /// The objects.
    pub objects: ObjectsSection,
    /// Limits on what comes in.
    pub intake: Limits,
    /// The process that decodes untrusted files.
    pub sandbox: SandboxSection,
    /// Recognition.
    pub reading: ReadingSection,
    /// Jobs.
    pub workers: WorkersSection,
    /// The search index.
    pub index: IndexSection,
    /// Filing.
    pub archive: ArchiveSection,
    /// Branch codes by the first two letters of an outlet code, where the letters themselves are not the code.
    pub branches: BTreeMap<String, String>,
    /// How the columns of the business system are called.
    pub columns: ColumnMapping,
    /// Scanner folders.
    pub watch: WatchSection,
    /// What the program says about itself.
    pub log: LogSection,
    /// Traces for a collector.
    pub telemetry: TelemetrySection,
}

/// `[server]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerSection {
    /// Address and port.
    pub listen: SocketAddr,
    /// How long requests and jobs that run may take to end when the server is stopped.
    pub stop_seconds: u64,
    /// Memory that uploads may hold together; a request that finds none waits.
    pub intake_memory_bytes: u64,
    /// How long a sender may say nothing before its upload is given up.
    pub upload_idle_seconds: u64,
    /// Whether the console's cookie is sent over encrypted connections only.
    pub encrypted_cookies_only: bool,
}

impl Default for ServerSection {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8490)),
            stop_seconds: 30,
            intake_memory_bytes: 512 << 20,
            upload_idle_seconds: 60,
            encrypted_cookies_only: false,
        }
    }
}

/// `[objects]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectsSection {
    /// Where it is.
    pub url: SecretUrl,
    /// Address of an S3-compatible store; empty for Amazon's.
    pub endpoint: SecretUrl,
    /// The region that requests are signed for.
    pub region: String,
    /// Whether the name of the bucket stands in the path, not in the name of the host.
    pub path_style: bool,
    /// The file with key and secret; empty for the variables `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    pub credentials: PathBuf,
    /// Certificate authorities of the operator's own, as PEM.
    pub ca_file: PathBuf,
    /// How long one request to the store may take.
    pub timeout_seconds: u64,
    /// How the store encrypts what is brought straight to it; empty where its disks are encrypted.
    pub quarantine_encryption: String,
    /// How long the address of an upload ticket holds.
    pub ticket_seconds: u64,
}

impl Default for ObjectsSection {
    fn default() -> Self {
        Self {
            url: SecretUrl::default(),
            endpoint: SecretUrl::default(),
            region: "us-east-1".to_owned(),
            path_style: true,
            credentials: PathBuf::new(),
            ca_file: PathBuf::new(),
            timeout_seconds: 60,
            quarantine_encryption: "AES256".to_owned(),
            ticket_seconds: 900,
        }
    }
}

/// `[queue]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QueueSection {
    /// Where it is.
    pub url: SecretUrl,
    /// Certificate authorities of the broker.
    pub ca_file: PathBuf,
}

/// `[database]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseSection {
    /// Where it is.
    pub url: SecretUrl,
    /// Certificate authorities of the operator's own for PostgreSQL, as PEM; empty for those of the system.
    pub ca_file: PathBuf,
    /// Most connections one process opens to each PostgreSQL database.
    pub connections: u32,
    /// How long one statement may take on PostgreSQL.
    pub statement_seconds: u64,
    /// How long a statement may wait for a lock on PostgreSQL.
    pub lock_seconds: u64,
}

impl Default for DatabaseSection {
    fn default() -> Self {
        Self {
            url: SecretUrl::default(),
            ca_file: PathBuf::new(),
            connections: 16,
            statement_seconds: 60,
            lock_seconds: 10,
        }
    }
}

impl DatabaseSection {
    /// How PostgreSQL is used, for catalogue and key store alike.
    pub fn postgres(&self) -> PostgresOptions {
        PostgresOptions {
            connections: self.connections,
            statement_limit: Duration::from_secs(self.statement_seconds),
            lock_limit: Duration::from_secs(self.lock_seconds),
            ca_file: (!self.ca_file.as_os_str().is_empty()).then(|| self.ca_file.clone()),
            ..PostgresOptions::default()
        }
    }
}

/// `[keys]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeysSection {
    /// Where the wrapped keys are.
    pub url: SecretUrl,
    /// The file with the root key.
    pub root_key: PathBuf,
}

/// `[sandbox]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SandboxSection {
    /// Decode even where the kernel cannot confine the decoder.
    pub allow_unsandboxed: bool,
}

/// Which program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineChoice {
    /// PP-OCR through ONNX Runtime.
    #[default]
    Ort,
    /// The same models without a native library.
    Rten,
    /// Tesseract.
    Tesseract,
}

/// `[reading]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadingSection {
    /// Which engine reads.
    pub engine: EngineChoice,
    /// Whether Tesseract is asked where the first engine is unsure.
    pub second_opinion: bool,
    /// The folder of models and runtime library.
    pub models: PathBuf,
    /// A folder of the operator's own forms.
    pub forms: PathBuf,
    /// How many threads read; 0 for one on each core.
    pub threads: usize,
}

impl Default for ReadingSection {
    fn default() -> Self {
        Self {
            engine: EngineChoice::Ort,
            second_opinion: true,
            models: PathBuf::new(),
            forms: PathBuf::new(),
            threads: 0,
        }
    }
}

/// `[workers]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkersSection {
    /// How many jobs run at once; 0 for one more than there are reading threads.
    pub slots: usize,
    /// How long a worker that says nothing is believed to work.
    pub lease_seconds: u32,
    /// How often a job is tried before it is given up.
    pub max_attempts: u32,
    /// How many days before its arrival a scan's acceptance may lie, when it must be found by number or name.
    pub open_days: u32,
    /// Where `guidang work` answers for its health and metrics; empty: nowhere.
    pub listen: String,
}

impl WorkersSection {
    /// The address to listen at. The error says what it must look like.
    pub fn listen_at(&self) -> Result<Option<SocketAddr>, String> {
        if self.listen.is_empty() {
            return Ok(None);
        }
        let address = self.listen.parse().map_err(|_| "takes an address such as 127.0.0.1:8491, or nothing");
        address.map(Some).map_err(str::to_owned)
    }
}

impl Default for WorkersSection {
    fn default() -> Self {
        Self { slots: 0, lease_seconds: 60, max_attempts: 5, open_days: 180, listen: String::new() }
    }
}

/// `[index]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexSection {
    /// The folder of the search index.
    pub folder: PathBuf,
    /// How long changes may wait for others to be committed with.
    pub commit_ms: u64,
    /// How old the newest snapshot in the object store may become; 0: none is made by itself.
    pub snapshot_hours: u32,
}

impl Default for IndexSection {
    fn default() -> Self {
        Self { folder: PathBuf::new(), commit_ms: 1000, snapshot_hours: 0 }
    }
}

/// `[archive]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveSection {
    /// How archival codes (档号) look.
    pub code_pattern: String,
    /// File with the operator's own deadlines (时限); empty: those that come with the program.
    pub deadlines: PathBuf,
    /// How many case files an auditor may have as tasks at once; what is a task is shown clear.
    pub tasks_per_auditor: u32,
}

impl ArchiveSection {
    /// The deadlines in force. The error says what is wrong with the file, or that it cannot be read.
    pub fn read_deadlines(&self) -> Result<Deadlines, String> {
        if self.deadlines.as_os_str().is_empty() {
            return Deadlines::defaults().map_err(|error| error.to_string());
        }
        let text = fs::read_to_string(&self.deadlines).map_err(|error| format!("cannot be read: {error}"))?;
        Deadlines::parse(&text).map_err(|error| error.to_string())
    }
}

impl Default for ArchiveSection {
    fn default() -> Self {
        Self { code_pattern: DEFAULT_PATTERN.to_owned(), deadlines: PathBuf::new(), tasks_per_auditor: 20 }
    }
}

/// `[watch]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchSection {
    /// How long size and time of a file must stand still before it is taken.
    pub quiet_seconds: u64,
    /// How often the folder is looked at.
    pub poll_seconds: u64,
}

impl Default for WatchSection {
    fn default() -> Self {
        Self { quiet_seconds: 5, poll_seconds: 1 }
    }
}

/// How lines of the log look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines, one object a line.
    Json,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSection {
    /// What is written: `error`, `warn`, `info`, `debug`, or by crate as in `info,workers=debug`.
    pub filter: String,
    /// How.
    pub format: LogFormat,
}

impl Default for LogSection {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: LogFormat::Text }
    }
}

/// `[telemetry]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TelemetrySection {
    /// Base address of the collector; empty: nothing is traced.
    pub endpoint: SecretUrl,
    /// By which name the collector knows this program.
    pub service_name: String,
    /// Of how many traces that begin here one is recorded.
    pub one_in: u32,
}

impl TelemetrySection {
    /// Where spans are sent to.
    pub fn traces_address(&self) -> Option<String> {
        let base = self.endpoint.reveal().trim_end_matches('/');
        (!base.is_empty()).then(|| format!("{base}/v1/traces"))
    }
}

impl Default for TelemetrySection {
    fn default() -> Self {
        Self { endpoint: SecretUrl::default(), service_name: "guidang".to_owned(), one_in: 1 }
    }
}
