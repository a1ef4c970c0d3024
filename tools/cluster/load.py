"""The load: the sample cases many times over, each time as other acceptances with other bytes."""

import csv
import io
import json
import threading
import time
from pathlib import Path

from archive import Refused, multipart

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
# Scans on their way at a time: more would only wait.
AHEAD = 24


class Load(threading.Thread):
    """Sends until it is told to stop, one case after the other, and knows what was answered."""

    def __init__(self, archive):
        super().__init__(daemon=True)
        self.archive = archive
        self.must_stop = threading.Event()
        self.sent = 0
        self.received = {}
        self.uploads = []
        self.tried_again = 0
        self.failure = None

    def run(self):
        try:
            for number in range(1, 1000):
                for case in cases(number):
                    if self.must_stop.is_set():
                        return
                    self.send(case)
        except Exception as error:  # The main thread reports it.
            self.failure = error

    def send(self, case):
        """Sends one case until it is answered "received"; the same key again gets the first answer again."""
        self.wait_for_room()
        entries = {"content-type": "text/csv; charset=utf-8"}
        self.until_answered("POST", "/api/v1/entries", case.entries, entries)
        body, kind = multipart({"slip_number": case.slip_number, "outlet": case.outlet}, case.files)
        self.sent += len(case.files)
        receipt = self.until_answered(
            "POST", "/api/v1/scans", body, {"content-type": kind, "idempotency-key": f"load-{case.slip_number}"}
        )
        self.uploads.append(receipt["upload_id"])
        for file in receipt["files"]:
            if file["outcome"] not in ("received", "linked"):
                raise Refused(201, json.dumps(file))
            self.received[file["scan_id"]] = receipt["upload_id"]

    def until_answered(self, method, path, body=None, headers=None):
        """Asks the servers in turn until one answers; what is not answered is not taken."""
        deadline = time.monotonic() + 240
        number = len(self.received)
        while True:
            number += 1
            try:
                return self.archive.request(self.archive.servers[number % 2], method, path, body, headers)
            except Refused as refused:
                if refused.status < 500 and refused.status not in (401, 409, 429):
                    raise
                problem = refused
            except (OSError, ValueError) as error:
                problem = error
            if time.monotonic() > deadline:
                raise problem
            self.tried_again += 1
            time.sleep(0.5)

    def wait_for_room(self):
        while not self.must_stop.is_set() and self.on_their_way() > AHEAD:
            time.sleep(1)

    def on_their_way(self):
        """Scans of the last uploads that are not settled."""
        unsettled = 0
        for upload in self.uploads[-12:]:
            told = self.until_answered("GET", f"/api/v1/uploads/{upload}")
            unsettled += sum(1 for file in told["files"] if file.get("scan") and not file["scan"]["settled"])
        return unsettled


class Case:
    """One acceptance of one round."""

    def __init__(self, row, scans, number):
        self.slip_number = f"{row['业务流水号']}R{number:03}"
        self.outlet = row["受理网点编码"]
        text = io.StringIO()
        writer = csv.DictWriter(text, row.keys())
        writer.writeheader()
        writer.writerow({**row, "业务流水号": self.slip_number})
        self.entries = text.getvalue().encode()
        self.files = [(Path(scan).name, marked((SAMPLES / "scans" / scan).read_bytes(), number)) for scan in scans]


def cases(number):
    """The cases of one round."""
    with open(SAMPLES / "entries.csv", encoding="utf-8-sig", newline="") as file:
        rows = {row["业务流水号"]: row for row in csv.DictReader(file)}
    for line in (SAMPLES / "truth.jsonl").read_text().splitlines():
        truth = json.loads(line)
        scans = [scan["file"] for scan in truth["scans"]]
        if scans:
            yield Case(rows[truth["slip_number"]], scans, number)


def marked(content, number):
    """The same picture in other bytes: a comment in a JPEG, a line of comment behind a PDF, a byte behind a TIFF."""
    note = f"round {number}".encode()
    if content.startswith(b"\xff\xd8"):
        return content[:2] + b"\xff\xfe" + (len(note) + 2).to_bytes(2, "big") + note + content[2:]
    if content.startswith(b"%PDF"):
        return content + b"\n%" + note + b"\n"
    return content + note
