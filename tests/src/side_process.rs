//! A process beside the server, a worker or a search node: started, held, stopped, killed.

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::process::{Child, Command};

use crate::server::{Setup, WORK_PATIENCE, program};

/// What a process beside the server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// `guidang work`.
    Jobs,
    /// `guidang index-node`.
    Searches,
}

impl Does {
    const fn command(self) -> &'static str {
        match self {
            Self::Jobs => "work",
            Self::Searches => "index-node",
        }
    }

    /// What it prints when it has begun.
    const fn sign(self) -> &'static str {
        match self {
            Self::Jobs => "Guidang works at",
            Self::Searches => "Guidang searches at",
        }
    }
}

/// A process with a data folder of its own.
pub struct SideProcess {
    folder: PathBuf,
    setup: Setup,
    child: Child,
}

impl SideProcess {
    /// Starts a process whose files are in `folder`, and waits until it has begun.
    pub async fn start(does: Does, folder: &Path, setup: &Setup, arguments: &[&str]) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let made = command(folder, setup, &["init"])?.output().await?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let log = OpenOptions::new().create(true).append(true).open(folder.join("process.log"))?;
        let mut command = command(folder, setup, &[does.command()])?;
        command.args(arguments).env("FAULT_FILE", folder.join("stand-still-at"));
        let child = command.stdout(log.try_clone()?).stderr(log).spawn()?;
        let mut process = Self { folder: folder.to_owned(), setup: setup.clone(), child };
        process.wait_until_logged(does.sign()).await?;
        Ok(process)
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Runs a subcommand on its data folder to the end and gives what it printed; anything but success is an error.
    pub async fn command(&self, arguments: &[&str]) -> Result<String> {
        let done = command(&self.folder, &self.setup, arguments)?.output().await?;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let complained = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "guidang {}:\n{said}{complained}", arguments.join(" "));
        Ok(said)
    }

    /// Makes the next thread that passes this place stand still for ever.
    pub fn stand_still_at(&self, place: &str) -> Result<()> {
        Ok(fs::write(self.folder.join("stand-still-at"), place)?)
    }

    /// Waits until a thread stands at `place`.
    pub async fn wait_until_standing_at(&mut self, place: &str) -> Result<()> {
        self.wait_until_logged(&format!("standing still at {place}")).await
    }

    /// Lets the thread that stands still go on.
    pub fn go_on(&self) -> Result<()> {
        Ok(fs::write(self.folder.join("stand-still-at"), "go on")?)
    }

    /// Stops every thread of it (SIGSTOP), as a machine does that swaps or a hypervisor that moves it.
    pub async fn freeze(&self) -> Result<()> {
        self.signal("-STOP").await
    }

    /// Lets it run on (SIGCONT).
    pub async fn thaw(&self) -> Result<()> {
        self.signal("-CONT").await
    }

    async fn signal(&self, signal: &str) -> Result<()> {
        let pid = self.child.id().context("the process has ended by itself")?;
        let signalled = Command::new("kill").args([signal, &pid.to_string()]).status().await?;
        ensure!(signalled.success(), "the process cannot be signalled");
        Ok(())
    }

    /// Whether a thread stands still somewhere.
    pub fn is_standing(&self) -> bool {
        self.log().contains("standing still at")
    }

    /// Kills it without a word (SIGKILL).
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("the process cannot be killed")
    }

    /// Stops it as an operator does (SIGTERM) and waits until it has ended well.
    pub async fn stop(&mut self) -> Result<()> {
        self.signal("-TERM").await?;
        let status = tokio::time::timeout(WORK_PATIENCE, self.child.wait()).await;
        let status = status.context("the process did not stop")??;
        ensure!(status.success(), "the process ended with {status}:\n{}", self.log());
        Ok(())
    }

    /// Waits until it has written this.
    pub async fn wait_until_logged(&mut self, sign: &str) -> Result<()> {
        let started = Instant::now();
        while !self.log().contains(sign) {
            if let Some(status) = self.child.try_wait()? {
                bail!("the process ended with {status}:\n{}", self.log());
            }
            ensure!(started.elapsed() < WORK_PATIENCE, "no {sign:?} in the log:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Everything it has written so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("process.log")).unwrap_or_default()
    }
}

fn command(folder: &Path, setup: &Setup, arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(program()?);
    command.arg("--data").arg(folder.join("data")).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command.envs(setup.settings.iter().map(|(key, value)| (key, value)));
    Ok(command)
}
