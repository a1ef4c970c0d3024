//! Every backend under test. A server that cannot be started fails the run; nothing is skipped.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use backends::{
    clock::{Clock, SystemClock},
    connect::{Backends, BackendsConfig},
    vault::RootKey,
};
use tempfile::TempDir;

/// A complete set of backends that lives as long as this value.
pub struct TestBackends {
    /// Which engines, for the log.
    pub name: &'static str,
    /// Ready for use.
    pub backends: Backends,
    /// Where it can be opened again.
    pub config: BackendsConfig,
    _folder: TempDir,
    server: Option<PrivatePostgres>,
}

/// Opens SQLite, local files and the in-process queue in a folder of their own.
pub async fn embedded() -> Result<TestBackends> {
    let folder = tempfile::tempdir()?;
    let config = BackendsConfig::embedded(folder.path());
    open("sqlite", folder, config, None).await
}

/// Opens PostgreSQL for catalogue and keys, with objects in local files.
pub async fn postgres() -> Result<TestBackends> {
    let folder = tempfile::tempdir()?;
    let server = PrivatePostgres::start()?;
    let mut config = BackendsConfig::embedded(folder.path());
    config.database_url = server.url("catalogue")?;
    config.keys_url = server.url("keys")?;
    open("postgres", folder, config, Some(server)).await
}

/// Every set of backends that keeps a catalogue.
pub async fn all() -> Result<Vec<TestBackends>> {
    let every = vec![embedded().await?, postgres().await?];
    for one in &every {
        println!("conformance runs on {}", one.name);
    }
    Ok(every)
}

impl TestBackends {
    /// The PostgreSQL cluster behind it, where there is one.
    pub fn server(&self) -> Option<&PrivatePostgres> {
        self.server.as_ref()
    }
}

async fn open(
    name: &'static str,
    folder: TempDir,
    config: BackendsConfig,
    server: Option<PrivatePostgres>,
) -> Result<TestBackends> {
    std::fs::create_dir_all(folder.path().join("keys"))?;
    RootKey::create(&config.root_key)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let backends = Backends::connect(&config, clock).await?;
    Ok(TestBackends { name, backends, config, _folder: folder, server })
}

/// A PostgreSQL cluster of its own on a private port, stopped when dropped.
pub struct PrivatePostgres {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
}

impl PrivatePostgres {
    /// Makes and starts a cluster.
    pub fn start() -> Result<Self> {
        let cluster = Self::made()?;
        cluster.as_owner(&format!(
            "initdb -D {} -A trust -U postgres --locale=C.UTF-8 --no-sync",
            cluster.data().display()
        ))?;
        cluster.run("")?;
        Ok(cluster)
    }

    /// Makes and starts a cluster that speaks TLS with `server.pem` and `server.key` of a folder.
    pub fn start_with_tls(certificates: &Path) -> Result<Self> {
        let cluster = Self::made()?;
        let data = cluster.data();
        cluster.as_owner(&format!(
            "initdb -D {} -A trust -U postgres --locale=C.UTF-8 --no-sync",
            data.display()
        ))?;
        for name in ["server.pem", "server.key"] {
            let copy = data.join(name);
            std::fs::copy(certificates.join(name), &copy)?;
            if is_root()? {
                run(Command::new("chown").arg("postgres").arg(&copy))?;
            }
        }
        cluster.run("-c ssl=on -c ssl_cert_file=server.pem -c ssl_key_file=server.key")?;
        Ok(cluster)
    }

    /// Makes and starts a read replica of this cluster.
    pub fn standby(&self) -> Result<Self> {
        let standby = Self::made()?;
        let (port, data) = (self.port, standby.data());
        standby.as_owner(&format!(
            "pg_basebackup -R -c fast --no-sync -h 127.0.0.1 -p {port} -U postgres -D {}",
            data.display()
        ))?;
        standby.run("")?;
        Ok(standby)
    }

    fn made() -> Result<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("guidang-postgres-").tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        if is_root()? {
            run(Command::new("chown").arg("postgres").arg(folder.path()))?;
        }
        Ok(Self { folder, programs, port })
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn run(&self, more: &str) -> Result<()> {
        let (folder, port) = (self.folder.path().display(), self.port);
        let options = format!("-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off {more}");
        self.as_owner(&format!("pg_ctl -D {} -w -l {folder}/log -o '{options}' start", self.data().display()))
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

    /// Runs one of PostgreSQL's programs; it refuses to run as root.
    fn as_owner(&self, command: &str) -> Result<()> {
        let command = format!("{}/{command}", self.programs.display());
        if is_root()? {
            run(Command::new("su").args(["postgres", "-s", "/bin/sh", "-c", &command]))
        } else {
            run(Command::new("sh").args(["-c", &command]))
        }
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        let stopped = self.as_owner(&format!("pg_ctl -D {} -m immediate stop", data.display()));
        if let Err(error) = stopped {
            eprintln!("postgresql did not stop: {error}");
        }
    }
}

fn is_root() -> Result<bool> {
    let said = Command::new("id").arg("-u").output()?;
    Ok(String::from_utf8_lossy(&said.stdout).trim() == "0")
}

/// Debian keeps them out of the path.
fn programs() -> Result<PathBuf> {
    let versions = Path::new("/usr/lib/postgresql");
    let folders = std::fs::read_dir(versions).context("PostgreSQL is not installed; run `make setup`")?;
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
