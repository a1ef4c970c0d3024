//! An archive of its own for a measurement: API and stores as in the server, but no workers beside them.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context, Result};
use archive_api::{
    caller::Caller,
    router::router,
    state::{ApiSettings, ArchiveState, SearcherSlot},
    tokens::{NewAccount, create_account, create_token, local_caller},
};
use backends::{
    clock::SystemClock,
    connect::{Backends, BackendsConfig},
    vault::RootKey,
};
use domain::access::Role;
use ingest::{Limits, Sandbox};
use tokio::{net::TcpListener, sync::watch};

/// Stores in one folder, and who acts.
pub struct BenchArchive {
    /// Both sides of every seam.
    pub backends: Backends,
    /// The account of the machine.
    pub caller: Caller,
}

impl BenchArchive {
    /// Opens the archive in a folder, or makes one there.
    pub async fn open(folder: &Path) -> Result<Self> {
        Self::open_at(&BackendsConfig::embedded(folder)).await
    }

    /// Opens the archive at these addresses, or makes one there.
    pub async fn open_at(config: &BackendsConfig) -> Result<Self> {
        if !config.root_key.exists() {
            let keys = config.root_key.parent().context("the root key has no folder")?;
            std::fs::create_dir_all(keys)?;
            RootKey::create(&config.root_key)?;
        }
        let backends = Backends::connect(config, Arc::new(SystemClock)).await?;
        let caller = local_caller(&backends).await?;
        Ok(Self { backends, caller })
    }

    /// Answers HTTP on a free port; gives the address.
    pub async fn serve(&self, searcher: SearcherSlot) -> Result<String> {
        // No page is shown here, so that the decoder is never started.
        let sandbox = Sandbox::of_program(std::env::current_exe()?, Limits::default());
        let state = ArchiveState::new(self.backends.clone(), searcher, sandbox, ApiSettings::default());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let service = router(state).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Ok(format!("http://{address}"))
    }

    /// A slot for an index that is not there.
    pub fn no_searcher() -> SearcherSlot {
        watch::channel(None).1
    }

    /// A token for a new clerk of an outlet, or for a further archivist.
    pub async fn token(&self, role: Role, staff_number: &str, outlet: Option<&str>) -> Result<String> {
        let new = NewAccount {
            staff_number: staff_number.to_owned(),
            role,
            outlet_code: outlet.map(str::to_owned),
            branch_code: None,
        };
        let mut look = self.backends.database.begin_read().await?;
        let known = look.organisation().account_by_staff_number(staff_number).await?;
        drop(look);
        let account = match known {
            Some(account) => account,
            None => create_account(&self.backends, &self.caller, new).await?,
        };
        create_token(&self.backends, &self.caller, &account, None).await.context("no token can be made")
    }
}
