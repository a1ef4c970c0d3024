//! A RabbitMQ of its own, of one node or of three. It ends with the process that started it, however that ends.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context, Result};

use crate::rabbit_node::{Plan, RabbitNode};

/// Virtual hosts made at start; each test takes one for itself.
const VIRTUAL_HOSTS: usize = 24;
/// Nodes of a broker that goes on when one of them dies, and virtual hosts of it.
const THREE: usize = 3;
/// Who may do everything in each of them.
const USER: &str = "guidang";
/// Who may come in and do nothing.
const STRANGER: &str = "stranger";

/// A broker that nobody else uses.
pub struct PrivateRabbit {
    nodes: Vec<RabbitNode>,
    hosts: usize,
    next_host: AtomicUsize,
}

/// The broker that the tests of one suite share; it is started by the first of them.
pub fn shared() -> Result<Arc<PrivateRabbit>> {
    static SHARED: Mutex<Option<Arc<PrivateRabbit>>> = Mutex::new(None);
    started_once(&SHARED, PrivateRabbit::start)
}

/// The broker of three nodes that the tests of one suite share; it is started by the first of them.
pub fn shared_three() -> Result<Arc<PrivateRabbit>> {
    static SHARED: Mutex<Option<Arc<PrivateRabbit>>> = Mutex::new(None);
    started_once(&SHARED, PrivateRabbit::start_three)
}

fn started_once(
    shared: &Mutex<Option<Arc<PrivateRabbit>>>,
    start: fn() -> Result<PrivateRabbit>,
) -> Result<Arc<PrivateRabbit>> {
    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(rabbit) = &*shared {
        return Ok(Arc::clone(rabbit));
    }
    let rabbit = Arc::new(start()?);
    *shared = Some(Arc::clone(&rabbit));
    Ok(rabbit)
}

impl PrivateRabbit {
    /// Makes and starts a broker, and waits until it can be used.
    pub fn start() -> Result<Self> {
        Self::start_as(&Plan::of(1, definitions(VIRTUAL_HOSTS))?, VIRTUAL_HOSTS)
    }

    /// The same, with no feature flag enabled: it has no quorum queues.
    pub fn start_without_features() -> Result<Self> {
        let mut plan = Plan::of(1, definitions(VIRTUAL_HOSTS))?;
        plan.variables.push(("RABBITMQ_FEATURE_FLAGS", String::new()));
        Self::start_as(&plan, VIRTUAL_HOSTS)
    }

    /// The same of three nodes, each of which keeps every message of a quorum queue.
    pub fn start_three() -> Result<Self> {
        let rabbit = Self::start_as(&Plan::of(THREE, definitions(THREE))?, THREE)?;
        rabbit.wait_until_complete()?;
        Ok(rabbit)
    }

    fn start_as(plan: &Plan, hosts: usize) -> Result<Self> {
        let nodes = plan.ports.iter().map(|port| RabbitNode::make(plan, *port));
        let nodes = nodes.collect::<Result<Vec<RabbitNode>>>()?;
        for node in &nodes {
            node.run()?;
        }
        for node in &nodes {
            node.wait_until_open()?;
        }
        Ok(Self { nodes, hosts, next_host: AtomicUsize::new(0) })
    }

    /// The address of a virtual host that nobody else uses, at every node.
    pub fn url(&self) -> String {
        self.url_of(USER, self.next_host.fetch_add(1, Ordering::Relaxed))
    }

    /// An address with a user who may come in and do nothing.
    pub fn url_of_stranger(&self) -> String {
        self.url_of(STRANGER, 0)
    }

    /// The address of a virtual host that nobody else uses, with encryption. The broker's certificate is for
    /// `localhost`.
    pub fn encrypted_url(&self) -> String {
        let plain = self.url().replace("amqp://", "amqps://");
        plain.replace(&self.address(), &format!("localhost:{}", self.first().encrypted_port))
    }

    /// The authority that vouches for the broker.
    pub fn ca_file(&self) -> PathBuf {
        self.first().folder.join("ca.pem")
    }

    /// Hosts and ports.
    pub fn address(&self) -> String {
        let addresses = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port));
        addresses.collect::<Vec<String>>().join(",")
    }

    /// Host and port with encryption.
    pub fn encrypted_address(&self) -> String {
        format!("127.0.0.1:{}", self.first().encrypted_port)
    }

    fn url_of(&self, user: &str, host: usize) -> String {
        format!("amqp://{user}:{user}@{}/v{}", self.address(), host % self.hosts)
    }

    fn first(&self) -> &RabbitNode {
        &self.nodes[0]
    }

    /// Ends every node without a word (SIGKILL).
    pub fn kill(&self) -> Result<()> {
        self.nodes.iter().try_for_each(RabbitNode::kill)
    }

    /// Starts every node again with the same data, and waits until it can be used.
    pub fn run(&self) -> Result<()> {
        self.nodes.iter().try_for_each(RabbitNode::run)?;
        self.nodes.iter().try_for_each(RabbitNode::wait_until_open)
    }

    /// Makes the broker believe that its disk is full, and waits until it blocks publishers.
    pub fn fill_disk(&self) -> Result<()> {
        self.first().control(&["set_disk_free_limit", "100000000000000"])?;
        self.wait_for_alarm("resource_limit")
    }

    /// Makes it believe that there is room again.
    pub fn empty_disk(&self) -> Result<()> {
        self.first().control(&["set_disk_free_limit", "1000000"])?;
        self.wait_for_alarm("[]")
    }

    fn wait_for_alarm(&self, sign: &str) -> Result<()> {
        self.first().wait_until(&["eval", "rabbit_alarm:get_alarms()."], |alarms| alarms.contains(sign))
    }
}

/// What a broker of several nodes does when one of them is lost.
impl PrivateRabbit {
    /// The node that leads a queue in the virtual host of an address.
    pub fn leader_of(&self, url: &str, queue: &str) -> Result<&RabbitNode> {
        let asked = self.first().control(&["eval", &leader_in(url, queue)])?;
        let leader = self.nodes.iter().find(|node| asked.contains(&node.name));
        leader.with_context(|| format!("nobody leads {queue}: {asked}"))
    }

    /// Waits until the other nodes have chosen one of themselves to lead a queue.
    pub fn wait_until_led_by_others(&self, lost: &RabbitNode, url: &str, queue: &str) -> Result<()> {
        let other = self.other_than(lost)?;
        let names: Vec<&String> = self.nodes.iter().map(|node| &node.name).collect();
        let is_led = |leader: &str| {
            !leader.contains(&lost.name) && names.iter().any(|name| leader.contains(name.as_str()))
        };
        other.wait_until(&["eval", &leader_in(url, queue)], is_led)
    }

    /// Waits until the other nodes have noticed that one is lost.
    pub fn wait_until_missed(&self, lost: &RabbitNode) -> Result<()> {
        self.other_than(lost)?.wait_until(&["eval", RUNNING], |running| !running.contains(&lost.name))
    }

    /// Starts a node that was killed, and waits until it is one of them again.
    pub fn bring_back(&self, node: &RabbitNode) -> Result<()> {
        node.run()?;
        node.wait_until_open()?;
        self.wait_until_complete()
    }

    /// Mends the network of a node that was cut off, and waits until it is one of them again.
    pub fn let_in_again(&self, node: &RabbitNode) -> Result<()> {
        node.join_again()?;
        self.wait_until_complete()
    }

    /// Waits until every node sees every other one, and each has its copy of every queue.
    pub fn wait_until_complete(&self) -> Result<()> {
        let sees_all = |running: &str| self.nodes.iter().all(|node| running.contains(&node.name));
        for node in &self.nodes {
            node.wait_until(&["eval", RUNNING], sees_all)?;
        }
        let has_all = |queues: &str| queues.lines().all(sees_all);
        for host in (0..self.hosts).map(|host| format!("v{host}")) {
            self.first()
                .wait_until(&["list_queues", "-p", &host, "--no-table-headers", "online"], has_all)?;
        }
        Ok(())
    }

    fn other_than(&self, lost: &RabbitNode) -> Result<&RabbitNode> {
        let other = self.nodes.iter().find(|node| node.name != lost.name);
        other.context("there is no other node")
    }
}

/// What a node knows by itself, without asking others that may be lost.
const RUNNING: &str = "rabbit_mnesia:cluster_nodes(running).";

fn leader_in(url: &str, queue: &str) -> String {
    let host = url.rsplit('/').next().unwrap_or_default();
    format!("ra_leaderboard:lookup_leader('{host}_{queue}').")
}

fn definitions(hosts: usize) -> String {
    let permission = |user: &str, host: usize, what: &str| {
        serde_json::json!({
            "user": user, "vhost": format!("v{host}"), "configure": what, "write": what, "read": what
        })
    };
    let mut permissions: Vec<_> = (0..hosts).map(|host| permission(USER, host, ".*")).collect();
    permissions.push(permission(STRANGER, 0, "^$"));
    let hosts: Vec<_> = (0..hosts).map(|host| serde_json::json!({ "name": format!("v{host}") })).collect();
    let all = serde_json::json!({
        "users": [
            { "name": USER, "password": USER, "tags": "" },
            { "name": STRANGER, "password": STRANGER, "tags": "" },
        ],
        "vhosts": hosts,
        "permissions": permissions,
    });
    all.to_string()
}
