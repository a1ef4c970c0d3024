//! One RabbitMQ node on private ports: started, killed, frozen. It ends with the process that started it, however that
//! ends.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{ports, tls_proxy::make_certificates};

const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const CONTROL: &str = "/usr/lib/rabbitmq/bin/rabbitmqctl";
/// How long it may take to start, on a machine that is busy with other things.
const START_WITHIN: Duration = Duration::from_mins(3);

/// What the nodes of one broker share.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Where nodes find one another by name.
    pub(crate) mapper_port: u16,
    /// Client ports of all of them, which their names are made of.
    pub(crate) ports: Vec<u16>,
    /// Users, virtual hosts and rights.
    pub(crate) definitions: String,
    /// Variables beside those that every node gets.
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Plan {
    /// Client ports for so many nodes.
    pub(crate) fn of(nodes: usize, definitions: String) -> Result<Self> {
        let ports = (0..nodes).map(|_| ports::free()).collect::<Result<Vec<u16>>>()?;
        Ok(Self { mapper_port: ports::free()?, ports, definitions, variables: Vec::new() })
    }

    fn names(&self) -> Vec<String> {
        self.ports.iter().map(|port| name_of(*port)).collect()
    }
}

fn name_of(port: u16) -> String {
    format!("guidang{port}@localhost")
}

/// A node, with its data in a folder of its own.
pub struct RabbitNode {
    /// As the others know it.
    pub name: String,
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    pub(crate) encrypted_port: u16,
    distribution_port: u16,
    plan: Plan,
    server: Mutex<Option<Child>>,
    /// Removes what is left when the pipe to it closes.
    _janitor: Child,
}

impl RabbitNode {
    /// Writes what the node at this port needs. `run` starts it.
    pub(crate) fn make(plan: &Plan, port: u16) -> Result<Self> {
        ensure!(Path::new(SERVER).exists(), "RabbitMQ is not installed; run `make setup`");
        let folder = tempfile::Builder::new().prefix("guidang-rabbit-").tempdir()?.keep();
        let mapper = plan.mapper_port;
        let sweeping = format!("cat; sleep 1; epmd -port {mapper} -kill; rm -rf {}", folder.display());
        let janitor = until_pipe_closes(Command::new("sh").args(["-c", &sweeping])).spawn()?;
        let node = Self {
            name: name_of(port),
            folder,
            port,
            encrypted_port: ports::free()?,
            distribution_port: ports::free()?,
            plan: plan.clone(),
            server: Mutex::new(None),
            _janitor: janitor,
        };
        node.write_configuration()?;
        Ok(node)
    }

    /// Ends it without a word (SIGKILL), frozen or not.
    pub fn kill(&self) -> Result<()> {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let mut child = server.take().context("the node does not run")?;
        // The shell around it kills it when its pipe closes.
        drop(child.stdin.take());
        child.wait()?;
        Ok(())
    }

    /// Stops every thread of it (SIGSTOP): its connections stay open and say nothing.
    pub fn freeze(&self) -> Result<()> {
        self.signal("-STOP")
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let pid = fs::read_to_string(self.folder.join("pid")).context("the node does not run")?;
        let signalled = Command::new("kill").args([signal, pid.trim()]).status()?;
        ensure!(signalled.success(), "the node cannot be signalled");
        Ok(())
    }

    /// Ends its connections to the other nodes and lets none of them in again, nor is it let in: a network between them
    /// that has broken. Clients still reach it.
    pub fn cut_off(&self) -> Result<()> {
        self.of_each_other(|name| {
            format!("erlang:set_cookie('{name}', stranger), erlang:disconnect_node('{name}')")
        })
    }

    /// Mends the network to the other nodes.
    pub(crate) fn join_again(&self) -> Result<()> {
        self.of_each_other(|name| format!("erlang:set_cookie('{name}', erlang:get_cookie())"))
    }

    fn of_each_other(&self, action: impl Fn(&str) -> String) -> Result<()> {
        let names = self.plan.names();
        let actions = names.iter().filter(|name| **name != self.name).map(|name| action(name));
        let all = actions.collect::<Vec<String>>().join(", ");
        self.control(&["eval", &format!("{all}.")]).map(drop)
    }

    /// Starts it, again with the same data. `wait_until_open` waits until it can be used.
    pub(crate) fn run(&self) -> Result<()> {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        ensure!(server.is_none(), "the node runs already");
        let script = "\"$@\" >> out.log 2>&1 & server=$!; echo $server > pid; cat; kill -KILL $server; \
                      wait $server 2>/dev/null; true";
        let mut command = Command::new("sh");
        command.args(["-c", script, "rabbitmq"]);
        if is_root()? {
            command.args(["setpriv", "--reuid=rabbitmq", "--regid=rabbitmq", "--init-groups"]);
        }
        command.arg(SERVER).current_dir(&self.folder).envs(self.environment());
        *server = Some(until_pipe_closes(&mut command).spawn().context("the node cannot be started")?);
        Ok(())
    }

    pub(crate) fn wait_until_open(&self) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < START_WITHIN {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(100));
        }
        let log = fs::read_to_string(self.folder.join("out.log")).unwrap_or_default();
        bail!("{} did not start within {START_WITHIN:?}:\n{log}", self.name)
    }

    /// Runs `rabbitmqctl` on it until what it says is `awaited`.
    pub(crate) fn wait_until(&self, arguments: &[&str], awaited: impl Fn(&str) -> bool) -> Result<()> {
        let started = Instant::now();
        let mut said = String::new();
        while started.elapsed() < START_WITHIN {
            // A node that is not up yet, or looks for the others, refuses to answer.
            match self.control(arguments) {
                Ok(answer) if awaited(&answer) => return Ok(()),
                Ok(answer) => said = answer,
                Err(error) => said = error.to_string(),
            }
            thread::sleep(Duration::from_millis(500));
        }
        bail!("{} did not get there within {START_WITHIN:?}; it says {said}", self.name)
    }

    /// Runs `rabbitmqctl` on it and gives what it says.
    pub(crate) fn control(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(if is_root()? { "setpriv" } else { "env" });
        if is_root()? {
            command.args(["--reuid=rabbitmq", "--regid=rabbitmq", "--init-groups"]);
        }
        command.arg(CONTROL).args(["-q", "-n", &self.name]).args(arguments);
        command.current_dir(&self.folder).envs(self.environment()).env_remove("RABBITMQ_DIST_PORT");
        let done = command.output().context("rabbitmqctl cannot be started")?;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        ensure!(done.status.success(), "rabbitmqctl: {said}{}", String::from_utf8_lossy(&done.stderr));
        Ok(said)
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let inside = |name: &str| self.folder.join(name).display().to_string();
        let all = vec![
            ("HOME", inside("home")),
            // So that the shell around it becomes the server instead of waiting for it.
            ("RUNNING_UNDER_SYSTEMD", "1".to_owned()),
            ("RABBITMQ_NODENAME", self.name.clone()),
            ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1".to_owned()),
            ("RABBITMQ_NODE_PORT", self.port.to_string()),
            ("RABBITMQ_DIST_PORT", self.distribution_port.to_string()),
            ("ERL_EPMD_PORT", self.plan.mapper_port.to_string()),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
            ("RABBITMQ_MNESIA_BASE", inside("mnesia")),
            ("RABBITMQ_LOG_BASE", inside("log")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", inside("plugins")),
            ("RABBITMQ_CONFIG_FILE", inside("rabbitmq")),
            // One scheduler that never spins: it shares its processor with what is tested.
            ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 1:1 +sbwt none".to_owned()),
        ];
        all.into_iter().chain(self.plan.variables.iter().cloned()).collect()
    }

    fn write_configuration(&self) -> Result<()> {
        let folder = &self.folder;
        for name in ["home", "mnesia", "log"] {
            fs::create_dir(folder.join(name))?;
        }
        let mut settings = format!(
            "listeners.tcp.1 = 127.0.0.1:{}\nlisteners.ssl.1 = 127.0.0.1:{}\n\
             ssl_options.cacertfile = {folder}/ca.pem\nssl_options.certfile = {folder}/server.pem\n\
             ssl_options.keyfile = {folder}/server.key\nload_definitions = {folder}/definitions.json\n\
             disk_free_limit.absolute = 50MB\nloopback_users = none\nlog.file.level = warning\n",
            self.port,
            self.encrypted_port,
            folder = folder.display()
        );
        if self.plan.ports.len() > 1 {
            settings += &self.about_the_others()?;
        }
        fs::write(folder.join("rabbitmq.conf"), settings)?;
        make_certificates(folder)?;
        fs::write(folder.join("plugins"), "[].\n")?;
        fs::write(folder.join("definitions.json"), &self.plan.definitions)?;
        if is_root()? {
            let changed = Command::new("chown").args(["-R", "rabbitmq"]).arg(folder).status()?;
            ensure!(changed.success(), "{} cannot be given to the broker", folder.display());
        }
        Ok(())
    }

    /// How it finds the other nodes and is let in by them, and what it does when it has lost them.
    fn about_the_others(&self) -> Result<String> {
        let cookie = self.folder.join("home/.erlang.cookie");
        fs::write(&cookie, format!("GUIDANG{}", self.plan.mapper_port))?;
        fs::set_permissions(&cookie, std::os::unix::fs::PermissionsExt::from_mode(0o400))?;
        let names = self.plan.names();
        let nodes = (1..)
            .zip(names)
            .map(|(number, name)| format!("cluster_formation.classic_config.nodes.{number} = {name}\n"));
        // The first one that looks for the others finds none, and need not look for long.
        let settings = "cluster_formation.peer_discovery_backend = classic_config\n\
                        cluster_formation.discovery_retry_limit = 2\n\
                        cluster_partition_handling = pause_minority\n";
        Ok(settings.to_owned() + &nodes.collect::<String>())
    }
}

fn until_pipe_closes(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null())
}

fn is_root() -> Result<bool> {
    let said = Command::new("id").arg("-u").output()?;
    Ok(String::from_utf8_lossy(&said.stdout).trim() == "0")
}
