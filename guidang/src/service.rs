//! The archive at work in this process: API, console, workers, index, timetable; started and stopped in order.

use std::{net::SocketAddr, path::Path, time::Duration};

use archive_api::{
    metrics::start_counting,
    router::router,
    state::{ApiSettings, ArchiveState, CookieTransport, Process},
    tokens::{NewAccount, create_account, create_token, local_caller, revoke_token},
};
use backends::connect::Backends;
use chrono::TimeDelta;
use domain::{access::Role, job::JobName};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use workers::{timetable::Timetable, work_loop::WorkLoop};

use crate::{
    client::{ArchiveClient, Tongue},
    data_folder::{DataLock, RunFile, remove_if_there},
    failure::{Failure, OrFail},
    searching,
    settings::Settings,
    working,
};

/// The account of whoever opens the console by the printed address.
const LOCAL_AUDITOR: &str = "local-auditor";
/// How long a session lasts.
const SESSION_HOURS: i64 = 8;

/// Where a service listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listening {
    /// Where the configuration says.
    AsConfigured,
    /// On any free port of this machine: for a command that finds no server.
    Anywhere,
}

/// What a service does besides answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Reads, checks and files whatever is due.
    Works,
    /// Keeps the timetable; other processes work.
    LetsOthersWork,
    /// Searches, and nothing else.
    Searches,
    /// Nothing: a command that only looks leaves the work to the next server.
    AnswersOnly,
}

/// The running archive.
pub struct Service {
    /// Where it answers, as in `http://127.0.0.1:8490`.
    pub address: String,
    state: ArchiveState,
    token: String,
    stop: watch::Sender<bool>,
    http: JoinHandle<std::io::Result<()>>,
    work: Option<WorkLoop>,
    timetable: Option<Timetable>,
    index: JoinHandle<()>,
    patience: Duration,
    settings_run_file: std::path::PathBuf,
    _lock: DataLock,
}

impl Service {
    /// Starts everything; when this returns, the API answers.
    pub async fn start(settings: &Settings, listening: Listening, duty: Duty) -> Result<Self, Failure> {
        settings.data.check()?;
        let lock = settings.data.lock()?;
        let backends = settings.backends().await?;
        if duty == Duty::Searches {
            working::require_shared(&backends, "guidang index-node")?;
        } else {
            working::take_over(&backends).await?;
        }
        let token = local_token(&backends, &settings.data.run_file()).await?;
        let (searchers, searcher) = watch::channel(None);
        let mut state =
            ArchiveState::new(backends.clone(), searcher, settings.sandbox()?, api_settings(settings));
        state.process = if duty == Duty::Searches { Process::SearchNode } else { Process::Server };
        if duty != Duty::AnswersOnly {
            state.metrics = Some(start_counting().or_fail("nothing can be counted for /metrics")?);
        }
        let work = match duty {
            Duty::Works => Some(working::start(settings, &backends, &JobName::ALL)?),
            Duty::LetsOthersWork | Duty::Searches | Duty::AnswersOnly => None,
        };
        let keeps_timetable = matches!(duty, Duty::Works | Duty::LetsOthersWork);
        let timetable = keeps_timetable.then(|| Timetable::start(&backends, settings.data.log_heads()));
        let stop = watch::Sender::new(false);
        let index = searching::start(settings, duty, backends, searchers, stop.subscribe());
        let listener = listen(settings, listening).await?;
        let local = listener.local_addr().or_fail("the address of the server is not known")?;
        let http = tokio::spawn(answer(listener, state.clone(), stop.subscribe()));
        let service = Self {
            address: format!("http://{}", reachable(local)),
            state,
            token,
            stop,
            http,
            work,
            timetable,
            index,
            patience: Duration::from_secs(settings.configuration.server.stop_seconds),
            settings_run_file: settings.data.run_file(),
            _lock: lock,
        };
        service.run_file().write(&service.settings_run_file)?;
        Ok(service)
    }

    /// A client of this service.
    pub fn client(&self, tongue: Tongue) -> Result<ArchiveClient, Failure> {
        ArchiveClient::new(&self.address, &self.token, tongue).or_fail("the archive cannot be reached")
    }

    /// Waits until the index is open, but not for ever: what needs no search works without.
    async fn until_searchable(&self) {
        const PATIENCE: Duration = Duration::from_mins(1);
        let mut searcher = self.state.searcher.clone();
        let opened = searcher.wait_for(Option::is_some);
        drop(tokio::time::timeout(PATIENCE, opened).await);
    }

    /// An address that signs one browser in once, as the auditor of this machine.
    pub async fn sign_in_link(&self) -> Result<String, Failure> {
        let token = auditor_token(&self.state.backends).await?;
        Ok(self.link(&token))
    }

    fn link(&self, token: &str) -> String {
        let code = self.state.sign_in_codes.issue(token, self.state.backends.clock.now());
        format!("{}/sign-in?code={code}", self.address)
    }

    /// Stops in order: no new requests, no new jobs, what runs may end, then index and log. What does not end in
    /// time is taken up again by the next start, when its lease is over.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // That the file cannot be removed does no harm: whoever reads it asks whether the server answers.
        let _ = remove_if_there(&self.settings_run_file);
        within(self.patience, "requests", async { drop(self.http.await) }).await;
        if let Some(work) = self.work {
            work.stop(self.patience).await;
        }
        if let Some(timetable) = self.timetable {
            within(self.patience, "the timetable", timetable.stop()).await;
        }
        within(self.patience, "the index", async { drop(self.index.await) }).await;
        let backends = &self.state.backends;
        if let Err(error) = self.state.intake.close().await {
            tracing::warn!(error = %error, "keys held in reserve could not be destroyed");
        }
        if let Err(failure) = end_local_token(backends, &self.token).await {
            tracing::warn!(error = %failure.whole_story(), "the token of local commands could not be ended");
        }
        if let Err(error) = backends.database.checkpoint().await {
            tracing::warn!(error = %error, "the catalogue was not tidied up");
        }
    }

    fn run_file(&self) -> RunFile {
        RunFile { address: self.address.clone(), pid: std::process::id(), token: self.token.clone() }
    }
}

/// The archive as a command uses it: the running server, or this process when none runs.
pub struct Archive {
    /// How to talk to it.
    pub client: ArchiveClient,
    service: Option<Service>,
}

impl Archive {
    /// Finds the running server, or starts everything here.
    pub async fn open(settings: &Settings, tongue: Tongue, duty: Duty) -> Result<Self, Failure> {
        if let Some(client) = running(settings, tongue).await {
            return Ok(Self { client, service: None });
        }
        let service = Service::start(settings, Listening::Anywhere, duty).await?;
        service.until_searchable().await;
        Ok(Self { client: service.client(tongue)?, service: Some(service) })
    }

    /// Stops what was started here.
    pub async fn close(self) {
        if let Some(service) = self.service {
            service.stop().await;
        }
    }
}

/// The server that works on this data folder, if one answers.
pub async fn running(settings: &Settings, tongue: Tongue) -> Option<ArchiveClient> {
    let run = RunFile::read(&settings.data.run_file())?;
    let client = ArchiveClient::new(&run.address, &run.token, tongue).ok()?;
    client.is_alive().await.then_some(client)
}

pub(crate) async fn within(patience: Duration, what: &str, end: impl Future<Output = ()>) {
    if tokio::time::timeout(patience, end).await.is_err() {
        tracing::warn!("{what} did not end in time; the next start goes on from what is stored");
    }
}

/// The token of this run; that of the run before ends, as a server that was killed could not end its own. Servers on
/// other machines keep theirs.
async fn local_token(backends: &Backends, run_file: &Path) -> Result<String, Failure> {
    if let Some(before) = RunFile::read(run_file) {
        end_local_token(backends, &before.token).await?;
    }
    let caller = local_caller(backends).await.or_fail("the account of this machine cannot act")?;
    create_token(backends, &caller, &caller.account, None).await.or_fail("the local token cannot be made")
}

/// A token for the console's first visitor: an auditor of the whole archive, for as long as a session lasts.
async fn auditor_token(backends: &Backends) -> Result<String, Failure> {
    let by = local_caller(backends).await.or_fail("the account of this machine cannot act")?;
    let mut tx = backends.database.begin_read().await.or_fail("the catalogue cannot be read")?;
    let known = tx
        .organisation()
        .account_by_staff_number(LOCAL_AUDITOR)
        .await
        .or_fail("an account cannot be read")?;
    drop(tx);
    let account = if let Some(account) = known {
        account
    } else {
        let new = NewAccount {
            staff_number: LOCAL_AUDITOR.to_owned(),
            role: Role::Auditor,
            outlet_code: None,
            branch_code: None,
        };
        create_account(backends, &by, new).await.or_fail("the auditor of this machine cannot be made")?
    };
    let until = backends.clock.now() + TimeDelta::hours(SESSION_HOURS);
    create_token(backends, &by, &account, Some(until)).await.or_fail("the sign-in cannot be made")
}

async fn end_local_token(backends: &Backends, token: &str) -> Result<(), Failure> {
    let caller = local_caller(backends).await.or_fail("the account of this machine cannot act")?;
    revoke_token(backends, &caller, &caller.account, token)
        .await
        .or_fail("an old local token cannot be ended")
}

/// How the API behaves, as configured.
pub fn api_settings(settings: &Settings) -> ApiSettings {
    let server = &settings.configuration.server;
    ApiSettings {
        limits: settings.configuration.intake,
        intake_memory_bytes: server.intake_memory_bytes,
        upload_idle: Duration::from_secs(server.upload_idle_seconds),
        ticket_valid: Duration::from_secs(settings.configuration.objects.ticket_seconds),
        branch_codes: settings.configuration.branches.clone(),
        columns: settings.configuration.columns.clone(),
        // Checked when the configuration was loaded.
        deadlines: settings.configuration.archive.read_deadlines().unwrap_or_default(),
        tasks_per_auditor: settings.configuration.archive.tasks_per_auditor,
        cookies: if server.encrypted_cookies_only {
            CookieTransport::EncryptedOnly
        } else {
            CookieTransport::Any
        },
    }
}

async fn listen(settings: &Settings, listening: Listening) -> Result<TcpListener, Failure> {
    let address = match listening {
        Listening::AsConfigured => settings.configuration.server.listen,
        Listening::Anywhere => SocketAddr::from(([127, 0, 0, 1], 0)),
    };
    let sentence = format!("the server cannot listen at {address}; choose another server.listen");
    TcpListener::bind(address).await.or_fail(sentence)
}

/// The address as a browser on this machine reaches it.
fn reachable(local: SocketAddr) -> SocketAddr {
    if local.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], local.port())) } else { local }
}

/// Answers until it is told to stop, then lets what was asked be answered.
pub(crate) async fn answer(
    listener: TcpListener,
    state: ArchiveState,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let service = router(state).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(async move {
            // An error means that the service is gone, which is a reason to stop too.
            let _ = stop.wait_for(|stop| *stop).await;
        })
        .await
}
