//! A RabbitMQ of its own on private ports. It ends with the process that started it, however that ends.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{ports, tls_proxy::make_certificates};

const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const CONTROL: &str = "/usr/lib/rabbitmq/bin/rabbitmqctl";
/// How long it may take to start, on a machine that is busy with other things.
const START_WITHIN: Duration = Duration::from_mins(3);
/// Virtual hosts made at start; each test takes one for itself.
const VIRTUAL_HOSTS: usize = 24;
/// Who may do everything in each of them.
const USER: &str = "guidang";
/// Who may come in and do nothing.
const STRANGER: &str = "stranger";

/// A broker, with its data in a folder of its own.
pub struct PrivateRabbit {
    folder: PathBuf,
    port: u16,
    encrypted_port: u16,
    distribution_port: u16,
    mapper_port: u16,
    server: Mutex<Option<Child>>,
    /// Removes what is left when the pipe to it closes.
    _janitor: Child,
    next_host: AtomicUsize,
    /// Variables beside those that every broker gets.
    more: &'static [(&'static str, &'static str)],
}

/// The broker that the tests of one suite share; it is started by the first of them.
pub fn shared() -> Result<Arc<PrivateRabbit>> {
    static SHARED: Mutex<Option<Arc<PrivateRabbit>>> = Mutex::new(None);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(rabbit) = &*shared {
        return Ok(Arc::clone(rabbit));
    }
    let rabbit = Arc::new(PrivateRabbit::start()?);
    *shared = Some(Arc::clone(&rabbit));
    Ok(rabbit)
}

impl PrivateRabbit {
    /// Makes and starts a broker, and waits until it can be used.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// The same, with no feature flag enabled: it has no quorum queues.
    pub fn start_without_features() -> Result<Self> {
        Self::start_with(&[("RABBITMQ_FEATURE_FLAGS", "")])
    }

    fn start_with(more: &'static [(&'static str, &'static str)]) -> Result<Self> {
        ensure!(Path::new(SERVER).exists(), "RabbitMQ is not installed; run `make setup`");
        let folder = tempfile::Builder::new().prefix("guidang-rabbit-").tempdir()?.keep();
        let (port, encrypted_port) = (ports::free()?, ports::free()?);
        let (distribution_port, mapper_port) = (ports::free()?, ports::free()?);
        let sweeping = format!("cat; sleep 1; epmd -port {mapper_port} -kill; rm -rf {}", folder.display());
        let janitor = until_pipe_closes(Command::new("sh").args(["-c", &sweeping])).spawn()?;
        let rabbit = Self {
            folder,
            port,
            encrypted_port,
            distribution_port,
            mapper_port,
            server: Mutex::new(None),
            _janitor: janitor,
            next_host: AtomicUsize::new(0),
            more,
        };
        rabbit.write_configuration()?;
        rabbit.run()?;
        Ok(rabbit)
    }

    /// The address of a virtual host that nobody else uses.
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
        plain.replace(&self.address(), &format!("localhost:{}", self.encrypted_port))
    }

    /// The authority that vouches for the broker.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Host and port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Host and port with encryption.
    pub fn encrypted_address(&self) -> String {
        format!("127.0.0.1:{}", self.encrypted_port)
    }

    fn url_of(&self, user: &str, host: usize) -> String {
        format!("amqp://{user}:{user}@{}/v{}", self.address(), host % VIRTUAL_HOSTS)
    }

    /// Ends it without a word (SIGKILL).
    pub fn kill(&self) -> Result<()> {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let mut child = server.take().context("the broker does not run")?;
        // The shell around it kills it when its pipe closes.
        drop(child.stdin.take());
        child.wait()?;
        Ok(())
    }

    /// Starts it again with the same data, and waits until it can be used.
    pub fn run(&self) -> Result<()> {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        ensure!(server.is_none(), "the broker runs already");
        let script =
            "\"$@\" >> out.log 2>&1 & server=$!; cat; kill -KILL $server; wait $server 2>/dev/null; true";
        let mut command = Command::new("sh");
        command.args(["-c", script, "rabbitmq"]);
        if is_root()? {
            command.args(["setpriv", "--reuid=rabbitmq", "--regid=rabbitmq", "--init-groups"]);
        }
        command.arg(SERVER).current_dir(&self.folder).envs(self.environment());
        *server = Some(until_pipe_closes(&mut command).spawn().context("the broker cannot be started")?);
        drop(server);
        self.wait_until_open()
    }

    /// Makes the broker believe that its disk is full, and waits until it blocks publishers.
    pub fn fill_disk(&self) -> Result<()> {
        self.control(&["set_disk_free_limit", "100000000000000"])?;
        self.wait_for_alarm("resource_limit")
    }

    /// Makes it believe that there is room again.
    pub fn empty_disk(&self) -> Result<()> {
        self.control(&["set_disk_free_limit", "1000000"])?;
        self.wait_for_alarm("[]")
    }

    fn wait_for_alarm(&self, sign: &str) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < START_WITHIN {
            if self.control(&["eval", "rabbit_alarm:get_alarms()."])?.contains(sign) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(500));
        }
        bail!("the broker did not notice within {START_WITHIN:?}")
    }

    /// Runs `rabbitmqctl` on this broker and gives what it says.
    fn control(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(if is_root()? { "setpriv" } else { "env" });
        if is_root()? {
            command.args(["--reuid=rabbitmq", "--regid=rabbitmq", "--init-groups"]);
        }
        command.arg(CONTROL).args(["-n", &format!("guidang{}@localhost", self.port)]).args(arguments);
        command.current_dir(&self.folder).envs(self.environment()).env_remove("RABBITMQ_DIST_PORT");
        let done = command.output().context("rabbitmqctl cannot be started")?;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        ensure!(done.status.success(), "rabbitmqctl: {said}{}", String::from_utf8_lossy(&done.stderr));
        Ok(said)
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let inside = |name: &str| self.folder.join(name).display().to_string();
        let more = self.more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let all = vec![
            ("HOME", inside("home")),
            // So that the shell around it becomes the server instead of waiting for it.
            ("RUNNING_UNDER_SYSTEMD", "1".to_owned()),
            ("RABBITMQ_NODENAME", format!("guidang{}@localhost", self.port)),
            ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1".to_owned()),
            ("RABBITMQ_NODE_PORT", self.port.to_string()),
            ("RABBITMQ_DIST_PORT", self.distribution_port.to_string()),
            ("ERL_EPMD_PORT", self.mapper_port.to_string()),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
            ("RABBITMQ_MNESIA_BASE", inside("mnesia")),
            ("RABBITMQ_LOG_BASE", inside("log")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", inside("plugins")),
            ("RABBITMQ_CONFIG_FILE", inside("rabbitmq")),
            // One scheduler that never spins: it shares its processor with what is tested.
            ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 1:1 +sbwt none".to_owned()),
        ];
        all.into_iter().chain(more).collect()
    }

    fn write_configuration(&self) -> Result<()> {
        let folder = &self.folder;
        for name in ["home", "mnesia", "log"] {
            fs::create_dir(folder.join(name))?;
        }
        let settings = format!(
            "listeners.tcp.1 = 127.0.0.1:{}\nlisteners.ssl.1 = 127.0.0.1:{}\n\
             ssl_options.cacertfile = {folder}/ca.pem\nssl_options.certfile = {folder}/server.pem\n\
             ssl_options.keyfile = {folder}/server.key\nload_definitions = {folder}/definitions.json\n\
             disk_free_limit.absolute = 50MB\nloopback_users = none\nlog.file.level = warning\n",
            self.port,
            self.encrypted_port,
            folder = folder.display()
        );
        fs::write(folder.join("rabbitmq.conf"), settings)?;
        make_certificates(folder)?;
        fs::write(folder.join("plugins"), "[].\n")?;
        fs::write(folder.join("definitions.json"), definitions().to_string())?;
        if is_root()? {
            let changed = Command::new("chown").args(["-R", "rabbitmq"]).arg(folder).status()?;
            ensure!(changed.success(), "{} cannot be given to the broker", folder.display());
        }
        Ok(())
    }

    fn wait_until_open(&self) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < START_WITHIN {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(100));
        }
        let log = fs::read_to_string(self.folder.join("out.log")).unwrap_or_default();
        bail!("RabbitMQ did not start within {START_WITHIN:?}:\n{log}")
    }
}

fn definitions() -> serde_json::Value {
    let hosts: Vec<_> =
        (0..VIRTUAL_HOSTS).map(|host| serde_json::json!({ "name": format!("v{host}") })).collect();
    let permission = |user: &str, host: usize, what: &str| {
        serde_json::json!({
            "user": user, "vhost": format!("v{host}"), "configure": what, "write": what, "read": what
        })
    };
    let mut permissions: Vec<_> = (0..VIRTUAL_HOSTS).map(|host| permission(USER, host, ".*")).collect();
    permissions.push(permission(STRANGER, 0, "^$"));
    serde_json::json!({
        "users": [
            { "name": USER, "password": USER, "tags": "" },
            { "name": STRANGER, "password": STRANGER, "tags": "" },
        ],
        "vhosts": hosts,
        "permissions": permissions,
    })
}

fn until_pipe_closes(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null())
}

fn is_root() -> Result<bool> {
    let said = Command::new("id").arg("-u").output()?;
    Ok(String::from_utf8_lossy(&said.stdout).trim() == "0")
}
