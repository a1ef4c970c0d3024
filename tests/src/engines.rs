//! Every backend under test. A server that cannot be started fails the run; nothing is skipped.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};
use backends::{
    clock::{Clock, SystemClock},
    connect::{Backends, BackendsConfig},
    vault::RootKey,
};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;

use crate::ports;

/// A complete set of backends that lives as long as this value.
pub struct TestBackends {
    /// Which engines, for the log.
    pub name: &'static str,
    /// Ready for use.
    pub backends: Backends,
    /// Where it can be opened again.
    pub config: BackendsConfig,
    _folder: TempDir,
    server: Option<Arc<PrivatePostgres>>,
}

/// Opens SQLite, local files and the in-process queue in a folder of their own.
pub async fn embedded() -> Result<TestBackends> {
    let folder = tempfile::tempdir()?;
    let config = BackendsConfig::embedded(folder.path());
    open("sqlite", folder, config, None).await
}

/// Opens PostgreSQL for catalogue and keys, with objects in local files. The databases are new, the server is the
/// suite's.
pub async fn postgres() -> Result<TestBackends> {
    let folder = tempfile::tempdir()?;
    let server = shared()?;
    let number = server.databases.fetch_add(1, Ordering::Relaxed);
    let mut config = BackendsConfig::embedded(folder.path());
    config.database_url = server.url(&format!("catalogue_{number}"))?;
    config.keys_url = server.url(&format!("keys_{number}"))?;
    open("postgres", folder, config, Some(server)).await
}

/// The cluster that the tests of one suite share; it is started by the first of them.
fn shared() -> Result<Arc<PrivatePostgres>> {
    static SHARED: Mutex<Option<Arc<PrivatePostgres>>> = Mutex::new(None);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = &*shared {
        return Ok(Arc::clone(server));
    }
    let server = Arc::new(PrivatePostgres::start()?);
    *shared = Some(Arc::clone(&server));
    Ok(server)
}

/// Every set of backends that keeps a catalogue.
pub async fn all() -> Result<Vec<TestBackends>> {
    let every = vec![embedded().await?, postgres().await?];
    for one in &every {
        println!("conformance runs on {}", one.name);
    }
    Ok(every)
}

/// Changes rows behind the archive's back, as time or damage would.
pub async fn execute(url: &str, sql: &'static str) -> Result<()> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        SqliteConnection::connect(path).await?.execute(sql).await?;
    } else {
        PgConnection::connect(url).await?.execute(sql).await?;
    }
    Ok(())
}

impl TestBackends {
    /// The PostgreSQL cluster behind it, where there is one.
    pub fn server(&self) -> Option<&PrivatePostgres> {
        self.server.as_deref()
    }
}

async fn open(
    name: &'static str,
    folder: TempDir,
    config: BackendsConfig,
    server: Option<Arc<PrivatePostgres>>,
) -> Result<TestBackends> {
    fs::create_dir_all(folder.path().join("keys"))?;
    RootKey::create(&config.root_key)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let backends = Backends::connect(&config, clock).await?;
    Ok(TestBackends { name, backends, config, _folder: folder, server })
}

/// A PostgreSQL cluster of its own on a private port. It ends when dropped, and with the process that started it,
/// however that ends.
pub struct PrivatePostgres {
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
    databases: AtomicU32,
    /// Options beside those that every cluster gets.
    more: &'static str,
    /// Stops the cluster and removes its data when the pipe to it closes.
    janitor: Child,
}

impl PrivatePostgres {
    /// Makes and starts a cluster.
    pub fn start() -> Result<Self> {
        let cluster = Self::made("")?;
        cluster.initialise()?;
        cluster.run()?;
        Ok(cluster)
    }

    /// Makes and starts a cluster that syncs what it commits, as one does that is relied on; tests do without.
    pub fn start_that_syncs() -> Result<Self> {
        let cluster = Self::made("-c fsync=on")?;
        cluster.initialise()?;
        cluster.run()?;
        Ok(cluster)
    }

    /// Makes and starts a cluster that speaks TLS with `server.pem` and `server.key` of a folder.
    pub fn start_with_tls(certificates: &Path) -> Result<Self> {
        let cluster = Self::made("-c ssl=on -c ssl_cert_file=server.pem -c ssl_key_file=server.key")?;
        cluster.initialise()?;
        let data = cluster.data();
        for name in ["server.pem", "server.key"] {
            let copy = data.join(name);
            fs::copy(certificates.join(name), &copy)?;
            if is_root()? {
                run(Command::new("chown").arg("postgres").arg(&copy))?;
            }
        }
        cluster.run()?;
        Ok(cluster)
    }

    /// Makes and starts a read replica of this cluster.
    pub fn standby(&self) -> Result<Self> {
        let standby = Self::made("")?;
        let (port, data) = (self.port, standby.data());
        standby.as_owner(&format!(
            "pg_basebackup -R -c fast --no-sync -h 127.0.0.1 -p {port} -U postgres -D {}",
            data.display()
        ))?;
        standby.run()?;
        Ok(standby)
    }

    /// Stops it without a word to anybody, as a crash does, and starts it again.
    pub fn restart_without_a_word(&self) -> Result<()> {
        self.as_owner(&format!("pg_ctl -D {} -w -m immediate stop", self.data().display()))?;
        self.run()
    }

    /// Ends sessions that stand inside a transaction and have said nothing for some seconds, as the server by itself does
    /// after a minute; waits until there is one.
    pub async fn end_silent_transactions(&self, database: &str) -> Result<()> {
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE state = 'idle in transaction' AND state_change < clock_timestamp() - interval '3 seconds'";
        let mut connection = PgConnection::connect(&self.address(database)).await?;
        loop {
            let (ended,): (i64,) = sqlx::query_as(end).fetch_one(&mut connection).await?;
            if ended > 0 {
                return Ok(connection.close().await?);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn made(more: &'static str) -> Result<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("guidang-postgres-").tempdir()?;
        if is_root()? {
            run(Command::new("chown").arg("postgres").arg(folder.path()))?;
        }
        let janitor = janitor(&programs, folder.path())?;
        let (folder, port) = (folder.keep(), ports::free()?);
        Ok(Self { folder, programs, port, databases: AtomicU32::new(0), more, janitor })
    }

    fn initialise(&self) -> Result<()> {
        let data = self.data();
        self.as_owner(&format!(
            "initdb -D {} -A trust -U postgres --locale=C.UTF-8 --no-sync",
            data.display()
        ))
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn run(&self) -> Result<()> {
        let (folder, port, more) = (self.folder.display(), self.port, self.more);
        let options = format!(
            "-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200 {more}"
        );
        let start = format!("pg_ctl -D {} -w -l {folder}/log -o '{options}' start", self.data().display());
        self.as_owner(&start).with_context(|| {
            format!("its log:\n{}", fs::read_to_string(self.folder.join("log")).unwrap_or_default())
        })
    }

    /// Where it listens.
    pub fn host_and_port(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The address of a database that is there.
    pub fn address(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes a database and gives its address.
    pub fn url(&self, database: &str) -> Result<String> {
        self.as_owner(&format!("createdb -h 127.0.0.1 -p {} -U postgres {database}", self.port))?;
        Ok(self.address(database))
    }

    /// Runs one of PostgreSQL's programs.
    fn as_owner(&self, command: &str) -> Result<()> {
        run(&mut owners_shell(&format!("{}/{command}", self.programs.display()))?)
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        drop(self.janitor.stdin.take());
        if let Err(error) = self.janitor.wait() {
            eprintln!("postgresql did not stop: {error}");
        }
    }
}

/// A process that waits until the pipe to it closes, then stops the cluster and removes its data.
fn janitor(programs: &Path, folder: &Path) -> Result<Child> {
    let (programs, folder) = (programs.display(), folder.display());
    let sweeping = format!("cat; {programs}/pg_ctl -D {folder}/data -m immediate stop; rm -rf {folder}");
    let mut shell = owners_shell(&sweeping)?;
    // In a group of its own, so that whoever interrupts the suite does not interrupt this.
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    Ok(shell.spawn()?)
}

/// A shell as a user under whom PostgreSQL runs; it refuses to run as root.
fn owners_shell(script: &str) -> Result<Command> {
    let mut shell = Command::new(if is_root()? { "su" } else { "sh" });
    if is_root()? {
        shell.args(["postgres", "-s", "/bin/sh"]);
    }
    shell.args(["-c", script]);
    Ok(shell)
}

fn is_root() -> Result<bool> {
    let said = Command::new("id").arg("-u").output()?;
    Ok(String::from_utf8_lossy(&said.stdout).trim() == "0")
}

/// Debian keeps them out of the path.
fn programs() -> Result<PathBuf> {
    let versions = Path::new("/usr/lib/postgresql");
    let folders = fs::read_dir(versions).context("PostgreSQL is not installed; run `make setup`")?;
    let mut found: Vec<PathBuf> = folders.flatten().map(|folder| folder.path().join("bin")).collect();
    found.retain(|bin| bin.join("initdb").exists());
    found.sort();
    found.pop().context("PostgreSQL's server programs are not installed; run `make setup`")
}

fn run(command: &mut Command) -> Result<()> {
    let done = command.output().with_context(|| format!("{command:?} could not be started"))?;
    if !done.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}
