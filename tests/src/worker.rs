//! A process of `guidang work`, beside the server: started, stopped, killed.

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::process::{Child, Command};

use crate::server::{Setup, WORK_PATIENCE, program};

/// A worker with a data folder of its own.
pub struct TestWorker {
    folder: PathBuf,
    child: Child,
}

impl TestWorker {
    /// Starts a worker whose files are in `folder`, and waits until it works.
    pub async fn start(folder: &Path, setup: &Setup, arguments: &[&str]) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let made = command(folder, setup, &["init"])?.output().await?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let log = OpenOptions::new().create(true).append(true).open(folder.join("worker.log"))?;
        let mut command = command(folder, setup, &["work"])?;
        command.args(arguments).env("FAULT_FILE", folder.join("stand-still-at"));
        let child = command.stdout(log.try_clone()?).stderr(log).spawn()?;
        let mut worker = Self { folder: folder.to_owned(), child };
        worker.wait_until_logged("Guidang works at").await?;
        Ok(worker)
    }

    /// Makes the next thread that passes this place stand still for ever.
    pub fn stand_still_at(&self, place: &str) -> Result<()> {
        Ok(fs::write(self.folder.join("stand-still-at"), place)?)
    }

    /// Waits until a thread stands at `place`.
    pub async fn wait_until_standing_at(&mut self, place: &str) -> Result<()> {
        self.wait_until_logged(&format!("standing still at {place}")).await
    }

    /// Whether a thread stands still somewhere.
    pub fn is_standing(&self) -> bool {
        self.log().contains("standing still at")
    }

    /// Kills it without a word (SIGKILL).
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("the worker cannot be killed")
    }

    /// Stops it as an operator does (SIGTERM) and waits until it has ended well.
    pub async fn stop(&mut self) -> Result<()> {
        let pid = self.child.id().context("the worker has ended by itself")?;
        let signalled = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await?;
        ensure!(signalled.success(), "the worker cannot be signalled");
        let status = tokio::time::timeout(WORK_PATIENCE, self.child.wait()).await;
        let status = status.context("the worker did not stop")??;
        ensure!(status.success(), "the worker ended with {status}:\n{}", self.log());
        Ok(())
    }

    async fn wait_until_logged(&mut self, sign: &str) -> Result<()> {
        let started = Instant::now();
        while !self.log().contains(sign) {
            if let Some(status) = self.child.try_wait()? {
                bail!("the worker ended with {status}:\n{}", self.log());
            }
            ensure!(started.elapsed() < WORK_PATIENCE, "no {sign:?} in the log:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Everything it has written so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("worker.log")).unwrap_or_default()
    }
}

fn command(folder: &Path, setup: &Setup, arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(program()?);
    command.arg("--data").arg(folder.join("data")).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command.envs(setup.settings.iter().map(|(key, value)| (key, value)));
    Ok(command)
}
