//! A search node beside the server, with a client of it.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{
    client::ApiClient,
    ports,
    server::Setup,
    side_process::{Does, SideProcess},
};

/// A running `guidang index-node`.
pub struct SearchNode {
    /// The process.
    pub process: SideProcess,
    /// A client with the token of the machine itself: an archivist of the whole archive.
    pub client: ApiClient,
    /// Where it answers.
    pub address: String,
}

#[derive(Deserialize)]
struct RunFile {
    address: String,
    token: String,
}

impl SearchNode {
    /// Starts a node whose files are in `folder`.
    pub async fn start(folder: &Path, setup: &Setup) -> Result<Self> {
        let setup = setup.clone().with("SERVER__LISTEN", &format!("127.0.0.1:{}", ports::free()?));
        let process = SideProcess::start(Does::Searches, folder, &setup, &[]).await?;
        let run = std::fs::read_to_string(process.data().join("run/server.json"))?;
        let run: RunFile = serde_json::from_str(&run).context("the node says nothing of itself")?;
        let client = ApiClient::new(&run.address, &run.token)?;
        Ok(Self { process, client, address: run.address })
    }
}
