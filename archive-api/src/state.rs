//! What every handler may use.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use backends::connect::Backends;
use domain::{blind_index::BlindKey, deadline::Deadlines};
use indexer::searcher::Searcher;
use ingest::{Limits, Sandbox};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Semaphore, watch};

use crate::{
    entries::{ColumnMapping, IMPORTS_AT_ONCE},
    intake::Intake,
    pages::PicturePool,
    refusals::Refusals,
    session::SignInCodes,
};

/// The search index as the follower last opened it; `None` until it exists, and while it is being rebuilt.
pub type SearcherSlot = watch::Receiver<Option<Arc<Searcher>>>;

/// What an operator may set about the API.
#[derive(Debug, Clone)]
pub struct ApiSettings {
    /// Limits on one scan.
    pub limits: Limits,
    /// Memory that uploads may hold together; a request that finds none waits.
    pub intake_memory_bytes: u64,
    /// How long a sender may say nothing before its upload is given up.
    pub upload_idle: Duration,
    /// How long the address of an upload ticket holds.
    pub ticket_valid: Duration,
    /// Branch codes by the first two letters of an outlet code, where the letters themselves are not the code.
    pub branch_codes: BTreeMap<String, String>,
    /// How the columns of the business system are called.
    pub columns: ColumnMapping,
    /// The operator's deadlines.
    pub deadlines: Deadlines,
    /// How many case files an auditor may have as tasks at once.
    pub tasks_per_auditor: u32,
    /// Whether session cookies are sent over encrypted connections only.
    pub cookies: CookieTransport,
}

/// Over which connections a session cookie may travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieTransport {
    /// Over any: for a machine that is reached on its own loopback address.
    Any,
    /// Over TLS only.
    EncryptedOnly,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            intake_memory_bytes: 512 << 20,
            upload_idle: Duration::from_mins(1),
            ticket_valid: Duration::from_mins(15),
            branch_codes: BTreeMap::new(),
            columns: ColumnMapping::default(),
            deadlines: Deadlines::defaults().unwrap_or_default(),
            tasks_per_auditor: 20,
            cookies: CookieTransport::Any,
        }
    }
}

/// What kind of process answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Process {
    /// API and console.
    #[default]
    Server,
    /// Searching, and nothing else.
    SearchNode,
    /// Jobs; it tells how it is and answers nothing else.
    Worker,
}

/// The archive as the API sees it. Cheap to clone.
#[derive(Clone)]
pub struct ArchiveState {
    /// What kind of process this is.
    pub process: Process,
    /// Both sides of every seam.
    pub backends: Backends,
    /// The search index.
    pub searcher: SearcherSlot,
    /// Where page images are decoded.
    pub sandbox: Arc<Sandbox>,
    /// How many page images are made at once.
    pub(crate) pictures: Arc<PicturePool>,
    /// What the operator set.
    pub settings: Arc<ApiSettings>,
    /// Takes scans in.
    pub intake: Arc<Intake>,
    /// Room for imports of requests.
    pub(crate) imports: Arc<Semaphore>,
    /// One-time codes for the console.
    pub sign_in_codes: Arc<SignInCodes>,
    /// Tokens that opened nothing.
    pub(crate) refusals: Arc<Refusals>,
    /// Renders what this process counts; `None` where nothing is counted.
    pub metrics: Option<PrometheusHandle>,
}

impl ArchiveState {
    /// Puts the parts together.
    pub fn new(backends: Backends, searcher: SearcherSlot, sandbox: Sandbox, settings: ApiSettings) -> Self {
        let intake = Intake::new(backends.clone(), settings.limits, settings.intake_memory_bytes);
        Self {
            process: Process::default(),
            backends,
            searcher,
            sandbox: Arc::new(sandbox),
            pictures: Arc::default(),
            settings: Arc::new(settings),
            intake: Arc::new(intake),
            imports: Arc::new(Semaphore::new(IMPORTS_AT_ONCE)),
            sign_in_codes: Arc::new(SignInCodes::default()),
            refusals: Arc::new(Refusals::default()),
            metrics: None,
        }
    }

    /// The key of the blind index.
    pub(crate) fn blind_key(&self) -> BlindKey {
        BlindKey::new(self.backends.vault.blind_index_secret())
    }
}
