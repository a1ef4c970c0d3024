//! Health and metrics of a process that answers nothing else.

use archive_api::{
    metrics::start_counting,
    state::{ArchiveState, Process},
};
use backends::connect::Backends;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    failure::{Failure, OrFail},
    service::{answer, api_settings},
    settings::Settings,
};

/// The listener of `workers.listen`.
pub struct Watched {
    http: JoinHandle<std::io::Result<()>>,
    stop: watch::Sender<bool>,
}

impl Watched {
    /// Counts, and answers for it where the configuration says; `None` where it says nowhere.
    pub async fn start(settings: &Settings, backends: &Backends) -> Result<Option<Self>, Failure> {
        let section = &settings.configuration.workers;
        let Some(address) = section.listen_at().or_fail("workers.listen cannot be used")? else {
            return Ok(None);
        };
        let (_, no_index) = watch::channel(None);
        let api = api_settings(settings);
        let mut state = ArchiveState::new(backends.clone(), no_index, settings.sandbox()?, api);
        state.process = Process::Worker;
        state.metrics = Some(start_counting().or_fail("nothing can be counted for /metrics")?);
        let sentence =
            format!("health and metrics cannot be answered at {address}; choose another workers.listen");
        let listener = TcpListener::bind(address).await.or_fail(sentence)?;
        let stop = watch::Sender::new(false);
        let http = tokio::spawn(answer(listener, state, stop.subscribe()));
        tracing::info!(%address, "health and metrics are answered");
        Ok(Some(Self { http, stop }))
    }

    /// Answers what was asked, and ends.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        drop(self.http.await);
    }
}
