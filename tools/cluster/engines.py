"""The engines of the cluster: PostgreSQL, three RabbitMQ nodes, SeaweedFS with three masters and three volume servers."""

import json
import os
import secrets
import subprocess
from pathlib import Path

from processes import NotReady, Process, answers, free_ports, give_to, program, until

ROOT = Path(__file__).resolve().parents[2]
ACCESS_KEY = "guidang-cluster"


class Postgres:
    """One PostgreSQL server that keeps what it promised when it is stopped without a word."""

    def __init__(self, folder):
        versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if not versions:
            raise NotReady("PostgreSQL is not installed; run `make setup`")
        self.programs = versions[-1]
        self.folder = Path(folder) / "postgres"
        (self.port,) = free_ports(1)

    def run(self, command, arguments):
        """Runs one of its programs as the user it belongs to: it refuses to run as root."""
        command = [str(self.programs / command), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if done.returncode:
            raise NotReady(f"{command[-1]}: {done.stderr.strip()}")

    def start(self):
        data = self.folder / "data"
        if not data.exists():
            self.folder.mkdir(parents=True)
            if os.geteuid() == 0:
                give_to(self.folder, "postgres")
            self.run("initdb", ["-D", str(data), "-A", "trust", "-U", "postgres", "--locale=C.UTF-8", "--no-sync"])
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=300"
        self.run("pg_ctl", ["-D", str(data), "-w", "-l", str(self.folder / "output.log"), "-o", options, "start"])

    def make_databases(self, names):
        for name in names:
            self.run("createdb", ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", name])

    def url(self, name):
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    def stop(self, mode="fast"):
        self.run("pg_ctl", ["-D", str(self.folder / "data"), "-w", "-m", mode, "stop"])


class RabbitCluster:
    """Three nodes; quorum queues go on while two of them live."""

    PROGRAMS = "/usr/lib/rabbitmq/bin"

    def __init__(self, folder):
        self.folder = Path(folder) / "rabbit"
        ports = free_ports(7)
        self.mapper_port, self.ports, self.distribution_ports = ports[0], ports[1:4], ports[4:7]
        self.names = [f"guidang{port}@localhost" for port in self.ports]
        self.nodes = []

    def make(self):
        """Writes what each node needs; they find one another by the list of all."""
        program("rabbitmq-server", [self.PROGRAMS])
        cookie = secrets.token_hex(16)
        definitions = {
            "users": [{"name": "guidang", "password": "guidang", "tags": "administrator"}],
            "vhosts": [{"name": "/"}],
            "permissions": [{"user": "guidang", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
        }
        for number, (name, port) in enumerate(zip(self.names, self.ports)):
            folder = self.folder / str(number)
            for inner in ("home", "mnesia", "log"):
                (folder / inner).mkdir(parents=True)
            (folder / "home/.erlang.cookie").write_text(cookie)
            (folder / "home/.erlang.cookie").chmod(0o400)
            (folder / "plugins").write_text("[].\n")
            (folder / "definitions.json").write_text(json.dumps(definitions))
            settings = [
                f"listeners.tcp.1 = 127.0.0.1:{port}",
                "cluster_formation.peer_discovery_backend = classic_config",
                *(f"cluster_formation.classic_config.nodes.{n + 1} = {node}" for n, node in enumerate(self.names)),
                "cluster_partition_handling = pause_minority",
                "disk_free_limit.absolute = 50MB",
                "loopback_users = none",
                f"load_definitions = {folder}/definitions.json",
                "log.file.level = warning",
            ]
            (folder / "rabbitmq.conf").write_text("\n".join(settings) + "\n")
            command = [f"{self.PROGRAMS}/rabbitmq-server"]
            self.nodes.append(Process(f"broker {number}", command, folder, self.environment(number), "rabbitmq"))

    def environment(self, number):
        folder = self.folder / str(number)
        return {
            "HOME": str(folder / "home"),
            # So that the shell around it becomes the server instead of waiting for it.
            "RUNNING_UNDER_SYSTEMD": "1",
            "RABBITMQ_NODENAME": self.names[number],
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.ports[number]),
            "RABBITMQ_DIST_PORT": str(self.distribution_ports[number]),
            "ERL_EPMD_PORT": str(self.mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            # One scheduler that never spins: three nodes share the processors with what is tested.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }

    def start(self):
        self.make()
        for node in self.nodes:
            node.start()
        for node, port in zip(self.nodes, self.ports):
            until(node.name, lambda port=port: answers(port))
        until("the broker's cluster", self.is_complete)

    def is_complete(self):
        """Whether the first node sees all three."""
        command = [f"{self.PROGRAMS}/rabbitmqctl", "-q", "-n", self.names[0], "cluster_status", "--formatter", "json"]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=rabbitmq", "--regid=rabbitmq", "--init-groups", *command]
        environment = {**os.environ, **self.environment(0)}
        told = subprocess.run(command, cwd=self.folder / "0", env=environment, capture_output=True, text=True)
        return told.returncode == 0 and len(json.loads(told.stdout).get("running_nodes", [])) == len(self.nodes)

    def url(self):
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"amqp://guidang:guidang@{hosts}/%2f"

    def stop(self):
        for node in self.nodes:
            node.kill()
        subprocess.run(["epmd", "-port", str(self.mapper_port), "-kill"], capture_output=True)


class Seaweed:
    """Three masters that agree, three volume servers with every object on two of them, one gateway over PostgreSQL."""

    def __init__(self, folder, postgres):
        self.folder = Path(folder) / "objects"
        self.postgres = postgres
        self.program = ROOT / ".cache/venv/bin/weed"
        ports = free_ports(8)
        self.master_ports, self.volume_ports = ports[0:3], ports[3:6]
        self.filer_port, self.s3_port = ports[6:8]
        self.secret = secrets.token_hex(20)
        self.masters, self.volumes, self.gateway = [], [], None

    def make(self):
        if not self.program.exists():
            raise NotReady("SeaweedFS is not installed; run `make setup`")
        masters = ",".join(f"127.0.0.1:{port}" for port in self.master_ports)
        for number, port in enumerate(self.master_ports):
            command = [self.program, "master", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-port={port}", "-mdir=."]
            command += [f"-peers={masters}", "-defaultReplication=010", "-volumeSizeLimitMB=100"]
            self.masters.append(Process(f"master {number}", command, self.folder / f"master{number}"))
        for number, port in enumerate(self.volume_ports):
            command = [self.program, "volume", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-port={port}", "-dir=."]
            command += [f"-master={masters}", "-dataCenter=here", f"-rack=rack{number}", "-max=50"]
            self.volumes.append(Process(f"volume server {number}", command, self.folder / f"volume{number}"))
        folder = self.folder / "gateway"
        folder.mkdir(parents=True)
        (folder / "filer.toml").write_text(self.filer_settings())
        identity = {
            "name": "guidang",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": self.secret}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        command = [self.program, "filer", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-port={self.filer_port}"]
        command += [f"-master={masters}", "-defaultReplicaPlacement=010", "-s3", f"-s3.port={self.s3_port}"]
        command += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.config=s3.json"]
        self.gateway = Process("gateway", command, folder, {"WEED_S3_SSE_KEY": secrets.token_hex(32)})

    def filer_settings(self):
        create = (
            'CREATE TABLE IF NOT EXISTS "%s" (dirhash BIGINT, name VARCHAR(65535), directory VARCHAR(65535), '
            "meta bytea, PRIMARY KEY (dirhash, name));"
        )
        upsert = (
            'INSERT INTO "%[1]s" (dirhash, name, directory, meta) VALUES($1, $2, $3, $4) '
            "ON CONFLICT (dirhash, name) DO UPDATE SET directory=EXCLUDED.directory, meta=EXCLUDED.meta"
        )
        return "\n".join(
            [
                "[postgres2]",
                "enabled = true",
                f"createTable = '''{create}'''",
                'hostname = "127.0.0.1"',
                f"port = {self.postgres.port}",
                'username = "postgres"',
                'password = ""',
                'database = "filer"',
                'sslmode = "disable"',
                "connection_max_idle = 10",
                "connection_max_open = 50",
                "enableUpsert = true",
                f"upsertQuery = '''{upsert}'''",
                "",
            ]
        )

    def start(self):
        self.make()
        for process in [*self.masters, *self.volumes, self.gateway]:
            process.start()
        for port in [*self.master_ports, *self.volume_ports, self.s3_port]:
            until(f"SeaweedFS on port {port}", lambda port=port: answers(port))

    def environment(self):
        return {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": self.secret}

    def endpoint(self):
        return f"http://127.0.0.1:{self.s3_port}"

    def make_bucket(self, name):
        """Makes a bucket through the store's own shell; right after the start it may need a few tries."""
        masters = ",".join(f"127.0.0.1:{port}" for port in self.master_ports)
        command = [self.program, "shell", f"-master={masters}", f"-filer=127.0.0.1:{self.filer_port}"]

        def is_made():
            done = subprocess.run(
                command, input=f"s3.bucket.create -name {name}\ns3.bucket.list\n", capture_output=True, text=True
            )
            return any(line.split()[:1] == [name] for line in done.stdout.splitlines())

        until("the bucket", is_made)

    def stop(self):
        for process in [self.gateway, *self.volumes, *self.masters]:
            if process is not None:
                process.kill()
