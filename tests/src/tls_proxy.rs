//! TLS before a server that does not speak it, with an authority of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// The proxy; it ends with the runtime of its test.
pub struct TlsProxy {
    /// Where it listens, as in `localhost:12345`: the name that its certificate is for.
    pub address: String,
    folder: TempDir,
}

impl TlsProxy {
    /// Starts a proxy before the server at `target`.
    pub async fn before(target: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        make_certificates(folder.path())?;
        let acceptor = acceptor(folder.path())?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("localhost:{}", listener.local_addr()?.port());
        let target = target.to_owned();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(acceptor.clone(), client, target.clone()));
            }
        });
        Ok(Self { address, folder })
    }

    /// The authority that vouches for it.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

async fn pass(acceptor: TlsAcceptor, client: TcpStream, target: String) -> std::io::Result<()> {
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect(target).await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await.map(drop)
}

fn acceptor(folder: &Path) -> Result<TlsAcceptor> {
    backends::blob_store::choose_tls();
    let chain = vec![CertificateDer::from_pem_file(folder.join("server.pem"))?];
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key"))?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// An authority of our own in `ca.pem`, and a certificate by it for `localhost` in `server.pem`, with `server.key`.
pub fn make_certificates(folder: &Path) -> Result<()> {
    fs::write(folder.join("names"), "subjectAltName = DNS:localhost\n")?;
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout";
    let steps = [
        format!("req -x509 {key} ca.key -out ca.pem -subj /CN=authority -days 2"),
        format!("req {key} server.key -out server.csr -subj /CN=localhost"),
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem"
            .to_owned(),
    ];
    for step in steps {
        let done = Command::new("openssl").args(step.split(' ')).current_dir(folder).output();
        let done = done.context("there is no openssl; run `make setup`")?;
        ensure!(done.status.success(), "openssl {step}: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}
