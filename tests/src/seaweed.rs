//! A real S3 server: SeaweedFS on private ports, one for each suite, gone when the suite ends however it ends.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use backends::blob_store::{S3Credentials, S3Settings};
use tokio::sync::OnceCell;

const PATIENCE: Duration = Duration::from_mins(2);
const ACCESS_KEY: &str = "guidang-tests";
const SECRET_KEY: &str = "only-for-tests-8c1f";

static SHARED: OnceCell<Seaweed> = OnceCell::const_new();

/// The server of this suite.
pub async fn shared() -> Result<&'static Seaweed> {
    SHARED.get_or_try_init(Seaweed::start).await
}

/// A running SeaweedFS: master, volume server, filer and S3 gateway in one process.
pub struct Seaweed {
    /// Where S3 answers, as in `http://127.0.0.1:8333`.
    pub endpoint: String,
    buckets: AtomicU32,
    // Its standard input is the leash: when this process ends, the script that reads it stops the server.
    _leash: Child,
}

impl Seaweed {
    /// Starts a server with a folder of its own. A missing program is an error: nothing is skipped.
    pub async fn start() -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/setup/seaweed.sh");
        let mut leash = Command::new(script)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("SeaweedFS cannot be started")?;
        let mut said = BufReader::new(leash.stdout.take().context("the script says nothing")?).lines();
        let endpoint = said.next().context("SeaweedFS did not start")??;
        // The second line is read too: a script that writes to nobody ends.
        said.next().context("SeaweedFS did not start")??;
        ensure!(endpoint.starts_with("http://"), "SeaweedFS did not start; run `make setup`");
        let server = Self { endpoint, buckets: AtomicU32::new(0), _leash: leash };
        server.wait_until_ready().await?;
        println!("object store under test: SeaweedFS at {}", server.endpoint);
        Ok(server)
    }

    /// A new bucket.
    pub async fn bucket(&self, versions: Versions) -> Result<String> {
        let name = format!("bucket-{}", self.buckets.fetch_add(1, Ordering::Relaxed));
        self.send("PUT", &format!("/{name}"), "", "").await?;
        if versions == Versions::Kept {
            let body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
            self.send("PUT", &format!("/{name}"), "versioning=", body).await?;
        }
        Ok(name)
    }

    /// How the server is reached.
    pub fn settings(&self) -> S3Settings {
        settings_for(&self.endpoint)
    }

    /// Every version and delete marker below a prefix, as the server lists them.
    pub async fn versions(&self, bucket: &str, prefix: &str) -> Result<usize> {
        let prefix = prefix.replace('/', "%2F");
        let query = format!("prefix={prefix}&versions=");
        let listing = self.send("GET", &format!("/{bucket}"), &query, "").await?;
        Ok(listing.matches("<VersionId>").count())
    }

    /// Overwrites an object from outside, as another program would.
    pub async fn overwrite(&self, bucket: &str, path: &str, body: &str) -> Result<()> {
        self.send("PUT", &format!("/{bucket}/{path}"), "", body).await.map(drop)
    }

    /// Deletes an object from outside; where versions are kept, a marker hides it then.
    pub async fn hide(&self, bucket: &str, path: &str) -> Result<()> {
        self.send("DELETE", &format!("/{bucket}/{path}"), "", "").await.map(drop)
    }

    /// Large objects that were begun and never finished.
    pub async fn unfinished(&self, bucket: &str) -> Result<usize> {
        let listing = self.send("GET", &format!("/{bucket}"), "uploads=", "").await?;
        Ok(listing.matches("<UploadId>").count())
    }

    async fn send(&self, method: &str, path: &str, query: &str, body: &str) -> Result<String> {
        let url =
            crate::s3_signature::presign(method, &self.endpoint, path, query, (ACCESS_KEY, SECRET_KEY))?;
        let method = reqwest::Method::from_bytes(method.as_bytes())?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        let answer = client.request(method, url).body(body.to_owned()).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("SeaweedFS answered {status}: {text}");
        }
        Ok(text)
    }

    async fn wait_until_ready(&self) -> Result<()> {
        let started = Instant::now();
        let mut last = None;
        while started.elapsed() < PATIENCE {
            // Writing needs every part of the server: the gateway alone answers earlier.
            match self.write_once().await {
                Ok(()) => return Ok(()),
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        bail!("SeaweedFS did not start: {last:?}")
    }

    async fn write_once(&self) -> Result<()> {
        self.send("PUT", "/first-bucket", "", "").await?;
        self.send("PUT", "/first-bucket/first", "", "ready").await.map(drop)
    }
}

/// Whether a bucket keeps what is overwritten or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// It does.
    Kept,
    /// It does not.
    NotKept,
}

/// Settings with the right credentials for a store at `endpoint`.
pub fn settings_for(endpoint: &str) -> S3Settings {
    S3Settings { endpoint: endpoint.to_owned(), credentials: Some(credentials()), ..S3Settings::default() }
}

/// The credentials of every suite's server.
pub fn credentials() -> S3Credentials {
    S3Credentials {
        access_key_id: ACCESS_KEY.to_owned(),
        secret_access_key: SECRET_KEY.to_owned(),
        session_token: None,
    }
}
