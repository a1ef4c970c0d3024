//! An archive of many processes: PostgreSQL, RabbitMQ, one server that does no jobs, and as many workers as asked for.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, Result};
use backends::{connect::BackendsConfig, queue::Ring};
use tempfile::TempDir;

use crate::{
    engines::PrivatePostgres,
    fake_clock::FakeClock,
    queues,
    rabbit::{self, PrivateRabbit},
    search_node::SearchNode,
    server::{Setup, TestServer},
    side_process::{Does, SideProcess},
    tcp_proxy::TcpProxy,
    tls_proxy::make_certificates,
};

/// Everything, ended and removed when dropped.
pub struct Cluster {
    /// The server.
    pub server: TestServer,
    /// The broker.
    pub rabbit: Arc<PrivateRabbit>,
    /// Where everything is kept.
    pub stores: BackendsConfig,
    setup: Setup,
    started: usize,
    folder: TempDir,
    /// The database, which nobody else uses.
    pub postgres: Arc<PrivatePostgres>,
}

/// How the processes reach the engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wires {
    Direct,
    Proxied,
    /// Proxied, and encrypted from end to end.
    Encrypted,
}

/// What stands between the processes and the engines.
pub struct Network {
    /// Before PostgreSQL.
    pub database: TcpProxy,
    /// Before RabbitMQ.
    pub broker: TcpProxy,
    broker_scheme: &'static str,
}

impl Network {
    async fn before(postgres: &PrivatePostgres, rabbit: &PrivateRabbit, wires: Wires) -> Result<Self> {
        let is_encrypted = wires == Wires::Encrypted;
        let broker = if is_encrypted { rabbit.encrypted_address() } else { rabbit.address() };
        Ok(Self {
            database: TcpProxy::before(&postgres.host_and_port()).await?,
            broker: TcpProxy::before(&broker).await?,
            broker_scheme: if is_encrypted { "amqps://" } else { "amqp://" },
        })
    }

    /// Sets the addresses in front of the engines, by the name that certificates are for.
    fn lead(
        &self,
        setup: Setup,
        stores: &BackendsConfig,
        (postgres, rabbit): (&PrivatePostgres, &PrivateRabbit),
    ) -> Setup {
        let over = |url: &str, server: &str, proxy: &TcpProxy| {
            url.replace(server, &proxy.address.replace("127.0.0.1", "localhost"))
        };
        let queue_url = stores.queue_url.replace("amqp://", self.broker_scheme);
        setup
            .with("DATABASE__URL", &over(&stores.database_url, &postgres.host_and_port(), &self.database))
            .with("KEYS__URL", &over(&stores.keys_url, &postgres.host_and_port(), &self.database))
            .with("QUEUE__URL", &over(&queue_url, &rabbit.address(), &self.broker))
    }
}

impl Cluster {
    /// Starts the engines and the server, with settings for drills and these besides.
    pub async fn start(more: &[(&str, &str)]) -> Result<Self> {
        Ok(Self::start_over(Wires::Direct, PrivateRabbit::start()?, more).await?.0)
    }

    /// The same with a broker of three nodes, which the tests of one suite share: whoever takes a node away brings it
    /// back.
    pub async fn start_on_three_brokers(more: &[(&str, &str)]) -> Result<Self> {
        Ok(Self::start_over(Wires::Direct, rabbit::shared_three()?, more).await?.0)
    }

    /// The same, where every process reaches the engines over a network that a test can disturb.
    pub async fn start_over_network(more: &[(&str, &str)]) -> Result<(Self, Network)> {
        let (cluster, network) = Self::start_over(Wires::Proxied, PrivateRabbit::start()?, more).await?;
        Ok((cluster, network.context("there is no network")?))
    }

    /// The same with everything encrypted on its way.
    pub async fn start_over_encrypted_network(more: &[(&str, &str)]) -> Result<(Self, Network)> {
        let (cluster, network) = Self::start_over(Wires::Encrypted, PrivateRabbit::start()?, more).await?;
        Ok((cluster, network.context("there is no network")?))
    }

    async fn start_over(
        wires: Wires,
        rabbit: impl Into<Arc<PrivateRabbit>>,
        more: &[(&str, &str)],
    ) -> Result<(Self, Option<Network>)> {
        let folder = tempfile::Builder::new().prefix("guidang-cluster-").tempdir()?;
        let rabbit = rabbit.into();
        let postgres = if wires == Wires::Encrypted {
            make_certificates(folder.path())?;
            PrivatePostgres::start_with_tls(folder.path())?
        } else {
            PrivatePostgres::start()?
        };
        let mut stores = BackendsConfig::embedded(folder.path());
        stores.database_url = postgres.url("catalogue")?;
        stores.keys_url = postgres.url("keys")?;
        stores.queue_url = rabbit.url();
        let mut setup = Setup::for_drills().with("WORKERS__MAX_ATTEMPTS", "20").with_stores(&stores);
        for (key, value) in more {
            setup = setup.with(key, value);
        }
        let network = match wires {
            Wires::Direct => None,
            Wires::Proxied | Wires::Encrypted => {
                let network = Network::before(&postgres, &rabbit, wires).await?;
                setup = network.lead(setup, &stores, (&postgres, &rabbit));
                if wires == Wires::Encrypted {
                    setup = setup
                        .with("DATABASE__CA_FILE", &folder.path().join("ca.pem").display().to_string())
                        .with("QUEUE__CA_FILE", &rabbit.ca_file().display().to_string());
                }
                Some(network)
            }
        };
        let server = setup.clone().without_work().start().await?;
        let cluster =
            Self { server, rabbit, stores, setup, started: 0, folder, postgres: Arc::new(postgres) };
        Ok((cluster, network))
    }

    /// Starts one more worker.
    pub async fn worker(&mut self, arguments: &[&str]) -> Result<SideProcess> {
        let folder = self.new_folder();
        SideProcess::start(Does::Jobs, &folder, &self.setup, arguments).await
    }

    /// Starts one more worker, with these settings besides.
    pub async fn worker_with(&mut self, more: &[(&str, &str)]) -> Result<SideProcess> {
        let folder = self.new_folder();
        SideProcess::start(Does::Jobs, &folder, &self.setup_with(more), &[]).await
    }

    /// Starts one more worker that goes by this clock, with these settings besides.
    pub async fn worker_by(&mut self, clock: &FakeClock, more: &[(&str, &str)]) -> Result<SideProcess> {
        let folder = self.new_folder();
        SideProcess::start(Does::Jobs, &folder, &self.setup_with(more).by_clock(clock), &[]).await
    }

    /// Starts one more search node, with these settings besides.
    pub async fn search_node(&mut self, more: &[(&str, &str)]) -> Result<SearchNode> {
        let folder = self.new_folder();
        SearchNode::start(&folder, &self.setup_with(more)).await
    }

    fn setup_with(&self, more: &[(&str, &str)]) -> Setup {
        more.iter().fold(self.setup.clone(), |setup, (key, value)| setup.with(key, value))
    }

    fn new_folder(&mut self) -> PathBuf {
        self.started += 1;
        self.folder.path().join(format!("process-{}", self.started))
    }

    /// The folder of the objects.
    pub fn objects(&self) -> PathBuf {
        self.folder.path().join("objects")
    }

    /// Rings without any job having become necessary, until it works.
    pub async fn ring(&self, rings: &[Ring]) -> Result<()> {
        let bell = queues::rabbitmq_at(&self.stores.queue_url).await?;
        bell.queue.probe().await?;
        for some in rings.chunks(500) {
            bell.queue.announce(some, std::time::Duration::ZERO).await?;
        }
        Ok(())
    }
}
