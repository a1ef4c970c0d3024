"""The archive of the cluster: two servers, two workers and a search node, each with a data folder of its own."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
import uuid

from processes import NotReady, Process, free_ports, until

SERVERS = 2
WORKERS = 2
SEARCHERS = 1


class Refused(Exception):
    """The archive answered, and not with what was asked for."""

    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.status = status


class Archive:
    """Every process of the program, on the same three engines."""

    def __init__(self, program, folder, engines):
        self.program = program
        self.folder = folder / "archive"
        self.environment = {
            "GUIDANG_DATABASE__URL": engines.postgres.url("catalogue"),
            "GUIDANG_KEYS__URL": engines.postgres.url("keys"),
            "GUIDANG_QUEUE__URL": engines.rabbit.url(),
            "GUIDANG_OBJECTS__URL": "s3://archive",
            "GUIDANG_OBJECTS__ENDPOINT": engines.seaweed.endpoint(),
            "GUIDANG_KEYS__ROOT_KEY": str(self.folder / "root.key"),
            "GUIDANG_READING__THREADS": "1",
            **engines.seaweed.environment(),
        }
        self.servers = [self.node("serve", number) for number in range(SERVERS)]
        self.workers = [self.node("work", number) for number in range(WORKERS)]
        self.searchers = [self.node("index-node", number) for number in range(SEARCHERS)]

    @property
    def nodes(self):
        return [*self.servers, *self.workers, *self.searchers]

    def node(self, kind, number):
        folder = self.folder / f"{kind}{number}"
        environment = dict(self.environment)
        port = free_ports(1)[0] if kind in ("serve", "index-node") else None
        if port:
            environment["GUIDANG_SERVER__LISTEN"] = f"127.0.0.1:{port}"
        process = Process(f"{kind} {number}", [self.program, "--data", folder, kind], folder, environment)
        process.data = folder
        process.port = port
        return process

    def start(self):
        self.folder.mkdir(parents=True)
        for node in self.nodes:
            self.command(node, "init")
            node.start()
        for node in [*self.servers, *self.searchers]:
            until(node.name, lambda node=node: self.is_ready(node))
        for worker in self.workers:
            if not worker.is_running:
                raise NotReady(f"{worker.name} ended: see {worker.folder}/output.log")

    def stop(self):
        for node in self.nodes:
            node.stop()

    def is_ready(self, node):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{node.port}/healthz/ready", timeout=5) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def command(self, node, *arguments):
        """Runs a command of the program on a node's data folder; what it says is the answer."""
        command = [str(self.program), "--data", str(node.data), *arguments]
        environment = {**os.environ, **node.environment}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise NotReady(f"guidang {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def require_index_agrees(self, node, minutes):
        """Waits until the index of a node has followed to the last change, then holds it against the catalogue."""
        last = self.request(self.servers[0], "GET", "/api/v1/index")["last_change"]
        deadline = time.monotonic() + minutes * 60
        while True:
            try:
                self.request(node, "GET", f"/api/v1/index?at_least={last}")
                return self.command(node, "index", "verify")
            except (OSError, Refused) as problem:
                if time.monotonic() > deadline:
                    raise NotReady(f"the index of {node.name} does not follow to change {last}: {problem}") from problem
                time.sleep(1)

    def request(self, node, method, path, body=None, headers=None, seconds=90):
        """Asks one process. `OSError`: it does not answer. `Refused`: it answered something else than success."""
        # A server that was started again has a new token.
        run = json.loads((node.data / "run/server.json").read_text())
        request = urllib.request.Request(f"http://127.0.0.1:{node.port}{path}", body, method=method)
        request.add_header("authorization", f"Bearer {run['token']}")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode(errors="replace")[:500]) from error


def multipart(fields, files):
    """A form with files, and the header that describes it."""
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in fields.items():
        parts.append(f'--{boundary}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    for name, content in files:
        head = f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        parts.append(head.encode() + content + b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"
