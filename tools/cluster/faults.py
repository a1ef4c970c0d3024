"""What goes wrong: one thing at a time, put right again after a while; every kind once, then as chance will have it."""

import itertools
import random
import signal
import threading
import time

from processes import answers, until


class Faults(threading.Thread):
    """Breaks and mends until it is told to stop."""

    def __init__(self, engines, archive, seed):
        super().__init__(daemon=True)
        self.engines = engines
        self.archive = archive
        self.random = random.Random(seed)
        self.must_stop = threading.Event()
        self.done = []
        self.failure = None

    def run(self):
        # First what no other drill does: a short run may not come to the end of the first round.
        kinds = [
            self.broker_killed,
            self.volume_server_killed,
            self.master_killed,
            self.searcher_killed,
            self.database_restarted,
            self.server_killed,
            self.worker_killed,
            self.worker_frozen,
        ]
        # After that every kind comes before one comes again.
        later = (kind for _ in itertools.count() for kind in self.random.sample(kinds, len(kinds)))
        try:
            for kind in itertools.chain(kinds, later):
                if self.must_stop.wait(self.random.uniform(2, 5)):
                    return
                started = time.monotonic()
                what = kind()
                took = time.monotonic() - started
                print(f"  fault: {what}; mended after {took:.0f} s", flush=True)
                self.done.append(what)
        except Exception as error:  # The main thread reports it.
            self.failure = error

    def worker_killed(self):
        worker = self.random.choice(self.archive.workers)
        worker.kill()
        time.sleep(2)
        worker.start()
        return f"{worker.name} killed"

    def worker_frozen(self):
        worker = self.random.choice(self.archive.workers)
        worker.send(signal.SIGSTOP)
        time.sleep(8)
        worker.send(signal.SIGCONT)
        return f"{worker.name} frozen"

    def server_killed(self):
        return self.node_killed(self.random.choice(self.archive.servers))

    def searcher_killed(self):
        return self.node_killed(self.random.choice(self.archive.searchers))

    def node_killed(self, node):
        node.kill()
        time.sleep(1)
        node.start()
        until(node.name, lambda: self.archive.is_ready(node))
        return f"{node.name} killed"

    def broker_killed(self):
        number = self.random.randrange(len(self.engines.rabbit.nodes))
        node = self.engines.rabbit.nodes[number]
        node.kill()
        time.sleep(4)
        node.start()
        until(node.name, lambda: answers(self.engines.rabbit.ports[number]))
        return f"{node.name} killed"

    def database_restarted(self):
        self.engines.postgres.stop("immediate")
        time.sleep(1)
        self.engines.postgres.start()
        return "database stopped without a word"

    def volume_server_killed(self):
        return self.killed_and_started(self.engines.seaweed.volumes, self.engines.seaweed.volume_ports)

    def master_killed(self):
        return self.killed_and_started(self.engines.seaweed.masters, self.engines.seaweed.master_ports)

    def killed_and_started(self, processes, ports):
        number = self.random.randrange(len(processes))
        processes[number].kill()
        time.sleep(4)
        processes[number].start()
        until(processes[number].name, lambda: answers(ports[number]))
        return f"{processes[number].name} killed"
