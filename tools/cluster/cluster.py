#!/usr/bin/env python3
"""The whole archive on one machine in its distributed shape, loaded and broken for some minutes, then verified.

Three RabbitMQ nodes, PostgreSQL, a SeaweedFS of three masters and three volume servers with every object on two of
them, two `guidang serve`, two `guidang work` and a `guidang index-node`. Ends with 0 when everything that was answered
"received" is filed or waits for a person, `guidang verify` holds, and the search node agrees with the catalogue.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from archive import Archive
from engines import Postgres, RabbitCluster, Seaweed
from faults import Faults
from load import Load
from processes import NotReady

ROOT = Path(__file__).resolve().parents[2]


class Engines:
    """What the archive stands on."""

    def __init__(self, folder):
        self.postgres = Postgres(folder)
        self.rabbit = RabbitCluster(folder)
        self.seaweed = Seaweed(folder, self.postgres)

    def start(self):
        say("PostgreSQL")
        self.postgres.start()
        self.postgres.make_databases(["catalogue", "keys", "filer"])
        say("SeaweedFS: three masters, three volume servers, one gateway")
        self.seaweed.start()
        self.seaweed.make_bucket("archive")
        say("RabbitMQ: three nodes")
        self.rabbit.start()

    def stop(self):
        for engine in (self.rabbit, self.seaweed, self.postgres):
            try:
                engine.stop()
            except NotReady as error:
                print(error, file=sys.stderr)


def say(text):
    print(f"== {text}", flush=True)


def settled(archive, load, minutes):
    """Waits until every scan that was received is filed or waits for a person; gives the count of each state."""
    deadline = time.monotonic() + minutes * 60
    waiting = dict.fromkeys(load.received.values())
    states = {}
    told = time.monotonic()
    while waiting:
        for upload in list(waiting):
            view = load.until_answered("GET", f"/api/v1/uploads/{upload}")
            scans = [file["scan"] for file in view["files"]]
            if all(scan["settled"] for scan in scans):
                states.update({scan["id"]: scan["state"] for scan in scans})
                del waiting[upload]
        if time.monotonic() > deadline:
            raise NotReady(f"{len(waiting)} uploads are not settled after {minutes} minutes")
        if time.monotonic() - told > 10:
            told = time.monotonic()
            print(f"  {len(states)} of {len(load.received)} scans settled", flush=True)
        time.sleep(0.5)
    return states


def run(folder, arguments):
    engines = Engines(folder)
    archive = None
    try:
        engines.start()
        say("Guidang: two servers, two workers, a search node")
        archive = Archive(arguments.program, folder, engines)
        archive.start()
        say(f"{arguments.minutes:g} minutes of load and faults (seed {arguments.seed})")
        load, faults = Load(archive), Faults(engines, archive, arguments.seed)
        load.start()
        faults.start()
        time.sleep(arguments.minutes * 60)
        for thread in (faults, load):
            thread.must_stop.set()
            thread.join(300)
            if thread.failure or thread.is_alive():
                raise NotReady(f"{type(thread).__name__.lower()} failed: {thread.failure or 'it does not end'}")
        say("No more load, no more faults: everything must settle")
        states = settled(archive, load, 20)
        report(load, faults, states)
        say("guidang verify")
        print(archive.command(archive.servers[0], "verify"))
        say("guidang index verify on the search node")
        for node in archive.searchers:
            print(archive.require_index_agrees(node, 5))
    finally:
        if archive is not None:
            archive.stop()
        engines.stop()


def report(load, faults, states):
    counts = {}
    for state in states.values():
        counts[state] = counts.get(state, 0) + 1
    listed = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    print(f"{len(faults.done)} faults; {load.tried_again} requests had to be sent again")
    print(f"{load.sent} scans sent, {len(load.received)} received, {len(states)} settled: {listed}")
    if not load.sent == len(load.received) == len(states):
        raise NotReady("sent, received and settled differ")
    lost = [state for state in counts if state not in ("placed", "linked", "tray", "unreadable")]
    if lost or not states:
        raise NotReady("some scans are neither filed nor wait for a person")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5, help="how long load and faults last")
    parser.add_argument("--program", type=Path, default=ROOT / "target/release/guidang", help="the program")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="decides what breaks when")
    parser.add_argument("--keep", action="store_true", help="leave the folder of all data behind")
    arguments = parser.parse_args()
    arguments.program = arguments.program.resolve()
    folder = Path(tempfile.mkdtemp(prefix="guidang-cluster-"))
    # The servers run as users of their own and must reach their folders.
    folder.chmod(0o755)
    try:
        run(folder, arguments)
        say("Nothing was lost, nothing was done twice")
    except (NotReady, OSError) as error:
        arguments.keep = True
        sys.exit(f"{error}\nEverything is left in {folder}")
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
