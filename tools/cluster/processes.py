"""Processes of the cluster: started in a group of their own, killed without a word, frozen, and started again."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PATIENCE = 180
given = set()


class NotReady(Exception):
    """Something did not come up in time."""


class Process:
    """One program of the cluster, with what it takes to start it again."""

    def __init__(self, name, command, folder, environment=None, user=None):
        self.name = name
        self.command = [str(part) for part in command]
        self.folder = Path(folder)
        self.environment = environment or {}
        self.user = user if os.geteuid() == 0 else None
        self.child = None

    def start(self):
        """Starts it; what it says goes to a file beside its data."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = self.command
        if self.user:
            give_to(self.folder, self.user)
            command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups", *command]
        with open(self.folder / "output.log", "ab") as log:
            self.child = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def is_running(self):
        return self.child is not None and self.child.poll() is None

    def send(self, number):
        """Sends a signal to it and everything it started."""
        if self.is_running:
            try:
                os.killpg(self.child.pid, number)
            except ProcessLookupError:
                pass

    def kill(self):
        """Ends it without a word."""
        self.send(signal.SIGKILL)
        if self.child is not None:
            self.child.wait()

    def stop(self, seconds=30):
        """Asks it to end, and waits; kills it when it does not."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            if self.child is not None:
                self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()


def give_to(folder, user):
    """Hands a folder, and what is in it, to the user that a server runs as."""
    account = pwd.getpwnam(user)
    for place, folders, files in os.walk(folder):
        for path in [place, *(os.path.join(place, name) for name in folders + files)]:
            os.chown(path, account.pw_uid, account.pw_gid)


def free_ports(count):
    """Ports nobody listens on and nobody was given, whose neighbours 10,000 above are free too (SeaweedFS takes both).

    They lie below those that the system hands out.
    """
    found = []
    candidate = max(given, default=12000 + (os.getpid() * 37) % 8000)
    while len(found) < count:
        candidate = candidate + 1 if candidate < 21000 else 12000
        if candidate not in given and is_free(candidate) and is_free(candidate + 10000):
            given.add(candidate)
            found.append(candidate)
    return found


def is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def until(what, condition, seconds=PATIENCE):
    """Waits until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise NotReady(f"{what} did not come up within {seconds} s")
        time.sleep(0.2)


def answers(port):
    """Whether somebody listens."""
    return not is_free(port)


def program(name, folders=()):
    """A program by name, from the path or from folders that the path leaves out."""
    for folder in folders:
        path = Path(folder) / name
        if path.exists():
            return path
    found = shutil.which(name)
    if not found:
        raise NotReady(f"{name} is not installed; run `make setup`")
    return Path(found)
