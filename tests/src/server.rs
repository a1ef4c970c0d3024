//! The executable as an operator runs it: made, started, killed, started again, proved.

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use backends::connect::BackendsConfig;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    sync::{Semaphore, SemaphorePermit},
};

use crate::{catalogue::Catalogue, client::ApiClient, ports};

/// One server at a time: a drill that shares its processor with another one measures nothing.
static TURN: Semaphore = Semaphore::const_new(1);
/// How long the server may take to come back after it was killed.
pub const BACK_WITHIN: Duration = Duration::from_secs(10);
/// How long to wait for a server that does not come back at all.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long work may take to end, on a machine that is busy with other things.
pub(crate) const WORK_PATIENCE: Duration = Duration::from_mins(4);

/// How a server is to be set up.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    pub(crate) settings: Vec<(String, String)>,
    data: Option<PathBuf>,
    stores: Option<BackendsConfig>,
    arguments: Vec<&'static str>,
}

impl Setup {
    /// One reading thread, one engine, short leases: what a drill needs.
    pub fn for_drills() -> Self {
        Self::default()
            .with("READING__THREADS", "1")
            .with("READING__SECOND_OPINION", "false")
            .with("WORKERS__LEASE_SECONDS", "5")
            .with("INDEX__COMMIT_MS", "200")
            .with("LOG__FILTER", "warn")
    }

    /// Sets one key of the configuration, as in `WORKERS__SLOTS`.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.settings.push((format!("GUIDANG_{key}"), value.to_owned()));
        self
    }

    /// Keeps the data in this folder instead of a new one.
    #[must_use]
    pub fn in_folder(mut self, data: &Path) -> Self {
        self.data = Some(data.to_owned());
        self
    }

    /// Keeps everything at these addresses instead of in the data folder.
    #[must_use]
    pub fn with_stores(mut self, stores: &BackendsConfig) -> Self {
        self = self
            .with("DATABASE__URL", &stores.database_url)
            .with("KEYS__URL", &stores.keys_url)
            .with("KEYS__ROOT_KEY", &stores.root_key.display().to_string())
            .with("QUEUE__URL", &stores.queue_url)
            .with("OBJECTS__URL", &stores.objects_url);
        self.stores = Some(stores.clone());
        self
    }

    /// Does no jobs itself.
    #[must_use]
    pub fn without_work(mut self) -> Self {
        self.arguments.push("--no-work");
        self
    }

    /// Makes a new archive and starts it.
    pub async fn start(self) -> Result<TestServer> {
        let turn = TURN.acquire().await?;
        let folder = tempfile::Builder::new().prefix("guidang-test-").tempdir()?;
        let data = self.data.unwrap_or_else(|| folder.path().join("data"));
        let port = ports::free()?;
        let mut settings = self.settings;
        settings.push(("GUIDANG_SERVER__LISTEN".to_owned(), format!("127.0.0.1:{port}")));
        let mut server = TestServer {
            program: program()?,
            stores: self.stores.unwrap_or_else(|| BackendsConfig::embedded(&data)),
            arguments: self.arguments,
            data,
            settings,
            address: format!("http://127.0.0.1:{port}"),
            running: None,
            folder,
            _turn: turn,
        };
        server.command(&["init"]).await?;
        server.restart().await?;
        Ok(server)
    }
}

/// A server of its own, with data of its own, ended and removed when dropped.
pub struct TestServer {
    program: PathBuf,
    data: PathBuf,
    stores: BackendsConfig,
    arguments: Vec<&'static str>,
    settings: Vec<(String, String)>,
    address: String,
    running: Option<Running>,
    folder: TempDir,
    _turn: SemaphorePermit<'static>,
}

struct Running {
    child: Child,
    token: String,
}

/// What the server writes about itself.
#[derive(Deserialize)]
struct RunFile {
    pid: u32,
    token: String,
}

impl TestServer {
    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Where it answers, as in `http://127.0.0.1:8490`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Starts the server and waits until it answers; says how long that took.
    pub async fn restart(&mut self) -> Result<Duration> {
        ensure!(self.running.is_none(), "the server runs already");
        let run_file = self.data.join("run").join("server.json");
        let _ = fs::remove_file(&run_file);
        let log = OpenOptions::new().create(true).append(true).open(self.log_file())?;
        let started = Instant::now();
        let mut child = self
            .program_with(&["serve"])
            .args(&self.arguments)
            .env("FAULT_FILE", self.fault_file())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("the server cannot be started")?;
        while started.elapsed() < PATIENCE {
            if let Some(status) = child.try_wait()? {
                bail!("the server ended with {status}:\n{}", self.end_of_log());
            }
            if let Some(run) = read_run_file(&run_file).filter(|run| Some(run.pid) == child.id()) {
                self.running = Some(Running { child, token: run.token });
                self.wait_until_live(started).await?;
                return Ok(started.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("the server did not start within {PATIENCE:?}:\n{}", self.end_of_log())
    }

    async fn wait_until_live(&self, started: Instant) -> Result<()> {
        let client = self.archivist()?;
        while started.elapsed() < PATIENCE {
            if client.get("/healthz/live", &[]).await.is_ok_and(|answer| answer.status.is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("the server does not answer:\n{}", self.end_of_log())
    }

    /// Kills the server without a word (SIGKILL).
    pub async fn kill(&mut self) -> Result<()> {
        let mut running = self.running.take().context("the server does not run")?;
        running.child.kill().await.context("the server cannot be killed")
    }

    /// Kills the server, starts it again, and requires that it is back in time.
    pub async fn kill_and_restart(&mut self) -> Result<Duration> {
        self.kill().await?;
        let back = self.restart().await?;
        ensure!(back < BACK_WITHIN, "the server took {back:?} to come back");
        Ok(back)
    }

    /// Stops the server as an operator does (SIGTERM) and waits until it has ended well.
    pub async fn stop(&mut self) -> Result<()> {
        let mut running = self.running.take().context("the server does not run")?;
        let pid = running.child.id().context("the server has ended by itself")?;
        let signalled = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await?;
        ensure!(signalled.success(), "the server cannot be signalled");
        let ended = tokio::time::timeout(PATIENCE, running.child.wait()).await;
        let status = ended.context("the server did not stop")??;
        ensure!(status.success(), "the server ended with {status}:\n{}", self.end_of_log());
        Ok(())
    }

    /// The process of the server, to be looked at.
    pub fn pid(&self) -> Result<u32> {
        let running = self.running.as_ref().context("the server does not run")?;
        running.child.id().context("the server has ended by itself")
    }

    /// Whether the process is there.
    pub fn is_running(&mut self) -> bool {
        self.running.as_mut().is_some_and(|running| matches!(running.child.try_wait(), Ok(None)))
    }

    /// A client with the token of the machine itself: an archivist of the whole archive.
    pub fn archivist(&self) -> Result<ApiClient> {
        let running = self.running.as_ref().context("the server does not run")?;
        ApiClient::new(&self.address, &running.token)
    }

    /// A client with a token of its own that survives restarts. `place` is `--outlet` or `--branch` with its code.
    pub async fn account(&self, role: &str, staff_number: &str, place: &[&str]) -> Result<ApiClient> {
        let mut arguments = vec!["token", "create", "--role", role, "--staff", staff_number];
        arguments.extend_from_slice(place);
        let token = self.command(&arguments).await?;
        ApiClient::new(&self.address, token.trim())
    }

    /// Runs a subcommand to its end and gives what it printed; anything but success is an error.
    pub async fn command(&self, arguments: &[&str]) -> Result<String> {
        let done = self.program_with(arguments).output().await?;
        let (said, complained) =
            (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        ensure!(
            done.status.success(),
            "guidang {} ended with {}:\n{said}{complained}",
            arguments.join(" "),
            done.status
        );
        Ok(said.into_owned())
    }

    /// Starts a subcommand that goes on by itself; it is killed when dropped.
    pub fn start(&self, arguments: &[&str]) -> Result<Child> {
        self.program_with(arguments).spawn().context("the subcommand cannot be started")
    }

    /// Requires that every invariant of the archive holds, that of the index too: a server is given the time to follow.
    pub async fn verify(&self) -> Result<()> {
        if self.running.is_some() {
            self.wait_until_followed().await?;
        }
        let lines = self.command(&["verify"]).await?;
        let held = lines.lines().filter(|line| line.starts_with("ok")).count();
        ensure!(held == 8, "verify printed {held} invariants that hold:\n{lines}");
        Ok(())
    }

    /// Waits until nothing is left to be done: every job is done, or dead.
    pub async fn wait_until_settled(&self) -> Result<()> {
        let catalogue = self.catalogue().await?;
        let started = Instant::now();
        loop {
            let pending = catalogue.pending_jobs().await?;
            if pending.is_empty() {
                return Ok(());
            }
            if started.elapsed() > WORK_PATIENCE {
                bail!(
                    "still to be done after {WORK_PATIENCE:?}: {}\n{}",
                    pending.join(", "),
                    self.end_of_log()
                );
            }
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    }

    /// Waits until the index holds everything that is in the catalogue now.
    pub async fn wait_until_findable(&self) -> Result<()> {
        let expected = self.catalogue().await?.last_change().await?;
        let client = self.archivist()?;
        let started = Instant::now();
        loop {
            let answer = client.get("/api/v1/case-files", &[("limit", "1")]).await?;
            let reached = answer.body["index_reached"].as_i64().unwrap_or(-1);
            if reached >= expected {
                return Ok(());
            }
            if started.elapsed() > WORK_PATIENCE {
                bail!("the index stands at {reached} of {expected}: {}\n{}", answer.text, self.end_of_log());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until the index has followed to the last change.
    async fn wait_until_followed(&self) -> Result<()> {
        let client = self.archivist()?;
        let started = Instant::now();
        loop {
            let answer = client.get("/api/v1/index", &[]).await?;
            let numbers = ["reached", "last_change"].map(|name| answer.body[name].as_u64());
            if let [Some(reached), Some(last)] = numbers
                && reached >= last
            {
                return Ok(());
            }
            if started.elapsed() > WORK_PATIENCE {
                bail!("the index does not follow: {}\n{}", answer.text, self.end_of_log());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Looks into the catalogue. Drop it before the server is killed: recovery must find the files alone.
    pub async fn catalogue(&self) -> Result<Catalogue> {
        Catalogue::open_at(&self.stores).await
    }

    /// Makes the next thread that passes this place stand still for ever. Needs the feature `failpoints`.
    pub fn stand_still_at(&self, place: &str) -> Result<()> {
        Ok(fs::write(self.fault_file(), place)?)
    }

    /// Waits until a thread stands at `place`, then forgets the place, so that the next start passes it.
    pub async fn wait_until_standing_at(&mut self, place: &str) -> Result<()> {
        let started = Instant::now();
        let sign = format!("standing still at {place}\n");
        while !self.log().ends_with(&sign) {
            ensure!(self.is_running(), "the server ended before it stood at {place}:\n{}", self.end_of_log());
            if started.elapsed() > WORK_PATIENCE {
                bail!(
                    "nothing came to {place}; was the executable built with \
                     `cargo build --workspace --features guidang/failpoints`?\n{}",
                    self.end_of_log()
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(fs::remove_file(self.fault_file())?)
    }

    /// Everything the server has written to standard output and error so far.
    pub fn log(&self) -> String {
        fs::read(self.log_file())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    fn end_of_log(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    fn program_with(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--data").arg(&self.data).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        command.envs(self.settings.iter().map(|(key, value)| (key, value)));
        command
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    fn fault_file(&self) -> PathBuf {
        self.folder.path().join("stand-still-at")
    }
}

fn read_run_file(path: &Path) -> Option<RunFile> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

/// The executable of the same build as this test.
pub fn program() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let profile = test.ancestors().nth(2).context("the test does not run from a target folder")?;
    let program = profile.join("guidang");
    ensure!(
        program.exists(),
        "{} is not there; run `cargo build --workspace --features guidang/failpoints` first",
        program.display()
    );
    Ok(program)
}
